/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "affinity.h"

/* strtoul() alone would take blanks and signs. */
static bool
take_number(const char **text, unsigned long max, unsigned long *value)
{
	char *end;

	if (!isdigit((unsigned char)**text))
		return false;
	*value = strtoul(*text, &end, 10);
	*text = end;
	return *value <= max;
}

/* "QUEUE:CPU" or "QUEUE-QUEUE:CPU" */
static bool
take_pin(const char **text, struct affinity *affinity)
{
	unsigned long from, to, cpu;

	if (!take_number(text, MAX_PORT_QUEUES - 1, &from))
		return false;
	to = from;
	if (**text == '-') {
		(*text)++;
		if (!take_number(text, MAX_PORT_QUEUES - 1, &to) || to < from)
			return false;
	}
	if (*(*text)++ != ':' || !take_number(text, AFFINITY_CPUS - 1, &cpu))
		return false;
	for (; from <= to; from++) {
		if (affinity->cpu[from] >= 0)
			return false;
		affinity->cpu[from] = (int16_t)cpu;
		if (affinity->nb_queues <= from)
			affinity->nb_queues = (uint16_t)(from + 1);
	}
	return true;
}

bool
affinity_parse(const char *text, struct affinity *affinity)
{
	memset(affinity->cpu, 0xff, sizeof(affinity->cpu));
	affinity->nb_queues = 0;
	if (text == NULL || strcmp(text, "none") == 0)
		return true;
	for (;; text++) {
		if (!take_pin(&text, affinity))
			return false;
		if (*text == '\0')
			return true;
		if (*text != ',')
			return false;
	}
}
