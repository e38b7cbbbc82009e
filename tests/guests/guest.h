/* SPDX-License-Identifier: GPL-2.0-only */
/* What bare-metal guests have: start.S, runtime.c, gic.c. */
#ifndef TESTS_GUEST_H
#define TESTS_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol.h"

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;

#define read_sysreg(reg)                                  \
	({                                                \
		u64 v_;                                   \
		asm volatile("mrs %0, " #reg : "=r"(v_)); \
		v_;                                       \
	})
#define write_sysreg(val, reg) asm volatile("msr " #reg ", %0\n\tisb" ::"r"((u64)(val)))

/* Accesses that can be emulated: one register, no write-back. */
static inline u64 mmio_read64(u64 addr)
{
	u64 v;

	asm volatile("ldr %0, [%1]" : "=r"(v) : "r"(addr) : "memory");
	return v;
}

static inline u32 mmio_read32(u64 addr)
{
	u32 v;

	asm volatile("ldr %w0, [%1]" : "=r"(v) : "r"(addr) : "memory");
	return v;
}

static inline void mmio_write64(u64 addr, u64 v)
{
	asm volatile("str %0, [%1]" ::"r"(v), "r"(addr) : "memory");
}

static inline void mmio_write32(u64 addr, u32 v)
{
	asm volatile("str %w0, [%1]" ::"r"(v), "r"(addr) : "memory");
}

#define NR_INTIDS 64

/* One for each CPU, at TPIDR_EL1. */
struct cpu {
	u64 index;
	u64 boot_x0, boot_sctlr, boot_el;
	volatile u64 esr, far; /* of the last synchronous exception; 0: there was none */
	volatile u32 irqs[NR_INTIDS];
	volatile u32 all_irqs, spurious;
};

static inline struct cpu *this_cpu(void)
{
	return (struct cpu *)read_sysreg(tpidr_el1);
}

/* start.S */
extern char secondary_start[];
u64 regs_roundtrip(u64 seed, u64 addr); /* see CMD_REGS */

struct hvc_result {
	u64 x[4];
};
void hvc(const u64 args[4], u64 results[4]);

/* plant.c, plant-regs.S, sweep.c: see CMD_PLANT, CMD_FP_BITS, CMD_SWEEP */
u64 plant(u32 insn, u64 seed, u64 x1, u64 function, u64 results[2]);
u64 sweep(u64 buffer);
u64 fp_bits(void);

/* runtime.c */
void puts(const char *s);
void put_hex(u64 v);

/* gic.c */
void gic_init(void);
void gic_enable(u32 intid, bool edge, u64 mpidr);
void gic_handle_irq(void);
void irq_on(void);
void irq_off(void);

/* The guest itself; returning turns the machine off. */
void guest_main(struct cpu *cpu);

#endif
