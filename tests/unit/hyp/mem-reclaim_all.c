// SPDX-License-Identifier: GPL-2.0-only
/* The end of all VMs: their memory is unmapped, zeroed where it lies, and may still be reclaimed. */
#include "hyptest.h"

static struct want want;
static bool more;
static struct test_vm vm;

/*
 * After the end of all VMs only the page array knows what was whose. All comes back: private pages zeroed, shared
 * ones as they are, blocks whole; batch by batch; nothing of another VM's, or of the host's.
 */
static void an_unmapped_vm_comes_back(void)
{
	pa_t block = host_block(), private, shared, hosts = host_page(), theirs, their_shared;
	struct test_vm other;
	unsigned int batches = 1;

	/* The VM's index is 0, as is that of all pages that are no VM's. */
	vm = make_vm(0);
	other = make_vm(0);
	theirs = donated_page(&other, 0x1000);
	their_shared = donated_page(&other, 0x2000);
	private = donated_page(&vm, 0x1000);
	shared = donated_page(&vm, 0x2000);
	donate(&vm, block, BLOCK, NR_BLOCK);
	assert_ret(guest_share_host(vm.mem, 0x2000), 0);
	/* The last to come back of its block, which is then whole. */
	assert_ret(guest_share_host(vm.mem, BLOCK + 511 * PAGE_SIZE), 0);
	assert_ret(guest_share_host(other.mem, 0x2000), 0);
	fill_page(private, 1);
	fill_page(shared, 2);
	fill_page(hosts, 3);
	fill_page(theirs, 4);
	fill_page(their_shared, 5);
	fill_page(block + 511 * PAGE_SIZE, 6);
	guest_unmap_all(vm.mem);
	while (guest_reclaim_some(vm.mem))
		batches++;
	/* 512 pages to zero, 16 at a time; and 4,000 entries to look at, 128 at a time. */
	assert_in_range(batches, 512 / 16, 512 / 16 + 31);
	assert_state(private, PAGE_HOST);
	assert_state(shared, PAGE_HOST);
	assert_host_has(shared);
	assert_page_is(private, 0);
	assert_page_is(shared, 2);
	assert_page_is(hosts, 3);
	assert_page_is(block + 510 * PAGE_SIZE, 0);
	assert_page_is(block + 511 * PAGE_SIZE, 6);
	assert_int_equal(fake_walk(&host_map, block).level, 2);
	assert_state(vm.page, PAGE_HYP);
	assert_state(fake.launch.image, PAGE_HYP);
	assert_state(fake.launch.log, PAGE_HOST_SHARED);
	assert_state(theirs, PAGE_GUEST);
	assert_page_is(theirs, 4);
	assert_state(their_shared, PAGE_GUEST_SHARED);
	assert_page_is(their_shared, 5);
	assert_false(guest_reclaim_some(vm.mem));
}

static pa_t moving;
static unsigned int seen;

static void look(const char *lock)
{
	if (!strcmp(lock, "&mem_lock") && fake_page(moving)->state == PAGE_MOVING)
		seen += !*(u64 *)fake_ram(moving);
}

/* No page is zeroed under mem_lock: it is zero when the lock is taken again, and until then nobody's. */
static void an_unmapped_page_moves(void)
{
	vm = make_vm(0);
	moving = donated_page(&vm, 0x1000);
	fill_page(moving, 7);
	guest_unmap_all(vm.mem);
	seen = 0;
	fake.before_lock = look;
	while (guest_reclaim_some(vm.mem))
		;
	fake.before_lock = NULL;
	assert_int_equal(seen, 1);
	assert_state(moving, PAGE_HOST);
}

/* Of a block that was never split the first page that comes back uses the table that was set aside for it. */
static void an_unmapped_block_comes_back(void)
{
	pa_t block = host_block();
	u64 free;

	vm = make_vm(0);
	donate(&vm, block, BLOCK, NR_BLOCK);
	free = hyp_pool.free;
	assert_int_equal(hyp_pool.reserved, 1);
	guest_unmap_all(vm.mem);
	while (guest_reclaim_some(vm.mem))
		;
	assert_int_equal(fake_walk(&host_map, block).level, 2);
	assert_int_equal(hyp_pool.reserved, 0);
	assert_int_equal(hyp_pool.free, free + 1);
}

/*
 * Unmapped, a guest has nothing any more, at both ends of its space, nor have TLBs; and is given nothing. Also when
 * it was half reclaimed: what is left comes back from the start of RAM on.
 */
