/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The application's link is up while the port is started, not set down, and the guest's driver active.
 * The guest's follows the first two.
 */
#include "vh_link.h"

#include <rte_alarm.h>

#include "vh_intr.h"

/*
 * The guest learns of its link by an interrupt. One that it masks is tried again by the next burst; but a port
 * that was just stopped, or not started yet, has none. So an alarm tries it for two seconds.
 */
#define CHASES 400

/* Under a lock: whoever looked first must not write last. */
int
vh_link_update(struct rte_eth_dev *eth, int wait __rte_unused)
{
	struct vh_port *port = vh_port_of(eth);
	struct rte_eth_link link = {
		.link_speed = port->args.speed,
		.link_duplex = RTE_ETH_LINK_FULL_DUPLEX,
		.link_autoneg = RTE_ETH_LINK_FIXED,
	};
	int ret;

	rte_spinlock_lock(&port->link_lock);
	link.link_status = atomic_load(&port->running) && atomic_load(&port->admin_up) &&
		atomic_load(&port->active);
	ret = rte_eth_linkstatus_set(eth, &link);
	rte_spinlock_unlock(&port->link_lock);
	return ret;
}

static void
tell_application(void *arg)
{
	struct vh_port *port = arg;

	rte_eth_dev_callback_process(port->eth, RTE_ETH_EVENT_INTR_LSC, NULL);
}

/* By an alarm: what the application does in its callback may wait for the thread that called us. */
static void
refresh(struct vh_port *port)
{
	if (vh_link_update(port->eth, 0) != 0 || !port->eth->data->dev_conf.intr_conf.lsc)
		return;
	if (rte_eal_alarm_set(1, tell_application, port) < 0)
		VH_LOG(WARNING, port->eth->device->name, "no alarm to tell of the link's change");
}

void
vh_link_changed(void *arg)
{
	struct vh_port *port = arg;
	struct vmxnet3_dev_info info;

	vmxnet3_dev_info_get(port->dev, &info);
	atomic_store(&port->active, info.active);
	refresh(port);
}

void
vh_link_offer(struct vh_port *port)
{
	vmxnet3_dev_set_link(port->dev, atomic_load(&port->running) && atomic_load(&port->admin_up));
	vh_intr_chase(port, CHASES);
	refresh(port);
}

void
vh_link_close(struct vh_port *port)
{
	rte_eal_alarm_cancel(tell_application, port);
}
