/* SPDX-License-Identifier: BSD-3-Clause */
/* Attaching a virtual device: what cannot be attached to, and that nothing is left of what was attached. */
#include "vx_socket_rig.h"

#include <errno.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <rte_dev.h>
#include <rte_malloc.h>
#include <rte_memzone.h>

#include "eal_modes.h"
#include "open_descriptors.h"

static void
no_server(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	expect_said(assert_int_not_equal(attach(""), 0), card.path);
	/* A socket on which nobody listens. */
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", card.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	expect_said(assert_int_not_equal(attach(""), 0), card.path);
	close(fd);
	unlink(card.path);
	expect_said(assert_int_not_equal(rte_eal_hotplug_add("vdev", VDEV, "path=/etc/passwd"), 0), "/etc/passwd");
	expect_said(assert_int_not_equal(rte_eal_hotplug_add("vdev", VDEV, "revision=1"), 0), "path");
	expect_said(assert_int_not_equal(rte_eal_hotplug_add("vdev", VDEV, ""), 0), "path");
	assert_int_equal(rte_eth_dev_get_port_by_name(VDEV, &port), -ENODEV);
}

static void
busy_server(void **state)
{
	char args[128];

	(void)state;
	start_card(NULL);
	assert_int_equal(attach(""), 0);
	snprintf(args, sizeof(args), "path=%s", card.path);
	expect_said(assert_int_not_equal(rte_eal_hotplug_add("vdev", "net_vmxnet3x1", args), 0), card.path);
	run_port(1, false);
	expect_traffic(pool);
	detach();
	stop_card();
}

static int
refuse(void *ctx, uint32_t region, uint64_t offset, void *buf, uint32_t len)
{
	(void)ctx, (void)region, (void)offset;
	memset(buf, 0xff, len);
	return 0;
}

static int
swallow(void *ctx, uint32_t region, uint64_t offset, const void *buf, uint32_t len)
{
	(void)ctx, (void)region, (void)offset, (void)buf, (void)len;
	return 0;
}

static void
do_nothing(void *ctx)
{
	(void)ctx;
}

struct other {
	struct vfu_server *server;
	struct vfu_socket *sock;
};

static void *
serve_other(void *arg)
{
	struct other *o = arg;

	vfu_socket_run(o->sock, o->server);
	return NULL;
}

/* Attaches to a server of another device, which is described by @p device. */
static void
expect_no_vmxnet3(struct vfu_device *device, const char *said)
{
	struct vfu_socket_conf sock = { .path = card.path, .owner = (uid_t)-1, .group = (gid_t)-1 };
	pthread_t thread;
	struct other o;
	char why[256];

	o.server = vfu_server_create(device);
	assert_non_null(o.server);
	assert_int_equal(vfu_socket_open(&sock, &o.sock, why, sizeof(why)), 0);
	assert_int_equal(pthread_create(&thread, NULL, serve_other, &o), 0);
	expect_said(assert_int_not_equal(attach(""), 0), said);
	vfu_socket_stop(o.sock);
	pthread_join(thread, NULL);
	vfu_socket_close(o.sock);
	vfu_server_destroy(o.server);
}

static int
config_read(void *ctx, uint32_t region, uint64_t offset, void *buf, uint32_t len)
{
	static uint8_t config[256] = { 0xad, 0x15, 0xb0, 0x07, [0x34] = 0x40, [0x40] = 0x11, 0x40 };

	/* Registers say nothing that can be. */
	if (region != VFU_REGION_CONFIG)
		return refuse(ctx, region, offset, buf, len);
	memcpy(buf, config + offset, len);
	return 0;
}

static void
other_devices(void **state)
{
	struct vfu_device d = { .region_read = refuse, .region_write = swallow, .reset = do_nothing,
		.connected = do_nothing, .disconnected = do_nothing, .quiesce = do_nothing };
	unsigned int i;

	(void)state;
	for (i = 0; i < VFU_MAX_REGIONS; i++)
		d.region[i].fd = -1;
	expect_no_vmxnet3(&d, card.path);
	d.region[VFU_REGION_CONFIG] = (struct vfu_region){ .size = 256, .readable = true, .writable = true, .fd = -1 };
	expect_no_vmxnet3(&d, "its device is ffff:ffff");
	d.region_read = config_read;
	expect_no_vmxnet3(&d, "has no MSI-X");
	d.nb_irqs[VFU_IRQ_MSIX] = 2;
	expect_no_vmxnet3(&d, "its BAR0 has 0 bytes");
	d.region[0] = (struct vfu_region){ .size = 4096, .readable = true, .writable = true, .fd = -1 };
	d.region[1] = (struct vfu_region){ .size = 64, .readable = true, .writable = true, .fd = -1 };
	expect_no_vmxnet3(&d, "its BAR1 has 64 bytes");
	d.region[1].size = 4096;
	expect_no_vmxnet3(&d, VDEV);
	assert_int_equal(rte_eth_dev_get_port_by_name(VDEV, &port), -ENODEV);
}

