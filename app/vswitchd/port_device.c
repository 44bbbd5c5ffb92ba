/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port that is a vmxnet3 device. Its frames are handed to the outputs as they lie in the
 * guest's memory; the device core counts what passes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vmxnet3_regs.h>
#include <vmxnet3_rev.h>
#include <vmxnet3_vfu.h>
#include <vmxnet3_words.h>

#include "log.h"
#include "port_device.h"

#define DEFAULT_MTU 9000

struct device {
	struct vmxnet3_dev *dev;
	struct vmxnet3_vfu *vfu;
};

static struct vmxnet3_dev *
dev_of(const struct port *port)
{
	return ((const struct device *)port->priv)->dev;
}

static void
device_log(void *ctx __rte_unused, enum vmxnet3_log_level level, const char *line)
{
	log_line(LOG_DEVICE, (enum log_level)level, "%s", line);
}

static int
fill_defaults(struct port *port, struct error *err)
{
	struct port_conf *conf = &port->conf;

	if (conf->mtu == 0)
		conf->mtu = DEFAULT_MTU;
	if (!conf->mac_set) {
		vmxnet3_mac_from_name(conf->name, conf->mac);
		conf->mac_set = true;
	}
	if (conf->socket == NULL) {
		char *path;

		if (asprintf(&path, "%s/%s.sock", port->env->run_dir, conf->name) < 0)
			return error_set(err, -ENOMEM, "port %s: no memory", conf->name);
		conf->socket = path;
	}
	return 0;
}

static int
start_socket(struct port *port, struct device *device, struct error *err)
{
	struct vfu_socket_conf sock = {.path = port->conf.socket, .mode = port->conf.mode};
	char text[200] = "";
	int ret = vmxnet3_find_owner(port->conf.owner, port->conf.group, &sock.owner, &sock.group,
		text, sizeof(text));

	if (ret < 0)
		return error_set(err, ret, "port %s: %s", port->conf.name, text);
	ret = vmxnet3_vfu_start(device->dev, &sock, port->env->quiesce, NULL, device_log,
		&device->vfu, text, sizeof(text));
	if (ret < 0)
		return error_set(err, ret, "port %s: %s", port->conf.name,
			text[0] != '\0' ? text : strerror(-ret));
	return 0;
}

static int
device_open(struct port *port, struct error *err)
{
	const struct port_conf *conf = &port->conf;
	struct vmxnet3_dev_ops ops = {
		.ctx = port,
		.quiesce = port->env->quiesce,
		.wake = port->env->wake,
		.now = vmxnet3_now_ns,
		.log = device_log,
	};
	struct vmxnet3_dev_conf dev_conf;
	struct device *device;
	char text[200] = "";
	int ret = fill_defaults(port, err);

	if (ret < 0)
		return ret;
	device = calloc(1, sizeof(*device));
	if (device == NULL)
		return error_set(err, -ENOMEM, "port %s: no memory", conf->name);
	dev_conf = (struct vmxnet3_dev_conf){
		.name = conf->name,
		.max_tx_queues = conf->max_queues,
		.max_rx_queues = conf->max_queues,
		.revisions = conf->revisions,
		.mtu = conf->mtu,
		.link_speed = conf->link_speed,
		.doorbell = conf->doorbell_message ? VMXNET3_DOORBELL_MESSAGE
						   : VMXNET3_DOORBELL_MEMORY,
		.intr_rate = conf->interrupt_rate,
		.low_latency = conf->low_latency,
		.skip_local_csum = conf->skip_local_csum,
		.whole_tunnel_tso = conf->whole_tunnel_tso,
	};
	memcpy(dev_conf.mac, conf->mac, sizeof(dev_conf.mac));
	port->priv = device;
	device->dev = vmxnet3_dev_create(&dev_conf, &ops, text, sizeof(text));
	if (device->dev == NULL) {
		ret = error_set(err, errno == 0 ? -EINVAL : -errno, "port %s: %s", conf->name,
			text[0] != '\0' ? text : strerror(errno));
		goto fail;
	}
	/* Until it is attached to a bridge. */
	vmxnet3_dev_set_link(device->dev, false);
	ret = start_socket(port, device, err);
	if (ret < 0)
		goto fail;
	port->nb_queues = conf->max_queues;
	port->look = device->dev;
	return 0;

fail:
	vmxnet3_dev_destroy(device->dev);
	free(device);
	return ret;
}

static void
device_close(struct port *port)
{
	struct device *device = port->priv;

	vmxnet3_vfu_stop(device->vfu);
	vmxnet3_dev_destroy(device->dev);
	free(device);
}

static uint16_t
device_rx_queues(const struct port *port)
{
	return vmxnet3_dev_nb_tx_queues(dev_of(port));
}

