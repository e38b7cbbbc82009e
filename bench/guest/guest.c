// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest of the benchmark: loops between two readings of the counter. Its start, its page tables
 * and its GIC are those of the tests' guests.
 */
#include "../../tests/guests/guest.h"
#include "../mark.h"
#include "command.h"

#define PSCI_CPU_ON 0xc4000003ull

#define VTIMER_INTID 27
#define SGI_INTID    1

#define KIND_IRQ 1

static struct cpu cpus[GUEST_CPUS];

/* Of the last interrupt, on any CPU. */
static volatile u64 irq_time;
static volatile u64 irq_count;

static inline u64 now(void)
{
	u64 t;

	asm volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(t)::"memory");
	return t;
}

static inline u64 begin(void)
{
	mark(MARK_BEGIN(MARK_GUEST));
	return now();
}

/* Time since then. */
static inline u64 end(u64 start)
{
	u64 t = now() - start;

	mark(MARK_END(MARK_GUEST));
	return t;
}

void exception(u64 *frame, u64 kind);
void exception(u64 *frame, u64 kind)
{
	u64 t = now();
	u32 intid;

	(void)frame;
	if (kind != KIND_IRQ) {
		/* The store ends the run: the host sees that no measurement came before it. */
		mmio_write64(TEST_DEV + DEV_ESR, read_sysreg(esr_el1));
		mmio_write64(TEST_DEV + DEV_RESULT, ~0ull);
		for (;;)
			asm volatile("wfi");
	}
	intid = (u32)read_sysreg(S3_0_C12_C12_0); /* ICC_IAR1_EL1 */
	if (intid >= NR_INTIDS)
		return;
	if (intid == VTIMER_INTID)
		write_sysreg(3, cntv_ctl_el0); /* enabled, masked: the line falls */
	irq_time = t;
	write_sysreg(intid, S3_0_C12_C12_1); /* ICC_EOIR1_EL1 */
	irq_count = irq_count + 1;
}

struct result {
	u64 r[3];
};

static void call_loop(const u64 arg[4], struct result *res)
{
	u64 i, x1 = arg[1], failed = 0, start, last = 0;

	start = begin();
	for (i = 0; i < arg[3]; i++) {
		register u64 r0 asm("x0") = arg[0];
		register u64 r1 asm("x1") = x1;
		register u64 r2 asm("x2") = 0;
		register u64 r3 asm("x3") = 0;

		asm volatile("hvc #0" : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)::"memory");
		last = r0;
		failed += r0 >> 63;
		x1 += arg[2];
	}
	res->r[0] = end(start);
	res->r[1] = last;
	res->r[2] = failed;
}

static u64 load_loop(u64 addr, u64 n)
{
	u64 i, start = begin();

	for (i = 0; i < n; i++)
		mmio_read32(addr);
	return end(start);
}

static u64 store_loop(u64 addr, u64 n)
{
	u64 i, start = begin();

	for (i = 0; i < n; i++)
		mmio_write32(addr, 0);
	return end(start);
}

static u64 touch_loop(u64 addr, u64 stride, u64 n)
{
	u64 i, start = begin();

	for (i = 0; i < n; i++)
		mmio_write64(addr + i * stride, i);
	return end(start);
}

/* The sum of the times that handlers were late. */
static u64 timer_loop(u64 ticks, u64 n, bool wait)
{
	u64 i, deadline, count, late = 0;

	begin();
	for (i = 0; i < n; i++) {
		count = irq_count;
		deadline = now() + ticks;
		write_sysreg(deadline, cntv_cval_el0);
		irq_off();
		write_sysreg(1, cntv_ctl_el0);
		while (irq_count == count) {
			if (wait)
				asm volatile("wfi");
			irq_on();
			irq_off();
		}
		irq_on();
		late += irq_time - deadline;
	}
	end(0);
	return late;
}

static u64 cpu_on(u64 cpu, u64 context)
{
	const u64 args[4] = { PSCI_CPU_ON, cpu, (u64)secondary_start, context };
	u64 results[4];

	hvc(args, results);
	return results[0];
}

/*
 * Both CPUs spin by YIELD, at which QEMU's single thread turns to the other CPU: what passes from the
 * SGI to the handler is then all that both have executed, and none of it is a wait.
 */
static void ipi_loop(u64 cpu, u64 n, struct result *res)
{
	u64 i, start, count, sent, late = 0, sending = 0;

	begin();
	for (i = 0; i < n; i++) {
		count = irq_count;
		start = now();
		write_sysreg((u64)SGI_INTID << 24 | 1ull << cpu,
			     S3_0_C12_C11_5); /* ICC_SGI1R_EL1 */
		sent = now();
		while (irq_count == count)
			asm volatile("yield");
		late += irq_time - start;
		sending += sent - start;
	}
	end(0);
	res->r[0] = late;
	res->r[1] = sending;
}

