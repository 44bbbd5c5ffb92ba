/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "vfio_user.h"
#include "vfu_server.h"

#define NB_VECTORS 25u
#define BUF_SIZE   (2u << 20)

/* A device that remembers what it was told, behind a transport that is two buffers. */
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

static int
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

static int
dev_write(void *ctx, uint32_t region, uint64_t offset, const void *buf, uint32_t len)
{
	struct fixture *f = ctx;

	f->last_offset = offset;
	if (region == 1)
		memcpy(f->bar1 + offset, buf, len);
	return f->result;
}

static void
dev_reset(void *ctx)
{
	((struct fixture *)ctx)->resets++;
}

static void
dev_connected(void *ctx)
{
	((struct fixture *)ctx)->connected++;
}

static void
dev_disconnected(void *ctx)
{
	((struct fixture *)ctx)->disconnected++;
}

static void
dev_irqs_changed(void *ctx, uint32_t index)
{
	(void)index;
	((struct fixture *)ctx)->irq_changes++;
}

static void
dev_dma_changed(void *ctx)
{
	((struct fixture *)ctx)->dma_changes++;
}

static void
dev_quiesce(void *ctx)
{
	struct fixture *f = ctx;

	f->quiesced++;
	f->was_open = fcntl(f->fd_at_quiesce, F_GETFD) >= 0;
}

static void
dev_log(void *ctx, enum vfu_log_level level, const char *line)
{
	(void)level;
	assert_null(strchr(line, '\n'));
	((struct fixture *)ctx)->log_lines++;
}

static int
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

static int
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

static struct vfu_device
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
static int
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
static int
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

static void
say_version(struct fixture *f)
{
	struct vfio_user_version v = {0, 0};

	assert_int_equal(call(f, VFIO_USER_VERSION, &v, sizeof(v)), 0);
}

static int
open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static int
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

static int
setup(void **state)
{
	int rc = setup_silent(state);

	if (rc == 0)
		say_version(*state);
	return rc;
}

/* Every descriptor that came in has been closed again, whatever the message was. */
static int
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

static void
test_version(void **state)
{
	struct fixture *f = *state;
	static const char qemu[] = "{\"capabilities\":{\"pgsizes\":4096,\"max_msg_fds\":16}}";
	char payload[210] = {0};
	struct vfio_user_version v;
	const char *text;

	memcpy(payload + 4, qemu, sizeof(qemu));
	assert_false(vfu_server_connected(f->server));
	assert_int_equal(call(f, VFIO_USER_VERSION, payload, sizeof(payload)), 0);
	assert_true(vfu_server_connected(f->server));
	assert_int_equal(f->connected, 1);
	assert_true(f->out_len <= 214);
	memcpy(&v, f->out + 16, sizeof(v));
	assert_int_equal(v.major, 0);
	assert_int_equal(v.minor, 0);
	text = (const char *)f->out + 20;
	assert_int_equal(text[f->out_len - 21], '\0');
	assert_non_null(strstr(text, "{\"capabilities\":{\"max_msg_fds\":8,"));
	assert_non_null(strstr(text, "\"max_data_xfer_size\":1048576"));
	assert_int_equal(f->out_fd, -1);
	/* Once is enough. */
	assert_int_equal(call(f, VFIO_USER_VERSION, payload, sizeof(payload)), EINVAL);
	assert_int_equal(f->connected, 1);
}

static void
test_version_tolerance(void **state)
{
	struct fixture *f = *state;
	const struct vfu_transport t = {f, fake_recv, fake_send};
	struct vfio_user_version v = {1, 0};

	assert_int_equal(call(f, VFIO_USER_VERSION, &v, sizeof(v)), EINVAL);
	assert_int_equal(call(f, VFIO_USER_VERSION, &v, 3), EINVAL);
	assert_int_equal(call(f, VFIO_USER_VERSION, NULL, 0), EINVAL);
	assert_int_equal(call(f, VFIO_USER_DEVICE_RESET, NULL, 0), EINVAL);
	assert_int_equal(call(f, 999, NULL, 0), EINVAL);
	assert_int_equal(f->resets, 0);
	assert_int_equal(f->connected, 0);
	v = (struct vfio_user_version){0, 7};
	assert_int_equal(call(f, VFIO_USER_VERSION, &v, sizeof(v)), 0);
	assert_int_equal(f->out[18], 0);
	/* A new connection starts from the beginning. */
	vfu_server_attach(f->server, &t);
	assert_int_equal(f->disconnected, 1);
	assert_int_equal(call(f, VFIO_USER_DEVICE_RESET, NULL, 0), EINVAL);
	vfu_server_detach(f->server);
	assert_int_equal(f->disconnected, 1);
	assert_int_equal(vfu_server_process(f->server), -ENOTCONN);
}

