/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The vfio-user client with a server that says anything, over a socket pair.
 *
 * Input: one record after the other, each a struct record and then its bytes. A record is what the
 * server sends to answer the client's calls, which are always the same, in their order; it has sent
 * all of it, and hung up, before the client begins. What the client makes of regions is mapped and
 * touched, as a driver would.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vfio_user.h>
#include <vfu_client.h>
#include <vfu_client_version.h>

#include "must.h"

#define PAGE	   4096u
#define FILE_SIZE  (8 * PAGE)
#define TIMEOUT_MS 10000
#define MAX_FDS	   20

/* record::options */
#define OPT_RAW	    0x01 /* the bytes begin with the header */
#define OPT_REQUEST 0x02 /* not a reply: the server asks for something */
#define OPT_ERROR   0x04 /* an error reply; its errno is the number of bytes, and none come */
#define OPT_LONGER  0x08 /* the header announces more than there is */
#define OPT_STRETCH 0x10 /* zero bytes follow: nb_bytes times 64 of them */
#define OPT_NO_ID   0x20 /* the id of another message */
#define OPT_NO_WAIT 0x40 /* a request that wants no answer */

struct record {
	uint8_t command;
	uint8_t options;
	uint8_t fds; /* how many, in the low five bits, and from where in pool */
	uint8_t nb_bytes;
};

enum { MEMORY, SHORT_MEMORY, PIPE, NULL_DEVICE, NB_POOL };

static int pool[NB_POOL];
static volatile uint8_t sink;

static void
make_pool(void)
{
	int ends[2];

	pool[MEMORY] = memfd_create("fuzz", MFD_CLOEXEC);
	pool[SHORT_MEMORY] = memfd_create("fuzz", MFD_CLOEXEC);
	MUST(pipe2(ends, O_CLOEXEC) == 0);
	pool[PIPE] = ends[0];
	pool[NULL_DEVICE] = open("/dev/null", O_RDWR | O_CLOEXEC);
	MUST(pool[MEMORY] > 0 && pool[SHORT_MEMORY] > 0 && pool[NULL_DEVICE] > 0);
	MUST(ftruncate(pool[MEMORY], FILE_SIZE) == 0);
	MUST(ftruncate(pool[SHORT_MEMORY], PAGE + 1) == 0);
}

