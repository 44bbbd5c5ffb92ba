/* SPDX-License-Identifier: BSD-3-Clause */
/* Captures without a switch: frames offered from here, the stream read back from a socket or pipe. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <capture.h>
#include <capture_filter.h>
#include <capture_ring.h>
#include <log.h>
#include <pcapng.h>

void
log_line(enum log_component comp, enum log_level level, const char *fmt, ...)
{
	(void)comp;
	(void)level;
	(void)fmt;
}

/* ---- frames ---- */

struct test_frame {
	uint8_t *space;
	struct offload_seg seg[3];
	struct offload_frame frame;
};

/* A frame of @p len bytes that count from @p start on, with its first @p head bytes in seg[0]. */
static void
frame_make(struct test_frame *t, uint32_t len, uint32_t head, uint8_t start)
{
	*t = (struct test_frame){.space = malloc(OFFLOAD_HEADROOM + len)};
	assert_non_null(t->space);
	for (uint32_t i = 0; i < len; i++)
		t->space[OFFLOAD_HEADROOM + i] = (uint8_t)(start + i);
	if (head > len)
		head = len;
	t->seg[0] = (struct offload_seg){t->space + OFFLOAD_HEADROOM, head};
	t->frame = (struct offload_frame){.seg = t->seg, .nb_segs = 1, .len = len};
	if (len - head > 0) {
		uint32_t half = (len - head + 1) / 2;

		t->seg[1] = (struct offload_seg){t->seg[0].data + head, half};
		t->seg[2] = (struct offload_seg){t->seg[1].data + half, len - head - half};
		t->frame.nb_segs = t->seg[2].len > 0 ? 3 : 2;
	}
}

static void
frame_free(struct test_frame *t)
{
	free(t->space);
}

static void
offer(struct capture *cap, struct test_frame *t, uint32_t direction)
{
	struct offload_frame *frames[1] = {&t->frame};

	capture_frames(cap, direction, frames, 1);
}

/* ---- the stream ---- */

static uint32_t
word(const uint8_t *buf, size_t at)
{
	uint32_t value;

	memcpy(&value, buf + at, sizeof(value));
	return value;
}

/* Reads to the end. */
static size_t
read_all(int fd, uint8_t **buf)
{
	size_t len = 0, size = 1 << 20;

	*buf = malloc(size);
	for (;;) {
		ssize_t n = read(fd, *buf + len, size - len);

		if (n <= 0)
			return len;
		len += (size_t)n;
		if (len == size)
			*buf = realloc(*buf, size *= 2);
	}
}

/* Checks the order of the blocks, returns the first packet block, the number of them and the drop count. */
static const uint8_t *
check_stream(const uint8_t *buf, size_t len, uint32_t *nb_packets, uint64_t *dropped)
{
	const uint8_t *first = NULL;
	size_t at = 0;
	uint32_t index = 0, type = 0;

	*nb_packets = 0;
	while (at < len) {
		uint32_t block_len = word(buf, at + 4);

		type = word(buf, at);
		assert_true(block_len >= 12 && block_len <= len - at && block_len % 4 == 0);
		assert_int_equal(word(buf, at + block_len - 4), block_len);
		if (index < 2) {
			assert_int_equal(type, index == 0 ? PCAPNG_BLOCK_SECTION : PCAPNG_BLOCK_INTERFACE);
		} else if (at + block_len < len) {
			assert_int_equal(type, PCAPNG_BLOCK_PACKET);
			if (!first)
				first = buf + at;
			(*nb_packets)++;
		} else {
			assert_int_equal(type, PCAPNG_BLOCK_STATS);
			memcpy(dropped, buf + at + 20 + 2 * 12 + 12 + 4, sizeof(*dropped));
		}
		at += block_len;
		index++;
	}
	assert_int_equal(type, PCAPNG_BLOCK_STATS);
	return first;
}

static const uint8_t *
packet_next(const uint8_t *block)
{
	return block + word(block, 4);
}

/* ---- the ring ---- */

