/* SPDX-License-Identifier: BSD-3-Clause */
/* Control methods about bridges: bridge.*, fdb.*. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "rpc.h"
#include "rpc_conf.h"
#include "switch.h"

#define FDB_LIMIT_DEFAULT 10000
#define FDB_LIMIT_MAX 1000000

static json_t *
bridge_summary(const struct bridge_info *info)
{
	json_t *ports = json_array();
	uint32_t i;

	for (i = 0; i < info->nb_ports; i++)
		json_array_append_new(ports, json_string(info->ports[i]));
	return json_pack("{s:s, s:s, s:o, s:I, s:I}", "name", info->conf->name, "type",
		bridge_type_name(info->conf->type), "ports", ports, "fdb_used",
		(json_int_t)info->fdb_used, "fdb_size", (json_int_t)info->conf->fdb_size);
}

static int
bridge_list(struct control_request *req, const json_t *params, json_t **result,
	struct error *err)
{
	const char *names[MAX_BRIDGES];
	uint32_t n = switch_bridge_names(names), i;
	struct bridge_info info;
	int rc;

	(void)req;
	(void)params;
	*result = json_array();
	for (i = 0; i < n; i++) {
		rc = switch_bridge_info(names[i], &info, err);
		if (rc != 0)
			return rc;
		json_array_append_new(*result, bridge_summary(&info));
	}
	return 0;
}

static int
bridge_show(struct control_request *req, const json_t *params, json_t **result,
	struct error *err)
{
	struct bridge_info info;
	int rc;

	(void)req;
	rc = switch_bridge_info(control_string(params, "name"), &info, err);
	if (rc != 0)
		return rc;
	*result = bridge_summary(&info);
	json_object_set_new(*result, "flooded", json_integer(info.flooded));
	json_object_set_new(*result, "fdb_full", json_integer(info.fdb_full));
	json_object_set_new(*result, "fdb_moves", json_integer(info.fdb_moves));
	json_object_set_new(*result, "conf",
		rpc_conf_get(bridge_keys, BRIDGE_KEY_MAX, UINT32_MAX, info.conf));
	return 0;
}

/* The member "ports": borrowed strings in an array for free(). */
static int
member_ports(const json_t *params, const char *about, struct bridge_conf *conf,
	struct error *err)
{
	const json_t *ports = json_object_get(params, "ports"), *name;
	size_t i;

	if (ports == NULL)
		return 0;
	if (!json_is_array(ports) || json_array_size(ports) > MAX_PORTS)
		return control_invalid(err, "%sports must be an array of at most %d names", about,
			MAX_PORTS);
	conf->ports = calloc(json_array_size(ports) + 1, sizeof(*conf->ports));
	if (conf->ports == NULL)
		return error_set(err, -ENOMEM, "out of memory");
	json_array_foreach(ports, i, name) {
		if (!json_is_string(name))
			return control_invalid(err, "%sports must be an array of names", about);
		conf->ports[conf->nb_ports++] = json_string_value(name);
	}
	return 0;
}

static int
add(const json_t *params, struct bridge_conf *conf, struct conf_strings *strings,
	struct error *err)
{
	const char *name = control_string(params, "name");
	char about[64];
	uint32_t given;
	int rc;

	snprintf(about, sizeof(about), "bridge '%.40s': ", name != NULL ? name : "");
	bridge_conf_init(conf);
	rc = rpc_conf_set(bridge_keys, BRIDGE_KEY_MAX, params, "ports", about, conf, strings, &given,
		err);
	if (rc != 0)
		return rc;
	if (!(given & 1u << BRIDGE_KEY_NAME))
		return control_invalid(err, "%skey 'name' is missing", about);
	rc = member_ports(params, about, conf, err);
	return rc != 0 ? rc : switch_bridge_add(conf, err);
}

static int
bridge_add(struct control_request *req, const json_t *params, json_t **result, struct error *err)
{
	struct conf_strings strings = { .first = NULL };
	struct bridge_conf conf;
	int rc;

	(void)req;
	(void)result;
	rc = add(params, &conf, &strings, err);
	free(conf.ports);
	conf_strings_free(&strings);
	return rc;
}

static int
bridge_del(struct control_request *req, const json_t *params, json_t **result, struct error *err)
{
	(void)req;
	(void)result;
	return switch_bridge_del(control_string(params, "name"), err);
}

