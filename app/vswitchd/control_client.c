/* SPDX-License-Identifier: BSD-3-Clause */
/* Clients of the control socket: bytes to requests, answers to bytes. */
#include <errno.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "control_priv.h"
#include "log.h"

/* How far the search for the end of the request that the input begins with has come. */
struct scan {
	size_t pos;
	unsigned int depth;
	bool in_string;
	bool escaped;
};

struct client {
	TAILQ_ENTRY(client) link;
	struct bufferevent *bev;
	struct scan scan;
	bool closing; /* once what is written has been read */
};

static TAILQ_HEAD(, client) clients = TAILQ_HEAD_INITIALIZER(clients);
static unsigned int nb_clients;

static void
client_free(struct client *client)
{
	TAILQ_REMOVE(&clients, client, link);
	nb_clients--;
	bufferevent_free(client->bev);
	free(client);
}

void
control_clients_drop(void)
{
	struct client *client;

	while ((client = TAILQ_FIRST(&clients)) != NULL)
		client_free(client);
}

static size_t
unread(const struct client *client)
{
	return evbuffer_get_length(bufferevent_get_output(client->bev));
}

/* No more requests; ends when the client has read the answers. */
static void
client_close(struct client *client)
{
	client->closing = true;
	bufferevent_disable(client->bev, EV_READ);
}

/* An answer as one line for free(). */
static char *
to_line(json_t *answer, size_t *len)
{
	char *text = json_dumps(answer, JSON_COMPACT), *line;

	json_decref(answer);
	if (text == NULL)
		return NULL;
	*len = strlen(text) + 1;
	line = realloc(text, *len + 1);
	if (line == NULL) {
		free(text);
		return NULL;
	}
	line[*len - 1] = '\n';
	return line;
}

static void
free_line(const void *data, size_t len, void *arg)
{
	(void)len;
	(void)arg;
	free((void *)data);
}

static void
send_answer(struct client *client, json_t *answer)
{
	size_t len;
	char *line = to_line(answer, &len);

	if (line == NULL || evbuffer_add_reference(bufferevent_get_output(client->bev), line, len,
		free_line, NULL) != 0) {
		log_err(CONTROL, "out of memory for an answer: client dropped");
		free(line);
		client_close(client);
	}
}

static void
fail(struct client *client, const char *text)
{
	send_answer(client, control_error(NULL, RPC_PARSE, text));
	client_close(client);
}

