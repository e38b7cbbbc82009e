// SPDX-License-Identifier: GPL-2.0-only
/* The hypervisor's check of itself: whatever is made to disagree, it finds, and says what and where. */
#include "hyptest.h"

static struct test_vm vm;
static pa_t private, shared, block;

/* A machine with one of everything. */
static void prepare(void)
{
	vm = make_vm(2);
	private = donated_page(&vm, 0x1000);
	shared = donated_page(&vm, 0x2000);
	assert_ret(guest_share_host(vm.mem, 0x2000), 0);
	block = host_block();
	donate(&vm, block, BLOCK, NR_BLOCK);
	assert_int_equal(selfcheck(true), 0);
}

#define assert_broken(quiet, what, at)                    \
	do {                                              \
		assert_int_equal(selfcheck(quiet), what); \
		assert_int_equal(selfcheck_where, at);    \
	} while (0)
/* Found by the check that other CPUs may run beside, and by the other. */
#define assert_found(what, at)                  \
	do {                                    \
		assert_broken(false, what, at); \
		assert_broken(true, what, at);  \
	} while (0)
/* Found by the quiet check alone. */
#define assert_found_quiet(what, at)                              \
	do {                                                      \
		assert_broken(false, STOCKADE_BROKEN_NOTHING, 0); \
		assert_broken(true, what, at);                    \
	} while (0)

/* For the time of one check. */
#define WITH(place, value, check)                     \
	do {                                          \
		__typeof__(place) was_ = place;       \
		place = value;                        \
		check;                                \
		place = was_;                         \
		assert_int_equal(selfcheck(true), 0); \
	} while (0)
/* Of a page array's entry. */
#define WITH_PAGE(pa, field, value, check)            \
	do {                                          \
		struct page page_ = *fake_page(pa);   \
		fake_page(pa)->field = value;         \
		check;                                \
		*fake_page(pa) = page_;               \
		assert_int_equal(selfcheck(true), 0); \
	} while (0)

static u64 *entry_of(const struct pgtable *pt, u64 ia)
{
	unsigned int level;

	return pgtable_find(pt, ia, &level);
}

static void states_that_are_none(void)
{
	pa_t host = host_page();

	prepare();
	WITH_PAGE(host, state, PAGE_NONE, assert_found(STOCKADE_BROKEN_STATE, host));
	WITH_PAGE(host, state, PAGE_MOVING + 1, assert_found(STOCKADE_BROKEN_STATE, host));
	WITH_PAGE(host, owner, 1, assert_found(STOCKADE_BROKEN_STATE, host));
	WITH_PAGE(host, gfn, 1, assert_found(STOCKADE_BROKEN_STATE, host));
	WITH_PAGE(host, refs, 1, assert_found(STOCKADE_BROKEN_STATE, host));
	WITH_PAGE(vm.page, owner, 1, assert_found(STOCKADE_BROKEN_STATE, vm.page));
	WITH_PAGE(vm.run[0], refs, 0, assert_found(STOCKADE_BROKEN_STATE, vm.run[0]));
	WITH_PAGE(vm.run[0], gfn, 7, assert_found(STOCKADE_BROKEN_STATE, vm.run[0]));
	WITH_PAGE(private, refs, 1, assert_found(STOCKADE_BROKEN_STATE, private));
	WITH_PAGE(private, owner, 255, assert_found(STOCKADE_BROKEN_STATE, private));
}

static void what_the_host_maps(void)
{
	pa_t host = host_page();
	pa_t last = 0x41405000 + 0x8000; /* mapped by a page */

	prepare();
	WITH(*entry_of(&host_map, private), pte_leaf(private, 3, HOST_RAM),
	     assert_found(STOCKADE_BROKEN_HOST_HAS, private));
	WITH(*entry_of(&host_map, vm.page), pte_leaf(vm.page, 3, HOST_RAM),
	     assert_found(STOCKADE_BROKEN_HOST_HAS, vm.page));
	WITH(*entry_of(&host_map, block), pte_leaf(block, 2, HOST_RAM),
	     assert_found(STOCKADE_BROKEN_HOST_HAS, block));
	WITH_PAGE(last, state, PAGE_HYP, assert_found(STOCKADE_BROKEN_HOST_HAS, last));
	WITH(*entry_of(&host_map, last), 0, assert_found(STOCKADE_BROKEN_HOST_LACKS, last));
	WITH(*entry_of(&host_map, shared), 0, assert_found(STOCKADE_BROKEN_HOST_LACKS, shared));
	WITH_PAGE(private, state, PAGE_GUEST_SHARED,
		  assert_found(STOCKADE_BROKEN_HOST_LACKS, private));
	WITH(*entry_of(&host_map, last), pte_leaf(host, 3, HOST_RAM),
	     assert_found(STOCKADE_BROKEN_IDENTITY, last));
	/* Which pages a guest shares: all of those, and no others. */
	WITH(*entry_of(&host_map, shared), pte_leaf(shared, 3, HOST_RAM),
	     assert_found(STOCKADE_BROKEN_HOST_ENTRY, shared));
	WITH(*entry_of(&host_map, last), pte_leaf(last, 3, HOST_RAM | PTE_GUESTS),
	     assert_found(STOCKADE_BROKEN_HOST_ENTRY, last));
}

