/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receive, the short way: for the frames of a burst that need nothing but the copy, as they come from a guest that asks
 * for nothing, to a guest that wants to be told nothing of checksums and has one queue. There are no items, only a list
 * of lengths and one of places.
 */
#include <rte_ether.h>

#include <offload_filter.h>
#include <offload_parse.h>

#include "dev_intr.h"
#include "dev_rx.h"
#include "dev_rx_comp.h"
#include "dev_rx_copy.h"

/* Whether the driver wants the frame, and as it is. What is not sure goes the general way. */
static inline bool
is_plain(const struct rx_ctx *c, struct offload_frame *f)
{
	const uint8_t *dst = f->seg[0].data;

	if (unlikely(f->request != OFFLOAD_NONE || f->flags & OFFLOAD_F_VLAN || f->len < DEV_MIN_FRAME ||
			f->len > c->mtu + RTE_ETHER_HDR_LEN || f->len > VMXNET3_RXD_LEN_MASK))
		return false;
	if (unlikely(dst[0] & 1 || !(offload_filter_is_own(c->filter, dst) ||
			c->filter->mode & OFFLOAD_FILTER_PROMISC)))
		return false;
	offload_frame_parse(f);
	return likely(f->hdr.nb_tags == 0) && !dev_rx_to_be_verified(c, f);
}

uint16_t
dev_rx_deliver_plain(struct rx_ctx *c, struct offload_frame *const *frames, uint16_t n)
{
	struct dev_rxq *q = &c->dev->rxq[0];
	struct rx_run *run = &c->run;
	struct vmxnet3_desc *comp;
	uint16_t i, nb, wanted;
	uint32_t dw3;

	for (nb = 0; nb < n && is_plain(c, frames[nb]); nb++)
		run->len[nb] = frames[nb]->len;
	if (nb == 0 || unlikely(!dev_rx_is_ready(q)))
		return 0;
	wanted = nb;
	nb = dev_rx_reserve_run(c->dev, 0, c->nb_rxq, run, nb);
	/* Who posts no buffers is to cost others no more than who does. */
	if (unlikely(run->out))
		dev_rx_drop(c, VMXNET3_DROP_RX_NO_BUFFER, (uint32_t)(wanted - nb));
	else
		wanted = nb;
	if (unlikely(nb == 0))
		return wanted;
	comp = run->comp;
	dw3 = run->gen << VMXNET3_CD_GEN_SHIFT | VMXNET3_CD_TYPE_RX << VMXNET3_CD_TYPE_SHIFT;
	for (i = 0; i < nb; i++, comp++) {
		const struct offload_frame *f = frames[i];
		const uint16_t next = i + 1 < nb ? i + 1 : i;

		dev_rx_copy(run->to[i], f, run->to[next], frames[next]);
		dev_comp_write(comp, dev_rx_run_dw0(run, i, 0, c->nb_rxq) | VMXNET3_RCD_SOP | VMXNET3_RCD_EOP |
			VMXNET3_RCD_CNC, 0, run->len[i], dw3 | dev_rx_layer_bits(f->hdr.flags));
	}
	c->delivered = (uint16_t)(c->delivered + nb);
	dev_intr_mark(c->dev, q->st->intr_idx, DEV_DUE_RX(nb));
	return wanted;
}
