/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "vfio_user.h"
#include "vfu_socket.h"

#define WAIT_MS 60000

struct fixture {
	char folder[32], path[64], why[256];
	struct vfu_socket *sock;
	struct vfu_server *server;
	pthread_t thread;
	atomic_int connected, disconnected;
};

static int
dev_access_read(void *ctx, uint32_t region, uint64_t offset, void *buf, uint32_t len)
{
	(void)ctx, (void)region, (void)offset;
	memset(buf, 0x11, len);
	return 0;
}

static int
dev_access_write(void *ctx, uint32_t region, uint64_t offset, const void *buf, uint32_t len)
{
	(void)ctx, (void)region, (void)offset, (void)buf, (void)len;
	return 0;
}

static void
dev_connected(void *ctx)
{
	atomic_fetch_add(&((struct fixture *)ctx)->connected, 1);
}

static void
dev_disconnected(void *ctx)
{
	atomic_fetch_add(&((struct fixture *)ctx)->disconnected, 1);
}

static int
open_socket(struct fixture *f, struct vfu_socket **sock)
{
	const struct vfu_socket_conf conf = {f->path, (uid_t)-1, (gid_t)-1, 0600};

	return vfu_socket_open(&conf, sock, f->why, sizeof(f->why));
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->folder, "/tmp/vfu-socket-XXXXXX");
	if (mkdtemp(f->folder) == NULL)
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/s", f->folder);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	int rc;

	unlink(f->path);
	rc = rmdir(f->folder);
	free(f);
	return rc;
}

static void *
run(void *arg)
{
	struct fixture *f = arg;

	vfu_socket_run(f->sock, f->server);
	return NULL;
}

static int
setup_running(void **state)
{
	struct vfu_device dev = {
		.region_read = dev_access_read,
		.region_write = dev_access_write,
		.connected = dev_connected,
		.disconnected = dev_disconnected,
	};
	struct fixture *f;
	int i;

	if (setup(state) != 0)
		return -1;
	f = *state;
	dev.ctx = f;
	for (i = 0; i < VFU_MAX_REGIONS; i++)
		dev.region[i].fd = -1;
	dev.region[1] = (struct vfu_region){2 << 20, true, true, -1, 0, NULL, 0};
	f->server = vfu_server_create(&dev);
	if (f->server == NULL || open_socket(f, &f->sock) != 0)
		return -1;
	return pthread_create(&f->thread, NULL, run, f);
}

static int
teardown_running(void **state)
{
	struct fixture *f = *state;

	vfu_socket_stop(f->sock);
	pthread_join(f->thread, NULL);
	vfu_socket_close(f->sock);
	vfu_server_destroy(f->server);
	/* The file has gone with the socket. */
	if (access(f->path, F_OK) == 0)
		return -1;
	return teardown(state);
}

static int
plug(const struct fixture *f)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, f->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits for the connection's end, and returns how long it took. */
static uint64_t
wait_for_end(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint64_t start = now_ms();
	char buf[256];
	ssize_t n;

	do {
		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
		n = read(fd, buf, sizeof(buf));
	} while (n > 0);
	return now_ms() - start;
}

static void
send_header(int fd, uint16_t command, uint32_t size)
{
	struct vfio_user_header hdr = {.command = command, .msg_size = size};

	assert_int_equal(send(fd, &hdr, sizeof(hdr), MSG_NOSIGNAL), sizeof(hdr));
}

static void
say_version(int fd)
{
	struct vfio_user_version v = {0, 0};
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct vfio_user_header hdr;
	char text[256];

	send_header(fd, VFIO_USER_VERSION, sizeof(hdr) + sizeof(v));
	assert_int_equal(send(fd, &v, sizeof(v), MSG_NOSIGNAL), sizeof(v));
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	assert_int_equal(recv(fd, &hdr, sizeof(hdr), MSG_WAITALL), sizeof(hdr));
	assert_int_equal(hdr.flags, VFIO_USER_F_TYPE_REPLY);
	assert_true(hdr.msg_size <= sizeof(text));
	assert_int_equal(recv(fd, text, hdr.msg_size - sizeof(hdr), MSG_WAITALL),
		hdr.msg_size - sizeof(hdr));
}