/* Sends what the socket takes; a server that wanted to say more has hung up. */
static bool
send_record(int fd, const uint8_t *message, size_t len, uint8_t fds)
{
	union {
		char buf[CMSG_SPACE(MAX_FDS * sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec iov = {(void *)message, len};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
	unsigned int i, n = fds & 0x1f;

	n = n > MAX_FDS ? MAX_FDS : n;
	if (n > 0) {
		struct cmsghdr *c;

		mh.msg_control = control.buf;
		mh.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		for (i = 0; i < n; i++)
			memcpy(CMSG_DATA(c) + i * sizeof(int), &pool[((fds >> 5) + i) % NB_POOL],
				sizeof(int));
	}
	return sendmsg(fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)len;
}

static struct vfio_user_header
make_header(const struct record *record, uint32_t payload, uint16_t *replies)
{
	struct vfio_user_header hdr = {
		.command = record->command,
		.msg_size = sizeof(hdr) + payload + ((record->options & OPT_LONGER) != 0),
		.flags = VFIO_USER_F_TYPE_REPLY,
	};

	if ((record->options & OPT_REQUEST) != 0)
		hdr.flags = (record->options & OPT_NO_WAIT) != 0 ? VFIO_USER_F_NO_REPLY : 0;
	else
		hdr.msg_id = (*replies)++;
	if ((record->options & OPT_NO_ID) != 0)
		hdr.msg_id++;
	if ((record->options & OPT_ERROR) != 0) {
		hdr.flags |= VFIO_USER_F_ERROR;
		hdr.error_no = record->nb_bytes;
	}
	return hdr;
}

/* Sends the next record. Returns the input bytes used, 0 at the end. */
static size_t
send_next(int fd, const uint8_t *data, size_t size, uint16_t *replies)
{
	static uint8_t message[sizeof(struct vfio_user_header) + 65 * UINT8_MAX];
	struct vfio_user_header hdr;
	struct record record;
	size_t given, extra, at = 0;

	if (size < sizeof(record))
		return 0;
	memcpy(&record, data, sizeof(record));
	size -= sizeof(record);
	given = (record.options & OPT_ERROR) != 0 ? 0 : record.nb_bytes;
	given = given > size ? size : given;
	extra = (record.options & OPT_STRETCH) != 0 ? given * 64 : 0;
	hdr = make_header(&record, given + extra, replies);
	if ((record.options & OPT_RAW) == 0) {
		memcpy(message, &hdr, sizeof(hdr));
		at = sizeof(hdr);
	}
	memcpy(message + at, data + sizeof(record), given);
	memset(message + at + given, 0, extra);
	if (!send_record(fd, message, at + given + extra, record.fds))
		return 0;
	return sizeof(record) + given;
}

/* What is shown can be mapped, and is there. */
static void
touch_region(struct vfu_client_region *region)
{
	const uint8_t *p;

	MUST((region->fd >= 0) == (region->area.size > 0));
	if (region->fd < 0)
		return;
	MUST(region->area.offset <= region->size);
	MUST(region->area.size <= region->size - region->area.offset);
	MUST((region->area.offset | region->area.size | region->fd_offset) % PAGE == 0);
	p = mmap(NULL, region->area.size, PROT_READ, MAP_SHARED, region->fd,
		region->fd_offset + region->area.offset);
	MUST(p != MAP_FAILED);
	sink ^= p[0] ^ p[region->area.size - 1];
	munmap((void *)p, region->area.size);
	close(region->fd);
}

/* An error of one call, after which the connection may be gone. */
static void
check(const struct vfu_client *client, int rc)
{
	MUST(rc <= 0 && rc >= -4095);
	MUST(rc != -ENOTCONN || !vfu_client_alive(client));
	MUST(rc != -ETIMEDOUT || vfu_client_alive(client));
}

static void
ask_about_device(struct vfu_client *client)
{
	struct vfu_client_region region;
	uint32_t i;
	int rc;

	for (i = 0; i < VFU_MAX_REGIONS; i++) {
		rc = vfu_client_region_info(client, i, &region);
		check(client, rc);
		if (rc == 0)
			touch_region(&region);
	}
	for (i = 0; i < VFU_MAX_IRQS; i++) {
		rc = vfu_client_irq_count(client, i);
		MUST(rc <= VFU_MAX_VECTORS);
		check(client, rc > 0 ? 0 : rc);
	}
}

static void
use_device(struct vfu_client *client)
{
	const int fds[] = {pool[PIPE], pool[NULL_DEVICE], -1, -1, pool[PIPE]};
	uint8_t buf[200] = {0};
	size_t i;

	check(client, vfu_client_region_read(client, 1, 0x20, buf, 4));
	check(client, vfu_client_region_read(client, VFU_REGION_CONFIG, 0, buf, sizeof(buf)));
	for (i = 0; i < sizeof(buf); i++)
		sink ^= buf[i];
	check(client, vfu_client_region_write(client, 1, 0, buf, sizeof(buf)));
	check(client, vfu_client_dma_map(client, PAGE, PAGE, pool[MEMORY], 0));
	check(client, vfu_client_dma_unmap(client, PAGE, PAGE));
	check(client, vfu_client_irq_set(client, VFU_IRQ_MSIX, 0, 5, fds));
	check(client, vfu_client_irq_disable(client, VFU_IRQ_MSIX));
	check(client, vfu_client_reset(client));
	check(client, vfu_client_region_post(client, 0, 0, buf, 4));
	check(client, vfu_client_check(client));
}

static int
lowest_free_descriptor(void)
{
	int fd = dup(pool[MEMORY]);

	close(fd);
	return fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vfu_client *client;
	uint16_t replies = 0;
	int ends[2], before;
	size_t used;

	if (pool[MEMORY] == 0)
		make_pool();
	before = lowest_free_descriptor();
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	while ((used = send_next(ends[0], data, size, &replies)) > 0) {
		data += used;
		size -= used;
	}
	shutdown(ends[0], SHUT_WR);
	if (vfu_client_begin(ends[1], TIMEOUT_MS, &client) == 0) {
		ask_about_device(client);
		use_device(client);
		vfu_client_close(client);
	}
	close(ends[0]);
	MUST(lowest_free_descriptor() == before);
	return 0;
}
