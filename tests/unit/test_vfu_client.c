/* SPDX-License-Identifier: BSD-3-Clause */
/* The client of vfio-user against this project's server, over a socket. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
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

static int
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

static int
raise_vector(struct fixture *f, uint64_t vector)
{
	int fd = vfu_server_irq_fd(f->server, VFU_IRQ_MSIX, vector);
	const uint64_t one = 1;

	return fd >= 0 && write(fd, &one, sizeof(one)) == sizeof(one) ? 0 : -ENXIO;
}

/* Puts what is in the client's memory at this address into the register. */
static int
peek(struct fixture *f, uint64_t iova)
{
	struct vfu_dma_range range;

	if (!vfu_dma_lookup(vfu_server_dma(f->server), iova, &range))
		return -EFAULT;
	memcpy(f->registers + REG_PEEK, range.host + (iova - range.iova), sizeof(uint64_t));
	return 0;
}

static int
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

static void
dev_reset(void *ctx)
{
	((struct fixture *)ctx)->resets++;
}

static void *
run(void *arg)
{
	struct fixture *f = arg;

	vfu_socket_run(f->sock, f->server);
	return NULL;
}

static struct vfu_server *
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

static int
start_server(struct fixture *f)
{
	const struct vfu_socket_conf conf = {f->path, (uid_t)-1, (gid_t)-1, 0600};

	f->server = make_server(f);
	if (f->server == NULL || vfu_socket_open(&conf, &f->sock, f->why, sizeof(f->why)) != 0)
		return -1;
	return pthread_create(&f->thread, NULL, run, f);
}

static void
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

static int
connect_to(struct fixture *f, struct vfu_client **client)
{
	return vfu_client_connect(f->path, client, f->why, sizeof(f->why));
}

static int
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

static int
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

static int
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

static void
expect_sentence(struct fixture *f, int rc, const char *part)
{
	struct vfu_client *client;

	assert_int_equal(connect_to(f, &client), rc);
	assert_non_null(strstr(f->why, f->path));
	assert_non_null(strstr(f->why, part));
}

