/* SPDX-License-Identifier: BSD-3-Clause */
/** @file What each revision of the device adds: the one place where revisions differ. */
#ifndef VMXNET3_REV_H
#define VMXNET3_REV_H

#include <stdbool.h>
#include <stdint.h>

#define VMXNET3_REV_MAX 9

/** Mask (bit n: revision n + 1) offered by default: 1, 2, 3 and 7, the ones that drivers in use care for. */
#define VMXNET3_REV_MASK_DEFAULT 0x47u
/** Revisions whose obligations this implementation meets: all. */
#define VMXNET3_REV_MASK_SUPPORTED 0x1ffu

struct vmxnet3_rev {
	uint8_t max_tx_queues;
	uint8_t max_rx_queues;
	uint16_t max_mtu;
	bool lro_type4;     /**< large receive completions carry MSS and segment count */
	bool data_desc_var; /**< transmit data descriptor size, receive data ring, coalescing commands */
	bool rss_fields;    /**< SET/GET_RSS_FIELDS, UDP and ESP hash types, VMXNET3_F_RXINNEROFLD */
	bool encap;         /**< transmit offload mode 1 */
	bool intr_ext;      /**< DriverShared has the extended interrupt area */
	bool max_queues;    /**< GET_MAX_QUEUES_CONF */
	bool caps;          /**< DCR and PTCR registers, SET_RING_BUFFER_SIZE */
	bool ext1;          /**< checksum and segmentation of inner headers by a bit of modes 2 and 3 */
	bool speed_gbit;    /**< GET_LINK tells Gbit/s; GET_DISABLED_OFFLOADS, size of receive data descriptors */
};

/** The properties of revision @p rev (1 to VMXNET3_REV_MAX), or NULL. */
const struct vmxnet3_rev *vmxnet3_rev_get(unsigned int rev);

/** Features (VMXNET3_F_*) that exist in a revision. */
uint32_t vmxnet3_rev_features(const struct vmxnet3_rev *rev);

/** Bits of DCR[0] that a device of this project offers in a revision: what it implements. */
uint32_t vmxnet3_rev_caps(const struct vmxnet3_rev *rev);

/**
 * RSS fields (VMXNET3_RSS_FIELDS_*) that a driver can have: none before SET_RSS_FIELDS exists; where there are
 * capabilities, those beyond TCP only as far as @p dcr0, the enabled bits of DCR[0], has them.
 */
uint32_t vmxnet3_rev_rss_fields(const struct vmxnet3_rev *rev, uint32_t dcr0);

#endif /* VMXNET3_REV_H */
