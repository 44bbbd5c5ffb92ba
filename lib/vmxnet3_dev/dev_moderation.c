/* SPDX-License-Identifier: BSD-3-Clause */
#include "dev_moderation.h"

#include <string.h>

#define SECOND_NS      UINT64_C(1000000000)
#define MICROSECOND_NS UINT64_C(1000)

/*
 * Transmit completions alone do not hurry: nobody but the guest's memory waits for them. They go along with the next
 * receive completion, or wait so long. A driver's ring holds more than is sent in that time, or else its depth (a quarter
 * of the ring) is reached before.
 */
#define TX_WAIT_NS (100 * MICROSECOND_NS)

/*
 * Adaptive moderation waits so long for them, for an answer to take them along: an interrupt that tells of nothing but sent
 * frames costs a guest as much as the answer's. But who sends on within such a time as it is told of them has waited for its
 * buffers. Then answers are not waited for for a while, and twice as long each time until one comes.
 */
#define ANSWER_WAIT_NS (2000 * MICROSECOND_NS)
#define GOES_ON_NS     (1000 * MICROSECOND_NS)
#define ONE_WAY_MIN_NS (10000 * MICROSECOND_NS)
#define ONE_WAY_MAX_NS SECOND_NS

/* A driver that wants completions counted gets those that never become so many after this time. */
#define STATIC_WAIT_NS (1000 * MICROSECOND_NS)

/*
 * Adaptive gap, found at each end of a window: 25 us for each frame that came in 100 us, 100 us at most; none if that would
 * not gather two. So a sparse stream waits for nothing, and a dense one gets 10,000 interrupts per second.
 */
#define ADAPT_WINDOW_NS    (200 * MICROSECOND_NS)
#define ADAPT_PER_FRAME_NS (25 * MICROSECOND_NS)
#define ADAPT_GAP_MIN_NS   (75 * MICROSECOND_NS)
#define ADAPT_GAP_MAX_NS   (100 * MICROSECOND_NS)

/*
 * Frames that come one at a time however long they are waited for are answers to answers: the other side waits for this
 * guest. Such a stream is left alone for a while.
 */
#define ADAPT_ALONE_NS (10000 * MICROSECOND_NS)

/* ---- the numbers ---- */

struct numbers {
	uint32_t rx_depth, tx_depth;
	uint64_t wait, gap;
	bool adaptive;
};

static uint32_t
depth(uint32_t asked)
{
	return asked > 0 ? asked : 1;
}

static struct numbers
numbers_of(const struct vmxnet3_dev_conf *conf, const struct vmxnet3_coalesce *c)
{
	struct numbers n = { .rx_depth = 1, .tx_depth = UINT32_MAX, .wait = TX_WAIT_NS };
	uint64_t cap = conf->intr_rate > 0 ? SECOND_NS / conf->intr_rate : 0;

	switch (conf->low_latency ? DEV_COALESCE_DISABLED : c->mode) {
	case DEV_COALESCE_DISABLED:
		n.tx_depth = 1;
		break;
	case DEV_COALESCE_STATIC:
		/* The first number is how many frames the driver may gather before it rings: not ours to keep. */
		n.tx_depth = depth(c->param[1]);
		n.rx_depth = depth(c->param[2]);
		n.wait = STATIC_WAIT_NS;
		break;
	case DEV_COALESCE_RATE:
		n.gap = c->param[0] > 0 ? SECOND_NS / c->param[0] : 0;
		break;
	default:
		n.adaptive = true;
	}
	n.gap = n.gap > cap ? n.gap : cap;
	return n;
}

static void
bound(_Atomic uint32_t *value, uint32_t most)
{
	if (*value > most)
		*value = most;
}

