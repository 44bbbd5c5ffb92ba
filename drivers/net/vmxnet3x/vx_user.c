/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_user.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_interrupts.h>

#include "vx_memory.h"
#include "vx_server.h"

struct vx_user {
	struct vx_server now, next;
	struct vx_memory *mem;
	void *bar0; /* a page; of the server, or nobody's */
	int event_fd;
	int rx_fds[VX_MAX_QUEUES]; /* -1: not made yet */
	bool intr;		   /* vectors are wanted: the events', and */
	uint16_t nb_rx;		   /* so many of receive queues */
};

static struct vx_user *
user_of(const struct vx_dev *dev)
{
	return dev->bus_priv;
}

/* ---- registers ---- */

uint32_t
vx_user_read(struct vx_dev *dev, uint32_t reg)
{
	struct vfu_client *client = user_of(dev)->now.client;
	uint32_t value;

	if (client == NULL || vfu_client_region_read(client, 1, reg, &value, sizeof(value)) != 0)
		return UINT32_MAX;
	return rte_le_to_cpu_32(value);
}

void
vx_user_write(struct vx_dev *dev, uint32_t reg, uint32_t value)
{
	struct vfu_client *client = user_of(dev)->now.client;

	value = rte_cpu_to_le_32(value);
	if (client != NULL)
		vfu_client_region_write(client, 1, reg, &value, sizeof(value));
}

/* Where the socket is full the server has enough to wake up for; it looks at the rings, not at the number. */
void
vx_user_bar0_write(struct vx_dev *dev, uint32_t reg, uint32_t value)
{
	struct vfu_client *client = user_of(dev)->now.client;

	value = rte_cpu_to_le_32(value);
	if (client != NULL)
		vfu_client_region_post(client, 0, reg, &value, sizeof(value));
}

/* ---- BAR0 ---- */

static int
map_bar0(struct vx_user *user, int fd, uint64_t offset)
{
	int flags = fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
	void *page;

	if (user->bar0 != NULL)
		flags |= MAP_FIXED;
	page = mmap(user->bar0, VMXNET3_BAR0_SIZE, PROT_READ | PROT_WRITE, flags, fd,
		fd >= 0 ? (off_t)offset : 0);
	if (page == MAP_FAILED)
		return -errno;
	user->bar0 = page;
	return 0;
}

/* ---- interrupts ---- */

static int
attach_vectors(struct vx_user *user)
{
	int fds[1 + VX_MAX_QUEUES];
	uint16_t q;

	fds[VX_VECTOR_EVENT] = user->event_fd;
	for (q = 0; q < user->nb_rx; q++)
		fds[VX_VECTOR_RXQ(q)] = user->rx_fds[q];
	return vfu_client_irq_set(user->now.client, VFU_IRQ_MSIX, 0, 1 + user->nb_rx, fds);
}

static int
make_rx_fds(struct vx_user *user, uint16_t nb_rx)
{
	uint16_t q;

	for (q = 0; q < nb_rx; q++) {
		if (user->rx_fds[q] < 0)
			user->rx_fds[q] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (user->rx_fds[q] < 0)
			return -errno;
	}
	return 0;
}

static int
fill_handle(struct rte_intr_handle *handle, const struct vx_user *user, uint16_t nb_rx)
{
	uint16_t q;

	if (nb_rx > 0 && rte_intr_vec_list_alloc(handle, NULL, nb_rx) != 0)
		return -ENOMEM;
	for (q = 0; q < nb_rx; q++) {
		if (rte_intr_vec_list_index_set(handle, q, RTE_INTR_VEC_RXTX_OFFSET + q) != 0 ||
			rte_intr_efds_index_set(handle, q, user->rx_fds[q]) != 0)
			return -rte_errno;
	}
	if (rte_intr_nb_efd_set(handle, nb_rx) != 0 || rte_intr_max_intr_set(handle, nb_rx + 1) != 0)
		return -rte_errno;
	return 0;
}

static void
empty_handle(struct rte_intr_handle *handle)
{
	rte_intr_free_epoll_fd(handle);
	rte_intr_vec_list_free(handle);
	rte_intr_nb_efd_set(handle, 0);
}

int
vx_user_intr_on(struct vx_dev *dev, uint16_t nb_rx)
{
	struct vx_user *user = user_of(dev);
	int rc;

	vx_user_intr_off(dev);
	if (user->now.client != NULL && 1u + nb_rx > user->now.nb_vectors) {
		VX_LOG(ERR, dev, "server %s has %u interrupt vectors; %u receive queues need %u", dev->args.path,
			user->now.nb_vectors, nb_rx, 1u + nb_rx);
		return -ENOTSUP;
	}
	rc = make_rx_fds(user, nb_rx);
	if (rc == 0)
		rc = fill_handle(dev->eth_dev->intr_handle, user, nb_rx);
	if (rc == 0) {
		user->intr = true;
		user->nb_rx = nb_rx;
		if (user->now.client != NULL)
			rc = attach_vectors(user);
		/* It will be done when a server is back. */
		if (rc != 0 && !vfu_client_alive(user->now.client))
			rc = 0;
	}
	if (rc != 0) {
		VX_LOG(ERR, dev, "no interrupts: %s", strerror(-rc));
		vx_user_intr_off(dev);
	}
	return rc;
}

