// SPDX-License-Identifier: GPL-2.0-only
#include "arch/host_el2.h"

#include "arch/sysreg.h"
#include "mem/host_map.h"

/* Fine-grained traps, in the order of host_el2.fgt[]; the second five are FEAT_FGT2's. */
#define FOR_EACH_FGT(op)                                                                         \
	op(0, SYS_HFGRTR_EL2) op(1, SYS_HFGWTR_EL2) op(2, SYS_HFGITR_EL2) op(3, SYS_HDFGRTR_EL2) \
		op(4, SYS_HDFGWTR_EL2)
#define FOR_EACH_FGT2(op)                                                    \
	op(6, SYS_HFGRTR2_EL2) op(7, SYS_HFGWTR2_EL2) op(8, SYS_HFGITR2_EL2) \
		op(9, SYS_HDFGRTR2_EL2) op(10, SYS_HDFGWTR2_EL2)

/* Registers that go with a feature: is it there, field of struct host_el2, name. */
#define FOR_EACH_OPTIONAL(op)                                                                      \
	op(has_field(ID_MMFR1_HCX, read_sysreg(id_aa64mmfr1_el1)), hcrx, SYS_HCRX_EL2)             \
		op(has_field(ID_PFR0_MPAM, read_sysreg(id_aa64pfr0_el1)), mpam2, SYS_MPAM2_EL2)    \
			op(has_field(ID_DFR0_SPE, read_sysreg(id_aa64dfr0_el1)), pmscr,            \
			   SYS_PMSCR_EL2) op(has_field(ID_DFR0_TRF, read_sysreg(id_aa64dfr0_el1)), \
					     trfcr, SYS_TRFCR_EL2)                                 \
				op(has_field(ID_DFR0_BRBE, read_sysreg(id_aa64dfr0_el1)), brbcr,   \
				   SYS_BRBCR_EL2)

static bool has_field(u64 mask, u64 id)
{
	return FIELD_GET(mask, id);
}

static u64 fgt_level(void)
{
	return FIELD_GET(ID_MMFR0_FGT, read_sysreg(id_aa64mmfr0_el1));
}

static bool has_amu(void)
{
	return FIELD_GET(ID_PFR0_AMU, read_sysreg(id_aa64pfr0_el1));
}

/* Fields of ID registers that the hypervisor, or a guest's view, depends on. */
bool host_el2_matches(void)
{
	static u64 first[6];
	static bool known;
	u64 now[] = {
		read_sysreg(id_aa64pfr0_el1) &
			(ID_PFR0_GIC | ID_PFR0_SVE | ID_PFR0_RAS | ID_PFR0_MPAM | ID_PFR0_AMU),
		read_sysreg(id_aa64pfr1_el1) & (ID_PFR1_MTE | ID_PFR1_SME),
		read_sysreg(id_aa64dfr0_el1) & (ID_DFR0_SPE | ID_DFR0_TRF | ID_DFR0_BRBE),
		read_sysreg(id_aa64mmfr0_el1) & (ID_MMFR0_PARANGE | ID_MMFR0_FGT),
		read_sysreg(id_aa64mmfr1_el1) & ID_MMFR1_HCX,
		read_sysreg_s(SYS_ID_AA64MMFR2_EL1) & ID_MMFR2_FWB,
	};
	bool same = true;

	for (unsigned int i = 0; i < ARRAY_SIZE(now); i++) {
		if (!known)
			first[i] = now[i];
		same = same && first[i] == now[i];
	}
	known = true;
	return same;
}

