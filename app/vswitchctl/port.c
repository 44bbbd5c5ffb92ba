/* SPDX-License-Identifier: BSD-3-Clause */
/* port list, show, add, del, set, stats */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "cost.h"
#include "handlers.h"
#include "table.h"

/* What sits on the port: a word for people. */
static const char *
guest_state(const json_t *port)
{
	if (strcmp(member_text(port, "type"), "device") != 0)
		return "";
	if (member_bool(port, "active"))
		return "active";
	return member_bool(port, "attached") ? "attached" : "none";
}

static void
port_row(struct table *table, const json_t *port)
{
	const json_t *queues = json_object_get(port, "queues");
	char *workers = member_list(port, "workers", ",");

	table_text(table, member_text(port, "name"));
	table_text(table, member_text(port, "type"));
	table_text(table, member_text(port, "bridge"));
	table_text(table, member_text(port, "link"));
	table_number(table, member_number(port, "mtu"));
	table_text(table, guest_state(port));
	if (member_bool(port, "active"))
		table_format(table, "v%" PRIu64, member_number(port, "revision"));
	else
		table_text(table, "");
	if (member_bool(port, "active"))
		table_format(table, "%" PRIu64 "/%" PRIu64, member_number(queues, "tx"),
			member_number(queues, "rx"));
	else
		table_text(table, "");
	table_text(table, member_text(port, "mac"));
	table_text(table, workers);
	free(workers);
}

enum cmd_status
port_list(const struct cmd_call *call)
{
	json_t *ports, *port;
	enum cmd_status status = call_method(call, "port.list", NULL, &ports);
	struct table *table;
	size_t i;

	if (status != CMD_OK)
		return status;
	if (call->json)
		return print_json(ports);
	table = table_new("NAME TYPE BRIDGE LINK >MTU GUEST REV TX/RX MAC WORKERS");
	json_array_foreach(ports, i, port)
		port_row(table, port);
	table_print(table);
	json_decref(ports);
	return CMD_OK;
}

/* "label: a, b" */
static void
pair_list(struct table *table, const char *label, const json_t *object, const char *name)
{
	char *text = member_list(object, name, ", ");

	table_pair(table, label, "%s", text);
	free(text);
}

static void
pair_text(struct table *table, const char *label, const json_t *object, const char *name)
{
	table_pair(table, label, "%s", member_text(object, name));
}

static void
pair_queues(struct table *table, const char *label, const json_t *queues)
{
	table_pair(table, label, "%" PRIu64 " transmit, %" PRIu64 " receive",
		member_number(queues, "tx"), member_number(queues, "rx"));
}

/* "adaptive, at least 25 µs apart; 1,234 raised, 56 of them held" */
static void
show_moderation(struct table *table, const json_t *m)
{
	const char *mode = member_text(m, "mode");
	char numbers[64] = "";

	if (strcmp(mode, "static") == 0)
		snprintf(numbers, sizeof(numbers), ", %" PRIu64 " frames received or %" PRIu64 " sent",
			member_number(m, "rx_frames"), member_number(m, "tx_frames"));
	else if (strcmp(mode, "rate") == 0)
		snprintf(numbers, sizeof(numbers), ", %" PRIu64 "/s", member_number(m, "rate"));
	table_pair(table, "moderation", "%s%s, at least %g µs apart", mode, numbers,
		json_number_value(json_object_get(m, "gap_us")));
	table_pair(table, "interrupts raised", "%" PRIu64 ", of them held for a while %" PRIu64,
		member_number(m, "interrupts"), member_number(m, "held"));
}

/* What is known of the driver in the guest; only while there is one. */
static void
show_driver(struct table *table, const json_t *port, const json_t *device)
{
	table_pair(table, "revision", "%" PRIu64, member_number(port, "revision"));
	pair_queues(table, "queues in use", json_object_get(port, "queues"));
	table_pair(table, "MTU in use", "%" PRIu64, member_number(device, "mtu"));
	pair_list(table, "features", device, "features");
	pair_list(table, "RSS by", device, "rss");
	if (member_number(device, "rss_refused") != 0)
		table_pair(table, "RSS settings refused", "%" PRIu64, member_number(device, "rss_refused"));
	pair_list(table, "receives", device, "rx_mode");
	pair_text(table, "interrupts", device, "interrupt");
	show_moderation(table, json_object_get(device, "moderation"));
	table_pair(table, "driver version", "0x%08" PRIx64, member_number(device, "driver_version"));
	table_pair(table, "guest system", "0x%08" PRIx64, member_number(device, "guest_os"));
}

static void
show_device(struct table *table, const json_t *port, const json_t *device)
{
	const bool active = member_bool(port, "active");
	char buf[UNIT_TEXT];

	table_pair(table, "guest", "%s", active ? "connected, its driver is running" :
		member_bool(port, "attached") ? "connected, its driver is not running" :
		"no machine is connected");
	if (member_bool(device, "broken"))
		table_pair(table, "broken", "%s", "yes: the guest's memory file was cut short");
	pair_text(table, "MAC", port, "mac");
	pair_text(table, "permanent MAC", device, "permanent_mac");
	table_pair(table, "link speed", "%s",
		unit_number(buf, (double)member_number(device, "link_speed") * 1e6, "bit/s"));
	pair_queues(table, "most queues", json_object_get(device, "max_queues"));
	table_pair(table, "largest MTU", "%" PRIu64, member_number(device, "max_mtu"));
	pair_text(table, "doorbell", device, "doorbell");
	table_pair(table, "activations", "%" PRIu64, member_number(device, "activations"));
	if (active)
		show_driver(table, port, device);
}

