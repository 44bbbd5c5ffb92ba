/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "poll_list.h"

void
poll_list_reset(struct poll_list *list, uint64_t generation)
{
	list->generation = generation;
	list->nb_busy = 0;
	memset(list->queues, 0, sizeof(list->queues));
}

void
poll_list_add(struct poll_list *list, uint16_t unit, uint16_t queue, uint64_t tsc)
{
	if (list->nb_busy == POLL_BUSY_MAX)
		return;
	list->busy[list->nb_busy++] = (struct poll_entry){.seen = tsc, .unit = unit, .queue = queue};
	list->queues[unit] |= UINT64_C(1) << queue;
}

void
poll_list_age(struct poll_list *list, uint64_t since)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < list->nb_busy; i++) {
		const struct poll_entry e = list->busy[i];

		if (e.seen < since)
			list->queues[e.unit] &= ~(UINT64_C(1) << e.queue);
		else
			list->busy[n++] = e;
	}
	list->nb_busy = n;
}
