/* SPDX-License-Identifier: BSD-3-Clause */
/* The client of vfio-user against a server that lies: an error each time, and nothing left behind.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "liar.h"
#include "open_descriptors.h"
#include "vfu_client.h"
#include "vfu_client_msg.h"
#include "vfu_client_version.h"

/* For replies that do not come. */
#define SHORT_MS 60

#define NB(array) (sizeof(array) / sizeof((array)[0]))

#define BIT(command) (1u << (command))
/* Commands whose reply may be a mere header, may be longer than usual, may carry a descriptor. */
#define MAYBE_EMPTY                                                                                \
	(BIT(VFIO_USER_DMA_MAP) | BIT(VFIO_USER_DMA_UNMAP) | BIT(VFIO_USER_DEVICE_SET_IRQS) |      \
		BIT(VFIO_USER_REGION_WRITE) | BIT(VFIO_USER_DEVICE_RESET))
#define MAYBE_MORE BIT(VFIO_USER_VERSION)
#define WITH_FD	   BIT(VFIO_USER_DEVICE_GET_REGION_INFO)

struct lie {
	const char *name;
	liar_spoil_t spoil;
	int expected;
	uint32_t no_lie_for; /* commands to which this is an honest answer */
	uint32_t timeout_ms; /* 0: LIAR_PATIENT_MS */
};

static const uint16_t all_commands[] = {
	VFIO_USER_VERSION,
	VFIO_USER_DMA_MAP,
	VFIO_USER_DMA_UNMAP,
	VFIO_USER_DEVICE_GET_INFO,
	VFIO_USER_DEVICE_GET_REGION_INFO,
	VFIO_USER_DEVICE_GET_IRQ_INFO,
	VFIO_USER_DEVICE_SET_IRQS,
	VFIO_USER_REGION_READ,
	VFIO_USER_REGION_WRITE,
	VFIO_USER_DEVICE_RESET,
};

/* The reply's message, one lie each. */

static void
refuse(struct liar_reply *r, uint32_t error_no)
{
	r->hdr.flags |= VFIO_USER_F_ERROR;
	r->hdr.error_no = error_no;
	r->len = 0;
	r->nb_fds = 0;
}

SPOIL(size_0, r->hdr.msg_size = 0)
SPOIL(size_15, r->hdr.msg_size = 15)
SPOIL(size_huge, r->hdr.msg_size = UINT32_MAX)
SPOIL(size_2_31, r->hdr.msg_size = 1u << 31)
SPOIL(no_payload, r->len = 0; r->nb_fds = 0)
SPOIL(one_less, r->hdr.msg_size = 15 + r->len; r->len -= r->len > 0)
SPOIL(one_more, r->len++)
SPOIL(much_more, r->len = 100000)
SPOIL(other_command, r->hdr.command ^= 1)
SPOIL(no_command, r->hdr.command = 0xffff)
SPOIL(other_id, r->hdr.msg_id++)
SPOIL(type_2, r->hdr.flags = 2)
SPOIL(type_15, r->hdr.flags = 15)
SPOIL(flag_no_reply, r->hdr.flags |= VFIO_USER_F_NO_REPLY)
SPOIL(flag_unknown, r->hdr.flags |= 0x40)
SPOIL(flags_all, r->hdr.flags = UINT32_MAX - 14)
SPOIL(refused, refuse(r, EACCES))
SPOIL(refused_0, refuse(r, 0))
SPOIL(refused_huge, refuse(r, 1u << 31))
SPOIL(refused_4096, refuse(r, 4096))
SPOIL(refused_as_lost, refuse(r, ENOTCONN))
SPOIL(refused_long, refuse(r, EIO); r->len = 8)
SPOIL(refused_fd, refuse(r, EIO); r->nb_fds = 1)
SPOIL(fds_1, r->nb_fds = 1)
SPOIL(fds_2, r->nb_fds = 2)
SPOIL(fds_16, r->nb_fds = 16)
SPOIL(fds_20, r->nb_fds = 20)
SPOIL(cut_1, r->cut = 1)
SPOIL(cut_15, r->cut = 15)
SPOIL(cut_header, r->cut = r->len > 0 ? 16 : 12)
SPOIL(cut_last, r->cut = 15 + r->len)
SPOIL(cut_fd, r->nb_fds = 1; r->cut = 8)
SPOIL(in_pieces, r->piece = 1)
SPOIL(silence, r->silent = true)
SPOIL(half_silence, r->hdr.msg_size = 16 + r->len; r->len = 0; r->silent = r->hdr.msg_size == 16)
SPOIL(asks_1, r->nb_asked = 1)
SPOIL(asks_20, r->nb_asked = 20; r->request.command = 0xffff)
SPOIL(asks_large, r->nb_asked = 1; r->request.msg_size = 32 + (1u << 20))
SPOIL(asks_posted, r->nb_asked = 20; r->request.flags = VFIO_USER_F_NO_REPLY)
SPOIL(asks_size_0, r->nb_asked = 1; r->request.msg_size = 0)
SPOIL(asks_huge, r->nb_asked = 1; r->request.msg_size = UINT32_MAX)
SPOIL(asks_fd, r->nb_asked = 1; r->request_fds = 1)
SPOIL(asks_20_fds, r->nb_asked = 1; r->request_fds = 20)
SPOIL(floods, r->floods = true)
SPOIL(floods_posted, r->floods = true; r->request.flags = VFIO_USER_F_NO_REPLY)

