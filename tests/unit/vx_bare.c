/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_bare.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_eal.h>
#include <rte_malloc.h>
#include <rte_vect.h>

#include <vx_vec.h>

#define SEND_POOL 4096
#define SEND_ROOM 16500 /* more than one descriptor takes */

int vx_eal_done;

int
vx_eal(void **state)
{
	char *argv[] = { (char *)(uintptr_t)"test", (char *)(uintptr_t)"--no-huge",
		(char *)(uintptr_t)"--no-shconf", (char *)(uintptr_t)"--no-pci",
		(char *)(uintptr_t)"--no-telemetry", (char *)(uintptr_t)"-m",
		(char *)(uintptr_t)"192", (char *)(uintptr_t)"--log-level=lib.eal:error", NULL };
	cpu_set_t cpus;

	(void)state;
	if (vx_eal_done)
		return 0;
	/* Threads that tests start go where they want. */
	pthread_getaffinity_np(pthread_self(), sizeof(cpus), &cpus);
	if (rte_eal_init(RTE_DIM(argv) - 1, argv) < 0)
		return -1;
	pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
	vx_eal_done = 1;
	return 0;
}

const char *
vx_vectors(uint16_t bits)
{
	const struct vx_vec *vec;

	if (rte_vect_set_max_simd_bitwidth(bits) != 0)
		return NULL;
	vec = vx_vec_choose();
	if (bits <= RTE_VECT_SIMD_DISABLED)
		return vec == NULL ? "scalar" : NULL;
	/* Less than was allowed has its own turn. */
	return vec != NULL && vec->bits == bits ? vec->name : NULL;
}

/* ---- the port ---- */

static struct bare *open_port;

static bool
can_reach(struct vx_dev *dev, struct rte_mempool *pool)
{
	(void)dev;
	(void)pool;
	return !open_port->unreachable;
}

static const struct vx_bus_ops bus = { .can_reach = can_reach };

static struct rte_mempool *
make_pool(const char *name, uint32_t n, uint32_t cache, uint32_t room)
{
	struct rte_mempool *pool = rte_pktmbuf_pool_create(name, n, cache, 0,
		(uint16_t)(RTE_PKTMBUF_HEADROOM + room), SOCKET_ID_ANY);

	if (pool == NULL)
		fail_msg("no pool of %u buffers: %s", n, rte_strerror(rte_errno));
	return pool;
}

static struct bare_conf
fill_in(const struct bare_conf *conf)
{
	struct bare_conf c = { 0 };

	if (conf != NULL)
		c = *conf;
	c.rev = c.rev ? c.rev : 7;
	c.nb_queues = c.nb_queues ? c.nb_queues : 1;
	c.rx_size = c.rx_size ? c.rx_size : 256;
	c.tx_size = c.tx_size ? c.tx_size : 256;
	c.mtu = c.mtu ? c.mtu : 1500;
	c.buf_len = c.buf_len ? c.buf_len : 2048;
	c.pool_size = c.pool_size ? c.pool_size : 2048;
	return c;
}

void
bare_open(struct bare *p, const struct bare_conf *conf)
{
	struct bare_conf c = fill_in(conf);
	const struct rte_eth_rxconf rx = { .rx_drop_en = 1 };
	const struct rte_eth_txconf tx = { 0 };
	struct rte_eth_dev_data *data;
	uint16_t q;

	memset(p, 0, sizeof(*p));
	open_port = p;
	p->eth = rte_eth_dev_allocate("test_vx");
	p->dev = rte_zmalloc("vx_dev", sizeof(*p->dev), RTE_CACHE_LINE_SIZE);
	p->descs = rte_memzone_reserve_aligned("vx_descs", 2 * VX_MAX_QUEUES * 256, SOCKET_ID_ANY, 0, 128);
	assert_true(p->eth != NULL && p->dev != NULL && p->descs != NULL);
	data = p->eth->data;
	data->dev_private = p->dev;
	data->mtu = c.mtu;
	data->dev_conf.rxmode.offloads = c.rx_offloads;
	data->dev_conf.txmode.offloads = c.tx_offloads;
	data->nb_rx_queues = data->nb_tx_queues = c.nb_queues;
	data->rx_queues = rte_calloc("q", c.nb_queues, sizeof(void *), 0);
	data->tx_queues = rte_calloc("q", c.nb_queues, sizeof(void *), 0);
	snprintf(p->dev->name, sizeof(p->dev->name), "test_vx");
	p->dev->eth_dev = p->eth;
	p->dev->bus = &bus;
	p->dev->bar0 = p->bar0;
	p->dev->dma_is_va = true;
	p->dev->intr = true;
	p->dev->rev = vmxnet3_rev_get(c.rev);
	p->dev->lim.rev = c.rev;
	p->dev->lim.tx_data_size = 128;
	p->dev->lim.tunnels = c.tunnels;
	p->dev->args.rx_data_size = c.rx_data_size;
	p->dev->txqd = p->descs->addr;
	p->dev->rxqd = RTE_PTR_ADD(p->descs->addr, c.nb_queues * 256u);
	p->pool = make_pool("vx_rx", c.pool_size, c.pool_cache, c.buf_len);
	p->tx_pool = make_pool("vx_tx", SEND_POOL, 0, SEND_ROOM);
	for (q = 0; q < c.nb_queues; q++) {
		assert_int_equal(0, vx_rx_queue_setup(p->eth, q, c.rx_size, 0, &rx, p->pool));
		assert_int_equal(0, vx_tx_queue_setup(p->eth, q, c.tx_size, 0, &tx));
	}
	if (!c.lazy)
		assert_int_equal(0, vx_queues_init(p->dev));
}

