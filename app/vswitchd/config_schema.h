/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The configuration file as libcyaml loads and saves it: every value is still text, an absent one
 * is NULL. conf_key.h gives the texts their meaning.
 */
#ifndef VSWITCHD_CONFIG_SCHEMA_H
#define VSWITCHD_CONFIG_SCHEMA_H

#include <stdint.h>

#include <cyaml/cyaml.h>

#include "conf_key.h"

struct raw_port {
	const char *v[PORT_KEY_MAX];
};

struct raw_bridge {
	const char *v[BRIDGE_KEY_MAX];
	const char **ports;
	uint32_t nb_ports;
};

struct raw_step {
	const char *v[STEP_KEY_MAX];
};

struct raw_idle {
	const char *v[IDLE_KEY_MAX];
	struct raw_step *steps;
	uint32_t nb_steps;
};

struct raw_workers {
	const char *v[WORKERS_KEY_MAX];
	struct raw_idle *idle;
};

struct raw_control {
	const char *v[CONTROL_KEY_MAX];
};

struct raw_dpdk {
	const char *v[DPDK_KEY_MAX];
};

struct raw_daemon {
	const char *v[DAEMON_KEY_MAX];
	struct raw_control *control;
	struct raw_dpdk *dpdk;
	struct raw_workers *workers;
	struct raw_port *ports;
	uint32_t nb_ports;
	struct raw_bridge *bridges;
	uint32_t nb_bridges;
};

/** A pointer to a struct raw_daemon. */
extern const cyaml_schema_value_t config_schema;

#endif /* VSWITCHD_CONFIG_SCHEMA_H */
