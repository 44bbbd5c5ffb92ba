/* SPDX-License-Identifier: BSD-3-Clause */
/* Interrupts and events of the device core: who is signalled, when, and what stays due. */
#include "control_guest.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <time.h>

static void
test_msix_auto_mask(void **state)
{
	struct guest *g = *state;

	start_msix(g, 1);
	assert_false(mark_and_poll(g, 3));
	assert_int_equal(g->raised[VFU_IRQ_MSIX][3], 1);
	assert_int_equal(get_imr(g, 3), 1);
	assert_int_equal(get_imr(g, 4), 0);

	/* Masked: stays due, fires when the guest unmasks by a message ... */
	assert_false(mark_and_poll(g, 3));
	assert_int_equal(g->raised[VFU_IRQ_MSIX][3], 1);
	set_imr(g, 3, 0);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][3], 2);

	/* ... and at the next poll after it unmasked in shared memory. */
	mark_and_poll(g, 3);
	atomic_store(&g->dev->bar0[3 * 2], 0);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][3], 2);
	vmxnet3_dev_intr_poll(g->dev);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][3], 3);
	vmxnet3_dev_intr_poll(g->dev);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][3], 3);
}

static void
test_no_auto_mask(void **state)
{
	struct guest *g = *state;

	start_msix(g, 0);
	mark_and_poll(g, 64);
	mark_and_poll(g, 64);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][64], 2);
	assert_int_equal(get_imr(g, 64), 0);
}

static void
test_vectors_out_of_range(void **state)
{
	struct guest *g = *state;
	uint32_t i, v, n = 0;

	shared_area(g)->intr.event_intr_idx = 0xff;
	tx_desc(g, 0)->intr_idx = 0xff;
	rx_desc(g, 0)->intr_idx = 0xff;
	start_msix(g, 1);
	for (v = VMXNET3_MAX_INTRS; v <= 0xff; v++)
		mark_and_poll(g, v);
	mark_and_poll(g, UINT32_MAX);
	vmxnet3_dev_set_link(g->dev, false);
	dev_txq_fail(g->dev, &g->dev->txq[0], VMXNET3_ERR_NOEOP);
	for (i = 0; i < 3; i++) {
		for (v = 0; v < VMXNET3_MAX_INTRS; v++)
			n += g->raised[i][v];
	}
	assert_int_equal(n, 0);
	assert_int_equal(shared_area(g)->ecr, VMXNET3_ECR_LINK | VMXNET3_ECR_TQERR);
}

static void
test_intr_ctrl_is_live(void **state)
{
	struct guest *g = *state;

	start_msix(g, 1);
	shared_area(g)->intr.intr_ctrl = VMXNET3_IC_DISABLE_ALL;
	mark_and_poll(g, 1);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 0);
	/* Linux clears it last, by a plain store. */
	shared_area(g)->intr.intr_ctrl = 0xfffffffe;
	vmxnet3_dev_intr_poll(g->dev);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 1);
}

/* Nine queues, from revision 6 on: the extended area rules, with its own switches. */
static void
extended_area(struct guest *g, uint32_t revision)
{
	struct vmxnet3_shared *s = shared_area(g);

	select_revision(g, revision);
	memset(g->raised, 0, sizeof(g->raised));
	fill_shared(g, 9, 1);
	s->intr_ext.auto_mask = 0;
	s->intr_ext.event_intr_idx = 60;
	s->intr_ext.intr_ctrl = VMXNET3_IC_DISABLE_ALL;
	start_msix(g, 1);
	assert_int_equal(g->dev->st->cfg.event_intr_idx, 60);
	mark_and_poll(g, 2);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][2], 0);
	s->intr_ext.intr_ctrl = 0;
	s->intr.intr_ctrl = VMXNET3_IC_DISABLE_ALL; /* not this one */
	vmxnet3_dev_intr_poll(g->dev);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][2], 1);
	assert_int_equal(get_imr(g, 2), 0);
}

static void
test_extended_area(void **state)
{
	uint32_t revision;

	for (revision = 6; revision <= 9; revision++)
		extended_area(*state, revision);
}

