/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A vfio-user server for tests/protocol: one small device per socket path given.
 *
 * Its regions have the shape of a vmxnet3's: BAR0 mappable, BAR1 registers, BAR2 with a page that
 * may be mapped and one that may not, configuration space. BAR1 has these registers, of 8 bytes:
 *
 *   0x100  write a DMA address: the 8 bytes there are copied to 0x108; EFAULT when it is not mapped
 *   0x108  see above
 *   0x110  write a DMA address: a thread of the device stores to it all the time; 0 stops it
 *   0x118  read: how many stores there have been
 *   0x120  read: 1 when the client has truncated its memory
 *   0x128  write n: raises MSI-X vector n
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vfu_dma.h"
#include "vfu_server.h"
#include "vfu_socket.h"

#define MAX_DEVICES 8
#define BAR_SIZE    4096u
#define NB_VECTORS  25u

enum {
	REG_PEEK = 0x100,
	REG_PEEKED = 0x108,
	REG_TARGET = 0x110,
	REG_STORES = 0x118,
	REG_BROKEN = 0x120,
	REG_RAISE = 0x128
};

struct device {
	const char *path;
	struct vfu_socket *sock;
	struct vfu_server *server;
	pthread_t control, datapath;
	uint8_t *bar0;
	uint8_t bar1[BAR_SIZE], bar2[2 * BAR_SIZE], config[256];

	atomic_uint_fast64_t target, stores;
	atomic_uint_fast64_t rounds; /* of the datapath: it holds nothing between two */
	atomic_bool stop;
};

static const struct vfu_area bar2_area = {BAR_SIZE, BAR_SIZE};

static void *
run_datapath(void *arg)
{
	struct device *d = arg;
	struct vfu_dma *dma = vfu_server_dma(d->server);
	struct vfu_dma_range range;

	while (!atomic_load(&d->stop)) {
		uint64_t iova = atomic_load(&d->target);

		if (iova == 0) {
			usleep(100);
		} else if (vfu_dma_lookup(dma, iova, &range) && (range.prot & VFU_DMA_WRITE) != 0 &&
			   range.iova + range.len - iova >= sizeof(uint64_t)) {
			uint64_t n = atomic_fetch_add(&d->stores, 1) + 1;

			memcpy(range.host + (iova - range.iova), &n, sizeof(n));
		}
		atomic_fetch_add(&d->rounds, 1);
	}
	return NULL;
}

/* Two steps: the round that is under way may have begun before the caller's change. */
static void
quiesce(void *ctx)
{
	struct device *d = ctx;
	uint64_t until = atomic_load(&d->rounds) + 2;

	while (atomic_load(&d->rounds) < until && !atomic_load(&d->stop))
		sched_yield();
}

static uint8_t *
region_memory(struct device *d, uint32_t region)
{
	uint8_t *const memory[VFU_MAX_REGIONS] = {
		[0] = d->bar0,
		[1] = d->bar1,
		[2] = d->bar2,
		[VFU_REGION_CONFIG] = d->config,
	};

	return memory[region];
}

static int
region_read(void *ctx, uint32_t region, uint64_t offset, void *buf, uint32_t len)
{
	struct device *d = ctx;
	uint64_t stores = atomic_load(&d->stores);
	uint64_t broken = vfu_dma_broken(vfu_server_dma(d->server));

	memcpy(d->bar1 + REG_STORES, &stores, sizeof(stores));
	memcpy(d->bar1 + REG_BROKEN, &broken, sizeof(broken));
	memcpy(buf, region_memory(d, region) + offset, len);
	return 0;
}

static int
peek(struct device *d, uint64_t iova)
{
	struct vfu_dma_range range;

	if (!vfu_dma_lookup(vfu_server_dma(d->server), iova, &range) ||
		(range.prot & VFU_DMA_READ) == 0 ||
		range.iova + range.len - iova < sizeof(uint64_t))
		return -EFAULT;
	memcpy(d->bar1 + REG_PEEKED, range.host + (iova - range.iova), sizeof(uint64_t));
	return 0;
}

static int
raise_vector(struct device *d, uint32_t vector)
{
	int fd = vfu_server_irq_fd(d->server, VFU_IRQ_MSIX, vector);
	const uint64_t one = 1;

	return fd >= 0 && write(fd, &one, sizeof(one)) == sizeof(one) ? 0 : -ENXIO;
}

