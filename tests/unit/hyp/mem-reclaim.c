// SPDX-License-Identifier: GPL-2.0-only
/* A dying VM's memory goes back in batches. */
#include "hyptest.h"

static struct want want;
static bool more;
static struct test_vm vm;

/* Batches until there is no more; how many. */
static unsigned int reclaim_all(void)
{
	unsigned int n = 1;

	while (guest_reclaim_some(vm.mem)) {
		n++;
		fake_check();
	}
	return n;
}

static void drain_pool(void)
{
	while (guest_reclaim_table(vm.mem))
		;
}

/* Nothing was donated: it ends, and there was nothing to do. */
static void an_empty_vm_is_done_soon(void)
{
	vm = make_vm(0);
	guest_start_reclaim(vm.mem);
	assert_in_range(reclaim_all(), 1, 2);
	assert_false(guest_reclaim_some(vm.mem));
}

/* Also with 48 bits, where the space is large, and with concatenated roots. */
static void empty_vms_of_all_sizes_are_done_soon(void)
{
	static const unsigned int bits[] = { 32, 36, 39, 40, 42, 43, 44, 48 };
	static const struct fake_config config = { .ipa_bits = 48 };

	for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
		boot_again_as(&config);
		vm = make_vm_bits(0, bits[i]);
		guest_start_reclaim(vm.mem);
		assert_in_range(reclaim_all(), 1, 16);
		fake_check();
	}
}

/* From the beginning of the end on, nothing is donated. */
static void a_dying_vm_gets_nothing(void)
{
	vm = make_vm(0);
	donate(&vm, host_page(), 0x1000, 1);
	guest_start_reclaim(vm.mem);
	assert_refused(host_donate_guest(vm.mem, host_page(), 0x2000, 1, &more, &want),
		       STOCKADE_EPERM);
	assert_refused(vm_topup(vm.vm, fake.launch.log, 1, &want), STOCKADE_EPERM);
	assert_ret(vm_topup(vm.vm, spare_page(), 1, &want), STOCKADE_EPERM);
	reclaim_all();
	assert_refused(host_donate_guest(vm.mem, host_page(), 0x2000, 1, &more, &want),
		       STOCKADE_EPERM);
}

/*
 * Everything at once: private pages and blocks, split blocks, shared, poisoned, guarded. Private ones come
 * back zeroed, shared ones as they are; every table is in the pool; the host has its blocks again.
 */
