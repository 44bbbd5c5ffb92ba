/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Interrupts and events.
 *
 * A vector that is due stays due until it has been raised: while it is masked, while the driver
 * holds all of them by intrCtrl, while moderation holds it. Neither IMR nor intrCtrl tells us
 * when the guest changes it (both are memory), so vmxnet3_dev_intr_poll() looks again at each call.
 * A wake-up cannot get lost: the datapath marks a vector due after it has written its completion,
 * and whoever takes the mark away raises the interrupt after that.
 */
#include "dev_intr.h"

#include <string.h>

#include "dev_pci.h"

/*
 * An INTx line that nobody answers is signalled again after this time: the bus lowers it at any
 * access to the card, which need not be the handler's.
 */
#define INTX_AGAIN_NS UINT64_C(10000000)

static inline uint64_t
bit_of(uint32_t v)
{
	return UINT64_C(1) << (v & 63);
}

static void
set_level(struct vmxnet3_dev *dev, bool level)
{
	atomic_store(&dev->intr.intx_level, level);
	__atomic_store_n(&dev->st->intx_asserted, level, __ATOMIC_RELAXED);
}

void
dev_intr_mark(struct vmxnet3_dev *dev, uint32_t idx, uint64_t due)
{
	_Atomic uint64_t *pending;

	if (idx >= VMXNET3_MAX_INTRS)
		return;
	pending = &dev->intr.pending[idx >> 6];
	/* Whoever takes the mark away looks at the count after that, so a mark that is still there is enough. */
	atomic_fetch_add(&dev->intr.vector[idx].due, due);
	if (!(atomic_load(pending) & bit_of(idx)))
		atomic_fetch_or(pending, bit_of(idx));
}

static void
send(struct vmxnet3_dev *dev, uint32_t type, uint32_t v)
{
	if (dev->intr.ops.raise != NULL)
		dev->intr.ops.raise(dev->intr.ops.ctx, type, v);
}

static void
count_held(struct vmxnet3_dev *dev, uint32_t v)
{
	_Atomic uint64_t *waits = &dev->intr.waits[v >> 6];

	if (!(atomic_load_explicit(waits, memory_order_relaxed) & bit_of(v)) &&
		!(atomic_fetch_or_explicit(waits, bit_of(v), memory_order_relaxed) & bit_of(v)))
		atomic_fetch_add_explicit(&dev->intr.held, 1, memory_order_relaxed);
}

/*
 * Takes what is due on a vector away, and masks it if the driver wants that. Several threads may try at once: one of them
 * gets it.
 *
 * @return what was due; 0: there is nothing to raise
 */
static uint64_t
take(struct vmxnet3_dev *dev, uint32_t v)
{
	_Atomic(uint32_t) *imr = &dev->bar0[v * VMXNET3_REG_STRIDE / 4];
	uint64_t due;

	atomic_fetch_and(&dev->intr.pending[v >> 6], ~bit_of(v));
	due = atomic_exchange(&dev->intr.vector[v].due, 0);
	if (due != 0 && dev->st->cfg.auto_mask && (atomic_exchange(imr, 1) & 1)) {
		/* Masked meanwhile: due again when the guest unmasks. */
		dev_intr_mark(dev, v, due);
		return 0;
	}
	return due;
}

/* A look at vectors: how many more may be raised in it, and what will be left to do. */
struct look {
	uint64_t now;
	uint32_t type;
	uint32_t left;
	enum vmxnet3_dev_intr_held held;
	bool full;
};

/* Of a vector: the most urgent counts for all of them. */
static inline void
leave(struct vmxnet3_dev *dev, struct look *look, uint32_t v, enum vmxnet3_dev_intr_held held)
{
	if (held > look->held)
		look->held = held;
	count_held(dev, v);
}

/* Raises a vector that is due and was not masked, unless moderation holds it. */
static void
fire(struct vmxnet3_dev *dev, struct look *look, uint32_t v)
{
	struct dev_vector *vector = &dev->intr.vector[v];
	uint64_t due = atomic_load_explicit(&vector->due, memory_order_relaxed);
	enum vmxnet3_dev_intr_held held = dev_moderation_holds(dev, vector, due, look->now);

	if (held != VMXNET3_DEV_INTR_NONE) {
		leave(dev, look, v, held);
		return;
	}
	due = take(dev, v);
	if (due == 0)
		return;
	look->left--;
	atomic_fetch_and_explicit(&dev->intr.waits[v >> 6], ~bit_of(v), memory_order_relaxed);
	dev_moderation_raised(dev, vector, due, look->now);
	if (look->type == VFU_IRQ_INTX)
		set_level(dev, true);
	atomic_fetch_add_explicit(&dev->intr.raised, 1, memory_order_relaxed);
	/* The mask is written before the guest can be in its handler. */
	atomic_thread_fence(memory_order_seq_cst);
	send(dev, look->type, v);
}

