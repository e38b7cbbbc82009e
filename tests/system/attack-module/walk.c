// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's MMU is made to take pages that the host has lost for translation tables: what it would find
 * there, or where it would get by it, is not for the host.
 */
#include <linux/kdebug.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include <asm/barrier.h>
#include <asm/esr.h>
#include <asm/sysreg.h>

#include <stockade/hostcall.h>

#include "attack.h"

/* Any user address. */
#define VA 0x7000

#define ENTRY_TABLE 3ull
#define ENTRY_USER  BIT(6)
#define ENTRY_AF    BIT(10)
#define ENTRY_NG    BIT(11)

u64 attack_at(u64 va);
u64 attack_load(u64 va);
extern const char attack_at_insn[], attack_load_insn[];

static unsigned int at_faults, load_faults;

/* An external abort is what the hypervisor answers a walk with; the kernel takes it for its end. */
static int on_die(struct notifier_block *block, unsigned long action, void *data)
{
	const struct die_args *args = data;
	u64 fault = args->err & ESR_ELx_FSC;
	bool external = fault >= 0x10 && fault < 0x18;

	if (args->regs->pc == (u64)attack_at_insn)
		at_faults += external;
	else if (args->regs->pc == (u64)attack_load_insn)
		load_faults += external;
	else
		return NOTIFY_DONE;
	args->regs->pc += 4;
	args->regs->regs[1] = 0;
	return NOTIFY_STOP;
}

static struct notifier_block die_block = { .notifier_call = on_die };

static void set_ttbr0(u64 ttbr)
{
	write_sysreg(ttbr, ttbr0_el1);
	isb();
	asm volatile("dsb nshst\n\ttlbi vmalle1\n\tdsb nsh\n\tisb" ::: "memory");
}

/* By the AT instruction, and by a load. */
static void walk(u64 pfn, u64 *par, u64 *loaded)
{
	unsigned long flags;
	u64 was;

	pagefault_disable();
	local_irq_save(flags);
	was = read_sysreg(ttbr0_el1);
	set_ttbr0(pfn << PAGE_SHIFT);
	*par = attack_at(VA);
	*loaded = attack_load(VA);
	set_ttbr0(was);
	local_irq_restore(flags);
	pagefault_enable();
}

/* A table of any level whose entries all lead to itself: in it, every address is mapped to it. */
static u64 fill_table(u64 pfn)
{
	u64 *entry = pfn_to_kaddr(pfn);
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / sizeof(*entry); i++)
		entry[i] = pfn << PAGE_SHIFT | ENTRY_TABLE | ENTRY_USER | ENTRY_AF | ENTRY_NG;
	dsb(ishst);
	return entry[0];
}

int walk_lost_pages(struct seq_buf *out)
{
	u64 table = take_pfn(0), entry, par, loaded;
	struct rnd_state rnd;
	struct raw_vm vm;
	unsigned int i;
	s64 err;

	if (!table || !raw_create(&vm, NULL))
		return -EIO;
	entry = fill_table(table);
	walk(table, &par, &loaded);
	/* Bits 51 to 12 of the result are the address, bit 0 is F. */
	seq_buf_printf(out, "own_table %d\n",
		       !(par & 1) && (par & GENMASK(47, 12)) == table << PAGE_SHIFT &&
			       loaded == entry);

	err = register_die_notifier(&die_block);
	if (err)
		return err;
	err = raw_call(STOCKADE_HC_HOST_DONATE_GUEST, vm.handle, table, 0x50000, 1, NULL);
	at_faults = load_faults = 0;
	walk(table, &par, &loaded);
	seq_buf_printf(out, "guest_donate %lld\nguest_at %u\nguest_load %u\nguest_data %d\n", err,
		       at_faults, load_faults, par != ~0ull || loaded != ~0ull);

	prandom_seed_state(&rnd, 1);
	at_faults = load_faults = 0;
	for (i = 0; i < 6; i++) {
		const u64 pages[] = { vm.vm, vm.root, vm.vcpu[0] };
		u64 pfn = i < ARRAY_SIZE(pages) ? pages[i] : hyp_pfn(&rnd);

		walk(pfn, &par, &loaded);
		if (par != ~0ull || loaded != ~0ull)
			seq_buf_printf(out, "read_%llx 1\n", pfn);
	}
	seq_buf_printf(out, "hyp_tried %u\nhyp_at %u\nhyp_load %u\n", i, at_faults, load_faults);
	unregister_die_notifier(&die_block);
	seq_buf_printf(out, "destroyed %d\n", raw_destroy(vm.handle));
	return 0;
}
