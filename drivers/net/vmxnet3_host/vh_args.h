/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Device arguments. */
#ifndef VH_ARGS_H
#define VH_ARGS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <rte_ether.h>

/** What dpdk-pmdinfo.py shows. */
#define VH_PARAM_STRING \
	"path=<socket> " \
	"guest-mac=<xx:xx:xx:xx:xx:xx> " \
	"queues=<1-32> " \
	"revisions=<mask> " \
	"speed=<Mbit/s> " \
	"mtu=<60-9190> " \
	"doorbell=memory|message " \
	"interrupt-rate=<per second> " \
	"owner=<user> " \
	"group=<group> " \
	"mode=<octal>"

struct vh_args {
	char path[108];            /**< of the socket; as long as an address can be */
	struct rte_ether_addr mac; /**< of the guest's card */
	uint32_t queues;           /**< pairs that a guest may use */
	uint32_t revisions;        /**< mask */
	uint32_t speed;            /**< Mbit/s */
	uint32_t mtu;              /**< largest that a guest may use */
	uint32_t intr_rate;        /**< per second and vector; 0: no cap */
	bool doorbell_message;
	uid_t owner;
	gid_t group;
	mode_t mode;
};

/**
 * @param text  key=value,... as EAL got it; may be NULL
 * @param errbuf,errlen  gets a sentence that names the argument and the cure, on error
 * @return 0 or -EINVAL.
 */
int vh_args_parse(const char *text, struct vh_args *args, char *errbuf, size_t errlen);

#endif /* VH_ARGS_H */
