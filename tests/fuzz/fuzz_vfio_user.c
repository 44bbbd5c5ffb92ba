/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The vfio-user server with any messages and descriptors, without a socket.
 *
 * Input: one record after the other, each a struct record and then its bytes. A record is a
 * message; what the header says can be made to differ from what comes. After each message the
 * memory that the table shows is touched, as a datapath would.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vfio_user.h>
#include <vfu_dma.h>
#include <vfu_server.h>

#include "must.h"

#define PAGE		  4096u
#define FILE_SIZE	  (64 * PAGE)
#define NB_VECTORS	  25u
#define MAX_BYTES	  (1u << 16)
#define QEMU_VERSION_SIZE 214u

/* record::options */
#define OPT_NO_REPLY  0x01
#define OPT_RAW	      0x02 /* the bytes begin with the header */
#define OPT_LONGER    0x04 /* the header announces more than there is */
#define OPT_STRETCH   0x08 /* zero bytes follow: nb_bytes times 64 of them */
#define OPT_TRUNCATE  0x10 /* before the message, the memory files lose most of their pages */
#define OPT_LATE_FDS  0x20 /* descriptors come with the payload, not with the header */
#define OPT_SEND_FAIL 0x40

struct record {
	uint8_t command;
	uint8_t options;
	uint8_t fds; /* how many, in the low half, and from where in pool */
	uint8_t nb_bytes;
};

enum {
	MEMORY,
	MEMORY_READ_ONLY,
	EVENT_A,
	EVENT_B,
	PIPE_IN,
	PIPE_OUT,
	NULL_DEVICE,
	OTHER_MEMORY,
	NB_POOL
};

struct fuzz {
	struct vfu_server *server;
	uint8_t message[sizeof(struct vfio_user_header) + MAX_BYTES];
	size_t len, pos;
	struct record record;
	uint16_t command; /* the one being answered */
	bool connected;
};

static int pool[NB_POOL];
static int bar_fd;
static volatile uint8_t sink;

