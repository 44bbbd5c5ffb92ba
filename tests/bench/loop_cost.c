/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a frame costs all the way round: an application's transmit burst, the sender's card, the switch with a learning bridge,
 * the receiver's card, the application's receive burst. Both ends and the switch are in this process, each as it is in life:
 * the front end is a virtual device behind a vfio-user socket, the ports are vswitchd's, and one thread does the work of
 * both sides in turn. By itself this prints nanoseconds; under callgrind, with --toggle-collect on loop_measured(), instructions
 * of that function are counted and nothing else.
 *
 * Everything that could make two runs differ is fixed: seeds, clock, and what is done once only is done before.
 *
 * Prints one JSON object.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_cpuflags.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_random.h>
#include <rte_version.h>

#include <ethdev.h>
#include <forward.h>
#include <log.h>
#include <port_device.h>
#include <vmxnet3_words.h>

#define NB_PORTS  2
#define RING      1024
#define POOL      8191
#define CACHE     512
#define BURST_MAX 32
#define MEMORY_MB "96"
#define LINK_S    30
/* Of the devices' clock, for each frame: about what one takes. */
#define FRAME_NS  60

struct end {
	struct port *port;
	uint16_t id; /* of the ethdev */
};

#ifdef __clang__
static const char compiler[] = "clang " __VERSION__;
#else
static const char compiler[] = "gcc " __VERSION__;
#endif

static struct end ends[NB_PORTS];
static struct rte_mempool *pool;
static struct bridge *bridge;
static struct topology *topo;
static struct forward *fwd;
static char run_dir[] = "/tmp/vx-loop-XXXXXX";
static uint64_t device_ns = 1000000000;

uint64_t __wrap_vmxnet3_now_ns(void *ctx);
void loop_measured(uint16_t burst, uint64_t turns);

static void
die(const char *what)
{
	fprintf(stderr, "loop_cost: %s\n", what);
	exit(1);
}

/* Of this thread: what others do on its CPU does not count. */
static uint64_t
cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The widest that the CPU says it has, which is what code chosen at run time goes by. */
static const char *
vectors(void)
{
#ifdef RTE_ARCH_X86
	if (rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX512F) > 0)
		return "AVX-512";
	return rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX2) > 0 ? "AVX2" : "SSE";
#else
	return "other";
#endif
}

/* ---- both sides, in turn ---- */

/* In place of the machine's clock (--wrap), for the devices. */
uint64_t
__wrap_vmxnet3_now_ns(void *ctx __rte_unused)
{
	return device_ns;
}

/* As an application does that forwards between two ports; frames never change, so addresses stay right. */
static uint16_t
application(const struct end *from, const struct end *to, uint16_t burst)
{
	struct rte_mbuf *m[BURST_MAX];
	uint16_t n = rte_eth_rx_burst(from->id, 0, m, burst);

	return n > 0 ? rte_eth_tx_burst(to->id, 0, m, n) : 0;
}

/* As a polling core does in a round. */
static void
switch_round(void)
{
	struct offload_frame *frames;
	struct port *port;
	uint16_t i, n;

	for (i = 0; i < NB_PORTS; i++) {
		port = ends[i].port;
		n = port->ops->rx_begin(port, 0, &fwd->ctx, &frames);
		if (n == 0)
			continue;
		forward_burst(fwd, topo, &topo->port[port->id], frames, n);
		port->ops->rx_end(port, 0, &fwd->ctx);
	}
	for (i = 0; i < NB_PORTS; i++)
		ends[i].port->ops->intr_poll(ends[i].port);
}

static inline void
turn(uint16_t burst)
{
	uint16_t n;

	n = application(&ends[0], &ends[1], burst);
	n += application(&ends[1], &ends[0], burst);
	if (unlikely(n != 2 * burst))
		die("a frame was lost");
	switch_round();
	device_ns += 2u * burst * FRAME_NS;
}

