// SPDX-License-Identifier: GPL-2.0-only
/* The run loop: what the host may say at an entry, and what it gets to see at an exit. */
#include <stdio.h>

#include "hyptest.h"
#include "vm/gic.h"

#define SECRET	    0x5ec2e75ec2e70000ull
#define SECRET_MASK 0xffffffffffff0000ull
#define IPA	    0x09000000ull

static struct test_vm vm;

static void plant(struct guest_regs *regs)
{
	u64 *word = (u64 *)regs;
	u64 mpidr = regs->mpidr, pc = regs->pc;

	for (size_t i = 0; i < sizeof(*regs) / 8; i++)
		word[i] = SECRET + i;
	regs->pstate = PSR_EL1H;
	regs->mpidr = mpidr;
	regs->pc = pc;
	regs->uses_pauth = false;
}

/* Everything that the host can read: none of it may be the guest's. */
static void assert_host_sees_no_secret(void)
{
	for (unsigned int i = 0; i < fake.launch.nr_ram; i++) {
		const struct stockade_range *ram = &fake.launch.ram[i];

		for (pa_t pa = ram->base; pa < ram->base + ram->size; pa += PAGE_SIZE) {
			const u64 *word = fake_ram(pa);

			if (!fake_walk(&host_map, pa).valid)
				continue;
			for (size_t w = 0; w < PAGE_SIZE / 8; w++)
				if ((word[w] & SECRET_MASK) == SECRET)
					fail_msg("the host sees 0x%lx at 0x%lx", word[w],
						 pa + w * 8);
		}
	}
	assert_int_not_equal(hc_result.x1 & SECRET_MASK, SECRET);
	assert_int_not_equal(hc_result.x2 & SECRET_MASK, SECRET);
	assert_int_not_equal(hc_result.x3 & SECRET_MASK, SECRET);
}

/* A run page full of a pattern, and what it should be after the exit. */
static union {
	struct stockade_run run;
	u8 byte[PAGE_SIZE];
} want;

static void prepare(u32 flags)
{
	memset(run_page(&vm, 0), 0xee, PAGE_SIZE);
	memset(&want, 0xee, sizeof(want));
	run_page(&vm, 0)->entry_flags = flags;
	want.run.entry_flags = 0;
	want.run.timer_level = 0;
}

static void assert_run_page(enum stockade_exit reason)
{
	const u8 *is = (const u8 *)run_page(&vm, 0);

	want.run.exit_reason = reason;
	for (size_t i = 0; i < PAGE_SIZE; i++)
		if (is[i] != want.byte[i])
			fail_msg("exit %d: byte %zu of the run page is 0x%x, not 0x%x", reason, i,
				 is[i], want.byte[i]);
	assert_host_sees_no_secret();
}

static void start(void)
{
	vm = make_vm(3);
	assert_ret(hc(STOCKADE_HC_VCPU_SET_REG, vm.handle, 1, STOCKADE_REG_POWER_OFF, 1), 0);
	load(&vm, 0);
	plant(regs_of(&vm, 0));
}

/* --- exits --- */

static void exit_by(u64 esr, u64 far, ipa_t ipa)
{
	prepare(STOCKADE_ENTRY_NO_GIC);
	guest_traps(esr, far, ipa);
	run();
}

