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

const struct vmxnet3_rev *
vmxnet3_rev_get(unsigned int rev)
{
	return rev >= 1 && rev <= VMXNET3_REV_MAX ? &revs[rev - 1] : NULL;
}
