/* SPDX-License-Identifier: BSD-3-Clause */
#include "vfu_dma.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "vfu_file.h"
#include "vfu_radix.h"
#include "vfu_sigbus.h"

#define PAGE_SHIFT 12
#define ADDR_END   (1ull << VFU_DMA_ADDR_BITS)

_Static_assert(VFU_DMA_PAGE == 1u << PAGE_SHIFT, "page size");
_Static_assert(VFU_DMA_ADDR_BITS == VFU_RADIX_PAGE_BITS + PAGE_SHIFT, "address bits");

/* Never changes between its insertion into the tree and the quiesce after its removal. */
struct mapping {
	LIST_ENTRY(mapping) link;
	struct vfu_dma_range range;
	struct vfu_file *file; /* NULL: no access */
};

LIST_HEAD(mapping_list, mapping);

struct vfu_dma {
	struct vfu_radix tree;
	struct vfu_files files;
	struct mapping_list mappings;
	uint32_t nb_maps, max_maps;
	atomic_uint_fast64_t generation;
	vfu_dma_quiesce_t quiesce;
	void *ctx;
};

struct vfu_dma *
vfu_dma_create(uint32_t max_maps, vfu_dma_quiesce_t quiesce, void *ctx)
{
	struct vfu_dma *dma = calloc(1, sizeof(*dma));

	if (dma == NULL)
		return NULL;
	if (vfu_radix_init(&dma->tree) != 0) {
		free(dma);
		errno = ENOMEM;
		return NULL;
	}
	vfu_files_init(&dma->files);
	LIST_INIT(&dma->mappings);
	dma->max_maps = max_maps;
	atomic_init(&dma->generation, 0);
	dma->quiesce = quiesce;
	dma->ctx = ctx;
	return dma;
}

void
vfu_dma_destroy(struct vfu_dma *dma)
{
	if (dma == NULL)
		return;
	vfu_dma_clear(dma);
	vfu_radix_fini(&dma->tree);
	free(dma);
}

/*
 * The generation moves before and after every change of the tree. A reader loads it, looks up, and
 * keeps the result for as long as the number stays the same. Whatever he looked up before the
 * change was complete he keeps under a number older than the second step, so his next check drops
 * it: a reader who loads the second number has, by its release and his acquire, the whole change
 * before his eyes. What he does with a stale result between two checks is what the quiesce after
 * the second step waits for; a check after that quiesce sees the second number, because the quiesce
 * orders it. The first step only makes readers let go early.
 */
static void
step_generation(struct vfu_dma *dma)
{
	atomic_fetch_add_explicit(&dma->generation, 1, memory_order_release);
}

static void
wait_for_readers(struct vfu_dma *dma)
{
	if (dma->quiesce != NULL)
		dma->quiesce(dma->ctx);
}

static void
mapping_free(struct vfu_dma *dma, struct mapping *m)
{
	if (m->file != NULL)
		vfu_files_put(&dma->files, m->file);
	free(m);
}

static uint64_t
first_page(const struct mapping *m)
{
	return m->range.iova >> PAGE_SHIFT;
}

static uint64_t
last_page(const struct mapping *m)
{
	return first_page(m) + (m->range.len >> PAGE_SHIFT) - 1;
}

/* Takes mappings out of the tree, waits for their readers, lets go of what is behind them. */
static void
remove_all(struct vfu_dma *dma, struct mapping_list *gone)
{
	struct mapping *m;

	step_generation(dma);
	LIST_FOREACH(m, gone, link)
		vfu_radix_remove(&dma->tree, first_page(m), last_page(m), m);
	step_generation(dma);
	wait_for_readers(dma);
	vfu_radix_reap(&dma->tree);
	while ((m = LIST_FIRST(gone)) != NULL) {
		LIST_REMOVE(m, link);
		mapping_free(dma, m);
	}
}

static void
mapping_remove(struct vfu_dma *dma, struct mapping *m)
{
	struct mapping_list gone = LIST_HEAD_INITIALIZER(gone);

	LIST_INSERT_HEAD(&gone, m, link);
	remove_all(dma, &gone);
}

static int
check_range(uint64_t iova, uint64_t size, uint64_t fd_offset)
{
	if (((iova | size | fd_offset) & (VFU_DMA_PAGE - 1)) != 0 || size == 0)
		return -EINVAL;
	if (iova >= ADDR_END || size > ADDR_END - iova)
		return -EINVAL;
	return 0;
}

/* Fills a mapping with the file behind it. */
static int
attach_file(struct vfu_dma *dma, struct mapping *m, int fd, uint64_t fd_offset)
{
	struct vfu_file_range range;
	int rc;

	if (fd < 0)
		return 0;
	rc = vfu_files_get(&dma->files, fd, fd_offset, m->range.len, &range);
	if (rc != 0)
		return rc;
	m->file = range.file;
	m->range.host = range.host;
	m->range.prot &= range.prot;
	/* Writing was all that was asked for, and the descriptor does not allow it. */
	return m->range.prot != 0 ? 0 : -EACCES;
}

