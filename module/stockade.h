/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stockade.ko: what its files know of each other.
 *
 *   main.c     module init and exit                    hostcall.h  HVCs to the hypervisor
 *   check.c    may we launch? one line if not          launch.c    launch, unload
 *   power.c    reboot, kexec, hibernation, memory      log.c       hypervisor's log -> kernel log
 *   kvm.c      /dev/kvm, VM and device ioctls          vm.c        a VM's beginning and end at EL2
 *   memslot.c  memslots                                guest_mem.c pin, donate, reclaim
 *   record.c   the pages that a guest has
 *   vcpu.c     vCPU ioctls, the run loop               regs.c      registers before the first run
 *   mmio.c     aborts: memory, vGIC or user space      timer.c     virtual timer, WFI
 *   vgic*.c    GICv3 for guests                        sysfs.c     /sys/kernel/stockade
 *
 * Locks, outermost first:
 *
 *   stockade_vcpu.lock, stockade_vm.lock, mmap_lock, stockade_vm.mem_lock, vGIC's locks
 *   (vgic.h)
 */
#ifndef STOCKADE_MODULE_H
#define STOCKADE_MODULE_H

/* linux/kernel.h and others that printk.h comes with define it first if they come first. */
#undef pr_fmt
#define pr_fmt(fmt) "stockade: " fmt

#include <linux/atomic.h>
#include <linux/hrtimer.h>
#include <linux/kref.h>
#include <linux/kvm.h>
#include <linux/kvm_types.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/rbtree.h>
#include <linux/rcuwait.h>
#include <linux/rwsem.h>
#include <linux/signal_types.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include <asm/fpsimd.h>

#include <stockade/hostcall.h>
#include <stockade/vcpu_run.h>

#define STOCKADE_VERSION "0.1.0"

/* Memslot ids are below this. Their number bounds a walk at each fault. */
#define STOCKADE_MAX_SLOTS 512

struct vgic_dist; /* vgic.h */
struct vgic_cpu;

struct stockade_memslot {
	struct list_head node; /* in stockade_vm.slots */
	u32 id;
	gfn_t base_gfn;
	unsigned long npages;
	unsigned long hva;
	unsigned long *records; /* of the pages that the guest has: record.c; NULL: none yet */
};

struct stockade_vm {
	struct kref ref;       /* the VM's fd, each vCPU's fd, each device's fd */
	struct list_head node; /* in kvm.c's list of all VMs */
	struct mm_struct *mm;
	u32 ipa_bits;

	struct mutex lock; /* vCPU and device creation, sealing */
	/*
	 * The VM has been set up at EL2 and is sealed: from the first KVM_RUN on. Written under
	 * lock, once all is in place; never goes back while a vCPU can run.
	 */
	bool created;
	/* Guarded by lock: what EL2 has of this VM. */
	bool at_el2;
	u32 handle; /* the hypervisor's; valid while at_el2 */
	struct page *vm_page;
	struct page *root;
	unsigned int root_order;

	bool dead;  /* will run no more */
	bool ended; /* ... because the guest turned itself off or asked for a reset */

	/* Changed with lock; vCPUs read it without: see stockade_memslot_find(). */
	struct list_head slots;

	struct mutex mem_lock;	    /* donations and their records */
	unsigned long locked_pages; /* accounted against RLIMIT_MEMLOCK; guarded by mem_lock */

	/*
	 * Guarded by lock; each is published by a release store once complete, and stays until the
	 * VM dies. By id: holes are possible until the VM is created, never after.
	 */
	unsigned int nr_vcpus;
	struct stockade_vcpu **vcpus; /* [STOCKADE_MAX_VCPUS] */
	struct vgic_dist *vgic;	      /* NULL: no vGIC */
};

/* 1 KiB at the most: the allocator rounds up to a power of two. */
struct stockade_vcpu {
	struct stockade_vm *vm;
	unsigned int index;	  /* KVM's vCPU id, and EL2's index */
	atomic_t cpu_on;	  /* counts the guest's CPU_ONs of this vCPU */
	struct mutex lock;	  /* one ioctl at a time */
	struct kvm_run *kvm_run;  /* the page that user space maps: read once, trust nothing */
	struct stockade_run *run; /* what the hypervisor shares */
	struct page *vcpu_page;	  /* the hypervisor's, while at_el2 */
	struct task_struct *task; /* in KVM_RUN, else NULL; under RCU */
	struct rcuwait wait;	  /* the vCPU thread, asleep in KVM_RUN */
	struct hrtimer wfi_timer;
	struct vgic_cpu *vgic;
	bool at_el2; /* guarded by vm->lock */
	bool added;  /* it is in vm->vcpus */

	/* Guarded by vm->lock until the VM is created, constant from then on. */
	bool initialised;  /* KVM_ARM_VCPU_INIT was done */
	bool start_off;	   /* KVM_ARM_VCPU_POWER_OFF */
	u32 features;	   /* of KVM_ARM_VCPU_INIT, without POWER_OFF */
	u64 boot_regs[32]; /* x0-x30, PC */

	/* Guarded by lock. */
	sigset_t sigset;
	bool sigset_active;
	bool mmio_pending; /* user space has been asked; completed at the next KVM_RUN */
	bool told_end;	   /* that the VM has ended is known of this vCPU's KVM_RUN */

	/* The vCPU thread's own. */
	bool bound; /* VCPU_LOADed on this CPU (preempt notifier keeps it true) */
	bool timer_level;
	struct preempt_notifier notifier;
	struct user_fpsimd_state fp; /* for kernels that want it: compat.h */
};

/* vcpu.c */

/* Make a vCPU look at its state soon: wakes it in WFI, kicks it out of the guest. Any context. */
void stockade_vcpu_kick(struct stockade_vcpu *vcpu);

/* vgic.h has what vgic*.c offers. */

#endif
