/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * FF-A (Arm DEN0077A, 1.0 to 1.2) for the host: what names memory goes through the hypervisor's hands. The
 * secure partition manager (SPMC) sees the hypervisor's RX/TX buffers; the host sees its own.
 */
#ifndef HYP_HOST_FFA_H
#define HYP_HOST_FFA_H

#include "arch/lock.h"
#include "host/trap.h"

/* The function IDs of FF-A: 0x60 to 0xff of the standard secure services (DEN0028, 6.3). */
bool ffa_is_function(u32 function);
void host_ffa(struct host_regs *regs) TAKES(ffa);

/*
 * At launch, on one CPU: find out what firmware speaks. EAGAIN: the kernel's FF-A driver has its buffers
 * mapped, so memory may be shared of which nobody here knows.
 */
int ffa_init(void) TAKES(log);
/*
 * EL2 is given up: the hypervisor's buffers are unmapped. If the kernel lives on, its own take their place, and
 * calls then go by as they are; else what it has shared is taken back.
 */
void ffa_leave(bool kernel_lives) TAKES(ffa);

#endif
