/* SPDX-License-Identifier: GPL-2.0-only */
/* Traps from the host: vectors.S saves its registers and calls host_trap(). */
#ifndef HYP_HOST_TRAP_H
#define HYP_HOST_TRAP_H

#include "arch/lock.h"
#include "lib/types.h"

struct host_regs {
	u64 x[31];
	u64 pad; /* the stack stays aligned */
};

/* Holds no lock, before and after. */
void host_trap(struct host_regs *regs) TAKES(table);

#endif
