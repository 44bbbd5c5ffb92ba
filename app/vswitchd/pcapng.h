/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Blocks of a pcapng file, written into memory. One section, one interface, Ethernet, nanoseconds.
 *
 * DPDK's rte_pcapng is no use here: in 22.11 it names interfaces by their ethdev port number, and a device
 * port is no ethdev; it also wants its frames in mbufs.
 *
 * Every block's length is a multiple of 4, and its first two 32-bit words are its type and its length.
 */
#ifndef VSWITCHD_PCAPNG_H
#define VSWITCHD_PCAPNG_H

#include <stddef.h>
#include <stdint.h>

#define PCAPNG_BLOCK_SECTION   0x0a0d0d0au
#define PCAPNG_BLOCK_INTERFACE 0x00000001u
#define PCAPNG_BLOCK_STATS     0x00000005u
#define PCAPNG_BLOCK_PACKET    0x00000006u

/** pcapng_packet::direction, as the flags option has them. */
#define PCAPNG_INBOUND  1u
#define PCAPNG_OUTBOUND 2u

/** A packet block is at most this much longer than the bytes it holds. */
#define PCAPNG_PACKET_OVERHEAD 48u

struct pcapng_section {
	const char *application;
	const char *os;      /**< may be NULL */
	const char *comment; /**< may be NULL */
};

struct pcapng_interface {
	const char *name;
	const char *description; /**< may be NULL */
	const char *filter;      /**< pcap filter expression; may be NULL */
	uint32_t snaplen;
};

struct pcapng_packet {
	uint64_t time_ns;   /**< since 1970 */
	uint32_t caplen;    /**< bytes kept */
	uint32_t len;       /**< bytes on the wire */
	uint32_t direction; /**< PCAPNG_INBOUND or PCAPNG_OUTBOUND */
};

struct pcapng_stats {
	uint64_t start_ns, end_ns;
	uint64_t received;  /**< frames that matched the filter */
	uint64_t dropped;   /**< of these, could not be kept */
	uint64_t delivered; /**< of these, are in the file */
};

/**
 * Write a block. Texts are cut where they would not fit.
 *
 * @return its length, or 0: @p size is too small
 */
size_t pcapng_section_write(uint8_t *buf, size_t size, const struct pcapng_section *section);
size_t pcapng_interface_write(uint8_t *buf, size_t size, const struct pcapng_interface *iface);
size_t pcapng_stats_write(uint8_t *buf, size_t size, const struct pcapng_stats *stats);

/** Length of the packet block for a frame of which @p caplen bytes are kept. */
uint32_t pcapng_packet_size(uint32_t caplen);

/**
 * Writes a packet block but for its first word, the type, and for the frame.
 *
 * @param block  pcapng_packet_size() zeroed bytes, aligned to 4
 * @return where the frame's caplen bytes go
 */
uint8_t *pcapng_packet_begin(uint8_t *block, const struct pcapng_packet *packet);

/** The block is complete: writes its type, after everything else is visible to other threads. */
void pcapng_packet_publish(uint8_t *block);

#endif /* VSWITCHD_PCAPNG_H */
