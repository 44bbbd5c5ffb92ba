/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_memfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* A line of /proc/self/maps. */
struct line {
	uintptr_t start, end;
	uint64_t offset, ino;
	dev_t dev;
	bool shared;
	char path[4096];
};

static bool
parse(const char *text, struct line *line)
{
	unsigned int major, minor;
	char perms[5];
	int at = 0;

	if (sscanf(text, "%" SCNxPTR "-%" SCNxPTR " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
		    &line->start, &line->end, perms, &line->offset, &major, &minor, &line->ino,
		    &at) != 7)
		return false;
	line->dev = makedev(major, minor);
	line->shared = perms[3] == 's';
	snprintf(line->path, sizeof(line->path), "%.*s", (int)strcspn(text + at, "\n"), text + at);
	return true;
}

static bool
find_line(uintptr_t addr, struct line *line)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	bool found = false;
	size_t size = 0;
	char *text = NULL;

	if (maps == NULL)
		return false;
	while (!found && getline(&text, &size, maps) > 0)
		found = parse(text, line) && addr >= line->start && addr < line->end;
	free(text);
	fclose(maps);
	return found;
}

static bool
is_file(int fd, const struct line *line)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_dev == line->dev &&
		st.st_ino == line->ino;
}

/* A descriptor of our own for the same file, if @p fd is one that allows what the device needs. */
static int
adopt(int fd, const struct line *line)
{
	int flags = fcntl(fd, F_GETFL), own;

	if (flags < 0 || (flags & O_ACCMODE) != O_RDWR || !is_file(fd, line))
		return -1;
	own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	/* Another thread may have closed it in between, and opened something else. */
	if (own >= 0 && !is_file(own, line)) {
		close(own);
		own = -1;
	}
	return own;
}

static int
by_descriptor(const struct line *line)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int fd = -1;

	if (dir == NULL)
		return -1;
	while (fd < 0 && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] != '.')
			fd = adopt(atoi(entry->d_name), line);
	}
	closedir(dir);
	return fd;
}

static int
by_path(const char *path, const struct line *line)
{
	struct stat st;
	int fd;

	/* Opening what is no plain file may have effects. */
	if (path[0] != '/' || stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return -1;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0 && !is_file(fd, line)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int
by_range(const struct line *line)
{
	char path[80];

	snprintf(path, sizeof(path), "/proc/self/map_files/%" PRIxPTR "-%" PRIxPTR, line->start,
		line->end);
	return by_path(path, line);
}

int
vx_memfile_find(uintptr_t addr, struct vx_memfile *out)
{
	struct line line;
	int fd;

	if (!find_line(addr, &line))
		return -EFAULT;
	if (!line.shared || line.ino == 0)
		return -EACCES;
	fd = by_path(line.path, &line);
	if (fd < 0)
		fd = by_range(&line);
	if (fd < 0)
		fd = by_descriptor(&line);
	if (fd < 0)
		return -ENOENT;
	*out = (struct vx_memfile){
		.start = line.start,
		.end = line.end,
		.offset = line.offset,
		.dev = line.dev,
		.ino = line.ino,
		.fd = fd,
	};
	return 0;
}

const char *
vx_memfile_reason(int rc)
{
	switch (rc) {
	case -EFAULT:
		return "nothing is mapped there";
	case -EACCES:
		return "it is private to this process; take it from a file on hugetlbfs or of memfd_create(), "
		       "mapped with MAP_SHARED, and register that by rte_extmem_register()";
	case -ENOENT:
		return "the file behind it is neither open nor can it be opened; keep its descriptor open";
	default:
		return strerror(-rc);
	}
}
