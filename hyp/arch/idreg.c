// SPDX-License-Identifier: GPL-2.0-only
#include "arch/idreg.h"

#include "arch/sysreg.h"

u64 arch_idreg(unsigned int crm, unsigned int op2)
{
	switch (crm << 4 | op2) {
	case 0x40:
		return read_sysreg(id_aa64pfr0_el1);
	case 0x41:
		return read_sysreg(id_aa64pfr1_el1);
	case 0x50:
		return read_sysreg(id_aa64dfr0_el1);
	case 0x60:
		return read_sysreg(id_aa64isar0_el1);
	case 0x61:
		return read_sysreg(id_aa64isar1_el1);
	case 0x62:
		return read_sysreg_s(SYS_ID_AA64ISAR2_EL1);
	case 0x70:
		return read_sysreg(id_aa64mmfr0_el1);
	case 0x71:
		return read_sysreg(id_aa64mmfr1_el1);
	case 0x72:
		return read_sysreg_s(SYS_ID_AA64MMFR2_EL1);
	default:
		return 0;
	}
}

u64 arch_ctr(void)
{
	return read_sysreg(ctr_el0);
}

u64 arch_clidr(void)
{
	return read_sysreg(clidr_el1);
}

u64 arch_ccsidr(u64 csselr)
{
	u64 saved = read_sysreg(csselr_el1), value;

	write_sysreg(csselr, csselr_el1);
	isb();
	value = read_sysreg(ccsidr_el1);
	write_sysreg(saved, csselr_el1);
	isb();
	return value;
}
