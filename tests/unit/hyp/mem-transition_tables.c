// SPDX-License-Identifier: GPL-2.0-only
/* Transitions: memory for tables, of EL2's pool and of a VM's. */
#include "hyptest.h"

static struct want want;
static bool more;
static struct test_vm vm;

/*
 * Each call that takes tables of EL2's pool, with 0 to enough pages in it: refused with the number that is
 * lacking, nothing changed; with exactly that number more it works.
 */
static void el2s_pool_is_asked_for_exactly_what_lacks(void)
{
	for (unsigned int call = 0; call < 4; call++) {
		u64 enough = 0;

		for (u64 free = 0; free < 40 && !enough; free++) {
			pa_t pa;
			s64 ret;

			boot_again();
			vm = make_vm(0);
			for (unsigned int i = 0; i < 4; i++)
				assert_ret(hc_fed(STOCKADE_HC_VM_TOPUP, vm.handle,
						  PFN(spare_page()), 1),
					   0);
			while (hyp_pool.free < 40)
				assert_ret(hc(STOCKADE_HC_POOL_TOPUP, PFN(spare_page()), 1), 0);
			pa = host_block();
			set_hyp_pool_free(free);
#define CALL()                                                           \
	(call == 0 ? host_donate_hyp(pa, 1, &want) :                     \
	 call == 1 ? host_share_hyp(pa, &want) :                         \
	 call == 2 ? host_donate_guest(vm.mem, pa, 0, 1, &more, &want) : \
		     host_donate_guest(vm.mem, pa, 0, NR_BLOCK, &more, &want))
			ret = CALL();
			if (!ret) {
				enough = free;
				assert_true(hyp_pool.free >= HYP_POOL_RESERVE);
			} else {
				u64 lacks = want.pages;

				assert_ret(ret, STOCKADE_ENOMEM);
				assert_int_equal(want.pool, STOCKADE_POOL_HYP);
				assert_in_range(lacks, 1, 24);
				assert_refused(CALL(), STOCKADE_ENOMEM);
				/* One less is not enough; that number is. */
				release_hyp_pool(0);
				set_hyp_pool_free(free + lacks - 1);
				assert_ret(CALL(), STOCKADE_ENOMEM);
				assert_int_equal(want.pages, 1);
				release_hyp_pool(0);
				set_hyp_pool_free(free + lacks);
				assert_ret(CALL(), STOCKADE_OK);
			}
			release_hyp_pool(call == 3 ? 1 : 0);
			fake_check();
		}
		assert_in_range(enough, HYP_POOL_RESERVE, HYP_POOL_RESERVE + 4);
	}
}

/* The pool itself can be topped up from its reserve. */
static void the_pool_is_fed_from_its_reserve(void)
{
	pa_t pa = host_block();

	set_hyp_pool_free(1);
	assert_ret(host_donate_hyp(pa, 1, &want), STOCKADE_ENOMEM);
	assert_refused(host_donate_pool(pa, 1, &want), STOCKADE_ENOMEM); /* two tables */
	assert_int_equal(want.pages, 1);
	release_hyp_pool(0);
	set_hyp_pool_free(2);
	assert_ret(host_donate_pool(pa, 1, &want), 0);
	assert_int_equal(hyp_pool.free, 1);
	assert_ret(host_donate_pool(pa + PAGE_SIZE, 16, &want), 0);
	assert_int_equal(hyp_pool.free, 17);
	release_hyp_pool(0);
}

/* A VM's pool is asked for tables by level and, for a block, one to split it later; exactly so many. */
static void a_vms_pool_is_asked_for_exactly_what_lacks(void)
{
	static const struct {
		unsigned int bits;
		u64 nr, tables;
	} cases[] = { { 40, 1, 2 }, { 40, NR_BLOCK, 2 }, { 44, 1, 3 }, { 44, NR_BLOCK, 3 } };
	static const struct fake_config config = { .ipa_bits = 48 };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 nr = cases[i].nr;
		pa_t pa;

		boot_again_as(&config);
		vm = make_vm_bits(0, cases[i].bits);
		pa = host_block();
		for (u64 have = 0; have < cases[i].tables; have++) {
			assert_refused(host_donate_guest(vm.mem, pa, GIB, nr, &more, &want),
				       STOCKADE_ENOMEM);
			assert_int_equal(want.pool, STOCKADE_POOL_VM);
			assert_int_equal(want.pages, cases[i].tables - have);
			assert_ret(vm_topup(vm.vm, spare_page(), 1, &want), 0);
		}
		assert_ret(host_donate_guest(vm.mem, pa, GIB, nr, &more, &want), 0);
		assert_int_equal(vm.mem->pool.free, 0);
		assert_int_equal(vm.mem->pool.reserved, nr == 1 ? 0 : 1);
		assert_int_equal(hyp_pool.reserved, nr == 1 ? 0 : 1);
		fake_check();
	}
}

/* Splits come from what was reserved, with nothing else left in either pool. */
static void blocks_are_split_from_the_reserve(void)
{
	pa_t block = host_block();
	u64 before;

	vm = make_vm(0);
	donate(&vm, block, 0, NR_BLOCK);
	assert_int_equal(vm.mem->pool.free, 0);
	set_hyp_pool_free(0);
	before = hyp_pool.reserved;
	assert_ret(guest_share_host(vm.mem, 9 * PAGE_SIZE), 0);
	assert_int_equal(hyp_pool.reserved, before - 1);
	assert_int_equal(vm.mem->pool.reserved, 0);
	assert_host_has(block + 9 * PAGE_SIZE);
	assert_host_lost(block + 8 * PAGE_SIZE);
	for (u64 i = 0; i < NR_BLOCK; i++)
		assert_guest_has(&vm, i * PAGE_SIZE, block + i * PAGE_SIZE);
	/* Others of it, with no more. */
	assert_ret(guest_share_host(vm.mem, 11 * PAGE_SIZE), 0);
	assert_ret(guest_unshare_host(vm.mem, 9 * PAGE_SIZE), 0);
	guest_force_reclaim(vm.mem, block);
	assert_ret(guest_relinquish(vm.mem, PAGE_SIZE), 0);
	release_hyp_pool(0);
}