static uint16_t
device_rx_begin(struct port *port, uint16_t queue, struct port_ctx *ctx,
	struct offload_frame **frames)
{
	return vmxnet3_dev_tx_begin(dev_of(port), queue, ctx->burst, PORT_BURST, frames);
}

static void
device_rx_prefetch(const struct port *port, uint16_t queue)
{
	vmxnet3_dev_tx_prefetch(dev_of(port), queue);
}

static uint64_t
device_rx_pending(const void *look, uint64_t queues)
{
	return vmxnet3_dev_tx_pending(look, queues);
}

static void
device_rx_end(struct port *port, uint16_t queue, struct port_ctx *ctx)
{
	vmxnet3_dev_tx_end(dev_of(port), queue, ctx->burst);
}

static void
device_deliver(struct port *port, struct port_ctx *ctx __rte_unused,
	struct offload_frame *const *frames, uint16_t n)
{
	vmxnet3_dev_deliver(dev_of(port), frames, n);
}

static enum vmxnet3_dev_intr_held
device_intr_poll(struct port *port, uint32_t *left)
{
	return vmxnet3_dev_intr_poll_some(dev_of(port), left);
}

static bool
device_intr_due(const struct port *port)
{
	return vmxnet3_dev_intr_due(dev_of(port));
}

/* A driver that has started its card is what a real card's link needs, too. */
static bool
device_link_own(struct port *port)
{
	struct vmxnet3_dev_info info;

	vmxnet3_dev_info_get(dev_of(port), &info);
	return info.active;
}

static void
device_link_offer(struct port *port, bool up)
{
	vmxnet3_dev_set_link(dev_of(port), up);
}

static int
device_set_mtu(struct port *port, uint16_t mtu, struct error *err)
{
	if (vmxnet3_dev_set_mtu(dev_of(port), mtu) < 0)
		return error_set(err, -EINVAL, "port %s: MTU %u: 60 to 9190 is allowed",
			port->conf.name, mtu);
	return 0;
}

static bool
device_in_use(struct port *port)
{
	struct vmxnet3_dev_info info;

	vmxnet3_dev_info_get(dev_of(port), &info);
	return info.attached;
}

static void
device_stats(struct port *port, struct port_stats *stats)
{
	struct vmxnet3_dev_stats dev;

	vmxnet3_dev_stats_get(dev_of(port), &dev);
	/* What the guest transmits is received by the switch. */
	stats->rx_frames += dev.tx_frames;
	stats->rx_bytes += dev.tx_bytes;
	stats->tx_frames += dev.rx_frames;
	stats->tx_bytes += dev.rx_bytes;
	stats->rx_tso += dev.tx_tso;
	stats->tx_lro += dev.rx_lro;
	stats->interrupts += dev.interrupts;
	stats->interrupts_held += dev.interrupts_held;
	for (unsigned int i = 0; i < VMXNET3_DROP_MAX; i++)
		stats->drops[i] += dev.drops[i];
}

/* As the device core settles it; without a driver nothing is taken. */
static void
device_offloads(const struct port_conf *conf, const struct vmxnet3_dev_info *dev,
	struct port_offloads *offloads)
{
	const struct vmxnet3_rev *rev = vmxnet3_rev_get(dev->revision);
	uint32_t large = VMXNET3_F_LRO | VMXNET3_F_RXCSUM;

	if (!dev->active || rev == NULL)
		return;
	if (conf->skip_local_csum && dev->features & VMXNET3_F_RXCSUM)
		offloads->checksum = PORT_EXIT_PEER;
	if (rev->lro_type4 && (dev->features & large) == large)
		offloads->tso = PORT_EXIT_PEER;
	if (dev->features & VMXNET3_F_RXVLAN)
		offloads->vlan = PORT_EXIT_PEER;
}

static void
device_info(struct port *port, struct port_info *info)
{
	vmxnet3_dev_info_get(dev_of(port), &info->dev);
	device_offloads(&port->conf, &info->dev, &info->offloads);
}

static const void *
device_memory(const struct port *port, uint16_t queue)
{
	return vmxnet3_dev_tx_memory(dev_of(port), queue);
}

const struct port_ops port_device_ops = {
	.open = device_open,
	.close = device_close,
	.rx_queues = device_rx_queues,
	.rx_begin = device_rx_begin,
	.rx_end = device_rx_end,
	.rx_prefetch = device_rx_prefetch,
	.rx_pending = device_rx_pending,
	.deliver = device_deliver,
	.intr_poll = device_intr_poll,
	.intr_due = device_intr_due,
	.link_own = device_link_own,
	.link_offer = device_link_offer,
	.link_when_attached = true,
	.set_mtu = device_set_mtu,
	.in_use = device_in_use,
	.stats = device_stats,
	.info = device_info,
	.memory = device_memory,
};
