/* SPDX-License-Identifier: BSD-3-Clause */
#include <sys/eventfd.h>

#include "vfu_fixture.h"

static void
test_irq_info(void **state)
{
	struct fixture *f = *state;
	struct vfio_user_irq_info info = {.argsz = 16, .index = VFU_IRQ_MSIX};

	assert_int_equal(call(f, VFIO_USER_DEVICE_GET_IRQ_INFO, &info, sizeof(info)), 0);
	memcpy(&info, f->out + 16, sizeof(info));
	assert_int_equal(info.count, NB_VECTORS);
	assert_int_equal(info.flags, VFIO_USER_F_IRQ_EVENTFD);
	info.index = VFU_IRQ_MSI;
	assert_int_equal(call(f, VFIO_USER_DEVICE_GET_IRQ_INFO, &info, sizeof(info)), 0);
	memcpy(&info, f->out + 16, sizeof(info));
	assert_int_equal(info.count, 0);
	info.index = VFU_IRQ_ERROR;
	assert_int_equal(call(f, VFIO_USER_DEVICE_GET_IRQ_INFO, &info, sizeof(info)), EINVAL);
	info.index = 5;
	assert_int_equal(call(f, VFIO_USER_DEVICE_GET_IRQ_INFO, &info, sizeof(info)), EINVAL);
}

static int
set_irqs(struct fixture *f, uint32_t flags, uint32_t index, uint32_t start, uint32_t count)
{
	struct vfio_user_irq_set set = {20, flags, index, start, count};

	return call(f, VFIO_USER_DEVICE_SET_IRQS, &set, sizeof(set));
}

/* Passes a duplicate of @fd along with the next message. */
static void
pass_fd(struct fixture *f, int fd)
{
	f->in_fds[f->nb_in_fds++] = dup(fd);
}

static uint64_t
taken(int fd)
{
	uint64_t n = 0;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static void
test_eventfds(void **state)
{
	struct fixture *f = *state;
	int a = eventfd(0, EFD_NONBLOCK), b = eventfd(0, EFD_NONBLOCK), before = open_descriptors();
	int old;

	pass_fd(f, a);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_MSIX, 3, 1), 0);
	assert_int_equal(f->irq_changes, 1);
	assert_int_equal(f->quiesced, 0);
	old = vfu_server_irq_fd(f->server, VFU_IRQ_MSIX, 3);
	assert_true(old >= 0);
	assert_int_equal(vfu_server_irq_fd(f->server, VFU_IRQ_MSIX, 4), -1);
	assert_int_equal(vfu_server_irq_fd(f->server, VFU_IRQ_MSIX, NB_VECTORS), -1);
	assert_int_equal(vfu_server_irq_fd(f->server, 99, 0), -1);
	assert_int_equal(set_irqs(f, 0x21, VFU_IRQ_MSIX, 3, 1), 0);
	assert_int_equal(taken(a), 1);

	/* Replaced: the old one stays open until everybody has let go of it. */
	f->fd_at_quiesce = old;
	pass_fd(f, b);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_MSIX, 3, 1), 0);
	assert_int_equal(f->quiesced, 1);
	assert_true(f->was_open);
	assert_true(fcntl(old, F_GETFD) < 0);
	assert_int_equal(set_irqs(f, 0x21, VFU_IRQ_MSIX, 0, NB_VECTORS), 0);
	assert_int_equal(taken(a), 0);
	assert_int_equal(taken(b), 1);

	/* Without a descriptor: detached. */
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_MSIX, 0, NB_VECTORS), 0);
	assert_int_equal(vfu_server_irq_fd(f->server, VFU_IRQ_MSIX, 3), -1);
	assert_int_equal(open_descriptors(), before);

	pass_fd(f, a);
	pass_fd(f, b);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_MSIX, 23, 2), 0);
	assert_int_equal(open_descriptors(), before + 2);
	assert_int_equal(set_irqs(f, 0x21, VFU_IRQ_MSIX, 0, 0), 0);
	assert_int_equal(open_descriptors(), before);
	pass_fd(f, a);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_INTX, 0, 1), 0);
	vfu_server_detach(f->server);
	assert_int_equal(open_descriptors(), before);
	close(a);
	close(b);
}

static void
test_intx_mask(void **state)
{
	struct fixture *f = *state;
	int fd = eventfd(0, EFD_NONBLOCK);

	pass_fd(f, fd);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_INTX, 0, 1), 0);
	assert_int_equal(f->irq_changes, 1);
	/* QEMU's EOI, when nothing was masked. */
	assert_int_equal(set_irqs(f, 0x11, VFU_IRQ_INTX, 0, 1), 0);
	assert_int_equal(f->irq_changes, 1);
	assert_int_equal(set_irqs(f, 0x09, VFU_IRQ_INTX, 0, 1), 0);
	assert_int_equal(f->irq_changes, 2);
	assert_int_equal(vfu_server_irq_fd(f->server, VFU_IRQ_INTX, 0), -1);
	/* A descriptor that comes while it is masked stays hidden. */
	pass_fd(f, fd);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_INTX, 0, 1), 0);
	assert_int_equal(vfu_server_irq_fd(f->server, VFU_IRQ_INTX, 0), -1);
	assert_int_equal(set_irqs(f, 0x11, VFU_IRQ_INTX, 0, 1), 0);
	assert_true(vfu_server_irq_fd(f->server, VFU_IRQ_INTX, 0) >= 0);
	close(fd);
}

