// SPDX-License-Identifier: GPL-2.0-only
/* A guest touched what its stage 2 does not map: memory to come, or MMIO. */
#include "arch/esr.h"
#include "vm/exit.h"

#define X_ZERO 31

static u64 access_size(const struct vcpu *vcpu)
{
	return 1ull << FIELD_GET(ESR_SAS, vcpu->regs.esr);
}

u64 vcpu_store_value(const struct vcpu *vcpu)
{
	u64 reg = FIELD_GET(ESR_SRT, vcpu->regs.esr);
	u64 size = access_size(vcpu);

	if (reg == X_ZERO)
		return 0;
	return size == 8 ? vcpu->regs.x[reg] : vcpu->regs.x[reg] & (BIT(size * 8) - 1);
}

void vcpu_finish_load(struct vcpu *vcpu, u64 value)
{
	u64 esr = vcpu->regs.esr;
	u64 reg = FIELD_GET(ESR_SRT, esr);
	u64 bits = access_size(vcpu) * 8;

	if (reg == X_ZERO)
		return;
	if (bits < 64) {
		value &= BIT(bits) - 1;
		if ((esr & ESR_SSE) && (value & BIT(bits - 1)))
			value |= ~(BIT(bits) - 1);
	}
	vcpu->regs.x[reg] = esr & ESR_SF ? value : (u32)value;
}

void vcpu_inject_external_abort(struct vcpu *vcpu)
{
	u64 esr = vcpu->regs.esr & (ESR_EC | ESR_WNR | ESR_CM);

	guest_inject_sync(&vcpu->regs, esr | ESR_IL | FSC_SEA, vcpu->regs.far);
}

enum stockade_exit exit_abort(struct vcpu *vcpu, struct exit_info *info)
{
	u64 esr = vcpu->regs.esr;
	bool fetch = FIELD_GET(ESR_EC, esr) == EC_IABT_LOWER;
	u64 fsc = esr & FSC_TYPE, ipa;

	if (!guest_fault_ipa(&vcpu->regs, &ipa))
		return STOCKADE_EXIT_NONE;
	/* Its memory is readable, writable and executable: nothing else can go wrong there. */
	if (fsc != FSC_TRANSLATION || ipa >= BIT(vcpu->vm->mem.map.ia_bits)) {
		vcpu_inject_external_abort(vcpu);
		return STOCKADE_EXIT_NONE;
	}

	info->abort_ipa = ipa;
	if (guest_is_poisoned(&vcpu->vm->mem, ipa))
		return STOCKADE_EXIT_POISON;
	info->abort_flags = (fetch ? STOCKADE_ABORT_FETCH : 0);
	if (!fetch && !(esr & (ESR_S1PTW | ESR_CM)) && (esr & ESR_WNR))
		info->abort_flags |= STOCKADE_ABORT_WRITE;
	/* Only what may be MMIO can be emulated: of memory the host shall not see an access. */
	vcpu->abort_has_syndrome = !fetch && (esr & ESR_ISV) && !(esr & (ESR_S1PTW | ESR_CM)) &&
				   guest_is_mmio(&vcpu->vm->mem, ipa);
	vcpu->abort_is_load = !(info->abort_flags & STOCKADE_ABORT_WRITE);
	vcpu->abort_pending = true;
	if (vcpu->abort_has_syndrome) {
		info->abort_flags |= STOCKADE_ABORT_SYNDROME;
		info->abort_size = (u32)access_size(vcpu);
		info->abort_ipa |= vcpu->regs.far & (PAGE_SIZE - 1);
	}
	return STOCKADE_EXIT_ABORT;
}
