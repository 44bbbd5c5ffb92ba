/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The limit: what two CPUs can hand to each other through rings like vmxnet3's when nothing is decided about a frame.
 *
 * Two ports, each with four rings of 16-byte entries, as a vmxnet3 queue pair has them: transmit and its completions, receive
 * buffers and their completions. An entry is valid when its generation bit is the one of its reader's lap. One thread is both
 * guests: what it receives at a port it sends from the same buffer at the other. The other thread is the switch: it copies each
 * frame once, from the sender's buffers into those of the receiver. No packet buffers, no look at a frame.
 *
 * limit BYTES BUFFER RING FRAMES SECONDS GUEST_CPU SWITCH_CPU: FRAMES of so many BYTES go round each way, in entries of at most
 * BUFFER bytes, of which each ring has RING. Prints one line of JSON.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define MAX_RING 4096u
#define GAP    20u   /* entries between two rings */
#define BURST  32u   /* frames */
#define PORTS  2u
#define SPREAD 192u  /* between buffers: an odd number of cache lines from one to the next, or they would share few sets of a cache */
#define WARM_UP 0.1
#define MARK    0x5a /* every byte of a frame */

enum { GEN = 1, LAST = 2, NOTIFY = 4 };

struct entry {
	uint8_t *buffer;
	uint32_t len;
	_Atomic uint32_t flags; /* written last, read first */
};

/* The gaps keep entries of the same number in different sets of the caches. */
struct port {
	struct entry tx[MAX_RING + GAP], tx_done[MAX_RING + GAP], rx[MAX_RING + GAP], rx_done[MAX_RING + GAP];
};

/* One thread's place in a ring. A writer holds the first entry of a burst back, so that its reader finds the burst whole. */
struct place {
	struct entry *ring;
	uint32_t at, gen;
	struct entry *held;
	uint32_t held_flags;
};

/* One thread's view of a port. */
struct view {
	struct place tx, tx_done, rx, rx_done;
};

static struct {
	struct view ports[PORTS];
	uint8_t **spare; /* buffers that are in no ring */
	uint32_t nb_spare;
	uint8_t *sent[PORTS][MAX_RING]; /* by transmit entry: its buffer, until completed */
	uint32_t sent_tail[PORTS];
	uint64_t frames, bytes;
} guests;

static struct view switch_ports[PORTS];
static atomic_bool stop;
static uint32_t buffer_size, ring_size;

static void
die(const char *why)
{
	fprintf(stderr, "limit: %s\n", why);
	exit(1);
}

static double
now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static void
pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		die("no such CPU");
}

/* Zeroed memory in huge pages, or at least in memory that the kernel may make huge. */
static void *
memory(size_t bytes)
{
	const size_t huge = 2u << 20;
	uint8_t *p;

	bytes = (bytes + huge - 1) & ~(huge - 1);
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1, 0);
	if (p != MAP_FAILED)
		return p;
	p = aligned_alloc(huge, bytes);
	if (p == NULL)
		die("no memory");
	madvise(p, bytes, MADV_HUGEPAGE);
	return memset(p, 0, bytes);
}

static inline uint32_t
next(uint32_t at)
{
	return at + 1 == ring_size ? 0 : at + 1;
}

static inline void
step(struct place *p)
{
	p->at = next(p->at);
	if (p->at == 0)
		p->gen ^= GEN;
}

/* Who finds nothing leaves the line alone for a moment: the other thread is about to write it. */
static inline void
relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* The flags of the entry here, or 0 when nobody has written it yet. */
static inline uint32_t
look(const struct place *p)
{
	uint32_t flags = atomic_load_explicit(&p->ring[p->at].flags, memory_order_acquire);

	return (flags & GEN) == p->gen ? flags | GEN : 0;
}

