/* SPDX-License-Identifier: BSD-3-Clause */
/* drops, log show, log set, info */
#include <inttypes.h>
#include <stdio.h>

#include "client.h"
#include "handlers.h"
#include "table.h"

enum cmd_status
drops_show(const struct cmd_call *call)
{
	const char *port = cmd_arg(call, 0);
	json_t *params = json_object(), *drops, *drop;
	struct table *table;
	enum cmd_status status;
	size_t i;

	if (port)
		json_object_set_new(params, "port", json_string(port));
	if (cmd_option(call, "all"))
		json_object_set_new(params, "all", json_true());
	status = call_method(call, "drops.get", params, &drops);
	if (status != CMD_OK)
		return status;
	if (call->json)
		return print_json(drops);
	table = table_new("PORT >COUNT REASON EXPLANATION");
	json_array_foreach(drops, i, drop) {
		table_text(table, member_text(drop, "port"));
		table_number(table, member_number(drop, "count"));
		table_text(table, member_text(drop, "reason"));
		table_text(table, member_text(drop, "text"));
	}
	table_print(table);
	json_decref(drops);
	return CMD_OK;
}

enum cmd_status
log_show(const struct cmd_call *call)
{
	json_t *log, *level;
	enum cmd_status status = call_method(call, "log.get", NULL, &log);
	struct table *table;
	const char *component;

	if (status != CMD_OK)
		return status;
	if (call->json)
		return print_json(log);
	table = table_new("COMPONENT LEVEL");
	json_object_foreach(json_object_get(log, "levels"), component, level) {
		table_text(table, component);
		table_text(table, json_string_value(level));
	}
	table_print(table);
	json_decref(log);
	return CMD_OK;
}

enum cmd_status
log_set(const struct cmd_call *call)
{
	return call_and_print(call, "log.set", json_pack("{s:s}", "level", cmd_arg(call, 0)));
}

enum cmd_status
info_show(const struct cmd_call *call)
{
	json_t *info;
	enum cmd_status status = call_method(call, "system.info", NULL, &info);
	struct table *table;
	char buf[UNIT_TEXT];

	if (status != CMD_OK)
		return status;
	if (call->json)
		return print_json(info);
	table = table_new("");
	table_pair(table, "version", "%s", member_text(info, "version"));
	table_pair(table, "DPDK", "%s", member_text(info, "dpdk"));
	table_pair(table, "process", "%" PRIu64, member_number(info, "pid"));
	table_pair(table, "up for", "%s", unit_seconds(buf, member_number(info, "uptime")));
	table_pair(table, "memory", "%" PRIu64 " MiB in %s", member_number(info, "memory_mb"),
		member_bool(info, "hugepages") ? "hugepages" : "plain pages");
	table_pair(table, "control socket", "%s", member_text(info, "control_socket"));
	table_pair(table, "run directory", "%s", member_text(info, "run_dir"));
	table_pair(table, "configuration", "%s", member_text(info, "config_file"));
	table_print(table);
	json_decref(info);
	return CMD_OK;
}
