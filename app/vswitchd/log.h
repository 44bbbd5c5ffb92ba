/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Log lines with a component and a level, changeable at run time. Written to standard error (or the
 * journal, through it); thread-safe; never called on the packet path for a packet.
 */
#ifndef VSWITCHD_LOG_H
#define VSWITCHD_LOG_H

/** Syslog's numbers. */
enum log_level { LOG_LVL_ERR = 3, LOG_LVL_WARNING = 4, LOG_LVL_NOTICE = 5, LOG_LVL_INFO = 6,
	LOG_LVL_DEBUG = 7 };

/* X(symbol, name) */
#define LOG_COMPONENTS(X) \
	X(MAIN, "main") \
	X(CONFIG, "config") \
	X(CONTROL, "control") \
	X(PORT, "port") \
	X(DEVICE, "device") \
	X(BRIDGE, "bridge") \
	X(WORKER, "worker") \
	X(CAPTURE, "capture") \
	X(DPDK, "dpdk")

enum log_component {
#define X(symbol, name) LOG_##symbol,
	LOG_COMPONENTS(X)
#undef X
	LOG_COMPONENT_MAX
};

/**
 * Finds out where lines go: with a time stamp to standard error, or with a priority to the journal
 * when that is what standard error is. Lines before it are written as if to a terminal.
 */
void log_open(void);

/**
 * Writes a line. A reader that does not keep up costs lines (their number is told later), never
 * time.
 */
void log_line(enum log_component comp, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_err(comp, ...)     log_line(LOG_##comp, LOG_LVL_ERR, __VA_ARGS__)
#define log_warning(comp, ...) log_line(LOG_##comp, LOG_LVL_WARNING, __VA_ARGS__)
#define log_notice(comp, ...)  log_line(LOG_##comp, LOG_LVL_NOTICE, __VA_ARGS__)
#define log_info(comp, ...)    log_line(LOG_##comp, LOG_LVL_INFO, __VA_ARGS__)
#define log_debug(comp, ...)   log_line(LOG_##comp, LOG_LVL_DEBUG, __VA_ARGS__)

/**
 * Sets levels from a text: "LEVEL" for all, or "component=LEVEL,...".
 * @return 0, or -EINVAL with a sentence that lists what is allowed in @p errbuf.
 */
int log_set(const char *text, char *errbuf, unsigned int errlen);
/** As log_set(), but changes nothing. */
int log_check(const char *text, char *errbuf, unsigned int errlen);
const char *log_component_name(enum log_component comp);
enum log_level log_level_get(enum log_component comp);
const char *log_level_name(enum log_level level);

#endif /* VSWITCHD_LOG_H */
