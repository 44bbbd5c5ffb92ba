/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The front end's ground: one device as this driver sees it. Structures and the smallest helpers; no behaviour.
 *
 * The files, from the top down; each uses only those below it:
 *  - vx_vdev.c, vx_pci.c: probing; each gives a device its bus;
 *  - vx_life.c: a vfio-user server that goes and comes back;
 *  - vx_ethdev.c: the table of ethdev operations: configure, start, stop, close; on vx_info.c: what the device can do;
 *  - vx_link.c: link and events, stopped queues among them, which activate the device anew;
 *  - vx_activate.c: DriverShared, ACTIVATE, QUIESCE; vx_identify.c: getting to know a device;
 *  - vx_offloads.c: what a device can do to frames;
 *  - vx_filter.c, vx_rss.c, vx_stats.c, vx_irq.c: operations by noun, and their replay for activation;
 *  - vx_cmd.c: commands;
 *  - vx_queue.c: queues for activation; vx_queue_setup.c: they come and go; vx_queue_state.c: how one is doing;
 *  - vx_rx.c, on vx_rx_frame.c, vx_rx_fill.c, vx_rx_inner.c, vx_rx_meta.c: the receive burst;
 *  - vx_tx.c, vx_tx_prepare.c, on vx_tx_free.c, vx_tx_csum.c, vx_tx_plan.c: the transmit burst;
 *  - vx_vec.c, on vx_vec_avx2.c, vx_vec_avx512.c: what both do by vectors;
 *  - vx_csum.c, vx_ring.h: what both have in common;
 *  - vx_user.c: registers and interrupts over vfio-user; on vx_server.c: a server that was looked at;
 *  - vx_memory.c: DPDK's memory in a server's reach; on vx_maps.c: what is mapped there; vx_memfile.c: files of others' memory;
 *  - vx_args.c: device arguments.
 *
 * Threads. Everything but the bursts holds vx_dev::ctl. A burst holds its queue's lock, which it only tries to take: whoever must have the
 * bursts outside (a server that went away, activation) holds all queues' locks meanwhile, and bursts return 0.
 * Order of locks: ctl, then a queue's, then the vfio-user client's own. DPDK's memory events come with DPDK's
 * memory lock held and take none of the first two.
 */
#ifndef VX_DEV_H
#define VX_DEV_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <ethdev_driver.h>
#include <rte_io.h>
#include <rte_log.h>

#include <vmxnet3_mem.h>
#include <vmxnet3_regs.h>
#include <vmxnet3_rev.h>

extern int vx_logtype;