static inline void
put(struct place *p, uint8_t *buffer, uint32_t len, uint32_t flags)
{
	struct entry *e = &p->ring[p->at];

	e->buffer = buffer;
	e->len = len;
	flags |= p->gen;
	if (p->held == NULL) {
		p->held = e;
		p->held_flags = flags;
		flags ^= GEN;
	}
	atomic_store_explicit(&e->flags, flags, memory_order_relaxed);
	step(p);
}

static inline void
publish(struct place *p)
{
	if (p->held == NULL)
		return;
	atomic_store_explicit(&p->held->flags, p->held_flags, memory_order_release);
	p->held = NULL;
}

/* The switch: a burst of frames from one port to the other. */
static void
forward(struct view *from, struct view *to)
{
	uint32_t flags, frames = 0;
	struct entry *source, *target;

	if (look(&from->tx) == 0) {
		relax();
		return;
	}
	while (frames < BURST && (flags = look(&from->tx)) != 0 && look(&to->rx) != 0) {
		source = &from->tx.ring[from->tx.at];
		target = &to->rx.ring[to->rx.at];
		memcpy(target->buffer, source->buffer, source->len);
		put(&to->rx_done, target->buffer, source->len, flags & LAST);
		if (flags & NOTIFY)
			put(&from->tx_done, NULL, from->tx.at, 0);
		step(&from->tx);
		step(&to->rx);
		frames += (flags & LAST) != 0;
	}
	publish(&to->rx_done);
	publish(&from->tx_done);
}

static void *
run_switch(void *cpu)
{
	pin(*(int *)cpu);
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		forward(&switch_ports[0], &switch_ports[1]);
		forward(&switch_ports[1], &switch_ports[0]);
	}
	return NULL;
}

/* The guests: buffers whose frames have been sent are free again. */
static void
take_back(uint32_t p)
{
	struct place *done = &guests.ports[p].tx_done;
	uint32_t end;

	while (look(done) != 0) {
		end = next(done->ring[done->at].len);
		for (; guests.sent_tail[p] != end; guests.sent_tail[p] = next(guests.sent_tail[p]))
			guests.spare[guests.nb_spare++] = guests.sent[p][guests.sent_tail[p]];
		step(done);
	}
}

static inline void
send(uint32_t p, uint8_t *buffer, uint32_t len, uint32_t flags)
{
	struct place *tx = &guests.ports[p].tx;

	guests.sent[p][tx->at] = buffer;
	put(tx, buffer, len, flags);
}

/* A burst of frames that came to one port leaves by the other, in the same buffers; spare ones are posted in their place. */
static void
pass(uint32_t in, uint32_t out)
{
	struct place *done = &guests.ports[in].rx_done;
	uint32_t flags, frames = 0;
	struct entry *e;

	if (look(done) == 0) {
		relax();
		return;
	}
	take_back(out);
	while (frames < BURST && (flags = look(done)) != 0) {
		e = &done->ring[done->at];
		step(done);
		frames += (flags & LAST) != 0;
		guests.bytes += e->len;
		/* The last of a burst asks for the completion of all. */
		send(out, e->buffer, e->len, (flags & LAST) | (frames == BURST || look(done) == 0 ? NOTIFY : 0));
		put(&guests.ports[in].rx, guests.spare[--guests.nb_spare], buffer_size, 0);
	}
	guests.frames += frames;
	publish(&guests.ports[out].tx);
	publish(&guests.ports[in].rx);
}

static void
run_guests(double seconds)
{
	double end = now(CLOCK_MONOTONIC) + seconds;
	uint32_t i;

	while (now(CLOCK_MONOTONIC) < end)
		for (i = 0; i < 256; i++) {
			pass(0, 1);
			pass(1, 0);
		}
}

static void
open_view(struct view *v, struct port *p)
{
	*v = (struct view){
		.tx = { .ring = p->tx, .gen = GEN },
		.tx_done = { .ring = p->tx_done, .gen = GEN },
		.rx = { .ring = p->rx, .gen = GEN },
		.rx_done = { .ring = p->rx_done, .gen = GEN },
	};
}

