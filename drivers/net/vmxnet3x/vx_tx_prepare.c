/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_tx_prepare.h"

#include <errno.h>
#include <stddef.h>

#include <rte_errno.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include <vmxnet3_mem.h>

/* What is understood; a tunnel's type alone asks for nothing. */
#define SUPPORTED                                                                                  \
	(RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_IP_CKSUM |                        \
		RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_VLAN |               \
		RTE_MBUF_F_TX_OUTER_IPV4 | RTE_MBUF_F_TX_OUTER_IPV6 | RTE_MBUF_F_TX_TUNNEL_MASK)
#define NOT_SUPPORTED (RTE_MBUF_F_TX_OFFLOAD_MASK & ~SUPPORTED)
/* These refer to the inner headers when the mbuf names a tunnel. */
#define CHECKSUMS (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG)

#define MSS_MAX (UINT32_MAX >> VMXNET3_TXD_MSSCOF_SHIFT)
/* Where a checksum may be. */
#define FIELD_MAX 1024
/* The most that IP can carry, under a header with tags. */
#define TSO_MAX (UINT16_MAX + RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN)

/* ---- the plan ---- */

static inline uint64_t
l4_request(const struct rte_mbuf *m)
{
	return m->ol_flags & RTE_MBUF_F_TX_L4_MASK;
}

static uint64_t
offload_fields(uint32_t om, uint32_t hlen, uint32_t msscof)
{
	return (uint64_t)(hlen | om << VMXNET3_TXD_OM_SHIFT) << 32 |
		msscof << VMXNET3_TXD_MSSCOF_SHIFT;
}

static int
plan_tso(const struct rte_mbuf *m, struct vx_tx_plan *plan)
{
	uint32_t hlen = m->l2_len + m->l3_len + m->l4_len, mss = m->tso_segsz;

	if (mss == 0 || mss > MSS_MAX || hlen > VMXNET3_TXD_HLEN_MASK || m->pkt_len < hlen ||
			m->pkt_len > TSO_MAX)
		return -EINVAL;
	if (m->l2_len < RTE_ETHER_HDR_LEN || m->l3_len < sizeof(struct rte_ipv4_hdr) ||
			m->l4_len < sizeof(struct rte_tcp_hdr))
		return -EINVAL;
	plan->hi |= offload_fields(VMXNET3_OM_TSO, hlen, mss);
	plan->nb_wire = RTE_MAX((m->pkt_len - hlen + mss - 1) / mss, 1u);
	return 0;
}

static int
plan_checksum(const struct rte_mbuf *m, struct vx_tx_plan *plan)
{
	bool tcp = l4_request(m) == RTE_MBUF_F_TX_TCP_CKSUM;
	uint32_t start = m->l2_len + m->l3_len;
	uint32_t field = start + (uint32_t)(tcp ? offsetof(struct rte_tcp_hdr, cksum) :
						  offsetof(struct rte_udp_hdr, dgram_cksum));
	uint32_t l4_len = tcp ? sizeof(struct rte_tcp_hdr) : sizeof(struct rte_udp_hdr);

	if (!tcp && l4_request(m) != RTE_MBUF_F_TX_UDP_CKSUM)
		return -ENOTSUP;
	if (start > VMXNET3_TXD_HLEN_MASK || field > FIELD_MAX || m->pkt_len < start + l4_len)
		return -EINVAL;
	if (m->l2_len < RTE_ETHER_HDR_LEN || m->l3_len < sizeof(struct rte_ipv4_hdr))
		return -EINVAL;
	plan->hi |= offload_fields(VMXNET3_OM_CSUM, start, field);
	return 0;
}

static int
plan_offload(const struct rte_mbuf *m, struct vx_tx_plan *plan)
{
	if (m->ol_flags & NOT_SUPPORTED)
		return -ENOTSUP;
	if (m->ol_flags & RTE_MBUF_F_TX_TUNNEL_MASK && m->ol_flags & CHECKSUMS)
		return -ENOTSUP;
	if (m->ol_flags & RTE_MBUF_F_TX_VLAN)
		plan->hi |= (uint64_t)(VMXNET3_TXD_TI |
			(uint32_t)m->vlan_tci << VMXNET3_TXD_TCI_SHIFT) << 32;
	if (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG)
		return plan_tso(m, plan);
	return l4_request(m) != 0 ? plan_checksum(m, plan) : 0;
}

int
vx_tx_plan(const struct rte_mbuf *m, struct vx_tx_plan *plan)
{
	uint32_t n = 0, len = 0;
	uint32_t max = m->ol_flags & RTE_MBUF_F_TX_TCP_SEG ? VX_TX_MAX_TSO_DESCS : VX_TX_MAX_DESCS;
	const struct rte_mbuf *s;
	int ret;

	plan->hi = 0;
	plan->nb_wire = 1;
	ret = plan_offload(m, plan);
	if (ret != 0)
		return ret;
	for (s = m; s != NULL && n <= max; s = s->next) {
		n += (s->data_len + VMXNET3_TXD_LEN_ZERO - 1) / VMXNET3_TXD_LEN_ZERO;
		len += s->data_len;
	}
	if (n > max || len < RTE_ETHER_HDR_LEN || len != m->pkt_len)
		return -EINVAL;
	plan->nb_descs = n;
	return 0;
}

/* ---- checksums ---- */

/* The first @p len bytes, or NULL: they are not in the first segment. */
static uint8_t *
headers(struct rte_mbuf *m, uint32_t len)
{
	return len <= m->data_len ? rte_pktmbuf_mtod(m, uint8_t *) : NULL;
}

