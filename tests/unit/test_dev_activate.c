/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ACTIVATE_DEV: what is taken, what is refused; the shared area; memory that goes; filters and RSS.
 */
#include "control_guest.h"

#include <dirent.h>
#include <errno.h>
#include <malloc.h>

/* ---- activation ---- */

static void
test_activation(void **state)
{
	struct guest *g = *state;
	struct vmxnet3_dev_info info;
	uint32_t i;

	fill_shared(g, 3, 2);
	shared_area(g)->misc.max_num_rx_sg = 18;
	shared_area(g)->size = 0;
	for (i = 0; i < 3; i++)
		tx_desc(g, i)->status = (struct vmxnet3_queue_status){ .stopped = 1, .error = 5 };
	memset(g->ram + AT_RINGS, 0x77, 64 * RING_STEP);
	g->changes = 0;
	assert_int_equal(activate(g), 0);
	assert_int_equal(g->changes, 1);
	for (i = 0; i < 3; i++) {
		assert_int_equal(tx_desc(g, i)->status.stopped, 0);
		assert_int_equal(tx_desc(g, i)->status.error, 0);
		assert_int_equal(tx_desc(g, i)->tx_threshold, 0x7fffffff);
		assert_int_equal(tx_desc(g, i)->tx_num_deferred, 0);
		assert_true(atomic_load(&g->dev->txq[i].ready));
	}
	for (i = 0; i < 2; i++)
		assert_int_equal(rx_desc(g, i)->update_rx_prod, 1);
	for (i = 0; i < 64 * RING_STEP; i++)
		assert_int_equal(g->ram[AT_RINGS + i], 0x77);
	vmxnet3_dev_info_get(g->dev, &info);
	assert_true(info.active && info.attached && info.link_up && !info.broken);
	assert_int_equal(info.nb_tx_queues, 3);
	assert_int_equal(info.nb_rx_queues, 2);
	assert_int_equal(info.mtu, 1500);
	assert_int_equal(info.rx_mode, VMXNET3_RXM_UCAST | VMXNET3_RXM_BCAST);
	assert_int_equal(info.features, VMXNET3_F_RXCSUM);
	assert_int_equal(info.driver_version, 0x01090000);
	assert_int_equal(info.activations, 1);
	assert_int_equal(vmxnet3_dev_nb_tx_queues(g->dev), 3);
	/* Anew, without a quiesce in between. */
	fill_shared(g, 1, 4);
	assert_int_equal(activate(g), 0);
	vmxnet3_dev_info_get(g->dev, &info);
	assert_int_equal(info.nb_tx_queues, 1);
	assert_int_equal(info.nb_rx_queues, 4);
	assert_false(atomic_load(&g->dev->txq[1].ready));
}

static void
test_message_doorbells(void **state)
{
	struct vmxnet3_dev_conf conf = guest_conf;
	struct guest *g = *state;

	guest_close(g);
	conf.doorbell = VMXNET3_DOORBELL_MESSAGE;
	guest_open_filled(g, &conf);
	assert_int_equal(activate(g), 0);
	assert_int_equal(tx_desc(g, 0)->tx_threshold, 1);
	assert_int_equal(rx_desc(g, 0)->update_rx_prod, 1);
}

enum broken {
	BAD_MAGIC, NO_TXQ, MANY_TXQ, NO_RXQ, MANY_RXQ, DESC_UNALIGNED, DESC_UNMAPPED, DESC_AT_END,
	DESC_WRAPS, DESC_SHORT, TX_RING_0, TX_RING_BIG, TX_RING_HUGE, TX_RING_UNALIGNED,
	TX_RING_UNMAPPED, TX_RING_AT_END, TX_RING_WRAPS, TX_COMP_0, TX_COMP_BIG, TX_COMP_UNMAPPED,
	RX_RING0_0, RX_RING0_BIG, RX_RING0_UNALIGNED, RX_RING0_UNMAPPED, RX_RING1_BIG,
	RX_RING1_UNMAPPED, RX_COMP_0, RX_COMP_BIG, RX_COMP_HUGE, RX_COMP_UNMAPPED, LAST_QUEUE,
	NB_BROKEN
};

