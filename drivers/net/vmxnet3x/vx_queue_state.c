/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_queue_state.h"

#include "vx_rxq.h"
#include "vx_tx_free.h"
#include "vx_vec.h"

void
vx_rxq_info_get(struct rte_eth_dev *eth_dev, uint16_t queue, struct rte_eth_rxq_info *info)
{
	const struct vx_rxq *q = eth_dev->data->rx_queues[queue];

	info->mp = q->pool;
	info->conf = q->conf;
	info->scattered_rx = q->ring[VX_RX_BODY].mask != 0;
	info->nb_desc = q->nb_desc;
	info->rx_buf_size = q->buf_len;
}

void
vx_txq_info_get(struct rte_eth_dev *eth_dev, uint16_t queue, struct rte_eth_txq_info *info)
{
	const struct vx_txq *q = eth_dev->data->tx_queues[queue];

	info->conf = q->conf;
	info->nb_desc = q->nb_desc;
}

static int
burst_mode(struct rte_eth_burst_mode *mode, const struct vx_vec *vec, const char *more)
{
	snprintf(mode->info, sizeof(mode->info), "%s%s", vec != NULL ? vec->name : "Scalar", more);
	return 0;
}

int
vx_rx_burst_mode_get(struct rte_eth_dev *eth_dev, uint16_t queue, struct rte_eth_burst_mode *mode)
{
	const struct vx_rxq *q = eth_dev->data->rx_queues[queue];

	return burst_mode(mode, q->vec, q->ring[VX_RX_BODY].mask != 0 ? " Scattered" : "");
}

int
vx_tx_burst_mode_get(struct rte_eth_dev *eth_dev, uint16_t queue, struct rte_eth_burst_mode *mode)
{
	const struct vx_txq *q = eth_dev->data->tx_queues[queue];

	return burst_mode(mode, q->vec, q->fast_free ? " Fast Free" : "");
}

/* Whether the completion @p offset after the next one is there. */
static bool
is_completed(const struct vx_rxq *q, uint32_t offset)
{
	uint32_t pos = q->next + offset;

	return offset <= q->comp_mask &&
		vx_load_gen(&q->comp[pos & q->comp_mask]) >> 63 == vx_gen(pos, q->comp_log2);
}

/* Completions are written in order, so the first that is not there can be found by halves. */
pmd_queue_count
vx_rx_queue_count(void *rxq)
{
	const struct vx_rxq *q = rxq;
	uint32_t low = 0, high = q->comp_mask + 1, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (is_completed(q, mid))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

int
vx_rx_descriptor_status(void *rxq, uint16_t offset)
{
	const struct vx_rxq *q = rxq;
	const struct vx_rx_ring *r = &q->ring[VX_RX_HEAD];

	if (offset >= q->nb_desc)
		return -EINVAL;
	if (is_completed(q, offset))
		return RTE_ETH_RX_DESC_DONE;
	return offset < r->fill - r->done ? RTE_ETH_RX_DESC_AVAIL : RTE_ETH_RX_DESC_UNAVAIL;
}

int
vx_tx_descriptor_status(void *txq, uint16_t offset)
{
	struct vx_txq *q = txq;

	if (offset >= q->nb_desc)
		return -EINVAL;
	if (vx_gate_try(&q->gate)) {
		vx_tx_collect(q);
		vx_gate_leave(&q->gate);
	}
	return offset < q->nb_desc - (q->next - q->sent) ? RTE_ETH_TX_DESC_DONE : RTE_ETH_TX_DESC_FULL;
}

int
vx_tx_done_cleanup(void *txq, uint32_t free_cnt)
{
	struct vx_txq *q = txq;
	uint32_t n;

	if (!vx_gate_try(&q->gate))
		return 0;
	n = vx_tx_reclaim(q, free_cnt != 0 ? free_cnt : UINT32_MAX);
	vx_gate_leave(&q->gate);
	return (int)n;
}
