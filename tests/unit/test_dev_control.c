/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device core's control side: PCI configuration, registers, revisions, commands, transitions.
 */
#include "control_guest.h"

#include <errno.h>

#include <rte_common.h>


/* ---- creation ---- */

static void
expect_refused(const struct vmxnet3_dev_conf *conf, const struct vmxnet3_dev_ops *ops)
{
	char err[128] = "";

	errno = 0;
	assert_null(vmxnet3_dev_create(conf, ops, err, sizeof(err)));
	assert_int_equal(errno, EINVAL);
	assert_string_not_equal(err, "");
}

#define REFUSE(field, value) \
	do { \
		struct vmxnet3_dev_conf conf = guest_conf; \
		conf.field = value; \
		expect_refused(&conf, &ops); \
	} while (0)

static void
test_bad_configuration(void **state)
{
	struct vmxnet3_dev_ops ops = guest_ops(*state);
	struct vmxnet3_dev_conf conf = guest_conf;

	REFUSE(mac[0], 0x01);
	REFUSE(max_tx_queues, 0);
	REFUSE(max_tx_queues, 33);
	REFUSE(max_rx_queues, 0);
	REFUSE(max_rx_queues, 33);
	REFUSE(revisions, 0);
	REFUSE(revisions, 0x247);
	REFUSE(mtu, 59);
	REFUSE(mtu, 9191);
	REFUSE(link_speed, 0);
	REFUSE(link_speed, 1000001);
	REFUSE(doorbell, (enum vmxnet3_doorbell)2);
	memset(conf.mac, 0, sizeof(conf.mac));
	expect_refused(&conf, &ops);
	ops.now = NULL;
	expect_refused(&guest_conf, &ops);
}

static void
test_pci_identity(void **state)
{
	struct guest *g = *state;
	uint8_t beyond[8];
	uint32_t at, seen = 0;

	assert_int_equal(pci_read(g, 0x00, 4), 0x07b015ad);
	assert_int_equal(pci_read(g, 0x08, 4), 0x02000001);
	assert_int_equal(pci_read(g, 0x2c, 4), 0x07b015ad);
	assert_int_equal(pci_read(g, 0x3d, 1), 1);
	assert_int_equal(pci_read(g, 0x06, 2), 0x10);
	/* The chain of capabilities ends, and has these. */
	for (at = pci_read(g, 0x34, 1); at != 0; at = pci_read(g, at + 1, 1)) {
		assert_in_range(at, 0x40, 0xfc);
		seen = seen << 8 | pci_read(g, at, 1);
	}
	assert_int_equal(seen, 0x010511);
	assert_int_equal(pci_read(g, 0x9e, 2), VMXNET3_MAX_INTRS - 1);
	assert_int_equal(pci_read(g, 0xa0, 4), 2);
	assert_int_equal(pci_read(g, 0xa4, 4), 0x1002);
	assert_int_equal(pci_read(g, 0x86, 2), 0x80);
	/* Sizing. */
	for (at = 0x10; at < 0x34; at += 4)
		pci_write(g, at, UINT32_MAX, 4);
	assert_int_equal(pci_read(g, 0x10, 4), 0xfffff000);
	assert_int_equal(pci_read(g, 0x14, 4), 0xfffff000);
	assert_int_equal(pci_read(g, 0x18, 4), 0xffffe000);
	assert_int_equal(pci_read(g, 0x1c, 4), 0);
	assert_int_equal(pci_read(g, 0x30, 4), 0);
	assert_int_equal(pci_read(g, 0x2c, 4), 0x07b015ad);
	pci_write(g, 0x3c, 0x0b, 1);
	assert_int_equal(pci_read(g, 0x3c, 2), 0x010b);
	/* Nothing beyond 256 bytes. */
	vmxnet3_dev_pci_read(g->dev, 0xfc, beyond, sizeof(beyond));
	vmxnet3_dev_pci_read(g->dev, UINT64_MAX - 2, beyond, sizeof(beyond));
	vmxnet3_dev_pci_write(g->dev, 0xfc, beyond, sizeof(beyond));
	vmxnet3_dev_pci_write(g->dev, UINT64_MAX - 2, beyond, sizeof(beyond));
}