static void
break_shared(struct guest *g, enum broken what)
{
	struct vmxnet3_misc_conf *misc = &shared_area(g)->misc;
	struct vmxnet3_tx_queue_desc *tx = tx_desc(g, 0);
	struct vmxnet3_rx_queue_desc *rx = rx_desc(g, 0);
	const uint64_t end = GUEST_IOVA + GUEST_BYTES;

	switch (what) {
	case BAD_MAGIC: shared_area(g)->magic ^= 1; break;
	case NO_TXQ: misc->num_tx_queues = 0; break;
	case MANY_TXQ: misc->num_tx_queues = 0xff; break;
	case NO_RXQ: misc->num_rx_queues = 0; break;
	case MANY_RXQ: misc->num_rx_queues = 33; misc->queue_desc_len = UINT32_MAX; break;
	case DESC_UNALIGNED: misc->queue_desc_pa += 64; break;
	case DESC_UNMAPPED: misc->queue_desc_pa = 0x1000; break;
	case DESC_AT_END: misc->queue_desc_pa = end - 256; break;
	case DESC_WRAPS: misc->queue_desc_pa = UINT64_MAX - 127; break;
	case DESC_SHORT: misc->queue_desc_len -= 1; break;
	case TX_RING_0: tx->tx_ring_size = 0; break;
	case TX_RING_BIG: tx->tx_ring_size = 4097; break;
	case TX_RING_HUGE: tx->tx_ring_size = UINT32_MAX; break;
	case TX_RING_UNALIGNED: tx->tx_ring_pa += 256; break;
	case TX_RING_UNMAPPED: tx->tx_ring_pa = end; break;
	case TX_RING_AT_END: tx->tx_ring_pa = end - 512; tx->tx_ring_size = 33; break;
	case TX_RING_WRAPS: tx->tx_ring_pa = UINT64_MAX - 511; tx->tx_ring_size = 4096; break;
	case TX_COMP_0: tx->comp_ring_size = 0; break;
	case TX_COMP_BIG: tx->comp_ring_size = 4097; break;
	case TX_COMP_UNMAPPED: tx->comp_ring_pa = 0; break;
	case RX_RING0_0: rx->rx_ring_size[0] = 0; break;
	case RX_RING0_BIG: rx->rx_ring_size[0] = 4097; break;
	case RX_RING0_UNALIGNED: rx->rx_ring_pa[0] |= 1; break;
	case RX_RING0_UNMAPPED: rx->rx_ring_pa[0] = 0; break;
	case RX_RING1_BIG: rx->rx_ring_size[1] = 0x10000; break;
	case RX_RING1_UNMAPPED: rx->rx_ring_pa[1] = UINT64_C(1) << 63; break;
	case RX_COMP_0: rx->comp_ring_size = 0; break;
	case RX_COMP_BIG: rx->comp_ring_size = 8193; break;
	case RX_COMP_HUGE: rx->comp_ring_size = 0x10000001; break;
	case RX_COMP_UNMAPPED: rx->comp_ring_pa = end - 512; rx->comp_ring_size = 64; break;
	case LAST_QUEUE: rx_desc(g, 1)->comp_ring_pa = 0; break;
	case NB_BROKEN: break;
	}
}

static void
test_every_bad_field(void **state)
{
	struct guest *g = *state;
	unsigned int what;

	for (what = 0; what < NB_BROKEN; what++) {
		fill_shared(g, 2, 2);
		break_shared(g, (enum broken)what);
		g->now += UINT64_C(20000000000); /* for the log's bound */
		g->log[0] = '\0';
		assert_int_equal(activate(g), 1);
		assert_non_null(strstr(g->log, "port0: activation refused: "));
		assert_false(is_active(g));
		assert_int_equal(vmxnet3_dev_nb_tx_queues(g->dev), 0);
		assert_null(atomic_load(&g->dev->intr.ecr));
		/*
		 * Neither refused nor half active: the right one works, and the wrong one stops it.
		 */
		fill_shared(g, 2, 2);
		assert_int_equal(activate(g), 0);
		break_shared(g, (enum broken)what);
		assert_int_equal(activate(g), 1);
		assert_false(is_active(g));
	}
}

