/* SPDX-License-Identifier: BSD-3-Clause */
/* Text of configuration values to what it means, with all checks. */
#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <net/if.h>
#include <pwd.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "affinity.h"
#include "conf_key.h"
#include "log.h"

/* A value on its way: what it is for, and where a sentence about it goes. */
struct parse {
	const struct conf_key *key;
	const char *text;
	char *errbuf;
	size_t errlen;
};

/* "KEY 'VALUE' SENTENCE"; a long value is cut. */
static int __attribute__((format(printf, 2, 3)))
refuse(const struct parse *p, const char *fmt, ...)
{
	size_t used;
	va_list ap;

	used = snprintf(p->errbuf, p->errlen, "%s '%.64s%s' ", p->key->key, p->text,
		strlen(p->text) > 64 ? "..." : "");
	if (used < p->errlen) {
		va_start(ap, fmt);
		vsnprintf(p->errbuf + used, p->errlen - used, fmt, ap);
		va_end(ap);
	}
	return -EINVAL;
}

/* Digits only: strtoull() alone would take blanks, signs and trailing text. */
static bool
parse_number(const char *text, int base, uint64_t *value)
{
	const char *digits = text;
	char *end;

	if (base == 0 && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X')) {
		base = 16;
		digits += 2;
	}
	if (!isxdigit((unsigned char)digits[0]))
		return false;
	errno = 0;
	*value = strtoull(digits, &end, base == 0 ? 10 : base);
	return errno == 0 && *end == '\0';
}

static void
store(const struct conf_key *key, void *to, uint64_t value)
{
	switch (key->size) {
	case 1:
		*(uint8_t *)to = value;
		break;
	case 2:
		*(uint16_t *)to = value;
		break;
	case 4:
		*(uint32_t *)to = value;
		break;
	default:
		*(uint64_t *)to = value;
		break;
	}
}

static int
set_uint(const struct parse *p, void *to)
{
	const struct conf_key *key = p->key;
	uint64_t value;

	if (!parse_number(p->text, 0, &value))
		return refuse(p, "is not a number; allowed: %llu to %llu",
			(unsigned long long)key->min, (unsigned long long)key->max);
	if (value < key->min || value > key->max)
		return refuse(p, "is out of range; allowed: %llu to %llu",
			(unsigned long long)key->min, (unsigned long long)key->max);
	store(key, to, value);
	return 0;
}

static int
set_mask(const struct parse *p, void *to)
{
	uint64_t value;

	if (!parse_number(p->text, 0, &value) || value == 0 || (value & ~p->key->max) != 0)
		return refuse(p, "is no mask; allowed: any bits of 0x%llx, at least one",
			(unsigned long long)p->key->max);
	store(p->key, to, value);
	return 0;
}

static int
set_mode(const struct parse *p, void *to)
{
	const char *text = p->text;
	uint64_t value;

	if (strncmp(text, "0o", 2) == 0) /* YAML 1.2's way to write octal */
		text += 2;
	if (!parse_number(text, 8, &value) || value > p->key->max)
		return refuse(p, "is no mode; allowed: permissions in octal, such as 0660");
	store(p->key, to, value);
	return 0;
}

static int
set_mac(const struct parse *p, void *to)
{
	static const uint8_t zero[6];
	const char *text = p->text;
	uint8_t mac[6];
	int i;

	for (i = 0; i < 6; i++, text += 3) {
		char byte[3] = { text[0], text[0] == '\0' ? '\0' : text[1], '\0' };
		uint64_t value;

		if (byte[1] == '\0' || !parse_number(byte, 16, &value) ||
		    text[2] != (i < 5 ? ':' : '\0'))
			return refuse(p, "is no MAC address; allowed: six bytes such as 52:54:00:00:00:01");
		mac[i] = value;
	}
	if (mac[0] & 1)
		return refuse(p, "is a group address; a port needs a unicast one (even first byte)");
	if (memcmp(mac, zero, 6) == 0)
		return refuse(p, "is the zero address; a port needs one of its own");
	memcpy(to, mac, 6);
	return 0;
}

static int
set_choice(const struct parse *p, void *to)
{
	const struct conf_choice *choices = p->key->choices, *c, *first;
	char names[128] = "";
	size_t used = 0;

	for (c = choices; c->name != NULL; c++) {
		if (strcmp(c->name, p->text) == 0) {
			store(p->key, to, c->value);
			return 0;
		}
		for (first = choices; first->value != c->value; first++)
			;
		if (first == c && used < sizeof(names))
			used += snprintf(names + used, sizeof(names) - used, "%s%s",
				used > 0 ? ", " : "", c->name);
	}
	snprintf(p->errbuf, p->errlen, "unknown %s '%.64s'; allowed: %s", p->key->key, p->text, names);
	return -EINVAL;
}

static int
check_name(const struct parse *p)
{
	size_t len = strlen(p->text);
	size_t i;

	if (len > NAME_LEN)
		return refuse(p, "is too long; at most %d characters", NAME_LEN);
	for (i = 0; i < len; i++)
		if (!isalnum((unsigned char)p->text[i]) && strchr("-_.", p->text[i]) == NULL)
			return refuse(p, "has other characters than letters, digits, '-', '_' and '.'");
	/* A name becomes part of a path. */
	if (p->text[0] == '.' || p->text[0] == '-')
		return refuse(p, "must begin with a letter, a digit or '_'");
	return 0;
}