/* A page that its owner may take away under a doorbell is not stored to. */
static void
unsealed_doorbells(void **state)
{
	struct vfu_device d = { .region_read = config_read, .region_write = swallow, .reset = do_nothing,
		.connected = do_nothing, .disconnected = do_nothing, .quiesce = do_nothing,
		.nb_irqs[VFU_IRQ_MSIX] = 2 };
	int fd = memfd_create("bar0", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	unsigned int i;

	(void)state;
	assert_int_equal(ftruncate(fd, 4096), 0);
	for (i = 0; i < VFU_MAX_REGIONS; i++)
		d.region[i].fd = -1;
	for (i = 0; i <= VFU_REGION_CONFIG; i++)
		d.region[i] = (struct vfu_region){ .size = 4096, .readable = true, .writable = true, .fd = -1 };
	d.region[VFU_REGION_CONFIG].size = 256;
	d.region[0].fd = fd;
	expect_no_vmxnet3(&d, "doorbells go by messages");
	close(fd);
}

/* ---- leaks ---- */

struct used {
	int fds, threads;
	size_t heap, dpdk_heap;
	uint32_t zones;
};

static int
count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	int n = 0;

	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static void
count_zone(const struct rte_memzone *mz, void *arg)
{
	(void)mz;
	++*(uint32_t *)arg;
}

static struct used
use(void)
{
	struct rte_malloc_socket_stats stats;
	struct used u = { .fds = open_descriptors(), .threads = count_threads(), .heap = mallinfo2().uordblks };

	rte_malloc_get_socket_stats(0, &stats);
	u.dpdk_heap = stats.heap_allocsz_bytes;
	rte_memzone_walk(count_zone, &u.zones);
	return u;
}

static void
attach_and_detach(int times)
{
	int i;

	start_card(NULL);
	for (i = 0; i < times; i++) {
		assert_int_equal(attach(""), 0);
		if (i % 4 == 1)
			configure(2, true);
		if (i % 4 == 2) {
			run_port(2, i % 8 == 2);
			expect_traffic(pool);
		}
		if (i % 4 == 3) {
			/* Closed by the application, then removed. */
			run_port(1, false);
			assert_int_equal(rte_eth_dev_stop(port), 0);
			assert_int_equal(rte_eth_dev_close(port), 0);
		}
		detach();
		/* The server sees it a little later. */
		wait_for(!card_info().attached);
	}
	stop_card();
}

static void
nothing_is_left(void **state)
{
	struct used before, after;
	int i;

	(void)state;
	attach_and_detach(8);
	before = use();
	attach_and_detach(100);
	after = use();
	assert_int_equal(after.fds, before.fds);
	assert_int_equal(after.threads, before.threads);
	assert_int_equal(after.dpdk_heap, before.dpdk_heap);
	assert_int_equal(after.zones, before.zones);

	/* And of those that came to nothing. */
	rte_log_set_level_pattern("*", RTE_LOG_EMERG);
	assert_int_not_equal(attach(""), 0);
	before = use();
	for (i = 0; i < 100; i++)
		assert_int_not_equal(attach(""), 0);
	after = use();
	rte_log_set_level_pattern("*", RTE_LOG_NOTICE);
	assert_int_equal(after.fds, before.fds);
	assert_int_equal(after.threads, before.threads);
	assert_int_equal(after.dpdk_heap, before.dpdk_heap);
	assert_true(after.heap < before.heap + 4096);
}

static int
run(const struct eal_mode *m)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(no_server, rig_tear_down),
		cmocka_unit_test_teardown(busy_server, rig_tear_down),
		cmocka_unit_test_teardown(other_devices, rig_tear_down),
		cmocka_unit_test_teardown(unsealed_doorbells, rig_tear_down),
		cmocka_unit_test_teardown(nothing_is_left, rig_tear_down),
	};

	if (rig_set_up() != 0)
		return 1;
	return cmocka_run_group_tests_name(m->name, tests, NULL, NULL);
}

/* Memory that stays, and memory that comes and goes. */
static bool
wanted(const struct eal_mode *m)
{
	return strcmp(m->name, "no-huge") == 0 || strcmp(m->name, "in-memory") == 0;
}

int
main(int argc, char **argv)
{
	return eal_modes_main(argc, argv, wanted, run);
}
