/* SPDX-License-Identifier: GPL-2.0-only */
/* The target's names of registers and fields; the registers themselves are the fake's (insn.c). */
#ifndef FAKE_ARCH_SYSREG_H
#define FAKE_ARCH_SYSREG_H

#include "../../../hyp/arch/sysreg.h"

#undef read_sysreg
#undef write_sysreg
#undef isb

u64 fake_sysreg_read(const char *name);
void fake_sysreg_write(const char *name, u64 value);
void fake_isb(void);

#define read_sysreg(reg)	 fake_sysreg_read(#reg)
#define write_sysreg(value, reg) fake_sysreg_write(#reg, value)
#define isb()			 fake_isb()

#endif
