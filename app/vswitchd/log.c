/* SPDX-License-Identifier: BSD-3-Clause */
/* Log lines to standard error. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

/* Longest line: not more than a pipe takes as a whole (PIPE_BUF). */
#define LINE_LEN 1024

static const struct {
	const char *name;
	enum log_level level;
} level_names[] = {
	{ "err", LOG_LVL_ERR }, { "warning", LOG_LVL_WARNING }, { "notice", LOG_LVL_NOTICE },
	{ "info", LOG_LVL_INFO }, { "debug", LOG_LVL_DEBUG },
};
#define NB_LEVELS (sizeof(level_names) / sizeof(level_names[0]))

static const char *const component_names[LOG_COMPONENT_MAX] = {
#define X(symbol, name) name,
	LOG_COMPONENTS(X)
#undef X
};

static atomic_int levels[LOG_COMPONENT_MAX] = {
#define X(symbol, name) LOG_LVL_INFO,
	LOG_COMPONENTS(X)
#undef X
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool to_journal;
static bool to_socket;
static unsigned long lost;

const char *
log_component_name(enum log_component comp)
{
	return component_names[comp];
}

const char *
log_level_name(enum log_level level)
{
	size_t i;

	for (i = 0; i < NB_LEVELS; i++)
		if (level_names[i].level == level)
			return level_names[i].name;
	return "?";
}

enum log_level
log_level_get(enum log_component comp)
{
	return atomic_load_explicit(&levels[comp], memory_order_relaxed);
}

void
log_open(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (fstat(STDERR_FILENO, &st) != 0)
		return;
	to_socket = S_ISSOCK(st.st_mode);
	/* The variable is inherited by programs whose standard error has been redirected since. */
	to_journal = stream != NULL && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
		dev == st.st_dev && ino == st.st_ino;
}

/*
 * Standard error is shared with other processes, so it must not be made non-blocking. A pipe that
 * polls as writable takes PIPE_BUF bytes at once, a terminal that polls so takes a line.
 */
static bool
write_line(const char *line, size_t len)
{
	struct pollfd pfd = { .fd = STDERR_FILENO, .events = POLLOUT };
	ssize_t written;

	if (to_socket) {
		written = send(STDERR_FILENO, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		return written > 0;
	}
	if (poll(&pfd, 1, 0) != 1 || !(pfd.revents & POLLOUT))
		return false;
	do
		written = write(STDERR_FILENO, line, len);
	while (written < 0 && errno == EINTR);
	return written > 0;
}

/* What stands before the text. */
static size_t
prefix(char *line, size_t size, enum log_component comp, enum log_level level)
{
	struct timespec now;
	struct tm tm;
	size_t used;

	if (to_journal)
		return snprintf(line, size, "<%d>%s: ", level, component_names[comp]);
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	used = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &tm);
	return used + snprintf(line + used, size - used, ".%03ld %-7s %s: ", now.tv_nsec / 1000000,
		log_level_name(level), component_names[comp]);
}

static void
tell_lost(void)
{
	char line[LINE_LEN];
	size_t used;

	if (lost == 0)
		return;
	used = prefix(line, sizeof(line), LOG_MAIN, LOG_LVL_WARNING);
	used += snprintf(line + used, sizeof(line) - used,
		"%lu log lines lost: the reader of standard error is too slow\n", lost);
	if (write_line(line, used))
		lost = 0;
}

void
log_line(enum log_component comp, enum log_level level, const char *fmt, ...)
{
	char line[LINE_LEN];
	size_t start, used;
	int saved = errno;
	va_list ap;
	int len;

	if (level > log_level_get(comp))
		return;
	start = prefix(line, sizeof(line), comp, level);
	va_start(ap, fmt);
	len = vsnprintf(line + start, sizeof(line) - start - 1, fmt, ap);
	va_end(ap);
	if (len < 0)
		len = 0;
	used = start + len;
	if (used > sizeof(line) - 2)
		used = sizeof(line) - 2;
	while (used > start && line[used - 1] == '\n')
		used--;
	/* Texts hold what guests and clients chose: no second line, no escape sequences. */
	for (; start < used; start++)
		if ((unsigned char)line[start] < ' ' || line[start] == 0x7f)
			line[start] = '?';
	line[used++] = '\n';

	pthread_mutex_lock(&lock);
	tell_lost();
	if (lost > 0 || !write_line(line, used))
		lost++;
	pthread_mutex_unlock(&lock);
	errno = saved;
}

static int
find_level(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < NB_LEVELS; i++)
		if (strlen(level_names[i].name) == len && strncmp(level_names[i].name, name, len) == 0)
			return level_names[i].level;
	return -1;
}

static int
find_component(const char *name, size_t len)
{
	int i;

	for (i = 0; i < LOG_COMPONENT_MAX; i++)
		if (strlen(component_names[i]) == len && strncmp(component_names[i], name, len) == 0)
			return i;
	return -1;
}

/* What log_set() allows, as a sentence. */
static void
allowed(char *errbuf, size_t errlen, const char *what, const char *name, size_t len, bool level)
{
	size_t used, i;

	used = snprintf(errbuf, errlen, "unknown %s '%.*s'; allowed: ", what,
		len > 32 ? 32 : (int)len, name);
	for (i = 0; i < (level ? NB_LEVELS : LOG_COMPONENT_MAX) && used < errlen; i++)
		used += snprintf(errbuf + used, errlen - used, "%s%s", i > 0 ? ", " : "",
			level ? level_names[i].name : component_names[i]);
}

/* Works the text into @p new. */
static int
parse(const char *text, int new[LOG_COMPONENT_MAX], char *errbuf, size_t errlen)
{
	while (true) {
		size_t len = strcspn(text, ",");
		const char *equal = memchr(text, '=', len);
		const char *name = equal != NULL ? equal + 1 : text;
		int comp = -1, level, i;

		if (equal != NULL) {
			comp = find_component(text, equal - text);
			if (comp < 0) {
				allowed(errbuf, errlen, "log component", text, equal - text, false);
				return -EINVAL;
			}
		}
		level = find_level(name, text + len - name);
		if (level < 0) {
			allowed(errbuf, errlen, "log level", name, text + len - name, true);
			return -EINVAL;
		}
		for (i = 0; i < LOG_COMPONENT_MAX; i++)
			if (comp < 0 || comp == i)
				new[i] = level;
		if (text[len] == '\0')
			return 0;
		text += len + 1;
	}
}

int
log_check(const char *text, char *errbuf, unsigned int errlen)
{
	int new[LOG_COMPONENT_MAX];

	return parse(text, new, errbuf, errlen);
}

int
log_set(const char *text, char *errbuf, unsigned int errlen)
{
	int new[LOG_COMPONENT_MAX];
	int i, rc;

	for (i = 0; i < LOG_COMPONENT_MAX; i++)
		new[i] = atomic_load(&levels[i]);
	rc = parse(text, new, errbuf, errlen);
	if (rc != 0)
		return rc;
	for (i = 0; i < LOG_COMPONENT_MAX; i++)
		atomic_store(&levels[i], new[i]);
	return 0;
}
