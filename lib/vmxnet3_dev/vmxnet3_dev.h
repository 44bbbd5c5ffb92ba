/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The device core: one vmxnet3 network card.
 *
 * The core has two faces. The *control* face (registers, reset, link, statistics) is what a bus transport
 * and a management plane call; the *datapath* face takes frames from the guest's transmit queues and
 * puts frames into its receive queues. Sockets, threads and clocks come from outside: guest memory is a
 * struct vfu_dma, interrupts and everything else go through struct vmxnet3_dev_ops. So a unit test or a fuzzer
 * drives the same code as a virtual machine does; vmxnet3_vfu.h puts it behind a vfio-user socket.
 *
 * Threading. Control functions lock the device and may be called from any thread except a datapath one.
 * Datapath functions never block and take no lock across a copy: each transmit queue may be polled by one
 * thread at a time, receive (delivery) may be called by any number of threads at once. A control
 * function that takes something away from the datapath publishes that first, then calls
 * vmxnet3_dev_ops::quiesce, which returns once every datapath thread has been outside of this device's
 * datapath functions (between vmxnet3_dev_tx_begin() and vmxnet3_dev_tx_end() counts as inside).
 */
#ifndef VMXNET3_DEV_H
#define VMXNET3_DEV_H

#include <stdbool.h>
#include <stdint.h>

#include <offload_frame.h>
#include <vfu_dma.h>
#include <vmxnet3_mem.h>
#include <vmxnet3_regs.h>

#include "vmxnet3_drop.h"

/** Frames taken from a transmit queue at once. */
#define VMXNET3_BURST_FRAMES 64

/** Descriptors that one frame may have: drivers use up to 32. */
#define VMXNET3_TX_MAX_DESCS 64

enum vmxnet3_doorbell {
	VMXNET3_DOORBELL_MEMORY,  /**< BAR0 is shared memory, read by the polling cores */
	VMXNET3_DOORBELL_MESSAGE, /**< BAR0 is trapped; each doorbell calls vmxnet3_dev_ops::wake */
};

struct vmxnet3_dev_conf {
	const char *name;        /**< for log lines; copied */
	uint8_t mac[6];          /**< permanent address; unicast, not zero */
	uint16_t max_tx_queues;  /**< 1 to VMXNET3_MAX_TX_QUEUES; constant over the device's life */
	uint16_t max_rx_queues;  /**< 1 to VMXNET3_MAX_RX_QUEUES */
	uint32_t revisions;      /**< mask of offered revisions, within VMXNET3_REV_MASK_SUPPORTED */
	uint16_t mtu;            /**< largest L3 MTU that a guest may use, 60 to 9190 */
	uint32_t link_speed;     /**< Mbit/s, 1 to 1000000 */
	enum vmxnet3_doorbell doorbell;
	uint32_t intr_rate;      /**< interrupts per second and vector at most; 0: no cap */
	bool low_latency;        /**< no moderation but this cap, whatever the driver asks for */
	/**
	 * Frames with an OFFLOAD_CSUM request for their outermost layer 4 are handed over as they are and marked verified,
	 * to a driver that has RXCSUM on. Whoever resends such a frame, or reads its bytes, meets a wrong checksum.
	 */
	bool skip_local_csum;
	/**
	 * OFFLOAD_TSO frames inside of VXLAN and Geneve are handed over whole to a driver that has LRO and RXINNEROFLD on. There are
	 * versions of Linux that lose every one of them, and nothing in the device tells which: see docs/architecture.md.
	 */
	bool whole_tunnel_tso;
};

enum vmxnet3_log_level { VMXNET3_LOG_ERR = 3, VMXNET3_LOG_WARNING = 4, VMXNET3_LOG_INFO = 6,
	VMXNET3_LOG_DEBUG = 7 };

