/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cmd.h"

struct parse {
	char *const *words;
	int nb_words;
	int next;
	struct cmd_call *call;
	bool options_over;  /* "--" was met */
	bool help, version;
};

enum cmd_status
cmd_error(enum cmd_status status, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "vswitchctl: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\n");
	return status;
}

const char *
cmd_arg(const struct cmd_call *call, size_t index)
{
	return index < call->nb_args ? call->args[index] : NULL;
}

const char *
cmd_option(const struct cmd_call *call, const char *name)
{
	size_t index;

	if (!cmd_find_option(call->cmd, name, strlen(name), &index))
		return NULL;
	return call->options[index];
}

bool
cmd_parse_number(const char *text, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && *value <= INT64_MAX;
}

uint64_t
cmd_number(const struct cmd_call *call, const char *name, uint64_t missing)
{
	const char *text = cmd_option(call, name);
	uint64_t value;

	return text && cmd_parse_number(text, &value) ? value : missing;
}

/* What goes to the daemon has to be UTF-8. */
static bool
is_utf8(const char *text)
{
	json_t *value = json_string(text);

	json_decref(value);
	return value != NULL;
}

enum cmd_status
cmd_check_value(const char *what, enum cmd_kind kind, const char *const *choices, const char *value)
{
	uint64_t number;

	if (!is_utf8(value))
		return cmd_error(CMD_USAGE, "%s is no valid UTF-8", what);
	if (kind == CMD_NUMBER && !cmd_parse_number(value, &number))
		return cmd_error(CMD_USAGE, "%s '%s' is no whole number", what, value);
	if (kind != CMD_CHOICE)
		return CMD_OK;
	for (const char *const *choice = choices; *choice; choice++)
		if (strcmp(*choice, value) == 0)
			return CMD_OK;
	return cmd_unknown_choice(what, choices, value);
}

/* An option of the command: --name VALUE, --name=VALUE or --name. */
static enum cmd_status
command_option(struct parse *p, const char *word)
{
	const char *name = word + 2;
	const char *equals = strchr(name, '=');
	const size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct cmd_option *option;
	const char *value = equals ? equals + 1 : NULL;
	char what[64];
	size_t index;

	option = cmd_find_option(p->call->cmd, name, len, &index);
	if (!option)
		return cmd_unknown_option(p->call->cmd, word);
	if (!option->value && value)
		return cmd_error(CMD_USAGE, "option --%s takes no value", option->name);
	if (option->value && !value) {
		if (p->next >= p->nb_words)
			return cmd_error(CMD_USAGE, "option --%s needs a value: %s", option->name,
				option->value);
		value = p->words[p->next++];
	}
	snprintf(what, sizeof(what), "--%s", option->name);
	p->call->options[index] = value ? value : "";
	return value ? cmd_check_value(what, option->kind, option->choices, value) : CMD_OK;
}

/* Options of the program, allowed everywhere. Returns false if the word is none. */
static bool
program_option(struct parse *p, const char *word, enum cmd_status *status)
{
	*status = CMD_OK;
	if (strcmp(word, "-j") == 0 || strcmp(word, "--json") == 0) {
		p->call->json = true;
	} else if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
		p->help = true;
	} else if (strcmp(word, "-V") == 0 || strcmp(word, "--version") == 0) {
		p->version = true;
	} else if (strncmp(word, "-s", 2) == 0) {
		if (word[2] != '\0')
			p->call->socket = word + 2;
		else if (p->next < p->nb_words)
			p->call->socket = p->words[p->next++];
		else
			*status = cmd_error(CMD_USAGE, "option -s needs the path of vswitchd's socket");
	} else {
		return false;
	}
	return true;
}

static enum cmd_status
option(struct parse *p, const char *word)
{
	enum cmd_status status;

	if (program_option(p, word, &status))
		return status;
	if (!p->call->cmd && p->call->noun)
		p->call->cmd = cmd_find(p->call->noun, NULL);
	if (!p->call->cmd)
		return cmd_error(CMD_USAGE, "option '%s' is unknown here; allowed: -s SOCKET, -j, -h, -V",
			word);
	if (word[1] != '-')
		return cmd_unknown_option(p->call->cmd, word);
	return command_option(p, word);
}

static enum cmd_status
argument(struct parse *p, const char *word)
{
	struct cmd_call *call = p->call;
	const struct cmd_arg *arg = call->cmd->args;

	for (size_t i = 0; arg && arg->name && i < call->nb_args; i++)
		if (!arg->many)
			arg++;
	if (!arg || !arg->name)
		return cmd_error(CMD_USAGE, "'%s' is one word too many; see vswitchctl help %s %s", word,
			call->cmd->noun, call->cmd->verb ? call->cmd->verb : "");
	if (call->nb_args == CMD_ARGS_MAX)
		return cmd_error(CMD_USAGE, "too many words");
	call->args[call->nb_args++] = word;
	if (arg->kind == CMD_FILE)
		return CMD_OK; /* stays here */
	return cmd_check_value(arg->name, arg->kind, arg->choices, word);
}

static enum cmd_status
plain_word(struct parse *p, const char *word)
{
	if (!p->call->noun) {
		p->call->noun = word;
		if (!cmd_is_noun(word))
			return cmd_unknown_noun(word);
		if (!cmd_has_verbs(word))
			p->call->cmd = cmd_find(word, NULL);
		return CMD_OK;
	}
	if (!p->call->cmd) {
		p->call->cmd = cmd_find(p->call->noun, word);
		return p->call->cmd ? CMD_OK : cmd_unknown_verb(p->call->noun, word);
	}
	return argument(p, word);
}

/* Whether something is missing. */
static enum cmd_status
complete_call(struct parse *p)
{
	struct cmd_call *call = p->call;
	const struct cmd_arg *arg;
	size_t have = call->nb_args;

	if (!call->noun)
		return cmd_error(CMD_USAGE, "what shall be done? See vswitchctl help");
	if (!call->cmd)
		call->cmd = cmd_find(call->noun, NULL);
	if (!call->cmd)
		return cmd_unknown_verb(call->noun, "");
	for (arg = call->cmd->args; arg && arg->name; arg++) {
		if (have > 0)
			have--;
		else if (!arg->optional)
			return cmd_error(CMD_USAGE, "%s is missing; see vswitchctl help %s %s", arg->name,
				call->cmd->noun, call->cmd->verb ? call->cmd->verb : "");
	}
	return CMD_OK;
}

enum cmd_status
cmd_parse(int nb_words, char *const *words, struct cmd_call *call, bool *help, bool *version)
{
	struct parse p = {.words = words, .nb_words = nb_words, .call = call};
	enum cmd_status status = CMD_OK;

	while (p.next < nb_words && status == CMD_OK) {
		const char *word = words[p.next++];

		if (!p.options_over && strcmp(word, "--") == 0)
			p.options_over = true;
		else if (!p.options_over && word[0] == '-' && word[1] != '\0')
			status = option(&p, word);
		else
			status = plain_word(&p, word);
	}
	*help = p.help;
	*version = p.version;
	if (status != CMD_OK || p.version)
		return status;
	return p.help ? CMD_OK : complete_call(&p);
}
