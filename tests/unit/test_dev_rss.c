/* SPDX-License-Identifier: BSD-3-Clause */
/* Receive queues by hash: every frame in its queue, with its hash, as a plain Toeplitz has it. */
#include <rte_common.h>

#include <offload_rss.h>

#include "card.h"
#include "tunnel_frames.h"

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
	} cases[] = { { 1, 4, 64 }, { 2, 8, 100 }, { 3, 1, 128 }, { 4, 8, 64 }, { 6, 32, 128 }, { 7, 4, 128 },
		{ 7, 32, 128 }, { 9, 3, 1 } };
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
		cb.dcr = cases[i].revision >= 7 ? VMXNET3_CAP_UDP_RSS : 0;
		card_open(&a, &ca, NULL);
		card_open(&b, &cb, &opts);
		for (round = 0; round < 5; round++) {
			fill_rss(&b.m, cases[i].table);
			mini_cmd(&b.m, VMXNET3_CMD_UPDATE_RSSIDT);
			spread(&a, &b, false);
		}
		mini_shared(&b.m)->cmd_info.rss_fields = 0xf;
		mini_cmd(&b.m, VMXNET3_CMD_SET_RSS_FIELDS);
		spread(&a, &b, cases[i].revision >= 4);
		card_close(&a);
		card_close(&b);
	}
}

/* ---- settings ---- */

static const struct card_opts much_memory = { .memory = 160u << 20 };

static void
open_rss(struct card *c, uint32_t revision, uint32_t queues)
{
	struct mini_conf conf = roomy(revision);

	conf.nb_rx = queues;
	conf.features |= VMXNET3_F_RSS;
	card_open(c, &conf, &much_memory);
	fill_rss(&c->m, 128);
	mini_cmd(&c->m, VMXNET3_CMD_UPDATE_RSSIDT);
}

/* Sends one frame to itself and says where and how it arrived. */
static void
probe(struct card *c, const struct shape *s, uint32_t *queue, struct mini_frame *got)
{
	static struct built f;
	int ret = 0;

	build(&f, s);
	send_split(c, 0, f.data, f.len, 3, NULL);
	assert_int_equal(1, carry(c, 0, c));
	expect_reaped(c, 0, 1);
	for (*queue = 0; *queue < c->m.conf.nb_rx && ret == 0; *queue += ret == 0)
		ret = mini_recv(&c->m, *queue, got);
	if (ret != 1)
		fail_msg("%s", ret == 0 ? "no frame" : c->m.error);
	mini_refill(&c->m, *queue, UINT32_MAX);
}

static uint32_t
probed_type(struct card *c, uint8_t proto, bool ipv6)
{
	struct shape s = { .proto = proto, .ipv6 = ipv6, .payload = 100 };
	struct mini_frame got;
	uint32_t queue;

	probe(c, &s, &queue, &got);
	return got.rss_type;
}

static void
expect_info(struct card *c, uint32_t types, uint32_t fields, uint32_t caps)
{
	struct vmxnet3_dev_info info;

	vmxnet3_dev_info_get(c->dev, &info);
	assert_int_equal(types, info.rss_types);
	assert_int_equal(fields, info.rss_fields);
	assert_int_equal(caps, info.caps);
}

static uint32_t
set_fields(struct card *c, uint32_t fields)
{
	mini_shared(&c->m)->cmd_info.rss_fields = fields;
	assert_int_equal(0, mini_cmd(&c->m, VMXNET3_CMD_SET_RSS_FIELDS));
	return mini_cmd(&c->m, VMXNET3_CMD_GET_RSS_FIELDS);
}

