/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Host -> hypervisor calls.
 *
 * The host's kernel (module/) executes HVC #0 with a function ID in x0 and arguments in x1-x4.
 * The ID is an SMCCC fast 64-bit call of the vendor-specific hypervisor range (SMCCC DEN0028, 6.2).
 * On return x0 is 0 or a negative STOCKADE_E* code, x1-x3 are results; x4-x17 are preserved.
 * Function IDs 0 to 4 are not these: they are Linux's EL2 stub ABI, which the hypervisor goes on
 * answering (Linux Documentation/virt/kvm/arm/hyp-abi.rst).
 *
 * All addresses are page frame numbers (4 KiB frames); pages that are donated are zeroed by the
 * hypervisor before use, and zeroed again before the host gets them back.
 *
 * A call that was refused has changed nothing. STOCKADE_ENOMEM says in x1 how many pages are
 * wanted and in x2 by which pool (enum stockade_pool): top it up and repeat the call.
 */
#ifndef STOCKADE_HOSTCALL_H
#define STOCKADE_HOSTCALL_H

#define STOCKADE_ABI_VERSION 1u

#define STOCKADE_HC_BASE 0xc6005300u
#define STOCKADE_HC(n)	 (STOCKADE_HC_BASE + (n))

enum stockade_hostcall {
	/* () -> x1 = STOCKADE_ABI_VERSION. */
	STOCKADE_HC_VERSION = STOCKADE_HC(0),
	/* () -> x1 = pages the hypervisor holds, x2 = of those, free in its pool, x3 = VMs alive. */
	STOCKADE_HC_STATUS = STOCKADE_HC(1),
	/*
	 * () Last step of launch, on one CPU: build the host's stage 2, without the hypervisor. EAGAIN: the
	 * kernel's FF-A driver has buffers mapped, and may have shared memory with the secure world.
	 */
	STOCKADE_HC_SEAL = STOCKADE_HC(2),
	/* () Last step of launch, on every online CPU: run the host under its stage 2. */
	STOCKADE_HC_PROTECT_CPU = STOCKADE_HC(3),
	/* () First step of unload: refused with EBUSY while a VM exists; then no VM can be made. */
	STOCKADE_HC_UNLAUNCH = STOCKADE_HC(4),
	/* () Then on every online CPU: leave EL2 to the kernel's stub again. */
	STOCKADE_HC_UNLAUNCH_CPU = STOCKADE_HC(5),
	/* (pfn, nr) Give nr contiguous pages to the hypervisor's own pool; 1 <= nr <= 16. */
	STOCKADE_HC_POOL_TOPUP = STOCKADE_HC(6),
	/*
	 * (vm pfn, root pfn, ipa_bits | flags << 8) -> x1 = handle.
	 * root is the first of stockade_s2_root_pages(ipa_bits) contiguous pages, aligned to their
	 * number. EINVAL: ipa_bits not within 32..host's, flags unknown. ENOSPC: no VMID is free.
	 */
	STOCKADE_HC_VM_CREATE = STOCKADE_HC(7),
	/* (handle, pfn, nr) Give nr contiguous pages to a VM's pool (its tables); 1 <= nr <= 16. */
	STOCKADE_HC_VM_TOPUP = STOCKADE_HC(8),
	/*
	 * (handle, vcpu index, vcpu pfn, run pfn | n << STOCKADE_RUN_SHIFT) struct stockade_run
	 * (vcpu_run.h) is the n-th piece of STOCKADE_RUN_SIZE bytes of the run page, which stays the
	 * host's own and is shared until VCPU_DESTROY; it may have those of other vCPUs too, up to 255
	 * shares. Indexes are dense: the next one must be asked for. EBUSY: the VM is sealed (has run).
	 */
	STOCKADE_HC_VCPU_CREATE = STOCKADE_HC(9),
#define STOCKADE_RUN_SHIFT 52
	/* (handle, vcpu index, enum stockade_reg, value) EPERM once the VM is sealed. */
	STOCKADE_HC_VCPU_SET_REG = STOCKADE_HC(10),
	/*
	 * (handle, pfn, gfn, nr) Donate nr contiguous host pages, contents kept, to be guest
	 * pages from gfn on. nr is 1 or 512; for 512 pfn and gfn are 512-aligned.
	 * -> x1 = 1: the block is lost to the host, and the guest gets it when it is cleaned; go on
	 * with that by the same call. It is refused if a touch of the host's has finished the block
	 * meanwhile, or if the VM is dying; the block is lost all the same.
	 * EPERM: a page is not the host's alone. EEXIST: the guest has a page there already.
	 * EFAULT: the IPA is poisoned, or the guest's MMIO. EAGAIN: nr is 512 and
	 * that range has, or once had, single pages or marks: use nr = 1.
	 */
	STOCKADE_HC_HOST_DONATE_GUEST = STOCKADE_HC(11),
	/*
	 * (handle, vcpu index) Bind a vCPU to this CPU. EBUSY: it is bound to another, or this CPU
	 * has one bound. Seals the VM. To be called with preemption off; stays bound until VCPU_PUT.
	 */
	STOCKADE_HC_VCPU_LOAD = STOCKADE_HC(12),
	/* () Unbind. ENOENT: none is bound. */
	STOCKADE_HC_VCPU_PUT = STOCKADE_HC(13),
	/*
	 * () Run the bound vCPU until an exit; interrupts masked. -> x1 = enum stockade_exit; the
	 * rest is in the run page. ENOENT: none is bound. EINVAL: what the run page asks for does
	 * not fit the last exit. EBUSY: PSTATE.SM or ZA set (the host has live streaming
	 * state), or no guest runs any more (panic, restart).
	 */
	STOCKADE_HC_VCPU_RUN = STOCKADE_HC(14),
	/*
	 * () -> x1 = the value that the bound vCPU's last exit, an ABORT with STOCKADE_ABORT_WRITE
	 * and STOCKADE_ABORT_SYNDROME, was going to store. For the case that it was MMIO: a fault on
	 * memory shows the host no value. EINVAL: there is no such exit pending.
	 */
	STOCKADE_HC_VCPU_MMIO_VALUE = STOCKADE_HC(15),
	/* (handle) The VM is dying: no vCPU is loaded from now on. EBUSY: one is loaded now. */
	STOCKADE_HC_VM_TEARDOWN = STOCKADE_HC(16),
	/*
	 * (handle) Return a bounded batch of a dying VM's pages to the host; the VM's private ones
	 * are zeroed. -> x1 = 1 if there is more to do.
	 */
	STOCKADE_HC_VM_RECLAIM = STOCKADE_HC(17),
	/*
	 * (handle) Return one page of a dying VM's pool -> x1 = pfn. ENOENT: there are no more.
	 * EBUSY: VM_RECLAIM is not finished.
	 */
	STOCKADE_HC_VM_RECLAIM_TABLE = STOCKADE_HC(18),
	/*
	 * (handle, vcpu index) Return a dying VM's vCPU page, and unshare the run page. From the last
	 * one down: ENOENT for any other.
	 */
	STOCKADE_HC_VCPU_DESTROY = STOCKADE_HC(19),
	/*
	 * (handle) Return the VM's own page and its root. EBUSY: something is left, or another CPU has
	 * the VM in hand for a moment.
	 */
	STOCKADE_HC_VM_DESTROY = STOCKADE_HC(20),
	STOCKADE_HC_END,
};

