/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * One message of a client and its reply: framing, ids, time-out, loss of the connection. Not for
 * users of the library.
 */
#ifndef VFU_CLIENT_MSG_H
#define VFU_CLIENT_MSG_H

#include <pthread.h>
#include <stdatomic.h>

#include "vfio_user.h"
#include "vfu_stream.h"

struct vfu_client {
	struct vfu_stream stream; /**< its deadline belongs to who holds @c call_lock */
	uint32_t timeout_ms;
	uint32_t max_fds, max_xfer; /**< what the server takes with one message */
	uint32_t nb_regions, nb_irqs;
	bool can_reset;
	atomic_bool lost; /**< never unset */
	atomic_uint_fast16_t next_id;
	pthread_mutex_t call_lock; /**< one message waits for its reply at a time */
	pthread_mutex_t send_lock; /**< held for one system call; inside @c call_lock */
	bool half_sent;		   /**< under @c send_lock: nothing may come in between */
};

/** A request, and where its reply goes. */
struct vfu_client_call {
	uint16_t command;
	const void *req; /**< fixed part */
	uint32_t req_len;
	const void *data; /**< what follows it */
	uint32_t data_len;
	const int *fds; /**< not owned */
	uint32_t nb_fds;

	void *reply; /**< the payload's first @c reply_room bytes */
	uint32_t reply_room;
	void *in; /**< the payload's next @c in_room bytes */
	uint32_t in_room;
	uint32_t reply_min; /**< a payload of fewer bytes, or more than there is room for, is a
			       fault */
	bool takes_fd;	    /**< the reply may carry a descriptor */

	uint32_t reply_len; /**< out: bytes of payload */
	int reply_fd;	    /**< out: now the caller's; -1: none */
	int result;	    /**< out: 0, or the negative errno of an error reply */
};

/**
 * Sends a request, receives its reply; answers what the server asks meanwhile.
 * @return 0, or a negative errno: the server's, or the connection is lost
 */
int vfu_client_call(struct vfu_client *client, struct vfu_client_call *call);

/** Sends a request that wants no reply, at once and whole, or not at all (-EAGAIN). */
int vfu_client_call_posted(struct vfu_client *client, const struct vfu_client_call *call);

/** Receives one message that nobody waits for; the caller holds @c call_lock. */
int vfu_client_receive_unasked(struct vfu_client *client);

/** Gives the connection up because of @p rc. @return the errno that callers get for it */
int vfu_client_lose(struct vfu_client *client, int rc);

#endif /* VFU_CLIENT_MSG_H */
