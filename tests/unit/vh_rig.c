/* SPDX-License-Identifier: BSD-3-Clause */
#include "vh_rig.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_eal.h>

/* Polls without a frame after which there is none. */
#define PATIENCE 200

#define WAIT_MS 10000

static char folder[] = "/run/vx-rig-XXXXXX";

/* A test that failed leaves its socket. */
static void
remove_folders(void)
{
	struct dirent *entry;
	DIR *dir = opendir(folder);

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir != NULL)
		closedir(dir);
	rmdir(folder);
	rmdir(rte_eal_get_runtime_dir());
}

/* One lcore on whatever CPUs this process may use. */
static void
list_lcores(char *text, size_t len)
{
	cpu_set_t set;
	size_t at;

	at = (size_t)snprintf(text, len, "--lcores=0@(");
	sched_getaffinity(0, sizeof(set), &set);
	for (int cpu = 0; cpu < CPU_SETSIZE && at < len; cpu++) {
		if (CPU_ISSET(cpu, &set))
			at += (size_t)snprintf(text + at, len - at, "%d,", cpu);
	}
	snprintf(text + at - 1, len - at + 1, ")");
}

int
rig_eal(void **state)
{
	char prefix[32], lcores[2000];
	char *argv[] = { (char *)(uintptr_t)"test", (char *)(uintptr_t)"--no-huge",
		(char *)(uintptr_t)"--no-shconf", (char *)(uintptr_t)"--no-pci",
		(char *)(uintptr_t)"--no-telemetry", (char *)(uintptr_t)"-m", (char *)(uintptr_t)"64",
		lcores, (char *)(uintptr_t)"--file-prefix", prefix,
		(char *)(uintptr_t)"--log-level=lib.eal:error", NULL };

	(void)state;
	list_lcores(lcores, sizeof(lcores));
	snprintf(prefix, sizeof(prefix), "vx-rig-%d", getpid());
	if (mkdtemp(folder) == NULL)
		return -1;
	atexit(remove_folders);
	return rte_eal_init((int)RTE_DIM(argv) - 1, argv) < 0 ? -1 : 0;
}

/* ---- the port ---- */

void
rig_open(struct rig *r, const char *args)
{
	static unsigned int serial;
	char text[300];

	memset(r, 0, sizeof(*r));
	snprintf(r->name, sizeof(r->name), "net_vmxnet3_host%u", serial++);
	snprintf(r->path, sizeof(r->path), "%s/%s", folder, r->name);
	snprintf(text, sizeof(text), "path=%s%s%s", r->path, args[0] != '\0' ? "," : "", args);
	assert_int_equal(rte_vdev_init(r->name, text), 0);
	assert_int_equal(rte_eth_dev_get_port_by_name(r->name, &r->port), 0);
}

void
rig_close(struct rig *r)
{
	struct stat st;

	if (r->plugged)
		rig_unplug(r);
	assert_int_equal(rte_vdev_uninit(r->name), 0);
	assert_int_not_equal(stat(r->path, &st), 0);
	assert_int_not_equal(rte_eth_dev_get_port_by_name(r->name, &r->port), 0);
	if (r->pool != NULL)
		rig_check_pool(r);
	rte_mempool_free(r->pool);
}

static void
make_pool(struct rig *r)
{
	static unsigned int serial;
	char name[32];

	snprintf(name, sizeof(name), "rig%u", serial++);
	rte_mempool_free(r->pool);
	r->pool = rte_pktmbuf_pool_create(name, r->conf.nb_mbufs, 0, 0,
		(uint16_t)(r->conf.data_room + RTE_PKTMBUF_HEADROOM), SOCKET_ID_ANY);
	assert_non_null(r->pool);
}