/* Every byte of configuration space takes any write and keeps what defines the device. */
static void
test_pci_any_write(void **state)
{
	struct guest *g = *state;
	uint32_t at;

	for (at = 0; at < 256; at++) {
		pci_write(g, at, 0xff, 1);
		pci_write(g, at, 0x00, 1);
	}
	for (at = 0; at < 256; at += 4)
		pci_write(g, at, UINT32_MAX, 4);
	assert_int_equal(pci_read(g, 0x04, 2), 0x0547);
	vmxnet3_dev_pci_reset(g->dev);
	test_pci_identity(state);
}

/* ---- registers ---- */

static void
read_all_registers(struct guest *g)
{
	static const uint32_t widths[] = { 1, 2, 4, 8, 3, 0 };
	uint8_t buf[16], whole[0x2100];
	uint32_t at, w, bar;

	for (bar = 0; bar < 4; bar++) {
		for (w = 0; w < RTE_DIM(widths); w++) {
			for (at = 0; at < 0x2010; at++)
				vmxnet3_dev_bar_read(g->dev, bar, at, buf, widths[w]);
		}
		vmxnet3_dev_bar_read(g->dev, bar, 0, whole, sizeof(whole));
		vmxnet3_dev_bar_read(g->dev, bar, UINT64_MAX - 4, buf, 8);
		for (at = 0x1000; at < sizeof(whole); at++)
			assert_int_equal(whole[at], 0);
	}
}

static void
write_everywhere(struct guest *g, uint32_t v)
{
	uint8_t bytes[16];
	uint32_t at, len, bar;

	memset(bytes, (uint8_t)v, sizeof(bytes));
	for (bar = 0; bar < 4; bar++) {
		for (at = 0; at < 0x1010; at++) {
			for (len = 0; len <= 16; len++) {
				if (len != 4 || at % 8 != 0)
					vmxnet3_dev_bar_write(g->dev, bar, at, bytes, len);
			}
		}
		vmxnet3_dev_bar_write(g->dev, bar, UINT64_MAX - 3, bytes, 4);
	}
}

static void
test_registers_in_every_state(void **state)
{
	struct guest *g = *state;
	uint8_t byte = 0;

	read_all_registers(g);
	write_everywhere(g, 0); /* of the wrong size or place: nothing happens */
	assert_int_equal(activate(g), 0);
	write_everywhere(g, 0);
	assert_true(is_active(g));
	read_all_registers(g);
	command(g, VMXNET3_CMD_QUIESCE_DEV);
	read_all_registers(g);

	/* Pieces of a register. */
	vmxnet3_dev_bar_read(g->dev, 1, VMXNET3_REG_MACL + 1, &byte, 1);
	assert_int_equal(byte, 0x50);
	vmxnet3_dev_bar_read(g->dev, 1, VMXNET3_REG_MACL + 4, &byte, 1);
	assert_int_equal(byte, 0);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_UVRS), 1);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_PTCR), 0x80000000);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_PTCR + 5 * 8), 0x80000000);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_PTCR + 6 * 8), 0);
	assert_int_equal(reg_read(g, 1, 0xf18), 0);
}

static void
test_doorbells_in_every_state(void **state)
{
	struct guest *g = *state;
	uint32_t pass, at;

	fill_shared(g, 2, 3);
	for (pass = 0; pass < 4; pass++) {
		if (pass == 1)
			assert_int_equal(activate(g), 0);
		if (pass == 2)
			command(g, VMXNET3_CMD_QUIESCE_DEV);
		if (pass == 3)
			vmxnet3_dev_detach(g->dev);
		g->wakes = 0;
		for (at = VMXNET3_REG_TXPROD; at < VMXNET3_REG_BAR0_END; at += 8) {
			reg_write(g, 0, at, at * 3);
			assert_int_equal(reg_read(g, 0, at), at * 3);
		}
		for (at = VMXNET3_REG_BAR0_END; at < 0x1000; at += 8) {
			reg_write(g, 0, at, 1);
			assert_int_equal(reg_read(g, 0, at), 0);
		}
		/* Two TXPROD, three RXPROD, three RXPROD2. */
		assert_int_equal(g->wakes, pass == 1 ? 8 : 0);
	}
}

