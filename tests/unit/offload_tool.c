/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lib/offload for scripts: reads requests, one per line, and prints the frames that come of them.
 *
 *   csum START FIELD TCI CUTS HEX     complete the checksum; with +inner, +inner+csum as below
 *   copy START FIELD TCI CUTS HEX     the same in a copy, which is in pieces
 *   look ROOM 0 TCI CUTS HEX          verify in a copy whose first piece has ROOM bytes, inside of tunnels, too
 *   tso HDR_LEN MSS TCI CUTS HEX      cut TCP; uso: UDP; with +inner inside of a tunnel, with +inner+csum
 *                                     making the outer UDP checksum, too
 *   verify 0 0 TCI CUTS HEX           look at the checksums
 *   repair 0 0 TCI CUTS HEX           finish a checksum that a kernel left to hardware
 *   parse 0 0 TCI CUTS HEX            find the headers: lines of numbers, outer and, in a tunnel, inner ones
 *   hash TYPES 0 TCI CUTS HEX         by the key in Microsoft's documentation: a line SET HASH
 *
 * TCI is an out-of-band VLAN tag that is put in line in the end, or -. CUTS are the offsets, with
 * commas, at which segments after the first begin, or -. The answer is "ok N" and N lines
 * "FLAGS HEX", or "error ERRNO".
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <offload_copy.h>
#include <offload_csum.h>
#include <offload_parse.h>
#include <offload_rss.h>
#include <offload_tso.h>
#include <offload_vlan.h>

#define MAX_SEGS 128

struct request {
	char op[16], tci[16], cuts[1024];
	unsigned int arg[2];
	const char *hex;
};

struct held_frame {
	struct offload_frame f;
	struct offload_seg seg[MAX_SEGS];
	uint8_t *mem[MAX_SEGS];
};

