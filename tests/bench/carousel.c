/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Frames that go round and round between two ports: what comes from one port leaves by the other. So the traffic is as fast as the
 * switch between the two, nobody waits for a generator, and nothing needs to be dropped. Like testpmd's io mode, but it also
 * sends frames to be segmented, each of which comes back as a large frame or in pieces, as the switch pleases.
 *
 * The ports are the first two ethdevs, such as those of --vdev. A line "SIZE FRAMES MSS SECONDS" on standard input is a run: FRAMES
 * frames of SIZE bytes (without the frame check sequence) go round each way. Where MSS is not 0, frames are TCP's, and those longer
 * than an MTU are sent with a request to segment them. The answer is one line of JSON; the counters in it are of
 * the frames received at both ports within SECONDS, after a warm-up.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#define PORTS     2
#define BURST     32
#define WARM_UP_S 0.6   /* Open vSwitch looks through its flows twice a second: by then it has learned */
#define SILENCE_S 0.1   /* what has not come after so long will not come */
#define LINK_S    30
#define REFUSED_S 0.01  /* a frame that a port does not take for so long is dropped here */

struct options {
	uint32_t mtu, buffer, mbufs;
	uint16_t ring; /* descriptors of each queue */
	bool large; /* frames to be segmented are sent, and large ones received */
};

struct run {
	uint32_t size, frames, mss;
	double seconds;
};

struct counters {
	uint64_t frames, bytes, large, refused;
};

static struct options options = { .mtu = RTE_ETHER_MTU, .buffer = 2048, .mbufs = 8192, .ring = 1024 };
static struct rte_mempool *pool;
static struct counters counters;

static double
now(void)
{
	return (double)rte_get_tsc_cycles() / rte_get_tsc_hz();
}

static void __rte_noreturn
die(const char *what, int err)
{
	rte_exit(2, "carousel: %s: %s\n", what, rte_strerror(err < 0 ? -err : err));
}

static void
port_open(uint16_t port)
{
	struct rte_eth_conf conf = { .rxmode.mtu = options.mtu };
	struct rte_eth_dev_info info;
	uint16_t rxd = options.ring, txd = options.ring;
	int rc;

	rc = rte_eth_dev_info_get(port, &info);
	if (rc != 0)
		die("no such port", rc);
	if (options.large) {
		conf.rxmode.offloads = info.rx_offload_capa & (RTE_ETH_RX_OFFLOAD_TCP_LRO | RTE_ETH_RX_OFFLOAD_SCATTER |
			RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM);
		conf.rxmode.max_lro_pkt_size = info.max_lro_pkt_size;
		conf.txmode.offloads = info.tx_offload_capa & (RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_TCP_CKSUM |
			RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_MULTI_SEGS);
	} else {
		conf.txmode.offloads = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	}
	rc = rte_eth_dev_configure(port, 1, 1, &conf);
	if (rc == 0)
		rc = rte_eth_dev_adjust_nb_rx_tx_desc(port, &rxd, &txd);
	if (rc == 0)
		rc = rte_eth_rx_queue_setup(port, 0, rxd, SOCKET_ID_ANY, NULL, pool);
	if (rc == 0)
		rc = rte_eth_tx_queue_setup(port, 0, txd, SOCKET_ID_ANY, NULL);
	if (rc == 0)
		rc = rte_eth_dev_start(port);
	if (rc != 0)
		die("a port does not start", rc);
}

static void
wait_link(uint16_t port)
{
	struct rte_eth_link link = { 0 };
	double end = now() + LINK_S;

	while (rte_eth_link_get_nowait(port, &link) != 0 || link.link_status != RTE_ETH_LINK_UP) {
		if (now() > end)
			die("a link does not come up", ETIMEDOUT);
		rte_delay_us_sleep(1000);
	}
}

