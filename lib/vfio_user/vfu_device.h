/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What a device and its transport are to the vfio-user server: plain structures of callbacks.
 */
#ifndef VFU_DEVICE_H
#define VFU_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VFU_MAX_REGIONS	  9 /**< BAR0-5, ROM, config space, VGA */
#define VFU_MAX_IRQS	  5 /**< INTx, MSI, MSI-X, error, request */
#define VFU_REGION_BAR0	  0
#define VFU_REGION_ROM	  6
#define VFU_REGION_CONFIG 7
#define VFU_IRQ_INTX	  0
#define VFU_IRQ_MSI	  1
#define VFU_IRQ_MSIX	  2
#define VFU_IRQ_ERROR	  3
#define VFU_MAX_VECTORS	  2048 /**< of one interrupt index; what an MSI-X table can have */
#define VFU_MAX_FDS	  16   /**< descriptors taken with one message */

/** Part of a region that the client may map. Page-aligned. */
struct vfu_area {
	uint64_t offset; /**< from the start of the region */
	uint64_t size;
};

/** A region of the device. Size 0: absent. */
struct vfu_region {
	uint64_t size; /**< bytes */
	bool readable, writable;
	/** Memory behind the mappable areas, or -1. The device's; must outlive the server. */
	int fd;
	uint64_t fd_offset;	      /**< where the region starts in @c fd */
	const struct vfu_area *areas; /**< NULL with nb_areas 0 and fd >= 0: the whole region */
	uint32_t nb_areas;
};

/** Log levels, syslog's numbers. */
enum vfu_log_level { VFU_LOG_ERR = 3, VFU_LOG_WARNING = 4, VFU_LOG_INFO = 6, VFU_LOG_DEBUG = 7 };

/** What the device does. All callbacks get vfu_device::ctx. */
struct vfu_device {
	void *ctx;
	struct vfu_region region[VFU_MAX_REGIONS];
	/** Vectors per interrupt index, at most VFU_MAX_VECTORS; 0: absent. */
	uint32_t nb_irqs[VFU_MAX_IRQS];
	uint32_t max_dma_maps; /**< 0: 65535 */

	/**
	 * Reads or writes a region; the range lies inside the region and is at most
	 * 1 MiB. Mapped regions get here too: clients fall back to messages at will.
	 * @return 0, or a negative errno that the client gets as the answer.
	 */
	int (*region_read)(void *ctx, uint32_t region, uint64_t offset, void *buf, uint32_t len);
	int (*region_write)(
		void *ctx, uint32_t region, uint64_t offset, const void *buf, uint32_t len);
	/** DEVICE_RESET. All DMA and interrupts must have stopped when it returns. */
	void (*reset)(void *ctx);
	/** The client is there: VERSION has been agreed on. */
	void (*connected)(void *ctx);
	/**
	 * The client has gone; only called after @c connected. Called before mappings and eventfds
	 * are dropped; the device must not use either when it returns.
	 */
	void (*disconnected)(void *ctx);
	/**
	 * Eventfds of @p index have changed, or INTx was masked or unmasked; vfu_server_irq_fd()
	 * tells the new ones. May be NULL.
	 */
	void (*irqs_changed)(void *ctx, uint32_t index);
	/** The DMA table has changed (a mapping was added, or one removed). May be NULL. */
	void (*dma_changed)(void *ctx);
	/** Waits until no datapath thread uses what a lookup or vfu_server_irq_fd() returned. */
	void (*quiesce)(void *ctx);
	/** Where log lines go (no newline at the end). May be NULL. Called from any thread. */
	void (*log)(void *ctx, enum vfu_log_level level, const char *line);
};

/**
 * The way in and out. A socket is vfu_socket.h's; a fuzzer brings its own.
 */
struct vfu_transport {
	void *ctx;
	/**
	 * Receives exactly @p len bytes. Descriptors that come along are appended to @p fds
	 * (room for VFU_MAX_FDS, *nb_fds counts); more than that is an error.
	 * @return 0; -ENODATA end of stream before the first byte; another negative errno: the
	 *         connection is lost (-ETIMEDOUT: the peer did not finish in time).
	 */
	int (*recv)(void *ctx, void *buf, size_t len, int *fds, uint32_t *nb_fds);
	/** Sends all of it, with @p fd (or -1) on the first byte. @return 0 or a negative errno. */
	int (*send)(void *ctx, const void *buf, size_t len, int fd);
};

#endif /* VFU_DEVICE_H */