/* A command with the shape of the reply, and then nothing. */
SPOIL(command_instead, r->hdr.flags = 0; r->hdr.msg_id = LIAR_ID)

static const struct lie lies[] = {
	{"size 0", size_0, -EPROTO, 0, 0},
	{"size 15", size_15, -EPROTO, 0, 0},
	{"size 2^32-1", size_huge, -EPROTO, 0, 0},
	{"size 2^31", size_2_31, -EPROTO, 0, 0},
	{"no payload", no_payload, -EPROTO, MAYBE_EMPTY, 0},
	{"a byte less", one_less, -EPROTO, MAYBE_MORE, 0},
	{"a byte more", one_more, -EPROTO, MAYBE_MORE, 0},
	{"100000 bytes", much_more, -EPROTO, 0, 0},
	{"another command", other_command, -EPROTO, 0, 0},
	{"no command", no_command, -EPROTO, 0, 0},
	{"another id", other_id, -EPROTO, 0, 0},
	{"type 2", type_2, -EPROTO, 0, 0},
	{"type 15", type_15, -EPROTO, 0, 0},
	{"no-reply", flag_no_reply, -EPROTO, 0, 0},
	{"flag 6", flag_unknown, -EPROTO, 0, 0},
	{"all flags", flags_all, -EPROTO, 0, 0},
	{"refused", refused, -EACCES, 0, 0},
	{"errno 0", refused_0, -EIO, 0, 0},
	{"errno 2^31", refused_huge, -EIO, 0, 0},
	{"errno 4096", refused_4096, -EIO, 0, 0},
	{"errno ENOTCONN", refused_as_lost, -EIO, 0, 0},
	{"error with payload", refused_long, -EPROTO, 0, 0},
	{"error with descriptor", refused_fd, -EPROTO, 0, 0},
	{"descriptor", fds_1, -EPROTO, WITH_FD, 0},
	{"2 descriptors", fds_2, -EPROTO, 0, 0},
	{"16 descriptors", fds_16, -EPROTO, 0, 0},
	{"20 descriptors", fds_20, -EPROTO, 0, 0},
	{"a byte, then gone", cut_1, -ENOTCONN, 0, 0},
	{"15 bytes, then gone", cut_15, -ENOTCONN, 0, 0},
	{"header, then gone", cut_header, -ENOTCONN, 0, 0},
	{"all but a byte", cut_last, -ENOTCONN, 0, 0},
	{"half a header with descriptor", cut_fd, -ENOTCONN, 0, 0},
	{"in pieces", in_pieces, 0, 0, 0},
	{"silence", silence, -ETIMEDOUT, 0, SHORT_MS},
	{"header, then silence", half_silence, -ETIMEDOUT, 0, SHORT_MS},
	{"command instead", command_instead, -ETIMEDOUT, 0, SHORT_MS},
	{"request first", asks_1, 0, 0, 0},
	{"20 requests first", asks_20, 0, 0, 0},
	{"large request first", asks_large, 0, 0, 0},
	{"20 posted requests first", asks_posted, 0, 0, 0},
	{"request of size 0", asks_size_0, -EPROTO, 0, 0},
	{"request of size 2^32-1", asks_huge, -EPROTO, 0, 0},
	{"request with descriptor", asks_fd, -EPROTO, 0, 0},
	{"request with 20 descriptors", asks_20_fds, -EPROTO, 0, 0},
	{"requests without end", floods, -ETIMEDOUT, 0, SHORT_MS},
	{"posted requests without end", floods_posted, -ETIMEDOUT, 0, SHORT_MS},
};