/* Signals an asserted line once more if the guest has not been in its handler for long. */
static void
repeat_intx(struct vmxnet3_dev *dev, uint64_t now)
{
	_Atomic uint64_t *last = &dev->intr.vector[0].last;
	uint64_t seen = atomic_load_explicit(last, memory_order_relaxed);

	if ((int64_t)(now - seen) < (int64_t)INTX_AGAIN_NS || !atomic_compare_exchange_strong(last, &seen, now))
		return;
	send(dev, VFU_IRQ_INTX, 0);
}

/* Whether the driver lets interrupts through at all. It changes intrCtrl without telling us. */
static bool
driver_allows(struct vmxnet3_dev *dev)
{
	_Atomic(uint32_t) *ctrl = atomic_load_explicit(&dev->intr.ctrl, memory_order_acquire);

	return ctrl != NULL &&
		!(atomic_load_explicit(ctrl, memory_order_acquire) & VMXNET3_IC_DISABLE_ALL);
}

/* More may not be raised in this look. The next one begins with the first vector that finds it so. */
static void
postpone(struct vmxnet3_dev *dev, struct look *look, uint32_t v)
{
	if (!look->full)
		atomic_store_explicit(&dev->intr.first, v, memory_order_relaxed);
	look->full = true;
	leave(dev, look, v, VMXNET3_DEV_INTR_SOON);
}

/* Vectors of one word that are due. */
static inline void
fire_word(struct vmxnet3_dev *dev, struct look *look, uint32_t word, uint64_t due)
{
	for (; due != 0; due &= due - 1) {
		uint32_t v = word * 64 + (uint32_t)__builtin_ctzll(due);

		if (likely(look->left > 0))
			fire(dev, look, v);
		else
			postpone(dev, look, v);
	}
}

/* Vectors from where the last look had to end on, so that each has its turn. */
static void
fire_all(struct vmxnet3_dev *dev, struct look *look, uint64_t low, uint64_t high)
{
	uint32_t first = atomic_load_explicit(&dev->intr.first, memory_order_relaxed);
	uint64_t before = first < 64 ? bit_of(first) - 1 : UINT64_MAX;

	/* Most have one queue that is busy. */
	if (likely(high == 0 && (low & (low - 1)) == 0))
		before = 0;
	fire_word(dev, look, 0, low & ~before);
	fire_word(dev, look, 1, high);
	fire_word(dev, look, 0, low & before);
}

/*
 * Of vectors that are due those that the guest has not masked. Who polls its rings has all masked, for ever: that is found
 * out before the clock is looked at.
 */
static inline uint64_t
unmasked(const struct vmxnet3_dev *dev, uint32_t word, uint64_t due)
{
	for (uint64_t left = due; left != 0; left &= left - 1) {
		uint32_t v = word * 64 + (uint32_t)__builtin_ctzll(left);

		if (atomic_load_explicit(&dev->bar0[v * VMXNET3_REG_STRIDE / 4], memory_order_acquire) & 1)
			due &= ~(left & -left);
	}
	return due;
}

/* There is one vector; what is due on others will never be asked for. */
static void
keep_first(struct vmxnet3_dev *dev, uint64_t *low, uint64_t *high)
{
	if ((*low & ~bit_of(0)) != 0)
		atomic_fetch_and_explicit(&dev->intr.pending[0], bit_of(0), memory_order_relaxed);
	if (*high != 0)
		atomic_store_explicit(&dev->intr.pending[1], 0, memory_order_relaxed);
	*low &= bit_of(0);
	*high = 0;
}

bool
vmxnet3_dev_intr_due(const struct vmxnet3_dev *dev)
{
	return (atomic_load_explicit(&dev->intr.pending[0], memory_order_relaxed) |
		atomic_load_explicit(&dev->intr.pending[1], memory_order_relaxed)) != 0 ||
		atomic_load_explicit(&dev->intr.intx_level, memory_order_relaxed);
}

