/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The switch as its management sees it: its life, its ports (switch_port.h), its bridges
 * (switch_bridge.h), its polling cores.
 *
 * A port and its place in a bridge are two things: attaching, detaching or taking the link down never
 * touches the guest's connection; only deleting the port ends it.
 *
 * Threading: everything here is called from the main thread only. Functions that can fail return 0 or a
 * negative errno and put a sentence (what, where, what to do) into @p err.
 */
#ifndef VSWITCHD_SWITCH_H
#define VSWITCHD_SWITCH_H

#include "conf.h"
#include "error.h"
#include "switch_bridge.h"
#include "switch_port.h"
#include "worker_info.h"

/** Starts the polling cores. EAL is up. */
int switch_start(const struct daemon_conf *conf, struct error *err);
/** Deletes every bridge and port, stops the polling cores. */
void switch_stop(void);
/** Ageing, link states, re-checks: call it about ten times a second. */
void switch_tick(void);

uint32_t switch_worker_list(struct worker_info info[MAX_WORKERS]);

#endif /* VSWITCHD_SWITCH_H */
