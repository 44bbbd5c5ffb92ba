/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK's memory in the reach of a vfio-user server: a server in this process tells what it has mapped, in each of EAL's ways
 * to get memory.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include <cmocka.h>

#include <rte_log.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_memory.h>

#include <vfu_client.h>
#include <vfu_socket.h>
#include <vx_memory.h>

#include "eal_modes.h"

#define PAGE   4096u
#define EXT    (2u << 20) /* bytes of external memory */
#define BIG    (16u << 20) /* more than a heap has left */
#define MBUFS  256u

static const struct eal_mode *mode;

/* A server, and what it maps. */
struct rig {
	struct vfu_socket *sock;
	struct vfu_server *server;
	struct vfu_dma *dma;
	struct vfu_client *client;
	struct vx_memory *mem;
	pthread_t thread;
	char path[64];
	atomic_uint quiesced; /* mappings taken away */
};

/* ---- the rig ---- */

static void
on_quiesce(void *ctx)
{
	struct rig *r = ctx;

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
	struct rig *r = arg;

	vfu_socket_run(r->sock, r->server);
	return NULL;
}

static void
start_server(struct rig *r, uint32_t max_maps)
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

static void
stop_server(struct rig *r)
{
	vfu_socket_stop(r->sock);
	pthread_join(r->thread, NULL);
	vfu_socket_close(r->sock);
	vfu_server_destroy(r->server);
}

static void
open_rig(struct rig *r)
{
	memset(r, 0, sizeof(*r));
	start_server(r, 0);
	r->mem = vx_memory_create("port");
	assert_non_null(r->mem);
	assert_int_equal(vx_memory_attach(r->mem, r->client), 0);
}

static void
close_rig(struct rig *r)
{
	vx_memory_detach(r->mem);
	vfu_client_close(r->client);
	stop_server(r);
	vx_memory_destroy(r->mem);
}

/* Another server, at the same path. */
static void
renew_server(struct rig *r)
{
	vx_memory_detach(r->mem);
	vfu_client_close(r->client);
	stop_server(r);
	start_server(r, 0);
}

static uint8_t *
host_of(struct rig *r, const void *addr)
{
	struct vfu_dma_range range;

	if (!vfu_dma_lookup(r->dma, (uintptr_t)addr, &range))
		return NULL;
	return range.host + ((uintptr_t)addr - range.iova);
}

static bool
reached(struct rig *r, const void *start, size_t len)
{
	const uint8_t *at = start, *end = at + len;

	for (; at < end; at += PAGE) {
		if (host_of(r, at) == NULL)
			return false;
	}
	return host_of(r, end - 1) != NULL;
}

/* The device finds what we wrote, and we what it writes, on each page. */
static void
expect_shared(struct rig *r, void *start, size_t len)
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

/* Runs @p what and fails unless it logs @p part. */
#define expect_said(what, part)                                                                    \
	do {                                                                                       \
		char *said_ = NULL;                                                                \
		size_t len_;                                                                       \
		FILE *log_ = open_memstream(&said_, &len_);                                        \
		rte_openlog_stream(log_);                                                          \
		what;                                                                              \
		rte_openlog_stream(NULL);                                                          \
		fclose(log_);                                                                      \
		if (strstr(said_, part) == NULL)                                                   \
			fail_msg("it says '%s', not '%s'", said_, part);                           \
		free(said_);                                                                       \
	} while (0)

/* ---- DPDK's own memory ---- */

struct walk {
	struct rig *r;
	unsigned int pages, files;
};

static int
walk_segment(const struct rte_memseg_list *msl, const struct rte_memseg *ms, void *arg)
{
	struct walk *w = arg;

	if (!msl->external) {
		w->pages++;
		assert_true(reached(w->r, ms->addr, ms->len));
	}
	return 0;
}

static void
all_of_it_at_once(void **state)
{
	struct walk w = { .pages = 0 };
	struct rig r;
	void *p = rte_malloc(NULL, 100000, 0);

	(void)state;
	open_rig(&r);
	w.r = &r;
	rte_memseg_walk(walk_segment, &w);
	assert_true(w.pages > 0);
	if (!mode->one_file)
		assert_int_equal(vfu_dma_count(r.dma), w.pages);
	else if (w.pages > 1)
		assert_true(vfu_dma_count(r.dma) < w.pages);
	expect_shared(&r, p, 100000);
	close_rig(&r);
	rte_free(p);
}