/** What the core needs from its surroundings. Callbacks may be NULL unless said otherwise. */
struct vmxnet3_dev_ops {
	void *ctx;
	/**
	 * See the file comment. NULL: there is no datapath thread but the caller. Called with the device
	 * locked: it takes no lock under which others call control functions.
	 */
	void (*quiesce)(void *ctx);
	/** A doorbell rang (VMXNET3_DOORBELL_MESSAGE) or there is other reason to poll the device soon. */
	void (*wake)(void *ctx);
	/**
	 * The guest driver became active or inactive, or changed its queues or features. On the thread that
	 * called the control function, at its end, without the device's lock.
	 */
	void (*changed)(void *ctx);
	/** Nanoseconds of a monotonic clock. Any thread. Not NULL. */
	uint64_t (*now)(void *ctx);
	/** @p line has no newline and names the device. Any thread. */
	void (*log)(void *ctx, enum vmxnet3_log_level level, const char *line);
};

/** How interrupts reach the guest; set by the transport. Callbacks run on datapath threads too. */
struct vmxnet3_intr_ops {
	void *ctx;
	/** @param index VFU_IRQ_INTX, _MSI or _MSIX; signals @p vector of it. */
	void (*raise)(void *ctx, uint32_t index, uint32_t vector);
};

struct vmxnet3_dev;

/**
 * Creates a device: reset, link up, no guest.
 *
 * @param conf  copied
 * @param ops   copied
 * @param errbuf,errlen  gets a sentence on error
 * @return the device, or NULL with errno set (EINVAL: a value of conf out of range).
 */
struct vmxnet3_dev *vmxnet3_dev_create(const struct vmxnet3_dev_conf *conf,
	const struct vmxnet3_dev_ops *ops, char *errbuf, size_t errlen);

/** Frees the device. The transport must be gone and no datapath thread inside. NULL is allowed. */
void vmxnet3_dev_destroy(struct vmxnet3_dev *dev);

/* ---- control: for transports ---- */

/** Connects guest memory and interrupts; @p dma and @p intr->ctx must outlive vmxnet3_dev_detach(). */
void vmxnet3_dev_attach(struct vmxnet3_dev *dev, struct vfu_dma *dma,
	const struct vmxnet3_intr_ops *intr);

/** The guest's machine is gone: as a power-off. Guest memory is not touched after it returns. */
void vmxnet3_dev_detach(struct vmxnet3_dev *dev);

/** PCI reset. */
void vmxnet3_dev_pci_reset(struct vmxnet3_dev *dev);

/**
 * Reads or writes a BAR (0, 1, 2). Any offset and length is allowed: what is no register reads as 0
 * and ignores writes.
 */
void vmxnet3_dev_bar_read(struct vmxnet3_dev *dev, unsigned int bar, uint64_t offset, void *buf,
	uint32_t len);
void vmxnet3_dev_bar_write(struct vmxnet3_dev *dev, unsigned int bar, uint64_t offset,
	const void *buf, uint32_t len);

/** Reads or writes the 256 bytes of PCI configuration space; bytes beyond read as 0. */
void vmxnet3_dev_pci_read(struct vmxnet3_dev *dev, uint64_t offset, void *buf, uint32_t len);
void vmxnet3_dev_pci_write(struct vmxnet3_dev *dev, uint64_t offset, const void *buf, uint32_t len);

/** The memory file of BAR0 (one page, sealed), for the transport to share; owned by the device. */
int vmxnet3_dev_bar0_fd(const struct vmxnet3_dev *dev);

/**
 * The guest's DMA table has changed: rings are looked up again. When it returns, no datapath thread uses
 * an address that is not in the table any more. A transport calls it after each added mapping and as
 * the table's quiesce callback.
 */
void vmxnet3_dev_dma_changed(struct vmxnet3_dev *dev);

/* ---- control: for management ---- */

/** Carrier of the virtual cable; the guest gets a link event when it changes. */
void vmxnet3_dev_set_link(struct vmxnet3_dev *dev, bool up);

/** Largest MTU that a guest may use from its next activation on. @return 0 or -EINVAL. */
int vmxnet3_dev_set_mtu(struct vmxnet3_dev *dev, uint16_t mtu);

