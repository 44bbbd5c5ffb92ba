/* SPDX-License-Identifier: BSD-3-Clause */
/** @file What the command table calls. */
#ifndef VSWITCHCTL_HANDLERS_H
#define VSWITCHCTL_HANDLERS_H

#include "cmd.h"

typedef enum cmd_status cmd_handler(const struct cmd_call *call);

cmd_handler port_list, port_show, port_add, port_del, port_set, port_stats;
cmd_handler port_capture;
cmd_handler port_qemu_args;
cmd_handler bridge_list, bridge_show, bridge_add, bridge_del, bridge_attach, bridge_detach;
cmd_handler fdb_list, fdb_flush;
cmd_handler worker_list, worker_show, drops_show, log_show, log_set, info_show;
cmd_handler stats_show;
cmd_handler config_show, config_save;
cmd_handler help_show, completion_bash;

#endif /* VSWITCHCTL_HANDLERS_H */