static void
grows_and_shrinks(void **state)
{
	uint32_t before;
	struct rig r;
	void *p[3];
	unsigned int i;

	(void)state;
	open_rig(&r);
	before = vfu_dma_count(r.dma);
	for (i = 0; i < 3; i++) {
		p[i] = rte_malloc(NULL, BIG, 0);
		assert_non_null(p[i]);
		expect_shared(&r, p[i], BIG);
	}
	if (mode->grows)
		assert_true(vfu_dma_count(r.dma) > before);
	/* The one in the middle first. */
	rte_free(p[1]);
	expect_shared(&r, p[0], BIG);
	expect_shared(&r, p[2], BIG);
	if (mode->grows)
		assert_false(reached(&r, (char *)p[1] + BIG / 2, PAGE));
	rte_free(p[0]);
	rte_free(p[2]);
	assert_int_equal(vfu_dma_count(r.dma), before);
	close_rig(&r);
}

/* Memory that a server got as one map is given back in parts: nothing else is touched meanwhile. */
static void
parts_of_a_map(void **state)
{
	uint32_t before, all;
	struct rig r;
	void *p[3];
	unsigned int i;

	(void)state;
	open_rig(&r);
	before = vfu_dma_count(r.dma);
	for (i = 0; i < 3; i++)
		p[i] = rte_malloc(NULL, BIG, 0);
	all = vfu_dma_count(r.dma);
	renew_server(&r);
	assert_int_equal(vx_memory_attach(r.mem, r.client), 0);
	for (i = 0; i < 3; i++)
		expect_shared(&r, p[i], BIG);
	if (mode->one_file && mode->grows)
		assert_true(vfu_dma_count(r.dma) < all);
	atomic_store(&r.quiesced, 0);
	rte_free(p[1]);
	if (mode->one_file)
		assert_int_equal(atomic_load(&r.quiesced), 0);
	expect_shared(&r, p[0], BIG);
	expect_shared(&r, p[2], BIG);
	/* The hole is filled again. */
	p[1] = rte_malloc(NULL, BIG, 0);
	expect_shared(&r, p[1], BIG);
	for (i = 0; i < 3; i++)
		rte_free(p[i]);
	if (!mode->one_file)
		assert_int_equal(vfu_dma_count(r.dma), before);
	close_rig(&r);
}

static void
too_many_for_the_server(void **state)
{
	struct rig r = { .sock = NULL };
	void *p = rte_malloc(NULL, BIG, 0);
	int rc = 0;

	(void)state;
	start_server(&r, 1);
	r.mem = vx_memory_create("port");
	if (mode->one_file && !mode->grows) {
		assert_int_equal(vx_memory_attach(r.mem, r.client), 0);
	} else if (!mode->one_file) {
		expect_said(rc = vx_memory_attach(r.mem, r.client), "--single-file-segments");
		assert_int_equal(rc, -ENOSPC);
	}
	close_rig(&r);
	rte_free(p);
}

/* Calls that find the connection gone are soon over; memory comes and goes as if there were no server. */
static void
server_dies(void **state)
{
	struct rig r;
	void *p;

	(void)state;
	open_rig(&r);
	stop_server(&r);
	p = rte_malloc(NULL, BIG, 0);
	assert_non_null(p);
	rte_free(p);
	vx_memory_detach(r.mem);
	vfu_client_close(r.client);
	/* And another. */
	start_server(&r, 0);
	assert_int_equal(vx_memory_attach(r.mem, r.client), 0);
	p = rte_malloc(NULL, BIG, 0);
	expect_shared(&r, p, BIG);
	rte_free(p);
	close_rig(&r);
}

/* ---- memory of others ---- */

struct ext {
	void *addr;
	int fd; /* -1: none */
};

static struct ext
shared_memory(void)
{
	struct ext e = { .fd = memfd_create("ext", MFD_CLOEXEC) };

	assert_int_equal(ftruncate(e.fd, EXT), 0);
	e.addr = mmap(NULL, EXT, PROT_READ | PROT_WRITE, MAP_SHARED, e.fd, 0);
	assert_ptr_not_equal(e.addr, MAP_FAILED);
	return e;
}