/* ---- revisions ---- */

static void
test_revisions(void **state)
{
	static const struct {
		uint32_t mask, select, selected, max_queues, data_size, fields, dcr;
	} cases[] = {
		{ 0x1ff, 0x100, 9, 0x2020, 128 << 16 | 128, 3, 0xaff },
		{ 0x1ff, 0x80, 8, 0x2020, 128, 3, 0xaff },
		{ 0x147, 0x100, 9, 0x2020, 128 << 16 | 128, 3, 0xaff },
		{ 0x7f, 0x40, 7, 0x2020, 128, 3, 0xaff },
		{ 0x7f, 0x20, 6, 0x2020, 128, 3, 0 },
		{ 0x7f, 0x10, 5, 0, 128, 3, 0 },
		{ 0x7f, 0x08, 4, 0, 128, 3, 0 },
		{ 0x7f, 0x80, 0, 0, 0, 0, 0 },
		{ 0x47, 0x40, 7, 0x2020, 128, 3, 0xaff },
		{ 0x47, 0x04, 3, 0, 128, 0, 0 },
		{ 0x47, 0x02, 2, 0, 0, 0, 0 },
		{ 0x47, 0x01, 1, 0, 0, 0, 0 },
		{ 0x47, 0x08, 0, 0, 0, 0, 0 }, /* not offered */
		{ 0x47, 0x44, 0, 0, 0, 0, 0 }, /* two at once */
		{ 0x47, 0x00, 0, 0, 0, 0, 0 },
		{ 0x07, 0x04, 3, 0, 128, 0, 0 },
		{ 0x07, 0x40, 0, 0, 0, 0, 0 },
		{ 0x01, 0x01, 1, 0, 0, 0, 0 },
		{ 0x01, 0x02, 0, 0, 0, 0, 0 },
	};
	struct vmxnet3_dev_conf conf = guest_conf;
	struct vmxnet3_dev_info info;
	struct guest *g = *state;
	unsigned int i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		guest_close(g);
		conf.revisions = cases[i].mask;
		guest_open(g, &conf);
		assert_int_equal(reg_read(g, 1, VMXNET3_REG_VRRS), cases[i].mask);
		reg_write(g, 1, VMXNET3_REG_VRRS, cases[i].select);
		assert_int_equal(reg_read(g, 1, VMXNET3_REG_VRRS), cases[i].mask);
		vmxnet3_dev_info_get(g->dev, &info);
		assert_int_equal(info.revision, cases[i].selected);
		assert_int_equal(command(g, VMXNET3_CMD_GET_MAX_QUEUES_CONF), cases[i].max_queues);
		assert_int_equal(command(g, VMXNET3_CMD_GET_TXDATA_DESC_SIZE), cases[i].data_size);
		assert_int_equal(command(g, VMXNET3_CMD_GET_RSS_FIELDS), cases[i].fields);
		reg_write(g, 1, VMXNET3_REG_DCR, UINT32_MAX);
		assert_int_equal(reg_read(g, 1, VMXNET3_REG_DCR), cases[i].dcr);
		assert_int_equal(command(g, VMXNET3_CMD_GET_DCR0_REG), cases[i].dcr);
		assert_int_equal(reg_read(g, 1, VMXNET3_REG_PTCR), cases[i].dcr != 0 ? VMXNET3_CAP_NONE : 0);
		/* Neither time stamps nor an offload that is off. */
		assert_int_equal(command(g, VMXNET3_CMD_GET_TSRING_DESC_SIZE), 0);
		assert_int_equal(command(g, VMXNET3_CMD_GET_DISABLED_OFFLOADS), 0);
		assert_int_equal(command(g, VMXNET3_CMD_GET_LINK) >> 16, cases[i].selected == 9 ? 10 : 10000);
		/* As DPDK 23.07 to 24.03 asks, by numbers that are one too low. */
		command(g, VMXNET3_CMD_GET_DCR0_REG);
		assert_int_equal(command(g, VMXNET3_CMD_GET_RSS_HASH_FUNC), 0);
		assert_int_equal(command(g, VMXNET3_CMD_GET_MAX_CAPABILITIES), cases[i].dcr != 0);
	}
}

