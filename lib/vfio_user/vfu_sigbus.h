/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Process-wide register of mapped guest files, for the SIGBUS handler.
 *
 * A slot is added and removed by control threads; the handler reads the register without a lock,
 * from whichever thread touched a page that its owner has cut off.
 */
#ifndef VFU_SIGBUS_H
#define VFU_SIGBUS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Most file mappings in one process. Each is a VMA, of which Linux allows 65530 by default; the
 * other half stays free for everything else in the process.
 */
#define VFU_SIGBUS_SLOTS 32768u

/** Most bytes of address space for guest files: half of what x86-64 has. */
#define VFU_SIGBUS_BYTES (1ull << 46)

/**
 * Registers a range in which a file is mapped, before anybody touches it.
 *
 * @param broken set when the range had to be replaced; must live until vfu_sigbus_remove()
 * @return slot number, or -ENOSPC.
 */
int vfu_sigbus_add(void *base, size_t len, atomic_bool *broken);

/** Forgets a range. No thread may touch the range any more. */
void vfu_sigbus_remove(int slot);

/** As vfu_dma_sigbus() and vfu_dma_install_sigbus_handler(). */
bool vfu_sigbus_repair(void *addr);
int vfu_sigbus_install(void);

#endif /* VFU_SIGBUS_H */
