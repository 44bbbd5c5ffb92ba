/* SPDX-License-Identifier: BSD-3-Clause */
/* Control methods about ports: port.*, stats.get, drops.get. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <offload_rss.h>
#include <vfu_server.h>
#include <vmxnet3_regs.h>

#include "control.h"
#include "rpc.h"
#include "rpc_conf.h"
#include "rpc_cost.h"
#include "switch.h"

static const char *run_dir;

/* ---- what a port is ---- */

static json_t *
mac_text(const uint8_t mac[6])
{
	return json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		mac[5]);
}

static json_t *
queues(uint16_t tx, uint16_t rx)
{
	return json_pack("{s:i, s:i}", "tx", tx, "rx", rx);
}

static json_t *
port_summary(const struct port_info *info)
{
	const struct vmxnet3_dev_info *dev = &info->dev;
	json_t *port, *workers = json_array();
	uint32_t i;

	for (i = 0; i < info->nb_workers; i++)
		json_array_append_new(workers, json_integer(info->workers[i]));
	port = json_pack("{s:s, s:s, s:s?, s:s, s:i, s:o}", "name", info->conf->name, "type",
		port_type_name(info->conf->type), "bridge", info->bridge, "link",
		info->link_up ? "up" : "down", "mtu", info->conf->mtu, "workers", workers);
	if (info->conf->type != PORT_DEVICE)
		return port;
	json_object_set_new(port, "attached", json_boolean(dev->attached));
	json_object_set_new(port, "active", json_boolean(dev->active));
	json_object_set_new(port, "mac", mac_text(dev->mac));
	json_object_set_new(port, "queues", queues(dev->nb_tx_queues, dev->nb_rx_queues));
	json_object_set_new(port, "revision", json_integer(dev->revision));
	return port;
}

struct bit {
	uint32_t mask;
	const char *name;
};

static json_t *
bit_names(const struct bit *bits, uint32_t value)
{
	json_t *names = json_array();

	for (; bits->name != NULL; bits++)
		if (value & bits->mask)
			json_array_append_new(names, json_string(bits->name));
	return names;
}

static const char *
interrupt_name(const struct vmxnet3_dev_info *dev)
{
	if (!dev->active)
		return "none";
	switch (dev->intr_type) {
	case VFU_IRQ_INTX:
		return "intx";
	case VFU_IRQ_MSI:
		return "msi";
	case VFU_IRQ_MSIX:
		return "msix";
	default:
		return "none";
	}
}

/* Names of the sets of headers that frames are hashed by. */
static json_t *
rss_names(uint32_t types)
{
	static const struct bit sets[] = {
		{ OFFLOAD_RSS_IPV4, "ipv4" }, { OFFLOAD_RSS_TCP_IPV4, "tcp4" },
		{ OFFLOAD_RSS_IPV6, "ipv6" }, { OFFLOAD_RSS_TCP_IPV6, "tcp6" },
		{ OFFLOAD_RSS_UDP_IPV4, "udp4" }, { OFFLOAD_RSS_UDP_IPV6, "udp6" },
		{ OFFLOAD_RSS_ESP_IPV4, "esp4" }, { OFFLOAD_RSS_ESP_IPV6, "esp6" },
		{ OFFLOAD_RSS_INNER(OFFLOAD_RSS_IPV4), "inner-ipv4" },
		{ OFFLOAD_RSS_INNER(OFFLOAD_RSS_TCP_IPV4), "inner-tcp4" },
		{ OFFLOAD_RSS_INNER(OFFLOAD_RSS_IPV6), "inner-ipv6" },
		{ OFFLOAD_RSS_INNER(OFFLOAD_RSS_TCP_IPV6), "inner-tcp6" },
		{ OFFLOAD_RSS_INNER(OFFLOAD_RSS_UDP_IPV4), "inner-udp4" },
		{ OFFLOAD_RSS_INNER(OFFLOAD_RSS_UDP_IPV6), "inner-udp6" }, { 0, NULL } };

	return bit_names(sets, types);
}

static json_t *
moderation(const struct vmxnet3_dev_moderation *m)
{
	static const char *const modes[] = {
		[VMXNET3_MODERATION_LOW_LATENCY] = "low-latency", [VMXNET3_MODERATION_DISABLED] = "disabled",
		[VMXNET3_MODERATION_ADAPTIVE] = "adaptive", [VMXNET3_MODERATION_STATIC] = "static",
		[VMXNET3_MODERATION_RATE] = "rate" };
	json_t *object = json_pack("{s:s, s:f, s:I, s:I}", "mode", modes[m->mode], "gap_us", m->gap_ns / 1e3,
		"interrupts", (json_int_t)m->raised, "held", (json_int_t)m->held);

	if (m->mode == VMXNET3_MODERATION_STATIC) {
		json_object_set_new(object, "rx_frames", json_integer(m->rx_frames));
		json_object_set_new(object, "tx_frames", json_integer(m->tx_frames));
	}
	if (m->mode == VMXNET3_MODERATION_RATE)
		json_object_set_new(object, "rate", json_integer(m->rate));
	return object;
}

