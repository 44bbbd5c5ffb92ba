/* SPDX-License-Identifier: BSD-3-Clause */
/* Defaults of the configuration, and values that depend on others. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "affinity.h"
#include "conf.h"
#include "conf_key.h"

#define DEVICE_MTU 9000
#define ETHDEV_MTU 1500

void
port_conf_init(struct port_conf *conf)
{
	*conf = (struct port_conf){
		.type = PORT_DEVICE,
		.link_up = true,
		.mode = 0660,
		.max_queues = 8,
		.revisions = VMXNET3_REV_MASK_DEFAULT,
		.link_speed = 10000,
		.interrupt_rate = 50000,
		.queues = 1,
		.qinq_ethtype = VLAN_ETHTYPE_SERVICE,
	};
}

void
bridge_conf_init(struct bridge_conf *conf)
{
	*conf = (struct bridge_conf){
		.type = BRIDGE_SWITCH,
		.fdb_size = 8192,
		.fdb_ageing = 300,
	};
}

void
daemon_conf_init(struct daemon_conf *conf)
{
	*conf = (struct daemon_conf){
		.run_dir = "/run/vswitchd",
		.control_socket = "/run/vswitchd/vswitchd.sock",
		.memory_mb = 256,
		.hugepages = HUGEPAGES_AUTO,
		.log = "info",
		.workers = {
			.cores = "auto",
			.idle_sleep = true,
			.rebalance = 5,
			.idle = {
				{ .idle_us = 1000, .sleep_us = 50 },
				{ .idle_us = 100000, .sleep_us = 500 },
				{ .idle_us = 5000000, .sleep_us = 5000 },
			},
		},
	};
}

/*
 * The address must be the same after each restart, and differ between the ports of one machine: 40
 * bits of a hash of the name (FNV-1a) behind a locally administered first byte.
 */
void
conf_default_mac(const char *name, uint8_t mac[6])
{
	uint64_t hash = 0xcbf29ce484222325u;
	int i;

	for (; *name != '\0'; name++) {
		hash ^= (uint8_t)*name;
		hash *= 0x100000001b3u;
	}
	hash ^= hash >> 32; /* names that differ in the last letter differ in the low bits only */
	hash *= 0x9e3779b97f4a7c15u;
	hash ^= hash >> 29;
	mac[0] = 0x52;
	for (i = 1; i < 6; i++)
		mac[i] = hash >> (8 * (5 - i));
}

static int
socket_finish(struct port_conf *conf, const char *run_dir, struct conf_strings *strings,
	char *errbuf, size_t errlen)
{
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	int len;

	len = snprintf(path, sizeof(path), "%s/%s.sock", run_dir, conf->name);
	if (len >= (int)sizeof(path)) {
		snprintf(errbuf, errlen,
			"socket path %s/%s.sock is too long; at most %zu characters, so give a shorter socket",
			run_dir, conf->name, sizeof(path) - 1);
		return -EINVAL;
	}
	conf->socket = conf_strdup(strings, path);
	if (conf->socket == NULL) {
		snprintf(errbuf, errlen, "out of memory");
		return -ENOMEM;
	}
	return 0;
}

/* Whether all given keys belong to the port's type, and the keys that the type cannot do without are there. */
static int
check_given(const struct port_conf *conf, uint32_t given, unsigned int *key, char *errbuf,
	size_t errlen)
{
	static const int required[] = {
		[PORT_DEVICE] = PORT_KEY_TYPE,
		[PORT_ETHDEV] = PORT_KEY_DEVARGS,
		[PORT_TAP] = PORT_KEY_INTERFACE,
		[PORT_AF_XDP] = PORT_KEY_INTERFACE,
	};
	char names[CONF_TEXT_LEN];

	for (*key = 0; *key < PORT_KEY_MAX; (*key)++) {
		if (!(given & 1u << *key) || port_keys[*key].types & 1u << conf->type)
			continue;
		conf_key_names(port_keys, PORT_KEY_MAX, 1u << conf->type, names, sizeof(names));
		snprintf(errbuf, errlen, "key '%s' is not for ports of type %s; allowed: %s",
			port_keys[*key].key, port_type_name(conf->type), names);
		return -EINVAL;
	}
	*key = required[conf->type];
	if (!(given & 1u << *key)) {
		snprintf(errbuf, errlen, "key '%s' is missing; a port of type %s needs it",
			port_keys[*key].key, port_type_name(conf->type));
		return -EINVAL;
	}
	return 0;
}

