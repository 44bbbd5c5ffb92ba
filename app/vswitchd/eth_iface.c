/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

#include "eth_iface.h"

#define VETH_PEER_IFINDEX "peer_ifindex"

bool
iface_name_valid(const char *name)
{
	size_t len = name == NULL ? 0 : strlen(name);

	if (len == 0 || len >= IFNAMSIZ || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (const char *c = name; *c != '\0'; c++) {
		/* The last two have a meaning for the kernel and for EAL. */
		if (*c <= ' ' || *c == 0x7f || strchr("/:%,", *c) != NULL)
			return false;
	}
	return true;
}

static int
iface_ioctl(const char *name, unsigned long request, struct ifreq *ifr)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret = 0;

	if (sock < 0)
		return -errno;
	strncpy(ifr->ifr_name, name, IFNAMSIZ - 1);
	ifr->ifr_name[IFNAMSIZ - 1] = '\0';
	if (ioctl(sock, request, ifr) < 0)
		ret = -errno;
	close(sock);
	return ret;
}

int
iface_flags(const char *name, uint32_t *flags)
{
	struct ifreq ifr = {0};
	int ret = iface_ioctl(name, SIOCGIFFLAGS, &ifr);

	*flags = ret == 0 ? (uint16_t)ifr.ifr_flags : 0;
	return ret;
}

int
iface_set_up(const char *name, bool up)
{
	struct ifreq ifr = {0};
	int ret = iface_ioctl(name, SIOCGIFFLAGS, &ifr);

	if (ret < 0)
		return ret;
	if (up)
		ifr.ifr_flags |= IFF_UP;
	else
		ifr.ifr_flags &= ~IFF_UP;
	return iface_ioctl(name, SIOCSIFFLAGS, &ifr);
}

int
iface_mtu(const char *name, uint16_t *mtu)
{
	struct ifreq ifr = {0};
	int ret = iface_ioctl(name, SIOCGIFMTU, &ifr);

	*mtu = ret < 0 ? 0 : ifr.ifr_mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)ifr.ifr_mtu;
	return ret;
}

int
iface_set_mtu(const char *name, uint16_t mtu)
{
	struct ifreq ifr = {.ifr_mtu = mtu};

	return iface_ioctl(name, SIOCSIFMTU, &ifr);
}

/* Sends one request and gets one answer. @return the answer's length, or a negative errno */
static ssize_t
netlink_ask(const void *req, size_t len, void *answer, size_t max)
{
	const struct timeval patience = {.tv_sec = 1};
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ssize_t ret;

	if (sock < 0)
		return -errno;
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	ret = send(sock, req, len, 0);
	if (ret >= 0)
		ret = recv(sock, answer, max, 0);
	if (ret < 0)
		ret = -errno;
	close(sock);
	return ret;
}

/* The code in an answer that is an error or an acknowledgement; 0: it is something else. */
static int
netlink_error(const struct nlmsghdr *nh, ssize_t len)
{
	const struct nlmsgerr *error = NLMSG_DATA(nh);

	if (len < 0)
		return (int)len;
	if (!NLMSG_OK(nh, (uint32_t)len))
		return -EPROTO;
	if (nh->nlmsg_type != NLMSG_ERROR)
		return 0;
	return (size_t)len < NLMSG_LENGTH(sizeof(*error)) ? -EPROTO : error->error;
}

int
iface_set_carrier(const char *name, bool up)
{
	struct {
		struct nlmsghdr nh;
		struct ifinfomsg ifi;
		struct rtattr attr;
		uint8_t carrier;
		uint8_t pad[3];
	} req = {
		.nh = {
			.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)) + RTA_SPACE(1),
			.nlmsg_type = RTM_NEWLINK,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		},
		.ifi = {.ifi_family = AF_UNSPEC, .ifi_index = (int)if_nametoindex(name)},
		.attr = {.rta_len = RTA_LENGTH(1), .rta_type = IFLA_CARRIER},
		.carrier = up,
	};
	struct nlmsghdr answer[64];

	if (req.ifi.ifi_index == 0)
		return -ENODEV;
	return netlink_error(answer,
		netlink_ask(&req, req.nh.nlmsg_len, answer, sizeof(answer)));
}

/* The attribute of that type among @p len bytes of them; NULL: there is none. */
static const struct rtattr *
find_attr(const struct rtattr *attr, size_t len, unsigned short type)
{
	for (; RTA_OK(attr, len); attr = RTA_NEXT(attr, len)) {
		if ((attr->rta_type & ~NLA_F_NESTED) == type)
			return attr;
	}
	return NULL;
}

