/* SPDX-License-Identifier: BSD-3-Clause */
/* stats: counters, or rates with --interval */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client.h"
#include "handlers.h"
#include "table.h"

/* The counters of stats.get, in the order in which they are shown. */
static const char *const counters[] = {
	"rx_frames", "rx_bytes", "rx_tso", "tx_frames", "tx_bytes", "tx_lro", "interrupts",
	"interrupts_held",
};

#define NB_COUNTERS (sizeof(counters) / sizeof(counters[0]))
#define COUNTER_RX_BYTES 1
#define COUNTER_TX_BYTES 4

static volatile sig_atomic_t stopped;

static void
stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static enum cmd_status
show_totals(const struct cmd_call *call, json_t *list)
{
	struct table *table;
	const json_t *port;
	size_t i;

	if (call->json)
		return print_json(list);
	table = table_new("PORT >RX-FRAMES >RX-BYTES >RX-LARGE >TX-FRAMES >TX-BYTES >TX-LARGE >INTERRUPTS "
		">HELD");
	json_array_foreach(list, i, port) {
		table_text(table, member_text(port, "port"));
		for (size_t c = 0; c < NB_COUNTERS; c++) {
			const double value = (double)member_number(port, counters[c]);
			char buf[UNIT_TEXT];

			table_text(table, unit_number(buf, value,
				c == COUNTER_RX_BYTES || c == COUNTER_TX_BYTES ? "B" : ""));
		}
	}
	table_print(table);
	json_decref(list);
	return CMD_OK;
}

/* The port of the same name, or NULL: it is new. */
static const json_t *
find_port(const json_t *list, const char *name)
{
	const json_t *port;
	size_t i;

	json_array_foreach(list, i, port)
		if (strcmp(member_text(port, "port"), name) == 0)
			return port;
	return NULL;
}

/* How often per second. A port that was deleted and made again counts from 0. */
static double
rate(const json_t *before, const json_t *now, const char *counter, double seconds)
{
	const uint64_t old = member_number(before, counter), new = member_number(now, counter);

	return (double)(new >= old ? new - old : new) / seconds;
}

static void
rates_as_json(const json_t *before, const json_t *now, double seconds)
{
	json_t *ports = json_array();
	const json_t *port;
	size_t i;

	json_array_foreach(now, i, port) {
		const json_t *old = find_port(before, member_text(port, "port"));
		json_t *rates = json_pack("{s:s}", "port", member_text(port, "port"));

		for (size_t c = 0; old && c < NB_COUNTERS; c++)
			json_object_set_new(rates, counters[c],
				json_real(rate(old, port, counters[c], seconds)));
		if (old)
			json_array_append(ports, rates);
		json_decref(rates);
	}
	print_json(json_pack("{s:f, s:o}", "seconds", seconds, "per_second", ports));
}

static void
rates_as_table(const json_t *before, const json_t *now, double seconds)
{
	struct table *table = table_new("PORT >RX-FRAMES/s >RX-RATE >TX-FRAMES/s >TX-RATE >INTERRUPTS/s");
	const json_t *port;
	size_t i;

	json_array_foreach(now, i, port) {
		const json_t *old = find_port(before, member_text(port, "port"));
		char buf[UNIT_TEXT];

		if (!old)
			continue;
		table_text(table, member_text(port, "port"));
		table_text(table, unit_number(buf, rate(old, port, "rx_frames", seconds), ""));
		table_text(table, unit_number(buf, 8 * rate(old, port, "rx_bytes", seconds), "bit/s"));
		table_text(table, unit_number(buf, rate(old, port, "tx_frames", seconds), ""));
		table_text(table, unit_number(buf, 8 * rate(old, port, "tx_bytes", seconds), "bit/s"));
		table_text(table, unit_number(buf, rate(old, port, "interrupts", seconds), ""));
	}
	table_print(table);
}

static double
now_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static enum cmd_status
show_rates(const struct cmd_call *call, json_t *before)
{
	const struct timespec interval = {.tv_sec = (time_t)cmd_number(call, "interval", 1)};
	const uint64_t count = cmd_number(call, "count", UINT64_MAX);
	double then = now_seconds();
	enum cmd_status status = CMD_OK;

	for (uint64_t i = 0; i < count && nanosleep(&interval, NULL) == 0 && !stopped; i++) {
		json_t *now;
		double time;

		status = call_method(call, "stats.get", NULL, &now);
		if (status != CMD_OK)
			break;
		time = now_seconds();
		if (call->json) {
			rates_as_json(before, now, time - then);
		} else {
			printf("%s", i > 0 ? "\n" : "");
			rates_as_table(before, now, time - then);
		}
		fflush(stdout);
		json_decref(before);
		before = now;
		then = time;
	}
	json_decref(before);
	return status;
}

enum cmd_status
stats_show(const struct cmd_call *call)
{
	const struct sigaction action = {.sa_handler = stop};
	enum cmd_status status;
	json_t *list;

	if (cmd_option(call, "interval") && cmd_number(call, "interval", 0) == 0)
		return cmd_error(CMD_USAGE, "--interval is at least 1 second");
	if (cmd_option(call, "count") && !cmd_option(call, "interval"))
		return cmd_error(CMD_USAGE, "--count goes with --interval");
	status = call_method(call, "stats.get", NULL, &list);
	if (status != CMD_OK)
		return status;
	if (!cmd_option(call, "interval"))
		return show_totals(call, list);
	/* Ctrl-C is the way out, not an accident. */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	return show_rates(call, list);
}