static int
bridge_attach(struct control_request *req, const json_t *params, json_t **result,
	struct error *err)
{
	(void)req;
	(void)result;
	return switch_bridge_attach(control_string(params, "bridge"), control_string(params, "port"),
		err);
}

static int
bridge_detach(struct control_request *req, const json_t *params, json_t **result,
	struct error *err)
{
	(void)req;
	(void)result;
	return switch_bridge_detach(control_string(params, "bridge"), control_string(params, "port"),
		err);
}

struct fdb_list {
	const char *bridge;
	json_t *array;
	uint64_t limit;
};

static void
fdb_entry(const struct fdb_entry *e, void *arg)
{
	struct fdb_list *list = arg;

	if (json_array_size(list->array) >= list->limit)
		return;
	json_array_append_new(list->array, json_pack("{s:s, s:o, s:i, s:s?, s:I}", "bridge",
		list->bridge, "mac", json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", e->mac[0], e->mac[1],
		e->mac[2], e->mac[3], e->mac[4], e->mac[5]), "vlan", e->vlan, "port", e->port, "age",
		(json_int_t)e->age));
}

static int
fdb_list(struct control_request *req, const json_t *params, json_t **result, struct error *err)
{
	const char *only = control_string(params, "bridge");
	const char *names[MAX_BRIDGES] = { only };
	uint32_t n = only != NULL ? 1 : switch_bridge_names(names), i;
	struct fdb_list list = { .limit = control_uint(params, "limit", FDB_LIMIT_DEFAULT) };
	int rc = 0;

	(void)req;
	*result = list.array = json_array();
	for (i = 0; i < n && rc == 0; i++) {
		list.bridge = names[i];
		rc = switch_fdb_foreach(names[i], fdb_entry, &list, err);
	}
	return rc;
}

static int
fdb_flush(struct control_request *req, const json_t *params, json_t **result, struct error *err)
{
	const char *only = control_string(params, "bridge"), *port = control_string(params, "port");
	const char *names[MAX_BRIDGES] = { only };
	struct port_info info;
	uint32_t n, i;
	int rc = 0;

	(void)req;
	(void)result;
	if (port != NULL) {
		rc = switch_port_info(port, &info, err);
		if (rc != 0)
			return rc;
		/* Only its own bridge can know a port's addresses. */
		if (only == NULL && info.bridge == NULL)
			return 0;
		if (only == NULL)
			names[0] = info.bridge;
	}
	n = names[0] != NULL ? 1 : switch_bridge_names(names);
	for (i = 0; i < n && rc == 0; i++)
		rc = switch_fdb_flush(names[i], port, err);
	return rc;
}

void
rpc_bridge_register(void)
{
	static const struct control_param name[] = {
		{ .name = "name", .type = CONTROL_STRING, .required = true }, { .name = NULL } };
	static const struct control_param member[] = {
		{ .name = "bridge", .type = CONTROL_STRING, .required = true },
		{ .name = "port", .type = CONTROL_STRING, .required = true }, { .name = NULL } };
	static const struct control_param list[] = {
		{ .name = "bridge", .type = CONTROL_STRING },
		{ .name = "limit", .type = CONTROL_UINT, .min = 1, .max = FDB_LIMIT_MAX },
		{ .name = NULL } };
	static const struct control_param flush[] = {
		{ .name = "bridge", .type = CONTROL_STRING },
		{ .name = "port", .type = CONTROL_STRING }, { .name = NULL } };
	static const struct control_method methods[] = {
		{ "bridge.list", "all bridges, briefly", bridge_list, NULL, false },
		{ "bridge.show", "everything about a bridge", bridge_show, name, false },
		{ "bridge.add", "add a bridge; parameters are the keys of the configuration file",
			bridge_add, NULL, true },
		{ "bridge.del", "delete a bridge; its ports are detached", bridge_del, name, false },
		{ "bridge.attach", "put a port into a bridge", bridge_attach, member, false },
		{ "bridge.detach", "take a port out of a bridge", bridge_detach, member, false },
		{ "fdb.list", "addresses that bridges have learnt", fdb_list, list, false },
		{ "fdb.flush", "forget addresses, of a bridge, a port or all", fdb_flush, flush, false },
		{ .name = NULL },
	};

	control_register(methods);
}
