/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>

#include "cost.h"

void
table_load(struct table *table, const json_t *object)
{
	table_format(table, "%.1f %%", (double)member_number(object, "load") / 10);
}

void
table_each(struct table *table, const json_t *object, const char *cycles)
{
	const uint64_t frames = member_number(object, "frames");

	if (frames == 0)
		table_text(table, "");
	else
		table_format(table, "%.0f", (double)member_number(object, cycles) / (double)frames);
}

void
table_cost(struct table *table, const json_t *cost)
{
	char buf[UNIT_TEXT];

	table_text(table, unit_number(buf, (double)member_number(cost, "frames"), ""));
	table_text(table, unit_number(buf, (double)member_number(cost, "cycles"), ""));
	table_each(table, cost, "cycles");
	table_text(table, unit_number(buf, (double)member_number(cost, "interrupt_cycles"), ""));
}

void
table_share(struct table *table, const json_t *cost, uint64_t whole)
{
	const uint64_t all = member_number(cost, "cycles") + member_number(cost, "interrupt_cycles");

	if (whole == 0)
		table_text(table, "");
	else
		table_format(table, "%.1f %%", 100 * (double)all / (double)whole);
}

void
table_node(struct table *table, const json_t *object)
{
	if (json_is_integer(json_object_get(object, "node")))
		table_number(table, member_number(object, "node"));
	else
		table_text(table, "");
}

static void
show_cores(const json_t *cost)
{
	struct table *table = table_new(">CORE >FRAMES >CYCLES >CYCLES/FRAME >INTERRUPTS");
	json_t *core;
	size_t i;

	json_array_foreach(json_object_get(cost, "cores"), i, core) {
		table_number(table, member_number(core, "worker"));
		table_cost(table, core);
	}
	printf("cost, by polling core:\n");
	table_print(table);
}

/* Of the queues that no driver uses, only pinned ones. */
static void
show_queues(const json_t *cost)
{
	struct table *table = table_new(">QUEUE >CORE >CPU PINNED >NODE >LOAD >FRAMES >CYCLES/FRAME >MOVES");
	json_t *queue;
	size_t i;

	json_array_foreach(json_object_get(cost, "queues"), i, queue) {
		char buf[UNIT_TEXT];

		if (!member_bool(queue, "used") && !member_bool(queue, "pinned"))
			continue;
		table_number(table, member_number(queue, "queue"));
		table_number(table, member_number(queue, "worker"));
		table_number(table, member_number(queue, "cpu"));
		table_text(table, member_bool(queue, "pinned") ? "yes" : "");
		table_node(table, queue);
		table_load(table, queue);
		table_text(table, unit_number(buf, (double)member_number(queue, "frames"), ""));
		table_each(table, queue, "cycles");
		table_number(table, member_number(queue, "moves"));
	}
	printf("queues, by who polls them:\n");
	table_print(table);
}

void
show_cost(const json_t *cost)
{
	show_cores(cost);
	show_queues(cost);
}
