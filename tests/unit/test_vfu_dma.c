/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "vfu_dma.h"

#define KIB	  1024ull
#define MIB	  (1024 * KIB)
#define GIB	  (1024 * MIB)
#define PAGE	  4096ull
#define RW	  (VFU_DMA_READ | VFU_DMA_WRITE)
#define MEMFD	  "vfu-test-dma"
#define ADDR_END  (1ull << VFU_DMA_ADDR_BITS)
#define MANY_MAPS 50000u

struct fixture {
	struct vfu_dma *dma;
	uint32_t quiesced;
};

static void
count_quiesce(void *ctx)
{
	((struct fixture *)ctx)->quiesced++;
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->dma = vfu_dma_create(65535, count_quiesce, f);
	*state = f;
	return f->dma != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	vfu_dma_destroy(f->dma);
	free(f);
	return 0;
}

static int
memory_file(uint64_t size)
{
	int fd = memfd_create(MEMFD, MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	return fd;
}

/* How many mappings of the tests' files this process has. */
static int
mapped_files(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];
	int n = 0;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL)
		n += strstr(line, "memfd:" MEMFD) != NULL;
	fclose(maps);
	return n;
}

static void
assert_mapped(struct vfu_dma *dma, uint64_t at, uint64_t iova, uint64_t len)
{
	struct vfu_dma_range range;

	assert_true(vfu_dma_lookup(dma, at, &range));
	assert_int_equal(range.iova, iova);
	assert_int_equal(range.len, len);
}

static void
assert_unmapped(struct vfu_dma *dma, uint64_t at)
{
	struct vfu_dma_range range;

	assert_false(vfu_dma_lookup(dma, at, &range));
}

static void
test_translates(void **state)
{
	struct fixture *f = *state;
	int fd = memory_file(16 * PAGE);
	struct vfu_dma_range range;

	assert_int_equal(pwrite(fd, "hello", 5, 7 * PAGE), 5);
	assert_int_equal(vfu_dma_map(f->dma, 0x100000, 4 * PAGE, RW, fd, 5 * PAGE), 0);
	close(fd);
	assert_int_equal(vfu_dma_count(f->dma), 1);
	assert_unmapped(f->dma, 0x100000 - 1);
	assert_unmapped(f->dma, 0x100000 + 4 * PAGE);
	assert_true(vfu_dma_lookup(f->dma, 0x100000 + 2 * PAGE + 17, &range));
	assert_int_equal(range.iova, 0x100000);
	assert_int_equal(range.len, 4 * PAGE);
	assert_int_equal(range.prot, RW);
	assert_memory_equal(range.host + 2 * PAGE, "hello", 5);
}

static void
test_no_file_is_no_access(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(vfu_dma_map(f->dma, 0, PAGE, VFU_DMA_READ, -1, 0), 0);
	assert_int_equal(vfu_dma_count(f->dma), 1);
	assert_unmapped(f->dma, 0);
	/* It is there all the same. */
	assert_int_equal(vfu_dma_map(f->dma, 0, PAGE, VFU_DMA_READ, -1, 0), -EEXIST);
	assert_int_equal(vfu_dma_unmap(f->dma, 0, PAGE), 0);
	assert_int_equal(vfu_dma_map(f->dma, 0, PAGE, VFU_DMA_READ, -1, 0), 0);
}

static void
test_rejects_bad_ranges(void **state)
{
	struct fixture *f = *state;
	int fd = memory_file(16 * PAGE);
	const struct {
		uint64_t iova, size;
		uint32_t prot;
		uint64_t offset;
	} bad[] = {
		{0, 0, RW, 0},			    /* nothing */
		{1, PAGE, RW, 0},		    /* unaligned */
		{0, PAGE + 512, RW, 0},		    /* unaligned */
		{0, PAGE, RW, 512},		    /* unaligned */
		{0, PAGE, 0, 0},		    /* no access */
		{0, PAGE, 4, 0},		    /* no such access */
		{ADDR_END, PAGE, RW, 0},	    /* too high */
		{ADDR_END - PAGE, 2 * PAGE, RW, 0}, /* ends too high */
		{0, ADDR_END + PAGE, RW, 0},	    /* too long */
		{-PAGE, PAGE, RW, 0},		    /* ends at 2^64 */
		{-PAGE, 2 * PAGE, RW, 0},	    /* wraps */
		{PAGE, -PAGE, RW, 0},		    /* wraps */
		{0, 17 * PAGE, RW, 0},		    /* beyond the end of the file */
		{0, PAGE, RW, 16 * PAGE},	    /* beyond the end of the file */
		{0, PAGE, RW, -PAGE},		    /* offset + size wraps */
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(vfu_dma_map(f->dma, bad[i].iova, bad[i].size, bad[i].prot, fd,
					 bad[i].offset),
			-EINVAL);
	}
	assert_int_equal(vfu_dma_count(f->dma), 0);
	assert_int_equal(mapped_files(), 0);
	close(fd);
}

