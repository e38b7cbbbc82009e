/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why a guest stopped. Each handler does what can be done at EL2 and returns STOCKADE_EXIT_NONE to go on
 * in the guest, or the reason for which the host is needed, what it needs being in *info.
 */
#ifndef HYP_VM_EXIT_H
#define HYP_VM_EXIT_H

#include "vm/vcpu.h"

struct exit_info {
	u64 arg;
	u64 abort_ipa;
	u32 abort_flags;
	u32 abort_size;
};

enum stockade_exit exit_sync(struct vcpu *vcpu, struct exit_info *info) TAKES(vm);

/* By the kind of trap. */
enum stockade_exit exit_abort(struct vcpu *vcpu, struct exit_info *info) TAKES(guest_mem);
/* What vcpu_fast_call() has left. */
enum stockade_exit exit_call(struct vcpu *vcpu, struct exit_info *info) TAKES(vm);
enum stockade_exit exit_sysreg(struct vcpu *vcpu, struct exit_info *info);
/*
 * A call (HVC) of the vCPU that this CPU runs; of its registers only x0 to x17 and x30 have been put away. True: it
 * is answered, the guest goes on. False: it has done nothing, exit_call() is to be asked.
 */
bool vcpu_fast_call(void) TAKES(guest_mem);
/* PSCI (Arm DEN0022) for guests: only function IDs for which vm_psci_knows(). */
enum stockade_exit exit_psci(struct vcpu *vcpu, struct exit_info *info) TAKES(vm);
bool vm_psci_knows(u32 function);
/* TRNG (Arm DEN0098) for guests: the five calls of version 1.0. */
void vm_trng(struct vcpu *vcpu);

void vcpu_inject_undef(struct vcpu *vcpu);
/* Synchronous external abort for the access that has just trapped. */
void vcpu_inject_external_abort(struct vcpu *vcpu);
/* For an ABORT with a syndrome: the value that the store has. */
u64 vcpu_store_value(const struct vcpu *vcpu);
/* The host did the load: put the value where the instruction wants it. */
void vcpu_finish_load(struct vcpu *vcpu, u64 value);

static inline void vcpu_skip(struct vcpu *vcpu)
{
	vcpu->regs.pc += 4;
}

#endif
