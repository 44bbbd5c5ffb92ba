/* SPDX-License-Identifier: BSD-3-Clause */
/* The client of vfio-user against this project's server: connecting, regions, reads and writes. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "client_fixture.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