static void
test_header(void **state)
{
	struct fixture *f = *state;
	struct vfio_user_header hdr = {.command = VFIO_USER_DEVICE_RESET, .msg_size = 16};

	assert_int_equal(call(f, 999, "abc", 3), ENOSYS);
	assert_int_equal(call(f, 0, NULL, 0), ENOSYS);
	assert_int_equal(call(f, VFIO_USER_DMA_READ, NULL, 0), ENOSYS);
	assert_int_equal(call(f, VFIO_USER_DEVICE_RESET, "x", 1), EINVAL);
	/* Unknown flags; and a reply, though nothing was asked. */
	assert_int_equal(send_message(f, VFIO_USER_DEVICE_RESET, 0x40, NULL, 0), 0);
	assert_int_equal(((struct vfio_user_header *)f->out)->error_no, EINVAL);
	assert_int_equal(send_message(f, VFIO_USER_DEVICE_RESET, 1, NULL, 0), -EPROTO);
	assert_int_equal(f->out_len, 0);
	/* Sizes after which the next header cannot be found. */
	hdr.msg_size = 15;
	memcpy(f->in, &hdr, 16);
	f->in_pos = 0;
	f->in_len = 16;
	assert_int_equal(vfu_server_process(f->server), -EPROTO);
	assert_int_equal(((struct vfio_user_header *)f->out)->error_no, EINVAL);
	hdr.msg_size = UINT32_MAX;
	memcpy(f->in, &hdr, 16);
	f->in_pos = 0;
	assert_int_equal(vfu_server_process(f->server), -EPROTO);
	assert_int_equal(((struct vfio_user_header *)f->out)->error_no, EMSGSIZE);
	/* Ends: between messages, inside a payload. */
	assert_int_equal(vfu_server_process(f->server), -ENODATA);
	hdr.msg_size = 17;
	memcpy(f->in, &hdr, 16);
	f->in_pos = 0;
	assert_int_equal(vfu_server_process(f->server), -ECONNRESET);
	assert_int_equal(f->resets, 0);
	f->send_fails = true;
	assert_int_equal(send_message(f, VFIO_USER_DEVICE_RESET, 0, NULL, 0), -EPIPE);
	assert_int_equal(f->resets, 1);
}

static void
test_no_reply(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(send_message(f, VFIO_USER_DEVICE_RESET, VFIO_USER_F_NO_REPLY, NULL, 0), 0);
	assert_int_equal(f->resets, 1);
	assert_int_equal(f->out_len, 0);
	assert_int_equal(send_message(f, 999, VFIO_USER_F_NO_REPLY, NULL, 0), 0);
	assert_int_equal(f->out_len, 0);
}

static void
test_info(void **state)
{
	struct fixture *f = *state;
	struct vfio_user_device_info info = {.argsz = 32}, reply;

	assert_int_equal(call(f, VFIO_USER_DEVICE_GET_INFO, &info, sizeof(info)), 0);
	memcpy(&reply, f->out + 16, sizeof(reply));
	assert_int_equal(f->out_len, 32);
	assert_int_equal(reply.argsz, 16);
	assert_int_equal(reply.flags, 3);
	assert_int_equal(reply.num_regions, 9);
	assert_int_equal(reply.num_irqs, 5);
	info.argsz = 15;
	assert_int_equal(call(f, VFIO_USER_DEVICE_GET_INFO, &info, sizeof(info)), EINVAL);
	assert_int_equal(call(f, VFIO_USER_DEVICE_GET_INFO, &info, 15), EINVAL);
}

static struct vfio_user_region_info
region_info(struct fixture *f, uint32_t index, uint32_t argsz)
{
	struct vfio_user_region_info info = {.argsz = argsz, .index = index};

	assert_int_equal(call(f, VFIO_USER_DEVICE_GET_REGION_INFO, &info, sizeof(info)), 0);
	memcpy(&info, f->out + 16, sizeof(info));
	return info;
}

