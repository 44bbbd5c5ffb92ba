/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rte_hash gives each address a position; what is known of it is kept in an array by position. A
 * position is given back only after the polling cores have let go of it, with its port reset, so
 * that a core that finds a fresh position before its learner has filled it in sees "no port" and
 * floods.
 *
 * A lookup there reads three cache lines, one after the other. So hints remember where it ended: a position for each
 * value of a hash, good if the slot there says so. That is two lines, which can be asked for before they are needed. A
 * hint that a slot does not confirm (another address had the same hash, or the address has left) costs the long way.
 */
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_prefetch.h>
#include <rte_random.h>

#include "fdb.h"

/* Few enough share a hint, and the hints of as many addresses as are usual fit into a core's cache. */
#define HINTS_PER_ADDRESS 2

/* Addresses taken out before the polling cores are waited for. */
#define DELETE_BATCH 256

/* Also the hash key: no padding. */
struct fdb_key {
	uint8_t mac[6];
	uint16_t vlan;
};
static_assert(sizeof(struct fdb_key) == 8, "the key is hashed as bytes");

struct fdb_slot {
	struct fdb_key key; /* valid once port is set */
	uint32_t seen;
	uint16_t port;
};

struct fdb {
	struct rte_hash *hash;
	void (*quiesce)(void);
	uint32_t size;
	uint32_t used;
	uint32_t version;
	uint32_t nb_slots;
	uint32_t age_next;
	struct fdb_slot *slot; /* [nb_slots], and one that never has a port */
	uint32_t *hint;        /* by hash: positions, nb_slots: none */
	uint32_t hint_mask;
	uint32_t seed;
};

static uint32_t
hash_key(const void *key, uint32_t len __rte_unused, uint32_t init)
{
	uint64_t k;

	memcpy(&k, key, sizeof(k));
	return rte_hash_crc_8byte(k, init);
}

static struct fdb_key
make_key(const uint8_t *mac, uint16_t vlan)
{
	struct fdb_key key;

	memcpy(key.mac, mac, sizeof(key.mac));
	key.vlan = vlan;
	return key;
}

struct fdb *
fdb_create(uint32_t size, void (*quiesce)(void))
{
	static unsigned int serial;
	char name[RTE_HASH_NAMESIZE];
	struct rte_hash_parameters params = {
		.name = name,
		/* Room to spare, or cuckoo placement would fail before the table is full. */
		.entries = RTE_MAX(size + size / 4, 64u),
		.key_len = sizeof(struct fdb_key),
		.hash_func = hash_key,
		/* Unknown to whoever would like to fill one bucket. */
		.hash_func_init_val = (uint32_t)rte_rand(),
		.socket_id = SOCKET_ID_ANY,
		.extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF |
			      RTE_HASH_EXTRA_FLAGS_MULTI_WRITER_ADD,
	};
	struct fdb *fdb = calloc(1, sizeof(*fdb));

	if (fdb == NULL)
		return NULL;
	snprintf(name, sizeof(name), "fdb%u", serial++);
	fdb->hash = rte_hash_create(&params);
	if (fdb->hash == NULL)
		goto fail;
	fdb->size = size;
	fdb->seed = params.hash_func_init_val;
	fdb->quiesce = quiesce;
	fdb->nb_slots = (uint32_t)rte_hash_max_key_id(fdb->hash) + 1;
	fdb->hint_mask = rte_align32pow2(HINTS_PER_ADDRESS * size) - 1;
	fdb->slot = calloc(fdb->nb_slots + 1, sizeof(*fdb->slot));
	fdb->hint = calloc(fdb->hint_mask + 1, sizeof(*fdb->hint));
	if (fdb->slot == NULL || fdb->hint == NULL)
		goto fail;
	for (uint32_t i = 0; i <= fdb->nb_slots; i++)
		fdb->slot[i].port = FDB_NO_PORT;
	for (uint32_t i = 0; i <= fdb->hint_mask; i++)
		fdb->hint[i] = fdb->nb_slots;
	return fdb;

fail:
	fdb_destroy(fdb);
	return NULL;
}

void
fdb_destroy(struct fdb *fdb)
{
	if (fdb == NULL)
		return;
	rte_hash_free(fdb->hash);
	free(fdb->slot);
	free(fdb->hint);
	free(fdb);
}

/* ---- hints ---- */

static uint32_t *
hint_of(const struct fdb *fdb, const struct fdb_key *key)
{
	return &fdb->hint[hash_key(key, sizeof(*key), fdb->seed) & fdb->hint_mask];
}