static void
program_name(uint32_t id, char *name, size_t len)
{
	union bpf_attr attr = {.prog_id = id};
	struct bpf_prog_info info = {0};
	int fd = (int)syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr));

	snprintf(name, len, "?");
	if (fd < 0)
		return;
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uintptr_t)&info;
	if (syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) == 0)
		snprintf(name, len, "%.*s", BPF_OBJ_NAME_LEN, info.name);
	close(fd);
}

int
iface_xdp_program(const char *name, char *program, size_t len)
{
	struct {
		struct nlmsghdr nh;
		struct ifinfomsg ifi;
	} req = {
		.nh = {
			.nlmsg_len = sizeof(req),
			.nlmsg_type = RTM_GETLINK,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.ifi = {.ifi_family = AF_UNSPEC, .ifi_index = (int)if_nametoindex(name)},
	};
	struct nlmsghdr answer[1024];
	const struct rtattr *attr;
	ssize_t got;
	uint32_t id;
	int ret;

	if (req.ifi.ifi_index == 0)
		return -ENODEV;
	got = netlink_ask(&req, sizeof(req), answer, sizeof(answer));
	ret = netlink_error(answer, got);
	if (ret < 0)
		return ret;
	attr = find_attr(IFLA_RTA(NLMSG_DATA(answer)), IFLA_PAYLOAD(answer), IFLA_XDP);
	if (attr != NULL)
		attr = find_attr(RTA_DATA(attr), RTA_PAYLOAD(attr), IFLA_XDP_PROG_ID);
	if (attr == NULL || RTA_PAYLOAD(attr) < sizeof(id))
		return 0;
	memcpy(&id, RTA_DATA(attr), sizeof(id));
	program_name(id, program, len);
	return 1;
}

int
iface_driver(const char *name, char *driver, size_t len)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq ifr = {.ifr_data = (void *)&info};
	int ret = iface_ioctl(name, SIOCETHTOOL, &ifr);

	if (ret < 0)
		return ret;
	info.driver[sizeof(info.driver) - 1] = '\0';
	strncpy(driver, info.driver, len - 1);
	driver[len - 1] = '\0';
	return 0;
}

/* Where the statistics of a driver have the one that is called so; -1: nowhere. */
static int
stat_index(const char *name, uint32_t nb, const char *wanted)
{
	struct ethtool_gstrings *names = calloc(1, sizeof(*names) + (size_t)nb * ETH_GSTRING_LEN);
	struct ifreq ifr = {.ifr_data = (void *)names};
	int found = -1;

	if (names == NULL)
		return -1;
	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = ETH_SS_STATS;
	names->len = nb;
	if (iface_ioctl(name, SIOCETHTOOL, &ifr) == 0) {
		for (uint32_t i = 0; i < nb && found < 0; i++) {
			if (strncmp((char *)names->data + i * ETH_GSTRING_LEN, wanted,
				    ETH_GSTRING_LEN) == 0)
				found = (int)i;
		}
	}
	free(names);
	return found;
}

/* @param back  check that it says the same the other way round */
static int
iface_veth_peer_of(const char *name, char *peer, size_t len, bool back)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq ifr = {.ifr_data = (void *)&info};
	struct ethtool_stats *stats;
	char found[IF_NAMESIZE], other[IF_NAMESIZE];
	int ret = iface_ioctl(name, SIOCETHTOOL, &ifr);
	int at;

	if (ret < 0)
		return ret;
	at = stat_index(name, info.n_stats, VETH_PEER_IFINDEX);
	if (at < 0)
		return -ENOENT;
	stats = calloc(1, sizeof(*stats) + (size_t)info.n_stats * sizeof(uint64_t));
	if (stats == NULL)
		return -ENOMEM;
	stats->cmd = ETHTOOL_GSTATS;
	stats->n_stats = info.n_stats;
	ifr.ifr_data = (void *)stats;
	ret = iface_ioctl(name, SIOCETHTOOL, &ifr);
	if (ret == 0 && if_indextoname((unsigned int)stats->data[at], found) == NULL)
		ret = -ENODEV;
	free(stats);
	if (ret < 0)
		return ret;
	/* In another namespace, the number may be that of somebody else here. */
	if (back && (iface_veth_peer_of(found, other, sizeof(other), false) < 0 ||
			    strcmp(other, name) != 0))
		return -ENODEV;
	strncpy(peer, found, len - 1);
	peer[len - 1] = '\0';
	return 0;
}

int
iface_veth_peer(const char *name, char *peer, size_t len)
{
	return iface_veth_peer_of(name, peer, len, true);
}

int
iface_try_tap(const char *name)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_MULTI_QUEUE};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0)
		ret = -errno;
	close(fd);
	return ret;
}
