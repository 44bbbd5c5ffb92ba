/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "client.h"
#include "complete.h"
#include "handlers.h"

struct completion {
	const char *word;   /* to be completed */
	const char *socket;
	const char *noun;
	const struct cmd *cmd;
	size_t nb_args;
	const char *last_arg;
	const char *nouns[2]; /* the arguments of help */
	const struct cmd_option *option; /* its value is what is being typed */
	bool socket_next;
};

static void
offer(const char *candidate, void *arg)
{
	const struct completion *c = arg;

	if (strncmp(candidate, c->word, strlen(c->word)) == 0)
		puts(candidate);
}

static void
offer_choices(struct completion *c, const char *const *choices)
{
	for (; choices && *choices; choices++)
		offer(*choices, c);
}

/* Names of all ports or bridges. */
static void
offer_names(struct completion *c, const char *method)
{
	struct client *client = client_open(c->socket, 1, true);
	json_t *result, *entry;
	size_t i;

	if (!client)
		return;
	if (client_call(client, method, NULL, &result) == CMD_OK) {
		json_array_foreach(result, i, entry) {
			const char *name = json_string_value(json_object_get(entry, "name"));

			if (name)
				offer(name, c);
		}
		json_decref(result);
	}
	client_close(client);
}

static void
offer_setting(struct completion *c)
{
	const struct cmd_option *setting;

	/* Keys and values take turns. */
	for (setting = cmd_settings; setting->name; setting++) {
		if (c->nb_args % 2 == 1)
			offer(setting->name, c);
		else if (c->last_arg && strcmp(c->last_arg, setting->name) == 0)
			offer_choices(c, setting->choices);
	}
}

static void
offer_kind(struct completion *c, enum cmd_kind kind, const char *const *choices)
{
	switch (kind) {
	case CMD_CHOICE:
		offer_choices(c, choices);
		break;
	case CMD_PORT:
		offer_names(c, "port.list");
		break;
	case CMD_BRIDGE:
		offer_names(c, "bridge.list");
		break;
	case CMD_FILE:
		puts("<file>");
		break;
	case CMD_COMMAND:
		if (c->nb_args == 0)
			cmd_foreach_noun(offer, c);
		else
			cmd_foreach_verb(c->nouns[0], offer, c);
		break;
	case CMD_SETTING:
		offer_setting(c);
		break;
	case CMD_TEXT:
	case CMD_NUMBER:
		break;
	}
}

static void
offer_options(struct completion *c)
{
	static const char *const everywhere[] = {"-s", "-j", "--json", "-h", "--help", "-V", "--version",
		NULL};

	for (const struct cmd_option *option = c->cmd ? c->cmd->options : NULL; option && option->name;
	     option++) {
		char text[64];

		snprintf(text, sizeof(text), "--%s", option->name);
		offer(text, c);
	}
	offer_choices(c, everywhere);
}

static void
offer_argument(struct completion *c)
{
	const struct cmd_arg *arg = c->cmd->args;

	for (size_t i = 0; arg && arg->name && i < c->nb_args; i++)
		if (!arg->many)
			arg++;
	if (arg && arg->name)
		offer_kind(c, arg->kind, arg->choices);
}

/* Takes notice of a finished word. Wrong ones are passed over: the line may still be mended. */
static void
finished_option(struct completion *c, const char *word)
{
	size_t index;

	if (!c->cmd && c->noun)
		c->cmd = cmd_find(c->noun, NULL);
	if (strcmp(word, "-s") == 0)
		c->socket_next = true;
	else if (strncmp(word, "-s", 2) == 0)
		c->socket = word + 2;
	else if (c->cmd && strncmp(word, "--", 2) == 0)
		c->option = cmd_find_option(c->cmd, word + 2, strlen(word + 2), &index);
	if (c->option && !c->option->value)
		c->option = NULL;
}

static void
finished_word(struct completion *c, const char *word)
{
	if (c->socket_next) {
		c->socket = word;
		c->socket_next = false;
	} else if (c->option) {
		c->option = NULL;
	} else if (word[0] == '-' && word[1] != '\0') {
		finished_option(c, word);
	} else if (!c->noun) {
		c->noun = word;
		if (!cmd_has_verbs(word))
			c->cmd = cmd_find(word, NULL);
	} else if (!c->cmd) {
		c->cmd = cmd_find(c->noun, word);
	} else {
		if (c->nb_args < 2)
			c->nouns[c->nb_args] = word;
		/* After the first setting an argument's meaning depends on the one before. */
		c->last_arg = c->nb_args > 0 ? word : NULL;
		c->nb_args++;
	}
}

enum cmd_status
complete_words(int nb_words, char *const *words)
{
	struct completion c = {.socket = CLIENT_SOCKET_DEFAULT, .word = ""};

	for (int i = 0; i + 1 < nb_words; i++)
		finished_word(&c, words[i]);
	if (nb_words > 0)
		c.word = words[nb_words - 1];
	if (c.socket_next)
		puts("<file>");
	else if (c.option)
		offer_kind(&c, c.option->kind, c.option->choices);
	else if (c.word[0] == '-')
		offer_options(&c);
	else if (!c.noun)
		cmd_foreach_noun(offer, &c);
	else if (!c.cmd)
		cmd_foreach_verb(c.noun, offer, &c);
	else
		offer_argument(&c);
	return CMD_OK;
}

enum cmd_status
completion_bash(const struct cmd_call *call)
{
	(void)call;
	/* bash splits words at '=' and ':' as well; no word that is completed here holds one. */
	puts("# bash completion of vswitchctl. The program itself knows what may follow.\n"
	     "_vswitchctl()\n"
	     "{\n"
	     "\tlocal IFS=$'\\n' cur=${COMP_WORDS[COMP_CWORD]}\n"
	     "\tCOMPREPLY=($(\"$1\" --complete \"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null))\n"
	     "\tif [[ ${COMPREPLY[0]} == '<file>' ]]; then\n"
	     "\t\tcompopt -o filenames\n"
	     "\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n"
	     "\tfi\n"
	     "}\n"
	     "complete -F _vswitchctl vswitchctl");
	return CMD_OK;
}
