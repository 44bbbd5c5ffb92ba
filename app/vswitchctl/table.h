/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Output for people: aligned tables, units. */
#ifndef VSWITCHCTL_TABLE_H
#define VSWITCHCTL_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct table;

/**
 * @param columns  names separated by blanks; one that begins with '>' is aligned to the right.
 *                 "": two columns, a name and a value, without a headline
 */
struct table *table_new(const char *columns);
/** Adds a cell; the text is copied, NULL and "" are shown as "-". */
void table_text(struct table *table, const char *text);
void table_format(struct table *table, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void table_number(struct table *table, uint64_t value);
/** A row of a table without headline. */
void table_pair(struct table *table, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** Prints and frees. */
void table_print(struct table *table);

/** "1.23 G" and the like: three digits, powers of 1000. */
#define UNIT_TEXT 24
const char *unit_number(char buf[UNIT_TEXT], double value, const char *unit);
/** "3d 4h", "2m 5s" */
const char *unit_seconds(char buf[UNIT_TEXT], uint64_t seconds);

/* Members of JSON objects that may be missing. */
const char *member_text(const json_t *object, const char *name);
uint64_t member_number(const json_t *object, const char *name);
bool member_bool(const json_t *object, const char *name);
/** The texts of an array, separated by @p separator; "" if there are none. Free it. */
char *member_list(const json_t *object, const char *name, const char *separator);

#endif /* VSWITCHCTL_TABLE_H */
