/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "vfu_dma.h"

#define PAGE 4096ull
#define RW   (VFU_DMA_READ | VFU_DMA_WRITE)

/* CMocka takes SIGBUS for itself when a test begins. */
static void
take_sigbus(void)
{
	assert_int_equal(vfu_dma_install_sigbus_handler(), 0);
	assert_int_equal(vfu_dma_install_sigbus_handler(), 0);
}

static int
memory_file(uint64_t size, unsigned int flags)
{
	int fd = memfd_create("vfu-test-sigbus", MFD_CLOEXEC | flags);

	assert_true(fd >= 0);
	return ftruncate(fd, size) == 0 ? fd : -1;
}

static void
test_truncated_file_breaks_its_table_only(void **state)
{
	struct vfu_dma *victim = vfu_dma_create(16, NULL, NULL);
	struct vfu_dma *other = vfu_dma_create(16, NULL, NULL);
	int fd = memory_file(64 * PAGE, 0), fd2 = memory_file(PAGE, 0);
	struct vfu_dma_range range, range2;

	(void)state;
	take_sigbus();
	assert_int_equal(vfu_dma_map(victim, 0, 64 * PAGE, RW, fd, 0), 0);
	assert_int_equal(vfu_dma_map(other, 0, PAGE, RW, fd2, 0), 0);
	assert_true(vfu_dma_lookup(victim, 0, &range));
	assert_true(vfu_dma_lookup(other, 0, &range2));
	memset(range.host, 0x5a, 64 * PAGE);
	range2.host[0] = 0x17;

	assert_int_equal(ftruncate(fd, PAGE), 0);
	assert_int_equal(*(volatile uint8_t *)range.host, 0x5a);
	assert_false(vfu_dma_broken(victim));
	/* The lost pages read as zero, may be written, and everybody else goes on. */
	assert_int_equal(*(volatile uint8_t *)(range.host + 32 * PAGE), 0);
	assert_true(vfu_dma_broken(victim));
	memset(range.host, 1, 64 * PAGE);
	assert_false(vfu_dma_broken(other));
	assert_int_equal(range2.host[0], 0x17);

	/* The next client starts afresh. */
	vfu_dma_clear(victim);
	assert_false(vfu_dma_broken(victim));
	assert_int_equal(vfu_dma_map(victim, 0, PAGE, RW, fd, 0), 0);
	assert_true(vfu_dma_lookup(victim, 0, &range));
	assert_int_equal(range.host[0], 0x5a);
	vfu_dma_destroy(victim);
	vfu_dma_destroy(other);
	close(fd);
	close(fd2);
}

/* A hole that the kernel cannot fill raises the same signal as a lost page. */
static void
test_huge_pages(void **state)
{
	struct vfu_dma *dma = vfu_dma_create(16, NULL, NULL);
	uint64_t huge = 2ull << 20;
	int fd = memfd_create("vfu-test-huge", MFD_CLOEXEC | MFD_HUGETLB | MFD_HUGE_2MB);
	struct vfu_dma_range range;

	(void)state;
	take_sigbus();
	if (fd < 0 || ftruncate(fd, 4 * huge) != 0) {
		vfu_dma_destroy(dma);
		skip();
	}
	/* Announced offsets are multiples of 4 KiB only. */
	assert_int_equal(vfu_dma_map(dma, PAGE, huge, RW, fd, PAGE), 0);
	assert_true(vfu_dma_lookup(dma, PAGE, &range));
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(*(volatile uint8_t *)(range.host + huge - 1), 0);
	assert_true(vfu_dma_broken(dma));
	vfu_dma_destroy(dma);
	close(fd);
}

static void
test_addresses_of_others(void **state)
{
	struct vfu_dma *dma = vfu_dma_create(16, NULL, NULL);
	int fd = memory_file(PAGE, 0), on_stack;
	struct vfu_dma_range range;
	uint8_t *gone;

	(void)state;
	assert_int_equal(vfu_dma_map(dma, 0, PAGE, RW, fd, 0), 0);
	assert_true(vfu_dma_lookup(dma, 0, &range));
	gone = range.host;
	assert_false(vfu_dma_sigbus(&on_stack));
	assert_false(vfu_dma_sigbus(NULL));
	assert_false(vfu_dma_broken(dma));
	vfu_dma_clear(dma);
	assert_false(vfu_dma_sigbus(gone));
	vfu_dma_destroy(dma);
	close(fd);
}

/* A fault outside of guest memory still kills, as it would without us. */
static void
test_other_faults_take_their_course(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		int fd = memory_file(PAGE, 0);
		volatile uint8_t *p;

		signal(SIGBUS, SIG_DFL);
		take_sigbus();
		signal(SIGALRM, SIG_DFL);
		alarm(10);
		p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
		if (ftruncate(fd, 0) == 0)
			(void)p[0];
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGBUS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truncated_file_breaks_its_table_only),
		cmocka_unit_test(test_huge_pages),
		cmocka_unit_test(test_addresses_of_others),
		cmocka_unit_test(test_other_faults_take_their_course),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