static void
test_set_irqs_rejects(void **state)
{
	struct fixture *f = *state;
	int fd = eventfd(0, 0), ends[2], before;
	struct {
		struct vfio_user_irq_set set;
		uint8_t bools[4];
	} req = {.set = {20, 0x22, VFU_IRQ_MSIX, 0, 4}};

	assert_int_equal(pipe(ends), 0);
	before = open_descriptors();
	assert_int_equal(set_irqs(f, 0, VFU_IRQ_MSIX, 0, 1), EINVAL);
	assert_int_equal(set_irqs(f, 0x20, VFU_IRQ_MSIX, 0, 1), EINVAL);
	assert_int_equal(set_irqs(f, 0x23, VFU_IRQ_MSIX, 0, 1), EINVAL);
	assert_int_equal(set_irqs(f, 0x31, VFU_IRQ_MSIX, 0, 1), EINVAL);
	assert_int_equal(set_irqs(f, 0x64, VFU_IRQ_MSIX, 0, 1), EINVAL);
	assert_int_equal(set_irqs(f, 0x21, VFU_IRQ_MSI, 0, 0), EINVAL);
	assert_int_equal(set_irqs(f, 0x21, 5, 0, 0), EINVAL);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_MSIX, 0, NB_VECTORS + 1), EINVAL);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_MSIX, NB_VECTORS, 1), EINVAL);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_MSIX, UINT32_MAX, 2), EINVAL);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_MSIX, 1, UINT32_MAX), EINVAL);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_MSIX, 0, 0), EINVAL);
	assert_int_equal(set_irqs(f, 0x21, VFU_IRQ_MSIX, 1, 0), EINVAL);
	assert_int_equal(set_irqs(f, 0x22, VFU_IRQ_MSIX, 0, 4), EINVAL); /* bools missing */
	assert_int_equal(set_irqs(f, 0x11, VFU_IRQ_MSIX, 0, 1), ENOTSUP);
	assert_int_equal(call(f, VFIO_USER_DEVICE_SET_IRQS, &req, 24), 0);
	assert_int_equal(call(f, VFIO_USER_DEVICE_SET_IRQS, &req, 23), EINVAL);
	assert_int_equal(call(f, VFIO_USER_DEVICE_SET_IRQS, &req, 19), EINVAL);
	/* Descriptors: too few, too many, with the wrong data, of the wrong kind. */
	pass_fd(f, fd);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_MSIX, 0, 2), EINVAL);
	pass_fd(f, fd);
	pass_fd(f, fd);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_MSIX, 0, 1), EINVAL);
	pass_fd(f, fd);
	assert_int_equal(set_irqs(f, 0x21, VFU_IRQ_MSIX, 0, 1), EINVAL);
	pass_fd(f, fd);
	assert_int_equal(set_irqs(f, 0x14, VFU_IRQ_INTX, 0, 1), ENOTSUP);
	pass_fd(f, ends[1]);
	pass_fd(f, fd);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_MSIX, 0, 2), EINVAL);
	assert_int_equal(vfu_server_irq_fd(f->server, VFU_IRQ_MSIX, 0), -1);
	assert_int_equal(vfu_server_irq_fd(f->server, VFU_IRQ_MSIX, 1), -1);
	assert_int_equal(open_descriptors(), before);
	close(fd);
	close(ends[0]);
	close(ends[1]);
}

static void
test_bools(void **state)
{
	struct fixture *f = *state;
	int fd[3] = {eventfd(0, EFD_NONBLOCK), eventfd(0, EFD_NONBLOCK), eventfd(0, EFD_NONBLOCK)},
	    i;
	struct {
		struct vfio_user_irq_set set;
		uint8_t bools[3];
	} req = {.set = {23, 0x22, VFU_IRQ_MSIX, 5, 3}, .bools = {1, 0, 1}};

	for (i = 2; i >= 0; i--) /* the transport hands them over last first */
		pass_fd(f, fd[i]);
	assert_int_equal(set_irqs(f, 0x24, VFU_IRQ_MSIX, 5, 3), 0);
	assert_int_equal(call(f, VFIO_USER_DEVICE_SET_IRQS, &req, 23), 0);
	assert_int_equal(taken(fd[0]), 1);
	assert_int_equal(taken(fd[1]), 0);
	assert_int_equal(taken(fd[2]), 1);
	for (i = 0; i < 3; i++)
		close(fd[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_irq_info),
		TEST(test_eventfds),
		TEST(test_intx_mask),
		TEST(test_set_irqs_rejects),
		TEST(test_bools),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