static json_t *
device_details(const struct vmxnet3_dev_info *dev)
{
	static const struct bit features[] = {
		{ VMXNET3_F_RXCSUM, "rxcsum" }, { VMXNET3_F_RSS, "rss" },
		{ VMXNET3_F_RXVLAN, "rxvlan" }, { VMXNET3_F_LRO, "lro" },
		{ VMXNET3_F_RXINNEROFLD, "inner" }, { 0, NULL } };
	static const struct bit modes[] = {
		{ VMXNET3_RXM_UCAST, "unicast" }, { VMXNET3_RXM_MCAST, "multicast" },
		{ VMXNET3_RXM_BCAST, "broadcast" }, { VMXNET3_RXM_ALL_MULTI, "all-multicast" },
		{ VMXNET3_RXM_PROMISC, "promiscuous" }, { 0, NULL } };

	return json_pack("{s:b, s:o, s:o, s:i, s:i, s:I, s:o, s:o, s:I, s:I, s:o, s:I, s:I, s:s, s:o, s:s, s:I}",
		"broken", dev->broken, "permanent_mac", mac_text(dev->perm_mac),
		"max_queues", queues(dev->max_tx_queues, dev->max_rx_queues),
		"max_mtu", dev->max_mtu, "mtu", dev->mtu, "link_speed", (json_int_t)dev->link_speed,
		"features", bit_names(features, dev->features),
		"rss", rss_names(dev->rss_types), "rss_refused", (json_int_t)dev->rss_refused,
		"capabilities", (json_int_t)dev->caps,
		"rx_mode", bit_names(modes, dev->rx_mode),
		"driver_version", (json_int_t)dev->driver_version, "guest_os", (json_int_t)dev->gos,
		"interrupt", interrupt_name(dev), "moderation", moderation(&dev->moderation),
		"doorbell", dev->doorbell == VMXNET3_DOORBELL_MEMORY ? "memory" : "message",
		"activations", (json_int_t)dev->activations);
}

/* Who does what, in words that go with it. */
static json_t *
offloads(const struct port_offloads *o)
{
	static const char *const checksum[] = { "software", "hardware", "skipped" };
	static const char *const tso[] = { "cut", "hardware", "whole" };
	static const char *const vlan[] = { "in-line", "hardware", "stripped" };

	return json_pack("{s:s, s:s, s:s}", "checksum", checksum[o->checksum], "tso", tso[o->tso],
		"vlan", vlan[o->vlan]);
}

static int
port_list(struct control_request *req, const json_t *params, json_t **result, struct error *err)
{
	const char *names[MAX_PORTS];
	uint32_t n = switch_port_names(names), i;
	struct port_info info;
	int rc;

	(void)req;
	(void)params;
	*result = json_array();
	for (i = 0; i < n; i++) {
		rc = switch_port_info(names[i], &info, err);
		if (rc != 0)
			return rc;
		json_array_append_new(*result, port_summary(&info));
	}
	return 0;
}

static int
port_show(struct control_request *req, const json_t *params, json_t **result, struct error *err)
{
	struct port_cost_info cost;
	struct port_info info;
	int rc;

	(void)req;
	rc = switch_port_info(control_string(params, "name"), &info, err);
	if (rc == 0)
		rc = switch_port_cost(info.conf->name, &cost, err);
	if (rc != 0)
		return rc;
	*result = port_summary(&info);
	json_object_set_new(*result, "conf",
		rpc_conf_get(port_keys, PORT_KEY_MAX, 1u << info.conf->type, info.conf));
	json_object_set_new(*result, "offloads", offloads(&info.offloads));
	json_object_set_new(*result, "cost", rpc_cost(&cost));
	if (info.conf->type == PORT_DEVICE)
		json_object_set_new(*result, "device", device_details(&info.dev));
	else
		json_object_set_new(*result, "ethdev", json_pack("{s:i, s:s}", "id", info.ethdev_id,
			"driver", info.driver));
	return 0;
}

/* ---- changes ---- */

