/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "capture.h"
#include "capture_filter.h"
#include "capture_ring.h"
#include "log.h"
#include "pcapng.h"

/* What a capture may hold while its reader is slow; about 10 ms at 10 Gbit/s. */
#define RING_BYTES (16u << 20)
/* Bounds the memory of all captures. */
#define CAPTURES_MAX 32
#define SNAPLEN_MIN 64
#define SNAPLEN_MAX 262144
/* How often the thread looks for frames: the packet path makes no system call to wake it. */
#define LOOK_MS 1
/* What is left at the end has to be taken within this time. */
#define FINISH_MS 1000
#define WRITE_MAX (256u << 10)
/* Section or interface block: three texts of 1 KiB at most, and their surroundings. */
#define HEAD_MAX 4096

struct capture {
	char *port;
	char *filter_text;
	uint32_t directions;
	uint32_t snaplen;
	struct capture_filter *filter; /* NULL: everything */
	struct capture_ring *ring;
	uint64_t dropped;              /* written by polling cores */

	bool running;    /* there is a thread */
	pthread_t thread;
	int fd;          /* the thread's */
	int wake;        /* eventfd: look at finish */
	bool finish;     /* written by main */
	bool finished;   /* written by the thread, like all below */
	bool ended;
	bool gone;       /* nothing can be written any more */
	uint64_t captured;
	uint64_t start_ns;
	uint64_t deadline_ms; /* once finish was seen: when to give up */
};

static uint32_t nb_captures;

static uint64_t
clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* ---- packet path ---- */

static void
keep_frame(struct capture *cap, uint32_t direction, const struct offload_frame *f, uint64_t now)
{
	const uint32_t len = capture_frame_len(f);
	const struct pcapng_packet packet = {
		.time_ns = now,
		.caplen = len < cap->snaplen ? len : cap->snaplen,
		.len = len,
		.direction = direction == CAPTURE_IN ? PCAPNG_INBOUND : PCAPNG_OUTBOUND,
	};
	uint8_t *block = capture_ring_reserve(cap->ring, pcapng_packet_size(packet.caplen));

	if (!block) {
		__atomic_fetch_add(&cap->dropped, 1, __ATOMIC_RELAXED);
		return;
	}
	capture_frame_copy(f, pcapng_packet_begin(block, &packet), packet.caplen);
	pcapng_packet_publish(block);
}

void
capture_frames(struct capture *cap, uint32_t direction, struct offload_frame *const *frames,
	uint32_t n)
{
	uint64_t now = 0;

	if (!(cap->directions & direction))
		return;
	for (uint32_t i = 0; i < n; i++) {
		if (cap->filter && !capture_filter_match(cap->filter, frames[i]))
			continue;
		if (now == 0)
			now = clock_ns(CLOCK_REALTIME);
		keep_frame(cap, direction, frames[i], now);
	}
}

/* ---- the thread that writes ---- */

/* Whether the end has been asked for; from then on time runs. */
static bool
finishing(struct capture *cap)
{
	if (cap->deadline_ms != 0)
		return true;
	if (!__atomic_load_n(&cap->finish, __ATOMIC_ACQUIRE))
		return false;
	cap->deadline_ms = clock_ns(CLOCK_MONOTONIC) / 1000000 + FINISH_MS;
	return true;
}

static void
reader_gone(struct capture *cap, int error)
{
	cap->gone = true;
	__atomic_store_n(&cap->ended, true, __ATOMIC_RELEASE);
	if (error == ETIMEDOUT)
		log_warning(CAPTURE, "capture of port '%s': its reader does not read, the end is lost",
			cap->port);
	else if (error != 0 && error != EPIPE && error != ECONNRESET)
		log_warning(CAPTURE, "capture of port '%s' ends: %s", cap->port, strerror(error));
}

static size_t
write_some(struct capture *cap, const uint8_t *data, size_t len)
{
	ssize_t n = write(cap->fd, data, len < WRITE_MAX ? len : WRITE_MAX);

	if (n >= 0)
		return (size_t)n;
	if (errno != EAGAIN && errno != EINTR)
		reader_gone(cap, errno);
	return 0;
}

