// SPDX-License-Identifier: GPL-2.0-only
#include "host/hostcall.h"

#include <stockade/hostcall.h>
#include <stockade/vcpu_run.h>

#include "arch/cpu.h"
#include "arch/host_el1.h"
#include "arch/launch.h"
#include "host/ffa.h"
#include "host/seal.h"
#include "lib/panic.h"
#include "mem/hyp_map.h"
#include "mem/page.h"
#include "vm/vcpu.h"
#ifdef STOCKADE_TEST
#include "debug/debug.h"
#endif

/* A page frame number of the host's as an address; what overflows is beyond all RAM. */
static pa_t frame(u64 pfn)
{
	return pfn >> (64 - PAGE_SHIFT) ? PAGE_MASK : pfn << PAGE_SHIFT;
}

/* Where a vCPU's struct stockade_run is; beyond all RAM too if its page has no such piece. */
static pa_t run_area(u64 x)
{
	u64 n = x >> STOCKADE_RUN_SHIFT;

	if (n >= PAGE_SIZE / STOCKADE_RUN_SIZE)
		return PAGE_MASK;
	return frame(x & GENMASK(STOCKADE_RUN_SHIFT - 1, 0)) + n * STOCKADE_RUN_SIZE;
}

struct result {
	u64 x1, x2, x3;
};

/* Calls on a VM: they are handed a reference to it. */
static int vm_hostcall(struct vm *vm, u64 function, const u64 *x, struct want *want,
		       struct result *res)
{
	bool more = false;
	pa_t page = 0;
	int ret;

	switch (function) {
	case STOCKADE_HC_VM_TOPUP:
		return vm_topup(vm, frame(x[2]), x[3], want);
	case STOCKADE_HC_VCPU_CREATE:
		return vcpu_create(vm, x[2], frame(x[3]), run_area(x[4]), want);
	case STOCKADE_HC_VCPU_SET_REG:
		return vcpu_set_reg(vm, x[2], x[3], x[4]);
	case STOCKADE_HC_HOST_DONATE_GUEST:
		ret = host_donate_guest(&vm->mem, frame(x[2]), frame(x[3]), x[4], &more, want);
		res->x1 = more;
		return ret;
	case STOCKADE_HC_VM_TEARDOWN:
		return vm_teardown(vm);
	case STOCKADE_HC_VM_RECLAIM:
		ret = vm_reclaim(vm, &more);
		res->x1 = more;
		return ret;
	case STOCKADE_HC_VM_RECLAIM_TABLE:
		ret = vm_reclaim_table(vm, &page);
		res->x1 = page >> PAGE_SHIFT;
		return ret;
	case STOCKADE_HC_VCPU_DESTROY:
		return vcpu_destroy(vm, x[2]);
	default:
		return STOCKADE_ENOSYS;
	}
}

static int with_vm(u64 function, const u64 *x, struct want *want, struct result *res)
{
	struct vm *vm = vm_get(x[1]);
	int ret;

	if (!vm)
		return STOCKADE_ENOENT;
	if (function == STOCKADE_HC_VCPU_LOAD)
		ret = vcpu_load(vm, x[2]);
	else if (function == STOCKADE_HC_VM_DESTROY)
		ret = vm_destroy(vm);
	else
		ret = vm_hostcall(vm, function, x, want, res);
	/* A bound vCPU and a destroyed VM keep the reference, or have lost it. */
	if (ret || (function != STOCKADE_HC_VCPU_LOAD && function != STOCKADE_HC_VM_DESTROY))
		vm_put(vm);
	return ret;
}

static int unlaunch(void)
{
	int ret = vm_close_table();

	if (!ret)
		ffa_leave(true);
	return ret;
}

static int unlaunch_cpu(struct host_regs *regs)
{
	const struct cpu *cpu = this_cpu();

	if (!vm_table_is_closed())
		return STOCKADE_EINVAL;
	launch_unload_cpu();
	launch_leave(regs, cpu->stub_vbar, cpu->stub_sctlr, image_pa(launch_left));
}

static void status(struct result *res)
{
	spin_lock(&mem_lock);
	res->x1 = page_nr_hyp;
	res->x2 = hyp_pool.free;
	spin_unlock(&mem_lock);
	res->x3 = vm_count();
}

static int dispatch(struct host_regs *regs, struct want *want, struct result *res)
{
	const u64 *x = regs->x;
	u64 exit_reason = 0;
	int ret;

	switch (x[0]) {
	case STOCKADE_HC_VERSION:
		res->x1 = STOCKADE_ABI_VERSION;
		return STOCKADE_OK;
	case STOCKADE_HC_STATUS:
		status(res);
		return STOCKADE_OK;
	case STOCKADE_HC_SEAL:
		return host_seal();
	case STOCKADE_HC_PROTECT_CPU:
		return launch_protect_cpu();
	case STOCKADE_HC_UNLAUNCH:
		return unlaunch();
	case STOCKADE_HC_UNLAUNCH_CPU:
		return unlaunch_cpu(regs);
	case STOCKADE_HC_POOL_TOPUP:
		return host_donate_pool(frame(x[1]), x[2], want);
	case STOCKADE_HC_VM_CREATE:
		return vm_create(frame(x[1]), frame(x[2]), x[3], &res->x1, want);
	case STOCKADE_HC_VCPU_PUT:
		return vcpu_put_bound();
	case STOCKADE_HC_VCPU_RUN:
		ret = vcpu_run(&exit_reason);
		res->x1 = exit_reason;
		return ret;
	case STOCKADE_HC_VCPU_MMIO_VALUE:
		return vcpu_mmio_value(&res->x1);
	default:
		return with_vm(x[0], x, want, res);
	}
}

void hostcall(struct host_regs *regs)
{
	struct result res = { 0 };
	struct want want = { 0 };
	int ret;

#ifdef STOCKADE_TEST
	if (debug_hostcall(regs))
		return;
#endif
	if (regs->x[0] < STOCKADE_HC_BASE || regs->x[0] >= STOCKADE_HC_END ||
	    READ_ONCE(hyp_panicked))
		ret = STOCKADE_ENOSYS;
	else
		ret = dispatch(regs, &want, &res);
	if (ret == STOCKADE_ENOMEM) {
		res.x1 = want.pages;
		res.x2 = want.pool;
	}
	regs->x[0] = (u64)(s64)ret;
	regs->x[1] = res.x1;
	regs->x[2] = res.x2;
	regs->x[3] = res.x3;
}
