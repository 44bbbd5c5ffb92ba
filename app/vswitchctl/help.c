/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "handlers.h"
#include "help.h"

#define WIDTH 100
#define USAGE_MAX 1024

/* "port set NAME KEY VALUE..." */
static const char *
usage(const struct cmd *cmd, char buf[USAGE_MAX])
{
	size_t n = (size_t)snprintf(buf, USAGE_MAX, "%s%s%s", cmd->noun, cmd->verb ? " " : "",
		cmd->verb ? cmd->verb : "");

	if (cmd->options)
		n += (size_t)snprintf(buf + n, USAGE_MAX - n, " [OPTION]...");
	for (const struct cmd_arg *arg = cmd->args; arg && arg->name; arg++)
		n += (size_t)snprintf(buf + n, USAGE_MAX - n, " %s%s%s%s", arg->optional ? "[" : "",
			arg->name, arg->optional ? "]" : "", arg->many ? "..." : "");
	return buf;
}

/* Prints a text indented, broken into lines at blanks. column: where the cursor is. */
static void
print_wrapped(const char *text, int indent, int column)
{
	while (*text) {
		int len = (int)strcspn(text, " \n");

		if (column > indent && column + 1 + len > WIDTH) {
			printf("\n");
			column = 0;
		}
		if (column < indent)
			column += printf("%*s", indent - column, "");
		else if (column > indent)
			column += printf(" ");
		column += printf("%.*s", len, text);
		text += len;
		if (strncmp(text, "\n\n", 2) == 0) {
			printf("\n\n");
			column = 0;
		}
		text += strspn(text, " \n");
	}
	printf("\n");
}

static void
print_options(const struct cmd_option *options)
{
	for (; options && options->name; options++) {
		int n = printf("      --%s%s%s", options->name, options->value ? " " : "",
			options->value ? options->value : "");

		if (n > 30) {
			printf("\n");
			n = 0;
		}
		print_wrapped(options->help, 32, n);
	}
}

/* "TYPE is one of: a, b" */
static void
print_choices(const struct cmd_arg *args)
{
	for (; args && args->name; args++) {
		if (!args->choices)
			continue;
		printf("\n    %s is one of:", args->name);
		for (const char *const *choice = args->choices; *choice; choice++)
			printf("%s %s", choice == args->choices ? "" : ",", *choice);
		printf("\n");
	}
}

void
help_command(const struct cmd *cmd)
{
	char buf[USAGE_MAX];

	printf("  vswitchctl %s\n", usage(cmd, buf));
	print_wrapped(cmd->help, 4, 0);
	if (cmd->verb && cmd->plain)
		printf("    (`vswitchctl %s` alone does the same)\n", cmd->noun);
	print_choices(cmd->args);
	if (cmd->more) {
		printf("\n");
		print_wrapped(cmd->more, 4, 0);
	}
	if (cmd->options) {
		printf("\n");
		print_options(cmd->options);
	}
}

void
help_noun(const char *noun)
{
	bool first = true;

	for (const struct cmd *cmd = cmd_table; cmd->noun; cmd++) {
		if (strcmp(cmd->noun, noun) != 0)
			continue;
		if (!first)
			printf("\n");
		first = false;
		help_command(cmd);
	}
}

void
help_overview(void)
{
	printf("Usage: vswitchctl [-s SOCKET] [-j] NOUN [VERB] [OPTION]... [ARGUMENT]...\n"
	       "\n"
	       "  -s SOCKET      control socket of vswitchd (default: /run/vswitchd/vswitchd.sock)\n"
	       "  -j, --json     print the result as JSON, for machines\n"
	       "  -h, --help     explain a command\n"
	       "  -V, --version  print the version\n"
	       "\n");
	for (const struct cmd *cmd = cmd_table; cmd->noun; cmd++) {
		char words[64];
		int n;

		snprintf(words, sizeof(words), "%s%s%s", cmd->noun, cmd->verb ? " " : "",
			cmd->verb ? cmd->verb : "");
		n = printf("  %-16s", words);
		print_wrapped(cmd->help, 20, n);
	}
	printf("\nMore: vswitchctl help NOUN [VERB], man vswitchctl\n");
}

/* ---- the manual page ---- */

/* A hyphen that is to be copied and a backslash need escapes; `text` is bold. */
static void
roff_text(const char *text)
{
	bool bold = false;

	for (; *text; text++) {
		if (*text == '`')
			printf("%s", (bold = !bold) ? "\\fB" : "\\fR");
		else if (*text == '-')
			printf("\\-");
		else if (*text == '\\')
			printf("\\e");
		else if (strncmp(text, "\n\n", 2) == 0)
			printf("\n.PP\n"), text++;
		else
			putchar(*text);
	}
}

static void
roff_usage(const struct cmd *cmd)
{
	printf("\\fB%s%s%s\\fR", cmd->noun, cmd->verb ? " " : "", cmd->verb ? cmd->verb : "");
	if (cmd->options)
		printf(" [\\fIOPTION\\fR]...");
	for (const struct cmd_arg *arg = cmd->args; arg && arg->name; arg++)
		printf(" %s\\fI%s\\fR%s%s", arg->optional ? "[" : "", arg->name, arg->optional ? "]" : "",
			arg->many ? "..." : "");
	printf("\n");
}

static void
roff_choices(const char *const *choices)
{
	for (const char *const *choice = choices; *choice; choice++)
		printf("%s\\fB%s\\fR", choice == choices ? "" : ", ", *choice);
}

static void
roff_command(const struct cmd *cmd)
{
	printf(".SS ");
	roff_usage(cmd);
	putchar(toupper((unsigned char)cmd->help[0]));
	roff_text(cmd->help + 1);
	if (cmd->verb && cmd->plain)
		printf(" (\\fB%s\\fR alone does the same)", cmd->noun);
	printf(".\n");
	for (const struct cmd_arg *arg = cmd->args; arg && arg->name; arg++) {
		if (!arg->choices)
			continue;
		printf("\\fI%s\\fR is one of ", arg->name);
		roff_choices(arg->choices);
		printf(".\n");
	}
	if (cmd->more) {
		printf(".PP\n");
		roff_text(cmd->more);
		printf("\n");
	}
	for (const struct cmd_option *option = cmd->options; option && option->name; option++) {
		printf(".TP\n\\fB\\-\\-");
		roff_text(option->name);
		printf("\\fR");
		if (option->value)
			printf(" \\fI%s\\fR", option->value);
		printf("\n");
		roff_text(option->help);
		printf("\n");
	}
}

enum cmd_status
help_show(const struct cmd_call *call)
{
	const char *noun = cmd_arg(call, 0), *verb = cmd_arg(call, 1);
	const struct cmd *cmd;

	if (cmd_option(call, "man")) {
		for (cmd = cmd_table; cmd->noun; cmd++)
			roff_command(cmd);
		return CMD_OK;
	}
	if (!noun) {
		help_overview();
		return CMD_OK;
	}
	if (!cmd_is_noun(noun))
		return cmd_unknown_noun(noun);
	if (!verb) {
		help_noun(noun);
		return CMD_OK;
	}
	cmd = cmd_find(noun, verb);
	if (!cmd)
		return cmd_unknown_verb(noun, verb);
	help_command(cmd);
	return CMD_OK;
}
