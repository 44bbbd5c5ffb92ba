/* SPDX-License-Identifier: BSD-3-Clause */
/* JSON-RPC requests: what they ask for, whether they may, and what they are answered. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "control_priv.h"
#include "control_methods.h"
#include "log.h"
#include "text.h"

#define GROUPS_MAX 16
#define METHODS_MAX 128
#define STRING_LEN_MAX 4096

static const struct control_method *groups[GROUPS_MAX];
static unsigned int nb_groups;

void
control_register(const struct control_method *methods)
{
	if (nb_groups < GROUPS_MAX)
		groups[nb_groups++] = methods;
	else
		log_err(CONTROL, "no room for method %s", methods->name);
}

void
control_methods_foreach(void (*fn)(const struct control_method *method, void *arg), void *arg)
{
	const struct control_method *m;
	unsigned int i;

	for (i = 0; i < nb_groups; i++)
		for (m = groups[i]; m->name != NULL; m++)
			fn(m, arg);
}

int
control_invalid(struct error *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return CONTROL_INVALID_PARAMS;
}

int
control_take_fd(struct control_request *req, control_taken *fn, void *arg, struct error *err)
{
	if (req->no_take != NULL)
		return error_set(err, -EINVAL, "this connection cannot be taken over: %s", req->no_take);
	req->taken = fn;
	req->taken_arg = arg;
	return 0;
}

/* ---- parameters ---- */

const char *
control_string(const json_t *params, const char *name)
{
	return json_string_value(json_object_get(params, name));
}

uint64_t
control_uint(const json_t *params, const char *name, uint64_t missing)
{
	const json_t *value = json_object_get(params, name);

	return value != NULL ? (uint64_t)json_integer_value(value) : missing;
}

bool
control_bool(const json_t *params, const char *name, bool missing)
{
	const json_t *value = json_object_get(params, name);

	return value != NULL ? json_is_true(value) : missing;
}

static int
check_string(const struct control_param *p, const json_t *value, struct error *err)
{
	size_t max = p->max != 0 ? p->max : STRING_LEN_MAX, used = 0;
	const char *const *choice;
	char names[128] = "";

	if (!json_is_string(value))
		return control_invalid(err, "parameter '%s' must be a string", p->name);
	if (json_string_length(value) > max)
		return control_invalid(err, "parameter '%s' is too long; at most %zu bytes", p->name, max);
	if (p->choices == NULL)
		return 0;
	for (choice = p->choices; *choice != NULL; choice++) {
		if (strcmp(*choice, json_string_value(value)) == 0)
			return 0;
		if (used < sizeof(names))
			used += snprintf(names + used, sizeof(names) - used, "%s%s",
				used > 0 ? ", " : "", *choice);
	}
	return control_invalid(err, "parameter '%s' is '%.32s'; allowed: %s", p->name,
		json_string_value(value), names);
}

static int
check_param(const struct control_param *p, const json_t *value, struct error *err)
{
	json_int_t number;

	switch (p->type) {
	case CONTROL_STRING:
		return check_string(p, value, err);
	case CONTROL_BOOL:
		return json_is_boolean(value) ? 0 :
			control_invalid(err, "parameter '%s' must be true or false", p->name);
	default:
		number = json_integer_value(value);
		if (json_is_integer(value) && number >= 0 && (uint64_t)number >= p->min &&
		    (uint64_t)number <= p->max)
			return 0;
		return control_invalid(err, "parameter '%s' must be a number; allowed: %llu to %llu",
			p->name, (unsigned long long)p->min, (unsigned long long)p->max);
	}
}

static int
unknown_param(const struct control_method *m, const char *name, struct error *err)
{
	const struct control_param *p;
	char names[160] = "none";
	size_t used = 0;

	for (p = m->params; p != NULL && p->name != NULL && used < sizeof(names); p++)
		used += snprintf(names + used, sizeof(names) - used, "%s%s", used > 0 ? ", " : "",
			p->name);
	return control_invalid(err, "unknown parameter '%.40s'; allowed: %s", name, names);
}

static int
check_params(const struct control_method *m, const json_t *params, struct error *err)
{
	const struct control_param *p;
	const char *name;
	json_t *value;

	if (m->any_params)
		return 0;
	json_object_foreach((json_t *)params, name, value) {
		for (p = m->params; p != NULL && p->name != NULL; p++)
			if (strcmp(p->name, name) == 0)
				break;
		if (p == NULL || p->name == NULL)
			return unknown_param(m, name, err);
		if (check_param(p, value, err) != 0)
			return CONTROL_INVALID_PARAMS;
	}
	for (p = m->params; p != NULL && p->name != NULL; p++)
		if (p->required && json_object_get(params, p->name) == NULL)
			return control_invalid(err, "parameter '%s' is missing", p->name);
	return 0;
}

