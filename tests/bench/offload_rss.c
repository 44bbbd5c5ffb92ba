/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hash of parsed frames against rte_softrss_be() of tuples that lie ready: ours has to choose the fields as well.
 * Then the same by the table alone, which is what other CPUs get.
 */
#include <rte_thash.h>

#include <offload_parse.h>
#include <offload_rss.h>
#include <offload_toeplitz.h>

#include "pair.h"

#define FLOWS  64
#define REPEAT 50

struct flow {
	struct offload_frame frame;
	struct offload_seg seg;
	uint8_t data[OFFLOAD_HEADROOM + 128];
	uint32_t tuple[9];
};

struct job {
	struct flow flow[FLOWS];
	uint32_t words; /* of a tuple */
	uint32_t hash[FLOWS];
};

static struct offload_rss_key key;
static uint32_t key_words[OFFLOAD_RSS_KEY_BYTES / 4];
static struct job job;

static void
fill(bool ipv6)
{
	uint32_t i, k, l3 = ipv6 ? 40 : 20, at = ipv6 ? 22 : 26;

	job.words = ipv6 ? 9 : 3;
	for (i = 0; i < FLOWS; i++) {
		struct flow *fl = &job.flow[i];
		uint8_t *p = fl->data + OFFLOAD_HEADROOM;

		for (k = 0; k < 128; k++)
			p[k] = (uint8_t)rand();
		p[12] = ipv6 ? 0x86 : 0x08;
		p[13] = ipv6 ? 0xdd : 0x00;
		p[14] = ipv6 ? 0x60 : 0x45;
		p[ipv6 ? 20 : 23] = 6;
		p[14 + l3 + 12] = 0x50;
		if (!ipv6)
			p[20] = p[21] = 0;
		fl->seg = (struct offload_seg){ p, 128 };
		fl->frame = (struct offload_frame){ .seg = &fl->seg, .nb_segs = 1, .len = 128 };
		offload_frame_parse(&fl->frame);
		for (k = 0; k < job.words; k++) {
			const uint8_t *w = k + 1 == job.words ? p + 14 + l3 : p + at + 4 * k;

			fl->tuple[k] = (uint32_t)w[0] << 24 | w[1] << 16 | w[2] << 8 | w[3];
		}
	}
}

static void
ours(void *arg)
{
	struct job *j = arg;
	uint32_t i;

	for (i = 0; i < FLOWS; i++)
		offload_rss_hash(&key, OFFLOAD_RSS_TCP_IPV4 | OFFLOAD_RSS_TCP_IPV6, &j->flow[i].frame,
			&j->hash[i]);
}

static void
by_table(void *arg)
{
	struct job *j = arg;
	bool ipv6 = j->words == 9;
	uint32_t i;

	for (i = 0; i < FLOWS; i++) {
		const uint8_t *p = j->flow[i].seg.data;
		struct offload_tuple t = { .addresses = p + (ipv6 ? 22 : 26), .l4 = p + (ipv6 ? 54 : 34),
			.address_bytes = ipv6 ? 32 : 8 };

		j->hash[i] = offload_toeplitz_table(&key, &t);
	}
}

static void
softrss(void *arg)
{
	struct job *j = arg;
	uint32_t i;

	for (i = 0; i < FLOWS; i++)
		j->hash[i] = rte_softrss_be(j->flow[i].tuple, j->words, (const uint8_t *)key_words);
}

int
main(void)
{
	uint8_t bytes[OFFLOAD_RSS_KEY_BYTES];
	unsigned int i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)rand();
	offload_rss_key_set(&key, bytes);
	rte_convert_rss_key((const uint32_t *)bytes, key_words, sizeof(bytes));
	for (i = 0; i < 2; i++) {
		fill(i);
		bench_pair(i ? "rss hash of 64 frames, IPv6 and ports" : "rss hash of 64 frames, IPv4 and ports",
			"rte_softrss_be", ours, softrss, NULL, &job, REPEAT);
		bench_pair(i ? "the same by table alone, IPv6 and ports" : "the same by table alone, IPv4 and ports",
			"rte_softrss_be", by_table, softrss, NULL, &job, REPEAT);
	}
	return 0;
}
