/* SPDX-License-Identifier: BSD-3-Clause */
#include "vfu_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "vfu_range.h"
#include "vfu_sigbus.h"

struct vfu_file {
	LIST_ENTRY(vfu_file) link;
	dev_t dev;
	ino_t ino;
	bool writable;
	uint8_t *base;
	uint64_t size; /* of the file when it was mapped */
	uint64_t len;  /* of the mapping: size, rounded up to the file's pages */
	uint32_t refs;
	int slot; /* in the SIGBUS register */
};

/* What fstat, fstatfs and fcntl say about a descriptor. */
struct file_facts {
	dev_t dev;
	ino_t ino;
	uint64_t size;
	uint64_t page;
	bool writable;
};

void
vfu_files_init(struct vfu_files *files)
{
	unsigned int i;

	for (i = 0; i < VFU_FILE_BUCKETS; i++)
		LIST_INIT(&files->bucket[i]);
	files->nb_files = 0;
	files->bytes = 0;
	atomic_init(&files->broken, false);
}

/*
 * Only memory is mapped: a file on a disk, the network or FUSE can make the thread that touches it
 * wait for as long as its owner likes.
 */
static int
inspect(int fd, struct file_facts *facts)
{
	struct statfs fs;
	struct stat st;
	int flags;

	if (fstat(fd, &st) != 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size <= 0)
		return -EINVAL;
	if (fstatfs(fd, &fs) != 0)
		return -errno;
	if ((uint32_t)fs.f_type != TMPFS_MAGIC && (uint32_t)fs.f_type != HUGETLBFS_MAGIC)
		return -EINVAL;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0)
		return -errno;
	if ((flags & O_ACCMODE) == O_WRONLY)
		return -EACCES;

	*facts = (struct file_facts){
		.dev = st.st_dev,
		.ino = st.st_ino,
		.size = st.st_size,
		.page = fs.f_bsize > VFU_DMA_PAGE ? (uint64_t)fs.f_bsize : VFU_DMA_PAGE,
		.writable = (flags & O_ACCMODE) == O_RDWR,
	};
	return 0;
}

static struct vfu_file_list *
bucket_of(struct vfu_files *files, const struct file_facts *facts)
{
	return &files->bucket[(facts->ino ^ facts->dev) % VFU_FILE_BUCKETS];
}

static struct vfu_file *
find(struct vfu_files *files, const struct file_facts *facts, uint64_t end)
{
	struct vfu_file *file;

	LIST_FOREACH(file, bucket_of(files, facts), link)
	{
		if (file->dev == facts->dev && file->ino == facts->ino && end <= file->size &&
			(file->writable || !facts->writable))
			return file;
	}
	return NULL;
}

static int
map_whole(struct vfu_files *files, struct vfu_file *file, int fd)
{
	int prot = file->writable ? PROT_READ | PROT_WRITE : PROT_READ;
	void *base;

	base = mmap(NULL, file->len, prot, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (base == MAP_FAILED)
		return -errno;
	file->base = base;
	/* Nobody knows the address yet, so nobody can fault before the slot is there. */
	file->slot = vfu_sigbus_add(base, file->len, &files->broken);
	if (file->slot < 0) {
		munmap(base, file->len);
		return file->slot;
	}
	/* A core dump of this process is no place for its guests' memory. */
	madvise(base, file->len, MADV_DONTDUMP);
	return 0;
}

static int
add(struct vfu_files *files, int fd, const struct file_facts *facts, struct vfu_file **out)
{
	struct vfu_file *file;
	uint64_t len;
	int rc;

	if (facts->size > VFU_FILES_MAX_BYTES)
		return -ENOSPC;
	len = (facts->size + facts->page - 1) / facts->page * facts->page;
	if (files->nb_files >= VFU_FILES_MAX || len > VFU_FILES_MAX_BYTES - files->bytes)
		return -ENOSPC;
	file = calloc(1, sizeof(*file));
	if (file == NULL)
		return -ENOMEM;
	file->dev = facts->dev;
	file->ino = facts->ino;
	file->size = facts->size;
	file->len = len;
	file->writable = facts->writable;
	rc = map_whole(files, file, fd);
	if (rc != 0) {
		free(file);
		return rc;
	}
	files->nb_files++;
	files->bytes += len;
	LIST_INSERT_HEAD(bucket_of(files, facts), file, link);
	*out = file;
	return 0;
}

int
vfu_files_get(struct vfu_files *files, int fd, uint64_t offset, uint64_t size,
	struct vfu_file_range *range)
{
	struct file_facts facts = {0};
	struct vfu_file *file;
	int rc;

	rc = inspect(fd, &facts);
	if (rc != 0)
		return rc;
	if (offset > facts.size || size > facts.size - offset)
		return -EINVAL;
	file = find(files, &facts, offset + size);
	if (file == NULL) {
		rc = add(files, fd, &facts, &file);
		if (rc != 0)
			return rc;
	}
	file->refs++;
	range->file = file;
	range->host = file->base + offset;
	range->prot = VFU_DMA_READ | (facts.writable ? VFU_DMA_WRITE : 0);
	return 0;
}

void
vfu_files_put(struct vfu_files *files, struct vfu_file *file)
{
	if (--file->refs > 0)
		return;
	LIST_REMOVE(file, link);
	files->nb_files--;
	files->bytes -= file->len;
	/* The slot first: once the range is unmapped, something else may be mapped at its place. */
	vfu_sigbus_remove(file->slot);
	munmap(file->base, file->len);
	free(file);
}
