/* SPDX-License-Identifier: BSD-3-Clause */
/* The bytes of pcapng blocks, read back by hand and by libpcap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pcap/pcap.h>

#include <pcapng.h>

static uint32_t
word(const uint8_t *buf, size_t at)
{
	uint32_t value;

	memcpy(&value, buf + at, sizeof(value));
	return value;
}

static uint16_t
half(const uint8_t *buf, size_t at)
{
	uint16_t value;

	memcpy(&value, buf + at, sizeof(value));
	return value;
}

/* Finds an option in a block whose options begin at @p at; returns its value and length. */
static const uint8_t *
option(const uint8_t *block, size_t at, uint16_t code, uint16_t *len)
{
	const size_t end = word(block, 4) - 4;

	while (at + 4 <= end) {
		if (half(block, at) == code) {
			*len = half(block, at + 2);
			return block + at + 4;
		}
		assert_int_not_equal(half(block, at), 0);
		at += 4 + ((half(block, at + 2) + 3u) & ~3u);
	}
	fail_msg("option %u is missing", code);
	return NULL;
}

static void
assert_text(const uint8_t *block, size_t at, uint16_t code, const char *text)
{
	uint16_t len;
	const uint8_t *value = option(block, at, code, &len);

	assert_int_equal(len, strlen(text));
	assert_memory_equal(value, text, len);
}

static void
assert_block(const uint8_t *block, size_t len, uint32_t type)
{
	assert_true(len >= 12);
	assert_int_equal(len % 4, 0);
	assert_int_equal(word(block, 0), type);
	assert_int_equal(word(block, 4), len);
	assert_int_equal(word(block, len - 4), len);
}

static void
test_section(void **state)
{
	const struct pcapng_section section = {.application = "vswitchd 1", .os = "Linux 6.1",
		.comment = "port vm1, both directions"};
	uint8_t buf[512];
	size_t len = pcapng_section_write(buf, sizeof(buf), &section);

	(void)state;
	assert_block(buf, len, 0x0a0d0d0a);
	assert_int_equal(word(buf, 8), 0x1a2b3c4d);
	assert_int_equal(half(buf, 12), 1);
	assert_int_equal(half(buf, 14), 0);
	assert_int_equal(word(buf, 16), UINT32_MAX);
	assert_int_equal(word(buf, 20), UINT32_MAX);
	assert_text(buf, 24, 1, section.comment);
	assert_text(buf, 24, 3, section.os);
	assert_text(buf, 24, 4, section.application);
}

static void
test_interface(void **state)
{
	const struct pcapng_interface iface = {.name = "vm1", .description = "a port",
		.filter = "tcp port 80", .snaplen = 96};
	const uint8_t *value;
	uint8_t buf[512];
	uint16_t opt_len;
	size_t len = pcapng_interface_write(buf, sizeof(buf), &iface);

	(void)state;
	assert_block(buf, len, 1);
	assert_int_equal(half(buf, 8), 1); /* Ethernet */
	assert_int_equal(word(buf, 12), 96);
	assert_text(buf, 16, 2, "vm1");
	assert_text(buf, 16, 3, "a port");
	value = option(buf, 16, 11, &opt_len);
	assert_int_equal(opt_len, 1 + strlen("tcp port 80"));
	assert_int_equal(value[0], 0);
	assert_memory_equal(value + 1, "tcp port 80", opt_len - 1);
	value = option(buf, 16, 9, &opt_len);
	assert_int_equal(opt_len, 1);
	assert_int_equal(value[0], 9);
}

static void
test_stats(void **state)
{
	const struct pcapng_stats stats = {.start_ns = 0x100000002, .end_ns = 0x300000004, .received = 12,
		.dropped = 5, .delivered = 7};
	uint8_t buf[256];
	uint16_t opt_len;
	const uint8_t *value;
	size_t len = pcapng_stats_write(buf, sizeof(buf), &stats);

	(void)state;
	assert_block(buf, len, 5);
	assert_int_equal(word(buf, 8), 0);
	assert_int_equal(word(buf, 12), 3);
	assert_int_equal(word(buf, 16), 4);
	value = option(buf, 20, 2, &opt_len);
	assert_int_equal(opt_len, 8);
	assert_int_equal(word(value, 0), 1);
	assert_int_equal(word(value, 4), 2);
	assert_int_equal(word(option(buf, 20, 4, &opt_len), 0), 12);
	assert_int_equal(word(option(buf, 20, 5, &opt_len), 0), 5);
	assert_int_equal(word(option(buf, 20, 8, &opt_len), 0), 7);
}

