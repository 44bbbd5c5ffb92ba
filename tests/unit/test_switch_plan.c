/* SPDX-License-Identifier: BSD-3-Clause */
/* Which CPUs the polling cores get. The CPUs of the machine are made up. */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static cpu_set_t allowed;
static long nb_cpus;

static int
made_up_affinity(pid_t pid, size_t size, cpu_set_t *set)
{
	(void)pid;
	memcpy(set, &allowed, size);
	return 0;
}

static long
made_up_sysconf(int name)
{
	assert_int_equal(name, _SC_NPROCESSORS_CONF);
	return nb_cpus;
}

#define sched_getaffinity made_up_affinity
#define sysconf made_up_sysconf
#include "worker_plan.c"

/* All of them may be used but those of @p without. */
static void
machine(long nb, long without)
{
	nb_cpus = nb;
	CPU_ZERO(&allowed);
	for (long i = 0; i < nb; i++) {
		if (i != without)
			CPU_SET((int)i, &allowed);
	}
}

static const char *
plan(const char *cores, uint32_t nb_auto)
{
	struct workers_conf conf = {.cores = cores, .nb_auto = nb_auto};
	static char lcores[2048];
	static struct error err;

	return worker_plan(&conf, lcores, sizeof(lcores), &err) == 0 ? lcores : err.text;
}

static void
chooses(void **state)
{
	(void)state;
	machine(2, -1);
	assert_string_equal(plan("auto", 0), "0@(0),1@1");
	assert_string_equal(plan("auto", 1), "0@(0),1@1");
	assert_string_equal(plan(NULL, 1), "0@(0),1@1");
	machine(8, -1);
	assert_string_equal(plan("auto", 2), "0@(0-5),1@7,2@6");
	assert_string_equal(plan("auto", 0), "0@(0),1@7,2@6,3@5,4@4,5@3,6@2,7@1");
	machine(8, 6);
	assert_string_equal(plan("auto", 2), "0@(0-4),1@7,2@5");
}

static void
shares_when_it_must(void **state)
{
	(void)state;
	machine(1, -1);
	assert_string_equal(plan("auto", 0), "0@(0),1@0");
	machine(2, -1);
	assert_string_equal(plan("auto", 2), "0@(0-1),1@1,2@0");
	assert_string_equal(plan("0,1", 0), "0@(0-1),1@0,2@1");
}

static void
takes_a_list(void **state)
{
	(void)state;
	machine(8, -1);
	assert_string_equal(plan("1,3-5", 0), "0@(0,2,6-7),1@1,2@3,3@4,4@5");
	assert_string_equal(plan("7", 3), "0@(0-6),1@7");
}

static void
refuses_with_a_reason(void **state)
{
	static const char *const bad[] = {"", "x", "1,", ",1", "1-", "3-1", "1 ", "-1", "1,,2",
		"99999999999999999999999", "all"};

	(void)state;
	machine(2, -1);
	assert_string_equal(plan("7", 0), "workers: no such CPU 7: this machine has 0-1");
	assert_string_equal(plan("0-9", 0), "workers: no such CPU 2: this machine has 0-1");
	assert_string_equal(plan("1,1", 0), "workers: CPU 1 is listed twice");
	assert_string_equal(plan("auto", 3), "workers: count 3: this process may use 2 CPUs only");
	machine(4, 2);
	assert_string_equal(plan("2", 0),
		"workers: CPU 2 may not be used by this process, only 0-1,3: see taskset(1) and "
		"the cpuset it runs in");
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(strstr(plan(bad[i], 0), "is no list of CPUs: write auto, or"));
}

static void
compares_pins(void **state)
{
	struct affinity pins = {.cpu = {5, -1, 1}, .nb_queues = 2};
	struct workers_conf conf = {.cores = "1,3-5"};
	struct worker_cpus cpus;
	struct error err;
	char problem[256] = "";

	(void)state;
	machine(8, -1);
	assert_int_equal(worker_plan_cpus(&conf, &cpus, &err), 0);
	assert_true(worker_cpus_have(&cpus, &pins, problem, sizeof(problem)));
	pins.nb_queues = 3;
	assert_true(worker_cpus_have(&cpus, &pins, problem, sizeof(problem)));
	assert_string_equal(problem, "");
	pins.cpu[2] = 2;
	assert_false(worker_cpus_have(&cpus, &pins, problem, sizeof(problem)));
	assert_string_equal(problem,
		"affinity names CPU 2, on which no core polls; pin to 1,3-5, or add it to workers: cores");
}

static void
is_bounded(void **state)
{
	(void)state;
	machine(1000, -1);
	assert_string_equal(plan("0-1000000000", 0), "workers: at most 64 cores can poll");
	assert_string_equal(plan("auto", 65), "workers: at most 64 cores can poll");
	/* All that there can be, without having been asked for. */
	assert_non_null(strstr(plan("auto", 0), ",64@936"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses),
		cmocka_unit_test(shares_when_it_must),
		cmocka_unit_test(takes_a_list),
		cmocka_unit_test(refuses_with_a_reason),
		cmocka_unit_test(compares_pins),
		cmocka_unit_test(is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
