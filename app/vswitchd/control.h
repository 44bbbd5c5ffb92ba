/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The control socket: JSON-RPC 2.0 over a Unix stream socket, served by the main thread.
 *
 * A method is an entry of a table. The socket's side checks the parameters against the method's
 * list (names, types, ranges), calls the handler, and sends what it made. docs/control-protocol.md
 * describes what goes over the wire.
 */
#ifndef VSWITCHD_CONTROL_H
#define VSWITCHD_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "error.h"

struct event_base;

/** What a handler returns, besides 0 and negative errnos, for a wrong parameter; see control_invalid(). */
#define CONTROL_INVALID_PARAMS (-32602)

/** The request that a handler is working on; valid until the handler returns. */
struct control_request;

/**
 * Answers a method.
 *
 * @param params  a JSON object, never NULL, which holds the method's parameters only, checked
 * @param result  set to a new reference (left NULL: the answer is an empty object)
 * @return 0, a negative errno with a sentence in @p err, or CONTROL_INVALID_PARAMS with one
 */
typedef int control_handler(struct control_request *req, const json_t *params, json_t **result,
	struct error *err);

enum control_type { CONTROL_STRING, CONTROL_BOOL, CONTROL_UINT };

struct control_param {
	const char *name;
	enum control_type type;
	bool required;
	uint64_t min, max;          /**< CONTROL_UINT; for CONTROL_STRING the longest length is max (0: 4096) */
	const char *const *choices; /**< CONTROL_STRING: what is allowed, NULL-terminated; NULL: anything */
};

struct control_method {
	const char *name;           /**< "noun.verb" */
	const char *help;           /**< one line */
	control_handler *handler;
	const struct control_param *params; /**< ends with a name of NULL; NULL: no parameters */
	bool any_params;            /**< the handler checks them itself; @c params is not looked at */
};

/** Adds methods to the registry; the table is kept, not copied. Ends with a name of NULL. */
void control_register(const struct control_method *methods);

/** Writes the sentence and returns CONTROL_INVALID_PARAMS. */
int control_invalid(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** A parameter that is there, or NULL (string) or @p missing. Types have been checked before. */
const char *control_string(const json_t *params, const char *name);
uint64_t control_uint(const json_t *params, const char *name, uint64_t missing);
bool control_bool(const json_t *params, const char *name, bool missing);

/**
 * What becomes of a connection that was taken over. Called on the main thread right after the
 * answer has been written, before anything else runs there: what the handler found is still true.
 *
 * @param fd  the connection, non-blocking; belongs to the callee. -1: the answer could not be written,
 *            the client is gone: only @p arg has to be freed
 */
typedef void control_taken(int fd, void *arg);

/**
 * Called by a handler that is about to succeed: once its answer is written (one line, ending with a
 * newline), the connection leaves JSON-RPC and belongs to @p fn. Bytes that the client sent behind
 * the request are dropped.
 *
 * @return 0, or -EINVAL with a sentence: not possible in a batch, for a notification, or with earlier
 *         answers still unread
 */
int control_take_fd(struct control_request *req, control_taken *fn, void *arg, struct error *err);

/** The main thread's loop, for timers and descriptors of a method's own. */
struct event_base *control_event_base(void);

/**
 * Opens the control socket. A socket file that nobody listens on is replaced, a live one refused.
 *
 * @param group  name or number of the group that may connect (mode 0660); NULL: as it comes
 */
int control_start(struct event_base *base, const char *path, const char *group, struct error *err);

/** Drops every client, removes the socket file. */
void control_stop(void);

/** Path of the socket; NULL while there is none. */
const char *control_path(void);

#endif /* VSWITCHD_CONTROL_H */
