/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a test program in the host (tests/system) and the guest "agent" talk: by a test device, which
 * is nothing but addresses where no memory is, so that each access leaves the guest. Each vCPU has
 * a conversation of its own: the guest loads a command and its arguments, does it, stores the results
 * and, with the store to DEV_RESULT, is done.
 */
#ifndef TESTS_PROTOCOL_H
#define TESTS_PROTOCOL_H

#define GUEST_RAM   0x40000000ull
#define GUEST_ENTRY 0x40080000ull
#define GUEST_UART  0x09000000ull
#define GUEST_GICD  0x08000000ull
#define GUEST_GICR  0x080a0000ull
#define GUEST_CPUS  8
/* The agent and its stacks end below this; tests may use what is above. */
#define GUEST_FREE 0x40200000ull

#define TEST_DEV     0x0a000000ull
#define DEV_RESULT   0x00 /* store: result 0, the command is done */
#define DEV_COMMAND  0x08 /* load */
#define DEV_ARG	     0x10 /* load: arguments 0 to 3; store: results 1 to 3 at DEV_ARG + 8 * n - 8 */
#define DEV_ESR	     0x40 /* store: the command met this exception ... */
#define DEV_FAR	     0x48 /* ... at this address; it was skipped */
#define DEV_PROGRESS 0x50 /* store: a command that takes long is alive */
#define DEV_IRQ	     0x58 /* store: the INTID of a shared interrupt that was taken */
#define DEV_SIZE     0x60

#ifndef __ASSEMBLER__
enum guest_command {
	CMD_NOP = 1,	 /* () -> argument 0, 1, 2, 3 */
	CMD_LOAD,	 /* (address, size) -> value */
	CMD_LOAD_SIGNED, /* (address, size, 32 or 64) -> value; LDRSB, LDRSH, LDRSW */
	CMD_STORE,	 /* (address, size, value) */
	CMD_FILL,	 /* (address, bytes, seed): each 8 bytes = seed ^ address */
	CMD_CHECK,	 /* (address, bytes, seed) -> how many 8 bytes are not so */
	CMD_EXEC,	 /* (instruction, x0) -> x0 after it */
	CMD_HVC,	 /* (x0, x1, x2, x3) -> x0, x1, x2, x3 */
	CMD_REGS,	 /* (seed): fill registers, exit by DEV_PROGRESS, -> how many changed */
	CMD_STRESS,	 /* (address, bytes): fill and check for ever, DEV_PROGRESS every round */
	CMD_SPIN,	 /* (): for ever, without leaving the guest */
	CMD_SECONDARY,	 /* () -> address for CPU_ON */
	CMD_BOOT_INFO,	 /* () -> x0, SCTLR_EL1, CurrentEL, MPIDR_EL1 that this CPU started with */
	CMD_CPU_OFF,	 /* (): PSCI CPU_OFF; the result tells that it failed */
	CMD_GIC_INIT,	 /* (): this CPU's redistributor and interface; on CPU 0 the distributor */
	CMD_GIC_ENABLE,	 /* (INTID, edge?, target MPIDR) */
	CMD_SGI,	 /* (ICC_SGI1R_EL1) */
	CMD_IRQ_COUNT,	 /* (INTID) -> taken on this CPU, of all INTIDs, spurious ones */
	CMD_WAIT_IRQ,	 /* (INTID, count): WFI until it was taken that often -> count */
	CMD_TIMER,	 /* (ticks): virtual timer, WFI -> ticks that passed, interrupts taken */
	/*
	 * (instruction, seed, x1, function): plant values in all registers, execute the instruction -> how
	 * many changed, x<PLANT_LOADED> if it did, x0. x1 is as told unless that is 0; with a function x0
	 * is that, and x2, x3 are 0.
	 */
	CMD_PLANT,
	CMD_SWEEP,   /* (address): MRS of everything, results there -> how many can be read */
	CMD_FP_BITS, /* () -> FPSR, FPCR and v0-v31, by OR */
};

struct sweep_value {
	unsigned long long encoding, value;
};
#endif

/* CMD_REGS: what x<n> and both halves of v<n> hold. */
#define REGS_X(seed, n) ((seed) + (n))
#define REGS_V(seed, n) ((seed) + 64 + (n))

/*
 * CMD_PLANT: values that no program holds, since they are computed when they are looked for. x<n> is number n,
 * then come the halves of v0-v31, then system registers (plant.c).
 */
#define PLANT_MUL    0x9e3779b97f4a7c15ull
#define PLANT(s, n)  (((s) + (n)) * PLANT_MUL)
#define PLANT_LOADED 6 /* the register that a load may change */
#define PLANT_V	     32
#define PLANT_SYS    96
#define PLANT_MAIR   (PLANT_SYS + 15)
#define PLANT_COUNT  128
#define PLANT_PSTATE 0xa00003c5 /* EL1h, all masked, N and C */
#define PLANT_FPSR   0x0800009f
#define PLANT_FPCR   0x03c00000

/*
 * CMD_SWEEP: code, then for each encoding (op0 - 2, op1, CRn, CRm, op2 by 1, 3, 4, 4, 3 bits) the exception
 * class that MRS met, SWEEP_READ, or SWEEP_WRITE if MSR met none; then the values of those that were read.
 */
#define SWEEP_COUNT	 32768u
#define SWEEP_OUTCOMES	 (SWEEP_COUNT * 8)
#define SWEEP_VALUES	 (SWEEP_OUTCOMES + SWEEP_COUNT)
#define SWEEP_MAX_VALUES 1024u
#define SWEEP_END	 (SWEEP_VALUES + SWEEP_MAX_VALUES * 16)
#define SWEEP_READ	 0xff
#define SWEEP_WRITE	 0xfe

#endif
