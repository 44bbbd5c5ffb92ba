/* SPDX-License-Identifier: BSD-3-Clause */
#include "link.h"
#include "log.h"
#include "port_device.h"
#include "switch_link.h"
#include "switch_state.h"

/* What the link of a physical port may take to come up again. */
#define SETTLE_SECONDS 5

static struct link_end
end_of(struct port *port)
{
	return (struct link_end){
		.plugged = port->conf.link_up,
		.own = port->own,
		.hidden = port->ops->link_hidden != NULL && port->ops->link_hidden(port),
		.offered = port->offered,
		.settling = now_seconds() - port->offered_at < SETTLE_SECONDS,
	};
}

static bool
carrier_of(struct port *port)
{
	const struct bridge *bridge = bridge_of(port);
	struct link_end end, other;
	struct port *peer;

	if (!port->conf.link_up)
		return false;
	if (bridge == NULL)
		return !port->ops->link_when_attached;
	if (bridge->conf.type != BRIDGE_WIRE)
		return true;
	peer = bridge_wire_peer(bridge, port);
	end = end_of(port);
	if (peer != NULL)
		other = end_of(peer);
	return link_wire_carrier(&end, peer == NULL ? NULL : &other);
}

/* Asking a device stops at its lock: only where the answer is used. */
static bool
own_matters(const struct port *port)
{
	const struct bridge *bridge = bridge_of(port);

	return port->ops != &port_device_ops ||
	       (bridge != NULL && bridge->conf.type == BRIDGE_WIRE);
}

/* Whether frames may pass. A device sees to its own carrier. */
static void
set_up(struct port *port, bool up)
{
	struct bridge *bridge = bridge_of(port);
	bool was = port->up;

	__atomic_store_n(&port->up, up, __ATOMIC_RELAXED);
	/* Who was behind it may come back elsewhere. */
	if (was && !up && bridge != NULL && bridge->fdb != NULL)
		fdb_flush(bridge->fdb, port->id);
}

static void
update_port(struct port *port)
{
	bool carrier = carrier_of(port);

	if (carrier != port->offered) {
		port->offered = carrier;
		port->offered_at = now_seconds();
		port->ops->link_offer(port, carrier);
		log_info(PORT, "port %s: carrier %s", port->conf.name, carrier ? "up" : "down");
	}
	if (port->ops == &port_device_ops)
		set_up(port, port->conf.link_up);
	else
		set_up(port, carrier && port->own);
}

void
links_update(void)
{
	for (uint32_t i = 0; i < the_switch.nb_ports; i++) {
		struct port *port = the_switch.ports[i];

		port->own = !own_matters(port) || port->ops->link_own(port);
	}
	/* One state, seen by all, before it is changed. */
	for (uint32_t i = 0; i < the_switch.nb_ports; i++)
		update_port(the_switch.ports[i]);
}
