/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Large frames at random, cut by lib/offload and by the kernel, and compared byte by byte. Runs in a network namespace
 * of its own:
 *
 *   gso_kernel FRAMES SEED [spoil]
 *
 * A frame is written to one tap with what is left to do in its virtio header (Linux 6.17 and newer know UDP tunnels
 * there); traffic control redirects it to a second tap that has no offloads, so that the kernel's software
 * does it all, and the pieces are read from there. With "spoil", a bit of one of our pieces is
 * turned over, which must be noticed. Prints one line of JSON; the status is 0 when nothing differed.
 *
 * Nothing is allowed to differ. That takes what the kernel wants of its senders: seeds in checksum fields, the lengths
 * of the large packet, more than one piece inside of a tunnel, at most 128 datagrams.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/if_tun.h>

#include "our_pieces.h"

/* Of <linux/virtio_net.h> and <linux/if_tun.h>; those of Debian 12 are older than what is used here. */
#define NEEDS_CSUM        1
#define TUNNEL_CSUM       8
#define GSO_TCPV4         1
#define GSO_TCPV6         4
#define GSO_UDP_L4        5
#define GSO_TUNNEL_IPV4   0x20
#define GSO_TUNNEL_IPV6   0x40
#define GSO_ECN           0x80
#define OFFLOADS          0x06f /* checksums; TCP, ECN and UDP over both */
#define OFFLOADS_TUNNEL   0x180 /* inside of UDP, with checksum */

#define MAX_DATAGRAMS 128 /* UDP_MAX_SEGMENTS */
#define WAIT_MS       2000

struct vnet_header {
	uint8_t flags, gso_type;
	uint16_t hdr_len, gso_size, csum_start, csum_offset;
	uint16_t num_buffers;
	uint8_t hash[8];
	uint16_t outer_l4, inner_l3;
};

static struct large_frame large;
static struct our_pieces ours;
static uint8_t theirs[LARGE_ROOM];
static unsigned long frames[2][LARGE_NB_TUNNELS], pieces, differing;
static int in, out;

static void
fail(const char *what)
{
	perror(what);
	exit(2);
}

static void
run(const char *command)
{
	if (system(command) != 0)
		fail(command);
}

static int
open_tap(const char *name, short flags)
{
	struct ifreq ifr = { .ifr_flags = (short)(IFF_TAP | IFF_NO_PI | flags) };
	char command[200];
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	strcpy(ifr.ifr_name, name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) < 0)
		fail("tap");
	snprintf(command, sizeof(command), "ip link set %s mtu 65000 txqueuelen 65000 addrgenmode none up", name);
	run(command);
	return fd;
}

/* @return whether the kernel takes tunnels. */
static bool
set_up(void)
{
	int size = sizeof(struct vnet_header);
	bool tunnels;

	in = open_tap("large", IFF_VNET_HDR);
	out = open_tap("pieces", 0);
	if (ioctl(in, TUNSETVNETHDRSZ, &size) < 0)
		fail("TUNSETVNETHDRSZ");
	tunnels = ioctl(in, TUNSETOFFLOAD, OFFLOADS | OFFLOADS_TUNNEL) == 0;
	if (!tunnels && ioctl(in, TUNSETOFFLOAD, OFFLOADS) < 0)
		fail("TUNSETOFFLOAD");
	run("tc qdisc replace dev pieces root noqueue && tc qdisc add dev large ingress && "
		"tc filter add dev large parent ffff: protocol all u32 match u32 0 0 "
		"action mirred egress redirect dev pieces");
	return tunnels;
}

