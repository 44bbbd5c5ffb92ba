/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Help out of the command table. */
#ifndef VSWITCHCTL_HELP_H
#define VSWITCHCTL_HELP_H

#include "cmd.h"

/** All commands, one line each. */
void help_overview(void);
/** All commands of a noun in full. */
void help_noun(const char *noun);
void help_command(const struct cmd *cmd);

#endif /* VSWITCHCTL_HELP_H */