static void
wait_until(atomic_int *counter, int value)
{
	uint64_t start = now_ms();

	while (atomic_load(counter) < value && now_ms() - start < WAIT_MS)
		usleep(1000);
	assert_int_equal(atomic_load(counter), value);
}

static void
test_mode_and_close(void **state)
{
	struct fixture *f = *state;
	struct vfu_socket_conf conf = {f->path, 12, 34, 0640};
	struct vfu_socket *sock;
	struct stat st;
	mode_t mask;

	if (geteuid() != 0)
		conf.owner = conf.group = -1;
	mask = umask(0777);
	assert_int_equal(vfu_socket_open(&conf, &sock, f->why, sizeof(f->why)), 0);
	umask(mask);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	if (geteuid() == 0) {
		assert_int_equal(st.st_uid, 12);
		assert_int_equal(st.st_gid, 34);
	}
	vfu_socket_close(sock);
	assert_int_equal(access(f->path, F_OK), -1);
	vfu_socket_close(NULL);
}

static void
test_close_leaves_what_is_not_ours(void **state)
{
	struct fixture *f = *state;
	struct vfu_socket *first, *second;

	assert_int_equal(open_socket(f, &first), 0);
	unlink(f->path);
	assert_int_equal(open_socket(f, &second), 0);
	vfu_socket_close(first);
	assert_int_equal(access(f->path, F_OK), 0);
	vfu_socket_close(second);
	assert_int_equal(access(f->path, F_OK), -1);
}

static void
test_stale_file_is_replaced(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct fixture *f = *state;
	struct vfu_socket *sock;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(addr.sun_path, f->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 1), 0);
	close(fd);
	assert_int_equal(access(f->path, F_OK), 0);
	assert_int_equal(open_socket(f, &sock), 0);
	close(plug(f));
	vfu_socket_close(sock);
}

static void
test_live_socket_is_refused(void **state)
{
	struct fixture *f = *state;
	struct vfu_socket *sock, *second;

	assert_int_equal(open_socket(f, &sock), 0);
	assert_int_equal(open_socket(f, &second), -EADDRINUSE);
	assert_non_null(strstr(f->why, f->path));
	assert_non_null(strstr(f->why, "another process listens"));
	close(plug(f));
	vfu_socket_close(sock);
}

static void
test_other_files_are_left_alone(void **state)
{
	struct fixture *f = *state;
	struct vfu_socket *sock;
	int fd = open(f->path, O_CREAT | O_WRONLY, 0600);

	close(fd);
	assert_int_equal(open_socket(f, &sock), -EEXIST);
	assert_non_null(strstr(f->why, "not a socket"));
	assert_int_equal(access(f->path, F_OK), 0);
	/* A link is not followed. */
	unlink(f->path);
	assert_int_equal(symlink("/nowhere", f->path), 0);
	assert_int_equal(open_socket(f, &sock), -EEXIST);
}

static void
test_bad_paths(void **state)
{
	struct fixture *f = *state;
	struct vfu_socket_conf conf = {"/nowhere/at/all", -1, -1, 0};
	struct vfu_socket *sock;
	char longer[200];

	assert_int_equal(vfu_socket_open(&conf, &sock, f->why, sizeof(f->why)), -ENOENT);
	assert_non_null(strstr(f->why, "create it"));
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	conf.path = longer;
	assert_int_equal(vfu_socket_open(&conf, &sock, f->why, sizeof(f->why)), -ENAMETOOLONG);
	conf.path = "";
	assert_int_equal(vfu_socket_open(&conf, &sock, NULL, 0), -ENAMETOOLONG);
}

static void
test_clients_one_after_the_other(void **state)
{
	struct fixture *f = *state;
	int i, fd;

	for (i = 1; i <= 20; i++) {
		/* At once after the first has gone: it must not be taken for a rival of it. */
		fd = plug(f);
		say_version(fd);
		assert_int_equal(atomic_load(&f->connected), i);
		assert_true(vfu_server_connected(f->server));
		close(fd);
	}
	wait_until(&f->disconnected, 20);
}

static void
test_second_client_is_turned_away(void **state)
{
	struct fixture *f = *state;
	int first = plug(f), second;

	say_version(first);
	second = plug(f);
	wait_for_end(second);
	close(second);
	/* And the first did not notice. */
	send_header(first, VFIO_USER_DEVICE_RESET, 16);
	assert_int_equal(poll(&(struct pollfd){.fd = first, .events = POLLIN}, 1, WAIT_MS), 1);
	assert_int_equal(atomic_load(&f->disconnected), 0);
	close(first);
}

