/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control.h"
#include "rpc_conf.h"

/* The text that the value would have in the configuration file; NULL: it cannot be there. */
static const char *
value_text(const json_t *value, char number[32])
{
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_boolean(value))
		return json_is_true(value) ? "yes" : "no";
	if (!json_is_integer(value))
		return NULL;
	snprintf(number, 32, "%lld", (long long)json_integer_value(value));
	return number;
}

int
rpc_conf_set(const struct conf_key *keys, size_t n, const json_t *params, const char *skip,
	const char *about, void *conf, struct conf_strings *strings, uint32_t *given,
	struct error *err)
{
	char number[32], problem[CONF_TEXT_LEN];
	const struct conf_key *key;
	const char *name, *text;
	json_t *value;
	int rc;

	*given = 0;
	json_object_foreach((json_t *)params, name, value) {
		if (skip != NULL && strcmp(name, skip) == 0)
			continue;
		key = conf_key_find(keys, n, name);
		if (key == NULL) {
			conf_key_names(keys, n, UINT32_MAX, problem, sizeof(problem));
			return control_invalid(err, "%sunknown key '%.40s'; allowed: %s", about, name, problem);
		}
		text = value_text(value, number);
		if (text == NULL)
			return control_invalid(err, "%s%s must be a string, a whole number or a boolean",
				about, name);
		rc = conf_key_set(key, conf, text, strings, problem, sizeof(problem));
		if (rc == -ENOMEM)
			return error_set(err, rc, "%s", problem);
		if (rc != 0)
			return control_invalid(err, "%s%s", about, problem);
		*given |= 1u << (key - keys);
	}
	return 0;
}

json_t *
rpc_conf_get(const struct conf_key *keys, size_t n, uint32_t types, const void *conf)
{
	json_t *object = json_object();
	char text[CONF_TEXT_LEN];
	uint64_t number;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!(keys[i].types & types) || !conf_key_get(&keys[i], conf, text))
			continue;
		if (conf_key_is_number(&keys[i]) && sscanf(text, "%lu", &number) == 1)
			json_object_set_new(object, keys[i].key, json_integer(number));
		else
			json_object_set_new(object, keys[i].key, json_string(text));
	}
	return object;
}