static int
add(const json_t *params, struct conf_strings *strings, struct error *err)
{
	const char *name = control_string(params, "name");
	char about[64], problem[sizeof(err->text)];
	struct port_conf conf;
	unsigned int key;
	uint32_t given;
	int rc;

	snprintf(about, sizeof(about), "port '%.40s': ", name != NULL ? name : "");
	port_conf_init(&conf);
	rc = rpc_conf_set(port_keys, PORT_KEY_MAX, params, NULL, about, &conf, strings, &given, err);
	if (rc != 0)
		return rc;
	if (port_conf_finish(&conf, given, run_dir, strings, &key, problem, sizeof(problem)) != 0)
		return control_invalid(err, "%s%s", about, problem);
	return switch_port_add(&conf, err);
}

static int
port_add(struct control_request *req, const json_t *params, json_t **result, struct error *err)
{
	struct conf_strings strings = { .first = NULL };
	int rc;

	(void)req;
	(void)result;
	rc = add(params, &strings, err);
	conf_strings_free(&strings);
	return rc;
}

static int
port_del(struct control_request *req, const json_t *params, json_t **result, struct error *err)
{
	const char *name = control_string(params, "name");
	int rc;

	(void)req;
	(void)result;
	rc = switch_port_del(name, control_bool(params, "force", false), err);
	if (rc == 0)
		rpc_capture_port_gone(name);
	return rc;
}

/* The VLAN keys among the parameters, by what they are in the configuration. */
static json_t *
vlan_params(const json_t *params)
{
	static const enum port_key keys[] = {
		PORT_KEY_VLAN_MODE, PORT_KEY_TAG, PORT_KEY_TRUNKS, PORT_KEY_QINQ_ETHTYPE };
	json_t *object = json_object(), *value;
	unsigned int i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		value = json_object_get(params, port_keys[keys[i]].key);
		if (value != NULL)
			json_object_set(object, port_keys[keys[i]].key, value);
	}
	return object;
}

/* A new mode begins with the defaults of what belongs to it. */
static int
set_vlan(const char *name, const json_t *vlan, struct conf_strings *strings, struct error *err)
{
	char about[64], problem[sizeof(err->text)];
	struct port_info info;
	struct port_conf conf;
	unsigned int key;
	uint32_t given;
	int rc = switch_port_info(name, &info, err);

	if (rc != 0)
		return rc;
	conf = *info.conf;
	if (json_object_get(vlan, port_keys[PORT_KEY_VLAN_MODE].key) != NULL)
		port_conf_vlan_reset(&conf);
	snprintf(about, sizeof(about), "port '%.40s': ", name);
	rc = rpc_conf_set(port_keys, PORT_KEY_MAX, vlan, NULL, about, &conf, strings, &given, err);
	if (rc != 0)
		return rc;
	if (port_conf_vlan_check(&conf, &key, problem, sizeof(problem)) != 0)
		return control_invalid(err, "%s%s", about, problem);
	return switch_port_set_vlan(name, &conf, err);
}

static int
set_affinity(const char *name, const char *affinity, struct conf_strings *strings, struct error *err)
{
	char problem[sizeof(err->text)];
	struct port_conf conf;

	port_conf_init(&conf);
	if (conf_key_set(&port_keys[PORT_KEY_AFFINITY], &conf, affinity, strings, problem, sizeof(problem)) != 0)
		return control_invalid(err, "port '%.40s': %s", name, problem);
	return switch_port_set_affinity(name, conf.affinity, err);
}

static int
port_set(struct control_request *req, const json_t *params, json_t **result, struct error *err)
{
	const char *name = control_string(params, "name");
	const char *link = control_string(params, "link");
	const char *affinity = control_string(params, "affinity");
	uint16_t mtu = control_uint(params, "mtu", 0);
	struct conf_strings strings = { .first = NULL };
	json_t *vlan = vlan_params(params);
	int rc = 0;

	(void)req;
	(void)result;
	if (json_object_size(vlan) > 0)
		rc = set_vlan(name, vlan, &strings, err);
	else if (link == NULL && mtu == 0 && affinity == NULL)
		rc = control_invalid(err, "nothing to set; give 'link', 'mtu', 'affinity' or a VLAN key");
	if (rc == 0 && affinity != NULL)
		rc = set_affinity(name, affinity, &strings, err);
	json_decref(vlan);
	conf_strings_free(&strings);
	if (rc == 0 && mtu != 0)
		rc = switch_port_set_mtu(name, mtu, err);
	if (rc == 0 && link != NULL)
		rc = switch_port_set_link(name, strcmp(link, "up") == 0, err);
	return rc;
}

/* ---- counters ---- */

static json_t *
counters(const char *name, const struct port_stats *s)
{
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "port", name,
		"rx_frames", (json_int_t)s->rx_frames, "rx_bytes", (json_int_t)s->rx_bytes,
		"tx_frames", (json_int_t)s->tx_frames, "tx_bytes", (json_int_t)s->tx_bytes,
		"rx_tso", (json_int_t)s->rx_tso, "tx_lro", (json_int_t)s->tx_lro,
		"interrupts", (json_int_t)s->interrupts,
		"interrupts_held", (json_int_t)s->interrupts_held);
}