static void
test_half_a_message(void **state)
{
	static const struct vfio_user_header hdr = {
		.command = VFIO_USER_DEVICE_RESET, .msg_size = 16};
	struct fixture *f = *state;
	int fd = plug(f);
	uint64_t ms;

	assert_int_equal(send(fd, &hdr, 7, MSG_NOSIGNAL), 7);
	ms = wait_for_end(fd);
	assert_true(ms >= VFU_MESSAGE_TIMEOUT_MS - 200);
	close(fd);
	fd = plug(f);
	say_version(fd);
	send_header(fd, VFIO_USER_REGION_WRITE, 1000);
	wait_for_end(fd);
	close(fd);
	wait_until(&f->disconnected, 1);
	/* Silence between messages is nobody's business. */
	fd = plug(f);
	say_version(fd);
	usleep((VFU_MESSAGE_TIMEOUT_MS + 300) * 1000);
	send_header(fd, VFIO_USER_DEVICE_RESET, 16);
	assert_int_equal(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, WAIT_MS), 1);
	assert_int_equal(atomic_load(&f->disconnected), 1);
	close(fd);
}

/* A client that asks for a lot and reads nothing. */
static void
test_replies_not_taken(void **state)
{
	struct fixture *f = *state;
	struct vfio_user_region_access access = {0, 1, VFIO_USER_MAX_XFER};
	int fd = plug(f), i;

	say_version(fd);
	for (i = 0; i < 2; i++) {
		send_header(fd, VFIO_USER_REGION_READ, 32);
		assert_int_equal(send(fd, &access, sizeof(access), MSG_NOSIGNAL), sizeof(access));
	}
	wait_until(&f->disconnected, 1);
	close(fd);
	fd = plug(f);
	say_version(fd);
	close(fd);
}

/* A large message arrives and leaves in pieces. */
static void
test_large_messages(void **state)
{
	struct vfio_user_region_access access = {4096, 1, VFIO_USER_MAX_XFER};
	struct fixture *f = *state;
	char *buf = calloc(1, VFIO_USER_MAX_XFER);
	struct vfio_user_header hdr;
	int fd = plug(f);

	say_version(fd);
	send_header(fd, VFIO_USER_REGION_WRITE, 32 + VFIO_USER_MAX_XFER);
	assert_int_equal(send(fd, &access, sizeof(access), MSG_NOSIGNAL), sizeof(access));
	assert_int_equal(send(fd, buf, VFIO_USER_MAX_XFER, MSG_NOSIGNAL), VFIO_USER_MAX_XFER);
	assert_int_equal(recv(fd, buf, 32, MSG_WAITALL), 32);
	send_header(fd, VFIO_USER_REGION_READ, 32);
	assert_int_equal(send(fd, &access, sizeof(access), MSG_NOSIGNAL), sizeof(access));
	assert_int_equal(recv(fd, &hdr, 16, MSG_WAITALL), 16);
	assert_int_equal(hdr.msg_size, 32 + VFIO_USER_MAX_XFER);
	assert_int_equal(recv(fd, buf, 16, MSG_WAITALL), 16);
	assert_int_equal(recv(fd, buf, VFIO_USER_MAX_XFER, MSG_WAITALL), VFIO_USER_MAX_XFER);
	assert_int_equal(buf[VFIO_USER_MAX_XFER - 1], 0x11);
	free(buf);
	close(fd);
}

static void
note_thread(void *arg)
{
	*(pthread_t *)arg = pthread_self();
}

static void
test_call(void **state)
{
	struct fixture *f = *state;
	pthread_t who = pthread_self();
	int fd, i;

	assert_int_equal(vfu_socket_call(f->sock, note_thread, &who), 0);
	assert_true(pthread_equal(who, f->thread));
	fd = plug(f);
	say_version(fd);
	for (i = 0; i < 1000; i++)
		assert_int_equal(vfu_socket_call(f->sock, note_thread, &who), 0);
	close(fd);
	vfu_socket_stop(f->sock);
	pthread_join(f->thread, NULL);
	assert_int_equal(vfu_socket_call(f->sock, note_thread, &who), -ESHUTDOWN);
	/* Told to stop once: the next run ends at once, too. */
	assert_int_equal(pthread_create(&f->thread, NULL, run, f), 0);
}

