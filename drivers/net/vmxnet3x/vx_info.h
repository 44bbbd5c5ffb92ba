/* SPDX-License-Identifier: BSD-3-Clause */
/** @file What a port can do. */
#ifndef VX_INFO_H
#define VX_INFO_H

#include <pmd_compat.h>

#include "vx_dev.h"

/** Bytes of a frame beyond its MTU: header and one VLAN tag. */
#define VX_FRAME_OVERHEAD (RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN)

/* ---- ethdev operations ---- */

int vx_dev_infos_get(struct rte_eth_dev *eth_dev, struct rte_eth_dev_info *info);
const uint32_t *vx_supported_ptypes_get(PMD_PTYPES_PARAMS);
int vx_fw_version_get(struct rte_eth_dev *eth_dev, char *version, size_t size);

#endif /* VX_INFO_H */
