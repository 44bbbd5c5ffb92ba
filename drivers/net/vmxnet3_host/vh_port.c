/* SPDX-License-Identifier: BSD-3-Clause */
#include "vh_port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <pmd_compat.h>
#include <vmxnet3_words.h>

/* Looks at a gate before the looker sleeps, and how long it sleeps then. */
#define SPINS 1000
#define NAP_NS 20000

RTE_LOG_REGISTER_DEFAULT(vh_logtype, NOTICE);

/*
 * A thread may be descheduled in the middle of its burst, by this very one if it has the lower priority
 * on the same CPU: so there is an end to spinning.
 */
static void
wait_gate(struct vh_gate *gate)
{
	unsigned int turns = atomic_load_explicit(&gate->turns, memory_order_acquire), i;
	const struct timespec nap = { .tv_nsec = NAP_NS };

	if (turns % 2 == 0)
		return;
	for (i = 0; atomic_load_explicit(&gate->turns, memory_order_acquire) == turns; i++) {
		if (i < SPINS)
			rte_pause();
		else
			nanosleep(&nap, NULL);
	}
}

void
vh_port_quiesce(void *arg)
{
	struct vh_port *port = arg;

	/* The other half of the fence in vh_gate_enter(). */
	atomic_thread_fence(memory_order_seq_cst);
	for (uint16_t q = 0; q < VH_MAX_QUEUES; q++) {
		wait_gate(&port->rxq[q].gate);
		wait_gate(&port->txq[q].gate);
	}
	wait_gate(&port->chase_gate);
}

static void
on_log(void *ctx __rte_unused, enum vmxnet3_log_level level, const char *line)
{
	static const uint32_t levels[] = {
		[VMXNET3_LOG_ERR] = RTE_LOG_ERR,
		[VMXNET3_LOG_WARNING] = RTE_LOG_WARNING,
		[VMXNET3_LOG_INFO] = RTE_LOG_INFO,
		[VMXNET3_LOG_DEBUG] = RTE_LOG_DEBUG,
	};

	rte_log(levels[level], (uint32_t)vh_logtype, "%s\n", line);
}

static int
make_device(struct vh_port *port, void (*changed)(void *port), char *errbuf, size_t errlen)
{
	const struct vh_args *args = &port->args;
	const struct vmxnet3_dev_ops ops = {
		.ctx = port,
		.quiesce = vh_port_quiesce,
		.changed = changed,
		.now = vmxnet3_now_ns,
		.log = on_log,
	};
	struct vmxnet3_dev_conf conf = {
		.name = port->eth->device->name,
		.max_tx_queues = (uint16_t)args->queues,
		.max_rx_queues = (uint16_t)args->queues,
		.revisions = args->revisions,
		.mtu = (uint16_t)args->mtu,
		.link_speed = args->speed,
		.doorbell = args->doorbell_message ? VMXNET3_DOORBELL_MESSAGE : VMXNET3_DOORBELL_MEMORY,
		.intr_rate = args->intr_rate,
	};

	memcpy(conf.mac, args->mac.addr_bytes, sizeof(conf.mac));
	port->dev = vmxnet3_dev_create(&conf, &ops, errbuf, errlen);
	if (port->dev == NULL)
		return -errno;
	/* Until the port is started. */
	vmxnet3_dev_set_link(port->dev, false);
	return 0;
}

struct opening {
	struct vh_port *port;
	char *errbuf;
	size_t errlen;
	int ret;
};

static pmd_thread_result
open_socket(void *arg)
{
	struct opening *o = arg;
	const struct vh_args *args = &o->port->args;
	const struct vfu_socket_conf conf = { .path = args->path, .owner = args->owner,
		.group = args->group, .mode = args->mode };

	o->ret = vmxnet3_vfu_start(o->port->dev, &conf, vh_port_quiesce, o->port, on_log,
		&o->port->vfu, o->errbuf, o->errlen);
	return PMD_THREAD_DONE;
}

static int
run_unpinned(const char *name, pmd_thread_result (*fn)(void *arg), void *arg)
{
	pmd_thread thread;
	int ret = pmd_thread_create(&thread, name, fn, arg);

	if (ret == 0)
		pmd_thread_join(thread);
	return ret;
}

int
vh_port_open(struct vh_port *port, void (*changed)(void *port), char *errbuf, size_t errlen)
{
	struct opening o = { .port = port, .errbuf = errbuf, .errlen = errlen };
	int ret;

	errbuf[0] = '\0';
	ret = make_device(port, changed, errbuf, errlen);
	if (ret == 0) {
		/* The control thread inherits where it may run: not on the CPU of a caller that polls. */
		ret = run_unpinned("vmxnet3-open", open_socket, &o);
		if (ret == 0)
			ret = o.ret;
		if (ret != 0) {
			vmxnet3_dev_destroy(port->dev);
			port->dev = NULL;
		}
	}
	if (ret != 0 && errbuf[0] == '\0')
		snprintf(errbuf, errlen, "%s", strerror(-ret));
	return ret;
}

void
vh_port_close(struct vh_port *port)
{
	vmxnet3_vfu_stop(port->vfu);
	port->vfu = NULL;
	vmxnet3_dev_destroy(port->dev);
	port->dev = NULL;
}
