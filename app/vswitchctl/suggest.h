/* SPDX-License-Identifier: BSD-3-Clause */
/** @file A word that is not known: which known one is nearest, and what is allowed. */
#ifndef VSWITCHCTL_SUGGEST_H
#define VSWITCHCTL_SUGGEST_H

#include "cmd.h"

struct suggest {
	const char *word;
	unsigned int distance; /**< of the nearest so far */
	char nearest[64];
	char all[512];         /**< what is allowed, separated by commas */
};

void suggest_begin(struct suggest *s, const char *word);
void suggest_offer(struct suggest *s, const char *candidate);
/** Prints the sentence, the nearest if it is near enough, and what is allowed; returns CMD_USAGE. */
enum cmd_status suggest_complain(const struct suggest *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* VSWITCHCTL_SUGGEST_H */