static void
test_region_info(void **state)
{
	struct fixture *f = *state;
	struct vfio_user_region_info info;
	struct vfio_user_cap_sparse cap;

	info = region_info(f, 0, 32);
	assert_int_equal(info.flags, 7);
	assert_int_equal(info.size, 4096);
	assert_int_equal(info.argsz, 32);
	assert_true(f->out_fd >= 0);
	info = region_info(f, 1, 32);
	assert_int_equal(info.flags, 3);
	assert_int_equal(f->out_fd, -1);
	info = region_info(f, 3, 32);
	assert_int_equal(info.flags, 1);
	info = region_info(f, VFU_REGION_ROM, 32);
	assert_int_equal(info.flags, 0);
	assert_int_equal(info.size, 0);

	/* Areas: first how much room they take, then they themselves. */
	info = region_info(f, 2, 79);
	assert_int_equal(f->out_len, 48);
	assert_int_equal(info.argsz, 80);
	assert_int_equal(info.flags & VFIO_USER_F_REGION_CAPS, 0);
	assert_int_equal(info.cap_offset, 0);
	info = region_info(f, 2, 80);
	assert_int_equal(f->out_len, 16 + 80);
	assert_int_equal(info.argsz, 80);
	assert_int_equal(info.flags, 0xf);
	assert_int_equal(info.cap_offset, 32);
	assert_int_equal(info.offset, 4096);
	assert_true(f->out_fd >= 0);
	memcpy(&cap, f->out + 16 + 32, sizeof(cap));
	assert_int_equal(cap.id, 1);
	assert_int_equal(cap.version, 1);
	assert_int_equal(cap.nr_areas, 2);
	assert_memory_equal(f->out + 16 + 32 + sizeof(cap), two_areas, sizeof(two_areas));
	info = region_info(f, 2, UINT32_MAX);
	assert_int_equal(f->out_len, 16 + 80);

	info = (struct vfio_user_region_info){.argsz = 32, .index = 9};
	assert_int_equal(call(f, VFIO_USER_DEVICE_GET_REGION_INFO, &info, sizeof(info)), EINVAL);
	info = (struct vfio_user_region_info){.argsz = 31, .index = 1};
	assert_int_equal(call(f, VFIO_USER_DEVICE_GET_REGION_INFO, &info, sizeof(info)), EINVAL);
}

static int
access_region(struct fixture *f, uint16_t command, uint32_t region, uint64_t offset, uint32_t count,
	uint32_t bytes)
{
	struct vfio_user_region_access access = {
		.offset = offset, .region = region, .count = count};
	uint8_t *payload = calloc(1, sizeof(access) + bytes);
	int rc;

	memcpy(payload, &access, sizeof(access));
	memset(payload + sizeof(access), 0x77, bytes);
	rc = call(f, command, payload, sizeof(access) + bytes);
	free(payload);
	return rc;
}

static void
test_region_access(void **state)
{
	struct fixture *f = *state;
	static const struct {
		uint32_t region;
		uint64_t offset;
		uint32_t count;
	} bad[] = {
		{9, 0, 4},
		{UINT32_MAX, 0, 4},
		{VFU_REGION_ROM, 0, 4},
		{1, 4096, 1},
		{1, 4093, 4},
		{1, UINT64_MAX, 4},
		{1, UINT64_MAX - 3, 4},
		{1, 0, 4097},
		{1, 0, 0},
		{1, 0, UINT32_MAX},
		{1, 1ull << 32, 4},
	};
	struct vfio_user_region_access echo;
	size_t i;

	assert_int_equal(access_region(f, VFIO_USER_REGION_WRITE, 1, 4092, 4, 4), 0);
	assert_int_equal(f->out_len, 32);
	memcpy(&echo, f->out + 16, sizeof(echo));
	assert_int_equal(echo.offset, 4092);
	assert_int_equal(echo.region, 1);
	assert_int_equal(echo.count, 4);
	assert_int_equal(f->bar1[4095], 0x77);
	assert_int_equal(access_region(f, VFIO_USER_REGION_READ, 1, 4088, 8, 0), 0);
	assert_int_equal(f->out_len, 32 + 8);
	assert_memory_equal(f->out + 32, "\0\0\0\0wwww", 8);
	assert_int_equal(access_region(f, VFIO_USER_REGION_READ, VFU_REGION_CONFIG, 0, 256, 0), 0);
	assert_int_equal(f->out[32 + 255], 0xa7);

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(access_region(f, VFIO_USER_REGION_READ, bad[i].region,
					 bad[i].offset, bad[i].count, 0),
			EINVAL);
		assert_int_equal(
			access_region(f, VFIO_USER_REGION_WRITE, bad[i].region, bad[i].offset,
				bad[i].count, bad[i].count < 8192 ? bad[i].count : 4),
			EINVAL);
	}
	assert_int_equal(f->last_offset, 0);
	/* More or less data than announced; data with a read; not writable. */
	assert_int_equal(access_region(f, VFIO_USER_REGION_WRITE, 1, 0, 4, 3), EINVAL);
	assert_int_equal(access_region(f, VFIO_USER_REGION_WRITE, 1, 0, 4, 5), EINVAL);
	assert_int_equal(access_region(f, VFIO_USER_REGION_READ, 1, 0, 4, 4), EINVAL);
	assert_int_equal(access_region(f, VFIO_USER_REGION_WRITE, 3, 0, 4, 4), EACCES);
	/* The device's errors are passed on. */
	f->result = -EIO;
	assert_int_equal(access_region(f, VFIO_USER_REGION_WRITE, 1, 0, 4, 4), EIO);
	assert_int_equal(access_region(f, VFIO_USER_REGION_READ, 1, 0, 4, 0), EIO);
}

