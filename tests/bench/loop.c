/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_random.h>

#include <ethdev.h>
#include <log.h>
#include <port_device.h>

#include "loop.h"

#define RING      1024
#define RING_MANY 128 /* of each of many receive queues */
#define CACHE     512
#define LINK_S    30

struct loop loop;

static char run_dir[] = "/tmp/vx-loop-XXXXXX";

void
loop_die(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

static void
quiesce(void *ctx __rte_unused)
{
	/* Nobody forwards while ports are made and started. */
}

static void
table_quiesce(void)
{
}

static const struct port_env env = {
	.run_dir = run_dir,
	.nb_workers = LOOP_CORES,
	.quiesce = quiesce,
	.wake = quiesce,
};

/* ---- the switch ---- */

static struct port *
port_open(uint16_t id)
{
	struct port_conf conf;
	struct port *port;
	struct error err;
	char name[8];

	snprintf(name, sizeof(name), "p%u", id);
	port_conf_init(&conf);
	conf.name = name;
	conf.max_queues = RTE_MAX(conf.max_queues, loop.rx_queues[id]);
	if (port_create(&conf, &port_device_ops, id, &env, &port, &err) < 0)
		loop_die(err.text);
	port->up = true;
	port->ops->link_offer(port, true);
	return port;
}

struct bridge *
loop_bridge(const char *name, uint16_t first, uint16_t nb_ports, uint32_t fdb_size)
{
	struct bridge_conf conf;
	struct bridge *bridge;
	struct error err;
	uint16_t i;

	bridge_conf_init(&conf);
	conf.name = name;
	conf.fdb_size = fdb_size;
	if (bridge_create(&conf, LOOP_CORES, table_quiesce, &bridge, &err) < 0)
		loop_die(err.text);
	for (i = first; i < first + nb_ports; i++) {
		if (bridge_attach(bridge, loop.port[i].port, &err) < 0)
			loop_die(err.text);
	}
	return bridge;
}

struct topology *
loop_topology(struct bridge *bridge, uint16_t nb_cores)
{
	struct topology *topo;
	uint32_t i;

	/* One queue is in use of each: the others need no core. */
	for (i = 0; i < bridge->nb_ports; i++)
		bridge->ports[i]->queue[0].worker = (uint16_t)(bridge->ports[i]->id / 2 % nb_cores);
	topo = topology_create(bridge->ports, bridge->nb_ports, &bridge, 1, nb_cores);
	if (topo == NULL)
		loop_die("no memory");
	return topo;
}

static struct forward *
forward_open(uint16_t core)
{
	struct forward *fwd = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(sizeof(*fwd), RTE_CACHE_LINE_SIZE));

	if (fwd == NULL)
		loop_die("no memory");
	memset(fwd, 0, sizeof(*fwd));
	fwd->ctx.worker = core;
	fwd->ctx.burst = vmxnet3_burst_create();
	fwd->ctx.eth = eth_scratch_create();
	if (fwd->ctx.burst == NULL || fwd->ctx.eth == NULL)
		loop_die("no memory");
	return fwd;
}

void
loop_round(const struct topology *topo, uint16_t core, uint64_t tsc)
{
	loop.core[core].fwd->ctx.tsc = tsc;
	poll_round(&loop.core[core].round, topo);
}

/* ---- the applications ---- */

static void
link_wait(uint16_t id)
{
	const struct timespec nap = { .tv_nsec = 10000000 };
	struct rte_eth_link link;
	int i;

	for (i = 0; i < LINK_S * 100; i++) {
		if (rte_eth_link_get_nowait(id, &link) == 0 && link.link_status == RTE_ETH_LINK_UP)
			return;
		nanosleep(&nap, NULL);
	}
	loop_die("the link does not come up");
}

static uint16_t
rx_queues(uint16_t port)
{
	return RTE_MAX(loop.rx_queues[port], 1);
}