static int
call(struct vfu_client *c, uint16_t command)
{
	struct vfu_client_region region;
	uint8_t data[300] = {0};
	int none = -1, rc;

	switch (command) {
	case VFIO_USER_DMA_MAP:
		return vfu_client_dma_map(c, 0, LIAR_PAGE, 0, 0);
	case VFIO_USER_DMA_UNMAP:
		return vfu_client_dma_unmap(c, LIAR_PAGE, LIAR_PAGE);
	case VFIO_USER_DEVICE_GET_REGION_INFO:
		rc = vfu_client_region_info(c, 2, &region);
		if (rc == 0)
			close(region.fd);
		return rc;
	case VFIO_USER_DEVICE_GET_IRQ_INFO:
		rc = vfu_client_irq_count(c, 2);
		return rc == 4 ? 0 : rc;
	case VFIO_USER_DEVICE_SET_IRQS:
		return vfu_client_irq_set(c, 2, 0, 1, &none);
	case VFIO_USER_REGION_READ:
		return vfu_client_region_read(c, 1, 8, data, sizeof(data));
	case VFIO_USER_REGION_WRITE:
		return vfu_client_region_write(c, 1, 8, data, 4);
	case VFIO_USER_DEVICE_RESET:
		return vfu_client_reset(c);
	}
	return 0;
}

/* VERSION and GET_INFO are said before there is a client to set a time-out of. */
static bool
is_early(uint16_t command)
{
	return command == VFIO_USER_VERSION || command == VFIO_USER_DEVICE_GET_INFO;
}

/* Whether this result leaves the connection whole. */
static bool
is_harmless(int rc)
{
	return rc == 0 || rc == -EACCES || rc == -EIO;
}

static int
hear(const struct lie *lie, uint16_t command, int fd)
{
	uint32_t timeout_ms = lie->timeout_ms != 0 ? lie->timeout_ms : LIAR_PATIENT_MS, zero = 0;
	struct vfu_client *c;
	int rc, again;

	rc = vfu_client_begin(fd, is_early(command) ? timeout_ms : LIAR_PATIENT_MS, &c);
	if (rc != 0)
		return rc;
	c->timeout_ms = timeout_ms;
	rc = call(c, command);
	assert_int_equal(vfu_client_alive(c), is_harmless(rc));
	/* Whoever polls the socket of a lost connection wakes up. */
	assert_int_equal(poll(&(struct pollfd){.fd = fd}, 1, 0), !is_harmless(rc));
	c->timeout_ms = LIAR_PATIENT_MS;
	again = call(c,
		command != VFIO_USER_REGION_READ ? VFIO_USER_REGION_READ : VFIO_USER_REGION_WRITE);
	assert_int_equal(again, is_harmless(rc) ? 0 : -ENOTCONN);
	assert_int_equal(vfu_client_region_post(c, 1, 0, &zero, 4), again);
	assert_int_equal(vfu_client_check(c), again);
	vfu_client_close(c);
	return rc;
}

static void
test_replies(void **state)
{
	static struct liar liar;
	size_t i, j;

	(void)state;
	for (i = 0; i < NB(lies); i++) {
		for (j = 0; j < NB(all_commands); j++) {
			int before = open_descriptors(), rc, expected = lies[i].expected;

			if ((lies[i].no_lie_for & BIT(all_commands[j])) != 0)
				expected = 0;
			rc = hear(&lies[i], all_commands[j],
				liar_start(&liar, all_commands[j], lies[i].spoil));
			liar_stop(&liar);
			if (rc != expected)
				fail_msg("\"%s\" to command %u: %d instead of %d", lies[i].name,
					all_commands[j], rc, expected);
			assert_int_equal(open_descriptors(), before);
		}
	}
}

