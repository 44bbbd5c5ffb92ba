/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"

/* The daemon works for a moment when it adds a port; it never works longer than this. */
#define TIMEOUT_S 60
/* A list of a million addresses is some 100 MiB. */
#define ANSWER_MAX (256u << 20)

struct client {
	int fd;
	bool quiet;
	const char *path;
	char *buf; /* received, not used yet */
	size_t used, size;
};

static enum cmd_status
no_connection(const struct client *client, const char *what)
{
	if (client->quiet)
		return CMD_NO_CONNECTION;
	return cmd_error(CMD_NO_CONNECTION, "%s: %s", client->path, what);
}

static void
explain_connect(const struct client *client, int error)
{
	const char *cure = "";

	if (error == ENOENT || error == ECONNREFUSED)
		cure = ". Is vswitchd running? Does it use another socket (option -s)?";
	else if (error == EACCES || error == EPERM)
		cure = ". The socket is for root and for its group (vswitchd.yaml: control: group)";
	if (!client->quiet)
		cmd_error(CMD_NO_CONNECTION, "cannot connect to vswitchd at %s: %s%s", client->path,
			strerror(error), cure);
}

static int
connect_to(const char *path, unsigned int timeout_s)
{
	const struct timeval timeout = {.tv_sec = timeout_s};
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd, saved;

	if (strlen(path) >= sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

struct client *
client_open(const char *path, unsigned int timeout_s, bool quiet)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	client->path = path;
	client->quiet = quiet;
	client->fd = connect_to(path, timeout_s);
	if (client->fd < 0) {
		explain_connect(client, errno);
		free(client);
		return NULL;
	}
	return client;
}

void
client_close(struct client *client)
{
	if (!client)
		return;
	close(client->fd);
	free(client->buf);
	free(client);
}

int
client_fd(const struct client *client)
{
	return client->fd;
}

ssize_t
client_read(struct client *client, void *buf, size_t size)
{
	size_t n = client->used < size ? client->used : size;

	if (n == 0)
		return recv(client->fd, buf, size, 0);
	memcpy(buf, client->buf, n);
	memmove(client->buf, client->buf + n, client->used - n);
	client->used -= n;
	return (ssize_t)n;
}

static enum cmd_status
send_request(struct client *client, const char *method, json_t *params)
{
	json_t *request = json_pack("{s:s, s:i, s:s, s:o*}", "jsonrpc", "2.0", "id", 1, "method", method,
		"params", params);
	char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	size_t len = text ? strlen(text) : 0, sent = 0;

	json_decref(request);
	if (!text)
		return cmd_error(CMD_REFUSED, "the request is no valid UTF-8");
	text[len++] = '\n'; /* in place of the final zero */
	while (sent < len) {
		ssize_t n = send(client->fd, text + sent, len - sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		sent += (size_t)n;
	}
	free(text);
	/* What could not be sent may have been answered already: the answer tells more. */
	return sent == len || errno == EPIPE ? CMD_OK : no_connection(client, strerror(errno));
}

static enum cmd_status
receive_more(struct client *client)
{
	ssize_t n;

	if (client->used == client->size) {
		size_t size = client->size ? client->size * 2 : 65536;
		char *buf = size <= ANSWER_MAX ? realloc(client->buf, size) : NULL;

		if (!buf)
			return no_connection(client, "the answer is too long");
		client->buf = buf;
		client->size = size;
	}
	do
		n = recv(client->fd, client->buf + client->used, client->size - client->used, 0);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return no_connection(client, "vswitchd closed the connection before it answered");
	if (n < 0 && errno == EAGAIN)
		return no_connection(client, "vswitchd is there but does not answer");
	if (n < 0)
		return no_connection(client, strerror(errno));
	client->used += (size_t)n;
	return CMD_OK;
}

/* Receives one line and parses it; what came behind it stays in the buffer. */
static enum cmd_status
receive_answer(struct client *client, json_t **answer)
{
	size_t looked = 0;
	json_error_t error;
	char *end;

	for (;;) {
		enum cmd_status status;

		end = client->buf ? memchr(client->buf + looked, '\n', client->used - looked) : NULL;
		if (end)
			break;
		looked = client->used;
		status = receive_more(client);
		if (status != CMD_OK)
			return status;
	}
	*answer = json_loadb(client->buf, (size_t)(end - client->buf), JSON_ALLOW_NUL, &error);
	end++;
	client->used -= (size_t)(end - client->buf);
	memmove(client->buf, end, client->used);
	if (!*answer)
		return no_connection(client, "the answer is no JSON: is this vswitchd's control socket?");
	return CMD_OK;
}

enum cmd_status
client_call(struct client *client, const char *method, json_t *params, json_t **result)
{
	enum cmd_status status;
	json_t *answer, *error;

	status = send_request(client, method, params);
	if (status == CMD_OK)
		status = receive_answer(client, &answer);
	if (status != CMD_OK)
		return status;
	error = json_object_get(answer, "error");
	*result = json_incref(json_object_get(answer, "result"));
	if (error || !*result) {
		const char *text = json_string_value(json_object_get(error, "message"));

		json_decref(*result);
		*result = NULL;
		status = CMD_REFUSED;
		if (!client->quiet)
			cmd_error(status, "%s", text ? text : "vswitchd refused and does not say why");
	}
	json_decref(answer);
	return status;
}

enum cmd_status
call_method(const struct cmd_call *call, const char *method, json_t *params, json_t **result)
{
	struct client *client = client_open(call->socket, TIMEOUT_S, false);
	enum cmd_status status;

	if (!client) {
		json_decref(params);
		return CMD_NO_CONNECTION;
	}
	status = client_call(client, method, params, result);
	client_close(client);
	return status;
}

enum cmd_status
print_json(json_t *value)
{
	json_dumpf(value, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
	putchar('\n');
	json_decref(value);
	return CMD_OK;
}

enum cmd_status
call_and_print(const struct cmd_call *call, const char *method, json_t *params)
{
	json_t *result;
	enum cmd_status status = call_method(call, method, params, &result);

	if (status != CMD_OK)
		return status;
	if (call->json)
		return print_json(result);
	json_decref(result);
	return CMD_OK;
}