/* For every exit the run page gets the fields that it needs, and not a byte more. */
static void exits_show_what_they_need(void)
{
	start();
	/* An interrupt. */
	prepare(STOCKADE_ENTRY_NO_GIC);
	assert_int_equal(run(), STOCKADE_EXIT_IRQ);
	assert_run_page(STOCKADE_EXIT_IRQ);

	/* WFI: when the timer fires. */
	fake.timer_deadline = 0x1234567;
	exit_by(ESR(EC_WFX, 0), SECRET, SECRET);
	want.run.timer_deadline = 0x1234567;
	assert_run_page(STOCKADE_EXIT_WFI);

	/* A load: address, size, no value. */
	exit_by(ESR(EC_DABT_LOWER,
		    ESR_ISV | ESR_SF | FIELD_PUT(ESR_SAS, 2) | FIELD_PUT(ESR_SRT, 5) | DABT_FAULT),
		SECRET | 0x018, IPA);
	want.run.abort_flags = STOCKADE_ABORT_SYNDROME;
	want.run.abort_size = 4;
	want.run.abort_ipa = IPA + 0x018;
	assert_run_page(STOCKADE_EXIT_ABORT);

	/* A store: the same; the value only by another call. */
	exit_by(ESR(EC_DABT_LOWER,
		    ESR_ISV | ESR_WNR | FIELD_PUT(ESR_SAS, 3) | FIELD_PUT(ESR_SRT, 5) | DABT_FAULT),
		SECRET | 0xff8, IPA);
	want.run.abort_flags = STOCKADE_ABORT_SYNDROME | STOCKADE_ABORT_WRITE;
	want.run.abort_size = 8;
	want.run.abort_ipa = IPA + 0xff8;
	assert_run_page(STOCKADE_EXIT_ABORT);

	/* An access without a syndrome: the page. */
	exit_by(ESR(EC_DABT_LOWER, ESR_WNR | DABT_FAULT), SECRET | 0x123, IPA);
	want.run.abort_flags = STOCKADE_ABORT_WRITE;
	want.run.abort_size = 0;
	want.run.abort_ipa = IPA;
	assert_run_page(STOCKADE_EXIT_ABORT);

	/* A fetch. */
	exit_by(ESR(EC_IABT_LOWER, DABT_FAULT), SECRET | 0x123, IPA);
	want.run.abort_flags = STOCKADE_ABORT_FETCH;
	want.run.abort_size = 0;
	want.run.abort_ipa = IPA;
	assert_run_page(STOCKADE_EXIT_ABORT);

	/* An SGI: its value, which is the guest's to give. */
	regs_of(&vm, 0)->x[9] = 0x1000001;
	exit_by(ESR(EC_SYS64, 3 << 20 | 5 << 17 | 12 << 10 | 11 << 1 | 9 << 5), SECRET, SECRET);
	want.run.arg[0] = 0x1000001;
	assert_run_page(STOCKADE_EXIT_SGI);

	/* CPU_ON: which; not where it starts, nor with what. */
	prepare(STOCKADE_ENTRY_NO_GIC);
	guest_calls(PSCI_CPU_ON_64, 1, SECRET + 1, SECRET + 2);
	run();
	want.run.arg[0] = 1;
	assert_run_page(STOCKADE_EXIT_CPU_ON);
}

static void ends_show_nothing(void)
{
	static const struct {
		u32 call;
		enum stockade_exit reason;
	} ends[] = { { PSCI_CPU_OFF, STOCKADE_EXIT_CPU_OFF },
		     { PSCI_SYSTEM_OFF, STOCKADE_EXIT_SYSTEM_OFF },
		     { PSCI_SYSTEM_RESET, STOCKADE_EXIT_SYSTEM_RESET } };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		boot_again();
		start();
		prepare(STOCKADE_ENTRY_NO_GIC);
		guest_calls(ends[i].call, SECRET + 1, SECRET + 2, SECRET + 3);
		run();
		assert_run_page(ends[i].reason);
		/* And again: off, or dead. timer_level is of an entry, and there was none. */
		prepare(STOCKADE_ENTRY_NO_GIC);
		run();
		want.run.timer_level = 0xeeeeeeee;
		assert_run_page(i ? STOCKADE_EXIT_DEAD : STOCKADE_EXIT_CPU_OFF);
	}
}