/* An honest server first: what is refused below is not refused for another reason. */
static void
test_no_lie(void **state)
{
	static struct liar liar;
	struct vfu_client *c = liar_begin(&liar, 0, NULL);
	struct vfu_client_region region;
	uint8_t data[LIAR_PAGE];
	size_t i;

	(void)state;
	for (i = 0; i < NB(all_commands); i++)
		assert_int_equal(call(c, all_commands[i]), 0);
	assert_int_equal(vfu_client_region_info(c, 0, &region), 0);
	assert_true(region.fd >= 0 && region.area.size == LIAR_PAGE);
	close(region.fd);
	assert_int_equal(vfu_client_region_info(c, 2, &region), 0);
	assert_true(region.fd >= 0 && region.area.offset == LIAR_PAGE);
	close(region.fd);
	assert_int_equal(vfu_client_region_read(c, 1, 0, data, sizeof(data)), 0);
	for (i = 0; i < sizeof(data); i++)
		assert_int_equal(data[i], LIAR_REGISTER);
	liar_end(&liar, c);
}

static void
test_requests_are_declined(void **state)
{
	static struct liar liar;
	struct vfu_client *c = liar_begin(&liar, VFIO_USER_DEVICE_RESET, asks_20);

	(void)state;
	assert_int_equal(vfu_client_reset(c), 0);
	/* The answers come before what is asked next. */
	assert_int_equal(vfu_client_irq_count(c, 2), 4);
	assert_int_equal(atomic_load(&liar.nb_declined), 20);
	liar_end(&liar, c);
	/* But for those that want no answer. */
	c = liar_begin(&liar, VFIO_USER_DEVICE_RESET, asks_posted);
	assert_int_equal(vfu_client_reset(c), 0);
	assert_int_equal(vfu_client_irq_count(c, 2), 4);
	assert_int_equal(atomic_load(&liar.nb_declined), 0);
	liar_end(&liar, c);
}

SPOIL(twice, r->twice = true)

/* The second answer is nobody's. */
static void
test_reply_too_many(void **state)
{
	static struct liar liar;
	struct vfu_client *c = liar_begin(&liar, VFIO_USER_DEVICE_RESET, twice);

	(void)state;
	assert_int_equal(vfu_client_reset(c), 0);
	assert_int_equal(vfu_client_irq_count(c, 2), -EPROTO);
	assert_int_equal(vfu_client_check(c), -ENOTCONN);
	liar_end(&liar, c);
}

static void
test_unasked(void **state)
{
	const struct vfio_user_header request = {LIAR_ID, VFIO_USER_DMA_WRITE, 16, 0, 0};
	const struct vfio_user_header reply = {LIAR_ID, VFIO_USER_VERSION, 16, 1, 0};
	static struct liar liar;
	struct vfu_client *c = liar_begin(&liar, 0, NULL);
	int i;

	(void)state;
	assert_int_equal(vfu_client_check(c), 0);
	for (i = 0; i < 100; i++)
		assert_int_equal(write(liar.fd, &request, 16), 16);
	/* Each look handles some of them. */
	for (i = 0; i < 100; i++)
		assert_int_equal(vfu_client_check(c), 0);
	assert_int_equal(vfu_client_reset(c), 0);
	assert_int_equal(write(liar.fd, &reply, 16), 16);
	assert_int_equal(vfu_client_check(c), -ENOTCONN);
	liar_end(&liar, c);

	/* Half a message is waited for, but not for ever. */
	c = liar_begin(&liar, 0, NULL);
	c->timeout_ms = SHORT_MS;
	assert_int_equal(write(liar.fd, &request, 8), 8);
	assert_int_equal(vfu_client_check(c), -ENOTCONN);
	liar_end(&liar, c);
}

static void
test_server_that_does_not_read(void **state)
{
	static uint8_t data[1 << 16];
	static struct liar liar;
	struct vfu_client *c = liar_begin(&liar, 0, NULL);
	int rc = 0, i;

	(void)state;
	pthread_cancel(liar.thread);
	pthread_join(liar.thread, NULL);
	c->timeout_ms = SHORT_MS;
	for (i = 0; i < 100000 && rc == 0; i++)
		rc = vfu_client_region_post(c, 1, 0, data, 4);
	assert_int_equal(rc, -EAGAIN);
	assert_true(vfu_client_alive(c));
	assert_int_equal(vfu_client_region_write(c, 1, 0, data, sizeof(data)), -ETIMEDOUT);
	assert_int_equal(vfu_client_region_post(c, 1, 0, data, 4), -ENOTCONN);
	vfu_client_close(c);
	close(liar.fd);
	close(liar.memory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_lie),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_requests_are_declined),
		cmocka_unit_test(test_reply_too_many),
		cmocka_unit_test(test_unasked),
		cmocka_unit_test(test_server_that_does_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
