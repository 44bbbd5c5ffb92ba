/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Interrupts: the eventfds of a client, and the commands that bring them. */
#ifndef VFU_IRQ_H
#define VFU_IRQ_H

#include "vfu_internal.h"

int vfu_irqs_create(struct vfu_server *server);
void vfu_irqs_destroy(struct vfu_server *server);
/** Detaches every eventfd. */
void vfu_irqs_clear(struct vfu_server *server);
/** As vfu_server_irq_fd(). */
int vfu_irq_fd(const struct vfu_server *server, uint32_t index, uint32_t vector);

int vfu_handle_get_irq_info(struct vfu_server *server, struct vfu_msg *msg);
int vfu_handle_set_irqs(struct vfu_server *server, struct vfu_msg *msg);

#endif /* VFU_IRQ_H */
