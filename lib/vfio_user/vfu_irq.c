/* SPDX-License-Identifier: BSD-3-Clause */
#include "vfu_irq.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vfu_reply.h"

void
vfu_irqs_destroy(struct vfu_server *server)
{
	uint32_t i;

	for (i = 0; i < VFU_MAX_IRQS; i++)
		free(server->irq[i]);
	free(server->old_fds);
}

int
vfu_irqs_create(struct vfu_server *server)
{
	uint32_t i, v, most = 1;

	for (i = 0; i < VFU_MAX_IRQS; i++) {
		uint32_t n = server->dev.nb_irqs[i];

		if (n > VFU_MAX_VECTORS)
			return -EINVAL;
		if (n == 0)
			continue;
		server->irq[i] = calloc(n, sizeof(*server->irq[i]));
		if (server->irq[i] == NULL)
			return -ENOMEM;
		for (v = 0; v < n; v++) {
			server->irq[i][v].fd = -1;
			atomic_init(&server->irq[i][v].visible, -1);
		}
		most = n > most ? n : most;
	}
	server->old_fds = calloc(most, sizeof(*server->old_fds));
	return server->old_fds != NULL ? 0 : -ENOMEM;
}

int
vfu_irq_fd(const struct vfu_server *server, uint32_t index, uint32_t vector)
{
	if (index >= VFU_MAX_IRQS || vector >= server->dev.nb_irqs[index])
		return -1;
	return atomic_load_explicit(&server->irq[index][vector].visible, memory_order_acquire);
}

static void
publish(struct vfu_vector *v)
{
	atomic_store_explicit(&v->visible, v->masked ? -1 : v->fd, memory_order_release);
}

static void
quiesce(struct vfu_server *server)
{
	if (server->dev.quiesce != NULL)
		server->dev.quiesce(server->dev.ctx);
}

/*
 * Puts other descriptors (NULL: none) in place of those of a range. The old ones are closed when no
 * datapath thread can be writing to them any more: a number closed too early could by then belong
 * to another guest.
 */
static void
replace(struct vfu_server *server, uint32_t index, uint32_t start, uint32_t count, int *fds)
{
	uint32_t i, nb_old = 0;

	for (i = 0; i < count; i++) {
		struct vfu_vector *v = &server->irq[index][start + i];

		if (v->fd >= 0)
			server->old_fds[nb_old++] = v->fd;
		v->fd = -1;
		if (fds != NULL) {
			v->fd = fds[i];
			fds[i] = -1;
		}
		publish(v);
	}
	if (nb_old > 0)
		quiesce(server);
	for (i = 0; i < nb_old; i++)
		close(server->old_fds[i]);
}

static void
disable(struct vfu_server *server, uint32_t index)
{
	uint32_t v;

	for (v = 0; v < server->dev.nb_irqs[index]; v++)
		server->irq[index][v].masked = false;
	replace(server, index, 0, server->dev.nb_irqs[index], NULL);
}

void
vfu_irqs_clear(struct vfu_server *server)
{
	uint32_t i;

	for (i = 0; i < VFU_MAX_IRQS; i++)
		disable(server, i);
}

int
vfu_handle_get_irq_info(struct vfu_server *server, struct vfu_msg *msg)
{
	struct vfio_user_irq_info *reply, req;

	memcpy(&req, msg->data, sizeof(req));
	if (req.index >= VFU_MAX_IRQS)
		return vfu_reject(server, msg, EINVAL, "there is no interrupt index %u", req.index);
	/* QEMU always asks; an error keeps it silent, a count of 0 makes it print a warning. */
	if (req.index == VFU_IRQ_ERROR && server->dev.nb_irqs[req.index] == 0)
		return -EINVAL;
	reply = vfu_reply(msg, sizeof(*reply));
	if (reply == NULL)
		return -ENOMEM;
	reply->argsz = sizeof(*reply);
	reply->index = req.index;
	reply->count = server->dev.nb_irqs[req.index];
	if (reply->count > 0)
		reply->flags = VFIO_USER_F_IRQ_EVENTFD |
			       (req.index == VFU_IRQ_INTX ? VFIO_USER_F_IRQ_MASKABLE : 0);
	return 0;
}

/*
 * A write to a pipe or a file may block, or worse; a write to an eventfd may not, once it is told
 * so. The link's text is the one thing that tells an eventfd from other anonymous inodes.
 */
static bool
take_eventfd(int fd)
{
	char link[32], text[32];
	ssize_t len;
	int flags;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, text, sizeof(text) - 1);
	if (len < 0)
		return false;
	text[len] = '\0';
	if (strcmp(text, "anon_inode:[eventfd]") != 0)
		return false;
	flags = fcntl(fd, F_GETFL);
	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

/* The fixed part, and what it says about the rest; the one check of the message. */
static int
check_set_irqs(
	struct vfu_server *server, const struct vfu_msg *msg, const struct vfio_user_irq_set *req)
{
	uint32_t data = req->flags & VFIO_USER_IRQ_DATA_MASK;
	uint32_t action = req->flags & VFIO_USER_IRQ_ACTION_BITS;
	uint32_t bools = data == VFIO_USER_IRQ_DATA_BOOL ? req->count : 0;
	uint32_t n;

