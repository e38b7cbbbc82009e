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
};
#endif

/* CMD_REGS: what x<n> and both halves of v<n> hold. */
#define REGS_X(seed, n) ((seed) + (n))
#define REGS_V(seed, n) ((seed) + 64 + (n))

#endif