/* From revision 7 on, what goes beyond TCP needs its capability; each change counts from the next frame on. */
static void
fields_need_their_capability(void **state)
{
	struct card c;

	(void)state;
	open_rss(&c, 7, 4);
	assert_int_equal(0x3, set_fields(&c, UINT32_MAX));
	assert_int_equal(VMXNET3_RSS_TYPE_IPV4, probed_type(&c, UDP, false));
	expect_info(&c, OFFLOAD_RSS_IPV4 | OFFLOAD_RSS_TCP_IPV4 | OFFLOAD_RSS_IPV6 | OFFLOAD_RSS_TCP_IPV6, 0x3, 0);
	mini_write(&c.m, 1, VMXNET3_REG_DCR, UINT32_MAX);
	assert_int_equal(0x3f3f, mini_cmd(&c.m, VMXNET3_CMD_GET_RSS_FIELDS));
	assert_int_equal(VMXNET3_RSS_TYPE_UDP4, probed_type(&c, UDP, false));
	assert_int_equal(VMXNET3_RSS_TYPE_UDP6, probed_type(&c, UDP, true));
	mini_write(&c.m, 1, VMXNET3_REG_DCR, VMXNET3_CAP_ESP_RSS_IPV4);
	assert_int_equal(0x13, mini_cmd(&c.m, VMXNET3_CMD_GET_RSS_FIELDS));
	assert_int_equal(VMXNET3_RSS_TYPE_IPV6, probed_type(&c, UDP, true));
	mini_write(&c.m, 1, VMXNET3_REG_DCR, VMXNET3_CAP_ESP_RSS_IPV6 | VMXNET3_CAP_INNER_RSS);
	assert_int_equal(0x3f23, mini_cmd(&c.m, VMXNET3_CMD_GET_RSS_FIELDS));
	mini_write(&c.m, 1, VMXNET3_REG_DCR, VMXNET3_CAP_UDP_RSS);
	assert_int_equal(0x4, set_fields(&c, VMXNET3_RSS_FIELDS_UDPIP4));
	assert_int_equal(VMXNET3_RSS_TYPE_UDP4, probed_type(&c, UDP, false));
	assert_int_equal(VMXNET3_RSS_TYPE_IPV6, probed_type(&c, UDP, true));
	assert_int_equal(VMXNET3_RSS_TYPE_IPV4, probed_type(&c, TCP, false));
	expect_info(&c, OFFLOAD_RSS_IPV4 | OFFLOAD_RSS_IPV6 | OFFLOAD_RSS_UDP_IPV4, 0x4, VMXNET3_CAP_UDP_RSS);
	card_close(&c);
	/* Before, there is no such gate; and before revision 4 no such command. */
	open_rss(&c, 4, 4);
	assert_int_equal(0x3f3f, set_fields(&c, UINT32_MAX));
	assert_int_equal(VMXNET3_RSS_TYPE_UDP4, probed_type(&c, UDP, false));
	card_close(&c);
	open_rss(&c, 3, 4);
	assert_int_equal(0, set_fields(&c, UINT32_MAX));
	assert_int_equal(VMXNET3_RSS_TYPE_IPV4, probed_type(&c, UDP, false));
	assert_int_equal(VMXNET3_RSS_TYPE_TCP6, probed_type(&c, TCP, true));
	card_close(&c);
}

static void
update_features(struct card *c, uint32_t features)
{
	c->m.conf.features = features;
	mini_shared(&c->m)->misc.upt_features = features;
	mini_cmd(&c->m, VMXNET3_CMD_UPDATE_FEATURE);
}

/* One frame to itself; it must arrive with this hash and type, in the queue that the table has for the hash. */
static void
expect_hashed(struct card *c, const struct built *f, uint32_t hash, uint32_t type, bool inner)
{
	const struct vmxnet3_rss_conf *rss = mini_rss(&c->m);
	struct mini_frame got;
	uint32_t queue = rss->ind_table[hash % rss->ind_table_size];

	send_split(c, 0, f->data, f->len, 3, NULL);
	assert_int_equal(1, carry(c, 0, c));
	expect_reaped(c, 0, 1);
	expect_frame(c, queue, &got);
	expect_bytes(&got, f->data, f->len);
	assert_int_equal(hash, got.hash);
	assert_int_equal(type, got.rss_type);
	assert_int_equal(inner, got.inner_hash);
	mini_refill(&c->m, queue, UINT32_MAX);
}

/* ESP by its SPI, which is where ports would be. */
static void
esp_is_hashed(void **state)
{
	static struct built f;
	struct card c;
	uint32_t i;

	(void)state;
	open_rss(&c, 4, 4);
	for (i = 0; i < 64; i++) {
		struct shape s = { .proto = UDP, .ipv6 = i % 2, .payload = 100 };
		uint32_t fields = i % 3 == 0 ? 0 : VMXNET3_RSS_FIELDS_ESPIP4 | VMXNET3_RSS_FIELDS_ESPIP6;

		assert_int_equal(fields, set_fields(&c, fields));
		build(&f, &s);
		f.data[f.l2 + (s.ipv6 ? 6 : 9)] = 50;
		if (!s.ipv6)
			seal_ipv4(&f);
		put32(f.data + l4_at(&f), rnd(UINT32_MAX));
		expect_hashed(&c, &f, hash_of(&f, mini_rss(&c.m)->hash_key, fields != 0),
			(s.ipv6 ? 3 : 1) + (fields != 0 ? (s.ipv6 ? 5 : 6) : 0), false);
	}
	card_close(&c);
}