static void
test_nothing_while_not_active(void **state)
{
	struct guest *g = *state;

	enable_msix(g);
	set_imr(g, 1, 0);
	mark_and_poll(g, 1);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 0);
	start_msix(g, 1);
	vmxnet3_dev_intr_poll(g->dev);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 0); /* due before the activation: forgotten */

	set_imr(g, 1, 1);
	mark_and_poll(g, 1);
	command(g, VMXNET3_CMD_QUIESCE_DEV);
	set_imr(g, 1, 0);
	mark_and_poll(g, 1);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 0);
}

static void
test_reset_masks(void **state)
{
	struct guest *g = *state;
	uint32_t v;

	start_msix(g, 1);
	reg_write(g, 0, VMXNET3_REG_TXPROD, 7);
	assert_int_equal(command(g, VMXNET3_CMD_RESET_DEV), 0);
	for (v = 0; v < VMXNET3_MAX_INTRS; v++)
		assert_int_equal(get_imr(g, v), 1);
	assert_int_equal(reg_read(g, 0, VMXNET3_REG_TXPROD), 0);
	/* ACTIVATE leaves the masks as they are. */
	set_imr(g, 5, 0);
	assert_int_equal(activate(g), 0);
	assert_int_equal(get_imr(g, 5), 0);
	assert_int_equal(get_imr(g, 6), 1);
}

static void
test_msi(void **state)
{
	struct guest *g = *state;
	struct vmxnet3_dev_info info;

	start_msix(g, 1);
	pci_write(g, PCI_MSIX_CTRL, 0, 2);
	pci_write(g, PCI_MSI_CTRL, 1, 2);
	vmxnet3_dev_info_get(g->dev, &info);
	assert_int_equal(info.intr_type, VFU_IRQ_MSI);
	mark_and_poll(g, 1);
	mark_and_poll(g, 64);
	assert_int_equal(g->raised[VFU_IRQ_MSI][0], 0);
	mark_and_poll(g, 0);
	assert_int_equal(g->raised[VFU_IRQ_MSI][0], 1);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_ICR), 0);
	/* MSI-X, when enabled, goes before MSI; what was due on other vectors is gone. */
	enable_msix(g);
	vmxnet3_dev_intr_poll(g->dev);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 0);
	mark_and_poll(g, 1);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 1);
}

static void
start_intx(struct guest *g)
{
	start_msix(g, 1);
	pci_write(g, PCI_MSIX_CTRL, 0, 2);
}

static void
test_intx_level(void **state)
{
	struct guest *g = *state;

	start_intx(g);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_ICR), 0);
	mark_and_poll(g, 0);
	assert_int_equal(g->raised[VFU_IRQ_INTX][0], 1);
	assert_int_equal(get_imr(g, 0), 1);
	assert_int_equal(pci_read(g, 0x06, 2) & 0x08, 0x08);
	/*
	 * The bus lowers the line at any access: it is signalled again until the handler was there.
	 */
	dev_intr_eoi(g->dev);
	assert_int_equal(g->raised[VFU_IRQ_INTX][0], 2);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_ICR), 1);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_ICR), 0);
	assert_int_equal(pci_read(g, 0x06, 2) & 0x08, 0);
	dev_intr_eoi(g->dev);
	assert_int_equal(g->raised[VFU_IRQ_INTX][0], 2);
	/* Due meanwhile: fires at the unmask. */
	mark_and_poll(g, 0);
	set_imr(g, 0, 0);
	assert_int_equal(g->raised[VFU_IRQ_INTX][0], 3);
}

/* One vector, but it counts as much as any. */
static void
test_intx_some(void **state)
{
	struct guest *g = *state;
	uint32_t left = 1;

	start_intx(g);
	dev_intr_mark(g->dev, 0, DEV_DUE_EVENT);
	assert_int_equal(poll_some(g, 0), VMXNET3_DEV_INTR_SOON);
	assert_int_equal(g->raised[VFU_IRQ_INTX][0], 0);
	assert_int_equal(vmxnet3_dev_intr_poll_some(g->dev, &left), VMXNET3_DEV_INTR_NONE);
	assert_int_equal(left, 0);
	assert_int_equal(g->raised[VFU_IRQ_INTX][0], 1);
}

