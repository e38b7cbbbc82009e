// SPDX-License-Identifier: GPL-2.0-only
/*
 * CMD_PLANT: every register that a guest may write freely gets a value that nobody else has, then one
 * instruction is executed, which leaves the guest; and if it comes back, they must be unchanged.
 */
#include "guest.h"

struct plant_regs {
	u64 x[31];
	u64 real_sp;
	u64 flags, unused;
	u64 v[64];
};

extern u32 plant_insn[];
void plant_switch(struct plant_regs *regs);

#define FLAGS_VALUE 0xa0000000 /* N, C: see PLANT_PSTATE */

/* MAIR_EL1 has attributes in use, the lowest two. */
#define IN_USE_MAIR 0xffffull

/* One after the other, from PLANT_SYS on: PLANT_MAIR is where mair_el1 is. TTBR1 is off by TCR.EPD1. */
#define FOR_EACH_SYS(op)                                                                           \
	op(tpidr_el0) op(tpidrro_el0) op(tpidr_el1) op(sp_el0) op(elr_el1) op(spsr_el1)            \
		op(esr_el1) op(far_el1) op(afsr0_el1) op(afsr1_el1) op(contextidr_el1) op(par_el1) \
			op(ttbr1_el1) op(amair_el1) op(cntv_cval_el0) op(mair_el1)

/* APIA, APIB, APDA, APDB, APGA */
#define FOR_EACH_KEY(op)                                                                     \
	op(S3_0_C2_C1_0) op(S3_0_C2_C1_1) op(S3_0_C2_C1_2) op(S3_0_C2_C1_3) op(S3_0_C2_C2_0) \
		op(S3_0_C2_C2_1) op(S3_0_C2_C2_2) op(S3_0_C2_C2_3) op(S3_0_C2_C3_0)          \
			op(S3_0_C2_C3_1)

#define NR_SYS 26

static bool has_keys(void)
{
	return (read_sysreg(id_aa64isar1_el1) & 0xff000ff0) || (read_sysreg(S3_0_C0_C6_2) & 0xff00);
}

static unsigned int sys_read(u64 *to, bool keys)
{
	unsigned int n = 0;

#define READ(reg) to[n++] = read_sysreg(reg);
	FOR_EACH_SYS(READ)
	if (keys) {
		FOR_EACH_KEY(READ)
	}
	return n;
}

static void sys_write(const u64 *from, bool keys)
{
	unsigned int n = 0;

#define WRITE(reg) write_sysreg(from[n++], reg);
	FOR_EACH_SYS(WRITE)
	if (keys) {
		FOR_EACH_KEY(WRITE)
	}
}

static void patch(u32 insn)
{
	plant_insn[0] = insn;
	asm volatile("dc cvau, %0; dsb ish; ic ivau, %0; dsb ish; isb" ::"r"(plant_insn)
		     : "memory");
}

u64 plant(u32 insn, u64 seed, u64 x1, u64 function, u64 results[2])
{
	/* What is below is a stack, should there be an exception. */
	static struct {
		u64 stack[256];
		struct plant_regs regs;
	} area __attribute__((aligned(16)));
	struct plant_regs *regs = &area.regs;
	u64 old[NR_SYS], planted[NR_SYS], after[NR_SYS], fpsr, fpcr, bad = 0;
	bool keys = has_keys();
	unsigned int i, n;

	irq_off();
	for (i = 0; i < 31; i++)
		regs->x[i] = PLANT(seed, i);
	for (i = 0; i < 64; i++)
		regs->v[i] = PLANT(seed, PLANT_V + i);
	regs->flags = FLAGS_VALUE;
	if (x1)
		regs->x[1] = x1;
	if (function) {
		regs->x[0] = function;
		regs->x[2] = 0;
		regs->x[3] = 0;
	}
	patch(insn);

	n = sys_read(old, keys);
	for (i = 0; i < n; i++)
		planted[i] = PLANT(seed, PLANT_SYS + i);
	i = PLANT_MAIR - PLANT_SYS;
	planted[i] = (planted[i] & ~IN_USE_MAIR) | (old[i] & IN_USE_MAIR);
	sys_write(planted, keys);
	/* Not all bits of all registers exist. */
	sys_read(planted, keys);
	write_sysreg(PLANT_FPSR, fpsr);
	write_sysreg(PLANT_FPCR, fpcr);

	plant_switch(regs);

	fpsr = read_sysreg(fpsr);
	fpcr = read_sysreg(fpcr);
	sys_read(after, keys);
	sys_write(old, keys);
	write_sysreg(0, fpcr);

	for (i = 0; i < n; i++)
		bad += after[i] != planted[i];
	for (i = 0; i < 31; i++)
		if (i != PLANT_LOADED && (i > 3 || !(function || (x1 && i == 1))))
			bad += regs->x[i] != PLANT(seed, i);
	for (i = 0; i < 64; i++)
		bad += regs->v[i] != PLANT(seed, PLANT_V + i);
	bad += regs->flags != FLAGS_VALUE;
	bad += fpsr != PLANT_FPSR || fpcr != PLANT_FPCR;
	results[0] = regs->x[PLANT_LOADED] == PLANT(seed, PLANT_LOADED) ? 0 : regs->x[PLANT_LOADED];
	results[1] = function ? regs->x[0] : 0;
	return bad;
}
