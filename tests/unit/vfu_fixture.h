/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device that remembers what it was told, behind a transport that is two buffers: what the tests
 * of the vfio-user server have in common.
 */
#ifndef VFU_FIXTURE_H
#define VFU_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "open_descriptors.h"
#include "vfio_user.h"
#include "vfu_server.h"

#define NB_VECTORS 25u
#define BUF_SIZE   (2u << 20)

struct fixture {
	struct vfu_server *server;
	uint8_t in[BUF_SIZE], out[BUF_SIZE];
	size_t in_len, in_pos, out_len;
	int in_fds[32];
	uint32_t nb_in_fds;
	int out_fd;
	bool send_fails;
	int bar_fd, descriptors_before;

	uint8_t bar1[4096];
	int fd_at_quiesce; /* descriptor that must still be open when quiesce is called */
	bool was_open;
	uint32_t connected, disconnected, resets, dma_changes, irq_changes, quiesced, log_lines;
	uint64_t last_offset;
	int result;
};

static inline int
dev_read(void *ctx, uint32_t region, uint64_t offset, void *buf, uint32_t len)
{
	struct fixture *f = ctx;

	f->last_offset = offset;
	if (region == 1)
		memcpy(buf, f->bar1 + offset, len);
	else
		memset(buf, 0xa0 + region, len);
	return f->result;
}

static inline int
dev_write(void *ctx, uint32_t region, uint64_t offset, const void *buf, uint32_t len)
{
	struct fixture *f = ctx;

	f->last_offset = offset;
	if (region == 1)
		memcpy(f->bar1 + offset, buf, len);
	return f->result;
}

static inline void
dev_reset(void *ctx)
{
	((struct fixture *)ctx)->resets++;
}

static inline void
dev_connected(void *ctx)
{
	((struct fixture *)ctx)->connected++;
}

static inline void
dev_disconnected(void *ctx)
{
	((struct fixture *)ctx)->disconnected++;
}

static inline void
dev_irqs_changed(void *ctx, uint32_t index)
{
	(void)index;
	((struct fixture *)ctx)->irq_changes++;
}

static inline void
dev_dma_changed(void *ctx)
{
	((struct fixture *)ctx)->dma_changes++;
}

static inline void
dev_quiesce(void *ctx)
{
	struct fixture *f = ctx;

	f->quiesced++;
	f->was_open = fcntl(f->fd_at_quiesce, F_GETFD) >= 0;
}

static inline void
dev_log(void *ctx, enum vfu_log_level level, const char *line)
{
	(void)level;
	assert_null(strchr(line, '\n'));
	((struct fixture *)ctx)->log_lines++;
}

static inline int
fake_recv(void *ctx, void *buf, size_t len, int *fds, uint32_t *nb_fds)
{
	struct fixture *f = ctx;

	if (f->in_pos == f->in_len)
		return -ENODATA;
	while (f->nb_in_fds > 0) {
		assert_true(*nb_fds < VFU_MAX_FDS);
		fds[(*nb_fds)++] = f->in_fds[--f->nb_in_fds];
	}
	if (len > f->in_len - f->in_pos)
		return -ECONNRESET;
	memcpy(buf, f->in + f->in_pos, len);
	f->in_pos += len;
	return 0;
}

static inline int
fake_send(void *ctx, const void *buf, size_t len, int fd)
{
	struct fixture *f = ctx;

	if (f->send_fails)
		return -EPIPE;
	assert_true(len <= BUF_SIZE);
	memcpy(f->out, buf, len);
	f->out_len = len;
	f->out_fd = fd;
	return 0;
}

static const struct vfu_area two_areas[] = {{0, 4096}, {8192, 4096}};