void
port_conf_vlan_reset(struct port_conf *conf)
{
	struct port_conf usual;

	port_conf_init(&usual);
	conf->tag = usual.tag;
	conf->trunks = usual.trunks;
	conf->qinq_ethtype = usual.qinq_ethtype;
}

/* What a key is for, when it is given to a port of another mode. */
static int
vlan_key_unused(unsigned int which, const char *modes, unsigned int *key, char *errbuf,
	size_t errlen)
{
	*key = which;
	snprintf(errbuf, errlen, "key '%s' has no meaning without vlan-mode %s", port_keys[which].key,
		modes);
	return -EINVAL;
}

int
port_conf_vlan_check(const struct port_conf *conf, unsigned int *key, char *errbuf, size_t errlen)
{
	char mode[CONF_TEXT_LEN];

	if (conf->tag != 0 && conf->vlan_mode == VLAN_TRANSPARENT)
		return vlan_key_unused(PORT_KEY_TAG, "access, trunk or tunnel", key, errbuf, errlen);
	if (conf->trunks != NULL && conf->vlan_mode != VLAN_TRUNK)
		return vlan_key_unused(PORT_KEY_TRUNKS, "trunk", key, errbuf, errlen);
	if (conf->qinq_ethtype != VLAN_ETHTYPE_SERVICE && conf->vlan_mode != VLAN_TUNNEL)
		return vlan_key_unused(PORT_KEY_QINQ_ETHTYPE, "tunnel", key, errbuf, errlen);
	if (conf->tag != 0 || conf->vlan_mode == VLAN_TRANSPARENT || conf->vlan_mode == VLAN_TRUNK)
		return 0;
	*key = PORT_KEY_TAG;
	conf_key_get(&port_keys[PORT_KEY_VLAN_MODE], conf, mode);
	snprintf(errbuf, errlen, "key 'tag' is missing; vlan-mode %s needs a VLAN, 1 to 4094", mode);
	return -EINVAL;
}

int
port_conf_affinity_check(const struct port_conf *conf, unsigned int *key, char *errbuf, size_t errlen)
{
	uint16_t nb_queues = conf->type == PORT_DEVICE ? conf->max_queues : conf->queues;
	struct affinity affinity;

	*key = PORT_KEY_AFFINITY;
	if (affinity_parse(conf->affinity, &affinity) && affinity.nb_queues <= nb_queues)
		return 0;
	snprintf(errbuf, errlen, "affinity '%.60s' names queue %d; the port has queues 0 to %d", conf->affinity,
		affinity.nb_queues - 1, nb_queues - 1);
	return -EINVAL;
}

int
port_conf_finish(struct port_conf *conf, uint32_t given, const char *run_dir,
	struct conf_strings *strings, unsigned int *key, char *errbuf, size_t errlen)
{
	int rc;

	*key = (given & 1u << PORT_KEY_NAME) ? PORT_KEY_TYPE : PORT_KEY_NAME;
	if (!(given & 1u << *key)) {
		snprintf(errbuf, errlen, "key '%s' is missing", port_keys[*key].key);
		return -EINVAL;
	}
	rc = check_given(conf, given, key, errbuf, errlen);
	if (rc == 0)
		rc = port_conf_vlan_check(conf, key, errbuf, errlen);
	if (rc == 0)
		rc = port_conf_affinity_check(conf, key, errbuf, errlen);
	if (rc != 0)
		return rc;
	if (conf->mtu == 0)
		conf->mtu = conf->type == PORT_DEVICE ? DEVICE_MTU : ETHDEV_MTU;
	if (conf->type != PORT_DEVICE)
		return 0;
	if (!(given & 1u << PORT_KEY_MAC))
		conf_default_mac(conf->name, conf->mac);
	conf->mac_set = true;
	*key = PORT_KEY_SOCKET;
	return conf->socket != NULL ? 0 : socket_finish(conf, run_dir, strings, errbuf, errlen);
}
