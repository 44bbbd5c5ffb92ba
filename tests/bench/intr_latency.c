/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Time from the delivery of a frame to the guest's interrupt.
 *
 * One thread does what a worker of vswitchd does: it delivers frames and looks after interrupts,
 * again and again. Another is the guest: it sleeps in read() on the interrupt's eventfd, takes what
 * has come, unmasks by a store to the shared page, and sleeps again. Each frame carries the time of
 * its delivery; an interrupt's delay is that of the oldest frame it announces.
 *
 * Prints one JSON object per scenario.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <rte_pause.h>

#include "bench.h"

#define FRAME_LEN   64
#define STAMP_AT    16
#define SAMPLES_MAX 1000000
#define BURST       32
#define WINDOW      160 /* frames that the guest may be behind, of 256 receive buffers */
#define RECHECK_NS  20000 /* as vswitchd's workers do */
#define BUCKETS     24 /* powers of two of a microsecond's eighth */

struct scenario {
	const char *name;
	uint32_t gap_ns; /* between two frames; 0: bursts, as fast as the guest takes them */
};

static const struct scenario scenarios[] = {
	{ "1 frame every 500 us", 500000 },
	{ "1 frame every 20 us", 20000 },
	{ "1 frame every 5 us", 5000 },
	{ "bursts, closed loop", 0 },
};

/* ns; in three parts so that one sees who is slow. */
struct samples {
	uint64_t *total;  /* delivery to the guest's return from read() */
	uint64_t *device; /* delivery to the eventfd */
	uint64_t *kernel; /* eventfd to the guest's return from read() */
	uint32_t nb;
};

struct run {
	struct bench_card card;
	struct samples s;
	pthread_t guest;
	int guest_cpu;
	atomic_bool stop;
	_Atomic uint64_t taken; /* frames that the guest has had */
	uint64_t interrupts, empty;
};

static void
pin(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* The first and the last CPU allowed; -1 and -1 when there is one only. */
static void
choose_cpus(int *first, int *last)
{
	cpu_set_t set;
	int i;

	*first = *last = -1;
	if (sched_getaffinity(0, sizeof(set), &set) != 0 || CPU_COUNT(&set) < 2)
		return;
	for (i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &set))
			continue;
		if (*first < 0)
			*first = i;
		*last = i;
	}
}

/* ---- the guest ---- */

static void
record(struct samples *s, uint64_t delivered, uint64_t raised, uint64_t woken)
{
	if (s->nb == SAMPLES_MAX)
		return;
	s->total[s->nb] = woken - delivered;
	/* A frame that came after the interrupt was raised and before the guest looked. */
	s->device[s->nb] = raised > delivered ? raised - delivered : 0;
	s->kernel[s->nb] = woken - (raised > delivered ? raised : delivered);
	s->nb++;
}

/* Takes what is there; the first frame is the oldest one. */
static uint32_t
drain(struct run *r, uint64_t raised, uint64_t woken)
{
	struct mini_frame f;
	uint64_t delivered;
	uint32_t n;
	int ret;

	for (n = 0; (ret = mini_recv(&r->card.m, 0, &f)) == 1; n++) {
		if (n == 0) {
			memcpy(&delivered, f.data + STAMP_AT, sizeof(delivered));
			if (delivered <= woken)
				record(&r->s, delivered, raised, woken);
		}
	}
	if (ret < 0)
		bench_die("%s", r->card.m.error);
	mini_refill(&r->card.m, 0, UINT32_MAX);
	return n;
}

static void *
guest_main(void *arg)
{
	struct run *r = arg;
	uint64_t value, woken;
	uint32_t n;

	pin(r->guest_cpu);
	for (;;) {
		if (read(r->card.event, &value, sizeof(value)) != sizeof(value))
			bench_die("cannot read from an eventfd");
		woken = bench_now();
		if (atomic_load(&r->stop))
			return NULL;
		n = drain(r, atomic_load_explicit(&r->card.raised_at, memory_order_acquire), woken);
		r->interrupts++;
		r->empty += n == 0;
		atomic_fetch_add(&r->taken, n);
		bench_card_unmask(&r->card);
	}
}

/* ---- the worker ---- */

static uint32_t
deliver(struct run *r, uint32_t n)
{
	static uint8_t data[BURST][OFFLOAD_HEADROOM + FRAME_LEN];
	struct offload_frame frame[BURST], *list[BURST];
	struct offload_seg seg[BURST];
	uint64_t now = bench_now();
	uint32_t i;

	for (i = 0; i < n; i++) {
		uint8_t *p = data[i] + OFFLOAD_HEADROOM;

		bench_frame_header(p);
		memcpy(p + STAMP_AT, &now, sizeof(now));
		seg[i] = (struct offload_seg){ .data = p, .len = FRAME_LEN };
		frame[i] = (struct offload_frame){ .seg = &seg[i], .nb_segs = 1, .len = FRAME_LEN };
		list[i] = &frame[i];
	}
	return vmxnet3_dev_deliver(r->card.dev, list, (uint16_t)n);
}

