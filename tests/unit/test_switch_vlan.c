/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A frame shown to one port after the other: each gets it in its own way, whatever the one before did to its
 * tags. The ports are devices with and without tag stripping; what arrives is compared with frames put together
 * here.
 */
#include <rte_common.h>

#include "card.h"
#include "vlan_policy.h"

#define OWN 100 /* VLAN of access and tunnel ports, and of the first tag of the builder */

struct tags {
	unsigned int n;
	struct offload_vlan_tag tag[4];
};

static void
add_tag(struct tags *tags, uint16_t tpid, uint16_t tci)
{
	tags->tag[tags->n++] = (struct offload_vlan_tag){ .tpid = tpid, .tci = tci };
}

static void
policy(struct vlan_policy *p, enum vlan_mode mode, uint16_t tag, const char *trunks)
{
	struct port_conf conf = { .vlan_mode = mode, .tag = tag, .trunks = trunks,
		.qinq_ethtype = VLAN_ETHTYPE_SERVICE };

	vlan_policy_init(p, &conf);
}

/* The frame without tags, and these before it. */
static void
put_together(struct built *out, const struct built *in, unsigned int in_tags, const struct tags *tags)
{
	uint32_t i, at = 12, from = 12 + 4 * in_tags;

	memcpy(out->data, in->data, 12);
	for (i = 0; i < tags->n; i++, at += 4) {
		put16(out->data + at, tags->tag[i].tpid);
		put16(out->data + at + 2, tags->tag[i].tci);
	}
	memcpy(out->data + at, in->data + from, in->len - from);
	out->len = at + in->len - from;
}

/* What the driver has got, with the tag that it was told of beside the frame. */
static void
expect_tagged(struct card *c, const struct built *want, bool strips)
{
	static struct built whole;
	struct mini_frame got;
	bool customer = get16(want->data + 12) == VLAN_ETHTYPE_CUSTOMER;

	expect_frame(c, 0, &got);
	assert_int_equal(got.tagged, strips && customer);
	if (got.tagged) {
		assert_int_equal(got.tci, get16(want->data + 14));
		memcpy(whole.data, got.data, 12);
		memcpy(whole.data + 12, want->data + 12, 4);
		memcpy(whole.data + 16, got.data + 12, got.len - 12);
		got.data = whole.data;
		got.len += 4;
	}
	expect_bytes(&got, want->data, want->len);
	mini_refill(&c->m, 0, UINT32_MAX);
}

struct receiver {
	struct card card;
	struct vlan_policy policy;
	bool strips, shows;
};

static struct receiver receivers[6];
static struct card sender;

static int
set_up(void **state)
{
	struct mini_conf conf = mini_conf_default(7);
	uint32_t i;

	(void)state;
	card_open(&sender, &conf, NULL);
	for (i = 0; i < RTE_DIM(receivers); i++) {
		struct receiver *r = &receivers[i];

		r->strips = i & 1;
		r->shows = i < 4;
		conf.features = VMXNET3_F_RXCSUM | (r->strips ? VMXNET3_F_RXVLAN : 0);
		card_open(&r->card, &conf, NULL);
		policy(&r->policy, i < 2 ? VLAN_TRUNK : i < 4 ? VLAN_TRANSPARENT : VLAN_TUNNEL,
			i < 4 ? 0 : OWN, NULL);
	}
	return 0;
}

static int
tear_down(void **state)
{
	uint32_t i;

	(void)state;
	card_close(&sender);
	for (i = 0; i < RTE_DIM(receivers); i++)
		card_close(&receivers[i].card);
	return 0;
}

static void
deliver(struct receiver *r, struct offload_frame *f, const struct vlan_place *place)
{
	assert_true(vlan_egress(&r->policy, f, place));
	assert_int_equal(1, vmxnet3_dev_deliver(r->card.dev, &f, 1));
	vlan_egress_end(&r->policy, f, place);
}

/* To all receivers in any order, some of them more than once. */
static void
deliver_around(struct offload_frame *f, const struct vlan_place *place, const struct built *plain,
	unsigned int in_tags, const struct tags *rest)
{
	static struct built want;
	uint32_t i;

	for (i = 0; i < 8; i++) {
		struct receiver *r = &receivers[rnd(RTE_DIM(receivers))];
		struct tags tags = { 0 };

		/* A tunnel's VLAN is its own. */
		if (!r->shows && place->vid != OWN)
			continue;
		if (r->shows)
			add_tag(&tags, place->tag.tpid, place->tag.tci);
		memcpy(&tags.tag[tags.n], rest->tag, rest->n * sizeof(rest->tag[0]));
		tags.n += rest->n;
		put_together(&want, plain, in_tags, &tags);
		deliver(r, f, place);
		expect_tagged(&r->card, &want, r->strips);
	}
}

