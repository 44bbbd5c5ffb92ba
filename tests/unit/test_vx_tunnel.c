/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tunnels in the front end: whatever is asked for, by way of the device's requests or in software, the frame has the
 * checksums that it should have, by the tests' own builder; completions that describe inner headers become flags.
 */
#include "offload_frames.h"
#include "vx_bare.h"

#include <offload_filter.h>
#include <rte_errno.h>

#define VXLAN_CAPS (VMXNET3_CAP_VXLAN_INNER_CSUM | VMXNET3_CAP_VXLAN_TSO | VMXNET3_CAP_VXLAN_OUTER_CSUM)
#define GENEVE_CAPS (VMXNET3_CAP_GENEVE_INNER_CSUM | VMXNET3_CAP_GENEVE_TSO | VMXNET3_CAP_GENEVE_OUTER_CSUM)

static struct bare port;
static struct hand hand;
static struct hand_frame sent;
static struct rte_mbuf *m;

/* ---- frames in frames ---- */

enum kind { VXLAN, LINUX_VXLAN, GENEVE, OTHER_PORT, GRE, NVGRE, IPIP, NB_KINDS };

struct wrap {
	enum kind kind;
	bool ipv6; /* outside */
	bool outer_csum;
	uint32_t options; /* bytes, Geneve's */
	struct shape inner;
};

/* What it should be on the wire, and where everything is. */
static struct built in;
static struct {
	uint8_t data[FRAME_ROOM];
	uint32_t len, l3, l4; /* outer headers begin there */
	uint32_t in_l3, in_l4, in_field;
} out;

static bool
is_udp(enum kind kind)
{
	return kind < GRE;
}

static uint16_t
udp_port(enum kind kind)
{
	static const uint16_t ports[] = { 4789, 8472, 6081, 4790 };

	return ports[kind];
}

/* Tunnel headers between the outer layer 3 and what is inside. @return their bytes */
static uint32_t
put_tunnel(uint8_t *p, const struct wrap *w)
{
	memset(p, 0, 16 + w->options);
	switch (w->kind) {
	case GENEVE:
		p[8] = (uint8_t)(w->options / 4);
		put16(p + 10, 0x6558);
		memset(p + 16, 0x5a, w->options);
		return 16 + w->options;
	case GRE:
		put16(p + 2, in.ipv6 ? 0x86dd : 0x0800);
		return 4;
	case NVGRE:
		put16(p, 0x2000);
		put16(p + 2, 0x6558);
		put32(p + 4, 0x123400);
		return 8;
	case IPIP:
		return 0;
	default:
		p[8] = 0x08;
		put32(p + 12, 0x123400);
		return 16;
	}
}

static void
put_outer_udp(const struct wrap *w)
{
	uint8_t *udp = out.data + out.l4;
	uint32_t len = out.len - out.l4;
	uint16_t csum;

	put16(udp, 0xd00d);
	put16(udp + 2, udp_port(w->kind));
	put16(udp + 4, len);
	put16(udp + 6, 0);
	if (!w->outer_csum)
		return;
	csum = (uint16_t)~plain_sum(udp, len, plain_pseudo(out.data, out.l3, w->ipv6, 17, len));
	put16(udp + 6, csum == 0 ? 0xffff : csum);
}

static void
put_outer_ip(const struct wrap *w)
{
	uint8_t *ip = out.data + out.l3;
	uint8_t proto = is_udp(w->kind) ? 17 : w->kind == IPIP ? (in.ipv6 ? 41 : 4) : 47;

	if (w->ipv6) {
		ip[0] = 0x60;
		put16(ip + 4, out.len - out.l4);
		ip[6] = proto;
		ip[7] = 64;
		memset(ip + 8, 0x3d, 16);
		memset(ip + 24, 0x7c, 16);
		return;
	}
	ip[0] = 0x45;
	put16(ip + 2, out.len - out.l3);
	ip[8] = 64;
	ip[9] = proto;
	put32(ip + 12, 0xc6120001);
	put32(ip + 16, 0xc6120002);
	put16(ip + 10, ~plain_sum(ip, 20, 0));
}