static int
map(struct fixture *f, uint32_t flags, uint64_t iova, uint64_t size, int fd, uint64_t offset)
{
	struct vfio_user_dma_map req = {32, flags, offset, iova, size};

	if (fd >= 0)
		f->in_fds[f->nb_in_fds++] = dup(fd);
	return call(f, VFIO_USER_DMA_MAP, &req, sizeof(req));
}

static int
unmap(struct fixture *f, uint32_t flags, uint64_t iova, uint64_t size)
{
	struct vfio_user_dma_unmap req = {24, flags, iova, size};

	return call(f, VFIO_USER_DMA_UNMAP, &req, sizeof(req));
}

static void
test_dma(void **state)
{
	struct fixture *f = *state;
	struct vfu_dma *dma = vfu_server_dma(f->server);
	int fd = memfd_create("ram", 0), n;
	struct vfu_dma_range range;

	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	n = open_descriptors();
	assert_int_equal(map(f, 3, 0x10000, 0x10000, fd, 0x4000), 0);
	assert_int_equal(f->out_len, 16);
	assert_true(vfu_dma_lookup(dma, 0x1ffff, &range));
	assert_int_equal(range.prot, VFU_DMA_READ | VFU_DMA_WRITE);
	assert_int_equal(map(f, 1, 0x20000, 0x10000, fd, 0), 0);
	assert_true(vfu_dma_lookup(dma, 0x20000, &range));
	assert_int_equal(range.prot, VFU_DMA_READ);
	assert_int_equal(map(f, 3, 0x40000, 0x1000, -1, 0), 0);
	assert_int_equal(map(f, 3 | VFIO_USER_F_DMA_MMAP, 0x50000, 0x1000, fd, 0), 0);
	assert_int_equal(f->dma_changes, 4);

	assert_int_equal(map(f, 3, 0x1f000, 0x1000, fd, 0), EEXIST);
	assert_int_equal(map(f, 3, 0x80000, 0x1001, fd, 0), EINVAL);
	assert_int_equal(map(f, 0, 0x80000, 0x1000, fd, 0), EINVAL);
	assert_int_equal(map(f, 0x13, 0x80000, 0x1000, fd, 0), EINVAL);
	assert_int_equal(map(f, 3 | VFIO_USER_F_DMA_MMAP, 0x80000, 0x1000, -1, 0), EINVAL);
	assert_int_equal(map(f, 3 | VFIO_USER_F_DMA_FILEIO, 0x80000, 0x1000, -1, 0), EINVAL);
	assert_int_equal(map(f, 3 | VFIO_USER_F_DMA_FILEIO, 0x80000, 0x1000, fd, 0), ENOTSUP);
	assert_int_equal(map(f, 0xf, 0x80000, 0x1000, fd, 0), EINVAL);
	f->in_fds[f->nb_in_fds++] = dup(fd);
	assert_int_equal(map(f, 3, 0x80000, 0x1000, fd, 0), EINVAL); /* two descriptors */
	assert_int_equal(f->dma_changes, 4);
	assert_int_equal(vfu_dma_count(dma), 4);

	assert_int_equal(unmap(f, 0, 0x10000, 0x8000), ENOENT);
	assert_int_equal(unmap(f, 1, 0x10000, 0x10000), EINVAL);
	assert_int_equal(unmap(f, VFIO_USER_F_UNMAP_ALL, 0x10000, 0x10000), EINVAL);
	f->quiesced = 0;
	assert_int_equal(unmap(f, 0, 0x10000, 0x10000), 0);
	assert_int_equal(f->quiesced, 1);
	assert_int_equal(f->out_len, 40);
	assert_int_equal(((struct vfio_user_dma_unmap *)(f->out + 16))->address, 0x10000);
	assert_int_equal(((struct vfio_user_dma_unmap *)(f->out + 16))->size, 0x10000);
	assert_int_equal(unmap(f, VFIO_USER_F_UNMAP_ALL, 0, 0), 0);
	assert_int_equal(f->quiesced, 2);
	assert_int_equal(vfu_dma_count(dma), 0);
	assert_int_equal(f->dma_changes, 6);
	assert_int_equal(open_descriptors(), n);
	close(fd);
}

