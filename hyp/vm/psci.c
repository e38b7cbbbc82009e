// SPDX-License-Identifier: GPL-2.0-only
/* PSCI 1.1 for guests (Arm DEN0022): the host hears what it must, and decides nothing. */
#include <stockade/guestcall.h>

#include "vm/exit.h"

#define PSCI_VERSION_1_1	0x10001
#define MIGRATE_INFO_NOT_NEEDED 2
#define MPIDR_AFFINITY		(GENMASK(39, 32) | GENMASK(23, 0))

bool vm_psci_knows(u32 function)
{
	switch (function) {
	case PSCI_VERSION:
	case PSCI_CPU_SUSPEND_32:
	case PSCI_CPU_SUSPEND_64:
	case PSCI_CPU_OFF:
	case PSCI_CPU_ON_32:
	case PSCI_CPU_ON_64:
	case PSCI_AFFINITY_INFO_32:
	case PSCI_AFFINITY_INFO_64:
	case PSCI_MIGRATE_INFO_TYPE:
	case PSCI_SYSTEM_OFF:
	case PSCI_SYSTEM_RESET:
	case PSCI_FEATURES:
		return true;
	default:
		return false;
	}
}

/* NULL also if mpidr has more in it than affinity. */
static struct vcpu *find(struct vm *vm, u64 mpidr) REQUIRES_LOCK(vm->lock) REQUIRES(vm)
{
	for (u32 i = 0; i < vm->nr_vcpus; i++)
		if ((vm->vcpus[i]->regs.mpidr & MPIDR_AFFINITY) == mpidr)
			return vm->vcpus[i];
	return NULL;
}

static enum stockade_exit cpu_on(struct vcpu *vcpu, u64 mask, struct exit_info *info)
{
	enum stockade_exit reason = STOCKADE_EXIT_NONE;
	struct vm *vm = vcpu->vm;
	u64 *x = vcpu->regs.x;
	struct vcpu *target;
	s64 ret = PSCI_RET_SUCCESS;

	spin_lock(&vm->lock);
	target = find(vm, x[1] & mask);
	if (!target) {
		ret = PSCI_RET_INVALID_PARAMETERS;
	} else if (target->power != VCPU_OFF) {
		ret = target->power == VCPU_ON ? PSCI_RET_ALREADY_ON : PSCI_RET_ON_PENDING;
	} else {
		target->power = VCPU_ON_PENDING;
		target->on_entry = x[2] & mask;
		target->on_context = x[3] & mask;
		info->arg = target->index;
		reason = STOCKADE_EXIT_CPU_ON;
	}
	spin_unlock(&vm->lock);
	x[0] = (u64)ret;
	return reason;
}

static enum stockade_exit cpu_off(struct vcpu *vcpu)
{
	spin_lock(&vcpu->vm->lock);
	vcpu->power = VCPU_OFF;
	spin_unlock(&vcpu->vm->lock);
	return STOCKADE_EXIT_CPU_OFF;
}

static s64 affinity_info(struct vcpu *vcpu, u64 mpidr, u64 level)
{
	static const u8 answers[] = {
		[VCPU_OFF] = PSCI_AFFINITY_OFF,
		[VCPU_ON_PENDING] = PSCI_AFFINITY_ON_PENDING,
		[VCPU_ON] = PSCI_AFFINITY_ON,
	};
	struct vcpu *target;
	s64 ret = PSCI_RET_INVALID_PARAMETERS;

	/* From PSCI 1.0 on, levels above 0 need not be supported. */
	if (level)
		return ret;
	spin_lock(&vcpu->vm->lock);
	target = find(vcpu->vm, mpidr);
	if (target)
		ret = answers[target->power];
	spin_unlock(&vcpu->vm->lock);
	return ret;
}

static enum stockade_exit end(struct vcpu *vcpu, enum stockade_exit reason)
{
	vm_end(vcpu->vm);
	return reason;
}

enum stockade_exit exit_psci(struct vcpu *vcpu, struct exit_info *info)
{
	u64 *x = vcpu->regs.x;

	switch ((u32)x[0]) {
	case PSCI_VERSION:
		x[0] = PSCI_VERSION_1_1;
		break;
	case PSCI_CPU_SUSPEND_32:
	case PSCI_CPU_SUSPEND_64:
		/* Every state is a standby: as WFI. */
		x[0] = PSCI_RET_SUCCESS;
		return STOCKADE_EXIT_WFI;
	case PSCI_CPU_OFF:
		return cpu_off(vcpu);
	case PSCI_CPU_ON_32:
		return cpu_on(vcpu, 0xffffffff, info);
	case PSCI_CPU_ON_64:
		return cpu_on(vcpu, ~0ull, info);
	case PSCI_AFFINITY_INFO_32:
		x[0] = (u64)affinity_info(vcpu, (u32)x[1], (u32)x[2]);
		break;
	case PSCI_AFFINITY_INFO_64:
		x[0] = (u64)affinity_info(vcpu, x[1], x[2]);
		break;
	case PSCI_MIGRATE_INFO_TYPE:
		x[0] = MIGRATE_INFO_NOT_NEEDED;
		break;
	case PSCI_SYSTEM_OFF:
		return end(vcpu, STOCKADE_EXIT_SYSTEM_OFF);
	case PSCI_SYSTEM_RESET:
		return end(vcpu, STOCKADE_EXIT_SYSTEM_RESET);
	default: /* PSCI_FEATURES */
		x[0] = vm_psci_knows((u32)x[1]) || (u32)x[1] == SMCCC_VERSION ?
			       PSCI_RET_SUCCESS :
			       (u64)PSCI_RET_NOT_SUPPORTED;
		break;
	}
	return STOCKADE_EXIT_NONE;
}