/* Whether a slot is that of an address. A slot gets its key before its port: the port is read first. */
static bool
slot_is(const struct fdb_slot *slot, const struct fdb_key *key)
{
	uint64_t is, wanted;

	if (__atomic_load_n(&slot->port, __ATOMIC_ACQUIRE) == FDB_NO_PORT)
		return false;
	memcpy(&is, &slot->key, sizeof(is));
	memcpy(&wanted, key, sizeof(wanted));
	return is == wanted;
}

/* @return NULL: it is not there */
static struct fdb_slot *
find(const struct fdb *fdb, const struct fdb_key *key)
{
	uint32_t *hint = hint_of(fdb, key);
	struct fdb_slot *slot = &fdb->slot[__atomic_load_n(hint, __ATOMIC_RELAXED)];
	int32_t pos;

	if (likely(slot_is(slot, key)))
		return slot;
	pos = rte_hash_lookup(fdb->hash, key);
	if (pos < 0)
		return NULL;
	__atomic_store_n(hint, (uint32_t)pos, __ATOMIC_RELAXED);
	return &fdb->slot[pos];
}

void
fdb_prefetch_hint(const struct fdb *fdb, const uint8_t *mac, uint16_t vlan)
{
	struct fdb_key key = make_key(mac, vlan);

	rte_prefetch0(hint_of(fdb, &key));
}

void
fdb_prefetch(const struct fdb *fdb, const uint8_t *mac, uint16_t vlan)
{
	struct fdb_key key = make_key(mac, vlan);

	rte_prefetch0(&fdb->slot[__atomic_load_n(hint_of(fdb, &key), __ATOMIC_RELAXED)]);
}

/* ---- polling cores ---- */

static void
changed(struct fdb *fdb)
{
	__atomic_fetch_add(&fdb->version, 1, __ATOMIC_RELEASE);
}

uint32_t
fdb_version(const struct fdb *fdb)
{
	return __atomic_load_n(&fdb->version, __ATOMIC_ACQUIRE);
}

/* The common case does not write: a time stamp changes once a second. */
static enum fdb_learnt
refresh(struct fdb *fdb, struct fdb_slot *slot, uint16_t port, uint32_t now)
{
	uint16_t old;

	if (__atomic_load_n(&slot->seen, __ATOMIC_RELAXED) != now)
		__atomic_store_n(&slot->seen, now, __ATOMIC_RELAXED);
	old = __atomic_load_n(&slot->port, __ATOMIC_RELAXED);
	if (likely(old == port))
		return FDB_KNOWN;
	/* Its learner is about to fill it in. */
	if (old == FDB_NO_PORT)
		return FDB_KNOWN;
	/* The main thread alone makes a slot portless, after no core uses it any more. */
	__atomic_store_n(&slot->port, port, __ATOMIC_RELEASE);
	changed(fdb);
	return FDB_MOVED;
}

static enum fdb_learnt
add(struct fdb *fdb, const struct fdb_key *key, uint16_t port, uint32_t now)
{
	struct fdb_slot *slot;
	uint16_t old;
	int32_t pos;

	/* A place is reserved first: the hash itself has room for more. */
	if (__atomic_fetch_add(&fdb->used, 1, __ATOMIC_RELAXED) >= fdb->size)
		goto full;
	pos = rte_hash_add_key(fdb->hash, key);
	if (pos < 0)
		goto full;
	slot = &fdb->slot[pos];
	slot->key = *key;
	__atomic_store_n(&slot->seen, now, __ATOMIC_RELAXED);
	old = __atomic_exchange_n(&slot->port, port, __ATOMIC_ACQ_REL);
	changed(fdb);
	if (old == FDB_NO_PORT)
		return FDB_NEW;
	/* Another core was quicker with the same address. */
	__atomic_fetch_sub(&fdb->used, 1, __ATOMIC_RELAXED);
	return old == port ? FDB_KNOWN : FDB_MOVED;

full:
	__atomic_fetch_sub(&fdb->used, 1, __ATOMIC_RELAXED);
	return FDB_FULL;
}

enum fdb_learnt
fdb_learn(struct fdb *fdb, const uint8_t *mac, uint16_t vlan, uint16_t port, uint32_t now)
{
	struct fdb_key key = make_key(mac, vlan);
	struct fdb_slot *slot = find(fdb, &key);

	if (likely(slot != NULL))
		return refresh(fdb, slot, port, now);
	return add(fdb, &key, port, now);
}

