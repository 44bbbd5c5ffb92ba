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

/** The outer tag, in line (0x8100 or 0x88a8) or out of band: true and *tci, or false: untagged. */
bool offload_vlan_outer(struct offload_frame *f, uint16_t *tci);

#endif /* OFFLOAD_VLAN_H */