/* How long to wait in poll(): with nothing to write until the next look, else for the reader. */
static int
wait_ms(struct capture *cap, bool last, size_t len)
{
	uint64_t now;

	if (!last)
		return len > 0 || cap->ended ? -1 : LOOK_MS;
	now = clock_ns(CLOCK_MONOTONIC) / 1000000;
	return now < cap->deadline_ms ? (int)(cap->deadline_ms - now) : 0;
}

/*
 * Waits, and writes what the reader takes of @p len bytes (0: waits for frames). A reader that asked for
 * the end gets the rest once capture_finish() has stopped the flow (@p last), or there might be no end.
 *
 * Returns the number of bytes written.
 */
static size_t
write_step(struct capture *cap, bool last, const uint8_t *data, size_t len)
{
	struct pollfd fds[2] = {
		{
			.fd = cap->ended && !last ? -1 : cap->fd,
			.events = (short)((len > 0 ? POLLOUT : 0) | (cap->ended ? 0 : POLLRDHUP)),
		},
		{ .fd = last ? -1 : cap->wake, .events = POLLIN },
	};
	int ready = poll(fds, 2, wait_ms(cap, last, len));

	if (ready == 0 && last)
		reader_gone(cap, ETIMEDOUT);
	if (ready <= 0)
		return 0;
	if (fds[0].revents & (POLLERR | POLLHUP | POLLNVAL)) {
		reader_gone(cap, 0);
		return 0;
	}
	if (fds[0].revents & POLLRDHUP)
		__atomic_store_n(&cap->ended, true, __ATOMIC_RELEASE);
	return fds[0].revents & POLLOUT ? write_some(cap, data, len) : 0;
}

static void
write_all(struct capture *cap, const uint8_t *data, size_t len)
{
	while (len > 0 && !cap->gone) {
		size_t n = write_step(cap, finishing(cap), data, len);

		data += n;
		len -= n;
	}
}

static void
write_head(struct capture *cap)
{
	static const char *const words[] = {"", "entering the switch", "leaving the switch",
		"both directions"};
	char os[2 * 65 + 2], text[128];
	uint8_t buf[HEAD_MAX];
	struct utsname uts;
	const struct pcapng_section section = {
		.application = "vswitchd " VMXNET3X_VERSION,
		.os = uname(&uts) == 0 ? os : NULL,
		.comment = text,
	};
	const struct pcapng_interface iface = {
		.name = cap->port,
		.description = "vmxnet3x switch port",
		.filter = cap->filter_text,
		.snaplen = cap->snaplen,
	};
	size_t len;

	if (section.os)
		snprintf(os, sizeof(os), "%s %s", uts.sysname, uts.release);
	snprintf(text, sizeof(text), "port %s, %s", cap->port, words[cap->directions]);
	len = pcapng_section_write(buf, sizeof(buf), &section);
	write_all(cap, buf, len);
	len = pcapng_interface_write(buf, sizeof(buf), &iface);
	write_all(cap, buf, len);
}

static void
write_frames(struct capture *cap)
{
	while (!cap->gone) {
		/* Before the look at the ring: nothing comes in after it. */
		const bool last = finishing(cap);
		const uint8_t *data;
		size_t len, n;

		data = capture_ring_peek(cap->ring, &len);
		if (len == 0 && last)
			return;
		n = write_step(cap, last, data, len);
		if (n > 0)
			cap->captured += capture_ring_consume(cap->ring, n);
	}
}

static void
write_tail(struct capture *cap)
{
	const uint64_t dropped = __atomic_load_n(&cap->dropped, __ATOMIC_RELAXED);
	const struct pcapng_stats stats = {
		.start_ns = cap->start_ns,
		.end_ns = clock_ns(CLOCK_REALTIME),
		.received = cap->captured + dropped,
		.dropped = dropped,
		.delivered = cap->captured,
	};
	uint8_t buf[256];

	write_all(cap, buf, pcapng_stats_write(buf, sizeof(buf), &stats));
}

static void *
capture_thread(void *arg)
{
	struct capture *cap = arg;

	write_head(cap);
	write_frames(cap);
	write_tail(cap);
	close(cap->fd);
	__atomic_store_n(&cap->finished, true, __ATOMIC_RELEASE);
	return NULL;
}

/* ---- control ---- */

