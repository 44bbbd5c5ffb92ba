/* SPDX-License-Identifier: BSD-3-Clause */
/* The vectors of "Verifying the RSS Hash Calculation" in Microsoft's driver documentation. */
#include "offload_frames.h"

#include <arpa/inet.h>

#include <offload_rss.h>

#define ALL_TYPES 0x3fu

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
static struct offload_rss_key key;

static int
set_key(void **state)
{
	(void)state;
	offload_rss_key_set(&key, ms_key);
	return memcmp(key.bytes, ms_key, sizeof(ms_key));
}

static void
build_vector(const struct vector *v, bool ipv6, uint8_t proto, uint32_t extra)
{
	struct shape s = { .ipv6 = ipv6, .proto = proto, .l3_extra = extra, .payload = 10,
		.tags = extra ? 2 : 0 };
	uint8_t *ip;

	build(&built, &s);
	ip = built.data + built.l2;
	assert_int_equal(inet_pton(ipv6 ? AF_INET6 : AF_INET, v->src, ip + (ipv6 ? 8 : 12)), 1);
	assert_int_equal(inet_pton(ipv6 ? AF_INET6 : AF_INET, v->dst, ip + (ipv6 ? 24 : 16)), 1);
	put16(ip + built.l3, v->src_port);
	put16(ip + built.l3 + 2, v->dst_port);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vectors),
		cmocka_unit_test(fragments_by_address),
		cmocka_unit_test(unhashable),
	};

	return cmocka_run_group_tests_name("offload_rss", tests, set_key, NULL);
}
