/* SPDX-License-Identifier: BSD-3-Clause */
#include "vh_args.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_kvargs.h>

#include <vmxnet3_mem.h>
#include <vmxnet3_regs.h>
#include <vmxnet3_rev.h>
#include <vmxnet3_words.h>

#define DEFAULT_QUEUES 8
#define DEFAULT_SPEED 10000
#define DEFAULT_MTU 9000
#define DEFAULT_INTR_RATE 50000

struct parser {
	struct vh_args *args;
	const char *owner, *group;
	bool mac_set;
	char *errbuf;
	size_t errlen;
};

static int __rte_format_printf(2, 3)
fail(const struct parser *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->errbuf, p->errlen, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static int
number(const struct parser *p, const char *key, const char *value, int base, uint32_t min,
	uint32_t max, uint32_t *out)
{
	unsigned long v;
	char *end;

	errno = 0;
	v = strtoul(value, &end, base);
	/* strtoul() takes signs and spaces, too. */
	if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0)
		return fail(p, "argument %s=%.60s: a number is expected", key, value);
	if (v < min || v > max)
		return fail(p, base == 8 ? "argument %s=%.60s: 0%o to 0%o is allowed" :
			"argument %s=%.60s: %u to %u is allowed", key, value, min, max);
	*out = (uint32_t)v;
	return 0;
}

static int
set_path(struct parser *p, const char *key, const char *value)
{
	if (strlen(value) >= sizeof(p->args->path))
		return fail(p, "argument %s: a socket's path has at most %zu characters", key,
			sizeof(p->args->path) - 1);
	snprintf(p->args->path, sizeof(p->args->path), "%s", value);
	return 0;
}

static int
set_mac(struct parser *p, const char *key, const char *value)
{
	struct rte_ether_addr *mac = &p->args->mac;

	if (rte_ether_unformat_addr(value, mac) != 0)
		return fail(p, "argument %s=%.60s: an address like 02:00:00:12:34:56 is expected",
			key, value);
	if (!rte_is_valid_assigned_ether_addr(mac))
		return fail(p, "argument %s=%.60s: not the address of a single card: its first byte "
			"must be even, and not all bytes 0", key, value);
	p->mac_set = true;
	return 0;
}

static int
set_queues(struct parser *p, const char *key, const char *value)
{
	return number(p, key, value, 10, 1, VMXNET3_MAX_TX_QUEUES, &p->args->queues);
}

static int
set_revisions(struct parser *p, const char *key, const char *value)
{
	if (number(p, key, value, 0, 0, UINT32_MAX, &p->args->revisions) != 0)
		return -EINVAL;
	if (p->args->revisions == 0 || (p->args->revisions & ~VMXNET3_REV_MASK_SUPPORTED) != 0)
		return fail(p, "argument %s=%.60s: a mask of revisions 1 to 9 is expected; "
			"0x%x has all", key, value, VMXNET3_REV_MASK_SUPPORTED);
	return 0;
}

static int
set_speed(struct parser *p, const char *key, const char *value)
{
	return number(p, key, value, 10, 1, 1000000, &p->args->speed);
}

static int
set_mtu(struct parser *p, const char *key, const char *value)
{
	return number(p, key, value, 10, VMXNET3_MTU_MIN, VMXNET3_MTU_MAX, &p->args->mtu);
}

static int
set_doorbell(struct parser *p, const char *key, const char *value)
{
	p->args->doorbell_message = strcmp(value, "message") == 0;
	if (!p->args->doorbell_message && strcmp(value, "memory") != 0)
		return fail(p, "argument %s=%.60s: memory or message is expected", key, value);
	return 0;
}

static int
set_intr_rate(struct parser *p, const char *key, const char *value)
{
	return number(p, key, value, 10, 0, 1000000, &p->args->intr_rate);
}

static int
set_owner(struct parser *p, const char *key __rte_unused, const char *value)
{
	p->owner = value;
	return 0;
}

static int
set_group(struct parser *p, const char *key __rte_unused, const char *value)
{
	p->group = value;
	return 0;
}

static int
set_mode(struct parser *p, const char *key, const char *value)
{
	uint32_t mode = 0;

	if (number(p, key, value, 8, 0200, 0777, &mode) != 0)
		return -EINVAL;
	p->args->mode = mode;
	return 0;
}