static void
test_intx_lowered(void **state)
{
	struct guest *g = *state;

	start_intx(g);
	mark_and_poll(g, 0);
	set_imr(g, 0, 1);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_ICR), 0);
	set_imr(g, 0, 0);
	mark_and_poll(g, 0);
	command(g, VMXNET3_CMD_QUIESCE_DEV);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_ICR), 0);
	activate(g);
	set_imr(g, 0, 0);
	mark_and_poll(g, 0);
	command(g, VMXNET3_CMD_RESET_DEV);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_ICR), 0);
}

static void
test_intx_disable(void **state)
{
	struct guest *g = *state;

	start_intx(g);
	pci_write(g, 0x04, PCI_BUS_MASTER | 0x400, 2);
	mark_and_poll(g, 0);
	assert_int_equal(g->raised[VFU_IRQ_INTX][0], 0);
	pci_write(g, 0x04, PCI_BUS_MASTER, 2);
	assert_int_equal(g->raised[VFU_IRQ_INTX][0], 1);
	/* An asserted line shows again after the disable bit, as uio_pci_generic uses it. */
	pci_write(g, 0x04, PCI_BUS_MASTER | 0x400, 2);
	assert_int_equal(pci_read(g, 0x06, 2) & 0x08, 0x08);
	pci_write(g, 0x04, PCI_BUS_MASTER, 2);
	assert_int_equal(g->raised[VFU_IRQ_INTX][0], 2);
}

/* A line that nobody answers is signalled again, not too often. */
static void
test_intx_repeat(void **state)
{
	struct guest *g = *state;

	start_intx(g);
	mark_and_poll(g, 0);
	g->now += 9000000;
	vmxnet3_dev_intr_poll(g->dev);
	assert_int_equal(g->raised[VFU_IRQ_INTX][0], 1);
	g->now += 2000000;
	vmxnet3_dev_intr_poll(g->dev);
	vmxnet3_dev_intr_poll(g->dev);
	assert_int_equal(g->raised[VFU_IRQ_INTX][0], 2);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_ICR), 1);
	g->now += 20000000;
	vmxnet3_dev_intr_poll(g->dev);
	assert_int_equal(g->raised[VFU_IRQ_INTX][0], 2);
}

static void
test_bus_master_off(void **state)
{
	struct guest *g = *state;

	start_msix(g, 1);
	pci_write(g, 0x04, 0x0002, 2);
	mark_and_poll(g, 1);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 0);
	pci_write(g, 0x04, PCI_BUS_MASTER, 2);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 1);
	pci_write(g, PCI_PM_CTRL, 3, 2);
	set_imr(g, 1, 0);
	mark_and_poll(g, 1);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 1);
	pci_write(g, PCI_PM_CTRL, 0, 2);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 2);
}

static void
test_events(void **state)
{
	struct guest *g = *state;

	shared_area(g)->intr.event_intr_idx = 7;
	vmxnet3_dev_set_link(g->dev, false); /* not active: no memory to write to */
	vmxnet3_dev_set_link(g->dev, true);
	start_msix(g, 1);
	assert_int_equal(shared_area(g)->ecr, 0);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][7], 0);

	vmxnet3_dev_set_link(g->dev, true); /* no change */
	assert_int_equal(g->raised[VFU_IRQ_MSIX][7], 0);
	vmxnet3_dev_set_link(g->dev, false);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][7], 1);
	assert_int_equal(shared_area(g)->ecr, VMXNET3_ECR_LINK);
	assert_int_equal(command(g, VMXNET3_CMD_GET_LINK) & 1, 0);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_ECR), VMXNET3_ECR_LINK);

	shared_area(g)->ecr |= VMXNET3_ECR_DEBUG;
	reg_write(g, 1, VMXNET3_REG_ECR, VMXNET3_ECR_LINK | VMXNET3_ECR_RQERR);
	assert_int_equal(shared_area(g)->ecr, VMXNET3_ECR_DEBUG);

	command(g, VMXNET3_CMD_QUIESCE_DEV);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_ECR), 0);
	reg_write(g, 1, VMXNET3_REG_ECR, UINT32_MAX);
	vmxnet3_dev_set_link(g->dev, true);
	assert_int_equal(shared_area(g)->ecr, VMXNET3_ECR_DEBUG);
}