static void
wrap(const struct wrap *w)
{
	uint32_t tunnel, skip;

	build(&in, &w->inner);
	memset(&out, 0, 64);
	memset(out.data, 0x02, 12);
	put16(out.data + 12, w->ipv6 ? 0x86dd : 0x0800);
	out.l3 = 14;
	out.l4 = out.l3 + (w->ipv6 ? 40 : 20);
	tunnel = put_tunnel(out.data + out.l4, w);
	/* An IP packet inside has no Ethernet header. */
	skip = w->kind == GRE || w->kind == IPIP ? in.l2 : 0;
	memcpy(out.data + out.l4 + tunnel, in.data + skip, in.len - skip);
	out.len = out.l4 + tunnel + in.len - skip;
	out.in_l3 = out.l4 + tunnel + in.l2 - skip;
	out.in_l4 = out.in_l3 + in.l3;
	out.in_field = out.in_l4 + (in.proto == 6 ? 16 : 6);
	memset(out.data + out.l3, 0, out.l4 - out.l3);
	put_outer_ip(w);
	if (is_udp(w->kind))
		put_outer_udp(w);
}

static uint64_t
tunnel_flag(enum kind kind)
{
	static const uint64_t flags[] = { RTE_MBUF_F_TX_TUNNEL_VXLAN, RTE_MBUF_F_TX_TUNNEL_VXLAN, RTE_MBUF_F_TX_TUNNEL_GENEVE,
		RTE_MBUF_F_TX_TUNNEL_VXLAN_GPE, RTE_MBUF_F_TX_TUNNEL_GRE, RTE_MBUF_F_TX_TUNNEL_GRE, RTE_MBUF_F_TX_TUNNEL_IPIP };

	return flags[kind];
}

/* The wrapped frame, in one buffer or two, with all that is asked for wrong in it. */
static void
make(const struct wrap *w, uint64_t flags, bool split)
{
	struct rte_mbuf *rest;
	uint32_t at;

	wrap(w);
	m = rte_pktmbuf_alloc(port.tx_pool);
	memcpy(rte_pktmbuf_append(m, (uint16_t)out.len), out.data, out.len);
	m->ol_flags = flags | tunnel_flag(w->kind) | (in.ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4) |
		(w->ipv6 ? RTE_MBUF_F_TX_OUTER_IPV6 : RTE_MBUF_F_TX_OUTER_IPV4);
	m->outer_l2_len = out.l3 & 0x7f;
	m->outer_l3_len = (out.l4 - out.l3) & 0x1ff;
	m->l2_len = (out.in_l3 - out.l4) & 0x7f;
	m->l3_len = in.l3 & 0x1ff;
	m->l4_len = in.l4 & 0xff;
	put16(rte_pktmbuf_mtod_offset(m, uint8_t *, out.in_field), rnd(65536));
	if (flags & RTE_MBUF_F_TX_IP_CKSUM)
		put16(rte_pktmbuf_mtod_offset(m, uint8_t *, out.in_l3 + 10), rnd(65536));
	if (flags & RTE_MBUF_F_TX_OUTER_IP_CKSUM)
		put16(rte_pktmbuf_mtod_offset(m, uint8_t *, out.l3 + 10), rnd(65536));
	if (flags & RTE_MBUF_F_TX_OUTER_UDP_CKSUM)
		put16(rte_pktmbuf_mtod_offset(m, uint8_t *, out.l4 + 6), rnd(65536));
	at = out.in_l4 + in.l4;
	if (!split || at == out.len)
		return;
	at += rnd(out.len - at);
	rest = rte_pktmbuf_alloc(port.tx_pool);
	memcpy(rte_pktmbuf_append(rest, (uint16_t)(out.len - at)), rte_pktmbuf_mtod_offset(m, uint8_t *, at), out.len - at);
	rte_pktmbuf_trim(m, (uint16_t)(out.len - at));
	rte_pktmbuf_chain(m, rest);
}

static void *
queue(void)
{
	return port.eth->data->tx_queues[0];
}

static uint32_t
hlen(void)
{
	return sent.first.dw[3] & VMXNET3_TXD_HLEN_MASK;
}

static uint32_t
msscof(void)
{
	return sent.first.dw[2] >> VMXNET3_TXD_MSSCOF_SHIFT;
}

static uint32_t
om(void)
{
	return sent.first.dw[3] >> VMXNET3_TXD_OM_SHIFT & VMXNET3_TXD_OM_MASK;
}

static void
send_it(bool prepare)
{
	if (prepare) {
		assert_int_equal(1, vx_tx_prepare(queue(), &m, 1));
		assert_int_equal(1, vx_tx_prepare(queue(), &m, 1));
	}
	assert_int_equal(1, vx_send(&port, &m, 1));
	assert_true(hand_take(&hand, &sent));
	hand_complete(&hand, sent.eop);
	vx_tx_done_cleanup(queue(), 0);
}