static void what_the_host_has_entries_for(void)
{
	pa_t last = 0x41405000 + 0x8000, device = 0x9000000;

	prepare();
	spin_lock(&mem_lock);
	assert_true(host_map_device(device));
	spin_unlock(&mem_lock);
	assert_int_equal(selfcheck(true), 0);
	/* Wrong attributes; RAM as a device; a device as RAM. */
	WITH(*entry_of(&host_map, last), pte_leaf(last, 3, HOST_RAM & ~S2_WRITE),
	     assert_found(STOCKADE_BROKEN_HOST_ENTRY, last));
	WITH(*entry_of(&host_map, last), pte_leaf(last, 3, HOST_DEVICE),
	     assert_found(STOCKADE_BROKEN_HOST_ENTRY, last));
	WITH(*entry_of(&host_map, device), pte_leaf(0, 1, HOST_RAM),
	     assert_found(STOCKADE_BROKEN_HOST_ENTRY, 0));
	/* No RAM there, and yet mapped as such; elsewhere than at itself; and what is not valid is 0. */
	WITH(*entry_of(&host_map, device), pte_leaf(GIB, 1, HOST_DEVICE),
	     assert_found(STOCKADE_BROKEN_HOST_ENTRY, 0));
	WITH(*entry_of(&host_map, private), 4, assert_found(STOCKADE_BROKEN_HOST_ENTRY, private));
}

static void what_el2_maps(void)
{
	pa_t host = host_page();
	u64 *entry;

	prepare();
	/* Next to the run page, in the same table. */
	entry = entry_of(&hyp_map, HYP_LINEAR_BASE + host);
	WITH(*entry, pte_leaf(host, 3, HYP_RW), assert_found(STOCKADE_BROKEN_HYP_HAS, host));
	entry = entry_of(&hyp_map, HYP_LINEAR_BASE + private);
	WITH(*entry, pte_leaf(private, 3, HYP_RW), assert_found(STOCKADE_BROKEN_HYP_HAS, private));
	entry = entry_of(&hyp_map, HYP_LINEAR_BASE + vm.vcpu[0]);
	WITH(*entry, pte_leaf(vm.vcpu[1], 3, HYP_RW),
	     assert_found(STOCKADE_BROKEN_HYP_HAS, vm.vcpu[0]));
	WITH(*entry, pte_leaf(vm.vcpu[0], 3, HYP_RX),
	     assert_found(STOCKADE_BROKEN_HYP_ENTRY, vm.vcpu[0]));
	WITH(*entry, pte_leaf(vm.vcpu[0], 3, HYP_RW & ~S1_XN),
	     assert_found(STOCKADE_BROKEN_HYP_ENTRY, vm.vcpu[0]));
	entry = entry_of(&hyp_map, HYP_LINEAR_BASE + vm.run[0]);
	WITH(*entry, 0, assert_found(STOCKADE_BROKEN_HYP_LACKS, vm.run[0]));
	/* The image is nobody else's. */
	entry = entry_of(&hyp_map, HYP_IMAGE_BASE);
	WITH(*entry, pte_leaf(host, 3, HYP_RX), assert_found(STOCKADE_BROKEN_HYP_ENTRY, host));
	entry = entry_of(&hyp_map, fake.launch.image);
	WITH(*entry, pte_leaf(host, 3, HYP_RX), assert_found(STOCKADE_BROKEN_HYP_ENTRY, host));
}