void
bare_close(struct bare *p)
{
	uint16_t q;

	for (q = 0; q < p->eth->data->nb_rx_queues; q++) {
		vx_rx_queue_release(p->eth, q);
		vx_tx_queue_release(p->eth, q);
	}
	assert_int_equal(p->pool->size, rte_mempool_avail_count(p->pool));
	assert_int_equal(p->tx_pool->size, rte_mempool_avail_count(p->tx_pool));
	rte_free(p->eth->data->rx_queues);
	rte_free(p->eth->data->tx_queues);
	p->eth->data->rx_queues = p->eth->data->tx_queues = NULL;
	rte_eth_dev_release_port(p->eth);
	rte_memzone_free(p->descs);
	rte_mempool_free(p->pool);
	rte_mempool_free(p->tx_pool);
}

uint16_t
vx_recv(struct bare *p, struct rte_mbuf **m, uint16_t n)
{
	return vx_rx_burst(p->eth->data->rx_queues[0], m, n);
}

uint16_t
vx_send(struct bare *p, struct rte_mbuf **m, uint16_t n)
{
	return vx_tx_burst(p->eth->data->tx_queues[0], m, n);
}

struct vx_queue_stats
vx_rx_stats(struct bare *p)
{
	struct vx_queue_stats s;

	vx_rx_queue_stats(p->dev, 0, &s);
	return s;
}

struct vx_queue_stats
vx_tx_stats(struct bare *p)
{
	struct vx_queue_stats s;

	vx_tx_queue_stats(p->dev, 0, &s);
	return s;
}

uint32_t
vx_doorbell(const struct bare *p, uint32_t reg)
{
	uint32_t v;

	memcpy(&v, p->bar0 + reg, sizeof(v));
	return v;
}

/* ---- frames ---- */

static void
count_up(uint8_t *data, uint32_t len, uint8_t seed)
{
	while (len-- > 0)
		*data++ = seed++;
}

bool
vx_counts_up(const uint8_t *data, uint32_t len, uint8_t seed)
{
	while (len-- > 0) {
		if (*data++ != seed++)
			return false;
	}
	return true;
}

struct rte_mbuf *
vx_frame(struct bare *p, uint8_t seed, const uint32_t *lens, uint32_t nb)
{
	struct rte_mbuf *first = NULL, *s;
	uint32_t i;

	for (i = 0; i < nb; i++) {
		s = rte_pktmbuf_alloc(p->tx_pool);
		assert_non_null(s);
		count_up((uint8_t *)rte_pktmbuf_append(s, (uint16_t)lens[i]), lens[i], seed);
		seed = (uint8_t)(seed + lens[i]);
		if (first == NULL)
			first = s;
		else
			assert_int_equal(0, rte_pktmbuf_chain(first, s));
	}
	return first;
}

struct rte_mbuf *
vx_small(struct bare *p, uint8_t seed)
{
	const uint32_t len = 64;

	return vx_frame(p, seed, &len, 1);
}

void
vx_expect(struct rte_mbuf *m, uint8_t seed, uint32_t len, uint16_t nb_segs)
{
	const struct rte_mbuf *s;
	const char *why;
	uint32_t at = 0;

	assert_int_equal(0, rte_mbuf_check(m, 1, &why));
	assert_int_equal(len, m->pkt_len);
	assert_int_equal(nb_segs, m->nb_segs);
	for (s = m; s != NULL; s = s->next) {
		assert_true(vx_counts_up(rte_pktmbuf_mtod(s, uint8_t *), s->data_len, (uint8_t)(seed + at)));
		at += s->data_len;
	}
	rte_pktmbuf_free(m);
}
