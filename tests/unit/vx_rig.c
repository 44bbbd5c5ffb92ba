/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_rig.h"

#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>

#include <rte_eal.h>
#include <rte_malloc.h>

#include <vfu_irq.h>

#define PCI_COMMAND    0x04
#define PCI_COMMAND_ON 0x0406 /* memory, bus master, no INTx */
#define PCI_MSIX_CTRL  0x9e
#define PCI_MSIX_ON    0x8000

#define NB_DESC	 128
#define NB_MBUFS 8191

static struct rte_driver driver = { .name = "net_vx_rig" };
static struct rte_device device = { .name = "vx_rig", .driver = &driver, .numa_node = SOCKET_ID_ANY };

int
rig_eal(void)
{
	const char *own = getenv("VX_LOG") != NULL ? "--log-level=pmd.net.vmxnet3x:debug" :
						     "--log-level=pmd.net.vmxnet3x:alert";
	char lcore[16];
	const char *argv[] = { "vx_rig", "--no-huge", "--no-shconf", "-m", "128", "--no-pci",
		"--no-telemetry", "-l", lcore, own, "--log-level=lib.ethdev:alert" };

	snprintf(lcore, sizeof(lcore), "%d", sched_getcpu());
	return rte_eal_init(RTE_DIM(argv), (char **)(uintptr_t)argv) < 0 ? 1 : 0;
}

/* ---- the card ---- */

static uint64_t
now(void *ctx)
{
	return ((struct vx_rig *)ctx)->now;
}

static void
log_line(void *ctx __rte_unused, enum vmxnet3_log_level level, const char *line)
{
	if (getenv("VX_LOG") != NULL)
		fprintf(stderr, "card [%d] %s\n", level, line);
}

static void
raise_intr(void *ctx, uint32_t index, uint32_t vector)
{
	struct vx_rig *r = ctx;

	assert_int_equal(index, VFU_IRQ_MSIX);
	assert_true(vector < VMXNET3_MAX_INTRS);
	r->raised[vector]++;
}

static void
table_quiesce(void *ctx)
{
	struct vx_rig *r = ctx;

	if (r->card != NULL)
		vmxnet3_dev_dma_changed(r->card);
}

static int
map_list(const struct rte_memseg_list *msl, void *arg)
{
	struct vx_rig *r = arg;
	struct rte_memseg *ms = rte_mem_virt2memseg(msl->base_va, msl);
	size_t offset = 0;
	int fd = rte_memseg_get_fd_thread_unsafe(ms);

	assert_true(fd >= 0);
	assert_int_equal(0, rte_memseg_get_fd_offset_thread_unsafe(ms, &offset));
	assert_int_equal(0, vfu_dma_map(r->dma, (uintptr_t)msl->base_va, msl->len,
		VFU_DMA_READ | VFU_DMA_WRITE, fd, offset));
	return 0;
}

static void
pci_write(struct vx_rig *r, uint64_t at, uint16_t v)
{
	vmxnet3_dev_pci_write(r->card, at, &v, sizeof(v));
}

void
rig_new_card(struct vx_rig *r, const struct vx_rig_opts *o)
{
	const struct vmxnet3_dev_ops ops = { .ctx = r, .now = now, .log = log_line };
	const struct vmxnet3_intr_ops intr = { .ctx = r, .raise = raise_intr };
	const struct vmxnet3_dev_conf conf = {
		.name = "card",
		.mac = RIG_MAC,
		.max_tx_queues = o->max_tx_queues ? o->max_tx_queues : VMXNET3_MAX_TX_QUEUES,
		.max_rx_queues = o->max_rx_queues ? o->max_rx_queues : VMXNET3_MAX_RX_QUEUES,
		.revisions = o->revisions ? o->revisions : VMXNET3_REV_MASK_DEFAULT,
		.mtu = VMXNET3_MTU_MAX,
		.link_speed = o->link_speed ? o->link_speed : 10000,
		.doorbell = o->message ? VMXNET3_DOORBELL_MESSAGE : VMXNET3_DOORBELL_MEMORY,
	};
	char why[256] = "";

	r->card = vmxnet3_dev_create(&conf, &ops, why, sizeof(why));
	if (r->card == NULL)
		fail_msg("no card: %s", why);
	r->dma = vfu_dma_create(16, table_quiesce, r);
	assert_non_null(r->dma);
	rte_memseg_list_walk(map_list, r);
	vmxnet3_dev_attach(r->card, r->dma, &intr);
	pci_write(r, PCI_COMMAND, PCI_COMMAND_ON);
	pci_write(r, PCI_MSIX_CTRL, PCI_MSIX_ON);
	if (!o->message) {
		r->bar0 = mmap(NULL, VMXNET3_BAR0_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			vmxnet3_dev_bar0_fd(r->card), 0);
		assert_ptr_not_equal(MAP_FAILED, r->bar0);
	}
	if (r->vx != NULL)
		r->vx->bar0 = r->bar0;
}

