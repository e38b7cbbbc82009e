// SPDX-License-Identifier: GPL-2.0-only
#include "arch/exception.h"

#include "arch/sysreg.h"

#define VECTOR_EL1T   0x000
#define VECTOR_EL1H   0x200
#define VECTOR_EL0_64 0x400
#define VECTOR_EL0_32 0x600

struct exception exception_entry(u64 pstate, u64 sctlr, u64 vbar, u64 esr)
{
	u64 ec = FIELD_GET(ESR_EC, esr), offset;
	struct exception e;

	if (pstate & PSR_AARCH32) {
		offset = VECTOR_EL0_32;
	} else if ((pstate & PSR_MODE) == PSR_EL0T) {
		offset = VECTOR_EL0_64;
	} else {
		offset = (pstate & PSR_MODE) == PSR_EL1T ? VECTOR_EL1T : VECTOR_EL1H;
		if (ec == EC_IABT_LOWER || ec == EC_DABT_LOWER)
			ec++;
	}
	/* Kept: NZCV (there is no AArch32 state above EL0 to convert), DIT, PAN, TCO. */
	e.pstate = PSR_EL1H | PSR_DAIF | (pstate & (PSR_NZCV | PSR_PAN | PSR_DIT));
	if (pstate & PSR_AARCH32)
		e.pstate &= ~PSR_DIT; /* at another place in an AArch32 SPSR, and not needed */
	else
		e.pstate |= pstate & PSR_TCO;
	if (!(sctlr & SCTLR_EL1_SPAN))
		e.pstate |= PSR_PAN;
	if (sctlr & SCTLR_EL1_DSSBS)
		e.pstate |= PSR_SSBS;
	e.pc = vbar + offset;
	e.esr = (esr & ~ESR_EC) | FIELD_PUT(ESR_EC, ec);
	return e;
}
