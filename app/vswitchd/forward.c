/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_branch_prediction.h>

#include "capture.h"
#include "forward.h"

#define ETHER_ADDR_LEN 6

static bool
is_group(const uint8_t *mac)
{
	return mac[0] & 1;
}

/* 01-80-C2-00-00-00 to -0F: what a bridge of 802.1D keeps to itself (STP, LACP, LLDP ...). */
static bool
is_link_local(const uint8_t *mac)
{
	static const uint8_t prefix[] = {0x01, 0x80, 0xc2, 0x00, 0x00};

	return memcmp(mac, prefix, sizeof(prefix)) == 0 && mac[5] <= 0x0f;
}

/* Whether two frames go between the same stations, in the same direction. */
static inline bool
same_stations(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, 2 * ETHER_ADDR_LEN) == 0;
}

static void
capture_port(struct port *port, uint32_t direction, struct offload_frame *const *frames,
	uint32_t n)
{
	struct capture *capture = __atomic_load_n(&port->capture, __ATOMIC_ACQUIRE);

	if (unlikely(capture != NULL))
		capture_frames(capture, direction, frames, n);
}

static inline void
out_add(struct forward *fwd, const struct topo_port *tp, struct offload_frame *f)
{
	struct forward_out *out = &fwd->out[tp->port->id];

	if (out->n == 0)
		fwd->out_port[fwd->nb_outs++] = tp;
	out->frame[out->n++] = f;
}

static const struct vlan_place *
place_of(const struct forward *fwd, const struct offload_frame *f)
{
	return &fwd->place[f - fwd->burst];
}

/* Makes frames look as the port gets them; those that it may not have leave the list. */
static void
egress_policy(struct forward *fwd, const struct topo_port *tp, struct forward_out *out)
{
	uint16_t n = 0;

	for (uint16_t i = 0; i < out->n; i++) {
		if (likely(vlan_egress(&tp->vlan, out->frame[i], place_of(fwd, out->frame[i]))))
			out->frame[n++] = out->frame[i];
	}
	if (unlikely(n < out->n))
		port_drop(tp->port, &fwd->ctx, SWITCH_DROP_VLAN_SECOND_TAG, out->n - n);
	out->n = n;
}

static void
egress_policy_end(struct forward *fwd, const struct topo_port *tp, struct forward_out *out)
{
	for (uint16_t i = 0; i < out->n; i++)
		vlan_egress_end(&tp->vlan, out->frame[i], place_of(fwd, out->frame[i]));
}

static void
out_flush(struct forward *fwd, bool vlans)
{
	for (uint16_t i = 0; i < fwd->nb_outs; i++) {
		const struct topo_port *tp = fwd->out_port[i];
		struct port *port = tp->port;
		struct forward_out *out = &fwd->out[port->id];

		if (unlikely(vlans))
			egress_policy(fwd, tp, out);
		capture_port(port, CAPTURE_OUT, out->frame, out->n);
		port->ops->deliver(port, &fwd->ctx, out->frame, out->n);
		if (unlikely(vlans))
			egress_policy_end(fwd, tp, out);
		fwd->touched[port->id / 64] |= UINT64_C(1) << (port->id % 64);
		out->n = 0;
	}
	fwd->nb_outs = 0;
}

/* To each other port of its VLAN once; one whose cable is pulled is not there. */
static void
flood(struct forward *fwd, const struct topo_port *in, struct offload_frame *f, uint16_t vid)
{
	const struct topo_bridge *tb = in->bridge;

	for (uint32_t i = 0; i < tb->nb_ports; i++) {
		const struct topo_port *tp = tb->ports[i];

		if (tp != in && port_is_up(tp->port) && (!tb->vlans || vlan_is_member(&tp->vlan, vid)))
			out_add(fwd, tp, f);
	}
	count(&tb->bridge->counters[fwd->ctx.worker].flooded, 1);
}

static void
learn(struct forward *fwd, const struct topo_port *in, const uint8_t *src, uint16_t vid)
{
	struct bridge *bridge = in->bridge->bridge;
	struct bridge_counters *c = &bridge->counters[fwd->ctx.worker];

	switch (fdb_learn(bridge->fdb, src, vid, in->port->id, fwd->now)) {
	case FDB_FULL:
		count(&c->fdb_full, 1);
		break;
	case FDB_MOVED:
		count(&c->fdb_moves, 1);
		break;
	default:
		break;
	}
}