static void
test_irq_info(void **state)
{
	struct fixture *f = *state;
	struct vfio_user_irq_info info = {.argsz = 16, .index = VFU_IRQ_MSIX};

	assert_int_equal(call(f, VFIO_USER_DEVICE_GET_IRQ_INFO, &info, sizeof(info)), 0);
	memcpy(&info, f->out + 16, sizeof(info));
	assert_int_equal(info.count, NB_VECTORS);
	assert_int_equal(info.flags, VFIO_USER_F_IRQ_EVENTFD);
	info.index = VFU_IRQ_MSI;
	assert_int_equal(call(f, VFIO_USER_DEVICE_GET_IRQ_INFO, &info, sizeof(info)), 0);
	memcpy(&info, f->out + 16, sizeof(info));
	assert_int_equal(info.count, 0);
	info.index = VFU_IRQ_ERROR;
	assert_int_equal(call(f, VFIO_USER_DEVICE_GET_IRQ_INFO, &info, sizeof(info)), EINVAL);
	info.index = 5;
	assert_int_equal(call(f, VFIO_USER_DEVICE_GET_IRQ_INFO, &info, sizeof(info)), EINVAL);
}

static int
set_irqs(struct fixture *f, uint32_t flags, uint32_t index, uint32_t start, uint32_t count)
{
	struct vfio_user_irq_set set = {20, flags, index, start, count};

	return call(f, VFIO_USER_DEVICE_SET_IRQS, &set, sizeof(set));
}

/* Passes a duplicate of @fd along with the next message. */
static void
pass_fd(struct fixture *f, int fd)
{
	f->in_fds[f->nb_in_fds++] = dup(fd);
}

static uint64_t
taken(int fd)
{
	uint64_t n = 0;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static void
test_eventfds(void **state)
{
	struct fixture *f = *state;
	int a = eventfd(0, EFD_NONBLOCK), b = eventfd(0, EFD_NONBLOCK), before = open_descriptors();
	int old;

	pass_fd(f, a);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_MSIX, 3, 1), 0);
	assert_int_equal(f->irq_changes, 1);
	assert_int_equal(f->quiesced, 0);
	old = vfu_server_irq_fd(f->server, VFU_IRQ_MSIX, 3);
	assert_true(old >= 0);
	assert_int_equal(vfu_server_irq_fd(f->server, VFU_IRQ_MSIX, 4), -1);
	assert_int_equal(vfu_server_irq_fd(f->server, VFU_IRQ_MSIX, NB_VECTORS), -1);
	assert_int_equal(vfu_server_irq_fd(f->server, 99, 0), -1);
	assert_int_equal(set_irqs(f, 0x21, VFU_IRQ_MSIX, 3, 1), 0);
	assert_int_equal(taken(a), 1);

	/* Replaced: the old one stays open until everybody has let go of it. */
	f->fd_at_quiesce = old;
	pass_fd(f, b);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_MSIX, 3, 1), 0);
	assert_int_equal(f->quiesced, 1);
	assert_true(f->was_open);
	assert_true(fcntl(old, F_GETFD) < 0);
	assert_int_equal(set_irqs(f, 0x21, VFU_IRQ_MSIX, 0, NB_VECTORS), 0);
	assert_int_equal(taken(a), 0);
	assert_int_equal(taken(b), 1);

	/* Without a descriptor: detached. */
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_MSIX, 0, NB_VECTORS), 0);
	assert_int_equal(vfu_server_irq_fd(f->server, VFU_IRQ_MSIX, 3), -1);
	assert_int_equal(open_descriptors(), before);

	pass_fd(f, a);
	pass_fd(f, b);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_MSIX, 23, 2), 0);
	assert_int_equal(open_descriptors(), before + 2);
	assert_int_equal(set_irqs(f, 0x21, VFU_IRQ_MSIX, 0, 0), 0);
	assert_int_equal(open_descriptors(), before);
	pass_fd(f, a);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_INTX, 0, 1), 0);
	vfu_server_detach(f->server);
	assert_int_equal(open_descriptors(), before);
	close(a);
	close(b);
}