/* ---- requests ---- */

json_t *
control_error(const json_t *id, int code, const char *text)
{
	char clean[sizeof(((struct error *)NULL)->text)];
	json_t *message = json_string(text);
	char *c;

	/* A sentence may have been cut in the middle of a character. */
	if (message == NULL) {
		snprintf(clean, sizeof(clean), "%s", text);
		for (c = clean; *c != '\0'; c++)
			if ((unsigned char)*c >= 0x80)
				*c = '?';
		message = json_string(clean);
	}
	return json_pack("{s:s, s:O?, s:{s:i, s:o}}", "jsonrpc", "2.0", "id",
		id != NULL ? id : json_null(), "error", "code", code, "message", message);
}

static const struct control_method *
find_method(const char *name, struct error *err)
{
	const char *names[METHODS_MAX];
	const struct control_method *m;
	unsigned int i, n = 0;
	char guess[80];

	for (i = 0; i < nb_groups; i++)
		for (m = groups[i]; m->name != NULL; m++) {
			if (strcmp(m->name, name) == 0)
				return m;
			if (n < METHODS_MAX)
				names[n++] = m->name;
		}
	text_guess(name, names, n, guess, sizeof(guess));
	error_set(err, -ENOENT, "unknown method '%.48s'%s; system.methods lists them", name, guess);
	return NULL;
}

/* Carries out a well-formed request. */
static int
call(struct control_request *req, const char *name, const json_t *params, json_t **result,
	struct error *err)
{
	const struct control_method *m = find_method(name, err);
	json_t *none = NULL;
	int rc;

	if (m == NULL)
		return RPC_NO_METHOD;
	if (params == NULL)
		params = none = json_object();
	if (!json_is_object(params)) {
		rc = control_invalid(err, "'params' must be an object: parameters go by name");
	} else {
		rc = check_params(m, params, err);
		if (rc == 0)
			rc = m->handler(req, params, result, err);
	}
	json_decref(none);
	return rc;
}

static const char *
malformed(const json_t *message)
{
	const json_t *version = json_object_get(message, "jsonrpc");
	const json_t *id = json_object_get(message, "id");

	if (!json_is_object(message))
		return "a request is an object with 'jsonrpc', 'method', 'id' and 'params'";
	if (!json_is_string(version) || strcmp(json_string_value(version), "2.0") != 0)
		return "'jsonrpc' must be \"2.0\"";
	if (!json_is_string(json_object_get(message, "method")))
		return "'method' must be a string";
	if (id != NULL && !json_is_string(id) && !json_is_number(id) && !json_is_null(id))
		return "'id' must be a string, a number or null";
	return NULL;
}

static json_t *
answer_one(struct control_request *req, const json_t *message)
{
	const char *problem = malformed(message);
	struct error err = { .text = "" };
	json_t *result = NULL;
	const json_t *id;
	const char *name;
	int rc;

	if (problem != NULL)
		return control_error(NULL, RPC_INVALID_REQUEST, problem);
	id = json_object_get(message, "id");
	name = json_string_value(json_object_get(message, "method"));
	if (id == NULL && req->no_take == NULL)
		req->no_take = "the request has no id, so it is not answered";
	rc = call(req, name, json_object_get(message, "params"), &result, &err);
	if (rc == 0 && result == NULL)
		result = json_object();
	if (rc != 0) {
		log_info(CONTROL, "%.48s: %s", name, err.text);
		json_decref(result);
		return id == NULL ? NULL : control_error(id, rc, err.text);
	}
	log_debug(CONTROL, "%.48s: done", name);
	if (id == NULL) {
		json_decref(result);
		return NULL;
	}
	return json_pack("{s:s, s:O, s:o}", "jsonrpc", "2.0", "id", id, "result", result);
}

json_t *
control_answer(struct control_request *req, const json_t *message)
{
	json_t *answers, *answer;
	size_t i;

	if (!json_is_array(message))
		return answer_one(req, message);
	if (json_array_size(message) == 0 || json_array_size(message) > BATCH_MAX)
		return control_error(NULL, RPC_INVALID_REQUEST, "a batch holds 1 to 256 requests");
	req->no_take = "the request is part of a batch";
	answers = json_array();
	for (i = 0; i < json_array_size(message); i++) {
		answer = answer_one(req, json_array_get(message, i));
		if (answer != NULL)
			json_array_append_new(answers, answer);
	}
	if (json_array_size(answers) == 0) {
		json_decref(answers);
		return NULL;
	}
	return answers;
}
