/* SPDX-License-Identifier: BSD-3-Clause */
/* Control methods about the daemon: log.*, config.get, system.*. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_version.h>

#include "config.h"
#include "control.h"
#include "control_methods.h"
#include "eal.h"
#include "log.h"
#include "rpc.h"
#include "switch.h"

static const struct daemon_conf *startup;
static char config_file[PATH_MAX]; /* absolute: a client works in another folder */
static time_t started;

static time_t
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* ---- log ---- */

static int
log_get(struct control_request *req, const json_t *params, json_t **result, struct error *err)
{
	json_t *levels = json_object();
	int i;

	(void)req;
	(void)params;
	(void)err;
	for (i = 0; i < LOG_COMPONENT_MAX; i++)
		json_object_set_new(levels, log_component_name(i),
			json_string(log_level_name(log_level_get(i))));
	*result = json_pack("{s:o}", "levels", levels);
	return 0;
}

static int
log_change(struct control_request *req, const json_t *params, json_t **result,
	struct error *err)
{
	const char *level = control_string(params, "level");

	if (log_set(level, err->text, sizeof(err->text)) != 0)
		return CONTROL_INVALID_PARAMS;
	eal_log_level_changed();
	log_notice(MAIN, "log level set: %s", level);
	return log_get(req, params, result, err);
}

/* ---- configuration ---- */

/* The running switch as a configuration; owns only arrays. */
struct running {
	struct daemon_conf conf;
	struct port_conf ports[MAX_PORTS];
	struct bridge_conf bridges[MAX_BRIDGES];
	const char *members[MAX_PORTS]; /* of all bridges, one behind the other */
	char log[256];
};

static int
running_ports(struct running *run, struct error *err)
{
	const char *names[MAX_PORTS];
	uint32_t n = switch_port_names(names), i;
	struct port_info info;
	int rc;

	for (i = 0; i < n; i++) {
		rc = switch_port_info(names[i], &info, err);
		if (rc != 0)
			return rc;
		run->ports[i] = *info.conf;
	}
	run->conf.ports = run->ports;
	run->conf.nb_ports = n;
	return 0;
}

static int
running_bridges(struct running *run, struct error *err)
{
	const char *names[MAX_BRIDGES];
	uint32_t n = switch_bridge_names(names), members = 0, i;
	struct bridge_info info;
	int rc;

	for (i = 0; i < n; i++) {
		rc = switch_bridge_info(names[i], &info, err);
		if (rc != 0)
			return rc;
		if (info.conf->type == BRIDGE_WIRE && info.nb_ports != 2)
			return error_set(err, -EINVAL,
				"wire '%s' has %u of 2 ports, which a configuration cannot hold; attach 2 or delete it",
				names[i], info.nb_ports);
		run->bridges[i] = *info.conf;
		run->bridges[i].ports = &run->members[members];
		run->bridges[i].nb_ports = info.nb_ports;
		memcpy(&run->members[members], info.ports, info.nb_ports * sizeof(info.ports[0]));
		members += info.nb_ports;
	}
	run->conf.bridges = run->bridges;
	run->conf.nb_bridges = n;
	return 0;
}

/* The level that most components have, then those that differ: as short as log_set() allows. */
static void
running_log(struct running *run)
{
	unsigned int count[LOG_LVL_DEBUG + 1] = { 0 };
	enum log_level most = LOG_LVL_INFO;
	size_t used;
	int i;

	for (i = 0; i < LOG_COMPONENT_MAX; i++)
		if (++count[log_level_get(i)] > count[most])
			most = log_level_get(i);
	used = snprintf(run->log, sizeof(run->log), "%s", log_level_name(most));
	for (i = 0; i < LOG_COMPONENT_MAX && used < sizeof(run->log); i++)
		if (log_level_get(i) != most)
			used += snprintf(run->log + used, sizeof(run->log) - used, ",%s=%s",
				log_component_name(i), log_level_name(log_level_get(i)));
	run->conf.log = run->log;
}

static int
config_get(struct control_request *req, const json_t *params, json_t **result, struct error *err)
{
	struct running *run = calloc(1, sizeof(*run));
	char *yaml = NULL;
	int rc;

	(void)req;
	(void)params;
	if (run == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	run->conf = *startup;
	running_log(run);
	rc = running_ports(run, err);
	if (rc == 0)
		rc = running_bridges(run, err);
	if (rc == 0) {
		yaml = config_format(&run->conf);
		if (yaml == NULL)
			rc = error_set(err, -ENOMEM, "out of memory");
	}
	if (rc == 0)
		*result = json_pack("{s:s}", "yaml", yaml);
	free(yaml);
	free(run);
	return rc;
}

/* ---- system ---- */

static int
system_info(struct control_request *req, const json_t *params, json_t **result,
	struct error *err)
{
	(void)req;
	(void)params;
	(void)err;
	*result = json_pack("{s:s, s:s, s:i, s:I, s:b, s:I, s:I, s:s, s:s, s:s}", "version",
		VMXNET3X_VERSION, "dpdk", rte_version(), "pid", (int)getpid(), "uptime",
		(json_int_t)(seconds() - started), "hugepages", eal_uses_hugepages(), "memory_mb",
		(json_int_t)startup->memory_mb, "tsc_hz", (json_int_t)rte_get_tsc_hz(), "control_socket", control_path(), "run_dir",
		startup->run_dir, "config_file", config_file);
	return 0;
}

static void
add_method(const struct control_method *method, void *arg)
{
	static const char *const types[] = {
		[CONTROL_STRING] = "string", [CONTROL_BOOL] = "boolean", [CONTROL_UINT] = "number" };
	const struct control_param *p;
	json_t *params = method->any_params ? json_null() : json_array();

	for (p = method->params; p != NULL && p->name != NULL; p++)
		json_array_append_new(params, json_pack("{s:s, s:s, s:b}", "name", p->name, "type",
			types[p->type], "required", p->required));
	json_array_append_new(arg, json_pack("{s:s, s:s, s:o}", "name", method->name, "help",
		method->help, "params", params));
}

static int
system_methods(struct control_request *req, const json_t *params, json_t **result,
	struct error *err)
{
	(void)req;
	(void)params;
	(void)err;
	*result = json_array();
	control_methods_foreach(add_method, *result);
	return 0;
}

void
rpc_system_register(const struct daemon_conf *conf, const char *file)
{
	static const struct control_param level[] = {
		{ .name = "level", .type = CONTROL_STRING, .required = true, .max = 256 },
		{ .name = NULL } };
	static const struct control_method methods[] = {
		{ "log.get", "log levels", log_get, NULL, false },
		{ "log.set", "set log levels: LEVEL or component=LEVEL,...", log_change, level, false },
		{ "config.get", "the running configuration as YAML", config_get, NULL, false },
		{ "system.info", "version, uptime, memory", system_info, NULL, false },
		{ "system.methods", "these methods", system_methods, NULL, false },
		{ .name = NULL },
	};

	startup = conf;
	if (realpath(file, config_file) == NULL)
		snprintf(config_file, sizeof(config_file), "%s", file);
	started = seconds();
	control_register(methods);
}
