// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stock kernel knows nothing of stage 2: what it is shown here is what it can survive.
 *
 *   who touches           a guest's page                    the hypervisor's page
 *   EL0                   tag check fault: SIGSEGV          the same
 *   EL1, user address     alignment fault: -EFAULT          the same
 *     ... atomically, or over and over: force reclaim
 *   EL1, kernel address   force reclaim, then again         alignment fault: an oops, never data
 *     ... by a load that began on the page before: alignment fault (it has a fix-up)
 *   EL1's stage 1 walk    external abort                    the same
 *
 * Which faults the kernel retries for ever, and which it has a fix-up for: docs/architecture.md.
 */
#include "host/abort.h"

#include "arch/cpu.h"
#include "arch/host_el1.h"
#include "arch/tlb.h"
#include "lib/panic.h"
#include "mem/host_map.h"
#include "mem/hyp_map.h"
#include "mem/page.h"
#include "mem/transition.h"
#include "vm/vm.h"

/* An access that comes back so often at the same place is in a loop that only a page can end. */
#define MAX_REPEATS 16

/* Read an instruction of the host's kernel. */
static bool fetch(u64 pc, u32 *insn) TAKES(mem)
{
	bool readable = false;
	pa_t pa;

	if (!host_translate(pc, &pa) || !page_is_ram(pa & PAGE_MASK, PAGE_SIZE))
		return false;
	spin_lock(&mem_lock);
	if (host_mapped(pa)) {
		u8 *page = window_open(pa & PAGE_MASK);

		*insn = *(u32 *)(page + (pa & (PAGE_SIZE - 4)));
		window_close();
		readable = true;
	}
	spin_unlock(&mem_lock);
	return readable;
}

/* Load/store exclusive, compare-and-swap, atomic memory operations (Arm ARM C4.1.94). */
static bool is_atomic(u32 insn)
{
	return (insn & 0x3f000000) == 0x08000000 || (insn & 0x3b200c00) == 0x38200000;
}

/* LDR Xt, [Xn], unaligned, whose first byte is on the page before the one that faulted. */
static bool is_overrun(const struct host_regs *regs, u32 insn, u64 far)
{
	u32 n = (insn >> 5) & 31;

	if ((insn & 0xfffffc00) != 0xf9400000 || n == 31)
		return false;
	return regs->x[n] < (far & PAGE_MASK) && regs->x[n] + 8 > (far & PAGE_MASK);
}

static bool is_repeated(const struct host_abort *abort)
{
	struct cpu *cpu = this_cpu();

	if (cpu->abort_pc != abort->pc || cpu->abort_far != abort->far) {
		cpu->abort_pc = abort->pc;
		cpu->abort_far = abort->far;
		cpu->abort_repeats = 0;
	}
	return ++cpu->abort_repeats > MAX_REPEATS;
}

static bool must_reclaim(const struct host_regs *regs, const struct host_abort *abort)
{
	bool user_address = !(abort->far & BIT(55));
	u32 insn = 0;

	if (abort->fetch || !fetch(abort->pc, &insn))
		return !user_address;
	if (user_address)
		return is_atomic(insn) || is_repeated(abort);
	return !is_overrun(regs, insn, abort->far);
}

static void touched_lost_page(const struct host_regs *regs, const struct host_abort *abort,
			      const struct page *page)
{
	struct vm *vm;

	if (abort->walk) {
		host_inject_fault(HOST_FAULT_EXTERNAL);
		return;
	}
	if (abort->user) {
		host_inject_fault(HOST_FAULT_TAG_CHECK);
		return;
	}
	if (page->state == PAGE_HYP || !must_reclaim(regs, abort)) {
		host_inject_fault(HOST_FAULT_ALIGNMENT);
		return;
	}
	vm = vm_get_index(page->owner);
	if (vm) {
		guest_force_reclaim(&vm->mem, abort->ipa);
		vm_put(vm);
	}
	/* Now, or after the VM has gone, the access succeeds. */
}

void host_abort(struct host_regs *regs)
{
	struct host_abort abort;
	struct page page;
	bool mapped;

	host_abort_read(&abort);
	if (abort.tlb_conflict) {
		tlb_flush_s2_all(host_map.vttbr);
		return;
	}
	if (abort.other) {
		host_inject_fault(HOST_FAULT_EXTERNAL);
		return;
	}
	if (!abort.ipa_known)
		return;
	if (abort.ipa >= BIT(host_map.ia_bits)) {
		host_inject_fault(HOST_FAULT_EXTERNAL);
		return;
	}

	spin_lock(&mem_lock);
	if (host_mapped(abort.ipa)) {
		spin_unlock(&mem_lock);
		/* Code outside of RAM; else another CPU was changing the entry, and has. */
		if (abort.permission)
			host_inject_fault(HOST_FAULT_EXTERNAL);
		return;
	}
	if (!page_is_ram(abort.ipa, PAGE_SIZE)) {
		mapped = host_map_device(abort.ipa);
		spin_unlock(&mem_lock);
		if (!mapped)
			host_inject_fault(HOST_FAULT_EXTERNAL);
		return;
	}
	page = *page_of(abort.ipa);
	spin_unlock(&mem_lock);

	switch (page.state) {
	case PAGE_MOVING:
		return; /* soon to be the host's */
	case PAGE_HYP:
	case PAGE_GUEST:
		touched_lost_page(regs, &abort, &page);
		return;
	default:
		panic("a page of the host is not mapped");
	}
}
