/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Taking an exception to EL1 in software, as AArch64.TakeException does it (Arm ARM, J1). Plain
 * arithmetic: the caller moves the results into registers.
 */
#ifndef HYP_ARCH_EXCEPTION_H
#define HYP_ARCH_EXCEPTION_H

#include "lib/types.h"

struct exception {
	u64 pc, pstate;
	u64 esr; /* with the EC of the level that it is taken from */
};

/*
 * A synchronous exception: pstate, SCTLR_EL1 and VBAR_EL1 of the moment; esr with an EC of the "from a
 * lower level" kind, which is changed if the exception is from EL1 itself.
 */
struct exception exception_entry(u64 pstate, u64 sctlr, u64 vbar, u64 esr);

#endif
