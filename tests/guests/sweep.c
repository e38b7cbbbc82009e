// SPDX-License-Identifier: GPL-2.0-only
/*
 * CMD_SWEEP: what becomes of MRS of every system register that can be encoded, and where that is refused, of
 * MSR of 0. None is left out: an interrupt acknowledge finds nothing pending, a random number is just one, and
 * what can be written only does nothing when it is 0.
 */
#include "guest.h"

#define MRS_X0 0xd5300000u /* op0 = 2: bit 19 is the rest of it */
#define MSR_X0 0xd5100000u
#define RET    0xd65f03c0u

/* FP, SVE and SME are not this level's to trap: then EL2 does. */
#define CPACR_ALL (3ul << 16 | 3ul << 20 | 3ul << 24)

static void write_code(u32 *code, u32 insn)
{
	u32 i;

	for (i = 0; i < SWEEP_COUNT; i++) {
		code[2 * i] = insn | i << 5;
		code[2 * i + 1] = RET;
	}
	for (i = 0; i < SWEEP_COUNT; i += 2)
		asm volatile("dc cvau, %0; dsb ish; ic ivau, %0" ::"r"(code + 2 * i) : "memory");
	asm volatile("dsb ish; isb" ::: "memory");
}

/* The exception's class; SWEEP_READ: none. */
static u8 try_insn(const u32 *code, u64 *value)
{
	u64 (*insn)(u64) = (u64(*)(u64))code;
	struct cpu *cpu = this_cpu();

	cpu->esr = 0;
	*value = insn(0);
	return cpu->esr ? (u8)(cpu->esr >> 26) : SWEEP_READ;
}

u64 sweep(u64 buffer)
{
	u32 *code = (u32 *)buffer;
	u8 *outcome = (u8 *)(buffer + SWEEP_OUTCOMES);
	struct sweep_value *value = (struct sweep_value *)(buffer + SWEEP_VALUES);
	u64 cpacr = read_sysreg(cpacr_el1), v;
	unsigned int n = 0;
	u32 i;

	write_sysreg(CPACR_ALL, cpacr_el1);
	write_code(code, MRS_X0);
	for (i = 0; i < SWEEP_COUNT; i++) {
		outcome[i] = try_insn(code + 2 * i, &v);
		if (outcome[i] == SWEEP_READ && n < SWEEP_MAX_VALUES)
			value[n++] = (struct sweep_value){ i, v };
	}
	write_code(code, MSR_X0);
	for (i = 0; i < SWEEP_COUNT; i++)
		if (outcome[i] != SWEEP_READ && try_insn(code + 2 * i, &v) == SWEEP_READ)
			outcome[i] = SWEEP_WRITE;
	this_cpu()->esr = 0;
	write_sysreg(cpacr, cpacr_el1);
	return n;
}
