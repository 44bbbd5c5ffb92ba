/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Private to receive: completions, and what they say of a frame. */
#ifndef DEV_RX_COMP_H
#define DEV_RX_COMP_H

#include "dev_rx_ring.h"

#define DEV_RX_RSS_TYPE_MASK (0xfu << VMXNET3_RCD_RSS_TYPE_SHIFT)

/** What the last completion says of layers 3 and 4, by OFFLOAD_H_* of the headers. */
static inline uint32_t
dev_rx_layer_bits(uint32_t h)
{
	static const uint32_t layers[] = {
		[0] = VMXNET3_RCD_FCS,
		[OFFLOAD_H_IPV4] = VMXNET3_RCD_FCS | VMXNET3_RCD_V4,
		[OFFLOAD_H_IPV4 | OFFLOAD_H_TCP] = VMXNET3_RCD_FCS | VMXNET3_RCD_V4 | VMXNET3_RCD_TCP,
		[OFFLOAD_H_IPV4 | OFFLOAD_H_UDP] = VMXNET3_RCD_FCS | VMXNET3_RCD_V4 | VMXNET3_RCD_UDP,
		[OFFLOAD_H_IPV4 | OFFLOAD_H_FRAG] = VMXNET3_RCD_FCS | VMXNET3_RCD_V4 | VMXNET3_RCD_FRG,
		[OFFLOAD_H_IPV6] = VMXNET3_RCD_FCS | VMXNET3_RCD_V6,
		[OFFLOAD_H_IPV6 | OFFLOAD_H_TCP] = VMXNET3_RCD_FCS | VMXNET3_RCD_V6 | VMXNET3_RCD_TCP,
		[OFFLOAD_H_IPV6 | OFFLOAD_H_UDP] = VMXNET3_RCD_FCS | VMXNET3_RCD_V6 | VMXNET3_RCD_UDP,
		[OFFLOAD_H_IPV6 | OFFLOAD_H_FRAG] = VMXNET3_RCD_FCS | VMXNET3_RCD_V6 | VMXNET3_RCD_FRG,
		[31] = VMXNET3_RCD_FCS,
	};

	/* There is no bit for SCTP, the flag beyond the table. */
	return layers[h % RTE_DIM(layers)];
}

/**
 * Adds to an item what is known of its frame's checksums, once it is copied. Nothing is told of frames that are
 * neither TCP nor UDP.
 *
 * @param good   the outer ones are right; else wrong
 * @param inner  those inside of a tunnel are right, and the driver wants to know
 */
void dev_rx_tell_csum(struct rx_item *it, bool good, bool inner);

/** Writes the completions of an item that is copied, the first and the last one with what they say of the frame. */
static inline void
dev_rx_publish(const struct rx_item *it, const struct rx_batch *b)
{
	const struct rx_slot *s = &b->slot[it->first_slot], *end = s + it->nb_slots;
	uint32_t dw0 = VMXNET3_RCD_SOP, dw1, dw2, dw3;

	if (likely(it->nb_slots == 1 && it->mss == 0)) {
		dev_comp_write(s->comp, s->dw0 | it->dw0 | VMXNET3_RCD_SOP | VMXNET3_RCD_EOP, it->hash,
			it->dw2 | s->len, it->dw3 | (uint32_t)s->gen << VMXNET3_CD_GEN_SHIFT |
			VMXNET3_CD_TYPE_RX << VMXNET3_CD_TYPE_SHIFT);
		return;
	}

	/* The hash is told in the first completion, too. That of a large frame has other things to tell. */
	if (likely(it->mss == 0))
		dw0 |= it->dw0 & DEV_RX_RSS_TYPE_MASK;
	for (; s < end; s++, dw0 = 0) {
		dw1 = dw0 & VMXNET3_RCD_SOP ? it->hash : 0;
		dw2 = s->len;
		dw3 = (uint32_t)s->gen << VMXNET3_CD_GEN_SHIFT |
			VMXNET3_CD_TYPE_RX << VMXNET3_CD_TYPE_SHIFT;
		if (likely(s + 1 == end)) {
			dw0 |= VMXNET3_RCD_EOP | it->dw0;
			dw1 = it->hash;
			dw2 |= it->dw2;
			dw3 |= it->dw3;
		}
		if (unlikely(it->mss != 0 && dw0 & VMXNET3_RCD_SOP)) {
			dw0 &= ~(DEV_RX_RSS_TYPE_MASK | VMXNET3_RCD_INNER_RSS);
			dw0 |= it->dw0 & VMXNET3_RCD_INNER;
			dw1 = it->wire_pkts;
			dw3 ^= (VMXNET3_CD_TYPE_RX ^ VMXNET3_CD_TYPE_RX_LRO) <<
				VMXNET3_CD_TYPE_SHIFT;
			dw3 |= it->mss;
		}
		dev_comp_write(s->comp, s->dw0 | dw0, dw1, dw2, dw3);
	}
}

#endif /* DEV_RX_COMP_H */
