/* SPDX-License-Identifier: BSD-3-Clause */
/* The client of vfio-user against replies of the right shape with the wrong things in them. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "liar.h"
#include "open_descriptors.h"
#include "vfu_client.h"
#include "vfu_client_version.h"

/* More than the client itself sends with one message. */
#define NB_FDS 20

#define NB(array) (sizeof(array) / sizeof((array)[0]))

static void
put(struct liar_reply *r, uint32_t at, const void *value, size_t len)
{
	memcpy(r->payload + at, value, len);
}

static void
put16(struct liar_reply *r, uint32_t at, uint16_t value)
{
	put(r, at, &value, sizeof(value));
}

static void
put32(struct liar_reply *r, uint32_t at, uint32_t value)
{
	put(r, at, &value, sizeof(value));
}

static void
put64(struct liar_reply *r, uint32_t at, uint64_t value)
{
	put(r, at, &value, sizeof(value));
}

/* VERSION: numbers, and what is said in JSON. */
static void
say(struct liar_reply *r, const char *text)
{
	r->len = sizeof(struct vfio_user_version) + strlen(text) + 1;
	put(r, sizeof(struct vfio_user_version), text, strlen(text) + 1);
}

static void
say_long(struct liar_reply *r, uint32_t len)
{
	r->len = sizeof(struct vfio_user_version) + len;
	memset(r->payload + sizeof(struct vfio_user_version), '"', len);
}

SPOIL(major_1, put16(r, 0, 1))
SPOIL(minor_1, put16(r, 2, 1))
SPOIL(major_max, put16(r, 0, UINT16_MAX))
SPOIL(half_version, r->len = 3)
SPOIL(no_text, r->len = 4)
SPOIL(empty_text, say(r, ""))
SPOIL(empty_object, say(r, "{}"))
SPOIL(garbage, say(r, "\xff\x01}{[\"max_msg"))
SPOIL(not_closed, r->len -= 3)
SPOIL(long_text, say_long(r, 4096))
SPOIL(too_long, say_long(r, 4097))
SPOIL(no_colon, say(r, "{\"max_msg_fds\""))
SPOIL(no_number, say(r, "{\"max_msg_fds\":"))
SPOIL(text_number, say(r, "{\"max_msg_fds\":\"8\"}"))
SPOIL(negative, say(r, "{\"max_msg_fds\":-1}"))
SPOIL(no_fds, say(r, "{\"max_msg_fds\":0}"))
SPOIL(too_many_fds, say(r, "{\"max_msg_fds\": 4294967297 }"))
SPOIL(no_bytes, say(r, "{\"max_data_xfer_size\":0}"))
SPOIL(few_bytes, say(r, "{\"max_data_xfer_size\":7}"))
SPOIL(many_bytes, say(r, "{\"max_data_xfer_size\" :\t18446744073709551616}"))

static const struct {
	const char *name;
	liar_spoil_t spoil;
	int expected;
} versions[] = {
	{"1.0", major_1, -EPROTO},
	{"0.1", minor_1, -EPROTO},
	{"65535.0", major_max, -EPROTO},
	{"half a version", half_version, -EPROTO},
	{"no text", no_text, 0},
	{"empty text", empty_text, 0},
	{"empty object", empty_object, 0},
	{"garbage", garbage, 0},
	{"not closed", not_closed, 0},
	{"long text", long_text, 0},
	{"too long", too_long, -EPROTO},
	{"no colon", no_colon, -EPROTO},
	{"no number", no_number, -EPROTO},
	{"number as text", text_number, -EPROTO},
	{"negative", negative, -EPROTO},
	{"no descriptors", no_fds, -EPROTO},
	{"too many descriptors", too_many_fds, 0},
	{"no bytes", no_bytes, -EPROTO},
	{"few bytes", few_bytes, -EPROTO},
	{"many bytes", many_bytes, 0},
};

