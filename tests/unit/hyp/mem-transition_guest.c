// SPDX-License-Identifier: GPL-2.0-only
/* Transitions of a guest's pages: shared and unshared, relinquished, taken by force; and the MMIO it names. */
#include "hyptest.h"

static struct want want;
static bool more;
static struct test_vm vm;

/* --- sharing --- */

/* Shared: both see it, contents kept. Unshared: the guest alone. Twice is refused. */
static void sharing_and_unsharing(void)
{
	pa_t pa;

	vm = make_vm(0);
	pa = donated_page(&vm, 0x1000);
	fill_page(pa, 0x5ec2e7);
	assert_ret(guest_share_host(vm.mem, 0x1000), 0);
	assert_state(pa, PAGE_GUEST_SHARED);
	assert_host_has(pa);
	assert_guest_has(&vm, 0x1000, pa);
	assert_page_is(pa, 0x5ec2e7);
	assert_refused(guest_share_host(vm.mem, 0x1000), STOCKADE_EPERM);
	assert_ret(guest_unshare_host(vm.mem, 0x1000), 0);
	assert_state(pa, PAGE_GUEST);
	assert_host_lost(pa);
	assert_page_is(pa, 0x5ec2e7);
	assert_refused(guest_unshare_host(vm.mem, 0x1000), STOCKADE_EPERM);
}

/* All pages of a block shared, and unshared, in some order: its table is always there. */
static void a_whole_block_can_be_shared(void)
{
	pa_t block = host_block();

	vm = make_vm(0);
	donate(&vm, block, 0, NR_BLOCK);
	for (u64 i = 0; i < NR_BLOCK; i++)
		assert_ret(guest_share_host(vm.mem, (i * 7 % NR_BLOCK) * PAGE_SIZE), 0);
	assert_int_equal(fake_walk(&host_map, block).level, 3);
	fake_check();
	set_hyp_pool_free(0);
	for (u64 i = 0; i < NR_BLOCK; i++)
		assert_ret(guest_unshare_host(vm.mem, (i * 11 % NR_BLOCK) * PAGE_SIZE), 0);
	release_hyp_pool(0);
}

/* --- relinquish --- */

/* A private page comes back zeroed; a shared one as it is; another can be donated in its place. */
static void relinquished_pages_come_back(void)
{
	pa_t pa, shared;

	vm = make_vm(0);
	pa = donated_page(&vm, 0x1000);
	shared = donated_page(&vm, 0x2000);
	fill_page(pa, 0x5ec2e7);
	fill_page(shared, 0x1234);
	assert_ret(guest_share_host(vm.mem, 0x2000), 0);
	assert_ret(guest_relinquish(vm.mem, 0x1000), 0);
	assert_ret(guest_relinquish(vm.mem, 0x2000), 0);
	assert_page_is(pa, 0);
	assert_page_is(shared, 0x1234);
	assert_state(pa, PAGE_HOST);
	assert_state(shared, PAGE_HOST);
	assert_guest_has_not(&vm, 0x1000);
	assert_guest_has_not(&vm, 0x2000);
	assert_false(guest_is_poisoned(vm.mem, 0x1000));
	donate(&vm, shared, 0x1000, 1);
	assert_guest_has(&vm, 0x1000, shared);
}

/* All of a block relinquished: the host has it whole again. */
static void a_relinquished_block_is_whole_again(void)
{
	pa_t block = host_block();

	vm = make_vm(0);
	donate(&vm, block, 0, NR_BLOCK);
	for (u64 i = 0; i < NR_BLOCK; i++)
		assert_ret(guest_relinquish(vm.mem, i * PAGE_SIZE), 0);
	assert_int_equal(fake_walk(&host_map, block).level, 2);
	for (u64 i = 0; i < NR_BLOCK; i++)
		assert_page_is(block + i * PAGE_SIZE, 0);
}

/* --- force reclaim --- */