/* Fills the receive rings and sends the frames that go round from now on. */
static void
begin(uint32_t bytes, uint32_t frames)
{
	uint32_t nb = PORTS * 2 * ring_size, p, i, left, part;
	size_t distance = buffer_size + SPREAD;
	uint8_t *buffers = memory(nb * distance);
	struct port *ports = memory(PORTS * sizeof(*ports));

	guests.spare = calloc(nb, sizeof(*guests.spare));
	if (guests.spare == NULL)
		die("no memory");
	for (; guests.nb_spare < nb; guests.nb_spare++)
		guests.spare[guests.nb_spare] = buffers + guests.nb_spare * distance;
	for (p = 0; p < PORTS; p++) {
		open_view(&guests.ports[p], &ports[p]);
		open_view(&switch_ports[p], &ports[p]);
		for (i = 0; i < ring_size - 1; i++)
			put(&guests.ports[p].rx, guests.spare[--guests.nb_spare], buffer_size, 0);
		for (i = 0; i < frames; i++)
			for (left = bytes; left > 0; left -= part) {
				part = left < buffer_size ? left : buffer_size;
				send(p, memset(guests.spare[--guests.nb_spare], MARK, part), part, left == part ? LAST | NOTIFY : 0);
			}
		publish(&guests.ports[p].rx);
		publish(&guests.ports[p].tx);
	}
}

/* What was sent last is what came, long after the first buffers have been used again: it must be what was sent first. */
static void
check(void)
{
	uint32_t p, i, at;
	struct entry *e;

	for (p = 0; p < PORTS; p++)
		for (i = 0; i < ring_size; i++) {
			e = &guests.ports[p].tx.ring[i];
			for (at = 0; at < e->len; at++)
				if (e->buffer[at] != MARK)
					die("a frame has changed on its way");
		}
}

int
main(int argc, char **argv)
{
	/* Both threads spin: time that is not theirs is time in which they had no CPU. */
	clockid_t clocks[3] = { CLOCK_MONOTONIC, CLOCK_THREAD_CPUTIME_ID };
	uint32_t bytes, frames, i;
	double seconds, passed[3];
	pthread_t thread;
	int cpu;

	if (argc != 8)
		die("BYTES BUFFER RING FRAMES SECONDS GUEST_CPU SWITCH_CPU");
	bytes = strtoul(argv[1], NULL, 0);
	buffer_size = strtoul(argv[2], NULL, 0);
	ring_size = strtoul(argv[3], NULL, 0);
	frames = strtoul(argv[4], NULL, 0);
	seconds = strtod(argv[5], NULL);
	cpu = atoi(argv[7]);
	/* Twice: what has been copied in the middle of a burst may be sent again before the burst's end is completed. */
	if (bytes == 0 || buffer_size == 0 || ring_size > MAX_RING ||
	    2 * frames * ((bytes + buffer_size - 1) / buffer_size) > ring_size)
		die("so much does not fit into the rings");
	begin(bytes, frames);
	if (pthread_create(&thread, NULL, run_switch, &cpu) != 0)
		die("no thread");
	if (pthread_getcpuclockid(thread, &clocks[2]) != 0)
		die("no clock");
	pin(atoi(argv[6]));
	run_guests(WARM_UP);
	guests.frames = guests.bytes = 0;
	for (i = 0; i < 3; i++)
		passed[i] = -now(clocks[i]);
	run_guests(seconds);
	for (i = 0; i < 3; i++)
		passed[i] += now(clocks[i]);
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	check();
	printf("{\"frames\": %llu, \"bytes\": %llu, \"seconds\": %.6f, \"waited\": %.4f}\n", (unsigned long long)guests.frames,
		(unsigned long long)guests.bytes, passed[0], 1 - (passed[1] < passed[2] ? passed[1] : passed[2]) / passed[0]);
	return 0;
}