static void
put_block(uint8_t *block, uint32_t len)
{
	uint32_t words[2] = {7, len};

	assert_non_null(block);
	memcpy(block + 4, &words[1], 4);
	memset(block + 8, 0xee, len - 8);
	__atomic_store_n((uint32_t *)block, words[0], __ATOMIC_RELEASE);
}

static void
test_ring_order(void **state)
{
	struct capture_ring *ring = capture_ring_create(4096);
	uint8_t *one, *two;
	size_t len;

	(void)state;
	assert_non_null(ring);
	one = capture_ring_reserve(ring, 64);
	two = capture_ring_reserve(ring, 128);
	put_block(two, 128);
	/* The first is not complete: nothing is. */
	capture_ring_peek(ring, &len);
	assert_int_equal(len, 0);
	put_block(one, 64);
	assert_ptr_equal(capture_ring_peek(ring, &len), one);
	assert_int_equal(len, 192);
	/* Consumed in parts that end inside a block. */
	assert_int_equal(capture_ring_consume(ring, 10), 0);
	assert_ptr_equal(capture_ring_peek(ring, &len), one + 10);
	assert_int_equal(len, 182);
	assert_int_equal(capture_ring_consume(ring, 60), 1);
	assert_int_equal(capture_ring_consume(ring, 122), 1);
	capture_ring_peek(ring, &len);
	assert_int_equal(len, 0);
	capture_ring_destroy(ring);
}

/* Blocks of odd sizes for many rounds: whole, zeroed when handed out, refused only when full. */
static void
test_ring_wraps(void **state)
{
	struct capture_ring *ring = capture_ring_create(4096);
	uint32_t size = 12;
	size_t len;

	(void)state;
	for (int round = 0; round < 1000; round++) {
		uint32_t used = 0, blocks = 0;
		uint8_t *block;

		for (;;) {
			size = 12 + (size * 7 + 4 * (uint32_t)round) % 1200 / 4 * 4;
			block = capture_ring_reserve(ring, size);
			if (!block)
				break;
			for (uint32_t i = 0; i < size; i++)
				assert_int_equal(block[i], 0);
			put_block(block, size);
			used += size;
			blocks++;
		}
		assert_true(used <= 4096 && used + size > 4096);
		capture_ring_peek(ring, &len);
		assert_int_equal(len, used);
		assert_int_equal(capture_ring_consume(ring, used), blocks);
	}
	capture_ring_destroy(ring);
}

#define PRODUCERS 3
#define BLOCKS_EACH 20000

