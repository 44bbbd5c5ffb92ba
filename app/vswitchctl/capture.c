/* SPDX-License-Identifier: BSD-3-Clause */
/* port capture: the daemon's stream into a file or pipe */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client.h"
#include "handlers.h"
#include "stream.h"

/* The daemon answers at once, and after the end writes what is left within a second or so. */
#define TIMEOUT_S 10
#define CLOSING_MS 5000

struct capture {
	const char *port;
	const char *file;
	struct client *client;
	int out;            /* -1: nothing can be written any more */
	size_t write_max;   /* what the output takes at once without waiting */
	int error;          /* errno of the output; a reader that went away is none */
	int signals;        /* signalfd */
	bool signalled;
	bool given_up;
	bool ending;        /* we asked for the end */
	struct stream stream;
};

static bool
catch_signals(struct capture *cap)
{
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	signal(SIGPIPE, SIG_IGN);
	cap->signals = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
	return cap->signals >= 0;
}

/* Asks the daemon to end: it writes what is left and the closing statistics. */
static void
ask_for_end(struct capture *cap)
{
	if (cap->ending)
		return;
	cap->ending = true;
	shutdown(client_fd(cap->client), SHUT_WR);
}

static void
output_failed(struct capture *cap, int error)
{
	if (error != EPIPE)
		cap->error = error;
	cap->out = -1;
	ask_for_end(cap);
}

/* The first signal asks the daemon for the end, the second one gives up. */
static void
take_signals(struct capture *cap)
{
	struct signalfd_siginfo info;

	while (read(cap->signals, &info, sizeof(info)) == sizeof(info)) {
		if (cap->signalled)
			cap->out = -1;
		cap->given_up = cap->signalled;
		cap->signalled = true;
		ask_for_end(cap);
	}
}