static void everything_comes_back(void)
{
	pa_t blocks[2] = { host_block(), host_block() }, pages[5];
	u64 nr_hyp = page_nr_hyp, missing;

	for (int round = 0; round < 2; round++) {
		vm = make_vm(0);
		donate(&vm, blocks[0], 0, NR_BLOCK);
		donate(&vm, blocks[1], 5 * GIB, NR_BLOCK);
		for (unsigned int i = 0; i < 5; i++)
			pages[i] = donated_page(&vm, 7 * GIB + i * 3 * BLOCK);
		for (u64 i = 0; i < 2 * NR_BLOCK; i++)
			fill_page(blocks[i / NR_BLOCK] + i % NR_BLOCK * PAGE_SIZE, 0x5ec0000 + i);
		for (unsigned int i = 0; i < 5; i++)
			fill_page(pages[i], 0x9900 + i);
		/* The second block is split, and has one of each. */
		assert_ret(guest_share_host(vm.mem, 5 * GIB + 3 * PAGE_SIZE), 0);
		guest_force_reclaim(vm.mem, blocks[1] + 4 * PAGE_SIZE);
		assert_ret(guest_relinquish(vm.mem, 5 * GIB + 5 * PAGE_SIZE), 0);
		assert_ret(guest_share_host(vm.mem, 7 * GIB), 0);
		guest_force_reclaim(vm.mem, pages[1]);
		for (unsigned int i = 0; i < 3; i++)
			assert_ret(hc_fed(STOCKADE_HC_VM_TOPUP, vm.handle, PFN(spare_page()), 1),
				   0);
		assert_ret(guest_guard_mmio(vm.mem, 3 * GIB, &missing), 0);
		fake_check();

		guest_start_reclaim(vm.mem);
		/* 1023 or so pages, 16 at a time. */
		assert_in_range(reclaim_all(), 1023 / 16, 90);
		for (u64 i = 0; i < 2 * NR_BLOCK; i++) {
			pa_t pa = blocks[i / NR_BLOCK] + i % NR_BLOCK * PAGE_SIZE;

			assert_state(pa, PAGE_HOST);
			assert_page_is(pa, i == NR_BLOCK + 3 ? 0x5ec0000 + i : 0);
		}
		for (unsigned int i = 0; i < 5; i++)
			assert_page_is(pages[i], i ? 0 : 0x9900);
		assert_int_equal(fake_walk(&host_map, blocks[0]).level, 2);
		assert_int_equal(fake_walk(&host_map, blocks[1]).level, 2);
		assert_int_equal(vm.mem->pool.reserved, 0);
		assert_page_is(vm.root, 0);
		assert_page_is(vm.root + PAGE_SIZE, 0);
		drain_pool();
		assert_int_equal(vm.mem->pool.free, 0);
		vm.vm->state = VM_DYING;
		assert_ret(hc(STOCKADE_HC_VM_DESTROY, vm.handle), 0);
	}
	/* What EL2 holds now is what was put into its own pool. */
	assert_int_equal(page_nr_hyp - nr_hyp, hyp_fed_pages);
}

/* Calls until 16 pages are back that lie so far apart in one block of the host's. */
static unsigned int calls_for(u64 stride, bool share, bool unmapped)
{
	unsigned int n = 1;
	pa_t block;

	boot_again();
	block = host_block();
	vm = make_vm(0);
	for (u64 i = 0; i < 16; i++) {
		donate(&vm, block + (300 + i * stride) * PAGE_SIZE, i * PAGE_SIZE, 1);
		if (share)
			assert_ret(guest_share_host(vm.mem, i * PAGE_SIZE), 0);
	}
	if (unmapped)
		guest_unmap_all(vm.mem);
	else
		guest_start_reclaim(vm.mem);
	while (guest_reclaim_some(vm.mem))
		n++;
	fake_check();
	return n;
}

/*
 * Whether the host's block is whole again is looked at too, and bounded too: for each of pages that come back in a row
 * the gap is beside it, but with the host's own in between half of the table is looked through.
 */
static void looking_for_blocks_is_bounded(void)
{
	for (unsigned int i = 0; i < 4; i++)
		assert_true(calls_for(2, i & 1, i & 2) >= calls_for(1, i & 1, i & 2) + 2);
}

/* One batch zeroes 16 pages at the most, whatever it meets. */
static void batches_are_bounded(void)
{
	pa_t block = host_block();
	u64 total = 0;
	bool more;

	vm = make_vm(0);
	donate(&vm, block, 0, NR_BLOCK);
	for (unsigned int i = 0; i < 40; i++)
		donated_page(&vm, GIB + i * PAGE_SIZE);
	guest_start_reclaim(vm.mem);
	do {
		u64 cleared = 0;

		fake.nr_ops = 0;
		more = guest_reclaim_some(vm.mem);
		for (unsigned int i = 0; i < fake.nr_ops; i++)
			if (fake.ops[i].kind == FAKE_DC_CIVAC)
				cleared++;
		assert_in_range(cleared, 0, 16);
		/* And all of these while a block lasts. */
		if (total < NR_BLOCK)
			assert_int_equal(cleared, 16);
		total += cleared;
	} while (more);
	assert_int_equal(total, NR_BLOCK + 40);
}

/*
 * One call looks at two tables with one page between them: a page counts as 64 entries, the first of each row of empty
 * ones as eight, and there are 1024.
 */
