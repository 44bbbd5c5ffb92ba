/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The groups of control methods, each in the file of its name: rpc_port.c, rpc_bridge.c,
 * rpc_system.c, rpc_capture.c.
 */
#ifndef VSWITCHD_RPC_H
#define VSWITCHD_RPC_H

#include "conf.h"

/** @param run_dir  where sockets of new ports go; must outlive the control socket */
void rpc_port_register(const char *run_dir);
void rpc_bridge_register(void);
void rpc_worker_register(void);
/** @param conf,file  what the daemon was started with; must outlive the control socket */
void rpc_system_register(const struct daemon_conf *conf, const char *file);

void rpc_capture_register(void);
/** Ends the captures of a port that has just been deleted. */
void rpc_capture_port_gone(const char *port);
/** Ends all captures; the switch is still there. */
void rpc_capture_stop(void);

#endif /* VSWITCHD_RPC_H */
