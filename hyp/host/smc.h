/* SPDX-License-Identifier: GPL-2.0-only */
/* SMCs of the host: an allow-list. */
#ifndef HYP_HOST_SMC_H
#define HYP_HOST_SMC_H

#include "arch/lock.h"
#include "host/trap.h"

void host_smc(struct host_regs *regs) TAKES(table);

/* Say in the log that the host was denied this: once for each function, the first sixteen. */
void smc_log_denied(u32 function) TAKES(smc);

/* Once, at launch: do calls of a trusted OS, OEM and SiP services pass (stockade/launch.h)? */
void smc_init(bool allow_tos);
/*
 * On each CPU that is launched: no software-delegated exception (SDEI, Arm DEN0054) enters the host past the
 * hypervisor. Whatever was registered is forgotten.
 */
void smc_stop_sdei(void);

#endif
