/* SPDX-License-Identifier: BSD-3-Clause */
/** @file What pktcheck is told on its command line. */
#ifndef PKTCHECK_OPTIONS_H
#define PKTCHECK_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>

#define MAX_BURST 256
#define MAX_FLOWS 256
#define MAX_QUEUES 32

/** What the sender does to every so many frames, for the receiver to find. */
enum damage {
	DAMAGE_NONE,
	DAMAGE_FLIP,   /**< one bit behind the Ethernet header */
	DAMAGE_CUT,    /**< the last byte */
	DAMAGE_DROP,
	DAMAGE_SWAP,   /**< with the one before it in its flow */
	DAMAGE_REPEAT,
};

struct options {
	uint64_t frames;       /**< of all directions together; 0: as many as the time allows */
	double seconds;        /**< 0: no limit */
	uint32_t min, max;     /**< bytes of a frame, without FCS */
	bool uniform;          /**< all sizes alike, not mostly small ones */
	uint32_t burst;
	uint32_t flows;        /**< of each direction */
	uint32_t queues;       /**< of each port, for each way */
	uint32_t rxd, txd;     /**< descriptors of a queue */
	uint32_t segments;     /**< at most, of a sent frame */
	uint32_t in_flight;    /**< receive buffers that the frames on their way take; 0: half of rxd */
	uint32_t mbufs;
	uint32_t mbuf_size;    /**< bytes of data, without headroom */
	uint64_t seed;
	double settle;         /**< seconds from the links' coming up to the first frame */
	double stall;          /**< seconds without any movement that end the run */
	enum damage damage;
	uint64_t damage_every;
	bool csum;             /**< leave checksums of IPv4 and UDP to the port */
	bool promiscuous;
	bool echo;             /**< one port: who has the address peer sends the frames back */
	struct rte_ether_addr peer;
	bool rx_interrupts;
	double interval;       /**< seconds between two bursts of a direction; 0: none */
};

/**
 * Fills @p opt from what follows EAL's options. Prints what is wrong.
 * @return 0; -1 for wrong options; 1 when only help was asked for
 */
int options_parse(struct options *opt, int argc, char **argv);

#endif /* PKTCHECK_OPTIONS_H */