static uint64_t
work(struct run *r, const struct scenario *sc, uint64_t duration)
{
	uint64_t now = bench_now(), end = now + duration, next = now, recheck = now, sent = 0;
	bool held = false;

	for (; now < end; now = bench_now()) {
		uint64_t before = sent;

		if (sc->gap_ns == 0 && sent + BURST <= atomic_load(&r->taken) + WINDOW)
			sent += deliver(r, BURST);
		else if (sc->gap_ns != 0 && now >= next)
			sent += deliver(r, 1);
		if (sc->gap_ns != 0 && now >= next)
			next = now + sc->gap_ns;
		if (sent != before || held || now >= recheck) {
			held = vmxnet3_dev_intr_poll(r->card.dev);
			recheck = now + RECHECK_NS;
		} else {
			rte_pause();
		}
	}
	return sent;
}

/* ---- the report ---- */

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static double
quantile_us(const uint64_t *sorted, uint32_t n, double q)
{
	return n > 0 ? (double)sorted[(uint32_t)(q * (n - 1))] / 1000 : 0;
}

static void
print_part(const char *name, uint64_t *v, uint32_t n)
{
	qsort(v, n, sizeof(*v), compare);
	printf(", \"%s\": {\"p50\": %.2f, \"p90\": %.2f, \"p99\": %.2f, \"max\": %.2f}", name,
		quantile_us(v, n, 0.5), quantile_us(v, n, 0.9), quantile_us(v, n, 0.99),
		quantile_us(v, n, 1));
}

/* Pairs of an upper bound in microseconds and a number of interrupts, without empty ones. */
static void
print_histogram(const uint64_t *sorted, uint32_t n)
{
	const char *comma = "";
	uint32_t i, b, count;

	printf(", \"histogram_us\": [");
	for (i = b = 0; i < n; b++) {
		uint64_t bound = b + 1 < BUCKETS ? UINT64_C(125) << b : UINT64_MAX;

		for (count = 0; i < n && sorted[i] <= bound; i++)
			count++;
		if (count > 0) {
			printf("%s[%.3f, %u]", comma, (double)bound / 1000, count);
			comma = ", ";
		}
	}
	printf("]");
}

static void
run_scenario(const struct scenario *sc, bool moderated, uint64_t duration, int worker_cpu,
	int guest_cpu)
{
	static struct run r;
	struct vmxnet3_dev_stats stats;
	const uint64_t one = 1;
	uint64_t sent;

	memset(&r, 0, sizeof(r));
	r.guest_cpu = guest_cpu;
	r.s.total = calloc(SAMPLES_MAX, sizeof(uint64_t));
	r.s.device = calloc(SAMPLES_MAX, sizeof(uint64_t));
	r.s.kernel = calloc(SAMPLES_MAX, sizeof(uint64_t));
	bench_card_open(&r.card, moderated);
	if (r.s.total == NULL || r.s.device == NULL || r.s.kernel == NULL ||
		pthread_create(&r.guest, NULL, guest_main, &r) != 0)
		bench_die("no memory");
	pin(worker_cpu);
	sent = work(&r, sc, duration);
	vmxnet3_dev_stats_get(r.card.dev, &stats);
	atomic_store(&r.stop, true);
	if (write(r.card.event, &one, sizeof(one)) < 0)
		bench_die("cannot write to an eventfd");
	pthread_join(r.guest, NULL);

	printf("{\"scenario\": \"%s\", \"moderated\": %s, \"seconds\": %.1f, \"frames\": %llu, "
	       "\"interrupts\": %llu, \"held\": %llu, \"empty\": %llu",
		sc->name, moderated ? "true" : "false", (double)duration / 1e9, (unsigned long long)sent,
		(unsigned long long)stats.interrupts, (unsigned long long)stats.interrupts_held,
		(unsigned long long)r.empty);
	print_part("total_us", r.s.total, r.s.nb);
	print_part("device_us", r.s.device, r.s.nb);
	print_part("kernel_us", r.s.kernel, r.s.nb);
	print_histogram(r.s.total, r.s.nb);
	printf("}\n");
	bench_card_close(&r.card);
	free(r.s.total);
	free(r.s.device);
	free(r.s.kernel);
}

int
main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 2;
	int first, last;
	size_t i;

	if (argc > 2 || seconds <= 0 || seconds > 600)
		bench_die("usage: intr_latency [SECONDS]");
	choose_cpus(&first, &last);
	prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
	for (i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		run_scenario(&scenarios[i], false, (uint64_t)(seconds * 1e9), last, first);
		run_scenario(&scenarios[i], true, (uint64_t)(seconds * 1e9), last, first);
	}
	return 0;
}
