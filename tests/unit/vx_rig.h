/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A port of the driver vmxnet3x on this project's device core, in one process: registers by call, memory EAL's own. The
 * bus may lie about what it reads, or be dead.
 */
#ifndef VX_RIG_H
#define VX_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ethdev_driver.h>
#include <rte_ethdev.h>

#include <vmxnet3_dev.h>
#include <vx_dev.h>
#include <vx_ethdev.h>
#include <vx_link.h>

#include "offload_frames.h"

#define RIG_MAC { 0x02, 0x03, 0x04, 0x05, 0x06, 0x07 } /* where the builder's frames go */

struct vx_rig {
	/* The card. */
	struct vmxnet3_dev *card;
	struct vfu_dma *dma;
	struct vmxnet3_burst *burst;
	void *bar0;
	uint64_t now;
	unsigned int raised[VMXNET3_MAX_INTRS];
	/* The bus. */
	uint32_t cmd; /* the last one */
	uint32_t (*lie)(struct vx_rig *r, uint32_t reg, uint32_t truth); /* NULL: the truth */
	int intr_on_ret;
	bool intr_on, closed;
	uint16_t intr_rx;
	/* The port. */
	uint16_t id;
	struct rte_eth_dev *eth;
	struct vx_dev *vx;
	struct rte_mempool *pool;
	unsigned int events[RTE_ETH_EVENT_MAX];
};

/** Zeros: the usual. */
struct vx_rig_opts {
	uint32_t revisions; /**< the card's, and so on */
	uint16_t max_tx_queues, max_rx_queues;
	uint32_t link_speed;
	bool message;	 /**< doorbells by messages */
	uint8_t max_rev; /**< the driver's */
	uint32_t (*lie)(struct vx_rig *r, uint32_t reg, uint32_t truth);
};

/** Starts EAL without hugepages; once per process. @return 0, or what main() is to return */
int rig_eal(void);

/** A card and a port on it. @return what vx_ethdev_init() did */
int rig_open(struct vx_rig *r, const struct vx_rig_opts *opts);
/** With the usual options; fails the test if it does not open. */
void rig_usual(struct vx_rig *r);
/** Closes the port, if it is open, and frees the card. All packet buffers must be back. */
void rig_close(struct vx_rig *r);

/** The card goes, and another one comes in its place. */
void rig_drop_card(struct vx_rig *r);
void rig_new_card(struct vx_rig *r, const struct vx_rig_opts *opts);

/** Configures, sets up queues of 128 entries. @return the first error */
int rig_configure(struct vx_rig *r, uint16_t nb_rx, uint16_t nb_tx, const struct rte_eth_conf *conf);
/** Of a port that is configured. */
int rig_setup_queues(struct vx_rig *r, uint16_t nb_desc);
/** Configures and starts; no error is allowed. */
void rig_run(struct vx_rig *r, uint16_t nb_rx, uint16_t nb_tx, const struct rte_eth_conf *conf);

/** What the card's management sees. */
struct vmxnet3_dev_info rig_info(struct vx_rig *r);

/** Gives the card a frame to deliver. @return whether it did */
bool rig_deliver(struct vx_rig *r, const void *data, uint32_t len);
/** Takes one frame from a queue. NULL: there is none. */
struct rte_mbuf *rig_receive(struct vx_rig *r, uint16_t queue);
/** Delivers, and receives from whichever queue. @return the queue, or -1: it did not arrive */
int rig_pass(struct vx_rig *r, const void *data, uint32_t len);
/** Sends a frame of @p len bytes and has the card take it. @return whether it did */
bool rig_send(struct vx_rig *r, uint16_t queue, uint32_t len);
/** A frame each way. */
void rig_expect_alive(struct vx_rig *r);

uint64_t rig_xstat(struct vx_rig *r, const char *name);

#endif /* VX_RIG_H */
