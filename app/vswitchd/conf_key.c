/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of keys; values to text. Text to values: conf_parse.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_key.h"

static const struct conf_choice conf_port_types[] = {
	{ "device", PORT_DEVICE }, { "ethdev", PORT_ETHDEV }, { "tap", PORT_TAP },
	{ "af_xdp", PORT_AF_XDP }, { NULL, 0 } };
static const struct conf_choice conf_doorbells[] = {
	{ "memory", false }, { "message", true }, { NULL, 0 } };
static const struct conf_choice conf_latencies[] = {
	{ "normal", false }, { "low", true }, { NULL, 0 } };
static const struct conf_choice conf_local_checksums[] = {
	{ "full", false }, { "skip", true }, { NULL, 0 } };
static const struct conf_choice conf_tunnel_tsos[] = {
	{ "cut", false }, { "whole", true }, { NULL, 0 } };
static const struct conf_choice conf_links[] = {
	{ "up", true }, { "down", false }, { NULL, 0 } };
static const struct conf_choice conf_vlan_modes[] = {
	{ "transparent", VLAN_TRANSPARENT }, { "access", VLAN_ACCESS }, { "trunk", VLAN_TRUNK },
	{ "tunnel", VLAN_TUNNEL }, { NULL, 0 } };
static const struct conf_choice conf_qinq_ethtypes[] = {
	{ "802.1ad", VLAN_ETHTYPE_SERVICE }, { "802.1q", VLAN_ETHTYPE_CUSTOMER }, { NULL, 0 } };
static const struct conf_choice conf_bridge_types[] = {
	{ "switch", BRIDGE_SWITCH }, { "wire", BRIDGE_WIRE }, { NULL, 0 } };
static const struct conf_choice conf_link_locals[] = {
	{ "forward", false }, { "drop", true }, { NULL, 0 } };
static const struct conf_choice conf_hugepages[] = {
	{ "auto", HUGEPAGES_AUTO }, { "yes", HUGEPAGES_YES }, { "no", HUGEPAGES_NO },
	{ "true", HUGEPAGES_YES }, { "false", HUGEPAGES_NO }, { NULL, 0 } };
static const struct conf_choice conf_bools[] = {
	{ "yes", true }, { "no", false }, { "true", true }, { "false", false }, { "on", true },
	{ "off", false }, { NULL, 0 } };

#define KEY(structure, key_, form_, field, types_, min_, max_, choices_) { \
	.key = key_, .form = FORM_##form_, .offset = offsetof(struct structure, field), \
	.size = sizeof(((struct structure *)NULL)->field), .types = types_, .min = min_, \
	.max = max_, .choices = choices_ },

const struct conf_key port_keys[PORT_KEY_MAX] = {
#define X(symbol, ...) KEY(port_conf, __VA_ARGS__)
	PORT_KEYS(X)
#undef X
};
const struct conf_key bridge_keys[BRIDGE_KEY_MAX] = {
#define X(symbol, ...) KEY(bridge_conf, __VA_ARGS__)
	BRIDGE_KEYS(X)
#undef X
};
#define X(symbol, ...) KEY(daemon_conf, __VA_ARGS__)
const struct conf_key daemon_keys[DAEMON_KEY_MAX] = { DAEMON_KEYS(X) };
const struct conf_key control_keys[CONTROL_KEY_MAX] = { CONTROL_KEYS(X) };
const struct conf_key dpdk_keys[DPDK_KEY_MAX] = { DPDK_KEYS(X) };
const struct conf_key workers_keys[WORKERS_KEY_MAX] = { WORKERS_KEYS(X) };
const struct conf_key idle_keys[IDLE_KEY_MAX] = { IDLE_KEYS(X) };
#undef X
const struct conf_key step_keys[STEP_KEY_MAX] = {
#define X(symbol, ...) KEY(idle_step, __VA_ARGS__)
	STEP_KEYS(X)
#undef X
};

struct conf_string {
	struct conf_string *next;
	char text[];
};

const char *
conf_strdup(struct conf_strings *strings, const char *text)
{
	size_t size = strlen(text) + 1;
	struct conf_string *string = malloc(sizeof(*string) + size);

	if (string == NULL)
		return NULL;
	memcpy(string->text, text, size);
	string->next = strings->first;
	strings->first = string;
	return string->text;
}

void
conf_strings_free(struct conf_strings *strings)
{
	struct conf_string *string;

	while ((string = strings->first) != NULL) {
		strings->first = string->next;
		free(string);
	}
}

static const char *
choice_name(const struct conf_choice *choices, int value)
{
	for (; choices->name != NULL; choices++)
		if (choices->value == value)
			return choices->name;
	return "?";
}

static uint64_t
uint_get(const void *from, size_t size)
{
	switch (size) {
	case 1:
		return *(const uint8_t *)from;
	case 2:
		return *(const uint16_t *)from;
	case 4:
		return *(const uint32_t *)from;
	default:
		return *(const uint64_t *)from;
	}
}

bool
conf_key_get(const struct conf_key *key, const void *conf, char text[CONF_TEXT_LEN])
{
	const void *from = (const char *)conf + key->offset;
	const uint8_t *mac = from;
	const char *string;

	switch (key->form) {
	case FORM_UINT:
		snprintf(text, CONF_TEXT_LEN, "%llu", (unsigned long long)uint_get(from, key->size));
		return true;
	case FORM_MASK:
		snprintf(text, CONF_TEXT_LEN, "0x%llx", (unsigned long long)uint_get(from, key->size));
		return true;
	case FORM_MODE:
		snprintf(text, CONF_TEXT_LEN, "%04llo", (unsigned long long)uint_get(from, key->size));
		return true;
	case FORM_MAC:
		snprintf(text, CONF_TEXT_LEN, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
			mac[3], mac[4], mac[5]);
		return true;
	case FORM_CHOICE:
		snprintf(text, CONF_TEXT_LEN, "%s",
			choice_name(key->choices, uint_get(from, key->size)));
		return true;
	default:
		string = *(const char *const *)from;
		if (string == NULL)
			return false;
		snprintf(text, CONF_TEXT_LEN, "%s", string);
		return true;
	}
}

bool
conf_key_is_number(const struct conf_key *key)
{
	return key->form == FORM_UINT;
}

const struct conf_key *
conf_key_find(const struct conf_key *keys, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(keys[i].key, name) == 0)
			return &keys[i];
	return NULL;
}

void
conf_key_names(const struct conf_key *keys, size_t n, uint32_t types, char *buf, size_t len)
{
	size_t i, used = 0;

	buf[0] = '\0';
	for (i = 0; i < n && used < len; i++)
		if (keys[i].types & types)
			used += snprintf(buf + used, len - used, "%s%s", used > 0 ? ", " : "", keys[i].key);
}

const char *
port_type_name(enum port_type type)
{
	return choice_name(conf_port_types, type);
}

const char *
bridge_type_name(enum bridge_type type)
{
	return choice_name(conf_bridge_types, type);
}
