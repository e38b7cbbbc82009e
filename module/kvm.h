/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The KVM-facing half of the module: what main.c and power.c call, and what its files call of each
 * other.
 *
 * Where a function that runs on behalf of KVM_RUN returns int: 1, go on in the guest; 0, return to
 * user space, exit_reason is set; negative, KVM_RUN's errno.
 */
#ifndef STOCKADE_KVM_H
#define STOCKADE_KVM_H

#include "stockade.h"

struct file;

/* kvm.c */

/* Offer /dev/kvm. After launch. */
int stockade_kvm_init(void);
/* Take it away again: no fd of it is open (the module's reference count saw to that). */
void stockade_kvm_exit(void);
/*
 * Before EL2 is given back although VMs live (kexec): ends them all, for good, and refuses new
 * ones. Afterwards the hypervisor has no VM. May sleep. EBUSY: some vCPU could not be stopped in
 * time.
 */
int stockade_kvm_stop(void);

void stockade_vm_put(struct stockade_vm *vm);
/* The host's limit of IPA bits. */
u32 stockade_ipa_limit(void);

/* vm.c */

/*
 * The first KVM_RUN: set the VM up at EL2 and seal it. With vm->lock; a VM that is created already
 * is left alone. On failure nothing has changed.
 */
int stockade_vm_create_el2(struct stockade_vm *vm);
/* With vm->lock, no vCPU in KVM_RUN ever again: all that EL2 has of the VM comes back. */
void stockade_vm_destroy_el2(struct stockade_vm *vm);
/* Wait until no VM is left at EL2; false: timeout. */
bool stockade_vm_wait_none(unsigned long timeout);

/* memslot.c */

/* KVM_SET_USER_MEMORY_REGION; takes vm->lock. */
int stockade_memslot_set(struct stockade_vm *vm, const struct kvm_userspace_memory_region *region);
/*
 * The slot that has gfn, or NULL. For vCPUs in KVM_RUN: once the VM exists at EL2 slots are only added, so no lock is
 * needed, and what is found stays as it is.
 */
struct stockade_memslot *stockade_memslot_find(struct stockade_vm *vm, gfn_t gfn);
void stockade_memslot_free_all(struct stockade_vm *vm);

/* guest_mem.c */

/* The guest touched gfn, which slot has and which EL2 has no page for. As KVM_RUN (above). */
int stockade_guest_fault(struct stockade_vm *vm, struct stockade_memslot *slot, gfn_t gfn);
/* The guest gave the page at gfn back: let go of it. May sleep. */
void stockade_guest_page_relinquished(struct stockade_vm *vm, gfn_t gfn);
/* EL2 has given all pages back to the host: let go of them. */
void stockade_guest_pages_release(struct stockade_vm *vm);

/* vcpu.c */

/* KVM_CREATE_VCPU: a new fd, or an errno. */
int stockade_vcpu_create(struct stockade_vm *vm, unsigned long id);
/* The VM is dying and nothing of it is at EL2. */
void stockade_vcpu_free(struct stockade_vcpu *vcpu);
/* NULL: no such vCPU. Any context. */
struct stockade_vcpu *stockade_vcpu_get(struct stockade_vm *vm, unsigned int index);

/* regs.c: vCPU ioctls about registers; EPERM once the VM is created. With vcpu->lock. */

int stockade_regs_init(struct stockade_vcpu *vcpu, const struct kvm_vcpu_init *init);
int stockade_regs_access(struct stockade_vcpu *vcpu, const struct kvm_one_reg *reg, bool write);
int stockade_regs_list(struct stockade_vcpu *vcpu, struct kvm_reg_list __user *user);
/* EPERM if the VM is created, ENOEXEC if the vCPU is not initialised. With vm->lock. */
int stockade_regs_check(const struct stockade_vcpu *vcpu);

/* mmio.c */

/* An EXIT_ABORT: give the guest memory, or emulate, or ask user space. As KVM_RUN (above). */
int stockade_abort(struct stockade_vcpu *vcpu);
/* The same without sleeping, interrupts masked; false: it takes stockade_abort. */
bool stockade_abort_fast(struct stockade_vcpu *vcpu);
/* User space has answered: carry its answer into the next entry. */
void stockade_mmio_complete(struct stockade_vcpu *vcpu);

/* sysfs.c */

int stockade_sysfs_init(void);
void stockade_sysfs_exit(void);

#endif
