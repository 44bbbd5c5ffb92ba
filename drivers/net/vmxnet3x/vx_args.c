/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_kvargs.h>

#define DEFAULT_RECONNECT_MS 2000
#define MAX_RECONNECT_MS     600000
#define MAX_REVISION	     9
#define MAX_RX_DATA_SIZE     2048
#define RX_DATA_SIZE_STEP    64

#define ARGS_LOG(name, fmt, ...)                                                                   \
	rte_log(RTE_LOG_ERR, vx_logtype, "%s: " fmt "\n", name, ##__VA_ARGS__)

/* A device argument. */
struct arg {
	const char *key;
	bool vdev, pci; /* where it is allowed */
	/* Takes a value, which is never NULL. Returns whether it is one of those that @c allowed names. */
	bool (*take)(const char *value, struct vx_args *args);
	const char *allowed;
};

static bool
take_number(const char *value, uint32_t max, uint32_t *out)
{
	unsigned long n;
	char *end;

	/* strtoul() takes signs and spaces, too. */
	if (value[0] < '0' || value[0] > '9')
		return false;
	errno = 0;
	n = strtoul(value, &end, 10);
	if (errno != 0 || *end != '\0' || n > max)
		return false;
	*out = (uint32_t)n;
	return true;
}

static bool
take_path(const char *value, struct vx_args *args)
{
	if (value[0] == '\0' || strlen(value) >= sizeof(args->path))
		return false;
	strcpy(args->path, value);
	return true;
}

static bool
take_mac(const char *value, struct vx_args *args)
{
	return rte_ether_unformat_addr(value, &args->mac) == 0 &&
		rte_is_valid_assigned_ether_addr(&args->mac);
}

static bool
take_revision(const char *value, struct vx_args *args)
{
	uint32_t n;

	if (!take_number(value, MAX_REVISION, &n) || n == 0)
		return false;
	args->max_rev = (uint8_t)n;
	return true;
}

static bool
take_rx_data_size(const char *value, struct vx_args *args)
{
	uint32_t n;

	if (!take_number(value, MAX_RX_DATA_SIZE, &n) || n % RX_DATA_SIZE_STEP != 0)
		return false;
	args->rx_data_size = (uint16_t)n;
	return true;
}

static bool
take_reconnect(const char *value, struct vx_args *args)
{
	return take_number(value, MAX_RECONNECT_MS, &args->reconnect_ms);
}

static bool
take_claim(const char *value, struct vx_args *args)
{
	uint32_t n;

	if (!take_number(value, 1, &n))
		return false;
	args->claim = n == 1;
	return true;
}

static const struct arg arg_table[] = {
	{ "path", true, false, take_path, "the path of the server's socket, of 1 to 107 characters" },
	{ "mac", true, true, take_mac, "a unicast address that is not zero, as 02:00:00:00:00:01" },
	{ "revision", true, true, take_revision, "the highest revision to use, 1 to 9" },
	{ "rx_data_size", true, true, take_rx_data_size,
		"0, or a multiple of 64 from 64 to 2048 (bytes)" },
	{ "reconnect", true, false, take_reconnect,
		"the longest pause between two attempts, 0 (none) to 600000 (ms)" },
	{ "vmxnet3x", false, true, take_claim, "0 (leave it to net_vmxnet3) or 1" },
};

_Static_assert(sizeof(((struct vx_args *)0)->path) == 108, "length in the table");

static const struct arg *
find(const char *key)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(arg_table); i++) {
		if (strcmp(arg_table[i].key, key) == 0)
			return &arg_table[i];
	}
	return NULL;
}

static void
log_unknown(const char *name, const char *key, bool vdev)
{
	char known[256] = "";
	unsigned int i;

	for (i = 0; i < RTE_DIM(arg_table); i++) {
		size_t len = strlen(known);

		if (vdev ? arg_table[i].vdev : arg_table[i].pci)
			snprintf(known + len, sizeof(known) - len, "%s%s", len > 0 ? ", " : "",
				arg_table[i].key);
	}
	ARGS_LOG(name, "there is no device argument '%s'; there are: %s", key, known);
}

static int
take_pair(const char *name, const struct rte_kvargs_pair *pair, bool vdev, struct vx_args *args)
{
	const struct arg *arg = find(pair->key);

	if (arg == NULL) {
		log_unknown(name, pair->key, vdev);
		return -EINVAL;
	}
	if (vdev ? !arg->vdev : !arg->pci) {
		ARGS_LOG(name, "device argument '%s' is for %s only", arg->key,
			vdev ? "PCI devices" : "virtual devices (--vdev)");
		return -EINVAL;
	}
	if (!arg->take(pair->value != NULL ? pair->value : "", args)) {
		ARGS_LOG(name, "device argument '%s': '%s' is not allowed; it is %s", arg->key,
			pair->value != NULL ? pair->value : "", arg->allowed);
		return -EINVAL;
	}
	return 0;
}

static int
take_pairs(const char *name, const struct rte_kvargs *list, bool vdev, struct vx_args *args)
{
	unsigned int i;
	int rc;

	for (i = 0; i < list->count; i++) {
		if (rte_kvargs_count(list, list->pairs[i].key) > 1) {
			ARGS_LOG(name, "device argument '%s' is given more than once",
				list->pairs[i].key);
			return -EINVAL;
		}
		rc = take_pair(name, &list->pairs[i], vdev, args);
		if (rc != 0)
			return rc;
	}
	return 0;
}

int
vx_args_parse(const char *name, const char *text, bool vdev, struct vx_args *args)
{
	struct rte_kvargs *list;
	int rc = 0;

	*args = (struct vx_args){
		.max_rev = MAX_REVISION,
		.rx_data_size = 0, /* what comes by the data ring is copied once more */
		.reconnect_ms = DEFAULT_RECONNECT_MS,
		.claim = true,
	};
	if (text != NULL && text[0] != '\0') {
		list = rte_kvargs_parse(text, NULL);
		if (list == NULL) {
			ARGS_LOG(name, "device arguments '%s' are not a list of key=value,...", text);
			return -EINVAL;
		}
		rc = take_pairs(name, list, vdev, args);
		rte_kvargs_free(list);
	}
	if (rc == 0 && vdev && args->path[0] == '\0') {
		ARGS_LOG(name, "device argument 'path' is missing; it is %s", arg_table[0].allowed);
		rc = -EINVAL;
	}
	return rc;
}