static void batches_of_entries_are_bounded(void)
{
	static const struct {
		ipa_t second, stop;
	} cases[] = {
		/* The last entry that one call looks at, and one that is too far. */
		{ 435 * BLOCK, 435 * BLOCK + PAGE_SIZE },
		{ 436 * BLOCK, 436 * BLOCK },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		boot_again();
		vm = make_vm(0);
		donated_page(&vm, 0);
		donated_page(&vm, cases[i].second);
		guest_start_reclaim(vm.mem);
		assert_true(guest_reclaim_some(vm.mem));
		assert_int_equal(vm.mem->reclaim_next, cases[i].stop);
		/* What is left of the first half of the root; its second half. */
		assert_true(guest_reclaim_some(vm.mem));
		assert_int_equal(vm.mem->reclaim_next, 512 * GIB);
		assert_false(guest_reclaim_some(vm.mem));
	}
}

/* Sixteen pages are one call, which looks no further. */
static void sixteen_pages_are_one_batch(void)
{
	vm = make_vm(0);
	for (unsigned int i = 0; i < 16; i++)
		donated_page(&vm, i * PAGE_SIZE);
	guest_start_reclaim(vm.mem);
	assert_true(guest_reclaim_some(vm.mem));
	assert_int_equal(vm.mem->reclaim_next, 16 * PAGE_SIZE);
}

/* What is left of a block for its last batch: no page behind it is touched; and what the guest has there is next. */
static void a_batch_ends_with_its_block(void)
{
	pa_t block = host_block(), next;

	vm = make_vm(0);
	for (unsigned int i = 0; i < 8; i++)
		donated_page(&vm, i * PAGE_SIZE);
	donate(&vm, block, BLOCK, NR_BLOCK);
	next = donated_page(&vm, 2 * BLOCK);
	for (unsigned int i = 0; i < 32; i++)
		fill_page(block + BLOCK + i * PAGE_SIZE, 0x1234);
	guest_start_reclaim(vm.mem);
	reclaim_all();
	assert_state(next, PAGE_HOST);
	for (unsigned int i = 0; i < 32; i++)
		assert_page_is(block + BLOCK + i * PAGE_SIZE, 0x1234);
}

/* No page is the host's before it is zeroed, at whatever batch one looks. */
static void nothing_unzeroed_is_given(void)
{
	pa_t block = host_block();

	vm = make_vm(0);
	donate(&vm, block, 0, NR_BLOCK);
	for (u64 i = 0; i < NR_BLOCK; i++)
		fill_page(block + i * PAGE_SIZE, 0x5ec2e7);
	guest_start_reclaim(vm.mem);
	do {
		for (u64 i = 0; i < NR_BLOCK; i++) {
			pa_t pa = block + i * PAGE_SIZE;

			if (fake_walk(&host_map, pa).valid)
				assert_page_is(pa, 0);
		}
	} while (guest_reclaim_some(vm.mem));
}

/* The host touches a page of a block that is half reclaimed: it gets that page, and all the others later. */
static void force_reclaim_in_the_middle_of_a_block(void)
{
	for (unsigned int n = 0; n < 9; n++) {
		u64 at = n * 73;
		pa_t block;

		boot_again();
		block = host_block();
		vm = make_vm(0);
		donate(&vm, block, 0, NR_BLOCK);
		for (u64 i = 0; i < NR_BLOCK; i++)
			fill_page(block + i * PAGE_SIZE, 0x5ec2e7);
		guest_start_reclaim(vm.mem);
		for (int i = 0; i < 3; i++)
			assert_true(guest_reclaim_some(vm.mem));
		/* Any page of it, and the one that is zeroed next. */
		if (n == 8)
			at = vm.mem->reclaim_zeroed;
		guest_force_reclaim(vm.mem, block + at * PAGE_SIZE);
		assert_host_has(block + at * PAGE_SIZE);
		/* The host uses its page from now on. */
		fill_page(block + at * PAGE_SIZE, 0x2222);
		fake_check();
		reclaim_all();
		for (u64 i = 0; i < NR_BLOCK; i++)
			assert_page_is(block + i * PAGE_SIZE, i == at ? 0x2222 : 0);
		assert_int_equal(fake_walk(&host_map, block).level, 2);
		fake_check();
	}
}

