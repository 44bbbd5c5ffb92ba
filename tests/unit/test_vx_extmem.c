/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory that DPDK did not allocate, at a vfio-user server: registered, in heaps, in pools; with a file behind it or without. */
#include "vx_memory_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_memory.h>

#include "eal_modes.h"

#define EXT   (2u << 20) /* bytes */
#define MBUFS 256u

static const struct eal_mode *mode;

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
	struct mem_rig r;

	(void)state;
	assert_int_equal(rte_extmem_register(early.addr, EXT, NULL, 0, PAGE), 0);
	assert_int_equal(rte_extmem_register(own.addr, EXT, NULL, 0, PAGE), 0);
	mem_open(&r);
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
	mem_renew_server(&r);
	mem_attach(&r);
	expect_shared(&r, late.addr, EXT);
	assert_int_equal(rte_extmem_unregister(late.addr, EXT), 0);
	assert_int_equal(vx_memory_remove(r.mem, late.addr, EXT), 0);
	assert_false(reached(&r, late.addr, PAGE));
	assert_int_equal(vx_memory_remove(r.mem, late.addr, EXT), -ENOENT);

	mem_close(&r);
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
	struct mem_rig r;

	(void)state;
	mem_open(&r);
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
	mem_renew_server(&r);
	mem_attach(&r);
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
	mem_close(&r);
	rte_free(p);
}

static void
heaps(void **state)
{
	struct ext e = shared_memory(), own = private_memory();
	struct mem_rig r;
	void *p;
	int socket;

	(void)state;
	mem_open(&r);
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
	mem_close(&r);
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
expect_pool_shared(struct mem_rig *r, struct rte_mempool *pool)
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
	struct mem_rig r;

	(void)state;
	mem_open(&r);
	pool = rte_pktmbuf_pool_create("pool", MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	assert_non_null(pool);
	assert_true(vx_memory_reach(r.mem, pool));
	expect_pool_shared(&r, pool);
	vx_memory_detach(r.mem);
	assert_true(vx_memory_reach(r.mem, pool));
	mem_close(&r);
	rte_mempool_free(pool);
}

static void
shared_pool(void **state)
{
	struct ext e = shared_memory();
	struct rte_mempool *pool = pool_in(&e);
	struct mem_rig r;

	(void)state;
	mem_open(&r);
	assert_false(reached(&r, e.addr, 1));
	assert_true(vx_memory_reach(r.mem, pool));
	expect_pool_shared(&r, pool);
	/* Looked at while there is no server, it is there with the next. */
	mem_renew_server(&r);
	assert_true(vx_memory_reach(r.mem, pool));
	mem_attach(&r);
	expect_pool_shared(&r, pool);
	mem_close(&r);
	rte_mempool_free(pool);
	drop_memory(&e);
}

static void
private_pool(void **state)
{
	struct ext e = private_memory();
	struct rte_mempool *pool = pool_in(&e);
	struct mem_rig r;

	(void)state;
	mem_open(&r);
	expect_said(assert_false(vx_memory_reach(r.mem, pool)), "pool pool: the device cannot reach");
	expect_said(assert_false(vx_memory_reach(r.mem, pool)), "MAP_SHARED");
	vx_memory_detach(r.mem);
	expect_said(assert_false(vx_memory_reach(r.mem, pool)), "rte_extmem_register");
	mem_close(&r);
	rte_mempool_free(pool);
	drop_memory(&e);
}

/* The application has closed the descriptor, or there never was one. Root finds the file in /proc. */
static void
pool_without_descriptor(void **state)
{
	struct ext e = shared_memory();
	struct rte_mempool *pool = pool_in(&e), *anon;
	struct mem_rig r;

	(void)state;
	mem_open(&r);
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
	mem_close(&r);
	rte_mempool_free(anon);
	rte_mempool_free(pool);
	drop_memory(&e);
}

static void
read_only_descriptor(void **state)
{
	struct ext e = shared_memory();
	char path[64];
	struct mem_rig r;
	int fd;

	(void)state;
	/* Only a descriptor that may write is of use; this one does not get in the way of others. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", e.fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(dup3(fd, e.fd, O_CLOEXEC), e.fd);
	mem_open(&r);
	if (geteuid() == 0) {
		assert_int_equal(vx_memory_add(r.mem, e.addr, EXT), 0);
		expect_shared(&r, e.addr, EXT);
	} else {
		assert_int_equal(vx_memory_add(r.mem, e.addr, EXT), -ENOENT);
	}
	mem_close(&r);
	close(fd);
	drop_memory(&e);
}

static void
pinned_buffers(void **state)
{
	struct ext e[2] = { shared_memory(), private_memory() };
	struct rte_pktmbuf_extmem area = { .buf_len = EXT, .elt_size = 2048, .buf_iova = RTE_BAD_IOVA };
	struct rte_mempool *pool;
	struct mem_rig r;
	int i;

	(void)state;
	mem_open(&r);
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
	mem_close(&r);
	drop_memory(&e[0]);
	drop_memory(&e[1]);
}

/* There is a file, but what is written goes to copies that nobody else sees. */
static void
private_copy_of_a_file(void **state)
{
	struct ext e = shared_memory();
	struct mem_rig r;

	(void)state;
	assert_ptr_equal(mmap(e.addr, EXT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, e.fd, 0), e.addr);
	mem_open(&r);
	expect_said(assert_int_equal(vx_memory_add(r.mem, e.addr, EXT), -EACCES), "MAP_SHARED");
	assert_false(reached(&r, e.addr, 1));
	mem_close(&r);
	drop_memory(&e);
}

/* The application has put other memory where the pool's was: the server must not keep the old. */
static void
other_file_in_place(void **state)
{
	struct ext e = shared_memory(), other = shared_memory();
	struct mem_rig r;

	(void)state;
	mem_open(&r);
	assert_int_equal(vx_memory_add(r.mem, e.addr, EXT), 0);
	assert_ptr_equal(mremap(other.addr, EXT, EXT, MREMAP_MAYMOVE | MREMAP_FIXED, e.addr), e.addr);
	assert_int_equal(vx_memory_add(r.mem, e.addr, EXT), 0);
	expect_shared(&r, e.addr, EXT);
	mem_close(&r);
	close(other.fd);
	drop_memory(&e);
}

static int
run(const struct eal_mode *m)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registered),
		cmocka_unit_test(mapped_by_the_application),
		cmocka_unit_test(heaps),
		cmocka_unit_test(usual_pool),
		cmocka_unit_test(shared_pool),
		cmocka_unit_test(private_pool),
		cmocka_unit_test(pool_without_descriptor),
		cmocka_unit_test(read_only_descriptor),
		cmocka_unit_test(pinned_buffers),
		cmocka_unit_test(private_copy_of_a_file),
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
