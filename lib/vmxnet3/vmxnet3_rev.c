/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>

#include "vmxnet3_mem.h"
#include "vmxnet3_regs.h"
#include "vmxnet3_rev.h"

#define REV_1 \
	.max_tx_queues = VMXNET3_MAX_TX_QUEUES_V1, .max_rx_queues = VMXNET3_MAX_RX_QUEUES_V1, \
	.max_mtu = VMXNET3_MTU_MAX_V1
#define REV_2 REV_1, .lro_type4 = true
#define REV_3 REV_2, .data_desc_var = true
#define REV_4 REV_3, .rss_fields = true
#define REV_6 \
	.max_tx_queues = VMXNET3_MAX_TX_QUEUES, .max_rx_queues = VMXNET3_MAX_RX_QUEUES, \
	.max_mtu = VMXNET3_MTU_MAX, .lro_type4 = true, .data_desc_var = true, \
	.rss_fields = true, .intr_ext = true, .max_queues = true
#define REV_7 REV_6, .caps = true, .ext1 = true

static const struct vmxnet3_rev revs[VMXNET3_REV_MAX] = {
	{ REV_1 },
	{ REV_2 },
	{ REV_3 },
	{ REV_4, .encap = true },
	{ REV_4, .encap = true },
	{ REV_6, .encap = true },
	{ REV_7 },
	{ REV_7 },
	{ REV_7, .speed_gbit = true },
};

#define FEATURES_REV_1 (VMXNET3_F_RXCSUM | VMXNET3_F_RSS | VMXNET3_F_RXVLAN | VMXNET3_F_LRO)

#define CAPS_ALL \
	(VMXNET3_CAP_UDP_RSS | VMXNET3_CAP_ESP_RSS_IPV4 | VMXNET3_CAP_GENEVE_INNER_CSUM | \
		VMXNET3_CAP_GENEVE_TSO | VMXNET3_CAP_VXLAN_INNER_CSUM | VMXNET3_CAP_VXLAN_TSO | \
		VMXNET3_CAP_GENEVE_OUTER_CSUM | VMXNET3_CAP_VXLAN_OUTER_CSUM | \
		VMXNET3_CAP_ESP_RSS_IPV6 | VMXNET3_CAP_INNER_RSS)

/* Fields, and the capability without which a driver cannot have them. */
static const struct {
	uint32_t fields, cap;
} fields_by_cap[] = {
	{ VMXNET3_RSS_FIELDS_TCPIP4 | VMXNET3_RSS_FIELDS_TCPIP6, 0 },
	{ VMXNET3_RSS_FIELDS_UDPIP4 | VMXNET3_RSS_FIELDS_UDPIP6, VMXNET3_CAP_UDP_RSS },
	{ VMXNET3_RSS_FIELDS_ESPIP4, VMXNET3_CAP_ESP_RSS_IPV4 },
	{ VMXNET3_RSS_FIELDS_ESPIP6, VMXNET3_CAP_ESP_RSS_IPV6 },
	{ VMXNET3_RSS_FIELDS_INNER_IP4 | VMXNET3_RSS_FIELDS_INNER_TCPIP4 | VMXNET3_RSS_FIELDS_INNER_IP6 |
		VMXNET3_RSS_FIELDS_INNER_TCPIP6 | VMXNET3_RSS_FIELDS_INNER_UDPIP4 |
		VMXNET3_RSS_FIELDS_INNER_UDPIP6, VMXNET3_CAP_INNER_RSS },
};

const struct vmxnet3_rev *
vmxnet3_rev_get(unsigned int rev)
{
	return rev >= 1 && rev <= VMXNET3_REV_MAX ? &revs[rev - 1] : NULL;
}

uint32_t
vmxnet3_rev_features(const struct vmxnet3_rev *rev)
{
	return FEATURES_REV_1 | (rev->rss_fields ? VMXNET3_F_RXINNEROFLD : 0);
}

uint32_t
vmxnet3_rev_caps(const struct vmxnet3_rev *rev)
{
	return rev->caps ? CAPS_ALL : 0;
}

uint32_t
vmxnet3_rev_rss_fields(const struct vmxnet3_rev *rev, uint32_t dcr0)
{
	uint32_t fields = 0;
	size_t i;

	if (!rev->rss_fields)
		return 0;
	for (i = 0; i < sizeof(fields_by_cap) / sizeof(fields_by_cap[0]); i++) {
		if (!rev->caps || (dcr0 & fields_by_cap[i].cap) == fields_by_cap[i].cap)
			fields |= fields_by_cap[i].fields;
	}
	return fields;
}
