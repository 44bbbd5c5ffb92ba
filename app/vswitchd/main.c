/* SPDX-License-Identifier: BSD-3-Clause */
/* vswitchd: command line, start, main loop, stop. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>
#include <systemd/sd-daemon.h>

#include <vfu_dma.h>

#include "config.h"
#include "control.h"
#include "eal.h"
#include "log.h"
#include "rpc.h"
#include "switch.h"

#define CONFIG_FILE "/etc/vswitchd/vswitchd.yaml"
#define TICK_US 100000
#define EXIT_USAGE 2

struct options {
	const char *config;
	const char *socket;
	const char *log;
	const char *hugepages;
	bool check;
};

static struct event_base *base;
static char **arguments;

static const char usage[] =
	"Usage: vswitchd [OPTION]...\n"
	"A switch for virtual machines with vmxnet3 network cards.\n"
	"\n"
	"  -c, --config FILE      configuration (default " CONFIG_FILE ")\n"
	"  -s, --socket PATH      control socket, instead of the configuration's\n"
	"  -l, --log LEVELS       LEVEL or component=LEVEL,..., instead of the configuration's\n"
	"      --hugepages WHEN   auto, yes or no, instead of the configuration's\n"
	"      --check            check the configuration, start nothing\n"
	"  -V, --version          print the version\n"
	"  -h, --help             print this\n"
	"\n"
	"See vswitchd(8), vswitchd.yaml(5), vswitchctl(1).\n";

/* ---- command line ---- */

static void
wrong_usage(void)
{
	fputs("Try 'vswitchd --help'.\n", stderr);
	exit(EXIT_USAGE);
}

static void
parse_options(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "socket", required_argument, NULL, 's' },
		{ "log", required_argument, NULL, 'l' },
		{ "hugepages", required_argument, NULL, 'H' },
		{ "check", no_argument, NULL, 'C' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:s:l:Vh", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			options->config = optarg;
			break;
		case 's':
			options->socket = optarg;
			break;
		case 'l':
			options->log = optarg;
			break;
		case 'H':
			options->hugepages = optarg;
			break;
		case 'C':
			options->check = true;
			break;
		case 'V':
			puts("vswitchd " VMXNET3X_VERSION);
			exit(EXIT_SUCCESS);
		case 'h':
			fputs(usage, stdout);
			exit(EXIT_SUCCESS);
		default:
			wrong_usage(); /* getopt has said what is wrong */
		}
	}
	if (optind < argc) {
		fprintf(stderr, "vswitchd: unexpected argument '%s'\n", argv[optind]);
		wrong_usage();
	}
}

/* An option that stands in for a key of the configuration. */
static void
override(struct config *config, const struct conf_key *key, const char *option, const char *text)
{
	char problem[CONFIG_ERROR_LEN];

	if (text == NULL)
		return;
	if (conf_key_set(key, &config->conf, text, &config->strings, problem, sizeof(problem)) == 0)
		return;
	fprintf(stderr, "vswitchd: %s: %s\n", option, problem);
	wrong_usage();
}

static struct config *
load(const struct options *options)
{
	char problem[CONFIG_ERROR_LEN];
	struct config *config = config_load(options->config, problem);

	if (config == NULL) {
		fprintf(stderr, "vswitchd: %s\n", problem);
		sd_notifyf(0, "STATUS=%s\nERRNO=%d", problem, errno);
		exit(EXIT_FAILURE);
	}
	override(config, &control_keys[CONTROL_KEY_SOCKET], "--socket", options->socket);
	override(config, &daemon_keys[DAEMON_KEY_LOG], "--log", options->log);
	override(config, &dpdk_keys[DPDK_KEY_HUGEPAGES], "--hugepages", options->hugepages);
	return config;
}

/* ---- process ---- */

/* With a standard descriptor closed, a socket would take its number, and log lines would go there. */
static void
open_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* A vIOMMU guest needs a descriptor for each of many thousand mappings. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
		log_debug(MAIN, "up to %llu descriptors", (unsigned long long)limit.rlim_cur);
}

static void
stop_signal(evutil_socket_t sig, short what, void *arg)
{
	(void)what;
	(void)arg;
	log_notice(MAIN, "stopping: %s", strsignal(sig));
	event_base_loopbreak(base);
}

static void
hangup_signal(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	(void)arg;
	log_notice(MAIN,
		"SIGHUP ignored: the configuration is read at the start only; use vswitchctl to change the switch");
}

static void
tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	switch_tick();
}

static void
watchdog(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	sd_notify(0, "WATCHDOG=1");
}

struct events {
	struct event *term, *interrupt, *hangup, *tick, *watchdog;
};

