/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "offload_filter.h"

#define VID_MASK 0x0fff

/* Spreads the low bits of a product over its high ones, from which hashes are taken. */
#define HASH_FACTOR UINT64_C(0x9e3779b97f4a7c15)
#define MC_HASH_SHIFT (64 - 12)
#define UC_HASH_SHIFT (64 - 9)

static_assert(OFFLOAD_FILTER_UC_SLOTS == 1 << (64 - UC_HASH_SHIFT) &&
	2 * OFFLOAD_FILTER_MAX_UC <= OFFLOAD_FILTER_UC_SLOTS, "places by nine bits, half of them free");

/* The address as a number, of two loads. */
static inline uint64_t
load_addr(const uint8_t *addr)
{
	uint32_t front;
	uint16_t back;

	memcpy(&front, addr, sizeof(front));
	memcpy(&back, addr + sizeof(front), sizeof(back));
	return front | (uint64_t)back << 32;
}

static inline uint32_t
mc_hash(const uint8_t *addr)
{
	return (uint32_t)(load_addr(addr) * HASH_FACTOR >> MC_HASH_SHIFT);
}

/*
 * The place of an address in the table, or the free one where its search ends. A table from a file may have none: the
 * search goes round once at most.
 */
static inline uint32_t
uc_slot(const struct offload_filter *flt, uint64_t addr)
{
	uint32_t at = (uint32_t)(addr * HASH_FACTOR >> UC_HASH_SHIFT), i;

	for (i = 0; i < OFFLOAD_FILTER_UC_SLOTS && flt->uc[at] != addr && flt->uc[at] != 0; i++)
		at = (at + 1) % OFFLOAD_FILTER_UC_SLOTS;
	return at;
}

void
offload_filter_set_uc(struct offload_filter *flt, const uint8_t (*addr)[6], uint32_t nb)
{
	uint32_t i, at;

	memset(flt->uc, 0, sizeof(flt->uc));
	flt->nb_uc = 0;
	for (i = 0; i < RTE_MIN(nb, (uint32_t)OFFLOAD_FILTER_MAX_UC); i++) {
		uint64_t v = load_addr(addr[i]);

		/* Zero is nobody's address. */
		if (addr[i][0] & 1 || v == 0)
			continue;
		at = uc_slot(flt, v);
		flt->nb_uc += flt->uc[at] == 0;
		flt->uc[at] = v;
	}
}

static int
compare_addr(const void *a, const void *b)
{
	return memcmp(a, b, 6);
}

void
offload_filter_set_mc(struct offload_filter *flt, const uint8_t (*addr)[6], uint32_t nb)
{
	uint32_t i, bit;

	nb = RTE_MIN(nb, (uint32_t)OFFLOAD_FILTER_MAX_MC);
	memset(flt->mc_hash, 0, sizeof(flt->mc_hash));
	flt->nb_mc = (uint16_t)nb;
	if (nb == 0)
		return;
	memcpy(flt->mc, addr, nb * sizeof(flt->mc[0]));
	qsort(flt->mc, nb, sizeof(flt->mc[0]), compare_addr);
	for (i = 0; i < nb; i++) {
		bit = mc_hash(flt->mc[i]);
		flt->mc_hash[bit >> 6] |= UINT64_C(1) << (bit & 63);
	}
}

void
offload_filter_set_vlans(struct offload_filter *flt, const uint32_t table[128])
{
	uint32_t any = 0;
	unsigned int i;

	for (i = 0; i < RTE_DIM(flt->vlan); i++) {
		flt->vlan[i] = table[i];
		any |= table[i];
	}
	flt->vlan_any = any == 0;
}

/* Apart: what it needs on the stack costs every other frame something. */
static __rte_noinline bool
mc_listed(const struct offload_filter *flt, const uint8_t *dst)
{
	uint32_t bit = mc_hash(dst);
	/* A filter may have been restored from a file. */
	uint32_t nb = RTE_MIN(flt->nb_mc, OFFLOAD_FILTER_MAX_MC);

	if (!(flt->mc_hash[bit >> 6] >> (bit & 63) & 1))
		return false;
	return bsearch(dst, flt->mc, nb, sizeof(flt->mc[0]), compare_addr) != NULL;
}

static inline bool
is_own(const struct offload_filter *flt, const uint8_t *dst)
{
	uint64_t addr = load_addr(dst);

	if (addr == load_addr(flt->mac))
		return true;
	return flt->nb_uc != 0 && addr != 0 && flt->uc[uc_slot(flt, addr)] == addr;
}

static bool
address_wanted(const struct offload_filter *flt, const uint8_t *dst)
{
	static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	if (!(dst[0] & 1))
		return flt->mode & OFFLOAD_FILTER_UCAST && is_own(flt, dst);
	if (memcmp(dst, broadcast, 6) == 0)
		return flt->mode & OFFLOAD_FILTER_BCAST;
	if (flt->mode & OFFLOAD_FILTER_ALL_MULTI)
		return true;
	return flt->mode & OFFLOAD_FILTER_MCAST && mc_listed(flt, dst);
}

static inline bool
vlan_wanted(const struct offload_filter *flt, uint16_t tci)
{
	uint32_t vid = tci & VID_MASK;

	return vid == 0 || flt->vlan_any || flt->vlan[vid >> 5] >> (vid & 31) & 1;
}

enum offload_filter_verdict
offload_filter_match(const struct offload_filter *flt, const uint8_t *dst, bool tagged,
	uint16_t tci)
{
	if (flt->mode & OFFLOAD_FILTER_PROMISC)
		return OFFLOAD_FILTER_PASS;
	if (!address_wanted(flt, dst))
		return OFFLOAD_FILTER_NOT_MINE;
	if (tagged && !vlan_wanted(flt, tci))
		return OFFLOAD_FILTER_VLAN;
	return OFFLOAD_FILTER_PASS;
}
