/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_maps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <rte_common.h>

static uintptr_t
end_of(const struct vx_map *m)
{
	return m->addr + m->len;
}

/* The first map that ends behind an address. */
static size_t
first_behind(const struct vx_maps *maps, uintptr_t addr)
{
	size_t lo = 0, hi = maps->nb;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (end_of(&maps->map[mid]) > addr)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

/* The map at an index, if it begins before @p end. */
static struct vx_map *
map_before(const struct vx_maps *maps, size_t i, uintptr_t end)
{
	return i < maps->nb && maps->map[i].addr < end ? &maps->map[i] : NULL;
}

static int
make_room(struct vx_maps *maps)
{
	size_t room = maps->room > 0 ? maps->room * 2 : 64;
	struct vx_map *map;

	if (maps->nb < maps->room)
		return 0;
	map = realloc(maps->map, room * sizeof(*map));
	if (map == NULL)
		return -ENOMEM;
	maps->map = map;
	maps->room = room;
	return 0;
}

static int
add(struct vx_maps *maps, size_t i, const struct vx_map *m, int fd)
{
	int rc = make_room(maps);

	if (rc == 0)
		rc = vfu_client_dma_map(maps->client, m->addr, m->len, fd, m->offset);
	if (rc != 0)
		return rc;
	memmove(&maps->map[i + 1], &maps->map[i], (maps->nb - i) * sizeof(*m));
	maps->map[i] = *m;
	maps->nb++;
	return 0;
}

/* What a server answers to it changes nothing for us; one that is gone has no maps. */
static void
remove_map(struct vx_maps *maps, size_t i)
{
	const struct vx_map *m = &maps->map[i];

	vfu_client_dma_unmap(maps->client, m->addr, m->len);
	maps->nb--;
	memmove(&maps->map[i], &maps->map[i + 1], (maps->nb - i) * sizeof(*m));
}

static void
remove_others(struct vx_maps *maps, const struct vx_map *want)
{
	size_t i = first_behind(maps, want->addr);
	struct vx_map *m;

	while ((m = map_before(maps, i, end_of(want))) != NULL) {
		if (m->dev == want->dev && m->ino == want->ino &&
			m->offset - m->addr == want->offset - want->addr)
			i++;
		else
			remove_map(maps, i);
	}
}

int
vx_maps_cover(struct vx_maps *maps, uintptr_t addr, size_t len, int fd, uint64_t offset)
{
	struct vx_map want = {.addr = addr, .len = len, .offset = offset};
	uintptr_t end = addr + len;
	struct stat st;
	size_t i;

	if (fstat(fd, &st) != 0)
		return -errno;
	want.dev = st.st_dev;
	want.ino = st.st_ino;
	remove_others(maps, &want);
	for (i = first_behind(maps, addr); addr < end; i++) {
		struct vx_map *m = map_before(maps, i, end);

		if (m == NULL || m->addr > addr) {
			want.addr = addr;
			want.len = want.live = (m != NULL ? m->addr : end) - addr;
			want.offset = offset + (addr - (end - len));
			int rc = add(maps, i, &want, fd);

			if (rc != 0)
				return rc;
			addr += want.len;
		} else {
			uintptr_t upto = RTE_MIN(end, end_of(m));

			m->live = RTE_MIN(m->len, m->live + (upto - addr));
			addr = upto;
		}
	}
	return 0;
}

void
vx_maps_release(struct vx_maps *maps, uintptr_t addr, size_t len)
{
	size_t i = first_behind(maps, addr);
	uintptr_t end = addr + len;
	struct vx_map *m;

	while ((m = map_before(maps, i, end)) != NULL) {
		size_t part = RTE_MIN(end, end_of(m)) - RTE_MAX(addr, m->addr);

		if (part < m->live) {
			m->live -= part;
			i++;
		} else {
			remove_map(maps, i);
		}
	}
}

bool
vx_maps_covers(const struct vx_maps *maps, uintptr_t addr, size_t len)
{
	uintptr_t end = addr + len;
	size_t i;

	for (i = first_behind(maps, addr); addr < end; i++) {
		const struct vx_map *m = map_before(maps, i, end);

		if (m == NULL || m->addr > addr)
			return false;
		addr = end_of(m);
	}
	return true;
}

void
vx_maps_forget(struct vx_maps *maps)
{
	free(maps->map);
	*maps = (struct vx_maps){0};
}