__rte_noinline void
loop_measured(uint16_t burst, uint64_t turns)
{
	while (turns-- > 0)
		turn(burst);
}

/* Long enough that every ring has gone round. */
static __rte_noinline void
warm_up(uint16_t burst)
{
	uint64_t turns = 2 * RING / burst;

	while (turns-- > 0)
		turn(burst);
}

/* ---- what goes round ---- */

static void
frame_fill(struct rte_mbuf *m, uint32_t len, const uint8_t *dst, const uint8_t *src)
{
	uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);

	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	memset(data, 0, len);
	memcpy(data, dst, 6);
	memcpy(data + 6, src, 6);
	/* An EtherType for local experiments. */
	data[12] = 0x88;
	data[13] = 0xb5;
}

static void
launch(uint32_t len, uint16_t burst)
{
	struct rte_mbuf *m[BURST_MAX];
	uint16_t i, j;

	for (i = 0; i < NB_PORTS; i++) {
		const struct end *from = &ends[i], *to = &ends[1 - i];

		if (rte_pktmbuf_alloc_bulk(pool, m, burst) != 0)
			die("no packet buffers");
		for (j = 0; j < burst; j++)
			frame_fill(m[j], len, to->port->conf.mac, from->port->conf.mac);
		if (rte_eth_tx_burst(from->id, 0, m, burst) != burst)
			die("nothing can be sent");
	}
	switch_round();
}

/* Takes what is on its way. */
static void
land(uint16_t burst)
{
	struct rte_mbuf *m[BURST_MAX];
	uint16_t i, n;

	for (i = 0; i < NB_PORTS; i++) {
		n = rte_eth_rx_burst(ends[i].id, 0, m, BURST_MAX);
		rte_pktmbuf_free_bulk(m, n);
		if (n != burst)
			die("a frame was lost");
	}
}

static void
run(uint32_t len, uint16_t burst, uint64_t frames)
{
	uint64_t turns = frames / (2 * burst), ns;

	frames = turns * 2 * burst;
	launch(len, burst);
	warm_up(burst);
	ns = cpu_ns();
	loop_measured(burst, turns);
	ns = cpu_ns() - ns;
	land(burst);
	printf("{\"bytes\": %u, \"burst\": %u, \"frames\": %llu, \"ns\": %.2f, ", len, burst, (unsigned long long)frames,
		(double)ns / (double)frames);
	printf("\"compiler\": \"%s\", \"dpdk\": \"%s\", \"vectors\": \"%s\"}\n", compiler, rte_version(), vectors());
}

/* ---- set-up ---- */

static void
quiesce(void *ctx __rte_unused)
{
	/* Nobody forwards while the ports are made and started. */
}

static void
table_quiesce(void)
{
}

static const struct port_env env = { .run_dir = run_dir, .nb_workers = 1, .quiesce = quiesce, .wake = quiesce };

static void
switch_open(void)
{
	struct port *ports[NB_PORTS];
	struct bridge_conf bridge_conf;
	struct error err;
	uint16_t i;

	bridge_conf_init(&bridge_conf);
	bridge_conf.name = "br0";
	if (bridge_create(&bridge_conf, 1, table_quiesce, &bridge, &err) < 0)
		die(err.text);
	for (i = 0; i < NB_PORTS; i++) {
		char name[8];
		struct port_conf conf;

		snprintf(name, sizeof(name), "p%u", i);
		port_conf_init(&conf);
		conf.name = name;
		if (port_create(&conf, &port_device_ops, i, &env, &ports[i], &err) < 0 ||
		    bridge_attach(bridge, ports[i], &err) < 0)
			die(err.text);
		ports[i]->up = true;
		ports[i]->ops->link_offer(ports[i], true);
		ends[i].port = ports[i];
	}
	topo = topology_create(ports, NB_PORTS, &bridge, 1, 1);
	fwd = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(sizeof(*fwd), RTE_CACHE_LINE_SIZE));
	if (topo == NULL || fwd == NULL)
		die("no memory");
	memset(fwd, 0, sizeof(*fwd));
	fwd->ctx.burst = vmxnet3_burst_create();
	fwd->ctx.eth = eth_scratch_create();
	if (fwd->ctx.burst == NULL || fwd->ctx.eth == NULL)
		die("no memory");
}

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
	die("the link does not come up");
}