static void
send_large(const struct large_frame *f)
{
	struct vnet_header h = {
		.flags = NEEDS_CSUM | (f->outer_csum ? TUNNEL_CSUM : 0),
		.gso_type = f->udp ? GSO_UDP_L4 : f->v6 ? GSO_TCPV6 : GSO_TCPV4,
		.hdr_len = (uint16_t)f->hdr_len,
		.gso_size = (uint16_t)f->mss,
		.csum_start = (uint16_t)f->l4,
		.csum_offset = f->udp ? 6 : 16,
	};
	struct iovec iov[2] = { { &h, sizeof(h) }, { (void *)(uintptr_t)f->data, f->len } };

	if (f->ecn)
		h.gso_type |= GSO_ECN;
	if (f->tunnel != LARGE_PLAIN) {
		h.gso_type |= f->outer6 ? GSO_TUNNEL_IPV6 : GSO_TUNNEL_IPV4;
		h.outer_l4 = (uint16_t)f->outer_l4;
		h.inner_l3 = (uint16_t)f->l3;
	}
	if (writev(in, iov, 2) < 0)
		fprintf(stderr, "the kernel refuses a frame: %s\n", strerror(errno));
}

/* The kernel's next piece; what it says on its own account is passed over. @return its length, 0: none came */
static int
receive(int wait_ms)
{
	struct pollfd p = { .fd = out, .events = POLLIN };
	ssize_t n;

	for (;;) {
		n = read(out, theirs, sizeof(theirs));
		if (n >= 12 && memcmp(theirs + 6, large.data + 6, 6) == 0)
			return (int)n;
		if (n < 0 && (errno != EAGAIN || poll(&p, 1, wait_ms) <= 0))
			return 0;
	}
}

static void
print_hex(const char *who, const uint8_t *p, int len)
{
	fprintf(stderr, "%s: ", who);
	for (int i = 0; i < len && i < 220; i++)
		fprintf(stderr, "%02x", p[i]);
	fprintf(stderr, " (%d)\n", len);
}

/* @return whether the frame came out the same. */
static bool
compare(bool spoil)
{
	int count = our_begin(&ours, &large), mine = 0, got, i = 0;

	send_large(&large);
	if (count != (int)large.pieces)
		fprintf(stderr, "our count of pieces is %d\n", count);
	for (; count > 0 && (mine = our_next(&ours)) > 0; i++) {
		if (spoil && i == 0)
			ours.piece[large.hdr_len - 3] ^= 4;
		got = receive(WAIT_MS);
		pieces++;
		if (got == mine && memcmp(ours.piece, theirs, (size_t)got) == 0)
			continue;
		fprintf(stderr, "piece %d of %u, tunnel %d, udp %d, mss %u, headers %u:\n", i, large.pieces, large.tunnel,
			large.udp, large.mss, large.hdr_len);
		print_hex("ours", ours.piece, mine);
		print_hex("kernel's", theirs, got);
		while (receive(10) > 0)
			;
		return false;
	}
	return count == (int)large.pieces && mine == 0 && i == count && receive(0) == 0;
}

int
main(int argc, char **argv)
{
	struct large_limits limits = { .tunnels = 1 << LARGE_PLAIN, .max_payload = 60000,
		.max_datagrams = MAX_DATAGRAMS, .udp = true, .ipv6 = true, .extras = true, .small_mss = true,
		.single = true };
	unsigned long wanted, i;
	bool tunnels;

	if (argc < 3)
		return 2;
	wanted = strtoul(argv[1], NULL, 0);
	large_seed(strtoull(argv[2], NULL, 0));
	tunnels = set_up();
	if (tunnels)
		limits.tunnels |= 1 << LARGE_VXLAN | 1 << LARGE_GENEVE;
	for (i = 0; i < wanted && differing < 5; i++) {
		large_make(&large, &limits);
		frames[large.udp][large.tunnel]++;
		differing += !compare(argc > 3 && i + 1 == wanted);
	}
	printf("{\"frames\": %lu, \"pieces\": %lu, \"differing\": %lu, \"tunnels\": %s, \"tcp\": [%lu, %lu, %lu], "
		"\"udp\": [%lu, %lu, %lu]}\n", i, pieces, differing, tunnels ? "true" : "false",
		frames[0][0], frames[0][1], frames[0][2], frames[1][0], frames[1][1], frames[1][2]);
	return differing != 0;
}
