/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The keys of the configuration: one list for each kind of section gives a key its name, its form,
 * its range and its place in the structures of conf.h. The configuration file, the control socket
 * (port.add, port.show, …) and the saved configuration all go through it, so they cannot disagree.
 */
#ifndef VSWITCHD_CONF_KEY_H
#define VSWITCHD_CONF_KEY_H

#include <stddef.h>

#include <vmxnet3_regs.h>
#include <vmxnet3_rev.h>

#include "conf.h"
#include "vlan_list.h"

/** What the text of a value must look like. */
enum conf_form {
	FORM_NAME,   /**< of a port or bridge */
	FORM_TEXT,   /**< printable, not empty, at most max bytes */
	FORM_SOCKET, /**< a path that fits a Unix socket's address */
	FORM_IFNAME, /**< of a network interface */
	FORM_USER,   /**< name or number of a user that exists */
	FORM_GROUP,
	FORM_UINT,   /**< min to max, decimal or 0x… */
	FORM_MASK,   /**< as FORM_UINT, one to all bits of max; shown in hexadecimal */
	FORM_MODE,   /**< permissions, octal */
	FORM_MAC,    /**< unicast, not zero */
	FORM_CHOICE, /**< one of conf_key::choices */
	FORM_CORES,  /**< "auto" or a list of CPUs */
	FORM_LOG,    /**< what log_set() takes */
	FORM_VLANS,  /**< a list of VLANs */
	FORM_AFFINITY, /**< queues pinned to CPUs */
};

/** Longest text of a value, with the final zero. */
#define CONF_TEXT_LEN 1024

struct conf_choice {
	const char *name;
	int value; /**< a second name for the same value is understood, but neither advertised nor shown */
};

#define ON_DEVICE (1u << PORT_DEVICE)
#define ON_ETHDEV (1u << PORT_ETHDEV)
#define ON_IFACE  (1u << PORT_TAP | 1u << PORT_AF_XDP)
#define ON_ANY    (ON_DEVICE | ON_ETHDEV | ON_IFACE)

struct conf_key {
	const char *key;
	enum conf_form form;
	size_t offset, size; /**< in the section's structure */
	uint32_t types;      /**< of port that have the key; ON_* */
	uint64_t min, max;
	const struct conf_choice *choices;
};

/* X(symbol, key, form, field, types, min, max, choices) */
#define PORT_KEYS(X) \
	X(NAME, "name", NAME, name, ON_ANY, 0, 0, NULL) \
	X(TYPE, "type", CHOICE, type, ON_ANY, 0, 0, conf_port_types) \
	X(SOCKET, "socket", SOCKET, socket, ON_DEVICE, 0, 0, NULL) \
	X(OWNER, "owner", USER, owner, ON_DEVICE, 0, 0, NULL) \
	X(GROUP, "group", GROUP, group, ON_DEVICE, 0, 0, NULL) \
	X(MODE, "mode", MODE, mode, ON_DEVICE, 0, 0777, NULL) \
	X(MAC, "mac", MAC, mac, ON_DEVICE, 0, 0, NULL) \
	X(MAX_QUEUES, "max-queues", UINT, max_queues, ON_DEVICE, 1, VMXNET3_MAX_TX_QUEUES, NULL) \
	X(REVISIONS, "revisions", MASK, revisions, ON_DEVICE, 0, VMXNET3_REV_MASK_SUPPORTED, NULL) \
	X(DEVARGS, "devargs", TEXT, devargs, ON_ETHDEV, 0, 512, NULL) \
	X(INTERFACE, "interface", IFNAME, interface, ON_IFACE, 0, 0, NULL) \
	X(QUEUES, "queues", UINT, queues, ON_ETHDEV | ON_IFACE, 1, 64, NULL) \
	X(MTU, "mtu", UINT, mtu, ON_ANY, 68, 9190, NULL) \
	X(LINK_SPEED, "link-speed", UINT, link_speed, ON_DEVICE, 1, 1000000, NULL) \
	X(DOORBELL, "doorbell", CHOICE, doorbell_message, ON_DEVICE, 0, 0, conf_doorbells) \
	X(INTERRUPT_RATE, "interrupt-rate", UINT, interrupt_rate, ON_DEVICE, 0, 1000000, NULL) \
	X(LATENCY, "latency", CHOICE, low_latency, ON_DEVICE, 0, 0, conf_latencies) \
	X(LOCAL_CHECKSUM, "local-checksum", CHOICE, skip_local_csum, ON_DEVICE, 0, 0, conf_local_checksums) \
	X(TUNNEL_TSO, "tunnel-tso", CHOICE, whole_tunnel_tso, ON_DEVICE, 0, 0, conf_tunnel_tsos) \
	X(AFFINITY, "affinity", AFFINITY, affinity, ON_ANY, 0, 0, NULL) \
	X(LINK, "link", CHOICE, link_up, ON_ANY, 0, 0, conf_links) \
	X(VLAN_MODE, "vlan-mode", CHOICE, vlan_mode, ON_ANY, 0, 0, conf_vlan_modes) \
	X(TAG, "tag", UINT, tag, ON_ANY, 0, VLAN_MAX, NULL) \
	X(TRUNKS, "trunks", VLANS, trunks, ON_ANY, 0, 0, NULL) \
	X(QINQ_ETHTYPE, "qinq-ethtype", CHOICE, qinq_ethtype, ON_ANY, 0, 0, conf_qinq_ethtypes)

