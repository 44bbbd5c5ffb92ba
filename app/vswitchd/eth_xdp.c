/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/if_xdp.h>

#include <rte_ethdev.h>

#include "eth_iface.h"
#include "eth_pool.h"
#include "eth_xdp.h"

/* Ethernet header and two tags. */
#define L2_HEADER (14 + 2 * 4)

/* The kernel keeps so much free before each frame. */
#define XDP_HEADROOM 256

/* For a queue whose previous user has just gone. */
#define BUSY_TRIES 20
#define BUSY_NAP_NS 50000000

#define RELEASE_NAPS 500
#define RELEASE_NAP_NS 2000000

/* For a trial. */
#define CHUNK 4096
#define CHUNKS 4

uint16_t
eth_xdp_max_mtu(void)
{
	return (uint16_t)(eth_page_room() - XDP_HEADROOM - L2_HEADER);
}

bool
eth_xdp_is_veth(const char *iface)
{
	char driver[32];

	return iface_driver(iface, driver, sizeof(driver)) == 0 && strcmp(driver, "veth") == 0;
}

/* ---- trial ---- */

static int
bind_socket(int fd, void *mem, unsigned int ifindex, uint32_t queue)
{
	struct xdp_umem_reg umem = {
		.addr = (uintptr_t)mem,
		.len = (uint64_t)CHUNK * CHUNKS,
		.chunk_size = CHUNK,
	};
	struct sockaddr_xdp addr = {
		.sxdp_family = AF_XDP,
		/* Zero copy would have a NIC start its queues anew. */
		.sxdp_flags = XDP_COPY,
		.sxdp_ifindex = ifindex,
		.sxdp_queue_id = queue,
	};
	int size = CHUNKS;

	if (setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &umem, sizeof(umem)) < 0 ||
	    setsockopt(fd, SOL_XDP, XDP_UMEM_FILL_RING, &size, sizeof(size)) < 0 ||
	    setsockopt(fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, &size, sizeof(size)) < 0 ||
	    setsockopt(fd, SOL_XDP, XDP_RX_RING, &size, sizeof(size)) < 0 ||
	    bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	return 0;
}

/*
 * The kernel lets go of a closed socket's queue a little later, and then of its memory; only when
 * nobody holds that any more can its file be sealed.
 */
static void
wait_for_release(int memfd)
{
	const struct timespec nap = {.tv_nsec = RELEASE_NAP_NS};

	for (int i = 0; i < RELEASE_NAPS; i++) {
		if (fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE) == 0 || errno != EBUSY)
			return;
		nanosleep(&nap, NULL);
	}
}