/* What drivers get wrong, or right in their own way, and must work. */
static void
test_tolerated_fields(void **state)
{
	struct guest *g = *state;
	struct vmxnet3_shared *s = shared_area(g);

	s->size = UINT32_MAX;
	s->misc.rev_spt = 0;
	s->misc.upt_ver_spt = UINT32_MAX;
	s->misc.mtu = UINT32_MAX;
	s->misc.upt_features = UINT64_MAX;
	s->misc.dd_pa = UINT64_MAX;
	s->intr.num_intrs = 0xff;
	s->intr.event_intr_idx = 0xff;
	s->rx_filter.rx_mode = UINT32_MAX;
	s->rx_filter.mf_table_len = UINT16_MAX;
	s->rx_filter.mf_table_pa = UINT64_MAX;
	s->rss_conf.len = UINT32_MAX;
	s->rss_conf.pa = UINT64_MAX;
	tx_desc(g, 0)->intr_idx = 0xff;
	tx_desc(g, 0)->data_ring_pa = UINT64_MAX;
	tx_desc(g, 0)->data_ring_size = UINT32_MAX;
	tx_desc(g, 0)->tx_ring_size = 31;
	rx_desc(g, 0)->intr_idx = 0xff;
	rx_desc(g, 0)->rx_ring_size[1] = 0;
	rx_desc(g, 0)->rx_ring_pa[1] = 0;
	rx_desc(g, 0)->data_ring_pa = UINT64_MAX;
	rx_desc(g, 0)->data_ring_desc_size = 100;
	assert_int_equal(activate(g), 0);
	assert_int_equal(g->dev->st->cfg.mtu, 9000);
	assert_int_equal(g->dev->st->cfg.rss_types, 0);
	assert_int_equal(g->dev->st->rxq[0].ring[1].size, 0);
	assert_int_equal(g->dev->st->rxq[0].data_desc_size, 0);
	assert_int_equal(dev_filter(g->dev)->nb_mc, 0);
	s->misc.mtu = 0;
	s->intr.num_intrs = 0;
	assert_int_equal(activate(g), 0);
	assert_int_equal(g->dev->st->cfg.mtu, 60);
	s->misc.mtu = 9000;
	assert_int_equal(vmxnet3_dev_set_mtu(g->dev, 1500), 0);
	assert_int_equal(vmxnet3_dev_set_mtu(g->dev, 59), -EINVAL);
	assert_int_equal(vmxnet3_dev_set_mtu(g->dev, 9191), -EINVAL);
	assert_int_equal(g->dev->st->cfg.mtu, 60);
	assert_int_equal(activate(g), 0);
	assert_int_equal(g->dev->st->cfg.mtu, 1500);
}

static unsigned int
count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t
count_bytes(void)
{
	if (__sanitizer_get_current_allocated_bytes != NULL)
		return __sanitizer_get_current_allocated_bytes();
	return mallinfo2().uordblks;
}

static void
test_many_activations(void **state)
{
	struct guest *g = *state;
	unsigned int fds = count_fds(), i;
	size_t bytes;

	activate(g);
	bytes = count_bytes();
	for (i = 0; i < 100000; i++) {
		assert_int_equal(activate(g), 0);
		if (i % 3 == 0)
			command(g, VMXNET3_CMD_QUIESCE_DEV);
		if (i % 1000 == 0)
			command(g, VMXNET3_CMD_RESET_DEV);
	}
	assert_int_equal(count_bytes(), bytes);
	assert_int_equal(count_fds(), fds);
	/* Nor does it fill the log. */
	assert_in_range(g->lines, 1, 100);
}

/* ---- the shared area ---- */

