/* SPDX-License-Identifier: BSD-3-Clause */
/* How many descriptors this process has open: what a test that leaks one finds out by. */
#ifndef OPEN_DESCRIPTORS_H
#define OPEN_DESCRIPTORS_H

#include <dirent.h>

static inline int
open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

#endif /* OPEN_DESCRIPTORS_H */