static void
test_rejects_wrong_files(void **state)
{
	struct fixture *f = *state;
	int pipes[2], socks[2], fd;
	char path[] = "/dev/shm/vfu-test-XXXXXX";

	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, socks), 0);
	assert_int_equal(vfu_dma_map(f->dma, 0, PAGE, RW, pipes[0], 0), -EINVAL);
	assert_int_equal(vfu_dma_map(f->dma, 0, PAGE, RW, socks[0], 0), -EINVAL);
	close(pipes[0]);
	close(pipes[1]);
	close(socks[0]);
	close(socks[1]);

	fd = open("/dev/zero", O_RDWR);
	assert_int_equal(vfu_dma_map(f->dma, 0, PAGE, RW, fd, 0), -EINVAL);
	close(fd);
	fd = open("/proc/self/exe", O_RDONLY);
	assert_int_equal(vfu_dma_map(f->dma, 0, PAGE, VFU_DMA_READ, fd, 0), -EINVAL);
	close(fd);
	assert_int_equal(vfu_dma_map(f->dma, 0, PAGE, RW, 9999, 0), -EBADF);

	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, PAGE), 0);
	close(fd);
	fd = open(path, O_WRONLY);
	assert_int_equal(vfu_dma_map(f->dma, 0, PAGE, VFU_DMA_WRITE, fd, 0), -EACCES);
	close(fd);
	unlink(path);

	fd = memfd_create(MEMFD, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(fd, PAGE), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	assert_int_equal(vfu_dma_map(f->dma, 0, PAGE, RW, fd, 0), -EPERM);
	close(fd);
	assert_int_equal(vfu_dma_count(f->dma), 0);
	assert_unmapped(f->dma, 0);
}

static void
test_read_only_descriptor(void **state)
{
	struct fixture *f = *state;
	char path[64];
	int rw = memory_file(PAGE), ro;
	struct vfu_dma_range range;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", rw);
	ro = open(path, O_RDONLY);
	assert_true(ro >= 0);
	assert_int_equal(vfu_dma_map(f->dma, 0, PAGE, RW, ro, 0), 0);
	assert_true(vfu_dma_lookup(f->dma, 0, &range));
	assert_int_equal(range.prot, VFU_DMA_READ);
	assert_int_equal(vfu_dma_map(f->dma, PAGE, PAGE, VFU_DMA_WRITE, ro, 0), -EACCES);
	/* The same file, writable: the read-only mapping does not do. */
	assert_int_equal(vfu_dma_map(f->dma, PAGE, PAGE, RW, rw, 0), 0);
	assert_true(vfu_dma_lookup(f->dma, PAGE, &range));
	assert_int_equal(range.prot, RW);
	range.host[0] = 'x';
	/* And the right of one descriptor is not lent to another. */
	assert_int_equal(vfu_dma_map(f->dma, 2 * PAGE, PAGE, RW, ro, 0), 0);
	assert_true(vfu_dma_lookup(f->dma, 2 * PAGE, &range));
	assert_int_equal(range.prot, VFU_DMA_READ);
	close(ro);
	close(rw);
}

