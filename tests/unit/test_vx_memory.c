/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's own memory at a vfio-user server, in each of EAL's ways to get memory. */
#include "vx_memory_rig.h"

#include <errno.h>

#include <rte_malloc.h>
#include <rte_memory.h>

#include "eal_modes.h"

#define BIG (16u << 20) /* bytes: more than a heap has left */

static const struct eal_mode *mode;

struct walk {
	struct mem_rig *r;
	unsigned int pages;
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
	struct mem_rig r;
	void *p = rte_malloc(NULL, 100000, 0);

	(void)state;
	mem_open(&r);
	w.r = &r;
	rte_memseg_walk(walk_segment, &w);
	assert_true(w.pages > 0);
	if (!mode->one_file)
		assert_int_equal(vfu_dma_count(r.dma), w.pages);
	else if (w.pages > 1)
		assert_true(vfu_dma_count(r.dma) < w.pages);
	expect_shared(&r, p, 100000);
	mem_close(&r);
	rte_free(p);
}

static void
grows_and_shrinks(void **state)
{
	uint32_t before;
	struct mem_rig r;
	void *p[3];
	unsigned int i;

	(void)state;
	mem_open(&r);
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
	mem_close(&r);
}

/* Memory that a server got as one map is given back in parts: nothing else is touched meanwhile. */
static void
parts_of_a_map(void **state)
{
	uint32_t before, all;
	struct mem_rig r;
	void *p[3];
	unsigned int i;

	(void)state;
	mem_open(&r);
	before = vfu_dma_count(r.dma);
	for (i = 0; i < 3; i++)
		p[i] = rte_malloc(NULL, BIG, 0);
	all = vfu_dma_count(r.dma);
	mem_renew_server(&r);
	mem_attach(&r);
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
	mem_close(&r);
}

static void
too_many_for_the_server(void **state)
{
	struct mem_rig r = { .sock = NULL };
	void *p = rte_malloc(NULL, BIG, 0);
	char why[256] = "";

	(void)state;
	mem_start_server(&r, 1);
	r.mem = vx_memory_create("port");
	if (mode->one_file && !mode->grows) {
		mem_attach(&r);
	} else if (!mode->one_file) {
		assert_int_equal(vx_memory_attach(r.mem, r.client, why, sizeof(why)), -ENOSPC);
		assert_non_null(strstr(why, "--single-file-segments"));
	}
	mem_close(&r);
	rte_free(p);
}

/* Calls that find the connection gone are soon over; memory comes and goes as if there were no server. */
static void
server_dies(void **state)
{
	struct mem_rig r;
	void *p;

	(void)state;
	mem_open(&r);
	mem_stop_server(&r);
	p = rte_malloc(NULL, BIG, 0);
	assert_non_null(p);
	rte_free(p);
	vx_memory_detach(r.mem);
	vfu_client_close(r.client);
	/* And another. */
	mem_start_server(&r, 0);
	mem_attach(&r);
	p = rte_malloc(NULL, BIG, 0);
	expect_shared(&r, p, BIG);
	rte_free(p);
	mem_close(&r);
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
	};

	mode = m;
	return cmocka_run_group_tests_name(m->name, tests, NULL, NULL);
}

int
main(int argc, char **argv)
{
	return eal_modes_main(argc, argv, NULL, run);
}
