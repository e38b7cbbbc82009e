/* SPDX-License-Identifier: GPL-2.0-only */
/* EL2 as the host's kernel set it up, and what the hypervisor adds to it while the host runs. */
#ifndef HYP_ARCH_HOST_EL2_H
#define HYP_ARCH_HOST_EL2_H

#include "arch/cpu.h"

/*
 * Has this CPU the features that were found on the first? What is switched, trapped and shown to guests is
 * decided once. The first call remembers.
 */
bool host_el2_matches(void);
/* At launch: remember what is set. */
void host_el2_capture(struct cpu *cpu);
/* This CPU is about to run the host: the kernel's settings, our traps and vectors, stage 2. */
void host_el2_enter(struct cpu *cpu);
/* At unload: the kernel's settings and nothing else. */
void host_el2_restore(struct cpu *cpu);
/* EL1 as it is out of reset, for a CPU that the host has turned on (Arm DEN0022, 6.4). */
void host_el2_reset_el1(void);

/* CPTR_EL2 for the host: with FP/SIMD trapped while a guest's registers are in it. */
u64 host_el2_cptr(const struct cpu *cpu);

/* The host touched FP/SIMD. True: a guest's registers were there and have gone; try again. */
bool host_use_fp(struct cpu *cpu);

extern const char host_vectors[];

#endif