static void
test_intx_mask(void **state)
{
	struct fixture *f = *state;
	int fd = eventfd(0, EFD_NONBLOCK);

	pass_fd(f, fd);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_INTX, 0, 1), 0);
	assert_int_equal(f->irq_changes, 1);
	/* QEMU's EOI, when nothing was masked. */
	assert_int_equal(set_irqs(f, 0x11, VFU_IRQ_INTX, 0, 1), 0);
	assert_int_equal(f->irq_changes, 1);
	assert_int_equal(set_irqs(f, 0x09, VFU_IRQ_INTX, 0, 1), 0);
	assert_int_equal(f->irq_changes, 2);
	assert_int_equal(vfu_server_irq_fd(f->server, VFU_IRQ_INTX, 0), -1);
	/* A descriptor that comes while it is masked stays hidden. */
	pass_fd(f, fd);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_INTX, 0, 1), 0);
	assert_int_equal(vfu_server_irq_fd(f->server, VFU_IRQ_INTX, 0), -1);
	assert_int_equal(set_irqs(f, 0x11, VFU_IRQ_INTX, 0, 1), 0);
	assert_true(vfu_server_irq_fd(f->server, VFU_IRQ_INTX, 0) >= 0);
	close(fd);
}

static void
test_set_irqs_rejects(void **state)
{
	struct fixture *f = *state;
	int fd = eventfd(0, 0), ends[2], before;
	struct {
		struct vfio_user_irq_set set;
		uint8_t bools[4];
	} req = {.set = {20, 0x22, VFU_IRQ_MSIX, 0, 4}};

	assert_int_equal(pipe(ends), 0);
	before = open_descriptors();
	assert_int_equal(set_irqs(f, 0, VFU_IRQ_MSIX, 0, 1), EINVAL);
	assert_int_equal(set_irqs(f, 0x20, VFU_IRQ_MSIX, 0, 1), EINVAL);
	assert_int_equal(set_irqs(f, 0x23, VFU_IRQ_MSIX, 0, 1), EINVAL);
	assert_int_equal(set_irqs(f, 0x31, VFU_IRQ_MSIX, 0, 1), EINVAL);
	assert_int_equal(set_irqs(f, 0x64, VFU_IRQ_MSIX, 0, 1), EINVAL);
	assert_int_equal(set_irqs(f, 0x21, VFU_IRQ_MSI, 0, 0), EINVAL);
	assert_int_equal(set_irqs(f, 0x21, 5, 0, 0), EINVAL);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_MSIX, 0, NB_VECTORS + 1), EINVAL);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_MSIX, NB_VECTORS, 1), EINVAL);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_MSIX, UINT32_MAX, 2), EINVAL);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_MSIX, 1, UINT32_MAX), EINVAL);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_MSIX, 0, 0), EINVAL);
	assert_int_equal(set_irqs(f, 0x21, VFU_IRQ_MSIX, 1, 0), EINVAL);
	assert_int_equal(set_irqs(f, 0x22, VFU_IRQ_MSIX, 0, 4), EINVAL); /* bools missing */
	assert_int_equal(set_irqs(f, 0x11, VFU_IRQ_MSIX, 0, 1), ENOTSUP);
	assert_int_equal(call(f, VFIO_USER_DEVICE_SET_IRQS, &req, 24), 0);
	assert_int_equal(call(f, VFIO_USER_DEVICE_SET_IRQS, &req, 23), EINVAL);
	assert_int_equal(call(f, VFIO_USER_DEVICE_SET_IRQS, &req, 19), EINVAL);
	/* Descriptors: too few, too many, with the wrong data, of the wrong kind. */
	pass_fd(f, fd);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_MSIX, 0, 2), EINVAL);
	pass_fd(f, fd);
	pass_fd(f, fd);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_MSIX, 0, 1), EINVAL);
	pass_fd(f, fd);
	assert_int_equal(set_irqs(f, 0x21, VFU_IRQ_MSIX, 0, 1), EINVAL);
	pass_fd(f, fd);
	assert_int_equal(set_irqs(f, 0x14, VFU_IRQ_INTX, 0, 1), ENOTSUP);
	pass_fd(f, ends[1]);
	pass_fd(f, fd);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_MSIX, 0, 2), EINVAL);
	assert_int_equal(vfu_server_irq_fd(f->server, VFU_IRQ_MSIX, 0), -1);
	assert_int_equal(vfu_server_irq_fd(f->server, VFU_IRQ_MSIX, 1), -1);
	assert_int_equal(open_descriptors(), before);
	close(fd);
	close(ends[0]);
	close(ends[1]);
}

