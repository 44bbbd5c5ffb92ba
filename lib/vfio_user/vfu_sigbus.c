/* SPDX-License-Identifier: BSD-3-Clause */
#include "vfu_sigbus.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

/*
 * A slot is live while seq is odd. The handler copies a slot and then looks at seq again: a slot
 * that was reused meanwhile is not the one it looks for, because the thread that faulted keeps its
 * own range from being removed (the owner waits for it to quiesce).
 */
struct slot {
	atomic_uint seq;
	atomic_uintptr_t base;
	atomic_size_t len;
	_Atomic(atomic_bool *) broken;
};

static struct slot slots[VFU_SIGBUS_SLOTS];
static atomic_uint nb_slots; /* slots ever used: the handler looks no further */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* writers only */
static unsigned int search_from;
static uint64_t total_bytes;

static struct sigaction previous;

/* Under the lock. */
static int
find_unused(void)
{
	unsigned int i, n;

	for (n = 0; n < VFU_SIGBUS_SLOTS; n++) {
		i = (search_from + n) % VFU_SIGBUS_SLOTS;
		if ((atomic_load_explicit(&slots[i].seq, memory_order_relaxed) & 1) == 0) {
			search_from = i + 1;
			return i;
		}
	}
	return -ENOSPC;
}

/* Under the lock. */
static void
fill(int i, void *base, size_t len, atomic_bool *broken)
{
	struct slot *slot = &slots[i];

	/* Orders the even seq of the last removal before the fields: a handler that sees one of the
	 * new fields sees that the slot had gone. */
	atomic_thread_fence(memory_order_release);
	atomic_store_explicit(&slot->base, (uintptr_t)base, memory_order_relaxed);
	atomic_store_explicit(&slot->len, len, memory_order_relaxed);
	atomic_store_explicit(&slot->broken, broken, memory_order_relaxed);
	atomic_fetch_add_explicit(&slot->seq, 1, memory_order_release);
	if ((unsigned int)i >= atomic_load_explicit(&nb_slots, memory_order_relaxed))
		atomic_store_explicit(&nb_slots, i + 1, memory_order_release);
}

int
vfu_sigbus_add(void *base, size_t len, atomic_bool *broken)
{
	int i = -ENOSPC;

	pthread_mutex_lock(&lock);
	if (len <= VFU_SIGBUS_BYTES - total_bytes)
		i = find_unused();
	if (i >= 0) {
		total_bytes += len;
		fill(i, base, len, broken);
	}
	pthread_mutex_unlock(&lock);
	return i;
}

void
vfu_sigbus_remove(int i)
{
	pthread_mutex_lock(&lock);
	total_bytes -= atomic_load_explicit(&slots[i].len, memory_order_relaxed);
	atomic_fetch_add_explicit(&slots[i].seq, 1, memory_order_release);
	if ((unsigned int)i < search_from)
		search_from = i; /* low slots first keeps the handler's walk short */
	pthread_mutex_unlock(&lock);
}

/* Puts zero pages in place of the slot's file when @addr lies in it. */
static bool
slot_replace(struct slot *slot, uintptr_t addr)
{
	unsigned int seq = atomic_load_explicit(&slot->seq, memory_order_acquire);
	uintptr_t base = atomic_load_explicit(&slot->base, memory_order_relaxed);
	size_t len = atomic_load_explicit(&slot->len, memory_order_relaxed);
	atomic_bool *broken = atomic_load_explicit(&slot->broken, memory_order_relaxed);

	atomic_thread_fence(memory_order_acquire);
	if ((seq & 1) == 0 || atomic_load_explicit(&slot->seq, memory_order_relaxed) != seq)
		return false;
	if (addr < base || addr - base >= len)
		return false;

	/* Base and length are multiples of the file's page size, which is what hugetlbfs asks for.
	 * mmap is a bare system call here, so it may be used in a handler. */
	if (mmap((void *)base, len, PROT_READ | PROT_WRITE,
		    MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED)
		return false;
	atomic_store_explicit(broken, true, memory_order_release);
	return true;
}

bool
vfu_sigbus_repair(void *addr)
{
	unsigned int i, n = atomic_load_explicit(&nb_slots, memory_order_acquire);
	int saved_errno = errno;
	bool ours = false;

	for (i = 0; i < n && !ours; i++)
		ours = slot_replace(&slots[i], (uintptr_t)addr);
	errno = saved_errno;
	return ours;
}

static void
on_sigbus(int signo, siginfo_t *info, void *context)
{
	/* si_code <= 0: sent by a process, there is no address. */
	if (info->si_code > 0 && vfu_sigbus_repair(info->si_addr))
		return;

	if ((previous.sa_flags & SA_SIGINFO) != 0) {
		previous.sa_sigaction(signo, info, context);
	} else if (previous.sa_handler == SIG_IGN && info->si_code <= 0) {
		return;
	} else if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN) {
		/* A fault happens again on return and takes its default course; a signal that was
		 * sent has to be sent again. */
		signal(signo, SIG_DFL);
		if (info->si_code <= 0)
			raise(signo);
	} else {
		previous.sa_handler(signo);
	}
}

int
vfu_sigbus_install(void)
{
	struct sigaction action = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	struct sigaction now;
	int rc = 0;

	sigemptyset(&action.sa_mask);
	pthread_mutex_lock(&lock);
	if (sigaction(SIGBUS, NULL, &now) != 0) {
		rc = -errno;
	} else if ((now.sa_flags & SA_SIGINFO) == 0 || now.sa_sigaction != on_sigbus) {
		/* Known before the handler can run for the first time. */
		previous = now;
		if (sigaction(SIGBUS, &action, NULL) != 0)
			rc = -errno;
	}
	pthread_mutex_unlock(&lock);
	return rc;
}
