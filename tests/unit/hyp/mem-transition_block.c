// SPDX-License-Identifier: GPL-2.0-only
/* Without FWB a block is cleaned in pieces: what may be done with one that is the guest's, and not yet mapped there. */
#include "hyptest.h"

#define AT     BLOCK /* the IPA */
#define PIECES 8

static struct want want;
static struct test_vm vm;
static pa_t block;

static void begin(void)
{
	bool more;

	vm = make_vm(0);
	block = host_block();
	for (unsigned int i = 0; i < 2; i++)
		assert_ret(vm_topup(vm.vm, spare_page(), 1, &want), 0);
	assert_ret(host_donate_guest(vm.mem, block, AT, NR_BLOCK, &more, &want), 0);
	assert_true(more);
	fake_check();
	assert_int_equal(selfcheck(true), 0);
}

static s64 go_on(u64 *more)
{
	s64 ret = hc(STOCKADE_HC_HOST_DONATE_GUEST, vm.handle, PFN(block), PFN(AT), NR_BLOCK);

	*more = hc_result.x1;
	return ret;
}

/* It is lost to the host at once, and the guest's when the last page is clean; then there is nothing to go on with. */
static void a_block_comes_in_pieces(void)
{
	u64 more;

	begin();
	fill_page(block + 7 * PAGE_SIZE, 7);
	for (unsigned int i = 0; i < PIECES; i++) {
		assert_state(block + 511 * PAGE_SIZE, PAGE_GUEST);
		assert_host_lost(block);
		assert_guest_has_not(&vm, AT);
		assert_ret(go_on(&more), 0);
		assert_int_equal(more, i + 1 < PIECES);
		fake_check();
		assert_int_equal(selfcheck(true), 0);
	}
	for (u64 i = 0; i < NR_BLOCK; i += 73)
		assert_guest_has(&vm, AT + i * PAGE_SIZE, block + i * PAGE_SIZE);
	assert_int_equal(fake_walk(&vm.mem->map, AT).level, 2);
	assert_page_is(block + 7 * PAGE_SIZE, 7);
	assert_ret(go_on(&more), STOCKADE_EEXIST);
}

/* Only the same call goes on; nothing else can be there, and the guest has nothing yet. */
static void nothing_comes_between(void)
{
	pa_t other = host_block(), page = host_page();
	struct test_vm theirs = make_vm(0);
	u64 missing;
	bool more;

	begin();
	for (unsigned int i = 0; i < 2; i++)
		assert_ret(vm_topup(theirs.vm, spare_page(), 1, &want), 0);
	assert_refused(host_donate_guest(vm.mem, other, AT, NR_BLOCK, &more, &want),
		       STOCKADE_EEXIST);
	assert_refused(host_donate_guest(vm.mem, page, AT, 1, &more, &want), STOCKADE_EEXIST);
	assert_refused(host_donate_guest(vm.mem, block, AT, 1, &more, &want), STOCKADE_EEXIST);
	assert_refused(host_donate_guest(vm.mem, block, 2 * AT, NR_BLOCK, &more, &want),
		       STOCKADE_EPERM);
	assert_refused(host_donate_guest(theirs.mem, block, AT, NR_BLOCK, &more, &want),
		       STOCKADE_EPERM);
	assert_refused(host_donate_hyp(block, 1, &want), STOCKADE_EPERM);
	/* The guest is to come again when it has it. */
	assert_refused(guest_share_host(vm.mem, AT), STOCKADE_ENOENT);
	assert_refused(guest_relinquish(vm.mem, AT + PAGE_SIZE), STOCKADE_ENOENT);
	assert_refused(guest_unshare_host(vm.mem, AT), STOCKADE_EPERM);
	assert_refused(guest_guard_mmio(vm.mem, AT, &missing), STOCKADE_EPERM);
	assert_true(guest_is_mmio(vm.mem, AT)); /* as of all that is not there */
	assert_false(guest_is_poisoned(vm.mem, AT));
}

/* A host that touches it goes on with it, piece by piece, until the page can be taken back. */
static void a_touched_block_is_finished_first(void)
{
	pa_t pa;

	begin();
	pa = block + 100 * PAGE_SIZE;
	for (unsigned int i = 0; i < PIECES; i++) {
		assert_guest_has_not(&vm, AT);
		fake.nr_ops = 0;
		guest_force_reclaim(vm.mem, pa);
		assert_int_equal(count_ops(FAKE_DC_CIVAC), NR_BLOCK / PIECES);
		assert_state(pa, PAGE_GUEST);
		fake_check();
	}
	assert_guest_has(&vm, AT, block);
	guest_force_reclaim(vm.mem, pa);
	assert_state(pa, PAGE_HOST);
	assert_page_is(pa, 0);
	assert_true(guest_is_poisoned(vm.mem, AT + 100 * PAGE_SIZE));
	assert_guest_has(&vm, AT, block);
	fake_check();
}

/* A VM that ends in the middle gives all of it back, zeroed and as a block; by its tables, or without. */
static void a_dying_vm_gives_it_back(void)
{
	for (unsigned int lost = 0; lost < 2; lost++) {
		u64 more;

		boot_again();
		begin();
		fill_page(block + 3 * PAGE_SIZE, 3);
		fill_page(block + 300 * PAGE_SIZE, 3);
		assert_ret(go_on(&more), 0);
		if (lost)
			guest_unmap_all(vm.mem);
		assert_ret(hc(STOCKADE_HC_VM_TEARDOWN, vm.handle), 0);
		assert_ret(go_on(&more), STOCKADE_EPERM);
		while (guest_reclaim_some(vm.mem))
			;
		assert_page_is(block + 3 * PAGE_SIZE, 0);
		assert_page_is(block + 300 * PAGE_SIZE, 0);
		for (u64 i = 0; i < NR_BLOCK; i++)
			assert_state(block + i * PAGE_SIZE, PAGE_HOST);
		assert_int_equal(fake_walk(&host_map, block).level, 2);
		if (!lost) {
			assert_int_equal(vm.mem->pool.reserved, 0);
			end_vm(&vm);
			fake_check();
		}
	}
}

/* Nothing that the guest had is seen by who comes behind: the end of all VMs zeroes it where it lies. */
static void the_end_of_all_scrubs_it(void)
{
	begin();
	fill_page(block + 511 * PAGE_SIZE, 9);
	vm_scrub_memory();
	assert_page_is(block + 511 * PAGE_SIZE, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(a_block_comes_in_pieces),
		hyp_test(nothing_comes_between),
		hyp_test(a_touched_block_is_finished_first),
		bare_boot_test(a_dying_vm_gives_it_back),
		hyp_test(the_end_of_all_scrubs_it),
	};

	return RUN("hyp-mem-transition_block", tests);
}
