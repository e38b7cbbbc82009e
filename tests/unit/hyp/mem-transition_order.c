// SPDX-License-Identifier: GPL-2.0-only
/* Transitions: maintenance, in order; and what another CPU finds in the middle. */
#include "hyptest.h"

static struct want want;
static bool more;
static struct test_vm vm;

/* --- maintenance --- */

/*
 * Force reclaim: the guest's TLBs first, then zeroes, then clean to the PoC, also with FWB (the host can map
 * the page uncached), then the host.
 */
static void force_reclaim_in_order(void)
{
	for (int fwb = 0; fwb < 2; fwb++) {
		pa_t pa;
		int at;

		boot_again();
		fake.has_fwb = fwb;
		vm = make_vm(0);
		pa = donated_page(&vm, 0x1000);
		fake.nr_ops = 0;
		guest_force_reclaim(vm.mem, pa);
		at = op_after(FAKE_TLBI_IPAS2E1IS, vm.mem->map.vttbr, 0x1000, -1);
		at = op_after(FAKE_ZERO, pa, PAGE_SIZE, at);
		at = op_after(FAKE_DC_CIVAC, pa, PAGE_SIZE, at);
		op_after(FAKE_DSB, FAKE_DSB_ishst, 0, at);
		fake_check();
	}
}

/* Of the locks that were held when a page was last cleaned, the one that was taken last. */
static const char *last_cleaned_under(void)
{
	const char *unlocked = "none";

	for (unsigned int i = fake.nr_ops; i-- && fake.ops[i].kind != FAKE_DC_CIVAC;)
		if (fake.ops[i].kind == FAKE_UNLOCK)
			unlocked = (const char *)fake.ops[i].a;
	return unlocked;
}

/* Donation: the host's TLBs, then clean to the PoC (no FWB) every page, then the I-cache, then the entry. */
static void donation_in_order(void)
{
	for (int fwb = 0; fwb < 2; fwb++) {
		pa_t block;
		int at;

		boot_again();
		fake.has_fwb = fwb;
		vm = make_vm(0);
		block = host_block();
		assert_ret(vm_topup(vm.vm, spare_page(), 1, &want), 0);
		assert_ret(vm_topup(vm.vm, spare_page(), 1, &want), 0);
		fake.nr_ops = 0;
		more = true; /* what it was before says nothing */
		assert_ret(host_donate_guest(vm.mem, block, 0, NR_BLOCK, &more, &want), 0);
		/* Without FWB in pieces, and none of them under mem_lock. */
		assert_int_equal(more, !fwb);
		assert_int_equal(count_ops(FAKE_DC_CIVAC), 0);
		for (u64 i = 0; i < 8 && !fwb; i++) {
			assert_guest_has_not(&vm, i * 64 * PAGE_SIZE);
			assert_true(more);
			assert_ret(host_donate_guest(vm.mem, block, 0, NR_BLOCK, &more, &want), 0);
			assert_int_equal(count_ops(FAKE_DC_CIVAC), (i + 1) * 64);
			assert_string_equal(last_cleaned_under(), "&mem->lock");
		}
		assert_false(more);
		assert_guest_has(&vm, 511 * PAGE_SIZE, block + 511 * PAGE_SIZE);
		at = op_after(FAKE_TLBI_IPAS2E1IS, host_map.vttbr, block, -1);
		for (u64 i = 0; i < NR_BLOCK && !fwb; i++)
			at = op_after(FAKE_DC_CIVAC, block + i * PAGE_SIZE, PAGE_SIZE, at);
		/* These and no others. */
		assert_int_equal(count_ops(FAKE_DC_CIVAC), fwb ? 0 : NR_BLOCK);
		at = op_after(FAKE_IC_IALLUIS, 0, 0, at);
		op_after(FAKE_DSB, FAKE_DSB_ishst, 0, at);
		/* With FWB the guest's memory type is forced to write-back. */
		assert_int_equal(fake_walk(&vm.mem->map, 0).pte & (0xfull << 2),
				 fwb ? S2_MEMATTR_FORCE_WB : S2_MEMATTR_AS_S1);
		fake_check();
	}
}

