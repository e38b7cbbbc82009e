// SPDX-License-Identifier: GPL-2.0-only
#include "vm/exit.h"

#include <stockade/guestcall.h>

#include "arch/esr.h"

void vcpu_inject_undef(struct vcpu *vcpu)
{
	guest_inject_sync(&vcpu->regs, FIELD_PUT(ESR_EC, EC_UNKNOWN) | ESR_IL, 0);
}

static enum stockade_exit exit_wfx(struct vcpu *vcpu)
{
	vcpu_skip(vcpu);
	return STOCKADE_EXIT_WFI;
}

enum stockade_exit exit_sync(struct vcpu *vcpu, struct exit_info *info)
{
	switch (FIELD_GET(ESR_EC, vcpu->regs.esr)) {
	case EC_WFX:
		return exit_wfx(vcpu);
	case EC_FP:
		guest_use_fp(&vcpu->regs);
		return STOCKADE_EXIT_NONE;
	case EC_PAUTH:
		if (arch_has_pauth())
			guest_use_pauth(&vcpu->regs);
		else
			vcpu_inject_undef(vcpu);
		return STOCKADE_EXIT_NONE;
	case EC_HVC64:
		return exit_call(vcpu, info);
	case EC_SMC64:
		/* The conduit is HVC. */
		vcpu->regs.x[0] = (u64)SMCCC_RET_NOT_SUPPORTED;
		vcpu_skip(vcpu);
		return STOCKADE_EXIT_NONE;
	case EC_SYS64:
		return exit_sysreg(vcpu, info);
	case EC_IABT_LOWER:
	case EC_DABT_LOWER:
		return exit_abort(vcpu, info);
	default:
		vcpu_inject_undef(vcpu);
		return STOCKADE_EXIT_NONE;
	}
}