/* A window is another CPU's business, unless there is none. */
static void windows_are_closed_when_quiet(void)
{
	prepare();
	window_open(private);
	assert_found_quiet(STOCKADE_BROKEN_HYP_ENTRY, private);
	window_close();
}

static void what_guests_map(void)
{
	u64 attrs = GUEST_RAM | (fake.has_fwb ? S2_MEMATTR_FORCE_WB : S2_MEMATTR_AS_S1);
	struct test_vm other;
	pa_t host = host_page(), others;
	u64 *entry;

	prepare();
	other = make_vm(1);
	others = donated_page(&other, 0x1000);
	entry = entry_of(&vm.mem->map, 0x1000);
	WITH(*entry, 0, assert_found(STOCKADE_BROKEN_GUEST_LACKS, private));
	WITH_PAGE(private, gfn, 3, assert_found(STOCKADE_BROKEN_GUEST_LACKS, private));
	WITH_PAGE(private, gfn, GENMASK(35, 0), assert_found(STOCKADE_BROKEN_GUEST_LACKS, private));
	WITH_PAGE(private, owner, other.vm->index,
		  assert_found(STOCKADE_BROKEN_GUEST_LACKS, private));
	WITH_PAGE(private, owner, 77, assert_found(STOCKADE_BROKEN_OWNER, private));
	WITH_PAGE(private, state, PAGE_MOVING, assert_found(STOCKADE_BROKEN_MOVING, private));
	/* At a place of its own, so that all pages are still where they should be. */
	entry = entry_of(&vm.mem->map, 0x5000);
	WITH(*entry, pte_leaf(host, 3, attrs), assert_found(STOCKADE_BROKEN_GUEST_HAS, host));
	WITH(*entry, pte_leaf(others, 3, attrs), assert_found(STOCKADE_BROKEN_GUEST_HAS, others));
	WITH(*entry, pte_leaf(private, 3, attrs), assert_found(STOCKADE_BROKEN_GUEST_HAS, private));
	WITH(*entry, pte_leaf(vm.page, 3, attrs), assert_found(STOCKADE_BROKEN_GUEST_HAS, vm.page));
	WITH(*entry, pte_leaf(0x9000000, 3, attrs),
	     assert_found(STOCKADE_BROKEN_GUEST_ENTRY, 0x9000000));
	/* Neither poison nor guard; and these at level 3 only. */
	WITH(*entry, 8, assert_found(STOCKADE_BROKEN_GUEST_ENTRY, 0));
	WITH(*entry, PTE_POISON | PAGE_SIZE, assert_found(STOCKADE_BROKEN_GUEST_ENTRY, PAGE_SIZE));
	WITH(*entry, PTE_GUARD, assert_found(STOCKADE_BROKEN_GUARDED, vm.root));
	entry = entry_of(&vm.mem->map, 2 * BLOCK);
	WITH(*entry, PTE_POISON, assert_found(STOCKADE_BROKEN_GUEST_ENTRY, 0));
	/* A block that is not yet clean is the guest's all the same. */
	WITH(*entry, others | PTE_UNCLEAN, assert_found(STOCKADE_BROKEN_GUEST_HAS, others));
	entry = entry_of(&vm.mem->map, BLOCK);
	WITH(*entry, block | PTE_UNCLEAN | PTE_POISON,
	     assert_found(STOCKADE_BROKEN_GUEST_ENTRY, block));
	WITH(*entry, block | PTE_UNCLEAN | FIELD_PUT(PTE_CLEANED, 64),
	     assert_int_equal(selfcheck(true), 0));
	entry = entry_of(&vm.mem->map, 0x1000);
	WITH(*entry, *entry | S2_XN, assert_found(STOCKADE_BROKEN_GUEST_ENTRY, private));
	/* A block that is shared in the middle; the host has its page back for it. */
	WITH_PAGE(block + PAGE_SIZE, gfn, 7,
		  assert_found(STOCKADE_BROKEN_GUEST_LACKS, block + PAGE_SIZE));
}

static void poison_and_guard_are_legal(void)
{
	u64 missing;

	prepare();
	assert_ret(guest_guard_mmio(vm.mem, 0x9000, &missing), 0);
	guest_force_reclaim(vm.mem, private);
	guest_force_reclaim(vm.mem, block + 5 * PAGE_SIZE);
	assert_int_equal(selfcheck(true), 0);
	WITH(vm.mem->nr_guarded, 0, assert_found(STOCKADE_BROKEN_GUARDED, vm.root));
}

