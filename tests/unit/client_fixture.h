/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device on a socket of this project's server, in a thread, and a client of it: what the tests of
 * the vfio-user client have in common.
 */
#ifndef CLIENT_FIXTURE_H
#define CLIENT_FIXTURE_H

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "open_descriptors.h"
#include "vfu_client.h"
#include "vfu_client_msg.h"
#include "vfu_socket.h"

#define PAGE	   4096u
#define NB_VECTORS 25u
#define NB_POSTS   5000u
#define NB_THREADS 4u
#define WAIT_MS	   60000

enum { BAR_MAPPED, BAR_REGISTERS, BAR_PARTLY, BAR_READ_ONLY, BAR_LARGE, BAR_LOG };

/* Registers of BAR_REGISTERS, of 8 bytes, besides plain memory below them. */
enum { REG_RAISE = 0xf00, REG_PEEK = 0xf08, REG_HOLD = 0xf10 };

struct fixture {
	char folder[32], path[64], why[256];
	struct vfu_socket *sock;
	struct vfu_server *server;
	pthread_t thread;
	struct vfu_client *client;
	int bar_fd, descriptors_before;
	uint8_t registers[PAGE], *large;
	uint32_t log[NB_POSTS], nb_log, nb_accesses, resets;
	atomic_bool done;
	sem_t held, go_on; /* a write to REG_HOLD posts the first, waits for the second */
};

static inline int
dev_read(void *ctx, uint32_t region, uint64_t offset, void *buf, uint32_t len)
{
	struct fixture *f = ctx;

	f->nb_accesses++;
	if (region == BAR_REGISTERS)
		memcpy(buf, f->registers + offset, len);
	else if (region == BAR_LARGE)
		memcpy(buf, f->large + offset, len);
	else if (region == BAR_LOG)
		memcpy(buf, &f->nb_log, sizeof(f->nb_log));
	else
		memset(buf, 0xa0 + region, len);
	return 0;
}

static inline int
raise_vector(struct fixture *f, uint64_t vector)
{
	int fd = vfu_server_irq_fd(f->server, VFU_IRQ_MSIX, vector);
	const uint64_t one = 1;

	return fd >= 0 && write(fd, &one, sizeof(one)) == sizeof(one) ? 0 : -ENXIO;
}

/* Puts what is in the client's memory at this address into the register. */
static inline int
peek(struct fixture *f, uint64_t iova)
{
	struct vfu_dma_range range;

	if (!vfu_dma_lookup(vfu_server_dma(f->server), iova, &range))
		return -EFAULT;
	memcpy(f->registers + REG_PEEK, range.host + (iova - range.iova), sizeof(uint64_t));
	return 0;
}

static inline int
dev_write(void *ctx, uint32_t region, uint64_t offset, const void *buf, uint32_t len)
{
	struct fixture *f = ctx;
	uint64_t value = 0;

	f->nb_accesses++;
	memcpy(&value, buf, len < sizeof(value) ? len : sizeof(value));
	if (region == BAR_LOG && f->nb_log < NB_POSTS)
		f->log[f->nb_log++] = value;
	if (region == BAR_LARGE)
		memcpy(f->large + offset, buf, len);
	if (region != BAR_REGISTERS)
		return 0;
	if (offset == REG_RAISE)
		return raise_vector(f, value);
	if (offset == REG_PEEK)
		return peek(f, value);
	if (offset == REG_HOLD) {
		sem_post(&f->held);
		while (sem_wait(&f->go_on) != 0)
			continue;
	}
	memcpy(f->registers + offset, buf, len);
	return 0;
}

static inline void
dev_reset(void *ctx)
{
	((struct fixture *)ctx)->resets++;
}

static inline void *
run(void *arg)
{
	struct fixture *f = arg;

	vfu_socket_run(f->sock, f->server);
	return NULL;
}