/*
 * Where frames of a VLAN to @p dst go: a port of the bridge, or NULL: to all. The table may know a port
 * that this topology does not have (any more) in the bridge.
 */
static const struct topo_port *
lookup(const struct topology *topo, const struct topo_port *in, const uint8_t *dst, uint16_t vid)
{
	const struct topo_port *tp;
	uint16_t id;

	if (is_group(dst))
		return NULL;
	id = fdb_lookup(in->bridge->bridge->fdb, dst, vid);
	if (id == FDB_NO_PORT)
		return NULL;
	tp = &topo->port[id];
	return tp->bridge == in->bridge ? tp : NULL;
}

static inline struct forward_decision
dropped(struct port *blamed, enum switch_drop reason)
{
	return (struct forward_decision){.blamed = blamed, .reason = reason};
}

/* @param addr  destination and source */
static struct forward_decision
decide(struct forward *fwd, const struct topology *topo, const struct topo_port *in, const uint8_t *addr, uint16_t vid)
{
	const struct topo_port *to;

	learn(fwd, in, addr + ETHER_ADDR_LEN, vid);
	to = lookup(topo, in, addr, vid);
	if (unlikely(to == in))
		return dropped(in->port, SWITCH_DROP_SAME_PORT);
	if (to != NULL && unlikely(in->bridge->vlans && !vlan_is_member(&to->vlan, vid)))
		return dropped(to->port, SWITCH_DROP_VLAN_EGRESS);
	return (struct forward_decision){.to = to};
}

/* Whether a frame may come in, by its addresses. @return SWITCH_DROP_MAX, or why not */
static enum switch_drop
admission(const struct topo_port *in, const uint8_t *addr)
{
	if (unlikely(is_group(addr + ETHER_ADDR_LEN)))
		return SWITCH_DROP_BAD_SOURCE;
	if (unlikely(in->bridge->bridge->conf.link_local_drop && is_link_local(addr)))
		return SWITCH_DROP_LINK_LOCAL;
	return SWITCH_DROP_MAX;
}

static inline void
carry_out(struct forward *fwd, const struct topo_port *in, struct offload_frame *f,
	const struct forward_decision *d, uint16_t vid)
{
	if (likely(d->to != NULL))
		out_add(fwd, d->to, f);
	else if (d->blamed != NULL)
		port_drop(d->blamed, &fwd->ctx, d->reason, 1);
	else
		flood(fwd, in, f, vid);
}

/* Whether it may by its VLAN, which is found; the tag that says so is taken off it. */
static __rte_noinline bool
ingress_policy(struct forward *fwd, const struct topo_port *in, struct offload_frame *f,
	struct vlan_place *place)
{
	enum switch_drop drop = vlan_ingress(&in->vlan, f, place);

	if (likely(drop == SWITCH_DROP_MAX))
		return true;
	port_drop(in->port, &fwd->ctx, drop, 1);
	return false;
}

/*
 * Addresses of a burst that is no single run are asked for together: with many in use, each would be waited for else. First
 * all that says where they are, then what is there.
 */
static __rte_noinline void
look_ahead(const struct fdb *fdb, const struct offload_frame *frames, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		fdb_prefetch_hint(fdb, frames[i].seg[0].data, 0);
		fdb_prefetch_hint(fdb, frames[i].seg[0].data + ETHER_ADDR_LEN, 0);
	}
	for (uint16_t i = 0; i < n; i++) {
		fdb_prefetch(fdb, frames[i].seg[0].data, 0);
		fdb_prefetch(fdb, frames[i].seg[0].data + ETHER_ADDR_LEN, 0);
	}
}

/*
 * Runs of frames between the same two stations are the rule: what is decided of the first holds for all, and for those of
 * the next burst if nothing has changed. Once a second it is decided anew, so that the table learns who is alive.
 */
static struct forward_run *
resume_run(struct forward *fwd, const struct topology *topo, const struct topo_port *in)
{
	struct forward_run *run = &fwd->run[in->port->id];

	if (unlikely(run->topology != topo->generation || run->now != fwd->now ||
			run->fdb_version != fdb_version(in->bridge->bridge->fdb)))
		run->topology = 0;
	return run;
}

static inline bool
goes_on(const struct forward_run *run, const uint8_t *addr, uint16_t vid)
{
	return same_stations(addr, run->addr) && run->vid == vid && run->topology != 0;
}

