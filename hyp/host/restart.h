/* SPDX-License-Identifier: GPL-2.0-only */
/* The end of all guests, when the machine or its kernel restarts: nothing of them is left to be found. */
#ifndef HYP_HOST_RESTART_H
#define HYP_HOST_RESTART_H

#include "arch/lock.h"
#include "host/trap.h"

/*
 * No guest runs again; their registers and private memory are zeroed, in unbounded time. False: a CPU had one
 * bound all the same (parked in the host's kernel, or hostile): it can do no more with it.
 */
bool end_all_guests(void) TAKES(table);

/*
 * HVC_SOFT_RESTART while VMs may live: a crashed kernel starts another one at EL2. x1: physical address to
 * go to, x2-x4: its x0-x2. Comes back only if a CPU does not let go of its guest.
 */
void host_soft_restart(struct host_regs *regs) TAKES(table);

#endif
