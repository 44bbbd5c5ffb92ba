/* SPDX-License-Identifier: BSD-3-Clause */
/* Loads the configuration file. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "config_check.h"
#include "config_schema.h"
#include "yaml_doc.h"

/* Far more than the largest sensible switch needs. */
#define FILE_SIZE_MAX (1u << 20)

/* ---- the file ---- */

static int
open_file(const char *file, char *errbuf)
{
	struct stat st;
	int fd, saved;

	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		saved = errno;
		snprintf(errbuf, CONFIG_ERROR_LEN, "%s: %s%s", file, strerror(saved),
			saved == ENOENT ? "; name the configuration file with -c FILE" : "");
		errno = saved;
		return -1;
	}
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		snprintf(errbuf, CONFIG_ERROR_LEN, "%s: this is a directory, not a file", file);
		close(fd);
		errno = EISDIR;
		return -1;
	}
	return fd;
}

static char *
read_file(const char *file, size_t *len, char *errbuf)
{
	char *text;
	ssize_t n;
	int fd;

	fd = open_file(file, errbuf);
	if (fd < 0)
		return NULL;
	text = malloc(FILE_SIZE_MAX + 1);
	*len = 0;
	do {
		n = text == NULL ? -1 : read(fd, text + *len, FILE_SIZE_MAX + 1 - *len);
		if (n > 0)
			*len += n;
	} while (n > 0 || (n < 0 && text != NULL && errno == EINTR));
	if (n < 0 || *len > FILE_SIZE_MAX) {
		if (n == 0)
			errno = EFBIG;
		snprintf(errbuf, CONFIG_ERROR_LEN, "%s: %s", file, strerror(errno));
		free(text);
		text = NULL;
	}
	close(fd);
	return text;
}

/* ---- values ---- */

/*
 * Sets the values of a section. The path is where its lines are looked up, about what its messages
 * begin with.
 */
static int
set_values(struct config_load *load, const struct conf_key *keys, unsigned int n,
	const char *const *values, void *conf, const char *path, const char *about)
{
	char problem[CONFIG_ERROR_LEN / 2];
	unsigned int i;
	int rc;

	for (i = 0; i < n; i++) {
		if (values[i] == NULL)
			continue;
		rc = conf_key_set(&keys[i], conf, values[i], &load->config->strings, problem,
			sizeof(problem));
		if (rc != 0)
			return config_refuse(load, yaml_doc_line(load->doc, "%s/%s", path, keys[i].key),
				"%s%s", about, problem);
	}
	return 0;
}

static int
set_steps(struct config_load *load, const struct raw_idle *idle)
{
	struct idle_step *steps = load->config->conf.workers.idle;
	uint32_t i;
	char path[64];
	int rc;

	for (i = 0; i < idle->nb_steps; i++) {
		snprintf(path, sizeof(path), "workers/idle/steps/%u", i);
		rc = set_values(load, step_keys, STEP_KEY_MAX, idle->steps[i].v, &steps[i], path,
			"idle step: ");
		if (rc != 0)
			return rc;
		if (i > 0 && steps[i].idle_us <= steps[i - 1].idle_us)
			return config_refuse(load, yaml_doc_line(load->doc, "%s/after-us", path),
				"idle step: after-us must be more than that of the step before (%llu)",
				(unsigned long long)steps[i - 1].idle_us);
	}
	/* With fewer steps the last one stays. */
	for (; idle->nb_steps > 0 && i < IDLE_STEPS; i++)
		steps[i] = steps[i - 1];
	return 0;
}