void host_el2_capture(struct cpu *cpu)
{
	struct host_el2 *h = &cpu->host_el2;

	h->hcr = read_sysreg(hcr_el2);
	h->cptr = read_sysreg(cptr_el2);
	h->mdcr = read_sysreg(mdcr_el2);
	h->cnthctl = read_sysreg(cnthctl_el2);
	h->icc_sre = read_sysreg_s(SYS_ICC_SRE_EL2);
	h->vpidr = read_sysreg(vpidr_el2);
	h->vmpidr = read_sysreg(vmpidr_el2);
	if (has_field(ID_PFR0_SVE, read_sysreg(id_aa64pfr0_el1)))
		h->zcr = read_sysreg_s(SYS_ZCR_EL2);
	if (has_field(ID_PFR1_SME, read_sysreg(id_aa64pfr1_el1)))
		h->smcr = read_sysreg_s(SYS_SMCR_EL2);
	h->hstr = read_sysreg(hstr_el2);
#define CAPTURE_IF(has, field, reg) \
	if (has)                    \
		h->field = read_sysreg_s(reg);
	FOR_EACH_OPTIONAL(CAPTURE_IF)
#define CAPTURE(i, reg) h->fgt[i] = read_sysreg_s(reg);
	if (fgt_level() >= 1) {
		FOR_EACH_FGT(CAPTURE)
		if (has_amu())
			h->fgt[5] = read_sysreg_s(SYS_HAFGRTR_EL2);
	}
	if (fgt_level() >= 2) {
		FOR_EACH_FGT2(CAPTURE)
	}
}

u64 host_el2_cptr(const struct cpu *cpu)
{
	u64 cptr = cpu->host_el2.cptr;

	return cpu->fp_owner ? cptr | CPTR_TFP | CPTR_TZ | CPTR_TSM : cptr;
}

static void restore(const struct host_el2 *h)
{
	write_sysreg(h->mdcr, mdcr_el2);
	write_sysreg(h->cnthctl, cnthctl_el2);
	write_sysreg(0, cntvoff_el2);
	write_sysreg_s(h->icc_sre, SYS_ICC_SRE_EL2);
	write_sysreg(h->vpidr, vpidr_el2);
	write_sysreg(h->vmpidr, vmpidr_el2);
	/* The vector lengths are behind CPTR_EL2's traps for EL2 too. */
	write_sysreg(h->cptr & ~(CPTR_TZ | CPTR_TSM | CPTR_TFP), cptr_el2);
	isb();
	if (has_field(ID_PFR0_SVE, read_sysreg(id_aa64pfr0_el1)))
		write_sysreg_s(h->zcr, SYS_ZCR_EL2);
	if (has_field(ID_PFR1_SME, read_sysreg(id_aa64pfr1_el1)))
		write_sysreg_s(h->smcr, SYS_SMCR_EL2);
	write_sysreg(h->hstr, hstr_el2);
#define RESTORE_IF(has, field, reg) \
	if (has)                    \
		write_sysreg_s(h->field, reg);
	FOR_EACH_OPTIONAL(RESTORE_IF)
#define RESTORE(i, reg) write_sysreg_s(h->fgt[i], reg);
	if (fgt_level() >= 1) {
		FOR_EACH_FGT(RESTORE)
		if (has_amu())
			write_sysreg_s(h->fgt[5], SYS_HAFGRTR_EL2);
	}
	if (fgt_level() >= 2) {
		FOR_EACH_FGT2(RESTORE)
	}
}

void host_el2_enter(struct cpu *cpu)
{
	u64 hcr = cpu->host_el2.hcr | HCR_TSC;

	restore(&cpu->host_el2);
	write_sysreg(host_el2_cptr(cpu), cptr_el2);
	if (cpu->protected) {
		write_sysreg(guest_vtcr(host_map.ia_bits), vtcr_el2);
		write_sysreg(host_map.vttbr, vttbr_el2);
		hcr |= HCR_VM;
	}
	write_sysreg(hcr, hcr_el2);
	write_sysreg((u64)host_vectors, vbar_el2);
}

void host_el2_restore(struct cpu *cpu)
{
	restore(&cpu->host_el2);
	write_sysreg(cpu->host_el2.cptr, cptr_el2);
	write_sysreg(0, vttbr_el2);
	write_sysreg(cpu->host_el2.hcr, hcr_el2);
}

void host_el2_reset_el1(void)
{
	write_sysreg(SCTLR_EL1_RESET, sctlr_el1);
	write_sysreg(0, cpacr_el1);
	write_sysreg(0, mdscr_el1);
	write_sysreg(0, cntkctl_el1);
}