static int
check_ifname(const struct parse *p)
{
	const char *c;

	if (strlen(p->text) >= IFNAMSIZ)
		return refuse(p, "is too long; at most %d characters", IFNAMSIZ - 1);
	for (c = p->text; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && strchr("-_.", *c) == NULL)
			return refuse(p, "has other characters than letters, digits, '-', '_' and '.'");
	if (strcmp(p->text, ".") == 0 || strcmp(p->text, "..") == 0)
		return refuse(p, "is no interface name");
	return 0;
}

static int
check_account(const struct parse *p)
{
	bool user = p->key->form == FORM_USER;
	uint64_t id;

	if (parse_number(p->text, 10, &id)) {
		/* The largest number means "no change" to chown(). */
		return id < UINT32_MAX ? 0 : refuse(p, "is no valid %s number", user ? "user" : "group");
	}
	if (user ? getpwnam(p->text) != NULL : getgrnam(p->text) != NULL)
		return 0;
	return refuse(p, "is unknown on this machine; allowed: an existing %s, by name or number",
		user ? "user" : "group");
}

/* A list such as "1,3-5": numbers and ranges that ascend within themselves. */
static int
check_cores(const struct parse *p)
{
	const char *text = p->text;
	char *end;

	if (strcmp(text, "auto") == 0)
		return 0;
	for (;;) {
		unsigned long from, to;

		if (!isdigit((unsigned char)*text))
			break;
		from = to = strtoul(text, &end, 10);
		if (*end == '-' && isdigit((unsigned char)end[1]))
			to = strtoul(end + 1, &end, 10);
		if (from > to || to >= CPU_SETSIZE)
			break;
		if (*end == '\0')
			return 0;
		if (*end != ',')
			break;
		text = end + 1;
	}
	return refuse(p, "is no list of CPUs; allowed: auto, or numbers and ranges such as 1,3-5");
}

static int
check_text(const struct parse *p)
{
	size_t max = p->key->max;
	const char *c;

	if (p->key->form == FORM_SOCKET)
		max = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
	if (max == 0 || max >= CONF_TEXT_LEN)
		max = CONF_TEXT_LEN - 1;
	if (strlen(p->text) > max)
		return refuse(p, "is too long; at most %zu characters", max);
	for (c = p->text; *c != '\0'; c++)
		if (iscntrl((unsigned char)*c)) {
			snprintf(p->errbuf, p->errlen, "%s holds a control character", p->key->key);
			return -EINVAL;
		}
	if (p->text[0] == '\0') {
		snprintf(p->errbuf, p->errlen, "%s is empty; give it a value or leave the key out",
			p->key->key);
		return -EINVAL;
	}
	return 0;
}

static int
check_string(const struct parse *p)
{
	struct affinity affinity;
	char problem[256];

	switch (p->key->form) {
	case FORM_NAME:
		return check_name(p);
	case FORM_IFNAME:
		return check_ifname(p);
	case FORM_USER:
	case FORM_GROUP:
		return check_account(p);
	case FORM_CORES:
		return check_cores(p);
	case FORM_VLANS:
		if (vlan_list_parse(p->text, NULL))
			return 0;
		return refuse(p, "is no list of VLANs; allowed: numbers from 1 to %d and ranges, such as "
			"10,20-29", VLAN_MAX);
	case FORM_AFFINITY:
		if (affinity_parse(p->text, &affinity))
			return 0;
		return refuse(p, "is no list of QUEUE:CPU; allowed: none, or each queue once, such as 0:1,2-3:2");
	case FORM_LOG:
		if (log_check(p->text, problem, sizeof(problem)) == 0)
			return 0;
		snprintf(p->errbuf, p->errlen, "%s: %s", p->key->key, problem);
		return -EINVAL;
	default:
		return 0;
	}
}

int
conf_key_set(const struct conf_key *key, void *conf, const char *text,
	struct conf_strings *strings, char *errbuf, size_t errlen)
{
	struct parse p = { .key = key, .text = text, .errbuf = errbuf, .errlen = errlen };
	void *to = (char *)conf + key->offset;
	const char *copy;
	int rc;

	rc = check_text(&p);
	if (rc != 0)
		return rc;
	switch (key->form) {
	case FORM_UINT:
		return set_uint(&p, to);
	case FORM_MASK:
		return set_mask(&p, to);
	case FORM_MODE:
		return set_mode(&p, to);
	case FORM_MAC:
		return set_mac(&p, to);
	case FORM_CHOICE:
		return set_choice(&p, to);
	default:
		break;
	}
	rc = check_string(&p);
	if (rc != 0)
		return rc;
	copy = conf_strdup(strings, text);
	if (copy == NULL) {
		snprintf(errbuf, errlen, "out of memory");
		return -ENOMEM;
	}
	*(const char **)to = copy;
	return 0;
}