/* What the device's manual says that it does. */
static void
do_as_the_device(void)
{
	uint32_t start = hlen(), field = msscof();
	uint16_t csum;

	switch (om()) {
	case VMXNET3_OM_NONE:
		return;
	case VMXNET3_OM_ENCAP:
		assert_true(port.dev->rev->encap);
		assert_int_equal(0, msscof());
		assert_int_equal(out.in_l4 + in.l4, hlen());
		start = out.in_l4;
		field = out.in_field;
		break;
	default:
		assert_int_equal(VMXNET3_OM_CSUM, om());
		if (!(sent.first.dw[2] & VMXNET3_TXD_EXT1))
			break;
		assert_true(port.dev->rev->ext1);
		if (hlen() == msscof() + 2) {
			start = msscof() - 6;
		} else {
			start = msscof() - 16;
			assert_int_equal((sent.data[start + 12] >> 4) * 4, hlen() - start);
		}
	}
	csum = (uint16_t)~plain_sum(sent.data + start, sent.len - start, 0);
	put16(sent.data + field, csum == 0 && field - start == 6 ? 0xffff : csum);
}

static void
begin(uint8_t rev, uint32_t tunnels)
{
	bare_open(&port, &(struct bare_conf){ .rev = rev, .tunnels = tunnels });
	hand_open(&hand, &port, 0);
}

static struct wrap
random_wrap(void)
{
	struct wrap w = { .kind = rnd(NB_KINDS), .ipv6 = rnd(2), .options = rnd(4) * 4,
		.inner = { .tags = 0, .ipv6 = rnd(2), .proto = rnd(2) ? 6 : 17, .l3_extra = rnd(3) * 8,
			.tcp_options = rnd(4) * 4, .payload = rnd(1300) } };

	return w;
}

/* Everything at once, or some of it. */
static uint64_t
random_requests(struct wrap *w)
{
	uint64_t flags = w->inner.proto == 6 ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM;

	if (rnd(2) && !w->inner.ipv6)
		flags |= RTE_MBUF_F_TX_IP_CKSUM;
	if (rnd(2) && !w->ipv6)
		flags |= RTE_MBUF_F_TX_OUTER_IP_CKSUM;
	w->outer_csum = rnd(2) && is_udp(w->kind);
	if (w->outer_csum)
		flags |= RTE_MBUF_F_TX_OUTER_UDP_CKSUM;
	return flags;
}

static void
expect_all_right(uint8_t rev, uint32_t tunnels)
{
	uint32_t i, modes[4] = { 0 }, inner = 0;

	begin(rev, tunnels);
	for (i = 0; i < 3000; i++) {
		struct wrap w = random_wrap();
		uint64_t flags = random_requests(&w);

		make(&w, flags, rnd(2));
		send_it(true);
		do_as_the_device();
		modes[om()]++;
		inner += !!(sent.first.dw[2] & VMXNET3_TXD_EXT1) || om() == VMXNET3_OM_ENCAP;
		assert_int_equal(out.len, sent.len);
		assert_memory_equal(out.data, sent.data, out.len);
	}
	assert_int_equal(0, vx_tx_stats(&port).errors);
	assert_true(modes[VMXNET3_OM_NONE] != 0);
	assert_int_equal(tunnels != 0, inner != 0);
	assert_int_equal(0, modes[VMXNET3_OM_TSO]);
	bare_close(&port);
}

static void
checksums_by_the_device_or_not(void **state)
{
	(void)state;
	expect_all_right(7, VXLAN_CAPS | GENEVE_CAPS);
	expect_all_right(9, GENEVE_CAPS);
	expect_all_right(4, VXLAN_CAPS | GENEVE_CAPS);
	expect_all_right(6, VXLAN_CAPS | GENEVE_CAPS);
	expect_all_right(3, 0);
	expect_all_right(7, 0);
}