/* POISON: the page, and nothing of the access. */
static void poison_shows_the_page(void)
{
	pa_t pa;

	start();
	pa = donated_page(&vm, IPA);
	guest_force_reclaim(vm.mem, pa);
	exit_by(ESR(EC_DABT_LOWER, ESR_ISV | ESR_WNR | FIELD_PUT(ESR_SRT, 5) | DABT_FAULT),
		SECRET | 0x123, IPA);
	want.run.abort_ipa = IPA;
	assert_run_page(STOCKADE_EXIT_POISON);
	/* There is nothing to answer. */
	assert_ret(hc(STOCKADE_HC_VCPU_MMIO_VALUE), STOCKADE_EINVAL);
	run_page(&vm, 0)->entry_flags = STOCKADE_ENTRY_MMIO;
	assert_refused(run_ret(), STOCKADE_EINVAL);
}

/* MEM_RELINQUISH and MMIO_GUARD's want of tables. */
static void guest_calls_show_what_they_need(void)
{
	start();
	donated_page(&vm, IPA);
	prepare(STOCKADE_ENTRY_NO_GIC);
	guest_calls(GUESTCALL_MEM_RELINQUISH, IPA, 0, 0);
	run();
	want.run.arg[0] = IPA;
	assert_run_page(STOCKADE_EXIT_RELINQUISH);

	prepare(STOCKADE_ENTRY_NO_GIC);
	guest_calls(GUESTCALL_MMIO_GUARD, 16 * GIB, 0, 0);
	run();
	want.run.arg[0] = 2;
	assert_run_page(STOCKADE_EXIT_TOPUP);

	/* MEM_SHARE of a page that is not there: as a store would ask for it. */
	prepare(STOCKADE_ENTRY_NO_GIC);
	guest_calls(GUESTCALL_MEM_SHARE, IPA + 0x5000, 0, 0);
	run();
	want.run.abort_ipa = IPA + 0x5000;
	want.run.abort_flags = STOCKADE_ABORT_WRITE;
	want.run.abort_size = 0;
	assert_run_page(STOCKADE_EXIT_ABORT);
}

typedef enum guest_exit_kind guest_fn(struct guest_regs *regs);

static enum guest_exit_kind system_error(struct guest_regs *regs)
{
	(void)regs;
	return GUEST_EXIT_SERROR;
}

static enum guest_exit_kind aarch32_irq(struct guest_regs *regs)
{
	regs->pstate = PSR_AARCH32;
	return GUEST_EXIT_IRQ;
}

static enum guest_exit_kind aarch32_trap(struct guest_regs *regs)
{
	regs->pstate = PSR_AARCH32 | 0x13;
	regs->esr = ESR(EC_WFX, 0);
	return GUEST_EXIT_SYNC;
}

/* A guest in AArch32, by whatever exit it shows, and one that a system error hit: dead, for ever. */
static void what_no_guest_can_do_is_its_end(void)
{
	guest_fn *const does[] = { aarch32_irq, aarch32_trap, system_error };

	for (size_t i = 0; i < ARRAY_SIZE(does); i++) {
		boot_again();
		start();
		prepare(STOCKADE_ENTRY_NO_GIC);
		fake.guest = does[i];
		assert_int_equal(run(), STOCKADE_EXIT_DEAD);
		assert_int_equal(fake.nr_entries, 1);
		assert_run_page(STOCKADE_EXIT_DEAD);
		assert_int_equal(vm.vm->state, VM_ENDED);
		fake.guest = NULL;
		assert_int_equal(run(), STOCKADE_EXIT_DEAD);
		assert_int_equal(fake.nr_entries, 1);
		fake_check();
	}
}

/* The timer's level is told at every exit. */
static void the_timers_level_is_told(void)
{
	start();
	for (u32 level = 0; level < 2; level++) {
		fake.timer_level = level;
		run();
		assert_int_equal(run_page(&vm, 0)->timer_level, level);
	}
}

/* --- list registers --- */

