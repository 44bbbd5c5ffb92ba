/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A port of the front end without a device: its queues, and a hand that does by itself what a device would.
 *
 * The hand knows the rings only by their queue descriptors, and goes one entry at a time. It can also lie.
 */
#ifndef VX_BARE_H
#define VX_BARE_H

#include <stdarg.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <vx_queue.h>
#include <vx_rx.h>
#include <vx_tx.h>

/** EAL without hugepages, devices or files; once per process. For cmocka's group set-up. */
int vx_eal(void **state);

/**
 * What bursts may use, from now on, in queues that are initialized.
 * @param bits  64: nothing, 256 or 512: vectors of so many bits
 * @return what it is called; NULL: this machine has none of it
 */
const char *vx_vectors(uint16_t bits);

/** Runs an array of tests once for each kind of vectors. @return for main() */
#define vx_run_group_tests(tests) \
	({ \
		static const uint16_t vx_bits[] = { 64, 256, 512 }; \
		int vx_failed = vx_eal(NULL); \
		for (unsigned int vx_i = 0; vx_i < RTE_DIM(vx_bits); vx_i++) { \
			const char *vx_name = vx_vectors(vx_bits[vx_i]); \
			if (vx_name != NULL) \
				vx_failed += _cmocka_run_group_tests(vx_name, tests, RTE_DIM(tests), NULL, NULL); \
		} \
		vx_failed; \
	})

struct bare_conf {
	uint8_t rev; /**< 0: 7; the other zeros below have usual values, too */
	uint16_t nb_queues;
	uint16_t rx_size, tx_size, mtu;
	uint16_t buf_len; /**< of a receive buffer, headroom not counted */
	uint16_t rx_data_size;
	uint32_t pool_size;
	uint32_t pool_cache;
	uint64_t rx_offloads, tx_offloads;
	uint32_t tunnels; /**< VMXNET3_CAP_* */
	bool lazy; /**< vx_queues_init() is the test's */
};

struct bare {
	struct rte_eth_dev *eth;
	struct vx_dev *dev;
	struct rte_mempool *pool; /**< receive buffers */
	struct rte_mempool *tx_pool; /**< what tests send */
	const struct rte_memzone *descs;
	uint8_t bar0[4096] __rte_aligned(8);
	bool unreachable; /**< the bus says no to pools */
};

void bare_open(struct bare *p, const struct bare_conf *conf);
/** Fails unless every mbuf is in its pool again. */
void bare_close(struct bare *p);

uint16_t vx_recv(struct bare *p, struct rte_mbuf **m, uint16_t n);
uint16_t vx_send(struct bare *p, struct rte_mbuf **m, uint16_t n);
struct vx_queue_stats vx_rx_stats(struct bare *p);
struct vx_queue_stats vx_tx_stats(struct bare *p);
uint32_t vx_doorbell(const struct bare *p, uint32_t reg);

/** A frame of tx_pool in segments of the given lengths; bytes count up from @p seed. */
struct rte_mbuf *vx_frame(struct bare *p, uint8_t seed, const uint32_t *lens, uint32_t nb);
struct rte_mbuf *vx_small(struct bare *p, uint8_t seed);
/** Whether @p len bytes count up from @p seed. */
bool vx_counts_up(const uint8_t *data, uint32_t len, uint8_t seed);
/** Checks contents, lengths and number of segments, and frees it. */
void vx_expect(struct rte_mbuf *m, uint8_t seed, uint32_t len, uint16_t nb_segs);

/* ---- the hand ---- */

struct hand_ring {
	struct vmxnet3_desc *entry;
	uint32_t size, next, gen;
};

struct hand {
	struct hand_ring tx, tx_comp;
	struct hand_ring rx[2], rx_comp;
	uint8_t *data;
	uint32_t data_size;
	uint16_t q, nb_rxq;
};

void hand_open(struct hand *h, struct bare *p, uint16_t queue);

#define HAND_MAX (80 * 1024)

/** A frame as the device sees it. */
struct hand_frame {
	uint32_t len, nb_descs, eop;
	bool cq;
	struct vmxnet3_desc first;
	uint8_t data[HAND_MAX];
};

/** Reads the next frame out of the transmit ring. @return whether there is one */
bool hand_take(struct hand *h, struct hand_frame *f);
void hand_complete(struct hand *h, uint32_t index);
/** Takes all frames that are there and completes those that ask for it. @return how many frames */
uint32_t hand_send_all(struct hand *h, struct hand_frame *f);

/** The next descriptor that the driver has posted; index of it, or -1 when there is none. */
int hand_buffer(struct hand *h, unsigned int ring, struct vmxnet3_desc *d);
/** Writes a completion; the generation is added. */
void hand_completion(struct hand *h, uint32_t dw0, uint32_t dw1, uint32_t dw2, uint32_t dw3);

/** What the last completion of a frame says besides its lengths. */
struct hand_says {
	uint32_t dw0, dw1, dw2, dw3;
	uint16_t mss, segs; /**< not 0: a large frame */
};

/** Puts a frame that counts up from @p seed into buffers. @return buffers, or -1 when they do not suffice */
int hand_put(struct hand *h, uint8_t seed, uint32_t len, const struct hand_says *says);
/** Into the receive data ring. */
void hand_put_data(struct hand *h, uint8_t seed, uint32_t len);

#endif /* VX_BARE_H */
