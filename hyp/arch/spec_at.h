/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arm errata 1319367 (Cortex-A72), 1319537 (A57), 1165522 (A76), 1530923 (A55): a speculative AT may fill the
 * TLB with a mix of two sides' translation registers while they are being changed. The way out is to change
 * them while walks of stage 1 are off.
 */
#ifndef HYP_ARCH_SPEC_AT_H
#define HYP_ARCH_SPEC_AT_H

#include "arch/sysreg.h"

static inline bool has_spec_at_erratum(void)
{
	switch (read_sysreg(midr_el1) & MIDR_PART_MASK) {
	case MIDR_CORTEX_A55:
	case MIDR_CORTEX_A57:
	case MIDR_CORTEX_A72:
	case MIDR_CORTEX_A76:
		return true;
	default:
		return false;
	}
}

/* What is in the registers now. No walk of stage 1 until spec_at_enable(). */
static inline void spec_at_disable(u64 sctlr, u64 tcr)
{
	if (!has_spec_at_erratum())
		return;
	write_sysreg(tcr | TCR_EPD0 | TCR_EPD1, tcr_el1);
	isb();
	write_sysreg(sctlr | SCTLR_EL1_M, sctlr_el1);
	isb();
}

/* All other translation registers, stage 2's too, are in: SCTLR_EL1 and TCR_EL1 follow. */
static inline void spec_at_enable(u64 sctlr, u64 tcr)
{
	bool erratum = has_spec_at_erratum();

	if (erratum)
		isb();
	write_sysreg(sctlr, sctlr_el1);
	if (erratum)
		isb();
	write_sysreg(tcr, tcr_el1);
}

#endif