static void
test_versions(void **state)
{
	static struct liar liar;
	size_t i;

	(void)state;
	for (i = 0; i < NB(versions); i++) {
		int before = open_descriptors(), rc;
		struct vfu_client *c = NULL;

		rc = vfu_client_begin(liar_start(&liar, VFIO_USER_VERSION, versions[i].spoil),
			LIAR_PATIENT_MS, &c);
		if (rc != versions[i].expected)
			fail_msg("\"%s\": %d", versions[i].name, rc);
		if (rc == 0)
			assert_int_equal(vfu_client_reset(c), 0);
		liar_end(&liar, c);
		assert_int_equal(open_descriptors(), before);
	}
}

SPOIL(one_fd_1000_bytes, say(r, "{\"max_msg_fds\":1,\"max_data_xfer_size\":1000}"))

/* What the server takes is what it gets. */
static void
expect_messages(liar_spoil_t spoil, uint32_t nb_set_irqs, uint32_t nb_reads)
{
	static struct liar liar;
	struct vfu_client *c = liar_begin(&liar, VFIO_USER_VERSION, spoil);
	uint8_t data[4096];
	int fds[NB_FDS], i;

	for (i = 0; i < NB_FDS; i++)
		fds[i] = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(vfu_client_irq_set(c, 2, 0, NB_FDS, fds), 0);
	assert_int_equal(vfu_client_region_read(c, 1, 0, data, sizeof(data)), 0);
	assert_int_equal(data[4095], LIAR_REGISTER);
	assert_int_equal(atomic_load(&liar.nb_requests[VFIO_USER_DEVICE_SET_IRQS]), nb_set_irqs);
	assert_int_equal(atomic_load(&liar.nb_requests[VFIO_USER_REGION_READ]), nb_reads);
	for (i = 0; i < NB_FDS; i++)
		close(fds[i]);
	liar_end(&liar, c);
}

static void
test_limits(void **state)
{
	(void)state;
	expect_messages(NULL, 3, 1);
	expect_messages(no_text, NB_FDS, 1);
	expect_messages(one_fd_1000_bytes, NB_FDS, 5);
	expect_messages(too_many_fds, 2, 1);
}

/* Everything that the payload of a reply says, where only some of it can be true. */
struct payload_lie {
	const char *name;
	uint16_t command;
	uint32_t region;
	liar_spoil_t spoil;
	int expected; /* 1: and the region can be mapped */
};

/* At which byte of a region's description things stand. */
enum {
	INFO_ARGSZ = 0,
	INFO_FLAGS = 4,
	INFO_INDEX = 8,
	INFO_CAP = 12,
	INFO_SIZE = 16,
	INFO_OFFSET = 24,
	CAP = 32,
	CAP_VERSION = CAP + 2,
	CAP_NEXT = CAP + 4,
	CAP_NR = CAP + 8,
	AREA_OFFSET = CAP + 16,
	AREA_SIZE = CAP + 24,
	FULL = CAP + 32
};

/* Only what the second reply says, which has the areas. */
static void
in_full(struct liar_reply *r, uint32_t at, uint32_t value)
{
	if (r->len == FULL)
		put32(r, at, value);
}

static void
area(struct liar_reply *r, uint64_t offset, uint64_t size)
{
	if (r->len != FULL)
		return;
	put64(r, AREA_OFFSET, offset);
	put64(r, AREA_SIZE, size);
}

/* Another capability, not known, before the areas. */
static void
chain(struct liar_reply *r, uint32_t first_next, uint32_t last_next)
{
	if (r->len != FULL)
		return;
	memmove(r->payload + CAP + 16, r->payload + CAP, 32);
	memset(r->payload + CAP, 0, 16);
	put16(r, CAP, 77);
	put32(r, CAP_NEXT, first_next);
	put32(r, CAP_NEXT + 16, last_next);
	put32(r, INFO_ARGSZ, FULL + 16);
	r->len += 16;
}

/* The client has been told FULL; room for one more must be told in the first reply. */
static void
chained(struct liar_reply *r, uint32_t first_next, uint32_t last_next)
{
	if (r->len == CAP)
		put32(r, INFO_ARGSZ, FULL + 16);
	chain(r, first_next, last_next);
}