static int
region_write(void *ctx, uint32_t region, uint64_t offset, const void *buf, uint32_t len)
{
	struct device *d = ctx;
	uint64_t value = 0;

	memcpy(region_memory(d, region) + offset, buf, len);
	if (region != 1 || len != sizeof(value))
		return 0;
	memcpy(&value, buf, sizeof(value));
	if (offset == REG_PEEK)
		return peek(d, value);
	if (offset == REG_TARGET)
		atomic_store(&d->target, value);
	else if (offset == REG_RAISE)
		return raise_vector(d, value);
	return 0;
}

static void
stop_stores(void *ctx)
{
	struct device *d = ctx;

	atomic_store(&d->target, 0);
	atomic_store(&d->stores, 0);
	quiesce(d);
	memset(d->bar0, 0, BAR_SIZE);
	memset(d->bar1, 0, sizeof(d->bar1));
}

static void
log_line(void *ctx, enum vfu_log_level level, const char *line)
{
	(void)level;
	fprintf(stderr, "%s: %s\n", ((struct device *)ctx)->path, line);
}

static void *
run_control(void *arg)
{
	struct device *d = arg;

	vfu_socket_run(d->sock, d->server);
	return NULL;
}

static void
start(struct device *d, const char *path)
{
	const struct vfu_socket_conf conf = {path, (uid_t)-1, (gid_t)-1, 0};
	struct vfu_device dev = {
		.ctx = d,
		.region_read = region_read,
		.region_write = region_write,
		.reset = stop_stores,
		.disconnected = stop_stores,
		.quiesce = quiesce,
		.log = log_line,
		.nb_irqs = {[VFU_IRQ_INTX] = 1, [VFU_IRQ_MSIX] = NB_VECTORS},
	};
	int fd = memfd_create("vfu-test-bars", MFD_CLOEXEC), i;
	char why[256];

	d->path = path;
	if (fd < 0 || ftruncate(fd, 3 * BAR_SIZE) != 0)
		exit(1);
	d->bar0 = mmap(NULL, BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (d->bar0 == MAP_FAILED)
		exit(1);
	for (i = 0; i < VFU_MAX_REGIONS; i++)
		dev.region[i].fd = -1;
	dev.region[0] = (struct vfu_region){BAR_SIZE, true, true, fd, 0, NULL, 0};
	dev.region[1] = (struct vfu_region){BAR_SIZE, true, true, -1, 0, NULL, 0};
	dev.region[2] = (struct vfu_region){2 * BAR_SIZE, true, true, fd, BAR_SIZE, &bar2_area, 1};
	dev.region[VFU_REGION_CONFIG] = (struct vfu_region){256, true, true, -1, 0, NULL, 0};
	d->server = vfu_server_create(&dev);
	if (d->server == NULL || vfu_socket_open(&conf, &d->sock, why, sizeof(why)) != 0) {
		fprintf(stderr, "%s\n", d->server == NULL ? "no server" : why);
		exit(1);
	}
	if (pthread_create(&d->datapath, NULL, run_datapath, d) != 0 ||
		pthread_create(&d->control, NULL, run_control, d) != 0)
		exit(1);
}

static void
end(struct device *d)
{
	vfu_socket_stop(d->sock);
	pthread_join(d->control, NULL);
	atomic_store(&d->stop, true);
	pthread_join(d->datapath, NULL);
	vfu_socket_close(d->sock);
	vfu_server_destroy(d->server);
	munmap(d->bar0, BAR_SIZE);
}

int
main(int argc, char **argv)
{
	static struct device devices[MAX_DEVICES];
	int i, signo, n = argc - 1;
	sigset_t set;

	if (n < 1 || n > MAX_DEVICES) {
		fprintf(stderr, "usage: %s SOCKET... (1 to %d)\n", argv[0], MAX_DEVICES);
		return 2;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (vfu_dma_install_sigbus_handler() != 0)
		return 1;
	for (i = 0; i < n; i++)
		start(&devices[i], argv[i + 1]);
	sigwait(&set, &signo);
	for (i = 0; i < n; i++)
		end(&devices[i]);
	return 0;
}