/* Asks for segmentation of a frame longer than an MTU, whatever came with it. */
static inline void
request(struct rte_mbuf *m, uint32_t mss)
{
	m->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
	if (m->pkt_len <= options.mtu + RTE_ETHER_HDR_LEN)
		return;
	m->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_TCP_SEG;
	m->l2_len = RTE_ETHER_HDR_LEN;
	m->l3_len = sizeof(struct rte_ipv4_hdr);
	m->l4_len = sizeof(struct rte_tcp_hdr);
	m->tso_segsz = mss;
}

static void
fill_headers(uint8_t *data, uint16_t from, const struct run *run)
{
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)data;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(ip + 1);
	uint32_t ip_len = run->size - sizeof(*eth);

	rte_eth_macaddr_get(from, &eth->src_addr);
	rte_eth_macaddr_get(!from, &eth->dst_addr);
	eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	*ip = (struct rte_ipv4_hdr){ .version_ihl = RTE_IPV4_VHL_DEF, .total_length = rte_cpu_to_be_16(ip_len),
		.fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG), .time_to_live = 64,
		.next_proto_id = run->mss != 0 ? IPPROTO_TCP : IPPROTO_UDP,
		.src_addr = rte_cpu_to_be_32(RTE_IPV4(198, 18, 0, 1 + from)),
		.dst_addr = rte_cpu_to_be_32(RTE_IPV4(198, 18, 0, 2 - from)) };
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	if (run->mss != 0)
		*tcp = (struct rte_tcp_hdr){ .src_port = RTE_BE16(9), .dst_port = RTE_BE16(9), .data_off = 5 << 4,
			.tcp_flags = RTE_TCP_ACK_FLAG, .rx_win = UINT16_MAX };
	else
		*udp = (struct rte_udp_hdr){ .src_port = RTE_BE16(9), .dst_port = RTE_BE16(9),
			.dgram_len = rte_cpu_to_be_16(ip_len - sizeof(*ip)) };
}

static struct rte_mbuf *
frame_make(uint16_t from, const struct run *run)
{
	struct rte_mbuf *head = NULL, *m;
	uint32_t left, part;
	char *data;

	for (left = run->size; left > 0; left -= part) {
		m = rte_pktmbuf_alloc(pool);
		if (m == NULL)
			die("a frame", ENOMEM);
		part = RTE_MIN(left, (uint32_t)rte_pktmbuf_tailroom(m));
		data = rte_pktmbuf_append(m, part);
		memset(data, 0x5a, part);
		if (head == NULL)
			head = m;
		else if (rte_pktmbuf_chain(head, m) != 0)
			die("a frame of too many buffers", EINVAL);
	}
	fill_headers(rte_pktmbuf_mtod(head, uint8_t *), from, run);
	return head;
}

/* Sends all of them, or drops what the port does not take. */
static void
port_send(uint16_t port, struct rte_mbuf **frames, uint16_t n, uint32_t mss)
{
	uint16_t i, sent = 0;
	double end = 0;

	for (i = 0; mss != 0 && i < n; i++)
		request(frames[i], mss);
	if (mss != 0 && rte_eth_tx_prepare(port, 0, frames, n) != n)
		die("a frame is refused", rte_errno);
	while ((sent += rte_eth_tx_burst(port, 0, frames + sent, n - sent)) < n) {
		if (end == 0)
			end = now() + REFUSED_S;
		if (now() > end) {
			rte_pktmbuf_free_bulk(frames + sent, n - sent);
			counters.refused += n - sent;
			return;
		}
	}
}

static void
pass(uint16_t port, uint32_t mss)
{
	struct rte_mbuf *frames[BURST];
	uint16_t n = rte_eth_rx_burst(port, 0, frames, BURST), i;

	if (n == 0)
		return;
	counters.frames += n;
	for (i = 0; i < n; i++)
		counters.bytes += frames[i]->pkt_len;
	if (mss != 0)
		for (i = 0; i < n; i++)
			counters.large += frames[i]->pkt_len > options.mtu + RTE_ETHER_HDR_LEN;
	port_send(!port, frames, n, mss);
}

