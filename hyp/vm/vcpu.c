// SPDX-License-Identifier: GPL-2.0-only
#include "vm/vcpu.h"

#include "arch/cache.h"
#include "arch/cpu.h"
#include "arch/layout.h"
#include "arch/tlb.h"
#include "lib/string.h"

_Static_assert(sizeof(struct stockade_run) <= STOCKADE_RUN_SIZE, "one piece of the run page");

/* The page that a struct stockade_run is in. */
static pa_t run_page(pa_t run)
{
	return ALIGN_DOWN(run, PAGE_SIZE);
}

static int may_add_locked(const struct vm *vm, u64 index) REQUIRES_LOCK(vm->lock) REQUIRES(vm)
{
	if (index >= STOCKADE_MAX_VCPUS)
		return STOCKADE_EINVAL;
	if (vm->state != VM_NEW)
		return STOCKADE_EBUSY;
	return index == vm->nr_vcpus ? STOCKADE_OK : STOCKADE_EINVAL;
}

static int may_add(struct vm *vm, u64 index)
{
	int ret;

	spin_lock(&vm->lock);
	ret = may_add_locked(vm, index);
	spin_unlock(&vm->lock);
	return ret;
}

int vcpu_create(struct vm *vm, u64 index, pa_t page, pa_t run, struct want *want)
{
	struct vcpu *vcpu;
	int ret;

	/* What can be undone without a trace comes first: a page that was donated has been zeroed. */
	ret = may_add(vm, index);
	if (!ret)
		ret = host_share_hyp(run_page(run), want);
	if (ret)
		return ret;
	ret = host_donate_hyp(page, 1, want);
	if (ret)
		goto undo_share;

	vcpu = hyp_va(page);
	vcpu->vm = vm;
	vcpu->run = hyp_va(run);
	vcpu->index = (u32)index;
	guest_regs_reset(&vcpu->regs, vcpu->index);

	spin_lock(&vm->lock);
	vcpu->power = VCPU_ON;
	ret = may_add_locked(vm, index);
	if (!ret) {
		vm->vcpus[index] = vcpu;
		vm->nr_vcpus++;
	}
	spin_unlock(&vm->lock);
	if (!ret)
		return STOCKADE_OK;

	/* Another CPU came first. */
	hyp_donate_host(page);
undo_share:
	host_unshare_hyp(run_page(run));
	return ret;
}

static struct vcpu *find(struct vm *vm, u64 index) REQUIRES_LOCK(vm->lock) REQUIRES(vm)
{
	return index < vm->nr_vcpus ? vm->vcpus[index] : NULL;
}

int vcpu_set_reg(struct vm *vm, u64 index, u64 reg, u64 value)
{
	struct vcpu *vcpu;
	int ret = STOCKADE_OK;

	spin_lock(&vm->lock);
	vcpu = find(vm, index);
	if (!vcpu)
		ret = STOCKADE_ENOENT;
	else if (vm->state != VM_NEW)
		ret = STOCKADE_EPERM;
	else if (reg < ARRAY_SIZE(vcpu->regs.x))
		vcpu->regs.x[reg] = value;
	else if (reg == STOCKADE_REG_PC)
		vcpu->regs.pc = value;
	else if (reg == STOCKADE_REG_POWER_OFF)
		vcpu->power = value ? VCPU_OFF : VCPU_ON;
	else
		ret = STOCKADE_EINVAL;
	spin_unlock(&vm->lock);
	return ret;
}

/* A fraction of a second; a host that means well has stopped its other CPUs before it asks. */
#define STOP_TRIES (1u << 24)

static bool stopped;

bool vcpu_stopped(void)
{
	return __atomic_load_n(&stopped, __ATOMIC_SEQ_CST);
}

void vcpu_stop_all(void)
{
	__atomic_store_n(&stopped, true, __ATOMIC_SEQ_CST);
}