static int
events_add(struct events *ev, struct error *err)
{
	static const struct timeval tick_interval = { .tv_usec = TICK_US };
	struct timeval half;
	uint64_t usec = 0;

	base = event_base_new();
	if (base == NULL)
		return error_set(err, -ENOMEM, "out of memory for the main loop");
	signal(SIGPIPE, SIG_IGN);
	ev->term = evsignal_new(base, SIGTERM, stop_signal, NULL);
	ev->interrupt = evsignal_new(base, SIGINT, stop_signal, NULL);
	ev->hangup = evsignal_new(base, SIGHUP, hangup_signal, NULL);
	ev->tick = event_new(base, -1, EV_PERSIST, tick, NULL);
	ev->watchdog = event_new(base, -1, EV_PERSIST, watchdog, NULL);
	if (!ev->term || !ev->interrupt || !ev->hangup || !ev->tick || !ev->watchdog)
		return error_set(err, -ENOMEM, "out of memory for the main loop");
	event_add(ev->term, NULL);
	event_add(ev->interrupt, NULL);
	event_add(ev->hangup, NULL);
	event_add(ev->tick, &tick_interval);
	if (sd_watchdog_enabled(0, &usec) > 0) {
		half.tv_sec = usec / 2 / 1000000;
		half.tv_usec = usec / 2 % 1000000;
		event_add(ev->watchdog, &half);
	}
	return 0;
}

static void
events_free(const struct events *ev)
{
	struct event *const all[] = { ev->term, ev->interrupt, ev->hangup, ev->tick, ev->watchdog };
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i] != NULL)
			event_free(all[i]);
	if (base != NULL)
		event_base_free(base);
}

/* ---- start and stop ---- */

static int
make_run_dir(const char *dir, struct error *err)
{
	if (mkdir(dir, 0755) == 0 || errno == EEXIST)
		return 0;
	return error_set(err, -errno, "run directory %s cannot be made: %s; make it, or set run-dir", dir,
		strerror(errno));
}

/* Hugepages that looked free were not to be had: once more without, in a fresh process. */
static void
restart_without_hugepages(const struct error *err)
{
	size_t n = 0;
	char **argv;

	while (arguments[n] != NULL)
		n++;
	argv = calloc(n + 2, sizeof(*argv));
	if (argv == NULL)
		return;
	memcpy(argv, arguments, n * sizeof(*argv));
	argv[n] = "--hugepages=no";
	log_warning(MAIN, "%s; trying again with plain pages", err->text);
	control_stop();
	execv("/proc/self/exe", argv);
	log_err(MAIN, "cannot start again: %s", strerror(errno));
	free(argv);
}

static int
add_all(const struct daemon_conf *conf, struct error *err)
{
	uint32_t i;
	int rc;

	for (i = 0; i < conf->nb_ports; i++) {
		rc = switch_port_add(&conf->ports[i], err);
		if (rc != 0)
			return rc;
	}
	for (i = 0; i < conf->nb_bridges; i++) {
		rc = switch_bridge_add(&conf->bridges[i], err);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static void
register_methods(const struct config *config)
{
	rpc_port_register(config->conf.run_dir);
	rpc_bridge_register();
	rpc_worker_register();
	rpc_capture_register();
	rpc_system_register(&config->conf, config->file);
}

/*
 * The control socket comes first: it is what tells two daemons apart. Its requests wait until the
 * main loop runs.
 */
static int
start(const struct config *config, struct events *events, struct error *err)
{
	const struct daemon_conf *conf = &config->conf;
	bool no_hugepages;
	int rc;

	rc = events_add(events, err);
	if (rc == 0)
		rc = make_run_dir(conf->run_dir, err);
	if (rc == 0)
		rc = control_start(base, conf->control_socket, conf->control_group, err);
	if (rc != 0)
		return rc;
	rc = eal_start(conf, &no_hugepages, err);
	if (rc != 0) {
		if (no_hugepages)
			restart_without_hugepages(err);
		return rc;
	}
	/* After EAL, which has its own handler for that signal. */
	rc = vfu_dma_install_sigbus_handler();
	if (rc != 0)
		return error_set(err, rc, "cannot handle SIGBUS: %s", strerror(-rc));
	register_methods(config);
	rc = switch_start(conf, err);
	return rc != 0 ? rc : add_all(conf, err);
}

static int
run(const struct config *config)
{
	struct events events = { .term = NULL };
	struct error err = { .text = "" };
	int rc;

	rc = start(config, &events, &err);
	if (rc == 0) {
		log_notice(MAIN, "vswitchd " VMXNET3X_VERSION ": ports %u, bridges %u, control socket %s",
			config->conf.nb_ports, config->conf.nb_bridges, control_path());
		sd_notify(0, "READY=1");
		event_base_dispatch(base);
		sd_notify(0, "STOPPING=1");
	} else {
		log_err(MAIN, "%s", err.text);
		sd_notifyf(0, "STATUS=%s\nERRNO=%d", err.text, -rc);
	}
	rpc_capture_stop();
	control_stop();
	switch_stop();
	eal_stop();
	events_free(&events);
	if (rc == 0)
		log_notice(MAIN, "stopped");
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	struct options options = { .config = CONFIG_FILE };
	struct config *config;
	char problem[256];
	int rc;

	arguments = argv;
	open_standard_descriptors();
	parse_options(argc, argv, &options);
	config = load(&options);
	if (options.check) {
		printf("%s: valid; ports: %u, bridges: %u\n", config->file, config->conf.nb_ports, config->conf.nb_bridges);
		rc = EXIT_SUCCESS;
	} else {
		log_open();
		log_set(config->conf.log, problem, sizeof(problem));
		raise_descriptor_limit();
		rc = run(config);
	}
	config_free(config);
	return rc;
}
