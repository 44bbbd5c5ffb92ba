/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_mbuf.h>

#include "frame.h"
#include "options.h"

enum kind { KIND_FLAG, KIND_U32, KIND_U64, KIND_SECONDS, KIND_MS, KIND_DAMAGE, KIND_MAC };

struct known {
	const char *name;
	enum kind kind;
	size_t offset;
	uint64_t min, max;
	const char *help;
};

#define AT(field) offsetof(struct options, field)

static const struct known known[] = {
	{"frames", KIND_U64, AT(frames), 0, UINT32_MAX, "frames in all, both ways together (100000)"},
	{"seconds", KIND_SECONDS, AT(seconds), 0, 86400, "send no longer than this"},
	{"min", KIND_U32, AT(min), FRAME_MIN, FRAME_MAX, "bytes of the shortest frame (60)"},
	{"max", KIND_U32, AT(max), FRAME_MIN, FRAME_MAX, "bytes of the longest frame (1514)"},
	{"uniform", KIND_FLAG, AT(uniform), 0, 1, "all sizes alike, not mostly small ones"},
	{"burst", KIND_U32, AT(burst), 1, MAX_BURST, "frames of a burst (32)"},
	{"flows", KIND_U32, AT(flows), 1, MAX_FLOWS, "flows each way (8)"},
	{"queues", KIND_U32, AT(queues), 1, MAX_QUEUES, "queues of each port (1)"},
	{"rxd", KIND_U32, AT(rxd), 16, 4096, "receive descriptors of a queue (1024)"},
	{"txd", KIND_U32, AT(txd), 16, 4096, "transmit descriptors of a queue (1024)"},
	{"segments", KIND_U32, AT(segments), 1, 64, "segments of a sent frame, at most (1)"},
	{"in-flight", KIND_U32, AT(in_flight), 1, 65536, "receive buffers' worth on the way (rxd / 2)"},
	{"mbufs", KIND_U32, AT(mbufs), 64, 1 << 20, "packet buffers (32768)"},
	{"mbuf-size", KIND_U32, AT(mbuf_size), 128, 16384, "bytes of a packet buffer (2048)"},
	{"seed", KIND_U64, AT(seed), 0, UINT64_MAX, "of all that is random (1)"},
	{"settle", KIND_MS, AT(settle), 0, 60000, "milliseconds to wait when links are up (0)"},
	{"stall", KIND_SECONDS, AT(stall), 0, 86400, "give up when nothing moves for so long (20)"},
	{"damage", KIND_DAMAGE, AT(damage), 0, 0, "KIND:N, to every Nth frame; flip, cut, drop, swap, repeat"},
	{"csum", KIND_FLAG, AT(csum), 0, 1, "let the port compute checksums"},
	{"promiscuous", KIND_FLAG, AT(promiscuous), 0, 1, "ports take all addresses"},
	{"echo", KIND_MAC, AT(peer), 0, 0, "MAC of who sends back what one port sends"},
	{"rx-interrupts", KIND_FLAG, AT(rx_interrupts), 0, 1, "sleep until a frame comes"},
	{"interval", KIND_MS, AT(interval), 0, 3600000, "milliseconds between two bursts of a direction"},
};

static const char *const damages[] = {
	[DAMAGE_NONE] = "none", [DAMAGE_FLIP] = "flip", [DAMAGE_CUT] = "cut",
	[DAMAGE_DROP] = "drop", [DAMAGE_SWAP] = "swap", [DAMAGE_REPEAT] = "repeat",
};

static void
help(void)
{
	size_t i;

	printf("usage: pktcheck [EAL options] -- [options]\n");
	for (i = 0; i < RTE_DIM(known); i++)
		printf("  --%-14s %s\n", known[i].name, known[i].help);
}

static int
parse_number(const struct known *k, const char *text, double *value)
{
	char *end;

	errno = 0;
	*value = strtod(text, &end);
	if (errno != 0 || end == text || *end != '\0' || *value < k->min || *value > k->max)
		return -1;
	return 0;
}

static int
parse_damage(struct options *opt, const char *text)
{
	const char *colon = strchr(text, ':');
	char *end;
	size_t i;

	if (colon == NULL)
		return -1;
	opt->damage_every = strtoull(colon + 1, &end, 10);
	if (*end != '\0' || opt->damage_every == 0)
		return -1;
	for (i = 0; i < RTE_DIM(damages); i++)
		if (strlen(damages[i]) == (size_t)(colon - text) &&
		    strncmp(damages[i], text, colon - text) == 0) {
			opt->damage = i;
			return 0;
		}
	return -1;
}

static int
parse_value(struct options *opt, const struct known *k, const char *text)
{
	void *at = (char *)opt + k->offset;
	double value;

	switch (k->kind) {
	case KIND_FLAG:
		*(bool *)at = true;
		return 0;
	case KIND_DAMAGE:
		return parse_damage(opt, text);
	case KIND_MAC:
		opt->echo = true;
		return rte_ether_unformat_addr(text, at);
	default:
		break;
	}
	if (parse_number(k, text, &value) != 0)
		return -1;
	switch (k->kind) {
	case KIND_U32:
		*(uint32_t *)at = value;
		break;
	case KIND_U64:
		*(uint64_t *)at = value;
		break;
	case KIND_MS:
		*(double *)at = value / 1000;
		break;
	default:
		*(double *)at = value;
	}
	return 0;
}

static int
contradiction(const struct options *opt)
{
	const char *what = NULL;

	if (opt->min > opt->max)
		what = "--min is more than --max";
	else if (opt->flows < opt->queues)
		what = "each queue needs a flow";
	else if (opt->frames == 0 && opt->seconds == 0)
		what = "--frames or --seconds must bound the run";
	else if ((opt->max + opt->mbuf_size - 1) / opt->mbuf_size > opt->segments)
		what = "frames of --max need more --segments, or a larger --mbuf-size";
	if (what != NULL)
		fprintf(stderr, "pktcheck: %s\n", what);
	return what != NULL ? -1 : 0;
}

int
options_parse(struct options *opt, int argc, char **argv)
{
	struct option longs[RTE_DIM(known) + 2] = {{0}};
	size_t i;
	int c, index;

	*opt = (struct options){.frames = 100000, .min = 60, .max = 1514, .burst = 32, .flows = 8,
		.queues = 1, .rxd = 1024, .txd = 1024, .segments = 1, .mbufs = 32768,
		.mbuf_size = 2048, .seed = 1, .stall = 20};
	for (i = 0; i < RTE_DIM(known); i++)
		longs[i] = (struct option){known[i].name, known[i].kind != KIND_FLAG, NULL, 1};
	longs[i] = (struct option){"help", 0, NULL, 'h'};
	optind = 1;
	while ((c = getopt_long(argc, argv, "", longs, &index)) != -1) {
		if (c == 'h') {
			help();
			return 1;
		}
		if (c != 1)
			return -1;
		if (parse_value(opt, &known[index], optarg) != 0) {
			fprintf(stderr, "pktcheck: --%s: not a value for it: %s\n", known[index].name,
				optarg);
			return -1;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "pktcheck: not an option: %s\n", argv[optind]);
		return -1;
	}
	if (opt->in_flight == 0)
		opt->in_flight = opt->rxd / 2;
	return contradiction(opt);
}
