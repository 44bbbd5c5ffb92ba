/* SPDX-License-Identifier: BSD-3-Clause */
/* The vectors of "Verifying the RSS Hash Calculation" in Microsoft's driver documentation. */
#include "offload_tunnels.h"

#include <arpa/inet.h>

#include <rte_thash.h>

#include <offload_rss.h>
#include <offload_toeplitz.h>

#define ALL_TYPES OFFLOAD_RSS_OUTER_ALL
#define TABLE     128
#define FLOWS     100000

static const uint8_t ms_key[OFFLOAD_RSS_KEY_BYTES] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

struct vector {
	const char *src, *dst;
	uint16_t src_port, dst_port;
	uint32_t addresses, ports; /* the hash of each kind */
};

static const struct vector vectors4[] = {
	{ "66.9.149.187", "161.142.100.80", 2794, 1766, 0x323e8fc2, 0x51ccc178 },
	{ "199.92.111.2", "65.69.140.83", 14230, 4739, 0xd718262a, 0xc626b0ea },
	{ "24.19.198.95", "12.22.207.184", 12898, 38024, 0xd2d0a5de, 0x5c2b394a },
	{ "38.27.205.30", "209.142.163.6", 48228, 2217, 0x82989176, 0xafc7327f },
	{ "153.39.163.191", "202.188.127.2", 44251, 1303, 0x5d1809c5, 0x10e828a2 },
};

static const struct vector vectors6[] = {
	{ "3ffe:2501:200:1fff::7", "3ffe:2501:200:3::1", 2794, 1766, 0x2cc18cd5, 0x40207d3d },
	{ "3ffe:501:8::260:97ff:fe40:efab", "ff02::1", 14230, 4739, 0x0f0c461c, 0xdde51bbf },
	{ "3ffe:1900:4545:3:200:f8ff:fe21:67cf", "fe80::200:f8ff:fe21:67cf", 44251, 38024,
		0x4b61e985, 0x02d1feef },
};

static struct built built;

static uint32_t
rnd32(void)
{
	rnd(1);
	return random_state;
}

static struct offload_rss_key key;

static int
set_key(void **state)
{
	(void)state;
	offload_rss_key_set(&key, ms_key);
	return memcmp(key.bytes, ms_key, sizeof(ms_key));
}

/* Addresses and ports into the IP packet at @p ip, whose header has @p l3 bytes. */
static void
put_vector(uint8_t *ip, uint32_t l3, const struct vector *v, bool ipv6)
{
	assert_int_equal(inet_pton(ipv6 ? AF_INET6 : AF_INET, v->src, ip + (ipv6 ? 8 : 12)), 1);
	assert_int_equal(inet_pton(ipv6 ? AF_INET6 : AF_INET, v->dst, ip + (ipv6 ? 24 : 16)), 1);
	put16(ip + l3, v->src_port);
	put16(ip + l3 + 2, v->dst_port);
}

static void
build_vector(const struct vector *v, bool ipv6, uint8_t proto, uint32_t extra)
{
	struct shape s = { .ipv6 = ipv6, .proto = proto, .l3_extra = extra, .payload = 10,
		.tags = extra ? 2 : 0 };

	build(&built, &s);
	put_vector(built.data + built.l2, built.l3, v, ipv6);
}

/* Hashes the built frame; the result must be of the set @p type (0: none) and equal @p hash. */
static void
check(uint32_t types, uint32_t type, uint32_t hash)
{
	struct split split;
	uint32_t got = 0;

	split_random(&split, built.data, built.len, OFFLOAD_HEADER_BYTES, 3);
	assert_int_equal(offload_rss_hash(&key, types, &split.f, &got), type);
	if (type)
		assert_int_equal(got, hash);
	split_free(&split);
}

