// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end: an invariant of the hypervisor is broken. The host goes down with it, loudly, still under its
 * stage 2; nothing of a guest is run or shown any more.
 */
#include "lib/panic.h"

#include "arch/cpu.h"
#include "arch/host_el1.h"
#include "arch/host_el2.h"
#include "arch/launch.h"
#include "arch/layout.h"
#include "arch/sysreg.h"
#include "lib/log.h"
#include "mem/hyp_map.h"

bool hyp_panicked;

static u64 panic_entry;

void panic_init(u64 entry)
{
	panic_entry = entry;
}

__attribute__((noreturn)) static void enter_panicking_host(void)
{
	struct cpu *cpu = this_cpu();
	/* Later traps find the stack as ever. */
	struct host_regs *regs =
		(struct host_regs *)(HYP_STACK_BASE + (u64)cpu->index * HYP_STACK_SLOT + PAGE_SIZE +
				     HYP_STACK_SIZE) -
		1;

	if (cpu->guest) {
		struct guest_entry entry = { 0 };

		/* In a guest's context, perhaps; leaving twice does no harm to a host that dies. */
		if ((const char *)read_sysreg(vbar_el2) != host_vectors)
			guest_leave(cpu->guest, &entry);
		guest_put(cpu->guest);
	}
	/* Perhaps in the midst of an operation on a page. */
	window_close();
	host_el2_enter(cpu);
	host_set_entry(panic_entry);
	isb();
	*regs = (struct host_regs){ 0 };
	launch_enter_host(regs);
}

void spin_wait(void)
{
	if (READ_ONCE(hyp_panicked))
		enter_panicking_host();
	__asm__ volatile("yield");
}

void hyp_panic(const char *file, unsigned int line, const char *what)
{
	if (!__atomic_exchange_n(&hyp_panicked, true, __ATOMIC_SEQ_CST))
		log_line("EL2 panic on CPU %u: %s (%s:%u)", this_cpu()->index, what, file, line);
	enter_panicking_host();
}

__attribute__((noreturn)) void el2_unexpected(u64 esr, u64 elr, u64 far);

void el2_unexpected(u64 esr, u64 elr, u64 far)
{
	if (!__atomic_exchange_n(&hyp_panicked, true, __ATOMIC_SEQ_CST))
		log_line("EL2 panic on CPU %u: exception ESR 0x%lx at 0x%lx, address 0x%lx",
			 this_cpu()->index, esr, elr, far);
	enter_panicking_host();
}
