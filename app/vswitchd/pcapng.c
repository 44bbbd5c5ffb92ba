/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdbool.h>
#include <string.h>

#include "pcapng.h"

#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define LINKTYPE_ETHERNET 1
#define TEXT_MAX 1024

enum {
	OPT_END = 0,
	OPT_COMMENT = 1,
	SHB_OS = 3,
	SHB_USERAPPL = 4,
	IF_NAME = 2,
	IF_DESCRIPTION = 3,
	IF_TSRESOL = 9,
	IF_FILTER = 11,
	EPB_FLAGS = 2,
	ISB_STARTTIME = 2,
	ISB_ENDTIME = 3,
	ISB_IFRECV = 4,
	ISB_IFDROP = 5,
	ISB_USRDELIV = 8,
};

/* Appends to a block; once something did not fit, nothing more is written. */
struct writer {
	uint8_t *buf;
	size_t size;
	size_t len;
	bool full;
};

static void
put(struct writer *w, const void *data, size_t len)
{
	size_t padded = (len + 3) & ~(size_t)3;

	if (w->full || padded > w->size - w->len) {
		w->full = true;
		return;
	}
	memcpy(w->buf + w->len, data, len);
	memset(w->buf + w->len + len, 0, padded - len);
	w->len += padded;
}

static void
put_u32(struct writer *w, uint32_t value)
{
	put(w, &value, sizeof(value));
}

static void
put_option(struct writer *w, uint16_t code, const void *value, uint16_t len)
{
	uint16_t head[2] = {code, len};

	put(w, head, sizeof(head));
	if (len > 0)
		put(w, value, len);
}

static void
put_text(struct writer *w, uint16_t code, const char *text)
{
	if (text)
		put_option(w, code, text, (uint16_t)strnlen(text, TEXT_MAX));
}

/* Times are two words, the high one first, whatever the byte order is. */
static void
put_time(struct writer *w, uint16_t code, uint64_t ns)
{
	uint32_t words[2] = {(uint32_t)(ns >> 32), (uint32_t)ns};

	put_option(w, code, words, sizeof(words));
}

static void
block_begin(struct writer *w, uint8_t *buf, size_t size, uint32_t type)
{
	*w = (struct writer){.buf = buf, .size = size};
	put_u32(w, type);
	put_u32(w, 0); /* the length, known at the end */
}

static size_t
block_end(struct writer *w)
{
	uint32_t len;

	put_option(w, OPT_END, NULL, 0);
	len = (uint32_t)w->len + 4;
	put_u32(w, len);
	if (w->full)
		return 0;
	memcpy(w->buf + 4, &len, sizeof(len));
	return len;
}

size_t
pcapng_section_write(uint8_t *buf, size_t size, const struct pcapng_section *section)
{
	static const uint16_t version[2] = {1, 0};
	static const uint64_t unknown_length = UINT64_MAX;
	struct writer w;

	block_begin(&w, buf, size, PCAPNG_BLOCK_SECTION);
	put_u32(&w, BYTE_ORDER_MAGIC);
	put(&w, version, sizeof(version));
	put(&w, &unknown_length, sizeof(unknown_length));
	put_text(&w, SHB_OS, section->os);
	put_text(&w, SHB_USERAPPL, section->application);
	put_text(&w, OPT_COMMENT, section->comment);
	return block_end(&w);
}

size_t
pcapng_interface_write(uint8_t *buf, size_t size, const struct pcapng_interface *iface)
{
	static const uint16_t link_type[2] = {LINKTYPE_ETHERNET, 0};
	static const uint8_t nanoseconds = 9;
	char filter[1 + TEXT_MAX];
	struct writer w;

	block_begin(&w, buf, size, PCAPNG_BLOCK_INTERFACE);
	put(&w, link_type, sizeof(link_type));
	put_u32(&w, iface->snaplen);
	put_text(&w, IF_NAME, iface->name);
	put_text(&w, IF_DESCRIPTION, iface->description);
	if (iface->filter) {
		size_t len = strnlen(iface->filter, TEXT_MAX);

		filter[0] = 0; /* what follows is a libpcap expression */
		memcpy(filter + 1, iface->filter, len);
		put_option(&w, IF_FILTER, filter, (uint16_t)(1 + len));
	}
	put_option(&w, IF_TSRESOL, &nanoseconds, sizeof(nanoseconds));
	return block_end(&w);
}

size_t
pcapng_stats_write(uint8_t *buf, size_t size, const struct pcapng_stats *stats)
{
	struct writer w;

	block_begin(&w, buf, size, PCAPNG_BLOCK_STATS);
	put_u32(&w, 0); /* the interface */
	put_u32(&w, (uint32_t)(stats->end_ns >> 32));
	put_u32(&w, (uint32_t)stats->end_ns);
	put_time(&w, ISB_STARTTIME, stats->start_ns);
	put_time(&w, ISB_ENDTIME, stats->end_ns);
	put_option(&w, ISB_IFRECV, &stats->received, sizeof(stats->received));
	put_option(&w, ISB_IFDROP, &stats->dropped, sizeof(stats->dropped));
	put_option(&w, ISB_USRDELIV, &stats->delivered, sizeof(stats->delivered));
	return block_end(&w);
}

/* The fixed front of a packet block, and what follows the padded frame. */
struct packet_head {
	uint32_t type, block_len, interface, time_high, time_low, caplen, len;
};

struct packet_tail {
	uint16_t flags_code, flags_len;
	uint32_t flags;
	uint16_t end_code, end_len;
	uint32_t block_len;
};

_Static_assert(sizeof(struct packet_head) == 28, "a packet block's head");
_Static_assert(sizeof(struct packet_tail) == 16, "a packet block's tail");
_Static_assert(sizeof(struct packet_head) + sizeof(struct packet_tail) + 3 <= PCAPNG_PACKET_OVERHEAD,
	"padding included");

static uint32_t
pad4(uint32_t len)
{
	return (len + 3) & ~3u;
}

uint32_t
pcapng_packet_size(uint32_t caplen)
{
	return (uint32_t)sizeof(struct packet_head) + pad4(caplen) + (uint32_t)sizeof(struct packet_tail);
}

uint8_t *
pcapng_packet_begin(uint8_t *block, const struct pcapng_packet *packet)
{
	const uint32_t size = pcapng_packet_size(packet->caplen);
	const struct packet_head head = {
		.block_len = size,
		.time_high = (uint32_t)(packet->time_ns >> 32),
		.time_low = (uint32_t)packet->time_ns,
		.caplen = packet->caplen,
		.len = packet->len,
	};
	const struct packet_tail tail = {
		.flags_code = EPB_FLAGS,
		.flags_len = sizeof(tail.flags),
		.flags = packet->direction,
		.block_len = size,
	};

	memcpy(block + sizeof(head.type), (const uint8_t *)&head + sizeof(head.type),
		sizeof(head) - sizeof(head.type));
	memcpy(block + size - sizeof(tail), &tail, sizeof(tail));
	return block + sizeof(head);
}

void
pcapng_packet_publish(uint8_t *block)
{
	__atomic_store_n((uint32_t *)block, PCAPNG_BLOCK_PACKET, __ATOMIC_RELEASE);
}