/* A page at the very end of the space, and one at its beginning. */
static void both_ends_come_back(void)
{
	static const unsigned int bits[] = { 32, 39, 40, 43, 44, 48 };
	static const struct fake_config config = { .ipa_bits = 48 };

	for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
		pa_t first, last;

		boot_again_as(&config);
		vm = make_vm_bits(0, bits[i]);
		first = donated_page(&vm, 0);
		last = donated_page(&vm, BIT(bits[i]) - PAGE_SIZE);
		fill_page(first, 1);
		fill_page(last, 2);
		guest_start_reclaim(vm.mem);
		reclaim_all();
		assert_state(first, PAGE_HOST);
		assert_state(last, PAGE_HOST);
		assert_page_is(first, 0);
		assert_page_is(last, 0);
		fake_check();
	}
}

/* A shared page stays where the host has it: its translation is not touched; the last of a block makes it whole. */
static void shared_pages_stay(void)
{
	pa_t block, pa = 0x41402000;

	vm = make_vm(0);
	donate(&vm, pa, 0x1000, 1);
	assert_ret(guest_share_host(vm.mem, 0x1000), 0);
	guest_start_reclaim(vm.mem);
	fake.nr_ops = 0;
	reclaim_all();
	assert_state(pa, PAGE_HOST);
	for (unsigned int i = 0; i < fake.nr_ops; i++)
		assert_true(fake.ops[i].kind != FAKE_TLBI_IPAS2E1IS ||
			    fake.ops[i].a != host_map.vttbr);

	boot_again();
	vm = make_vm(0);
	block = host_block();
	donate(&vm, block, 0, NR_BLOCK);
	assert_ret(guest_share_host(vm.mem, 511 * PAGE_SIZE), 0);
	guest_start_reclaim(vm.mem);
	reclaim_all();
	assert_int_equal(fake_walk(&host_map, block).level, 2);
}

/* Teardown flushes the VM's translations before anything is taken out. */
static void teardown_flushes_first(void)
{
	vm = make_vm(0);
	donated_page(&vm, 0x1000);
	fake.nr_ops = 0;
	guest_start_reclaim(vm.mem);
	assert_true(op_after(FAKE_TLBI_VMALLS12E1IS, vm.mem->map.vttbr, 0, -1) > 0);
}

/* Pages of one VM: the other's stay. */
static void other_vms_keep_theirs(void)
{
	struct test_vm other = make_vm(0);
	pa_t theirs = donated_page(&other, 0x1000);

	fill_page(theirs, 0x1234);
	vm = make_vm(0);
	donated_page(&vm, 0x1000);
	guest_start_reclaim(vm.mem);
	reclaim_all();
	assert_page_is(theirs, 0x1234);
	assert_guest_has(&other, 0x1000, theirs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(an_empty_vm_is_done_soon),
		hyp_test(empty_vms_of_all_sizes_are_done_soon),
		hyp_test(a_dying_vm_gets_nothing),
		hyp_test(everything_comes_back),
		hyp_test(looking_for_blocks_is_bounded),
		hyp_test(batches_are_bounded),
		hyp_test(batches_of_entries_are_bounded),
		hyp_test(sixteen_pages_are_one_batch),
		hyp_test(a_batch_ends_with_its_block),
		hyp_test(nothing_unzeroed_is_given),
		hyp_test(force_reclaim_in_the_middle_of_a_block),
		hyp_test(both_ends_come_back),
		hyp_test(shared_pages_stay),
		hyp_test(teardown_flushes_first),
		hyp_test(other_vms_keep_theirs),
	};

	return RUN("hyp-mem-reclaim", tests);
}