uint16_t
fdb_lookup(const struct fdb *fdb, const uint8_t *mac, uint16_t vlan)
{
	struct fdb_key key = make_key(mac, vlan);
	const struct fdb_slot *slot = find(fdb, &key);

	return slot == NULL ? FDB_NO_PORT : __atomic_load_n(&slot->port, __ATOMIC_ACQUIRE);
}

uint32_t
fdb_used(const struct fdb *fdb)
{
	/* A core that finds the table full exceeds it for a moment. */
	return RTE_MIN(__atomic_load_n(&fdb->used, __ATOMIC_RELAXED), fdb->size);
}

/* Gives taken-out positions back, once no core can be looking at them. */
static void
release(struct fdb *fdb, const int32_t *pos, uint32_t n)
{
	if (n == 0)
		return;
	/* Nobody who has found them in the hash is about to leave a hint to them. */
	fdb->quiesce();
	for (uint32_t i = 0; i < n; i++) {
		uint32_t *hint = hint_of(fdb, &fdb->slot[pos[i]].key), is = (uint32_t)pos[i];

		/* Another address may just be putting its own there. */
		__atomic_compare_exchange_n(hint, &is, fdb->nb_slots, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	}
	/* Nobody who has found them by a hint is still there. */
	fdb->quiesce();
	for (uint32_t i = 0; i < n; i++) {
		__atomic_store_n(&fdb->slot[pos[i]].port, FDB_NO_PORT, __ATOMIC_RELEASE);
		rte_hash_free_key_with_position(fdb->hash, pos[i]);
	}
	__atomic_fetch_sub(&fdb->used, n, __ATOMIC_RELAXED);
	changed(fdb);
}

struct match {
	bool by_age;
	uint32_t now, max_age;
	uint16_t port;
};

static bool
matches(const struct fdb_slot *slot, const struct match *m)
{
	uint16_t port = __atomic_load_n(&slot->port, __ATOMIC_ACQUIRE);

	if (port == FDB_NO_PORT)
		return false;
	if (!m->by_age)
		return m->port == FDB_NO_PORT || m->port == port;
	/* Signed: a core may be a second ahead of the main thread. */
	return (int32_t)(m->now - __atomic_load_n(&slot->seen, __ATOMIC_RELAXED)) >
	       (int32_t)m->max_age;
}

static uint32_t
drop_range(struct fdb *fdb, uint32_t from, uint32_t to, const struct match *m)
{
	int32_t batch[DELETE_BATCH];
	uint32_t n = 0, dropped = 0;

	for (uint32_t i = from; i < to; i++) {
		if (!matches(&fdb->slot[i], m))
			continue;
		/* Not found: it is on its way out already, in this very batch or not at all. */
		if (rte_hash_del_key(fdb->hash, &fdb->slot[i].key) != (int32_t)i)
			continue;
		batch[n++] = (int32_t)i;
		dropped++;
		if (n == DELETE_BATCH) {
			release(fdb, batch, n);
			n = 0;
		}
	}
	release(fdb, batch, n);
	return dropped;
}

uint32_t
fdb_age(struct fdb *fdb, uint32_t now, uint32_t max_age)
{
	struct match m = {.by_age = true, .now = now, .max_age = max_age};
	uint32_t from = fdb->age_next;
	uint32_t to = RTE_MIN(fdb->nb_slots, from + fdb->nb_slots / FDB_AGE_CALLS + 1);

	fdb->age_next = to == fdb->nb_slots ? 0 : to;
	return drop_range(fdb, from, to, &m);
}

uint32_t
fdb_flush(struct fdb *fdb, uint16_t port)
{
	struct match m = {.port = port};

	return drop_range(fdb, 0, fdb->nb_slots, &m);
}

void
fdb_foreach(struct fdb *fdb, void (*fn)(const struct fdb_address *a, void *arg), void *arg)
{
	for (uint32_t i = 0; i < fdb->nb_slots; i++) {
		const struct fdb_slot *slot = &fdb->slot[i];
		struct fdb_address a;

		a.port = __atomic_load_n(&slot->port, __ATOMIC_ACQUIRE);
		if (a.port == FDB_NO_PORT)
			continue;
		memcpy(a.mac, slot->key.mac, sizeof(a.mac));
		a.vlan = slot->key.vlan;
		a.seen = __atomic_load_n(&slot->seen, __ATOMIC_RELAXED);
		fn(&a, arg);
	}
}