static void
test_packet(void **state)
{
	(void)state;
	for (uint32_t caplen = 0; caplen < 70; caplen++) {
		const struct pcapng_packet packet = {.time_ns = 0x0102030405060708, .caplen = caplen,
			.len = caplen + 1000, .direction = PCAPNG_OUTBOUND};
		const uint32_t size = pcapng_packet_size(caplen);
		uint32_t space[64] = {0};
		uint8_t *block = (uint8_t *)space, *data;
		uint16_t opt_len;

		assert_true(size <= caplen + PCAPNG_PACKET_OVERHEAD);
		data = pcapng_packet_begin(block, &packet);
		assert_ptr_equal(data, block + 28);
		assert_int_equal(word(block, 0), 0);
		memset(data, 0xab, caplen);
		pcapng_packet_publish(block);
		assert_block(block, size, 6);
		assert_int_equal(word(block, 8), 0);
		assert_int_equal(word(block, 12), 0x01020304);
		assert_int_equal(word(block, 16), 0x05060708);
		assert_int_equal(word(block, 20), caplen);
		assert_int_equal(word(block, 24), caplen + 1000);
		for (uint32_t i = caplen; i % 4; i++)
			assert_int_equal(data[i], 0);
		assert_int_equal(word(option(block, 28 + ((caplen + 3) & ~3u), 2, &opt_len), 0),
			PCAPNG_OUTBOUND);
		assert_int_equal(opt_len, 4);
		assert_int_equal(space[size / 4], 0);
	}
}

/* Too little room is told, and not one byte is written behind the end. */
static void
test_no_room(void **state)
{
	const struct pcapng_section section = {.application = "app", .comment = "comment"};
	const struct pcapng_interface iface = {.name = "name", .filter = "filter", .snaplen = 1};
	const struct pcapng_stats stats = {.received = 1};
	uint8_t buf[256];
	size_t need = pcapng_section_write(buf, sizeof(buf), &section);

	(void)state;
	for (size_t size = 0; size <= sizeof(buf) - 4; size++) {
		memset(buf, 0x55, sizeof(buf));
		assert_int_equal(pcapng_section_write(buf, size, &section), size < need ? 0 : need);
		assert_int_equal(word(buf, size), 0x55555555);
		(void)pcapng_interface_write(buf, size, &iface);
		(void)pcapng_stats_write(buf, size, &stats);
		assert_int_equal(word(buf, size), 0x55555555);
	}
}

/* A text from outside may be of any length. */
static void
test_long_text(void **state)
{
	char text[5000];
	const struct pcapng_interface iface = {.name = "name", .filter = text, .snaplen = 1};
	uint8_t buf[4096];
	uint16_t len;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_block(buf, pcapng_interface_write(buf, sizeof(buf), &iface), 1);
	option(buf, 16, 11, &len);
	assert_int_equal(len, 1 + 1024);
}

/* libpcap, as Wireshark's and tcpdump's stand-in, reads the file. */
static void
test_libpcap_reads_it(void **state)
{
	const struct pcapng_section section = {.application = "app"};
	const struct pcapng_interface iface = {.name = "p", .snaplen = 64};
	const struct pcapng_packet packet = {.time_ns = 5000000007, .caplen = 61, .len = 1514,
		.direction = PCAPNG_INBOUND};
	const struct pcapng_stats stats = {.received = 1};
	char error[PCAP_ERRBUF_SIZE];
	uint32_t space[256] = {0};
	uint8_t *buf = (uint8_t *)space, *data;
	struct pcap_pkthdr *head;
	const u_char *bytes;
	size_t len, at;
	pcap_t *pcap;
	FILE *file;

	(void)state;
	len = pcapng_section_write(buf, sizeof(space), &section);
	len += pcapng_interface_write(buf + len, sizeof(space) - len, &iface);
	at = len;
	memset(buf + at, 0, pcapng_packet_size(packet.caplen));
	data = pcapng_packet_begin(buf + at, &packet);
	for (uint32_t i = 0; i < packet.caplen; i++)
		data[i] = (uint8_t)i;
	pcapng_packet_publish(buf + at);
	len += pcapng_packet_size(packet.caplen);
	len += pcapng_stats_write(buf + len, sizeof(space) - len, &stats);

	file = fmemopen(buf, len, "rb");
	assert_non_null(file);
	pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, error);
	if (!pcap)
		fail_msg("%s", error);
	assert_int_equal(pcap_datalink(pcap), DLT_EN10MB);
	assert_int_equal(pcap_next_ex(pcap, &head, &bytes), 1);
	assert_int_equal(head->ts.tv_sec, 5);
	assert_int_equal(head->ts.tv_usec, 7);
	assert_int_equal(head->caplen, 61);
	assert_int_equal(head->len, 1514);
	for (uint32_t i = 0; i < packet.caplen; i++)
		assert_int_equal(bytes[i], i);
	assert_int_equal(pcap_next_ex(pcap, &head, &bytes), PCAP_ERROR_BREAK);
	pcap_close(pcap);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_section),
		cmocka_unit_test(test_interface),
		cmocka_unit_test(test_stats),
		cmocka_unit_test(test_packet),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_libpcap_reads_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
