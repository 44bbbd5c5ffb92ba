/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control against datapath: two threads poll and deliver without a pause, while a driver activates,
 * stops, resets and changes its settings, memory comes and goes, and rings hold what they hold.
 *
 * Memory is really gone after an unmap (the table's last user of the file unmaps it), so whoever
 * still touches it crashes.
 */
#include "control_guest.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#define NB_WORKERS 2
#define SECONDS    2
#define MIN_TURNS  50 /* however busy the machine */

struct worker {
	pthread_t thread;
	struct vmxnet3_dev *dev;
	struct vmxnet3_burst *burst;
	unsigned int index;
	_Atomic uint64_t rounds; /* stands outside of the device at each step */
	_Atomic uint64_t frames;
};

static struct worker workers[NB_WORKERS];
static atomic_bool stop;

/* Waits until each worker has been outside. */
static void
wait_for_workers(void *ctx __rte_unused)
{
	uint64_t seen;
	unsigned int i;

	for (i = 0; i < NB_WORKERS; i++) {
		if (workers[i].dev == NULL)
			continue;
		seen = atomic_load(&workers[i].rounds);
		while (atomic_load(&workers[i].rounds) == seen)
			sched_yield();
	}
}

static void
on_table_change(void *ctx)
{
	struct guest *g = ctx;

	if (g->dev != NULL)
		vmxnet3_dev_dma_changed(g->dev);
	wait_for_workers(NULL);
}

static void
poll_device(struct worker *w)
{
	struct offload_frame *frames, *list[VMXNET3_BURST_FRAMES];
	uint16_t nb_queues = vmxnet3_dev_nb_tx_queues(w->dev), q, n, i;

	for (q = (uint16_t)w->index; q < nb_queues; q += NB_WORKERS) {
		n = vmxnet3_dev_tx_begin(w->dev, q, w->burst, VMXNET3_BURST_FRAMES, &frames);
		if (n == 0)
			continue;
		for (i = 0; i < n; i++)
			list[i] = &frames[i];
		vmxnet3_dev_deliver(w->dev, list, n);
		w->frames += n;
		vmxnet3_dev_tx_end(w->dev, q, w->burst);
	}
	vmxnet3_dev_intr_poll(w->dev);
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	uint8_t room[OFFLOAD_HEADROOM + 60];
	struct offload_seg seg = { .data = room + OFFLOAD_HEADROOM, .len = 60 };
	struct offload_frame f, *list = &f;

	memset(room, 0xff, sizeof(room));
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		poll_device(w);
		f = (struct offload_frame){ .seg = &seg, .nb_segs = 1, .len = 60 };
		vmxnet3_dev_deliver(w->dev, &list, 1);
		atomic_fetch_add(&w->rounds, 1);
	}
	return NULL;
}

/* Descriptors of both kinds with the given generation, all over the rings. */
static void
fill_rings(struct guest *g, uint32_t tx_gen, uint32_t rx_gen)
{
	uint32_t nb_tx = shared_area(g)->misc.num_tx_queues, at, i;
	bool tx;

	for (at = 0, i = 0; at < 64 * RING_STEP; at += 16, i++) {
		uint32_t *d = (uint32_t *)(g->ram + AT_RINGS + at);

		tx = at / (2 * RING_STEP) < nb_tx;
		d[0] = (uint32_t)GUEST_IOVA + AT_MC + (at << 6) % 0x300000;
		d[1] = GUEST_IOVA >> 32;
		d[3] = tx ? VMXNET3_TXD_EOP | VMXNET3_TXD_CQ : 0;
		d[2] = tx ? 100 | tx_gen << VMXNET3_TXD_GEN_SHIFT
			  : 1600 | (i / RING_SIZE % 4 == 1 ? VMXNET3_RXD_BODY : 0) |
				    rx_gen << VMXNET3_RXD_GEN_SHIFT;
	}
}

static void
change_settings(struct guest *g, uint32_t turn)
{
	struct vmxnet3_shared *s = shared_area(g);

	s->rx_filter.rx_mode = turn & 1 ? 0x1f : 5;
	s->misc.upt_features = turn & 0xf;
	s->rss_conf = (struct vmxnet3_var_conf){ 1, 176, GUEST_IOVA + AT_ARGS };
	s->rx_filter.mf_table_len = (uint16_t)(turn * 6);
	s->rx_filter.mf_table_pa = GUEST_IOVA + AT_MC;
	command(g, VMXNET3_CMD_UPDATE_RX_MODE);
	command(g, VMXNET3_CMD_UPDATE_FEATURE);
	command(g, VMXNET3_CMD_UPDATE_RSSIDT);
	command(g, VMXNET3_CMD_UPDATE_MAC_FILTERS);
	command(g, VMXNET3_CMD_GET_STATS);
	reg_write(g, 1, VMXNET3_REG_MACH, turn);
}

/*
 * This guest gives a buffer back while a core may still be writing to it, so that another core writes there, too. That is
 * the guest's own affair: ThreadSanitizer need not tell. What a driver does that keeps the rules is test_dev_many's.
 */
