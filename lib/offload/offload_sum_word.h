/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Private to the sums: what the ways to sum have in common. */
#ifndef OFFLOAD_SUM_WORD_H
#define OFFLOAD_SUM_WORD_H

#include <stdint.h>
#include <string.h>

/**
 * One way to sum. The results are sums of 16-bit words in memory order which are still to be folded; an odd last byte
 * counts as if a zero followed it. Each byte is read once: what is summed is what was copied.
 */
struct offload_sum_path {
	const char *name;
	uint64_t (*sum)(const uint8_t *data, uint32_t len);
	uint64_t (*copy)(uint8_t *dst, const uint8_t *src, uint32_t len);
};

/** Folds a sum to 16 bits, the carries of each half going round; it becomes 0 only if it was 0. */
static inline uint16_t
offload_sum_fold(uint64_t sum)
{
	uint32_t half;

	sum += sum << 32 | sum >> 32;
	half = (uint32_t)(sum >> 32);
	half += half << 16 | half >> 16;
	return (uint16_t)(half >> 16);
}

/* Each is read once, although it may be used twice. */
typedef uint64_t offload_word __attribute__((aligned(1), may_alias));
typedef uint32_t offload_half __attribute__((aligned(1), may_alias));
typedef uint16_t offload_quarter __attribute__((aligned(1), may_alias));

/** Adds a word, the carry going round. */
static inline uint64_t
offload_sum_add(uint64_t sum, uint64_t word)
{
	sum += word;
	return sum + (sum < word);
}

static inline uint64_t
offload_sum_add4(uint64_t sum, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
#ifdef __x86_64__
	__asm__("addq %1, %0\n\tadcq %2, %0\n\tadcq %3, %0\n\tadcq %4, %0\n\tadcq $0, %0"
		: "+&r"(sum) : "r"(a), "r"(b), "r"(c), "r"(d) : "cc");
	return sum;
#else
	return offload_sum_add(offload_sum_add(offload_sum_add(offload_sum_add(sum, a), b), c), d);
#endif
}

/** Few bytes, without the cost of a call; copied if @p dst is given. */
static inline uint64_t
offload_sum_few(uint8_t *dst, const uint8_t *src, uint32_t len)
{
	uint64_t sum = 0, a, b, c, d;
	uint32_t at = 0, half;
	uint16_t quarter;

	for (; len - at >= 32; at += 32) {
		a = *(const volatile offload_word *)(src + at);
		b = *(const volatile offload_word *)(src + at + 8);
		c = *(const volatile offload_word *)(src + at + 16);
		d = *(const volatile offload_word *)(src + at + 24);
		sum = offload_sum_add4(sum, a, b, c, d);
		if (dst != NULL) {
			*(volatile offload_word *)(dst + at) = a;
			*(volatile offload_word *)(dst + at + 8) = b;
			*(volatile offload_word *)(dst + at + 16) = c;
			*(volatile offload_word *)(dst + at + 24) = d;
		}
	}
	for (; len - at >= 8; at += 8) {
		a = *(const volatile offload_word *)(src + at);
		sum = offload_sum_add(sum, a);
		if (dst != NULL)
			memcpy(dst + at, &a, 8);
	}
	if (len & 4) {
		half = *(const volatile offload_half *)(src + at);
		sum = offload_sum_add(sum, half);
		if (dst != NULL)
			memcpy(dst + at, &half, 4);
		at += 4;
	}
	if (len & 2) {
		quarter = *(const volatile offload_quarter *)(src + at);
		sum = offload_sum_add(sum, quarter);
		if (dst != NULL)
			memcpy(dst + at, &quarter, 2);
		at += 2;
	}
	if (len & 1) {
		quarter = 0;
		*(uint8_t *)&quarter = *(const volatile uint8_t *)(src + at);
		sum = offload_sum_add(sum, quarter);
		if (dst != NULL)
			memcpy(dst + at, &quarter, 1);
	}
	return sum;
}

#endif /* OFFLOAD_SUM_WORD_H */
