/* SPDX-License-Identifier: BSD-3-Clause */
/** @file A connection to the daemon: JSON-RPC 2.0, one request at a time. */
#ifndef VSWITCHCTL_CLIENT_H
#define VSWITCHCTL_CLIENT_H

#include <jansson.h>

#include "cmd.h"

#define CLIENT_SOCKET_DEFAULT "/run/vswitchd/vswitchd.sock"

struct client;

/** @param timeout_s  for each answer; @param quiet  no messages. @return NULL after a message. */
struct client *client_open(const char *path, unsigned int timeout_s, bool quiet);
void client_close(struct client *client);

/**
 * Calls a method and waits for its answer.
 *
 * @param params  consumed; NULL: none
 * @param result  gets a new reference
 * @return CMD_OK, or after a message CMD_REFUSED or CMD_NO_CONNECTION
 */
enum cmd_status client_call(struct client *client, const char *method, json_t *params,
	json_t **result);

/** The connection, for a method after whose answer it is a stream of something else. */
int client_fd(const struct client *client);
/** Reads what came behind the last answer, then from the connection. As read(). */
ssize_t client_read(struct client *client, void *buf, size_t size);

/** Opens, calls, closes. */
enum cmd_status call_method(const struct cmd_call *call, const char *method, json_t *params,
	json_t **result);

/** As call_method(), for a method that only changes something: prints nothing, or with -j its result. */
enum cmd_status call_and_print(const struct cmd_call *call, const char *method, json_t *params);

/** Prints a value as one line and frees it; returns CMD_OK. */
enum cmd_status print_json(json_t *value);

#endif /* VSWITCHCTL_CLIENT_H */
