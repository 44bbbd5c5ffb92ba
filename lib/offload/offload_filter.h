/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A NIC's receive filter: destination address and VLAN. Plain data without pointers, so that it
 * can be part of a device's saved state.
 */
#ifndef OFFLOAD_FILTER_H
#define OFFLOAD_FILTER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/** Unicast addresses beside the own one, held exactly. */
#define OFFLOAD_FILTER_MAX_UC 256

/** Places of their table, a power of two: at most half of them are in use. */
#define OFFLOAD_FILTER_UC_SLOTS 512

/** Multicast addresses held exactly: a table length of 16 bits, six bytes each. */
#define OFFLOAD_FILTER_MAX_MC 10922

#define OFFLOAD_FILTER_UCAST     0x01u /**< frames to @c mac, and to an address of the list */
#define OFFLOAD_FILTER_MCAST     0x02u /**< multicast frames to an address of the list */
#define OFFLOAD_FILTER_BCAST     0x04u /**< broadcast frames */
#define OFFLOAD_FILTER_ALL_MULTI 0x08u /**< every multicast frame */
#define OFFLOAD_FILTER_PROMISC   0x10u /**< everything, on every VLAN */

struct offload_filter {
	uint32_t mode;           /**< OFFLOAD_FILTER_*, the same bits as the device's rxMode */
	uint8_t mac[6];
	uint16_t nb_mc;
	uint16_t nb_uc;          /**< different addresses in @c uc */
	bool vlan_any;           /**< every VLAN passes */
	uint32_t vlan[128];      /**< bit v & 31 of word v >> 5; ignored when @c vlan_any */
	uint64_t uc[OFFLOAD_FILTER_UC_SLOTS]; /**< hash table, searched from place to place; 0: a free one */
	uint64_t mc_hash[64];    /**< 4096 bits: a miss here is a miss in the list */
	uint8_t mc[OFFLOAD_FILTER_MAX_MC][6]; /**< sorted */
};

/** Verdicts */
enum offload_filter_verdict {
	OFFLOAD_FILTER_PASS,
	OFFLOAD_FILTER_NOT_MINE, /**< the destination address is not wanted */
	OFFLOAD_FILTER_VLAN,     /**< the VLAN is not wanted */
};

/**
 * Sets the list of unicast addresses that are wanted beside @c mac (any order, duplicates allowed, at most
 * the maximum). Addresses of groups in it are ignored.
 */
void offload_filter_set_uc(struct offload_filter *flt, const uint8_t (*addr)[6], uint32_t nb);

/** Sets the list of multicast addresses (any order, duplicates allowed, at most the maximum). */
void offload_filter_set_mc(struct offload_filter *flt, const uint8_t (*addr)[6], uint32_t nb);

/** Sets the VLAN table. Zeros let every VLAN pass: drivers that never fill it rely on it. */
void offload_filter_set_vlans(struct offload_filter *flt, const uint32_t table[128]);

/** Whether @p dst is the own address and wanted, the usual case; the VLAN table is not asked. */
static inline bool
offload_filter_is_own(const struct offload_filter *flt, const uint8_t *dst)
{
	return memcmp(dst, flt->mac, sizeof(flt->mac)) == 0 && flt->mode & OFFLOAD_FILTER_UCAST;
}

/**
 * @param dst     destination address, six bytes
 * @param tagged  whether the frame has a VLAN tag; untagged frames and VLAN 0 pass the VLAN table
 * @param tci     its tag
 */
enum offload_filter_verdict offload_filter_match(const struct offload_filter *flt,
	const uint8_t *dst, bool tagged, uint16_t tci);

#endif /* OFFLOAD_FILTER_H */
