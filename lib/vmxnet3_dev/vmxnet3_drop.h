/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Why a device drops a frame: one list, from which come the counters, their names and their texts.
 */
#ifndef VMXNET3_DROP_H
#define VMXNET3_DROP_H

/* X(symbol, name, text) */
#define VMXNET3_DROPS(X) \
	X(TX_RUNT, "tx_runt", "frame from the guest shorter than an Ethernet header") \
	X(TX_TOO_LONG, "tx_too_long", "frame from the guest longer than 64 KiB") \
	X(TX_BAD_OFFLOAD, "tx_bad_offload", "offload request of the guest contradicts its frame") \
	X(TX_BAD_ADDRESS, "tx_bad_address", "transmit descriptor points outside guest memory") \
	X(TX_BAD_DESC, "tx_bad_desc", "malformed transmit descriptor, queue stopped") \
	X(TX_LINK_DOWN, "tx_link_down", "frame from the guest while its link is down") \
	X(RX_INACTIVE, "rx_inactive", "no guest driver is active on the device") \
	X(RX_LINK_DOWN, "rx_link_down", "frame for the guest while its link is down") \
	X(RX_NOT_MINE, "rx_not_mine", "destination address not wanted by the guest's filter") \
	X(RX_VLAN, "rx_vlan", "VLAN not wanted by the guest's filter") \
	X(RX_RUNT, "rx_runt", "frame for the guest shorter than an Ethernet header") \
	X(RX_TOO_LONG, "rx_too_long", "frame longer than the guest's MTU") \
	X(RX_NO_BUFFER, "rx_no_buffer", "guest has posted too few receive buffers") \
	X(RX_BAD_ADDRESS, "rx_bad_address", "receive buffer lies outside guest memory") \
	X(RX_BAD_DESC, "rx_bad_desc", "malformed receive descriptor, queue stopped") \
	X(RX_BAD_OFFLOAD, "rx_bad_offload", "pending offload of the frame cannot be carried out")

enum vmxnet3_drop {
#define X(symbol, name, text) VMXNET3_DROP_##symbol,
	VMXNET3_DROPS(X)
#undef X
	VMXNET3_DROP_MAX
};

#endif /* VMXNET3_DROP_H */