/* Values are those of Linux's errno (asm-generic/errno-base.h), negated. */
enum stockade_error {
	STOCKADE_OK = 0,
	STOCKADE_EPERM = -1,
	STOCKADE_ENOENT = -2,
	STOCKADE_EAGAIN = -11,
	STOCKADE_ENOMEM = -12,
	STOCKADE_EFAULT = -14,
	STOCKADE_EBUSY = -16,
	STOCKADE_EEXIST = -17,
	STOCKADE_EINVAL = -22,
	STOCKADE_ENOSPC = -28,
	STOCKADE_ENOSYS = -38,
};

enum stockade_pool {
	STOCKADE_POOL_HYP = 0, /* answer with POOL_TOPUP */
	STOCKADE_POOL_VM = 1,  /* answer with VM_TOPUP */
};

/* Flags of VM_CREATE. Non-protected VMs are not offered yet. */
#define STOCKADE_VM_PROTECTED 1u

enum stockade_reg {
	STOCKADE_REG_X0 = 0, /* ... x30 = 30 */
	STOCKADE_REG_PC = 31,
	STOCKADE_REG_POWER_OFF = 32, /* value != 0: this vCPU waits for the guest's CPU_ON */
};

#define STOCKADE_MAX_VMS   255
#define STOCKADE_MAX_VCPUS 256

/*
 * Pages of a stage-2 root table for a 4 KiB granule: up to 16 concatenated tables at level 1, or
 * one table at level 0 (Arm ARM D8.2.9, concatenated translation tables).
 */
static inline unsigned int stockade_s2_root_pages(unsigned int ipa_bits)
{
	if (ipa_bits > 43 || ipa_bits <= 39)
		return 1;
	return 1u << (ipa_bits - 39);
}

#endif