static void
test_overlap(void **state)
{
	struct fixture *f = *state;
	const struct {
		uint64_t iova, size;
	} overlapping[] = {
		{2 * GIB, 2 * GIB},
		{2 * GIB, PAGE},
		{4 * GIB - PAGE, PAGE},
		{4 * GIB - PAGE, 2 * PAGE},
		{2 * GIB - PAGE, 2 * PAGE},
		{0, ADDR_END},
		{3 * GIB, PAGE},
		{2 * GIB - PAGE, 3 * GIB},
		{0, 64 * GIB},
	};
	size_t i;

	assert_int_equal(vfu_dma_map(f->dma, 2 * GIB, 2 * GIB, RW, -1, 0), 0);
	for (i = 0; i < sizeof(overlapping) / sizeof(overlapping[0]); i++) {
		assert_int_equal(
			vfu_dma_map(f->dma, overlapping[i].iova, overlapping[i].size, RW, -1, 0),
			-EEXIST);
	}
	/* Its neighbours are free, and a single page in the middle of nowhere blocks a big range.
	 */
	assert_int_equal(vfu_dma_map(f->dma, 2 * GIB - PAGE, PAGE, RW, -1, 0), 0);
	assert_int_equal(vfu_dma_map(f->dma, 4 * GIB, PAGE, RW, -1, 0), 0);
	assert_int_equal(vfu_dma_map(f->dma, 4 * GIB, 4 * GIB, RW, -1, 0), -EEXIST);
	assert_int_equal(vfu_dma_count(f->dma), 3);
}

static void
test_unmap_cuts_nothing(void **state)
{
	struct fixture *f = *state;
	int fd = memory_file(4 * MIB);

	assert_int_equal(vfu_dma_map(f->dma, 2 * MIB, 4 * MIB, RW, fd, 0), 0);
	close(fd);
	assert_int_equal(vfu_dma_unmap(f->dma, 2 * MIB, 2 * MIB), -EINVAL);
	assert_int_equal(vfu_dma_unmap(f->dma, 4 * MIB, 2 * MIB), -EINVAL);
	assert_int_equal(vfu_dma_unmap(f->dma, 4 * MIB, 8 * MIB), -EINVAL);
	assert_int_equal(vfu_dma_unmap(f->dma, 0, 4 * MIB), -EINVAL);
	assert_int_equal(vfu_dma_unmap(f->dma, 2 * MIB + 1, 4 * MIB), -EINVAL);
	assert_int_equal(vfu_dma_unmap(f->dma, 2 * MIB, 4 * MIB - 1), -EINVAL);
	assert_int_equal(vfu_dma_unmap(f->dma, 2 * MIB, 0), -EINVAL);
	assert_int_equal(vfu_dma_unmap(f->dma, UINT64_MAX - 4095, 4 * MIB), -EINVAL);
	/* Nothing is there. */
	assert_int_equal(vfu_dma_unmap(f->dma, 0, 2 * MIB), 0);
	assert_int_equal(vfu_dma_unmap(f->dma, 6 * MIB, 2 * MIB), 0);
	assert_int_equal(vfu_dma_unmap(f->dma, UINT64_MAX - 4095, 4096), 0);
	assert_int_equal(f->quiesced, 0);
	assert_mapped(f->dma, 6 * MIB - 1, 2 * MIB, 4 * MIB);
	assert_int_equal(vfu_dma_unmap(f->dma, 2 * MIB, 4 * MIB), 0);
	assert_int_equal(f->quiesced, 1);
	assert_unmapped(f->dma, 2 * MIB);
	assert_unmapped(f->dma, 6 * MIB - 1);
}

/* As QEMU does when a guest gives a device to another driver: first one page, then ever more at once. */
static void
test_unmap_of_an_address_space(void **state)
{
	struct fixture *f = *state;
	int fd = memory_file(4 * MIB);
	uint64_t size;

	assert_int_equal(vfu_dma_map(f->dma, 0, PAGE, RW, fd, 0), 0);
	assert_int_equal(vfu_dma_map(f->dma, 4 * GIB, 2 * MIB, RW, fd, 0), 0);
	assert_int_equal(vfu_dma_map(f->dma, 4 * GIB + 2 * MIB, 2 * MIB, RW, -1, 0), 0);
	assert_int_equal(vfu_dma_map(f->dma, 7 * GIB, PAGE, RW, fd, 0), 0);
	assert_int_equal(vfu_dma_unmap(f->dma, 0, PAGE), 0);
	assert_int_equal(f->quiesced, 1);
	for (size = PAGE; size <= 1ull << 62; size *= 2)
		assert_int_equal(vfu_dma_unmap(f->dma, size, size), 0);
	assert_int_equal(f->quiesced, 2);
	assert_int_equal(vfu_dma_count(f->dma), 0);
	assert_unmapped(f->dma, 4 * GIB);
	assert_unmapped(f->dma, 7 * GIB);
	/* Other memory can be mapped there. */
	assert_int_equal(vfu_dma_map(f->dma, 4 * GIB, 4 * MIB, RW, fd, 0), 0);
	close(fd);
}