/* Headers inside of a tunnel, when there are fields for them; else those outside. */
static void
inner_headers_are_hashed(void **state)
{
	static struct built in, f;
	struct card c;
	uint32_t i;

	(void)state;
	open_rss(&c, 7, 4);
	mini_write(&c.m, 1, VMXNET3_REG_DCR, VMXNET3_CAP_INNER_RSS);
	for (i = 0; i < 200; i++) {
		const uint8_t *key = mini_rss(&c.m)->hash_key;
		uint32_t ip, type;
		struct tunnel t;
		struct shape s;

		shuffle(&s);
		s.tags = 0;
		s.l3_extra = 0;
		shuffle_tunnel(&t);
		t.options = 8;
		build(&in, &s);
		put16(in.data + l4_at(&in), rnd(65536));
		wrap(&f, &in, &t);
		ip = s.ipv6 ? 3 : 1;
		switch (i % 4) {
		case 0: /* of the outside: addresses, since UDP is not asked for */
			set_fields(&c, VMXNET3_RSS_FIELDS_TCPIP4);
			expect_hashed(&c, &f, hash_of(&f, key, false), t.ipv6 ? 3 : 1, false);
			break;
		case 1: /* addresses inside */
			set_fields(&c, VMXNET3_RSS_FIELDS_INNER_IP4 | VMXNET3_RSS_FIELDS_INNER_IP6);
			expect_hashed(&c, &f, hash_of(&in, key, false), ip, true);
			break;
		case 2: /* ports inside, of TCP alone */
			set_fields(&c, VMXNET3_RSS_FIELDS_INNER_TCPIP4 | VMXNET3_RSS_FIELDS_INNER_TCPIP6);
			if (s.proto == TCP)
				expect_hashed(&c, &f, hash_of(&in, key, true), ip + 1, true);
			else
				expect_hashed(&c, &f, hash_of(&f, key, false), t.ipv6 ? 3 : 1, false);
			break;
		default:
			set_fields(&c, 0x3f00);
			type = s.proto == TCP ? ip + 1 : s.ipv6 ? 6 : 5;
			expect_hashed(&c, &f, hash_of(&in, key, true), type, true);
		}
	}
	card_close(&c);
}

/* UPDATE_FEATURE starts and stops it, with what RSSConf has then. */
static void
starts_and_stops_at_run_time(void **state)
{
	struct shape s = { .proto = TCP, .payload = 100 };
	struct mini_frame got;
	uint32_t queue, i;
	struct card c;

	(void)state;
	open_rss(&c, 7, 4);
	for (i = 0; i < 6; i++) {
		memset(mini_rss(&c.m)->ind_table, 1 + (int)i % 3, 128);
		update_features(&c, VMXNET3_F_RXCSUM | (i % 2 == 0 ? 0 : VMXNET3_F_RSS));
		probe(&c, &s, &queue, &got);
		assert_int_equal(i % 2 == 0 ? 0 : 1 + i % 3, queue);
		assert_int_equal(i % 2 == 0 ? 0 : VMXNET3_RSS_TYPE_TCP4, got.rss_type);
	}
	card_close(&c);
}

/* Entries of the table that name no queue mean queue 0; the others keep theirs. */
static void
entries_beyond_the_queues_are_0(void **state)
{
	struct mini_frame got;
	uint32_t queue, i, seen = 0;
	struct card c;

	(void)state;
	open_rss(&c, 7, 3);
	for (i = 0; i < 128; i++)
		mini_rss(&c.m)->ind_table[i] = (uint8_t)(i % 2 ? 2 : 3 + i);
	mini_cmd(&c.m, VMXNET3_CMD_UPDATE_RSSIDT);
	for (i = 0; i < 64; i++) {
		struct shape s = { .proto = TCP, .payload = 100, .ipv6 = i % 2, .seq = i };
		static struct built f;

		build(&f, &s);
		put16(f.data + l4_at(&f), i);
		send_split(&c, 0, f.data, f.len, 2, NULL);
		assert_int_equal(1, carry(&c, 0, &c));
		expect_reaped(&c, 0, 1);
		queue = hash_of(&f, mini_rss(&c.m)->hash_key, true) % 2 ? 2 : 0;
		seen |= 1u << queue;
		expect_frame(&c, queue, &got);
		expect_silence(&c, 2 - queue);
		expect_silence(&c, 1);
	}
	assert_int_equal(0x5, seen);
	card_close(&c);
}