void
rig_drop_card(struct vx_rig *r)
{
	vmxnet3_dev_detach(r->card);
	vmxnet3_dev_destroy(r->card);
	r->card = NULL;
	vfu_dma_destroy(r->dma);
	if (r->bar0 != NULL)
		munmap(r->bar0, VMXNET3_BAR0_SIZE);
	r->bar0 = NULL;
	if (r->eth != NULL)
		r->vx->bar0 = NULL;
}

/* ---- the bus ---- */

static uint32_t
bus_read(struct vx_dev *dev, uint32_t reg)
{
	struct vx_rig *r = dev->bus_priv;
	uint32_t v = UINT32_MAX;

	assert_false(r->closed);
	if (r->card != NULL)
		vmxnet3_dev_bar_read(r->card, 1, reg, &v, sizeof(v));
	return r->lie != NULL ? r->lie(r, reg, v) : v;
}

static void
bus_write(struct vx_dev *dev, uint32_t reg, uint32_t value)
{
	struct vx_rig *r = dev->bus_priv;

	assert_false(r->closed);
	if (reg == VMXNET3_REG_CMD)
		r->cmd = value;
	if (r->card != NULL)
		vmxnet3_dev_bar_write(r->card, 1, reg, &value, sizeof(value));
}

static void
bus_bar0_write(struct vx_dev *dev, uint32_t reg, uint32_t value)
{
	struct vx_rig *r = dev->bus_priv;

	assert_false(r->closed);
	if (r->card != NULL)
		vmxnet3_dev_bar_write(r->card, 0, reg, &value, sizeof(value));
}

static int
bus_intr_on(struct vx_dev *dev, uint16_t nb_rx)
{
	struct vx_rig *r = dev->bus_priv;

	assert_false(r->intr_on);
	if (r->intr_on_ret != 0)
		return r->intr_on_ret;
	r->intr_on = true;
	r->intr_rx = nb_rx;
	return 0;
}

static void
bus_intr_off(struct vx_dev *dev)
{
	((struct vx_rig *)dev->bus_priv)->intr_on = false;
}

static void
bus_close(struct vx_dev *dev)
{
	struct vx_rig *r = dev->bus_priv;

	assert_false(r->closed);
	assert_false(r->intr_on);
	r->closed = true;
}

static const struct vx_bus_ops bus = {
	.read = bus_read,
	.write = bus_write,
	.bar0_write = bus_bar0_write,
	.intr_on = bus_intr_on,
	.intr_off = bus_intr_off,
	.close = bus_close,
};

/* ---- the port ---- */

static int
on_event(uint16_t port __rte_unused, enum rte_eth_event_type event, void *arg, void *ret __rte_unused)
{
	struct vx_rig *r = arg;

	/* It is told when nobody holds the lock. */
	assert_int_equal(0, pthread_mutex_trylock(&r->vx->ctl));
	assert_int_equal(1, r->vx->ctl.__data.__count);
	pthread_mutex_unlock(&r->vx->ctl);
	__atomic_fetch_add(&r->events[event], 1, __ATOMIC_SEQ_CST);
	return 0;
}

static struct rte_mempool *
packet_pool(void)
{
	struct rte_mempool *pool = rte_mempool_lookup("vx_rig");

	if (pool == NULL)
		pool = rte_pktmbuf_pool_create("vx_rig", NB_MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
			SOCKET_ID_ANY);
	assert_non_null(pool);
	return pool;
}

static void
allocate(struct vx_rig *r, const struct vx_rig_opts *opts)
{
	static unsigned int number;
	char name[32];

	snprintf(name, sizeof(name), "vx_rig%u", number++);
	r->eth = rte_eth_dev_allocate(name);
	assert_non_null(r->eth);
	r->eth->device = &device;
	r->vx = r->eth->data->dev_private = rte_zmalloc(NULL, sizeof(*r->vx), 0);
	r->eth->data->dev_flags |= RTE_ETH_DEV_INTR_LSC;
	snprintf(r->vx->name, sizeof(r->vx->name), "%s", name);
	r->vx->eth_dev = r->eth;
	r->vx->bus = &bus;
	r->vx->bus_priv = r;
	r->vx->args.max_rev = opts->max_rev ? opts->max_rev : VMXNET3_REV_MAX;
	r->vx->dma_is_va = true;
	r->vx->bar0 = r->bar0;
	r->id = r->eth->data->port_id;
}

int
rig_open(struct vx_rig *r, const struct vx_rig_opts *opts)
{
	static const struct vx_rig_opts usual;
	int ret;

	if (opts == NULL)
		opts = &usual;
	memset(r, 0, sizeof(*r));
	r->now = 1000000000;
	r->burst = vmxnet3_burst_create();
	r->pool = packet_pool();
	rig_new_card(r, opts);
	r->lie = opts->lie;
	allocate(r, opts);
	ret = vx_ethdev_init(r->eth);
	if (ret != 0) {
		rte_eth_dev_release_port(r->eth);
		r->eth = NULL;
		return ret;
	}
	rte_eth_dev_probing_finish(r->eth);
	rte_eth_dev_callback_register(r->id, RTE_ETH_EVENT_INTR_LSC, on_event, r);
	rte_eth_dev_callback_register(r->id, RTE_ETH_EVENT_INTR_RESET, on_event, r);
	return 0;
}

