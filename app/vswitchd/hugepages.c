/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hugepages.h"
#include "log.h"

#define SYSFS "/sys/kernel/mm/hugepages"

static uint64_t
read_number(const char *size, const char *file)
{
	unsigned long long value = 0;
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), SYSFS "/%s/%s", size, file);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	if (fscanf(f, "%llu", &value) != 1)
		value = 0;
	fclose(f);
	return value;
}

/* KiB of hugepages of all sizes that nobody has, nor was promised. @p smallest: KiB of the smallest page. */
static uint64_t
free_kib(uint64_t *smallest)
{
	unsigned long long page;
	uint64_t total = 0, unused, promised;
	struct dirent *entry;
	DIR *dir = opendir(SYSFS);

	*smallest = 0;
	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL) {
		if (sscanf(entry->d_name, "hugepages-%llukB", &page) != 1)
			continue;
		unused = read_number(entry->d_name, "free_hugepages");
		promised = read_number(entry->d_name, "resv_hugepages");
		if (unused > promised)
			total += (unused - promised) * page;
		if (*smallest == 0 || page < *smallest)
			*smallest = page;
	}
	closedir(dir);
	return total;
}

/*
 * A container may see the machine's hugepages and get none of them: touching one ends in SIGBUS. So
 * a child process tries.
 */
static bool
may_touch(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		const size_t len = 2 << 20;
		volatile char *page = mmap(NULL, len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

		/* Other sizes only, such as 1 GiB pages: let EAL try. */
		if (page == MAP_FAILED)
			_exit(errno == ENOMEM ? 0 : 1);
		*page = 1;
		_exit(0);
	}
	if (pid < 0)
		return false;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int
hugepages_decide(const struct daemon_conf *conf, bool *use, struct error *err)
{
	uint64_t wanted = (uint64_t)conf->memory_mb << 10, smallest, there;

	*use = false;
	if (conf->hugepages == HUGEPAGES_NO)
		return 0;
	there = free_kib(&smallest);
	*use = there >= wanted && may_touch();
	if (*use)
		return 0;
	if (smallest == 0)
		smallest = 2048;
	if (conf->hugepages == HUGEPAGES_YES)
		return error_set(err, -ENOMEM,
			"hugepages: yes, but %llu MiB of %u MiB are free for this process; reserve some with 'sysctl vm.nr_hugepages=%llu', or set dpdk: hugepages: auto",
			(unsigned long long)(there >> 10), conf->memory_mb,
			(unsigned long long)((wanted + smallest - 1) / smallest));
	log_notice(MAIN,
		"not enough free hugepages (%llu of %u MiB): using plain pages, which costs some throughput on uplinks; for hugepages: sysctl vm.nr_hugepages=%llu",
		(unsigned long long)(there >> 10), conf->memory_mb,
		(unsigned long long)((wanted + smallest - 1) / smallest));
	return 0;
}