enum vmxnet3_dev_intr_held
vmxnet3_dev_intr_poll_some(struct vmxnet3_dev *dev, uint32_t *left)
{
	uint64_t low = atomic_load_explicit(&dev->intr.pending[0], memory_order_acquire);
	uint64_t high = atomic_load_explicit(&dev->intr.pending[1], memory_order_acquire);
	bool level = atomic_load_explicit(&dev->intr.intx_level, memory_order_relaxed);
	struct look look = { .left = *left };

	if ((low | high) == 0 && !level)
		return VMXNET3_DEV_INTR_NONE;
	/* Completions are visible before the mask is looked at. */
	atomic_thread_fence(memory_order_seq_cst);
	if (!atomic_load_explicit(&dev->intr.enabled, memory_order_acquire) || !driver_allows(dev))
		return VMXNET3_DEV_INTR_NONE;
	look.type = atomic_load_explicit(&dev->intr.type, memory_order_acquire);
	if (look.type == DEV_INTR_NONE)
		return VMXNET3_DEV_INTR_NONE;
	if (look.type != VFU_IRQ_MSIX)
		keep_first(dev, &low, &high);
	low = unmasked(dev, 0, low);
	high = unmasked(dev, 1, high);
	level = level && look.type == VFU_IRQ_INTX;
	if ((low | high) == 0 && !level)
		return VMXNET3_DEV_INTR_NONE;
	look.now = dev->ops.now(dev->ops.ctx);
	fire_all(dev, &look, low, high);
	if (level)
		repeat_intx(dev, look.now);
	*left = look.left;
	return look.held;
}

bool
vmxnet3_dev_intr_poll(struct vmxnet3_dev *dev)
{
	uint32_t all = VMXNET3_MAX_INTRS;

	return vmxnet3_dev_intr_poll_some(dev, &all) != VMXNET3_DEV_INTR_NONE;
}

void
dev_event(struct vmxnet3_dev *dev, uint32_t bits)
{
	_Atomic(uint32_t) *ecr = atomic_load_explicit(&dev->intr.ecr, memory_order_acquire);

	if (ecr == NULL)
		return;
	atomic_fetch_or(ecr, bits);
	dev_intr_mark(dev, dev->st->cfg.event_intr_idx, DEV_DUE_EVENT);
	dev_wake(dev);
}

uint32_t
dev_ecr_read(struct vmxnet3_dev *dev)
{
	_Atomic(uint32_t) *ecr = dev_dma_allowed(dev) ? atomic_load(&dev->intr.ecr) : NULL;

	return ecr != NULL ? atomic_load(ecr) : 0;
}

void
dev_ecr_clear(struct vmxnet3_dev *dev, uint32_t bits)
{
	_Atomic(uint32_t) *ecr = dev_dma_allowed(dev) ? atomic_load(&dev->intr.ecr) : NULL;

	if (ecr != NULL)
		atomic_fetch_and(ecr, ~bits);
}

bool
dev_intr_intx_level(const struct vmxnet3_dev *dev)
{
	return atomic_load(&dev->intr.intx_level);
}

uint32_t
dev_intr_icr_read(struct vmxnet3_dev *dev)
{
	if (atomic_load(&dev->intr.type) != VFU_IRQ_INTX || !dev_intr_intx_level(dev))
		return 0;
	if (dev->st->cfg.auto_mask)
		atomic_store(&dev->bar0[0], 1);
	set_level(dev, false);
	return 1;
}

void
dev_intr_masked(struct vmxnet3_dev *dev, uint32_t idx)
{
	if (idx == 0)
		set_level(dev, false);
}

void
dev_intr_eoi(struct vmxnet3_dev *dev)
{
	dev_lock(dev);
	if (dev_intr_intx_level(dev) && atomic_load(&dev->intr.type) == VFU_IRQ_INTX &&
		atomic_load(&dev->intr.enabled))
		send(dev, VFU_IRQ_INTX, 0);
	dev_unlock(dev);
}

void
dev_intr_stop(struct vmxnet3_dev *dev)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		atomic_store(&dev->intr.pending[i], 0);
		atomic_store(&dev->intr.waits[i], 0);
	}
	for (i = 0; i < VMXNET3_MAX_INTRS; i++) {
		atomic_store(&dev->intr.vector[i].due, 0);
		atomic_store(&dev->intr.vector[i].since, 0);
	}
	set_level(dev, false);
}

void
dev_intr_reconfigure(struct vmxnet3_dev *dev)
{
	uint32_t type = dev_pci_intr_type(dev);
	uint32_t old = atomic_exchange(&dev->intr.type, type);

	if (type == old)
		return;
	if (type == VFU_IRQ_MSI || type == VFU_IRQ_MSIX)
		set_level(dev, false);
	else if (type == VFU_IRQ_INTX)
		dev_intr_eoi(dev); /* held back by INTx disable until now */
	dev->changed = true;
}
