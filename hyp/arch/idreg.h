/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HYP_ARCH_IDREG_H
#define HYP_ARCH_IDREG_H

#include "lib/types.h"

/* This CPU's AArch64 ID register (3, 0, 0, crm, op2), crm 4 to 7; one that is not known: 0. */
u64 arch_idreg(unsigned int crm, unsigned int op2);

u64 arch_ctr(void);
u64 arch_clidr(void);
/* CCSIDR_EL1 for a value of CSSELR_EL1. */
u64 arch_ccsidr(u64 csselr);

#endif