static void tables_are_the_hypervisors(void)
{
	u64 *entry, *table;
	unsigned int level;

	prepare();
	/* The table that maps the VM's first pages, where it is a page of the guest's. */
	entry = pgtable_find_above(&vm.mem->map, 0x1000, 2, &level);
	table = fake_ram(private);
	memcpy(table, fake_ram(*entry & PTE_ADDR), PAGE_SIZE);
	WITH(*entry, private | PTE_VALID | PTE_TABLE, {
		assert_int_equal(check_tables(false, &selfcheck_where), STOCKADE_BROKEN_TABLE);
		assert_int_equal(selfcheck_where, private);
	});
	WITH(vm.mem->map.root, shared,
	     { assert_int_equal(check_tables(true, &selfcheck_where), STOCKADE_BROKEN_VM); });
}

static void pools(void)
{
	pa_t in_pool, host = host_page();
	u64 *word;

	prepare();
	/* There is one in each list. */
	assert_ret(hc(STOCKADE_HC_POOL_TOPUP, PFN(spare_page()), 1), 0);
	assert_ret(hc(STOCKADE_HC_VM_TOPUP, vm.handle, PFN(spare_page()), 1), 0);
	for (int i = 0; i < 2; i++) {
		struct pool *pool = i ? &vm.mem->pool : &hyp_pool;

		in_pool = pool->head;
		word = fake_ram(in_pool);
		WITH(word[511], 1, assert_found(STOCKADE_BROKEN_POOL_PAGE, in_pool));
		WITH(pool->head, host, assert_found(STOCKADE_BROKEN_POOL_PAGE, host));
		WITH(pool->head, 0x1234000, assert_found(STOCKADE_BROKEN_POOL_PAGE, 0x1234000));
		WITH(word[0], vm.run[0], assert_found(STOCKADE_BROKEN_POOL_PAGE, vm.run[0]));
		WITH(pool->free, pool->free + 1, {
			assert_int_equal(selfcheck(false), STOCKADE_BROKEN_POOL_COUNT);
			assert_int_equal(selfcheck(true), STOCKADE_BROKEN_POOL_COUNT);
		});
		WITH(pool->free, pool->free - 1,
		     assert_int_equal(selfcheck(true), STOCKADE_BROKEN_POOL_COUNT));
		/* A list that ends in itself. */
		WITH(word[0], in_pool, {
			assert_int_equal(selfcheck(false), STOCKADE_BROKEN_POOL_COUNT);
			assert_broken(true, STOCKADE_BROKEN_CLAIMED_TWICE, in_pool);
		});
	}
}

/* What was never handed out must be zero too: nobody zeroes it when it is. */
static void a_pools_range(void)
{
	u64 *word;

	prepare();
	assert_true(hyp_pool.next < hyp_pool.end);
	for (u64 at = 0; at < PAGE_SIZE / 8; at += 511) {
		word = (u64 *)fake_ram(hyp_pool.end - PAGE_SIZE) + at;
		WITH(*word, 1, assert_found(STOCKADE_BROKEN_POOL_PAGE, hyp_pool.end - PAGE_SIZE));
	}
}

static void reserves_are_for_blocks(void)
{
	prepare();
	WITH(vm.mem->pool.free, vm.mem->pool.free + 1, {
		vm.mem->pool.reserved--;
		assert_int_equal(selfcheck(false), STOCKADE_BROKEN_RESERVE);
		vm.mem->pool.reserved++;
	});
	WITH(hyp_pool.free, hyp_pool.free + 1, {
		hyp_pool.reserved--;
		assert_found_quiet(STOCKADE_BROKEN_RESERVE, 0);
		hyp_pool.reserved++;
	});
}

static void what_is_two_things(void)
{
	u64 *entry, *other;
	unsigned int level;

	prepare();
	/* A table of the VM's that is also in EL2's pool; a vCPU's page that is the VM's table. */
	entry = pgtable_find_above(&vm.mem->map, 0x1000, 2, &level);
	WITH(vm.vm->vcpus[1], vm.vm->vcpus[0],
	     assert_int_equal(selfcheck(false), STOCKADE_BROKEN_VM));
	other = pgtable_find_above(&vm.mem->map, GIB, 1, &level);
	WITH(*other, *pgtable_find_above(&vm.mem->map, 0, 1, &level), {
		/* Where nothing is mapped by it, so that only its double use is wrong. */
		assert_int_not_equal(selfcheck(true), 0);
	});
	assert_ret(hc(STOCKADE_HC_POOL_TOPUP, PFN(spare_page()), 1), 0);
	WITH(hyp_pool.head, *entry & PTE_ADDR, assert_int_not_equal(selfcheck(true), 0));
}

