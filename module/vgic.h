/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A GICv3 for guests: distributor, redistributors, SGIs, PPIs, SPIs, in the host's kernel; the CPU
 * interface is the hardware's (list registers), filled through the run page. The GIC architecture
 * is Arm IHI 0069. What KVM's user API asks of it: Linux
 * Documentation/virt/kvm/devices/arm-vgic-v3.rst.
 */
#ifndef STOCKADE_VGIC_H
#define STOCKADE_VGIC_H

#include "stockade.h"

/* How many list registers this machine has: set at launch, before any VM. */
extern unsigned int stockade_nr_lrs;

/* KVM_CREATE_DEVICE. Called with vm->lock. EEXIST: there is one. */
int vgic_create(struct stockade_vm *vm);
/* No vCPU runs any more. */
void vgic_destroy(struct stockade_vm *vm);

/* KVM_{SET,GET,HAS}_DEVICE_ATTR of the device's fd; addr is a user pointer. They take vm->lock. */
int vgic_set_attr(struct stockade_vm *vm, const struct kvm_device_attr *attr);
int vgic_get_attr(struct stockade_vm *vm, const struct kvm_device_attr *attr);
int vgic_has_attr(struct stockade_vm *vm, const struct kvm_device_attr *attr);

/* At creation of a vCPU (whether or not the VM has a vGIC yet), with vm->lock. */
int vgic_vcpu_create(struct stockade_vcpu *vcpu);
void vgic_vcpu_destroy(struct stockade_vcpu *vcpu);

/*
 * Before the first run, with vm->lock: the vGIC, if there is one, must be ready. EBUSY, ENXIO as
 * KVM_RUN gives them.
 */
int vgic_ready(struct stockade_vm *vm);

/*
 * Drive an interrupt input. vcpu: whose PPI (intid 16..31), or NULL for an SPI. Any context.
 * EINVAL: no such interrupt.
 */
int vgic_set_line(struct stockade_vm *vm, struct stockade_vcpu *vcpu, u32 intid, bool level);

/* The guest wrote to ICC_SGI1R_EL1. Any context. */
void vgic_sgi(struct stockade_vcpu *source, u64 icc_sgi1r);

/*
 * Around each entry, on the vCPU's thread with interrupts masked: fill run->lr[], nr_lrs and
 * STOCKADE_ENTRY_MORE; read back what the guest did. The virtual timer's interrupt (intid
 * timer_intid of timer.h) goes in with HW set and pINTID = the same PPI.
 */
void vgic_flush(struct stockade_vcpu *vcpu);
void vgic_sync(struct stockade_vcpu *vcpu);
/* After vgic_flush: is the virtual timer's interrupt in an LR (so must be active at the GIC)? */
bool vgic_timer_in_lr(struct stockade_vcpu *vcpu);

/* Is there an interrupt that would end WFI? Any context. */
bool vgic_pending(struct stockade_vcpu *vcpu);

/*
 * An access to IPA by vcpu: true if it was the vGIC's (then done; data is in/out, len bytes).
 * On the vCPU's thread, may not sleep.
 */
bool vgic_mmio(struct stockade_vcpu *vcpu, u64 ipa, bool write, unsigned int len, u64 *data);

#endif
