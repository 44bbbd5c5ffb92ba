/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "text.h"

#define WORD_LEN 48

static size_t
min3(size_t a, size_t b, size_t c)
{
	a = a < b ? a : b;
	return a < c ? a : c;
}

/* Letters to insert, delete or replace (Levenshtein's distance). */
static size_t
distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	size_t row[WORD_LEN + 1];
	size_t i, j;

	if (la > WORD_LEN || lb > WORD_LEN)
		return WORD_LEN;
	for (j = 0; j <= lb; j++)
		row[j] = j;
	for (i = 1; i <= la; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (j = 1; j <= lb; j++) {
			size_t above = row[j];

			row[j] = min3(row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[lb];
}

void
text_guess(const char *word, const char *const *names, size_t n, char *buf, size_t len)
{
	size_t best = WORD_LEN, i;
	const char *guess = NULL;

	for (i = 0; i < n; i++) {
		size_t d = distance(word, names[i]);

		if (d < best) {
			best = d;
			guess = names[i];
		}
	}
	buf[0] = '\0';
	if (guess != NULL && best <= 2 && best * 2 <= strlen(guess))
		snprintf(buf, len, " (did you mean '%s'?)", guess);
}