static void
test_revision_limits(void **state)
{
	struct vmxnet3_dev_info info;
	struct guest *g = *state;
	uint32_t revision;

	select_revision(g, 3);
	fill_shared(g, 9, 1);
	assert_int_equal(activate(g), 1);
	fill_shared(g, 1, 17);
	assert_int_equal(activate(g), 1);
	fill_shared(g, 8, 16);
	assert_int_equal(activate(g), 0);
	select_revision(g, 7); /* another driver: the one before is stopped */
	assert_false(is_active(g));
	fill_shared(g, 32, 32);
	assert_int_equal(activate(g), 0);
	assert_int_equal(vmxnet3_dev_nb_tx_queues(g->dev), 32);
	assert_int_equal(vmxnet3_dev_set_mtu(g->dev, VMXNET3_MTU_MAX), 0);
	for (revision = 1; revision <= 9; revision++) {
		const uint32_t tx = revision < 6 ? 8 : 32, rx = revision < 6 ? 16 : 32;

		select_revision(g, revision);
		fill_shared(g, tx + 1, 1);
		assert_int_equal(activate(g), 1);
		fill_shared(g, 1, rx + 1);
		assert_int_equal(activate(g), 1);
		fill_shared(g, tx, rx);
		shared_area(g)->misc.mtu = 9500;
		assert_int_equal(activate(g), 0);
		vmxnet3_dev_info_get(g->dev, &info);
		assert_int_equal(info.mtu, revision < 6 ? 9000 : 9190);
		assert_true(info.nb_tx_queues == tx && info.nb_rx_queues == rx);
	}
	/* What revisions before 3 keep reserved is not read. */
	select_revision(g, 2);
	fill_shared(g, 1, 1);
	rx_desc(g, 0)->data_ring_pa = GUEST_IOVA + AT_MC;
	rx_desc(g, 0)->data_ring_desc_size = 128;
	assert_int_equal(activate(g), 0);
	assert_int_equal(g->dev->rxq[0].st->data_desc_size, 0);
	select_revision(g, 3);
	assert_int_equal(activate(g), 0);
	assert_int_equal(g->dev->rxq[0].st->data_desc_size, 128);
}

/* ---- commands ---- */

static void
test_simple_results(void **state)
{
	struct guest *g = *state;
	uint32_t code;

	assert_int_equal(reg_read(g, 1, VMXNET3_REG_CMD), 0);
	assert_int_equal(command(g, VMXNET3_CMD_GET_LINK), 10000 << 16 | 1);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_CMD), 10000 << 16 | 1);
	assert_int_equal(command(g, VMXNET3_CMD_GET_PERM_MAC_LO), 0x01565000);
	assert_int_equal(command(g, VMXNET3_CMD_GET_PERM_MAC_HI), 0x0302);
	assert_int_equal(command(g, VMXNET3_CMD_GET_DID_LO), 0x07b0);
	assert_int_equal(command(g, VMXNET3_CMD_GET_DID_HI), 1);
	assert_int_equal(command(g, VMXNET3_CMD_GET_DEV_EXTRA_INFO), 0);
	assert_int_equal(command(g, VMXNET3_CMD_GET_CONF_INTR), 0);
	assert_int_equal(command(g, VMXNET3_CMD_GET_ADAPTIVE_RING_INFO), 1);
	assert_int_equal(command(g, VMXNET3_CMD_GET_MAX_CAPABILITIES), 1);
	assert_int_equal(command(g, VMXNET3_CMD_GET_MAX_QUEUES_CONF), 0x2020);
	/* Not listed, of either kind and of none. */
	for (code = 0x14; code < 0x40; code++)
		assert_int_equal(command(g, VMXNET3_CMD_SET + code), 0);
	for (code = 0x15; code < 0x40; code++)
		assert_int_equal(command(g, VMXNET3_CMD_GET + code), 0);
	assert_int_equal(command(g, 0), 0);
	assert_int_equal(command(g, UINT32_MAX), 0);
}