static int odd_fd;

SPOIL(argsz_0, put32(r, INFO_ARGSZ, 0))
SPOIL(argsz_huge, put32(r, INFO_ARGSZ, UINT32_MAX))
SPOIL(argsz_65537, put32(r, INFO_ARGSZ, 65537))
SPOIL(argsz_65536, if (r->len == CAP) put32(r, INFO_ARGSZ, 65536))
SPOIL(argsz_never_enough, put32(r, INFO_ARGSZ, r->len == CAP ? 64 : 80))
SPOIL(index_3, put32(r, INFO_INDEX, 3))
SPOIL(index_huge, put32(r, INFO_INDEX, UINT32_MAX))
SPOIL(cap_0, in_full(r, INFO_CAP, 0))
SPOIL(cap_31, in_full(r, INFO_CAP, 31))
SPOIL(cap_at_end, in_full(r, INFO_CAP, FULL))
SPOIL(cap_near_end, in_full(r, INFO_CAP, FULL - 8))
SPOIL(cap_half, in_full(r, INFO_CAP, FULL - 8); in_full(r, FULL - 8, 0x10001);
	in_full(r, FULL - 4, 0))
SPOIL(cap_last_byte, in_full(r, INFO_CAP, FULL - 1))
SPOIL(cap_huge, in_full(r, INFO_CAP, UINT32_MAX))
SPOIL(cap_without_room, put32(r, INFO_FLAGS, 15); put32(r, INFO_CAP, CAP))
SPOIL(cap_loop, in_full(r, CAP_NEXT, CAP))
SPOIL(cap_back, in_full(r, CAP_NEXT, 8))
SPOIL(cap_beyond, in_full(r, CAP_NEXT, FULL))
SPOIL(cap_far, in_full(r, CAP_NEXT, UINT32_MAX - 3))
SPOIL(cap_unknown, if (r->len == FULL) put16(r, CAP, 99))
SPOIL(cap_version_2, if (r->len == FULL) put16(r, CAP_VERSION, 2))
SPOIL(cap_chain, chained(r, CAP + 16, 0))
SPOIL(cap_chain_back, chained(r, CAP + 16, CAP))
SPOIL(cap_chain_loop, chained(r, CAP + 16, CAP + 16))
SPOIL(nr_0, in_full(r, CAP_NR, 0))
SPOIL(nr_2, in_full(r, CAP_NR, 2))
SPOIL(nr_huge, in_full(r, CAP_NR, UINT32_MAX))
SPOIL(nr_2_28, in_full(r, CAP_NR, (1u << 28) + 1))
SPOIL(area_unaligned, area(r, 8, LIAR_PAGE))
SPOIL(area_unaligned_size, area(r, LIAR_PAGE, 100))
SPOIL(area_outside, area(r, 4 * LIAR_PAGE, LIAR_PAGE))
SPOIL(area_far, area(r, 1ull << 63, LIAR_PAGE))
SPOIL(area_too_large, area(r, LIAR_PAGE, 4 * LIAR_PAGE))
SPOIL(area_wraps, area(r, LIAR_PAGE, -(uint64_t)LIAR_PAGE))
SPOIL(area_none, area(r, LIAR_PAGE, 0))
SPOIL(area_all, area(r, 0, 4 * LIAR_PAGE))
SPOIL(offset_unaligned, put64(r, INFO_OFFSET, 1))
SPOIL(offset_in_file, put64(r, INFO_OFFSET, 3 * LIAR_PAGE))
SPOIL(offset_at_end, put64(r, INFO_OFFSET, 4 * LIAR_PAGE))
SPOIL(offset_beyond, put64(r, INFO_OFFSET, 5 * LIAR_PAGE))
SPOIL(offset_huge, put64(r, INFO_OFFSET, -(uint64_t)LIAR_PAGE))
SPOIL(region_size_0, put64(r, INFO_SIZE, 0))
SPOIL(region_size_100, put64(r, INFO_SIZE, 100))
SPOIL(region_size_odd, put64(r, INFO_SIZE, 2 * LIAR_PAGE + 1))
SPOIL(region_size_huge, put64(r, INFO_SIZE, UINT64_MAX))
SPOIL(no_mmap, put32(r, INFO_FLAGS, 3))
SPOIL(no_flags, put32(r, INFO_FLAGS, 0))
SPOIL(all_flags, put32(r, INFO_FLAGS, UINT32_MAX))
SPOIL(no_fd, r->nb_fds = 0)
SPOIL(another_fd, r->fds[0] = odd_fd)
SPOIL(irq_index, put32(r, 8, 3))
SPOIL(irq_count_2048, put32(r, 12, 2048))
SPOIL(irq_count_2049, put32(r, 12, 2049))
SPOIL(irq_count_huge, put32(r, 12, UINT32_MAX))
SPOIL(irq_argsz, put32(r, 0, UINT32_MAX); put32(r, 4, UINT32_MAX))
SPOIL(count_0, put32(r, 12, 0))
SPOIL(count_less, put32(r, 12, 3))
SPOIL(count_huge, put32(r, 12, UINT32_MAX))
SPOIL(half_payload, r->len = 8)
SPOIL(count_less_and_short, put32(r, 12, 100); r->len = 116)
SPOIL(unmap_other, put64(r, 8, 0))
SPOIL(unmap_other_size, put64(r, 16, 0))

