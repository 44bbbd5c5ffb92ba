/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "worker_plan.h"

struct text {
	char *buf;
	size_t len, used;
};

static void __attribute__((format(printf, 2, 3)))
append(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (t->used >= t->len)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->used, t->len - t->used, fmt, ap);
	va_end(ap);
	t->used += n > 0 ? (size_t)n : 0;
}

/* "0-3,6" */
static void
append_cpus(struct text *t, const cpu_set_t *set)
{
	const char *comma = "";

	for (int first = 0; first < CPU_SETSIZE; first++) {
		int last = first;

		if (!CPU_ISSET(first, set))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
			last++;
		if (last == first)
			append(t, "%s%d", comma, first);
		else
			append(t, "%s%d-%d", comma, first, last);
		comma = ",";
		first = last;
	}
}

static int
bad_list(const struct workers_conf *conf, struct error *err)
{
	return error_set(err, -EINVAL,
		"workers: cores '%.60s' is no list of CPUs: write auto, or for example 1,3-5",
		conf->cores);
}

static int
no_such_cpu(unsigned long cpu, struct error *err)
{
	long nb = sysconf(_SC_NPROCESSORS_CONF);

	if (nb <= 1)
		return error_set(err, -EINVAL,
			"workers: no such CPU %lu: this machine has CPU 0 only", cpu);
	return error_set(err, -EINVAL, "workers: no such CPU %lu: this machine has 0-%ld", cpu,
		nb - 1);
}

static int
add_cpu(struct worker_cpus *cpus, unsigned long cpu, const cpu_set_t *allowed, struct error *err)
{
	char list[80];
	struct text t = {.buf = list, .len = sizeof(list)};

	if (cpu >= (unsigned long)sysconf(_SC_NPROCESSORS_CONF) || cpu >= CPU_SETSIZE)
		return no_such_cpu(cpu, err);
	if (!CPU_ISSET(cpu, allowed)) {
		append_cpus(&t, allowed);
		return error_set(err, -EPERM,
			"workers: CPU %lu may not be used by this process, only %s: see "
			"taskset(1) and the cpuset it runs in", cpu, list);
	}
	for (uint32_t i = 0; i < cpus->nb; i++) {
		if (cpus->id[i] == cpu)
			return error_set(err, -EINVAL, "workers: CPU %lu is listed twice", cpu);
	}
	if (cpus->nb == MAX_WORKERS)
		return error_set(err, -E2BIG, "workers: at most %d cores can poll", MAX_WORKERS);
	cpus->id[cpus->nb++] = (uint16_t)cpu;
	return 0;
}

/* A number, and the text moves on behind it. */
static bool
take_number(const char **text, unsigned long *n)
{
	char *end;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*n = strtoul(*text, &end, 10);
	*text = end;
	return errno == 0;
}

static int
parse_list(const struct workers_conf *conf, const cpu_set_t *allowed, struct worker_cpus *cpus,
	struct error *err)
{
	const char *text = conf->cores;

	for (;;) {
		unsigned long first, last;
		int ret;

		if (!take_number(&text, &first))
			return bad_list(conf, err);
		last = first;
		if (*text == '-') {
			text++;
			if (!take_number(&text, &last) || last < first)
				return bad_list(conf, err);
		}
		/* Ends at the first CPU that does not exist. */
		for (unsigned long cpu = first; cpu <= last; cpu++) {
			ret = add_cpu(cpus, cpu, allowed, err);
			if (ret < 0)
				return ret;
		}
		if (*text == '\0')
			return 0;
		if (*text != ',')
			return bad_list(conf, err);
		text++;
	}
}

/* From the last CPU down: the first ones serve most of a machine's interrupts. */
static int
choose(const struct workers_conf *conf, const cpu_set_t *allowed, struct worker_cpus *cpus,
	struct error *err)
{
	uint32_t have = (uint32_t)CPU_COUNT(allowed);
	uint32_t want = conf->nb_auto;

	if (want > have)
		return error_set(err, -EINVAL,
			"workers: count %u: this process may use %u CPU%s only", want, have,
			have == 1 ? "" : "s");
	if (want == 0)
		want = have > 1 ? have - 1 : 1;
	if (want > MAX_WORKERS) {
		if (conf->nb_auto != 0)
			return error_set(err, -E2BIG, "workers: at most %d cores can poll",
				MAX_WORKERS);
		want = MAX_WORKERS;
	}
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0 && cpus->nb < want; cpu--) {
		if (CPU_ISSET(cpu, allowed))
			cpus->id[cpus->nb++] = (uint16_t)cpu;
	}
	return 0;
}

static int
find_cpus(const struct workers_conf *conf, cpu_set_t *allowed, struct worker_cpus *cpus, struct error *err)
{
	cpus->nb = 0;
	if (sched_getaffinity(0, sizeof(*allowed), allowed) < 0)
		return error_set(err, -errno, "workers: cannot tell which CPUs may be used: %s",
			strerror(errno));
	if (conf->cores == NULL || strcmp(conf->cores, "auto") == 0)
		return choose(conf, allowed, cpus, err);
	return parse_list(conf, allowed, cpus, err);
}

int
worker_plan_cpus(const struct workers_conf *conf, struct worker_cpus *cpus, struct error *err)
{
	cpu_set_t allowed;

	return find_cpus(conf, &allowed, cpus, err);
}

bool
worker_cpus_have(const struct worker_cpus *cpus, const struct affinity *affinity, char *problem, size_t len)
{
	char list[80];
	struct text t = {.buf = list, .len = sizeof(list)};
	cpu_set_t set;

	CPU_ZERO(&set);
	for (uint32_t i = 0; i < cpus->nb; i++)
		CPU_SET(cpus->id[i], &set);
	for (uint16_t q = 0; q < affinity->nb_queues; q++) {
		if (affinity->cpu[q] < 0 || CPU_ISSET(affinity->cpu[q], &set))
			continue;
		append_cpus(&t, &set);
		snprintf(problem, len, "affinity names CPU %d, on which no core polls; pin to %s, or add it to workers: cores",
			affinity->cpu[q], list);
		return false;
	}
	return true;
}

int
worker_plan(const struct workers_conf *conf, char *lcores_arg, size_t len, struct error *err)
{
	struct text t = {.buf = lcores_arg, .len = len};
	struct worker_cpus cpus;
	cpu_set_t allowed, rest;
	int ret;

	ret = find_cpus(conf, &allowed, &cpus, err);
	if (ret < 0)
		return ret;

	rest = allowed;
	for (uint32_t i = 0; i < cpus.nb; i++)
		CPU_CLR(cpus.id[i], &rest);
	append(&t, "0@(");
	append_cpus(&t, CPU_COUNT(&rest) > 0 ? &rest : &allowed);
	append(&t, ")");
	for (uint32_t i = 0; i < cpus.nb; i++)
		append(&t, ",%u@%u", i + 1, cpus.id[i]);
	if (t.used >= t.len)
		return error_set(err, -E2BIG, "workers: the list of cores is too long");
	return 0;
}
