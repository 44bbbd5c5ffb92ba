/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_memory.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal_memconfig.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_memory.h>
#include <rte_string_fns.h>

#include "vx_dev.h"
#include "vx_maps.h"
#include "vx_memfile.h"

#define PAGE	    4096u
#define EXPLANATION 192 /* bytes of a sentence */

/* Memory that DPDK did not allocate and that was asked for: mapped again at each server. Page-aligned. */
struct extra {
	uintptr_t addr, end;
};

struct vx_memory {
	char name[RTE_ETH_NAME_MAX_LEN];
	pthread_mutex_t lock;
	struct vx_maps maps; /* its client is NULL while there is no server */
	struct extra *extra;
	size_t nb_extra;
	bool follows; /* memory events are on */
};

/* Pages that lie side by side in memory and in one file; one map. */
struct run {
	struct vx_memory *mem;
	uintptr_t addr;
	size_t len; /* 0: empty */
	int fd;
	uint64_t offset;
	int rc; /* the first error */
	char why[EXPLANATION];
};

/* ---- memory of DPDK's own; with DPDK's memory lock held ---- */

static void
explain(const struct vx_memory *mem, uintptr_t addr, size_t len, int rc, char *buf, size_t buflen)
{
	if (rc == -ENOSPC)
		snprintf(buf, buflen,
			"the server takes no more memory maps after %zu of them; fewer, larger ones come from "
			"--single-file-segments or larger hugepages",
			mem->maps.nb);
	else
		snprintf(buf, buflen, "the server did not map %zu bytes of memory at %p: %s", len, (void *)addr,
			strerror(-rc));
}

/* That a connection is gone is told by who watches it. */
static int
log_refused(const struct vx_memory *mem, uintptr_t addr, size_t len, int rc)
{
	char why[EXPLANATION];

	if (vfu_client_alive(mem->maps.client)) {
		explain(mem, addr, len, rc, why, sizeof(why));
		VX_LOG(ERR, mem, "%s", why);
	}
	return rc;
}

static void
run_flush(struct run *run)
{
	struct vx_memory *mem = run->mem;

	if (run->len > 0 && run->rc == 0) {
		run->rc = vx_maps_cover(&mem->maps, run->addr, run->len, run->fd, run->offset);
		if (run->rc != 0)
			explain(mem, run->addr, run->len, run->rc, run->why, sizeof(run->why));
	}
	run->len = 0;
}

static void
run_add(struct run *run, uintptr_t addr, size_t len, int fd, uint64_t offset)
{
	if (run->len > 0 && (fd != run->fd || addr != run->addr + run->len ||
				    offset != run->offset + run->len))
		run_flush(run);
	if (run->len == 0) {
		run->addr = addr;
		run->fd = fd;
		run->offset = offset;
	}
	run->len += len;
}

/*
 * EAL knows the file of each page, unless it had to fall back to memory without any: --no-huge and --in-memory on a
 * kernel that has no memfd.
 */
static int
add_segment(struct run *run, const struct rte_memseg *ms)
{
	size_t offset = 0;
	int fd = rte_memseg_get_fd_thread_unsafe(ms);

	if (fd < 0 || rte_memseg_get_fd_offset_thread_unsafe(ms, &offset) != 0) {
		if (run->rc == 0)
			snprintf(run->why, sizeof(run->why),
				"DPDK's memory at %p is in no file that a server could map: %s", ms->addr,
				rte_strerror(rte_errno));
		run->rc = -ENOTSUP;
		return run->rc;
	}
	run_add(run, (uintptr_t)ms->addr, ms->len, fd, offset);
	return run->rc;
}

static void
add_range(struct run *run, const struct rte_memseg_list *msl, uintptr_t addr, size_t len)
{
	uintptr_t end = addr + len;

	for (; addr < end && run->rc == 0; addr += msl->page_sz) {
		const struct rte_memseg *ms = rte_mem_virt2memseg((void *)addr, msl);

		if (ms != NULL)
			add_segment(run, ms);
	}
	run_flush(run);
}

/* ---- memory of others ---- */

static uintptr_t
page_floor(uintptr_t addr)
{
	return RTE_ALIGN_FLOOR(addr, PAGE);
}

static uintptr_t
page_ceil(uintptr_t addr)
{
	return RTE_ALIGN_CEIL(addr, PAGE);
}

static int
append(struct vx_memory *mem, uintptr_t addr, uintptr_t end)
{
	struct extra *extra = realloc(mem->extra, (mem->nb_extra + 1) * sizeof(*extra));

	if (extra == NULL)
		return -ENOMEM;
	mem->extra = extra;
	extra[mem->nb_extra++] = (struct extra){ addr, end };
	return 0;
}

static int
remember(struct vx_memory *mem, uintptr_t addr, uintptr_t end)
{
	size_t i;

	for (i = 0; i < mem->nb_extra; i++) {
		if (addr >= mem->extra[i].addr && end <= mem->extra[i].end)
			return 0;
	}
	return append(mem, addr, end);
}

