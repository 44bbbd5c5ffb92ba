/* SPDX-License-Identifier: BSD-3-Clause */
/* Receive queues by hash: every frame in its queue, with its hash, as a plain Toeplitz has it. */
#include <rte_common.h>

#include "card.h"

#define TCP 6
#define UDP 17

/* The Toeplitz hash bit by bit. */
static uint32_t
toeplitz(const uint8_t *key, const uint8_t *data, uint32_t len)
{
	uint32_t hash = 0, i, k;
	uint64_t window;

	for (i = 0; i < len * 8; i++) {
		if (!(data[i / 8] >> (7 - i % 8) & 1))
			continue;
		for (window = 0, k = 0; k < 32; k++)
			window = window << 1 | (key[(i + k) / 8] >> (7 - (i + k) % 8) & 1);
		hash ^= (uint32_t)window;
	}
	return hash;
}

static uint32_t
hash_of(const struct built *f, const uint8_t *key, bool ports)
{
	uint32_t at = f->l2 + (f->ipv6 ? 8 : 12), n = f->ipv6 ? 32 : 8;
	uint8_t tuple[36];

	memcpy(tuple, f->data + at, n);
	if (ports)
		memcpy(tuple + n, f->data + l4_at(f), 4);
	return toeplitz(key, tuple, ports ? n + 4 : n);
}

static void
fill_rss(struct mini *m, uint32_t table_size)
{
	struct vmxnet3_rss_conf *rss = mini_rss(m);
	uint32_t i;

	rss->hash_type = 0xf;
	rss->hash_func = 1;
	rss->hash_key_size = 40;
	rss->ind_table_size = (uint16_t)table_size;
	for (i = 0; i < 40; i++)
		rss->hash_key[i] = (uint8_t)rnd(256);
	for (i = 0; i < table_size; i++)
		rss->ind_table[i] = (uint8_t)rnd(m->conf.nb_rx);
}

/* Many flows at once; each arrives at its queue, in its order, with its hash. */
static void
spread(struct card *a, struct card *b, bool udp_ports)
{
	enum { FRAMES = 40 };
	static struct built f[FRAMES];
	const struct vmxnet3_rss_conf *rss = mini_rss(&b->m);
	struct mini_frame got;
	struct shape s;
	uint32_t i, q, hash, type;
	bool ports;

	for (i = 0; i < FRAMES; i++) {
		shuffle(&s);
		build(&f[i], &s);
		put16(f[i].data + l4_at(&f[i]), rnd(65536));
		if (i % 8 == 7)
			put16(f[i].data + f[i].l2 - 2, 0x88b5);
		send_split(a, 0, f[i].data, f[i].len, 1 + rnd(4), NULL);
	}
	assert_int_equal(FRAMES, carry(a, 0, b));
	expect_reaped(a, 0, FRAMES);
	for (i = 0; i < FRAMES; i++) {
		ports = f[i].proto == TCP || udp_ports;
		hash = hash_of(&f[i], rss->hash_key, ports);
		type = (f[i].ipv6 ? 3 : 1) + (ports ? 1 : 0);
		if (ports && f[i].proto == UDP)
			type = f[i].ipv6 ? 6 : 5;
		q = rss->ind_table[hash % rss->ind_table_size];
		if (i % 8 == 7)
			q = hash = type = 0;
		expect_frame(b, q, &got);
		expect_bytes(&got, f[i].data, f[i].len);
		assert_int_equal(type, got.rss_type);
		assert_int_equal(hash, got.hash);
	}
	for (q = 0; q < b->m.conf.nb_rx; q++) {
		expect_silence(b, q);
		mini_refill(&b->m, q, UINT32_MAX);
	}
}

static void
queues_by_hash(void **state)
{
	static const struct {
		uint32_t revision, queues, table;
	} cases[] = { { 1, 4, 64 }, { 2, 8, 100 }, { 3, 1, 128 }, { 7, 4, 128 }, { 7, 32, 128 },
		{ 7, 3, 1 } };
	const struct card_opts opts = { .memory = 160u << 20 };
	struct card a, b;
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		struct mini_conf ca = roomy(3), cb = roomy(cases[i].revision);
		int round;

		cb.nb_rx = cases[i].queues;
		cb.head_len = 300;
		cb.body_len = 500;
		cb.features |= VMXNET3_F_RSS;
		card_open(&a, &ca, NULL);
		card_open(&b, &cb, &opts);
		for (round = 0; round < 5; round++) {
			fill_rss(&b.m, cases[i].table);
			mini_cmd(&b.m, VMXNET3_CMD_UPDATE_RSSIDT);
			spread(&a, &b, false);
		}
		mini_shared(&b.m)->cmd_info.rss_fields = 0xf;
		mini_cmd(&b.m, VMXNET3_CMD_SET_RSS_FIELDS);
		spread(&a, &b, cases[i].revision >= 7);
		card_close(&a);
		card_close(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queues_by_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