static void what_is_nothing(void)
{
	pa_t page = host_page(), in_pool;
	struct want want;

	prepare();
	/* Taken from the host, and forgotten. */
	assert_ret(host_donate_hyp(page, 1, &want), 0);
	assert_found_quiet(STOCKADE_BROKEN_LOST, page);
	hyp_donate_host(page);
	/* Dropped from a pool that does not notice. */
	assert_ret(hc(STOCKADE_HC_POOL_TOPUP, PFN(spare_page()), 1), 0);
	in_pool = hyp_pool.head;
	hyp_pool.head = *(u64 *)fake_ram(in_pool);
	hyp_pool.free--;
	assert_found_quiet(STOCKADE_BROKEN_LOST, in_pool);
	hyp_pool.head = in_pool;
	hyp_pool.free++;
	assert_int_equal(selfcheck(true), 0);
	/* The last vCPU is forgotten, with its share of the run page. */
	WITH(vm.vm->nr_vcpus, 1, assert_broken(true, STOCKADE_BROKEN_SHARES, vm.run[1]));
}

static void counts(void)
{
	pa_t host = host_page();
	struct want want;

	prepare();
	WITH(page_nr_hyp, page_nr_hyp + 1, assert_found_quiet(STOCKADE_BROKEN_HYP_COUNT, 0));
	WITH_PAGE(vm.run[0], refs, 2, assert_found_quiet(STOCKADE_BROKEN_SHARES, vm.run[0]));
	/* The log is shared once and with no vCPU; nothing else is. */
	assert_ret(host_share_hyp(host, &want), 0);
	assert_found_quiet(STOCKADE_BROKEN_SHARES, host);
	host_unshare_hyp(host);
	/* One page for both. */
	assert_ret(host_share_hyp(vm.run[0], &want), 0);
	vm.vm->vcpus[1]->run = vm.vm->vcpus[0]->run;
	assert_found_quiet(STOCKADE_BROKEN_SHARES, vm.run[1]);
	vm.vm->vcpus[1]->run = hyp_va(vm.run[1]);
	host_unshare_hyp(vm.run[0]);
	assert_int_equal(selfcheck(true), 0);
}

static void identities(void)
{
	prepare();
	WITH(vm.vm->index, 5, assert_int_equal(selfcheck(false), STOCKADE_BROKEN_VM));
	WITH(vm.mem->owner, 5, assert_int_equal(selfcheck(false), STOCKADE_BROKEN_VM));
	WITH(vm.mem->map.vttbr, 0, assert_int_equal(selfcheck(false), STOCKADE_BROKEN_VM));
	WITH(vm.vm->world.vttbr, host_map.vttbr,
	     assert_int_equal(selfcheck(false), STOCKADE_BROKEN_VM));
	WITH(vm.vm->vcpus[1]->index, 0, assert_int_equal(selfcheck(false), STOCKADE_BROKEN_VM));
	WITH(vm.vm->vcpus[1]->vm, NULL, assert_int_equal(selfcheck(false), STOCKADE_BROKEN_VM));
	WITH(vm.vm->vcpus[1]->run, hyp_va(private),
	     assert_int_equal(selfcheck(false), STOCKADE_BROKEN_VM));
}

static void bound_vcpus(void)
{
	prepare();
	WITH(vm.vm->loaded, 1, assert_int_equal(selfcheck(true), STOCKADE_BROKEN_RUNS));
	WITH(vm.vm->vcpus[0]->bound, true, assert_int_equal(selfcheck(true), STOCKADE_BROKEN_RUNS));
	WITH(vm.vm->users, 1, assert_int_equal(selfcheck(true), STOCKADE_BROKEN_RUNS));
	WITH(cpu_get(1)->in_guest, true, assert_int_equal(selfcheck(true), STOCKADE_BROKEN_RUNS));
	load(&vm, 1);
	assert_int_equal(selfcheck(true), 0);
	WITH(cpu_get(0)->vcpu, NULL, assert_int_equal(selfcheck(true), STOCKADE_BROKEN_RUNS));
	assert_ret(hc(STOCKADE_HC_VCPU_PUT), 0);
}