static uint16_t
ethdev_open(const struct port *port)
{
	/* What testpmd asks for as well. */
	struct rte_eth_conf conf = {
		.txmode = { .offloads = RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE },
		.intr_conf = { .rxq = loop.interrupts },
	};
	uint16_t id, q, nb = rx_queues(port->id);
	char name[32], args[160];

	snprintf(name, sizeof(name), "net_vmxnet3x%u", port->id);
	snprintf(args, sizeof(args), "path=%s", port->conf.socket);
	if (nb > 1) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = RTE_ETH_RSS_IPV4;
	}
	if (rte_vdev_init(name, args) != 0 || rte_eth_dev_get_port_by_name(name, &id) != 0 ||
	    rte_eth_dev_configure(id, nb, 1, &conf) != 0 || rte_eth_tx_queue_setup(id, 0, RING, SOCKET_ID_ANY, NULL) != 0)
		loop_die("a port cannot be configured");
	for (q = 0; q < nb; q++) {
		if (rte_eth_rx_queue_setup(id, q, nb > 1 ? RING_MANY : RING, SOCKET_ID_ANY, NULL, loop.pool) != 0)
			loop_die("a queue cannot be configured");
	}
	if (rte_eth_dev_start(id) != 0)
		loop_die("a port does not start");
	link_wait(id);
	return id;
}

struct rte_mbuf *
loop_frame(uint32_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(loop.pool);
	uint8_t *data;

	if (m == NULL)
		loop_die("no packet buffers");
	data = rte_pktmbuf_mtod(m, uint8_t *);
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	memset(data, 0, len);
	/* An EtherType for local experiments. */
	data[12] = 0x88;
	data[13] = 0xb5;
	return m;
}

/* ---- all of it ---- */

static void
eal_open(const char *const *more)
{
	const char *argv[16] = { "loop", "--no-pci", "--no-telemetry", "--log-level=*:warning", "--log-level=lib.eal:error" };
	int argc = 5;

	while (*more != NULL && argc < (int)RTE_DIM(argv) - 1)
		argv[argc++] = *more++;
	log_set("warning", NULL, 0);
	if (mkdtemp(run_dir) == NULL || rte_eal_init(argc, (char **)(uintptr_t)argv) < 0)
		loop_die("DPDK does not start");
	/* A bridge's table hashes with a random number: the same in each run. */
	rte_srand(1);
}

void
loop_open(uint16_t nb_ports, const char *const *eal)
{
	uint32_t buffers = nb_ports * (2 * RING + 2 * LOOP_BURST) + 8 * CACHE - 1;
	uint16_t i;

	eal_open(eal);
	loop.nb_ports = nb_ports;
	/* Every receive ring is full of them. */
	for (i = 0; i < nb_ports; i++)
		buffers += 2u * rx_queues(i) * RING_MANY;
	loop.pool = rte_pktmbuf_pool_create("loop", buffers, CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (loop.pool == NULL)
		loop_die("no packet buffers");
	for (i = 0; i < LOOP_CORES; i++) {
		loop.core[i].fwd = forward_open(i);
		poll_round_init(&loop.core[i].round, loop.core[i].fwd, rte_get_tsc_hz());
		if (!loop.shares)
			loop.core[i].round.share.ahead = UINT64_MAX / 2;
	}
	for (i = 0; i < nb_ports; i++) {
		loop.port[i].port = port_open(i);
		loop.port[i].id = ethdev_open(loop.port[i].port);
	}
}

void
loop_close(void)
{
	uint16_t i;

	for (i = 0; i < loop.nb_ports; i++) {
		rte_eth_dev_stop(loop.port[i].id);
		rte_eth_dev_close(loop.port[i].id);
		port_destroy(loop.port[i].port);
	}
	for (i = 0; i < LOOP_CORES; i++) {
		vmxnet3_burst_destroy(loop.core[i].fwd->ctx.burst);
		eth_scratch_destroy(loop.core[i].fwd->ctx.eth);
		free(loop.core[i].fwd);
	}
	rte_eal_cleanup();
	rmdir(run_dir);
}
