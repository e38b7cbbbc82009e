/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls of the host's kernel (stockade/hostcall.h). */
#ifndef HYP_HOST_HOSTCALL_H
#define HYP_HOST_HOSTCALL_H

#include "arch/lock.h"
#include "host/trap.h"

void hostcall(struct host_regs *regs) TAKES(table);

#endif