/* Half-way through a VM's end all is well too, and when its tables are lost. */
static void vms_that_end(void)
{
	prepare();
	assert_ret(hc(STOCKADE_HC_VM_TEARDOWN, vm.handle), 0);
	do {
		assert_int_equal(selfcheck(true), 0);
		assert_ret(hc(STOCKADE_HC_VM_RECLAIM, vm.handle), 0);
	} while (hc_result.x1);
	assert_int_equal(selfcheck(true), 0);
	while (!hc(STOCKADE_HC_VM_RECLAIM_TABLE, vm.handle))
		assert_int_equal(selfcheck(true), 0);
	assert_ret(hc(STOCKADE_HC_VCPU_DESTROY, vm.handle, 1), 0);
	assert_int_equal(selfcheck(true), 0);
}

static void vms_that_were_unmapped(void)
{
	prepare();
	guest_unmap_all(vm.mem);
	assert_int_equal(selfcheck(false), 0);
	assert_int_equal(selfcheck(true), 0);
	WITH_PAGE(private, owner, 77, assert_broken(true, STOCKADE_BROKEN_OWNER, private));
}

/* The calls, as the host makes them. */
static void the_calls(void)
{
	struct host_regs regs = { .x = { STOCKADE_DC_CHECK_PAGES, 0, 10 } };
	pa_t host = host_page();

	prepare();
	assert_true(debug_hostcall(&regs));
	assert_int_equal(regs.x[0], 0);
	assert_int_equal(regs.x[1], 0);
	assert_int_equal(regs.x[3], PFN(0x40000000) + 10);
	regs = (struct host_regs){ .x = { STOCKADE_DC_CHECK_PAGES, PFN(0x41405000), 9 } };
	assert_true(debug_hostcall(&regs));
	assert_int_equal(regs.x[3], 0);
	regs = (struct host_regs){ .x = { STOCKADE_DC_CHECK_PAGES, ~0ull, ~0ull } };
	assert_true(debug_hostcall(&regs));
	assert_int_equal(regs.x[1] | regs.x[3], 0);
	regs = (struct host_regs){ .x = { STOCKADE_DC_CHECK_PAGES, 0, ~0ull } };
	WITH_PAGE(host, gfn, 1, {
		assert_true(debug_hostcall(&regs));
		assert_int_equal(regs.x[1], STOCKADE_BROKEN_STATE);
		assert_int_equal(regs.x[2], PFN(host));
	});
	regs = (struct host_regs){ .x = { STOCKADE_DC_CHECK_TABLES, 1 } };
	WITH(page_nr_hyp, 0, {
		assert_true(debug_hostcall(&regs));
		assert_int_equal(regs.x[1], STOCKADE_BROKEN_HYP_COUNT);
	});
	regs = (struct host_regs){ .x = { STOCKADE_DC_PANIC } };
	assert_panics(debug_hostcall(&regs));
	regs = (struct host_regs){ .x = { STOCKADE_DC_END } };
	assert_false(debug_hostcall(&regs));
	/* Not in the image that is for use: hostcall() does not know them. */
	for (u64 f = STOCKADE_HC_END; f < STOCKADE_DC_END; f++)
		assert_refused(hc(f, 0, 1), STOCKADE_ENOSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(states_that_are_none),
		hyp_test(what_the_host_maps),
		hyp_test(what_the_host_has_entries_for),
		hyp_test(what_el2_maps),
		hyp_test(windows_are_closed_when_quiet),
		hyp_test(what_guests_map),
		hyp_test(poison_and_guard_are_legal),
		hyp_test(tables_are_the_hypervisors),
		hyp_test(pools),
		hyp_test(a_pools_range),
		hyp_test(reserves_are_for_blocks),
		hyp_test(what_is_two_things),
		hyp_test(what_is_nothing),
		hyp_test(counts),
		hyp_test(identities),
		hyp_test(bound_vcpus),
		hyp_test(vms_that_end),
		bare_boot_test(vms_that_were_unmapped),
		hyp_test(the_calls),
	};

	return RUN("hyp-debug-check", tests);
}
