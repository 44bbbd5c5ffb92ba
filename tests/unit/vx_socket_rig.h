/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A virtual device of the driver vmxnet3x, attached to a card behind a socket in this process: one of each.
 */
#ifndef VX_SOCKET_RIG_H
#define VX_SOCKET_RIG_H

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "offload_frames.h"

#include <rte_ethdev.h>
#include <rte_log.h>
#include <rte_mempool.h>

#include <vmxnet3_vfu.h>

#define WAIT_MS 20000 /* for what takes an instant on a quiet machine */
#define VDEV	"net_vmxnet3x0"

/* A server: the card, its socket, and a datapath that is this thread whenever it holds the lock. */
struct card {
	struct vmxnet3_dev *dev;
	struct vmxnet3_vfu *vfu;
	struct vmxnet3_burst *burst;
	pthread_mutex_t datapath;
	char path[64];
};

/* Zeros: the usual. */
struct card_kind {
	uint16_t max_queues;
	uint32_t revisions;
	bool message;
};

extern struct card card;
extern struct rte_mempool *pool; /**< all its buffers are back when the port is closed */
extern uint16_t port;
extern atomic_uint link_events; /**< that the application was told of */

/** Once EAL has started. @return 0, or what main() is to return */
int rig_set_up(void);
/** After each test: what it left because it failed. */
int rig_tear_down(void **state);

void start_card(const struct card_kind *kind);
void stop_card(void);
struct vmxnet3_dev_info card_info(void);

/** With device arguments beside the path, such as ",reconnect=100". @return what EAL says */
int attach(const char *more);
void detach(void);
/** With receive interrupts if @p rx_intr. */
void configure(uint16_t nb_queues, bool rx_intr);
/** Configures, starts, waits for the link. */
void run_port(uint16_t nb_queues, bool rx_intr);
bool link_is_up(void);

/** A frame into the transmit ring. @return whether it was taken */
bool send_from(struct rte_mempool *from, uint16_t len);
/** Whether the port has a frame, which then has @p data. */
bool port_receives(const void *data, uint32_t len);
bool card_delivers(const void *data, uint32_t len);
/** A frame each way, sent in a buffer of @p from. */
void expect_traffic(struct rte_mempool *from);

/** The server ends, or one starts; returns when the port and its application know. */
void lose_card(void);
void bring_card_back(const struct card_kind *kind);

/** Milliseconds of a clock. */
uint64_t ms(void);

#define wait_for(what)                                                                             \
	do {                                                                                       \
		uint64_t end_ = ms() + WAIT_MS;                                                    \
		while (!(what)) {                                                                  \
			if (ms() > end_)                                                           \
				fail_msg("not within %d ms: %s", WAIT_MS, #what);                  \
			usleep(1000);                                                              \
		}                                                                                  \
	} while (0)

/* Runs @p what and fails unless it logs @p part. */
#define expect_said(what, part)                                                                    \
	do {                                                                                       \
		FILE *log_ = tmpfile();                                                            \
		char said_[4096] = "";                                                             \
		rte_openlog_stream(log_);                                                          \
		what;                                                                              \
		rte_openlog_stream(NULL);                                                          \
		rewind(log_);                                                                      \
		said_[fread(said_, 1, sizeof(said_) - 1, log_)] = '\0';                            \
		fclose(log_);                                                                      \
		if (strstr(said_, part) == NULL)                                                   \
			fail_msg("it says '%s', not '%s'", said_, part);                           \
	} while (0)

#endif /* VX_SOCKET_RIG_H */