/* What becomes of what frames ask for when they leave by the port. */
static void
show_offloads(struct table *table, const json_t *offloads)
{
	pair_text(table, "checksums", offloads, "checksum");
	pair_text(table, "large frames", offloads, "tso");
	pair_text(table, "VLAN tags", offloads, "vlan");
}

/* The configuration, under the keys of the file. */
static void
show_conf(const json_t *conf)
{
	struct table *table = table_new("");
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)conf, key, value) {
		char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
		char label[64];

		snprintf(label, sizeof(label), "  %s", key);
		table_pair(table, label, "%s", text ? text : json_string_value(value));
		free(text);
	}
	printf("configuration:\n");
	table_print(table);
}

enum cmd_status
port_show(const struct cmd_call *call)
{
	json_t *port;
	const json_t *device, *ethdev;
	enum cmd_status status = call_method(call, "port.show",
		json_pack("{s:s}", "name", cmd_arg(call, 0)), &port);
	struct table *table;

	if (status != CMD_OK)
		return status;
	if (call->json)
		return print_json(port);
	table = table_new("");
	pair_text(table, "name", port, "name");
	pair_text(table, "type", port, "type");
	table_pair(table, "bridge", "%s", member_text(port, "bridge")[0] ? member_text(port, "bridge") :
		"none: the port is detached");
	pair_text(table, "link", port, "link");
	table_pair(table, "MTU", "%" PRIu64, member_number(port, "mtu"));
	pair_list(table, "polling cores", port, "workers");
	device = json_object_get(port, "device");
	if (json_is_object(device))
		show_device(table, port, device);
	ethdev = json_object_get(port, "ethdev");
	if (json_is_object(ethdev))
		table_pair(table, "ethdev", "%" PRIu64 ", %s", member_number(ethdev, "id"),
			member_text(ethdev, "driver"));
	show_offloads(table, json_object_get(port, "offloads"));
	table_print(table);
	show_cost(json_object_get(port, "cost"));
	show_conf(json_object_get(port, "conf"));
	json_decref(port);
	return CMD_OK;
}

enum cmd_status
port_add(const struct cmd_call *call)
{
	json_t *params = json_pack("{s:s, s:s}", "name", cmd_arg(call, 0), "type", cmd_arg(call, 1));

	/* The daemon takes values as they stand in its configuration file. */
	for (size_t i = 0; call->cmd->options[i].name; i++)
		if (call->options[i])
			json_object_set_new(params, call->cmd->options[i].name,
				json_string(call->options[i]));
	return call_and_print(call, "port.add", params);
}

enum cmd_status
port_del(const struct cmd_call *call)
{
	json_t *params = json_pack("{s:s}", "name", cmd_arg(call, 0));

	if (cmd_option(call, "force"))
		json_object_set_new(params, "force", json_true());
	return call_and_print(call, "port.del", params);
}

/* One KEY VALUE pair. */
static enum cmd_status
port_setting(json_t *params, const char *key, const char *value)
{
	const struct cmd_option *setting = cmd_settings;
	enum cmd_status status;
	uint64_t number;

	while (setting->name && strcmp(setting->name, key) != 0)
		setting++;
	if (!setting->name) {
		const char *names[CMD_OPTIONS_MAX];
		size_t n = 0;

		for (setting = cmd_settings; setting->name; setting++)
			names[n++] = setting->name;
		names[n] = NULL;
		return cmd_unknown_choice("setting", names, key);
	}
	if (!value)
		return cmd_error(CMD_USAGE, "the value of %s is missing", key);
	status = cmd_check_value(key, setting->kind, setting->choices, value);
	if (status != CMD_OK)
		return status;
	if (setting->kind == CMD_NUMBER && cmd_parse_number(value, &number))
		json_object_set_new(params, key, json_integer((json_int_t)number));
	else
		json_object_set_new(params, key, json_string(value));
	return CMD_OK;
}

enum cmd_status
port_set(const struct cmd_call *call)
{
	json_t *params = json_pack("{s:s}", "name", cmd_arg(call, 0));

	for (size_t i = 1; i < call->nb_args; i += 2) {
		enum cmd_status status = port_setting(params, cmd_arg(call, i), cmd_arg(call, i + 1));

		if (status != CMD_OK) {
			json_decref(params);
			return status;
		}
	}
	return call_and_print(call, "port.set", params);
}

static void
show_counters(const json_t *stats)
{
	static const char *const labels[][2] = {
		{"rx_frames", "received frames"}, {"rx_bytes", "received bytes"},
		{"rx_tso", "large frames received"}, {"tx_frames", "sent frames"},
		{"tx_bytes", "sent bytes"}, {"tx_lro", "large frames sent"},
		{"interrupts", "interrupts"}, {"interrupts_held", "interrupts held back"},
	};
	struct table *table = table_new("");
	const char *reason;
	json_t *count;

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		table_pair(table, labels[i][1], "%" PRIu64, member_number(stats, labels[i][0]));
	json_object_foreach(json_object_get(stats, "drops"), reason, count) {
		char label[80];

		snprintf(label, sizeof(label), "dropped: %s", reason);
		table_pair(table, label, "%" JSON_INTEGER_FORMAT, json_integer_value(count));
	}
	table_print(table);
}

enum cmd_status
port_stats(const struct cmd_call *call)
{
	const char *name = cmd_arg(call, 0);
	json_t *list, *stats;
	enum cmd_status status = call_method(call, "port.stats",
		name ? json_pack("{s:s}", "name", name) : NULL, &list);
	size_t i;

	if (status != CMD_OK)
		return status;
	if (call->json)
		return print_json(list);
	if (name) {
		show_counters(json_array_get(list, 0));
	} else {
		json_array_foreach(list, i, stats) {
			printf("%s%s:\n", i > 0 ? "\n" : "", member_text(stats, "port"));
			show_counters(stats);
		}
	}
	json_decref(list);
	return CMD_OK;
}
