/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_csum.h"

#include <stddef.h>

#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

bool
vx_l4_find(const uint8_t *data, uint32_t have, uint32_t l3, uint32_t l3_len, bool ipv4, bool udp, struct vx_l4 *l4)
{
	uint32_t min = ipv4 ? sizeof(struct rte_ipv4_hdr) : sizeof(struct rte_ipv6_hdr);
	uint32_t hdr = udp ? sizeof(struct rte_udp_hdr) : sizeof(struct rte_tcp_hdr);
	const uint8_t *ip = data + l3;
	uint32_t sum, len;

	if (l3_len < min || l3 + l3_len + hdr > have)
		return false;
	if (ipv4) {
		len = rte_be_to_cpu_16(vx_load16(ip + offsetof(struct rte_ipv4_hdr, total_length)));
		sum = rte_raw_cksum(ip + offsetof(struct rte_ipv4_hdr, src_addr), 2 * sizeof(rte_be32_t));
	} else {
		len = rte_be_to_cpu_16(vx_load16(ip + offsetof(struct rte_ipv6_hdr, payload_len))) + min;
		sum = rte_raw_cksum(ip + offsetof(struct rte_ipv6_hdr, src_addr), 2 * 16);
	}
	l4->udp = udp;
	l4->at = l3 + l3_len;
	l4->field = l4->at + (uint32_t)(udp ? offsetof(struct rte_udp_hdr, dgram_cksum) :
					      offsetof(struct rte_tcp_hdr, cksum));
	/* A large frame's header may have no length, or that of a piece. */
	l4->len = len < l3_len ? 0 : len - l3_len;
	l4->addresses = vx_fold(sum + rte_cpu_to_be_16(udp ? IPPROTO_UDP : IPPROTO_TCP));
	return true;
}

uint16_t
vx_l4_pseudo(const struct vx_l4 *l4)
{
	return vx_fold((uint32_t)l4->addresses + rte_cpu_to_be_16((uint16_t)l4->len));
}

uint16_t
vx_l4_sum_around(const uint8_t *data, const struct vx_l4 *outer, const struct vx_l4 *inner)
{
	uint32_t front = inner->at - outer->at;
	uint16_t rest = (uint16_t)~vx_l4_pseudo(inner);

	if (front % 2 != 0)
		rest = rte_bswap16(rest);
	return vx_fold((uint32_t)rte_raw_cksum(data + outer->at, front) + rest + vx_l4_pseudo(outer));
}
