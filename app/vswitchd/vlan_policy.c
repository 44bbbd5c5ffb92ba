/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_branch_prediction.h>

#include <offload_parse.h>

#include "vlan_policy.h"

#define VID_MASK 0x0fff

void
vlan_policy_init(struct vlan_policy *policy, const struct port_conf *conf)
{
	memset(policy, 0, sizeof(*policy));
	policy->mode = conf->vlan_mode;
	policy->tag = conf->tag;
	policy->qinq_ethtype = conf->qinq_ethtype;
	if (conf->vlan_mode == VLAN_TRANSPARENT)
		memset(&policy->member, 0xff, sizeof(policy->member));
	else if (conf->tag != 0)
		vlan_set_add(&policy->member, conf->tag);
	if (conf->vlan_mode != VLAN_TRUNK)
		return;
	if (conf->trunks != NULL) {
		vlan_list_parse(conf->trunks, &policy->member);
		return;
	}
	for (uint16_t vid = 1; vid <= VLAN_MAX; vid++)
		vlan_set_add(&policy->member, vid);
}

/* 802.1Q's priority tag: no VLAN, but a priority. */
static bool
is_priority_tag(struct offload_vlan_tag tag)
{
	return tag.tpid == VLAN_ETHTYPE_CUSTOMER && (tag.tci & VID_MASK) == 0;
}

/* The frame is in the port's own VLAN; a priority tag that it had gives it its priority there. */
static void
place_in_own(const struct vlan_policy *policy, struct vlan_place *place)
{
	uint16_t priority = place->tag.tpid == 0 ? 0 : place->tag.tci & ~VID_MASK;

	place->vid = policy->tag;
	place->tag.tpid = VLAN_ETHTYPE_CUSTOMER;
	place->tag.tci = priority | policy->tag;
}

static bool
has_tag_in_line(struct offload_frame *f)
{
	offload_frame_parse(f);
	return f->hdr.nb_tags != 0;
}

static enum switch_drop
enter_access(const struct vlan_policy *policy, struct offload_frame *f, struct vlan_place *place)
{
	bool tagged = place->tag.tpid != 0 && !is_priority_tag(place->tag);

	if (unlikely(tagged || has_tag_in_line(f)))
		return SWITCH_DROP_VLAN_TAGGED;
	place_in_own(policy, place);
	return SWITCH_DROP_MAX;
}

static enum switch_drop
enter_trunk(const struct vlan_policy *policy, struct vlan_place *place)
{
	if (place->tag.tpid == 0 || is_priority_tag(place->tag))
		place_in_own(policy, place);
	else
		place->vid = place->tag.tci & VID_MASK;
	/* Without a native VLAN, frames of none have no place. */
	return vlan_is_member(policy, place->vid) ? SWITCH_DROP_MAX : SWITCH_DROP_VLAN_INGRESS;
}

enum switch_drop
vlan_ingress(const struct vlan_policy *policy, struct offload_frame *f, struct vlan_place *place)
{
	if (policy->mode == VLAN_TUNNEL) {
		offload_vlan_push(f);
		place->vid = policy->tag;
		place->tag.tpid = policy->qinq_ethtype;
		place->tag.tci = policy->tag;
		return SWITCH_DROP_MAX;
	}
	place->tag.tpid = 0;
	offload_vlan_remove(f, &place->tag);
	switch (policy->mode) {
	case VLAN_ACCESS:
		return enter_access(policy, f, place);
	case VLAN_TRUNK:
		return enter_trunk(policy, place);
	default:
		place->vid = place->tag.tpid == 0 ? 0 : place->tag.tci & VID_MASK;
		return SWITCH_DROP_MAX;
	}
}

/* Whether the port sees the tag that the frame has in the switch. */
static bool
shows_tag(const struct vlan_policy *policy, const struct vlan_place *place)
{
	switch (policy->mode) {
	case VLAN_TRUNK:
		return place->vid != policy->tag;
	case VLAN_TRANSPARENT:
		return place->tag.tpid != 0;
	default:
		return false;
	}
}

bool
vlan_egress(const struct vlan_policy *policy, struct offload_frame *f,
	const struct vlan_place *place)
{
	if (shows_tag(policy, place)) {
		if (place->tag.tpid == VLAN_ETHTYPE_CUSTOMER) {
			f->flags |= OFFLOAD_F_VLAN;
			f->vlan_tci = place->tag.tci;
		} else {
			offload_vlan_insert(f, place->tag);
		}
		return true;
	}
	/*
	 * Where untagged means "of this VLAN", a tag further in would come to the front and be taken for
	 * that of another.
	 */
	return policy->mode == VLAN_TUNNEL || policy->mode == VLAN_TRANSPARENT || !has_tag_in_line(f);
}

void
vlan_egress_end(const struct vlan_policy *policy, struct offload_frame *f,
	const struct vlan_place *place)
{
	struct offload_vlan_tag tag;

	if (shows_tag(policy, place))
		offload_vlan_remove(f, &tag);
	else
		offload_vlan_push(f);
}
