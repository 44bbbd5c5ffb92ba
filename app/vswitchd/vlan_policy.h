/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * VLANs: which one a frame is of when it enters the switch, and how it looks when it leaves.
 *
 * Between the two, a frame that has a tag by which it is of its VLAN does not carry it: it is beside the frame
 * (struct vlan_place). All other tags, those of a tunnel's customers, are in line. So every port that the frame
 * goes to can be shown it in its own way, one port after the other.
 */
#ifndef VSWITCHD_VLAN_POLICY_H
#define VSWITCHD_VLAN_POLICY_H

#include <offload_frame.h>
#include <offload_vlan.h>

#include "conf.h"
#include "drop.h"
#include "vlan_list.h"

/** Of one port. */
struct vlan_policy {
	enum vlan_mode mode;
	uint16_t tag;           /**< as in the configuration */
	uint16_t qinq_ethtype;
	struct vlan_set member; /**< VLANs whose frames it gets; VLAN 0: those of none */
};

/** Where a frame of the switch belongs. */
struct vlan_place {
	uint16_t vid;                /**< 0: no VLAN */
	struct offload_vlan_tag tag; /**< how it is told to ports that see tags; a tpid of 0: not at all */
};

void vlan_policy_init(struct vlan_policy *policy, const struct port_conf *conf);

static inline bool
vlan_is_member(const struct vlan_policy *policy, uint16_t vid)
{
	return vlan_set_has(&policy->member, vid);
}

/**
 * Finds the VLAN of a frame that has come in by a port, and takes the tag that says so off it.
 *
 * @return SWITCH_DROP_MAX, or why it may not come in
 */
enum switch_drop vlan_ingress(const struct vlan_policy *policy, struct offload_frame *f,
	struct vlan_place *place);

/**
 * Makes a frame look as the port gets it. The port is a member of the frame's VLAN.
 *
 * @return whether it may have the frame; if not, it is unchanged
 */
bool vlan_egress(const struct vlan_policy *policy, struct offload_frame *f,
	const struct vlan_place *place);

/** Undoes vlan_egress(), when the port has the frame: it may have moved a tag. */
void vlan_egress_end(const struct vlan_policy *policy, struct offload_frame *f,
	const struct vlan_place *place);

#endif /* VSWITCHD_VLAN_POLICY_H */
