/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The vfio-user wire format, version 0.0: numbers and structures, no behaviour.
 *
 * Everything is in host byte order and naturally aligned. Names follow the specification (QEMU's
 * docs/interop/vfio-user.rst); "offset" in a comment counts from the end of the message header.
 */
#ifndef VFIO_USER_H
#define VFIO_USER_H

#include <stddef.h>
#include <stdint.h>

#define VFIO_USER_MAJOR 0
#define VFIO_USER_MINOR 0

/** Most bytes that one region access or DMA message carries. */
#define VFIO_USER_MAX_XFER (1u << 20)

enum vfio_user_command {
	VFIO_USER_VERSION = 1,
	VFIO_USER_DMA_MAP = 2,
	VFIO_USER_DMA_UNMAP = 3,
	VFIO_USER_DEVICE_GET_INFO = 4,
	VFIO_USER_DEVICE_GET_REGION_INFO = 5,
	VFIO_USER_DEVICE_GET_REGION_IO_FDS = 6,
	VFIO_USER_DEVICE_GET_IRQ_INFO = 7,
	VFIO_USER_DEVICE_SET_IRQS = 8,
	VFIO_USER_REGION_READ = 9,
	VFIO_USER_REGION_WRITE = 10,
	VFIO_USER_DMA_READ = 11,  /* server to client */
	VFIO_USER_DMA_WRITE = 12, /* server to client */
	VFIO_USER_DEVICE_RESET = 13,
	VFIO_USER_DIRTY_PAGES = 14, /* of older versions of the protocol */
	VFIO_USER_REGION_WRITE_MULTI = 15,
	VFIO_USER_DEVICE_FEATURE = 16,
	VFIO_USER_MIG_DATA_READ = 17,
	VFIO_USER_MIG_DATA_WRITE = 18,
};

#define VFIO_USER_F_TYPE_MASK	 0xfu
#define VFIO_USER_F_TYPE_COMMAND 0x0u
#define VFIO_USER_F_TYPE_REPLY	 0x1u
#define VFIO_USER_F_NO_REPLY	 (1u << 4)
#define VFIO_USER_F_ERROR	 (1u << 5)

struct vfio_user_header {
	uint16_t msg_id;
	uint16_t command;
	uint32_t msg_size; /* header included */
	uint32_t flags;
	uint32_t error_no; /* positive; in a reply with VFIO_USER_F_ERROR */
};

/** Followed by JSON text, its NUL included. */
struct vfio_user_version {
	uint16_t major;
	uint16_t minor;
};

#define VFIO_USER_F_DMA_READ   (1u << 0)
#define VFIO_USER_F_DMA_WRITE  (1u << 1)
#define VFIO_USER_F_DMA_MMAP   (1u << 2) /* access by mmap, nothing else */
#define VFIO_USER_F_DMA_FILEIO (1u << 3) /* access by pread and pwrite, nothing else */

struct vfio_user_dma_map {
	uint32_t argsz;
	uint32_t flags;
	uint64_t offset; /* in the file */
	uint64_t address;
	uint64_t size;
};

#define VFIO_USER_F_UNMAP_ALL (1u << 1)

struct vfio_user_dma_unmap {
	uint32_t argsz;
	uint32_t flags;
	uint64_t address;
	uint64_t size;
};

#define VFIO_USER_F_DEVICE_RESET (1u << 0)
#define VFIO_USER_F_DEVICE_PCI	 (1u << 1)

struct vfio_user_device_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t num_regions;
	uint32_t num_irqs;
};

#define VFIO_USER_F_REGION_READ	 (1u << 0)
#define VFIO_USER_F_REGION_WRITE (1u << 1)
#define VFIO_USER_F_REGION_MMAP	 (1u << 2)
#define VFIO_USER_F_REGION_CAPS	 (1u << 3)

/** Followed by capabilities when VFIO_USER_F_REGION_CAPS is set. */
struct vfio_user_region_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t cap_offset; /* from the start of this structure */
	uint64_t size;
	uint64_t offset; /* of the region in the descriptor that comes along */
};

#define VFIO_USER_CAP_SPARSE_MMAP 1

struct vfio_user_sparse_area {
	uint64_t offset;
	uint64_t size;
};

struct vfio_user_cap_sparse {
	uint16_t id;
	uint16_t version;
	uint32_t next;
	uint32_t nr_areas;
	uint32_t reserved;
	struct vfio_user_sparse_area areas[];
};

#define VFIO_USER_F_IRQ_EVENTFD	   (1u << 0)
#define VFIO_USER_F_IRQ_MASKABLE   (1u << 1)
#define VFIO_USER_F_IRQ_AUTOMASKED (1u << 2)
#define VFIO_USER_F_IRQ_NORESIZE   (1u << 3)

struct vfio_user_irq_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t count;
};

#define VFIO_USER_IRQ_DATA_NONE	     (1u << 0)
#define VFIO_USER_IRQ_DATA_BOOL	     (1u << 1)
#define VFIO_USER_IRQ_DATA_EVENTFD   (1u << 2)
#define VFIO_USER_IRQ_DATA_MASK	     0x07u
#define VFIO_USER_IRQ_ACTION_MASK    (1u << 3)
#define VFIO_USER_IRQ_ACTION_UNMASK  (1u << 4)
#define VFIO_USER_IRQ_ACTION_TRIGGER (1u << 5)
#define VFIO_USER_IRQ_ACTION_BITS    0x38u