static void
check_vector(const struct vector *v, bool ipv6, uint32_t extra)
{
	uint32_t ip = ipv6 ? OFFLOAD_RSS_IPV6 : OFFLOAD_RSS_IPV4;
	uint32_t tcp = ipv6 ? OFFLOAD_RSS_TCP_IPV6 : OFFLOAD_RSS_TCP_IPV4;
	uint32_t udp = ipv6 ? OFFLOAD_RSS_UDP_IPV6 : OFFLOAD_RSS_UDP_IPV4;

	build_vector(v, ipv6, 6, extra);
	check(ALL_TYPES, tcp, v->ports);
	check(tcp, tcp, v->ports);
	check(ALL_TYPES & ~tcp, ip, v->addresses);
	check(ip, ip, v->addresses);
	check(ALL_TYPES & ~(tcp | ip), 0, 0);
	check(0, 0, 0);

	build_vector(v, ipv6, 17, extra);
	check(ALL_TYPES, udp, v->ports);
	check(tcp | ip, ip, v->addresses);
	check(tcp, 0, 0);
}

static void
published_vectors(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < 5; i++) {
		check_vector(&vectors4[i], false, 0);
		check_vector(&vectors4[i], false, 12);
	}
	for (i = 0; i < 3; i++) {
		check_vector(&vectors6[i], true, 0);
		check_vector(&vectors6[i], true, 24);
	}
}

static void
fragments_by_address(void **state)
{
	(void)state;
	build_vector(&vectors4[0], false, 6, 0);
	put16(built.data + 20, 0x2000);
	check(ALL_TYPES, OFFLOAD_RSS_IPV4, vectors4[0].addresses);
	check(OFFLOAD_RSS_TCP_IPV4, 0, 0);

	build_vector(&vectors6[0], true, 17, 8);
	built.data[built.l2 + 6] = 44;
	check(ALL_TYPES, OFFLOAD_RSS_IPV6, vectors6[0].addresses);
}

static void
unhashable(void **state)
{
	(void)state;
	build_vector(&vectors4[0], false, 6, 0);
	put16(built.data + 12, 0x0806);
	check(ALL_TYPES, 0, 0);
	/* TCP cut short: addresses. */
	build_vector(&vectors4[0], false, 6, 0);
	built.len = 14 + 20 + 19;
	check(ALL_TYPES, OFFLOAD_RSS_IPV4, vectors4[0].addresses);
	built.len = 14 + 19;
	check(ALL_TYPES, 0, 0);
}

/* ---- against DPDK's ---- */

static void
random_key(void)
{
	uint8_t bytes[OFFLOAD_RSS_KEY_BYTES];
	uint32_t i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)rnd(256);
	offload_rss_key_set(&key, bytes);
}

/* A tuple of each length, by every way there is. */
static void
check_tuple(const uint8_t *bytes, uint32_t address_bytes, bool l4)
{
	struct offload_tuple t = { .addresses = bytes, .address_bytes = address_bytes,
		.l4 = l4 ? bytes + address_bytes : NULL };
	uint32_t words[9], n = address_bytes / 4 + l4, i, want;
	uint32_t swapped[OFFLOAD_RSS_KEY_BYTES / 4];

	for (i = 0; i < n; i++)
		words[i] = get32(bytes + 4 * i);
	want = rte_softrss(words, n, key.bytes);
	rte_convert_rss_key((const uint32_t *)key.bytes, swapped, sizeof(swapped));
	assert_int_equal(rte_softrss_be(words, n, (const uint8_t *)swapped), want);
	assert_int_equal(offload_toeplitz(&key, &t), want);
	assert_int_equal(offload_toeplitz_table(&key, &t), want);
}

