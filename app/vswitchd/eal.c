/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

#include "eal.h"
#include "hugepages.h"
#include "log.h"
#include "worker_plan.h"

#define ARGS_MAX 16
#define ARG_LEN 1024

struct args {
	char *v[ARGS_MAX + 1];
	char text[ARGS_MAX][ARG_LEN];
	int n;
};

static bool uses_hugepages;
static bool starting;
static bool running;
static FILE *log_stream;

bool
eal_uses_hugepages(void)
{
	return uses_hugepages;
}

/* ---- log ---- */

/*
 * What DPDK calls information is of interest to those who look for a fault in it, and so are its
 * warnings while it starts: of page sizes that nobody needs, of buses that the machine does not
 * have.
 */
static enum log_level
from_dpdk(int level)
{
	if (level <= (int)RTE_LOG_ERR)
		return LOG_LVL_ERR;
	if (starting)
		return LOG_LVL_DEBUG;
	if (level == RTE_LOG_WARNING)
		return LOG_LVL_WARNING;
	return level == RTE_LOG_NOTICE ? LOG_LVL_INFO : LOG_LVL_DEBUG;
}

/* DPDK's own debug level tells of each plugin several times, and of each page. */
static const char *
dpdk_level(void)
{
	switch (log_level_get(LOG_DPDK)) {
	case LOG_LVL_ERR:
		return "error";
	case LOG_LVL_WARNING:
		return "warning";
	case LOG_LVL_DEBUG:
		return "info";
	default:
		return "notice";
	}
}

void
eal_log_level_changed(void)
{
	static const struct {
		enum log_level level;
		uint32_t dpdk;
	} map[] = {
		{ LOG_LVL_ERR, RTE_LOG_ERR }, { LOG_LVL_WARNING, RTE_LOG_WARNING },
		{ LOG_LVL_NOTICE, RTE_LOG_NOTICE }, { LOG_LVL_INFO, RTE_LOG_NOTICE },
		{ LOG_LVL_DEBUG, RTE_LOG_INFO },
	};
	size_t i;

	for (i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (map[i].level == log_level_get(LOG_DPDK))
			rte_log_set_level_pattern("*", map[i].dpdk);
}

/* The stream's own lock is held: one call at a time. A line may come in pieces. */
static ssize_t
log_write(void *cookie, const char *buf, size_t size)
{
	static char line[512];
	static size_t len;
	size_t i;

	(void)cookie;
	for (i = 0; i < size; i++) {
		if (buf[i] != '\n' && len < sizeof(line) - 1) {
			line[len++] = buf[i];
			continue;
		}
		if (len > 0)
			log_line(LOG_DPDK, from_dpdk(rte_log_cur_msg_loglevel()), "%.*s", (int)len, line);
		len = 0;
		if (buf[i] != '\n')
			line[len++] = buf[i];
	}
	return size;
}

static void
redirect_log(void)
{
	static const cookie_io_functions_t functions = { .write = log_write };

	log_stream = fopencookie(NULL, "w", functions);
	if (log_stream == NULL)
		return;
	setvbuf(log_stream, NULL, _IOLBF, BUFSIZ);
	rte_openlog_stream(log_stream);
}

/* ---- start ---- */

static void __attribute__((format(printf, 2, 3)))
arg_add(struct args *args, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(args->text[args->n], ARG_LEN, fmt, ap);
	va_end(ap);
	args->v[args->n] = args->text[args->n];
	args->v[++args->n] = NULL;
}

static void
log_args(const struct args *args)
{
	char text[900] = "";
	size_t used = 0;
	int i;

	for (i = 0; i < args->n && used < sizeof(text); i++)
		used += snprintf(text + used, sizeof(text) - used, " %s", args->v[i]);
	log_debug(MAIN, "EAL arguments:%s", text);
}

static int
build_args(const struct daemon_conf *conf, struct args *args, struct error *err)
{
	char lcores[ARG_LEN - 32];
	int rc;

	rc = worker_plan(&conf->workers, lcores, sizeof(lcores), err);
	if (rc != 0)
		return rc;
	rc = hugepages_decide(conf, &uses_hugepages, err);
	if (rc != 0)
		return rc;
	arg_add(args, "vswitchd");
	arg_add(args, "--lcores=%s", lcores);
	arg_add(args, "--no-telemetry");
	if (conf->drivers != NULL) {
		arg_add(args, "-d");
		arg_add(args, "%s", conf->drivers);
	}
	/*
	 * No card of the host's may be taken just because it is bound to a DPDK driver, so the only
	 * one allowed is one that cannot exist. Cards that a port names are probed by their name,
	 * which is not subject to this list.
	 */
	if (access("/sys/bus/pci/devices", R_OK) == 0)
		arg_add(args, "--allow=pci:ffff:ff:1f.7");
	else
		arg_add(args, "--no-pci");
	/* Either way nothing of this process is shared with another. */
	if (uses_hugepages) {
		arg_add(args, "--in-memory");
	} else {
		arg_add(args, "--no-shconf");
		arg_add(args, "--no-huge");
	}
	arg_add(args, "-m");
	arg_add(args, "%u", conf->memory_mb);
	arg_add(args, "--log-level=*:%s", dpdk_level());
	return 0;
}

int
eal_start(const struct daemon_conf *conf, bool *no_hugepages, struct error *err)
{
	static struct args args; /* EAL keeps pointers into it */
	char *argv[ARGS_MAX + 1];
	int rc;

	*no_hugepages = false;
	rc = build_args(conf, &args, err);
	if (rc != 0)
		return rc;
	log_args(&args);
	redirect_log();
	memcpy(argv, args.v, sizeof(argv)); /* EAL sorts them */
	starting = true;
	rc = rte_eal_init(args.n, argv);
	starting = false;
	if (rc < 0) {
		*no_hugepages = uses_hugepages && conf->hugepages == HUGEPAGES_AUTO;
		return error_set(err, -rte_errno, "DPDK does not start (%s); its own words are above, more with --log dpdk=debug",
			rte_strerror(rte_errno));
	}
	running = true;
	return 0;
}

void
eal_stop(void)
{
	if (running)
		rte_eal_cleanup();
	running = false;
}
