/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_log.h>

#include "eth_iface.h"
#include "eth_tap.h"

#define LOG_TYPE "pmd.net.tap"

/* Its complaints about signals and traffic classes that nobody misses. */
static int
log_hush(void)
{
	int type = rte_log_register(LOG_TYPE);
	int level = type < 0 ? -1 : rte_log_get_level(type);

	if (level >= 0)
		rte_log_set_level(type, RTE_LOG_CRIT);
	return level;
}

/*
 * net_tap asks the kernel for a signal with every frame, so as to know when to read: a signal for
 * whichever thread of ours the kernel picks, thousands a second, and SIGIO, deadly by default,
 * when their queue runs over. It does without, and reads when it is polled, if no realtime signal
 * looks free to it.
 */
void
eth_tap_quiet_begin(struct eth_tap_quiet *quiet)
{
	sigemptyset(&quiet->signals);
	for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++) {
		struct sigaction sa;

		if (sigaction(sig, NULL, &sa) < 0 || sa.sa_handler != SIG_DFL)
			continue;
		sa.sa_handler = SIG_IGN;
		if (sigaction(sig, &sa, NULL) == 0)
			sigaddset(&quiet->signals, sig);
	}
	quiet->log_level = log_hush();
}

void
eth_tap_quiet_end(const struct eth_tap_quiet *quiet)
{
	struct sigaction sa = {.sa_handler = SIG_DFL};

	for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++) {
		if (sigismember(&quiet->signals, sig) == 1)
			sigaction(sig, &sa, NULL);
	}
	if (quiet->log_level >= 0)
		rte_log_set_level(rte_log_register(LOG_TYPE), (uint32_t)quiet->log_level);
}

/* The host's end keeps its address over restarts; the name decides. */
static void
tap_mac(const char *iface, uint8_t mac[6])
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *iface != '\0'; iface++)
		hash = (hash ^ (uint8_t)*iface) * 0x100000001b3;
	mac[0] = 0x02;
	mac[1] = 't';
	for (int i = 2; i < 6; i++)
		mac[i] = (uint8_t)(hash >> (8 * i));
}

void
eth_tap_devargs(const struct port *port, char *args, size_t len)
{
	static unsigned int serial;
	uint8_t mac[6];

	tap_mac(port->conf.interface, mac);
	snprintf(args, len, "net_tap%u,iface=%s,mac=%02x:%02x:%02x:%02x:%02x:%02x", serial++,
		port->conf.interface, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

int
eth_tap_failed(const struct port *port, struct error *err)
{
	const char *iface = port->conf.interface;
	char driver[32];
	int ret = iface_try_tap(iface);

	switch (ret) {
	case -EPERM:
	case -EACCES:
		return error_set(err, ret,
			"port %s: no permission to make the tap %s: it needs CAP_NET_ADMIN and "
			"access to /dev/net/tun", port->conf.name, iface);
	case -ENOENT:
	case -ENXIO:
		return error_set(err, ret,
			"port %s: there is no /dev/net/tun: load the kernel module tun",
			port->conf.name);
	case -EBUSY:
		return error_set(err, ret, "port %s: the tap %s is in use by another program",
			port->conf.name, iface);
	case -EINVAL:
		if (iface_driver(iface, driver, sizeof(driver)) == 0 &&
		    strcmp(driver, "tun") == 0)
			return error_set(err, -EEXIST,
				"port %s: the tap %s exists without multi_queue: make it with 'ip "
				"tuntap add %s mode tap multi_queue', or let the switch make it",
				port->conf.name, iface, iface);
		return error_set(err, -EEXIST,
			"port %s: an interface %s exists and is no tap: use another name, or type "
			"af_xdp for an interface that is there", port->conf.name, iface);
	default:
		return error_set(err, ret < 0 ? ret : -EIO,
			"port %s: cannot make the tap %s: %s", port->conf.name, iface,
			ret < 0 ? strerror(-ret) : "net_tap refused it");
	}
}
