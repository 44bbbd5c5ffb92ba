/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_tx_prepare.h"

#include <rte_errno.h>
#include <rte_ether.h>

#include "vx_tx_csum.h"
#include "vx_txq.h"

static int
prepare(const struct vx_tx_caps *caps, struct rte_mbuf *m)
{
	struct vx_tx_plan plan;
	int ret;

	if (likely((m->ol_flags & RTE_MBUF_F_TX_OFFLOAD_MASK) == 0 && m->nb_segs == 1 &&
			m->data_len >= RTE_ETHER_HDR_LEN))
		return 0;
	ret = vx_tx_plan(caps, m, &plan);
	if (ret == 0 && plan.software != 0)
		ret = vx_tx_software(m, plan.software);
	return ret == 0 ? vx_tx_seed(m) : ret;
}

uint16_t
vx_tx_prepare(void *txq, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	const struct vx_txq *q = txq;
	uint16_t i;
	int ret;

	for (i = 0; i < nb_pkts; i++) {
		ret = prepare(&q->caps, pkts[i]);
		if (unlikely(ret != 0)) {
			rte_errno = -ret;
			break;
		}
	}
	return i;
}
