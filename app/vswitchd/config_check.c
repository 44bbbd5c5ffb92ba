/* SPDX-License-Identifier: BSD-3-Clause */
/* How the values of a configuration fit together, and the machine. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config_check.h"
#include "worker_plan.h"
#include "yaml_doc.h"

int
config_refuse(const struct config_load *load, unsigned int line, const char *fmt, ...)
{
	size_t used;
	va_list ap;

	used = snprintf(load->errbuf, CONFIG_ERROR_LEN, "%s:%u: ", load->config->file, line);
	if (used < CONFIG_ERROR_LEN) {
		va_start(ap, fmt);
		vsnprintf(load->errbuf + used, CONFIG_ERROR_LEN - used, fmt, ap);
		va_end(ap);
	}
	return -EINVAL;
}

/* Two ports cannot share what @p text is: "" or NULL on ports that have none. */
static int
check_shared(const struct config_load *load, uint32_t index, const char *key, const char *text,
	const char *other_text, uint32_t other)
{
	const struct daemon_conf *conf = &load->config->conf;

	if (text == NULL || other_text == NULL || strcmp(text, other_text) != 0)
		return 0;
	return config_refuse(load, yaml_doc_line(load->doc, "ports/%u/%s", index, key),
		"port '%s': %s '%s' is already that of port '%s' on line %u", conf->ports[index].name,
		key, text, conf->ports[other].name,
		yaml_doc_line(load->doc, "ports/%u/%s", other, key));
}

static int
check_ports(const struct config_load *load)
{
	const struct daemon_conf *conf = &load->config->conf;
	uint32_t i, j;
	int rc;

	for (i = 0; i < conf->nb_ports; i++) {
		const struct port_conf *a = &conf->ports[i];

		if (a->socket != NULL && strcmp(a->socket, conf->control_socket) == 0)
			return config_refuse(load, yaml_doc_line(load->doc, "ports/%u/socket", i),
				"port '%s': socket '%s' is the control socket", a->name, a->socket);
		for (j = 0; j < i; j++) {
			const struct port_conf *b = &conf->ports[j];

			if (strcmp(a->name, b->name) == 0)
				return config_refuse(load, yaml_doc_line(load->doc, "ports/%u/name", i),
					"port '%s' is there twice, first on line %u", a->name,
					yaml_doc_line(load->doc, "ports/%u/name", j));
			rc = check_shared(load, i, "socket", a->socket, b->socket, j);
			if (rc == 0)
				rc = check_shared(load, i, "interface", a->interface, b->interface, j);
			if (rc == 0)
				rc = check_shared(load, i, "devargs", a->devargs, b->devargs, j);
			if (rc != 0)
				return rc;
		}
	}
	return 0;
}

static int
port_index(const struct daemon_conf *conf, const char *name)
{
	uint32_t i;

	for (i = 0; i < conf->nb_ports; i++)
		if (strcmp(conf->ports[i].name, name) == 0)
			return i;
	return -ENOENT;
}

/* @p owner: for each port, which bridge has it (number + 1). */
static int
check_members(const struct config_load *load, uint32_t index, uint8_t owner[MAX_PORTS])
{
	const struct bridge_conf *bridge = &load->config->conf.bridges[index];
	uint32_t i;

	for (i = 0; i < bridge->nb_ports; i++) {
		unsigned int line = yaml_doc_line(load->doc, "bridges/%u/ports/%u", index, i);
		int port = port_index(&load->config->conf, bridge->ports[i]);

		if (port < 0)
			return config_refuse(load, line,
				"bridge '%s': there is no port '%.40s'; define it under 'ports'",
				bridge->name, bridge->ports[i]);
		if (owner[port] != 0)
			return config_refuse(load, line,
				"bridge '%s': port '%s' is already in bridge '%s'; a port can be in one only",
				bridge->name, bridge->ports[i],
				load->config->conf.bridges[owner[port] - 1].name);
		if (bridge->type == BRIDGE_WIRE &&
		    load->config->conf.ports[port].vlan_mode != VLAN_TRANSPARENT)
			return config_refuse(load, line,
				"bridge '%s': a wire passes the frames of all VLANs; port '%s' has to have "
				"vlan-mode transparent there", bridge->name, bridge->ports[i]);
		owner[port] = index + 1;
	}
	if (bridge->type == BRIDGE_WIRE && bridge->nb_ports != 2)
		return config_refuse(load, yaml_doc_line(load->doc, "bridges/%u/ports", index),
			"bridge '%s': a wire has two ends; list exactly 2 ports, not %u", bridge->name,
			bridge->nb_ports);
	return 0;
}

/* The polling cores exist on this machine, and those that queues are pinned to are among them. */
static int
check_cores(const struct config_load *load)
{
	const struct daemon_conf *conf = &load->config->conf;
	struct worker_cpus cpus;
	struct affinity affinity;
	struct error err;
	char problem[256];
	uint32_t i;

	if (worker_plan_cpus(&conf->workers, &cpus, &err) != 0)
		return config_refuse(load, yaml_doc_line(load->doc, "workers/cores"), "%s", err.text);
	for (i = 0; i < conf->nb_ports; i++) {
		if (affinity_parse(conf->ports[i].affinity, &affinity) &&
		    !worker_cpus_have(&cpus, &affinity, problem, sizeof(problem)))
			return config_refuse(load, yaml_doc_line(load->doc, "ports/%u/affinity", i), "port '%s': %s",
				conf->ports[i].name, problem);
	}
	return 0;
}

int
config_check(const struct config_load *load)
{
	const struct daemon_conf *conf = &load->config->conf;
	uint8_t owner[MAX_PORTS] = { 0 };
	uint32_t i, j;
	int rc;

	rc = check_ports(load);
	for (i = 0; rc == 0 && i < conf->nb_bridges; i++) {
		for (j = 0; j < i; j++)
			if (strcmp(conf->bridges[i].name, conf->bridges[j].name) == 0)
				return config_refuse(load, yaml_doc_line(load->doc, "bridges/%u/name", i),
					"bridge '%s' is there twice, first on line %u",
					conf->bridges[i].name,
					yaml_doc_line(load->doc, "bridges/%u/name", j));
		rc = check_members(load, i, owner);
	}
	return rc != 0 ? rc : check_cores(load);
}
