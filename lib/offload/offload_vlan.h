/* SPDX-License-Identifier: BSD-3-Clause */
/** @file VLAN tags, in line and out of band. */
#ifndef OFFLOAD_VLAN_H
#define OFFLOAD_VLAN_H

#include "offload_frame.h"

/**
 * Puts the out-of-band tag (OFFLOAD_F_VLAN) in line, as the outermost 802.1Q tag, using the
 * headroom; every offset of the frame moves by four. Does nothing without OFFLOAD_F_VLAN.
 */
void offload_vlan_push(struct offload_frame *f);

/**
 * Takes the outermost in-line tag out of band if it is an 802.1Q one (0x8100) and nothing is out of
 * band yet. Leaves the frame alone otherwise. Parses the frame if need be.
 *
 * @return whether the frame has an out-of-band tag now.
 */
bool offload_vlan_pop(struct offload_frame *f);

/** A tag by itself. */
struct offload_vlan_tag {
	uint16_t tpid; /**< 0x8100: a customer's or the only one; 0x88a8: a service provider's (802.1ad) */
	uint16_t tci;  /**< priority (3 bits), drop eligible (1), VLAN (12) */
};

/**
 * Puts a tag in line as the outermost one, using the headroom; every offset of the frame moves by
 * four. An out-of-band tag is the frame's own, so it goes in line before.
 */
void offload_vlan_insert(struct offload_frame *f, struct offload_vlan_tag tag);

/**
 * Takes the outermost tag off the frame, whether it is out of band, an 802.1Q or an 802.1ad one in line.
 * Parses the frame if need be.
 *
 * @param[out] tag  what it was; unchanged without one
 * @return whether there was one.
 */
bool offload_vlan_remove(struct offload_frame *f, struct offload_vlan_tag *tag);

/** The outer tag, in line (0x8100 or 0x88a8) or out of band: true and *tci, or false: untagged. */
bool offload_vlan_outer(struct offload_frame *f, uint16_t *tci);

#endif /* OFFLOAD_VLAN_H */
