/* SPDX-License-Identifier: BSD-3-Clause */
/** @file What a function that failed has to say: what, where, what to do. */
#ifndef VSWITCHD_ERROR_H
#define VSWITCHD_ERROR_H

struct error {
	char text[256];
};

/** Sets the sentence and returns @p code. */
int error_set(struct error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* VSWITCHD_ERROR_H */
