/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A small vmxnet3 driver of the tests' own. It knows the device only by its registers and by guest memory,
 * and believes nothing: each completion is held against the rules that keep real drivers from crashing.
 *
 * Functions that find a rule broken return -1 and leave a sentence in mini::error.
 */
#ifndef MINI_DRIVER_H
#define MINI_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include <vmxnet3_dev.h>
#include <vmxnet3_mem.h>
#include <vmxnet3_regs.h>

#include "mini_mem.h"

#define MINI_FRAME_MAX (72 * 1024)
/** What receive buffers are filled with before they are posted. */
#define MINI_CANARY 0xc3

/** What a driver chooses; see mini_conf_default(). */
struct mini_conf {
	uint32_t revision;
	uint32_t nb_tx, nb_rx;
	uint32_t tx_size, tx_comp_size;
	uint32_t rx_size[2];   /**< ring 1 may have none */
	uint32_t rx_comp_size;
	uint32_t mtu;
	uint32_t features;     /**< VMXNET3_F_* */
	uint32_t rx_mode;      /**< VMXNET3_RXM_* */
	uint32_t max_sg;
	uint32_t head_len, body_len;
	uint32_t group;        /**< BODYs after each HEAD in ring 0 */
	uint32_t rx_data_size; /**< 0: no receive data ring */
	uint32_t dcr;          /**< capabilities to enable; 0: the register is left alone */
	bool empty;            /**< post no receive buffers at activation */
	bool fast;             /**< no canaries: for measurements */
};

/** How the driver reaches registers (regions as VFU_REGION_*) if not by calling the device. */
struct mini_bus {
	void *ctx;
	void (*read)(void *ctx, unsigned int region, uint64_t offset, void *buf, uint32_t len);
	void (*write)(void *ctx, unsigned int region, uint64_t offset, const void *buf, uint32_t len);
};

/** The driver's end of a ring. */
struct mini_ring {
	uint64_t pa;
	uint32_t size;
	uint32_t next, gen; /**< to be filled next; or, of completions, to be read next */
	uint32_t done;      /**< command rings: oldest entry that the device still has */
	uint32_t used;      /**< entries that it has */
	struct vmxnet3_desc *shadow; /**< as they were written */
};

struct mini_txq {
	struct mini_ring ring, comp;
	uint64_t area;      /**< room for frames */
	uint32_t area_used;
	uint32_t pending;   /**< frames that want a completion */
};

/** A frame as the driver gets it. */
struct mini_frame {
	uint8_t *data;       /**< valid until the next mini_recv() of the queue */
	uint32_t len;
	uint32_t nb_bufs;
	bool in_data_ring;
	uint32_t hash, rss_type;
	bool inner_hash;
	bool tagged;
	uint16_t tci;
	bool cnc, ipc, tuc, v4, v6, tcp, udp, frg;
	bool inner;          /**< all these are about the headers inside of a tunnel */
	uint32_t segs, mss;  /**< large frames */
};

struct mini_rxq {
	struct mini_ring ring[2], comp;
	uint64_t buf[2];     /**< buffers, one per entry, one behind the other */
	uint64_t data_ring;
	struct mini_frame frame; /**< unfinished one */
	struct vmxnet3_desc sop;
	bool open;           /**< it has begun */
};

struct mini {
	struct vmxnet3_dev *dev;
	const struct mini_bus *bus; /**< NULL: the functions of @c dev */
	struct mini_mem *mem;
	struct mini_conf conf;
	uint64_t shared, queues, rss;
	struct mini_txq txq[VMXNET3_MAX_TX_QUEUES];
	struct mini_rxq rxq[VMXNET3_MAX_RX_QUEUES];
	char error[256];
};

/** Offload fields of a first descriptor. */
struct mini_offload {
	uint32_t om, hlen, msscof;
	bool ext1, oco, ti, no_cq;
	uint16_t tci;
};

struct mini_conf mini_conf_default(uint32_t revision);

/** Lays everything out in guest memory; the device is not touched. Ends the process if memory is short. */
void mini_init(struct mini *m, struct vmxnet3_dev *dev, struct mini_mem *mem,
	const struct mini_conf *conf);
void mini_fini(struct mini *m);

uint32_t mini_read(struct mini *m, unsigned int bar, uint32_t reg);
void mini_write(struct mini *m, unsigned int bar, uint32_t reg, uint32_t value);
/** @return the command's result. */
uint32_t mini_cmd(struct mini *m, uint32_t cmd);

/** Fields of guest memory. */
struct vmxnet3_shared *mini_shared(struct mini *m);
struct vmxnet3_tx_queue_desc *mini_txq_desc(struct mini *m, uint32_t q);
struct vmxnet3_rx_queue_desc *mini_rxq_desc(struct mini *m, uint32_t q);
/** RSSConf; mini_activate() hands it over if features have RSS. */
struct vmxnet3_rss_conf *mini_rss(struct mini *m);

/** As a driver's open: select the revision, empty rings, post buffers, activate, filters. @return 0 or -1 */
int mini_activate(struct mini *m);
/** Only makes rings empty and fills the shared areas, for tests that spoil something before ACTIVATE. */
void mini_prepare(struct mini *m);
/** The rest of mini_activate(). */
int mini_start(struct mini *m);

/** Posts descriptors (without generation bits), the first one last. @return 0, or -1: no room. */
int mini_post(struct mini *m, uint32_t q, const struct vmxnet3_desc *desc, uint32_t nb);
/** A transmit descriptor. @p len 16384 becomes 0. */
struct vmxnet3_desc mini_tx_desc(uint64_t pa, uint32_t len, bool eop);
/** Sets the offload fields; cq goes to the last one. */
void mini_set_offload(struct vmxnet3_desc *first, struct vmxnet3_desc *last,
	const struct mini_offload *o);

/**
 * Copies a frame into guest memory and posts it.
 *
 * @param split,nb  bytes in each descriptor, each piece anywhere; NULL: as few as possible
 * @param o  NULL: none
 * @return 0, or -1: no room.
 */
int mini_send(struct mini *m, uint32_t q, const void *frame, uint32_t len, const uint32_t *split,
	uint32_t nb, const struct mini_offload *o);

/** Takes the completions that are there. @return how many, or -1. */
int mini_reap(struct mini *m, uint32_t q);

/** Posts receive buffers, at most @p max descriptors in all. */
void mini_refill(struct mini *m, uint32_t q, uint32_t max);
/** Posts up to @p max entries of one ring. @return how many */
uint32_t mini_refill_ring(struct mini *m, uint32_t q, unsigned int ring, uint32_t max);

/** Takes the next frame. @return 1 and *f, 0: there is none, -1. */
int mini_recv(struct mini *m, uint32_t q, struct mini_frame *f);

/** Ring entry in guest memory. */
struct vmxnet3_desc *mini_entry(struct mini *m, const struct mini_ring *r, uint32_t i);

/** Sets mini::error. @return -1 */
int mini_fail(struct mini *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Shared by mini_driver.c and mini_rx.c */
void mini_ring_init(struct mini *m, struct mini_ring *r, uint32_t size, bool shadow);
void mini_ring_reset(struct mini *m, struct mini_ring *r);
void mini_ring_step(struct mini_ring *r);
void mini_rx_init(struct mini *m, uint32_t q);
void mini_rx_reset(struct mini *m, uint32_t q);
void mini_rx_fini(struct mini *m, uint32_t q);

#endif /* MINI_DRIVER_H */
