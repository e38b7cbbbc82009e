// SPDX-License-Identifier: GPL-2.0-only
/* A guest that does what the test program in the host tells it to; see protocol.h. */
#include "guest.h"

static void result(unsigned int n, u64 v)
{
	mmio_write64(TEST_DEV + DEV_ARG - 8 + 8ul * n, v);
}

static u64 load(u64 addr, u64 size)
{
	u64 v = 0;

	switch (size) {
	case 1:
		asm volatile("ldrb %w0, [%1]" : "+r"(v) : "r"(addr) : "memory");
		break;
	case 2:
		asm volatile("ldrh %w0, [%1]" : "+r"(v) : "r"(addr) : "memory");
		break;
	case 4:
		asm volatile("ldr %w0, [%1]" : "+r"(v) : "r"(addr) : "memory");
		break;
	case 8:
		asm volatile("ldr %0, [%1]" : "+r"(v) : "r"(addr) : "memory");
		break;
	}
	return v;
}

static u64 load_signed(u64 addr, u64 size, u64 to)
{
	u64 v = 0;

	switch (size * 100 + to) {
	case 132:
		asm volatile("ldrsb %w0, [%1]" : "+r"(v) : "r"(addr) : "memory");
		break;
	case 164:
		asm volatile("ldrsb %0, [%1]" : "+r"(v) : "r"(addr) : "memory");
		break;
	case 232:
		asm volatile("ldrsh %w0, [%1]" : "+r"(v) : "r"(addr) : "memory");
		break;
	case 264:
		asm volatile("ldrsh %0, [%1]" : "+r"(v) : "r"(addr) : "memory");
		break;
	case 464:
		asm volatile("ldrsw %0, [%1]" : "+r"(v) : "r"(addr) : "memory");
		break;
	}
	return v;
}

static void store(u64 addr, u64 size, u64 v)
{
	switch (size) {
	case 1:
		asm volatile("strb %w0, [%1]" ::"r"(v), "r"(addr) : "memory");
		break;
	case 2:
		asm volatile("strh %w0, [%1]" ::"r"(v), "r"(addr) : "memory");
		break;
	case 4:
		asm volatile("str %w0, [%1]" ::"r"(v), "r"(addr) : "memory");
		break;
	case 8:
		asm volatile("str %0, [%1]" ::"r"(v), "r"(addr) : "memory");
		break;
	}
}

static void fill(u64 addr, u64 bytes, u64 seed)
{
	u64 p;

	for (p = addr; p < addr + bytes; p += 8)
		store(p, 8, seed ^ p);
}

static u64 check(u64 addr, u64 bytes, u64 seed)
{
	u64 p, bad = 0;

	for (p = addr; p < addr + bytes; p += 8)
		bad += load(p, 8) != (seed ^ p);
	return bad;
}

static u64 exec(u32 insn, u64 x0)
{
	static u32 code[GUEST_CPUS][16] __attribute__((aligned(64)));
	u32 *c = code[this_cpu()->index];
	register u64 r asm("x0") = x0;

	c[0] = insn;
	c[1] = 0xd65f03c0; /* ret */
	asm volatile("dc cvau, %0; dsb ish; ic ivau, %0; dsb ish; isb" ::"r"(c) : "memory");
	asm volatile("blr %1"
		     : "+r"(r)
		     : "r"(c)
		     : "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12",
		       "x13", "x14", "x15", "x16", "x17", "x30", "memory", "cc");
	return r;
}

static void stress(u64 addr, u64 bytes)
{
	u64 round, bad;

	for (round = 1;; round++) {
		fill(addr, bytes, round);
		bad = check(addr, bytes, round);
		mmio_write64(TEST_DEV + DEV_PROGRESS, bad ? ~0ull : round);
	}
}

/* WFI with interrupts masked, so that none is taken between the test and the WFI. */
static u64 wait_irq(struct cpu *cpu, u64 intid, u64 count)
{
	for (;;) {
		irq_off();
		if (cpu->irqs[intid % NR_INTIDS] >= count)
			break;
		asm volatile("wfi");
		irq_on();
		asm volatile("isb");
	}
	irq_on();
	return cpu->irqs[intid % NR_INTIDS];
}