/* The device is told the inner checksum where it knows the tunnel; other ports and tunnels are summed here. */
static void
who_makes_which(void **state)
{
	static const bool known[NB_KINDS] = { [VXLAN] = true, [LINUX_VXLAN] = true, [GENEVE] = true };
	struct wrap w = { .inner = { .proto = 6, .tcp_options = 12, .payload = 100 } };

	(void)state;
	begin(7, VXLAN_CAPS | GENEVE_CAPS);
	for (w.kind = 0; w.kind < NB_KINDS; w.kind++) {
		w.outer_csum = is_udp(w.kind);
		make(&w, RTE_MBUF_F_TX_TCP_CKSUM | (w.outer_csum ? RTE_MBUF_F_TX_OUTER_UDP_CKSUM : 0), false);
		send_it(true);
		assert_int_equal(known[w.kind], !!(sent.first.dw[2] & VMXNET3_TXD_EXT1));
		if (known[w.kind]) {
			assert_int_equal(out.in_l4 + 32, hlen());
			assert_int_equal(out.in_field, msscof());
		} else if (w.outer_csum) {
			assert_int_equal(out.l4, hlen());
			assert_int_equal(out.l4 + 6, msscof());
		} else {
			assert_int_equal(VMXNET3_OM_NONE, om());
		}
		do_as_the_device();
		assert_memory_equal(out.data, sent.data, out.len);
	}
	/* Not even the type is told: all of it is here. */
	w.kind = VXLAN;
	make(&w, RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_OUTER_IP_CKSUM, false);
	m->ol_flags &= ~(uint64_t)RTE_MBUF_F_TX_TUNNEL_MASK;
	send_it(true);
	assert_int_equal(VMXNET3_OM_NONE, om());
	bare_close(&port);
}

/* The application did not call prepare, but stored the sums of pseudo-headers where the device sums. */
static void
software_needs_no_prepare(void **state)
{
	uint32_t i;

	(void)state;
	begin(7, VXLAN_CAPS);
	for (i = 0; i < 500; i++) {
		struct wrap w = random_wrap();
		uint64_t flags = random_requests(&w);

		make(&w, flags, rnd(2));
		if (w.kind <= LINUX_VXLAN)
			put16(rte_pktmbuf_mtod_offset(m, uint8_t *, out.in_field), plain_pseudo(out.data, out.in_l3, in.ipv6,
				in.proto, l4_bytes(&in)));
		else if (w.outer_csum)
			put16(rte_pktmbuf_mtod_offset(m, uint8_t *, out.l4 + 6), plain_pseudo(out.data, out.l3, w.ipv6, 17,
				out.len - out.l4));
		send_it(false);
		do_as_the_device();
		assert_memory_equal(out.data, sent.data, out.len);
	}
	bare_close(&port);
}

static void
expect_tso(uint8_t rev, enum kind kind, bool outer)
{
	struct wrap w = { .kind = kind, .ipv6 = rnd(2), .outer_csum = outer,
		.inner = { .ipv6 = rnd(2), .proto = 6, .tcp_options = rnd(3) * 4, .payload = 1 + rnd(14000) } };
	bool encap = rev < 7;
	uint32_t mss = 1 + rnd(3000);

	make(&w, RTE_MBUF_F_TX_TCP_SEG | (outer ? RTE_MBUF_F_TX_OUTER_UDP_CKSUM : 0), false);
	m->tso_segsz = (uint16_t)mss;
	port.dev->txqd->tx_num_deferred = 0;
	port.dev->txqd->tx_threshold = 1u << 30;
	send_it(true);
	assert_int_equal(encap ? VMXNET3_OM_ENCAP : VMXNET3_OM_TSO, om());
	assert_int_equal(!encap, !!(sent.first.dw[2] & VMXNET3_TXD_EXT1));
	assert_int_equal(outer, !!(sent.first.dw[2] & VMXNET3_TXD_OCO));
	assert_int_equal(out.in_l4 + in.l4, hlen());
	assert_int_equal(mss, msscof());
	assert_int_equal((w.inner.payload + mss - 1) / mss, port.dev->txqd->tx_num_deferred);
	assert_int_equal(plain_pseudo(out.data, out.in_l3, in.ipv6, 6, 0), get16(sent.data + out.in_field));
	if (outer)
		assert_int_equal(plain_pseudo(out.data, out.l3, w.ipv6, 17, out.len - out.l4), get16(sent.data + out.l4 + 6));
}

static void
segmentation_is_told(void **state)
{
	static const uint8_t revs[] = { 4, 5, 6, 7, 8, 9 };
	uint32_t i, n;

	(void)state;
	for (i = 0; i < RTE_DIM(revs); i++) {
		begin(revs[i], VXLAN_CAPS | GENEVE_CAPS);
		for (n = 0; n < 60; n++)
			expect_tso(revs[i], n % 3, n & 1);
		bare_close(&port);
	}
}