/* Ranges whose ends fall on and beside every level of the tree. */
static void
test_split_points(void **state)
{
	static const uint64_t edges[] = {0, 2 * MIB, GIB, 512 * GIB, 1024 * GIB, ADDR_END / 2};
	static const int64_t beside[] = {-1, 0, 1};
	struct fixture *f = *state;
	int fd = memory_file(ADDR_END / 64);
	size_t a, b, i, j;

	for (a = 0; a < 6 * 3; a++) {
		for (b = a + 1; b < 6 * 3; b++) {
			uint64_t first = edges[a / 3] + beside[a % 3] * PAGE;
			uint64_t end = edges[b / 3] + beside[b % 3] * PAGE;
			uint64_t points[] = {first, end - 1, first + (end - first) / 2};

			i = first < end && end - first <= ADDR_END / 64;
			if (!i || (int64_t)first < 0)
				continue;
			assert_int_equal(vfu_dma_map(f->dma, first, end - first, RW, fd, 0), 0);
			for (j = 0; j < 3; j++)
				assert_mapped(f->dma, points[j], first, end - first);
			if (first > 0)
				assert_unmapped(f->dma, first - 1);
			assert_unmapped(f->dma, end);
			assert_int_equal(vfu_dma_unmap(f->dma, first, end - first), 0);
			for (j = 0; j < 3; j++)
				assert_unmapped(f->dma, points[j]);
		}
	}
	close(fd);
	/* The whole of it, in one piece: 512 entries at the top. */
	assert_int_equal(vfu_dma_map(f->dma, 0, ADDR_END, RW, -1, 0), 0);
	assert_int_equal(vfu_dma_map(f->dma, ADDR_END - PAGE, PAGE, RW, -1, 0), -EEXIST);
	assert_int_equal(vfu_dma_unmap(f->dma, 0, ADDR_END), 0);
}

static void
test_file_is_mapped_once(void **state)
{
	struct fixture *f = *state;
	int fd = memory_file(64 * PAGE), i;
	struct vfu_dma_range a, b;

	for (i = 0; i < 32; i++) {
		int fresh = dup(fd);

		assert_int_equal(vfu_dma_map(f->dma, i * 2 * PAGE, PAGE, RW, fresh, i * PAGE), 0);
		close(fresh);
	}
	assert_int_equal(mapped_files(), 1);
	assert_true(vfu_dma_lookup(f->dma, 0, &a));
	assert_true(vfu_dma_lookup(f->dma, 2 * PAGE, &b));
	assert_ptr_equal(a.host + PAGE, b.host);
	for (i = 0; i < 31; i++)
		assert_int_equal(vfu_dma_unmap(f->dma, i * 2 * PAGE, PAGE), 0);
	assert_int_equal(mapped_files(), 1);
	assert_int_equal(vfu_dma_unmap(f->dma, i * 2 * PAGE, PAGE), 0);
	assert_int_equal(mapped_files(), 0);
	close(fd);
}

static void
test_file_that_grows(void **state)
{
	struct fixture *f = *state;
	int fd = memory_file(4 * PAGE);

	assert_int_equal(vfu_dma_map(f->dma, 0, 4 * PAGE, RW, fd, 0), 0);
	assert_int_equal(vfu_dma_map(f->dma, GIB, PAGE, RW, fd, 4 * PAGE), -EINVAL);
	assert_int_equal(ftruncate(fd, 8 * PAGE), 0);
	assert_int_equal(vfu_dma_map(f->dma, GIB, PAGE, RW, fd, 4 * PAGE), 0);
	assert_int_equal(mapped_files(), 2);
	assert_mapped(f->dma, 0, 0, 4 * PAGE);
	vfu_dma_clear(f->dma);
	assert_int_equal(mapped_files(), 0);
	close(fd);
}

static void
test_clear_quiesces_once(void **state)
{
	struct fixture *f = *state;
	int fd = memory_file(PAGE), i;
	uint64_t before;

	vfu_dma_clear(f->dma);
	assert_int_equal(f->quiesced, 0);
	for (i = 0; i < 1000; i++)
		assert_int_equal(vfu_dma_map(f->dma, i * 3 * PAGE, PAGE, RW, fd, 0), 0);
	close(fd);
	before = vfu_dma_generation(f->dma);
	vfu_dma_clear(f->dma);
	assert_true(vfu_dma_generation(f->dma) != before);
	assert_int_equal(f->quiesced, 1);
	assert_int_equal(vfu_dma_count(f->dma), 0);
	assert_int_equal(mapped_files(), 0);
	for (i = 0; i < 1000; i++)
		assert_unmapped(f->dma, i * 3 * PAGE);
	assert_int_equal(vfu_dma_map(f->dma, 0, GIB, RW, -1, 0), 0);
}