/* The host's count is bounded by the CPU's, its values are handed on, and what became of them comes back. */
static void list_registers_are_bounded(void)
{
	static const u32 counts[] = { 0, 1, 3, 4, 5, 16, 17, 1000, 0x7fffffff, 0x80000000, ~0u };

	start();
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		u32 n = counts[i] < 4 ? counts[i] : 4;

		prepare(0);
		run_page(&vm, 0)->nr_lrs = counts[i];
		want.run.nr_lrs = counts[i];
		for (u32 l = 0; l < STOCKADE_RUN_MAX_LRS; l++) {
			run_page(&vm, 0)->lr[l] = 0x100 + l;
			want.run.lr[l] = l < n ? 0x200 + l : 0x100 + l;
			fake.lr_out[l] = 0x200 + l;
		}
		run();
		assert_int_equal(fake.entry.nr_lrs, n);
		assert_true(fake.entry.gic);
		assert_false(fake.entry.gic_more);
		for (u32 l = 0; l < n; l++)
			assert_int_equal(fake.entry.lr[l], vm_gic_lr(0x100 + l));
		assert_run_page(STOCKADE_EXIT_IRQ);
	}
}

/* No vGIC: no list registers, whatever the count. All 16 where the CPU has them. MORE is handed on. */
static void list_register_flags(void)
{
	start();
	prepare(STOCKADE_ENTRY_NO_GIC);
	run_page(&vm, 0)->nr_lrs = 3;
	run();
	assert_false(fake.entry.gic);
	assert_int_equal(fake.entry.nr_lrs, 0);
	fake.nr_lrs = 16;
	prepare(STOCKADE_ENTRY_MORE);
	run();
	assert_int_equal(fake.entry.nr_lrs, 16);
	assert_true(fake.entry.gic);
	assert_true(fake.entry.gic_more);
	/* Each flag is one of its own. */
	for (u32 flags = 0; flags < 16; flags++) {
		if (flags & (STOCKADE_ENTRY_MMIO | STOCKADE_ENTRY_SEA))
			continue;
		prepare(flags);
		run();
		assert_int_equal(fake.entry.gic, !(flags & STOCKADE_ENTRY_NO_GIC));
		assert_int_equal(fake.entry.gic_more, !!(flags & STOCKADE_ENTRY_MORE));
	}
}

static bool was_in_guest;

static void note_in_guest(struct guest_regs *regs)
{
	(void)regs;
	was_in_guest = this_cpu()->in_guest;
}

/* Others can see who is in a guest; and once all are to stop, nobody goes in. */
static void entries_are_seen_and_stopped(void)
{
	u64 reason;

	start();
	was_in_guest = false;
	guest_does(note_in_guest, ESR(EC_WFX, 0), 0, 0);
	assert_int_equal(run(), STOCKADE_EXIT_WFI);
	assert_true(was_in_guest);
	assert_false(this_cpu()->in_guest);
	fake.nr_entries = 0;
	hyp_panicked = true;
	assert_ret(vcpu_run(&reason), STOCKADE_EBUSY);
	hyp_panicked = false;
	vcpu_stop_all();
	assert_int_equal(run(), STOCKADE_EXIT_DEAD);
	assert_int_equal(fake.nr_entries, 0);
	assert_false(this_cpu()->in_guest);
}

/* --- entries that make no sense --- */

static void nothing_is_bound(void)
{
	vm = make_vm(1);
	assert_refused(run_ret(), STOCKADE_ENOENT);
	assert_refused(hc(STOCKADE_HC_VCPU_MMIO_VALUE), STOCKADE_EINVAL);
}

/* The host has streaming state, or EL2 has panicked: no entry. */
static void no_entry_when_it_must_not_be(void)
{
	u64 reason;

	start();
	fake.may_enter = false;
	assert_refused(run_ret(), STOCKADE_EBUSY);
	fake.may_enter = true;
	hyp_panicked = true;
	assert_refused(run_ret(), STOCKADE_ENOSYS);
	/* When the call had begun. */
	assert_refused(vcpu_run(&reason), STOCKADE_EBUSY);
	hyp_panicked = false;
	assert_int_equal(fake.nr_entries, 0);
}

