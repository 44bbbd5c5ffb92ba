/* SPDX-License-Identifier: BSD-3-Clause */
/** @file A device with its guest: memory and driver, for tests of the datapath. */
#ifndef CARD_H
#define CARD_H

#include "mini_driver.h"
#include "offload_frames.h"

/** The destination address of the builder's frames. */
#define CARD_MAC { 0x02, 0x03, 0x04, 0x05, 0x06, 0x07 }

struct card {
	struct vmxnet3_dev *dev;
	struct mini_mem mem;
	struct mini m;
	struct vmxnet3_burst *burst;
	uint64_t now;                   /**< ns, the device's clock */
	uint32_t raised[VMXNET3_MAX_INTRS]; /**< interrupts by vector */
	void (*quiesce)(void *ctx);     /**< of the device and of the memory's table, with the card */
};

/** What is not the driver's choice; NULL or zeros: the usual. */
struct card_opts {
	size_t memory;   /**< bytes; 0: 32 MiB */
	bool scattered;
	bool skip_local_csum, whole_tunnel_tso;
	void (*quiesce)(void *ctx);
};

/** Creates and activates. */
void card_open(struct card *c, const struct mini_conf *conf, const struct card_opts *opts);
void card_close(struct card *c);

/**
 * Takes one burst of queue @p q and gives it to @p to; NULL: to nobody.
 *
 * @return frames taken
 */
uint16_t carry(struct card *from, uint32_t q, struct card *to);

uint64_t drops(struct card *c, enum vmxnet3_drop reason);

/** Takes the next frame of queue @p q, which must be there and keep the rules. */
void expect_frame(struct card *c, uint32_t q, struct mini_frame *f);
/** There is none. */
void expect_silence(struct card *c, uint32_t q);
/** @p n completions, no more. */
void expect_reaped(struct card *c, uint32_t q, int n);
/** Equal to @p data, and zeros up to 60 bytes. */
void expect_bytes(const struct mini_frame *f, const uint8_t *data, uint32_t len);

/** Sends in random pieces. */
void send_split(struct card *c, uint32_t q, const uint8_t *data, uint32_t len, uint32_t max_parts,
	const struct mini_offload *o);

/** A driver with room for nearly everything. */
struct mini_conf roomy(uint32_t revision);
/** A frame of any kind: tags, IP version, protocol, options, payload up to 1,400. */
void shuffle(struct shape *s);
/** Inserts an 802.1Q tag after the addresses. */
void tag(struct built *f, uint16_t tci);

/** Piece @p i of a large TCP frame, as the wire should have it. */
void cut_piece(struct built *piece, const struct built *large, const struct shape *s, uint32_t mss, uint32_t i);
/** What Linux hands over for segmentation: no IPv4 header checksum, a pseudo-header sum without the length. */
void unseal(struct built *f);

/** Opened with mini_conf_default(). */
void usual(struct card *c, uint32_t revision);
/** What make_frame() made: TCP over IPv4, 54 bytes of headers. */
extern struct built frame;
void make_frame(uint32_t payload);
/** The device still does its work, if need be after a new activation. */
void expect_alive(struct card *c, bool reactivate);

#endif /* CARD_H */