/* Leaves a taken-over connection to its new owner. The output is empty: see control_take_fd(). */
static void
hand_over(struct client *client, const struct control_request *req, json_t *answer)
{
	int fd = bufferevent_getfd(client->bev);
	size_t len = 0;
	char *line = to_line(answer, &len);
	bool sent;

	bufferevent_disable(client->bev, EV_READ | EV_WRITE);
	sent = line != NULL && send(fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
	free(line);
	if (sent)
		bufferevent_setfd(client->bev, -1); /* or it would be closed */
	client_free(client);
	req->taken(sent ? fd : -1, req->taken_arg);
}

/* Takes one byte into account. @return whether it ends the request */
static bool
scan_byte(struct scan *scan, char c)
{
	if (scan->in_string) {
		if (scan->escaped)
			scan->escaped = false;
		else if (c == '\\')
			scan->escaped = true;
		else if (c == '"')
			scan->in_string = false;
		return false;
	}
	if (c == '"')
		scan->in_string = true;
	else if (c == '{' || c == '[')
		scan->depth++;
	else if (c == '}' || c == ']')
		return --scan->depth == 0;
	return false;
}

static void
skip_blanks(struct evbuffer *input)
{
	size_t n = 0;
	char block[256];
	ev_ssize_t got;

	while (n == 0 && (got = evbuffer_copyout(input, block, sizeof(block))) > 0) {
		while (n < (size_t)got && isspace((unsigned char)block[n]))
			n++;
		evbuffer_drain(input, n);
		n = n == (size_t)got ? 0 : 1;
	}
}

/*
 * Length of the request that the input begins with: a JSON object or array, found by its brackets,
 * so that requests need no other mark between them. @return 0: not all there yet, or the client has
 * failed
 */
static size_t
next_request(struct client *client)
{
	struct evbuffer *input = bufferevent_get_input(client->bev);
	struct scan *scan = &client->scan;
	struct evbuffer_ptr at;
	char block[4096];
	ev_ssize_t got, i;

	if (scan->pos == 0)
		skip_blanks(input);
	while (scan->pos < evbuffer_get_length(input)) {
		evbuffer_ptr_set(input, &at, scan->pos, EVBUFFER_PTR_SET);
		got = evbuffer_copyout_from(input, &at, block, sizeof(block));
		if (got <= 0)
			break;
		if (scan->pos == 0 && block[0] != '{' && block[0] != '[') {
			fail(client, "this is not JSON-RPC: a request begins with '{'");
			return 0;
		}
		for (i = 0; i < got; i++) {
			bool ends = scan_byte(scan, block[i]);

			scan->pos++;
			if (scan->depth > REQUEST_DEPTH_MAX) {
				fail(client, "the request is nested too deeply; at most 32 levels");
				return 0;
			}
			if (scan->pos > REQUEST_LEN_MAX) {
				fail(client, "the request is too long; at most 1 MiB");
				return 0;
			}
			if (ends)
				return scan->pos;
		}
	}
	return 0;
}

/* @return whether the client is still there */
static bool
serve(struct client *client, size_t len)
{
	struct evbuffer *input = bufferevent_get_input(client->bev);
	struct control_request req = { .no_take = NULL };
	json_error_t error;
	json_t *message, *answer;

	memset(&client->scan, 0, sizeof(client->scan));
	message = json_loadb((const char *)evbuffer_pullup(input, len), len, JSON_REJECT_DUPLICATES,
		&error);
	evbuffer_drain(input, len);
	if (message == NULL) {
		char text[256];

		snprintf(text, sizeof(text), "this is not JSON: %s (byte %d)", error.text,
			error.position);
		fail(client, text);
		return true;
	}
	if (unread(client) > 0)
		req.no_take = "earlier answers have not been read yet";
	answer = control_answer(&req, message);
	json_decref(message);
	if (req.taken != NULL) {
		hand_over(client, &req, answer);
		return false;
	}
	if (answer != NULL)
		send_answer(client, answer);
	return true;
}

/* Serves what is there, but not faster than the answers are read. */
static void
work(struct client *client)
{
	size_t len;

	while (!client->closing && unread(client) < OUTPUT_MAX) {
		len = next_request(client);
		if (len == 0)
			break;
		if (!serve(client, len))
			return;
	}
	if (client->closing && unread(client) == 0) {
		client_free(client);
		return;
	}
	if (client->closing)
		return;
	if (unread(client) < OUTPUT_MAX)
		bufferevent_enable(client->bev, EV_READ);
	else
		bufferevent_disable(client->bev, EV_READ);
}

static void
readable(struct bufferevent *bev, void *arg)
{
	(void)bev;
	work(arg);
}

static void
written(struct bufferevent *bev, void *arg)
{
	(void)bev;
	work(arg);
}

static void
event(struct bufferevent *bev, short what, void *arg)
{
	struct client *client = arg;

	(void)bev;
	if (what & BEV_EVENT_TIMEOUT)
		log_warning(CONTROL, "a client has not read its answers for %d seconds: dropped",
			CLIENT_WRITE_TIMEOUT_S);
	/* A client may close its sending half and still wait for the answers. */
	if ((what & BEV_EVENT_EOF) && unread(client) > 0) {
		client_close(client);
		return;
	}
	client_free(client);
}

static void
refuse_client(int fd)
{
	json_t *error = control_error(NULL, -EBUSY, "too many clients of the control socket; try again later");
	size_t len = 0;
	char *line = to_line(error, &len);

	if (line != NULL && send(fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_debug(CONTROL, "client refused: %s", strerror(errno));
	free(line);
	close(fd);
}

void
control_client_new(struct event_base *base, int fd)
{
	static const struct timeval write_timeout = { .tv_sec = CLIENT_WRITE_TIMEOUT_S };
	struct client *client;

	if (nb_clients >= CLIENTS_MAX) {
		log_warning(CONTROL, "client refused: there are %d already", CLIENTS_MAX);
		refuse_client(fd);
		return;
	}
	client = calloc(1, sizeof(*client));
	if (client != NULL)
		client->bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (client == NULL || client->bev == NULL) {
		log_err(CONTROL, "out of memory for a client");
		free(client);
		close(fd);
		return;
	}
	TAILQ_INSERT_TAIL(&clients, client, link);
	nb_clients++;
	bufferevent_setcb(client->bev, readable, written, event, client);
	bufferevent_set_timeouts(client->bev, NULL, &write_timeout);
	bufferevent_enable(client->bev, EV_READ | EV_WRITE);
}