static void
write_out(struct capture *cap, const uint8_t *data, size_t len)
{
	while (len > 0 && cap->out >= 0) {
		struct pollfd fds[2] = {
			{.fd = cap->out, .events = POLLOUT},
			{.fd = cap->signals, .events = POLLIN},
		};
		ssize_t n;

		(void)poll(fds, 2, -1);
		if (fds[1].revents)
			take_signals(cap);
		if (!fds[0].revents || cap->out < 0)
			continue;
		n = write(cap->out, data, len < cap->write_max ? len : cap->write_max);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			output_failed(cap, errno);
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
}

/*
 * Waits for more of the stream, with an eye on the output: on a quiet port nothing is written that could tell
 * that its reader has gone. Returns false if nothing comes any more.
 */
static bool
wait_for_data(struct capture *cap)
{
	struct pollfd fds[3] = {
		{.fd = client_fd(cap->client), .events = POLLIN},
		{.fd = cap->out, .events = 0},
		{.fd = cap->signals, .events = POLLIN},
	};

	if (poll(fds, 3, cap->ending ? CLOSING_MS : -1) == 0)
		return false;
	if (fds[1].revents & (POLLERR | POLLHUP))
		output_failed(cap, EPIPE);
	return true;
}

/* Receives and writes until the daemon closes the connection. Returns false if the stream is damaged. */
static bool
copy_stream(struct capture *cap)
{
	while (!cap->given_up) {
		const uint8_t *blocks;
		uint8_t *room;
		size_t size;
		ssize_t n;

		take_signals(cap);
		room = stream_room(&cap->stream, &size);
		n = client_read(cap->client, room, size);
		if (n < 0 && errno == EAGAIN && wait_for_data(cap))
			continue;
		if (n <= 0)
			return true;
		stream_added(&cap->stream, (size_t)n);
		if (!stream_take(&cap->stream, &blocks, &size))
			return false;
		write_out(cap, blocks, size);
		stream_taken(&cap->stream);
		if (cap->stream.packets == cap->stream.limit)
			ask_for_end(cap);
	}
	return true;
}

static enum cmd_status
start(const struct cmd_call *call, struct capture *cap)
{
	static const char *const texts[] = {"direction", "filter"};
	json_t *params = json_pack("{s:s}", "port", cap->port), *result;
	enum cmd_status status;
	int flags;

	for (size_t i = 0; i < 2; i++)
		if (cmd_option(call, texts[i]))
			json_object_set_new(params, texts[i], json_string(cmd_option(call, texts[i])));
	if (cmd_option(call, "snaplen"))
		json_object_set_new(params, "snaplen",
			json_integer((json_int_t)cmd_number(call, "snaplen", 0)));
	status = client_call(cap->client, "capture.start", params, &result);
	if (status != CMD_OK)
		return status;
	json_decref(result);
	flags = fcntl(client_fd(cap->client), F_GETFL);
	fcntl(client_fd(cap->client), F_SETFL, flags | O_NONBLOCK);
	return CMD_OK;
}

static enum cmd_status
terminal(void)
{
	return cmd_error(CMD_USAGE, "a capture is binary and not for a terminal: name a file, or pipe it, as in "
		"vswitchctl port capture NAME - | tshark -i -");
}

/* Opens the output; the file is made only now that the daemon has agreed. */
static enum cmd_status
open_output(struct capture *cap)
{
	struct stat st;

	if (strcmp(cap->file, "-") == 0)
		cap->out = STDOUT_FILENO;
	else
		cap->out = open(cap->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (cap->out < 0 || fstat(cap->out, &st) < 0)
		return cmd_error(CMD_REFUSED, "cannot open %s: %s", cap->file, strerror(errno));
	/* A pipe that is ready takes this much at once; a longer write would wait, deaf to signals. */
	cap->write_max = S_ISREG(st.st_mode) ? SIZE_MAX : PIPE_BUF;
	return isatty(cap->out) ? terminal() : CMD_OK;
}

static enum cmd_status
report(const struct capture *cap, bool whole)
{
	const struct stream *stream = &cap->stream;

	if (cap->error != 0)
		return cmd_error(CMD_REFUSED, "cannot write %s: %s; %" PRIu64 " frames had come until then",
			cap->file, strerror(cap->error), stream->packets);
	if (!whole)
		return cmd_error(CMD_REFUSED, "what vswitchd sent is no capture; %" PRIu64 " frames were written",
			stream->packets);
	if (!stream->closed && !cap->ending)
		return cmd_error(CMD_NO_CONNECTION, "%" PRIu64 " frames captured, then vswitchd went away",
			stream->packets);
	if (!cap->ending)
		fprintf(stderr, "vswitchctl: vswitchd has ended the capture: port '%s' was deleted, or the "
			"daemon stopped\n", cap->port);
	if (stream->closed)
		fprintf(stderr, "%" PRIu64 " frames captured, %" PRIu64 " could not be kept\n",
			stream->packets, stream->dropped);
	else
		fprintf(stderr, "%" PRIu64 " frames captured\n", stream->packets);
	return CMD_OK;
}

static enum cmd_status
run(const struct cmd_call *call, struct capture *cap)
{
	enum cmd_status status;
	bool whole;

	status = start(call, cap);
	if (status == CMD_OK)
		status = open_output(cap);
	if (status != CMD_OK)
		return status;
	if (!catch_signals(cap))
		return cmd_error(CMD_REFUSED, "cannot wait for signals: %s", strerror(errno));
	whole = copy_stream(cap);
	if (cap->out > STDERR_FILENO && close(cap->out) < 0 && cap->error == 0)
		cap->error = errno;
	return report(cap, whole);
}

enum cmd_status
port_capture(const struct cmd_call *call)
{
	struct capture cap = {.port = cmd_arg(call, 0), .file = cmd_arg(call, 1), .out = -1};
	enum cmd_status status;

	if (cmd_option(call, "count") && cmd_number(call, "count", 0) == 0)
		return cmd_error(CMD_USAGE, "--count is at least 1");
	if (strcmp(cap.file, "-") == 0 && isatty(STDOUT_FILENO))
		return terminal();
	if (!stream_init(&cap.stream, cmd_number(call, "count", UINT64_MAX)))
		return cmd_error(CMD_REFUSED, "no memory");
	cap.client = client_open(call->socket, TIMEOUT_S, false);
	status = cap.client ? run(call, &cap) : CMD_NO_CONNECTION;
	client_close(cap.client);
	stream_free(&cap.stream);
	return status;
}
