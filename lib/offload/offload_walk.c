/* SPDX-License-Identifier: BSD-3-Clause */
#include "offload_walk.h"

#include "offload_move.h"
#include "offload_sum.h"
#include "offload_wire.h"

void
offload_walk_skip(struct offload_walk *w, uint32_t len)
{
	uint32_t n;

	for (; len > 0 && (n = offload_walk_run(w, len)) > 0; len -= n)
		w->at += n;
}

/* What lies together in both. */
static inline uint32_t
common_run(struct offload_walk *from, struct offload_walk *to, uint32_t max)
{
	return offload_walk_run(to, offload_walk_run(from, max));
}

/* What comes @p len bytes on, or, at the end, what is here. */
static inline const uint8_t *
data_after(const struct offload_walk *w, uint32_t len)
{
	if (w->at + len < w->seg->len)
		return offload_walk_data(w) + len;
	return w->seg + 1 < w->end ? w->seg[1].data : offload_walk_data(w);
}

void
offload_walk_copy(struct offload_walk *from, struct offload_walk *to, uint32_t len)
{
	uint32_t n;

	for (; len > 0 && (n = common_run(from, to, len)) > 0; len -= n) {
		const struct offload_next next = { .to = data_after(to, n), .from = data_after(from, n) };

		offload_move(offload_walk_data(to), offload_walk_data(from), n, next);
		from->at += n;
		to->at += n;
	}
}

uint16_t
offload_walk_copy_sum(struct offload_walk *from, struct offload_walk *to, uint32_t len)
{
	uint32_t done, sum = 0, n;
	uint16_t part;

	for (done = 0; done < len && (n = common_run(from, to, len - done)) > 0; done += n) {
		part = offload_sum_copy(offload_walk_data(to), offload_walk_data(from), n);
		sum += done & 1 ? rte_bswap16(part) : part;
		from->at += n;
		to->at += n;
	}
	return fold_sum(sum);
}

void
offload_walk_zero(struct offload_walk *to)
{
	uint32_t n;

	while ((n = offload_walk_run(to, UINT32_MAX)) > 0) {
		memset(offload_walk_data(to), 0, n);
		to->at += n;
	}
}
