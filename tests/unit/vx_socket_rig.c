/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_socket_rig.h"

#include <errno.h>
#include <time.h>

#include <ethdev_driver.h>
#include <rte_dev.h>
#include <rte_mbuf.h>

#include <vmxnet3_rev.h>

#define CARD_MAC { 0x02, 0x03, 0x04, 0x05, 0x06, 0x07 } /* where the builder's frames go */
#define NB_MBUFS 2047
#define NB_DESC	 128

struct card card = { .datapath = PTHREAD_MUTEX_INITIALIZER };
struct rte_mempool *pool;
uint16_t port;
atomic_uint link_events;

/* ---- the server ---- */

static void
quiesce(void *ctx)
{
	struct card *c = ctx;

	pthread_mutex_lock(&c->datapath);
	pthread_mutex_unlock(&c->datapath);
}

static uint64_t
now(void *ctx)
{
	struct timespec ts;

	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void
log_line(void *ctx, enum vmxnet3_log_level level, const char *line)
{
	(void)ctx;
	if (getenv("CARD_LOG") != NULL)
		fprintf(stderr, "[%d] %s\n", level, line);
}

void
start_card(const struct card_kind *kind)
{
	static const struct card_kind usual;
	const struct card_kind *k = kind != NULL ? kind : &usual;
	const struct vmxnet3_dev_ops ops = { .ctx = &card, .quiesce = quiesce, .now = now, .log = log_line };
	const struct vmxnet3_dev_conf conf = {
		.name = "card",
		.mac = CARD_MAC,
		.max_tx_queues = k->max_queues ? k->max_queues : 8,
		.max_rx_queues = k->max_queues ? k->max_queues : 8,
		.revisions = k->revisions ? k->revisions : VMXNET3_REV_MASK_DEFAULT,
		.mtu = VMXNET3_MTU_MAX,
		.link_speed = 25000,
		.doorbell = k->message ? VMXNET3_DOORBELL_MESSAGE : VMXNET3_DOORBELL_MEMORY,
	};
	struct vfu_socket_conf sock = { .path = card.path, .owner = (uid_t)-1, .group = (gid_t)-1 };
	char why[256] = "";

	snprintf(card.path, sizeof(card.path), "/tmp/vx-life-%d.sock", (int)getpid());
	card.dev = vmxnet3_dev_create(&conf, &ops, why, sizeof(why));
	if (card.dev == NULL)
		fail_msg("%s", why);
	if (vmxnet3_vfu_start(card.dev, &sock, quiesce, &card, log_line, &card.vfu, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	card.burst = vmxnet3_burst_create();
	assert_non_null(card.burst);
}

void
stop_card(void)
{
	vmxnet3_vfu_stop(card.vfu);
	vmxnet3_dev_destroy(card.dev);
	vmxnet3_burst_destroy(card.burst);
	card.dev = NULL;
}

struct vmxnet3_dev_info
card_info(void)
{
	struct vmxnet3_dev_info info;

	vmxnet3_dev_info_get(card.dev, &info);
	return info;
}

/* ---- waiting ---- */

uint64_t
ms(void)
{
	return now(NULL) / 1000000;
}

bool
link_is_up(void)
{
	struct rte_eth_link link;

	assert_int_equal(rte_eth_link_get_nowait(port, &link), 0);
	return link.link_status == RTE_ETH_LINK_UP;
}

/* ---- the port ---- */

static int
on_link(uint16_t id, enum rte_eth_event_type event, void *arg, void *ret)
{
	(void)id, (void)event, (void)arg, (void)ret;
	atomic_fetch_add(&link_events, 1);
	return 0;
}

int
attach(const char *more)
{
	char args[160];
	int rc;

	snprintf(args, sizeof(args), "path=%s%s", card.path, more);
	rc = rte_eal_hotplug_add("vdev", VDEV, args);
	if (rc != 0)
		return rc;
	assert_int_equal(rte_eth_dev_get_port_by_name(VDEV, &port), 0);
	rte_eth_dev_callback_register(port, RTE_ETH_EVENT_INTR_LSC, on_link, NULL);
	return 0;
}

void
detach(void)
{
	assert_int_equal(rte_eal_hotplug_remove("vdev", VDEV), 0);
	assert_int_equal(rte_eth_dev_get_port_by_name(VDEV, &port), -ENODEV);
	/* Nobody has lost a buffer. */
	assert_int_equal(rte_mempool_avail_count(pool), NB_MBUFS);
}

void
configure(uint16_t nb_queues, bool rx_intr)
{
	const struct rte_eth_conf conf = { .intr_conf = { .lsc = 1, .rxq = rx_intr } };
	uint16_t i;

	assert_int_equal(rte_eth_dev_configure(port, nb_queues, nb_queues, &conf), 0);
	for (i = 0; i < nb_queues; i++) {
		assert_int_equal(rte_eth_rx_queue_setup(port, i, NB_DESC, SOCKET_ID_ANY, NULL, pool), 0);
		assert_int_equal(rte_eth_tx_queue_setup(port, i, NB_DESC, SOCKET_ID_ANY, NULL), 0);
	}
}

void
run_port(uint16_t nb_queues, bool rx_intr)
{
	configure(nb_queues, rx_intr);
	assert_int_equal(rte_eth_dev_start(port), 0);
	wait_for(link_is_up());
}

static struct rte_mbuf *
packet(struct rte_mempool *from, uint16_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(from);

	assert_non_null(m);
	memset(rte_pktmbuf_append(m, len), 0x5a, len);
	return m;
}

bool
send_from(struct rte_mempool *from, uint16_t len)
{
	struct rte_mbuf *m = packet(from, len);

	if (rte_eth_tx_burst(port, 0, &m, 1) == 1)
		return true;
	rte_pktmbuf_free(m);
	return false;
}

/* The frame that the port sent last is in the card, byte for byte. */
static bool
card_takes(uint16_t len)
{
	struct offload_frame *frames;
	uint16_t n;

	pthread_mutex_lock(&card.datapath);
	n = vmxnet3_dev_tx_begin(card.dev, 0, card.burst, 1, &frames);
	if (n == 1) {
		assert_int_equal(frames[0].len, len);
		assert_int_equal(frames[0].seg[0].data[frames[0].seg[0].len - 1], 0x5a);
		vmxnet3_dev_tx_end(card.dev, 0, card.burst);
	}
	pthread_mutex_unlock(&card.datapath);
	return n == 1;
}

bool
card_delivers(const void *data, uint32_t len)
{
	uint8_t room[OFFLOAD_HEADROOM + 2048];
	struct offload_seg seg = { .data = room + OFFLOAD_HEADROOM, .len = len };
	struct offload_frame f = { .seg = &seg, .nb_segs = 1, .len = len }, *list = &f;
	bool done;

	memcpy(seg.data, data, len);
	pthread_mutex_lock(&card.datapath);
	done = vmxnet3_dev_deliver(card.dev, &list, 1) == 1;
	vmxnet3_dev_intr_poll(card.dev);
	pthread_mutex_unlock(&card.datapath);
	return done;
}

bool
port_receives(const void *data, uint32_t len)
{
	uint16_t q, n = 0;
	struct rte_mbuf *m;

	for (q = 0; q < rte_eth_devices[port].data->nb_rx_queues && n == 0; q++)
		n = rte_eth_rx_burst(port, q, &m, 1);
	if (n == 0)
		return false;
	assert_int_equal(m->pkt_len, len);
	assert_memory_equal(rte_pktmbuf_mtod(m, void *), data, len);
	rte_pktmbuf_free(m);
	return true;
}

/* A frame each way, with buffers of @p from. */
void
expect_traffic(struct rte_mempool *from)
{
	struct shape s = { .proto = 17, .payload = 400 };
	static struct built f;

	build(&f, &s);
	assert_true(send_from(from, 200));
	wait_for(card_takes(200));
	assert_true(card_delivers(f.data, f.len));
	wait_for(port_receives(f.data, f.len));
}

void
lose_card(void)
{
	unsigned int events = atomic_load(&link_events);

	stop_card();
	wait_for(!link_is_up());
	wait_for(atomic_load(&link_events) > events);
	assert_false(send_from(pool, 100));
}

void
bring_card_back(const struct card_kind *kind)
{
	unsigned int events = atomic_load(&link_events);

	start_card(kind);
	wait_for(link_is_up());
	wait_for(atomic_load(&link_events) > events);
}

int
rig_tear_down(void **state)
{
	(void)state;
	if (rte_eth_dev_get_port_by_name(VDEV, &port) == 0)
		rte_eal_hotplug_remove("vdev", VDEV);
	if (card.dev != NULL)
		stop_card();
	unlink(card.path);
	return 0;
}

int
rig_set_up(void)
{
	snprintf(card.path, sizeof(card.path), "/tmp/vx-rig-%d.sock", (int)getpid());
	pool = rte_pktmbuf_pool_create("pool", NB_MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	return pool != NULL ? 0 : 1;
}
