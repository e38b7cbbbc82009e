// SPDX-License-Identifier: GPL-2.0-only
#include "guest.h"

static struct cpu cpus[GUEST_CPUS];

void puts(const char *s)
{
	while (*s)
		mmio_write32(GUEST_UART, (u32)*s++);
}

void put_hex(u64 v)
{
	int shift;

	puts("0x");
	for (shift = 60; shift >= 0; shift -= 4) {
		const char digit[2] = { "0123456789abcdef"[(v >> shift) & 15], '\0' };

		puts(digit);
	}
}

#define KIND_SYNC 0
#define KIND_IRQ  1

#define EC_IABT_CUR 0x21

/*
 * frame: x29, x30, ELR, SPSR. A synchronous exception is noted and the instruction skipped (after a
 * jump to nowhere: the jump); the command at work tells the host.
 */
void exception(u64 *frame, u64 kind);
void exception(u64 *frame, u64 kind)
{
	struct cpu *cpu = this_cpu();
	u64 esr = read_sysreg(esr_el1);

	if (kind == KIND_IRQ) {
		gic_handle_irq();
		return;
	}
	if (kind == KIND_SYNC) {
		cpu->esr = esr;
		cpu->far = read_sysreg(far_el1);
		frame[2] = esr >> 26 == EC_IABT_CUR ? frame[1] : frame[2] + 4;
		return;
	}
	puts("unexpected exception ");
	put_hex(kind);
	puts(" ESR ");
	put_hex(esr);
	puts(" ELR ");
	put_hex(frame[2]);
	puts("\n");
	for (;;)
		asm volatile("wfi");
}

void cpu_main(u64 index, u64 x0, u64 sctlr, u64 el);
void cpu_main(u64 index, u64 x0, u64 sctlr, u64 el)
{
	static const u64 system_off[4] = { 0x84000008 };
	u64 results[4];
	struct cpu *cpu = &cpus[index];

	cpu->index = index;
	cpu->boot_x0 = x0;
	cpu->boot_sctlr = sctlr;
	cpu->boot_el = el;
	write_sysreg((u64)cpu, tpidr_el1);
	guest_main(cpu);
	hvc(system_off, results);
}

/* The compiler may call these even in freestanding code. */
void *memset(void *dst, int c, unsigned long n);
void *memset(void *dst, int c, unsigned long n)
{
	volatile char *p = dst;

	while (n--)
		*p++ = (char)c;
	return dst;
}

void *memcpy(void *dst, const void *src, unsigned long n);
void *memcpy(void *dst, const void *src, unsigned long n)
{
	volatile char *d = dst;
	const char *s = src;

	while (n--)
		*d++ = *s++;
	return dst;
}
