// SPDX-License-Identifier: GPL-2.0-only
/* Compiled to assembly, of which the Makefile makes asm-offsets.h: what assembly knows of C's structs. */
#include <stddef.h>

#include <stockade/guestcall.h>
#include <stockade/launch.h>

#include "arch/cpu.h"
#include "arch/esr.h"
#include "arch/launch.h"
#include "host/trap.h"

#define DEFINE(name, value) __asm__ volatile("\n.ascii \"->" #name " %0\"" ::"i"(value))

void asm_offsets(void);

void asm_offsets(void)
{
	DEFINE(CPU_GUEST, offsetof(struct cpu, guest));
	DEFINE(CPU_STUB_VBAR, offsetof(struct cpu, stub_vbar));
	DEFINE(CPU_STUB_SCTLR, offsetof(struct cpu, stub_sctlr));
	DEFINE(CPU_INDEX, offsetof(struct cpu, index));
	DEFINE(GUEST_X, offsetof(struct guest_regs, x));
	DEFINE(GUEST_PC, offsetof(struct guest_regs, pc));
	DEFINE(HOST_X, offsetof(struct host_regs, x));
	DEFINE(HOST_REGS_SIZE, sizeof(struct host_regs));
	DEFINE(LAUNCH_CPU_PAGES, offsetof(struct stockade_launch, cpu[0].pages));
	DEFINE(LAUNCH_CPU_SIZE, sizeof(struct stockade_launch_cpu));
	DEFINE(CPU_PAGES_SIZE, STOCKADE_CPU_PAGES * 4096);
	DEFINE(BOOT_TTBR, offsetof(struct boot_params, ttbr));
	DEFINE(BOOT_TCR, offsetof(struct boot_params, tcr));
	DEFINE(BOOT_MAIR, offsetof(struct boot_params, mair));
	DEFINE(BOOT_SCTLR, offsetof(struct boot_params, sctlr));
	DEFINE(GUEST_SYNC, GUEST_EXIT_SYNC);
	DEFINE(GUEST_IRQ, GUEST_EXIT_IRQ);
	DEFINE(GUEST_SERROR, GUEST_EXIT_SERROR);
	DEFINE(TRAP_EC_SHIFT, __builtin_ctzll(ESR_EC));
	DEFINE(TRAP_SMC64, EC_SMC64);
	DEFINE(TRAP_HVC64, EC_HVC64);
	DEFINE(WORKAROUND_1, (u64)SMCCC_ARCH_WORKAROUND_1);
	DEFINE(WORKAROUND_3, (u64)SMCCC_ARCH_WORKAROUND_3);
	DEFINE(IMAGE_MAGIC, STOCKADE_IMAGE_MAGIC);
	DEFINE(IMAGE_ABI, STOCKADE_ABI_VERSION);
}
