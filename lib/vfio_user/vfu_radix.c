/* SPDX-License-Identifier: BSD-3-Clause */
#include "vfu_radix.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#define LEVEL_BITS  9
#define LEVEL_SLOTS (1u << LEVEL_BITS)
#define TOP_LEVEL   3u

/* Bit 0 of a slot tells a value from a node; both are at least 8-byte aligned. */
#define SLOT_VALUE ((uintptr_t)1)

_Static_assert((TOP_LEVEL + 1) * LEVEL_BITS == VFU_RADIX_PAGE_BITS, "levels");

struct vfu_radix_node {
	_Atomic(uintptr_t) slot[LEVEL_SLOTS];
	uint32_t used;			/* slots that are not 0; the writer's */
	struct vfu_radix_node *retired; /* next in vfu_radix::retired */
};

/* The part of a range that lies in one slot. */
struct piece {
	uint64_t first, last;
	bool whole; /* all pages of the slot */
};

static unsigned int
slot_of(uint64_t page, unsigned int level)
{
	return (page >> (level * LEVEL_BITS)) & (LEVEL_SLOTS - 1);
}

/* Both ends of the range lie in the node whose slot is asked for. */
static struct piece
piece_of(uint64_t first, uint64_t last, unsigned int level, unsigned int slot)
{
	uint64_t span = 1ull << (level * LEVEL_BITS);
	uint64_t base = (first & ~(span * LEVEL_SLOTS - 1)) + slot * span;
	struct piece p = {
		.first = first > base ? first : base,
		.last = last < base + span - 1 ? last : base + span - 1,
	};

	p.whole = p.last - p.first == span - 1;
	return p;
}

static bool
is_node(uintptr_t entry)
{
	return entry != 0 && (entry & SLOT_VALUE) == 0;
}

static struct vfu_radix_node *
node_alloc(struct vfu_radix *tree)
{
	struct vfu_radix_node *node = calloc(1, sizeof(*node));

	if (node != NULL)
		tree->nb_nodes++;
	return node;
}

static void
node_retire(struct vfu_radix *tree, struct vfu_radix_node *node)
{
	node->retired = tree->retired;
	tree->retired = node;
}

int
vfu_radix_init(struct vfu_radix *tree)
{
	*tree = (struct vfu_radix){0};
	tree->root = node_alloc(tree);
	return tree->root != NULL ? 0 : -ENOMEM;
}

void
vfu_radix_fini(struct vfu_radix *tree)
{
	if (tree->root == NULL)
		return;
	vfu_radix_clear(tree);
	vfu_radix_reap(tree);
	free(tree->root);
	tree->root = NULL;
}

static bool
node_is_free(struct vfu_radix_node *node, unsigned int level, uint64_t first, uint64_t last)
{
	unsigned int i, end = slot_of(last, level);

	for (i = slot_of(first, level); i <= end; i++) {
		uintptr_t entry = atomic_load_explicit(&node->slot[i], memory_order_relaxed);
		struct piece p = piece_of(first, last, level, i);

		if (entry == 0)
			continue;
		/* Empty nodes are taken out at once, so a node under a whole slot holds something.
		 */
		if (!is_node(entry) || p.whole)
			return false;
		if (!node_is_free((void *)entry, level - 1, p.first, p.last))
			return false;
	}
	return true;
}

bool
vfu_radix_is_free(const struct vfu_radix *tree, uint64_t first, uint64_t last)
{
	return node_is_free(tree->root, TOP_LEVEL, first, last);
}

/* The node below a slot, made if need be. */
static int
node_descend(struct vfu_radix *tree, struct vfu_radix_node *node, unsigned int slot,
	struct vfu_radix_node **child)
{
	uintptr_t entry = atomic_load_explicit(&node->slot[slot], memory_order_relaxed);

