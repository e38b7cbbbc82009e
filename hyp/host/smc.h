/* SPDX-License-Identifier: GPL-2.0-only */
/* SMCs of the host: an allow-list. */
#ifndef HYP_HOST_SMC_H
#define HYP_HOST_SMC_H

#include "host/trap.h"

void host_smc(struct host_regs *regs);

#endif
