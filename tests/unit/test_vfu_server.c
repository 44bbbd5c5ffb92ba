/* SPDX-License-Identifier: BSD-3-Clause */
#include "vfu_fixture.h"

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

	assert_int_equal(unmap(f, 0, 0x10000, 0x8000), EINVAL);
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
		TEST(test_unoffered),
		TEST(test_log_is_limited),
		TEST(test_bad_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