static void
test_broken_queue(void **state)
{
	struct guest *g = *state;
	struct vmxnet3_dev_stats stats;

	start_msix(g, 1);
	dev_txq_fail(g->dev, &g->dev->txq[0], VMXNET3_ERR_BIG_PKT);
	dev_txq_fail(g->dev, &g->dev->txq[0], VMXNET3_ERR_NOEOP); /* the first one counts */
	dev_rxq_fail(g->dev, &g->dev->rxq[0], VMXNET3_ERR_SMALL_BUF);
	vmxnet3_dev_intr_poll(g->dev);
	assert_int_equal(tx_desc(g, 0)->status.stopped, 1);
	assert_int_equal(tx_desc(g, 0)->status.error, VMXNET3_ERR_BIG_PKT);
	assert_int_equal(rx_desc(g, 0)->status.stopped, 1);
	assert_int_equal(rx_desc(g, 0)->status.error, VMXNET3_ERR_SMALL_BUF);
	assert_int_equal(shared_area(g)->ecr, VMXNET3_ECR_TQERR | VMXNET3_ECR_RQERR);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][0], 1);
	vmxnet3_dev_stats_get(g->dev, &stats);
	assert_int_equal(stats.interrupts, 1);

	/* GET_QUEUE_STATUS tells it again, an activation heals it. */
	memset(&tx_desc(g, 0)->status, 0xff, sizeof(struct vmxnet3_queue_status));
	assert_int_equal(command(g, VMXNET3_CMD_GET_QUEUE_STATUS), 0);
	assert_int_equal(tx_desc(g, 0)->status.stopped, 1);
	assert_int_equal(tx_desc(g, 0)->status.error, VMXNET3_ERR_BIG_PKT);
	assert_int_equal(activate(g), 0);
	assert_int_equal(tx_desc(g, 0)->status.stopped, 0);
	assert_int_equal(tx_desc(g, 0)->status.error, 0);
	assert_false(atomic_load(&g->dev->txq[0].failed));
}

/* Vectors that are due all the time, and never more than four at once: each has its turn. */
static void
test_turns(void **state)
{
	struct guest *g = *state;
	struct vmxnet3_dev_stats stats;
	uint32_t v, i, n;

	start_msix(g, 0);
	for (i = 0; i < 100; i++) {
		for (v = 0; v < VMXNET3_MAX_INTRS; v++)
			dev_intr_mark(g->dev, v, DEV_DUE_EVENT);
		assert_true(poll_some(g, 4));
	}
	for (v = 0, n = 0; v < VMXNET3_MAX_INTRS; v++) {
		assert_in_range(g->raised[VFU_IRQ_MSIX][v], 400 / VMXNET3_MAX_INTRS, 400 / VMXNET3_MAX_INTRS + 1);
		n += g->raised[VFU_IRQ_MSIX][v];
	}
	assert_int_equal(n, 400);
	/* All that had to wait is counted, once for each time that it was raised at last. */
	vmxnet3_dev_stats_get(g->dev, &stats);
	assert_in_range(stats.interrupts_held, 400 - 4, 400 + VMXNET3_MAX_INTRS);
	/* None at all; then all that are left, in as many looks as it takes. */
	assert_true(poll_some(g, 0));
	for (i = 1; poll_some(g, 4); i++)
		;
	assert_int_equal(i, (VMXNET3_MAX_INTRS - 4 + 3) / 4);
	/* Who is masked does not wait. */
	for (v = 0; v < VMXNET3_MAX_INTRS; v++) {
		dev_intr_mark(g->dev, v, DEV_DUE_EVENT);
		set_imr(g, v, v != 64);
	}
	vmxnet3_dev_intr_poll(g->dev);
	n = g->raised[VFU_IRQ_MSIX][64];
	dev_intr_mark(g->dev, 64, DEV_DUE_EVENT);
	assert_false(poll_some(g, 1));
	assert_int_equal(g->raised[VFU_IRQ_MSIX][64], n + 1);
	assert_false(poll_some(g, 0));
}

