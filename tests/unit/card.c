/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include <rte_common.h>
#include <vmxnet3_rev.h>

#include "card.h"

#define DEFAULT_MEMORY (32u << 20)

static uint64_t
now(void *ctx)
{
	return ((struct card *)ctx)->now;
}

static void
raise_intr(void *ctx, uint32_t index, uint32_t vector)
{
	struct card *c = ctx;

	(void)index;
	__atomic_fetch_add(&c->raised[vector], 1, __ATOMIC_RELAXED);
}

static void
quiesce(void *ctx)
{
	struct card *c = ctx;

	if (c->quiesce != NULL)
		c->quiesce(c);
}

/* As a transport does: the device lets go of what is gone, then the readers do. */
static void
table_quiesce(void *ctx)
{
	struct card *c = ctx;

	if (c->dev != NULL)
		vmxnet3_dev_dma_changed(c->dev);
}

static void
log_line(void *ctx, enum vmxnet3_log_level level, const char *line)
{
	(void)ctx;
	if (getenv("CARD_LOG") != NULL)
		fprintf(stderr, "[%d] %s\n", level, line);
}

void
card_open(struct card *c, const struct mini_conf *conf, const struct card_opts *opts)
{
	const struct card_opts usual = { 0 };
	const struct vmxnet3_dev_ops ops = { .ctx = c, .quiesce = quiesce, .now = now,
		.log = log_line };
	const struct vmxnet3_intr_ops intr = { .ctx = c, .raise = raise_intr };
	struct vmxnet3_dev_conf dev_conf = {
		.name = "card",
		.mac = CARD_MAC,
		.max_tx_queues = VMXNET3_MAX_TX_QUEUES,
		.max_rx_queues = VMXNET3_MAX_RX_QUEUES,
		.revisions = VMXNET3_REV_MASK_SUPPORTED,
		.mtu = VMXNET3_MTU_MAX,
		.link_speed = 10000,
	};
	char why[256] = "";

	if (opts == NULL)
		opts = &usual;
	dev_conf.skip_local_csum = opts->skip_local_csum;
	dev_conf.whole_tunnel_tso = opts->whole_tunnel_tso;
	memset(c, 0, sizeof(*c));
	c->now = 1000000000;
	c->quiesce = opts->quiesce;
	c->dev = vmxnet3_dev_create(&dev_conf, &ops, why, sizeof(why));
	if (c->dev == NULL)
		fail_msg("no device: %s", why);
	assert_int_equal(0, mini_mem_init(&c->mem, opts->memory ? opts->memory : DEFAULT_MEMORY,
		opts->scattered, table_quiesce, c));
	vmxnet3_dev_attach(c->dev, c->mem.dma, &intr);
	c->burst = vmxnet3_burst_create();
	assert_non_null(c->burst);
	mini_init(&c->m, c->dev, &c->mem, conf);
	if (mini_activate(&c->m) != 0)
		fail_msg("%s", c->m.error);
}

void
card_close(struct card *c)
{
	vmxnet3_dev_detach(c->dev);
	mini_fini(&c->m);
	vmxnet3_dev_destroy(c->dev);
	c->dev = NULL;
	mini_mem_fini(&c->mem);
	vmxnet3_burst_destroy(c->burst);
}

uint16_t
carry(struct card *from, uint32_t q, struct card *to)
{
	struct offload_frame *frames, *list[VMXNET3_BURST_FRAMES];
	uint16_t i, n;

	n = vmxnet3_dev_tx_begin(from->dev, (uint16_t)q, from->burst, VMXNET3_BURST_FRAMES, &frames);
	if (n == 0)
		return 0;
	for (i = 0; i < n; i++)
		list[i] = &frames[i];
	if (to != NULL)
		vmxnet3_dev_deliver(to->dev, list, n);
	vmxnet3_dev_tx_end(from->dev, (uint16_t)q, from->burst);
	return n;
}

uint64_t
drops(struct card *c, enum vmxnet3_drop reason)
{
	struct vmxnet3_dev_stats s;

	vmxnet3_dev_stats_get(c->dev, &s);
	return s.drops[reason];
}

void
expect_frame(struct card *c, uint32_t q, struct mini_frame *f)
{
	int ret = mini_recv(&c->m, q, f);

	if (ret != 1)
		fail_msg("%s", ret == 0 ? "no frame" : c->m.error);
}

void
expect_silence(struct card *c, uint32_t q)
{
	struct mini_frame f;
	int ret = mini_recv(&c->m, q, &f);

	if (ret != 0)
		fail_msg("%s", ret == 1 ? "a frame that should not be there" : c->m.error);
}

