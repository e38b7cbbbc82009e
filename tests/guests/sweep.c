// SPDX-License-Identifier: GPL-2.0-only
/*
 * CMD_SWEEP: what becomes of MRS of every system register that can be encoded. None is left out: an
 * interrupt acknowledge finds nothing pending, a random number is just one.
 */
#include "guest.h"

#define MRS_X0 0xd5300000u /* op0 = 2: bit 19 is the rest of it */
#define RET    0xd65f03c0u

/* FP, SVE and SME are not this level's to trap: then EL2 does. */
#define CPACR_ALL (3ul << 16 | 3ul << 20 | 3ul << 24)

u64 sweep(u64 buffer)
{
	u32 *code = (u32 *)buffer;
	u8 *outcome = (u8 *)(buffer + SWEEP_OUTCOMES);
	struct sweep_value *value = (struct sweep_value *)(buffer + SWEEP_VALUES);
	u64 cpacr = read_sysreg(cpacr_el1), line;
	struct cpu *cpu = this_cpu();
	unsigned int n = 0;
	u32 i;

	for (i = 0; i < SWEEP_COUNT; i++) {
		code[2 * i] = MRS_X0 | i << 5;
		code[2 * i + 1] = RET;
	}
	for (line = buffer; line < buffer + SWEEP_OUTCOMES; line += 16)
		asm volatile("dc cvau, %0; dsb ish; ic ivau, %0" ::"r"(line) : "memory");
	asm volatile("dsb ish; isb" ::: "memory");

	write_sysreg(CPACR_ALL, cpacr_el1);
	for (i = 0; i < SWEEP_COUNT; i++) {
		u64 (*mrs)(void) = (u64(*)(void))(code + 2 * i);
		u64 v;

		cpu->esr = 0;
		v = mrs();
		outcome[i] = cpu->esr ? (u8)(cpu->esr >> 26) : SWEEP_READ;
		if (!cpu->esr && n < SWEEP_MAX_VALUES)
			value[n++] = (struct sweep_value){ i, v };
	}
	cpu->esr = 0;
	write_sysreg(cpacr, cpacr_el1);
	return n;
}