static void
test_generation_moves(void **state)
{
	struct fixture *f = *state;
	uint64_t g0 = vfu_dma_generation(f->dma), g1, g2;

	assert_int_equal(vfu_dma_map(f->dma, 0, PAGE, RW, -1, 0), 0);
	g1 = vfu_dma_generation(f->dma);
	assert_true(g1 != g0);
	assert_int_equal(vfu_dma_map(f->dma, 0, PAGE, RW, -1, 0), -EEXIST);
	assert_int_equal(vfu_dma_generation(f->dma), g1);
	assert_int_equal(vfu_dma_unmap(f->dma, 0, PAGE), 0);
	g2 = vfu_dma_generation(f->dma);
	assert_true(g2 != g1);
}

static void
test_limits(void **state)
{
	struct vfu_dma *dma = vfu_dma_create(3, NULL, NULL);
	struct fixture *f = *state;
	uint64_t i, n = 0;
	int rc = 0, fd;

	for (i = 0; i < 3; i++)
		assert_int_equal(vfu_dma_map(dma, i * PAGE, PAGE, RW, -1, 0), 0);
	assert_int_equal(vfu_dma_map(dma, 3 * PAGE, PAGE, RW, -1, 0), -ENOSPC);
	assert_int_equal(vfu_dma_unmap(dma, 0, PAGE), 0);
	assert_int_equal(vfu_dma_map(dma, 3 * PAGE, PAGE, RW, -1, 0), 0);
	vfu_dma_destroy(dma);

	/* Scattered addresses: refused when they cost too much, and nothing is left of the last
	 * try. */
	for (i = 0; rc == 0 && i < 60000; i++)
		rc = vfu_dma_map(f->dma, i * 3 * GIB, PAGE, RW, -1, 0);
	assert_int_equal(rc, -ENOSPC);
	n = i - 1;
	assert_true(n > 1000);
	assert_int_equal(vfu_dma_count(f->dma), n);
	assert_int_equal(vfu_dma_map(f->dma, n * 3 * GIB, PAGE, RW, -1, 0), -ENOSPC);
	assert_int_equal(vfu_dma_unmap(f->dma, 0, PAGE), 0);
	assert_int_equal(vfu_dma_map(f->dma, n * 3 * GIB, PAGE, RW, -1, 0), 0);

	/* So is a file that takes too much of the address space. */
	fd = memory_file(1ull << 45);
	assert_int_equal(vfu_dma_map(f->dma, GIB, PAGE, RW, fd, 0), -ENOSPC);
	close(fd);
}

static double
seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - start->tv_sec + (now.tv_nsec - start->tv_nsec) / 1e9;
}

/* What a vIOMMU does. 50,000 copies of the table, or walks of it, would take minutes. */
static void
test_many_maps(void **state)
{
	struct fixture *f = *state;
	int fd = memory_file(MANY_MAPS * PAGE);
	struct timespec start;
	uint32_t i;

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (i = 0; i < MANY_MAPS; i++) {
		assert_int_equal(
			vfu_dma_map(f->dma, 4 * GIB - (i + 1) * PAGE, PAGE, RW, fd, i * PAGE), 0);
	}
	for (i = 0; i < MANY_MAPS; i++)
		assert_mapped(
			f->dma, 4 * GIB - (i + 1) * PAGE + 99, 4 * GIB - (i + 1) * PAGE, PAGE);
	for (i = 0; i < MANY_MAPS; i += 2)
		assert_int_equal(vfu_dma_unmap(f->dma, 4 * GIB - (i + 1) * PAGE, PAGE), 0);
	assert_int_equal(vfu_dma_count(f->dma), MANY_MAPS / 2);
	vfu_dma_clear(f->dma);
	assert_true(seconds_since(&start) < 60);
	assert_int_equal(mapped_files(), 0);
	close(fd);
}

#define NB_READERS 2
#define NB_SLOTS   64u

/* Readers that pass a quiescent point between two lookups, as polling cores do. */
struct reader {
	struct race *race;
	pthread_t thread;
	atomic_uint_fast64_t rounds; /* quiescent points passed */
	uint64_t hits, cached, stale;
};

