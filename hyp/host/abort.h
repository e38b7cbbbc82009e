/* SPDX-License-Identifier: GPL-2.0-only */
/* The host touched what its stage 2 does not map. */
#ifndef HYP_HOST_ABORT_H
#define HYP_HOST_ABORT_H

#include "arch/lock.h"
#include "host/trap.h"

void host_abort(struct host_regs *regs) TAKES(table);

#endif