/* Drivers send commands before they give an address, and after they took it back. */
static void
test_commands_without_shared_area(void **state)
{
	struct guest *g = *state;
	uint32_t n;

	memset(g->ram, 0x5a, GUEST_BYTES);
	for (n = 1; n < 0x40; n++) {
		assert_int_equal(command(g, VMXNET3_CMD_SET + n), 0);
		command(g, VMXNET3_CMD_GET + n);
	}
	assert_int_equal(command(g, VMXNET3_CMD_ACTIVATE_DEV), 1);
	assert_int_equal(g->ram[0], 0x5a);
	assert_memory_equal(g->ram, g->ram + 1, GUEST_BYTES - 1);
	/* With an address, but nothing there that is a driver's. */
	set_dsa(g, GUEST_IOVA + AT_SHARED);
	for (n = 1; n < 0x40; n++) {
		if (VMXNET3_CMD_SET + n == VMXNET3_CMD_RESET_DEV)
			continue;
		assert_int_equal(command(g, VMXNET3_CMD_SET + n), 0);
		command(g, VMXNET3_CMD_GET + n);
	}
	assert_memory_equal(g->ram, g->ram + 1, GUEST_BYTES - 1);
}

static void
test_link_speed_is_clamped(void **state)
{
	struct vmxnet3_dev_conf conf = guest_conf;
	struct guest *g = *state;

	guest_close(g);
	conf.link_speed = 100000;
	guest_open(g, &conf);
	assert_int_equal(command(g, VMXNET3_CMD_GET_LINK), UINT32_C(65535) << 16 | 1);
}

static void
test_statistics(void **state)
{
	struct guest *g = *state;
	struct vmxnet3_tx_queue_desc *tx = tx_desc(g, 0);
	struct vmxnet3_rx_queue_desc *rx = rx_desc(g, 0);
	uint32_t link = 10000 << 16 | 1;

	assert_int_equal(activate(g), 0);
	g->dev->st->txq[0].stats.ucast_pkts = 11;
	g->dev->st->txq[0].stats.discard_pkts = 12;
	g->dev->st->rxq[0].stats.lro_pkts = 13;
	g->dev->st->rxq[0].stats.error_pkts = 14;
	assert_int_equal(command(g, VMXNET3_CMD_GET_LINK), link);
	/* The result of the command before stays readable. */
	assert_int_equal(command(g, VMXNET3_CMD_GET_STATS), link);
	assert_int_equal(tx->stats.ucast_pkts, 11);
	assert_int_equal(tx->stats.discard_pkts, 12);
	assert_int_equal(rx->stats.lro_pkts, 13);
	assert_int_equal(rx->stats.error_pkts, 14);
	/* Written a last time before memory is let go, and counted from zero afterwards. */
	g->dev->st->txq[0].stats.ucast_pkts = 15;
	command(g, VMXNET3_CMD_QUIESCE_DEV);
	assert_int_equal(tx->stats.ucast_pkts, 15);
	tx->stats.ucast_pkts = 99;
	command(g, VMXNET3_CMD_GET_STATS);
	assert_int_equal(tx->stats.ucast_pkts, 99);
	activate(g);
	command(g, VMXNET3_CMD_GET_STATS);
	assert_int_equal(tx->stats.ucast_pkts, 0);
	assert_int_equal(tx->stats.discard_pkts, 0);
}

/* ---- transitions ---- */

static void
test_quiesce_keeps_much(void **state)
{
	struct guest *g = *state;

	reg_write(g, 1, VMXNET3_REG_MACL, 0x44332202);
	reg_write(g, 1, VMXNET3_REG_MACH, 0x6655);
	assert_int_equal(activate(g), 0);
	g->quiesces = 0;
	assert_int_equal(command(g, VMXNET3_CMD_QUIESCE_DEV), 0);
	assert_true(g->quiesces > 0);
	assert_false(is_active(g));
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_DSAL), (uint32_t)GUEST_IOVA);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_DSAH), GUEST_IOVA >> 32);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_MACL), 0x44332202);
	assert_int_equal(dev_filter(g->dev)->mode, VMXNET3_RXM_UCAST | VMXNET3_RXM_BCAST);
	assert_int_equal(command(g, VMXNET3_CMD_QUIESCE_DEV), 0); /* again is no harm */
	/* The address is still good. */
	assert_int_equal(command(g, VMXNET3_CMD_ACTIVATE_DEV), 0);
	assert_int_equal(g->dev->st->revision, 7);
}

