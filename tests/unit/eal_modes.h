/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EAL's ways to get memory, for tests that run themselves once in each: EAL starts once in a process.
 */
#ifndef EAL_MODES_H
#define EAL_MODES_H

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal.h>

struct eal_mode {
	const char *name;
	const char *args[6];
	bool grows;	 /* memory comes and goes */
	bool one_file;	 /* pages side by side are in one file side by side */
	bool hugetlbfs;	 /* in files of a mount of its own */
};

static const struct eal_mode eal_modes[] = {
	{ "no-huge", { "--no-huge", "-m", "64" }, .one_file = true },
	{ "in-memory", { "--in-memory" }, .grows = true },
	{ "in-memory-single", { "--in-memory", "--single-file-segments" }, .grows = true, .one_file = true },
	{ "huge", { "--huge-dir", "/mnt" }, .grows = true, .hugetlbfs = true },
	{ "huge-unlinked", { "--huge-dir", "/mnt", "--huge-unlink=always" }, .grows = true,
		.hugetlbfs = true },
	{ "single-file", { "--huge-dir", "/mnt", "--single-file-segments" }, .grows = true, .one_file = true,
		.hugetlbfs = true },
	{ "legacy", { "--huge-dir", "/mnt", "--legacy-mem", "-m", "64", "--iova-mode=va" }, .hugetlbfs = true },
};

/* All modes with hugepages together take less. */
#define EAL_MODES_HUGEPAGES 64

/* In a name space of this process's own; small, because --legacy-mem tries all pages first. */
static inline bool
eal_mode_mount(void)
{
	return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		mount("hugetlbfs", "/mnt", "hugetlbfs", 0, "size=128M") == 0;
}

static inline void
eal_mode_start(const struct eal_mode *mode)
{
	char prefix[64], lcores[32], *args[16] = { (char *)(uintptr_t)mode->name };
	int nb = 1;
	size_t i;

	for (i = 0; i < RTE_DIM(mode->args) && mode->args[i] != NULL; i++)
		args[nb++] = (char *)(uintptr_t)mode->args[i];
	/* Distinct, or EALs that run at the same time would share. */
	snprintf(prefix, sizeof(prefix), "--file-prefix=vx-unit-%d", (int)getpid());
	snprintf(lcores, sizeof(lcores), "--lcores=0@%d", sched_getcpu());
	args[nb++] = prefix;
	args[nb++] = lcores;
	args[nb++] = (char *)(uintptr_t) "--no-pci";
	args[nb++] = (char *)(uintptr_t) "--no-telemetry";
	args[nb++] = (char *)(uintptr_t) "--log-level=lib.eal:error";
	if ((mode->hugetlbfs && !eal_mode_mount()) || rte_eal_init(nb, args) < 0) {
		fprintf(stderr, "%s: EAL does not start\n", mode->name);
		exit(1);
	}
}

static inline long
eal_mode_free_hugepages(void)
{
	FILE *f = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "re");
	long n = 0;

	if (f == NULL)
		return 0;
	if (fscanf(f, "%ld", &n) != 1)
		n = 0;
	fclose(f);
	return n;
}

static inline int
eal_mode_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

/* What EAL leaves behind when its program fails. */
static inline void
eal_mode_clean(pid_t pid)
{
	char dir[64];

	snprintf(dir, sizeof(dir), "/run/dpdk/vx-unit-%d", (int)pid);
	nftw(dir, eal_mode_remove, 4, FTW_DEPTH | FTW_PHYS);
}

/* This program again, with the mode's name as argument. */
static inline int
eal_mode_run(const char *self, const struct eal_mode *mode)
{
	pid_t pid;
	int status = 1;

	if (mode->args[0][2] != 'n' && eal_mode_free_hugepages() < EAL_MODES_HUGEPAGES) {
		fprintf(stderr, "%s: skipped, fewer than %d hugepages are free\n", mode->name,
			EAL_MODES_HUGEPAGES);
		return 0;
	}
	fprintf(stderr, "---- %s\n", mode->name);
	pid = fork();
	if (pid == 0) {
		execl("/proc/self/exe", self, mode->name, NULL);
		_exit(127);
	}
	if (pid > 0 && waitpid(pid, &status, 0) == pid)
		eal_mode_clean(pid);
	if (status != 0) {
		fprintf(stderr, "---- %s failed\n", mode->name);
		return 1;
	}
	return 0;
}

/*
 * Without argument @p test runs in a process for each mode that @p wanted (NULL: any) wants, with one in this.
 *
 * @return the status to exit with
 */
static inline int
eal_modes_main(int argc, char **argv, bool (*wanted)(const struct eal_mode *mode),
	int (*test)(const struct eal_mode *mode))
{
	int failed = 0, rc;
	size_t i;

	for (i = 0; i < RTE_DIM(eal_modes); i++) {
		if (wanted != NULL && !wanted(&eal_modes[i]))
			continue;
		if (argc < 2) {
			failed += eal_mode_run(argv[0], &eal_modes[i]);
		} else if (strcmp(argv[1], eal_modes[i].name) == 0) {
			eal_mode_start(&eal_modes[i]);
			rc = test(&eal_modes[i]);
			rte_eal_cleanup();
			return rc != 0;
		}
	}
	return argc < 2 ? failed != 0 : 1;
}

#endif /* EAL_MODES_H */
