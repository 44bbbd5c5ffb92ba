/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lib/offload with any frame, cut into any segments, with any request. Each segment is its own
 * piece of heap, so that the address sanitizer sees every byte touched outside; what must hold
 * whatever the input is checked here, with a checksum of the plainest kind.
 *
 * Input: struct head, then nb_cuts bytes (lengths of the first segments), then the frame.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <offload_csum.h>
#include <offload_parse.h>

#define MUST(cond)                                                                    \
	do {                                                                          \
		if (!(cond)) {                                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);    \
			abort();                                                      \
		}                                                                     \
	} while (0)

#define MAX_SEGS 128
#define MAX_LEN  (OFFLOAD_FRAME_MAX + 100)

/* head::options */
#define OPT_TAG       0x01 /* an out-of-band tag */
#define OPT_INNER     0x02
#define OPT_PLAUSIBLE 0x04 /* offsets of the request as parsed, not as given */
#define OPT_WHOLE     0x10 /* the first segment is not cut below the header bytes */

struct head {
	uint8_t options;
	uint8_t nb_cuts;
	uint8_t stretch; /* frame is made longer by so many times 256 bytes */
	uint8_t tci[2];
	uint8_t arg[4];  /* csum_start, csum_field */
};

static uint8_t whole[MAX_LEN], after[MAX_LEN + OFFLOAD_HEADROOM];
static struct offload_seg segs[MAX_SEGS];
static void *mem[MAX_SEGS];

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] * 256 + p[1]);
}

static uint16_t
plain_sum(const uint8_t *p, uint32_t len)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? p[i] : p[i] * 256u;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void
add_segment(struct offload_frame *f, uint32_t at, uint32_t len)
{
	uint32_t room = f->nb_segs == 0 ? OFFLOAD_HEADROOM : 0;
	uint8_t *p = malloc(room + len);

	MUST(p != NULL);
	memcpy(p + room, whole + at, len);
	mem[f->nb_segs] = p;
	segs[f->nb_segs] = (struct offload_seg){ p + room, len };
	f->nb_segs++;
}

static void
load(struct offload_frame *f, const struct head *head, const uint8_t *cuts, uint32_t len)
{
	uint32_t i, n, at = 0;

	*f = (struct offload_frame){ .seg = segs, .len = len };
	for (i = 0; i < head->nb_cuts && at < len && i < MAX_SEGS - 1; i++) {
		n = cuts[i] + 1u;
		if (i == 0 && head->options & OPT_WHOLE && n < OFFLOAD_HEADER_BYTES)
			n = OFFLOAD_HEADER_BYTES;
		if (n > len - at)
			n = len - at;
		add_segment(f, at, n);
		at += n;
	}
	if (at < len)
		add_segment(f, at, len - at);
	if (head->options & OPT_TAG) {
		f->flags |= OFFLOAD_F_VLAN;
		f->vlan_tci = get16(head->tci);
	}
	if (head->options & OPT_INNER)
		f->flags |= OFFLOAD_F_INNER;
}

static void
unload(struct offload_frame *f)
{
	while (f->nb_segs > 0)
		free(mem[--f->nb_segs]);
}

static uint32_t
gather(const struct offload_frame *f)
{
	uint32_t i, at = 0;

	for (i = 0; i < f->nb_segs; i++) {
		MUST(f->seg[i].len > 0 && at + f->seg[i].len <= sizeof(after));
		memcpy(after + at, f->seg[i].data, f->seg[i].len);
		at += f->seg[i].len;
	}
	MUST(at == f->len);
	return at;
}

/* Looking changes nothing, and what was repaired is right. */
static void
check_verify(struct offload_frame *f, uint32_t len)
{
	const uint32_t both = OFFLOAD_F_CSUM_GOOD | OFFLOAD_F_CSUM_BAD;
	uint32_t first;

	offload_csum_verify(f);
	first = f->flags & both;
	MUST(first != both && gather(f) == len && memcmp(after, whole, len) == 0);
	offload_csum_repair(f);
	MUST(!(first & OFFLOAD_F_CSUM_GOOD) || f->flags & OFFLOAD_F_CSUM_GOOD);
	gather(f);
	if (!(f->flags & OFFLOAD_F_CSUM_GOOD) || first & OFFLOAD_F_CSUM_GOOD)
		MUST(memcmp(after, whole, len) == 0);
	first = f->flags & both;
	f->flags &= (uint8_t)~both;
	offload_csum_verify(f);
	MUST((f->flags & both) == first);
}

/* With the sum in place of the seed, the range sums to the inverse of the seed. */
static void
check_complete(struct offload_frame *f, const struct head *head, uint32_t len)
{
	uint32_t start, field;
	uint64_t sum;

	f->request = OFFLOAD_CSUM;
	f->csum_start = get16(head->arg);
	f->csum_field = get16(head->arg + 2);
	if (head->options & OPT_PLAUSIBLE) {
		offload_frame_parse(f);
		f->csum_start = f->hdr.l2_len + f->hdr.l3_len;
		f->csum_field = f->csum_start + (f->hdr.flags & OFFLOAD_H_TCP ? 16 : 6);
	}
	start = f->csum_start;
	field = f->csum_field;
	if (offload_csum_complete(f) != 0) {
		MUST(f->request == OFFLOAD_CSUM && gather(f) == len);
		MUST(memcmp(after, whole, len) == 0);
		return;
	}
	MUST(f->request == OFFLOAD_NONE && start <= field && field + 2 <= f->seg[0].len);
	gather(f);
	MUST(memcmp(after, whole, field) == 0);
	MUST(memcmp(after + field + 2, whole + field + 2, len - field - 2) == 0);
	if ((field - start) & 1)
		return;
	sum = (uint64_t)plain_sum(after + start, len - start) + get16(whole + field);
	MUST(sum % 0xffff == 0);
}

/* The input with its tail repeated up to the wanted length. */
static uint32_t
stretch(const struct head *head, const uint8_t *data, size_t size)
{
	uint32_t len = size < MAX_LEN ? (uint32_t)size : MAX_LEN;
	uint32_t longer = len + head->stretch * 256u;

	memcpy(whole, data, len);
	for (; len < longer && len < MAX_LEN; len++)
		whole[len] = (uint8_t)(whole[len - 1] * 3 + len);
	return len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct offload_frame f;
	struct head head;
	const uint8_t *cuts;
	uint32_t len;

	if (size < sizeof(head) + 1)
		return 0;
	memcpy(&head, data, sizeof(head));
	cuts = data + sizeof(head);
	size -= sizeof(head);
	if (size <= head.nb_cuts)
		return 0;
	len = stretch(&head, cuts + head.nb_cuts, size - head.nb_cuts);

	load(&f, &head, cuts, len);
	check_verify(&f, len);
	unload(&f);

	load(&f, &head, cuts, len);
	check_complete(&f, &head, len);
	unload(&f);
	return 0;
}