static void
test_stop_with_half_a_message(void **state)
{
	struct fixture *f = *state;
	int fd = plug(f);
	uint64_t start;

	say_version(fd);
	send_header(fd, VFIO_USER_REGION_WRITE, 1000);
	usleep(50000);
	start = now_ms();
	vfu_socket_stop(f->sock);
	wait_for_end(fd);
	assert_true(now_ms() - start < VFU_MESSAGE_TIMEOUT_MS - 200);
	assert_int_equal(atomic_load(&f->disconnected), 1);
	close(fd);
}

struct last_words {
	struct vfu_socket *sock;
	int fd;
};

/* The loop, which runs this, ends without having looked at the client again. */
static void
speak_and_stop(void *arg)
{
	const struct last_words *words = arg;

	send_header(words->fd, VFIO_USER_DEVICE_RESET, 16);
	vfu_socket_stop(words->sock);
}

/* A client that was just sending gets its answer, and then reads an orderly end, no reset. */
static void
test_stop_with_an_unread_message(void **state)
{
	struct fixture *f = *state;
	struct last_words words = {.sock = f->sock, .fd = plug(f)};
	struct timeval limit = {.tv_sec = WAIT_MS / 1000};
	struct vfio_user_header hdr;

	say_version(words.fd);
	setsockopt(words.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	assert_int_equal(vfu_socket_call(f->sock, speak_and_stop, &words), 0);
	assert_int_equal(recv(words.fd, &hdr, sizeof(hdr), MSG_WAITALL), sizeof(hdr));
	assert_int_equal(hdr.flags, VFIO_USER_F_TYPE_REPLY);
	assert_int_equal(recv(words.fd, &hdr, 1, 0), 0);
	close(words.fd);
}

/* One that floods a stopping server is cut off; what it had sent in time is all that is answered. */
static void
test_stop_under_a_flood(void **state)
{
	struct fixture *f = *state;
	const struct vfio_user_header hdr = {.command = VFIO_USER_DEVICE_RESET,
		.flags = VFIO_USER_F_NO_REPLY, .msg_size = sizeof(hdr)};
	int fd = plug(f), sent = 0;

	say_version(fd);
	while (send(fd, &hdr, sizeof(hdr), MSG_NOSIGNAL) == (ssize_t)sizeof(hdr))
		if (sent++ == 100)
			vfu_socket_stop(f->sock);
	assert_true(sent > 100 && errno == EPIPE);
	wait_for_end(fd);
	close(fd);
}

static void
test_too_many_descriptors(void **state)
{
	union {
		char buf[CMSG_SPACE((VFU_MAX_FDS + 1) * sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct vfio_user_header hdr = {.command = VFIO_USER_DEVICE_SET_IRQS, .msg_size = 36};
	struct iovec iov = {&hdr, sizeof(hdr)};
	struct msghdr mh = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
	struct fixture *f = *state;
	int fd = plug(f), fds[VFU_MAX_FDS + 1], i;

	for (i = 0; i <= VFU_MAX_FDS; i++)
		fds[i] = 0;
	say_version(fd);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	assert_int_equal(sendmsg(fd, &mh, MSG_NOSIGNAL), sizeof(hdr));
	wait_for_end(fd);
	close(fd);
	fd = plug(f);
	say_version(fd);
	close(fd);
}

#define TEST(name)	   cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_RUNNING(name) cmocka_unit_test_setup_teardown(name, setup_running, teardown_running)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_mode_and_close),
		TEST(test_close_leaves_what_is_not_ours),
		TEST(test_stale_file_is_replaced),
		TEST(test_live_socket_is_refused),
		TEST(test_other_files_are_left_alone),
		TEST(test_bad_paths),
		TEST_RUNNING(test_clients_one_after_the_other),
		TEST_RUNNING(test_second_client_is_turned_away),
		TEST_RUNNING(test_half_a_message),
		TEST_RUNNING(test_replies_not_taken),
		TEST_RUNNING(test_large_messages),
		TEST_RUNNING(test_call),
		TEST_RUNNING(test_stop_with_half_a_message),
		TEST_RUNNING(test_stop_with_an_unread_message),
		TEST_RUNNING(test_stop_under_a_flood),
		TEST_RUNNING(test_too_many_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