void
rig_usual(struct vx_rig *r)
{
	assert_int_equal(0, rig_open(r, NULL));
}

void
rig_close(struct vx_rig *r)
{
	if (r->eth != NULL) {
		if (r->eth->data->dev_started)
			assert_int_equal(0, rte_eth_dev_stop(r->id));
		assert_int_equal(0, rte_eth_dev_close(r->id));
		assert_true(r->closed);
		r->eth = NULL;
	}
	if (r->card != NULL)
		rig_drop_card(r);
	vmxnet3_burst_destroy(r->burst);
	assert_int_equal(NB_MBUFS, rte_mempool_avail_count(r->pool));
}

int
rig_setup_queues(struct vx_rig *r, uint16_t nb_desc)
{
	const struct rte_eth_dev_data *data = r->eth->data;
	int ret = 0;
	uint16_t i;

	for (i = 0; i < data->nb_rx_queues && ret == 0; i++)
		ret = rte_eth_rx_queue_setup(r->id, i, nb_desc, SOCKET_ID_ANY, NULL, r->pool);
	for (i = 0; i < data->nb_tx_queues && ret == 0; i++)
		ret = rte_eth_tx_queue_setup(r->id, i, nb_desc, SOCKET_ID_ANY, NULL);
	return ret;
}

int
rig_configure(struct vx_rig *r, uint16_t nb_rx, uint16_t nb_tx, const struct rte_eth_conf *conf)
{
	static const struct rte_eth_conf plain;
	int ret = rte_eth_dev_configure(r->id, nb_rx, nb_tx, conf != NULL ? conf : &plain);

	return ret != 0 ? ret : rig_setup_queues(r, NB_DESC);
}

void
rig_run(struct vx_rig *r, uint16_t nb_rx, uint16_t nb_tx, const struct rte_eth_conf *conf)
{
	assert_int_equal(0, rig_configure(r, nb_rx, nb_tx, conf));
	assert_int_equal(0, rte_eth_dev_start(r->id));
	assert_true(rig_info(r).active);
}

struct vmxnet3_dev_info
rig_info(struct vx_rig *r)
{
	struct vmxnet3_dev_info info;

	vmxnet3_dev_info_get(r->card, &info);
	return info;
}

/* ---- frames ---- */

bool
rig_deliver(struct vx_rig *r, const void *data, uint32_t len)
{
	uint8_t room[OFFLOAD_HEADROOM + FRAME_ROOM];
	struct offload_seg seg = { .data = room + OFFLOAD_HEADROOM, .len = len };
	struct offload_frame f = { .seg = &seg, .nb_segs = 1, .len = len }, *list = &f;

	memcpy(seg.data, data, len);
	return vmxnet3_dev_deliver(r->card, &list, 1) == 1;
}

struct rte_mbuf *
rig_receive(struct vx_rig *r, uint16_t queue)
{
	struct rte_mbuf *m;

	return rte_eth_rx_burst(r->id, queue, &m, 1) == 1 ? m : NULL;
}

int
rig_pass(struct vx_rig *r, const void *data, uint32_t len)
{
	struct rte_mbuf *m;
	uint16_t i;

	rig_deliver(r, data, len);
	for (i = 0; i < r->eth->data->nb_rx_queues; i++) {
		m = rig_receive(r, i);
		if (m == NULL)
			continue;
		assert_int_equal(RTE_MAX(len, 60u), m->pkt_len + (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED ? 4 : 0));
		rte_pktmbuf_free(m);
		return i;
	}
	return -1;
}

bool
rig_send(struct vx_rig *r, uint16_t queue, uint32_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(r->pool);
	struct offload_frame *frames;
	uint16_t n;

	assert_non_null(m);
	memset(rte_pktmbuf_append(m, len), 0x5a, len);
	if (rte_eth_tx_burst(r->id, queue, &m, 1) != 1) {
		rte_pktmbuf_free(m);
		return false;
	}
	n = vmxnet3_dev_tx_begin(r->card, queue, r->burst, 1, &frames);
	if (n == 0)
		return false;
	assert_int_equal(len, frames[0].len);
	vmxnet3_dev_tx_end(r->card, queue, r->burst);
	return true;
}

void
rig_expect_alive(struct vx_rig *r)
{
	struct shape s = { .proto = 17, .payload = 100 };
	static struct built f;

	build(&f, &s);
	assert_true(rig_send(r, 0, 100));
	assert_true(rig_pass(r, f.data, f.len) >= 0);
}

uint64_t
rig_xstat(struct vx_rig *r, const char *name)
{
	uint64_t id, value;

	if (rte_eth_xstats_get_id_by_name(r->id, name, &id) != 0)
		fail_msg("no counter %s", name);
	assert_int_equal(1, rte_eth_xstats_get_by_id(r->id, &id, &value, 1));
	return value;
}
