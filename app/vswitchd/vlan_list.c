/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <stdlib.h>

#include "vlan_list.h"

/* strtoul() alone would take blanks and signs. */
static bool
take_number(const char **text, unsigned long *value)
{
	char *end;

	if (!isdigit((unsigned char)**text))
		return false;
	*value = strtoul(*text, &end, 10);
	*text = end;
	return *value >= 1 && *value <= VLAN_MAX;
}

bool
vlan_list_parse(const char *text, struct vlan_set *set)
{
	unsigned long from, to;

	for (;; text++) {
		if (!take_number(&text, &from))
			return false;
		to = from;
		if (*text == '-') {
			text++;
			if (!take_number(&text, &to) || to < from)
				return false;
		}
		for (; set != NULL && from <= to; from++)
			vlan_set_add(set, (uint16_t)from);
		if (*text == '\0')
			return true;
		if (*text != ',')
			return false;
	}
}
