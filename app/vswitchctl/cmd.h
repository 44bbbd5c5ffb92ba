/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The commands: one table (cmd_table.c), from which come the parser, the help, the completion and the manual.
 */
#ifndef VSWITCHCTL_CMD_H
#define VSWITCHCTL_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CMD_ARGS_MAX 16
#define CMD_OPTIONS_MAX 24

/** Exit status. */
enum cmd_status {
	CMD_OK = 0,
	CMD_REFUSED = 1,       /**< the daemon refused, or what was asked for failed here */
	CMD_USAGE = 2,
	CMD_NO_CONNECTION = 3,
};

/** What a word stands for: tells how it is completed. */
enum cmd_kind {
	CMD_TEXT,
	CMD_NUMBER,  /**< a whole number from 0 on; checked by the parser */
	CMD_CHOICE,  /**< one of choices; checked by the parser */
	CMD_PORT,    /**< name of a port that there is */
	CMD_BRIDGE,  /**< name of a bridge that there is */
	CMD_FILE,
	CMD_COMMAND, /**< a noun or verb of this table */
	CMD_SETTING, /**< one of cmd_settings and its value: two words */
};

struct cmd_arg {
	const char *name;           /**< as in the usage line: NAME; NULL ends a list */
	enum cmd_kind kind;
	bool optional;
	bool many;                  /**< the last one: may be repeated */
	const char *const *choices; /**< ends with NULL */
};

struct cmd_option {
	const char *name;           /**< without the dashes; NULL ends a list */
	const char *value;          /**< its name in the usage line; NULL: takes none */
	enum cmd_kind kind;
	const char *const *choices;
	const char *help;
};

struct cmd_call;

struct cmd {
	const char *noun;           /**< NULL ends the table */
	const char *verb;           /**< NULL: the noun alone */
	bool plain;                 /**< the noun alone means this verb, too */
	const struct cmd_arg *args;       /**< NULL: none */
	const struct cmd_option *options; /**< NULL: none */
	const char *help;           /**< one line, no full stop */
	const char *more;           /**< sentences; paragraphs separated by an empty line; may be NULL */
	enum cmd_status (*run)(const struct cmd_call *call);
};

extern const struct cmd cmd_table[];

/** What `port set` can change. */
extern const struct cmd_option cmd_settings[];

/** A command line, understood. */
struct cmd_call {
	const struct cmd *cmd;
	const char *noun;                          /**< as it was given */
	const char *socket;                        /**< of the daemon */
	bool json;                                 /**< print the result as JSON */
	const char *args[CMD_ARGS_MAX];
	size_t nb_args;
	const char *options[CMD_OPTIONS_MAX];      /**< values in the order of cmd->options; a flag's is "" */
};

/** An argument, or NULL if it is not there. */
const char *cmd_arg(const struct cmd_call *call, size_t index);
/** The value of an option ("" for a flag), or NULL if it was not given. */
const char *cmd_option(const struct cmd_call *call, const char *name);
/** The value of a CMD_NUMBER option, or @p missing. */
uint64_t cmd_number(const struct cmd_call *call, const char *name, uint64_t missing);

/** A whole decimal number; false: it is none. */
bool cmd_parse_number(const char *text, uint64_t *value);

/** Complains unless a value is what its kind allows. */
enum cmd_status cmd_check_value(const char *what, enum cmd_kind kind, const char *const *choices,
	const char *value);

/** "vswitchctl: " and a sentence on standard error; returns @p status. */
enum cmd_status cmd_error(enum cmd_status status, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* cmd_find.c */

/** The command of a noun and a verb, or NULL. A verb of NULL finds the noun alone or its plain verb. */
const struct cmd *cmd_find(const char *noun, const char *verb);
bool cmd_is_noun(const char *noun);
/** Whether a noun has verbs (the other ones stand alone). */
bool cmd_has_verbs(const char *noun);

/** Calls @p fn for each noun, or each verb of a noun, once. */
void cmd_foreach_noun(void (*fn)(const char *noun, void *arg), void *arg);
void cmd_foreach_verb(const char *noun, void (*fn)(const char *verb, void *arg), void *arg);

/** The option of a command, or NULL; @p index gets its place. */
const struct cmd_option *cmd_find_option(const struct cmd *cmd, const char *name, size_t len,
	size_t *index);

/** Complain about a word that is none of what is allowed there, name the nearest and all. */
enum cmd_status cmd_unknown_noun(const char *word);
enum cmd_status cmd_unknown_verb(const char *noun, const char *word);
enum cmd_status cmd_unknown_option(const struct cmd *cmd, const char *word);
enum cmd_status cmd_unknown_choice(const char *what, const char *const *choices, const char *word);

/* cmd_parse.c */

/**
 * Understands a command line.
 *
 * @param words  all behind the program's name
 * @param help   set: -h or --help was among them; call->noun and call->cmd are what was met, or NULL
 * @return CMD_OK, or CMD_USAGE after a message
 */
enum cmd_status cmd_parse(int nb_words, char *const *words, struct cmd_call *call, bool *help,
	bool *version);

#endif /* VSWITCHCTL_CMD_H */