static void *
produce(void *arg)
{
	struct capture_ring *ring = ((void **)arg)[0];
	uint32_t id = (uint32_t)(uintptr_t)((void **)arg)[1];

	for (uint32_t n = 0; n < BLOCKS_EACH; n++) {
		uint32_t len = 16 + (n * 13 + id) % 64 * 4;
		uint8_t *block;

		while (!(block = capture_ring_reserve(ring, len)))
			sched_yield();
		memcpy(block + 4, &len, 4);
		memcpy(block + 8, &n, 4);
		memset(block + 12, (int)(id + 1), len - 12);
		__atomic_store_n((uint32_t *)block, id + 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Several producers: nothing is lost, mixed or out of its producer's order. */
static void
test_ring_producers(void **state)
{
	struct capture_ring *ring = capture_ring_create(8192);
	void *args[PRODUCERS][2];
	pthread_t threads[PRODUCERS];
	uint32_t next[PRODUCERS] = {0}, seen = 0;

	(void)state;
	for (uintptr_t i = 0; i < PRODUCERS; i++) {
		args[i][0] = ring;
		args[i][1] = (void *)i;
		assert_int_equal(pthread_create(&threads[i], NULL, produce, args[i]), 0);
	}
	while (seen < PRODUCERS * BLOCKS_EACH) {
		size_t len, at = 0;
		const uint8_t *data = capture_ring_peek(ring, &len);

		if (len == 0)
			sched_yield();
		while (at < len) {
			uint32_t id = word(data, at) - 1, size = word(data, at + 4);

			assert_true(id < PRODUCERS);
			assert_int_equal(word(data, at + 8), next[id]);
			for (uint32_t i = 12; i < size; i++)
				if (data[at + i] != id + 1)
					fail_msg("a block of producer %u is damaged", id);
			next[id]++;
			seen++;
			at += size;
		}
		capture_ring_consume(ring, len);
	}
	for (int i = 0; i < PRODUCERS; i++)
		pthread_join(threads[i], NULL);
	capture_ring_destroy(ring);
}

/* ---- filters ---- */

static bool
matches(const char *expression, const struct offload_frame *f)
{
	struct capture_filter *filter;
	struct error err;
	bool result;

	if (capture_filter_create(expression, &filter, &err) < 0)
		fail_msg("%s", err.text);
	result = capture_filter_match(filter, f);
	capture_filter_destroy(filter);
	return result;
}

static void
test_filter(void **state)
{
	struct test_frame t;

	(void)state;
	frame_make(&t, 900, 192, 0);
	t.seg[0].data[12] = 0x08; /* IPv4, UDP, port 53 */
	t.seg[0].data[13] = 0x00;
	t.seg[0].data[14] = 0x46; /* with four bytes of options */
	t.seg[0].data[20] = t.seg[0].data[21] = 0;
	t.seg[0].data[23] = 17;
	t.seg[0].data[38] = t.seg[0].data[40] = 0;
	t.seg[0].data[39] = 99;
	t.seg[0].data[41] = 53;
	assert_true(matches("udp port 53", &t.frame));
	assert_false(matches("udp port 54", &t.frame));
	assert_false(matches("tcp", &t.frame));
	assert_true(matches("len == 900", &t.frame));
	/* Behind what is linear already. */
	assert_true(matches("ether[600] == 88", &t.frame));
	assert_false(matches("ether[600] == 89", &t.frame));
	assert_true(matches("ether[899] == 131", &t.frame));
	assert_false(matches("ether[900] == 132", &t.frame));
	assert_true(matches("ether[ether[0] + 700] == 188", &t.frame));
	/* A tag that travels beside the frame counts as in it. */
	assert_false(matches("vlan 5", &t.frame));
	t.frame.flags = OFFLOAD_F_VLAN;
	t.frame.vlan_tci = 5;
	assert_true(matches("vlan 5", &t.frame));
	assert_false(matches("vlan 6", &t.frame));
	assert_true(matches("vlan 5 and udp port 53", &t.frame));
	assert_true(matches("len == 904", &t.frame));
	assert_true(matches("ether[903] == 131", &t.frame));
	frame_free(&t);
}

static void
test_filter_refused(void **state)
{
	struct capture_filter *filter;
	struct error err;

	(void)state;
	assert_int_equal(capture_filter_create("no such thing", &filter, &err), -EINVAL);
	assert_non_null(strstr(err.text, "no such thing"));
	assert_int_equal(capture_filter_create("ip6 protochain 6", &filter, &err), -EINVAL);
	assert_non_null(strstr(err.text, "protochain"));
}

/* Every length of copy, with and without a tag, is the front of the whole. */
static void
test_frame_copy(void **state)
{
	struct test_frame t;

	(void)state;
	for (int tagged = 0; tagged < 2; tagged++) {
		uint8_t expect[104], got[105];

		frame_make(&t, 100, 40, 1);
		memcpy(expect, t.seg[0].data, 100);
		if (tagged) {
			t.frame.flags = OFFLOAD_F_VLAN;
			t.frame.vlan_tci = 0x6123;
			memcpy(expect + 12, "\x81\x00\x61\x23", 4);
			memcpy(expect + 16, t.seg[0].data + 12, 88);
		}
		assert_int_equal(capture_frame_len(&t.frame), 100 + 4 * tagged);
		for (uint32_t len = 0; len <= capture_frame_len(&t.frame); len++) {
			memset(got, 0x77, sizeof(got));
			capture_frame_copy(&t.frame, got, len);
			assert_memory_equal(got, expect, len);
			assert_int_equal(got[len], 0x77);
		}
		frame_free(&t);
	}
}

/* ---- whole captures ---- */

static struct capture *
start(uint32_t directions, const char *filter, uint32_t snaplen)
{
	const struct capture_conf conf = {.port = "p1", .directions = directions, .filter = filter,
		.snaplen = snaplen};
	struct capture *cap;
	struct error err;

	if (capture_open(&conf, &cap, &err) < 0)
		fail_msg("%s", err.text);
	return cap;
}

static void
run(struct capture *cap, int fd)
{
	struct error err;

	if (capture_run(cap, fd, &err) < 0)
		fail_msg("%s", err.text);
}

static void
wait_until_ended(const struct capture *cap)
{
	for (int i = 0; i < 2000 && !capture_ended(cap); i++)
		usleep(1000);
	assert_true(capture_ended(cap));
}

static void
test_stream(void **state)
{
	struct capture_stats stats;
	struct test_frame small, large;
	struct capture *cap = start(CAPTURE_IN | CAPTURE_OUT, NULL, 262144);
	const uint8_t *block;
	uint32_t nb;
	uint64_t dropped;
	uint8_t *buf;
	int pair[2];
	size_t len;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	frame_make(&small, 61, 192, 3);
	frame_make(&large, 65535, 192, 7);
	offer(cap, &small, CAPTURE_IN); /* before there is a reader: kept */
	run(cap, pair[0]);
	offer(cap, &large, CAPTURE_OUT);
	shutdown(pair[1], SHUT_WR);
	wait_until_ended(cap);
	capture_finish(cap);
	len = read_all(pair[1], &buf);
	capture_close(cap, &stats);
	assert_int_equal(stats.captured, 2);
	assert_int_equal(stats.dropped, 0);

	block = check_stream(buf, len, &nb, &dropped);
	assert_int_equal(nb, 2);
	assert_int_equal(dropped, 0);
	assert_int_equal(word(block, 20), 61);
	assert_memory_equal(block + 28, small.seg[0].data, 61);
	assert_int_equal(word(block, word(block, 4) - 12), PCAPNG_INBOUND);
	block = packet_next(block);
	assert_int_equal(word(block, 20), 65535);
	assert_memory_equal(block + 28, large.seg[0].data, 65535);
	assert_int_equal(word(block, word(block, 4) - 12), PCAPNG_OUTBOUND);
	frame_free(&small);
	frame_free(&large);
	close(pair[1]);
	free(buf);
}

static void
test_direction_filter_snaplen(void **state)
{
	struct test_frame wanted, other;
	struct capture *cap = start(CAPTURE_OUT, "ether[0] == 9", 100);
	const uint8_t *block;
	uint32_t nb;
	uint64_t dropped;
	uint8_t *buf;
	int fds[2];
	size_t len;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	run(cap, fds[1]);
	frame_make(&wanted, 1000, 192, 9);
	frame_make(&other, 1000, 192, 8);
	offer(cap, &other, CAPTURE_OUT);
	offer(cap, &wanted, CAPTURE_IN);
	offer(cap, &wanted, CAPTURE_OUT);
	capture_close(cap, NULL);
	len = read_all(fds[0], &buf);
	block = check_stream(buf, len, &nb, &dropped);
	assert_int_equal(nb, 1);
	assert_int_equal(word(block, 20), 100);
	assert_int_equal(word(block, 24), 1000);
	assert_memory_equal(block + 28, wanted.seg[0].data, 100);
	assert_in_range(((uint64_t)word(block, 12) << 32 | word(block, 16)) / 1000000000,
		(uint64_t)time(NULL) - 60, (uint64_t)time(NULL) + 1);
	frame_free(&wanted);
	frame_free(&other);
	close(fds[0]);
	free(buf);
}

/* Nobody reads: frames beyond the ring are counted, in the statistics and in the file. */
static void
test_overflow(void **state)
{
	enum { OFFERED = 20000 };
	struct capture *cap = start(CAPTURE_IN, NULL, 262144);
	struct capture_stats stats;
	struct test_frame t;
	uint64_t dropped;
	uint8_t *buf;
	uint32_t nb;
	size_t len;
	char name[] = "/tmp/test-capture-XXXXXX";
	int fd = mkstemp(name);

	(void)state;
	assert_true(fd >= 0);
	unlink(name);
	frame_make(&t, 1500, 192, 0);
	for (int i = 0; i < OFFERED; i++)
		offer(cap, &t, CAPTURE_IN);
	run(cap, dup(fd));
	capture_close(cap, &stats);
	assert_int_equal(stats.captured + stats.dropped, OFFERED);
	assert_true(stats.captured > 10000 && stats.dropped > 1000);
	lseek(fd, 0, SEEK_SET);
	len = read_all(fd, &buf);
	check_stream(buf, len, &nb, &dropped);
	assert_int_equal(nb, stats.captured);
	assert_int_equal(dropped, stats.dropped);
	frame_free(&t);
	close(fd);
	free(buf);
}

static uint64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* A reader that is there and does not read holds up neither frames nor the end for long. */
static void
test_stuck_reader(void **state)
{
	struct capture *cap = start(CAPTURE_IN, NULL, 262144);
	struct capture_stats stats;
	struct test_frame t;
	uint64_t before;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	run(cap, pair[0]);
	frame_make(&t, 60000, 192, 0);
	for (int i = 0; i < 1000; i++)
		offer(cap, &t, CAPTURE_IN);
	assert_false(capture_ended(cap));
	before = now_ms();
	capture_finish(cap);
	assert_true(now_ms() - before < 500);
	assert_false(capture_finished(cap));
	capture_close(cap, &stats);
	assert_true(now_ms() - before < 3000);
	assert_true(stats.dropped > 0);
	close(pair[1]);
	frame_free(&t);
}

static void
test_reader_goes_away(void **state)
{
	(void)state;
	for (int kind = 0; kind < 3; kind++) {
		struct capture *cap = start(CAPTURE_IN, NULL, 262144);
		struct test_frame t;
		int fds[2];

		if (kind == 0)
			assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
		else
			assert_int_equal(pipe(fds), 0);
		if (kind == 2) { /* a full disk */
			close(fds[1]);
			fds[1] = open("/dev/full", O_WRONLY);
			assert_true(fds[1] >= 0);
		}
		run(cap, fds[1]);
		usleep(20000);
		close(fds[0]);
		frame_make(&t, 100, 192, 0);
		offer(cap, &t, CAPTURE_IN);
		wait_until_ended(cap);
		offer(cap, &t, CAPTURE_IN);
		capture_finish(cap);
		capture_close(cap, NULL);
			frame_free(&t);
	}
}

static void
test_refused(void **state)
{
	struct capture_conf conf = {.port = "p1", .directions = CAPTURE_IN, .snaplen = 96};
	struct capture *cap, *many[32];
	struct error err;

	(void)state;
	conf.directions = 0;
	assert_int_equal(capture_open(&conf, &cap, &err), -EINVAL);
	conf.directions = CAPTURE_IN;
	conf.snaplen = 63;
	assert_int_equal(capture_open(&conf, &cap, &err), -EINVAL);
	conf.snaplen = 262145;
	assert_int_equal(capture_open(&conf, &cap, &err), -EINVAL);
	assert_non_null(strstr(err.text, "262144"));
	conf.snaplen = 96;
	conf.filter = "bogus ((";
	assert_int_equal(capture_open(&conf, &cap, &err), -EINVAL);
	conf.filter = "";
	for (int i = 0; i < 32; i++)
		assert_int_equal(capture_open(&conf, &many[i], &err), 0);
	assert_int_equal(capture_open(&conf, &cap, &err), -EMFILE);
	for (int i = 0; i < 32; i++)
		capture_close(many[i], NULL);
	assert_int_equal(capture_open(&conf, &cap, &err), 0);
	capture_close(cap, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ring_order),
		cmocka_unit_test(test_ring_wraps),
		cmocka_unit_test(test_ring_producers),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_filter_refused),
		cmocka_unit_test(test_frame_copy),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_direction_filter_snaplen),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_stuck_reader),
		cmocka_unit_test(test_reader_goes_away),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