static void unmapping_ends_all(void)
{
	pa_t pages[64], last;

	vm = make_vm(0);
	for (unsigned int i = 0; i < 64; i++)
		pages[i] = donated_page(&vm, i * PAGE_SIZE);
	last = donated_page(&vm, BIT(40) - PAGE_SIZE);
	fake.nr_ops = 0;
	guest_unmap_all(vm.mem);
	op_after(FAKE_TLBI_VMALLS12E1IS, vm.mem->map.vttbr, 0, -1);
	assert_guest_has_not(&vm, 0);
	assert_guest_has_not(&vm, BIT(40) - PAGE_SIZE);
	assert_refused(host_donate_guest(vm.mem, host_page(), 0x1000, 1, &more, &want),
		       STOCKADE_EPERM);
	assert_state(last, PAGE_GUEST);

	boot_again();
	vm = make_vm(0);
	for (unsigned int i = 0; i < 64; i++)
		pages[i] = donated_page(&vm, 5 * GIB + i * PAGE_SIZE);
	guest_start_reclaim(vm.mem);
	do
		assert_true(guest_reclaim_some(vm.mem));
	while (vm.mem->reclaim_next <= 5 * GIB);
	assert_state(pages[63], PAGE_GUEST);
	guest_unmap_all(vm.mem);
	while (guest_reclaim_some(vm.mem))
		;
	assert_state(pages[63], PAGE_HOST);
}

/* A page that the host touches after that is not looked for in tables that are gone. */
static void an_unmapped_vms_page_is_touched(void)
{
	pa_t pa;

	vm = make_vm(0);
	pa = donated_page(&vm, 0x1000);
	fill_page(pa, 0x5ec2e7);
	guest_unmap_all(vm.mem);
	guest_force_reclaim(vm.mem, pa);
	assert_state(pa, PAGE_HOST);
	assert_host_has(pa);
	assert_page_is(pa, 0);
}

/* One call looks at 128 entries of the array, or zeroes 16 pages. */
static void batches_of_the_array_are_bounded(void)
{
	pa_t block = host_block(), next;

	vm = make_vm(0);
	donate(&vm, block, 0, NR_BLOCK);
	guest_unmap_all(vm.mem);
	for (next = 0x40000000 + 128 * PAGE_SIZE; next < block; next += 128 * PAGE_SIZE) {
		assert_true(guest_reclaim_some(vm.mem));
		assert_int_equal(vm.mem->reclaim_next, next);
	}
	assert_true(guest_reclaim_some(vm.mem));
	for (unsigned int i = 0; i < 3; i++) {
		next = vm.mem->reclaim_next;
		assert_in_range(next, block, block + BLOCK / 2);
		assert_true(guest_reclaim_some(vm.mem));
		assert_int_equal(vm.mem->reclaim_next, next + 16 * PAGE_SIZE);
	}
}

/* Also what lies, as a physical address, beyond the end of the guest's space. */
static void an_unmapped_vm_comes_back_from_high_ram(void)
{
	static const struct fake_config config = {
		.ram = { { 0x40000000, 0x800000 }, { 0x100000000, 0x800000 } },
		.nr_ram = 2,
	};
	pa_t low = 0x40700000, high[] = { 0x100000000, 0x100400000, 0x1007ff000 };

	boot_again_as(&config);
	vm = (struct test_vm){ .page = 0x40500000, .root = 0x40501000 };
	assert_ret(hc_fed(STOCKADE_HC_VM_CREATE, PFN(vm.page), PFN(vm.root),
			  32 | STOCKADE_VM_PROTECTED << 8),
		   0);
	vm.handle = hc_result.x1;
	vm.mem = &((struct vm *)hyp_va(vm.page))->mem;
	donate(&vm, low, 0x1000, 1);
	for (u64 i = 0; i < ARRAY_SIZE(high); i++)
		donate(&vm, high[i], 0x2000 + i * PAGE_SIZE, 1);
	guest_unmap_all(vm.mem);
	while (guest_reclaim_some(vm.mem))
		assert_true(guest_reclaim_pending(vm.mem));
	assert_false(guest_reclaim_pending(vm.mem));
	assert_state(low, PAGE_HOST);
	for (u64 i = 0; i < ARRAY_SIZE(high); i++)
		assert_state(high[i], PAGE_HOST);
}

/*
 * The end of all VMs: every private page is zero where it lies, in every range of RAM; shared and the host's are not.
 * Also when EL2 has panicked, whoever holds the locks; then pages on their way too, which else are zeroed by who moves
 * them.
 */
