/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "suggest.h"

const struct cmd *
cmd_find(const char *noun, const char *verb)
{
	for (const struct cmd *cmd = cmd_table; cmd->noun; cmd++) {
		if (strcmp(cmd->noun, noun) != 0)
			continue;
		if (verb ? cmd->verb && strcmp(cmd->verb, verb) == 0 : cmd->plain)
			return cmd;
	}
	return NULL;
}

bool
cmd_is_noun(const char *noun)
{
	for (const struct cmd *cmd = cmd_table; cmd->noun; cmd++)
		if (strcmp(cmd->noun, noun) == 0)
			return true;
	return false;
}

bool
cmd_has_verbs(const char *noun)
{
	for (const struct cmd *cmd = cmd_table; cmd->noun; cmd++)
		if (strcmp(cmd->noun, noun) == 0 && cmd->verb)
			return true;
	return false;
}

void
cmd_foreach_noun(void (*fn)(const char *noun, void *arg), void *arg)
{
	/* The table has the verbs of a noun next to each other. */
	for (const struct cmd *cmd = cmd_table; cmd->noun; cmd++)
		if (cmd == cmd_table || strcmp(cmd->noun, cmd[-1].noun) != 0)
			fn(cmd->noun, arg);
}

void
cmd_foreach_verb(const char *noun, void (*fn)(const char *verb, void *arg), void *arg)
{
	for (const struct cmd *cmd = cmd_table; cmd->noun; cmd++)
		if (strcmp(cmd->noun, noun) == 0 && cmd->verb)
			fn(cmd->verb, arg);
}

const struct cmd_option *
cmd_find_option(const struct cmd *cmd, const char *name, size_t len, size_t *index)
{
	for (size_t i = 0; cmd->options && cmd->options[i].name; i++) {
		if (strlen(cmd->options[i].name) == len && memcmp(cmd->options[i].name, name, len) == 0) {
			*index = i;
			return &cmd->options[i];
		}
	}
	return NULL;
}

/* Collects candidates in a struct suggest. */
static void
offer(const char *word, void *arg)
{
	suggest_offer(arg, word);
}

enum cmd_status
cmd_unknown_noun(const char *word)
{
	struct suggest s;

	suggest_begin(&s, word);
	cmd_foreach_noun(offer, &s);
	return suggest_complain(&s, "there is no command '%s'", word);
}

enum cmd_status
cmd_unknown_verb(const char *noun, const char *word)
{
	struct suggest s;

	suggest_begin(&s, word);
	cmd_foreach_verb(noun, offer, &s);
	if (word[0] == '\0')
		return suggest_complain(&s, "'%s' needs a verb", noun);
	return suggest_complain(&s, "there is no command '%s %s'", noun, word);
}

enum cmd_status
cmd_unknown_option(const struct cmd *cmd, const char *word)
{
	const char *verb = cmd->verb ? cmd->verb : "";
	const char *space = cmd->verb ? " " : "";
	struct suggest s;

	suggest_begin(&s, word);
	for (const struct cmd_option *option = cmd->options; option && option->name; option++) {
		char text[64];

		snprintf(text, sizeof(text), "--%s", option->name);
		suggest_offer(&s, text);
	}
	return suggest_complain(&s, "'%s%s%s' has no option '%s'", cmd->noun, space, verb, word);
}

enum cmd_status
cmd_unknown_choice(const char *what, const char *const *choices, const char *word)
{
	struct suggest s;

	suggest_begin(&s, word);
	for (; *choices; choices++)
		suggest_offer(&s, *choices);
	return suggest_complain(&s, "%s '%s' is unknown", what, word);
}
