// SPDX-License-Identifier: GPL-2.0-only
/* Calls of guests (stockade/guestcall.h): SMCCC, KVM's vendor-specific service, PSCI. */
#include <stockade/guestcall.h>

#include "arch/cpu.h"
#include "arch/esr.h"
#include "arch/smc.h"
#include "vm/exit.h"

#define SMCCC_VERSION_1_1 0x10001

static void result(struct vcpu *vcpu, u64 r0)
{
	vcpu->regs.x[0] = r0;
}

static void result4(struct vcpu *vcpu, u64 r0, u64 r1, u64 r2, u64 r3)
{
	vcpu->regs.x[0] = r0;
	vcpu->regs.x[1] = r1;
	vcpu->regs.x[2] = r2;
	vcpu->regs.x[3] = r3;
}

static u64 features(void)
{
	return BIT(GUESTCALL_KVM_FEATURES & 0x7f) | BIT(GUESTCALL_HYP_MEMINFO & 0x7f) |
	       BIT(GUESTCALL_MEM_SHARE & 0x7f) | BIT(GUESTCALL_MEM_UNSHARE & 0x7f) |
	       BIT(GUESTCALL_MMIO_GUARD & 0x7f) | BIT(GUESTCALL_MEM_RELINQUISH & 0x7f);
}

/* The host is asked for a page; then the guest calls once more. */
static enum stockade_exit ask_for_page(struct vcpu *vcpu, struct exit_info *info)
{
	info->abort_ipa = vcpu->regs.x[1];
	info->abort_flags = STOCKADE_ABORT_WRITE;
	vcpu->regs.pc -= 4;
	/* No memory there, says the host: an external abort at the call, with FAR 0. */
	vcpu->regs.esr = FIELD_PUT(ESR_EC, EC_DABT_LOWER);
	vcpu->regs.far = 0;
	vcpu->abort_pending = true;
	vcpu->abort_has_syndrome = false;
	return STOCKADE_EXIT_ABORT;
}

bool vcpu_fast_call(void)
{
	struct vcpu *vcpu = this_cpu()->vcpu;
	const u64 *x = vcpu->regs.x;
	bool more_args = x[2] | x[3];
	int ret;

	switch ((u32)x[0]) {
	case GUESTCALL_HYP_MEMINFO:
		result(vcpu, x[1] || more_args ? (u64)SMCCC_RET_INVALID_PARAMETER : PAGE_SIZE);
		return true;
	case GUESTCALL_MEM_SHARE:
		ret = more_args ? STOCKADE_EINVAL : guest_share_host(&vcpu->vm->mem, x[1]);
		if (ret == STOCKADE_ENOENT)
			return false;
		break;
	case GUESTCALL_MEM_UNSHARE:
		ret = more_args ? STOCKADE_EINVAL : guest_unshare_host(&vcpu->vm->mem, x[1]);
		break;
	case SMCCC_ARCH_WORKAROUND_1:
	case SMCCC_ARCH_WORKAROUND_3:
		result(vcpu, smc_call(x[0], 0, 0, 0));
		return true;
	default:
		return false;
	}
	result(vcpu, ret ? (u64)SMCCC_RET_INVALID_PARAMETER : SMCCC_RET_SUCCESS);
	return true;
}

static enum stockade_exit relinquish(struct vcpu *vcpu, struct exit_info *info)
{
	u64 *x = vcpu->regs.x;
	u64 ipa = x[1];
	int ret = x[2] || x[3] ? STOCKADE_EINVAL : guest_relinquish(&vcpu->vm->mem, ipa);

	result(vcpu, ret ? (u64)SMCCC_RET_INVALID_PARAMETER : SMCCC_RET_SUCCESS);
	if (ret)
		return STOCKADE_EXIT_NONE;
	/* The host lets go of the page. */
	info->arg = ipa;
	return STOCKADE_EXIT_RELINQUISH;
}

static enum stockade_exit guard_mmio(struct vcpu *vcpu, struct exit_info *info)
{
	u64 *x = vcpu->regs.x;
	int ret = x[2] || x[3] ? STOCKADE_EINVAL :
				 guest_guard_mmio(&vcpu->vm->mem, x[1], &info->arg);

	if (ret == STOCKADE_ENOMEM) {
		vcpu->regs.pc -= 4; /* once more, with tables */
		return STOCKADE_EXIT_TOPUP;
	}
	result(vcpu, ret ? (u64)SMCCC_RET_INVALID_PARAMETER : SMCCC_RET_SUCCESS);
	return STOCKADE_EXIT_NONE;
}

/* SMCCC_ARCH_FEATURES: what firmware says of its workarounds holds for guests, as they run on its CPUs. */
static u64 arch_features(u32 function)
{
	u64 answer;

	switch (function) {
	case SMCCC_VERSION:
	case SMCCC_ARCH_FEATURES:
		return SMCCC_RET_SUCCESS;
	case SMCCC_ARCH_WORKAROUND_1:
	case SMCCC_ARCH_WORKAROUND_3:
		return smc_call(SMCCC_ARCH_FEATURES, function, 0, 0);
	case SMCCC_ARCH_WORKAROUND_2:
		/* Its switch is the host's: a guest may only hear that there is nothing to switch. */
		answer = smc_call(SMCCC_ARCH_FEATURES, function, 0, 0);
		return answer == SMCCC_ARCH_WORKAROUND_RET_UNAFFECTED ?
			       answer :
			       (u64)SMCCC_RET_NOT_SUPPORTED;
	default:
		return (u64)SMCCC_RET_NOT_SUPPORTED;
	}
}

enum stockade_exit exit_call(struct vcpu *vcpu, struct exit_info *info)
{
	u64 *x = vcpu->regs.x;
	u32 function = (u32)x[0];

	if (vm_psci_knows(function))
		return exit_psci(vcpu, info);

	switch (function) {
	case SMCCC_VERSION:
		result(vcpu, SMCCC_VERSION_1_1);
		break;
	case GUESTCALL_VENDOR_UID:
		result4(vcpu, GUESTCALL_UID_0, GUESTCALL_UID_1, GUESTCALL_UID_2, GUESTCALL_UID_3);
		break;
	case GUESTCALL_KVM_FEATURES:
		result4(vcpu, features(), 0, 0, 0);
		break;
	case GUESTCALL_MEM_SHARE:
		/* Of a page that is not there yet, or the short way would have done it. */
		return ask_for_page(vcpu, info);
	case GUESTCALL_MMIO_GUARD:
		return guard_mmio(vcpu, info);
	case GUESTCALL_MEM_RELINQUISH:
		return relinquish(vcpu, info);
	case SMCCC_ARCH_FEATURES:
		result(vcpu, arch_features((u32)x[1]));
		break;
	case TRNG_VERSION:
	case TRNG_FEATURES:
	case TRNG_GET_UUID:
	case TRNG_RND_32:
	case TRNG_RND_64:
		vm_trng(vcpu);
		break;
	default:
		result(vcpu, (u64)SMCCC_RET_NOT_SUPPORTED);
		break;
	}
	return STOCKADE_EXIT_NONE;
}