static void
as_dpdk_hashes(void **state)
{
	uint8_t bytes[36];
	uint32_t i, k;

	(void)state;
	for (i = 0; i < 25000; i++) {
		random_key();
		for (k = 0; k < sizeof(bytes); k++)
			bytes[k] = (uint8_t)rnd(256);
		check_tuple(bytes, 8, false);
		check_tuple(bytes, 8, true);
		check_tuple(bytes, 32, false);
		check_tuple(bytes, 32, true);
	}
	/* Each bit of the input alone, and each of the key. */
	for (i = 0; i < 8 * sizeof(bytes); i++) {
		memset(bytes, 0, sizeof(bytes));
		bytes[i / 8] = (uint8_t)(0x80 >> i % 8);
		check_tuple(bytes, 8, true);
		check_tuple(bytes, 32, true);
	}
	memset(bytes, 0xff, sizeof(bytes));
	for (i = 0; i < 8 * OFFLOAD_RSS_KEY_BYTES; i++) {
		uint8_t k1[OFFLOAD_RSS_KEY_BYTES] = { 0 };

		k1[i / 8] = (uint8_t)(0x80 >> i % 8);
		offload_rss_key_set(&key, k1);
		check_tuple(bytes, 8, true);
		check_tuple(bytes, 32, true);
	}
	set_key(state);
}

/* ---- other protocols ---- */

static void
set_proto(struct built *b, uint32_t extra, uint8_t proto)
{
	b->data[b->l2 + (!b->ipv6 ? 9 : extra ? 40 : 6)] = proto;
}

/* The SPI is where the ports of the vectors are, so their hashes are the same. */
static void
esp_by_spi(void **state)
{
	uint32_t v6, extra;

	(void)state;
	for (v6 = 0; v6 < 2; v6++)
	for (extra = 0; extra <= 8; extra += 8) {
		const struct vector *v = v6 ? &vectors6[0] : &vectors4[0];
		uint32_t ip = v6 ? OFFLOAD_RSS_IPV6 : OFFLOAD_RSS_IPV4;
		uint32_t esp = v6 ? OFFLOAD_RSS_ESP_IPV6 : OFFLOAD_RSS_ESP_IPV4;

		build_vector(v, v6, 17, extra);
		set_proto(&built, extra, 50);
		check(ALL_TYPES, esp, v->ports);
		check(esp, esp, v->ports);
		check(ALL_TYPES & ~esp, ip, v->addresses);
		check(ALL_TYPES & ~(esp | ip), 0, 0);
		built.len = l4_at(&built) + 8;
		check(ALL_TYPES, esp, v->ports);
		built.len--; /* the header is cut short */
		check(ALL_TYPES, ip, v->addresses);
		built.len = l4_at(&built) + 1;
		check(ALL_TYPES, ip, v->addresses);
	}
	build_vector(&vectors4[0], false, 17, 0);
	set_proto(&built, 0, 50);
	put16(built.data + 20, 0x2000);
	check(ALL_TYPES, OFFLOAD_RSS_IPV4, vectors4[0].addresses);
}

static void
others_by_address(void **state)
{
	static const uint8_t protos[] = { 132, 1, 58, 51, 47, 4, 89 };
	uint32_t i;

	(void)state;
	for (i = 0; i < sizeof(protos); i++) {
		build_vector(&vectors4[1], false, 17, 0);
		set_proto(&built, 0, protos[i]);
		check(ALL_TYPES, OFFLOAD_RSS_IPV4, vectors4[1].addresses);
		if (protos[i] == 51)
			continue;
		build_vector(&vectors6[1], true, 17, 0);
		set_proto(&built, 0, protos[i]);
		check(ALL_TYPES, OFFLOAD_RSS_IPV6, vectors6[1].addresses);
	}
}

/* ---- inner headers ---- */

/* A vector's packet in a tunnel between two other addresses. */
static void
build_inside(const struct vector *v, bool ipv6, uint8_t proto, const struct wrap *w, bool outer_ipv6)
{
	struct shape o = { .ipv6 = outer_ipv6 }, i = { .ipv6 = ipv6, .proto = proto, .payload = 60 };
	static struct built inner;
	uint32_t at = wrap_up(&built, &inner, &o, &i, w);

	put_vector(built.data + at + (w->ethernet ? inner.l2 : 0), inner.l3, v, ipv6);
}

static uint32_t
hash_built(uint32_t types, uint32_t *type)
{
	struct split split;
	uint32_t hash = 0;

	split_random(&split, built.data, built.len, OFFLOAD_HEADER_BYTES, 4);
	*type = offload_rss_hash(&key, types, &split.f, &hash);
	split_free(&split);
	return hash;
}

