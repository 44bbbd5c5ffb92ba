/* SPDX-License-Identifier: BSD-3-Clause */
#include "config_schema.h"

/* A value that may be left out, or not. */
#define VALUE(structure, section, symbol, key, flags) \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | (flags), structure, \
		v[section##_KEY_##symbol], 0, CYAML_UNLIMITED),

/* An absent section or list and an empty one are the same. */
#define MAYBE (CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER_NULL)

/* Name and type have no default. */
#define PORT_FLAGS(symbol) \
	(PORT_KEY_##symbol == PORT_KEY_NAME || PORT_KEY_##symbol == PORT_KEY_TYPE ? \
		CYAML_FLAG_DEFAULT : CYAML_FLAG_OPTIONAL)
#define BRIDGE_FLAGS(symbol) \
	(BRIDGE_KEY_##symbol == BRIDGE_KEY_NAME ? CYAML_FLAG_DEFAULT : CYAML_FLAG_OPTIONAL)

static const cyaml_schema_field_t port_fields[] = {
#define X(symbol, key, ...) VALUE(struct raw_port, PORT, symbol, key, PORT_FLAGS(symbol))
	PORT_KEYS(X)
#undef X
	CYAML_FIELD_END
};

static const cyaml_schema_value_t port_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_BLOCK, struct raw_port, port_fields),
};

static const cyaml_schema_value_t name_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, CYAML_UNLIMITED),
};

static const cyaml_schema_field_t bridge_fields[] = {
#define X(symbol, key, ...) VALUE(struct raw_bridge, BRIDGE, symbol, key, BRIDGE_FLAGS(symbol))
	BRIDGE_KEYS(X)
#undef X
	CYAML_FIELD_SEQUENCE_COUNT("ports", MAYBE | CYAML_FLAG_FLOW, struct raw_bridge, ports,
		nb_ports, &name_schema, 0, MAX_PORTS),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t bridge_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_BLOCK, struct raw_bridge, bridge_fields),
};

static const cyaml_schema_field_t step_fields[] = {
#define X(symbol, key, ...) VALUE(struct raw_step, STEP, symbol, key, CYAML_FLAG_DEFAULT)
	STEP_KEYS(X)
#undef X
	CYAML_FIELD_END
};

static const cyaml_schema_value_t step_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_FLOW, struct raw_step, step_fields),
};

static const cyaml_schema_field_t idle_fields[] = {
#define X(symbol, key, ...) VALUE(struct raw_idle, IDLE, symbol, key, CYAML_FLAG_OPTIONAL)
	IDLE_KEYS(X)
#undef X
	CYAML_FIELD_SEQUENCE_COUNT("steps", MAYBE, struct raw_idle, steps, nb_steps, &step_schema, 0,
		IDLE_STEPS),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t workers_fields[] = {
#define X(symbol, key, ...) VALUE(struct raw_workers, WORKERS, symbol, key, CYAML_FLAG_OPTIONAL)
	WORKERS_KEYS(X)
#undef X
	CYAML_FIELD_MAPPING_PTR("idle", MAYBE, struct raw_workers, idle, idle_fields),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t control_fields[] = {
#define X(symbol, key, ...) VALUE(struct raw_control, CONTROL, symbol, key, CYAML_FLAG_OPTIONAL)
	CONTROL_KEYS(X)
#undef X
	CYAML_FIELD_END
};

static const cyaml_schema_field_t dpdk_fields[] = {
#define X(symbol, key, ...) VALUE(struct raw_dpdk, DPDK, symbol, key, CYAML_FLAG_OPTIONAL)
	DPDK_KEYS(X)
#undef X
	CYAML_FIELD_END
};

static const cyaml_schema_field_t daemon_fields[] = {
#define X(symbol, key, ...) VALUE(struct raw_daemon, DAEMON, symbol, key, CYAML_FLAG_OPTIONAL)
	DAEMON_KEYS(X)
#undef X
	CYAML_FIELD_MAPPING_PTR("control", MAYBE, struct raw_daemon, control, control_fields),
	CYAML_FIELD_MAPPING_PTR("dpdk", MAYBE, struct raw_daemon, dpdk, dpdk_fields),
	CYAML_FIELD_MAPPING_PTR("workers", MAYBE, struct raw_daemon, workers, workers_fields),
	CYAML_FIELD_SEQUENCE_COUNT("ports", MAYBE, struct raw_daemon, ports, nb_ports, &port_schema,
		0, MAX_PORTS),
	CYAML_FIELD_SEQUENCE_COUNT("bridges", MAYBE, struct raw_daemon, bridges, nb_bridges,
		&bridge_schema, 0, MAX_BRIDGES),
	CYAML_FIELD_END
};

const cyaml_schema_value_t config_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER_NULL, struct raw_daemon, daemon_fields),
};