/* Forgets a range. Whether any of it was known. */
static bool
forget(struct vx_memory *mem, uintptr_t addr, uintptr_t end)
{
	size_t i = 0;
	bool any = false;

	while (i < mem->nb_extra) {
		struct extra e = mem->extra[i];

		if (e.addr >= end || e.end <= addr) {
			i++;
			continue;
		}
		any = true;
		/* What is left of it goes to the end, where it is passed over. */
		mem->extra[i] = mem->extra[--mem->nb_extra];
		if (e.addr < addr)
			append(mem, e.addr, addr);
		if (e.end > end)
			append(mem, end, e.end);
	}
	return any;
}

/* Maps pages of which DPDK knows no file; without server, looks whether that could be done. */
static int
map_others(struct vx_memory *mem, uintptr_t addr, uintptr_t end, uint32_t level, const char *what)
{
	struct vx_memfile file;
	int rc;

	while (addr < end) {
		uintptr_t upto;

		rc = vx_memfile_find(addr, &file);
		if (rc != 0) {
			rte_log(level, vx_logtype, "%s: %s: the device cannot reach memory at %p: %s\n",
				mem->name, what, (void *)addr, vx_memfile_reason(rc));
			return rc;
		}
		upto = RTE_MIN(end, file.end);
		if (mem->maps.client != NULL)
			rc = vx_maps_cover(&mem->maps, addr, upto - addr, file.fd,
				file.offset + (addr - file.start));
		close(file.fd);
		if (rc != 0)
			return log_refused(mem, addr, upto - addr, rc);
		addr = upto;
	}
	return 0;
}

static bool
is_dpdks(uintptr_t addr)
{
	const struct rte_memseg_list *msl = rte_mem_virt2memseg_list((void *)addr);

	return msl != NULL && !msl->external;
}

/* ---- following DPDK ---- */

static void
on_event(enum rte_mem_event event, const void *start, size_t len, void *arg)
{
	const struct rte_memseg_list *msl = rte_mem_virt2memseg_list(start);
	uintptr_t addr = (uintptr_t)start;
	struct vx_memory *mem = arg;
	struct run run = {.mem = mem};

	pthread_mutex_lock(&mem->lock);
	if (event == RTE_MEM_EVENT_FREE)
		forget(mem, addr, addr + len);
	if (mem->maps.client != NULL) {
		if (event == RTE_MEM_EVENT_FREE)
			vx_maps_release(&mem->maps, addr, len);
		else if (msl != NULL && msl->external)
			map_others(mem, addr, addr + len, RTE_LOG_WARNING, "memory added to a heap");
		else if (msl != NULL)
			add_range(&run, msl, addr, len);
		if (run.rc != 0 && vfu_client_alive(mem->maps.client))
			VX_LOG(ERR, mem, "%s", run.why);
	}
	pthread_mutex_unlock(&mem->lock);
}

static int
walk_segment(const struct rte_memseg_list *msl, const struct rte_memseg *ms, void *arg)
{
	return msl->external ? 0 : add_segment(arg, ms);
}

/* Memory that is only registered may be for others than this port: no error until somebody wants it here. */
static int
walk_external(const struct rte_memseg_list *msl, void *arg)
{
	struct vx_memory *mem = arg;
	uintptr_t addr = (uintptr_t)msl->base_va;

	if (msl->external)
		map_others(mem, addr, addr + msl->len, RTE_LOG_INFO, "memory registered with DPDK");
	return 0;
}

static int
map_all(struct vx_memory *mem, char *errbuf, size_t errlen)
{
	struct run run = {.mem = mem};
	size_t i;

	rte_memseg_walk_thread_unsafe(walk_segment, &run);
	run_flush(&run);
	if (run.rc != 0) {
		snprintf(errbuf, errlen, "%s", run.why);
		return run.rc;
	}
	rte_memseg_list_walk_thread_unsafe(walk_external, mem);
	for (i = 0; i < mem->nb_extra; i++)
		map_others(mem, mem->extra[i].addr, mem->extra[i].end, RTE_LOG_ERR,
			"memory of a pool or DMA map");
	if (vfu_client_alive(mem->maps.client))
		return 0;
	snprintf(errbuf, errlen, "the server hung up while memory was mapped");
	return -ENOTCONN;
}

int
vx_memory_attach(struct vx_memory *mem, struct vfu_client *client, char *errbuf, size_t errlen)
{
	int rc;

	/* So that no event is between what the walk finds and what the events tell. */
	rte_mcfg_mem_read_lock();
	pthread_mutex_lock(&mem->lock);
	mem->maps.client = client;
	rc = map_all(mem, errbuf, errlen);
	if (rc != 0)
		vx_maps_forget(&mem->maps);
	pthread_mutex_unlock(&mem->lock);
	rte_mcfg_mem_read_unlock();
	return rc;
}

