/* SPDX-License-Identifier: BSD-3-Clause */
/** @file What ports cost polling cores, for people: cells of tables. */
#ifndef VSWITCHCTL_COST_H
#define VSWITCHCTL_COST_H

#include "table.h"

/** A cell: the member "load", thousandths of a core, in percent. */
void table_load(struct table *table, const json_t *object);
/** A cell: a number of cycles for each of the member "frames". */
void table_each(struct table *table, const json_t *object, const char *cycles);
/** Four cells: frames, cycles, cycles per frame, cycles for interrupts. */
void table_cost(struct table *table, const json_t *cost);
/** A cell: its cycles, those for interrupts included, as a part of @p whole. */
void table_share(struct table *table, const json_t *cost, uint64_t whole);

/** A cell: the member "node", a number or nothing. */
void table_node(struct table *table, const json_t *object);

/** Prints what a port costs: its member "cost" of port.show. */
void show_cost(const json_t *cost);

#endif /* VSWITCHCTL_COST_H */
