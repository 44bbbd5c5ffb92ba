/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Two ways to do the same thing, timed turn by turn in one run (A B A B ...), so that what the machine does to one it
 * does to the other. Prints one line of JSON.
 */
#ifndef BENCH_PAIR_H
#define BENCH_PAIR_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BENCH_ROUNDS 31

static inline double
bench_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline int
bench_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static inline double
bench_median(double *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), bench_compare);
	return values[n / 2];
}

/**
 * Times @p ours against @p peer; each call does the same work on @p arg.
 *
 * @param what    of the line: what is measured
 * @param reset   called before each timed call, untimed; may be NULL
 * @param repeat  calls in one timing
 */
static inline void
bench_pair(const char *what, const char *peer_name, void (*ours)(void *), void (*peer)(void *), void (*reset)(void *),
	void *arg, unsigned int repeat)
{
	double t[2][BENCH_ROUNDS], ratio[BENCH_ROUNDS];
	void (*const run[2])(void *) = { ours, peer };
	unsigned int round, way, i;
	double begin;

	for (round = 0; round < BENCH_ROUNDS; round++) {
		for (way = 0; way < 2; way++) {
			t[way][round] = 0;
			for (i = 0; i < repeat; i++) {
				if (reset != NULL)
					reset(arg);
				begin = bench_clock();
				run[way](arg);
				t[way][round] += bench_clock() - begin;
			}
		}
		ratio[round] = t[1][round] / t[0][round];
	}
	bench_median(ratio, BENCH_ROUNDS);
	printf("{\"what\": \"%s\", \"peer\": \"%s\", \"ours_ns\": %.1f, \"peer_ns\": %.1f, \"speed\": %.3f, "
		"\"low\": %.3f, \"high\": %.3f}\n", what, peer_name, bench_median(t[0], BENCH_ROUNDS) / repeat,
		bench_median(t[1], BENCH_ROUNDS) / repeat, ratio[BENCH_ROUNDS / 2], ratio[BENCH_ROUNDS / 4],
		ratio[3 * BENCH_ROUNDS / 4]);
}

#endif /* BENCH_PAIR_H */
