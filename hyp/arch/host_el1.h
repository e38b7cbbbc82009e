/* SPDX-License-Identifier: GPL-2.0-only */
/* The host's EL1, as its traps show it. All of these act on the trap that is being handled. */
#ifndef HYP_ARCH_HOST_EL1_H
#define HYP_ARCH_HOST_EL1_H

#include "lib/types.h"

/* Exceptions that the host may be given in place of an access. */
enum host_fault_kind {
	HOST_FAULT_TAG_CHECK, /* towards EL0: SIGSEGV with the right address */
	HOST_FAULT_ALIGNMENT, /* towards EL1: the exception table, or an oops */
	HOST_FAULT_EXTERNAL,  /* synchronous external abort, on the walk if it was one */
};

struct host_abort {
	u64 far;
	u64 pc;
	pa_t ipa;	/* of the access's page, or of the table's if walk; page-aligned */
	bool ipa_known; /* else the host has changed its tables: let it try again */
	bool user;	/* from EL0 */
	bool fetch;
	bool walk;	 /* by the host's own stage 1 walk */
	bool permission; /* mapped, but not for this */
	bool tlb_conflict;
	bool other; /* no fault of the tables: nothing above is known */
};

u64 host_trap_esr(void);
void host_abort_read(struct host_abort *abort);
void host_inject_fault(enum host_fault_kind kind);
void host_inject_undef(void);
/* Go on behind the trapped instruction. */
void host_skip_instruction(void);
/* Where the host's EL1 address va leads to. False: nowhere. */
bool host_translate(u64 va, pa_t *pa);

/* Enter the host at pc, EL1, interrupts masked: where the trap returns to. */
void host_set_entry(u64 pc);
/* Software-step the host from EL2 (Arm ARM D2.12): one instruction for each call of step_next. */
void host_step_start(void);
void host_step_next(void);
void host_step_stop(u64 mdcr);

u64 host_ich_vtr(void);

#endif
