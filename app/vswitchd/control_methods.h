/* SPDX-License-Identifier: BSD-3-Clause */
/** @file The registry of control methods, for system.methods. */
#ifndef VSWITCHD_CONTROL_METHODS_H
#define VSWITCHD_CONTROL_METHODS_H

#include "control.h"

void control_methods_foreach(void (*fn)(const struct control_method *method, void *arg), void *arg);

#endif /* VSWITCHD_CONTROL_METHODS_H */