/* A ring must not run dry or full while its completions gather. */
static void
bound_by_rings(struct vmxnet3_dev *dev)
{
	const struct dev_state *st = dev->st;
	struct dev_vector *v = dev->intr.vector;
	uint32_t i, idx, most;

	for (i = 0; i < st->cfg.nb_txq; i++) {
		idx = st->txq[i].intr_idx;
		if (idx < VMXNET3_MAX_INTRS)
			bound(&v[idx].tx_depth, depth(st->txq[i].ring.size / 4));
	}
	for (i = 0; i < st->cfg.nb_rxq; i++) {
		idx = st->rxq[i].intr_idx;
		most = depth(st->rxq[i].ring[0].size / 4);
		if (idx < VMXNET3_MAX_INTRS) {
			bound(&v[idx].rx_depth, most);
			bound(&v[idx].rx_full, most);
		}
	}
}

void
dev_moderation_set(struct vmxnet3_dev *dev)
{
	struct numbers n = numbers_of(&dev->conf, &dev->st->coalesce);
	uint32_t i;

	for (i = 0; i < VMXNET3_MAX_INTRS; i++) {
		dev->intr.vector[i].rx_depth = n.rx_depth;
		dev->intr.vector[i].tx_depth = n.tx_depth;
		dev->intr.vector[i].rx_full = UINT32_MAX;
		dev->intr.vector[i].gap = 0;
	}
	bound_by_rings(dev);
	dev->intr.wait = n.wait;
	dev->intr.gap = n.gap;
	dev->intr.adaptive = n.adaptive;
}

/* ---- the rule ---- */

