/* SPDX-License-Identifier: BSD-3-Clause */
/* The client of vfio-user against this project's server: memory, interrupts, and the connection's
 * life. */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>

#include "client_fixture.h"

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

	assert_int_equal(vfu_client_dma_unmap(c, address, PAGE), -EINVAL);
	assert_int_equal(vfu_client_dma_unmap(c, address, 2 * PAGE), 0);
	assert_int_equal(vfu_client_region_write(c, BAR_REGISTERS, REG_PEEK, &at, 8), -EFAULT);
	assert_int_equal(vfu_client_dma_unmap(c, address, 2 * PAGE), 0);

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
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