static int
hex_digit(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int
add_segment(struct held_frame *h, const char *hex, size_t len)
{
	uint32_t room = h->f.nb_segs == 0 ? OFFLOAD_HEADROOM : 0;
	uint8_t *mem = malloc(room + len);
	size_t i;

	if (mem == NULL)
		return -1;
	for (i = 0; i < len; i++)
		mem[room + i] = (uint8_t)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
	h->mem[h->f.nb_segs] = mem;
	h->seg[h->f.nb_segs] = (struct offload_seg){ mem + room, (uint32_t)len };
	h->f.nb_segs++;
	h->f.len += (uint32_t)len;
	return 0;
}

/* The frame of the request in its segments, each in memory of its own. */
static int
load(struct held_frame *h, const struct request *r)
{
	size_t len = strspn(r->hex, "0123456789abcdef") / 2, from = 0, to;
	const char *cut = r->cuts;
	char *end;

	memset(h, 0, sizeof(*h));
	h->f.seg = h->seg;
	while (from < len && h->f.nb_segs < MAX_SEGS) {
		to = len;
		if (isdigit((unsigned char)*cut)) {
			to = strtoul(cut, &end, 10);
			cut = *end == ',' ? end + 1 : end;
		}
		if (to <= from || to > len || add_segment(h, r->hex + 2 * from, to - from) != 0)
			return -1;
		from = to;
	}
	if (from < len || len == 0)
		return -1;
	if (r->tci[0] != '-') {
		h->f.flags |= OFFLOAD_F_VLAN;
		h->f.vlan_tci = (uint16_t)strtoul(r->tci, NULL, 0);
	}
	return 0;
}

static void
unload(struct held_frame *h)
{
	uint32_t i;

	for (i = 0; i < h->f.nb_segs; i++)
		free(h->mem[i]);
}

static void
print_frame(struct offload_frame *f)
{
	uint32_t i, j;

	offload_vlan_push(f);
	printf("%x ", f->flags);
	for (i = 0; i < f->nb_segs; i++)
		for (j = 0; j < f->seg[i].len; j++)
			printf("%02x", f->seg[i].data[j]);
	putchar('\n');
}

static void
cut_and_print(struct offload_frame *f)
{
	static struct offload_tso tso;
	struct offload_frame *piece;
	int count = offload_tso_begin(&tso, f);

	if (count < 0) {
		printf("error %d\n", -count);
		return;
	}
	printf("ok %d\n", count);
	while ((piece = offload_tso_next(&tso)) != NULL)
		print_frame(piece);
}

/* Copies into pieces, each in memory of its own: @p first bytes, then so many that a field may be in two. */
static int
copy_and_print(struct offload_frame *f, uint32_t first, unsigned int verify)
{
	struct offload_seg to[MAX_SEGS] = { { 0 } };
	uint32_t left = f->len, step = first % 97 + 1, i;
	struct offload_frame copy = *f;

	for (i = 0; left > 0; i++) {
		to[i].len = i + 1 == MAX_SEGS || left < step ? left : i == 0 && first > 0 && first < left ? first : step;
		to[i].data = malloc(OFFLOAD_HEADROOM + to[i].len);
		if (to[i].data == NULL)
			return -1;
		to[i].data += OFFLOAD_HEADROOM;
		left -= to[i].len;
	}
	copy.seg = to;
	copy.nb_segs = (uint16_t)i;
	copy.flags = offload_copy_frame(f, to, copy.nb_segs, verify);
	puts("ok 1");
	print_frame(&copy);
	while (i > 0)
		free(to[--i].data - OFFLOAD_HEADROOM);
	return 0;
}

static void
ask_csum(struct offload_frame *f, const struct request *r)
{
	f->request = OFFLOAD_CSUM;
	f->csum_start = (uint16_t)r->arg[0];
	f->csum_field = (uint16_t)r->arg[1];
	if (strstr(r->op, "+inner") != NULL)
		f->flags |= OFFLOAD_F_INNER;
	if (strstr(r->op, "+csum") != NULL)
		f->flags |= OFFLOAD_F_OUTER_CSUM;
}

/* The fields in their order, after what is around them. */
static void
print_headers(enum offload_tunnel tunnel, const struct offload_headers *h)
{
	printf("%u %u %u %u %u %u %u %u %u\n", tunnel, h->ether_type, h->outer_tci, h->l2_len, h->l3_len, h->l4_len,
		h->nb_tags, h->ip_proto, h->flags);
}

static void
parse_and_print(struct offload_frame *f)
{
	struct offload_headers inner;
	enum offload_tunnel tunnel;

	offload_frame_parse(f);
	tunnel = offload_parse_inner(f->seg[0].data, f->seg[0].len, &f->hdr, &inner);
	printf("ok %d\n", tunnel == OFFLOAD_TUNNEL_NONE ? 1 : 2);
	print_headers(OFFLOAD_TUNNEL_NONE, &f->hdr);
	if (tunnel != OFFLOAD_TUNNEL_NONE)
		print_headers(tunnel, &inner);
}

static void
hash_and_print(struct offload_frame *f, uint32_t types)
{
	static const uint8_t bytes[OFFLOAD_RSS_KEY_BYTES] = {
		0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
		0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
		0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
	};
	static struct offload_rss_key key;
	uint32_t hash = 0, set;

	offload_rss_key_set(&key, bytes);
	set = offload_rss_hash(&key, types, f, &hash);
	printf("ok 1\n%u %u\n", set, hash);
}

static int
serve(const struct request *r, struct offload_frame *f)
{
	int ret = 0;

	if (strncmp(r->op, "tso", 3) == 0 || strncmp(r->op, "uso", 3) == 0) {
		f->request = r->op[0] == 't' ? OFFLOAD_TSO : OFFLOAD_USO;
		if (strstr(r->op, "+inner") != NULL)
			f->flags |= OFFLOAD_F_INNER;
		if (strstr(r->op, "+csum") != NULL)
			f->flags |= OFFLOAD_F_OUTER_CSUM;
		f->hdr_len = (uint16_t)r->arg[0];
		f->mss = (uint16_t)r->arg[1];
		cut_and_print(f);
		return 0;
	}
	if (strcmp(r->op, "parse") == 0) {
		parse_and_print(f);
		return 0;
	}
	if (strcmp(r->op, "hash") == 0) {
		hash_and_print(f, r->arg[0]);
		return 0;
	}
	if (strcmp(r->op, "look") == 0)
		return copy_and_print(f, r->arg[0], OFFLOAD_VERIFY | OFFLOAD_VERIFY_INNER);
	if (strncmp(r->op, "copy", 4) == 0) {
		ask_csum(f, r);
		ret = offload_csum_check(f);
		if (ret == 0)
			return copy_and_print(f, r->arg[1] + 1, 0);
	} else if (strncmp(r->op, "csum", 4) == 0) {
		ask_csum(f, r);
		ret = offload_csum_complete(f);
	} else if (strcmp(r->op, "verify") == 0) {
		offload_csum_verify(f);
	} else if (strcmp(r->op, "repair") == 0) {
		offload_csum_repair(f);
	} else {
		return -1;
	}
	if (ret != 0) {
		printf("error %d\n", -ret);
		return 0;
	}
	puts("ok 1");
	print_frame(f);
	return 0;
}

static int
serve_line(const char *line)
{
	static struct held_frame held;
	struct request r;
	int hex_at = 0, ret = -1;

	if (sscanf(line, "%15s %u %u %15s %1023s %n", r.op, &r.arg[0], &r.arg[1], r.tci, r.cuts,
			&hex_at) != 5 || hex_at == 0)
		return -1;
	r.hex = line + hex_at;
	if (load(&held, &r) == 0)
		ret = serve(&r, &held.f);
	unload(&held);
	return ret;
}

int
main(void)
{
	char *line = NULL;
	size_t room = 0;
	int ret = 0;

	while (ret == 0 && getline(&line, &room, stdin) > 0) {
		ret = serve_line(line);
		fflush(stdout);
	}
	free(line);
	if (ret != 0)
		fputs("offload_tool: cannot understand a request\n", stderr);
	return ret != 0;
}