static void
test_reset_rules(void **state)
{
	struct guest *g = *state;

	reg_write(g, 1, VMXNET3_REG_DCR, VMXNET3_CAP_UDP_RSS | 0x10000);
	assert_int_equal(activate(g), 0);
	reg_write(g, 1, VMXNET3_REG_MACL, 0x44332202);
	reg_write(g, 1, VMXNET3_REG_MACH, 0x6655);
	shared_area(g)->cmd_info.rss_fields = 0xf;
	command(g, VMXNET3_CMD_SET_RSS_FIELDS);
	assert_int_equal(command(g, VMXNET3_CMD_GET_RSS_FIELDS), 0xf);
	assert_int_equal(command(g, VMXNET3_CMD_RESET_DEV), 0);
	assert_false(is_active(g));
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_MACL), 0x01565000);
	assert_memory_equal(dev_filter(g->dev)->mac, guest_conf.mac, 6);
	assert_int_equal(g->dev->st->revision, 7);
	assert_int_equal(command(g, VMXNET3_CMD_GET_DCR0_REG), VMXNET3_CAP_UDP_RSS);
	assert_int_equal(command(g, VMXNET3_CMD_GET_RSS_FIELDS), 3);
	assert_int_equal(command(g, VMXNET3_CMD_ACTIVATE_DEV), 1); /* no address any more */
	assert_int_equal(activate(g), 0);
	/* A new driver, and the machine's reset, start from nothing. */
	select_revision(g, 7);
	assert_int_equal(command(g, VMXNET3_CMD_GET_DCR0_REG), 0);
	assert_int_equal(activate(g), 0);
	memset(g->ram + AT_QUEUES, 0x55, 512);
	vmxnet3_dev_pci_reset(g->dev);
	assert_false(is_active(g));
	assert_int_equal(g->dev->st->revision, 0);
	/* Nothing is written for a driver that is gone. */
	assert_int_equal(g->ram[AT_QUEUES + 0x58], 0x55);
	assert_int_equal(pci_read(g, 0x04, 2), 0);
}

static void
test_address_rules(void **state)
{
	const uint64_t other = GUEST_IOVA + 0x700000;
	struct guest *g = *state;

	assert_int_equal(activate(g), 0);
	/* While active a new address waits. */
	memcpy(g->ram + 0x700000, shared_area(g), sizeof(struct vmxnet3_shared));
	set_dsa(g, other);
	assert_true(is_active(g));
	vmxnet3_dev_set_link(g->dev, false);
	assert_int_equal(shared_area(g)->ecr, VMXNET3_ECR_LINK);
	assert_int_equal(((struct vmxnet3_shared *)(g->ram + 0x700000))->ecr, 0);
	assert_int_equal(command(g, VMXNET3_CMD_ACTIVATE_DEV), 0);
	vmxnet3_dev_set_link(g->dev, true);
	assert_int_equal(((struct vmxnet3_shared *)(g->ram + 0x700000))->ecr, VMXNET3_ECR_LINK);
	/* Half an address is none. */
	reg_write(g, 1, VMXNET3_REG_DSAL, (uint32_t)GUEST_IOVA);
	assert_true(is_active(g));
	assert_int_equal(command(g, VMXNET3_CMD_ACTIVATE_DEV), 1);
	/* Zero stops. */
	assert_int_equal(activate(g), 0);
	reg_write(g, 1, VMXNET3_REG_DSAL, 0);
	assert_false(is_active(g));
	reg_write(g, 1, VMXNET3_REG_DSAH, 0);
	assert_int_equal(command(g, VMXNET3_CMD_ACTIVATE_DEV), 1);
	/* Not aligned: its words could not be changed atomically. */
	memmove(g->ram + 2, g->ram, sizeof(struct vmxnet3_shared));
	set_dsa(g, GUEST_IOVA + 2);
	assert_int_equal(command(g, VMXNET3_CMD_ACTIVATE_DEV), 1);
}

