/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rte_hash_crc() chooses its way with functions of the EAL, which this library does without; its tables need none.
 */
#include <rte_common.h>

#include <rte_crc_sw.h>

#include "offload_wire.h"
#include "offload_crc.h"

#ifdef __x86_64__
static __attribute__((target("sse4.2"))) uint32_t
crc_sse42(uint32_t crc, const uint8_t *p, uint32_t len)
{
	uint64_t wide = crc, word;

	for (; len >= 8; len -= 8, p += 8) {
		memcpy(&word, p, 8);
		wide = __builtin_ia32_crc32di(wide, word);
	}
	crc = (uint32_t)wide;
	while (len-- > 0)
		crc = __builtin_ia32_crc32qi(crc, *p++);
	return crc;
}
#endif

static uint32_t
crc_tables(uint32_t crc, const uint8_t *p, uint32_t len)
{
#if RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN
	uint64_t word;

	for (; len >= 8; len -= 8, p += 8) {
		memcpy(&word, p, 8);
		crc = crc32c_2words(word, crc);
	}
#endif
	while (len-- > 0)
		crc = crc32c_1byte(*p++, crc);
	return crc;
}

static uint32_t (*crc_update)(uint32_t crc, const uint8_t *p, uint32_t len) = crc_tables;

static __attribute__((constructor)) void
choose(void)
{
#ifdef __x86_64__
	__builtin_cpu_init();
	if (__builtin_cpu_supports("sse4.2"))
		crc_update = crc_sse42;
#endif
}

uint32_t
offload_crc32c(uint32_t crc, const void *data, uint32_t len)
{
	return crc_update(crc, data, len);
}

static uint32_t
update_range(uint32_t crc, const struct offload_seg *seg, uint16_t nb_segs, uint32_t offset, uint32_t len)
{
	const struct offload_seg *end = seg + nb_segs;
	uint32_t n;

	for (; seg < end && offset >= seg->len; seg++)
		offset -= seg->len;
	for (; seg < end && len > 0; seg++, len -= n, offset = 0) {
		n = RTE_MIN(seg->len - offset, len);
		crc = crc_update(crc, seg->data + offset, n);
	}
	return crc;
}

uint32_t
offload_crc_sctp(const struct offload_seg *seg, uint16_t nb_segs, uint32_t start, uint32_t len)
{
	static const uint8_t zeros[SCTP_CSUM_LEN];
	uint32_t crc = UINT32_MAX;

	crc = update_range(crc, seg, nb_segs, start, SCTP_CSUM_AT);
	crc = crc_update(crc, zeros, SCTP_CSUM_LEN);
	crc = update_range(crc, seg, nb_segs, start + SCTP_LEN, len - SCTP_LEN);
	return ~crc;
}