/* Answers to a question that was not asked, or that don't fit it; each leaves everything as it was. */
static void answers_must_fit(void)
{
	static const struct {
		u64 esr;
		bool mmio;
	} last[] = {
		{ 0, false }, /* an interrupt */
		{ ESR(EC_WFX, 0), false },
		{ ESR(EC_DABT_LOWER, DABT_FAULT), false },
		{ ESR(EC_IABT_LOWER, ESR_ISV | DABT_FAULT), false },
		{ ESR(EC_DABT_LOWER, ESR_ISV | ESR_S1PTW | DABT_FAULT), false },
		{ ESR(EC_DABT_LOWER, ESR_ISV | ESR_CM | DABT_FAULT), false },
		{ ESR(EC_DABT_LOWER, ESR_ISV | DABT_FAULT), true },
		{ ESR(EC_DABT_LOWER, ESR_ISV | ESR_WNR | DABT_FAULT), true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(last); i++) {
		bool pending = i >= 2;

		boot_again();
		start();
		run_page(&vm, 0)->entry_flags = 0;
		if (last[i].esr)
			guest_traps(last[i].esr, 0, IPA);
		run();
		run_page(&vm, 0)->entry_flags = STOCKADE_ENTRY_MMIO | STOCKADE_ENTRY_SEA;
		assert_refused(run_ret(), STOCKADE_EINVAL);
		run_page(&vm, 0)->entry_flags = ~0u;
		assert_refused(run_ret(), STOCKADE_EINVAL);
		if (!last[i].mmio) {
			run_page(&vm, 0)->entry_flags = STOCKADE_ENTRY_MMIO;
			assert_refused(run_ret(), STOCKADE_EINVAL);
		}
		if (!pending) {
			run_page(&vm, 0)->entry_flags = STOCKADE_ENTRY_SEA;
			assert_refused(run_ret(), STOCKADE_EINVAL);
		}
		/* Flags that mean nothing do nothing. */
		run_page(&vm, 0)->entry_flags = 0xfffffff0;
		assert_int_equal(run(), STOCKADE_EXIT_IRQ);
		assert_int_equal(run_page(&vm, 0)->entry_flags, 0);
		/* A question is asked once. */
		run_page(&vm, 0)->entry_flags = STOCKADE_ENTRY_SEA;
		assert_refused(run_ret(), STOCKADE_EINVAL);
	}
}

/* A vCPU that is bound elsewhere later, by another CPU, still knows its question. */
static void a_question_moves_with_its_vcpu(void)
{
	start();
	guest_traps(ESR(EC_DABT_LOWER, ESR_ISV | ESR_SF | FIELD_PUT(ESR_SAS, 3) |
					       FIELD_PUT(ESR_SRT, 7) | DABT_FAULT),
		    0, IPA);
	assert_int_equal(run(), STOCKADE_EXIT_ABORT);
	assert_ret(hc(STOCKADE_HC_VCPU_PUT), 0);
	fake_cpu(2);
	load(&vm, 0);
	run_page(&vm, 0)->entry_flags = STOCKADE_ENTRY_MMIO;
	run_page(&vm, 0)->mmio_data = 0x1234;
	run();
	assert_int_equal(regs_of(&vm, 0)->x[7], 0x1234);
}

/* A vCPU that was never turned on does not run. */
static void an_off_vcpu_does_not_run(void)
{
	start();
	assert_ret(hc(STOCKADE_HC_VCPU_PUT), 0);
	load(&vm, 1);
	assert_int_equal(run(), STOCKADE_EXIT_CPU_OFF);
	assert_int_equal(fake.nr_entries, 0);
}

/* WFI and SMC go on behind their instruction, HVC is already. */
static void the_pc_moves_on(void)
{
	start();
	regs_of(&vm, 0)->pc = 0x1000;
	guest_traps(ESR(EC_WFX, 0), 0, 0);
	run();
	assert_int_equal(regs_of(&vm, 0)->pc, 0x1004);
	guest_traps(ESR(EC_SMC64, 0), 0, 0);
	run();
	assert_int_equal(regs_of(&vm, 0)->pc, 0x1008);
	assert_int_equal(regs_of(&vm, 0)->x[0], ~0ull);
	guest_calls(PSCI_VERSION, 0, 0, 0);
	run();
	assert_int_equal(regs_of(&vm, 0)->pc, 0x1008);
}

/* FP and pointer authentication are switched in on first use; without the latter it is UNDEFINED. */
static void lazy_registers(void)
{
	start();
	guest_traps(ESR(EC_FP, 0), 0, 0);
	assert_int_equal(run(), STOCKADE_EXIT_IRQ);
	assert_int_equal(fake.nr_fp, 1);
	regs_of(&vm, 0)->x[0] = 0x5a5a;
	guest_traps(ESR(EC_PAUTH, 0), 0, 0);
	assert_int_equal(run(), STOCKADE_EXIT_IRQ);
	assert_int_equal(fake.nr_pauth, 1);
	fake.has_pauth = false;
	regs_of(&vm, 0)->pc = 0x1000;
	regs_of(&vm, 0)->el1.vbar = 0x80000;
	guest_traps(ESR(EC_PAUTH, 0), 0, 0);
	run();
	assert_int_equal(regs_of(&vm, 0)->x[0], 0x5a5a);
	assert_int_equal(fake.nr_pauth, 1);
	assert_int_equal(regs_of(&vm, 0)->pc, 0x80200);
	assert_int_equal(regs_of(&vm, 0)->el1.elr, 0x1000);
	assert_int_equal(regs_of(&vm, 0)->el1.esr, ESR_IL);
}

/* Whatever else traps is UNDEFINED to the guest: all exception classes. */
static void all_else_is_undefined(void)
{
	start();
	for (u64 ec = 0; ec < 64; ec++) {
		switch (ec) {
		case EC_WFX:
		case EC_FP:
		case EC_PAUTH:
		case EC_HVC64:
		case EC_SMC64:
		case EC_SYS64:
		case EC_IABT_LOWER:
		case EC_DABT_LOWER:
			continue;
		default:
			break;
		}
		regs_of(&vm, 0)->pc = 0x1000;
		regs_of(&vm, 0)->pstate = PSR_EL0T;
		regs_of(&vm, 0)->el1.vbar = 0x80000;
		guest_traps(ESR(ec, SECRET & ESR_ISS), 0, 0);
		assert_int_equal(run(), STOCKADE_EXIT_IRQ);
		assert_int_equal(regs_of(&vm, 0)->pc, 0x80400);
		assert_int_equal(regs_of(&vm, 0)->el1.esr, ESR_IL);
		assert_int_equal(regs_of(&vm, 0)->el1.far, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(exits_show_what_they_need),
		hyp_test(ends_show_nothing),
		hyp_test(poison_shows_the_page),
		hyp_test(guest_calls_show_what_they_need),
		hyp_test(what_no_guest_can_do_is_its_end),
		hyp_test(the_timers_level_is_told),
		hyp_test(list_registers_are_bounded),
		hyp_test(list_register_flags),
		hyp_test(entries_are_seen_and_stopped),
		hyp_test(nothing_is_bound),
		hyp_test(no_entry_when_it_must_not_be),
		hyp_test(answers_must_fit),
		hyp_test(a_question_moves_with_its_vcpu),
		hyp_test(an_off_vcpu_does_not_run),
		hyp_test(the_pc_moves_on),
		hyp_test(lazy_registers),
		hyp_test(all_else_is_undefined),
	};

	return RUN("hyp-vm-run", tests);
}
