/* SPDX-License-Identifier: BSD-3-Clause */
#include <sched.h>
#include <stdio.h>

#include <rte_cycles.h>
#include <rte_errno.h>

#include "worker.h"

#define SLEEP_MAX_MS 500
/* So long after the end, a frame that comes twice would have come. */
#define LINGER_S 0.05
/* A look at the clock counts no more than this: who was not given a CPU did not wait. */
#define LOOK_MAX_S 0.01

static bool
all_done(const struct run *run)
{
	uint32_t i;

	for (i = 0; i < run->nb_lanes; i++)
		if (!lane_done(&run->lanes[i]))
			return false;
	return true;
}

static uint32_t
receive(struct worker *w)
{
	uint32_t i, n = 0;

	for (i = 0; i < w->nb; i++)
		n += receiver_step(&w->receivers[i]);
	return n;
}

static uint32_t
send_due(struct worker *w, uint64_t now)
{
	uint32_t i, n = 0;

	for (i = 0; i < w->nb; i++)
		n += sender_step(&w->senders[i], now);
	return n;
}

/* Milliseconds until a burst is due here, rounded up. */
static int
until_due(const struct worker *w, uint64_t now)
{
	uint64_t hz = rte_get_tsc_hz(), wait = hz * SLEEP_MAX_MS / 1000, due;
	uint32_t i;

	for (i = 0; i < w->nb; i++) {
		due = sender_due(&w->senders[i]);
		wait = RTE_MIN(wait, due > now ? due - now : 0);
	}
	return (wait * 1000 + hz - 1) / hz;
}

/* @return frames that came */
static uint32_t
sleep_and_look(struct worker *w, uint64_t now)
{
	int ms = until_due(w, now);
	uint32_t n, late = 0;

	if (ms == 0)
		return 0;
	sleeper_arm(&w->sleeper);
	n = receive(w);
	if (n == 0 && !sleeper_sleep(&w->sleeper, ms))
		late = receive(w);
	sleeper_disarm(&w->sleeper);
	w->after_timeout += late;
	w->after_wakeup += n;
	return n + late;
}

static uint32_t
step(struct worker *w, uint64_t now)
{
	uint32_t sent = send_due(w, now), came = receive(w);

	if (w->run->opt->rx_interrupts) {
		w->after_wakeup += came;
		if (sent == 0 && came == 0)
			came = sleep_and_look(w, now);
	}
	return sent + came;
}

static void
end_senders(struct worker *w)
{
	uint32_t i;

	for (i = 0; i < w->nb; i++)
		sender_end(&w->senders[i]);
}

static void
loop(struct worker *w)
{
	const struct options *opt = w->run->opt;
	uint64_t hz = rte_get_tsc_hz(), last = rte_get_tsc_cycles(), seen = 0, moved, now;
	uint64_t end = opt->seconds > 0 ? last + opt->seconds * hz : UINT64_MAX;
	double still = 0;

	while (!atomic_load_explicit(&w->run->stop, memory_order_relaxed) && !all_done(w->run)) {
		if (last > end)
			end_senders(w);
		if (step(w, last) > 0)
			atomic_fetch_add_explicit(&w->run->moved, 1, memory_order_relaxed);
		else
			sched_yield(); /* whoever is between the ports may want this CPU */
		now = rte_get_tsc_cycles();
		moved = atomic_load_explicit(&w->run->moved, memory_order_relaxed);
		/* Pauses on purpose are not stillness. */
		still = moved != seen ? 0 : still + RTE_MIN((double)(now - last) / hz,
			opt->rx_interrupts ? SLEEP_MAX_MS / 1000.0 : LOOK_MAX_S);
		seen = moved;
		last = now;
		if (still > opt->stall + opt->interval)
			atomic_store(&w->run->stop, true);
	}
	for (end = last + LINGER_S * hz; rte_get_tsc_cycles() < end;)
		receive(w);
}

int
worker_run(void *worker)
{
	struct worker *w = worker;
	int rc;

	if (w->run->opt->rx_interrupts) {
		rc = sleeper_init(&w->sleeper);
		if (rc < 0) {
			fprintf(stderr, "pktcheck: no receive interrupts: %s\n", rte_strerror(-rc));
			atomic_fetch_add(&w->run->gone, 1);
			atomic_store(&w->run->stop, true);
			return rc;
		}
	}
	loop(w);
	if (w->run->opt->rx_interrupts)
		sleeper_fini(&w->sleeper);
	return 0;
}
