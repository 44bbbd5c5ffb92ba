/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tunnels that the front end sends: whatever is asked for, by way of the device's requests or in software, the frame has the
 * checksums that it should have, by the tests' own builder.
 */
#include "vx_bare.h"
#include "vx_wrap.h"

#include <rte_errno.h>

#define VXLAN_CAPS (VMXNET3_CAP_VXLAN_INNER_CSUM | VMXNET3_CAP_VXLAN_TSO | VMXNET3_CAP_VXLAN_OUTER_CSUM)
#define GENEVE_CAPS (VMXNET3_CAP_GENEVE_INNER_CSUM | VMXNET3_CAP_GENEVE_TSO | VMXNET3_CAP_GENEVE_OUTER_CSUM)

static struct bare port;
static struct hand hand;
static struct hand_frame sent;
static struct rte_mbuf *m;

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
	};

	return cmocka_run_group_tests(tests, vx_eal, NULL);
}