static int
check_conf(const struct capture_conf *conf, struct error *err)
{
	if (conf->directions == 0 || (conf->directions & ~(CAPTURE_IN | CAPTURE_OUT)))
		return error_set(err, -EINVAL, "a capture's direction is in, out or both");
	if (conf->snaplen < SNAPLEN_MIN || conf->snaplen > SNAPLEN_MAX)
		return error_set(err, -EINVAL, "snaplen %u: allowed are %u to %u", conf->snaplen,
			SNAPLEN_MIN, SNAPLEN_MAX);
	if (nb_captures >= CAPTURES_MAX)
		return error_set(err, -EMFILE, "there are %u captures already, as many as allowed: stop one",
			nb_captures);
	return 0;
}

static void
capture_free(struct capture *cap)
{
	if (cap->wake >= 0)
		close(cap->wake);
	capture_ring_destroy(cap->ring);
	capture_filter_destroy(cap->filter);
	free(cap->filter_text);
	free(cap->port);
	free(cap);
}

static struct capture *
capture_new(const struct capture_conf *conf, struct error *err)
{
	struct capture *cap = calloc(1, sizeof(*cap));

	if (!cap)
		goto fail;
	cap->directions = conf->directions;
	cap->snaplen = conf->snaplen;
	cap->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	cap->port = strdup(conf->port);
	if (conf->filter && conf->filter[0] != '\0')
		cap->filter_text = strdup(conf->filter);
	cap->ring = capture_ring_create(RING_BYTES);
	if (cap->wake >= 0 && cap->port && cap->ring &&
	    (cap->filter_text || !conf->filter || conf->filter[0] == '\0'))
		return cap;
	capture_free(cap);
fail:
	error_set(err, -ENOMEM, "no memory for a capture (%u MiB)", RING_BYTES >> 20);
	return NULL;
}

int
capture_open(const struct capture_conf *conf, struct capture **capture, struct error *err)
{
	struct capture *cap;
	int ret;

	ret = check_conf(conf, err);
	if (ret < 0)
		return ret;
	cap = capture_new(conf, err);
	if (!cap)
		return -ENOMEM;
	if (cap->filter_text)
		ret = capture_filter_create(cap->filter_text, &cap->filter, err);
	cap->start_ns = clock_ns(CLOCK_REALTIME);
	if (ret < 0) {
		capture_free(cap);
		return ret;
	}
	nb_captures++;
	*capture = cap;
	return 0;
}

int
capture_run(struct capture *cap, int fd, struct error *err)
{
	sigset_t all, before;
	int ret;

	/* A reader that went away shows as EPIPE; the daemon's signals are for its main thread. */
	sigfillset(&all);
	cap->fd = fd;
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&cap->thread, NULL, capture_thread, cap);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (ret != 0)
		return error_set(err, -ret, "capture of port '%s': no thread: %s", cap->port, strerror(ret));
	cap->running = true;
	pthread_setname_np(cap->thread, "capture");
	log_info(CAPTURE, "capture of port '%s' starts", cap->port);
	return 0;
}

bool
capture_ended(const struct capture *cap)
{
	return __atomic_load_n(&cap->ended, __ATOMIC_ACQUIRE);
}

void
capture_finish(struct capture *cap)
{
	const uint64_t one = 1;

	if (cap->finish)
		return;
	__atomic_store_n(&cap->finish, true, __ATOMIC_RELEASE);
	(void)!write(cap->wake, &one, sizeof(one));
}

bool
capture_finished(const struct capture *cap)
{
	return !cap->running || __atomic_load_n(&cap->finished, __ATOMIC_ACQUIRE);
}

void
capture_close(struct capture *cap, struct capture_stats *stats)
{
	uint64_t dropped;

	capture_finish(cap);
	dropped = __atomic_load_n(&cap->dropped, __ATOMIC_RELAXED);
	if (cap->running) {
		pthread_join(cap->thread, NULL);
		log_info(CAPTURE, "capture of port '%s' ends: %" PRIu64 " frames, %" PRIu64
			" could not be kept", cap->port, cap->captured, dropped);
	}
	if (stats)
		*stats = (struct capture_stats){.captured = cap->captured, .dropped = dropped};
	nb_captures--;
	capture_free(cap);
}