	if ((req->flags & ~(VFIO_USER_IRQ_DATA_MASK | VFIO_USER_IRQ_ACTION_BITS)) != 0 ||
		__builtin_popcount(data) != 1 || __builtin_popcount(action) != 1)
		return vfu_reject(server, msg, EINVAL,
			"flags 0x%x are not one kind of data and one action", req->flags);
	if (req->index >= VFU_MAX_IRQS || server->dev.nb_irqs[req->index] == 0)
		return vfu_reject(
			server, msg, EINVAL, "there is no interrupt index %u", req->index);
	n = server->dev.nb_irqs[req->index];
	if (req->start > n || req->count > n - req->start)
		return vfu_reject(
			server, msg, EINVAL, "vectors %u + %u of %u", req->start, req->count, n);
	if (req->count == 0 && (req->start != 0 || data != VFIO_USER_IRQ_DATA_NONE ||
				       action != VFIO_USER_IRQ_ACTION_TRIGGER))
		return vfu_reject(server, msg, EINVAL, "no vectors, and not \"disable all\"");
	if (msg->len != sizeof(*req) + bools)
		return vfu_reject(server, msg, EINVAL, "payload of %u bytes, %zu fit", msg->len,
			sizeof(*req) + bools);
	if (msg->nb_fds != 0 && (data != VFIO_USER_IRQ_DATA_EVENTFD || msg->nb_fds != req->count))
		return vfu_reject(server, msg, EINVAL, "%u descriptors for %u vectors", msg->nb_fds,
			req->count);
	if (action != VFIO_USER_IRQ_ACTION_TRIGGER &&
		(req->index != VFU_IRQ_INTX || data == VFIO_USER_IRQ_DATA_EVENTFD))
		return vfu_reject(server, msg, ENOTSUP,
			"only INTx can be masked and unmasked, and not by an eventfd");
	return 0;
}

/* With DATA_BOOL only the vectors whose byte is set are meant. */
static bool
is_meant(const struct vfu_msg *msg, const struct vfio_user_irq_set *req, uint32_t i)
{
	return (req->flags & VFIO_USER_IRQ_DATA_BOOL) == 0 || msg->data[sizeof(*req) + i] != 0;
}

static int
attach(struct vfu_server *server, struct vfu_msg *msg, const struct vfio_user_irq_set *req)
{
	uint32_t i;

	for (i = 0; i < msg->nb_fds; i++) {
		if (!take_eventfd(msg->fds[i]))
			return vfu_reject(
				server, msg, EINVAL, "descriptor %u is not an eventfd", i);
	}
	replace(server, req->index, req->start, req->count, msg->nb_fds > 0 ? msg->fds : NULL);
	return 0;
}

static void
trigger(struct vfu_server *server, const struct vfu_msg *msg, const struct vfio_user_irq_set *req)
{
	const uint64_t one = 1;
	uint32_t i;

	for (i = 0; i < req->count; i++) {
		int fd = vfu_irq_fd(server, req->index, req->start + i);

		/* A full counter is an interrupt that is pending already. */
		if (fd >= 0 && is_meant(msg, req, i) && write(fd, &one, sizeof(one)) < 0)
			continue;
	}
}

/* Returns whether anything changed: QEMU sends an unmask after each INTx, masked or not. */
static bool
set_masks(struct vfu_server *server, const struct vfu_msg *msg, const struct vfio_user_irq_set *req)
{
	bool masked = (req->flags & VFIO_USER_IRQ_ACTION_MASK) != 0, changed = false;
	uint32_t i;

	for (i = 0; i < req->count; i++) {
		struct vfu_vector *v = &server->irq[req->index][req->start + i];

		if (!is_meant(msg, req, i) || v->masked == masked)
			continue;
		v->masked = masked;
		publish(v);
		changed = true;
	}
	return changed;
}

int
vfu_handle_set_irqs(struct vfu_server *server, struct vfu_msg *msg)
{
	struct vfio_user_irq_set req;
	bool changed = true;
	int rc;

	memcpy(&req, msg->data, sizeof(req));
	rc = check_set_irqs(server, msg, &req);
	if (rc != 0)
		return rc;

	if ((req.flags & VFIO_USER_IRQ_ACTION_TRIGGER) == 0) {
		changed = set_masks(server, msg, &req);
	} else if ((req.flags & VFIO_USER_IRQ_DATA_EVENTFD) != 0) {
		rc = attach(server, msg, &req);
		if (rc != 0)
			return rc;
	} else if (req.count == 0) {
		disable(server, req.index);
	} else {
		trigger(server, msg, &req);
		changed = false;
	}
	if (changed && server->dev.irqs_changed != NULL)
		server->dev.irqs_changed(server->dev.ctx, req.index);
	return 0;
}