/* Not "mac": who looks a port up by its arguments takes that for the ethdev's own, and finds none. */
static const struct arg {
	const char *key;
	int (*set)(struct parser *p, const char *key, const char *value);
} known[] = {
	{ "path", set_path },
	{ "guest-mac", set_mac },
	{ "queues", set_queues },
	{ "revisions", set_revisions },
	{ "speed", set_speed },
	{ "mtu", set_mtu },
	{ "doorbell", set_doorbell },
	{ "interrupt-rate", set_intr_rate },
	{ "owner", set_owner },
	{ "group", set_group },
	{ "mode", set_mode },
};

static int
unknown_key(const struct parser *p, const char *key)
{
	char list[200] = "";
	size_t at = 0;

	for (unsigned int i = 0; i < RTE_DIM(known); i++)
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", i > 0 ? ", " : "",
			known[i].key);
	return fail(p, "argument %.60s is unknown; there are %s", key, list);
}

static int
parse_pairs(struct parser *p, const struct rte_kvargs *kv)
{
	bool seen[RTE_DIM(known)] = { false };

	for (unsigned int i = 0; i < kv->count; i++) {
		const char *key = kv->pairs[i].key, *value = kv->pairs[i].value;
		unsigned int k = 0;

		while (k < RTE_DIM(known) && strcmp(key, known[k].key) != 0)
			k++;
		if (k == RTE_DIM(known))
			return unknown_key(p, key);
		if (seen[k])
			return fail(p, "argument %s is there twice; leave one of them out", key);
		if (value == NULL || value[0] == '\0')
			return fail(p, "argument %s has no value; %s=... is expected", key, key);
		seen[k] = true;
		if (known[k].set(p, key, value) != 0)
			return -EINVAL;
	}
	return 0;
}

/* What no single argument shows. */
static int
check_whole(const struct parser *p)
{
	const struct vh_args *args = p->args;
	const struct vmxnet3_rev *rev;
	unsigned int newest;

	if (args->path[0] == '\0')
		return fail(p, "argument path is missing: path=/run/... says where to make the socket "
			"that a virtual machine connects to");
	newest = 32 - (unsigned int)__builtin_clz(args->revisions);
	rev = vmxnet3_rev_get(newest);
	if (args->queues > rev->max_tx_queues)
		return fail(p, "arguments queues=%u and revisions=0x%x contradict each other: revision %u "
			"has at most %u queues", args->queues, args->revisions, newest,
			rev->max_tx_queues);
	if (args->mtu > rev->max_mtu)
		return fail(p, "arguments mtu=%u and revisions=0x%x contradict each other: revision %u "
			"has an MTU of at most %u", args->mtu, args->revisions, newest, rev->max_mtu);
	return 0;
}

/* Reads what the pairs point at, too. */
static int
parse(struct parser *p, const struct rte_kvargs *kv)
{
	struct vh_args *args = p->args;
	char why[160];

	if (parse_pairs(p, kv) != 0)
		return -EINVAL;
	if (vmxnet3_find_owner(p->owner, p->group, &args->owner, &args->group, why, sizeof(why)) != 0)
		return fail(p, "argument %s", why);
	return check_whole(p);
}

int
vh_args_parse(const char *text, struct vh_args *args, char *errbuf, size_t errlen)
{
	struct parser p = { .args = args, .errbuf = errbuf, .errlen = errlen };
	struct rte_kvargs *kv;
	int ret;

	memset(args, 0, sizeof(*args));
	args->queues = DEFAULT_QUEUES;
	args->revisions = VMXNET3_REV_MASK_DEFAULT;
	args->speed = DEFAULT_SPEED;
	args->mtu = DEFAULT_MTU;
	args->intr_rate = DEFAULT_INTR_RATE;
	kv = rte_kvargs_parse(text != NULL ? text : "", NULL);
	if (kv == NULL)
		return fail(&p, "arguments '%.100s' are not of the form key=value,key=value",
			text != NULL ? text : "");
	ret = parse(&p, kv);
	rte_kvargs_free(kv);
	if (ret == 0 && !p.mac_set)
		vmxnet3_mac_from_name(args->path, args->mac.addr_bytes);
	return ret;
}
