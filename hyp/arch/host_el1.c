// SPDX-License-Identifier: GPL-2.0-only
#include "arch/host_el1.h"

#include "arch/exception.h"
#include "arch/sysreg.h"
#include "mem/pte.h"

u64 at_translate(u64 va);

u64 host_trap_esr(void)
{
	return read_sysreg(esr_el2);
}

bool host_translate(u64 va, pa_t *pa)
{
	u64 saved = read_sysreg(par_el1), par;
	/* Of the host's trap; an abort of the walk would overwrite them. */
	u64 elr = read_sysreg(elr_el2), spsr = read_sysreg(spsr_el2);
	u64 esr = read_sysreg(esr_el2), far = read_sysreg(far_el2);

	par = at_translate(va);
	write_sysreg(saved, par_el1);
	write_sysreg(elr, elr_el2);
	write_sysreg(spsr, spsr_el2);
	write_sysreg(esr, esr_el2);
	write_sysreg(far, far_el2);
	*pa = (par & PTE_ADDR) | (va & (PAGE_SIZE - 1));
	return !(par & 1);
}

void host_abort_read(struct host_abort *abort)
{
	u64 esr = host_trap_esr();
	u64 fsc = esr & FSC_TYPE;

	abort->far = read_sysreg(far_el2);
	abort->pc = read_sysreg(elr_el2);
	abort->user = (read_sysreg(spsr_el2) & (PSR_MODE | PSR_AARCH32)) == PSR_EL0T ||
		      (read_sysreg(spsr_el2) & PSR_AARCH32);
	abort->fetch = FIELD_GET(ESR_EC, esr) == EC_IABT_LOWER;
	abort->walk = esr & ESR_S1PTW;
	abort->permission = fsc == FSC_PERMISSION;
	abort->tlb_conflict = (esr & ESR_FSC) == FSC_TLB_CONFLICT;
	abort->other = fsc != FSC_TRANSLATION && fsc != FSC_ACCESS && !abort->permission;
	abort->ipa_known = true;
	if (abort->walk || !abort->permission) {
		/* HPFAR_EL2 has IPA[51:12] from bit 4 on, and no offset. */
		abort->ipa = (read_sysreg(hpfar_el2) & GENMASK(43, 4)) << 8;
		return;
	}
	abort->ipa_known = host_translate(abort->far, &abort->ipa);
	abort->ipa &= PAGE_MASK;
}

static void inject(u64 esr, u64 far)
{
	u64 pstate = read_sysreg(spsr_el2), pc = read_sysreg(elr_el2);
	struct exception e = exception_entry(pstate, read_sysreg(sctlr_el1), read_sysreg(vbar_el1),
					     esr | ESR_IL);

	write_sysreg(pc, elr_el1);
	write_sysreg(pstate, spsr_el1);
	write_sysreg(e.esr, esr_el1);
	write_sysreg(far, far_el1);
	write_sysreg(e.pc, elr_el2);
	write_sysreg(e.pstate, spsr_el2);
}

void host_inject_fault(enum host_fault_kind kind)
{
	u64 esr = host_trap_esr();
	u64 fsc = kind == HOST_FAULT_TAG_CHECK ? FSC_TAG_CHECK :
		  kind == HOST_FAULT_ALIGNMENT ? FSC_ALIGNMENT :
		  esr & ESR_S1PTW	       ? FSC_SEA_WALK | 3 :
						 FSC_SEA;

	inject((esr & (ESR_EC | ESR_WNR | ESR_CM)) | fsc, read_sysreg(far_el2));
}

void host_inject_undef(void)
{
	inject(FIELD_PUT(ESR_EC, EC_UNKNOWN), 0);
}

void host_skip_instruction(void)
{
	write_sysreg(read_sysreg(elr_el2) + 4, elr_el2);
}

void host_set_entry(u64 pc)
{
	write_sysreg(pc, elr_el2);
	write_sysreg(PSR_EL1H | PSR_DAIF, spsr_el2);
}

void host_step_start(void)
{
	/*
	 * The OS lock, set out of reset, would hold software step back. So would the OS double lock:
	 * firmware sets it on the way down (TF-A for Cortex-A72), and not every CPU is reset in between.
	 */
	write_sysreg(0, osdlr_el1);
	write_sysreg(0, oslar_el1);
	write_sysreg(read_sysreg(mdcr_el2) | MDCR_TDE, mdcr_el2);
	write_sysreg(MDSCR_SS, mdscr_el1);
	host_step_next();
}

void host_step_next(void)
{
	write_sysreg(read_sysreg(spsr_el2) | PSR_SS, spsr_el2);
}

void host_step_stop(u64 mdcr)
{
	write_sysreg(0, mdscr_el1);
	write_sysreg(mdcr, mdcr_el2);
	write_sysreg(read_sysreg(spsr_el2) & ~PSR_SS, spsr_el2);
	write_sysreg(1, oslar_el1);
}

u64 host_ich_vtr(void)
{
	return read_sysreg_s(SYS_ICH_VTR_EL2);
}