/* ---- no wake-up gets lost between one who completes, two who poll, and a guest that masks ---- */

#define STRESS_COMPLETIONS 40000u

struct stress {
	struct vmxnet3_dev *dev;
	sem_t interrupt;
	_Atomic uint32_t completed, consumed;
	atomic_bool stop;
};

static void
stress_raise(void *ctx, uint32_t index __rte_unused, uint32_t vector __rte_unused)
{
	sem_post(&((struct stress *)ctx)->interrupt);
}

static void *
stress_poll(void *ctx)
{
	struct stress *s = ctx;

	while (!atomic_load(&s->stop)) {
		vmxnet3_dev_intr_poll(s->dev);
		sched_yield();
	}
	return NULL;
}

static void *
stress_complete(void *ctx)
{
	struct stress *s = ctx;
	uint32_t i;

	for (i = 1; i <= STRESS_COMPLETIONS; i++) {
		atomic_store_explicit(&s->completed, i, memory_order_release);
		dev_intr_mark(s->dev, 0, DEV_DUE_RX(1));
		vmxnet3_dev_intr_poll(s->dev);
		/* Nothing more comes before this was seen: a lost wake-up is for ever. */
		while (i % 3 == 0 && atomic_load(&s->consumed) < i && !atomic_load(&s->stop))
			sched_yield();
	}
	return NULL;
}

static void
test_no_lost_wakeup(void **state)
{
	struct guest *g = *state;
	struct stress s = { .dev = g->dev };
	struct vmxnet3_intr_ops intr = { .ctx = &s, .raise = stress_raise };
	pthread_t poller, completer;
	struct timespec until;
	uint32_t interrupts = 0;
	int lost = 0;

	sem_init(&s.interrupt, 0, 0);
	start_msix(g, 1);
	g->dev->intr.ops = intr;
	assert_int_equal(pthread_create(&poller, NULL, stress_poll, &s), 0);
	assert_int_equal(pthread_create(&completer, NULL, stress_complete, &s), 0);
	while (s.consumed < STRESS_COMPLETIONS) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += 20;
		lost = sem_timedwait(&s.interrupt, &until);
		if (lost != 0)
			break;
		interrupts++;
		/*
		 * The handler was masked; it takes what there is, then unmasks, and sleeps again.
		 */
		s.consumed = atomic_load_explicit(&s.completed, memory_order_acquire);
		if (interrupts % 2 == 0)
			sched_yield();
		atomic_store(&g->dev->bar0[0], 0);
	}
	atomic_store(&s.stop, true);
	pthread_join(completer, NULL);
	pthread_join(poller, NULL);
	assert_int_equal(lost, 0);
	assert_true(interrupts <= STRESS_COMPLETIONS);
	sem_destroy(&s.interrupt);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		guest_test(test_msix_auto_mask),
		guest_test(test_no_auto_mask),
		guest_test(test_vectors_out_of_range),
		guest_test(test_intr_ctrl_is_live),
		guest_test(test_extended_area),
		guest_test(test_nothing_while_not_active),
		guest_test(test_reset_masks),
		guest_test(test_msi),
		guest_test(test_intx_level),
		guest_test(test_intx_some),
		guest_test(test_intx_lowered),
		guest_test(test_intx_disable),
		guest_test(test_intx_repeat),
		guest_test(test_bus_master_off),
		guest_test(test_events),
		guest_test(test_broken_queue),
		guest_test(test_turns),
		guest_test(test_no_lost_wakeup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
