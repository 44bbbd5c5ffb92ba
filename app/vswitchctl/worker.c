/* SPDX-License-Identifier: BSD-3-Clause */
/* worker list, worker show */
#include <inttypes.h>
#include <stdio.h>

#include "client.h"
#include "cost.h"
#include "handlers.h"
#include "table.h"

/* The part of the time awake in which there was work, in percent. */
static double
busy_percent(const json_t *worker)
{
	const double busy = (double)member_number(worker, "busy_cycles");
	const double awake = busy + (double)member_number(worker, "idle_cycles");

	return awake > 0 ? 100 * busy / awake : 0;
}

enum cmd_status
worker_list(const struct cmd_call *call)
{
	json_t *workers, *worker;
	enum cmd_status status = call_method(call, "worker.list", NULL, &workers);
	struct table *table;
	size_t i;

	if (status != CMD_OK)
		return status;
	if (call->json)
		return print_json(workers);
	table = table_new(">ID >CPU >NODE >QUEUES >LOAD >BUSY >FRAMES >CYCLES/FRAME >MOVES >SLEPT >STEP");
	json_array_foreach(workers, i, worker) {
		char buf[UNIT_TEXT];

		table_number(table, member_number(worker, "id"));
		table_number(table, member_number(worker, "cpu"));
		table_node(table, worker);
		table_number(table, member_number(worker, "queues"));
		table_load(table, worker);
		table_format(table, "%.1f %%", busy_percent(worker));
		table_text(table, unit_number(buf, (double)member_number(worker, "frames"), ""));
		table_each(table, worker, "busy_cycles");
		table_number(table, member_number(worker, "moves"));
		table_text(table, unit_seconds(buf, member_number(worker, "slept_us") / 1000000));
		table_number(table, member_number(worker, "step"));
	}
	table_print(table);
	json_decref(workers);
	return CMD_OK;
}

static void
show_worker(const json_t *worker)
{
	struct table *table = table_new("");
	char buf[UNIT_TEXT];

	table_pair(table, "polling core", "%" PRIu64, member_number(worker, "id"));
	table_pair(table, "CPU", "%" PRIu64, member_number(worker, "cpu"));
	if (json_is_integer(json_object_get(worker, "node")))
		table_pair(table, "NUMA node", "%" PRIu64, member_number(worker, "node"));
	table_pair(table, "load lately", "%.1f %%", (double)member_number(worker, "load") / 10);
	table_pair(table, "busy while awake", "%.1f %%", busy_percent(worker));
	table_pair(table, "busy cycles", "%" PRIu64, member_number(worker, "busy_cycles"));
	table_pair(table, "idle cycles", "%" PRIu64, member_number(worker, "idle_cycles"));
	table_pair(table, "frames", "%" PRIu64, member_number(worker, "frames"));
	if (member_number(worker, "frames") > 0)
		table_pair(table, "busy cycles per frame", "%.0f",
			(double)member_number(worker, "busy_cycles") / (double)member_number(worker, "frames"));
	table_pair(table, "rounds", "%" PRIu64 ", with work %" PRIu64, member_number(worker, "loops"),
		member_number(worker, "busy_loops"));
	table_pair(table, "sleeps", "%" PRIu64 ", %s in all", member_number(worker, "sleeps"),
		unit_seconds(buf, member_number(worker, "slept_us") / 1000000));
	table_pair(table, "idle step", "%" PRIu64, member_number(worker, "step"));
	table_pair(table, "queues that came", "%" PRIu64, member_number(worker, "moves"));
	table_print(table);
}

/* What each port has cost it. */
static void
show_ports(const json_t *worker)
{
	struct table *table = table_new("PORT >FRAMES >CYCLES >CYCLES/FRAME >INTERRUPTS >SHARE");
	json_t *port;
	size_t i;

	json_array_foreach(json_object_get(worker, "ports"), i, port) {
		table_text(table, member_text(port, "port"));
		table_cost(table, port);
		table_share(table, port, member_number(worker, "busy_cycles"));
	}
	printf("\nports, by what they have cost it:\n");
	table_print(table);
}

/* Its queues; of those that no driver uses, only pinned ones. */
static void
show_polled(const json_t *worker)
{
	struct table *table = table_new("PORT >QUEUE >LOAD PINNED >MOVES");
	json_t *queue;
	size_t i;

	json_array_foreach(json_object_get(worker, "polled"), i, queue) {
		if (!member_bool(queue, "used") && !member_bool(queue, "pinned"))
			continue;
		table_text(table, member_text(queue, "port"));
		table_number(table, member_number(queue, "queue"));
		table_load(table, queue);
		table_text(table, member_bool(queue, "pinned") ? "yes" : "");
		table_number(table, member_number(queue, "moves"));
	}
	printf("\nqueues that it polls:\n");
	table_print(table);
}

enum cmd_status
worker_show(const struct cmd_call *call)
{
	enum cmd_status status;
	json_t *worker;
	uint64_t id = 0;

	cmd_parse_number(cmd_arg(call, 0), &id);
	status = call_method(call, "worker.show", json_pack("{s:I}", "id", (json_int_t)id), &worker);
	if (status != CMD_OK)
		return status;
	if (call->json)
		return print_json(worker);
	show_worker(worker);
	show_ports(worker);
	show_polled(worker);
	json_decref(worker);
	return CMD_OK;
}