	if (entry != 0) {
		*child = (void *)entry;
		return 0;
	}
	if (tree->nb_nodes >= VFU_RADIX_MAX_NODES)
		return -ENOSPC;
	*child = node_alloc(tree);
	if (*child == NULL)
		return -ENOMEM;
	atomic_store_explicit(&node->slot[slot], (uintptr_t)*child, memory_order_release);
	node->used++;
	return 0;
}

static int
node_insert(struct vfu_radix *tree, struct vfu_radix_node *node, unsigned int level, uint64_t first,
	uint64_t last, uintptr_t entry)
{
	unsigned int i, end = slot_of(last, level);

	for (i = slot_of(first, level); i <= end; i++) {
		struct piece p = piece_of(first, last, level, i);
		struct vfu_radix_node *child;
		int rc;

		if (p.whole) {
			atomic_store_explicit(&node->slot[i], entry, memory_order_release);
			node->used++;
			continue;
		}
		rc = node_descend(tree, node, i, &child);
		if (rc == 0)
			rc = node_insert(tree, child, level - 1, p.first, p.last, entry);
		if (rc != 0)
			return rc;
	}
	return 0;
}

int
vfu_radix_insert(struct vfu_radix *tree, uint64_t first, uint64_t last, void *value)
{
	return node_insert(tree, tree->root, TOP_LEVEL, first, last, (uintptr_t)value | SLOT_VALUE);
}

static void
slot_clear(struct vfu_radix_node *node, unsigned int slot)
{
	atomic_store_explicit(&node->slot[slot], 0, memory_order_release);
	node->used--;
}

static void
node_remove(struct vfu_radix *tree, struct vfu_radix_node *node, unsigned int level, uint64_t first,
	uint64_t last, uintptr_t gone)
{
	unsigned int i, end = slot_of(last, level);

	for (i = slot_of(first, level); i <= end; i++) {
		uintptr_t entry = atomic_load_explicit(&node->slot[i], memory_order_relaxed);
		struct piece p = piece_of(first, last, level, i);
		struct vfu_radix_node *child = (void *)entry;

		if (entry == gone) {
			slot_clear(node, i);
		} else if (is_node(entry)) {
			node_remove(tree, child, level - 1, p.first, p.last, gone);
			if (child->used == 0) {
				slot_clear(node, i);
				node_retire(tree, child);
			}
		}
	}
}

void
vfu_radix_remove(struct vfu_radix *tree, uint64_t first, uint64_t last, const void *value)
{
	node_remove(tree, tree->root, TOP_LEVEL, first, last, (uintptr_t)value | SLOT_VALUE);
}

/* Cuts off everything below a node; what hangs below is left as it is for lookups inside it. */
static void
node_retire_below(struct vfu_radix *tree, struct vfu_radix_node *node)
{
	unsigned int i;

	for (i = 0; i < LEVEL_SLOTS; i++) {
		uintptr_t entry = atomic_load_explicit(&node->slot[i], memory_order_relaxed);

		if (is_node(entry)) {
			node_retire_below(tree, (void *)entry);
			node_retire(tree, (void *)entry);
		}
	}
}

void
vfu_radix_clear(struct vfu_radix *tree)
{
	unsigned int i;

	node_retire_below(tree, tree->root);
	for (i = 0; i < LEVEL_SLOTS; i++)
		atomic_store_explicit(&tree->root->slot[i], 0, memory_order_release);
	tree->root->used = 0;
}

void
vfu_radix_reap(struct vfu_radix *tree)
{
	struct vfu_radix_node *node;

	while ((node = tree->retired) != NULL) {
		tree->retired = node->retired;
		tree->nb_nodes--;
		free(node);
	}
}

void *
vfu_radix_find(const struct vfu_radix *tree, uint64_t page)
{
	struct vfu_radix_node *node = tree->root;
	unsigned int level = TOP_LEVEL + 1;

	while (level-- > 0) {
		uintptr_t entry = atomic_load_explicit(
			&node->slot[slot_of(page, level)], memory_order_acquire);

		if (!is_node(entry))
			return (void *)(entry & ~SLOT_VALUE);
		node = (void *)entry;
	}
	return NULL;
}
