/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The table of a bridge that says behind which port an address is: bounded, learnt and read by
 * any number of polling cores at once without locks on the reading side, aged and flushed by the
 * main thread.
 */
#ifndef VSWITCHD_FDB_H
#define VSWITCHD_FDB_H

#include <stdbool.h>
#include <stdint.h>

struct fdb;

/** A port id that no port has. */
#define FDB_NO_PORT UINT16_MAX

#define FDB_MIN_SIZE 16
#define FDB_MAX_SIZE 1048576

/** What became of an address that was to be learnt. */
enum fdb_learnt {
	FDB_KNOWN, /**< was there, on this port */
	FDB_NEW,
	FDB_MOVED, /**< was there, on another port */
	FDB_FULL,  /**< no room: not learnt */
};

/**
 * Main thread.
 *
 * @param size  addresses at most
 * @param quiesce  returns once no polling core can hold anything it read before
 * @return NULL: no memory
 */
struct fdb *fdb_create(uint32_t size, void (*quiesce)(void));
/** No polling core uses it any more. NULL is allowed. */
void fdb_destroy(struct fdb *fdb);

/** Any polling core. @param now  seconds */
enum fdb_learnt fdb_learn(struct fdb *fdb, const uint8_t *mac, uint16_t vlan, uint16_t port,
	uint32_t now);
/** Any polling core. @return the port, or FDB_NO_PORT. */
uint16_t fdb_lookup(const struct fdb *fdb, const uint8_t *mac, uint16_t vlan);

/**
 * Any polling core: brings closer what a lookup of an address reads first, and then, a while after, what it reads in the
 * end.
 */
void fdb_prefetch_hint(const struct fdb *fdb, const uint8_t *mac, uint16_t vlan);
void fdb_prefetch(const struct fdb *fdb, const uint8_t *mac, uint16_t vlan);

/**
 * A number that changes whenever an address gets another port, or none. What fdb_lookup() said holds as long as the number
 * that was read before it does. Any thread.
 */
uint32_t fdb_version(const struct fdb *fdb);

/** Addresses in the table. */
uint32_t fdb_used(const struct fdb *fdb);

/**
 * Main thread: looks at the next slice of the table and drops what has not been seen for @p max_age
 * seconds. A number of calls, bounded by FDB_AGE_CALLS, goes round the table once.
 *
 * @return addresses dropped
 */
uint32_t fdb_age(struct fdb *fdb, uint32_t now, uint32_t max_age);
#define FDB_AGE_CALLS 50

/** Main thread: drops the addresses of @p port, or all with FDB_NO_PORT. @return how many. */
uint32_t fdb_flush(struct fdb *fdb, uint16_t port);

struct fdb_address {
	uint8_t mac[6];
	uint16_t vlan;
	uint16_t port;
	uint32_t seen; /**< seconds, as given to fdb_learn() */
};

/** Main thread. */
void fdb_foreach(struct fdb *fdb, void (*fn)(const struct fdb_address *a, void *arg), void *arg);

#endif /* VSWITCHD_FDB_H */