static void
test_mac_survives_activation(void **state)
{
	struct guest *g = *state;

	reg_write(g, 1, VMXNET3_REG_MACL, 0x44332202);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_MACL), 0x01565000); /* staged only */
	reg_write(g, 1, VMXNET3_REG_MACH, 0xffff6655);
	assert_int_equal(activate(g), 0);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_MACL), 0x44332202);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_MACH), 0x6655);
	assert_memory_equal(dev_filter(g->dev)->mac, "\x02\x22\x33\x44\x55\x66", 6);
	assert_int_equal(command(g, VMXNET3_CMD_GET_PERM_MAC_LO), 0x01565000);
	/* And a change while active counts at once. */
	reg_write(g, 1, VMXNET3_REG_MACL, 0x44332204);
	reg_write(g, 1, VMXNET3_REG_MACH, 0x6655);
	assert_memory_equal(dev_filter(g->dev)->mac, "\x04\x22\x33\x44\x55\x66", 6);
}

static void
test_bus_master(void **state)
{
	struct guest *g = *state;

	assert_int_equal(activate(g), 0);
	pci_write(g, 0x04, 0x0002, 2);
	assert_true(is_active(g));
	assert_int_equal(vmxnet3_dev_nb_tx_queues(g->dev), 0);
	memset(&tx_desc(g, 0)->stats, 0x11, 80);
	command(g, VMXNET3_CMD_GET_STATS);
	assert_int_equal(tx_desc(g, 0)->stats.tso_pkts, UINT64_C(0x1111111111111111));
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_ECR), 0);
	pci_write(g, 0x04, PCI_BUS_MASTER, 2);
	assert_int_equal(vmxnet3_dev_nb_tx_queues(g->dev), 1);
	pci_write(g, PCI_PM_CTRL, 3, 1);
	assert_int_equal(vmxnet3_dev_nb_tx_queues(g->dev), 0);
	pci_write(g, PCI_PM_CTRL, 0, 1);
	assert_int_equal(vmxnet3_dev_nb_tx_queues(g->dev), 1);
	/* Stopped while off: nothing comes back, nothing was written. */
	pci_write(g, 0x04, 0, 2);
	command(g, VMXNET3_CMD_QUIESCE_DEV);
	assert_int_equal(tx_desc(g, 0)->stats.tso_pkts, UINT64_C(0x1111111111111111));
	assert_int_equal(activate(g), 1);
	pci_write(g, 0x04, PCI_BUS_MASTER, 2);
	assert_int_equal(vmxnet3_dev_nb_tx_queues(g->dev), 0);
	assert_int_equal(activate(g), 0);
}

static void
test_detach(void **state)
{
	struct vmxnet3_intr_ops intr = { .ctx = *state, .raise = guest_on_raise };
	struct vmxnet3_dev_info info;
	struct guest *g = *state;

	assert_int_equal(activate(g), 0);
	vmxnet3_dev_set_link(g->dev, false);
	vmxnet3_dev_detach(g->dev);
	vmxnet3_dev_detach(g->dev);
	assert_int_equal(activate(g), 1);
	command(g, VMXNET3_CMD_SET_COALESCE);
	vmxnet3_dev_dma_changed(g->dev);
	vmxnet3_dev_info_get(g->dev, &info);
	assert_true(!info.attached && !info.active && !info.link_up);
	assert_int_equal(info.revision, 0);
	/* The next machine. */
	vmxnet3_dev_attach(g->dev, g->dma, &intr);
	pci_write(g, 0x04, PCI_BUS_MASTER, 2);
	select_revision(g, 3);
	assert_int_equal(activate(g), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		guest_test(test_bad_configuration),
		guest_test(test_pci_identity),
		guest_test(test_pci_any_write),
		guest_test(test_registers_in_every_state),
		guest_test(test_doorbells_in_every_state),
		guest_test(test_revisions),
		guest_test(test_revision_limits),
		guest_test(test_simple_results),
		guest_test(test_commands_without_shared_area),
		guest_test(test_link_speed_is_clamped),
		guest_test(test_statistics),
		guest_test(test_quiesce_keeps_much),
		guest_test(test_reset_rules),
		guest_test(test_address_rules),
		guest_test(test_mac_survives_activation),
		guest_test(test_bus_master),
		guest_test(test_detach),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