void vcpu_wait_for_exits(void)
{
	for (unsigned int i = 0; i < cpu_count; i++)
		while (__atomic_load_n(&cpu_get(i)->in_guest, __ATOMIC_SEQ_CST))
			;
}

bool vcpu_wait_for_puts(void)
{
	u32 tries = 0;

	for (unsigned int i = 0; i < cpu_count; i++)
		while (__atomic_load_n(&cpu_get(i)->vcpu, __ATOMIC_SEQ_CST))
			if (++tries == STOP_TRIES)
				return false;
	return true;
}

static void unbind(struct cpu *cpu, struct vcpu *vcpu) TAKES(vm)
{
	struct vm *vm = vcpu->vm;

	__atomic_store_n(&cpu->vcpu, NULL, __ATOMIC_RELEASE);
	spin_lock(&vm->lock);
	vcpu->bound = false;
	vm->loaded--;
	spin_unlock(&vm->lock);
}

int vcpu_load(struct vm *vm, u64 index)
{
	struct cpu *cpu = this_cpu();
	struct vcpu *vcpu;
	int ret = STOCKADE_OK;

	if (cpu->vcpu)
		return STOCKADE_EBUSY;
	spin_lock(&vm->lock);
	vcpu = find(vm, index);
	if (!vcpu || vm->state == VM_DYING) {
		ret = STOCKADE_ENOENT;
	} else if (vcpu->bound) {
		ret = STOCKADE_EBUSY;
	} else {
		if (vm->state == VM_NEW)
			vm->state = VM_SEALED;
		vcpu->bound = true;
		vm->loaded++;
	}
	spin_unlock(&vm->lock);
	if (ret)
		return ret;
	/* Either vcpu_wait_for_puts() sees the vCPU bound, or we see vcpu_stop_all(). */
	__atomic_store_n(&cpu->vcpu, vcpu, __ATOMIC_SEQ_CST);
	if (vcpu_stopped()) {
		unbind(cpu, vcpu);
		return STOCKADE_EBUSY;
	}
	if (vm->last_vcpu[cpu->index] != index + 1) {
		tlb_flush_s1_local(vm->world.vttbr);
		vm->last_vcpu[cpu->index] = (u16)(index + 1);
	}
	guest_load(&vcpu->regs);
	return STOCKADE_OK;
}

int vcpu_put_bound(void)
{
	struct cpu *cpu = this_cpu();
	struct vcpu *vcpu = cpu->vcpu;
	struct vm *vm;

	if (!vcpu)
		return STOCKADE_ENOENT;
	vm = vcpu->vm;
	guest_put(&vcpu->regs);
	arch_scrub_stack();
	unbind(cpu, vcpu);
	vm_put(vm);
	return STOCKADE_OK;
}

void vcpu_scrub_locked(struct vcpu *vcpu)
{
	memset(&vcpu->regs, 0, sizeof(vcpu->regs));
	vcpu->on_entry = 0;
	vcpu->on_context = 0;
	dcache_clean_inval_poc(vcpu, sizeof(*vcpu));
}

int vcpu_destroy(struct vm *vm, u64 index)
{
	struct vcpu *vcpu;
	int ret = STOCKADE_OK;

	spin_lock(&vm->lock);
	if (vm->state != VM_DYING) {
		ret = STOCKADE_EINVAL;
		/* From the last one down: indexes stay dense. */
	} else if (!vm->nr_vcpus || index != vm->nr_vcpus - 1) {
		ret = STOCKADE_ENOENT;
	} else {
		vcpu = vm->vcpus[--vm->nr_vcpus];
		/* Now: vm_scrub_registers() on another CPU no longer finds it. */
		vcpu_scrub_locked(vcpu);
	}
	spin_unlock(&vm->lock);
	if (ret)
		return ret;
	host_unshare_hyp(run_page(hyp_pa(vcpu->run)));
	hyp_donate_host(hyp_pa(vcpu));
	return STOCKADE_OK;
}
