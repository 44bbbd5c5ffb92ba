/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "offload_filter.h"

#define VID_MASK 0x0fff

/* Twelve bits of an address, by a multiplication that spreads its low bytes over the high bits. */
static inline uint32_t
mc_hash(const uint8_t *addr)
{
	uint64_t v = 0;

	memcpy(&v, addr, 6);
	return (uint32_t)((v * UINT64_C(0x9e3779b97f4a7c15)) >> 52);
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

static bool
mc_listed(const struct offload_filter *flt, const uint8_t *dst)
{
	uint32_t bit = mc_hash(dst);
	/* A filter may have been restored from a file. */
	uint32_t nb = RTE_MIN(flt->nb_mc, OFFLOAD_FILTER_MAX_MC);

	if (!(flt->mc_hash[bit >> 6] >> (bit & 63) & 1))
		return false;
	return bsearch(dst, flt->mc, nb, sizeof(flt->mc[0]), compare_addr) != NULL;
}

static bool
address_wanted(const struct offload_filter *flt, const uint8_t *dst)
{
	static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	if (!(dst[0] & 1))
		return flt->mode & OFFLOAD_FILTER_UCAST && memcmp(dst, flt->mac, 6) == 0;
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