/** One line in EAL's log, named after the port. */
#define VX_LOG(level, dev, fmt, ...)                                                               \
	rte_log(RTE_LOG_##level, vx_logtype, "%s: " fmt "\n", (dev)->name, ##__VA_ARGS__)

#define VX_MAX_QUEUES	   32
#define VX_MIN_RING	   32
#define VX_DEFAULT_RX_RING 1024
#define VX_DEFAULT_TX_RING 1024
#define VX_MAX_MC_ADDRS	   10922 /**< what a 16-bit table length can name */
#define VX_MAX_MAC_ADDRS   128	 /**< ethdev's limit; the device knows one, the others cost promiscuous mode and a look at each frame */
#define VX_RSS_KEY_BYTES   40
#define VX_RETA_SIZE	   128

/** Interrupt vectors: events, then one per receive queue. Transmit queues get the one after those, which stays masked. */
#define VX_VECTOR_EVENT	 0
#define VX_VECTOR_RXQ(q) (1 + (q))

struct offload_filter;
struct vx_dev;
struct vx_life;

/** Device arguments (vx_args.h). */
struct vx_args {
	char path[108];		   /**< of the server's socket; vfio-user only */
	struct rte_ether_addr mac; /**< instead of the device's own; zero: none given */
	uint8_t max_rev;	   /**< highest revision to select, 1 to 9 */
	uint16_t rx_data_size;	   /**< bytes of an entry of the receive data ring (revision 3 on); 0: none */
	uint32_t reconnect_ms;	   /**< longest pause between two attempts to reconnect; 0: none are made */
	bool claim;		   /**< PCI: false leaves the device to DPDK's own driver */
};

/** How a device is reached. All but @c can_reach and @c close are called with vx_dev::ctl held. */
struct vx_bus_ops {
	/** A 32-bit register of BAR1. All ones when the device is away. */
	uint32_t (*read)(struct vx_dev *dev, uint32_t reg);
	void (*write)(struct vx_dev *dev, uint32_t reg, uint32_t value);
	/** A register of BAR0 where vx_dev::bar0 is NULL. Also from bursts; never blocks. */
	void (*bar0_write)(struct vx_dev *dev, uint32_t reg, uint32_t value);
	/**
	 * Connects the event vector and @p nb_rx receive vectors (0: none) to eth_dev->intr_handle, and
	 * events to vx_link_event(). Called at each start, before activation; a bus that reconnects
	 * repeats by itself what was connected.
	 * @return 0, or a negative errno; vectors are off then.
	 */
	int (*intr_on)(struct vx_dev *dev, uint16_t nb_rx);
	void (*intr_off)(struct vx_dev *dev);
	/** Whether the device can reach all memory of @p pool. Logs why not. NULL: it can. */
	bool (*can_reach)(struct vx_dev *dev, struct rte_mempool *pool);
	/**
	 * The port is closed: no call follows, in either direction. Without ctl, so that threads of
	 * the bus that want it can end. The port's memory is freed afterwards.
	 */
	void (*close)(struct vx_dev *dev);
};

/** What a device said of itself, checked; taken at probe and again from a server that came back. */
struct vx_limits {
	uint8_t rev;		/**< revision selected: what both know */
	uint16_t max_tx_queues; /**< 1 to VX_MAX_QUEUES */
	uint16_t max_rx_queues;
	uint16_t max_mtu;
	uint16_t tx_data_size;	/**< GET_TXDATA_DESC_SIZE, or 128 */
	uint32_t dcr;		/**< capabilities offered (revision 7 on) */
	uint32_t tunnels;	/**< VMXNET3_CAP_* of VXLAN and Geneve that it has (revision 4 on) */
	uint32_t disabled;	/**< VMXNET3_DISABLED_* (revision 9 on) */
	struct rte_ether_addr mac; /**< its own */
};

/** Memory shared with the device that is no ring, in one memzone. */
struct vx_shared_area {
	struct vmxnet3_shared shared;
	struct vmxnet3_rss_conf rss __rte_aligned(64);
	uint8_t mc_table[VX_MAX_MC_ADDRS * RTE_ETHER_ADDR_LEN] __rte_aligned(64);
	/** nb_tx transmit queues, then at once nb_rx receive queues; 256 bytes each */
	uint8_t queue_desc[2 * VX_MAX_QUEUES * 256] __rte_aligned(VMXNET3_QUEUE_DESC_ALIGN);
};

struct vx_dev {
	char name[RTE_ETH_NAME_MAX_LEN];
	struct rte_eth_dev *eth_dev;
	const struct vx_bus_ops *bus;
	void *bus_priv;
	struct vx_life *life; /**< vfio-user: the thread that watches the server */
	struct vx_args args;

	/** BAR0 mapped, or NULL: write it by bus->bar0_write. Changes only while bursts are outside. */
	volatile uint8_t *bar0;
	/** DMA addresses are virtual ones (vfio-user), else IOVAs (PCI). Constant. */
	bool dma_is_va;
	/**
	 * The server has gone. Operations then succeed by remembering what was asked; it is replayed
	 * when a server is back. Written under ctl; read by anyone.
	 */
	atomic_bool away;

	pthread_mutex_t ctl; /**< recursive */
	struct vx_limits lim;
	const struct vmxnet3_rev *rev; /**< of lim.rev */

	const struct rte_memzone *area_mz;
	struct vx_shared_area *area;
	uint64_t area_dma; /**< address of area, as the device sees it */
	/** Into area->queue_desc, by the configured numbers of queues. */
	struct vmxnet3_tx_queue_desc *txqd;
	struct vmxnet3_rx_queue_desc *rxqd;

	bool started; /**< dev_start succeeded, dev_stop has not been called */
	bool active;  /**< ACTIVATE succeeded */
	bool paused;  /**< ctl's holder keeps bursts outside: vx_queues_pause() */
	bool intr;    /**< the event vector is connected; false: the device must get vector 0 for everything */
	bool rx_intr; /**< receive vectors are connected, too */
	uint64_t healed; /**< timer cycles at the last activation for stopped queues */
	bool heal_due;	 /**< another one is to come */

	/* What the application asked for; replayed at each activation. */
	bool promisc;
	bool allmulti;
	uint32_t rx_intr_on;	   /**< bit per receive queue: its interrupt is wanted */
	struct rte_ether_addr mac; /**< in use */
	struct rte_ether_addr extra_macs[VX_MAX_MAC_ADDRS]; /**< by ethdev's index; zero: none */
	struct offload_filter *filters; /**< two, of which one is in use; NULL: there were no extra addresses yet */
	const struct offload_filter *filter; /**< of receive bursts (vx_queues_set_filter()); NULL: they take everything */
	uint16_t nb_mc_addrs;
	struct rte_ether_addr *mc_addrs;
	uint32_t vlan_table[128];
	struct {
		uint8_t key[VX_RSS_KEY_BYTES];
		uint8_t table[VX_RETA_SIZE];
		uint64_t hf; /**< RTE_ETH_RSS_* */
	} rss;

	/* Device counters of activations that are over, and what stats_reset subtracts (vx_stats.c). */
	struct vx_stats_base *stats_base;
};

static inline struct vx_dev *
vx_dev_of(struct rte_eth_dev *eth_dev)
{
	return eth_dev->data->dev_private;
}

/** The address of a memzone as the device sees it. */
static inline uint64_t
vx_dma_of(const struct vx_dev *dev, const struct rte_memzone *mz)
{
	return dev->dma_is_va ? (uint64_t)(uintptr_t)mz->addr : mz->iova;
}

static inline void
vx_lock(struct vx_dev *dev)
{
	pthread_mutex_lock(&dev->ctl);
}

static inline void
vx_unlock(struct vx_dev *dev)
{
	pthread_mutex_unlock(&dev->ctl);
}

/** Writes a BAR0 register: a doorbell or a mask. What was written to shared memory before is seen before. */
static inline void
vx_bar0_write(struct vx_dev *dev, uint32_t reg, uint32_t value)
{
	volatile uint8_t *bar0 = dev->bar0;

	if (likely(bar0 != NULL))
		rte_write32(rte_cpu_to_le_32(value), bar0 + reg);
	else
		dev->bus->bar0_write(dev, reg, value);
}

#endif /* VX_DEV_H */