/* What vCPUs do together. The round is written last. */
static struct {
	u64 addr, pages, function;
	u64 round;
	u64 done, failed;
} job;

static void do_part(u64 index)
{
	u64 addr = job.addr + index * job.pages * 4096, failed = 0, i;
	u64 args[4] = { job.function }, results[4];

	for (i = 0; i < job.pages; i++, addr += 4096) {
		if (!job.function) {
			mmio_write64(addr, i);
			continue;
		}
		args[1] = addr;
		hvc(args, results);
		failed += results[0] >> 63;
	}
	__atomic_fetch_add(&job.failed, failed, __ATOMIC_RELAXED);
	__atomic_fetch_add(&job.done, 1, __ATOMIC_RELEASE);
}

static void help(u64 index)
{
	u64 round = 0;

	for (;;) {
		while (__atomic_load_n(&job.round, __ATOMIC_ACQUIRE) == round)
			asm volatile("yield");
		round++;
		if (!job.pages)
			break;
		do_part(index);
	}
	mmio_write64(TEST_DEV + DEV_RESULT, 0);
	for (;;)
		asm volatile("wfi");
}

static void together(const u64 arg[4], struct result *res)
{
	u64 start = begin();

	job.addr = arg[0];
	job.pages = arg[1];
	job.function = arg[3];
	job.failed = 0;
	job.done = 0;
	__atomic_store_n(&job.round, job.round + 1, __ATOMIC_RELEASE);
	if (job.pages) {
		do_part(0);
		while (__atomic_load_n(&job.done, __ATOMIC_ACQUIRE) < arg[2])
			asm volatile("yield");
	}
	res->r[0] = end(start);
	res->r[2] = job.failed;
}

static void command_loop(void)
{
	for (;;) {
		struct result res = { { 0 } };
		u64 cmd = mmio_read64(TEST_DEV + DEV_COMMAND);
		u64 arg[4];
		u64 i;

		for (i = 0; i < 4; i++)
			arg[i] = mmio_read64(TEST_DEV + DEV_ARG + 8 * i);
		switch (cmd) {
		case GUEST_READY:
			res.r[0] = read_sysreg(cntfrq_el0);
			break;
		case GUEST_CALL:
			call_loop(arg, &res);
			break;
		case GUEST_LOAD:
			res.r[0] = load_loop(arg[0], arg[1]);
			break;
		case GUEST_STORE:
			res.r[0] = store_loop(arg[0], arg[1]);
			break;
		case GUEST_TOUCH:
			res.r[0] = touch_loop(arg[0], arg[1], arg[2]);
			break;
		case GUEST_GIC:
			gic_init();
			gic_enable(VTIMER_INTID, false, 0);
			break;
		case GUEST_TIMER_WFI:
			res.r[0] = timer_loop(arg[0], arg[1], true);
			break;
		case GUEST_TIMER_RUN:
			res.r[0] = timer_loop(arg[0], arg[1], false);
			break;
		case GUEST_CPU_ON:
			res.r[0] = cpu_on(arg[0], arg[1]);
			break;
		case GUEST_IPI:
			ipi_loop(arg[0], arg[1], &res);
			break;
		case GUEST_TOGETHER:
			together(arg, &res);
			break;
		}
		mmio_write64(TEST_DEV + DEV_ARG, res.r[1]);
		mmio_write64(TEST_DEV + DEV_ARG + 8, res.r[2]);
		mmio_write64(TEST_DEV + DEV_RESULT, res.r[0]);
	}
}

void cpu_main(u64 index, u64 x0, u64 sctlr, u64 el);
void cpu_main(u64 index, u64 x0, u64 sctlr, u64 el)
{
	struct cpu *cpu = &cpus[index];

	(void)sctlr;
	(void)el;
	cpu->index = index;
	write_sysreg((u64)cpu, tpidr_el1);
	if (!index)
		command_loop();
	gic_init();
	mmio_write64(TEST_DEV + DEV_PROGRESS, index);
	if (x0)
		help(index);
	for (;;)
		asm volatile("yield");
}

/* The compiler may call this even in freestanding code. */
void *memset(void *dst, int c, unsigned long n);
void *memset(void *dst, int c, unsigned long n)
{
	volatile char *p = dst;

	while (n--)
		*p++ = (char)c;
	return dst;
}