/* Each is refused by name and counted; all goes to queue 0, without a hash, until there is something usable. */
static void
nonsense_settings_are_refused(void **state)
{
	static const struct {
		uint16_t func, key, table;
		uint32_t len;
	} bad[] = {
		{ 1, 0, 128, 176 }, { 1, 16, 128, 176 }, { 1, 39, 128, 176 }, { 1, 41, 128, 176 },
		{ 1, 52, 128, 176 }, { 1, UINT16_MAX, 128, 176 }, { 0, 40, 128, 176 }, { 2, 40, 128, 176 },
		{ 1, 40, 0, 176 }, { 1, 40, 129, 176 }, { 1, 40, UINT16_MAX, 176 }, { 1, 40, 128, 175 },
		{ 1, 40, 128, 47 }, { 1, 40, 128, 0 },
	};
	struct shape s = { .proto = TCP, .payload = 100 };
	struct vmxnet3_dev_info info;
	struct mini_frame got;
	uint32_t queue;
	struct card c;
	size_t i;

	(void)state;
	open_rss(&c, 7, 4);
	memset(mini_rss(&c.m)->ind_table, 3, 128);
	mini_cmd(&c.m, VMXNET3_CMD_UPDATE_RSSIDT);
	vmxnet3_dev_info_get(c.dev, &info);
	/* The fixture activates with nothing there. */
	assert_int_equal(1, info.rss_refused);
	for (i = 0; i < RTE_DIM(bad); i++) {
		struct vmxnet3_rss_conf *rss = mini_rss(&c.m);

		probe(&c, &s, &queue, &got);
		assert_true(queue == 3 && got.rss_type == VMXNET3_RSS_TYPE_TCP4);
		rss->hash_func = bad[i].func;
		rss->hash_key_size = bad[i].key;
		rss->ind_table_size = bad[i].table;
		mini_shared(&c.m)->rss_conf.len = bad[i].len;
		mini_cmd(&c.m, VMXNET3_CMD_UPDATE_RSSIDT);
		probe(&c, &s, &queue, &got);
		assert_true(queue == 0 && got.rss_type == 0);
		vmxnet3_dev_info_get(c.dev, &info);
		assert_int_equal(2 + i, info.rss_refused);
		rss->hash_func = 1;
		rss->hash_key_size = 40;
		rss->ind_table_size = 128;
		mini_shared(&c.m)->rss_conf.len = 176;
		mini_cmd(&c.m, VMXNET3_CMD_UPDATE_RSSIDT);
	}
	mini_shared(&c.m)->rss_conf.pa = MINI_MEM_IOVA - 100;
	mini_cmd(&c.m, VMXNET3_CMD_UPDATE_RSSIDT);
	probe(&c, &s, &queue, &got);
	assert_true(queue == 0 && got.rss_type == 0);
	expect_alive(&c, false);
	card_close(&c);
}

/* Queues come and go with each activation of the same driver: the table counts for those that are there. */
static void
queues_change_with_the_activation(void **state)
{
	static const uint32_t counts[] = { 4, 1, 8, 3, 32, 2 };
	struct mini_conf conf;
	struct card a, b;
	size_t i;

	(void)state;
	conf = roomy(3);
	card_open(&a, &conf, NULL);
	open_rss(&b, 7, counts[0]);
	for (i = 0; i < RTE_DIM(counts); i++) {
		if (i > 0) {
			conf = b.m.conf;
			conf.nb_rx = conf.nb_tx = counts[i];
			conf.rx_size[0] = conf.rx_size[1] = 64;
			conf.rx_comp_size = 128;
			mini_fini(&b.m);
			mini_init(&b.m, b.dev, &b.mem, &conf);
			fill_rss(&b.m, 128);
			assert_int_equal(0, mini_activate(&b.m));
			assert_int_equal(counts[i], vmxnet3_dev_nb_tx_queues(b.dev));
		}
		spread(&a, &b, false);
	}
	card_close(&a);
	card_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queues_by_hash),
		cmocka_unit_test(fields_need_their_capability),
		cmocka_unit_test(esp_is_hashed),
		cmocka_unit_test(inner_headers_are_hashed),
		cmocka_unit_test(starts_and_stops_at_run_time),
		cmocka_unit_test(entries_beyond_the_queues_are_0),
		cmocka_unit_test(nonsense_settings_are_refused),
		cmocka_unit_test(queues_change_with_the_activation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
