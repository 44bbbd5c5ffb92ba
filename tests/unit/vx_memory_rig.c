/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_memory_rig.h"

#include <unistd.h>

static void
on_quiesce(void *ctx)
{
	struct mem_rig *r = ctx;

	atomic_fetch_add(&r->quiesced, 1);
}

static int
no_read(void *ctx, uint32_t region, uint64_t offset, void *buf, uint32_t len)
{
	(void)ctx, (void)region, (void)offset;
	memset(buf, 0, len);
	return 0;
}

static int
no_write(void *ctx, uint32_t region, uint64_t offset, const void *buf, uint32_t len)
{
	(void)ctx, (void)region, (void)offset, (void)buf, (void)len;
	return 0;
}

static void
nothing(void *ctx)
{
	(void)ctx;
}

static void *
serve(void *arg)
{
	struct mem_rig *r = arg;

	vfu_socket_run(r->sock, r->server);
	return NULL;
}

void
mem_start_server(struct mem_rig *r, uint32_t max_maps)
{
	struct vfu_device device = { .ctx = r, .region_read = no_read, .region_write = no_write,
		.reset = nothing, .connected = nothing, .disconnected = nothing,
		.quiesce = on_quiesce, .max_dma_maps = max_maps };
	struct vfu_socket_conf conf = { .path = r->path, .owner = (uid_t)-1, .group = (gid_t)-1 };
	char why[256] = "";
	unsigned int i;

	snprintf(r->path, sizeof(r->path), "/tmp/vx-memory-%d.sock", (int)getpid());
	for (i = 0; i < VFU_MAX_REGIONS; i++)
		device.region[i].fd = -1;
	r->server = vfu_server_create(&device);
	assert_non_null(r->server);
	r->dma = vfu_server_dma(r->server);
	if (vfu_socket_open(&conf, &r->sock, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	assert_int_equal(pthread_create(&r->thread, NULL, serve, r), 0);
	if (vfu_client_connect(r->path, &r->client, why, sizeof(why)) != 0)
		fail_msg("%s", why);
}

void
mem_stop_server(struct mem_rig *r)
{
	vfu_socket_stop(r->sock);
	pthread_join(r->thread, NULL);
	vfu_socket_close(r->sock);
	vfu_server_destroy(r->server);
}

void
mem_attach(struct mem_rig *r)
{
	char why[256] = "";

	if (vx_memory_attach(r->mem, r->client, why, sizeof(why)) != 0)
		fail_msg("%s", why);
}

void
mem_open(struct mem_rig *r)
{
	memset(r, 0, sizeof(*r));
	mem_start_server(r, 0);
	r->mem = vx_memory_create("port");
	assert_non_null(r->mem);
	mem_attach(r);
}

void
mem_close(struct mem_rig *r)
{
	vx_memory_detach(r->mem);
	vfu_client_close(r->client);
	mem_stop_server(r);
	vx_memory_destroy(r->mem);
}

void
mem_renew_server(struct mem_rig *r)
{
	vx_memory_detach(r->mem);
	vfu_client_close(r->client);
	mem_stop_server(r);
	mem_start_server(r, 0);
}

static uint8_t *
host_of(struct mem_rig *r, const void *addr)
{
	struct vfu_dma_range range;

	if (!vfu_dma_lookup(r->dma, (uintptr_t)addr, &range))
		return NULL;
	return range.host + ((uintptr_t)addr - range.iova);
}

bool
reached(struct mem_rig *r, const void *start, size_t len)
{
	const uint8_t *at = start, *end = at + len;

	for (; at < end; at += PAGE) {
		if (host_of(r, at) == NULL)
			return false;
	}
	return host_of(r, end - 1) != NULL;
}

void
expect_shared(struct mem_rig *r, void *start, size_t len)
{
	volatile uint8_t *at = start, *end = at + len;

	if (!reached(r, start, len))
		fail_msg("%zu bytes at %p are not mapped", len, start);
	for (; at < end; at += PAGE) {
		volatile uint8_t *host = host_of(r, (const void *)(uintptr_t)at);
		uint8_t was = *at;

		*at = 0xa5;
		assert_int_equal(*host, 0xa5);
		*host = 0x5a;
		assert_int_equal(*at, 0x5a);
		*at = was;
	}
}