static void
refused(int error)
{
	rte_errno = 0;
	assert_int_equal(0, vx_tx_prepare(queue(), &m, 1));
	assert_int_equal(error, rte_errno);
	/* The burst does not send it either. */
	assert_int_equal(1, vx_send(&port, &m, 1));
	assert_false(hand_take(&hand, &sent));
}

static void
make_tso(enum kind kind, uint64_t flags)
{
	struct wrap w = { .kind = kind, .outer_csum = true, .inner = { .proto = 6, .payload = 3000 } };

	make(&w, flags | RTE_MBUF_F_TX_TCP_SEG, false);
	m->tso_segsz = 1000;
}

static void
what_cannot_be_is_refused(void **state)
{
	struct wrap w = { .kind = VXLAN, .inner = { .proto = 6, .payload = 100 } };
	uint32_t errors = 0, i;

	(void)state;
	begin(7, VXLAN_CAPS & ~VMXNET3_CAP_VXLAN_OUTER_CSUM);
	for (i = 0; i < NB_KINDS; i++) {
		if (i > LINUX_VXLAN) {
			make_tso(i, 0);
			refused(ENOTSUP);
			errors++;
		}
	}
	make_tso(VXLAN, RTE_MBUF_F_TX_OUTER_UDP_CKSUM);
	refused(ENOTSUP);
	make_tso(VXLAN, 0);
	m->tso_segsz = 0;
	refused(EINVAL);
	make_tso(VXLAN, 0);
	m->l3_len = 0;
	refused(EINVAL);
	make_tso(VXLAN, 0);
	m->outer_l2_len = 0;
	refused(EINVAL);
	make(&w, RTE_MBUF_F_TX_SCTP_CKSUM, false);
	refused(ENOTSUP);
	make(&w, RTE_MBUF_F_TX_TCP_CKSUM, false);
	m->outer_l3_len = 511;
	refused(EINVAL);
	make(&w, RTE_MBUF_F_TX_TCP_CKSUM, false);
	rte_pktmbuf_mtod_offset(m, uint8_t *, out.in_l4 + 12)[0] = 0x40;
	refused(EINVAL);
	make(&w, RTE_MBUF_F_TX_OUTER_IP_CKSUM, false);
	m->ol_flags &= ~(uint64_t)RTE_MBUF_F_TX_OUTER_IPV4;
	refused(EINVAL);
	make(&w, RTE_MBUF_F_TX_OUTER_UDP_CKSUM | RTE_MBUF_F_TX_TCP_CKSUM, false);
	m->ol_flags |= RTE_MBUF_F_TX_OUTER_IPV6;
	refused(EINVAL);
	errors += 9;
	assert_int_equal(errors, vx_tx_stats(&port).errors);
	bare_close(&port);
}

/* What others read is not written. */
static void
shared_headers_stay_as_they_are(void **state)
{
	struct wrap w = { .kind = VXLAN, .outer_csum = true, .inner = { .proto = 6, .payload = 100 } };
	struct rte_mbuf *owner, *copy;

	(void)state;
	begin(7, VXLAN_CAPS);
	make(&w, RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_OUTER_UDP_CKSUM, false);
	owner = m;
	copy = rte_pktmbuf_copy(owner, port.tx_pool, 0, UINT32_MAX);
	m = rte_pktmbuf_clone(owner, port.tx_pool);
	refused(EINVAL);
	assert_memory_equal(rte_pktmbuf_mtod(copy, uint8_t *), rte_pktmbuf_mtod(owner, uint8_t *), out.len);
	rte_pktmbuf_free(copy);
	rte_pktmbuf_free(owner);
	bare_close(&port);
}

/* ---- receive ---- */

/* The wrapped frame comes; @p dw3 is what the device says of the inner headers. */
static struct rte_mbuf *
come(uint32_t dw0, uint32_t dw3)
{
	struct vmxnet3_desc d;
	struct rte_mbuf *got;
	int index = hand_buffer(&hand, 0, &d);

	assert_true(index >= 0);
	memcpy((void *)((uintptr_t)d.dw[1] << 32 | d.dw[0]), out.data, out.len);
	hand_completion(&hand, (uint32_t)index | VMXNET3_RCD_SOP | VMXNET3_RCD_EOP | VMXNET3_RCD_INNER | dw0, 0x1234, out.len,
		dw3 | VMXNET3_CD_TYPE_RX << VMXNET3_CD_TYPE_SHIFT);
	assert_int_equal(1, vx_recv(&port, &got, 1));
	assert_int_equal(out.len, got->pkt_len);
	assert_memory_equal(out.data, rte_pktmbuf_mtod(got, uint8_t *), out.len);
	return got;
}

