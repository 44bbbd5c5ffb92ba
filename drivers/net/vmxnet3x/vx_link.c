/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_link.h"

#include <rte_alarm.h>
#include <rte_cycles.h>

#include "vx_activate.h"
#include "vx_cmd.h"
#include "vx_irq.h"

#define LINK_UP		 1u
#define LINK_SPEED_SHIFT 16
#define GBIT_BELOW	 10000u /* revision 9: smaller numbers are Gbit/s */
#define NO_ANSWER	 UINT32_MAX

#define QUEUE_ERRORS (VMXNET3_ECR_RQERR | VMXNET3_ECR_TQERR)

/* What to tell the application once the lock is given back. */
struct news {
	bool link;   /* it changed */
	bool failed; /* the port is down for good */
};

/* ---- link ---- */

void
vx_link_decode(const struct vmxnet3_rev *rev, uint32_t answer, struct rte_eth_link *link)
{
	uint32_t speed = answer >> LINK_SPEED_SHIFT;

	*link = (struct rte_eth_link){
		.link_duplex = RTE_ETH_LINK_FULL_DUPLEX,
		.link_autoneg = RTE_ETH_LINK_AUTONEG,
		.link_status = RTE_ETH_LINK_DOWN,
		.link_speed = RTE_ETH_SPEED_NUM_NONE,
	};
	if (answer == NO_ANSWER || !(answer & LINK_UP))
		return;
	if (rev->speed_gbit && speed < GBIT_BELOW)
		speed *= 1000;
	link->link_status = RTE_ETH_LINK_UP;
	link->link_speed = speed != 0 ? speed : RTE_ETH_SPEED_NUM_UNKNOWN;
}

bool
vx_link_refresh(struct vx_dev *dev)
{
	uint32_t answer = dev->active ? vx_cmd_get(dev, VMXNET3_CMD_GET_LINK) : 0;
	struct rte_eth_link link;

	vx_link_decode(dev->rev, answer, &link);
	return rte_eth_linkstatus_set(dev->eth_dev, &link) == 0;
}

void
vx_link_report(struct vx_dev *dev)
{
	if (dev->eth_dev->data->dev_conf.intr_conf.lsc)
		rte_eth_dev_callback_process(dev->eth_dev, RTE_ETH_EVENT_INTR_LSC, NULL);
}

static void
tell(struct vx_dev *dev, const struct news *news)
{
	if (news->failed)
		rte_eth_dev_callback_process(dev->eth_dev, RTE_ETH_EVENT_INTR_RESET, NULL);
	if (news->link)
		vx_link_report(dev);
}

/* ---- stopped queues ---- */

static const char *
error_text(uint32_t error)
{
	switch (error) {
	case VMXNET3_ERR_NOEOP:
		return "a frame has no end";
	case VMXNET3_ERR_TXD_REUSE:
		return "a descriptor was used again too early";
	case VMXNET3_ERR_BIG_PKT:
		return "a frame has too many descriptors";
	case VMXNET3_ERR_DESC_NOT_SPT:
		return "a descriptor of an unknown kind";
	case VMXNET3_ERR_SMALL_BUF:
		return "a receive buffer is too small";
	case VMXNET3_ERR_TXD_INVALID:
		return "an invalid descriptor";
	default:
		return "no reason that is known here";
	}
}

static void
log_status(struct vx_dev *dev, const char *direction, unsigned int queue,
	const struct vmxnet3_queue_status *status)
{
	uint32_t error;

	if (!*(const volatile uint8_t *)&status->stopped)
		return;
	error = rte_le_to_cpu_32(*(const volatile uint32_t *)&status->error);
	VX_LOG(ERR, dev, "the device stopped %s queue %u: %s (0x%x)", direction, queue,
		error_text(error), error);
}

static void
log_stopped(struct vx_dev *dev)
{
	unsigned int i;

	vx_cmd_get(dev, VMXNET3_CMD_GET_QUEUE_STATUS);
	for (i = 0; i < dev->eth_dev->data->nb_tx_queues; i++)
		log_status(dev, "transmit", i, &dev->txqd[i].status);
	for (i = 0; i < dev->eth_dev->data->nb_rx_queues; i++)
		log_status(dev, "receive", i, &dev->rxqd[i].status);
}

static void heal_later(void *arg);

static void
heal(struct vx_dev *dev, struct news *news)
{
	log_stopped(dev);
	dev->healed = rte_get_timer_cycles();
	news->failed = vx_reactivate(dev) != 0;
	news->link |= vx_link_refresh(dev);
	if (news->failed)
		VX_LOG(ERR, dev, "the port is down until it is stopped and started");
}

static void
heal_soon(struct vx_dev *dev, struct news *news)
{
	uint64_t hz = rte_get_timer_hz(), since = rte_get_timer_cycles() - dev->healed;

	if (dev->heal_due)
		return;
	if (dev->healed == 0 || since >= hz)
		heal(dev, news);
	else
		dev->heal_due = rte_eal_alarm_set(1 + (hz - since) * US_PER_S / hz, heal_later, dev) == 0;
}

static void
heal_later(void *arg)
{
	struct vx_dev *dev = arg;
	struct news news = { 0 };

	vx_lock(dev);
	dev->heal_due = false;
	if (dev->active)
		heal(dev, &news);
	vx_unlock(dev);
	tell(dev, &news);
}

void
vx_link_cancel(struct vx_dev *dev)
{
	rte_eal_alarm_cancel(heal_later, dev);
	vx_lock(dev);
	dev->heal_due = false;
	vx_unlock(dev);
}

/* ---- events ---- */

static void
handle_events(struct vx_dev *dev, struct news *news)
{
	uint32_t events = rte_le_to_cpu_32(*(volatile uint32_t *)&dev->area->shared.ecr);

	if (events == 0)
		return;
	dev->bus->write(dev, VMXNET3_REG_ECR, events);
	if (events & VMXNET3_ECR_LINK)
		news->link |= vx_link_refresh(dev);
	if (events & QUEUE_ERRORS)
		heal_soon(dev, news);
}

void
vx_link_event(struct vx_dev *dev)
{
	struct news news = { 0 };

	vx_lock(dev);
	if (dev->active) {
		handle_events(dev, &news);
		vx_irq_rearm(dev);
	}
	vx_unlock(dev);
	tell(dev, &news);
}

int
vx_link_update(struct rte_eth_dev *eth_dev, int wait_to_complete __rte_unused)
{
	struct vx_dev *dev = vx_dev_of(eth_dev);
	struct news news = { 0 };
	bool changed;

	vx_lock(dev);
	if (dev->active && !dev->intr)
		handle_events(dev, &news); /* nobody else looks */
	changed = vx_link_refresh(dev) || news.link;
	vx_unlock(dev);
	news.link = false;
	tell(dev, &news);
	return changed ? 0 : -1;
}
