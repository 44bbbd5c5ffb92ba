/* SPDX-License-Identifier: BSD-3-Clause */
/** @file The links of the ports of the switch. Main thread only. */
#ifndef VSWITCHD_SWITCH_LINK_H
#define VSWITCHD_SWITCH_LINK_H

/** Offers every port the carrier that it should have, and lets the packet path know. */
void links_update(void);

#endif /* VSWITCHD_SWITCH_LINK_H */
