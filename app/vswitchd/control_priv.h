/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Between the parts of the control socket: the socket (control.c), its clients (control_client.c),
 * requests and methods (control_method.c).
 */
#ifndef VSWITCHD_CONTROL_PRIV_H
#define VSWITCHD_CONTROL_PRIV_H

#include "control.h"

/* Limits, told in docs/control-protocol.md. */
#define REQUEST_LEN_MAX (1u << 20)
#define REQUEST_DEPTH_MAX 32
#define BATCH_MAX 256
#define CLIENTS_MAX 64
#define CLIENT_WRITE_TIMEOUT_S 30
/* With more than that unread, a client's next requests wait. */
#define OUTPUT_MAX (1u << 20)

enum rpc_error {
	RPC_PARSE = -32700,
	RPC_INVALID_REQUEST = -32600,
	RPC_NO_METHOD = -32601,
	RPC_INTERNAL = -32603,
};

struct control_request {
	const char *no_take;  /* why the connection cannot be taken over; NULL: it can */
	control_taken *taken; /* set by control_take_fd() */
	void *taken_arg;
};

/** A new client; the descriptor is taken over. */
void control_client_new(struct event_base *base, int fd);
void control_clients_drop(void);

/**
 * Carries out a request or a batch.
 * @return the answer, or NULL: there is none to be sent
 */
json_t *control_answer(struct control_request *req, const json_t *message);

/** An answer that tells an error; @p id may be NULL. */
json_t *control_error(const json_t *id, int code, const char *text);

#endif /* VSWITCHD_CONTROL_PRIV_H */
