/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What a person can configure, as plain structures: filled from YAML (config_load.c) or from a
 * control request (rpc_*.c), acted on by the switch (switch.h). Strings are owned by whoever made
 * the structure; the switch copies what it keeps. Every field has a default, set by *_conf_init().
 */
#ifndef VSWITCHD_CONF_H
#define VSWITCHD_CONF_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** Longest port or bridge name, without the final zero: letters, digits, '-', '_', '.'. */
#define NAME_LEN 31
#define MAX_PORTS 256
#define MAX_BRIDGES 64
#define MAX_WORKERS 64
/** Queues of a port. */
#define MAX_PORT_QUEUES 64

enum port_type {
	PORT_DEVICE, /**< a vmxnet3 device behind a vfio-user socket */
	PORT_ETHDEV, /**< any DPDK port, by device arguments */
	PORT_TAP,    /**< an ethdev: net_tap on @c interface */
	PORT_AF_XDP, /**< an ethdev: net_af_xdp on @c interface */
};

/** What VLANs are to a port of a switch. */
enum vlan_mode {
	VLAN_TRANSPARENT, /**< frames of all VLANs, and those of none, as they are */
	VLAN_ACCESS,      /**< of one, without its tag */
	VLAN_TRUNK,       /**< of those listed, with their tags; one may go without */
	VLAN_TUNNEL,      /**< all that comes is put into one, tags and all (802.1ad) */
};

struct port_conf {
	const char *name;
	enum port_type type;
	uint16_t mtu;            /**< L3 bytes; default 1500 (device: largest the guest may use, 9000) */
	bool link_up;            /**< default true */
	enum vlan_mode vlan_mode; /**< default transparent */
	uint16_t tag;            /**< VLAN of an access or tunnel port, native one of a trunk; 0: none */
	const char *trunks;      /**< VLANs of a trunk (vlan_list.h); NULL: all */
	uint16_t qinq_ethtype;   /**< of a tunnel's service tag; default 0x88a8 */
	const char *affinity;    /**< queues pinned to CPUs (affinity.h); NULL: none */

	/* PORT_DEVICE */
	const char *socket;      /**< default: <run directory>/<name>.sock */
	const char *owner;       /**< user name or number; NULL: as it comes */
	const char *group;
	mode_t mode;             /**< default 0660 */
	uint8_t mac[6];          /**< default: locally administered, made from the name */
	bool mac_set;
	uint16_t max_queues;     /**< transmit and receive alike; default 8 */
	uint32_t revisions;      /**< mask; default 0x47 */
	uint32_t link_speed;     /**< Mbit/s; default 10000 */
	bool doorbell_message;   /**< default false: memory */
	bool skip_local_csum;    /**< default false: checksums are always made */
	bool whole_tunnel_tso;   /**< default false: large frames inside of tunnels are cut */
	uint32_t interrupt_rate; /**< per second and vector; default 50000, 0: no cap */
	bool low_latency;        /**< default false: interrupts are moderated */

	/* PORT_ETHDEV */
	const char *devargs;     /**< as EAL takes them, e.g. "net_pcap0,iface=eth1" */
	/* PORT_TAP, PORT_AF_XDP */
	const char *interface;
	uint16_t queues;         /**< all ethdev kinds; default 1 */
};

enum bridge_type { BRIDGE_SWITCH, BRIDGE_WIRE };

struct bridge_conf {
	const char *name;
	enum bridge_type type;
	bool link_local_drop;    /**< 01-80-C2-00-00-0x: drop; default false: forward as a cable does */
	uint32_t fdb_size;       /**< addresses; default 8192, 16 to 1048576 */
	uint32_t fdb_ageing;     /**< seconds; default 300, 0: never */
	const char **ports;      /**< names of ports attached from the start */
	uint32_t nb_ports;
};

/** A step of the idle back-off: after @c idle_us without work, sleep at most @c sleep_us at a time. */
struct idle_step {
	uint64_t idle_us;
	uint32_t sleep_us;
};

#define IDLE_STEPS 3

struct workers_conf {
	const char *cores;       /**< "auto", or a list such as "1,3-5" */
	uint32_t nb_auto;        /**< with auto: how many; 0: one less than there are, at least 1 */
	struct idle_step idle[IDLE_STEPS]; /**< defaults: 1 ms/50 µs, 100 ms/500 µs, 5 s/5 ms */
	bool idle_sleep;         /**< false: poll for ever; default true */
	uint32_t rebalance;      /**< seconds after which queues may change cores; default 5, 0: never */
};

enum hugepages { HUGEPAGES_AUTO, HUGEPAGES_YES, HUGEPAGES_NO };

struct daemon_conf {
	const char *run_dir;        /**< default /run/vswitchd */
	const char *control_socket; /**< default <run_dir>/vswitchd.sock; mode 0660 */
	const char *control_group;  /**< NULL: as it comes */
	uint32_t memory_mb;         /**< EAL memory; default 256 */
	enum hugepages hugepages;
	const char *drivers;        /**< DPDK's drivers to load besides its own: a file or a folder; NULL: none */
	const char *log;            /**< "LEVEL" or "component=LEVEL,..."; default "info" */
	struct workers_conf workers;
	struct port_conf *ports;
	uint32_t nb_ports;
	struct bridge_conf *bridges;
	uint32_t nb_bridges;
};

void port_conf_init(struct port_conf *conf);
void bridge_conf_init(struct bridge_conf *conf);
void daemon_conf_init(struct daemon_conf *conf);

#endif /* VSWITCHD_CONF_H */
