/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_tx_csum.h"

#include <errno.h>
#include <stddef.h>

#include <rte_ip.h>

#include "vx_csum.h"

/* ---- fields ---- */

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
store(const struct rte_mbuf *m, uint32_t at, uint16_t value)
{
	uint8_t *field = rte_pktmbuf_mtod_offset(m, uint8_t *, at);

	if (memcmp(field, &value, sizeof(value)) == 0)
		return 0;
	if (!is_writable(m))
		return -EINVAL;
	memcpy(field, &value, sizeof(value));
	return 0;
}

/*
 * The inverse of a sum of all that a checksum is about. Its field may not be writable, so what it holds was summed,
 * and is taken out here.
 */
static uint16_t
inverse(const struct rte_mbuf *m, uint32_t at, uint32_t sum)
{
	return (uint16_t)~vx_fold(sum + (uint16_t)~vx_load16(rte_pktmbuf_mtod_offset(m, uint8_t *, at)));
}

static int
store_l4(const struct rte_mbuf *m, const struct vx_l4 *l4, uint32_t sum)
{
	uint16_t csum = inverse(m, l4->field, sum);

	/* In UDP, a zero would mean that there is no checksum. */
	return store(m, l4->field, l4->udp && csum == 0 ? UINT16_MAX : csum);
}

/* ---- headers; they have to be in the first segment ---- */

static int
find(const struct rte_mbuf *m, uint32_t l3, uint32_t l3_len, uint64_t ipv4, uint64_t ipv6, bool udp, struct vx_l4 *l4)
{
	if (!(m->ol_flags & ipv4) == !(m->ol_flags & ipv6))
		return -EINVAL;
	return vx_l4_find(rte_pktmbuf_mtod(m, uint8_t *), m->data_len, l3, l3_len, m->ol_flags & ipv4, udp, l4) ?
		0 : -EINVAL;
}

/* The one that is asked for by the flags without "outer". */
static int
find_inner(const struct rte_mbuf *m, struct vx_l4 *l4)
{
	bool udp = !(m->ol_flags & RTE_MBUF_F_TX_TCP_SEG) &&
		(m->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_UDP_CKSUM;

	return find(m, vx_tx_l3(m), m->l3_len, RTE_MBUF_F_TX_IPV4, RTE_MBUF_F_TX_IPV6, udp, l4);
}

static int
find_outer(const struct rte_mbuf *m, struct vx_l4 *l4)
{
	return find(m, m->outer_l2_len, m->outer_l3_len, RTE_MBUF_F_TX_OUTER_IPV4, RTE_MBUF_F_TX_OUTER_IPV6, true, l4);
}

/* ---- software ---- */

static int
make_ipv4(const struct rte_mbuf *m, uint64_t is_ipv4, uint32_t at, uint32_t len)
{
	uint32_t field = at + (uint32_t)offsetof(struct rte_ipv4_hdr, hdr_checksum);

	if (!(m->ol_flags & is_ipv4) || len < sizeof(struct rte_ipv4_hdr) || at + len > m->data_len)
		return -EINVAL;
	return store(m, field, inverse(m, field, rte_raw_cksum(rte_pktmbuf_mtod_offset(m, uint8_t *, at), len)));
}

/*
 * The sum of @p len bytes that begin in the first segment and are within the frame. rte_raw_cksum_mbuf() loses carries of
 * segments that begin at an odd byte (DPDK 22.11).
 */
static uint16_t
sum_segments(const struct rte_mbuf *m, uint32_t at, uint32_t len)
{
	uint32_t sum = 0, done = 0, n;
	uint16_t part;

	for (; done < len; m = m->next, at = 0) {
		n = RTE_MIN(m->data_len - at, len - done);
		part = rte_raw_cksum(rte_pktmbuf_mtod_offset(m, const uint8_t *, at), n);
		sum += done % 2 != 0 ? rte_bswap16(part) : part;
		done += n;
	}
	return vx_fold(sum);
}

static int
make_l4(const struct rte_mbuf *m)
{
	struct vx_l4 l4;

	if (find_inner(m, &l4) != 0 || l4.at + l4.len > m->pkt_len || l4.field + sizeof(uint16_t) > l4.at + l4.len)
		return -EINVAL;
	return store_l4(m, &l4, (uint32_t)sum_segments(m, l4.at, l4.len) + vx_l4_pseudo(&l4));
}

static int
make_outer(const struct rte_mbuf *m)
{
	struct vx_l4 outer, inner;

	if (find_inner(m, &inner) != 0 || find_outer(m, &outer) != 0 || outer.field >= inner.at)
		return -EINVAL;
	return store_l4(m, &outer, vx_l4_sum_around(rte_pktmbuf_mtod(m, uint8_t *), &outer, &inner));
}

int
vx_tx_software(struct rte_mbuf *m, uint64_t requests)
{
	int ret = 0;

	if (requests & RTE_MBUF_F_TX_IP_CKSUM)
		ret = make_ipv4(m, RTE_MBUF_F_TX_IPV4, vx_tx_l3(m), m->l3_len);
	if (ret == 0 && requests & RTE_MBUF_F_TX_OUTER_IP_CKSUM)
		ret = make_ipv4(m, RTE_MBUF_F_TX_OUTER_IPV4, m->outer_l2_len, m->outer_l3_len);
	if (ret == 0 && requests & RTE_MBUF_F_TX_L4_MASK)
		ret = make_l4(m);
	if (ret == 0 && requests & RTE_MBUF_F_TX_OUTER_UDP_CKSUM)
		ret = make_outer(m);
	if (ret == 0)
		m->ol_flags &= ~requests;
	return ret;
}

/* ---- what a device begins with ---- */

/* Of a frame to be segmented without the length, which is that of each piece. */
static int
seed_inner(const struct rte_mbuf *m)
{
	struct vx_l4 l4;

	if (find_inner(m, &l4) != 0)
		return -EINVAL;
	return store(m, l4.field, m->ol_flags & RTE_MBUF_F_TX_TCP_SEG ? l4.addresses : vx_l4_pseudo(&l4));
}

static int
seed_outer(const struct rte_mbuf *m)
{
	struct vx_l4 l4;

	return find_outer(m, &l4) != 0 ? -EINVAL : store(m, l4.field, vx_l4_pseudo(&l4));
}

int
vx_tx_seed(const struct rte_mbuf *m)
{
	int ret = 0;

	if (m->ol_flags & (RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG))
		ret = seed_inner(m);
	if (ret == 0 && m->ol_flags & RTE_MBUF_F_TX_OUTER_UDP_CKSUM)
		ret = seed_outer(m);
	return ret;
}
