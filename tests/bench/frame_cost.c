/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a frame costs from one guest to another: vmxnet3_dev_tx_begin(), _deliver() and _tx_end(),
 * all in forward_burst() below. By itself this prints nanoseconds; under callgrind, with
 * --toggle-collect on that function, its instructions are counted and nothing else (not what the
 * guests' drivers do).
 *
 * Prints one JSON object.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define FRAME_MAX 1514
#define ROUNDS 10

void forward_burst(struct bench_card *from, struct bench_card *to);

__attribute__((noinline)) void
forward_burst(struct bench_card *from, struct bench_card *to)
{
	struct offload_frame *frames, *list[VMXNET3_BURST_FRAMES];
	uint16_t i, n;

	n = vmxnet3_dev_tx_begin(from->dev, 0, from->burst, VMXNET3_BURST_FRAMES, &frames);
	for (i = 0; i < n; i++)
		list[i] = &frames[i];
	vmxnet3_dev_deliver(to->dev, list, n);
	vmxnet3_dev_tx_end(from->dev, 0, from->burst);
}

/* One burst from driver to driver. @return ns that the switch took */
static uint64_t
burst(struct bench_card *from, struct bench_card *to, const uint8_t *frame, uint32_t len,
	uint32_t nb)
{
	struct mini_frame f;
	uint64_t begin, end;
	uint32_t i;

	for (i = 0; i < nb; i++) {
		if (mini_send(&from->m, 0, frame, len, NULL, 0, NULL) != 0)
			bench_die("%s", from->m.error);
	}
	begin = bench_now();
	forward_burst(from, to);
	end = bench_now();
	for (i = 0; i < nb; i++) {
		if (mini_recv(&to->m, 0, &f) != 1 || f.len != len)
			bench_die("a frame was lost: %s", to->m.error);
	}
	if (mini_reap(&from->m, 0) != (int)nb)
		bench_die("a completion was lost: %s", from->m.error);
	mini_refill(&to->m, 0, UINT32_MAX);
	return end - begin;
}

int
main(int argc, char **argv)
{
	static struct bench_card from, to;
	uint8_t frame[FRAME_MAX] = { 0 };
	uint32_t len, nb, round;
	uint64_t frames, i, ns;

	if (argc != 4)
		bench_die("usage: frame_cost FRAME-BYTES FRAMES-PER-BURST FRAMES");
	len = (uint32_t)atoi(argv[1]);
	nb = (uint32_t)atoi(argv[2]);
	frames = strtoull(argv[3], NULL, 10);
	if (len < 60 || len > FRAME_MAX || nb < 1 || nb > VMXNET3_BURST_FRAMES || frames < nb)
		bench_die("frame_cost: 60 to %d bytes, 1 to %d frames per burst", FRAME_MAX,
			VMXNET3_BURST_FRAMES);
	bench_card_open(&from, true);
	bench_card_open(&to, true);
	bench_frame_header(frame);
	printf("{\"bytes\": %u, \"burst\": %u, \"frames\": %llu, \"ns_per_frame\": [", len, nb,
		(unsigned long long)(frames / nb * nb));
	for (round = 0; round < ROUNDS; round++) {
		uint64_t all = frames / nb;
		uint64_t bursts = all * (round + 1) / ROUNDS - all * round / ROUNDS;

		for (i = ns = 0; i < bursts; i++)
			ns += burst(&from, &to, frame, len, nb);
		if (bursts > 0)
			printf("%s%.2f", round > 0 ? ", " : "", (double)ns / (double)(bursts * nb));
	}
	printf("]}\n");
	bench_card_close(&from);
	bench_card_close(&to);
	return 0;
}