/** How interrupts are moderated now. */
struct vmxnet3_dev_moderation {
	enum {
		VMXNET3_MODERATION_LOW_LATENCY, /**< not at all: vmxnet3_dev_conf::low_latency */
		VMXNET3_MODERATION_DISABLED,    /**< not at all: the driver's wish; so are all that follow */
		VMXNET3_MODERATION_ADAPTIVE,    /**< by the rate of frames; what drivers get that wish for nothing */
		VMXNET3_MODERATION_STATIC,      /**< by numbers of completions */
		VMXNET3_MODERATION_RATE,        /**< by a rate */
	} mode;
	uint32_t gap_ns;          /**< least time between two interrupts of the vector that has the longest */
	uint32_t rx_frames, tx_frames; /**< STATIC: completions that are an interrupt */
	uint32_t rate;            /**< RATE: interrupts per second */
	uint64_t raised, held;    /**< interrupts since creation, and how many of them were postponed */
};

/** What a management plane shows of a device. */
struct vmxnet3_dev_info {
	bool attached;            /**< a machine is connected */
	bool active;              /**< its driver has activated the device */
	bool link_up;
	bool broken;              /**< guest memory was truncated by its owner */
	uint8_t revision;         /**< selected by the driver; 0: none yet */
	uint8_t mac[6];           /**< current address (the guest may change it) */
	uint8_t perm_mac[6];
	uint16_t nb_tx_queues, nb_rx_queues; /**< in use by the driver */
	uint16_t max_tx_queues, max_rx_queues;
	uint16_t mtu;             /**< in use by the driver; 0 while inactive */
	uint16_t max_mtu;
	uint32_t link_speed;      /**< Mbit/s */
	uint32_t features;        /**< VMXNET3_F_* enabled by the driver */
	uint32_t rss_types;       /**< OFFLOAD_RSS_* that frames are hashed by; 0: not at all */
	uint32_t rss_fields;      /**< VMXNET3_RSS_FIELDS_* asked for that the driver can have */
	uint64_t rss_refused;     /**< RSS settings since creation that made no sense: RSS was off then */
	uint32_t caps;            /**< bits of DCR[0] that the driver has enabled (revision 7 on) */
	uint32_t rx_mode;         /**< VMXNET3_RXM_* */
	uint32_t driver_version;  /**< as the driver gave it */
	uint32_t gos;             /**< guest operating system word */
	uint8_t intr_type;        /**< VFU_IRQ_* in use */
	enum vmxnet3_doorbell doorbell;
	struct vmxnet3_dev_moderation moderation;
	uint64_t activations;     /**< successful ones since creation */
};

void vmxnet3_dev_info_get(struct vmxnet3_dev *dev, struct vmxnet3_dev_info *info);

/**
 * Where the ring of a transmit queue begins in guest memory, to ask the kernel for its NUMA node. It may be unmapped at
 * any moment: nobody may read it. NULL: there is no such queue now.
 */
const void *vmxnet3_dev_tx_memory(struct vmxnet3_dev *dev, uint16_t queue);

/** Counters since creation (activation does not reset them). */
struct vmxnet3_dev_stats {
	uint64_t rx_frames, rx_bytes; /**< into the guest, as delivered */
	uint64_t tx_frames, tx_bytes; /**< from the guest, as sent (a TSO frame is one) */
	uint64_t tx_tso, rx_lro;      /**< large frames among them */
	uint64_t interrupts;          /**< raised */
	uint64_t interrupts_held;     /**< times that moderation postponed one */
	uint64_t drops[VMXNET3_DROP_MAX];
};

void vmxnet3_dev_stats_get(struct vmxnet3_dev *dev, struct vmxnet3_dev_stats *stats);

/* ---- datapath ---- */

struct vmxnet3_burst;

/** Room for the frames of one burst; one per datapath thread is enough. NULL: no memory. */
struct vmxnet3_burst *vmxnet3_burst_create(void);
void vmxnet3_burst_destroy(struct vmxnet3_burst *burst);