/* A guest's MMIO guard takes tables of the VM's pool, and says how many are lacking. */
static void guards_take_tables(void)
{
	u64 missing = 99;

	vm = make_vm(0);
	assert_refused(guest_guard_mmio(vm.mem, GIB, &missing), STOCKADE_ENOMEM);
	assert_int_equal(missing, 2);
	assert_true(guest_is_mmio(vm.mem, 0x1000)); /* not asked for yet: everything */
	assert_ret(vm_topup(vm.vm, spare_page(), 1, &want), 0);
	assert_ret(guest_guard_mmio(vm.mem, GIB, &missing), STOCKADE_ENOMEM);
	assert_int_equal(missing, 1);
	assert_ret(vm_topup(vm.vm, spare_page(), 1, &want), 0);
	assert_ret(guest_guard_mmio(vm.mem, GIB, &missing), 0);
	assert_ret(guest_guard_mmio(vm.mem, GIB, &missing), 0);
	assert_true(guest_is_mmio(vm.mem, GIB));
	assert_false(guest_is_mmio(vm.mem, GIB + PAGE_SIZE));
	assert_false(guest_is_mmio(vm.mem, 0x1000));
}

/*
 * A few pages for EL2 take tables where their ends are: for one block's on each side, or for two blocks', wherever the
 * range begins and ends.
 */
static void a_ranges_ends_take_tables(void)
{
	static const struct {
		pa_t pa;
		u64 nr, tables;
	} cases[] = {
		{ 0x40400000, 1, 2 },  { 0x403ff000, 1, 2 }, { 0x40400000, 16, 2 },
		{ 0x403f0000, 16, 2 }, { 0x403ff000, 2, 4 }, { 0x403f1000, 16, 4 },
		{ 0x403fe000, 2, 2 },  { 0x403fe000, 3, 4 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		boot_again();
		set_hyp_pool_free(HYP_POOL_RESERVE);
		assert_refused(host_donate_hyp(cases[i].pa, cases[i].nr, &want), STOCKADE_ENOMEM);
		assert_int_equal(want.pages, cases[i].tables);
		release_hyp_pool(0);
		set_hyp_pool_free(HYP_POOL_RESERVE + cases[i].tables);
		assert_ret(host_donate_hyp(cases[i].pa, cases[i].nr, &want), 0);
		assert_int_equal(hyp_pool.free, HYP_POOL_RESERVE);
		release_hyp_pool(0);
		fake_check();
		for (u64 n = 0; n < cases[i].nr; n++)
			hyp_donate_host(cases[i].pa + n * PAGE_SIZE);
	}
}

/* A look at two ranges at once says of each what giving it would, and counts the tables of both. */
static void both_or_none(void)
{
	static const struct {
		pa_t page, pages;
		u64 nr;
		int ret;
	} cases[] = {
		{ 0x403ff000, 0x41100000, 2, STOCKADE_OK },
		/* The page alone, the others alone. */
		{ 0x40800000, 0x41100000, 2, STOCKADE_EINVAL },
		{ 0x403ff800, 0x41100000, 2, STOCKADE_EINVAL },
		{ 0x403ff000, 0x40800000, 2, STOCKADE_EINVAL },
		{ 0x403ff000, 0x41100000, 17, STOCKADE_EINVAL },
		{ 0x403ff000, 0x41100000, 0, STOCKADE_EINVAL },
		{ 0x40000000, 0x41100000, 2, STOCKADE_EPERM },
		{ 0x403ff000, 0x40000000, 2, STOCKADE_EPERM },
		{ 0x403ff000, 0x41108000, 2, STOCKADE_EPERM },
		{ 0x403ff000, 0x41107000, 2, STOCKADE_EPERM },
		/* What follows does not matter. */
		{ 0x407ff000, 0x41100000, 2, STOCKADE_OK },
		{ 0x41107000, 0x41106000, 1, STOCKADE_OK },
		{ 0x403ff000, 0x41106000, 2, STOCKADE_OK },
	};

	assert_ret(host_donate_hyp(0x41108000, 1, &want), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refused(host_can_donate_both(cases[i].page, cases[i].pages, cases[i].nr,
						    &want),
			       cases[i].ret);
	/* Two tables for the page at a block's end, four for those over the end of another. */
	set_hyp_pool_free(HYP_POOL_RESERVE + 5);
	assert_refused(host_can_donate_both(0x405ff000, 0x403ff000, 2, &want), STOCKADE_ENOMEM);
	assert_int_equal(want.pages, 1);
	assert_int_equal(want.pool, STOCKADE_POOL_HYP);
	release_hyp_pool(0);
	set_hyp_pool_free(HYP_POOL_RESERVE + 6);
	assert_refused(host_can_donate_both(0x405ff000, 0x403ff000, 2, &want), STOCKADE_OK);
	release_hyp_pool(0);
	hyp_donate_host(0x41108000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(el2s_pool_is_asked_for_exactly_what_lacks),
		hyp_test(the_pool_is_fed_from_its_reserve),
		hyp_test(a_vms_pool_is_asked_for_exactly_what_lacks),
		hyp_test(blocks_are_split_from_the_reserve),
		hyp_test(guards_take_tables),
		hyp_test(a_ranges_ends_take_tables),
		hyp_test(both_or_none),
	};

	return RUN("hyp-mem-transition_tables", tests);
}