static int
set_sections(struct config_load *load, const struct raw_daemon *raw)
{
	struct daemon_conf *conf = &load->config->conf;
	int rc;

	rc = set_values(load, daemon_keys, DAEMON_KEY_MAX, raw->v, conf, "", "");
	if (rc == 0 && raw->control != NULL)
		rc = set_values(load, control_keys, CONTROL_KEY_MAX, raw->control->v, conf, "control",
			"control: ");
	if (rc == 0 && raw->dpdk != NULL)
		rc = set_values(load, dpdk_keys, DPDK_KEY_MAX, raw->dpdk->v, conf, "dpdk", "dpdk: ");
	if (rc == 0 && raw->workers != NULL)
		rc = set_values(load, workers_keys, WORKERS_KEY_MAX, raw->workers->v, conf, "workers",
			"workers: ");
	if (rc == 0 && raw->workers != NULL && raw->workers->idle != NULL)
		rc = set_values(load, idle_keys, IDLE_KEY_MAX, raw->workers->idle->v, conf,
			"workers/idle", "workers: idle: ");
	if (rc == 0 && raw->workers != NULL && raw->workers->idle != NULL)
		rc = set_steps(load, raw->workers->idle);
	return rc;
}

/* What follows from the run directory, unless it was given. */
static int
set_control_socket(struct config_load *load, const struct raw_daemon *raw)
{
	const struct conf_key *key = &control_keys[CONTROL_KEY_SOCKET];
	struct daemon_conf *conf = &load->config->conf;
	char path[CONF_TEXT_LEN], problem[256];

	if (raw->control != NULL && raw->control->v[CONTROL_KEY_SOCKET] != NULL)
		return 0;
	snprintf(path, sizeof(path), "%.512s/vswitchd.sock", conf->run_dir);
	if (conf_key_set(key, conf, path, &load->config->strings, problem, sizeof(problem)) != 0)
		return config_refuse(load, yaml_doc_line(load->doc, "run-dir"), "%s", problem);
	return 0;
}

static int
set_port(struct config_load *load, const struct raw_port *raw, uint32_t index)
{
	struct port_conf *port = &load->config->conf.ports[index];
	char about[64], path[32], problem[CONFIG_ERROR_LEN / 2];
	unsigned int key, i;
	uint32_t given = 0;
	int rc;

	port_conf_init(port);
	snprintf(about, sizeof(about), "port '%.40s': ", raw->v[PORT_KEY_NAME]);
	snprintf(path, sizeof(path), "ports/%u", index);
	rc = set_values(load, port_keys, PORT_KEY_MAX, raw->v, port, path, about);
	if (rc != 0)
		return rc;
	for (i = 0; i < PORT_KEY_MAX; i++)
		given |= raw->v[i] != NULL ? 1u << i : 0;
	rc = port_conf_finish(port, given, load->config->conf.run_dir, &load->config->strings, &key,
		problem, sizeof(problem));
	if (rc != 0)
		return config_refuse(load, yaml_doc_line(load->doc, "%s/%s", path, port_keys[key].key),
			"%s%s", about, problem);
	return 0;
}

static int
set_bridge(struct config_load *load, const struct raw_bridge *raw, uint32_t index)
{
	struct bridge_conf *bridge = &load->config->conf.bridges[index];
	char about[64], path[32];
	uint32_t i;
	int rc;

	bridge_conf_init(bridge);
	snprintf(about, sizeof(about), "bridge '%.40s': ", raw->v[BRIDGE_KEY_NAME]);
	snprintf(path, sizeof(path), "bridges/%u", index);
	rc = set_values(load, bridge_keys, BRIDGE_KEY_MAX, raw->v, bridge, path, about);
	if (rc != 0 || raw->nb_ports == 0)
		return rc;
	bridge->ports = calloc(raw->nb_ports, sizeof(*bridge->ports));
	if (bridge->ports == NULL)
		return config_refuse(load, 1, "out of memory");
	for (i = 0; i < raw->nb_ports; i++) {
		bridge->ports[i] = conf_strdup(&load->config->strings, raw->ports[i]);
		if (bridge->ports[i] == NULL)
			return config_refuse(load, 1, "out of memory");
		bridge->nb_ports++;
	}
	return 0;
}

