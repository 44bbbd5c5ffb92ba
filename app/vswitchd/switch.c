/* SPDX-License-Identifier: BSD-3-Clause */
/* The switch as a whole: its life, its clock. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "switch.h"
#include "switch_balance.h"
#include "switch_link.h"
#include "switch_state.h"
#include "worker.h"

static void
quiesce(void *ctx __rte_unused)
{
	workers_quiesce();
}

/* The device does not say which of its queues has work. It may ask before it has any. */
static void
wake(void *ctx)
{
	const struct port *port = ctx;
	uint64_t done = 0;

	if (__atomic_load_n(&port->queue, __ATOMIC_ACQUIRE) == NULL)
		return;
	for (uint16_t q = 0; q < port->nb_queues; q++) {
		uint16_t worker = port_worker(port, q);

		if (worker == PORT_NO_WORKER || done & UINT64_C(1) << worker)
			continue;
		done |= UINT64_C(1) << worker;
		worker_wake(worker);
	}
}

int
switch_start(const struct daemon_conf *conf, struct error *err)
{
	int ret;

	memset(&the_switch, 0, sizeof(the_switch));
	the_switch.run_dir = strdup(conf->run_dir);
	if (the_switch.run_dir == NULL)
		return error_set(err, -ENOMEM, "switch: no memory");
	ret = workers_start(&conf->workers, err);
	if (ret < 0) {
		free(the_switch.run_dir);
		return ret;
	}
	the_switch.env = (struct port_env){
		.run_dir = the_switch.run_dir,
		.nb_workers = workers_nb(),
		.quiesce = quiesce,
		.wake = wake,
	};
	workers_set_clock(now_seconds());
	balance_start(&conf->workers);
	the_switch.running = true;
	return 0;
}

void
switch_stop(void)
{
	struct error err;

	if (!the_switch.running)
		return;
	while (the_switch.nb_bridges > 0)
		switch_bridge_del(the_switch.bridges[the_switch.nb_bridges - 1]->conf.name, &err);
	while (the_switch.nb_ports > 0)
		switch_port_del(the_switch.ports[the_switch.nb_ports - 1]->conf.name, true, &err);
	workers_stop();
	free(the_switch.run_dir);
	memset(&the_switch, 0, sizeof(the_switch));
}

/* ---- the clock ---- */

static void
age(void)
{
	uint32_t now = now_seconds();

	workers_set_clock(now);
	for (uint32_t i = 0; i < the_switch.nb_bridges; i++) {
		struct bridge *bridge = the_switch.bridges[i];

		if (bridge->fdb != NULL && bridge->conf.fdb_ageing != 0)
			fdb_age(bridge->fdb, now, bridge->conf.fdb_ageing);
	}
}

void
switch_tick(void)
{
	if (!the_switch.running)
		return;
	age();
	links_update();
	balance_tick();
}

/* ---- polling cores ---- */

uint32_t
switch_worker_list(struct worker_info info[MAX_WORKERS])
{
	uint32_t n = workers_info(info);

	for (uint32_t i = 0; i < n; i++) {
		info[i].load = balance_load(info[i].id);
		info[i].moves = balance_moves(info[i].id);
	}
	return n;
}