static void
end_open(struct end *end)
{
	/* What testpmd asks for as well. */
	const struct rte_eth_conf conf = { .txmode = { .offloads = RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE } };
	char name[32], args[160];

	snprintf(name, sizeof(name), "net_vmxnet3x%u", end->port->id);
	snprintf(args, sizeof(args), "path=%s", end->port->conf.socket);
	if (rte_vdev_init(name, args) != 0 || rte_eth_dev_get_port_by_name(name, &end->id) != 0 ||
	    rte_eth_dev_configure(end->id, 1, 1, &conf) != 0 ||
	    rte_eth_rx_queue_setup(end->id, 0, RING, SOCKET_ID_ANY, NULL, pool) != 0 ||
	    rte_eth_tx_queue_setup(end->id, 0, RING, SOCKET_ID_ANY, NULL) != 0 ||
	    rte_eth_dev_start(end->id) != 0)
		die("a port does not start");
	link_wait(end->id);
}

static void
close_all(void)
{
	uint16_t i;

	for (i = 0; i < NB_PORTS; i++) {
		rte_eth_dev_stop(ends[i].id);
		rte_eth_dev_close(ends[i].id);
		port_destroy(ends[i].port);
	}
	topology_free(topo);
	bridge_destroy(bridge);
	vmxnet3_burst_destroy(fwd->ctx.burst);
	eth_scratch_destroy(fwd->ctx.eth);
	free(fwd);
	rte_eal_cleanup();
	rmdir(run_dir);
}

static void
eal_open(void)
{
	char *argv[] = { (char *)(uintptr_t)"loop_cost", (char *)(uintptr_t)"--no-huge", (char *)(uintptr_t)"--no-shconf",
		(char *)(uintptr_t)"--no-pci", (char *)(uintptr_t)"--no-telemetry", (char *)(uintptr_t)"-m",
		(char *)(uintptr_t)MEMORY_MB, (char *)(uintptr_t)"--lcores=0", (char *)(uintptr_t)"--log-level=*:warning",
		(char *)(uintptr_t)"--log-level=lib.eal:error", NULL };

	if (mkdtemp(run_dir) == NULL || rte_eal_init(RTE_DIM(argv) - 1, argv) < 0)
		die("DPDK does not start");
	/* The bridge's table hashes with a random number. */
	rte_srand(1);
	pool = rte_pktmbuf_pool_create("loop", POOL, CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (pool == NULL)
		die("no packet buffers");
}

/* "LENGTH:BURST" */
static bool
parse_case(const char *text, uint32_t *len, uint16_t *burst)
{
	return sscanf(text, "%u:%hu", len, burst) == 2 && *len >= 60 && *len <= 1514 && *burst >= 1 && *burst <= BURST_MAX;
}

int
main(int argc, char **argv)
{
	uint16_t burst;
	uint32_t len;
	int i;

	if (argc < 3)
		die("usage: loop_cost FRAMES BYTES:FRAMES-PER-BURST...");
	for (i = 2; i < argc; i++) {
		if (!parse_case(argv[i], &len, &burst))
			die("60 to 1514 bytes, bursts of 1 to 32");
	}
	log_set("warning", NULL, 0);
	eal_open();
	switch_open();
	for (i = 0; i < NB_PORTS; i++)
		end_open(&ends[i]);
	for (i = 2; i < argc; i++) {
		parse_case(argv[i], &len, &burst);
		run(len, burst, strtoull(argv[1], NULL, 10));
	}
	close_all();
	return 0;
}