void
rig_start(struct rig *r, const struct rig_conf *conf)
{
	struct rte_eth_conf eth = { .txmode.offloads = conf->tx_offloads };
	uint16_t q;

	r->conf = *conf;
	r->conf.nb_rx = RTE_MAX(conf->nb_rx, 1);
	r->conf.nb_tx = RTE_MAX(conf->nb_tx, 1);
	if (conf->data_room == 0)
		r->conf.data_room = 2048;
	if (conf->nb_mbufs == 0)
		r->conf.nb_mbufs = 1023;
	eth.rxmode.offloads = conf->rx_offloads;
	eth.rxmode.mtu = conf->mtu != 0 ? conf->mtu : 1500;
	eth.rxmode.max_lro_pkt_size = conf->max_lro;
	eth.intr_conf.lsc = conf->lsc;
	assert_int_equal(rte_eth_dev_configure(r->port, r->conf.nb_rx, r->conf.nb_tx, &eth), 0);
	make_pool(r);
	for (q = 0; q < r->conf.nb_rx; q++)
		assert_int_equal(rte_eth_rx_queue_setup(r->port, q, 512, SOCKET_ID_ANY, NULL,
			r->pool), 0);
	for (q = 0; q < r->conf.nb_tx; q++)
		assert_int_equal(rte_eth_tx_queue_setup(r->port, q, 512, SOCKET_ID_ANY, NULL), 0);
	assert_int_equal(rte_eth_dev_start(r->port), 0);
}

void
rig_stop(struct rig *r)
{
	assert_int_equal(rte_eth_dev_stop(r->port), 0);
	rig_check_pool(r);
}

void
rig_check_pool(const struct rig *r)
{
	assert_int_equal(rte_mempool_avail_count(r->pool), r->conf.nb_mbufs);
}

uint64_t
rig_xstat(const struct rig *r, const char *name)
{
	uint64_t id, value;

	if (rte_eth_xstats_get_id_by_name(r->port, name, &id) != 0)
		fail_msg("there is no counter %s", name);
	assert_int_equal(rte_eth_xstats_get_by_id(r->port, &id, &value, 1), 1);
	return value;
}

/* ---- the guest ---- */

static void
bus_read(void *ctx, unsigned int region, uint64_t offset, void *buf, uint32_t len)
{
	assert_int_equal(vfu_client_region_read(ctx, region, offset, buf, len), 0);
}

static void
bus_write(void *ctx, unsigned int region, uint64_t offset, const void *buf, uint32_t len)
{
	assert_int_equal(vfu_client_region_write(ctx, region, offset, buf, len), 0);
}