static struct ext
private_memory(void)
{
	struct ext e = { .fd = -1 };

	e.addr = mmap(NULL, EXT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(e.addr, MAP_FAILED);
	return e;
}

static void
drop_memory(struct ext *e)
{
	munmap(e->addr, EXT);
	if (e->fd >= 0)
		close(e->fd);
}

static void
registered(void **state)
{
	struct ext early = shared_memory(), late = shared_memory(), own = private_memory();
	struct rig r;

	(void)state;
	assert_int_equal(rte_extmem_register(early.addr, EXT, NULL, 0, PAGE), 0);
	assert_int_equal(rte_extmem_register(own.addr, EXT, NULL, 0, PAGE), 0);
	open_rig(&r);
	/* What cannot be shared is no error while nobody wants it to be. */
	expect_shared(&r, early.addr, EXT);
	assert_false(reached(&r, own.addr, PAGE));

	/* Of later ones DPDK tells nobody; the application does, by rte_dev_dma_map(). */
	assert_int_equal(rte_extmem_register(late.addr, EXT, NULL, 0, PAGE), 0);
	assert_false(reached(&r, late.addr, PAGE));
	assert_int_equal(vx_memory_add(r.mem, late.addr, EXT), 0);
	expect_shared(&r, late.addr, EXT);
	assert_int_equal(vx_memory_add(r.mem, own.addr, EXT), -EACCES);
	assert_int_equal(vx_memory_remove(r.mem, own.addr, EXT), -ENOENT);

	/* The next server gets it without being asked. */
	renew_server(&r);
	assert_int_equal(vx_memory_attach(r.mem, r.client), 0);
	expect_shared(&r, late.addr, EXT);
	assert_int_equal(rte_extmem_unregister(late.addr, EXT), 0);
	assert_int_equal(vx_memory_remove(r.mem, late.addr, EXT), 0);
	assert_false(reached(&r, late.addr, PAGE));
	assert_int_equal(vx_memory_remove(r.mem, late.addr, EXT), -ENOENT);

	close_rig(&r);
	assert_int_equal(rte_extmem_unregister(early.addr, EXT), 0);
	assert_int_equal(rte_extmem_unregister(own.addr, EXT), 0);
	drop_memory(&early);
	drop_memory(&late);
	drop_memory(&own);
}

static void
mapped_by_the_application(void **state)
{
	struct ext e = shared_memory();
	void *p = rte_malloc(NULL, PAGE, 0);
	struct rig r;

	(void)state;
	open_rig(&r);
	/* Some bytes of two pages. */
	assert_int_equal(vx_memory_add(r.mem, (char *)e.addr + PAGE - 10, 20), 0);
	expect_shared(&r, e.addr, 2 * PAGE);
	assert_false(reached(&r, (char *)e.addr + 2 * PAGE, 1));
	/* More, and again. */
	assert_int_equal(vx_memory_add(r.mem, e.addr, EXT), 0);
	assert_int_equal(vx_memory_add(r.mem, e.addr, EXT), 0);
	expect_shared(&r, e.addr, EXT);
	assert_int_equal(vx_memory_remove(r.mem, e.addr, EXT), 0);
	assert_false(reached(&r, e.addr, 1));
	assert_false(reached(&r, (char *)e.addr + EXT - 1, 1));
	/* A part of it; the next server gets the rest only. */
	assert_int_equal(vx_memory_add(r.mem, e.addr, EXT), 0);
	assert_int_equal(vx_memory_remove(r.mem, (char *)e.addr + EXT / 4, EXT / 4), 0);
	assert_int_equal(vx_memory_remove(r.mem, (char *)e.addr + EXT / 4, EXT / 4), -ENOENT);
	renew_server(&r);
	assert_int_equal(vx_memory_attach(r.mem, r.client), 0);
	expect_shared(&r, e.addr, EXT / 4);
	expect_shared(&r, (char *)e.addr + EXT / 2, EXT / 2);
	assert_false(reached(&r, (char *)e.addr + EXT / 4, 1));
	assert_false(reached(&r, (char *)e.addr + EXT / 2 - 1, 1));
	assert_int_equal(vx_memory_remove(r.mem, e.addr, EXT), 0);
	assert_false(reached(&r, e.addr, 1));
	assert_false(reached(&r, (char *)e.addr + EXT - 1, 1));
	/* DPDK's own is there anyway, and stays. */
	assert_int_equal(vx_memory_add(r.mem, p, PAGE), 0);
	assert_int_equal(vx_memory_remove(r.mem, p, PAGE), 0);
	assert_true(reached(&r, p, PAGE));
	munmap(e.addr, EXT);
	assert_int_equal(vx_memory_add(r.mem, e.addr, EXT), -EFAULT);
	close(e.fd);
	close_rig(&r);
	rte_free(p);
}

static void
heaps(void **state)
{
	struct ext e = shared_memory(), own = private_memory();
	struct rig r;
	void *p;
	int socket;

	(void)state;
	open_rig(&r);
	assert_int_equal(rte_malloc_heap_create("ext"), 0);
	assert_int_equal(rte_malloc_heap_memory_add("ext", e.addr, EXT, NULL, 0, PAGE), 0);
	/* Where DPDK's own memory never changes it tells of no other either. */
	if (!mode->grows)
		assert_int_equal(vx_memory_add(r.mem, e.addr, EXT), 0);
	expect_shared(&r, (char *)e.addr + EXT / 2, PAGE);
	socket = rte_malloc_heap_get_socket("ext");
	p = rte_malloc_socket(NULL, EXT / 4, 0, socket);
	expect_shared(&r, p, EXT / 4);
	rte_free(p);
	expect_said(assert_int_equal(rte_malloc_heap_memory_add("ext", own.addr, EXT, NULL, 0, PAGE), 0),
		mode->grows ? "private to this process" : "");
	assert_int_equal(rte_malloc_heap_memory_remove("ext", own.addr, EXT), 0);
	assert_int_equal(rte_malloc_heap_memory_remove("ext", e.addr, EXT), 0);
	if (!mode->grows)
		assert_int_equal(vx_memory_remove(r.mem, e.addr, EXT), 0);
	assert_false(reached(&r, e.addr, 1));
	assert_int_equal(rte_malloc_heap_destroy("ext"), 0);
	close_rig(&r);
	drop_memory(&e);
	drop_memory(&own);
}

/* ---- pools ---- */

static struct rte_mempool *
pool_in(const struct ext *e)
{
	struct rte_pktmbuf_pool_private priv = { .mbuf_data_room_size = RTE_MBUF_DEFAULT_BUF_SIZE };
	struct rte_mempool *pool;

	pool = rte_mempool_create_empty("pool", MBUFS, sizeof(struct rte_mbuf) + RTE_MBUF_DEFAULT_BUF_SIZE, 0,
		sizeof(priv), SOCKET_ID_ANY, 0);
	assert_non_null(pool);
	rte_pktmbuf_pool_init(pool, &priv);
	assert_int_equal(rte_mempool_populate_iova(pool, e->addr, RTE_BAD_IOVA, EXT, NULL, NULL), MBUFS);
	rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return pool;
}

/* The data of each buffer is shared. */
static void
expect_pool_shared(struct rig *r, struct rte_mempool *pool)
{
	struct rte_mbuf *m[MBUFS];
	unsigned int i;

	for (i = 0; i < MBUFS; i++) {
		m[i] = rte_pktmbuf_alloc(pool);
		assert_non_null(m[i]);
		expect_shared(r, m[i]->buf_addr, m[i]->buf_len);
	}
	rte_pktmbuf_free_bulk(m, MBUFS);
}

static void
usual_pool(void **state)
{
	struct rte_mempool *pool;
	struct rig r;

	(void)state;
	open_rig(&r);
	pool = rte_pktmbuf_pool_create("pool", MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	assert_non_null(pool);
	assert_true(vx_memory_reach(r.mem, pool));
	expect_pool_shared(&r, pool);
	vx_memory_detach(r.mem);
	assert_true(vx_memory_reach(r.mem, pool));
	close_rig(&r);
	rte_mempool_free(pool);
}

static void
shared_pool(void **state)
{
	struct ext e = shared_memory();
	struct rte_mempool *pool = pool_in(&e);
	struct rig r;

	(void)state;
	open_rig(&r);
	assert_false(reached(&r, e.addr, 1));
	assert_true(vx_memory_reach(r.mem, pool));
	expect_pool_shared(&r, pool);
	/* Looked at while there is no server, it is there with the next. */
	renew_server(&r);
	assert_true(vx_memory_reach(r.mem, pool));
	assert_int_equal(vx_memory_attach(r.mem, r.client), 0);
	expect_pool_shared(&r, pool);
	close_rig(&r);
	rte_mempool_free(pool);
	drop_memory(&e);
}

static void
private_pool(void **state)
{
	struct ext e = private_memory();
	struct rte_mempool *pool = pool_in(&e);
	struct rig r;

	(void)state;
	open_rig(&r);
	expect_said(assert_false(vx_memory_reach(r.mem, pool)), "pool pool: the device cannot reach");
	expect_said(assert_false(vx_memory_reach(r.mem, pool)), "MAP_SHARED");
	vx_memory_detach(r.mem);
	expect_said(assert_false(vx_memory_reach(r.mem, pool)), "rte_extmem_register");
	close_rig(&r);
	rte_mempool_free(pool);
	drop_memory(&e);
}

/* The application has closed the descriptor, or there never was one. Root finds the file in /proc. */
static void
pool_without_descriptor(void **state)
{
	struct ext e = shared_memory();
	struct rte_mempool *pool = pool_in(&e), *anon;
	struct rig r;

	(void)state;
	open_rig(&r);
	close(e.fd);
	e.fd = -1;
	anon = rte_mempool_create_empty("anon", MBUFS, sizeof(struct rte_mbuf) + RTE_MBUF_DEFAULT_BUF_SIZE, 0,
		sizeof(struct rte_pktmbuf_pool_private), SOCKET_ID_ANY, 0);
	rte_pktmbuf_pool_init(anon, NULL);
	assert_int_equal(rte_mempool_populate_anon(anon), MBUFS);
	rte_mempool_obj_iter(anon, rte_pktmbuf_init, NULL);
	if (geteuid() == 0) {
		assert_true(vx_memory_reach(r.mem, pool));
		expect_pool_shared(&r, pool);
		assert_true(vx_memory_reach(r.mem, anon));
		expect_pool_shared(&r, anon);
	} else {
		expect_said(assert_false(vx_memory_reach(r.mem, pool)), "keep its descriptor open");
	}
	close_rig(&r);
	rte_mempool_free(anon);
	rte_mempool_free(pool);
	drop_memory(&e);
}

static void
read_only_descriptor(void **state)
{
	struct ext e = shared_memory();
	char path[64];
	struct rig r;
	int fd;

	(void)state;
	/* Only a descriptor that may write is of use; this one does not get in the way of others. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", e.fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(dup3(fd, e.fd, O_CLOEXEC), e.fd);
	open_rig(&r);
	if (geteuid() == 0) {
		assert_int_equal(vx_memory_add(r.mem, e.addr, EXT), 0);
		expect_shared(&r, e.addr, EXT);
	} else {
		assert_int_equal(vx_memory_add(r.mem, e.addr, EXT), -ENOENT);
	}
	close_rig(&r);
	close(fd);
	drop_memory(&e);
}

static void
pinned_buffers(void **state)
{
	struct ext e[2] = { shared_memory(), private_memory() };
	struct rte_pktmbuf_extmem area = { .buf_len = EXT, .elt_size = 2048, .buf_iova = RTE_BAD_IOVA };
	struct rte_mempool *pool;
	struct rig r;
	int i;

	(void)state;
	open_rig(&r);
	for (i = 0; i < 2; i++) {
		area.buf_ptr = e[i].addr;
		pool = rte_pktmbuf_pool_create_extbuf("pinned", MBUFS, 0, 0, 2048, SOCKET_ID_ANY, &area, 1);
		assert_non_null(pool);
		if (i == 0) {
			assert_true(vx_memory_reach(r.mem, pool));
			expect_pool_shared(&r, pool);
		} else {
			expect_said(assert_false(vx_memory_reach(r.mem, pool)), "pool pinned:");
		}
		rte_mempool_free(pool);
	}
	close_rig(&r);
	drop_memory(&e[0]);
	drop_memory(&e[1]);
}

/* The application has put other memory where the pool's was: the server must not keep the old. */
static void
other_file_in_place(void **state)
{
	struct ext e = shared_memory(), other = shared_memory();
	struct rig r;

	(void)state;
	open_rig(&r);
	assert_int_equal(vx_memory_add(r.mem, e.addr, EXT), 0);
	assert_ptr_equal(mremap(other.addr, EXT, EXT, MREMAP_MAYMOVE | MREMAP_FIXED, e.addr), e.addr);
	assert_int_equal(vx_memory_add(r.mem, e.addr, EXT), 0);
	expect_shared(&r, e.addr, EXT);
	close_rig(&r);
	close(other.fd);
	drop_memory(&e);
}

static int
run(const struct eal_mode *m)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it_at_once),
		cmocka_unit_test(grows_and_shrinks),
		cmocka_unit_test(parts_of_a_map),
		cmocka_unit_test(too_many_for_the_server),
		cmocka_unit_test(server_dies),
		cmocka_unit_test(registered),
		cmocka_unit_test(mapped_by_the_application),
		cmocka_unit_test(heaps),
		cmocka_unit_test(usual_pool),
		cmocka_unit_test(shared_pool),
		cmocka_unit_test(private_pool),
		cmocka_unit_test(pool_without_descriptor),
		cmocka_unit_test(read_only_descriptor),
		cmocka_unit_test(pinned_buffers),
		cmocka_unit_test(other_file_in_place),
	};

	mode = m;
	return cmocka_run_group_tests_name(m->name, tests, NULL, NULL);
}

int
main(int argc, char **argv)
{
	return eal_modes_main(argc, argv, NULL, run);
}
