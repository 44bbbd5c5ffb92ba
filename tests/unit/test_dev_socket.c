/* SPDX-License-Identifier: BSD-3-Clause */
/* The device behind its socket: regions, interrupts and life as a vfio-user client meets them. */
#include "control_guest.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <rte_common.h>

#include <vfio_user.h>
#include <vmxnet3_vfu.h>

#define TIMEOUT_MS 5000

struct client {
	struct guest g; /* its memory; the device is attached by the socket */
	struct vmxnet3_vfu *vfu;
	char dir[32], path[64];
	int sock;
	uint16_t msg_id;
	uint8_t reply[4096] __attribute__((aligned(8)));
	int reply_fd;
	atomic_uint quiesced;
};

static void
on_socket_quiesce(void *ctx)
{
	atomic_fetch_add(&((struct client *)ctx)->quiesced, 1);
}

static void
on_socket_log(void *ctx __rte_unused, enum vmxnet3_log_level level __rte_unused, const char *line)
{
	assert_memory_equal(line, "port0: ", 7);
}

/* @return the error of the reply; what it carried is in c->reply and c->reply_fd. */
static uint32_t
call_fd(struct client *c, uint16_t cmd, const void *payload, uint32_t len, int fd)
{
	struct vfio_user_header hdr = { .msg_id = ++c->msg_id, .command = cmd,
		.msg_size = (uint32_t)sizeof(hdr) + len };
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec iov[2] = { { &hdr, sizeof(hdr) }, { (void *)(uintptr_t)payload, len } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	struct cmsghdr *cm;
	ssize_t n;

	if (fd >= 0) {
		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		cm = CMSG_FIRSTHDR(&msg);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cm), &fd, sizeof(fd));
	}
	assert_int_equal(sendmsg(c->sock, &msg, MSG_NOSIGNAL), sizeof(hdr) + len);

	iov[0] = (struct iovec){ &hdr, sizeof(hdr) };
	msg = (struct msghdr){ .msg_iov = iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control) };
	n = recvmsg(c->sock, &msg, MSG_WAITALL);
	assert_int_equal(n, sizeof(hdr));
	c->reply_fd = -1;
	cm = CMSG_FIRSTHDR(&msg);
	if (cm != NULL)
		memcpy(&c->reply_fd, CMSG_DATA(cm), sizeof(int));
	assert_int_equal(hdr.msg_id, c->msg_id);
	assert_in_range(hdr.msg_size, sizeof(hdr), sizeof(hdr) + sizeof(c->reply));
	len = hdr.msg_size - (uint32_t)sizeof(hdr);
	if (len > 0)
		assert_int_equal(recv(c->sock, c->reply, len, MSG_WAITALL), len);
	return hdr.flags & VFIO_USER_F_ERROR ? hdr.error_no : 0;
}

static uint32_t
call(struct client *c, uint16_t cmd, const void *payload, uint32_t len)
{
	return call_fd(c, cmd, payload, len, -1);
}

static void
region_write(struct client *c, uint32_t region, uint64_t offset, uint32_t v, uint32_t len)
{
	struct {
		struct vfio_user_region_access a;
		uint32_t v;
	} m = { { offset, region, len }, v };

	assert_int_equal(call(c, VFIO_USER_REGION_WRITE, &m, (uint32_t)sizeof(m.a) + len), 0);
}

static uint32_t
region_read(struct client *c, uint32_t region, uint64_t offset, uint32_t len)
{
	struct vfio_user_region_access a = { offset, region, len };
	uint32_t v = 0;

	assert_int_equal(call(c, VFIO_USER_REGION_READ, &a, sizeof(a)), 0);
	memcpy(&v, c->reply + sizeof(a), len);
	return v;
}

/* Attaches an eventfd to a vector, or takes it away (fd -1). */
static void
set_eventfd(struct client *c, uint32_t index, uint32_t vector, int fd)
{
	struct vfio_user_irq_set s = { sizeof(s),
		VFIO_USER_IRQ_DATA_EVENTFD | VFIO_USER_IRQ_ACTION_TRIGGER, index, vector, 1 };

	assert_int_equal(call_fd(c, VFIO_USER_DEVICE_SET_IRQS, &s, sizeof(s), fd), 0);
}

static unsigned int
interrupts(int fd)
{
	uint64_t n = 0;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? (unsigned int)n : 0;
}

