/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual timer. The hardware's belongs to the guest while it runs; EL2 saves and restores it
 * and tells the host only the state of its output and, at WFI, when it will fire.
 */
#ifndef STOCKADE_TIMER_H
#define STOCKADE_TIMER_H

#include "stockade.h"

/* The PPI of a guest's virtual timer, as KVM's guests have it (BSA: 27). */
#define STOCKADE_GUEST_VTIMER 27

/* INTID of this machine's virtual timer, 16..31: valid after stockade_timer_init. */
extern u32 stockade_vtimer_intid;

/*
 * Before launch: find and request the virtual timer's and the GIC maintenance interrupt on all
 * CPUs, present and future. ENODEV (one line in the log says why), EBUSY.
 */
int stockade_timer_init(void);
void stockade_timer_exit(void);

void stockade_timer_vcpu_init(struct stockade_vcpu *vcpu);

/* Around each entry, interrupts masked: after vgic_flush, and before and after vgic_sync. */
void stockade_timer_flush(struct stockade_vcpu *vcpu);
void stockade_timer_exited(struct stockade_vcpu *vcpu);
void stockade_timer_sync(struct stockade_vcpu *vcpu);

/* Is there what ends WFI? Any context. */
bool stockade_wfi_done(struct stockade_vcpu *vcpu);
/* While the vCPU sleeps in WFI: wake it when the CNTVCT that EL2 named comes (~0: never). */
void stockade_wfi_start(struct stockade_vcpu *vcpu, u64 deadline);
void stockade_wfi_end(struct stockade_vcpu *vcpu);

#endif
