/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls into the hypervisor. What each does, and refuses: include/stockade/hostcall.h.
 *
 * Valid only between launch and unload: before and after, HVC #0 reaches the kernel's own stub.
 */
#ifndef STOCKADE_MODULE_HOSTCALL_H
#define STOCKADE_MODULE_HOSTCALL_H

#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/types.h>

#include <stockade/hostcall.h>
#include <stockade/vcpu_run.h>

struct stockade_result {
	s64 status;
	u64 x1;
	u64 x2;
	u64 x3;
};

/* The bare call; returns the status (0 or a negative STOCKADE_E* code). Any context. */
static inline s64 stockade_hostcall(u64 id, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5,
				    struct stockade_result *res)
{
	register u64 x0 asm("x0") = id;
	register u64 x1 asm("x1") = a1;
	register u64 x2 asm("x2") = a2;
	register u64 x3 asm("x3") = a3;
	register u64 x4 asm("x4") = a4;
	register u64 x5 asm("x5") = a5;

	asm volatile("hvc	#0"
		     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
		     : "r"(x4), "r"(x5)
		     : "memory");
	if (res) {
		res->status = (s64)x0;
		res->x1 = x1;
		res->x2 = x2;
		res->x3 = x3;
	}
	return (s64)x0;
}

/*
 * The errno for a status. The numbers agree; this only keeps what is no errno of ours (the stub's
 * answer after unload, say) from reaching user space as one.
 */
static inline int stockade_errno(s64 status)
{
	switch (status) {
	case STOCKADE_OK:
	case STOCKADE_EPERM:
	case STOCKADE_ENOENT:
	case STOCKADE_EAGAIN:
	case STOCKADE_ENOMEM:
	case STOCKADE_EFAULT:
	case STOCKADE_EBUSY:
	case STOCKADE_EEXIST:
	case STOCKADE_EINVAL:
	case STOCKADE_ENOSPC:
	case STOCKADE_ENOSYS:
		return status;
	default:
		return -EIO;
	}
}

/*
 * A call that may be short of memory: gives the hypervisor the pages it asks for and repeats the
 * call. handle names the VM whose pool may be topped up. May sleep. Returns an errno; -ENOMEM when
 * this host has no pages to give either.
 */
int stockade_call_topup(u32 handle, struct stockade_result *res, u64 id, u64 a1, u64 a2, u64 a3,
			u64 a4);

/* Top a VM's pool up by as many pages at least. May sleep. */
int stockade_vm_give(u32 handle, u64 pages);

static inline int stockade_hc_version(u64 *abi)
{
	struct stockade_result res;
	int err = stockade_errno(stockade_hostcall(STOCKADE_HC_VERSION, 0, 0, 0, 0, 0, &res));

	*abi = res.x1;
	return err;
}

static inline int stockade_hc_status(u64 *held, u64 *free, u64 *vms)
{
	struct stockade_result res;
	int err = stockade_errno(stockade_hostcall(STOCKADE_HC_STATUS, 0, 0, 0, 0, 0, &res));

	*held = res.x1;
	*free = res.x2;
	*vms = res.x3;
	return err;
}

static inline int stockade_hc_seal(void)
{
	return stockade_errno(stockade_hostcall(STOCKADE_HC_SEAL, 0, 0, 0, 0, 0, NULL));
}

static inline int stockade_hc_protect_cpu(void)
{
	return stockade_errno(stockade_hostcall(STOCKADE_HC_PROTECT_CPU, 0, 0, 0, 0, 0, NULL));
}

static inline int stockade_hc_unlaunch(void)
{
	return stockade_errno(stockade_hostcall(STOCKADE_HC_UNLAUNCH, 0, 0, 0, 0, 0, NULL));
}

static inline int stockade_hc_unlaunch_cpu(void)
{
	return stockade_errno(stockade_hostcall(STOCKADE_HC_UNLAUNCH_CPU, 0, 0, 0, 0, 0, NULL));
}

static inline int stockade_hc_pool_topup(u64 pfn, u64 nr)
{
	return stockade_errno(stockade_hostcall(STOCKADE_HC_POOL_TOPUP, pfn, nr, 0, 0, 0, NULL));
}

static inline int stockade_hc_vm_topup(u32 handle, u64 pfn, u64 nr)
{
	return stockade_errno(stockade_hostcall(STOCKADE_HC_VM_TOPUP, handle, pfn, nr, 0, 0, NULL));
}