static void
inner_headers(void **state)
{
	static const enum offload_tunnel kinds[] = { OFFLOAD_TUNNEL_VXLAN, OFFLOAD_TUNNEL_GENEVE, OFFLOAD_TUNNEL_NVGRE,
		OFFLOAD_TUNNEL_GRE, OFFLOAD_TUNNEL_IPIP };
	const uint32_t all = OFFLOAD_RSS_OUTER_ALL | OFFLOAD_RSS_INNER_ALL;
	uint32_t i, n, v6, outer_set, outer_hash, type;

	(void)state;
	for (i = 0; i < 5; i++)
	for (n = 0; n < 4; n++) {
		struct wrap w = wrap_of(kinds[i]);
		const struct vector *v;

		v6 = n & 1 && w.ethernet;
		v = v6 ? &vectors6[i % 3] : &vectors4[i];
		build_inside(v, v6, n & 2 ? 6 : 17, &w, n & 1);
		/* Without inner sets, as any frame. */
		outer_hash = hash_built(ALL_TYPES, &outer_set);
		assert_int_equal(outer_set, w.proto == 17 ? (n & 1 ? OFFLOAD_RSS_UDP_IPV6 : OFFLOAD_RSS_UDP_IPV4) :
			(n & 1 ? OFFLOAD_RSS_IPV6 : OFFLOAD_RSS_IPV4));
		assert_true(outer_hash != v->ports && outer_hash != v->addresses);

		type = n & 2 ? (v6 ? OFFLOAD_RSS_TCP_IPV6 : OFFLOAD_RSS_TCP_IPV4) :
			(v6 ? OFFLOAD_RSS_UDP_IPV6 : OFFLOAD_RSS_UDP_IPV4);
		check(all, OFFLOAD_RSS_INNER(type), v->ports);
		check(OFFLOAD_RSS_INNER(type), OFFLOAD_RSS_INNER(type), v->ports);
		/* Inner addresses before outer ports. */
		check(all & ~OFFLOAD_RSS_INNER(type), OFFLOAD_RSS_INNER(v6 ? OFFLOAD_RSS_IPV6 : OFFLOAD_RSS_IPV4),
			v->addresses);
		/* No inner set that fits. */
		check(ALL_TYPES | OFFLOAD_RSS_INNER(OFFLOAD_RSS_ESP_IPV4), outer_set, outer_hash);
		/* Nothing inside of a fragment. */
		if (!(n & 1)) {
			put16(built.data + 20, 0x2000);
			check(all, OFFLOAD_RSS_IPV4, hash_built(OFFLOAD_RSS_IPV4, &type));
		}
	}
	/* No tunnel: outer headers. */
	build_vector(&vectors4[0], false, 6, 0);
	check(all, OFFLOAD_RSS_TCP_IPV4, vectors4[0].ports);
	check(OFFLOAD_RSS_INNER_ALL, 0, 0);
}

/* ---- queues ---- */

static uint32_t
hash_flow(const struct shape *s, uint32_t src, uint32_t dst, uint32_t ports)
{
	uint32_t type, at, hash;

	build(&built, s);
	at = built.l2 + (s->ipv6 ? 20 : 12);
	put32(built.data + at, src);
	put32(built.data + at + (s->ipv6 ? 16 : 4), dst);
	put32(built.data + l4_at(&built), ports);
	hash = hash_built(ALL_TYPES, &type);
	assert_int_not_equal(type, 0);
	return hash;
}

static void
check_spread(const uint32_t *per_entry, uint32_t queues)
{
	uint32_t per_queue[TABLE] = { 0 }, i;

	for (i = 0; i < TABLE; i++)
		per_queue[i % queues] += per_entry[i];
	for (i = 0; i < queues; i++) {
		assert_true(per_queue[i] * queues >= FLOWS / 10 * 9);
		assert_true(per_queue[i] * queues <= FLOWS / 10 * 11);
	}
}