static void
test_nobody_there(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct fixture *f = *state;
	struct vfu_client *client;
	char longer[200] = "";
	int fd;

	expect_sentence(f, -ENOENT, "start the server");
	fd = open(f->path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	expect_sentence(f, -ECONNREFUSED, "nobody listens");
	unlink(f->path);

	strcpy(addr.sun_path, f->path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	expect_sentence(f, -ECONNREFUSED, "nobody listens");
	close(fd);
	unlink(f->path);
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	expect_sentence(f, -EPROTOTYPE, "not a stream socket");
	close(fd);

	memset(longer, 'x', 108);
	assert_int_equal(vfu_client_connect(longer, &client, NULL, 0), -ENAMETOOLONG);
	assert_int_equal(vfu_client_connect("", &client, f->why, 10), -ENAMETOOLONG);
	assert_int_equal(strlen(f->why), 9);
	vfu_client_close(NULL);
}

static void
test_mapped_region(void **state)
{
	struct fixture *f = *state;
	struct vfu_client_region region;
	uint32_t value = 0, *bar;

	assert_int_equal(vfu_client_region_info(f->client, BAR_MAPPED, &region), 0);
	assert_true(region.size == PAGE && region.readable && region.writable && region.fd >= 0);
	assert_true(region.fd_offset == 0 && region.area.offset == 0 && region.area.size == PAGE);
	assert_true((fcntl(region.fd, F_GETFD) & FD_CLOEXEC) != 0);
	bar = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, region.fd, region.fd_offset);
	assert_ptr_not_equal(bar, MAP_FAILED);
	close(region.fd);
	bar[16] = 0xcafe;
	assert_int_equal(pread(f->bar_fd, &value, sizeof(value), 64), sizeof(value));
	assert_int_equal(value, 0xcafe);
	munmap(bar, PAGE);
}

static void
test_other_regions(void **state)
{
	struct fixture *f = *state;
	struct vfu_client_region region;

	/* Its areas take a second question. */
	assert_int_equal(vfu_client_region_info(f->client, BAR_PARTLY, &region), 0);
	assert_true(region.size == 4 * PAGE && region.fd >= 0 && region.fd_offset == PAGE);
	assert_true(region.area.offset == PAGE && region.area.size == PAGE);
	close(region.fd);
	assert_int_equal(vfu_client_region_info(f->client, BAR_READ_ONLY, &region), 0);
	assert_true(region.readable && !region.writable && region.fd == -1);
	assert_int_equal(region.area.size, 0);
	assert_int_equal(vfu_client_region_info(f->client, VFU_REGION_CONFIG, &region), 0);
	assert_int_equal(region.size, 256);
	assert_int_equal(vfu_client_region_info(f->client, VFU_REGION_ROM, &region), 0);
	assert_int_equal(region.size, 0);
	assert_int_equal(vfu_client_region_info(f->client, VFU_MAX_REGIONS, &region), -EINVAL);
}

static void
test_read_and_write(void **state)
{
	struct fixture *f = *state;
	uint64_t value = 0x0123456789abcdef, back = 0;

	assert_int_equal(vfu_client_region_write(f->client, BAR_REGISTERS, 0x28, &value, 8), 0);
	assert_int_equal(vfu_client_region_read(f->client, BAR_REGISTERS, 0x28, &back, 8), 0);
	assert_int_equal(back, value);
	assert_int_equal(vfu_client_region_read(f->client, BAR_REGISTERS, 0x2a, &back, 1), 0);
	assert_int_equal(back & 0xff, 0xab);

	/* What the server refuses loses nothing, and what makes no sense is not asked. */
	assert_int_equal(vfu_client_region_write(f->client, BAR_READ_ONLY, 0, &value, 4), -EACCES);
	assert_int_equal(vfu_client_region_read(f->client, BAR_REGISTERS, PAGE, &back, 1), -EINVAL);
	assert_int_equal(vfu_client_region_read(f->client, 99, 0, &back, 1), -EINVAL);
	assert_int_equal(vfu_client_region_read(f->client, 1, 0, &back, 0), -EINVAL);
	assert_int_equal(vfu_client_region_write(f->client, 1, UINT64_MAX, &back, 8), -EINVAL);
	assert_int_equal(vfu_client_region_read(f->client, 1, 0, &back, UINT32_MAX), -EINVAL);
	assert_int_equal(
		vfu_client_region_post(f->client, 1, 0, &back, VFU_CLIENT_POST_MAX + 1), -EINVAL);
	assert_true(vfu_client_alive(f->client));
	assert_int_equal(vfu_client_check(f->client), 0);
}

static void
check_large(struct fixture *f, uint32_t len, uint32_t nb_messages)
{
	uint8_t *buf = malloc(len), *back = malloc(len);
	uint32_t i;

	for (i = 0; i < len; i++)
		buf[i] = i * 7 + i / 251;
	memset(f->large, 0, VFIO_USER_MAX_XFER);
	f->nb_accesses = 0;
	assert_int_equal(vfu_client_region_write(f->client, BAR_LARGE, 0, buf, len), 0);
	assert_memory_equal(f->large, buf, len);
	assert_int_equal(f->nb_accesses, nb_messages);
	assert_int_equal(vfu_client_region_read(f->client, BAR_LARGE, 0, back, len), 0);
	assert_memory_equal(back, buf, len);
	assert_int_equal(f->nb_accesses, 2 * nb_messages);
	free(buf);
	free(back);
}

/* Messages larger than the socket's buffers, and a server that takes less at a time. */
static void
test_large_accesses(void **state)
{
	struct fixture *f = *state;

	check_large(f, VFIO_USER_MAX_XFER, 1);
	f->client->max_xfer = 1000;
	check_large(f, 1000, 1);
	check_large(f, 10001, 11);
}

static void
post_all(struct fixture *f, uint32_t first, uint32_t count)
{
	uint32_t i;

	for (i = first; i < first + count; i++) {
		int rc;

		while ((rc = vfu_client_region_post(f->client, BAR_LOG, 0, &i, 4)) == -EAGAIN)
			usleep(100);
		assert_int_equal(rc, 0);
	}
}

/* Each write arrives, in order, before the next call is answered. */
static void
test_posts_in_order(void **state)
{
	struct fixture *f = *state;
	uint32_t i, seen = 0;

	for (i = 0; i < NB_POSTS; i += 100) {
		post_all(f, i, 100);
		assert_int_equal(vfu_client_region_read(f->client, BAR_LOG, 0, &seen, 4), 0);
		assert_int_equal(seen, i + 100);
	}
	for (i = 0; i < NB_POSTS; i++)
		assert_int_equal(f->log[i], i);
}

static void *
write_held(void *arg)
{
	struct fixture *f = arg;
	uint64_t value = 1;

	return (void *)(intptr_t)vfu_client_region_write(
		f->client, BAR_REGISTERS, REG_HOLD, &value, 8);
}

/* A post waits neither for another thread's call nor for room in the socket. */
static void
test_posts_do_not_wait(void **state)
{
	struct fixture *f = *state;
	uint32_t i = 0, seen = 0;
	pthread_t thread;
	void *result;
	int rc;

	assert_int_equal(pthread_create(&thread, NULL, write_held, f), 0);
	while (sem_wait(&f->held) != 0)
		continue;
	while ((rc = vfu_client_region_post(f->client, BAR_LOG, 0, &i, 4)) == 0)
		assert_true(++i < NB_POSTS);
	assert_int_equal(rc, -EAGAIN);
	assert_true(i > 0);
	assert_int_equal(vfu_client_check(f->client), 0);
	sem_post(&f->go_on);
	pthread_join(thread, &result);
	assert_int_equal((intptr_t)result, 0);
	assert_int_equal(vfu_client_region_read(f->client, BAR_LOG, 0, &seen, 4), 0);
	assert_int_equal(seen, i);
	post_all(f, i, 1);
}

static void *
write_large(void *arg)
{
	struct fixture *f = arg;
	uint8_t *buf = calloc(1, VFIO_USER_MAX_XFER);
	intptr_t i, rc = 0;

	for (i = 0; i < 50 && rc == 0; i++)
		rc = vfu_client_region_write(f->client, BAR_LARGE, 0, buf, VFIO_USER_MAX_XFER);
	free(buf);
	atomic_store(&f->done, true);
	return (void *)rc;
}

/* None comes in between two pieces of a message that takes the socket several turns. */
static void
test_posts_beside_large_writes(void **state)
{
	struct fixture *f = *state;
	uint32_t i = 0, seen = 0;
	pthread_t thread;
	void *result;

	assert_int_equal(pthread_create(&thread, NULL, write_large, f), 0);
	while (!atomic_load(&f->done)) {
		int rc = vfu_client_region_post(f->client, BAR_LOG, 0, &i, 4);

		assert_true(rc == 0 || rc == -EAGAIN);
		i += rc == 0;
	}
	pthread_join(thread, &result);
	assert_int_equal((intptr_t)result, 0);
	assert_int_equal(vfu_client_region_read(f->client, BAR_LOG, 0, &seen, 4), 0);
	assert_int_equal(seen, i < NB_POSTS ? i : NB_POSTS);
}

static void
test_dma(void **state)
{
	const uint64_t address = 0x7f0000000000, secret = 0x5ec2e7;
	int fd = memfd_create("memory", MFD_CLOEXEC);
	struct fixture *f = *state;
	struct vfu_client *c = f->client;
	uint64_t at = address + 8, seen = 0;

	assert_int_equal(ftruncate(fd, 4 * PAGE), 0);
	assert_int_equal(pwrite(fd, &secret, 8, 2 * PAGE + 8), 8);
	assert_int_equal(vfu_client_dma_map(c, address, 2 * PAGE, fd, 2 * PAGE), 0);
	assert_int_equal(vfu_client_dma_map(c, address, 2 * PAGE, fd, 0), -EEXIST);
	assert_int_equal(vfu_client_dma_map(c, address + PAGE, PAGE, fd, 0), -EEXIST);
	assert_int_equal(vfu_client_region_write(c, BAR_REGISTERS, REG_PEEK, &at, 8), 0);
	assert_int_equal(vfu_client_region_read(c, BAR_REGISTERS, REG_PEEK, &seen, 8), 0);
	assert_int_equal(seen, secret);

	assert_int_equal(vfu_client_dma_unmap(c, address, PAGE), -ENOENT);
	assert_int_equal(vfu_client_dma_unmap(c, address, 2 * PAGE), 0);
	assert_int_equal(vfu_client_region_write(c, BAR_REGISTERS, REG_PEEK, &at, 8), -EFAULT);
	assert_int_equal(vfu_client_dma_unmap(c, address, 2 * PAGE), -ENOENT);

	/* Beyond the file's end, and descriptors that are none: refused, not lost. */
	assert_int_equal(vfu_client_dma_map(c, address, 8 * PAGE, fd, 0), -EINVAL);
	assert_int_equal(vfu_client_dma_map(c, address, PAGE, -1, 0), -EBADF);
	close(fd);
	assert_int_equal(vfu_client_dma_map(c, address, PAGE, fd, 0), -EBADF);
	assert_int_equal(vfu_client_check(c), 0);
	assert_int_equal(vfu_client_reset(c), 0);
}

static int
raise_by_register(struct fixture *f, uint64_t vector)
{
	return vfu_client_region_write(f->client, BAR_REGISTERS, REG_RAISE, &vector, 8);
}

static uint64_t
take_event(int fd)
{
	uint64_t n = 0;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

/* More vectors than fit into one message, with holes. */
static void
test_interrupts(void **state)
{
	struct fixture *f = *state;
	struct vfu_client *c = f->client;
	int fds[NB_VECTORS], none = -1;
	uint32_t i;

	assert_int_equal(vfu_client_irq_count(c, VFU_IRQ_MSIX), NB_VECTORS);
	assert_int_equal(vfu_client_irq_count(c, VFU_IRQ_MSI), 0);
	assert_int_equal(vfu_client_irq_count(c, 1000), 0);
	for (i = 0; i < NB_VECTORS; i++)
		fds[i] = i == 0 || i == 12 || i == 13 ? -1 : eventfd(0, EFD_NONBLOCK);
	assert_int_equal(vfu_client_irq_set(c, VFU_IRQ_MSIX, 0, NB_VECTORS, fds), 0);
	for (i = 0; i < NB_VECTORS; i++) {
		assert_int_equal(raise_by_register(f, i), fds[i] < 0 ? -ENXIO : 0);
		assert_int_equal(take_event(fds[i]), fds[i] < 0 ? 0 : 1);
	}
	assert_int_equal(vfu_client_irq_set(c, VFU_IRQ_MSIX, 7, 1, &none), 0);
	assert_int_equal(raise_by_register(f, 7), -ENXIO);
	assert_int_equal(raise_by_register(f, 8), 0);
	assert_int_equal(vfu_client_irq_set(c, VFU_IRQ_MSIX, 24, 2, fds + 1), -EINVAL);
	assert_int_equal(vfu_client_irq_set(c, VFU_IRQ_MSIX, 0, 0, fds), -EINVAL);
	assert_int_equal(vfu_client_irq_set(c, VFU_IRQ_MSIX, UINT32_MAX, 2, fds), -EINVAL);
	assert_int_equal(vfu_client_irq_disable(c, VFU_IRQ_MSIX), 0);
	assert_int_equal(raise_by_register(f, 8), -ENXIO);
	for (i = 0; i < NB_VECTORS; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

static void
test_reset(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(vfu_client_reset(f->client), 0);
	assert_int_equal(f->resets, 1);
}

static void
test_second_client(void **state)
{
	struct fixture *f = *state;

	expect_sentence(f, -EBUSY, "in use");
	assert_int_equal(vfu_client_reset(f->client), 0);
	vfu_client_close(f->client);
	f->client = NULL;
	assert_int_equal(connect_to(f, &f->client), 0);
}

static void
test_server_dies(void **state)
{
	struct fixture *f = *state;
	struct pollfd p = {.fd = vfu_client_fd(f->client), .events = POLLIN};
	struct vfu_client_region region;
	uint32_t value = 0;

	stop_server(f);
	assert_true(vfu_client_alive(f->client));
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	assert_int_equal(vfu_client_check(f->client), -ENOTCONN);
	assert_false(vfu_client_alive(f->client));
	assert_int_equal(vfu_client_check(f->client), -ENOTCONN);
	assert_int_equal(vfu_client_region_info(f->client, 0, &region), -ENOTCONN);
	assert_int_equal(vfu_client_region_post(f->client, 1, 0, &value, 4), -ENOTCONN);
	assert_int_equal(poll(&p, 1, 0), 1);
	vfu_client_close(f->client);

	/* By a call, and by a post, as well. No signal is raised, or the test would end here. */
	assert_int_equal(start_server(f), 0);
	assert_int_equal(connect_to(f, &f->client), 0);
	stop_server(f);
	assert_int_equal(vfu_client_reset(f->client), -ENOTCONN);
	assert_false(vfu_client_alive(f->client));
	vfu_client_close(f->client);
	assert_int_equal(start_server(f), 0);
	assert_int_equal(connect_to(f, &f->client), 0);
	stop_server(f);
	assert_int_equal(vfu_client_region_post(f->client, 1, 0, &value, 4), -ENOTCONN);
	assert_false(vfu_client_alive(f->client));
}

struct worker {
	struct fixture *f;
	uint32_t number;
	pthread_t thread;
};

static void *
work(void *arg)
{
	const struct worker *w = arg;
	struct vfu_client *c = w->f->client;
	struct vfu_client_region region;
	intptr_t faults = 0;
	uint64_t i, back;
	uint32_t post;

	for (i = 0; i < 300; i++) {
		faults += vfu_client_region_write(c, BAR_REGISTERS, 8 * w->number, &i, 8) != 0;
		faults += vfu_client_region_read(c, BAR_REGISTERS, 8 * w->number, &back, 8) != 0;
		faults += back != i;
		post = w->number << 16 | i;
		while (vfu_client_region_post(c, BAR_LOG, 0, &post, 4) == -EAGAIN)
			usleep(100);
		faults += vfu_client_region_info(c, BAR_MAPPED, &region) != 0 || region.fd < 0;
		faults += close(region.fd) != 0;
		faults += vfu_client_check(c) != 0;
	}
	return (void *)faults;
}

static void
test_many_callers(void **state)
{
	struct worker workers[NB_THREADS];
	uint32_t next[NB_THREADS] = {0}, i, seen = 0;
	struct fixture *f = *state;

	for (i = 0; i < NB_THREADS; i++) {
		workers[i] = (struct worker){.f = f, .number = i};
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (i = 0; i < NB_THREADS; i++) {
		void *faults;

		pthread_join(workers[i].thread, &faults);
		assert_int_equal((intptr_t)faults, 0);
	}
	assert_int_equal(vfu_client_region_read(f->client, BAR_LOG, 0, &seen, 4), 0);
	assert_int_equal(seen, NB_THREADS * 300);
	for (i = 0; i < seen; i++)
		assert_int_equal(f->log[i] & 0xffff, next[f->log[i] >> 16]++);
}

/* Whatever a client holds goes with it; teardown counts the descriptors. */
static void
test_thousands_of_clients(void **state)
{
	struct fixture *f = *state;
	int i, before;

	vfu_client_close(f->client);
	f->client = NULL;
	before = open_descriptors();
	for (i = 0; i < 2000; i++) {
		struct vfu_client *client;
		struct vfu_client_region region;

		assert_int_equal(connect_to(f, &client), 0);
		assert_int_equal(vfu_client_region_info(client, BAR_PARTLY, &region), 0);
		close(region.fd);
		vfu_client_close(client);
	}
	/* The server may not have seen the last one's end. */
	assert_true(open_descriptors() <= before + 1);
}

#define TEST(name)	 cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_ALONE(name) cmocka_unit_test_setup_teardown(name, setup_alone, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ALONE(test_nobody_there),
		TEST(test_mapped_region),
		TEST(test_other_regions),
		TEST(test_read_and_write),
		TEST(test_large_accesses),
		TEST(test_posts_in_order),
		TEST(test_posts_do_not_wait),
		TEST(test_posts_beside_large_writes),
		TEST(test_dma),
		TEST(test_interrupts),
		TEST(test_reset),
		TEST(test_second_client),
		TEST(test_server_dies),
		TEST(test_many_callers),
		TEST(test_thousands_of_clients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