static u64 timer(struct cpu *cpu, u64 ticks)
{
	u32 before = cpu->irqs[27];
	u64 start;

	asm volatile("isb");
	start = read_sysreg(cntvct_el0);
	write_sysreg(start + ticks, cntv_cval_el0);
	write_sysreg(1, cntv_ctl_el0);
	wait_irq(cpu, 27, before + 1);
	asm volatile("isb");
	result(1, cpu->irqs[27] - before);
	return read_sysreg(cntvct_el0) - start;
}

static u64 do_hvc(const u64 a[4])
{
	u64 r[4] = { 0 };
	unsigned int i;

	hvc(a, r);
	for (i = 1; i < 4; i++)
		result(i, r[i]);
	return r[0];
}

static u64 boot_info(struct cpu *cpu)
{
	result(1, cpu->boot_sctlr);
	result(2, cpu->boot_el);
	result(3, read_sysreg(mpidr_el1));
	return cpu->boot_x0;
}

static u64 irq_count(struct cpu *cpu, u64 intid)
{
	result(1, cpu->all_irqs);
	result(2, cpu->spurious);
	return cpu->irqs[intid % NR_INTIDS];
}

static u64 nop(const u64 a[4])
{
	unsigned int i;

	for (i = 1; i < 4; i++)
		result(i, a[i]);
	return a[0];
}

static u64 do_plant(const u64 a[4])
{
	u64 more[2], bad = plant((u32)a[0], a[1], a[2], a[3], more);

	result(1, more[0]);
	result(2, more[1]);
	return bad;
}

static u64 obey(struct cpu *cpu, u64 command, const u64 a[4])
{
	static const u64 cpu_off[4] = { 0x84000002 };

	switch (command) {
	case CMD_NOP:
		return nop(a);
	case CMD_LOAD:
		return load(a[0], a[1]);
	case CMD_LOAD_SIGNED:
		return load_signed(a[0], a[1], a[2]);
	case CMD_STORE:
		store(a[0], a[1], a[2]);
		return 0;
	case CMD_FILL:
		fill(a[0], a[1], a[2]);
		return 0;
	case CMD_CHECK:
		return check(a[0], a[1], a[2]);
	case CMD_EXEC:
		return exec((u32)a[0], a[1]);
	case CMD_HVC:
		return do_hvc(a);
	case CMD_REGS:
		return regs_roundtrip(a[0], TEST_DEV + DEV_PROGRESS);
	case CMD_STRESS:
		stress(a[0], a[1]);
		return 0;
	case CMD_SPIN:
		for (;;)
			asm volatile("");
	case CMD_SECONDARY:
		return (u64)secondary_start;
	case CMD_BOOT_INFO:
		return boot_info(cpu);
	case CMD_CPU_OFF:
		return do_hvc(cpu_off);
	case CMD_GIC_INIT:
		gic_init();
		return 0;
	case CMD_GIC_ENABLE:
		gic_enable((u32)a[0], a[1], a[2]);
		return 0;
	case CMD_SGI:
		write_sysreg(a[0], S3_0_C12_C11_5); /* ICC_SGI1R_EL1 */
		return 0;
	case CMD_IRQ_COUNT:
		return irq_count(cpu, a[0]);
	case CMD_WAIT_IRQ:
		return wait_irq(cpu, a[0], a[1]);
	case CMD_TIMER:
		return timer(cpu, a[0]);
	case CMD_PLANT:
		return do_plant(a);
	case CMD_SWEEP:
		return sweep(a[0]);
	case CMD_FP_BITS:
		return fp_bits();
	default:
		return ~0ull;
	}
}

void guest_main(struct cpu *cpu)
{
	for (;;) {
		u64 command = mmio_read64(TEST_DEV + DEV_COMMAND);
		u64 a[4], r;
		unsigned int i;

		for (i = 0; i < 4; i++)
			a[i] = mmio_read64(TEST_DEV + DEV_ARG + 8ul * i);
		cpu->esr = 0;
		r = obey(cpu, command, a);
		if (cpu->esr) {
			mmio_write64(TEST_DEV + DEV_ESR, cpu->esr);
			mmio_write64(TEST_DEV + DEV_FAR, cpu->far);
		}
		mmio_write64(TEST_DEV + DEV_RESULT, r);
	}
}
