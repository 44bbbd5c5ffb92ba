/* SPDX-License-Identifier: BSD-3-Clause */
/* Device arguments of the front end: what is taken, and what is said of the rest. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <vx_args.h>

#define PATH_107                                                                                   \
	"/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890" \
	"123456789012345"
_Static_assert(sizeof(PATH_107) == 108, "the longest path of a socket");

static void
expect_taken(const char *text, bool vdev, struct vx_args *args)
{
	assert_int_equal(vx_args_parse("port", text, vdev, args), 0);
}

/* Refused, in one line that names the device and has @p part. */
static void
expect_refused(const char *text, bool vdev, const char *part)
{
	struct vx_args args;
	char *said = NULL;
	size_t len;
	FILE *log = open_memstream(&said, &len);
	int rc;

	assert_int_equal(rte_openlog_stream(log), 0);
	rc = vx_args_parse("port", text, vdev, &args);
	rte_openlog_stream(NULL);
	fclose(log);
	assert_int_equal(rc, -EINVAL);
	if (strstr(said, part) == NULL || strncmp(said, "port: ", 6) != 0 ||
		strchr(said, '\n') != said + strlen(said) - 1)
		fail_msg("'%s': it says '%s', not '%s'", text, said, part);
	free(said);
}

static void
defaults(void **state)
{
	struct vx_args args;

	(void)state;
	expect_taken("path=/run/x.sock", true, &args);
	assert_string_equal(args.path, "/run/x.sock");
	assert_true(rte_is_zero_ether_addr(&args.mac));
	assert_int_equal(args.max_rev, 9);
	assert_int_equal(args.rx_data_size, 0);
	assert_int_equal(args.reconnect_ms, 2000);

	expect_taken(NULL, false, &args);
	assert_true(args.claim);
	assert_int_equal(args.max_rev, 9);
	expect_taken("", false, &args);
	assert_true(args.claim);
}

static void
all_of_them(void **state)
{
	const struct rte_ether_addr mac = { { 0x02, 0, 0, 0xaa, 0xbb, 0xcc } };
	struct vx_args args;

	(void)state;
	expect_taken("mac=02:00:00:aa:bb:cc,revision=3,rx_data_size=2048,reconnect=100,path=x", true, &args);
	assert_string_equal(args.path, "x");
	assert_true(rte_is_same_ether_addr(&args.mac, &mac));
	assert_int_equal(args.max_rev, 3);
	assert_int_equal(args.rx_data_size, 2048);
	assert_int_equal(args.reconnect_ms, 100);

	expect_taken("vmxnet3x=0,revision=1,rx_data_size=64", false, &args);
	assert_false(args.claim);
	assert_int_equal(args.max_rev, 1);
	assert_int_equal(args.rx_data_size, 64);
	expect_taken("vmxnet3x=1", false, &args);
	assert_true(args.claim);
}

static void
limits(void **state)
{
	struct vx_args args;

	(void)state;
	expect_taken("path=" PATH_107, true, &args);
	assert_string_equal(args.path, PATH_107);
	expect_refused("path=" PATH_107 "x", true, "107 characters");
	expect_taken("path=x,revision=9,rx_data_size=64,reconnect=0", true, &args);
	assert_int_equal(args.reconnect_ms, 0);
	expect_taken("path=x,reconnect=600000", true, &args);
	assert_int_equal(args.reconnect_ms, 600000);
}

static void
bad_values(void **state)
{
	static const char *const text[][2] = {
		{ "path=", "'path'" },
		{ "path", "'path'" },
		{ "path=x,mac=", "'mac'" },
		{ "path=x,mac=02:00:00:00:00", "'mac'" },
		{ "path=x,mac=00:00:00:00:00:00", "unicast" },
		{ "path=x,mac=01:00:5e:00:00:01", "unicast" },
		{ "path=x,revision=0", "1 to 9" },
		{ "path=x,revision=10", "1 to 9" },
		{ "path=x,revision=-1", "1 to 9" },
		{ "path=x,revision=3x", "'3x' is not allowed" },
		{ "path=x,revision= 3", "1 to 9" },
		{ "path=x,revision", "1 to 9" },
		{ "path=x,rx_data_size=63", "multiple of 64" },
		{ "path=x,rx_data_size=2112", "multiple of 64" },
		{ "path=x,rx_data_size=99999999999999999999999", "multiple of 64" },
		{ "path=x,reconnect=600001", "600000" },
		{ "path=x,reconnect=4294967296", "600000" },
		{ "path=x,reconnect=-1", "600000" },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(text); i++)
		expect_refused(text[i][0], true, text[i][1]);
	expect_refused("vmxnet3x=2", false, "net_vmxnet3");
	expect_refused("vmxnet3x=", false, "net_vmxnet3");
}

static void
wrong_ones(void **state)
{
	(void)state;
	expect_refused("", true, "'path' is missing");
	expect_refused(NULL, true, "'path' is missing");
	expect_refused("revision=3", true, "'path' is missing");
	expect_refused("path=x,path=y", true, "'path' is given more than once");
	expect_refused("path=x,revision=3,revision=3", true, "'revision' is given more than once");
	expect_refused("path=x,iface=y", true, "there are: path, mac, revision, rx_data_size, reconnect");
	expect_refused("path=x,vmxnet3x=1", true, "for PCI devices only");
	expect_refused("path=x", false, "for virtual devices");
	expect_refused("reconnect=1", false, "for virtual devices");
	expect_refused("speed=10", false, "there are: mac, revision, rx_data_size, vmxnet3x");
	expect_refused("a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1,i=1,j=1,k=1,l=1,m=1,n=1,o=1,p=1,q=1,r=1,s=1,t=1,u=1,v=1,w=1,"
		       "x=1,y=1,z=1,A=1,B=1,C=1,D=1,E=1,F=1,G=1,H=1",
		true, "not a list of key=value");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(all_of_them),
		cmocka_unit_test(limits),
		cmocka_unit_test(bad_values),
		cmocka_unit_test(wrong_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