void
vx_memory_detach(struct vx_memory *mem)
{
	pthread_mutex_lock(&mem->lock);
	vx_maps_forget(&mem->maps);
	pthread_mutex_unlock(&mem->lock);
}

/* ---- pools and DMA maps ---- */

/* What a pool's buffers are in; buffers side by side are looked at together. */
struct reach {
	struct vx_memory *mem;
	char what[RTE_MEMPOOL_NAMESIZE + 8];
	uintptr_t addr, end;
	int rc;
};

static void
reach_flush(struct reach *r)
{
	struct vx_memory *mem = r->mem;

	if (r->end == r->addr || r->rc != 0)
		return;
	if (!is_dpdks(r->addr)) {
		r->rc = map_others(mem, r->addr, r->end, RTE_LOG_ERR, r->what);
		if (r->rc == 0)
			r->rc = remember(mem, r->addr, r->end);
	} else if (mem->maps.client != NULL &&
		!vx_maps_covers(&mem->maps, r->addr, r->end - r->addr)) {
		VX_LOG(ERR, mem, "%s: the device cannot reach memory at %p: the server did not map it", r->what,
			(void *)r->addr);
		r->rc = -EFAULT;
	}
}

static void
reach_add(struct reach *r, const void *start, size_t len)
{
	uintptr_t addr = page_floor((uintptr_t)start), end = page_ceil((uintptr_t)start + len);

	if (r->end > r->addr && addr >= r->addr && addr <= r->end &&
		is_dpdks(addr) == is_dpdks(r->addr)) {
		r->end = RTE_MAX(r->end, end);
		return;
	}
	reach_flush(r);
	r->addr = addr;
	r->end = end;
}

static void
reach_chunk(struct rte_mempool *pool, void *arg, struct rte_mempool_memhdr *chunk, unsigned int i)
{
	RTE_SET_USED(pool);
	RTE_SET_USED(i);
	reach_add(arg, chunk->addr, chunk->len);
}

/* The buffers of such a pool are not where the pool is. */
static void
reach_pinned(struct rte_mempool *pool, void *arg, void *obj, unsigned int i)
{
	const struct rte_mbuf *m = obj;

	RTE_SET_USED(pool);
	RTE_SET_USED(i);
	reach_add(arg, m->buf_addr, m->buf_len);
}

bool
vx_memory_reach(struct vx_memory *mem, struct rte_mempool *pool)
{
	struct reach r = {.mem = mem};

	snprintf(r.what, sizeof(r.what), "pool %s", pool->name);
	pthread_mutex_lock(&mem->lock);
	if (rte_pktmbuf_priv_flags(pool) & RTE_PKTMBUF_POOL_F_PINNED_EXT_BUF)
		rte_mempool_obj_iter(pool, reach_pinned, &r);
	else
		rte_mempool_mem_iter(pool, reach_chunk, &r);
	reach_flush(&r);
	pthread_mutex_unlock(&mem->lock);
	return r.rc == 0;
}

int
vx_memory_add(struct vx_memory *mem, const void *addr, size_t len)
{
	struct reach r = {.mem = mem, .what = "DMA map"};

	pthread_mutex_lock(&mem->lock);
	reach_add(&r, addr, len);
	reach_flush(&r);
	pthread_mutex_unlock(&mem->lock);
	return r.rc;
}

int
vx_memory_remove(struct vx_memory *mem, const void *start, size_t len)
{
	uintptr_t addr = page_floor((uintptr_t)start), end = page_ceil((uintptr_t)start + len);
	bool known;

	/* It follows DPDK's events. */
	if (is_dpdks(addr))
		return 0;
	pthread_mutex_lock(&mem->lock);
	known = forget(mem, addr, end);
	if (known && mem->maps.client != NULL)
		vx_maps_release(&mem->maps, addr, end - addr);
	pthread_mutex_unlock(&mem->lock);
	return known ? 0 : -ENOENT;
}

/* ---- life ---- */

struct vx_memory *
vx_memory_create(const char *name)
{
	struct vx_memory *mem = calloc(1, sizeof(*mem));

	if (mem == NULL)
		return NULL;
	strlcpy(mem->name, name, sizeof(mem->name));
	pthread_mutex_init(&mem->lock, NULL);
	/* Where memory never changes (--legacy-mem, --no-huge) there are no events. */
	mem->follows = rte_mem_event_callback_register("vmxnet3x", on_event, mem) == 0;
	if (!mem->follows && rte_errno != ENOTSUP) {
		vx_memory_destroy(mem);
		return NULL;
	}
	return mem;
}

void
vx_memory_destroy(struct vx_memory *mem)
{
	if (mem == NULL)
		return;
	if (mem->follows)
		rte_mem_event_callback_unregister("vmxnet3x", mem);
	vx_maps_forget(&mem->maps);
	pthread_mutex_destroy(&mem->lock);
	free(mem->extra);
	free(mem);
}