/** Transmit queues in use now; 0 while the device is not active. */
uint16_t vmxnet3_dev_nb_tx_queues(const struct vmxnet3_dev *dev);

/**
 * Takes frames from transmit queue @p queue. They refer to guest memory and are valid until
 * vmxnet3_dev_tx_end(), which must follow whenever this returned more than 0.
 *
 * @param frames  set to an array of as many frames as are returned
 * @return number of frames, at most @p max and VMXNET3_BURST_FRAMES
 */
uint16_t vmxnet3_dev_tx_begin(struct vmxnet3_dev *dev, uint16_t queue, struct vmxnet3_burst *burst,
	uint16_t max, struct offload_frame **frames);

/**
 * Asks the cache for what vmxnet3_dev_tx_begin() reads first; worth it a little before. The queue is one that the caller may
 * poll.
 */
void vmxnet3_dev_tx_prefetch(const struct vmxnet3_dev *dev, uint16_t queue);

/**
 * Of @p queues, a bit each, those for which vmxnet3_dev_tx_begin() is worth a call: the cheapest look at queues that hardly
 * ever have something. They are some that the caller may poll.
 */
uint64_t vmxnet3_dev_tx_pending(const struct vmxnet3_dev *dev, uint64_t queues);

/** Completes the frames of the burst, in ring order, and marks the interrupt due. */
void vmxnet3_dev_tx_end(struct vmxnet3_dev *dev, uint16_t queue, struct vmxnet3_burst *burst);

/**
 * Delivers frames to the guest: filters, picks the receive queue, settles pending offloads as the
 * guest's driver wants them, copies. Frames that cannot be delivered are counted by name and gone.
 * Checksums are made, and verified for a driver that wants to know of them, in the copy. Frames keep their content (a
 * VLAN tag may have moved between in line and out of band, and the lengths in the IP header of a large frame may be those
 * of the whole).
 *
 * Small frames of one TCP flow that follow each other in the burst are joined for a driver that takes large ones
 * (offload_lro()); they are counted one by one.
 *
 * @return number of frames delivered (a frame cut into pieces counts as one).
 */
uint16_t vmxnet3_dev_deliver(struct vmxnet3_dev *dev, struct offload_frame *const *frames,
	uint16_t n);

/**
 * Raises interrupts that are due, not masked by the guest and not held by moderation. Call it after
 * each round of bursts, and from one thread again and again while the device is in use.
 *
 * @return whether an interrupt is held back by moderation alone, i.e. this should be called again soon
 */
bool vmxnet3_dev_intr_poll(struct vmxnet3_dev *dev);

/** What a look at a device's interrupts has left to later ones. */
enum vmxnet3_dev_intr_held {
	VMXNET3_DEV_INTR_NONE,  /**< nothing that the guest would take now */
	VMXNET3_DEV_INTR_LATER, /**< what moderation holds for more than VMXNET3_DEV_INTR_LATER_NS, unless a ring fills up */
	VMXNET3_DEV_INTR_MORE,  /**< the same, unless more completes */
	VMXNET3_DEV_INTR_SOON,  /**< what it holds for less, or more than might be raised in one look */
};

/** Nanoseconds: a tenth of the gap that moderation keeps between interrupts of a guest that receives much. */
#define VMXNET3_DEV_INTR_LATER_NS 10000

/**
 * The same, for who has others to serve as well: at most *@p left vectors are raised, and taken off it. The next look
 * goes on with those that were due beyond that, which count as held.
 */
enum vmxnet3_dev_intr_held vmxnet3_dev_intr_poll_some(struct vmxnet3_dev *dev, uint32_t *left);

/** Whether there is anything for vmxnet3_dev_intr_poll() to look at, due or masked. Any thread. */
bool vmxnet3_dev_intr_due(const struct vmxnet3_dev *dev);

#endif /* VMXNET3_DEV_H */
