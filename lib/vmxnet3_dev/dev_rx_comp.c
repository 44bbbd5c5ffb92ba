/* SPDX-License-Identifier: BSD-3-Clause */
#include "dev_rx_comp.h"

#include <offload_csum.h>
#include <offload_parse.h>

/*
 * A frame whose outer checksum is right, and the inner ones of a tunnel: if that is a UDP tunnel of a kind that drivers
 * know, the results are about the inner headers. Linux takes that as two checksums verified.
 */
static void
tell_inner(struct rx_item *it)
{
	const struct offload_frame *f = it->frame;
	struct offload_headers inner;
	enum offload_tunnel tunnel;

	tunnel = offload_parse_inner(f->seg[0].data, f->seg[0].len, &f->hdr, &inner);
	if (tunnel != OFFLOAD_TUNNEL_VXLAN && tunnel != OFFLOAD_TUNNEL_GENEVE)
		return;
	if (!(inner.flags & (OFFLOAD_H_TCP | OFFLOAD_H_UDP)))
		return;
	it->dw0 |= VMXNET3_RCD_INNER;
	it->dw3 = dev_rx_layer_bits(inner.flags) | VMXNET3_RCD_IPC | VMXNET3_RCD_TUC;
}

/*
 * A wrong checksum. All drivers take it from here: DPDK's drops the frame, kernels look for themselves, and a wrong IP
 * header is told apart from a wrong sum of layer 4, because BSD believes what it is told about the header.
 */
static void
tell_bad(struct rx_item *it)
{
	const struct offload_frame *f = it->frame;

	if (f->hdr.flags & OFFLOAD_H_IPV4 && offload_sum(f, f->hdr.l2_len, f->hdr.l3_len) == 0xffff)
		it->dw3 |= VMXNET3_RCD_IPC;
}

void
dev_rx_tell_csum(struct rx_item *it, bool good, bool inner)
{
	uint32_t l4 = it->dw3 & (VMXNET3_RCD_TCP | VMXNET3_RCD_UDP);

	if (l4 == 0)
		return;
	it->dw0 &= ~VMXNET3_RCD_CNC;
	if (likely(good)) {
		it->dw3 |= VMXNET3_RCD_IPC | VMXNET3_RCD_TUC;
		if (unlikely(inner && l4 == VMXNET3_RCD_UDP))
			tell_inner(it);
	} else {
		tell_bad(it);
	}
}