#define REGION VFIO_USER_DEVICE_GET_REGION_INFO
#define IRQ    VFIO_USER_DEVICE_GET_IRQ_INFO
#define READ   VFIO_USER_REGION_READ
#define WRITE  VFIO_USER_REGION_WRITE
#define UNMAP  VFIO_USER_DMA_UNMAP

static const struct payload_lie payloads[] = {
	{"argsz 0", REGION, 0, argsz_0, 1},
	{"argsz 0 for two", REGION, 2, argsz_0, 0},
	{"argsz 2^32-1", REGION, 0, argsz_huge, -EPROTO},
	{"argsz 65537", REGION, 2, argsz_65537, -EPROTO},
	{"argsz 65536", REGION, 2, argsz_65536, 1},
	{"argsz never enough", REGION, 2, argsz_never_enough, -EPROTO},
	{"index 3", REGION, 0, index_3, -EPROTO},
	{"index 2^32-1", REGION, 2, index_huge, -EPROTO},
	{"cap_offset 0", REGION, 2, cap_0, -EPROTO},
	{"cap_offset 31", REGION, 2, cap_31, -EPROTO},
	{"cap_offset at the end", REGION, 2, cap_at_end, -EPROTO},
	{"cap_offset near the end", REGION, 2, cap_near_end, 1},
	{"half a capability at the end", REGION, 2, cap_half, -EPROTO},
	{"cap_offset at the last byte", REGION, 2, cap_last_byte, -EPROTO},
	{"cap_offset 2^32-1", REGION, 2, cap_huge, -EPROTO},
	{"capabilities that did not come", REGION, 0, cap_without_room, -EPROTO},
	{"next is itself", REGION, 2, cap_loop, -EPROTO},
	{"next leads back", REGION, 2, cap_back, -EPROTO},
	{"next leads out", REGION, 2, cap_beyond, -EPROTO},
	{"next leads far", REGION, 2, cap_far, -EPROTO},
	{"unknown capability", REGION, 2, cap_unknown, 1},
	{"version 2", REGION, 2, cap_version_2, -EPROTO},
	{"two capabilities", REGION, 2, cap_chain, 1},
	{"two capabilities in a circle", REGION, 2, cap_chain_back, -EPROTO},
	{"the second is its own next", REGION, 2, cap_chain_loop, -EPROTO},
	{"no areas", REGION, 2, nr_0, 0},
	{"2 areas", REGION, 2, nr_2, -EPROTO},
	{"2^32-1 areas", REGION, 2, nr_huge, -EPROTO},
	{"2^28+1 areas", REGION, 2, nr_2_28, -EPROTO},
	{"unaligned area", REGION, 2, area_unaligned, -EPROTO},
	{"unaligned size", REGION, 2, area_unaligned_size, -EPROTO},
	{"area outside", REGION, 2, area_outside, -EPROTO},
	{"area far outside", REGION, 2, area_far, -EPROTO},
	{"area too large", REGION, 2, area_too_large, -EPROTO},
	{"area that wraps", REGION, 2, area_wraps, -EPROTO},
	{"empty area", REGION, 2, area_none, 0},
	{"all of it", REGION, 2, area_all, 1},
	{"unaligned offset", REGION, 0, offset_unaligned, -EPROTO},
	{"last page of the file", REGION, 0, offset_in_file, 1},
	{"at the end of the file", REGION, 0, offset_at_end, 0},
	{"beyond the file", REGION, 0, offset_beyond, 0},
	{"far beyond the file", REGION, 0, offset_huge, 0},
	{"beyond the file by an area", REGION, 2, offset_in_file, 0},
	{"area beyond the file", REGION, 2, offset_at_end, 0},
	{"size 0", REGION, 0, region_size_0, 0},
	{"size 100", REGION, 0, region_size_100, 0},
	{"size of two pages and a byte", REGION, 0, region_size_odd, 1},
	{"size 2^64-1", REGION, 0, region_size_huge, 0},
	{"size 2^64-1 with an area", REGION, 2, region_size_huge, 1},
	{"area of nothing", REGION, 2, region_size_0, -EPROTO},
	{"not mappable", REGION, 0, no_mmap, 0},
	{"no flags", REGION, 0, no_flags, 0},
	{"all flags, no capability", REGION, 0, all_flags, -EPROTO},
	{"no descriptor", REGION, 0, no_fd, 0},
	{"no descriptor for the area", REGION, 2, no_fd, 0},
	{"index 3", IRQ, 0, irq_index, -EPROTO},
	{"2048 vectors", IRQ, 0, irq_count_2048, 0},
	{"2049 vectors", IRQ, 0, irq_count_2049, -EPROTO},
	{"2^32-1 vectors", IRQ, 0, irq_count_huge, -EPROTO},
	{"argsz and flags", IRQ, 0, irq_argsz, 0},
	{"0 bytes read", READ, 0, count_0, -EPROTO},
	{"3 bytes read", READ, 0, count_less, -EPROTO},
	{"2^32-1 bytes read", READ, 0, count_huge, -EPROTO},
	{"fewer bytes read", READ, 0, count_less_and_short, -EPROTO},
	{"half a payload read", READ, 0, half_payload, -EPROTO},
	{"0 bytes written", WRITE, 0, count_0, -EPROTO},
	{"3 bytes written", WRITE, 0, count_less, -EPROTO},
	{"half a payload written", WRITE, 0, half_payload, -EPROTO},
	{"another range unmapped", UNMAP, 0, unmap_other, -EPROTO},
	{"another size unmapped", UNMAP, 0, unmap_other_size, -EPROTO},
	{"half a payload unmapped", UNMAP, 0, half_payload, -EPROTO},
};