struct race {
	struct vfu_dma *dma;
	struct reader reader[NB_READERS];
	atomic_bool stop, waiting;
};

static void
wait_for_all_readers(void *ctx)
{
	struct race *race = ctx;
	int i;

	atomic_store(&race->waiting, true);
	for (i = 0; i < NB_READERS; i++) {
		uint64_t seen = atomic_load(&race->reader[i].rounds);

		while (atomic_load(&race->reader[i].rounds) == seen && !atomic_load(&race->stop))
			sched_yield();
	}
	atomic_store(&race->waiting, false);
}

static void *
read_for_ever(void *arg)
{
	struct reader *r = arg;
	struct vfu_dma *dma = r->race->dma;
	struct vfu_dma_range range = {0};
	uint64_t generation = UINT64_MAX;
	unsigned int seed = (uintptr_t)r;

	while (!atomic_load(&r->race->stop)) {
		uint64_t slot = rand_r(&seed) % NB_SLOTS;

		/* The page says at what address it is mapped; anything else is a stale answer. A
		 * page that is gone says so with a fault. */
		if (range.len == 0 || generation != vfu_dma_generation(dma)) {
			generation = vfu_dma_generation(dma);
			if (!vfu_dma_lookup(dma, slot * 16 * MIB, &range))
				range.len = 0;
			else
				r->hits++;
		} else {
			r->cached++;
		}
		if (range.len != 0)
			r->stale += *(volatile uint64_t *)range.host != range.iova;
		atomic_fetch_add(&r->rounds, 1);
		/* On a busy machine the writer would wait for the rest of this time slice. */
		if (atomic_load(&r->race->waiting))
			sched_yield();
	}
	return NULL;
}

static void
test_lookups_while_maps_change(void **state)
{
	struct race race = {0};
	int i, fd[NB_SLOTS];
	unsigned int seed = 1;
	bool mapped[NB_SLOTS] = {false};

	(void)state;
	race.dma = vfu_dma_create(65535, wait_for_all_readers, &race);
	for (i = 0; i < (int)NB_SLOTS; i++) {
		uint64_t iova = i * 16 * MIB;

		fd[i] = memory_file(2 * MIB);
		assert_int_equal(pwrite(fd[i], &iova, sizeof(iova), 0), sizeof(iova));
	}
	for (i = 0; i < NB_READERS; i++) {
		race.reader[i].race = &race;
		pthread_create(&race.reader[i].thread, NULL, read_for_ever, &race.reader[i]);
	}
	for (i = 0; i < 400; i++) {
		uint64_t slot = rand_r(&seed) % NB_SLOTS, size = slot % 2 != 0 ? 2 * MIB : PAGE;

		if (mapped[slot]) {
			assert_int_equal(vfu_dma_unmap(race.dma, slot * 16 * MIB, size), 0);
		} else {
			assert_int_equal(
				vfu_dma_map(race.dma, slot * 16 * MIB, size, RW, fd[slot], 0), 0);
		}
		mapped[slot] = !mapped[slot];
		if (i % 128 == 0) {
			vfu_dma_clear(race.dma);
			memset(mapped, 0, sizeof(mapped));
		}
	}
	atomic_store(&race.stop, true);
	for (i = 0; i < NB_READERS; i++) {
		pthread_join(race.reader[i].thread, NULL);
		assert_int_equal(race.reader[i].stale, 0);
		assert_true(race.reader[i].hits > 0);
		assert_true(race.reader[i].cached > 0);
	}
	vfu_dma_destroy(race.dma);
	for (i = 0; i < (int)NB_SLOTS; i++)
		close(fd[i]);
	assert_int_equal(mapped_files(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_translates),
		TEST(test_no_file_is_no_access),
		TEST(test_rejects_bad_ranges),
		TEST(test_rejects_wrong_files),
		TEST(test_read_only_descriptor),
		TEST(test_overlap),
		TEST(test_unmap_cuts_nothing),
		TEST(test_unmap_of_an_address_space),
		TEST(test_split_points),
		TEST(test_file_is_mapped_once),
		TEST(test_file_that_grows),
		TEST(test_clear_quiesces_once),
		TEST(test_generation_moves),
		TEST(test_limits),
		TEST(test_many_maps),
		cmocka_unit_test(test_lookups_while_maps_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