static void
make_pool(void)
{
	char path[32];
	int ends[2];

	pool[MEMORY] = memfd_create("fuzz", MFD_CLOEXEC);
	pool[OTHER_MEMORY] = memfd_create("fuzz", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", pool[MEMORY]);
	pool[MEMORY_READ_ONLY] = open(path, O_RDONLY | O_CLOEXEC);
	pool[EVENT_A] = eventfd(0, EFD_CLOEXEC);
	pool[EVENT_B] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	MUST(pipe2(ends, O_CLOEXEC) == 0);
	pool[PIPE_IN] = ends[0];
	pool[PIPE_OUT] = ends[1];
	pool[NULL_DEVICE] = open("/dev/null", O_RDWR | O_CLOEXEC);
	bar_fd = memfd_create("fuzz-bar", MFD_CLOEXEC);
	MUST(pool[MEMORY] >= 0 && pool[OTHER_MEMORY] >= 0 && pool[MEMORY_READ_ONLY] >= 0);
	MUST(pool[EVENT_A] >= 0 && pool[EVENT_B] >= 0 && pool[NULL_DEVICE] >= 0 && bar_fd >= 0);
}

static void
size_files(uint64_t size)
{
	MUST(ftruncate(pool[MEMORY], size) == 0);
	MUST(ftruncate(pool[OTHER_MEMORY], size) == 0);
}

static void
hand_over_fds(const struct fuzz *f, int *fds, uint32_t *nb_fds)
{
	unsigned int i, n = f->record.fds & 0xf;

	for (i = 0; i < n; i++) {
		int fd = dup(pool[((f->record.fds >> 4) + i) % NB_POOL]);

		MUST(fd >= 0 && *nb_fds < VFU_MAX_FDS);
		fds[(*nb_fds)++] = fd;
	}
}

static int
fuzz_recv(void *ctx, void *buf, size_t len, int *fds, uint32_t *nb_fds)
{
	struct fuzz *f = ctx;
	bool at_header = f->pos == 0;

	if (f->pos == f->len)
		return -ENODATA;
	if (at_header == ((f->record.options & OPT_LATE_FDS) == 0))
		hand_over_fds(f, fds, nb_fds);
	if (len > f->len - f->pos)
		return -ECONNRESET;
	memcpy(buf, f->message + f->pos, len);
	f->pos += len;
	return 0;
}

static int
fuzz_send(void *ctx, const void *buf, size_t len, int fd)
{
	struct fuzz *f = ctx;
	struct vfio_user_header hdr;
	const uint8_t *p = buf;
	size_t i;

	MUST(len >= sizeof(hdr));
	memcpy(&hdr, buf, sizeof(hdr));
	MUST(hdr.msg_size == len && hdr.command == f->command);
	if ((hdr.flags & VFIO_USER_F_ERROR) != 0)
		MUST(hdr.error_no > 0 && hdr.error_no < 4096 && len == sizeof(hdr) && fd == -1);
	else
		MUST(hdr.flags == VFIO_USER_F_TYPE_REPLY && hdr.error_no == 0);
	MUST(fd == -1 || (hdr.command == VFIO_USER_DEVICE_GET_REGION_INFO && fd == bar_fd));
	MUST(hdr.command != VFIO_USER_VERSION || len <= QEMU_VERSION_SIZE);
	for (i = 0; i < len; i++)
		sink ^= p[i];
	return (f->record.options & OPT_SEND_FAIL) != 0 ? -EPIPE : 0;
}

static const struct vfu_area areas[] = {{PAGE, PAGE}, {3 * PAGE, 0}};
static const uint64_t region_size[VFU_MAX_REGIONS] = {
	PAGE, PAGE, 4 * PAGE, 8, 2 << 20, 0, 0, 256, 0};

static int
dev_read(void *ctx, uint32_t region, uint64_t offset, void *buf, uint32_t len)
{
	(void)ctx;
	MUST(region < VFU_MAX_REGIONS && region != 3 && len > 0 && len <= VFIO_USER_MAX_XFER);
	MUST(offset < region_size[region] && len <= region_size[region] - offset);
	memset(buf, region, len);
	return offset == 0x40 ? -EIO : 0;
}

static int
dev_write(void *ctx, uint32_t region, uint64_t offset, const void *buf, uint32_t len)
{
	const uint8_t *p = buf;
	uint32_t i;

	(void)ctx;
	MUST(region < VFU_MAX_REGIONS && len > 0 && len <= VFIO_USER_MAX_XFER);
	MUST(offset < region_size[region] && len <= region_size[region] - offset);
	for (i = 0; i < len; i++)
		sink ^= p[i];
	return 0;
}

static void
dev_connected(void *ctx)
{
	struct fuzz *f = ctx;

	MUST(!f->connected);
	f->connected = true;
}

static void
dev_disconnected(void *ctx)
{
	struct fuzz *f = ctx;

	MUST(f->connected);
	f->connected = false;
}

/* Whatever is shown is an open descriptor, and a write to it does not block. */
static void
dev_irqs_changed(void *ctx, uint32_t index)
{
	struct fuzz *f = ctx;
	uint32_t v;

	for (v = 0; v < NB_VECTORS; v++) {
		int fd = vfu_server_irq_fd(f->server, index, v);

		MUST(fd == -1 || (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	}
}

static void
dev_log(void *ctx, enum vfu_log_level level, const char *line)
{
	(void)ctx, (void)level;
	MUST(strlen(line) < 256 && strchr(line, '\n') == NULL);
}

static struct vfu_server *
make_server(struct fuzz *f)
{
	struct vfu_device dev = {
		.ctx = f,
		.region_read = dev_read,
		.region_write = dev_write,
		.connected = dev_connected,
		.disconnected = dev_disconnected,
		.irqs_changed = dev_irqs_changed,
		.log = dev_log,
		.nb_irqs = {[VFU_IRQ_INTX] = 1, [VFU_IRQ_MSIX] = NB_VECTORS},
		.max_dma_maps = 64,
	};
	int i;

	for (i = 0; i < VFU_MAX_REGIONS; i++)
		dev.region[i] = (struct vfu_region){region_size[i], i != 3, true, -1, 0, NULL, 0};
	dev.region[0].fd = bar_fd;
	dev.region[2].fd = bar_fd;
	dev.region[2].areas = areas;
	dev.region[2].nb_areas = 2;
	return vfu_server_create(&dev);
}

/* Touches both ends of what the table shows at some addresses, those of this message among them. */
static void
touch_memory(const struct fuzz *f)
{
	uint64_t at[] = {0, PAGE, 0x100000, 0xffffffffffff, 0};
	struct vfu_dma_range range;
	size_t i;

	if (f->len >= sizeof(struct vfio_user_header) + sizeof(struct vfio_user_dma_map))
		memcpy(&at[4], f->message + sizeof(struct vfio_user_header) + 16, sizeof(at[4]));
	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		if (!vfu_dma_lookup(vfu_server_dma(f->server), at[i], &range))
			continue;
		MUST(at[i] >= range.iova && at[i] - range.iova < range.len && range.prot != 0);
		sink ^= range.host[0] ^ range.host[range.len - 1];
		if ((range.prot & VFU_DMA_WRITE) != 0)
			range.host[range.len - 1] = 1;
	}
}

/* Makes the next message. Returns the input bytes used, 0 at the end. */
static size_t
next_message(struct fuzz *f, const uint8_t *data, size_t size)
{
	struct vfio_user_header hdr = {.msg_id = 7};
	size_t extra, given;

	if (size < sizeof(f->record))
		return 0;
	memcpy(&f->record, data, sizeof(f->record));
	given = f->record.nb_bytes;
	if (given > size - sizeof(f->record))
		given = size - sizeof(f->record);
	extra = (f->record.options & OPT_STRETCH) != 0 ? f->record.nb_bytes * 64u : 0;

	hdr.command = f->record.command;
	hdr.flags = (f->record.options & OPT_NO_REPLY) != 0 ? VFIO_USER_F_NO_REPLY : 0;
	hdr.msg_size =
		sizeof(hdr) + given + extra + ((f->record.options & OPT_LONGER) != 0 ? 1 : 0);
	f->len = 0;
	if ((f->record.options & OPT_RAW) == 0) {
		memcpy(f->message, &hdr, sizeof(hdr));
		f->len = sizeof(hdr);
	}
	memcpy(f->message + f->len, data + sizeof(f->record), given);
	f->len += given;
	memset(f->message + f->len, 0, extra);
	f->len += extra;
	f->pos = 0;
	if (f->len >= sizeof(hdr)) {
		memcpy(&hdr, f->message, sizeof(hdr));
		f->command = hdr.command;
	}
	return sizeof(f->record) + given;
}

static int
lowest_free_descriptor(void)
{
	int fd = dup(bar_fd);

	close(fd);
	return fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz fuzz;
	struct fuzz *f = &fuzz;
	const struct vfu_transport transport = {f, fuzz_recv, fuzz_send};
	size_t used;
	int before, rc = 0;

	if (bar_fd == 0)
		make_pool();
	MUST(vfu_dma_install_sigbus_handler() == 0);
	size_files(FILE_SIZE);
	before = lowest_free_descriptor();
	f->connected = false;
	f->server = make_server(f);
	MUST(f->server != NULL);
	vfu_server_attach(f->server, &transport);
	while (rc == 0 && (used = next_message(f, data, size)) > 0) {
		data += used;
		size -= used;
		if ((f->record.options & OPT_TRUNCATE) != 0)
			size_files(PAGE);
		rc = vfu_server_process(f->server);
		touch_memory(f);
	}
	vfu_server_detach(f->server);
	MUST(!f->connected && vfu_dma_count(vfu_server_dma(f->server)) == 0);
	vfu_server_destroy(f->server);
	MUST(lowest_free_descriptor() == before);
	return 0;
}