static __rte_noinline void
begin_run(struct forward *fwd, const struct topology *topo, const struct topo_port *in, struct forward_run *run,
	const uint8_t *addr, uint16_t vid)
{
	enum switch_drop reason = admission(in, addr);

	memcpy(run->addr, addr, sizeof(run->addr));
	run->vid = vid;
	run->now = fwd->now;
	run->fdb_version = fdb_version(in->bridge->bridge->fdb);
	run->topology = topo->generation;
	run->decision = reason == SWITCH_DROP_MAX ? decide(fwd, topo, in, addr, vid) : dropped(in->port, reason);
}

static void
switch_burst(struct forward *fwd, const struct topology *topo, const struct topo_port *in,
	struct offload_frame *frames, uint16_t n)
{
	struct forward_run *run = resume_run(fwd, topo, in);
	uint16_t runs = 0;

	for (uint16_t i = 0; i < n; i++) {
		const uint8_t *addr = frames[i].seg[0].data;

		if (unlikely(!goes_on(run, addr, 0))) {
			/* A second run may be the last one; a third hardly is. */
			if (++runs == 3)
				look_ahead(in->bridge->bridge->fdb, &frames[i], n - i);
			begin_run(fwd, topo, in, run, addr, 0);
		}
		carry_out(fwd, in, &frames[i], &run->decision, 0);
	}
}

/* The same in a bridge that knows VLANs: the same stations in another one are others. */
static void
switch_vlans(struct forward *fwd, const struct topology *topo, const struct topo_port *in,
	struct offload_frame *frames, uint16_t n)
{
	struct forward_run *run = resume_run(fwd, topo, in);

	for (uint16_t i = 0; i < n; i++) {
		struct offload_frame *f = &frames[i];
		enum switch_drop reason;
		const uint8_t *addr;
		uint16_t vid;

		reason = admission(in, f->seg[0].data);
		if (unlikely(reason != SWITCH_DROP_MAX)) {
			port_drop(in->port, &fwd->ctx, reason, 1);
			continue;
		}
		if (!ingress_policy(fwd, in, f, &fwd->place[i]))
			continue;
		addr = f->seg[0].data;
		vid = fwd->place[i].vid;
		if (unlikely(!goes_on(run, addr, vid)))
			begin_run(fwd, topo, in, run, addr, vid);
		carry_out(fwd, in, f, &run->decision, vid);
	}
}

static void
wire_burst(struct forward *fwd, const struct topo_port *in, struct offload_frame *frames,
	uint16_t n)
{
	const struct topo_bridge *tb = in->bridge;
	const struct topo_port *peer;

	/* A cable whose other end is not plugged in. */
	if (tb->nb_ports != 2) {
		port_drop(in->port, &fwd->ctx, SWITCH_DROP_LINK_DOWN, n);
		return;
	}
	peer = tb->ports[0] == in ? tb->ports[1] : tb->ports[0];
	for (uint16_t i = 0; i < n; i++)
		out_add(fwd, peer, &frames[i]);
}

static void
capture_in(struct port *port, struct offload_frame *frames, uint16_t n)
{
	struct offload_frame *list[PORT_BURST];

	if (likely(__atomic_load_n(&port->capture, __ATOMIC_RELAXED) == NULL))
		return;
	for (uint16_t i = 0; i < n; i++)
		list[i] = &frames[i];
	capture_port(port, CAPTURE_IN, list, n);
}

void
forward_burst(struct forward *fwd, const struct topology *topo, const struct topo_port *in,
	struct offload_frame *frames, uint16_t n)
{
	if (unlikely(!port_is_up(in->port))) {
		port_drop(in->port, &fwd->ctx, SWITCH_DROP_LINK_DOWN, n);
		return;
	}
	capture_in(in->port, frames, n);
	if (unlikely(in->bridge == NULL)) {
		port_drop(in->port, &fwd->ctx, SWITCH_DROP_NO_BRIDGE, n);
		return;
	}
	fwd->burst = frames;
	if (in->bridge->bridge->conf.type == BRIDGE_WIRE)
		wire_burst(fwd, in, frames, n);
	else if (unlikely(in->bridge->vlans))
		switch_vlans(fwd, topo, in, frames, n);
	else
		switch_burst(fwd, topo, in, frames, n);
	out_flush(fwd, in->bridge->vlans);
}
