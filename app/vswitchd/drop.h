/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Every reason for which the switch or one of its ports drops a frame: one list, which gives each its
 * counter, its name (`vswitchctl drops`), its text and its manual entry. The device core's reasons
 * come first.
 */
#ifndef VSWITCHD_DROP_H
#define VSWITCHD_DROP_H

#include <vmxnet3_drop.h>

/* X(symbol, name, text) */
#define SWITCH_DROPS(X) \
	X(NO_BRIDGE, "no_bridge", "port is attached to no bridge") \
	X(LINK_DOWN, "link_down", "link of the port is down") \
	X(LINK_LOCAL, "link_local", "link-local address, and the bridge drops those") \
	X(SAME_PORT, "same_port", "destination is on the port that the frame came from") \
	X(BAD_SOURCE, "bad_source", "source address is a group address") \
	X(VLAN_INGRESS, "vlan_ingress", "VLAN of the frame is not one of the port that it came in by") \
	X(VLAN_EGRESS, "vlan_egress", "VLAN of the frame is not one of the port that it would leave by") \
	X(VLAN_SECOND_TAG, "vlan_second_tag", "second tag would pass for the VLAN of the frame at the port") \
	X(VLAN_TAGGED, "vlan_tagged", "tagged frame came in by an access port") \
	X(ETH_RX_MISSED, "eth_rx_missed", "receive ring of the ethdev port was full") \
	X(ETH_TX_FULL, "eth_tx_full", "transmit ring of the ethdev port is full") \
	X(ETH_NO_MBUF, "eth_no_mbuf", "no packet buffer left for the ethdev port") \
	X(ETH_TOO_LONG, "eth_too_long", "frame longer than the MTU of the ethdev port") \
	X(ETH_BAD_OFFLOAD, "eth_bad_offload", "pending offload of the frame cannot be carried out") \
	X(ETH_RUNT, "eth_runt", "frame from the ethdev port shorter than an Ethernet header")

enum switch_drop {
#define X(symbol, name, text) SWITCH_DROP_##symbol = VMXNET3_DROP_##symbol,
	VMXNET3_DROPS(X)
#undef X
	SWITCH_DROP_FIRST = VMXNET3_DROP_MAX,
	SWITCH_DROP_BASE_ = SWITCH_DROP_FIRST - 1,
#define X(symbol, name, text) SWITCH_DROP_##symbol,
	SWITCH_DROPS(X)
#undef X
	SWITCH_DROP_MAX
};

/** Name and text of a reason. */
const char *drop_name(enum switch_drop reason);
const char *drop_text(enum switch_drop reason);

#endif /* VSWITCHD_DROP_H */
