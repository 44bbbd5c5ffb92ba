/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes a configuration as YAML: what differs from the defaults. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "config_schema.h"

struct save {
	const struct daemon_conf *conf;
	struct conf_strings strings;
	bool failed; /* no memory */
};

/* The texts of the values that differ from @p defaults; NULL for the others. */
static bool
get_values(struct save *save, const struct conf_key *keys, unsigned int n, const void *conf,
	const void *defaults, const char **values)
{
	char text[CONF_TEXT_LEN], usual[CONF_TEXT_LEN];
	bool any = false;
	unsigned int i;

	for (i = 0; i < n; i++) {
		values[i] = NULL;
		if (!conf_key_get(&keys[i], conf, text))
			continue;
		if (defaults != NULL && conf_key_get(&keys[i], defaults, usual) &&
		    strcmp(text, usual) == 0)
			continue;
		values[i] = conf_strdup(&save->strings, text);
		save->failed |= values[i] == NULL;
		any = true;
	}
	return any;
}

static void
get_port(struct save *save, const struct port_conf *port, struct raw_port *raw)
{
	uint32_t required = 1u << PORT_KEY_NAME | 1u << PORT_KEY_TYPE;
	struct port_conf usual;
	unsigned int i, key;
	char problem[256];

	port_conf_init(&usual);
	usual.name = port->name;
	usual.type = port->type;
	if (port->type == PORT_ETHDEV)
		required |= 1u << PORT_KEY_DEVARGS;
	else if (port->type != PORT_DEVICE)
		required |= 1u << PORT_KEY_INTERFACE;
	/* A name too long for the default socket path leaves no default to compare with. */
	port_conf_finish(&usual, required, save->conf->run_dir, &save->strings, &key, problem,
		sizeof(problem));
	get_values(save, port_keys, PORT_KEY_MAX, port, &usual, raw->v);
	for (i = 0; i < PORT_KEY_MAX; i++)
		if (!(port_keys[i].types & 1u << port->type))
			raw->v[i] = NULL;
	raw->v[PORT_KEY_NAME] = port->name;
	raw->v[PORT_KEY_TYPE] = port_type_name(port->type);
}

static void
get_bridge(struct save *save, const struct bridge_conf *bridge, struct raw_bridge *raw)
{
	struct bridge_conf usual;

	bridge_conf_init(&usual);
	get_values(save, bridge_keys, BRIDGE_KEY_MAX, bridge, &usual, raw->v);
	raw->ports = bridge->ports;
	raw->nb_ports = bridge->nb_ports;
	if (raw->nb_ports == 0)
		raw->ports = NULL;
}

/* Steps beyond those that were configured repeat the last one (config_load.c). */
static bool
get_steps(struct save *save, const struct daemon_conf *usual, struct raw_idle *idle,
	struct raw_step steps[IDLE_STEPS])
{
	const struct idle_step *all = save->conf->workers.idle;
	uint32_t i, n = 1;

	if (memcmp(all, usual->workers.idle, sizeof(usual->workers.idle)) == 0)
		return false;
	while (n < IDLE_STEPS && all[n].idle_us > all[n - 1].idle_us)
		n++;
	for (i = 0; i < n; i++)
		get_values(save, step_keys, STEP_KEY_MAX, &all[i], NULL, steps[i].v);
	idle->steps = steps;
	idle->nb_steps = n;
	return true;
}

static char *
to_yaml(const struct raw_daemon *raw)
{
	const cyaml_config_t cyaml = {
		.log_level = CYAML_LOG_ERROR,
		.mem_fn = cyaml_mem,
		.flags = CYAML_CFG_STYLE_BLOCK,
	};
	char *data = NULL, *text;
	size_t len = 0;

	if (cyaml_save_data(&data, &len, &cyaml, &config_schema, raw, 0) != CYAML_OK)
		return NULL;
	text = malloc(len + 2);
	if (text != NULL)
		snprintf(text, len + 2, "%.*s%s", (int)len, data,
			len > 0 && data[len - 1] != '\n' ? "\n" : "");
	free(data);
	return text;
}

static char *
format_daemon(struct save *save, struct raw_port *ports, struct raw_bridge *bridges)
{
	const struct daemon_conf *conf = save->conf;
	struct raw_daemon raw = { .ports = ports, .bridges = bridges };
	struct raw_control control;
	struct raw_dpdk dpdk;
	struct raw_workers workers = { .idle = NULL };
	struct raw_idle idle = { .steps = NULL };
	struct raw_step steps[IDLE_STEPS];
	struct daemon_conf usual;
	char socket[CONF_TEXT_LEN];
	bool any;
	uint32_t i;

	daemon_conf_init(&usual);
	snprintf(socket, sizeof(socket), "%.512s/vswitchd.sock", conf->run_dir);
	usual.control_socket = socket;
	get_values(save, daemon_keys, DAEMON_KEY_MAX, conf, &usual, raw.v);
	if (get_values(save, control_keys, CONTROL_KEY_MAX, conf, &usual, control.v))
		raw.control = &control;
	if (get_values(save, dpdk_keys, DPDK_KEY_MAX, conf, &usual, dpdk.v))
		raw.dpdk = &dpdk;
	any = get_values(save, idle_keys, IDLE_KEY_MAX, conf, &usual, idle.v);
	if (get_steps(save, &usual, &idle, steps) || any)
		workers.idle = &idle;
	if (get_values(save, workers_keys, WORKERS_KEY_MAX, conf, &usual, workers.v) ||
	    workers.idle != NULL)
		raw.workers = &workers;
	for (i = 0; i < conf->nb_ports; i++)
		get_port(save, &conf->ports[i], &ports[i]);
	for (i = 0; i < conf->nb_bridges; i++)
		get_bridge(save, &conf->bridges[i], &bridges[i]);
	raw.nb_ports = conf->nb_ports;
	raw.nb_bridges = conf->nb_bridges;
	if (raw.nb_ports == 0)
		raw.ports = NULL;
	if (raw.nb_bridges == 0)
		raw.bridges = NULL;
	return save->failed ? NULL : to_yaml(&raw);
}

char *
config_format(const struct daemon_conf *conf)
{
	struct save save = { .conf = conf };
	struct raw_port *ports = calloc(conf->nb_ports + 1, sizeof(*ports));
	struct raw_bridge *bridges = calloc(conf->nb_bridges + 1, sizeof(*bridges));
	char *text = NULL;

	if (ports != NULL && bridges != NULL)
		text = format_daemon(&save, ports, bridges);
	conf_strings_free(&save.strings);
	free(bridges);
	free(ports);
	return text;
}
