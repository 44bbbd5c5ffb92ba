/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A vfio-user server that answers as it should, but for the replies to one command, which the test
 * spoils before they are sent.
 *
 * Its device: region 0 is one page that may be mapped; region 2 has four pages of which the second
 * may be; any other region is four pages of registers that read as 0x5a. Interrupt index 2 has 4
 * vectors, the others none.
 */
#ifndef LIAR_H
#define LIAR_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "vfio_user.h"
#include "vfu_client.h"

/* For replies that come: a slow machine is not a silent server. */
#define LIAR_PATIENT_MS 30000

#define LIAR_PAGE	 4096u
#define LIAR_PAYLOAD_MAX (1u << 17)
#define LIAR_FDS_MAX	 20
#define LIAR_ID		 7 /* of its own requests */
#define LIAR_COMMANDS	 19
#define LIAR_REGISTER	 0x5a

/** In msg_size: what fits. */
#define LIAR_RIGHT_SIZE 0xfffffffeu

/** A reply before it goes out. */
struct liar_reply {
	struct vfio_user_header hdr;
	uint8_t payload[LIAR_PAYLOAD_MAX];
	uint32_t len;
	int fds[LIAR_FDS_MAX]; /* not owned */
	uint32_t nb_fds;

	uint32_t cut;	   /* bytes after which the server hangs up; 0: never */
	uint32_t piece;	   /* bytes sent at a time; 0: all */
	bool silent;	   /* nothing is sent at all */
	bool twice;	   /* sent once more */
	uint32_t nb_asked; /* requests of the server's own that come before */
	bool floods;	   /* they never end */
	struct vfio_user_header request;
	uint32_t request_fds;
};

typedef void (*liar_spoil_t)(struct liar_reply *reply);

struct liar {
	uint16_t command; /* whose replies are spoiled */
	liar_spoil_t spoil;
	int fd;	    /* the server's end */
	int memory; /* behind the regions */
	pthread_t thread;
	atomic_uint nb_declined; /* own requests that the client declined as it should */
	atomic_uint nb_requests[LIAR_COMMANDS]; /* of the client, by command */
	struct liar_reply reply;
};

/** Starts a server in a thread. Returns the client's end of its socket. */
int liar_start(struct liar *liar, uint16_t command, liar_spoil_t spoil);

/** Ends the server, whatever it is doing. */
void liar_stop(struct liar *liar);

/** The same, and a client that is through with VERSION and GET_INFO. */
struct vfu_client *liar_begin(struct liar *liar, uint16_t command, liar_spoil_t spoil);

/** Ends both. */
void liar_end(struct liar *liar, struct vfu_client *client);

/** Defines a liar_spoil_t that does what follows its name to the reply r. */
#define SPOIL(name, ...)                                                                           \
	static void name(struct liar_reply *r)                                                     \
	{                                                                                          \
		__VA_ARGS__;                                                                       \
	}

#endif /* LIAR_H */