#define BRIDGE_KEYS(X) \
	X(NAME, "name", NAME, name, ON_ANY, 0, 0, NULL) \
	X(TYPE, "type", CHOICE, type, ON_ANY, 0, 0, conf_bridge_types) \
	X(LINK_LOCAL, "link-local", CHOICE, link_local_drop, ON_ANY, 0, 0, conf_link_locals) \
	X(FDB_SIZE, "fdb-size", UINT, fdb_size, ON_ANY, 16, 1048576, NULL) \
	X(FDB_AGEING, "fdb-ageing", UINT, fdb_ageing, ON_ANY, 0, 1000000, NULL)

#define DAEMON_KEYS(X) \
	X(RUN_DIR, "run-dir", TEXT, run_dir, ON_ANY, 0, 90, NULL) \
	X(LOG, "log", LOG, log, ON_ANY, 0, 0, NULL)

#define CONTROL_KEYS(X) \
	X(SOCKET, "socket", SOCKET, control_socket, ON_ANY, 0, 0, NULL) \
	X(GROUP, "group", GROUP, control_group, ON_ANY, 0, 0, NULL)

#define DPDK_KEYS(X) \
	X(MEMORY, "memory", UINT, memory_mb, ON_ANY, 64, 1048576, NULL) \
	X(HUGEPAGES, "hugepages", CHOICE, hugepages, ON_ANY, 0, 0, conf_hugepages) \
	X(DRIVERS, "drivers", TEXT, drivers, ON_ANY, 0, 512, NULL)

#define WORKERS_KEYS(X) \
	X(CORES, "cores", CORES, workers.cores, ON_ANY, 0, 0, NULL) \
	X(COUNT, "count", UINT, workers.nb_auto, ON_ANY, 0, MAX_WORKERS, NULL) \
	X(REBALANCE, "rebalance", UINT, workers.rebalance, ON_ANY, 0, 3600, NULL)

#define IDLE_KEYS(X) \
	X(SLEEP, "sleep", CHOICE, workers.idle_sleep, ON_ANY, 0, 0, conf_bools)

#define STEP_KEYS(X) \
	X(AFTER, "after-us", UINT, idle_us, ON_ANY, 1, 3600000000u, NULL) \
	X(SLEEP, "sleep-us", UINT, sleep_us, ON_ANY, 1, 100000, NULL)

enum port_key {
#define X(symbol, ...) PORT_KEY_##symbol,
	PORT_KEYS(X)
#undef X
	PORT_KEY_MAX
};

enum bridge_key {
#define X(symbol, ...) BRIDGE_KEY_##symbol,
	BRIDGE_KEYS(X)
#undef X
	BRIDGE_KEY_MAX
};

enum daemon_key {
#define X(symbol, ...) DAEMON_KEY_##symbol,
	DAEMON_KEYS(X)
#undef X
	DAEMON_KEY_MAX
};

