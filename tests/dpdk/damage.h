/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Spoils frames on purpose, to see that the receiver notices. */
#ifndef PKTCHECK_DAMAGE_H
#define PKTCHECK_DAMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "options.h"

/**
 * Damages the last of the @p *n frames of a burst; there is room for one more.
 * @return false when that kind of damage cannot be done to it
 */
bool damage_last(enum damage kind, struct rte_mbuf **burst, uint16_t *n, struct rte_mempool *pool,
	uint64_t *random);

#endif /* PKTCHECK_DAMAGE_H */