static inline struct vfu_server *
make_server(struct fixture *f)
{
	static const struct vfu_area areas[] = {{PAGE, PAGE}, {3 * PAGE, PAGE}};
	struct vfu_device dev = {
		.ctx = f,
		.region_read = dev_read,
		.region_write = dev_write,
		.reset = dev_reset,
		.nb_irqs = {[VFU_IRQ_INTX] = 1, [VFU_IRQ_MSIX] = NB_VECTORS},
		.region =
			{
				[BAR_MAPPED] = {PAGE, true, true, f->bar_fd, 0, NULL, 0},
				[BAR_REGISTERS] = {PAGE, true, true, -1, 0, NULL, 0},
				[BAR_PARTLY] = {4 * PAGE, true, true, f->bar_fd, PAGE, areas, 2},
				[BAR_READ_ONLY] = {PAGE, true, false, -1, 0, NULL, 0},
				[BAR_LARGE] = {VFIO_USER_MAX_XFER, true, true, -1, 0, NULL, 0},
				[BAR_LOG] = {PAGE, true, true, -1, 0, NULL, 0},
				[VFU_REGION_CONFIG] = {256, true, true, -1, 0, NULL, 0},
			},
	};
	int i;

	for (i = 0; i < VFU_MAX_REGIONS; i++) {
		if (dev.region[i].size == 0)
			dev.region[i].fd = -1;
	}
	return vfu_server_create(&dev);
}

static inline int
start_server(struct fixture *f)
{
	const struct vfu_socket_conf conf = {f->path, (uid_t)-1, (gid_t)-1, 0600};

	f->server = make_server(f);
	if (f->server == NULL || vfu_socket_open(&conf, &f->sock, f->why, sizeof(f->why)) != 0)
		return -1;
	return pthread_create(&f->thread, NULL, run, f);
}

static inline void
stop_server(struct fixture *f)
{
	if (f->server == NULL)
		return;
	vfu_socket_stop(f->sock);
	pthread_join(f->thread, NULL);
	vfu_socket_close(f->sock);
	vfu_server_destroy(f->server);
	f->server = NULL;
}

static inline int
connect_to(struct fixture *f, struct vfu_client **client)
{
	return vfu_client_connect(f->path, client, f->why, sizeof(f->why));
}

static inline int
setup_alone(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->descriptors_before = open_descriptors();
	strcpy(f->folder, "/tmp/vfu-client-XXXXXX");
	if (mkdtemp(f->folder) == NULL)
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/s", f->folder);
	f->large = calloc(1, VFIO_USER_MAX_XFER);
	f->bar_fd = memfd_create("bar", MFD_CLOEXEC);
	sem_init(&f->held, 0, 0);
	sem_init(&f->go_on, 0, 0);
	*state = f;
	return ftruncate(f->bar_fd, 5 * PAGE);
}

static inline int
setup(void **state)
{
	struct fixture *f;

	if (setup_alone(state) != 0 || start_server(*state) != 0)
		return -1;
	f = *state;
	if (connect_to(f, &f->client) != 0)
		return -1;
	/* A slow machine is not a broken server. */
	f->client->timeout_ms = WAIT_MS;
	return 0;
}

static inline int
teardown(void **state)
{
	struct fixture *f = *state;
	int left;

	vfu_client_close(f->client);
	stop_server(f);
	close(f->bar_fd);
	unlink(f->path);
	if (rmdir(f->folder) != 0)
		return -1;
	left = open_descriptors() - f->descriptors_before;
	sem_destroy(&f->held);
	sem_destroy(&f->go_on);
	free(f->large);
	free(f);
	return left;
}

static inline void
expect_sentence(struct fixture *f, int rc, const char *part)
{
	struct vfu_client *client;

	assert_int_equal(connect_to(f, &client), rc);
	assert_non_null(strstr(f->why, f->path));
	assert_non_null(strstr(f->why, part));
}

#define TEST(name)	 cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_ALONE(name) cmocka_unit_test_setup_teardown(name, setup_alone, teardown)

#endif /* CLIENT_FIXTURE_H */
