/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "damage.h"
#include "frame.h"

/* Another address, and the frame would go elsewhere and be lost, which is a damage of its own. */
static bool
flip(struct rte_mbuf *m, uint64_t *random)
{
	uint32_t from = sizeof(struct rte_ether_hdr);
	uint32_t at = from + frame_random(random) % (m->pkt_len - from);

	while (at >= m->data_len) {
		at -= m->data_len;
		m = m->next;
	}
	rte_pktmbuf_mtod(m, uint8_t *)[at] ^= 1u << frame_random(random) % 8;
	return true;
}

/* A shorter one than the minimum would be padded, perhaps with what was cut off. */
static bool
cut(struct rte_mbuf *m)
{
	return m->pkt_len > FRAME_MIN && rte_pktmbuf_trim(m, 1) == 0;
}

static uint16_t
flow_of(const struct rte_mbuf *m)
{
	uint8_t copy[sizeof(struct frame_head)];
	const struct frame_head *head = rte_pktmbuf_read(m, 0, sizeof(copy), copy);

	return head->tag.flow;
}

static bool
swap(struct rte_mbuf **burst, uint16_t n)
{
	struct rte_mbuf *last = burst[n - 1];
	uint16_t i;

	for (i = n - 1; i-- > 0;)
		if (flow_of(burst[i]) == flow_of(last)) {
			burst[n - 1] = burst[i];
			burst[i] = last;
			return true;
		}
	return false;
}

bool
damage_last(enum damage kind, struct rte_mbuf **burst, uint16_t *n, struct rte_mempool *pool,
	uint64_t *random)
{
	struct rte_mbuf *last = burst[*n - 1];

	switch (kind) {
	case DAMAGE_FLIP:
		return flip(last, random);
	case DAMAGE_CUT:
		return cut(last);
	case DAMAGE_DROP:
		rte_pktmbuf_free(last);
		--*n;
		return true;
	case DAMAGE_SWAP:
		return swap(burst, *n);
	case DAMAGE_REPEAT:
		burst[*n] = rte_pktmbuf_copy(last, pool, 0, UINT32_MAX);
		if (burst[*n] == NULL)
			return false;
		++*n;
		return true;
	default:
		return false;
	}
}
