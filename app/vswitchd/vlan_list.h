/* SPDX-License-Identifier: BSD-3-Clause */
/** @file VLANs: their numbers, and lists of them such as "10,20-29". */
#ifndef VSWITCHD_VLAN_LIST_H
#define VSWITCHD_VLAN_LIST_H

#include <stdbool.h>
#include <stdint.h>

/** Largest number that a VLAN may have; 0 means none, 4095 is reserved (802.1Q, table 9-2). */
#define VLAN_MAX 4094

/** Tag protocol identifiers of a customer's (802.1Q) and of a service provider's tag (802.1ad). */
#define VLAN_ETHTYPE_CUSTOMER 0x8100
#define VLAN_ETHTYPE_SERVICE  0x88a8

/** A bit for each number that a tag can hold. */
#define VLAN_SET_WORDS (4096 / 64)

struct vlan_set {
	uint64_t word[VLAN_SET_WORDS];
};

static inline bool
vlan_set_has(const struct vlan_set *set, uint16_t vid)
{
	return set->word[vid >> 6 & (VLAN_SET_WORDS - 1)] >> (vid & 63) & 1;
}

static inline void
vlan_set_add(struct vlan_set *set, uint16_t vid)
{
	set->word[vid >> 6 & (VLAN_SET_WORDS - 1)] |= UINT64_C(1) << (vid & 63);
}

/**
 * Adds the VLANs of a list: numbers from 1 to VLAN_MAX and ascending ranges of them, separated by commas.
 *
 * @param set  NULL: only look whether it is one
 * @return false: it is none; part of it may have been added
 */
bool vlan_list_parse(const char *text, struct vlan_set *set);

#endif /* VSWITCHD_VLAN_LIST_H */