/* May sleep. */
static inline int stockade_hc_vm_create(u64 vm_pfn, u64 root_pfn, u32 ipa_bits, u32 flags,
					u32 *handle)
{
	struct stockade_result res;
	int err = stockade_call_topup(0, &res, STOCKADE_HC_VM_CREATE, vm_pfn, root_pfn,
				      ipa_bits | (u64)flags << 8, 0);

	*handle = res.x1;
	return err;
}

/* May sleep. */
static inline int stockade_hc_vcpu_create(u32 handle, u32 index, u64 vcpu_pfn,
					  const struct stockade_run *run)
{
	struct stockade_result res;
	u64 n = offset_in_page(run) / STOCKADE_RUN_SIZE;

	return stockade_call_topup(handle, &res, STOCKADE_HC_VCPU_CREATE, handle, index, vcpu_pfn,
				   page_to_pfn(virt_to_page(run)) | n << STOCKADE_RUN_SHIFT);
}

static inline int stockade_hc_vcpu_set_reg(u32 handle, u32 index, u32 reg, u64 value)
{
	return stockade_errno(
		stockade_hostcall(STOCKADE_HC_VCPU_SET_REG, handle, index, reg, value, 0, NULL));
}

/* May sleep. */
static inline int stockade_hc_host_donate_guest(u32 handle, u64 pfn, u64 gfn, u64 nr)
{
	struct stockade_result res;
	bool begun = false;

	for (;;) {
		int err = stockade_call_topup(handle, &res, STOCKADE_HC_HOST_DONATE_GUEST, handle,
					      pfn, gfn, nr);

		/*
		 * A block that was begun is the guest's. To go on with it is refused if a touch of the kernel's on
		 * another CPU has finished it; or if the VM dies, which gives it back with all the rest.
		 */
		if (err)
			return begun ? 0 : err;
		if (!res.x1)
			return 0;
		begun = true;
		cond_resched();
	}
}

/* Preemption off. */
static inline int stockade_hc_vcpu_load(u32 handle, u32 index)
{
	return stockade_errno(
		stockade_hostcall(STOCKADE_HC_VCPU_LOAD, handle, index, 0, 0, 0, NULL));
}

/* Preemption off. */
static inline int stockade_hc_vcpu_put(void)
{
	return stockade_errno(stockade_hostcall(STOCKADE_HC_VCPU_PUT, 0, 0, 0, 0, 0, NULL));
}

/* Interrupts masked, the task's FP state saved. */
static inline int stockade_hc_vcpu_run(u64 *exit)
{
	struct stockade_result res;
	int err = stockade_errno(stockade_hostcall(STOCKADE_HC_VCPU_RUN, 0, 0, 0, 0, 0, &res));

	*exit = res.x1;
	return err;
}

static inline int stockade_hc_vcpu_mmio_value(u64 *value)
{
	struct stockade_result res;
	int err =
		stockade_errno(stockade_hostcall(STOCKADE_HC_VCPU_MMIO_VALUE, 0, 0, 0, 0, 0, &res));

	*value = res.x1;
	return err;
}

static inline int stockade_hc_vm_teardown(u32 handle)
{
	return stockade_errno(stockade_hostcall(STOCKADE_HC_VM_TEARDOWN, handle, 0, 0, 0, 0, NULL));
}

/* May sleep. */
static inline int stockade_hc_vm_reclaim(u32 handle, bool *more)
{
	struct stockade_result res;
	int err = stockade_call_topup(handle, &res, STOCKADE_HC_VM_RECLAIM, handle, 0, 0, 0);

	*more = res.x1;
	return err;
}

static inline int stockade_hc_vm_reclaim_table(u32 handle, u64 *pfn)
{
	struct stockade_result res;
	int err = stockade_errno(
		stockade_hostcall(STOCKADE_HC_VM_RECLAIM_TABLE, handle, 0, 0, 0, 0, &res));

	*pfn = res.x1;
	return err;
}

static inline int stockade_hc_vcpu_destroy(u32 handle, u32 index)
{
	return stockade_errno(
		stockade_hostcall(STOCKADE_HC_VCPU_DESTROY, handle, index, 0, 0, 0, NULL));
}

static inline int stockade_hc_vm_destroy(u32 handle)
{
	return stockade_errno(stockade_hostcall(STOCKADE_HC_VM_DESTROY, handle, 0, 0, 0, 0, NULL));
}

#endif
