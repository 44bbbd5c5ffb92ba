/* SPDX-License-Identifier: BSD-3-Clause */
/** @file A port of the back-end driver with a guest behind its socket: EAL, memory and the tests' own driver. */
#ifndef VH_RIG_H
#define VH_RIG_H

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <vfu_client.h>

#include "card.h"

/** Frames from or to the port at once. */
#define RIG_BURST 64

struct rig_conf {
	uint16_t nb_rx, nb_tx;  /**< 0: 1 */
	uint64_t rx_offloads, tx_offloads;
	uint16_t mtu;           /**< 0: 1500 */
	uint32_t max_lro;
	uint16_t data_room;     /**< without headroom; 0: 2048 */
	uint32_t nb_mbufs;      /**< 0: 1023 */
	bool lsc;
};

struct rig {
	uint16_t port;
	char name[32], path[64];
	struct rte_mempool *pool;
	struct rig_conf conf;

	/* The guest */
	bool plugged;
	struct vfu_client *client;
	struct mini_mem mem;
	struct mini_bus bus;
	struct mini m;
};

/** For cmocka's groups: EAL without hugepages, on this thread. */
int rig_eal(void **state);

/** Creates a port; @p args are added to its path and may be "". */
void rig_open(struct rig *r, const char *args);
/** The guest first, then the port. */
void rig_close(struct rig *r);
/** Configures, sets queues up and starts. May be called again after rig_stop(). */
void rig_start(struct rig *r, const struct rig_conf *conf);
void rig_stop(struct rig *r);

/** Connects a guest and activates its driver; rig_unplug() ends it as a crash of its machine would. */
void rig_plug(struct rig *r, const struct mini_conf *conf);
void rig_unplug(struct rig *r);

/** With a driver of revision 7, @p nb_tx transmit queues, and room for nearly everything. */
void rig_plug_usual(struct rig *r, uint32_t nb_tx);
/** A port as usual, started, with a guest as usual. */
void rig_open_usual(struct rig *r);
/** One frame each way, on the first queues. */
void rig_check_traffic(struct rig *r);

/** The link that the application sees; the one that the guest sees. */
bool rig_link(const struct rig *r);
bool rig_guest_link(struct rig *r);
/** Waits for a link; @return whether it came. */
bool rig_wait_link(const struct rig *r, bool up);

/** What the guest sends; @p o may be NULL. */
void rig_guest_send(struct rig *r, uint32_t q, const void *data, uint32_t len,
	const struct mini_offload *o);
/** Polls queue @p q until there are @p want frames, or nothing comes any more. */
uint16_t rig_receive(struct rig *r, uint16_t q, struct rte_mbuf **pkts, uint16_t want);
/** One frame, which must come. */
struct rte_mbuf *rig_receive_one(struct rig *r);

/** A packet buffer with these bytes, cut into @p parts of a chain. */
struct rte_mbuf *rig_mbuf(struct rig *r, const void *data, uint32_t len, uint16_t parts);
/** Sends one, which must be taken. */
void rig_send(struct rig *r, struct rte_mbuf *m);
/** The next frame of the guest's queue 0, which must be there. */
void rig_guest_receive(struct rig *r, struct mini_frame *f);

/** All bytes of a chain; @return how many. */
uint32_t rig_bytes(const struct rte_mbuf *m, uint8_t *to);
/** Linear or, with @p chained, perhaps not; of the pool; headroom; port; lengths that add up. */
void rig_check_mbuf(const struct rig *r, const struct rte_mbuf *m, bool chained);
/** A counter by its name. */
uint64_t rig_xstat(const struct rig *r, const char *name);
/** Every packet buffer is back. */
void rig_check_pool(const struct rig *r);

#endif /* VH_RIG_H */
