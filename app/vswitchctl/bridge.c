/* SPDX-License-Identifier: BSD-3-Clause */
/* bridge list, show, add, del, attach, detach; fdb list, flush */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "handlers.h"
#include "table.h"

static void
addresses(struct table *table, const json_t *bridge)
{
	/* A wire learns nothing. */
	if (strcmp(member_text(bridge, "type"), "wire") == 0)
		table_text(table, "");
	else
		table_format(table, "%" PRIu64 " of %" PRIu64, member_number(bridge, "fdb_used"),
			member_number(bridge, "fdb_size"));
}

enum cmd_status
bridge_list(const struct cmd_call *call)
{
	json_t *bridges, *bridge;
	enum cmd_status status = call_method(call, "bridge.list", NULL, &bridges);
	struct table *table;
	size_t i;

	if (status != CMD_OK)
		return status;
	if (call->json)
		return print_json(bridges);
	table = table_new("NAME TYPE ADDRESSES PORTS");
	json_array_foreach(bridges, i, bridge) {
		char *ports = member_list(bridge, "ports", " ");

		table_text(table, member_text(bridge, "name"));
		table_text(table, member_text(bridge, "type"));
		addresses(table, bridge);
		table_text(table, ports);
		free(ports);
	}
	table_print(table);
	json_decref(bridges);
	return CMD_OK;
}

enum cmd_status
bridge_show(const struct cmd_call *call)
{
	static const char *const conf_keys[] = {"link-local", "fdb-ageing"};
	json_t *bridge;
	const json_t *conf;
	enum cmd_status status = call_method(call, "bridge.show",
		json_pack("{s:s}", "name", cmd_arg(call, 0)), &bridge);
	struct table *table;
	char *ports;

	if (status != CMD_OK)
		return status;
	if (call->json)
		return print_json(bridge);
	ports = member_list(bridge, "ports", " ");
	table = table_new("");
	table_pair(table, "name", "%s", member_text(bridge, "name"));
	table_pair(table, "type", "%s", member_text(bridge, "type"));
	table_pair(table, "ports", "%s", ports);
	table_text(table, "addresses");
	addresses(table, bridge);
	table_pair(table, "not learnt, table full", "%" PRIu64, member_number(bridge, "fdb_full"));
	table_pair(table, "moved between ports", "%" PRIu64, member_number(bridge, "fdb_moves"));
	table_pair(table, "frames flooded", "%" PRIu64, member_number(bridge, "flooded"));
	conf = json_object_get(bridge, "conf");
	for (size_t i = 0; i < sizeof(conf_keys) / sizeof(conf_keys[0]); i++) {
		const json_t *value = json_object_get(conf, conf_keys[i]);

		if (json_is_string(value))
			table_pair(table, conf_keys[i], "%s", json_string_value(value));
		else if (json_is_integer(value))
			table_pair(table, conf_keys[i], "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	}
	table_print(table);
	free(ports);
	json_decref(bridge);
	return CMD_OK;
}

/* "a,b" as an array. */
static json_t *
names(const char *text)
{
	json_t *array = json_array();

	while (*text) {
		size_t len = strcspn(text, ",");

		if (len > 0)
			json_array_append_new(array, json_stringn(text, len));
		text += len;
		text += *text == ',';
	}
	return array;
}

enum cmd_status
bridge_add(const struct cmd_call *call)
{
	json_t *params = json_pack("{s:s}", "name", cmd_arg(call, 0));

	for (size_t i = 0; call->cmd->options[i].name; i++) {
		const char *key = call->cmd->options[i].name;

		if (!call->options[i])
			continue;
		json_object_set_new(params, key, strcmp(key, "ports") == 0 ? names(call->options[i]) :
			json_string(call->options[i]));
	}
	return call_and_print(call, "bridge.add", params);
}

enum cmd_status
bridge_del(const struct cmd_call *call)
{
	return call_and_print(call, "bridge.del", json_pack("{s:s}", "name", cmd_arg(call, 0)));
}

static json_t *
bridge_and_port(const struct cmd_call *call)
{
	return json_pack("{s:s, s:s}", "bridge", cmd_arg(call, 0), "port", cmd_arg(call, 1));
}

enum cmd_status
bridge_attach(const struct cmd_call *call)
{
	return call_and_print(call, "bridge.attach", bridge_and_port(call));
}

enum cmd_status
bridge_detach(const struct cmd_call *call)
{
	return call_and_print(call, "bridge.detach", bridge_and_port(call));
}

enum cmd_status
fdb_list(const struct cmd_call *call)
{
	const char *bridge = cmd_arg(call, 0);
	json_t *params = json_object(), *entries, *entry;
	struct table *table;
	enum cmd_status status;
	size_t i;

	if (bridge)
		json_object_set_new(params, "bridge", json_string(bridge));
	if (cmd_option(call, "limit"))
		json_object_set_new(params, "limit",
			json_integer((json_int_t)cmd_number(call, "limit", 0)));
	status = call_method(call, "fdb.list", params, &entries);
	if (status != CMD_OK)
		return status;
	if (call->json)
		return print_json(entries);
	table = table_new("BRIDGE MAC VLAN PORT >AGE");
	json_array_foreach(entries, i, entry) {
		char buf[UNIT_TEXT];

		table_text(table, member_text(entry, "bridge"));
		table_text(table, member_text(entry, "mac"));
		if (member_number(entry, "vlan") != 0)
			table_number(table, member_number(entry, "vlan"));
		else
			table_text(table, "");
		table_text(table, member_text(entry, "port"));
		table_text(table, unit_seconds(buf, member_number(entry, "age")));
	}
	table_print(table);
	json_decref(entries);
	return CMD_OK;
}

enum cmd_status
fdb_flush(const struct cmd_call *call)
{
	const char *bridge = cmd_arg(call, 0), *port = cmd_option(call, "port");
	json_t *params = json_object();

	if (bridge)
		json_object_set_new(params, "bridge", json_string(bridge));
	if (port)
		json_object_set_new(params, "port", json_string(port));
	return call_and_print(call, "fdb.flush", params);
}
