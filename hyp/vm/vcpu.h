/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vCPUs: each lives in one donated page, and shares a run page with the host.
 */
#ifndef HYP_VM_VCPU_H
#define HYP_VM_VCPU_H

#include <stockade/vcpu_run.h>

#include "vm/vm.h"

enum vcpu_power {
	VCPU_OFF,
	VCPU_ON_PENDING, /* turned on, has not started yet */
	VCPU_ON,
};

struct vcpu {
	struct guest_regs regs;
	struct vm *vm;
	struct stockade_run *run; /* the host writes here at any time: read each field once */
	u32 index;
	bool bound GUARDED_BY(vm); /* to some CPU */

	enum vcpu_power power GUARDED_BY(vm);
	u64 on_entry GUARDED_BY(vm), on_context GUARDED_BY(vm); /* with VCPU_ON_PENDING */

	u64 csselr; /* which cache CCSIDR_EL1 speaks of */

	/* The last exit was an ABORT that waits for the host's word. */
	bool abort_pending;
	bool abort_is_load, abort_has_syndrome;
};

_Static_assert(sizeof(struct vcpu) <= PAGE_SIZE, "a vCPU is one page");

/* Hostcalls; see stockade/hostcall.h. */
int vcpu_create(struct vm *vm, u64 index, pa_t page, pa_t run, struct want *want) TAKES(vm);
int vcpu_set_reg(struct vm *vm, u64 index, u64 reg, u64 value) TAKES(vm);
/* Keeps the caller's reference to vm if it succeeds. */
int vcpu_load(struct vm *vm, u64 index) TAKES(vm);
int vcpu_destroy(struct vm *vm, u64 index) TAKES(vm);
int vcpu_run(u64 *exit_reason) TAKES(vm);
int vcpu_mmio_value(u64 *value);

/*
 * From now on no vCPU is bound or entered, on any CPU. Wait until all that run have come out: they trap at once
 * if vm_unmap_all() has been there.
 */
void vcpu_stop_all(void);
void vcpu_wait_for_exits(void);
bool vcpu_stopped(void);
/*
 * Wait a while until none is bound, and with that none has registers in a CPU. False: one is still.
 */
bool vcpu_wait_for_puts(void);

/* Of a vCPU that will not run again: nothing that was the guest's is left in its page. */
void vcpu_scrub_locked(struct vcpu *vcpu) REQUIRES(vm);

/* Unbind what this CPU has bound. ENOENT: nothing. */
int vcpu_put_bound(void) TAKES(vm);

#endif
