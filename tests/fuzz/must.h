/* SPDX-License-Identifier: BSD-3-Clause */
/** @file What has to hold in a fuzz target, whatever the input is. */
#ifndef FUZZ_MUST_H
#define FUZZ_MUST_H

#include <stdio.h>
#include <stdlib.h>

#define MUST(cond)                                                                    \
	do {                                                                          \
		if (!(cond)) {                                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);    \
			abort();                                                      \
		}                                                                     \
	} while (0)

#endif /* FUZZ_MUST_H */