static uint64_t
flags_of(uint32_t dw0, uint32_t dw3)
{
	struct rte_mbuf *got = come(dw0, dw3);
	uint64_t flags = got->ol_flags;

	rte_pktmbuf_free(got);
	return flags;
}

static uint32_t
good(void)
{
	return VMXNET3_RCD_IPC | VMXNET3_RCD_TUC | (in.ipv6 ? VMXNET3_RCD_V6 : VMXNET3_RCD_V4) |
		(in.proto == 6 ? VMXNET3_RCD_TCP : VMXNET3_RCD_UDP);
}

static void
begin_receive(uint64_t offloads)
{
	bare_open(&port, &(struct bare_conf){ .rx_offloads = RTE_ETH_RX_OFFLOAD_CHECKSUM | offloads });
	hand_open(&hand, &port, 0);
}

static void
inner_results_have_types(void **state)
{
	static const uint32_t tunnels[NB_KINDS] = {
		[VXLAN] = RTE_PTYPE_TUNNEL_VXLAN | RTE_PTYPE_L4_UDP | RTE_PTYPE_INNER_L2_ETHER,
		[LINUX_VXLAN] = RTE_PTYPE_TUNNEL_VXLAN | RTE_PTYPE_L4_UDP | RTE_PTYPE_INNER_L2_ETHER,
		[GENEVE] = RTE_PTYPE_TUNNEL_GENEVE | RTE_PTYPE_L4_UDP | RTE_PTYPE_INNER_L2_ETHER,
		[GRE] = RTE_PTYPE_TUNNEL_GRE,
		[NVGRE] = RTE_PTYPE_TUNNEL_NVGRE | RTE_PTYPE_INNER_L2_ETHER,
		[IPIP] = RTE_PTYPE_TUNNEL_IP,
	};
	struct rte_mbuf *got;
	uint32_t i, expect;

	(void)state;
	begin_receive(0);
	for (i = 0; i < 400; i++) {
		struct wrap w = random_wrap();

		w.inner.l3_extra = 0;
		w.outer_csum = rnd(2);
		wrap(&w);
		got = come(7u << VMXNET3_RCD_RSS_TYPE_SHIFT | VMXNET3_RCD_INNER_RSS, good());
		expect = RTE_PTYPE_L2_ETHER;
		if (w.kind != OTHER_PORT)
			expect |= tunnels[w.kind] | (w.ipv6 ? RTE_PTYPE_L3_IPV6_EXT_UNKNOWN : RTE_PTYPE_L3_IPV4_EXT_UNKNOWN) |
				(in.ipv6 ? RTE_PTYPE_INNER_L3_IPV6_EXT_UNKNOWN : RTE_PTYPE_INNER_L3_IPV4_EXT_UNKNOWN) |
				(in.proto == 6 ? RTE_PTYPE_INNER_L4_TCP : RTE_PTYPE_INNER_L4_UDP);
		assert_int_equal(expect, got->packet_type);
		assert_true(got->ol_flags & RTE_MBUF_F_RX_RSS_HASH);
		assert_int_equal(0x1234, got->hash.rss);
		assert_int_equal(w.kind != OTHER_PORT, !!(got->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_GOOD));
		assert_int_equal(w.kind != OTHER_PORT && !in.ipv6, !!(got->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_GOOD));
		/* Nobody asked for those outside. */
		assert_int_equal(0, got->ol_flags & (RTE_MBUF_F_RX_OUTER_L4_CKSUM_MASK | RTE_MBUF_F_RX_OUTER_IP_CKSUM_BAD));
		rte_pktmbuf_free(got);
	}
	assert_int_equal(0, vx_rx_stats(&port).bad_completions);
	bare_close(&port);
}

#define OUTER_BITS (RTE_MBUF_F_RX_OUTER_L4_CKSUM_MASK | RTE_MBUF_F_RX_OUTER_IP_CKSUM_BAD)

