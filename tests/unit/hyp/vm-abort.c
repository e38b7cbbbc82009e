// SPDX-License-Identifier: GPL-2.0-only
/* A guest touched what is not mapped: MMIO, memory to come, or nothing. */
#include "hyptest.h"

#define IPA 0x09000000ull

static struct test_vm vm;

static void start(void)
{
	vm = make_vm(1);
	load(&vm, 0);
	regs_of(&vm, 0)->pc = 0x1000;
	regs_of(&vm, 0)->el1.vbar = 0x80000;
}

static void access_(u64 iss)
{
	guest_traps(ESR(EC_DABT_LOWER, ESR_ISV | DABT_FAULT | iss), 0xffff000012345678, IPA);
	assert_int_equal(run(), STOCKADE_EXIT_ABORT);
}

/* Loads of every size, extended and truncated as the instruction wants it; to every register. */
static void loads_are_extended(void)
{
	static const struct {
		u64 sas;
		bool sse, sf;
		u64 data, result;
	} cases[] = {
		{ 0, false, false, 0x1122334455667788, 0x88 },
		{ 0, false, true, 0x1122334455667788, 0x88 },
		{ 0, true, false, 0x1122334455667788, 0xffffff88 },
		{ 0, true, true, 0x1122334455667788, 0xffffffffffffff88 },
		{ 0, true, true, 0xffffff7f, 0x7f },
		{ 1, false, false, 0x112233445566f788, 0xf788 },
		{ 1, false, true, 0x112233445566f788, 0xf788 },
		{ 1, true, false, 0x112233445566f788, 0xfffff788 },
		{ 1, true, true, 0x112233445566f788, 0xfffffffffffff788 },
		{ 1, true, true, 0xffff7788, 0x7788 },
		{ 2, false, false, 0x11223344f5667788, 0xf5667788 },
		{ 2, false, true, 0x11223344f5667788, 0xf5667788 },
		{ 2, true, false, 0x11223344f5667788, 0xf5667788 },
		{ 2, true, true, 0x11223344f5667788, 0xfffffffff5667788 },
		{ 2, true, true, 0xffffffff75667788, 0x75667788 },
		{ 3, false, true, 0xf122334455667788, 0xf122334455667788 },
		{ 3, true, true, 0xf122334455667788, 0xf122334455667788 },
		{ 3, false, false, 0xf122334455667788, 0x55667788 },
	};

	start();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (u64 rt = 0; rt < 32; rt++) {
			struct guest_regs *regs = regs_of(&vm, 0);
			u64 pc = regs->pc;

			memset(regs->x, 0x5a, sizeof(regs->x));
			access_(FIELD_PUT(ESR_SAS, cases[i].sas) | FIELD_PUT(ESR_SRT, rt) |
				(cases[i].sse ? ESR_SSE : 0) | (cases[i].sf ? ESR_SF : 0));
			assert_int_equal(run_page(&vm, 0)->abort_size, 1u << cases[i].sas);
			run_page(&vm, 0)->entry_flags = STOCKADE_ENTRY_MMIO;
			run_page(&vm, 0)->mmio_data = cases[i].data;
			run();
			/* That flag alone was set. */
			assert_true(fake.entry.gic);
			assert_false(fake.entry.gic_more);
			for (u64 x = 0; x < 31; x++)
				assert_int_equal(regs->x[x],
						 x == rt ? cases[i].result : 0x5a5a5a5a5a5a5a5a);
			assert_int_equal(regs->pc, pc + 4);
		}
	}
}

/* The value of a store, of its size, is told on request; the zero register is zero. No register changes. */
static void stores_show_their_size(void)
{
	static const u64 values[] = { 0x88, 0x7788, 0x55667788, 0x1122334455667788 };

	start();
	for (u64 sas = 0; sas < 4; sas++) {
		for (u64 rt = 0; rt < 32; rt++) {
			struct guest_regs *regs = regs_of(&vm, 0);

			memset(regs->x, 0x5a, sizeof(regs->x));
			if (rt < 31)
				regs->x[rt] = 0x1122334455667788;
			access_(ESR_WNR | FIELD_PUT(ESR_SAS, sas) | FIELD_PUT(ESR_SRT, rt));
			assert_ret(hc(STOCKADE_HC_VCPU_MMIO_VALUE), 0);
			assert_int_equal(hc_result.x1, rt < 31 ? values[sas] : 0);
			if (rt < 31)
				regs->x[rt]++;
			assert_ret(hc(STOCKADE_HC_VCPU_MMIO_VALUE), 0);
			assert_int_equal(hc_result.x1, rt < 31 ? values[sas] + 1 : 0);
			if (rt < 31)
				regs->x[rt]--;
			run_page(&vm, 0)->entry_flags = STOCKADE_ENTRY_MMIO;
			run_page(&vm, 0)->mmio_data = 0xbad;
			run();
			if (rt < 31)
				assert_int_equal(regs->x[rt], 0x1122334455667788);
		}
	}
}

