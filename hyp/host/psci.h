/* SPDX-License-Identifier: GPL-2.0-only */
/* PSCI for the host: every CPU that wakes up, wakes up in the hypervisor (Arm DEN0022). */
#ifndef HYP_HOST_PSCI_H
#define HYP_HOST_PSCI_H

#include "arch/cpu.h"
#include "host/trap.h"

bool psci_is_function(u32 function);
void host_psci(struct host_regs *regs) TAKES(psci);

/* A CPU has come up at EL2: what it enters the host with. */
void psci_cpu_is_on(struct cpu *cpu, struct host_regs *regs) TAKES(psci);
/* One of its first instructions was stepped. */
void psci_step(struct host_regs *regs);

#endif