int
vfu_dma_map(struct vfu_dma *dma, uint64_t iova, uint64_t size, uint32_t prot, int fd,
	uint64_t fd_offset)
{
	uint64_t first = iova >> PAGE_SHIFT, last;
	struct mapping *m;
	int rc;

	rc = check_range(iova, size, fd_offset);
	if (rc != 0)
		return rc;
	if (prot == 0 || (prot & ~(VFU_DMA_READ | VFU_DMA_WRITE)) != 0)
		return -EINVAL;
	last = first + (size >> PAGE_SHIFT) - 1;
	if (!vfu_radix_is_free(&dma->tree, first, last))
		return -EEXIST;
	if (dma->nb_maps >= dma->max_maps)
		return -ENOSPC;
	m = calloc(1, sizeof(*m));
	if (m == NULL)
		return -ENOMEM;
	m->range = (struct vfu_dma_range){.iova = iova, .len = size, .prot = prot};
	rc = attach_file(dma, m, fd, fd_offset);
	if (rc != 0) {
		mapping_free(dma, m);
		return rc;
	}

	step_generation(dma);
	rc = vfu_radix_insert(&dma->tree, first, last, m);
	step_generation(dma);
	if (rc != 0) {
		mapping_remove(dma, m);
		return rc;
	}
	LIST_INSERT_HEAD(&dma->mappings, m, link);
	dma->nb_maps++;
	return 0;
}

static void
unlink_mapping(struct vfu_dma *dma, struct mapping *m)
{
	LIST_REMOVE(m, link);
	dma->nb_maps--;
}

/* Whether a mapping has bytes from @p first to @p last (both included), and others as well. */
static bool
is_cut(const struct mapping *m, uint64_t first, uint64_t last)
{
	uint64_t m_last = m->range.iova + m->range.len - 1;

	return m->range.iova <= last && m_last >= first && (m->range.iova < first || m_last > last);
}

/* Moves the mappings from @p first to @p last to a list of their own. */
static void
collect(struct vfu_dma *dma, uint64_t first, uint64_t last, struct mapping_list *gone)
{
	struct mapping *m, *next;

	for (m = LIST_FIRST(&dma->mappings); m != NULL; m = next) {
		next = LIST_NEXT(m, link);
		if (m->range.iova < first || m->range.iova > last)
			continue;
		unlink_mapping(dma, m);
		LIST_INSERT_HEAD(gone, m, link);
	}
}

/*
 * When a guest hands a device to another driver, QEMU empties the address space by naming all of
 * it, in ranges of growing size. As the kernel's vfio does, this takes out what lies in a range;
 * that there is nothing is no mistake.
 */
static int
unmap_within(struct vfu_dma *dma, uint64_t first, uint64_t last)
{
	struct mapping_list gone = LIST_HEAD_INITIALIZER(gone);
	const struct mapping *m;

	LIST_FOREACH(m, &dma->mappings, link) {
		if (is_cut(m, first, last))
			return -EINVAL;
	}
	collect(dma, first, last, &gone);
	if (!LIST_EMPTY(&gone))
		remove_all(dma, &gone);
	return 0;
}

int
vfu_dma_unmap(struct vfu_dma *dma, uint64_t iova, uint64_t size)
{
	struct mapping *m = NULL;

	if (((iova | size) & (VFU_DMA_PAGE - 1)) != 0 || size == 0 || size - 1 > UINT64_MAX - iova)
		return -EINVAL;
	if (iova < ADDR_END)
		m = vfu_radix_find(&dma->tree, iova >> PAGE_SHIFT);
	/* What was mapped as it is named comes by the ten thousand, and needs no look at the others. */
	if (m == NULL || m->range.iova != iova || m->range.len != size)
		return unmap_within(dma, iova, iova + (size - 1));
	unlink_mapping(dma, m);
	mapping_remove(dma, m);
	return 0;
}

void
vfu_dma_clear(struct vfu_dma *dma)
{
	struct mapping *m;

	if (dma->nb_maps > 0) {
		step_generation(dma);
		vfu_radix_clear(&dma->tree);
		step_generation(dma);
		wait_for_readers(dma);
		vfu_radix_reap(&dma->tree);
	}
	while ((m = LIST_FIRST(&dma->mappings)) != NULL) {
		LIST_REMOVE(m, link);
		mapping_free(dma, m);
	}
	dma->nb_maps = 0;
	/* No file is left that could be short; the next client brings its own. */
	atomic_store_explicit(&dma->files.broken, false, memory_order_release);
}

uint32_t
vfu_dma_count(const struct vfu_dma *dma)
{
	return dma->nb_maps;
}

bool
vfu_dma_lookup(const struct vfu_dma *dma, uint64_t iova, struct vfu_dma_range *range)
{
	const struct mapping *m;

	if (iova >= ADDR_END)
		return false;
	m = vfu_radix_find(&dma->tree, iova >> PAGE_SHIFT);
	if (m == NULL || m->range.host == NULL)
		return false;
	*range = m->range;
	return true;
}

uint64_t
vfu_dma_generation(const struct vfu_dma *dma)
{
	return atomic_load_explicit(&dma->generation, memory_order_acquire);
}

bool
vfu_dma_broken(const struct vfu_dma *dma)
{
	return atomic_load_explicit(&dma->files.broken, memory_order_acquire);
}

bool
vfu_dma_sigbus(void *addr)
{
	return vfu_sigbus_repair(addr);
}

int
vfu_dma_install_sigbus_handler(void)
{
	return vfu_sigbus_install();
}