static void all_private_pages_are_scrubbed(void)
{
	for (unsigned int panic = 0; panic < 2; panic++) {
		pa_t block, private, shared, hosts, moving;

		boot_again();
		block = host_block();
		make_vm(0);
		vm = make_vm(0);
		/* The host's page is the next one. */
		private = donated_page(&vm, 0x1000);
		hosts = host_page();
		moving = host_page();
		shared = donated_page(&vm, 0x2000);
		donate(&vm, block, BLOCK, NR_BLOCK);
		assert_ret(guest_share_host(vm.mem, 0x2000), 0);
		fill_page(private, 1);
		fill_page(shared, 2);
		fill_page(hosts, 3);
		fill_page(block + 511 * PAGE_SIZE, 4);
		fill_page(moving, 5);
		fake_page(moving)->state = PAGE_MOVING;
		if (panic) {
			spin_lock(&vm.mem->lock);
			spin_lock(&mem_lock);
			hyp_panicked = true;
			guest_memory_scrub_in_panic();
			hyp_panicked = false;
			spin_unlock(&mem_lock);
			spin_unlock(&vm.mem->lock);
		} else {
			vm_scrub_memory();
		}
		fake_page(moving)->state = PAGE_HOST;
		assert_page_is(moving, panic ? 0 : 5);
		assert_page_is(private, 0);
		assert_page_is(shared, 2);
		assert_page_is(hosts, 3);
		assert_page_is(block + 511 * PAGE_SIZE, 0);
		assert_int_equal(vm.vm->users, 0);
	}
}

static pa_t leaving;
static bool seen_private, waited;

/* Another CPU gets in between that look and the zeroing: the host takes the page back, and gives it for tables. */
static void give_away_meanwhile(const char *name)
{
	struct want want;

	if (!strcmp(name, "&mem_lock"))
		seen_private = true;
	if (strcmp(name, "&mem->lock") || !seen_private || !leaving)
		return;
	fake_cpu(1);
	guest_force_reclaim(vm.mem, leaving);
	assert_ret(host_donate_pool(leaving, 1, &want), 0);
	leaving = 0;
}

/*
 * At the end of all VMs other CPUs still call. A page is zeroed under a lock without which it can't leave its VM, or it
 * may be one of EL2's own tables by then; and not under mem_lock, which all CPUs may wait for.
 */
static void scrubbed_pages_stay(void)
{
	const char *unlocked = NULL;
	unsigned int zeroed = 0;
	pa_t private, other;

	vm = make_vm(0);
	private = donated_page(&vm, 0x1000);
	other = donated_page(&vm, 0x2000);
	leaving = private;
	seen_private = false;
	fake.before_lock = give_away_meanwhile;
	fake.nr_ops = 0;
	vm_scrub_memory();
	fake.before_lock = NULL;
	assert_int_equal(leaving, 0);
	assert_state(private, PAGE_HYP);
	assert_true(fake.nr_ops <= FAKE_MAX_OPS);
	for (unsigned int i = fake.nr_ops; i--;) {
		const struct fake_op *op = &fake.ops[i];

		if (op->kind == FAKE_UNLOCK)
			unlocked = (const char *)op->a;
		if (op->kind != FAKE_ZERO || op->a != other)
			continue;
		/* Of those that it holds, the last taken. */
		assert_string_equal(unlocked, "&mem->lock");
		zeroed++;
	}
	assert_int_equal(zeroed, 1);
	fake_check();
}

static void finish_move(const char *name)
{
	if (strcmp(name, "&mem->lock"))
		return;
	waited = true;
	*fake_page(leaving) = (struct page){ .state = PAGE_HOST };
}

/* A page that another CPU is still zeroing: its VM's lock is waited for, and then it is the host's. */
static void scrubbing_waits_for_who_moves(void)
{
	vm = make_vm(0);
	leaving = donated_page(&vm, 0x1000);
	guest_unmap_all(vm.mem);
	fill_page(leaving, 7);
	fake_page(leaving)->state = PAGE_MOVING;
	waited = false;
	fake.before_lock = finish_move;
	vm_scrub_memory();
	fake.before_lock = NULL;
	assert_true(waited);
	assert_page_is(leaving, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bare_boot_test(an_unmapped_vm_comes_back),
		bare_boot_test(an_unmapped_page_moves),
		bare_boot_test(an_unmapped_block_comes_back),
		bare_boot_test(unmapping_ends_all),
		bare_boot_test(an_unmapped_vms_page_is_touched),
		bare_boot_test(batches_of_the_array_are_bounded),
		bare_boot_test(an_unmapped_vm_comes_back_from_high_ram),
		hyp_test(all_private_pages_are_scrubbed),
		hyp_test(scrubbed_pages_stay),
		bare_boot_test(scrubbing_waits_for_who_moves),
	};

	return RUN("hyp-mem-reclaim_all", tests);
}
