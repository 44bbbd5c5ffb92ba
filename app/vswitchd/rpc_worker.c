/* SPDX-License-Identifier: BSD-3-Clause */
/* Control methods about polling cores: worker.*. And what a port costs them, for port.show. */
#include <errno.h>

#include "control.h"
#include "rpc.h"
#include "rpc_cost.h"
#include "switch.h"

static json_t *
node_of(int16_t node)
{
	return node < 0 ? json_null() : json_integer(node);
}

static json_t *
summary(const struct worker_info *w)
{
	json_t *object = json_pack("{s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:I, s:I}", "id", w->id, "cpu", w->cpu,
		"queues", (json_int_t)w->nb_queues, "loops", (json_int_t)w->loops, "busy_loops",
		(json_int_t)w->busy_loops, "busy_cycles", (json_int_t)w->busy_cycles, "idle_cycles",
		(json_int_t)w->idle_cycles, "frames", (json_int_t)w->frames, "sleeps", (json_int_t)w->sleeps,
		"slept_us", (json_int_t)w->slept_us, "step", (int)w->step, "load", (json_int_t)w->load, "moves",
		(json_int_t)w->moves);

	json_object_set_new(object, "node", node_of(w->node));
	return object;
}

static int
worker_list(struct control_request *req, const json_t *params, json_t **result, struct error *err)
{
	struct worker_info info[MAX_WORKERS];
	uint32_t n = switch_worker_list(info), i;

	(void)req;
	(void)params;
	(void)err;
	*result = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(*result, summary(&info[i]));
	return 0;
}

/* ---- who costs what ---- */

static json_t *
queue_cost(const struct port_queue_info *q)
{
	json_t *object = json_pack("{s:i, s:i, s:i, s:b, s:b, s:I, s:I, s:I, s:I}", "queue", q->queue, "worker", q->worker,
		"cpu", q->cpu, "used", q->used, "pinned", q->pinned, "load", (json_int_t)q->load, "moves",
		(json_int_t)q->moves, "cycles", (json_int_t)q->cycles, "frames", (json_int_t)q->frames);

	json_object_set_new(object, "node", node_of(q->node));
	return object;
}

static json_t *
core_cost(const struct port_core_info *c)
{
	return json_pack("{s:I, s:I, s:I}", "cycles", (json_int_t)c->cycles, "interrupt_cycles",
		(json_int_t)c->intr_cycles, "frames", (json_int_t)c->frames);
}

json_t *
rpc_cost(const struct port_cost_info *info)
{
	json_t *cores = json_array(), *queues = json_array(), *object, *core;
	struct port_core_info sum = { .worker = 0 };
	uint32_t i;

	for (i = 0; i < info->nb_cores; i++) {
		core = core_cost(&info->core[i]);
		json_object_set_new(core, "worker", json_integer(info->core[i].worker));
		json_array_append_new(cores, core);
		sum.cycles += info->core[i].cycles;
		sum.intr_cycles += info->core[i].intr_cycles;
		sum.frames += info->core[i].frames;
	}
	for (i = 0; i < info->nb_queues; i++)
		json_array_append_new(queues, queue_cost(&info->queue[i]));
	object = core_cost(&sum);
	json_object_set_new(object, "cores", cores);
	json_object_set_new(object, "queues", queues);
	return object;
}

/* Appends what a port costs a polling core, and its queues that this one polls. */
static void
add_port(uint16_t worker, const char *name, const struct port_cost_info *info, json_t *ports, json_t *polled)
{
	json_t *object;
	uint32_t i;

	if (info->core[worker].cycles + info->core[worker].intr_cycles > 0) {
		object = core_cost(&info->core[worker]);
		json_object_set_new(object, "port", json_string(name));
		json_array_append_new(ports, object);
	}
	for (i = 0; i < info->nb_queues; i++) {
		if (info->queue[i].worker != worker)
			continue;
		object = queue_cost(&info->queue[i]);
		json_object_set_new(object, "port", json_string(name));
		json_array_append_new(polled, object);
	}
}

static int
worker_show(struct control_request *req, const json_t *params, json_t **result, struct error *err)
{
	uint64_t id = control_uint(params, "id", 0);
	struct worker_info workers[MAX_WORKERS];
	uint32_t nb = switch_worker_list(workers), n, i;
	json_t *ports = json_array(), *polled = json_array();
	const char *names[MAX_PORTS];
	struct port_cost_info info;
	int rc = 0;

	(void)req;
	if (id >= nb)
		rc = error_set(err, -ENOENT, "there is no polling core %llu; there are 0 to %u", (unsigned long long)id, nb - 1);
	n = switch_port_names(names);
	for (i = 0; rc == 0 && i < n; i++) {
		rc = switch_port_cost(names[i], &info, err);
		if (rc == 0)
			add_port((uint16_t)id, names[i], &info, ports, polled);
	}
	if (rc != 0) {
		json_decref(ports);
		json_decref(polled);
		return rc;
	}
	*result = summary(&workers[id]);
	json_object_set_new(*result, "ports", ports);
	json_object_set_new(*result, "polled", polled);
	return 0;
}

void
rpc_worker_register(void)
{
	static const struct control_param show[] = {
		{ .name = "id", .type = CONTROL_UINT, .required = true, .max = MAX_WORKERS - 1 }, { .name = NULL } };
	static const struct control_method methods[] = {
		{ "worker.list", "polling cores", worker_list, NULL, false },
		{ "worker.show", "a polling core: its queues, and which port costs it what", worker_show, show, false },
		{ .name = NULL },
	};

	control_register(methods);
}