/* To the hypervisor: the host's TLBs before the page is used; back: zeroed, EL2's TLBs, then the host. */
static void hyp_donation_in_order(void)
{
	pa_t pa = host_page();
	int at;

	fake.nr_ops = 0;
	assert_ret(host_donate_hyp(pa, 1, &want), 0);
	at = op_after(FAKE_TLBI_IPAS2E1IS, host_map.vttbr, pa, -1);
	op_after(FAKE_ZERO, pa, PAGE_SIZE, at);
	fake.nr_ops = 0;
	hyp_donate_host(pa);
	at = op_after(FAKE_ZERO, pa, PAGE_SIZE, -1);
	at = op_after(FAKE_DC_CIVAC, pa, PAGE_SIZE, at);
	op_after(FAKE_TLBI_VAE2IS, HYP_LINEAR_BASE + pa, 0, at);
}

/* A relinquished or reclaimed page is clean to the PoC before the host has it. */
static void relinquish_in_order(void)
{
	pa_t pa;
	int at;

	vm = make_vm(0);
	pa = donated_page(&vm, 0x1000);
	fake.nr_ops = 0;
	assert_ret(guest_relinquish(vm.mem, 0x1000), 0);
	at = op_after(FAKE_TLBI_IPAS2E1IS, vm.mem->map.vttbr, 0x1000, -1);
	at = op_after(FAKE_ZERO, pa, PAGE_SIZE, at);
	op_after(FAKE_DC_CIVAC, pa, PAGE_SIZE, at);
}

/* Unshared: the host's TLBs first, then what it left in caches goes to memory, which the guest may read. */
static void unshare_in_order(void)
{
	pa_t pa;
	int at;

	vm = make_vm(0);
	pa = donated_page(&vm, 0x1000);
	assert_ret(guest_share_host(vm.mem, 0x1000), 0);
	fake.nr_ops = 0;
	assert_ret(guest_unshare_host(vm.mem, 0x1000), 0);
	at = op_after(FAKE_TLBI_IPAS2E1IS, host_map.vttbr, pa, -1);
	op_after(FAKE_DC_CIVAC, pa, PAGE_SIZE, at);
	assert_int_equal(count_ops(FAKE_DC_CIVAC), 1);
}

/* --- two CPUs --- */

static pa_t race_page;
static unsigned int race_calls;

static void share_meanwhile(const char *name)
{
	if (strcmp(name, "&mem->lock") || race_calls++)
		return;
	fake_cpu(1);
	assert_ret(guest_share_host(vm.mem, 0x1000), 0);
}

/* The guest shares the page just before the host's fault is dealt with: it is left alone. */
static void sharing_wins_over_force_reclaim(void)
{
	vm = make_vm(0);
	race_page = donated_page(&vm, 0x1000);
	fill_page(race_page, 0x7777);
	race_calls = 0;
	fake.before_lock = share_meanwhile;
	guest_force_reclaim(vm.mem, race_page);
	fake.before_lock = NULL;
	assert_int_equal(race_calls, 1);
	assert_state(race_page, PAGE_GUEST_SHARED);
	assert_page_is(race_page, 0x7777);
}

static void look_meanwhile(const char *name)
{
	struct host_regs regs = { 0 };

	if (strcmp(name, "&mem_lock") || race_calls++)
		return;
	/* Zeroing is to come, without mem_lock: nobody may have the page. */
	assert_state(race_page, PAGE_MOVING);
	assert_host_lost(race_page);
	assert_guest_has_not(&vm, 0x1000);
	fake_cpu(1);
	assert_ret(host_donate_hyp(race_page, 1, &want), STOCKADE_EPERM);
	assert_ret(host_share_hyp(race_page, &want), STOCKADE_EPERM);
	/* The host that touches it tries again. */
	fake.abort = (struct host_abort){ .ipa = race_page, .ipa_known = true, .user = true };
	fake.host_esr = ESR(EC_DABT_LOWER, DABT_FAULT);
	host_trap(&regs);
	assert_int_equal(fake.faults[0] + fake.faults[1] + fake.faults[2], 0);
}

/* While a page is being zeroed it is nobody's. */
static void a_moving_page_is_nobodys(void)
{
	vm = make_vm(0);
	race_page = donated_page(&vm, 0x1000);
	race_calls = 0;
	fake.after_unlock = look_meanwhile;
	guest_force_reclaim(vm.mem, race_page);
	fake.after_unlock = NULL;
	assert_true(race_calls > 1);
	assert_state(race_page, PAGE_HOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(force_reclaim_in_order),   hyp_test(donation_in_order),
		hyp_test(hyp_donation_in_order),    hyp_test(relinquish_in_order),
		hyp_test(unshare_in_order),	    hyp_test(sharing_wins_over_force_reclaim),
		hyp_test(a_moving_page_is_nobodys),
	};

	return RUN("hyp-mem-transition_order", tests);
}
