/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The front end's transmit offloads: what rte_eth_tx_prepare() stores, what descriptors ask for, and that both
 * together make the checksums that a frame should have. The oracle is the tests' own builder.
 */
#include "offload_frames.h"
#include "vx_bare.h"

#include <rte_errno.h>

static struct bare port;
static struct hand hand;
static struct hand_frame sent;
static struct built frame;
static struct rte_mbuf *m;

static void
begin(void)
{
	bare_open(&port, NULL);
	hand_open(&hand, &port, 0);
}

/* The frame in one mbuf, its headers described. */
static struct rte_mbuf *
make(const struct shape *s, uint64_t flags)
{
	struct rte_mbuf *b = rte_pktmbuf_alloc(port.tx_pool);

	build(&frame, s);
	memcpy(rte_pktmbuf_append(b, (uint16_t)frame.len), frame.data, frame.len);
	b->ol_flags = flags | (s->ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
	b->l2_len = frame.l2 & 0x7f;
	b->l3_len = frame.l3 & 0x1ff;
	b->l4_len = frame.l4 & 0xff;
	return b;
}

static uint64_t
l4_flag(const struct shape *s)
{
	return s->proto == 6 ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM;
}

static uint8_t *
bytes(void)
{
	return rte_pktmbuf_mtod(m, uint8_t *);
}

static uint32_t
om(void)
{
	return sent.first.dw[3] >> VMXNET3_TXD_OM_SHIFT & VMXNET3_TXD_OM_MASK;
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

/* Sends m; what the device got is in "sent" then. */
static void
send_it(void)
{
	assert_int_equal(1, vx_send(&port, &m, 1));
	assert_true(hand_take(&hand, &sent));
	hand_complete(&hand, sent.eop);
	vx_tx_done_cleanup(port.eth->data->tx_queues[0], 0);
}

static void
refused(int error)
{
	rte_errno = 0;
	assert_int_equal(0, vx_tx_prepare(port.eth->data->tx_queues[0], &m, 1));
	assert_int_equal(error, rte_errno);
	rte_pktmbuf_free(m);
}

static void
checksums_come_out_right(void **state)
{
	uint16_t csum;
	uint32_t i;

	(void)state;
	begin();
	for (i = 0; i < 3000; i++) {
		struct shape s = { .tags = rnd(3), .ipv6 = rnd(2), .proto = rnd(2) ? 6 : 17,
			.l3_extra = rnd(4) * 8, .tcp_options = rnd(4) * 4, .payload = rnd(1400) };

		m = make(&s, l4_flag(&s) | (s.ipv6 ? 0 : RTE_MBUF_F_TX_IP_CKSUM));
		/* Whatever the fields held before does not matter. */
		put16(bytes() + field_at(&frame), rnd(65536));
		if (!s.ipv6)
			put16(bytes() + frame.l2 + 10, rnd(65536));
		assert_int_equal(1, vx_tx_prepare(port.eth->data->tx_queues[0], &m, 1));
		/* Twice does no harm. */
		assert_int_equal(1, vx_tx_prepare(port.eth->data->tx_queues[0], &m, 1));
		send_it();
		assert_int_equal(VMXNET3_OM_CSUM, om());
		assert_int_equal(l4_at(&frame), hlen());
		assert_int_equal(field_at(&frame), msscof());
		/* As the device does: from the layer's begin to the end, the seed in its place. */
		csum = (uint16_t)~plain_sum(sent.data + hlen(), sent.len - hlen(), 0);
		put16(sent.data + msscof(), s.proto == 17 && csum == 0 ? 0xffff : csum);
		assert_int_equal(frame.len, sent.len);
		assert_memory_equal(frame.data, sent.data, frame.len);
	}
	bare_close(&port);
}

static void
large_frames_have_a_seed_without_length(void **state)
{
	uint32_t i, mss;

	(void)state;
	begin();
	for (i = 0; i < 500; i++) {
		struct shape s = { .tags = rnd(2), .ipv6 = rnd(2), .proto = 6, .l3_extra = rnd(3) * 8,
			.tcp_options = rnd(4) * 4, .payload = 1 + rnd(16000) };

		m = make(&s, RTE_MBUF_F_TX_TCP_SEG);
		mss = 1 + rnd(9000);
		m->tso_segsz = (uint16_t)mss;
		assert_int_equal(1, vx_tx_prepare(port.eth->data->tx_queues[0], &m, 1));
		assert_int_equal(plain_pseudo(frame.data, frame.l2, s.ipv6, 6, 0),
			get16(bytes() + field_at(&frame)));
		port.dev->txqd->tx_num_deferred = 0;
		port.dev->txqd->tx_threshold = 1u << 30;
		send_it();
		assert_int_equal(VMXNET3_OM_TSO, om());
		assert_int_equal(l4_at(&frame) + frame.l4, hlen());
		assert_int_equal(mss, msscof());
		assert_int_equal((s.payload + mss - 1) / mss, port.dev->txqd->tx_num_deferred);
		assert_int_equal(frame.len, sent.len);
	}
	bare_close(&port);
}

static void
tags_are_inserted(void **state)
{
	const struct shape s = { .proto = 6, .payload = 100 };

	(void)state;
	begin();
	m = make(&s, RTE_MBUF_F_TX_VLAN | RTE_MBUF_F_TX_TCP_CKSUM);
	m->vlan_tci = 0xe123;
	assert_int_equal(1, vx_tx_prepare(port.eth->data->tx_queues[0], &m, 1));
	send_it();
	assert_true(sent.first.dw[3] & VMXNET3_TXD_TI);
	assert_int_equal(0xe123, sent.first.dw[3] >> VMXNET3_TXD_TCI_SHIFT);
	assert_int_equal(VMXNET3_OM_CSUM, om());
	assert_int_equal(34, hlen());
	bare_close(&port);
}

/* The application did not call prepare: the IPv4 header is right nevertheless. */
static void
the_ipv4_header_needs_no_prepare(void **state)
{
	const struct shape s = { .proto = 17, .payload = 100, .l3_extra = 8 };

	(void)state;
	begin();
	m = make(&s, RTE_MBUF_F_TX_IP_CKSUM);
	put16(bytes() + frame.l2 + 10, 0x1234);
	send_it();
	assert_int_equal(VMXNET3_OM_NONE, om());
	assert_memory_equal(frame.data, sent.data, frame.len);
	bare_close(&port);
}

static struct rte_mbuf *
make_tcp(uint64_t flags)
{
	const struct shape s = { .proto = 6, .payload = 200 };

	m = make(&s, flags);
	m->tso_segsz = 100;
	return m;
}

static void
requests_that_cannot_be(void **state)
{
	static const uint64_t unknown[] = { RTE_MBUF_F_TX_SCTP_CKSUM, RTE_MBUF_F_TX_UDP_SEG, RTE_MBUF_F_TX_QINQ,
		RTE_MBUF_F_TX_MACSEC, RTE_MBUF_F_TX_SEC_OFFLOAD };
	uint32_t i;

	(void)state;
	begin();
	for (i = 0; i < RTE_DIM(unknown); i++) {
		make_tcp(unknown[i]);
		refused(ENOTSUP);
	}
	make_tcp(RTE_MBUF_F_TX_TCP_SEG)->tso_segsz = 0;
	refused(EINVAL);
	make_tcp(RTE_MBUF_F_TX_TCP_SEG)->tso_segsz = 16384;
	refused(EINVAL);
	make_tcp(RTE_MBUF_F_TX_TCP_SEG)->l4_len = 16;
	refused(EINVAL);
	make_tcp(RTE_MBUF_F_TX_TCP_SEG)->l3_len = 300;
	refused(EINVAL);
	make_tcp(RTE_MBUF_F_TX_TCP_CKSUM)->l2_len = 0;
	refused(EINVAL);
	make_tcp(RTE_MBUF_F_TX_TCP_CKSUM)->l3_len = 500;
	refused(EINVAL);
	make_tcp(RTE_MBUF_F_TX_TCP_CKSUM)->ol_flags ^= RTE_MBUF_F_TX_IPV4;
	refused(EINVAL);
	make_tcp(RTE_MBUF_F_TX_IP_CKSUM)->ol_flags ^= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6;
	refused(EINVAL);
	make_tcp(0)->pkt_len++;
	refused(EINVAL);
	/* No lengths of what is around the tunnel. */
	make_tcp(RTE_MBUF_F_TX_TUNNEL_VXLAN | RTE_MBUF_F_TX_TCP_CKSUM);
	refused(EINVAL);
	make_tcp(RTE_MBUF_F_TX_OUTER_IP_CKSUM);
	refused(EINVAL);
	/* A tunnel that nothing is asked for is just a frame. */
	make_tcp(RTE_MBUF_F_TX_TUNNEL_VXLAN);
	assert_int_equal(1, vx_tx_prepare(port.eth->data->tx_queues[0], &m, 1));
	rte_pktmbuf_free(m);
	bare_close(&port);
}

static void
numbers_of_segments(void **state)
{
	uint32_t lens[30], i;

	(void)state;
	begin();
	for (i = 0; i < 30; i++)
		lens[i] = 60;
	for (i = 1; i <= 30; i++) {
		m = vx_frame(&port, 0, lens, i);
		assert_int_equal(i <= 16, vx_tx_prepare(port.eth->data->tx_queues[0], &m, 1));
		m->ol_flags = RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IPV4;
		m->l2_len = 14;
		m->l3_len = 20;
		m->l4_len = 20;
		m->tso_segsz = 500;
		assert_int_equal(i <= 24, vx_tx_prepare(port.eth->data->tx_queues[0], &m, 1));
		assert_int_equal(1, vx_send(&port, &m, 1));
		assert_int_equal(i <= 24, hand_send_all(&hand, &sent));
	}
	assert_int_equal(6, vx_tx_stats(&port).errors);
	bare_close(&port);
}

/* What others read is not written: only a frame that is right already may pass. */
static void
shared_headers_stay_as_they_are(void **state)
{
	struct rte_mbuf *owner;

	(void)state;
	begin();
	owner = make_tcp(RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IP_CKSUM);
	m = rte_pktmbuf_clone(owner, port.tx_pool);
	refused(EINVAL);
	assert_memory_equal(frame.data, rte_pktmbuf_mtod(owner, uint8_t *), frame.len);
	rte_mbuf_refcnt_update(owner, 1);
	m = owner;
	refused(EINVAL);
	assert_memory_equal(frame.data, rte_pktmbuf_mtod(owner, uint8_t *), frame.len);
	/* Prepared while it had one owner. */
	assert_int_equal(1, vx_tx_prepare(port.eth->data->tx_queues[0], &owner, 1));
	m = rte_pktmbuf_clone(owner, port.tx_pool);
	m->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
	assert_int_equal(1, vx_tx_prepare(port.eth->data->tx_queues[0], &m, 1));
	rte_pktmbuf_free(m);
	rte_pktmbuf_free(owner);
	bare_close(&port);
}

static void
headers_in_pieces_are_refused(void **state)
{
	struct rte_mbuf *rest;

	(void)state;
	begin();
	make_tcp(RTE_MBUF_F_TX_TCP_CKSUM);
	rest = rte_pktmbuf_alloc(port.tx_pool);
	memcpy(rte_pktmbuf_append(rest, (uint16_t)(frame.len - 40)), frame.data + 40, frame.len - 40);
	rte_pktmbuf_trim(m, (uint16_t)(frame.len - 40));
	rte_pktmbuf_chain(m, rest);
	refused(EINVAL);
	bare_close(&port);
}

/* The count is of those before the bad one. */
static void
it_stops_at_the_first_bad_one(void **state)
{
	struct rte_mbuf *list[4];
	uint32_t i;

	(void)state;
	begin();
	for (i = 0; i < 4; i++)
		list[i] = make_tcp(i == 2 ? RTE_MBUF_F_TX_SCTP_CKSUM : RTE_MBUF_F_TX_TCP_CKSUM);
	assert_int_equal(2, vx_tx_prepare(port.eth->data->tx_queues[0], list, 4));
	assert_int_equal(ENOTSUP, rte_errno);
	rte_pktmbuf_free_bulk(list, 4);
	bare_close(&port);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksums_come_out_right),
		cmocka_unit_test(large_frames_have_a_seed_without_length),
		cmocka_unit_test(tags_are_inserted),
		cmocka_unit_test(the_ipv4_header_needs_no_prepare),
		cmocka_unit_test(requests_that_cannot_be),
		cmocka_unit_test(numbers_of_segments),
		cmocka_unit_test(shared_headers_stay_as_they_are),
		cmocka_unit_test(headers_in_pieces_are_refused),
		cmocka_unit_test(it_stops_at_the_first_bad_one),
	};

	return cmocka_run_group_tests(tests, vx_eal, NULL);
}