static void
stats_of(json_t *array, const char *name, const struct port_stats *s, const json_t *params)
{
	(void)params;
	json_array_append_new(array, counters(name, s));
}

static void
stats_and_drops_of(json_t *array, const char *name, const struct port_stats *s,
	const json_t *params)
{
	json_t *port = counters(name, s), *drops = json_object();
	unsigned int reason;

	(void)params;
	for (reason = 0; reason < SWITCH_DROP_MAX; reason++)
		if (s->drops[reason] != 0)
			json_object_set_new(drops, drop_name(reason), json_integer(s->drops[reason]));
	json_object_set_new(port, "drops", drops);
	json_array_append_new(array, port);
}

static void
drops_of(json_t *array, const char *name, const struct port_stats *s, const json_t *params)
{
	bool all = control_bool(params, "all", false);
	unsigned int reason;

	for (reason = 0; reason < SWITCH_DROP_MAX; reason++)
		if (all || s->drops[reason] != 0)
			json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:I}", "port", name,
				"reason", drop_name(reason), "text", drop_text(reason), "count",
				(json_int_t)s->drops[reason]));
}

/* Calls @p fn for a port, or for all with NULL. */
static int
each_port(const char *name, const json_t *params, json_t **result, struct error *err,
	void (*fn)(json_t *array, const char *name, const struct port_stats *s, const json_t *params))
{
	const char *names[MAX_PORTS] = { name };
	uint32_t n = name != NULL ? 1 : switch_port_names(names), i;
	struct port_stats stats;
	int rc;

	*result = json_array();
	for (i = 0; i < n; i++) {
		rc = switch_port_stats(names[i], &stats, err);
		if (rc != 0)
			return rc;
		fn(*result, names[i], &stats, params);
	}
	return 0;
}

static int
port_stats(struct control_request *req, const json_t *params, json_t **result, struct error *err)
{
	(void)req;
	return each_port(control_string(params, "name"), params, result, err, stats_and_drops_of);
}

static int
stats_get(struct control_request *req, const json_t *params, json_t **result, struct error *err)
{
	(void)req;
	return each_port(NULL, params, result, err, stats_of);
}

static int
drops_get(struct control_request *req, const json_t *params, json_t **result, struct error *err)
{
	(void)req;
	return each_port(control_string(params, "port"), params, result, err, drops_of);
}

void
rpc_port_register(const char *dir)
{
	static const char *const links[] = { "up", "down", NULL };
	static const struct control_param show[] = {
		{ .name = "name", .type = CONTROL_STRING, .required = true }, { .name = NULL } };
	static const struct control_param del[] = {
		{ .name = "name", .type = CONTROL_STRING, .required = true },
		{ .name = "force", .type = CONTROL_BOOL }, { .name = NULL } };
	static const struct control_param set[] = {
		{ .name = "name", .type = CONTROL_STRING, .required = true },
		{ .name = "link", .type = CONTROL_STRING, .choices = links },
		{ .name = "mtu", .type = CONTROL_UINT, .min = 68, .max = 9190 },
		{ .name = "affinity", .type = CONTROL_STRING },
		{ .name = "vlan-mode", .type = CONTROL_STRING },
		{ .name = "tag", .type = CONTROL_UINT, .max = VLAN_MAX },
		{ .name = "trunks", .type = CONTROL_STRING },
		{ .name = "qinq-ethtype", .type = CONTROL_STRING }, { .name = NULL } };
	static const struct control_param stats[] = {
		{ .name = "name", .type = CONTROL_STRING }, { .name = NULL } };
	static const struct control_param drops[] = {
		{ .name = "port", .type = CONTROL_STRING },
		{ .name = "all", .type = CONTROL_BOOL }, { .name = NULL } };
	static const struct control_method methods[] = {
		{ "port.list", "all ports, briefly", port_list, NULL, false },
		{ "port.show", "everything about a port", port_show, show, false },
		{ "port.add", "add a port; parameters are the keys of the configuration file", port_add,
			NULL, true },
		{ "port.del", "delete a port", port_del, del, false },
		{ "port.set", "pull or plug the cable, change the MTU, the VLANs or who polls its queues", port_set, set, false },
		{ "port.stats", "counters of a port or all, drops included", port_stats, stats, false },
		{ "stats.get", "counters of all ports", stats_get, NULL, false },
		{ "drops.get", "dropped frames by reason", drops_get, drops, false },
		{ .name = NULL },
	};

	run_dir = dir;
	control_register(methods);
}
