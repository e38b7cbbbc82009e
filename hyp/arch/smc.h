/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HYP_ARCH_SMC_H
#define HYP_ARCH_SMC_H

#include "lib/types.h"

/* SMC #0 with x0-x17 from and to x[0..17] (SMCCC DEN0028, 2.5). */
void smc_forward(u64 *x);

static inline u64 smc_call(u64 function, u64 a1, u64 a2, u64 a3)
{
	u64 x[18] = { function, a1, a2, a3 };

	smc_forward(x);
	return x[0];
}

#endif