static void
go_round(double seconds, uint32_t mss)
{
	double end = now() + seconds;
	int i;

	while (now() < end)
		for (i = 0; i < 64; i++) {
			pass(0, mss);
			pass(1, mss);
		}
}

/* Takes back what is on its way; the bytes of it. */
static uint64_t
drain(void)
{
	struct rte_mbuf *frames[BURST];
	double quiet = now();
	uint64_t bytes = 0;
	uint16_t port, n, i;

	while (now() < quiet + SILENCE_S)
		for (port = 0; port < PORTS; port++) {
			n = rte_eth_rx_burst(port, 0, frames, BURST);
			for (i = 0; i < n; i++)
				bytes += frames[i]->pkt_len;
			rte_pktmbuf_free_bulk(frames, n);
			if (n != 0)
				quiet = now();
		}
	return bytes;
}

static void
run_once(const struct run *run)
{
	struct counters counted;
	struct rte_mbuf *m;
	uint64_t back;
	uint16_t port;
	double begin;
	uint32_t i;

	counters = (struct counters){ 0 };
	for (i = 0; i < run->frames; i++)
		for (port = 0; port < PORTS; port++) {
			m = frame_make(port, run);
			port_send(port, &m, 1, run->mss);
		}
	go_round(WARM_UP_S, run->mss);
	counters.frames = counters.bytes = counters.large = 0;
	begin = now();
	go_round(run->seconds, run->mss);
	begin = now() - begin;
	counted = counters;
	back = drain();
	printf("{\"seconds\": %.6f, \"frames\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"large\": %" PRIu64
		", \"refused\": %" PRIu64 ", \"sent_bytes\": %" PRIu64 ", \"back_bytes\": %" PRIu64 "}\n", begin, counted.frames,
		counted.bytes, counted.large, counted.refused, (uint64_t)run->size * run->frames * PORTS, back);
	fflush(stdout);
}

static void
parse(int argc, char **argv)
{
	static const struct option known[] = {
		{ "mtu", required_argument, NULL, 'm' }, { "buffer", required_argument, NULL, 'b' },
		{ "mbufs", required_argument, NULL, 'n' }, { "ring", required_argument, NULL, 'r' },
		{ "large", no_argument, NULL, 'l' }, { 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1)
		switch (c) {
		case 'm':
			options.mtu = strtoul(optarg, NULL, 0);
			break;
		case 'b':
			options.buffer = strtoul(optarg, NULL, 0);
			break;
		case 'n':
			options.mbufs = strtoul(optarg, NULL, 0);
			break;
		case 'r':
			options.ring = strtoul(optarg, NULL, 0);
			break;
		case 'l':
			options.large = true;
			break;
		default:
			rte_exit(2, "usage: carousel [EAL options] -- [--mtu N] [--buffer N] [--mbufs N] [--ring N] [--large]\n");
		}
}

int
main(int argc, char **argv)
{
	char line[128];
	struct run run;
	uint16_t port;
	int used = rte_eal_init(argc, argv);

	if (used < 0)
		die("DPDK does not start", rte_errno);
	parse(argc - used, argv + used);
	pool = rte_pktmbuf_pool_create("carousel", options.mbufs, 256, 0, RTE_PKTMBUF_HEADROOM + options.buffer, SOCKET_ID_ANY);
	if (pool == NULL)
		die("no packet buffers", rte_errno);
	for (port = 0; port < PORTS; port++)
		port_open(port);
	for (port = 0; port < PORTS; port++)
		wait_link(port);
	printf("{\"ready\": true}\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (sscanf(line, "%u %u %u %lf", &run.size, &run.frames, &run.mss, &run.seconds) != 4 || run.size < 60)
			rte_exit(2, "carousel: no such run: %s", line);
		run_once(&run);
	}
	for (port = 0; port < PORTS; port++) {
		rte_eth_dev_stop(port);
		rte_eth_dev_close(port);
	}
	return 0;
}