/* A driver of revision 1 allocates 720 bytes; here nothing is mapped behind them. */
static void
test_small_shared_area(void **state)
{
	const uint32_t at = GUEST_BYTES / 2 - VMXNET3_SHARED_V1_BYTES;
	struct guest *g = *state;

	select_revision(g, 1);
	fill_shared(g, 8, 16);
	shared_area(g)->intr.event_intr_idx = 3;
	memcpy(g->ram + at, g->ram + AT_SHARED, VMXNET3_SHARED_V1_BYTES);
	assert_int_equal(vfu_dma_unmap(g->dma, GUEST_IOVA, GUEST_BYTES), 0);
	assert_int_equal(vfu_dma_map(g->dma, GUEST_IOVA, GUEST_BYTES / 2,
		VFU_DMA_READ | VFU_DMA_WRITE, g->fd, 0), 0);
	vmxnet3_dev_dma_changed(g->dev);
	memset(g->ram + GUEST_BYTES / 2, 0x3c, 4096);
	set_dsa(g, GUEST_IOVA + at);
	assert_int_equal(command(g, VMXNET3_CMD_ACTIVATE_DEV), 0);
	vmxnet3_dev_set_link(g->dev, false);
	command(g, VMXNET3_CMD_SET_COALESCE);
	command(g, VMXNET3_CMD_UPDATE_RX_MODE);
	command(g, VMXNET3_CMD_QUIESCE_DEV);
	assert_int_equal(g->ram[GUEST_BYTES / 2], 0x3c);
	assert_memory_equal(g->ram + GUEST_BYTES / 2, g->ram + GUEST_BYTES / 2 + 1, 4095);

	/* The extended area of revision 7 is missed only where it is needed. */
	select_revision(g, 7);
	set_dsa(g, GUEST_IOVA + at);
	assert_int_equal(command(g, VMXNET3_CMD_ACTIVATE_DEV), 0);
	fill_shared(g, 9, 1);
	memcpy(g->ram + at, g->ram + AT_SHARED, VMXNET3_SHARED_V1_BYTES);
	assert_int_equal(command(g, VMXNET3_CMD_ACTIVATE_DEV), 1);
}

static void
test_memory_not_shared(void **state)
{
	struct guest *g = *state;

	memset(g->ram, 0, AT_RINGS);
	assert_int_equal(activate(g), 1);
	assert_non_null(strstr(g->log, "port0: "));
	assert_non_null(strstr(g->log,
		"guest RAM is not shared: give QEMU memory-backend-memfd,share=on"));
	/* The same when the client gave no file at all. */
	vfu_dma_clear(g->dma);
	assert_int_equal(vfu_dma_map(g->dma, GUEST_IOVA, GUEST_BYTES, VFU_DMA_READ, -1, 0), 0);
	g->log[0] = '\0';
	assert_int_equal(activate(g), 1);
	assert_non_null(strstr(g->log, "memory-backend-memfd,share=on"));
}

static void
test_read_only_memory(void **state)
{
	struct guest *g = *state;

	vfu_dma_clear(g->dma);
	assert_int_equal(vfu_dma_map(g->dma, GUEST_IOVA, GUEST_BYTES, VFU_DMA_READ, g->fd, 0), 0);
	assert_int_equal(activate(g), 1);
	assert_false(is_active(g));
}

/* ---- memory comes and goes ---- */

static void
test_unmapped_ring_rests(void **state)
{
	struct guest *g = *state;
	uint8_t *page;

	fill_shared(g, 2, 1);
	assert_int_equal(vfu_dma_map(g->dma, 0x10000, 0x2000, VFU_DMA_READ | VFU_DMA_WRITE, g->fd,
		0x500000), 0);
	tx_desc(g, 1)->tx_ring_pa = 0x10000;
	tx_desc(g, 1)->tx_ring_size = 512;
	assert_int_equal(activate(g), 0);
	page = g->dev->txq[1].ring.page[1];
	assert_non_null(page);

	assert_int_equal(vfu_dma_unmap(g->dma, 0x10000, 0x2000), 0);
	g->quiesces = 0;
	vmxnet3_dev_dma_changed(g->dev);
	assert_true(g->quiesces > 0);
	assert_false(atomic_load(&g->dev->txq[1].ready));
	assert_true(atomic_load(&g->dev->txq[0].ready));
	assert_true(atomic_load(&g->dev->rxq[0].ready));
	assert_true(is_active(g));
	/* Back in halves, at another place. */
	assert_int_equal(vfu_dma_map(g->dma, 0x10000, 0x1000, VFU_DMA_READ | VFU_DMA_WRITE, g->fd,
		0x600000), 0);
	vmxnet3_dev_dma_changed(g->dev);
	assert_false(atomic_load(&g->dev->txq[1].ready));
	assert_int_equal(vfu_dma_map(g->dma, 0x11000, 0x1000, VFU_DMA_READ, g->fd, 0x500000), 0);
	vmxnet3_dev_dma_changed(g->dev);
	assert_true(atomic_load(&g->dev->txq[1].ready));
	assert_ptr_not_equal(g->dev->txq[1].ring.page[1], page);
	assert_ptr_equal(g->dev->txq[1].next, g->dev->txq[1].ring.page[0]);
}

