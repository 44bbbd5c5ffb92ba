/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What a queue counts: one list each, from which come the counters and the names of the extended
 * statistics. The drops among them have a text, as those of the device have (vmxnet3_drop.h).
 */
#ifndef VH_COUNT_H
#define VH_COUNT_H

/* X(symbol, name, text) */
#define VH_RX_COUNTS(X) \
	X(PACKETS, "packets", "given to the application") \
	X(BYTES, "bytes", "in them") \
	X(CUT, "cut", "large frames of the guest cut to pieces") \
	X(LRO, "lro", "large frames of the guest given to the application whole") \
	X(ALLOC_FAILED, "alloc_failed", "times that the queue's pool had no packet buffer")

#define VH_RX_DROPS(X) \
	X(NO_MBUF, "no_mbuf", "no packet buffer for a frame already taken from the guest") \
	X(NO_ROOM, "no_room", "frame longer than a packet buffer, and scatter is not enabled") \
	X(TOO_LONG, "too_long", "frame longer than the port's MTU") \
	X(BAD_OFFLOAD, "bad_offload", "pending offload of the frame cannot be carried out") \
	X(TOO_MANY, "too_many", "more pieces of large frames than the queue keeps for later") \
	X(STOPPED, "stopped", "pieces of large frames kept for later when the port stopped")

#define VH_TX_COUNTS(X) \
	X(PACKETS, "packets", "delivered to the guest") \
	X(BYTES, "bytes", "in them") \
	X(TSO, "tso", "segmentation requests among those handed over")

#define VH_TX_DROPS(X) \
	X(NOT_TAKEN, "not_taken", "not delivered by the device, which counts the reason") \
	X(BAD_MBUF, "bad_mbuf", "packet buffers with no data, too much, in too many pieces or unequal to their sum") \
	X(BAD_OFFLOAD, "bad_offload", "offload request unknown, or unfit for the frame")

#define X(symbol, name, text) VH_RX_##symbol,
enum vh_rx_count { VH_RX_COUNTS(X) VH_RX_DROPS(X) VH_RX_COUNT_MAX };
#undef X

#define X(symbol, name, text) VH_TX_##symbol,
enum vh_tx_count { VH_TX_COUNTS(X) VH_TX_DROPS(X) VH_TX_COUNT_MAX };
#undef X

#endif /* VH_COUNT_H */