static void
outer_checksums_follow(void **state)
{
	uint32_t i;

	(void)state;
	begin_receive(RTE_ETH_RX_OFFLOAD_OUTER_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_OUTER_UDP_CKSUM);
	for (i = 0; i < 600; i++) {
		struct wrap w = random_wrap();

		w.kind = rnd(3);
		w.outer_csum = true;
		wrap(&w);
		assert_int_equal(RTE_MBUF_F_RX_OUTER_L4_CKSUM_GOOD, flags_of(0, good()) & OUTER_BITS);
		/* Without one, over IPv4, it is right; over IPv6 nothing is known. */
		put16(out.data + out.l4 + 6, 0);
		assert_int_equal(w.ipv6 ? 0 : RTE_MBUF_F_RX_OUTER_L4_CKSUM_GOOD, flags_of(0, good()) & OUTER_BITS);
		wrap(&w);
		/* Anything before the inner layer 4 may be damaged: never the sum of what one bit makes of it. */
		out.data[out.l4 + 8 + rnd(out.in_l3 - out.l4 - 22)] ^= 0x01;
		if (w.kind != GENEVE)
			assert_int_equal(RTE_MBUF_F_RX_OUTER_L4_CKSUM_BAD, flags_of(0, good()) & OUTER_BITS);
		wrap(&w);
		/* The inner one is wrong, or unknown: nothing is known of the outer one. */
		assert_int_equal(0, flags_of(0, good() & ~VMXNET3_RCD_TUC) & OUTER_BITS);
		assert_int_equal(0, flags_of(VMXNET3_RCD_CNC, good()) & OUTER_BITS);
		if (!w.ipv6) {
			put16(out.data + out.l3 + 10, get16(out.data + out.l3 + 10) ^ 0x100);
			assert_true(flags_of(0, good()) & RTE_MBUF_F_RX_OUTER_IP_CKSUM_BAD);
		}
	}
	bare_close(&port);
}

/* Padding behind the inner packet, or an inner UDP without a checksum: the outer one cannot be told from it. */
static void
outer_checksums_that_do_not_follow(void **state)
{
	struct wrap w = { .kind = VXLAN, .outer_csum = true, .inner = { .proto = 17, .payload = 100 } };

	(void)state;
	begin_receive(RTE_ETH_RX_OFFLOAD_OUTER_UDP_CKSUM);
	wrap(&w);
	put16(out.data + out.in_field, 0);
	assert_int_equal(0, flags_of(0, good()) & OUTER_BITS);
	wrap(&w);
	put16(out.data + out.in_l3 + 2, get16(out.data + out.in_l3 + 2) - 2);
	assert_int_equal(0, flags_of(0, good()) & OUTER_BITS);
	wrap(&w);
	put16(out.data + out.l4 + 4, get16(out.data + out.l4 + 4) - 2);
	assert_int_equal(0, flags_of(0, good()) & OUTER_BITS);
	bare_close(&port);
}

/* A device that describes what is not there. */
static void
headers_that_do_not_agree(void **state)
{
	struct wrap w = { .kind = VXLAN, .outer_csum = true, .inner = { .proto = 6, .payload = 100 } };
	uint64_t any = RTE_MBUF_F_RX_L4_CKSUM_MASK | RTE_MBUF_F_RX_IP_CKSUM_MASK;
	uint32_t len;

	(void)state;
	begin_receive(RTE_ETH_RX_OFFLOAD_OUTER_UDP_CKSUM);
	wrap(&w);
	assert_int_equal(0, flags_of(0, good() ^ (VMXNET3_RCD_TCP | VMXNET3_RCD_UDP)) & any);
	assert_int_equal(0, flags_of(0, good() ^ (VMXNET3_RCD_V4 | VMXNET3_RCD_V6)) & any);
	for (len = out.in_l4 + 20; len > 0; len--) {
		out.len = len;
		flags_of(0, good()); /* and nothing is read beyond */
	}
	bare_close(&port);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksums_by_the_device_or_not),
		cmocka_unit_test(who_makes_which),
		cmocka_unit_test(software_needs_no_prepare),
		cmocka_unit_test(segmentation_is_told),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(shared_headers_stay_as_they_are),
		cmocka_unit_test(inner_results_have_types),
		cmocka_unit_test(outer_checksums_follow),
		cmocka_unit_test(outer_checksums_that_do_not_follow),
		cmocka_unit_test(headers_that_do_not_agree),
	};

	return cmocka_run_group_tests(tests, vx_eal, NULL);
}