/* The page comes back zeroed and the guest's entry is poisoned; other pages are not harmed. */
static void a_forced_page_is_zeroed_and_poisoned(void)
{
	pa_t pa, next;

	vm = make_vm(0);
	pa = donated_page(&vm, 0x1000);
	next = donated_page(&vm, 0x2000);
	fill_page(pa, 0x5ec2e7);
	fill_page(next, 0x5afe);
	guest_force_reclaim(vm.mem, pa);
	assert_state(pa, PAGE_HOST);
	assert_host_has(pa);
	assert_page_is(pa, 0);
	assert_guest_has_not(&vm, 0x1000);
	assert_true(guest_is_poisoned(vm.mem, 0x1000));
	assert_guest_has(&vm, 0x2000, next);
	assert_page_is(next, 0x5afe);
	assert_false(guest_is_poisoned(vm.mem, 0x2000));
	/* There is no page for it any more, neither that nor another. */
	assert_refused(host_donate_guest(vm.mem, pa, 0x1000, 1, &more, &want), STOCKADE_EFAULT);
	assert_refused(host_donate_guest(vm.mem, host_page(), 0x1000, 1, &more, &want),
		       STOCKADE_EFAULT);
	/* Elsewhere it is a page like any other. */
	assert_ret(host_donate_guest(vm.mem, pa, 0x3000, 1, &more, &want), 0);
}

/* One page of a block: the other 511 stay, with their contents and translations. */
static void a_forced_page_of_a_block(void)
{
	pa_t block = host_block();

	vm = make_vm(0);
	donate(&vm, block, 0, NR_BLOCK);
	for (u64 i = 0; i < NR_BLOCK; i++)
		fill_page(block + i * PAGE_SIZE, 0x5ec0000 + i);
	guest_force_reclaim(vm.mem, block + 200 * PAGE_SIZE);
	for (u64 i = 0; i < NR_BLOCK; i++) {
		if (i == 200) {
			assert_page_is(block + i * PAGE_SIZE, 0);
			assert_host_has(block + i * PAGE_SIZE);
			assert_true(guest_is_poisoned(vm.mem, i * PAGE_SIZE));
		} else {
			assert_page_is(block + i * PAGE_SIZE, 0x5ec0000 + i);
			assert_host_lost(block + i * PAGE_SIZE);
			assert_guest_has(&vm, i * PAGE_SIZE, block + i * PAGE_SIZE);
		}
	}
}

/* Beyond the guest's space nothing is poisoned, and asking is no mistake. */
static void poison_beyond_the_space(void)
{
	vm = make_vm(0);
	assert_false(guest_is_poisoned(vm.mem, BIT(40)));
	assert_false(guest_is_poisoned(vm.mem, ~0ull));
	assert_false(guest_is_poisoned(vm.mem, 0));
}

/* --- MMIO --- */

/* A guest can name no more than 1024 pages of MMIO: each may cost the host tables. */
static void guards_are_bounded(void)
{
	u64 missing;

	vm = make_vm(0);
	for (unsigned int i = 0; i < 6; i++)
		assert_ret(vm_topup(vm.vm, spare_page(), 1, &want), 0);
	for (u64 i = 0; i < 1024; i++)
		assert_ret(guest_guard_mmio(vm.mem, i * PAGE_SIZE, &missing), 0);
	assert_refused(guest_guard_mmio(vm.mem, 1024 * PAGE_SIZE, &missing), STOCKADE_EPERM);
	/* Those that it has can be named again. */
	assert_ret(guest_guard_mmio(vm.mem, 7 * PAGE_SIZE, &missing), 0);
	assert_ret(guest_guard_mmio(vm.mem, 8 * PAGE_SIZE, &missing), 0);
	assert_refused(guest_guard_mmio(vm.mem, 1025 * PAGE_SIZE, &missing), STOCKADE_EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(sharing_and_unsharing),
		hyp_test(a_whole_block_can_be_shared),
		hyp_test(relinquished_pages_come_back),
		hyp_test(a_relinquished_block_is_whole_again),
		hyp_test(a_forced_page_is_zeroed_and_poisoned),
		hyp_test(a_forced_page_of_a_block),
		hyp_test(poison_beyond_the_space),
		hyp_test(guards_are_bounded),
	};

	return RUN("hyp-mem-transition_guest", tests);
}