/* Of a load, a store without syndrome, or none at all, there is no value to tell. */
static void no_value_but_a_stores(void)
{
	start();
	assert_refused(hc(STOCKADE_HC_VCPU_MMIO_VALUE), STOCKADE_EINVAL);
	access_(0);
	assert_refused(hc(STOCKADE_HC_VCPU_MMIO_VALUE), STOCKADE_EINVAL);
	guest_traps(ESR(EC_DABT_LOWER, ESR_WNR | DABT_FAULT), 0, IPA);
	run();
	assert_refused(hc(STOCKADE_HC_VCPU_MMIO_VALUE), STOCKADE_EINVAL);
	access_(ESR_WNR);
	assert_ret(hc(STOCKADE_HC_VCPU_MMIO_VALUE), 0);
	run();
	assert_refused(hc(STOCKADE_HC_VCPU_MMIO_VALUE), STOCKADE_EINVAL);
}

/* A guest that has said where its MMIO is shows accesses there, and no other. */
static void guarded_mmio_alone_is_shown(void)
{
	u64 missing;

	start();
	for (unsigned int i = 0; i < 2; i++)
		assert_ret(hc_fed(STOCKADE_HC_VM_TOPUP, vm.handle, PFN(spare_page()), 1), 0);
	assert_ret(guest_guard_mmio(vm.mem, IPA, &missing), 0);
	access_(ESR_WNR);
	assert_int_equal(run_page(&vm, 0)->abort_flags,
			 STOCKADE_ABORT_WRITE | STOCKADE_ABORT_SYNDROME);
	assert_ret(hc(STOCKADE_HC_VCPU_MMIO_VALUE), 0);

	guest_traps(ESR(EC_DABT_LOWER, ESR_ISV | ESR_WNR | DABT_FAULT), 0x678, IPA + PAGE_SIZE);
	run();
	assert_int_equal(run_page(&vm, 0)->abort_flags, STOCKADE_ABORT_WRITE);
	assert_int_equal(run_page(&vm, 0)->abort_ipa, IPA + PAGE_SIZE);
	assert_refused(hc(STOCKADE_HC_VCPU_MMIO_VALUE), STOCKADE_EINVAL);
	run_page(&vm, 0)->entry_flags = STOCKADE_ENTRY_MMIO;
	assert_refused(run_ret(), STOCKADE_EINVAL);
}

/* What is no translation fault, or is beyond the space, is the guest's own mistake. */
static void other_faults_are_external_aborts(void)
{
	static const u64 codes[] = { FSC_ACCESS | 3,
				     FSC_PERMISSION | 3,
				     FSC_SEA,
				     FSC_SEA_WALK | 2,
				     FSC_ALIGNMENT,
				     0,
				     1,
				     0x30,
				     0x3f };
	struct guest_regs *regs;

	start();
	regs = regs_of(&vm, 0);
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		for (int fetch = 0; fetch < 2; fetch++) {
			u64 ec = fetch ? EC_IABT_LOWER : EC_DABT_LOWER;

			regs->pc = 0x1000;
			regs->pstate = PSR_EL1H;
			guest_traps(ESR(ec, ESR_ISV | codes[i]), 0x1234, IPA);
			assert_int_equal(run(), STOCKADE_EXIT_IRQ);
			assert_int_equal(regs->pc, 0x80200);
			assert_int_equal(regs->el1.esr, ESR(ec + 1, FSC_SEA));
			assert_int_equal(regs->el1.far, 0x1234);
		}
	}
	regs->pstate = PSR_EL0T;
	guest_traps(ESR(EC_DABT_LOWER, ESR_WNR | DABT_FAULT), 0x1234, BIT(40));
	assert_int_equal(run(), STOCKADE_EXIT_IRQ);
	assert_int_equal(regs->pc, 0x80400);
	assert_int_equal(regs->el1.esr, ESR(EC_DABT_LOWER, FSC_SEA | ESR_WNR));
	guest_traps(ESR(EC_DABT_LOWER, DABT_FAULT), 0x1234, BIT(48) - PAGE_SIZE);
	assert_int_equal(run(), STOCKADE_EXIT_IRQ);
	/* The last page of the space is none of these. */
	guest_traps(ESR(EC_DABT_LOWER, DABT_FAULT), 0x1234, BIT(40) - PAGE_SIZE);
	assert_int_equal(run(), STOCKADE_EXIT_ABORT);
}

/* The guest changed its tables while it trapped: it tries again. */
static void an_unknown_ipa_is_tried_again(void)
{
	start();
	fake.fault_ipa_unknown = true;
	guest_traps(ESR(EC_DABT_LOWER, FSC_PERMISSION | 3), 0, IPA);
	assert_int_equal(run(), STOCKADE_EXIT_IRQ);
	assert_int_equal(regs_of(&vm, 0)->pc, 0x1000);
}