static void
test_bools(void **state)
{
	struct fixture *f = *state;
	int fd[3] = {eventfd(0, EFD_NONBLOCK), eventfd(0, EFD_NONBLOCK), eventfd(0, EFD_NONBLOCK)},
	    i;
	struct {
		struct vfio_user_irq_set set;
		uint8_t bools[3];
	} req = {.set = {23, 0x22, VFU_IRQ_MSIX, 5, 3}, .bools = {1, 0, 1}};

	for (i = 2; i >= 0; i--) /* the transport hands them over last first */
		pass_fd(f, fd[i]);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_MSIX, 5, 3), 0);
	assert_int_equal(call(f, VFIO_USER_DEVICE_SET_IRQS, &req, 23), 0);
	assert_int_equal(taken(fd[0]), 1);
	assert_int_equal(taken(fd[1]), 0);
	assert_int_equal(taken(fd[2]), 1);
	for (i = 0; i < 3; i++)
		close(fd[i]);
}

static void
test_unoffered(void **state)
{
	static const uint16_t commands[] = {VFIO_USER_DEVICE_GET_REGION_IO_FDS,
		VFIO_USER_DIRTY_PAGES, VFIO_USER_REGION_WRITE_MULTI, VFIO_USER_DEVICE_FEATURE,
		VFIO_USER_MIG_DATA_READ, VFIO_USER_MIG_DATA_WRITE};
	struct fixture *f = *state;
	uint8_t payload[64] = {0};
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		assert_int_equal(call(f, commands[i], payload, sizeof(payload)), ENOTSUP);
}

static void
test_log_is_limited(void **state)
{
	struct fixture *f = *state;
	int i;

	for (i = 0; i < 1000; i++)
		assert_int_equal(call(f, 999, NULL, 0), ENOSYS);
	assert_true(f->log_lines >= 10);
	assert_true(f->log_lines <= 100);
}

static void
test_bad_devices(void **state)
{
	struct fixture *f = *state;
	struct vfu_device dev = make_device(f, -1);
	static const struct vfu_area outside = {4096, 4096}, unaligned = {0, 100};

	dev.region_read = NULL;
	assert_null(vfu_server_create(&dev));
	assert_int_equal(errno, EINVAL);
	dev = make_device(f, -1);
	dev.nb_irqs[VFU_IRQ_MSIX] = VFU_MAX_VECTORS + 1;
	assert_null(vfu_server_create(&dev));
	dev = make_device(f, 1);
	dev.region[0].areas = &outside;
	dev.region[0].nb_areas = 1;
	assert_null(vfu_server_create(&dev));
	dev.region[0].areas = &unaligned;
	assert_null(vfu_server_create(&dev));
	vfu_server_destroy(NULL);
}

#define TEST(name)	  cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_SILENT(name) cmocka_unit_test_setup_teardown(name, setup_silent, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_SILENT(test_version),
		TEST_SILENT(test_version_tolerance),
		TEST(test_header),
		TEST(test_no_reply),
		TEST(test_info),
		TEST(test_region_info),
		TEST(test_region_access),
		TEST(test_dma),
		TEST(test_irq_info),
		TEST(test_eventfds),
		TEST(test_intx_mask),
		TEST(test_set_irqs_rejects),
		TEST(test_bools),
		TEST(test_unoffered),
		TEST(test_log_is_limited),
		TEST(test_bad_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
