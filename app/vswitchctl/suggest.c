/* SPDX-License-Identifier: BSD-3-Clause */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "suggest.h"

#define WORD_MAX 32

static unsigned int
min3(unsigned int a, unsigned int b, unsigned int c)
{
	a = a < b ? a : b;
	return a < c ? a : c;
}

/* Letters to insert, delete or replace to make one word of the other. */
static unsigned int
edit_distance(const char *a, const char *b)
{
	unsigned int row[WORD_MAX + 1];
	const size_t la = strlen(a), lb = strlen(b);

	if (la > WORD_MAX || lb > WORD_MAX)
		return UINT_MAX;
	for (size_t j = 0; j <= lb; j++)
		row[j] = (unsigned int)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned int diagonal = row[0];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned int above = row[j];

			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[lb];
}

void
suggest_begin(struct suggest *s, const char *word)
{
	*s = (struct suggest){.word = word, .distance = UINT_MAX};
}

void
suggest_offer(struct suggest *s, const char *candidate)
{
	const unsigned int distance = edit_distance(s->word, candidate);
	const size_t used = strlen(s->all);

	snprintf(s->all + used, sizeof(s->all) - used, "%s%s", used ? ", " : "", candidate);
	/* A beginning is a better guess than a word that is merely short. */
	if (distance < s->distance || (s->word[0] && strncmp(candidate, s->word, strlen(s->word)) == 0)) {
		s->distance = distance;
		snprintf(s->nearest, sizeof(s->nearest), "%s", candidate);
	}
}

enum cmd_status
suggest_complain(const struct suggest *s, const char *fmt, ...)
{
	const size_t len = strlen(s->word);
	va_list args;

	fprintf(stderr, "vswitchctl: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	if (s->nearest[0] != '\0' &&
	    (s->distance <= 1 + len / 3 || (len > 0 && strncmp(s->nearest, s->word, len) == 0)))
		fprintf(stderr, "; did you mean '%s'?", s->nearest);
	fprintf(stderr, "\n");
	if (s->all[0] != '\0')
		fprintf(stderr, "Allowed: %s\n", s->all);
	return CMD_USAGE;
}
