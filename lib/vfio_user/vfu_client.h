/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The client half of vfio-user: what QEMU does for a guest, for a process that drives a device
 * itself.
 *
 * A client is one connection to one device. Each call sends one message and waits for its reply,
 * for VFU_CLIENT_TIMEOUT_MS at most. A server that answers too late, hangs up, or sends what the
 * protocol does not allow loses the connection for good: that call returns -ETIMEDOUT, -ENOTCONN or
 * -EPROTO, all later ones -ENOTCONN, and vfu_client_alive() tells. A server that refuses one
 * request (an error reply) loses nothing; it gives an errno of 1 to 4095, and never -ENOTCONN:
 * others count as -EIO.
 *
 * Nothing that the server says is trusted: sizes, counts and offsets are checked before they are
 * used, descriptors that it sends unasked are closed, and its own requests (DMA_READ, DMA_WRITE)
 * are answered with ENOTSUP: memory is shared by descriptor.
 *
 * Threading: any function but vfu_client_close() may be called from any number of threads; calls
 * queue on one lock, except vfu_client_region_post(), which waits for no call. No function
 * allocates with anything but malloc(), calls back, or takes a lock that is not the client's own,
 * so that a client may be used where the caller holds locks (DPDK's memory events).
 */
#ifndef VFU_CLIENT_H
#define VFU_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vfu_device.h"

/** Milliseconds that a server may take to answer one message; QEMU's default, too. */
#define VFU_CLIENT_TIMEOUT_MS 5000

/** Most bytes of a posted write. */
#define VFU_CLIENT_POST_MAX 64

struct vfu_client;

/** A region as the server describes it. */
struct vfu_client_region {
	uint64_t size; /**< bytes; 0: absent */
	bool readable, writable;
	/**
	 * Memory (tmpfs, hugetlbfs) behind @c area, owned by the receiver; -1: nothing may be
	 * mapped. It is long enough now, but its owner may be able to shorten it.
	 */
	int fd;
	uint64_t fd_offset; /**< where the region begins in @c fd; page-aligned */
	/**
	 * What may be mapped, page-aligned and inside the region: all of it, or the first area
	 * listed. Size 0: nothing.
	 */
	struct vfu_area area;
};

/**
 * Connects, agrees on the version, asks for the device's numbers of regions and interrupts.
 *
 * @param path  of the server's socket
 * @param errbuf,errlen  gets a sentence that names the path, what happened and the cure, on error
 * @return 0 and *client, or a negative errno: -ENOENT no such socket, -ECONNREFUSED nobody listens,
 *         -EBUSY somebody else is connected (the server hung up at once), -EPROTO it speaks
 *         something else, -ETIMEDOUT it does not answer
 */
int vfu_client_connect(const char *path, struct vfu_client **client, char *errbuf, size_t errlen);

/** Hangs up and frees; no other thread may be inside. NULL is allowed. */
void vfu_client_close(struct vfu_client *client);

/** Whether the connection is usable. Does not look at the socket: see vfu_client_check(). */
bool vfu_client_alive(const struct vfu_client *client);

/**
 * The socket, for poll(): readable or hung up means that vfu_client_check() has something to do.
 * Stays the same until vfu_client_close(), also when the connection is lost (it is hung up then).
 */
int vfu_client_fd(const struct vfu_client *client);

/**
 * Handles what has arrived unasked: hang-up, requests of the server. Does not block for more than
 * a message that has begun, and leaves the work to a call that is under way in another thread.
 * @return 0, or -ENOTCONN when the connection is gone
 */
int vfu_client_check(struct vfu_client *client);

/**
 * @param index  VFU_REGION_*
 * @return 0 and *region (its fd, if any, is now the caller's), or a negative errno
 */
int vfu_client_region_info(
	struct vfu_client *client, uint32_t index, struct vfu_client_region *region);

/**
 * Reads a region, in as many messages as the server's limit asks for.
 * @param len  1 byte to 1 MiB
 * @return 0, or a negative errno (*buf is then undefined)
 */
int vfu_client_region_read(
	struct vfu_client *client, uint32_t region, uint64_t offset, void *buf, uint32_t len);

/** Writes to a region and waits until it is done; else as vfu_client_region_read(). */
int vfu_client_region_write(
	struct vfu_client *client, uint32_t region, uint64_t offset, const void *buf, uint32_t len);

/**
 * Writes without waiting for the server to have done it (a doorbell). Never waits for the server:
 * when the socket is full, the write is lost and -EAGAIN returned; ring again later. Writes of one
 * thread arrive in their order, and before what it sends next.
 *
 * @param len  1 to VFU_CLIENT_POST_MAX bytes
 * @return 0, -EAGAIN, or -ENOTCONN. What the server makes of the write is not told.
 */
int vfu_client_region_post(
	struct vfu_client *client, uint32_t region, uint64_t offset, const void *buf, uint32_t len);

/**
 * Lets the device reach @p size bytes at @p address, which lie in @p fd from @p fd_offset on. The
 * descriptor stays the caller's. Always readable and writable.
 */
int vfu_client_dma_map(
	struct vfu_client *client, uint64_t address, uint64_t size, int fd, uint64_t fd_offset);

/** Ends exactly one mapping; when it returns 0 the device does not touch the memory any more. */
int vfu_client_dma_unmap(struct vfu_client *client, uint64_t address, uint64_t size);

/**
 * Vectors of interrupt index VFU_IRQ_*.
 * @return a count of 0 (absent) to VFU_MAX_VECTORS, or a negative errno
 */
int vfu_client_irq_count(struct vfu_client *client, uint32_t index);

/**
 * Connects eventfds to vectors @p start and on; -1 detaches one. Descriptors stay the caller's.
 * Sent in as many messages as the server's limit of descriptors per message asks for; after an
 * error, the first of them may have been done.
 */
int vfu_client_irq_set(
	struct vfu_client *client, uint32_t index, uint32_t start, uint32_t count, const int *fds);

/** Detaches all vectors of an index. */
int vfu_client_irq_disable(struct vfu_client *client, uint32_t index);

/** DEVICE_RESET. -ENOTSUP: the device has none. */
int vfu_client_reset(struct vfu_client *client);

#endif /* VFU_CLIENT_H */