void
expect_reaped(struct card *c, uint32_t q, int n)
{
	int ret = mini_reap(&c->m, q);

	if (ret < 0)
		fail_msg("%s", c->m.error);
	assert_int_equal(n, ret);
}

void
expect_bytes(const struct mini_frame *f, const uint8_t *data, uint32_t len)
{
	uint32_t i;

	assert_int_equal(len < 60 ? 60 : len, f->len);
	for (i = 0; i < f->len; i++) {
		if (f->data[i] != (i < len ? data[i] : 0))
			fail_msg("byte %u of %u is %02x", i, len, f->data[i]);
	}
}

void
send_split(struct card *c, uint32_t q, const uint8_t *data, uint32_t len, uint32_t max_parts,
	const struct mini_offload *o)
{
	uint32_t split[64], nb = 0, left = len, most;

	if (max_parts > 64)
		max_parts = 64;
	while (left > 0) {
		most = left < VMXNET3_TXD_LEN_ZERO ? left : VMXNET3_TXD_LEN_ZERO;
		split[nb] = nb + 1 >= max_parts || nb >= 58 ? most :
			1 + rnd(rnd(2) ? most : RTE_MIN(most, 80u));
		left -= split[nb++];
	}
	if (mini_send(&c->m, q, data, len, split, nb, o) != 0)
		fail_msg("%s", c->m.error);
}

struct mini_conf
roomy(uint32_t revision)
{
	struct mini_conf conf = mini_conf_default(revision);

	conf.tx_size = conf.tx_comp_size = 512;
	conf.mtu = 9000;
	conf.head_len = 2048;
	conf.body_len = 4096;
	return conf;
}

void
shuffle(struct shape *s)
{
	*s = (struct shape){
		.tags = rnd(3),
		.tpid = rnd(2) ? 0x88a8 : 0,
		.ipv6 = rnd(2),
		.proto = rnd(2) ? 6 : 17,
		.l3_extra = rnd(3) * 8,
		.tcp_options = rnd(4) * 4,
		.payload = rnd(4) ? rnd(1400) : rnd(20),
		.ip_id = (uint16_t)rnd(65536),
		.seq = rnd(UINT32_MAX),
		.tcp_flags = (uint16_t)(0x010 | rnd(2) << 3 | rnd(2)),
	};
}

void
tag(struct built *f, uint16_t tci)
{
	memmove(f->data + 16, f->data + 12, f->len - 12);
	put16(f->data + 12, 0x8100);
	put16(f->data + 14, tci);
	f->len += 4;
	f->l2 += 4;
}

void
cut_piece(struct built *piece, const struct built *large, const struct shape *s, uint32_t mss, uint32_t i)
{
	uint32_t hdr = l4_at(large) + large->l4;
	uint32_t payload = large->len - hdr, at = i * mss;
	uint32_t n = RTE_MIN(mss, payload - at);
	bool last = at + n == payload;
	uint8_t *ip = piece->data + large->l2;
	uint8_t *tcp = piece->data + l4_at(large);

	memcpy(piece, large, offsetof(struct built, data));
	memcpy(piece->data, large->data, hdr);
	memcpy(piece->data + hdr, large->data + hdr + at, n);
	piece->len = hdr + n;
	put32(tcp + 4, s->seq + at);
	put16(tcp + 12, (large->l4 / 4) << 12 | (s->tcp_flags & ~(last ? 0u : 0x09u) &
		~(i == 0 ? 0u : 0x80u)));
	if (s->ipv6) {
		put16(ip + 4, large->l3 - 40 + large->l4 + n);
	} else {
		put16(ip + 2, large->l3 + large->l4 + n);
		put16(ip + 4, s->ip_id + i);
		seal_ipv4(piece);
	}
	put_csum(piece);
}

void
unseal(struct built *f)
{
	if (!f->ipv6)
		put16(f->data + f->l2 + 10, 0);
	put16(f->data + field_at(f), plain_pseudo(f->data, f->l2, f->ipv6, f->proto, 0));
}

struct built frame;

void
make_frame(uint32_t payload)
{
	struct shape s = { .proto = 6, .payload = payload };

	build(&frame, &s);
}

void
expect_alive(struct card *c, bool reactivate)
{
	struct mini_frame got;

	if (reactivate && mini_activate(&c->m) != 0)
		fail_msg("%s", c->m.error);
	make_frame(300);
	send_split(c, 0, frame.data, frame.len, 3, NULL);
	assert_int_equal(1, carry(c, 0, c));
	expect_reaped(c, 0, 1);
	expect_frame(c, 0, &got);
	expect_bytes(&got, frame.data, frame.len);
	expect_silence(c, 0);
}

void
usual(struct card *c, uint32_t revision)
{
	struct mini_conf conf = mini_conf_default(revision);

	card_open(c, &conf, NULL);
}
