/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Which carrier a port is offered. In a switch, its own cable alone decides; a wire passes the
 * state of one end on to the other, without taking for the state of an end what it has itself
 * imposed on it, so that the two ends cannot hold each other down.
 */
#ifndef VSWITCHD_LINK_H
#define VSWITCHD_LINK_H

#include <stdbool.h>
#include <stddef.h>

struct link_end {
	bool plugged;  /**< as the user has set it */
	bool own;      /**< its own end works, as far as can be seen */
	bool hidden;   /**< own cannot be seen while no carrier is offered to it */
	bool offered;  /**< the carrier that it is offered now */
	bool settling; /**< ... but not for long: its link may still be coming up */
};

/** @param peer  the other end; NULL: there is none */
static inline bool
link_wire_carrier(const struct link_end *end, const struct link_end *peer)
{
	if (!end->plugged || peer == NULL || !peer->plugged)
		return false;
	/* What cannot be seen counts as working, or it would never be asked again. */
	return peer->own || (peer->hidden && (!peer->offered || peer->settling));
}

#endif /* VSWITCHD_LINK_H */
