/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A vfio-user server in this process, which tells what it has mapped, and DPDK's memory attached to it.
 */
#ifndef VX_MEMORY_RIG_H
#define VX_MEMORY_RIG_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_log.h>

#include <vfu_client.h>
#include <vfu_socket.h>
#include <vx_memory.h>

#define PAGE 4096u

struct mem_rig {
	struct vfu_socket *sock;
	struct vfu_server *server;
	struct vfu_dma *dma;
	struct vfu_client *client;
	struct vx_memory *mem;
	pthread_t thread;
	char path[64];
	atomic_uint quiesced; /* mappings taken away */
};

/** A server that allows @p max_maps (0: the usual), and a client of it; nothing is mapped yet. */
void mem_start_server(struct mem_rig *r, uint32_t max_maps);
void mem_stop_server(struct mem_rig *r);
/** Maps all memory. */
void mem_attach(struct mem_rig *r);
/** All of it: server, memory, attached. */
void mem_open(struct mem_rig *r);
void mem_close(struct mem_rig *r);
/** Another server at the same path; mem_attach() follows. */
void mem_renew_server(struct mem_rig *r);

/** Whether the server has mapped all pages of a range. */
bool reached(struct mem_rig *r, const void *start, size_t len);
/** The device finds what we wrote, and we what it writes, on each page. */
void expect_shared(struct mem_rig *r, void *start, size_t len);

/* Runs @p what and fails unless it logs @p part. */
#define expect_said(what, part)                                                                    \
	do {                                                                                       \
		char *said_ = NULL;                                                                \
		size_t len_;                                                                       \
		FILE *log_ = open_memstream(&said_, &len_);                                        \
		rte_openlog_stream(log_);                                                          \
		what;                                                                              \
		rte_openlog_stream(NULL);                                                          \
		fclose(log_);                                                                      \
		if (strstr(said_, part) == NULL)                                                   \
			fail_msg("it says '%s', not '%s'", said_, part);                           \
		free(said_);                                                                       \
	} while (0)

#endif /* VX_MEMORY_RIG_H */