/** Followed by one byte per vector with VFIO_USER_IRQ_DATA_BOOL. */
struct vfio_user_irq_set {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t start;
	uint32_t count;
};

/** Followed by the data, in a write and in the reply to a read. */
struct vfio_user_region_access {
	uint64_t offset;
	uint32_t region;
	uint32_t count;
};

/** Followed by the data, in a write and in the reply to a read. */
struct vfio_user_dma_access {
	uint64_t address;
	uint64_t count;
};

#define VFIO_USER_ASSERT(type, member, at)                                                         \
	_Static_assert(offsetof(struct type, member) == (at), #type "." #member)

_Static_assert(sizeof(struct vfio_user_header) == 16, "header");
VFIO_USER_ASSERT(vfio_user_header, msg_id, 0);
VFIO_USER_ASSERT(vfio_user_header, command, 2);
VFIO_USER_ASSERT(vfio_user_header, msg_size, 4);
VFIO_USER_ASSERT(vfio_user_header, flags, 8);
VFIO_USER_ASSERT(vfio_user_header, error_no, 12);

_Static_assert(sizeof(struct vfio_user_version) == 4, "version");
VFIO_USER_ASSERT(vfio_user_version, major, 0);
VFIO_USER_ASSERT(vfio_user_version, minor, 2);

_Static_assert(sizeof(struct vfio_user_dma_map) == 32, "dma_map");
VFIO_USER_ASSERT(vfio_user_dma_map, argsz, 0);
VFIO_USER_ASSERT(vfio_user_dma_map, flags, 4);
VFIO_USER_ASSERT(vfio_user_dma_map, offset, 8);
VFIO_USER_ASSERT(vfio_user_dma_map, address, 16);
VFIO_USER_ASSERT(vfio_user_dma_map, size, 24);

_Static_assert(sizeof(struct vfio_user_dma_unmap) == 24, "dma_unmap");
VFIO_USER_ASSERT(vfio_user_dma_unmap, argsz, 0);
VFIO_USER_ASSERT(vfio_user_dma_unmap, flags, 4);
VFIO_USER_ASSERT(vfio_user_dma_unmap, address, 8);
VFIO_USER_ASSERT(vfio_user_dma_unmap, size, 16);

_Static_assert(sizeof(struct vfio_user_device_info) == 16, "device_info");
VFIO_USER_ASSERT(vfio_user_device_info, argsz, 0);
VFIO_USER_ASSERT(vfio_user_device_info, flags, 4);
VFIO_USER_ASSERT(vfio_user_device_info, num_regions, 8);
VFIO_USER_ASSERT(vfio_user_device_info, num_irqs, 12);

_Static_assert(sizeof(struct vfio_user_region_info) == 32, "region_info");
VFIO_USER_ASSERT(vfio_user_region_info, argsz, 0);
VFIO_USER_ASSERT(vfio_user_region_info, flags, 4);
VFIO_USER_ASSERT(vfio_user_region_info, index, 8);
VFIO_USER_ASSERT(vfio_user_region_info, cap_offset, 12);
VFIO_USER_ASSERT(vfio_user_region_info, size, 16);
VFIO_USER_ASSERT(vfio_user_region_info, offset, 24);

_Static_assert(sizeof(struct vfio_user_sparse_area) == 16, "sparse_area");
VFIO_USER_ASSERT(vfio_user_sparse_area, offset, 0);
VFIO_USER_ASSERT(vfio_user_sparse_area, size, 8);

_Static_assert(sizeof(struct vfio_user_cap_sparse) == 16, "cap_sparse");
VFIO_USER_ASSERT(vfio_user_cap_sparse, id, 0);
VFIO_USER_ASSERT(vfio_user_cap_sparse, version, 2);
VFIO_USER_ASSERT(vfio_user_cap_sparse, next, 4);
VFIO_USER_ASSERT(vfio_user_cap_sparse, nr_areas, 8);
VFIO_USER_ASSERT(vfio_user_cap_sparse, reserved, 12);
VFIO_USER_ASSERT(vfio_user_cap_sparse, areas, 16);

_Static_assert(sizeof(struct vfio_user_irq_info) == 16, "irq_info");
VFIO_USER_ASSERT(vfio_user_irq_info, argsz, 0);
VFIO_USER_ASSERT(vfio_user_irq_info, flags, 4);
VFIO_USER_ASSERT(vfio_user_irq_info, index, 8);
VFIO_USER_ASSERT(vfio_user_irq_info, count, 12);

_Static_assert(sizeof(struct vfio_user_irq_set) == 20, "irq_set");
VFIO_USER_ASSERT(vfio_user_irq_set, argsz, 0);
VFIO_USER_ASSERT(vfio_user_irq_set, flags, 4);
VFIO_USER_ASSERT(vfio_user_irq_set, index, 8);
VFIO_USER_ASSERT(vfio_user_irq_set, start, 12);
VFIO_USER_ASSERT(vfio_user_irq_set, count, 16);

_Static_assert(sizeof(struct vfio_user_region_access) == 16, "region_access");
VFIO_USER_ASSERT(vfio_user_region_access, offset, 0);
VFIO_USER_ASSERT(vfio_user_region_access, region, 8);
VFIO_USER_ASSERT(vfio_user_region_access, count, 12);

_Static_assert(sizeof(struct vfio_user_dma_access) == 16, "dma_access");
VFIO_USER_ASSERT(vfio_user_dma_access, address, 0);
VFIO_USER_ASSERT(vfio_user_dma_access, count, 8);

#undef VFIO_USER_ASSERT

#endif /* VFIO_USER_H */