/* Whether there can be an AF_XDP socket on that queue. */
static int
try_queue(unsigned int ifindex, uint32_t queue)
{
	void *mem = MAP_FAILED;
	int memfd = memfd_create("af_xdp trial", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	int ret = fd < 0 ? -errno : -ENOMEM;

	if (memfd >= 0 && ftruncate(memfd, CHUNK * CHUNKS) == 0)
		mem = mmap(NULL, CHUNK * CHUNKS, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	if (fd >= 0 && mem != MAP_FAILED)
		ret = bind_socket(fd, mem, ifindex, queue);
	if (fd >= 0)
		close(fd);
	if (mem != MAP_FAILED)
		munmap(mem, CHUNK * CHUNKS);
	if (memfd >= 0) {
		wait_for_release(memfd);
		close(memfd);
	}
	return ret;
}

static int
try_queue_patiently(unsigned int ifindex, uint32_t queue)
{
	const struct timespec nap = {.tv_nsec = BUSY_NAP_NS};
	int ret = try_queue(ifindex, queue);

	for (int i = 1; ret == -EBUSY && i < BUSY_TRIES; i++) {
		nanosleep(&nap, NULL);
		ret = try_queue(ifindex, queue);
	}
	return ret;
}

static int
check_queues(const struct port *port, struct error *err)
{
	const char *iface = port->conf.interface;
	unsigned int index = if_nametoindex(iface);

	for (uint16_t q = 0; q < port->conf.queues; q++) {
		int ret = try_queue_patiently(index, q);

		switch (ret) {
		case 0:
			break;
		case -EBUSY:
			return error_set(err, ret,
				"port %s: queue %u of interface %s is used by an AF_XDP socket "
				"of another program", port->conf.name, q, iface);
		case -EINVAL:
			return error_set(err, ret,
				"port %s: interface %s has no queue %u (ethtool -l)",
				port->conf.name, iface, q);
		case -EPERM:
			return error_set(err, ret,
				"port %s: no permission for AF_XDP: it needs CAP_NET_RAW, "
				"CAP_NET_ADMIN and CAP_BPF", port->conf.name);
		case -EAFNOSUPPORT:
			return error_set(err, ret, "port %s: this kernel has no AF_XDP",
				port->conf.name);
		default:
			return error_set(err, ret, "port %s: no AF_XDP socket on %s: %s",
				port->conf.name, iface, strerror(-ret));
		}
	}
	return 0;
}

/* ---- other obstacles ---- */

/* A program of libxdp's own is what a killed process of ours leaves behind; that is used again. */
static int
check_free(const struct port *port, struct error *err)
{
	const char *iface = port->conf.interface;
	unsigned int index = if_nametoindex(iface);
	struct rte_eth_dev_info info;
	char name[32];
	uint16_t id;

	RTE_ETH_FOREACH_DEV(id) {
		if (rte_eth_dev_info_get(id, &info) == 0 && info.if_index == index)
			return error_set(err, -EBUSY,
				"port %s: interface %s is used by another port", port->conf.name,
				iface);
	}
	if (iface_xdp_program(iface, name, sizeof(name)) <= 0 ||
	    strcmp(name, "xsk_def_prog") == 0)
		return 0;
	return error_set(err, -EBUSY,
		"port %s: interface %s has an XDP program, %s, on it: 'ip link set %s xdp off' "
		"takes it away",
		port->conf.name, iface, name, iface);
}

static int
check_mtu(const struct port *port, struct error *err)
{
	const char *iface = port->conf.interface;
	uint16_t max = eth_xdp_max_mtu(), mtu;
	char peer[32];

	if (port->conf.mtu > max)
		return error_set(err, -EINVAL, "port %s: MTU %u: AF_XDP allows %u at most",
			port->conf.name, port->conf.mtu, max);
	if (!eth_xdp_is_veth(iface) || iface_veth_peer(iface, peer, sizeof(peer)) < 0 ||
	    iface_mtu(peer, &mtu) < 0 || mtu <= max)
		return 0;
	return error_set(err, -EINVAL,
		"port %s: XDP on a veth needs an MTU of at most %u at its other end: 'ip link "
		"set %s mtu %u' (it has %u)", port->conf.name, max, peer, max, mtu);
}

int
eth_xdp_devargs(const struct port *port, char *args, size_t len, struct error *err)
{
	static unsigned int serial;
	const char *iface = port->conf.interface;
	uint32_t flags;
	int ret = iface_flags(iface, &flags);

	if (ret == -ENODEV)
		return error_set(err, ret,
			"port %s: there is no interface %s here: af_xdp takes one that exists; "
			"for one that the switch makes itself use type tap",
			port->conf.name, iface);
	if (ret < 0)
		return error_set(err, ret, "port %s: interface %s: %s", port->conf.name, iface,
			strerror(-ret));
	ret = check_free(port, err);
	if (ret == 0)
		ret = check_mtu(port, err);
	if (ret == 0)
		ret = check_queues(port, err);
	if (ret < 0)
		return ret;
	/*
	 * A veth has no hardware whose receive work could be done from here: without busy polling
	 * an empty poll costs no system call. A dispatcher would outlive us in /sys/fs/bpf.
	 */
	setenv("LIBXDP_SKIP_DISPATCHER", "1", 0);
	snprintf(args, len, "net_af_xdp%u,iface=%s,queue_count=%u%s", serial++, iface,
		port->conf.queues, eth_xdp_is_veth(iface) ? ",busy_budget=0" : "");
	return 0;
}

/* ---- forgotten descriptors ---- */

/* The number that the kernel has for a program or a map; 0: none is told. */
static unsigned int
bpf_id(int fd)
{
	unsigned int id = 0;
	char path[40], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	while (id == 0 && fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "prog_id: %u", &id) != 1 && sscanf(line, "map_id: %u", &id) != 1)
			id = 0;
	}
	fclose(file);
	return id;
}

/*
 * What tells a descriptor of AF_XDP from all that may ever have its number.
 *
 * @return whether it is one
 */
static bool
describe(int fd, char *what, size_t len)
{
	socklen_t size = sizeof(int);
	char path[32], link[32];
	int domain;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return false;
	link[n] = '\0';
	if (strcmp(link, "anon_inode:bpf-prog") == 0 || strcmp(link, "anon_inode:bpf-map") == 0) {
		snprintf(what, len, "%s %u", strrchr(link, ':'), bpf_id(fd));
		return true;
	}
	/* With the number of its inode. */
	snprintf(what, len, "%s", link);
	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_XDP;
}

static bool
listed(const struct eth_xdp_fds *fds, int fd, const char *what)
{
	for (uint32_t i = 0; i < fds->nb; i++) {
		if (fds->fd[i].fd == fd && strcmp(fds->fd[i].what, what) == 0)
			return true;
	}
	return false;
}

void
eth_xdp_fds_list(struct eth_xdp_fds *fds, const struct eth_xdp_fds *before)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	fds->nb = 0;
	if (dir == NULL)
		return;
	while (fds->nb < ETH_XDP_MAX_FDS && (entry = readdir(dir)) != NULL) {
		int fd = atoi(entry->d_name);
		char what[sizeof(fds->fd[0].what)];

		if (entry->d_name[0] == '.' || !describe(fd, what, sizeof(what)) ||
		    (before != NULL && listed(before, fd, what)))
			continue;
		fds->fd[fds->nb].fd = fd;
		strcpy(fds->fd[fds->nb++].what, what);
	}
	closedir(dir);
}

void
eth_xdp_fds_close(const struct eth_xdp_fds *fds)
{
	char what[sizeof(fds->fd[0].what)];

	for (uint32_t i = 0; i < fds->nb; i++) {
		if (describe(fds->fd[i].fd, what, sizeof(what)) &&
		    strcmp(what, fds->fd[i].what) == 0)
			close(fds->fd[i].fd);
	}
}