/* Flows of three kinds with Microsoft's key: any; clients behind one address; and of neighbours to one server. */
static void
flows_are_spread(void **state)
{
	uint32_t kind, i;

	(void)state;
	for (kind = 0; kind < 6; kind++) {
		struct shape s = { .proto = kind & 1 ? 6 : 17, .ipv6 = kind >= 3 };
		uint32_t per_entry[TABLE] = { 0 };

		for (i = 0; i < FLOWS; i++) {
			uint32_t src = 0x0a000002 + i / 50, dst = 0xc0a80001, ports = (20000 + i % 50) << 16 | 443;

			if (kind % 3 == 0) {
				src = rnd32();
				dst = rnd32();
				ports = rnd32();
			} else if (kind % 3 == 1) {
				src = 0xcb007105;
				dst = 0x0a010000 + i % 4;
				ports = (1024 + i / 4) << 16 | 80;
			}
			per_entry[hash_flow(&s, src, dst, ports) % TABLE]++;
		}
		check_spread(per_entry, 8);
		check_spread(per_entry, 32);
	}
}

/* What is not hashed does not matter: length, flags, IDs, options, tags, segments. */
static void
a_flow_keeps_its_hash(void **state)
{
	uint32_t i, k, first = 0;

	(void)state;
	for (i = 0; i < 200; i++) {
		uint32_t src = 0x0a000001 + rnd(1u << 24), ports = 1 + rnd(1u << 30);
		bool ipv6 = i & 1;

		for (k = 0; k < 20; k++) {
			struct shape s = { .ipv6 = ipv6, .proto = 6, .tags = rnd(4), .l3_extra = 8 * rnd(4),
				.tcp_options = 4 * rnd(10), .payload = rnd(3000), .ip_id = (uint16_t)rnd(65536),
				.seq = rnd32(), .tcp_flags = (uint16_t)rnd(256) };
			uint32_t hash = hash_flow(&s, src, 0x0a0b0c0d, ports);

			if (k == 0)
				first = hash;
			assert_int_equal(hash, first);
		}
	}
}

/* Headers that end behind what seg[0] holds of every frame are treated as in every frame. */
static void
more_header_changes_nothing(void **state)
{
	struct wrap w = wrap_of(OFFLOAD_TUNNEL_GENEVE);
	struct shape o = { .ipv6 = true }, s = { .proto = 6, .payload = 1000 };
	static struct built inner;
	uint32_t words, room, type, hash, first_type = 0, first_hash = 0;
	struct split split;

	(void)state;
	for (words = 0; words < 64; words++) {
		w.head[0] = (uint8_t)words;
		w.len = 8 + 4 * words;
		wrap_up(&built, &inner, &o, &s, &w);
		for (room = OFFLOAD_HEADER_BYTES; room < 600; room += 17) {
			split_begin(&split);
			split_add(&split, built.data, room);
			split_add(&split, built.data + room, built.len - room);
			type = offload_rss_hash(&key, ALL_TYPES | OFFLOAD_RSS_INNER_ALL, &split.f, &hash);
			split_free(&split);
			if (room == OFFLOAD_HEADER_BYTES) {
				first_type = type;
				first_hash = hash;
			}
			assert_int_equal(type, first_type);
			assert_int_equal(hash, first_hash);
		}
		assert_int_equal(first_type, words <= 17 ? OFFLOAD_RSS_INNER(OFFLOAD_RSS_TCP_IPV4) :
			words <= 22 ? OFFLOAD_RSS_INNER(OFFLOAD_RSS_IPV4) : OFFLOAD_RSS_UDP_IPV6);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vectors),
		cmocka_unit_test(fragments_by_address),
		cmocka_unit_test(unhashable),
		cmocka_unit_test(as_dpdk_hashes),
		cmocka_unit_test(esp_by_spi),
		cmocka_unit_test(others_by_address),
		cmocka_unit_test(inner_headers),
		cmocka_unit_test(flows_are_spread),
		cmocka_unit_test(a_flow_keeps_its_hash),
		cmocka_unit_test(more_header_changes_nothing),
	};

	return cmocka_run_group_tests_name("offload_rss", tests, set_key, NULL);
}