static bool
is_writable(const struct rte_mbuf *m)
{
	if (rte_mbuf_refcnt_read(m) != 1 || RTE_MBUF_CLONED(m))
		return false;
	return !RTE_MBUF_HAS_EXTBUF(m) || m->shinfo == NULL ||
		rte_mbuf_ext_refcnt_read(m->shinfo) == 1;
}

/* Fields are at any alignment. */
static int
store(const struct rte_mbuf *m, uint8_t *field, uint16_t value)
{
	if (memcmp(field, &value, sizeof(value)) == 0)
		return 0;
	if (!is_writable(m))
		return -EINVAL;
	memcpy(field, &value, sizeof(value));
	return 0;
}

int
vx_tx_ipv4_checksum(struct rte_mbuf *m)
{
	uint8_t *ip = headers(m, m->l2_len + m->l3_len);
	uint8_t *field;
	uint32_t sum;
	uint16_t old;
	int ret;

	if (!(m->ol_flags & RTE_MBUF_F_TX_IP_CKSUM))
		return 0;
	if (ip == NULL || m->l3_len < sizeof(struct rte_ipv4_hdr) ||
			!(m->ol_flags & RTE_MBUF_F_TX_IPV4))
		return -EINVAL;
	field = ip + m->l2_len + offsetof(struct rte_ipv4_hdr, hdr_checksum);
	/* The old value is taken out of the sum, for the header may not be writable. */
	memcpy(&old, field, sizeof(old));
	sum = rte_raw_cksum(ip + m->l2_len, m->l3_len);
	sum += (uint16_t)~old;
	sum = (sum & UINT16_MAX) + (sum >> 16);
	ret = store(m, field, (uint16_t)~((sum & UINT16_MAX) + (sum >> 16)));
	if (ret == 0)
		m->ol_flags &= ~RTE_MBUF_F_TX_IP_CKSUM;
	return ret;
}

/* The sum of the pseudo-header, not inverted; without its length for a frame that is to be segmented. */
static uint16_t
pseudo_sum(const struct rte_mbuf *m, const uint8_t *ip)
{
	bool tso = m->ol_flags & RTE_MBUF_F_TX_TCP_SEG;
	bool udp = !tso && l4_request(m) == RTE_MBUF_F_TX_UDP_CKSUM;
	uint32_t sum, len;
	rte_be16_t be;

	if (m->ol_flags & RTE_MBUF_F_TX_IPV4) {
		memcpy(&be, ip + offsetof(struct rte_ipv4_hdr, total_length), sizeof(be));
		len = rte_be_to_cpu_16(be) - m->l3_len;
		sum = rte_raw_cksum(ip + offsetof(struct rte_ipv4_hdr, src_addr), 2 * sizeof(rte_be32_t));
	} else {
		memcpy(&be, ip + offsetof(struct rte_ipv6_hdr, payload_len), sizeof(be));
		len = rte_be_to_cpu_16(be) + sizeof(struct rte_ipv6_hdr) - m->l3_len;
		sum = rte_raw_cksum(ip + offsetof(struct rte_ipv6_hdr, src_addr), 2 * 16);
	}
	sum += rte_cpu_to_be_16(udp ? IPPROTO_UDP : IPPROTO_TCP);
	if (!tso)
		sum += rte_cpu_to_be_16((uint16_t)len);
	sum = (sum & UINT16_MAX) + (sum >> 16);
	return (uint16_t)((sum & UINT16_MAX) + (sum >> 16));
}

/* A request for layer 4, with lengths that have been checked. */
static int
prepare_l4(struct rte_mbuf *m)
{
	bool tso = m->ol_flags & RTE_MBUF_F_TX_TCP_SEG;
	bool udp = !tso && l4_request(m) == RTE_MBUF_F_TX_UDP_CKSUM;
	uint32_t l4 = m->l2_len + m->l3_len;
	uint32_t v6 = m->ol_flags & RTE_MBUF_F_TX_IPV6 ? sizeof(struct rte_ipv6_hdr) : 0;
	uint8_t *data = headers(m, l4 + (udp ? sizeof(struct rte_udp_hdr) : sizeof(struct rte_tcp_hdr)));

	if (data == NULL || (m->ol_flags & RTE_MBUF_F_TX_IPV4 ? v6 != 0 : v6 == 0 || m->l3_len < v6))
		return -EINVAL;
	return store(m, data + l4 + (udp ? offsetof(struct rte_udp_hdr, dgram_cksum) :
					    offsetof(struct rte_tcp_hdr, cksum)),
		pseudo_sum(m, data + m->l2_len));
}

static int
prepare(struct rte_mbuf *m)
{
	struct vx_tx_plan plan;
	int ret;

	if (likely((m->ol_flags & RTE_MBUF_F_TX_OFFLOAD_MASK) == 0 && m->nb_segs == 1 &&
			m->data_len >= RTE_ETHER_HDR_LEN))
		return 0;
	ret = vx_tx_plan(m, &plan);
	if (ret == 0)
		ret = vx_tx_ipv4_checksum(m);
	if (ret == 0 && m->ol_flags & (RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG))
		ret = prepare_l4(m);
	return ret;
}

uint16_t
vx_tx_prepare(void *txq, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	uint16_t i;
	int ret;

	(void)txq;
	for (i = 0; i < nb_pkts; i++) {
		ret = prepare(pkts[i]);
		if (unlikely(ret != 0)) {
			rte_errno = -ret;
			break;
		}
	}
	return i;
}