/* Nothing is there, says the host: an external abort, as of that access. */
static void the_host_can_say_that_nothing_is_there(void)
{
	struct guest_regs *regs;

	start();
	regs = regs_of(&vm, 0);
	access_(ESR_WNR | FIELD_PUT(ESR_SRT, 3));
	run_page(&vm, 0)->entry_flags = STOCKADE_ENTRY_SEA;
	run();
	assert_int_equal(regs->pc, 0x80200);
	assert_int_equal(regs->el1.elr, 0x1000);
	assert_int_equal(regs->el1.esr, ESR(EC_DABT_CURRENT, FSC_SEA | ESR_WNR));
	assert_int_equal(regs->el1.far, 0xffff000012345678);
	/* A fetch from EL0. */
	regs->pstate = PSR_EL0T;
	guest_traps(ESR(EC_IABT_LOWER, DABT_FAULT), 0x4444, IPA);
	assert_int_equal(run(), STOCKADE_EXIT_ABORT);
	run_page(&vm, 0)->entry_flags = STOCKADE_ENTRY_SEA;
	run();
	assert_int_equal(regs->el1.esr, ESR(EC_IABT_LOWER, FSC_SEA));
	assert_int_equal(regs->el1.far, 0x4444);
}

/* The host donates the page: the access is made again, no instruction is skipped. */
static void a_donated_page_is_tried_again(void)
{
	start();
	access_(ESR_WNR);
	donated_page(&vm, IPA);
	run();
	assert_int_equal(regs_of(&vm, 0)->pc, 0x1000);
	assert_guest_has(&vm, IPA, fake_walk(&vm.mem->map, IPA).pa);
}

/* Of a fetch, what is a data access's syndrome counts for nothing. */
static void fetches_are_fetches(void)
{
	start();
	guest_traps(ESR(EC_IABT_LOWER, ESR_ISV | ESR_WNR | DABT_FAULT), 0x679, IPA);
	assert_int_equal(run(), STOCKADE_EXIT_ABORT);
	assert_int_equal(run_page(&vm, 0)->abort_flags, STOCKADE_ABORT_FETCH);
	assert_int_equal(run_page(&vm, 0)->abort_ipa, IPA);
	run_page(&vm, 0)->entry_flags = STOCKADE_ENTRY_MMIO;
	assert_refused(run_ret(), STOCKADE_EINVAL);
	assert_refused(hc(STOCKADE_HC_VCPU_MMIO_VALUE), STOCKADE_EINVAL);
}

/* An access with a syndrome is shown to the byte. */
static void mmio_is_shown_to_the_byte(void)
{
	static const u64 offsets[] = { 0, 1, 2, 0x7ff, 0x800, 0xfff };

	start();
	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		guest_traps(ESR(EC_DABT_LOWER, ESR_ISV | DABT_FAULT), 0x12345000 + offsets[i], IPA);
		assert_int_equal(run(), STOCKADE_EXIT_ABORT);
		assert_int_equal(run_page(&vm, 0)->abort_ipa, IPA + offsets[i]);
	}
}

/* Cache maintenance says of itself what it is in the external abort as well. */
static void aborts_keep_cm(void)
{
	start();
	guest_traps(ESR(EC_DABT_LOWER, ESR_WNR | ESR_CM | FSC_SEA), 0x1234, IPA);
	assert_int_equal(run(), STOCKADE_EXIT_IRQ);
	assert_int_equal(regs_of(&vm, 0)->el1.esr & (ESR_WNR | ESR_CM), ESR_WNR | ESR_CM);
}

/* A walk of the guest's stage 1, and cache maintenance, are neither writes nor MMIO. */
static void walks_are_reads(void)
{
	start();
	access_(ESR_WNR | ESR_S1PTW);
	assert_int_equal(run_page(&vm, 0)->abort_flags, 0);
	access_(ESR_WNR | ESR_CM);
	assert_int_equal(run_page(&vm, 0)->abort_flags, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(loads_are_extended),
		hyp_test(stores_show_their_size),
		hyp_test(no_value_but_a_stores),
		hyp_test(guarded_mmio_alone_is_shown),
		hyp_test(other_faults_are_external_aborts),
		hyp_test(an_unknown_ipa_is_tried_again),
		hyp_test(the_host_can_say_that_nothing_is_there),
		hyp_test(a_donated_page_is_tried_again),
		hyp_test(fetches_are_fetches),
		hyp_test(mmio_is_shown_to_the_byte),
		hyp_test(aborts_keep_cm),
		hyp_test(walks_are_reads),
	};

	return RUN("hyp-vm-abort", tests);
}