static inline struct vfu_device
make_device(struct fixture *f, int bar_fd)
{
	struct vfu_device dev = {
		.ctx = f,
		.region_read = dev_read,
		.region_write = dev_write,
		.reset = dev_reset,
		.connected = dev_connected,
		.disconnected = dev_disconnected,
		.irqs_changed = dev_irqs_changed,
		.dma_changed = dev_dma_changed,
		.quiesce = dev_quiesce,
		.log = dev_log,
		.nb_irqs = {[VFU_IRQ_INTX] = 1, [VFU_IRQ_MSIX] = NB_VECTORS},
	};
	int i;

	for (i = 0; i < VFU_MAX_REGIONS; i++)
		dev.region[i].fd = -1;
	dev.region[0] = (struct vfu_region){4096, true, true, bar_fd, 0, NULL, 0};
	dev.region[1] = (struct vfu_region){4096, true, true, -1, 0, NULL, 0};
	dev.region[2] = (struct vfu_region){16384, true, true, bar_fd, 4096, two_areas, 2};
	dev.region[3] = (struct vfu_region){4096, true, false, -1, 0, NULL, 0};
	dev.region[VFU_REGION_CONFIG] = (struct vfu_region){256, true, true, -1, 0, NULL, 0};
	return dev;
}

/* Queues a message and has it served; the reply's header, errors included, is in f->out. */
static inline int
send_message(struct fixture *f, uint16_t command, uint32_t flags, const void *payload, size_t len)
{
	struct vfio_user_header hdr = {
		.msg_id = 0x1234,
		.command = command,
		.msg_size = sizeof(hdr) + len,
		.flags = flags,
	};

	memcpy(f->in, &hdr, sizeof(hdr));
	if (payload != NULL)
		memcpy(f->in + sizeof(hdr), payload, len);
	f->in_pos = 0;
	f->in_len = sizeof(hdr) + len;
	f->out_len = 0;
	f->out_fd = -1;
	return vfu_server_process(f->server);
}

/* A command that gets an answer: 0, or the errno in it. */
static inline int
call(struct fixture *f, uint16_t command, const void *payload, size_t len)
{
	struct vfio_user_header hdr;

	assert_int_equal(send_message(f, command, 0, payload, len), 0);
	assert_true(f->out_len >= sizeof(hdr));
	memcpy(&hdr, f->out, sizeof(hdr));
	assert_int_equal(hdr.msg_id, 0x1234);
	assert_int_equal(hdr.command, command);
	assert_int_equal(hdr.msg_size, f->out_len);
	if ((hdr.flags & VFIO_USER_F_ERROR) == 0) {
		assert_int_equal(hdr.flags, VFIO_USER_F_TYPE_REPLY);
		assert_int_equal(hdr.error_no, 0);
		return 0;
	}
	assert_int_equal(hdr.flags, VFIO_USER_F_TYPE_REPLY | VFIO_USER_F_ERROR);
	assert_int_equal(f->out_len, sizeof(hdr));
	assert_int_equal(f->out_fd, -1);
	assert_true(hdr.error_no > 0);
	return hdr.error_no;
}

static inline void
say_version(struct fixture *f)
{
	struct vfio_user_version v = {0, 0};

	assert_int_equal(call(f, VFIO_USER_VERSION, &v, sizeof(v)), 0);
}

static inline int
setup_silent(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const struct vfu_transport t = {f, fake_recv, fake_send};
	struct vfu_device dev;

	f->descriptors_before = open_descriptors();
	f->bar_fd = memfd_create("bar", 0);
	f->fd_at_quiesce = -1;
	dev = make_device(f, f->bar_fd);
	f->server = vfu_server_create(&dev);
	if (f->server == NULL)
		return -1;
	vfu_server_attach(f->server, &t);
	*state = f;
	return 0;
}

static inline int
setup(void **state)
{
	int rc = setup_silent(state);

	if (rc == 0)
		say_version(*state);
	return rc;
}

/* Every descriptor that came in has been closed again, whatever the message was. */
static inline int
teardown(void **state)
{
	struct fixture *f = *state;

	int left;

	vfu_server_destroy(f->server);
	close(f->bar_fd);
	left = open_descriptors() - f->descriptors_before;
	free(f);
	return left;
}

#define TEST(name)	  cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_SILENT(name) cmocka_unit_test_setup_teardown(name, setup_silent, teardown)

#endif /* VFU_FIXTURE_H */
