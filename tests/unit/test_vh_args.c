/* SPDX-License-Identifier: BSD-3-Clause */
/* Device arguments of the back end: each error names the argument and the cure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <vh_args.h>

static void
usual_values(void **state)
{
	struct vh_args a, b;
	char why[300] = "";

	(void)state;
	assert_int_equal(vh_args_parse("path=/run/a.sock", &a, why, sizeof(why)), 0);
	assert_string_equal(a.path, "/run/a.sock");
	assert_true(a.queues == 8 && a.speed == 10000 && a.mtu == 9000 && a.intr_rate == 50000);
	assert_true(a.revisions == 0x47 && !a.doorbell_message && a.mode == 0);
	assert_true(a.owner == (uid_t)-1 && a.group == (gid_t)-1);
	assert_int_equal(a.mac.addr_bytes[0] & 3, 2);

	/* The address is the same each time, and another one for another socket. */
	assert_int_equal(vh_args_parse("path=/run/a.sock,queues=2", &b, why, sizeof(why)), 0);
	assert_true(rte_is_same_ether_addr(&a.mac, &b.mac));
	assert_int_equal(vh_args_parse("path=/run/b.sock", &b, why, sizeof(why)), 0);
	assert_false(rte_is_same_ether_addr(&a.mac, &b.mac));
}

static void
every_argument(void **state)
{
	static const uint8_t mac[] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
	struct vh_args a;
	char why[300] = "";

	(void)state;
	assert_int_equal(vh_args_parse("path=/a,guest-mac=52:54:00:12:34:56,queues=32,revisions=0x40,"
		"speed=25000,mtu=9190,doorbell=message,interrupt-rate=0,owner=root,group=0,mode=0600",
		&a, why, sizeof(why)), 0);
	assert_memory_equal(a.mac.addr_bytes, mac, sizeof(mac));
	assert_true(a.queues == 32 && a.revisions == 0x40 && a.speed == 25000 && a.mtu == 9190);
	assert_true(a.doorbell_message && a.intr_rate == 0);
	assert_true(a.owner == 0 && a.group == 0 && a.mode == 0600);
	assert_int_equal(vh_args_parse("path=/a,mode=660,doorbell=memory", &a, why, sizeof(why)), 0);
	assert_true(a.mode == 0660 && !a.doorbell_message);
}

static void
errors(void **state)
{
	static const struct {
		const char *args, *why; /* a part of the sentence */
	} cases[] = {
		{ "", "argument path is missing: path=/run/..." },
		{ NULL, "argument path is missing" },
		{ "queues=2", "argument path is missing" },
		{ "path=", "argument path has no value" },
		{ "path", "argument path has no value" },
		{ "path=/a,color=red", "argument color is unknown; there are path, guest-mac, queues" },
		{ "path=/a,mac=02:00:00:00:00:01", "argument mac is unknown" },
		{ "path=/a,path=/b", "argument path is there twice; leave one of them out" },
		{ "path=/a,queues=1,queues=1", "argument queues is there twice" },
		{ "path=/a,guest-mac=1", "guest-mac=1: an address like 02:00:00:12:34:56" },
		{ "path=/a,guest-mac=03:00:00:00:00:01", "first byte must be even" },
		{ "path=/a,guest-mac=00:00:00:00:00:00", "not all bytes 0" },
		{ "path=/a,queues=0", "queues=0: 1 to 32 is allowed" },
		{ "path=/a,queues=33", "queues=33: 1 to 32 is allowed" },
		{ "path=/a,queues=two", "queues=two: a number is expected" },
		{ "path=/a,queues=2x", "queues=2x: a number is expected" },
		{ "path=/a,queues=-1", "queues=-1: a number is expected" },
		{ "path=/a,queues= 1", "a number is expected" },
		{ "path=/a,queues=99999999999999999999", "a number is expected" },
		{ "path=/a,queues=4294967297", "1 to 32 is allowed" },
		{ "path=/a,revisions=0", "0x1ff has all" },
		{ "path=/a,revisions=0x200", "0x1ff has all" },
		{ "path=/a,revisions=0x340", "0x1ff has all" },
		{ "path=/a,speed=0", "speed=0: 1 to 1000000" },
		{ "path=/a,speed=1000001", "1 to 1000000" },
		{ "path=/a,mtu=59", "mtu=59: 60 to 9190" },
		{ "path=/a,mtu=9191", "60 to 9190" },
		{ "path=/a,doorbell=loud", "doorbell=loud: memory or message" },
		{ "path=/a,interrupt-rate=1000001", "interrupt-rate=1000001: 0 to 1000000" },
		{ "path=/a,owner=nobody-of-this-name", "owner 'nobody-of-this-name': no such user" },
		{ "path=/a,group=nobody-of-this-name", "group 'nobody-of-this-name': no such group" },
		{ "path=/a,mode=0100", "mode=0100: 0200 to 0777" },
		{ "path=/a,mode=1777", "0200 to 0777" },
		{ "path=/a,mode=888", "a number is expected" },
		{ "path=/a,queues=16,revisions=0x7", "queues=16 and revisions=0x7 contradict each other: "
			"revision 3 has at most 8" },
		{ "path=/a,mtu=9100,revisions=0x7", "mtu=9100 and revisions=0x7 contradict each other: "
			"revision 3 has an MTU of at most 9000" },
		{ "=", "argument" },
		{ "path=/a,=3", "argument" },
	};
	struct vh_args a;
	char why[300], path[200];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		why[0] = '\0';
		if (vh_args_parse(cases[i].args, &a, why, sizeof(why)) >= 0)
			fail_msg("'%s' is taken", cases[i].args);
		if (strstr(why, cases[i].why) == NULL)
			fail_msg("'%s' is answered by '%s'", cases[i].args, why);
	}
	memset(path, 'x', sizeof(path));
	memcpy(path, "path=/", 6);
	path[5 + 108] = '\0';
	assert_true(vh_args_parse(path, &a, why, sizeof(why)) < 0);
	assert_non_null(strstr(why, "at most 107 characters"));
	path[5 + 107] = '\0';
	assert_int_equal(vh_args_parse(path, &a, why, sizeof(why)), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_values),
		cmocka_unit_test(every_argument),
		cmocka_unit_test(errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
