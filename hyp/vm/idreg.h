/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a protected guest may know of the CPU: an allow-list of ID register fields. What is not listed
 * reads as not implemented, and traps as UNDEF where the architecture lets it.
 */
#ifndef HYP_VM_IDREG_H
#define HYP_VM_IDREG_H

#include "lib/types.h"

/* ID registers are (op0 3, op1 0, CRn 0), CRm 1 to 7. Reserved ones read as 0. */
u64 idreg_guest_value(unsigned int crm, unsigned int op2, unsigned int ipa_bits);

#endif