void
vx_user_intr_off(struct vx_dev *dev)
{
	struct vx_user *user = user_of(dev);

	if (user->intr && user->now.client != NULL)
		vfu_client_irq_disable(user->now.client, VFU_IRQ_MSIX);
	user->intr = false;
	user->nb_rx = 0;
	empty_handle(dev->eth_dev->intr_handle);
}

/* The same eventfds at another server. */
static int
restore_vectors(struct vx_dev *dev)
{
	struct vx_user *user = user_of(dev);
	int rc = -ENOTSUP;

	if (!user->intr)
		return 0;
	if (user->now.nb_vectors > user->nb_rx)
		rc = attach_vectors(user);
	if (rc == -ENOTSUP)
		VX_LOG(ERR, dev, "server %s has %u interrupt vectors; the port needs %u", dev->args.path,
			user->now.nb_vectors, 1u + user->nb_rx);
	else if (rc != 0)
		VX_LOG(ERR, dev, "server %s takes no interrupts: %s", dev->args.path, strerror(-rc));
	return rc;
}

/* ---- servers ---- */

int
vx_user_open(struct vx_dev *dev, char *errbuf, size_t errlen)
{
	struct vx_user *user = user_of(dev);
	char sentence[192];
	int rc;

	rc = vx_server_open(dev, &user->next, errbuf, errlen);
	if (rc != 0)
		return rc;
	rc = vx_memory_attach(user->mem, user->next.client, sentence, sizeof(sentence));
	if (rc != 0) {
		snprintf(errbuf, errlen, "server %s: %s", dev->args.path, sentence);
		vx_server_close(&user->next);
	}
	return rc;
}

int
vx_user_use(struct vx_dev *dev)
{
	struct vx_user *user = user_of(dev);

	user->now = user->next;
	user->next = VX_SERVER_NONE;
	if (user->now.bar0_fd >= 0 && map_bar0(user, user->now.bar0_fd, user->now.bar0_offset) == 0)
		dev->bar0 = user->bar0;
	else
		dev->bar0 = NULL;
	return restore_vectors(dev);
}

void
vx_user_drop(struct vx_dev *dev)
{
	struct vx_user *user = user_of(dev);

	/* So that no DMA is under way, even if the server takes its time to see that we left. */
	if (user->now.client != NULL)
		vfu_client_reset(user->now.client);
	/* Late stores go nowhere; the address stays. */
	map_bar0(user, -1, 0);
	vx_memory_detach(user->mem);
	vx_server_close(&user->now);
}

int
vx_user_fd(const struct vx_dev *dev)
{
	const struct vfu_client *client = user_of(dev)->now.client;

	return client != NULL ? vfu_client_fd(client) : -1;
}

bool
vx_user_check(struct vx_dev *dev)
{
	struct vfu_client *client = user_of(dev)->now.client;

	return client != NULL && vfu_client_check(client) == 0;
}

int
vx_user_event_fd(const struct vx_dev *dev)
{
	return user_of(dev)->event_fd;
}

struct vx_memory *
vx_user_memory(const struct vx_dev *dev)
{
	return user_of(dev)->mem;
}

bool
vx_user_can_reach(struct vx_dev *dev, struct rte_mempool *pool)
{
	return vx_memory_reach(user_of(dev)->mem, pool);
}

/* ---- life ---- */

int
vx_user_create(struct vx_dev *dev)
{
	struct rte_intr_handle *handle = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
	struct vx_user *user = calloc(1, sizeof(*user));
	uint16_t q;
	int rc;

	dev->bus_priv = user;
	dev->eth_dev->intr_handle = handle;
	if (user == NULL || handle == NULL) {
		rte_intr_instance_free(handle);
		free(user);
		return -ENOMEM;
	}
	user->now = user->next = VX_SERVER_NONE;
	for (q = 0; q < VX_MAX_QUEUES; q++)
		user->rx_fds[q] = -1;
	user->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	rc = user->event_fd >= 0 ? map_bar0(user, -1, 0) : -errno;
	if (rc == 0) {
		user->mem = vx_memory_create(dev->name);
		rc = user->mem != NULL ? 0 : -ENOMEM;
	}
	/* EAL reads the eventfds of queues that an application waits for: 8 bytes. */
	if (rc == 0 && (rte_intr_type_set(handle, RTE_INTR_HANDLE_VDEV) != 0 ||
			       rte_intr_efd_counter_size_set(handle, sizeof(uint64_t)) != 0 ||
			       rte_intr_fd_set(handle, -1) != 0))
		rc = -rte_errno;
	if (rc != 0)
		vx_user_destroy(dev);
	return rc;
}

void
vx_user_destroy(struct vx_dev *dev)
{
	struct vx_user *user = user_of(dev);
	uint16_t q;

	vx_memory_destroy(user->mem);
	if (user->bar0 != NULL)
		munmap(user->bar0, VMXNET3_BAR0_SIZE);
	for (q = 0; q < VX_MAX_QUEUES; q++) {
		if (user->rx_fds[q] >= 0)
			close(user->rx_fds[q]);
	}
	if (user->event_fd >= 0)
		close(user->event_fd);
	rte_intr_instance_free(dev->eth_dev->intr_handle);
	dev->eth_dev->intr_handle = NULL;
	dev->bus_priv = NULL;
	free(user);
}
