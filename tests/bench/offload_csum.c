/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sums against rte_raw_cksum(), and the copy that sums against a copy that does not (which does less), and against
 * a copy and rte_raw_cksum() after it. Sources are cold (each read once in 512 MiB) or in the second level cache; the
 * destination is a ring of buffers in both cases.
 *
 *   offload_csum           all of it, one line of JSON each
 *   offload_csum count N   for callgrind: N copies of 64 bytes in count_copies() that sum, and in count_plain()
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_ip.h>

#include <offload_copy.h>
#include <offload_sum.h>

#include "pair.h"

#define COLD_BYTES (512u << 20)
#define HUGE_PAGE  (2u << 20)
#define WARM_BYTES (256u << 10)
#define RING_BYTES (256u * 1024)

struct work {
	uint8_t *source, *ring;
	size_t source_bytes, at;
	uint32_t ring_at, len, stride, ring_stride, times;
	uint32_t sink;
};

void count_copies(struct work *w);
void count_plain(struct work *w);

static inline const uint8_t *
next_source(struct work *w)
{
	if (w->at + w->stride > w->source_bytes)
		w->at = 0;
	w->at += w->stride;
	return w->source + w->at - w->stride;
}

static inline uint8_t *
next_place(struct work *w)
{
	if (w->ring_at + w->ring_stride > RING_BYTES)
		w->ring_at = 0;
	w->ring_at += w->ring_stride;
	return w->ring + w->ring_at - w->ring_stride;
}

static void
sum_ours(void *arg)
{
	struct work *w = arg;

	for (uint32_t i = 0; i < w->times; i++)
		w->sink += offload_sum_bytes(next_source(w), w->len);
}

static void
sum_dpdk(void *arg)
{
	struct work *w = arg;

	for (uint32_t i = 0; i < w->times; i++)
		w->sink += rte_raw_cksum(next_source(w), w->len);
}

static void
copy_ours(void *arg)
{
	struct work *w = arg;

	for (uint32_t i = 0; i < w->times; i++)
		w->sink += offload_copy_sum(next_place(w), next_source(w), w->len);
}

static void
copy_plain(void *arg)
{
	struct work *w = arg;

	for (uint32_t i = 0; i < w->times; i++)
		memcpy(next_place(w), next_source(w), w->len);
}

static void
copy_then_sum(void *arg)
{
	struct work *w = arg;

	for (uint32_t i = 0; i < w->times; i++) {
		uint8_t *to = next_place(w);

		memcpy(to, next_source(w), w->len);
		w->sink += rte_raw_cksum(to, w->len);
	}
}

__attribute__((noinline)) void
count_copies(struct work *w)
{
	copy_ours(w);
}

__attribute__((noinline)) void
count_plain(struct work *w)
{
	copy_plain(w);
}

static void
pair(struct work *w, const char *kind, uint32_t len, const char *peer, void (*ours)(void *), void (*theirs)(void *))
{
	char what[100];

	w->len = len;
	/* As in a pool of packet buffers; those of the second level cache lie side by side. */
	w->stride = (len + 63) / 64 * 64;
	if (w->source_bytes == COLD_BYTES)
		w->stride = 128 + (len < 2048 ? 2048 : w->stride);
	/* Not in step with the source: the CPU compares the low bits of addresses only. */
	w->ring_stride = w->stride + 192;
	w->times = (len < 256 ? 1u << 19 : 2u << 20) / len;
	snprintf(what, sizeof(what), "%s, %u x %u bytes (%s)", kind, w->times, len, offload_sum_path.name);
	bench_pair(what, peer, ours, theirs, NULL, w, 1);
	fflush(stdout);
}

static void
count(struct work *w, uint32_t times)
{
	w->source_bytes = WARM_BYTES;
	w->len = w->stride = w->ring_stride = 64;
	w->times = times;
	count_copies(w);
	count_plain(w);
}

/* One call of a benchmark is many of what it measures: the figures in nanoseconds are of all of them. */
int
main(int argc, char **argv)
{
	static const uint32_t lengths[] = { 64, 256, 1460, 9000, 65535 };
	const struct offload_sum_path *path;
	struct work w = { 0 };
	uint32_t i;

	w.source = aligned_alloc(HUGE_PAGE, COLD_BYTES);
	w.ring = aligned_alloc(4096, RING_BYTES);
	if (w.source == NULL || w.ring == NULL)
		return 1;
	memset(w.ring, 1, RING_BYTES);
	/* As guests' memory is. Without, page walks would be measured. */
	madvise(w.source, COLD_BYTES, MADV_HUGEPAGE);
	if (argc == 3 && strcmp(argv[1], "count") == 0) {
		memset(w.source, 0x5a, WARM_BYTES);
		count(&w, (uint32_t)atoi(argv[2]));
		return w.sink == 1;
	}
	for (i = 0; i < COLD_BYTES / 4; i++)
		((uint32_t *)(void *)w.source)[i] = i * 2654435761u;
	for (path = offload_sum_paths(); path->name != NULL; path++) {
		offload_sum_path = *path;
		for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			w.source_bytes = WARM_BYTES;
			pair(&w, "sum", lengths[i], "rte_raw_cksum", sum_ours, sum_dpdk);
			pair(&w, "copy and sum, in L2", lengths[i], "memcpy", copy_ours, copy_plain);
			pair(&w, "copy and sum, in L2", lengths[i], "memcpy, rte_raw_cksum", copy_ours, copy_then_sum);
			w.source_bytes = COLD_BYTES;
			pair(&w, "copy and sum, cold", lengths[i], "memcpy", copy_ours, copy_plain);
			pair(&w, "copy and sum, cold", lengths[i], "memcpy, rte_raw_cksum", copy_ours, copy_then_sum);
		}
	}
	free(w.source);
	free(w.ring);
	return w.sink == 1;
}
