/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Small helpers for messages to people. */
#ifndef VSWITCHD_TEXT_H
#define VSWITCHD_TEXT_H

#include <stddef.h>

/**
 * Writes " (did you mean 'NAME'?)" when one of @p names is much like @p word, nothing otherwise.
 */
void text_guess(const char *word, const char *const *names, size_t n, char *buf, size_t len);

#endif /* VSWITCHD_TEXT_H */
