/* SPDX-License-Identifier: BSD-3-Clause */
/* capture.start: the connection that asks for it becomes the stream of the capture. */
#include <errno.h>
#include <string.h>
#include <sys/queue.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "capture.h"
#include "control.h"
#include "log.h"
#include "rpc.h"
#include "switch.h"

#define SNAPLEN_DEFAULT 262144
/* How often captures are looked at whose reader may have gone. */
#define LOOK_US 50000

struct running {
	LIST_ENTRY(running) link;
	struct capture *cap;
	bool attached; /* to its port */
	char port[NAME_LEN + 1];
};

static LIST_HEAD(, running) captures = LIST_HEAD_INITIALIZER(captures);
static struct event *look_timer; /* there while there are captures */

static int
attach(struct running *run, struct error *err)
{
	int ret = switch_port_set_capture(run->port, run->cap, err);

	run->attached = ret == 0;
	return ret;
}

static void
finish(struct running *run)
{
	struct error ignored;

	/* A port that is gone has no capture any more: as good. */
	if (run->attached)
		(void)switch_port_set_capture(run->port, NULL, &ignored);
	run->attached = false;
	capture_finish(run->cap);
}

static void
capture_forget(struct running *run)
{
	finish(run);
	capture_close(run->cap, NULL);
	LIST_REMOVE(run, link);
	free(run);
	if (LIST_EMPTY(&captures) && look_timer) {
		event_free(look_timer);
		look_timer = NULL;
	}
}

static void
look(evutil_socket_t fd, short what, void *arg)
{
	struct running *run, *next;

	(void)fd;
	(void)what;
	(void)arg;
	for (run = LIST_FIRST(&captures); run; run = next) {
		next = LIST_NEXT(run, link);
		if (capture_ended(run->cap))
			finish(run);
		if (capture_finished(run->cap))
			capture_forget(run);
	}
}

static int
start_looking(struct error *err)
{
	const struct timeval interval = {.tv_usec = LOOK_US};

	if (look_timer)
		return 0;
	look_timer = event_new(control_event_base(), -1, EV_PERSIST, look, NULL);
	if (look_timer && event_add(look_timer, &interval) == 0)
		return 0;
	if (look_timer)
		event_free(look_timer);
	look_timer = NULL;
	return error_set(err, -ENOMEM, "no memory for a timer");
}

/* The answer is written: what follows on the connection is pcapng. */
static void
connection_taken(int fd, void *arg)
{
	struct running *run = arg;
	struct error err;

	if (fd < 0) {
		capture_forget(run);
		return;
	}
	if (capture_run(run->cap, fd, &err) < 0) {
		log_err(CAPTURE, "%s", err.text);
		close(fd);
		capture_forget(run);
	}
}

static uint32_t
directions(const char *text)
{
	if (!text || strcmp(text, "both") == 0)
		return CAPTURE_IN | CAPTURE_OUT;
	return strcmp(text, "in") == 0 ? CAPTURE_IN : CAPTURE_OUT;
}

static int
capture_start(struct control_request *req, const json_t *params, json_t **result,
	struct error *err)
{
	const struct capture_conf conf = {
		.port = control_string(params, "port"),
		.directions = directions(control_string(params, "direction")),
		.filter = control_string(params, "filter"),
		.snaplen = (uint32_t)control_uint(params, "snaplen", SNAPLEN_DEFAULT),
	};
	struct running *run;
	int ret;

	run = calloc(1, sizeof(*run));
	if (!run)
		return error_set(err, -ENOMEM, "no memory for a capture");
	ret = capture_open(&conf, &run->cap, err);
	if (ret < 0) {
		free(run);
		return ret;
	}
	strncpy(run->port, conf.port, NAME_LEN);
	LIST_INSERT_HEAD(&captures, run, link);
	ret = attach(run, err);
	if (ret == 0)
		ret = start_looking(err);
	if (ret == 0)
		ret = control_take_fd(req, connection_taken, run, err);
	if (ret < 0) {
		capture_forget(run);
		return ret;
	}
	*result = json_pack("{s:s, s:s, s:I}", "format", "pcapng", "port", conf.port, "snaplen",
		(json_int_t)conf.snaplen);
	return 0;
}

void
rpc_capture_port_gone(const char *port)
{
	struct running *run;

	LIST_FOREACH(run, &captures, link)
		if (strcmp(run->port, port) == 0)
			finish(run);
}

void
rpc_capture_stop(void)
{
	struct running *run;

	/* All at once first, so that they share the time that each may take. */
	LIST_FOREACH(run, &captures, link)
		finish(run);
	while ((run = LIST_FIRST(&captures)) != NULL)
		capture_forget(run);
}

void
rpc_capture_register(void)
{
	static const char *const direction_names[] = {"in", "out", "both", NULL};
	static const struct control_param params[] = {
		{"port", CONTROL_STRING, true, 0, NAME_LEN, NULL},
		{"direction", CONTROL_STRING, false, 0, 0, direction_names},
		{"filter", CONTROL_STRING, false, 0, 4096, NULL},
		{"snaplen", CONTROL_UINT, false, 64, 262144, NULL},
		{NULL, 0, false, 0, 0, NULL},
	};
	static const struct control_method methods[] = {
		{"capture.start", "capture a port; the connection becomes a pcapng stream", capture_start,
			params, false},
		{NULL, NULL, NULL, NULL, false},
	};

	control_register(methods);
}