static void
one_frame(uint32_t i, enum vlan_mode mode)
{
	static struct built plain, sent;
	struct shape s = { .tags = i % 3, .tpid = i & 4 ? 0x88a8 : 0x8100, .ipv6 = i & 8,
		.proto = i & 16 ? 6 : 17, .payload = 64 + rnd(1000) };
	struct mini_offload o = { .om = VMXNET3_OM_CSUM, .ti = i & 32,
		.tci = (uint16_t)(rnd(16) << 12 | (1 + rnd(4094))) };
	struct tags rest = { 0 };
	struct vlan_policy in;
	struct vlan_place place;
	struct offload_frame *f;
	enum switch_drop drop;
	unsigned int k;

	build(&plain, &s);
	sent = plain;
	put_seed(&sent);
	o.hlen = l4_at(&sent);
	o.msscof = field_at(&sent);
	send_split(&sender, 0, sent.data, sent.len, 1 + rnd(5), &o);
	if (o.ti)
		add_tag(&rest, 0x8100, o.tci);
	for (k = 0; k < s.tags; k++)
		add_tag(&rest, k == 0 ? s.tpid : 0x8100, (uint16_t)(0x2064 + k));

	policy(&in, mode, mode == VLAN_TRUNK ? 0 : OWN, NULL);
	assert_int_equal(1, vmxnet3_dev_tx_begin(sender.dev, 0, sender.burst, 1, &f));
	drop = vlan_ingress(&in, f, &place);
	if (mode == VLAN_ACCESS && rest.n > 0) {
		assert_int_equal(drop, SWITCH_DROP_VLAN_TAGGED);
	} else if (mode == VLAN_TRUNK && rest.n == 0) {
		assert_int_equal(drop, SWITCH_DROP_VLAN_INGRESS);
	} else {
		assert_int_equal(drop, SWITCH_DROP_MAX);
		if (mode == VLAN_TRUNK) {
			assert_memory_equal(&place.tag, &rest.tag[0], sizeof(place.tag));
			assert_int_equal(place.vid, place.tag.tci & 0xfff);
			memmove(&rest.tag[0], &rest.tag[1], --rest.n * sizeof(rest.tag[0]));
		} else {
			assert_int_equal(place.vid, OWN);
		}
		deliver_around(f, &place, &plain, s.tags, &rest);
	}
	vmxnet3_dev_tx_end(sender.dev, 0, sender.burst);
	expect_reaped(&sender, 0, 1);
}

static void
one_port_after_the_other(void **state)
{
	static const enum vlan_mode modes[] = { VLAN_TUNNEL, VLAN_TRUNK, VLAN_ACCESS };
	uint32_t i;

	(void)state;
	for (i = 0; i < 64 * 3 * 12; i++)
		one_frame(i, modes[i / 64 % 3]);
}

/* A frame that has lost its first tag does not get into the VLAN of the second. */
static void
second_tag_does_not_come_to_the_front(void **state)
{
	struct shape s = { .tags = 2, .proto = 17, .payload = 100 };
	struct vlan_policy trunk, access, native, tunnel;
	struct vlan_place place;
	static struct built b;
	struct split split;

	(void)state;
	policy(&trunk, VLAN_TRUNK, 0, "100-101");
	policy(&access, VLAN_ACCESS, 100, NULL);
	policy(&native, VLAN_TRUNK, 100, "101");
	policy(&tunnel, VLAN_TUNNEL, 100, NULL);
	build(&b, &s);
	split_random(&split, b.data, b.len, b.len, 1);
	assert_int_equal(vlan_ingress(&trunk, &split.f, &place), SWITCH_DROP_MAX);
	assert_int_equal(place.vid, 100);
	assert_false(vlan_egress(&access, &split.f, &place));
	assert_false(vlan_egress(&native, &split.f, &place));
	assert_true(vlan_egress(&tunnel, &split.f, &place));
	vlan_egress_end(&tunnel, &split.f, &place);
	assert_true(vlan_egress(&trunk, &split.f, &place));
	split_free(&split);
}

static void
membership(void **state)
{
	struct vlan_policy p;
	uint32_t vid, n = 0;

	(void)state;
	policy(&p, VLAN_TRUNK, 7, "10,20-29,63-64,4094");
	for (vid = 0; vid < 4096; vid++) {
		bool is = vid == 7 || vid == 10 || (vid >= 20 && vid <= 29) || vid == 63 || vid == 64 ||
			vid == 4094;

		assert_int_equal(vlan_is_member(&p, (uint16_t)vid), is);
	}
	policy(&p, VLAN_TRUNK, 0, NULL);
	for (vid = 0; vid < 4096; vid++)
		n += vlan_is_member(&p, (uint16_t)vid);
	assert_int_equal(n, 4094);
	assert_false(vlan_is_member(&p, 0));
	policy(&p, VLAN_ACCESS, 63, NULL);
	for (vid = 0; vid < 4096; vid++)
		assert_int_equal(vlan_is_member(&p, (uint16_t)vid), vid == 63);
}

static void
lists(void **state)
{
	static const char *const good[] = { "1", "4094", "1-4094", "1,2,3", "5-5", "10,20-29,7" };
	static const char *const bad[] = { "", ",", "0", "4095", "1-", "-1", "1-4095", "2-1", "1,", ",1", "1,,2",
		" 1", "1 ", "+1", "1;2", "0x10", "1-2-3", "18446744073709551617", "a" };
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(good); i++)
		assert_true(vlan_list_parse(good[i], NULL));
	for (i = 0; i < RTE_DIM(bad); i++)
		assert_false(vlan_list_parse(bad[i], NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_port_after_the_other, set_up, tear_down),
		cmocka_unit_test(second_tag_does_not_come_to_the_front),
		cmocka_unit_test(membership),
		cmocka_unit_test(lists),
	};

	return cmocka_run_group_tests_name("switch_vlan", tests, NULL, NULL);
}