enum control_key {
#define X(symbol, ...) CONTROL_KEY_##symbol,
	CONTROL_KEYS(X)
#undef X
	CONTROL_KEY_MAX
};

enum dpdk_key {
#define X(symbol, ...) DPDK_KEY_##symbol,
	DPDK_KEYS(X)
#undef X
	DPDK_KEY_MAX
};

enum workers_key {
#define X(symbol, ...) WORKERS_KEY_##symbol,
	WORKERS_KEYS(X)
#undef X
	WORKERS_KEY_MAX
};

enum idle_key {
#define X(symbol, ...) IDLE_KEY_##symbol,
	IDLE_KEYS(X)
#undef X
	IDLE_KEY_MAX
};

enum step_key {
#define X(symbol, ...) STEP_KEY_##symbol,
	STEP_KEYS(X)
#undef X
	STEP_KEY_MAX
};

extern const struct conf_key port_keys[PORT_KEY_MAX];
extern const struct conf_key bridge_keys[BRIDGE_KEY_MAX];
extern const struct conf_key daemon_keys[DAEMON_KEY_MAX];
extern const struct conf_key control_keys[CONTROL_KEY_MAX];
extern const struct conf_key dpdk_keys[DPDK_KEY_MAX];
extern const struct conf_key workers_keys[WORKERS_KEY_MAX];
extern const struct conf_key idle_keys[IDLE_KEY_MAX];
extern const struct conf_key step_keys[STEP_KEY_MAX];

/** Strings that a configuration owns; starts zeroed. */
struct conf_strings {
	struct conf_string *first;
};

/** A copy that lives until conf_strings_free(); NULL: no memory. */
const char *conf_strdup(struct conf_strings *strings, const char *text);
void conf_strings_free(struct conf_strings *strings);

/**
 * Checks the text of a value and stores it.
 *
 * @param conf     the structure that conf_key::offset is in
 * @param strings  gets the copies
 * @return 0; -EINVAL with what is wrong and what is allowed ("mtu '7' is out of range; allowed: 68 to 9190"), or -ENOMEM
 */
int conf_key_set(const struct conf_key *key, void *conf, const char *text,
	struct conf_strings *strings, char *errbuf, size_t errlen);

/** The text of a value as conf_key_set() takes it. @return whether there is one (a string may be NULL). */
bool conf_key_get(const struct conf_key *key, const void *conf, char text[CONF_TEXT_LEN]);

/** Whether conf_key_get()'s text is a plain decimal number. */
bool conf_key_is_number(const struct conf_key *key);

/** The key of that name among @p n, or NULL. */
const struct conf_key *conf_key_find(const struct conf_key *keys, size_t n, const char *name);

/** Names of the keys that ports of a type have (mask of ON_*), separated by commas. */
void conf_key_names(const struct conf_key *keys, size_t n, uint32_t types, char *buf, size_t len);

/**
 * Fills in what depends on other values: socket path, MAC address, MTU.
 *
 * @param given  bit n: key n of enum port_key has been set
 * @param[out] key  on error: the key (enum port_key) that is wrong or missing
 * @return 0, or -EINVAL with a sentence: a key is missing, or given to a port of another type
 */
int port_conf_finish(struct port_conf *conf, uint32_t given, const char *run_dir,
	struct conf_strings *strings, unsigned int *key, char *errbuf, size_t errlen);

/**
 * Whether the VLAN keys of a port fit together; part of port_conf_finish().
 *
 * @return 0, or -EINVAL as that one
 */
int port_conf_vlan_check(const struct port_conf *conf, unsigned int *key, char *errbuf,
	size_t errlen);

/** Whether affinity names only queues that the port has; part of port_conf_finish(). @return as that one */
int port_conf_affinity_check(const struct port_conf *conf, unsigned int *key, char *errbuf, size_t errlen);

/** Gives the keys that go with vlan-mode their defaults. */
void port_conf_vlan_reset(struct port_conf *conf);

/** The address that a device port has when none is configured: locally administered, made from its name. */
void conf_default_mac(const char *name, uint8_t mac[6]);

/** Names and enumerations as text. */
const char *port_type_name(enum port_type type);
const char *bridge_type_name(enum bridge_type type);

#endif /* VSWITCHD_CONF_KEY_H */
