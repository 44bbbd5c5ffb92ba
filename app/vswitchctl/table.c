/* SPDX-License-Identifier: BSD-3-Clause */
#include <err.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "table.h"

#define COLUMNS_MAX 16

struct table {
	size_t nb_columns;
	bool headline;
	bool right[COLUMNS_MAX];
	char **cells;
	size_t nb_cells, room;
};

static void *
no_memory(void *pointer)
{
	if (!pointer)
		err(CMD_REFUSED, "no memory");
	return pointer;
}

void
table_text(struct table *table, const char *text)
{
	if (table->nb_cells == table->room) {
		table->room = table->room ? 2 * table->room : 64;
		table->cells = no_memory(realloc(table->cells, table->room * sizeof(*table->cells)));
	}
	table->cells[table->nb_cells++] = no_memory(strdup(text && text[0] ? text : "-"));
}

struct table *
table_new(const char *columns)
{
	struct table *table = no_memory(calloc(1, sizeof(*table)));
	char *copy = no_memory(strdup(columns)), *save, *word;

	table->nb_columns = 2;
	table->headline = columns[0] != '\0';
	if (table->headline)
		table->nb_columns = 0;
	for (word = strtok_r(copy, " ", &save); word && table->nb_columns < COLUMNS_MAX;
	     word = strtok_r(NULL, " ", &save)) {
		table->right[table->nb_columns++] = word[0] == '>';
		table_text(table, word + (word[0] == '>'));
	}
	free(copy);
	return table;
}

static char *
vformat(const char *fmt, va_list args)
{
	char *text;

	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	return no_memory(text);
}

void
table_format(struct table *table, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = vformat(fmt, args);
	va_end(args);
	table_text(table, text);
	free(text);
}

void
table_number(struct table *table, uint64_t value)
{
	table_format(table, "%" PRIu64, value);
}

void
table_pair(struct table *table, const char *name, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = vformat(fmt, args);
	va_end(args);
	table_text(table, name);
	table_text(table, text);
	free(text);
}

void
table_print(struct table *table)
{
	int width[COLUMNS_MAX] = {0};
	const size_t last = table->nb_columns - 1;

	for (size_t i = 0; i < table->nb_cells; i++) {
		const int len = (int)strlen(table->cells[i]);

		if (len > width[i % table->nb_columns])
			width[i % table->nb_columns] = len;
	}
	for (size_t i = 0; i < table->nb_cells; i++) {
		const size_t column = i % table->nb_columns;

		if (table->right[column])
			printf("%*s", width[column], table->cells[i]);
		else if (column == last)
			printf("%s", table->cells[i]);
		else
			printf("%-*s", width[column], table->cells[i]);
		printf(column == last ? "\n" : "  ");
		free(table->cells[i]);
	}
	free(table->cells);
	free(table);
}

const char *
unit_number(char buf[UNIT_TEXT], double value, const char *unit)
{
	static const char prefixes[] = " kMGTPE";
	size_t i = 0;

	while (value >= 999.5 && i + 1 < sizeof(prefixes) - 1) {
		value /= 1000;
		i++;
	}
	if (i == 0)
		snprintf(buf, UNIT_TEXT, "%.0f%s%s", value, unit[0] ? " " : "", unit);
	else
		snprintf(buf, UNIT_TEXT, "%.*f %c%s", value < 9.995 ? 2 : value < 99.95 ? 1 : 0, value,
			prefixes[i], unit);
	return buf;
}

const char *
unit_seconds(char buf[UNIT_TEXT], uint64_t s)
{
	if (s >= 86400)
		snprintf(buf, UNIT_TEXT, "%" PRIu64 "d %" PRIu64 "h", s / 86400, s % 86400 / 3600);
	else if (s >= 3600)
		snprintf(buf, UNIT_TEXT, "%" PRIu64 "h %" PRIu64 "m", s / 3600, s % 3600 / 60);
	else if (s >= 60)
		snprintf(buf, UNIT_TEXT, "%" PRIu64 "m %" PRIu64 "s", s / 60, s % 60);
	else
		snprintf(buf, UNIT_TEXT, "%" PRIu64 "s", s);
	return buf;
}

const char *
member_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

uint64_t
member_number(const json_t *object, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(object, name));
}

bool
member_bool(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}

char *
member_list(const json_t *object, const char *name, const char *separator)
{
	const json_t *array = json_object_get(object, name), *value;
	size_t size = 0, i;
	char *text = NULL;
	FILE *out = no_memory(open_memstream(&text, &size));

	json_array_foreach(array, i, value) {
		if (i > 0)
			fputs(separator, out);
		if (json_is_string(value))
			fputs(json_string_value(value), out);
		else
			fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	}
	fclose(out);
	return no_memory(text);
}
