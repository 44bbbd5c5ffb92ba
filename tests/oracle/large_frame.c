/* SPDX-License-Identifier: BSD-3-Clause */
#include "large_frame.h"

#include <string.h>

#define SOURCE_LAST 0x01 /* of the source address: 02:76:78:00:00:01 */

static uint64_t state = 88172645463325252u;

void
large_seed(uint64_t seed)
{
	state = seed * 2654435761u + 88172645463325252u;
}

static uint64_t
next64(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

uint32_t
large_random(void)
{
	return (uint32_t)(next64() >> 16);
}

uint32_t
large_below(uint32_t limit)
{
	return limit == 0 ? 0 : large_random() % limit;
}

static bool
one_in(uint32_t n)
{
	return large_below(n) == 0;
}

static void
put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static void
fill(uint8_t *p, uint32_t len)
{
	uint64_t v;

	for (; len >= sizeof(v); p += sizeof(v), len -= sizeof(v)) {
		v = next64();
		memcpy(p, &v, sizeof(v));
	}
	v = next64();
	memcpy(p, &v, len);
}

static uint16_t
sum16(const uint8_t *p, uint32_t len, uint32_t sum)
{
	uint32_t i;

	for (i = 0; i + 1 < len; i += 2)
		sum += p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* The seed in the checksum field: the pseudo-header's sum. */
static uint16_t
seed_of(const uint8_t *ip, bool v6, uint8_t proto, uint32_t l4_bytes)
{
	return v6 ? sum16(ip + 8, 32, proto + l4_bytes) : sum16(ip + 12, 8, proto + l4_bytes);
}

static uint32_t
make_ether(uint8_t *p, uint32_t tags, bool v6)
{
	static const uint8_t addresses[12] = { 2, 0x76, 0x78, 0, 0, 2, 2, 0x76, 0x78, 0, 0, SOURCE_LAST };
	uint32_t at = 12, i;

	memcpy(p, addresses, 12);
	for (i = 0; i < tags; i++, at += 4) {
		put16(p + at, tags > 1 && i == 0 ? 0x88a8 : 0x8100);
		put16(p + at + 2, large_random());
	}
	put16(p + at, v6 ? 0x86dd : 0x0800);
	return at + 2;
}

/* With a length of 0. @return length of the header */
static uint32_t
make_ipv4(uint8_t *ip, uint8_t proto, bool options)
{
	uint32_t len = 20 + (options ? 4 * (1 + large_below(10)) : 0);

	memset(ip, 1, len); /* options that do nothing */
	ip[0] = (uint8_t)(0x40 | len / 4);
	ip[1] = (uint8_t)large_random();
	put16(ip + 2, 0);
	put16(ip + 4, one_in(3) ? 0xffff - large_below(4) : large_random());
	put16(ip + 6, one_in(2) ? 0x4000 : 0);
	ip[8] = (uint8_t)(1 + large_below(255));
	ip[9] = proto;
	put16(ip + 10, 0);
	put32(ip + 12, large_random());
	put32(ip + 16, large_random());
	return len;
}

/* Options for each hop, for the destination, or both. */
static uint32_t
make_ipv6(uint8_t *ip, uint8_t proto, bool extensions)
{
	uint32_t len = 40, n, kinds = extensions ? 1 + large_below(3) : 0, i;
	uint8_t *next = ip + 6;

	memset(ip, 0, 40);
	put32(ip, 0x60000000 | (large_random() & 0x0fffffff));
	ip[7] = (uint8_t)(1 + large_below(255));
	fill(ip + 8, 32);
	for (i = 0; i < 2; i++) {
		if (!(kinds >> i & 1))
			continue;
		*next = i == 0 ? 0 : 60;
		next = ip + len;
		n = 8 * (1 + large_below(4));
		memset(next, 0, n); /* Pad1 */
		next[1] = (uint8_t)(n / 8 - 1);
		len += n;
	}
	*next = proto;
	return len;
}

static uint32_t
make_ip(uint8_t *ip, bool v6, uint8_t proto, bool extras)
{
	extras = extras && one_in(3);
	return v6 ? make_ipv6(ip, proto, extras) : make_ipv4(ip, proto, extras);
}

static void
finish_ip(uint8_t *ip, bool v6, uint32_t len)
{
	if (v6) {
		put16(ip + 4, len - 40);
		return;
	}
	put16(ip + 2, len);
	put16(ip + 10, (uint16_t)~sum16(ip, (ip[0] & 0xf) * 4u, 0));
}

static uint32_t
make_tcp(uint8_t *tcp, bool *ecn)
{
	static const uint8_t timestamp[12] = { 1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8 };
	uint32_t len = 20, flags = 0x010 | (large_random() & 0x1ef);

	fill(tcp, 20);
	put32(tcp + 4, one_in(3) ? 0xffffffff - large_below(5000) : large_random());
	if (one_in(2)) {
		memcpy(tcp + len, timestamp, sizeof(timestamp));
		len += sizeof(timestamp);
	} else if (one_in(3)) {
		uint32_t n = 4 * (1 + large_below(10));

		memset(tcp + len, 1, n);
		len += n;
	}
	/* RST and SYN do not carry data that anybody cuts. */
	flags &= ~0x006u;
	put16(tcp + 12, len / 4 << 12 | flags);
	*ecn = flags & 0x080;
	return len;
}

/* Between the outer IP header and the inner frame. */
static uint32_t
make_tunnel(struct large_frame *f, uint8_t *p)
{
	uint32_t len = 16, options = 0;

	if (f->tunnel == LARGE_NVGRE) {
		put32(p, 0x20006558);
		put32(p + 4, large_random());
		return 8;
	}
	put16(p, 0xc000 | large_random());
	put16(p + 2, f->tunnel == LARGE_VXLAN ? 4789 : 6081);
	memset(p + 4, 0, 12);
	put32(p + 12, large_random() << 8);
	if (f->tunnel == LARGE_VXLAN) {
		p[8] = 0x08;
		return len;
	}
	if (one_in(2))
		options = 1 + large_below(8);
	p[8] = (uint8_t)options;
	put16(p + 10, 0x6558);
	fill(p + len, options * 4);
	if (options > 0) {
		put16(p + len, 0x0102);
		p[len + 3] = (uint8_t)(options - 1);
	}
	return len + options * 4;
}

static void
choose_sizes(struct large_frame *f, const struct large_limits *limits)
{
	static const uint16_t usual[] = { 1448, 1460, 1428, 536, 8948, 1400, 1472 };
	uint32_t n, max;

	switch (large_below(4)) {
	case 0:
		f->mss = usual[large_below(sizeof(usual) / sizeof(usual[0]))];
		break;
	case 1:
		f->mss = limits->small_mss ? 1 + large_below(64) : 64 + large_below(200);
		break;
	default:
		f->mss = 64 + large_below(one_in(8) ? 9000 : 800);
	}
	/* Few have many pieces. */
	n = one_in(50) ? 2 + large_below(60) : 2 + large_below(4);
	max = (one_in(50) ? limits->max_payload : 12000) / f->mss;
	if (max < 2)
		max = 2;
	n = n > max ? max : n;
	if (f->udp && n > limits->max_datagrams)
		n = limits->max_datagrams;
	f->payload = (n - 1) * f->mss + 1 + large_below(f->mss);
	if (one_in(4))
		f->payload = n * f->mss;
	f->pieces = n;
	/* One piece, with room for the options that a kernel counts as payload here. */
	if (limits->single && f->tunnel == LARGE_PLAIN && f->mss > 40 && one_in(16)) {
		f->payload = large_below(f->mss - 40 + 1);
		f->pieces = 1;
	}
}

static uint32_t
make_outer(struct large_frame *f, bool extras)
{
	uint8_t proto = f->tunnel == LARGE_NVGRE ? 47 : 17;

	f->outer_l3 = make_ether(f->data, f->tags, f->outer6);
	f->outer_l4 = f->outer_l3 + make_ip(f->data + f->outer_l3, f->outer6, proto, extras);
	return f->outer_l4 + make_tunnel(f, f->data + f->outer_l4);
}

static void
finish_outer(struct large_frame *f)
{
	uint8_t *ip = f->data + f->outer_l3, *l4 = f->data + f->outer_l4;

	finish_ip(ip, f->outer6, f->len - f->outer_l3);
	if (f->tunnel == LARGE_NVGRE)
		return;
	put16(l4 + 4, f->len - f->outer_l4);
	if (f->outer_csum)
		put16(l4 + 6, seed_of(ip, f->outer6, 17, f->len - f->outer_l4));
}

void
large_make(struct large_frame *f, const struct large_limits *limits)
{
	uint32_t at = 0, tags;
	uint8_t *ip, *l4;

	do {
		f->tunnel = (enum large_tunnel)large_below(LARGE_NB_TUNNELS);
	} while (!(limits->tunnels >> f->tunnel & 1));
	f->udp = limits->udp && one_in(3);
	f->v6 = limits->ipv6 && one_in(2);
	f->outer6 = limits->ipv6 && one_in(3);
	f->outer_csum = (f->tunnel == LARGE_VXLAN || f->tunnel == LARGE_GENEVE) && one_in(2);
	f->tags = limits->extras && one_in(3) ? 1 + large_below(2) : 0;
	f->ecn = false;
	choose_sizes(f, limits);

	tags = f->tags;
	if (f->tunnel != LARGE_PLAIN) {
		at = make_outer(f, limits->extras);
		tags = limits->extras && one_in(8);
	}
	f->l3 = at + make_ether(f->data + at, tags, f->v6);
	ip = f->data + f->l3;
	f->l4 = f->l3 + make_ip(ip, f->v6, f->udp ? 17 : 6, limits->extras);
	l4 = f->data + f->l4;
	if (f->udp) {
		fill(l4, 8);
		f->hdr_len = f->l4 + 8;
	} else {
		f->hdr_len = f->l4 + make_tcp(l4, &f->ecn);
	}
	f->len = f->hdr_len + f->payload;
	fill(f->data + f->hdr_len, f->payload);
	if (f->udp)
		put16(l4 + 4, f->len - f->l4);
	put16(l4 + (f->udp ? 6 : 16), seed_of(ip, f->v6, f->udp ? 17 : 6, f->len - f->l4));
	finish_ip(ip, f->v6, f->len - f->l3);
	if (f->tunnel != LARGE_PLAIN)
		finish_outer(f);
}