static void
connect_client(struct client *c)
{
	static const char version[] = "\0\0\0\0{\"capabilities\":{}}";
	struct vfio_user_dma_map map = { .argsz = sizeof(map), .flags = 3, .address = GUEST_IOVA,
		.size = GUEST_BYTES };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval timeout = { .tv_sec = TIMEOUT_MS / 1000 };

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", c->path);
	c->sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(c->sock, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	assert_int_equal(connect(c->sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(call(c, VFIO_USER_VERSION, version, sizeof(version)), 0);
	assert_int_equal(call_fd(c, VFIO_USER_DMA_MAP, &map, sizeof(map), c->g.fd), 0);
	region_write(c, 7, 0x04, PCI_BUS_MASTER, 2);
	region_write(c, 1, VMXNET3_REG_VRRS, 0x40, 4);
}

static void
disconnect_client(struct client *c)
{
	struct vmxnet3_dev_info info;
	int i;

	close(c->sock);
	for (i = 0; i < TIMEOUT_MS; i++) {
		vmxnet3_dev_info_get(c->g.dev, &info);
		if (!info.attached)
			return;
		usleep(1000);
	}
	fail_msg("the device did not notice that its machine has gone");
}

static void
activate_client(struct client *c)
{
	region_write(c, 1, VMXNET3_REG_DSAL, (uint32_t)(GUEST_IOVA + AT_SHARED), 4);
	region_write(c, 1, VMXNET3_REG_DSAH, GUEST_IOVA >> 32, 4);
	region_write(c, 1, VMXNET3_REG_CMD, VMXNET3_CMD_ACTIVATE_DEV, 4);
	assert_int_equal(region_read(c, 1, VMXNET3_REG_CMD, 4), 0);
}

static void
open_client(struct client *c, enum vmxnet3_doorbell doorbell)
{
	struct vmxnet3_dev_conf conf = guest_conf;
	struct vfu_socket_conf sock = { .owner = (uid_t)-1, .group = (gid_t)-1 };
	char err[256] = "";

	memset(c, 0, sizeof(*c));
	conf.doorbell = doorbell;
	guest_open(&c->g, &conf);
	vmxnet3_dev_detach(c->g.dev);
	fill_shared(&c->g, 1, 1);
	strcpy(c->dir, "/tmp/vmxnet3x-XXXXXX");
	assert_non_null(mkdtemp(c->dir));
	snprintf(c->path, sizeof(c->path), "%s/port0.sock", c->dir);
	sock.path = c->path;
	if (vmxnet3_vfu_start(c->g.dev, &sock, on_socket_quiesce, c, on_socket_log, &c->vfu, err,
		    sizeof(err)) != 0)
		fail_msg("%s", err);
	connect_client(c);
}

static void
close_client(struct client *c)
{
	struct stat st;

	close(c->sock);
	vmxnet3_vfu_stop(c->vfu);
	assert_int_equal(stat(c->path, &st), -1);
	rmdir(c->dir);
	guest_close(&c->g);
}

static void
get_region(struct client *c, uint32_t index, struct vfio_user_region_info *info)
{
	memset(info, 0, sizeof(*info));
	info->argsz = 256;
	info->index = index;
	assert_int_equal(call(c, VFIO_USER_DEVICE_GET_REGION_INFO, info, sizeof(*info)), 0);
	memcpy(info, c->reply, sizeof(*info));
}

static void
test_whole_life(void **state __rte_unused)
{
	struct vfio_user_region_info info;
	struct client c;
	uint32_t round;
	_Atomic(uint32_t) *bar0;
	int ev;

	open_client(&c, VMXNET3_DOORBELL_MEMORY);
	shared_area(&c.g)->intr.event_intr_idx = 5;
	for (round = 0; round < 3; round++) {
		ev = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		set_eventfd(&c, VFU_IRQ_MSIX, 5, ev);
		region_write(&c, 7, PCI_MSIX_CTRL, 0x8000, 2);
		get_region(&c, 0, &info);
		assert_int_equal(info.size, 4096);
		assert_int_equal(info.flags & VFIO_USER_F_REGION_MMAP, VFIO_USER_F_REGION_MMAP);
		bar0 = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, c.reply_fd,
			(off_t)info.offset);
		assert_ptr_not_equal(bar0, MAP_FAILED);
		close(c.reply_fd);
		assert_int_equal(atomic_load(&bar0[5 * 2]), 1);
		activate_client(&c);
		atomic_store(&bar0[5 * 2], 0); /* no message */
		vmxnet3_dev_set_link(c.g.dev, false);
		assert_int_equal(interrupts(ev), 1);
		assert_int_equal(region_read(&c, 1, VMXNET3_REG_ECR, 4), VMXNET3_ECR_LINK);
		shared_area(&c.g)->ecr = 0;
		disconnect_client(&c);
		vmxnet3_dev_set_link(c.g.dev, true);
		assert_int_equal(interrupts(ev), 0);
		assert_int_equal(shared_area(&c.g)->ecr, 0);
		munmap((void *)bar0, 4096);
		close(ev);
		connect_client(&c);
	}
	assert_true(c.quiesced > 0);
	close_client(&c);
}

static void
test_message_doorbell(void **state __rte_unused)
{
	struct vfio_user_region_info info;
	struct vfio_user_cap_sparse *cap;
	struct client c;

	open_client(&c, VMXNET3_DOORBELL_MESSAGE);
	get_region(&c, 0, &info);
	assert_int_equal(info.flags & VFIO_USER_F_REGION_MMAP, 0);
	/* Some page is mappable, or QEMU posts its writes: that of the pending bits, of zeros. */
	get_region(&c, 2, &info);
	assert_int_equal(info.size, 8192);
	assert_true(info.flags & VFIO_USER_F_REGION_MMAP && info.flags & VFIO_USER_F_REGION_CAPS);
	cap = (struct vfio_user_cap_sparse *)(c.reply + info.cap_offset);
	assert_int_equal(cap->nr_areas, 1);
	assert_int_equal(cap->areas[0].offset, 4096);
	assert_int_equal(cap->areas[0].size, 4096);
	assert_true(c.reply_fd >= 0);
	close(c.reply_fd);
	assert_int_equal(region_read(&c, 2, 4096, 4), 0);
	activate_client(&c);
	c.g.wakes = 0;
	region_write(&c, 0, VMXNET3_REG_TXPROD, 1, 4);
	region_write(&c, 0, VMXNET3_REG_RXPROD2, 1, 4);
	region_write(&c, 0, VMXNET3_REG_TXPROD + 8, 1, 4); /* there is one queue */
	assert_int_equal(c.g.wakes, 2);
	close_client(&c);
}

/* Raised while its vector had no eventfd: sent with the next one, as pending bits would have it. */
static void
test_vector_without_eventfd(void **state __rte_unused)
{
	int ev = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct client c;

	open_client(&c, VMXNET3_DOORBELL_MEMORY);
	region_write(&c, 7, PCI_MSIX_CTRL, 0x8000, 2);
	activate_client(&c);
	region_write(&c, 0, VMXNET3_REG_IMR, 0, 4);
	set_eventfd(&c, VFU_IRQ_MSIX, 0, ev);
	set_eventfd(&c, VFU_IRQ_MSIX, 0, -1);
	vmxnet3_dev_set_link(c.g.dev, false);
	assert_int_equal(region_read(&c, 0, VMXNET3_REG_IMR, 4), 1);
	assert_int_equal(interrupts(ev), 0);
	set_eventfd(&c, VFU_IRQ_MSIX, 1, ev);
	assert_int_equal(interrupts(ev), 0);
	set_eventfd(&c, VFU_IRQ_MSIX, 0, ev);
	assert_int_equal(interrupts(ev), 1);
	set_eventfd(&c, VFU_IRQ_MSIX, 0, ev);
	assert_int_equal(interrupts(ev), 0);
	close_client(&c);
	close(ev);
}

static void
test_intx(void **state __rte_unused)
{
	int ev = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct client c;

	open_client(&c, VMXNET3_DOORBELL_MEMORY);
	set_eventfd(&c, VFU_IRQ_INTX, 0, ev);
	activate_client(&c);
	region_write(&c, 0, VMXNET3_REG_IMR, 0, 4);
	vmxnet3_dev_set_link(c.g.dev, false);
	assert_int_equal(interrupts(ev), 1);
	/* QEMU lowers the line at any access to a BAR, also at one that is not the handler's. */
	region_read(&c, 1, VMXNET3_REG_VRRS, 4);
	assert_int_equal(interrupts(ev), 1);
	assert_int_equal(region_read(&c, 1, VMXNET3_REG_ICR, 4), 1);
	assert_int_equal(interrupts(ev), 0);
	region_read(&c, 1, VMXNET3_REG_VRRS, 4);
	assert_int_equal(interrupts(ev), 0);
	close_client(&c);
	close(ev);
}

static void
test_socket_in_use(void **state __rte_unused)
{
	struct vfu_socket_conf sock = { .owner = (uid_t)-1, .group = (gid_t)-1 };
	struct vmxnet3_vfu *second = NULL;
	char err[256] = "";
	struct client c;

	open_client(&c, VMXNET3_DOORBELL_MEMORY);
	sock.path = c.path;
	assert_int_equal(vmxnet3_vfu_start(c.g.dev, &sock, NULL, NULL, NULL, &second, err,
		sizeof(err)), -EADDRINUSE);
	assert_null(second);
	assert_non_null(strstr(err, c.path));
	close_client(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_life),
		cmocka_unit_test(test_message_doorbell),
		cmocka_unit_test(test_vector_without_eventfd),
		cmocka_unit_test(test_intx),
		cmocka_unit_test(test_socket_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