static inline uint64_t
peek(const _Atomic uint64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

static inline uint32_t
peek32(const _Atomic uint32_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

#define poke(value, to) atomic_store_explicit(value, to, memory_order_relaxed)

static inline uint64_t
gap_of(const struct vmxnet3_dev *dev, const struct dev_vector *v, uint64_t due)
{
	uint64_t gap = peek(&dev->intr.gap), own = peek32(&v->gap);

	return own > gap && (uint32_t)due < peek32(&v->rx_full) ? own : gap;
}

/* Another thread may have raised the vector after this one looked at the clock: times are differences with a sign. */
static inline bool
is_over(uint64_t since, uint64_t now, uint64_t time)
{
	return (int64_t)(now - since) >= (int64_t)time;
}

/* How long it is until then. What is less than VMXNET3_DEV_INTR_LATER_NS away is soon; else it is @p far. */
static inline enum vmxnet3_dev_intr_held
holds_until(uint64_t then, uint64_t now, enum vmxnet3_dev_intr_held far)
{
	int64_t left = (int64_t)(then - now);

	if (left <= 0)
		return VMXNET3_DEV_INTR_NONE;
	return left > VMXNET3_DEV_INTR_LATER_NS ? far : VMXNET3_DEV_INTR_SOON;
}

/* What was sent waited for an answer in vain, and now more is sent. */
static void
note_one_way(struct dev_vector *v, uint64_t now)
{
	uint64_t pause = 2 * peek(&v->one_way);

	poke(&v->unanswered, false);
	if (is_over(peek(&v->last), now, GOES_ON_NS))
		return;
	pause = pause > ONE_WAY_MIN_NS ? pause : ONE_WAY_MIN_NS;
	pause = pause < ONE_WAY_MAX_NS ? pause : ONE_WAY_MAX_NS;
	poke(&v->one_way, pause);
	poke(&v->one_way_until, now + pause);
}

/* How long completions may wait for others. */
static inline uint64_t
wait_of(const struct vmxnet3_dev *dev, const struct dev_vector *v, uint64_t now)
{
	if (atomic_load_explicit(&dev->intr.adaptive, memory_order_relaxed) && is_over(peek(&v->one_way_until), now, 0))
		return ANSWER_WAIT_NS;
	return peek(&dev->intr.wait);
}

/* Whether what is due waits for more to gather. */
static inline enum vmxnet3_dev_intr_held
gathers(const struct vmxnet3_dev *dev, struct dev_vector *v, uint64_t due, uint64_t now)
{
	uint64_t since;

	if ((uint32_t)due >= peek32(&v->rx_depth) || (uint32_t)(due >> 32) >= peek32(&v->tx_depth))
		return VMXNET3_DEV_INTR_NONE;
	since = peek(&v->since);
	if (since == 0) {
		since = now != 0 ? now : 1;
		poke(&v->since, since);
		if (atomic_load_explicit(&v->unanswered, memory_order_relaxed))
			note_one_way(v, now);
	}
	return holds_until(since + wait_of(dev, v, now), now, VMXNET3_DEV_INTR_MORE);
}

enum vmxnet3_dev_intr_held
dev_moderation_holds(struct vmxnet3_dev *dev, struct dev_vector *v, uint64_t due, uint64_t now)
{
	enum vmxnet3_dev_intr_held gap = holds_until(peek(&v->last) + gap_of(dev, v, due), now, VMXNET3_DEV_INTR_LATER);
	enum vmxnet3_dev_intr_held more = gathers(dev, v, due, now);

	/* Both have to be over. */
	return gap != VMXNET3_DEV_INTR_NONE ? gap : more;
}

/* The gap after a window in which @p frames came with @p raises interrupts. */
static uint32_t
adapted(struct dev_vector *v, uint64_t frames, uint32_t raises, uint64_t passed, uint64_t now)
{
	uint64_t gap = frames * ADAPT_PER_FRAME_NS * ADAPT_GAP_MAX_NS / passed;

	if (peek32(&v->gap) > 0 && 2 * frames < 3 * (uint64_t)raises)
		poke(&v->alone_until, now + ADAPT_ALONE_NS);
	if (gap < ADAPT_GAP_MIN_NS || !is_over(peek(&v->alone_until), now, 0))
		return 0;
	return (uint32_t)(gap < ADAPT_GAP_MAX_NS ? gap : ADAPT_GAP_MAX_NS);
}

/* Whether what was sent was answered in time. */
static inline void
note_answer(struct dev_vector *v, uint64_t due, uint64_t now)
{
	bool answered = (uint32_t)due != 0;

	poke(&v->unanswered, !answered && is_over(peek(&v->one_way_until), now, 0));
	if (answered && due >> 32 != 0)
		poke(&v->one_way, 0);
}

void
dev_moderation_raised(struct vmxnet3_dev *dev, struct dev_vector *v, uint64_t due, uint64_t now)
{
	uint64_t frames, passed = now - peek(&v->window);
	uint32_t raises;

	poke(&v->last, now);
	poke(&v->since, 0);
	if (!atomic_load_explicit(&dev->intr.adaptive, memory_order_relaxed))
		return;
	note_answer(v, due, now);
	if ((uint32_t)due == 0)
		return;
	frames = peek(&v->frames) + (uint32_t)due;
	raises = peek32(&v->raises) + 1;
	if (passed >= ADAPT_WINDOW_NS) {
		poke(&v->gap, adapted(v, frames, raises, passed, now));
		poke(&v->window, now);
		frames = 0;
		raises = 0;
	}
	poke(&v->frames, frames);
	poke(&v->raises, raises);
}

void
dev_moderation_info(const struct vmxnet3_dev *dev, struct vmxnet3_dev_moderation *info)
{
	const struct vmxnet3_coalesce *c = &dev->st->coalesce;
	uint64_t gap = peek(&dev->intr.gap), now = dev->ops.now(dev->ops.ctx);
	uint32_t i;

	memset(info, 0, sizeof(*info));
	for (i = 0; i < VMXNET3_MAX_INTRS; i++) {
		const struct dev_vector *v = &dev->intr.vector[i];

		/* One that was adapted to what has long ended holds nothing. */
		if (!is_over(peek(&v->last), now, SECOND_NS) && peek32(&v->gap) > gap)
			gap = peek32(&v->gap);
	}
	info->gap_ns = (uint32_t)gap;
	info->raised = peek(&dev->intr.raised);
	info->held = peek(&dev->intr.held);
	if (dev->conf.low_latency)
		return;
	info->mode = VMXNET3_MODERATION_DISABLED + c->mode;
	if (c->mode == DEV_COALESCE_STATIC) {
		info->tx_frames = depth(c->param[1]);
		info->rx_frames = depth(c->param[2]);
	}
	if (c->mode == DEV_COALESCE_RATE)
		info->rate = c->param[0];
}