static void
test_unmapped_shared_area(void **state)
{
	struct guest *g = *state;
	uint32_t i;

	shared_area(g)->intr.event_intr_idx = 1;
	enable_msix(g);
	for (i = 0; i < 3; i++) {
		assert_int_equal(activate(g), 0);
		set_imr(g, 1, 0);
		vfu_dma_clear(g->dma);
		vmxnet3_dev_dma_changed(g->dev);
		assert_null(atomic_load(&g->dev->intr.ecr));
		vmxnet3_dev_set_link(g->dev, i % 2);
		dev_txq_fail(g->dev, &g->dev->txq[0], VMXNET3_ERR_NOEOP);
		command(g, VMXNET3_CMD_GET_STATS);
		command(g, VMXNET3_CMD_UPDATE_MAC_FILTERS);
		assert_int_equal(reg_read(g, 1, VMXNET3_REG_ECR), 0);
		reg_write(g, 1, VMXNET3_REG_ECR, 4);
		if (i == 1)
			command(g, VMXNET3_CMD_QUIESCE_DEV);
		assert_int_equal(vfu_dma_map(g->dma, GUEST_IOVA, GUEST_BYTES,
			VFU_DMA_READ | VFU_DMA_WRITE, g->fd, 0), 0);
		vmxnet3_dev_dma_changed(g->dev);
		assert_int_equal(atomic_load(&g->dev->intr.ecr) != NULL, i != 1);
	}
}

/* ---- filters, features, RSS ---- */

static void
test_filters(void **state)
{
	struct guest *g = *state;
	struct vmxnet3_rx_filter_conf *f = &shared_area(g)->rx_filter;
	uint32_t i;

	for (i = 0; i < OFFLOAD_FILTER_MAX_MC; i++) {
		uint8_t *mac = g->ram + AT_MC + 6 * i;

		mac[0] = 0x33;
		mac[4] = (uint8_t)(i >> 8);
		mac[5] = (uint8_t)i;
	}
	assert_int_equal(activate(g), 0);
	f->rx_mode = UINT32_MAX;
	assert_int_equal(dev_filter(g->dev)->mode, 5);
	g->quiesces = 0;
	assert_int_equal(command(g, VMXNET3_CMD_UPDATE_RX_MODE), 0);
	assert_true(g->quiesces > 0); /* nobody reads the old one when the command ends */
	assert_int_equal(dev_filter(g->dev)->mode, 0x1f);

	f->mf_table_pa = GUEST_IOVA + AT_MC;
	f->mf_table_len = 6 * 3 + 5; /* a floor */
	command(g, VMXNET3_CMD_UPDATE_MAC_FILTERS);
	assert_int_equal(dev_filter(g->dev)->nb_mc, 3);
	f->mf_table_len = UINT16_MAX;
	command(g, VMXNET3_CMD_UPDATE_MAC_FILTERS);
	assert_int_equal(dev_filter(g->dev)->nb_mc, 10922);
	f->mf_table_pa = GUEST_IOVA + GUEST_BYTES - 6; /* runs out of memory */
	command(g, VMXNET3_CMD_UPDATE_MAC_FILTERS);
	assert_int_equal(dev_filter(g->dev)->nb_mc, 0);

	assert_true(dev_filter(g->dev)->vlan_any);
	f->vf_table[3] = 0x80;
	command(g, VMXNET3_CMD_UPDATE_VLAN_FILTERS);
	assert_false(dev_filter(g->dev)->vlan_any);
	assert_int_equal(dev_filter(g->dev)->vlan[3], 0x80);
	assert_int_equal(dev_filter(g->dev)->mode, 0x1f); /* the others stay */
}