/* What is shown may be mapped and read from end to end. */
static bool
can_map(const struct vfu_client_region *region)
{
	const volatile uint8_t *p;
	uint64_t i, size = region->area.size;

	assert_int_equal(region->fd >= 0, size > 0);
	if (region->fd < 0)
		return false;
	assert_int_equal(region->area.offset % LIAR_PAGE, 0);
	assert_true(region->area.offset + size <= region->size);
	p = mmap(NULL, size, PROT_READ, MAP_SHARED, region->fd,
		region->fd_offset + region->area.offset);
	assert_ptr_not_equal(p, MAP_FAILED);
	for (i = 0; i < size; i += LIAR_PAGE)
		assert_int_equal(p[i], 0);
	munmap((void *)p, size);
	close(region->fd);
	return true;
}

static int
call_about(struct vfu_client *c, const struct payload_lie *lie)
{
	struct vfu_client_region region;
	uint8_t data[300] = {0};
	int rc;

	if (lie->command == IRQ) {
		rc = vfu_client_irq_count(c, 2);
		return rc < 0 ? rc : 0;
	}
	if (lie->command == READ)
		return vfu_client_region_read(c, 1, 8, data, sizeof(data));
	if (lie->command == WRITE)
		return vfu_client_region_write(c, 1, 8, data, 4);
	if (lie->command == UNMAP)
		return vfu_client_dma_unmap(c, LIAR_PAGE, LIAR_PAGE);
	rc = vfu_client_region_info(c, lie->region, &region);
	return rc == 0 ? can_map(&region) : rc;
}

