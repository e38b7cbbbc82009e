/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest's register state, and the switch to it and back. It lives in pages that the host has given
 * away, and nothing of it is left in the CPU when the host runs.
 */
#ifndef HYP_ARCH_GUEST_H
#define HYP_ARCH_GUEST_H

#include <stockade/vcpu_run.h>

#include "lib/types.h"

/* EL1 and EL0 registers that guest and host have in turn. */
struct el1_regs {
	u64 sctlr, cpacr, ttbr0, ttbr1, tcr, mair, amair, vbar, contextidr;
	u64 esr, far, afsr0, afsr1, elr, spsr, par, cntkctl;
	u64 sp_el0, sp_el1, tpidr_el0, tpidrro_el0, tpidr_el1;
};

struct pauth_keys {
	u64 key[10]; /* APIA, APIB, APDA, APDB, APGA: low, high */
};

struct fp_regs {
	__extension__ unsigned __int128 v[32];
	u64 fpsr, fpcr;
};

struct gic_regs {
	u64 vmcr;
	u64 ap0r[4], ap1r[4];
};

struct guest_regs {
	u64 x[31];
	u64 pc, pstate;
	/* Of the last exit by a synchronous exception. */
	u64 esr, far, hpfar;

	struct el1_regs el1;
	struct pauth_keys pauth;
	struct gic_regs gic;
	u64 cntv_ctl, cntv_cval;
	u64 mpidr;
	bool uses_pauth; /* has touched pointer authentication: keys are switched */
	struct fp_regs fp;
};

/* What a VM's vCPUs have in common. */
struct guest_world {
	u64 vttbr, vtcr;
	u64 cntvoff;
};

/* What an entry needs beside the registers; checked already. */
struct guest_entry {
	u64 lr[STOCKADE_RUN_MAX_LRS];
	u32 nr_lrs;
	bool gic;      /* there is a vGIC */
	bool gic_more; /* exit when the list registers run low */
};

enum guest_exit_kind {
	GUEST_EXIT_SYNC,
	GUEST_EXIT_IRQ,
	GUEST_EXIT_SERROR,
};

/* Once, at launch. */
void guest_arch_init(void);

struct cpu;
/* Each CPU, at launch and when it comes up: the virtual GIC interface is nobody's. */
void guest_arch_init_cpu(struct cpu *cpu);

/* Power-on state. */
void guest_regs_reset(struct guest_regs *regs, unsigned int vcpu_index);

u64 guest_vtcr(unsigned int ipa_bits);
/* CNTPCT_EL0: for a VM's cntvoff. */
u64 arch_counter(void);

/*
 * Bind the state to this CPU, unbind it: what the host can't meet in between (virtual GIC interface,
 * FP/SIMD registers while they trap) stays in the CPU from load to put.
 */
void guest_load(struct guest_regs *regs);
void guest_put(struct guest_regs *regs);

/* May a guest be entered: is no streaming or ZA state of the host live? */
bool guest_may_enter(void);

/*
 * To the guest's registers; run until an exit, as often as the caller likes; and back to the host's.
 * guest_leave() returns what became of the list registers in entry->lr, and whether the virtual timer's
 * output is asserted.
 */
void guest_enter(struct guest_regs *regs, const struct guest_world *world,
		 const struct guest_entry *entry);
enum guest_exit_kind guest_run(struct guest_regs *regs);
bool guest_leave(struct guest_regs *regs, struct guest_entry *entry);

/*
 * While entered: what only the CPU can do for an exit.
 */
void guest_use_fp(struct guest_regs *regs);
void guest_use_pauth(struct guest_regs *regs);
bool arch_has_pauth(void);
/* Take an exception to the guest's own EL1, as the architecture would: ESR's EC and ISS, FAR. */
void guest_inject_sync(struct guest_regs *regs, u64 esr, u64 far);
/* The fault's IPA: HPFAR_EL2, or for what does not set it, a walk. False: try again. */
bool guest_fault_ipa(const struct guest_regs *regs, u64 *ipa);
/* When the virtual timer fires, in the host's CNTVCT; ~0: never. After guest_leave(). */
u64 guest_timer_deadline(const struct guest_regs *regs, const struct guest_world *world);

/* How many list registers the CPU has. */
unsigned int arch_nr_lrs(void);

#endif
