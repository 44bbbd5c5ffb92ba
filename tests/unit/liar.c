/* SPDX-License-Identifier: BSD-3-Clause */
#include "liar.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "vfu_client_version.h"

#define FLAGS_RWM   (VFIO_USER_F_REGION_READ | VFIO_USER_F_REGION_WRITE | VFIO_USER_F_REGION_MMAP)
#define REQUEST_MAX ((1u << 20) + 64)

static const char limits[] = "{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":65536}}";

static bool
recv_all(int fd, void *buf, size_t len)
{
	return len == 0 || recv(fd, buf, len, MSG_WAITALL) == (ssize_t)len;
}

static bool
send_with_fds(int fd, const void *buf, size_t len, const int *fds, uint32_t nb_fds)
{
	union {
		char buf[CMSG_SPACE(LIAR_FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec iov = {(void *)buf, len};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};

	if (nb_fds > 0) {
		struct cmsghdr *c;

		mh.msg_control = control.buf;
		mh.msg_controllen = CMSG_SPACE(nb_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nb_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nb_fds * sizeof(int));
	}
	return sendmsg(fd, &mh, MSG_NOSIGNAL) == (ssize_t)len;
}

static void
add(struct liar_reply *r, const void *payload, uint32_t len)
{
	memcpy(r->payload + r->len, payload, len);
	r->len += len;
}

static void
put(struct liar_reply *r, const void *payload, uint32_t len)
{
	r->len = 0;
	add(r, payload, len);
}

static void
answer_region_info(struct liar *liar, const struct vfio_user_region_info *req)
{
	const struct vfio_user_cap_sparse cap = {.id = VFIO_USER_CAP_SPARSE_MMAP, .version = 1, .nr_areas = 1};
	const struct vfio_user_sparse_area area = {LIAR_PAGE, LIAR_PAGE};
	struct vfio_user_region_info info = {.argsz = sizeof(info), .index = req->index, .size = 4 * LIAR_PAGE};
	struct liar_reply *r = &liar->reply;

	info.flags = VFIO_USER_F_REGION_READ | VFIO_USER_F_REGION_WRITE;
	if (req->index == 0) {
		info.flags = FLAGS_RWM;
		info.size = LIAR_PAGE;
		r->nb_fds = 1;
	}
	if (req->index == 2) {
		info.flags = FLAGS_RWM;
		info.argsz = sizeof(info) + sizeof(cap) + sizeof(area);
	}
	if (req->argsz < info.argsz || req->index != 2) {
		put(r, &info, sizeof(info));
		return;
	}
	info.flags |= VFIO_USER_F_REGION_CAPS;
	info.cap_offset = sizeof(info);
	r->nb_fds = 1;
	put(r, &info, sizeof(info));
	add(r, &cap, sizeof(cap));
	add(r, &area, sizeof(area));
}

/* The reply that a good server would send. */
static void
answer(struct liar *liar, const struct vfio_user_header *hdr, const uint8_t *payload)
{
	const struct vfio_user_device_info info = {
		16, VFIO_USER_F_DEVICE_RESET | VFIO_USER_F_DEVICE_PCI, 9, 5};
	const struct vfio_user_version version = {VFIO_USER_MAJOR, VFIO_USER_MINOR};
	struct liar_reply *r = &liar->reply;
	struct vfio_user_region_info region;
	struct vfio_user_region_access access;
	struct vfio_user_irq_info irq;

	switch (hdr->command) {
	case VFIO_USER_VERSION:
		put(r, &version, sizeof(version));
		memcpy(r->payload + r->len, limits, sizeof(limits));
		r->len += sizeof(limits);
		break;
	case VFIO_USER_DEVICE_GET_INFO:
		put(r, &info, sizeof(info));
		break;
	case VFIO_USER_DEVICE_GET_REGION_INFO:
		memcpy(&region, payload, sizeof(region));
		answer_region_info(liar, &region);
		break;
	case VFIO_USER_DEVICE_GET_IRQ_INFO:
		memcpy(&irq, payload, sizeof(irq));
		irq.count = irq.index == 2 ? 4 : 0;
		put(r, &irq, sizeof(irq));
		break;
	case VFIO_USER_DMA_UNMAP:
		put(r, payload, sizeof(struct vfio_user_dma_unmap));
		break;
	case VFIO_USER_REGION_READ:
		memcpy(&access, payload, sizeof(access));
		put(r, payload, sizeof(access));
		r->len += access.count;
		memset(r->payload + sizeof(access), LIAR_REGISTER, access.count);
		break;
	case VFIO_USER_REGION_WRITE:
		put(r, payload, sizeof(access));
		break;
	}
}

/* Requests without end, many at a time: the client reads slower than they come. */
static bool
flood(struct liar *liar)
{
	static struct vfio_user_header requests[4096];
	size_t i;

	liar->reply.request.msg_size = sizeof(requests[0]);
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		requests[i] = liar->reply.request;
	while (send_with_fds(liar->fd, requests, sizeof(requests), NULL, 0))
		continue;
	return false;
}

/* Requests of the server's own, which the client declines when it gets round to it. */
static bool
ask(struct liar *liar)
{
	struct liar_reply *r = &liar->reply;
	static const uint8_t zeros[REQUEST_MAX];
	uint32_t extra = r->request.msg_size - sizeof(r->request), i;

	if (r->floods)
		return flood(liar);
	for (i = 0; i < r->nb_asked; i++) {
		if (!send_with_fds(
			    liar->fd, &r->request, sizeof(r->request), r->fds, r->request_fds))
			return false;
		if (r->request.msg_size > sizeof(r->request) && extra <= sizeof(zeros) &&
			!send_with_fds(liar->fd, zeros, extra, NULL, 0))
			return false;
	}
	return true;
}

static bool
send_reply(struct liar *liar)
{
	struct liar_reply *r = &liar->reply;
	static uint8_t message[sizeof(r->hdr) + LIAR_PAYLOAD_MAX];
	uint32_t done, n, len = sizeof(r->hdr) + r->len;

	if (r->silent)
		return true;
	if (r->hdr.msg_size == LIAR_RIGHT_SIZE)
		r->hdr.msg_size = len;
	memcpy(message, &r->hdr, sizeof(r->hdr));
	memcpy(message + sizeof(r->hdr), r->payload, r->len);
	if (r->cut > 0 && r->cut < len)
		len = r->cut;
	for (done = 0; done < len; done += n) {
		n = r->piece > 0 && r->piece < len - done ? r->piece : len - done;
		if (!send_with_fds(liar->fd, message + done, n, r->fds, done == 0 ? r->nb_fds : 0))
			return false;
	}
	if (r->cut > 0)
		shutdown(liar->fd, SHUT_RDWR);
	return r->cut == 0;
}

static bool
serve(struct liar *liar, const struct vfio_user_header *hdr, const uint8_t *payload)
{
	struct liar_reply *r = &liar->reply;
	int i;

	memset(r, 0, offsetof(struct liar_reply, payload));
	memset(&r->len, 0, sizeof(*r) - offsetof(struct liar_reply, len));
	r->hdr = (struct vfio_user_header){
		hdr->msg_id, hdr->command, LIAR_RIGHT_SIZE, VFIO_USER_F_TYPE_REPLY, 0};
	r->request = (struct vfio_user_header){LIAR_ID, VFIO_USER_DMA_READ, 32, 0, 0};
	for (i = 0; i < LIAR_FDS_MAX; i++)
		r->fds[i] = liar->memory;
	answer(liar, hdr, payload);
	if (liar->spoil != NULL && hdr->command == liar->command)
		liar->spoil(r);
	return ask(liar) && send_reply(liar) && (!r->twice || send_reply(liar));
}

/* Tells a declined request from a message of the client's own. */
static bool
is_decline(const struct vfio_user_header *hdr)
{
	return hdr->flags == (VFIO_USER_F_TYPE_REPLY | VFIO_USER_F_ERROR) &&
	       hdr->error_no == ENOTSUP && hdr->msg_id == LIAR_ID && hdr->msg_size == sizeof(*hdr);
}

static void *
run(void *arg)
{
	static uint8_t payload[REQUEST_MAX];
	struct liar *liar = arg;
	struct vfio_user_header hdr;
	bool more = true;

	while (more && recv_all(liar->fd, &hdr, sizeof(hdr))) {
		uint32_t len = hdr.msg_size - sizeof(hdr);

		if (len > sizeof(payload) || !recv_all(liar->fd, payload, len))
			break;
		if (is_decline(&hdr)) {
			atomic_fetch_add(&liar->nb_declined, 1);
			continue;
		}
		/* Whatever it is told, the client itself says nothing that makes no sense. */
		if (hdr.command >= LIAR_COMMANDS || (hdr.flags & ~VFIO_USER_F_NO_REPLY) != 0)
			abort();
		atomic_fetch_add(&liar->nb_requests[hdr.command], 1);
		if ((hdr.flags & VFIO_USER_F_NO_REPLY) == 0)
			more = serve(liar, &hdr, payload);
	}
	return NULL;
}

int
liar_start(struct liar *liar, uint16_t command, liar_spoil_t spoil)
{
	int ends[2], i;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	liar->command = command;
	liar->spoil = spoil;
	liar->fd = ends[0];
	liar->memory = memfd_create("liar", MFD_CLOEXEC);
	assert_int_equal(ftruncate(liar->memory, 4 * LIAR_PAGE), 0);
	atomic_init(&liar->nb_declined, 0);
	for (i = 0; i < LIAR_COMMANDS; i++)
		atomic_init(&liar->nb_requests[i], 0);
	assert_int_equal(pthread_create(&liar->thread, NULL, run, liar), 0);
	return ends[1];
}

void
liar_stop(struct liar *liar)
{
	shutdown(liar->fd, SHUT_RDWR);
	pthread_join(liar->thread, NULL);
	close(liar->fd);
	close(liar->memory);
}

struct vfu_client *
liar_begin(struct liar *liar, uint16_t command, liar_spoil_t spoil)
{
	int fd = liar_start(liar, command, spoil);
	struct vfu_client *client;

	assert_int_equal(vfu_client_begin(fd, LIAR_PATIENT_MS, &client), 0);
	return client;
}

void
liar_end(struct liar *liar, struct vfu_client *client)
{
	vfu_client_close(client);
	liar_stop(liar);
}
