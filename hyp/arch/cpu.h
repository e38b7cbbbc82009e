/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One physical CPU: its page, found by TPIDR_EL2. The page's end is the stack of last resort.
 */
#ifndef HYP_ARCH_CPU_H
#define HYP_ARCH_CPU_H

#include "arch/guest.h"
#include "arch/lock.h"
#include "lib/types.h"

struct vcpu;

/* The EL2 settings that the kernel made for itself before it dropped to EL1 (DESIGN 4.4). */
struct host_el2 {
	u64 hcr, hcrx, cptr, mdcr, cnthctl, icc_sre, vpidr, vmpidr, zcr, smcr;
	u64 hstr, mpam2, pmscr, trfcr, brbcr;
	u64 fgt[11];
};

enum cpu_power {
	CPU_OFF,
	CPU_ON_PENDING,
	CPU_ON,
};

struct cpu {
	/* For assembly; see asm-offsets.c. */
	struct guest_regs *guest; /* bound by guest_load() */
	u64 stub_vbar; /* the kernel's stub's vectors; EL2's own SCTLR with the MMU off */
	u64 stub_sctlr;

	u32 index;
	bool launched;	/* runs under the hypervisor */
	bool protected; /* the host is under stage 2 here */
	bool in_guest;	/* a guest's registers are in, or about to be */
	bool stepping;	/* the host's first instructions after PSCI CPU_ON are being watched */
	u32 steps;
	u64 mpidr;
	struct vcpu *vcpu; /* bound vCPU */

	struct host_el2 host_el2;
	struct el1_regs host_el1;
	struct pauth_keys host_pauth;
	struct guest_regs *fp_owner; /* whose FP/SIMD registers are in the CPU; NULL: the host's */
	u64 host_pc, host_pstate;    /* where the hostcall returns to */
	u64 host_mdscr, host_pmcr, host_pmscr, host_trfcr, host_brbcr;
	u32 lrs_used;

	/* PSCI (host/psci.c). */
	enum cpu_power power GUARDED_BY(psci);
	u64 resume_entry GUARDED_BY(psci), resume_context GUARDED_BY(psci);

	/* The last abort of the host that was answered with a fault (host/abort.c). */
	u64 abort_pc, abort_far;
	u32 abort_repeats;
};

_Static_assert(sizeof(struct cpu) <= 3072, "the rest of the page is a stack");

static inline struct cpu *this_cpu(void)
{
	struct cpu *cpu;

	__asm__("mrs %0, tpidr_el2" : "=r"(cpu));
	return cpu;
}

/*
 * Zero what lies below this stack's end: what handlers of a guest's exits have left there. Registers aside, the
 * caller has nothing of a guest.
 */
void arch_scrub_stack(void);

/* By the loader's index, below cpu_count. */
struct cpu *cpu_get(unsigned int index);
extern unsigned int cpu_count;

#endif