void
rig_plug(struct rig *r, const struct mini_conf *conf)
{
	char why[200] = "";

	assert_int_equal(mini_mem_init(&r->mem, 24u << 20, false, NULL, NULL), 0);
	if (vfu_client_connect(r->path, &r->client, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	assert_int_equal(vfu_client_dma_map(r->client, MINI_MEM_IOVA, r->mem.size, r->mem.fd, 0), 0);
	mini_init(&r->m, NULL, &r->mem, conf);
	r->bus = (struct mini_bus){ .ctx = r->client, .read = bus_read, .write = bus_write };
	r->m.bus = &r->bus;
	if (mini_activate(&r->m) != 0)
		fail_msg("%s", r->m.error);
	r->plugged = true;
}

void
rig_unplug(struct rig *r)
{
	vfu_client_close(r->client);
	mini_fini(&r->m);
	mini_mem_fini(&r->mem);
	r->plugged = false;
}

void
rig_plug_usual(struct rig *r, uint32_t nb_tx)
{
	struct mini_conf guest = roomy(7);

	guest.nb_tx = nb_tx;
	rig_plug(r, &guest);
}

void
rig_open_usual(struct rig *r)
{
	const struct rig_conf conf = { 0 };

	rig_open(r, "");
	rig_start(r, &conf);
	rig_plug_usual(r, 1);
}

bool
rig_link(const struct rig *r)
{
	struct rte_eth_link link;

	assert_int_equal(rte_eth_link_get_nowait(r->port, &link), 0);
	assert_int_equal(link.link_speed, 10000);
	return link.link_status == RTE_ETH_LINK_UP;
}

bool
rig_guest_link(struct rig *r)
{
	return mini_cmd(&r->m, VMXNET3_CMD_GET_LINK) & 1;
}

bool
rig_wait_link(const struct rig *r, bool up)
{
	for (int i = 0; i < WAIT_MS && rig_link(r) != up; i++)
		usleep(1000);
	return rig_link(r) == up;
}

void
rig_guest_send(struct rig *r, uint32_t q, const void *data, uint32_t len,
	const struct mini_offload *o)
{
	if (mini_send(&r->m, q, data, len, NULL, 0, o) != 0)
		fail_msg("%s", r->m.error);
}

void
rig_guest_receive(struct rig *r, struct mini_frame *f)
{
	int ret = mini_recv(&r->m, 0, f);

	if (ret != 1)
		fail_msg("%s", ret == 0 ? "no frame for the guest" : r->m.error);
}

/* ---- frames ---- */

uint16_t
rig_receive(struct rig *r, uint16_t q, struct rte_mbuf **pkts, uint16_t want)
{
	uint16_t n = 0, got, idle = 0;

	while (n < want && idle < PATIENCE) {
		got = rte_eth_rx_burst(r->port, q, pkts + n, (uint16_t)(want - n));
		n = (uint16_t)(n + got);
		idle = got > 0 ? 0 : (uint16_t)(idle + 1);
	}
	return n;
}

struct rte_mbuf *
rig_receive_one(struct rig *r)
{
	struct rte_mbuf *m = NULL;

	if (rig_receive(r, 0, &m, 1) != 1)
		fail_msg("no frame from the guest");
	return m;
}

struct rte_mbuf *
rig_mbuf(struct rig *r, const void *data, uint32_t len, uint16_t parts)
{
	struct rte_mbuf *first = NULL, *m;
	uint32_t at = 0, n;

	for (; parts > 0; parts--) {
		n = (len - at) / parts;
		if (parts > 1)
			n -= rnd(n / 2);
		m = rte_pktmbuf_alloc(r->pool);
		assert_non_null(m);
		memcpy(rte_pktmbuf_append(m, (uint16_t)n), (const uint8_t *)data + at, n);
		at += n;
		if (first == NULL)
			first = m;
		else
			assert_int_equal(rte_pktmbuf_chain(first, m), 0);
	}
	return first;
}

void
rig_send(struct rig *r, struct rte_mbuf *m)
{
	assert_int_equal(rte_eth_tx_burst(r->port, 0, &m, 1), 1);
}

uint32_t
rig_bytes(const struct rte_mbuf *m, uint8_t *to)
{
	uint32_t at = 0;

	for (; m != NULL; m = m->next) {
		memcpy(to + at, rte_pktmbuf_mtod(m, uint8_t *), m->data_len);
		at += m->data_len;
	}
	return at;
}

void
rig_check_mbuf(const struct rig *r, const struct rte_mbuf *m, bool chained)
{
	const struct rte_mbuf *s;
	const char *why;
	uint32_t len = 0;

	if (rte_mbuf_check(m, 1, &why) != 0)
		fail_msg("%s", why);
	assert_int_equal(m->port, r->port);
	assert_true(chained || m->nb_segs == 1);
	for (s = m; s != NULL; s = s->next) {
		assert_ptr_equal(s->pool, r->pool);
		assert_true(RTE_MBUF_DIRECT(s));
		assert_int_equal(rte_mbuf_refcnt_read(s), 1);
		assert_int_equal(s->data_off, RTE_PKTMBUF_HEADROOM);
		len += s->data_len;
	}
	assert_int_equal(len, m->pkt_len);
}

void
rig_check_traffic(struct rig *r)
{
	struct mini_frame f;
	struct rte_mbuf *m;
	uint8_t bytes[2048];

	make_frame(rnd(1400));
	rig_guest_send(r, 0, frame.data, frame.len, NULL);
	m = rig_receive_one(r);
	rig_check_mbuf(r, m, false);
	assert_int_equal(rig_bytes(m, bytes), RTE_MAX(60u, frame.len));
	assert_memory_equal(bytes, frame.data, frame.len);
	/* Back again, to all. */
	memset(frame.data, 0xff, 6);
	memcpy(rte_pktmbuf_mtod(m, void *), frame.data, frame.len);
	rig_send(r, m);
	rig_guest_receive(r, &f);
	expect_bytes(&f, frame.data, frame.len);
	mini_refill(&r->m, 0, UINT32_MAX);
	mini_reap(&r->m, 0);
}