static void
test_payloads(void **state)
{
	static struct liar liar;
	size_t i;

	(void)state;
	for (i = 0; i < NB(payloads); i++) {
		int before = open_descriptors(), rc;
		struct vfu_client *c = liar_begin(&liar, payloads[i].command, payloads[i].spoil);

		rc = call_about(c, &payloads[i]);
		if (rc != payloads[i].expected)
			fail_msg("\"%s\" to command %u: %d instead of %d", payloads[i].name,
				payloads[i].command, rc, payloads[i].expected);
		assert_int_equal(vfu_client_alive(c), rc >= 0);
		liar_end(&liar, c);
		assert_int_equal(open_descriptors(), before);
	}
}

/* Descriptors that are not memory, or less of it than the region takes. */
static void
test_odd_descriptors(void **state)
{
	struct vfu_client_region region;
	static struct liar liar;
	int fds[5], ends[2];
	size_t i;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	fds[0] = ends[0];
	fds[1] = open("/dev/zero", O_RDWR | O_CLOEXEC);
	fds[2] = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	fds[3] = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fds[4] = memfd_create("short", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fds[4], LIAR_PAGE - 1), 0);
	for (i = 0; i < NB(fds); i++) {
		struct vfu_client *c = liar_begin(&liar, REGION, another_fd);
		int before = open_descriptors();

		assert_true(fds[i] >= 0);
		odd_fd = fds[i];
		assert_int_equal(vfu_client_region_info(c, 0, &region), 0);
		assert_int_equal(region.fd, -1);
		assert_int_equal(region.area.size, 0);
		assert_int_equal(region.size, LIAR_PAGE);
		assert_int_equal(open_descriptors(), before);
		liar_end(&liar, c);
		close(fds[i]);
	}
	close(ends[1]);
}

SPOIL(no_regions, put32(r, 8, 0))
SPOIL(no_irqs, put32(r, 12, 0))
SPOIL(no_reset, put32(r, 4, 0))
SPOIL(all_ones, memset(r->payload, 0xff, r->len))

static void
test_device_info(void **state)
{
	struct vfu_client_region region;
	static struct liar liar;
	struct vfu_client *c;

	(void)state;
	c = liar_begin(&liar, VFIO_USER_DEVICE_GET_INFO, no_regions);
	assert_int_equal(vfu_client_region_info(c, 0, &region), -EINVAL);
	liar_end(&liar, c);
	c = liar_begin(&liar, VFIO_USER_DEVICE_GET_INFO, no_irqs);
	assert_int_equal(vfu_client_irq_count(c, 2), 0);
	liar_end(&liar, c);
	c = liar_begin(&liar, VFIO_USER_DEVICE_GET_INFO, no_reset);
	assert_int_equal(vfu_client_reset(c), -ENOTSUP);
	assert_int_equal(atomic_load(&liar.nb_requests[VFIO_USER_DEVICE_RESET]), 0);
	liar_end(&liar, c);
	c = liar_begin(&liar, VFIO_USER_DEVICE_GET_INFO, all_ones);
	assert_int_equal(vfu_client_region_info(c, UINT32_MAX - 1, &region), -EINVAL);
	assert_int_equal(vfu_client_irq_count(c, 2), 4);
	assert_int_equal(vfu_client_reset(c), 0);
	liar_end(&liar, c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_payloads),
		cmocka_unit_test(test_odd_descriptors),
		cmocka_unit_test(test_device_info),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