static struct vmxnet3_rss_conf *
set_up_rss(struct guest *g)
{
	struct vmxnet3_rss_conf *conf = (struct vmxnet3_rss_conf *)(g->ram + AT_ARGS);
	uint32_t i;

	shared_area(g)->misc.upt_features |= VMXNET3_F_RSS;
	shared_area(g)->rss_conf =
		(struct vmxnet3_var_conf){ .ver = 1, .len = 176, .pa = GUEST_IOVA + AT_ARGS };
	conf->hash_type = 0xf;
	conf->hash_func = 1;
	conf->hash_key_size = 40;
	conf->ind_table_size = 128;
	memset(conf->hash_key, 0x6d, 40);
	for (i = 0; i < 128; i++)
		conf->ind_table[i] = (uint8_t)(i * 2);
	return conf;
}

static void
test_rss(void **state)
{
	struct guest *g = *state;
	struct vmxnet3_rss_conf *conf;
	const struct dev_config *cfg = &g->dev->st->cfg;
	uint32_t i;

	reg_write(g, 1, VMXNET3_REG_DCR, VMXNET3_CAP_UDP_RSS);
	fill_shared(g, 1, 4);
	conf = set_up_rss(g);
	assert_int_equal(activate(g), 0);
	assert_int_equal(cfg->rss_types, 0xf);
	assert_int_equal(cfg->ind_table_size, 128);
	for (i = 0; i < 128; i++)
		assert_int_equal(cfg->ind_table[i], i < 2 ? i * 2 : 0);
	shared_area(g)->cmd_info.rss_fields = 0xfffffffc;
	assert_int_equal(command(g, VMXNET3_CMD_SET_RSS_FIELDS), 0);
	assert_int_equal(command(g, VMXNET3_CMD_GET_RSS_FIELDS), 0xc);
	assert_int_equal(cfg->rss_types, OFFLOAD_RSS_IPV4 | OFFLOAD_RSS_IPV6 |
		OFFLOAD_RSS_UDP_IPV4 | OFFLOAD_RSS_UDP_IPV6);
	conf->ind_table_size = 64;
	shared_area(g)->rss_conf.len = 48 + 64;
	conf->ind_table[1] = 3;
	assert_int_equal(command(g, VMXNET3_CMD_UPDATE_RSSIDT), 0);
	assert_int_equal(cfg->ind_table_size, 64);
	assert_int_equal(cfg->ind_table[1], 3);
	/* The feature bit switches it. */
	shared_area(g)->misc.upt_features = VMXNET3_F_LRO;
	assert_int_equal(command(g, VMXNET3_CMD_UPDATE_FEATURE), 0);
	assert_int_equal(cfg->rss_types, 0);
	assert_int_equal(cfg->features, VMXNET3_F_LRO);
	command(g, VMXNET3_CMD_UPDATE_RSSIDT);
	assert_int_equal(cfg->rss_types, 0);
}

static void
test_bad_rss(void **state)
{
	struct guest *g = *state;
	struct vmxnet3_rss_conf *conf;
	unsigned int what;

	for (what = 0; what < 8; what++) {
		fill_shared(g, 1, 4);
		conf = set_up_rss(g);
		switch (what) {
		case 0: conf->hash_func = 0; break;
		case 1: conf->hash_key_size = 41; break;
		case 2: conf->ind_table_size = 0; break;
		case 3: conf->ind_table_size = 129; break;
		case 4: shared_area(g)->rss_conf.len = 48 + 127; break;
		case 5: shared_area(g)->rss_conf.len = 47; break;
		case 6: shared_area(g)->rss_conf.pa = 0; break;
		case 7: shared_area(g)->rss_conf.pa = GUEST_IOVA + GUEST_BYTES - 175; break;
		}
		assert_int_equal(activate(g), 0); /* all to queue 0 */
		assert_int_equal(g->dev->st->cfg.rss_types, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		guest_test(test_activation),
		guest_test(test_message_doorbells),
		guest_test(test_every_bad_field),
		guest_test(test_tolerated_fields),
		guest_test(test_many_activations),
		guest_test(test_small_shared_area),
		guest_test(test_memory_not_shared),
		guest_test(test_read_only_memory),
		guest_test(test_unmapped_ring_rests),
		guest_test(test_unmapped_shared_area),
		guest_test(test_filters),
		guest_test(test_rss),
		guest_test(test_bad_rss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