static int
set_all(struct config_load *load, const struct raw_daemon *raw)
{
	struct daemon_conf *conf = &load->config->conf;
	uint32_t i;
	int rc;

	rc = set_sections(load, raw);
	if (rc == 0)
		rc = set_control_socket(load, raw);
	if (rc != 0)
		return rc;
	conf->ports = calloc(raw->nb_ports + 1, sizeof(*conf->ports));
	conf->bridges = calloc(raw->nb_bridges + 1, sizeof(*conf->bridges));
	if (conf->ports == NULL || conf->bridges == NULL)
		return config_refuse(load, 1, "out of memory");
	for (i = 0; i < raw->nb_ports; i++) {
		rc = set_port(load, &raw->ports[i], i);
		if (rc != 0)
			return rc;
		conf->nb_ports++;
	}
	for (i = 0; i < raw->nb_bridges; i++) {
		conf->nb_bridges++;
		rc = set_bridge(load, &raw->bridges[i], i);
		if (rc != 0)
			return rc;
	}
	return config_check(load);
}

/* ---- libcyaml ---- */

/* Keeps libcyaml's most specific message: the first one. */
static void __attribute__((format(printf, 3, 0)))
keep_message(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
{
	char *message = ctx;

	if (level < CYAML_LOG_ERROR || message[0] != '\0')
		return;
	vsnprintf(message, 256, fmt, args);
	message[strcspn(message, "\n")] = '\0';
}

static int
load_text(struct config_load *load, const char *text, size_t len)
{
	static const struct raw_daemon nothing;
	char message[256] = "";
	const cyaml_config_t cyaml = {
		.log_fn = keep_message,
		.log_ctx = message,
		.log_level = CYAML_LOG_ERROR,
		.mem_fn = cyaml_mem,
		.flags = CYAML_CFG_NO_ALIAS,
	};
	cyaml_data_t *data = NULL;
	cyaml_err_t err;
	int rc;

	rc = yaml_doc_check(load->doc, &config_schema, load->errbuf, CONFIG_ERROR_LEN);
	if (rc != 0)
		return rc;
	err = cyaml_load_data((const uint8_t *)text, len, &cyaml, &config_schema, &data, NULL);
	if (err == CYAML_ERR_ALIAS)
		return config_refuse(load, 1, "anchors and aliases ('&', '*') are not understood here");
	if (err != CYAML_OK)
		return config_refuse(load, 1, "%s", message[0] != '\0' ? message : cyaml_strerror(err));
	rc = set_all(load, data != NULL ? (struct raw_daemon *)data : &nothing);
	cyaml_free(&cyaml, &config_schema, data, 0);
	return rc;
}

struct config *
config_load(const char *file, char errbuf[CONFIG_ERROR_LEN])
{
	struct config_load load = { .errbuf = errbuf };
	size_t len = 0;
	char *text;
	int rc;

	text = read_file(file, &len, errbuf);
	if (text == NULL)
		return NULL;
	load.config = calloc(1, sizeof(*load.config));
	rc = -ENOMEM;
	if (load.config != NULL)
		load.config->file = strdup(file);
	if (load.config == NULL || load.config->file == NULL) {
		snprintf(errbuf, CONFIG_ERROR_LEN, "%s: out of memory", file);
	} else {
		daemon_conf_init(&load.config->conf);
		rc = -EINVAL;
		load.doc = yaml_doc_parse(file, text, len, errbuf, CONFIG_ERROR_LEN);
		if (load.doc != NULL)
			rc = load_text(&load, text, len);
		yaml_doc_free(load.doc);
	}
	free(text);
	if (rc == 0)
		return load.config;
	config_free(load.config);
	errno = -rc;
	return NULL;
}

void
config_free(struct config *config)
{
	uint32_t i;

	if (config == NULL)
		return;
	for (i = 0; i < config->conf.nb_bridges; i++)
		free(config->conf.bridges[i].ports);
	free(config->conf.bridges);
	free(config->conf.ports);
	conf_strings_free(&config->strings);
	free(config->file);
	free(config);
}