static void
expect_races(struct guest *g)
{
#ifdef __SANITIZE_THREAD__
	extern void AnnotateBenignRaceSized(const char *file, int line, const volatile void *mem, size_t size, const char *text);
	struct vfu_dma_range range;

	assert_true(vfu_dma_lookup(g->dma, GUEST_IOVA + AT_MC, &range));
	AnnotateBenignRaceSized(__FILE__, __LINE__, range.host, range.len, "buffers that the guest gives away twice");
#else
	(void)g;
#endif
}

static void
remap_all(struct guest *g)
{
	vfu_dma_clear(g->dma);
	assert_int_equal(vfu_dma_map(g->dma, GUEST_IOVA, GUEST_BYTES, VFU_DMA_READ | VFU_DMA_WRITE,
		g->fd, 0), 0);
	expect_races(g);
	vmxnet3_dev_dma_changed(g->dev);
}

static void
one_turn(struct guest *g, uint32_t turn)
{
	switch (rand() % 10) {
	case 0:
		command(g, VMXNET3_CMD_QUIESCE_DEV);
		break;
	case 1:
		command(g, VMXNET3_CMD_RESET_DEV);
		break;
	case 2:
		vmxnet3_dev_pci_reset(g->dev);
		pci_write(g, 0x04, PCI_BUS_MASTER, 2);
		select_revision(g, 7);
		enable_msix(g);
		break;
	case 3:
		remap_all(g);
		break;
	case 4:
		pci_write(g, 0x04, 0, 2);
		pci_write(g, 0x04, PCI_BUS_MASTER, 2);
		break;
	case 5:
	case 6:
		change_settings(g, turn);
		break;
	case 7:
		vmxnet3_dev_set_link(g->dev, turn & 1);
		set_imr(g, turn % 8, 0);
		break;
	default:
		fill_shared(g, 1 + turn % 4, 1 + turn % 5);
		((struct vmxnet3_rss_conf *)(g->ram + AT_ARGS))->hash_func = 1;
		((struct vmxnet3_rss_conf *)(g->ram + AT_ARGS))->ind_table_size = 128;
		fill_rings(g, 1, 1);
		assert_int_equal(activate(g), 0);
		break;
	}
	fill_rings(g, turn & 1, turn >> 1 & 1);
	wait_for_workers(NULL);
}

/* Whatever went on before, a driver that begins anew gets its frames through. */
static void
expect_frames(struct guest *g)
{
	uint64_t before[NB_WORKERS];
	unsigned int i;

	vmxnet3_dev_set_link(g->dev, true);
	fill_shared(g, 4, 1);
	fill_rings(g, 0, 0);
	assert_int_equal(activate(g), 0);
	for (i = 0; i < NB_WORKERS; i++)
		before[i] = atomic_load(&workers[i].frames);
	fill_rings(g, 1, 1);
	for (i = 0; i < NB_WORKERS; i++) {
		time_t end = time(NULL) + 20;

		while (atomic_load(&workers[i].frames) == before[i])
			assert_true(time(NULL) < end);
	}
}

static void
open_guest(struct guest *g)
{
	struct vmxnet3_intr_ops intr = { .ctx = g, .raise = guest_on_raise };
	struct vmxnet3_dev_ops ops = { .ctx = g, .quiesce = wait_for_workers, .now = guest_on_now };
	char err[256];

	guest_open(g, &guest_conf);
	vmxnet3_dev_detach(g->dev);
	vmxnet3_dev_destroy(g->dev);
	vfu_dma_destroy(g->dma);
	g->dma = vfu_dma_create(1024, on_table_change, g);
	g->dev = vmxnet3_dev_create(&guest_conf, &ops, err, sizeof(err));
	assert_non_null(g->dev);
	vmxnet3_dev_attach(g->dev, g->dma, &intr);
	remap_all(g);
	pci_write(g, 0x04, PCI_BUS_MASTER, 2);
	select_revision(g, 7);
}

static void
test_everything_at_once(void **state __rte_unused)
{
	time_t end = time(NULL) + SECONDS + 1;
	struct vmxnet3_dev_stats stats;
	static struct guest g;
	uint32_t turn;
	unsigned int i;

	open_guest(&g);
	for (i = 0; i < NB_WORKERS; i++) {
		workers[i].dev = g.dev;
		workers[i].index = i;
		workers[i].burst = vmxnet3_burst_create();
		assert_non_null(workers[i].burst);
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (turn = 1; turn < MIN_TURNS || time(NULL) < end; turn++)
		one_turn(&g, turn);
	expect_frames(&g);
	/* After the detach nobody touches memory any more. */
	vmxnet3_dev_detach(g.dev);
	vfu_dma_clear(g.dma);
	usleep(10000);
	atomic_store(&stop, true);
	for (i = 0; i < NB_WORKERS; i++) {
		pthread_join(workers[i].thread, NULL);
		workers[i].dev = NULL;
		vmxnet3_burst_destroy(workers[i].burst);
	}
	vmxnet3_dev_stats_get(g.dev, &stats);
	assert_true(stats.tx_frames > 0 && stats.rx_frames > 0 && stats.interrupts > 0);
	guest_close(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
