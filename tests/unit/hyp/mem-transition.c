// SPDX-License-Identifier: GPL-2.0-only
/* Every transition from every state (hyp/mem/transition.h), and what the host gives. */
#include "hyptest.h"

static struct want want;
static bool more;

/* --- pages by their state --- */

enum which {
	HOST_IN_BLOCK,
	HOST_IN_TABLE,
	HOST_LOG,
	HOST_RUN,
	HYP_POOL,
	HYP_IMAGE,
	HYP_ARRAY,
	HYP_CPU,
	HYP_VM,
	HYP_ROOT,
	HYP_VCPU,
	GUEST_PAGE,
	GUEST_IN_BLOCK,
	GUEST_SHARED,
	OTHER_PAGE,
	OTHER_SHARED,
	MOVING,
	NR_WHICH,
};

static struct test_vm vm, other;
static pa_t page_in[NR_WHICH];

#define IPA_PAGE   0x80000000ull
#define IPA_SHARED 0x80001000ull
#define IPA_BLOCK  0x80200000ull
#define IPA_EMPTY  0x80002000ull  /* a table is there */
#define IPA_NONE   0x180000000ull /* none is */

static void make_all_states(void)
{
	vm = make_vm(1);
	other = make_vm(1);
	page_in[HOST_IN_BLOCK] = host_block() + 9 * PAGE_SIZE;
	page_in[HOST_IN_TABLE] = 0x41402000;
	page_in[HOST_LOG] = fake.launch.log;
	page_in[HOST_RUN] = vm.run[0];
	page_in[HYP_POOL] = fake.launch.pool[0].base;
	page_in[HYP_IMAGE] = fake.launch.image;
	page_in[HYP_ARRAY] = fake.launch.array[0].base;
	page_in[HYP_CPU] = fake.launch.cpu[1].pages;
	page_in[HYP_VM] = vm.page;
	page_in[HYP_ROOT] = vm.root + PAGE_SIZE;
	page_in[HYP_VCPU] = vm.vcpu[0];
	page_in[GUEST_PAGE] = donated_page(&vm, IPA_PAGE);
	page_in[GUEST_SHARED] = donated_page(&vm, IPA_SHARED);
	page_in[GUEST_IN_BLOCK] = host_block();
	donate(&vm, page_in[GUEST_IN_BLOCK], IPA_BLOCK, NR_BLOCK);
	page_in[GUEST_IN_BLOCK] += 77 * PAGE_SIZE;
	page_in[OTHER_PAGE] = donated_page(&other, IPA_PAGE);
	page_in[OTHER_SHARED] = donated_page(&other, IPA_SHARED);
	assert_ret(guest_share_host(vm.mem, IPA_SHARED), 0);
	assert_ret(guest_share_host(other.mem, IPA_SHARED), 0);
	page_in[MOVING] = host_page();
	/* Tables enough for what is tried. */
	for (unsigned int i = 0; i < 4; i++)
		assert_ret(hc_fed(STOCKADE_HC_VM_TOPUP, vm.handle, PFN(spare_page()), 1), 0);
	while (hyp_pool.free < HYP_POOL_RESERVE + 8)
		assert_ret(hc(STOCKADE_HC_POOL_TOPUP, PFN(spare_page()), 1), 0);
	fake_check();
	fake_page(page_in[MOVING])->state = PAGE_MOVING;
}

static void no_more_moving(void)
{
	fake_page(page_in[MOVING])->state = PAGE_HOST;
}

/* What the host may not give away: whatever is not its own, alone. Nothing changes. */
static void the_host_gives_only_its_own(void)
{
	make_all_states();
	for (enum which w = HOST_LOG; w < NR_WHICH; w++) {
		pa_t pa = page_in[w];

		assert_refused(host_donate_hyp(pa, 1, &want), STOCKADE_EPERM);
		assert_refused(host_donate_pool(pa, 1, &want), STOCKADE_EPERM);
		assert_refused(host_donate_guest(vm.mem, pa, IPA_EMPTY, 1, &more, &want),
			       STOCKADE_EPERM);
		assert_refused(host_donate_guest(vm.mem, pa, IPA_NONE, 1, &more, &want),
			       STOCKADE_EPERM);
		assert_refused(host_donate_guest(other.mem, pa, IPA_EMPTY, 1, &more, &want),
			       STOCKADE_EPERM);
		if (w != HOST_LOG && w != HOST_RUN)
			assert_refused(host_share_hyp(pa, &want), STOCKADE_EPERM);
	}
	no_more_moving();
}

/* What is its own it may give, and a page that is shared with EL2 it may share again. */
static void the_host_gives_its_own(void)
{
	make_all_states();
	no_more_moving();
	for (enum which w = HOST_IN_BLOCK; w <= HOST_IN_TABLE; w++) {
		pa_t pa = page_in[w] - PAGE_SIZE;

		fill_page(pa, 0x11);
		assert_ret(host_donate_hyp(pa, 1, &want), 0);
		assert_state(pa, PAGE_HYP);
		assert_host_lost(pa);
		assert_page_is(pa, 0);
		fake_check();
		fill_page(pa, 0x22);
		hyp_donate_host(pa);
		assert_state(pa, PAGE_HOST);
		assert_host_has(pa);
		assert_page_is(pa, 0);

		fill_page(pa, 0x33);
		assert_ret(host_share_hyp(pa, &want), 0);
		assert_ret(host_share_hyp(pa, &want), 0);
		assert_int_equal(fake_page(pa)->refs, 2);
		assert_host_has(pa);
		assert_int_equal(*(u64 *)hyp_va(pa), 0x33);
		host_unshare_hyp(pa);
		assert_state(pa, PAGE_HOST_SHARED);
		host_unshare_hyp(pa);
		assert_state(pa, PAGE_HOST);
		assert_page_is(pa, 0x33);
		fake_check();
	}
	assert_ret(host_share_hyp(page_in[HOST_LOG], &want), 0);
	host_unshare_hyp(page_in[HOST_LOG]);
	assert_ret(host_share_hyp(page_in[HOST_RUN], &want), 0);
	host_unshare_hyp(page_in[HOST_RUN]);
}

/* No RAM, holes, misaligned and overflowing addresses, and counts out of bounds. */
static void nonsense_addresses_are_refused(void)
{
	static const pa_t bad[] = {
		0,	    0x3ffff000, 0x40800000,	0x41403000, 0x4140e000,
		0x40200001, 0x40200800, BIT(40),	BIT(47),    BIT(48),
		BIT(52),    BIT(63),	~PAGE_SIZE + 1, ~0ull,	    0x41404000,
	};
	static const u64 counts[] = { 0, 2, 3, 511, 513, 1024, BIT(32), BIT(52), BIT(63), ~0ull };

	make_all_states();
	no_more_moving();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_refused(host_donate_hyp(bad[i], 1, &want), STOCKADE_EINVAL);
		assert_refused(host_donate_pool(bad[i], 1, &want), STOCKADE_EINVAL);
		assert_refused(host_share_hyp(bad[i], &want), STOCKADE_EINVAL);
		assert_refused(host_donate_guest(vm.mem, bad[i], IPA_EMPTY, 1, &more, &want),
			       STOCKADE_EINVAL);
		assert_refused(host_donate_guest(vm.mem, bad[i], IPA_BLOCK, NR_BLOCK, &more, &want),
			       STOCKADE_EINVAL);
	}
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		assert_refused(host_donate_guest(vm.mem, 0x40600000, 0xc0000000, counts[i], &more,
						 &want),
			       STOCKADE_EINVAL);
		if (counts[i] == 0 || counts[i] > 16) {
			assert_refused(host_donate_hyp(0x40600000, counts[i], &want),
				       STOCKADE_EINVAL);
			assert_refused(host_donate_pool(0x40600000, counts[i], &want),
				       STOCKADE_EINVAL);
		}
	}
	assert_refused(host_donate_hyp(0x40600000, 17, &want), STOCKADE_EINVAL);
	/* Over the end of RAM. */
	assert_refused(host_donate_hyp(0x407ff000, 2, &want), STOCKADE_EINVAL);
	assert_refused(host_donate_hyp(0x41402000, 2, &want), STOCKADE_EINVAL);
	/* Blocks must be aligned on both sides. */
	assert_refused(host_donate_guest(vm.mem, 0x40601000, IPA_NONE, NR_BLOCK, &more, &want),
		       STOCKADE_EINVAL);
	assert_refused(host_donate_guest(vm.mem, 0x40600000, IPA_NONE + PAGE_SIZE, NR_BLOCK, &more,
					 &want),
		       STOCKADE_EINVAL);
	/* The block at the end of the second range is not whole. */
	assert_refused(host_donate_guest(vm.mem, 0x41400000, IPA_NONE, NR_BLOCK, &more, &want),
		       STOCKADE_EINVAL);
}

/*
 * RAM may begin at address 0. Its first page is the host's for ever: 0 ends a pool's list, and says that a guest has
 * no page. The next page is one like any other.
 */
static void the_page_at_0_stays_the_hosts(void)
{
	static const struct stockade_range ram = { 0, 2 * BLOCK };
	const u64 root = 2 * PAGE_SIZE;
	u64 handle;

	vm = make_vm(0);
	handle = vm.handle;
	/* The machine's RAM is elsewhere: here are entries of the page array alone. */
	spin_lock(&mem_lock);
	assert_true(
		pgtable_map(&hyp_map, (u64)hyp_array_va(0), spare_page(), 2 * PAGE_SIZE, HYP_RW));
	page_init(&ram, 1);
	spin_unlock(&mem_lock);
	assert_refused(hc(STOCKADE_HC_POOL_TOPUP, 0, 1), STOCKADE_EINVAL);
	assert_refused(hc(STOCKADE_HC_POOL_TOPUP, 0, 2), STOCKADE_EINVAL);
	assert_refused(hc(STOCKADE_HC_VM_TOPUP, handle, 0, 1), STOCKADE_EINVAL);
	assert_refused(hc(STOCKADE_HC_VM_CREATE, 0, PFN(root), 40 | STOCKADE_VM_PROTECTED << 8),
		       STOCKADE_EINVAL);
	assert_refused(hc(STOCKADE_HC_VM_CREATE, PFN(root), 0, 40 | STOCKADE_VM_PROTECTED << 8),
		       STOCKADE_EINVAL);
	assert_refused(hc(STOCKADE_HC_VCPU_CREATE, handle, 0, 0, PFN(root)), STOCKADE_EINVAL);
	assert_refused(hc(STOCKADE_HC_HOST_DONATE_GUEST, handle, 0, 0, 1), STOCKADE_EINVAL);
	assert_refused(hc(STOCKADE_HC_HOST_DONATE_GUEST, handle, 0, 0, NR_BLOCK), STOCKADE_EINVAL);
	/* Of these it is only memory for tables that lacks. */
	assert_refused(hc(STOCKADE_HC_HOST_DONATE_GUEST, handle, 1, 1, 1), STOCKADE_ENOMEM);
	assert_ret(host_can_donate_both(PAGE_SIZE, root, 1, &want), 0);
}

/* IPAs that are misaligned or beyond the VM's space. */
static void nonsense_ipas_are_refused(void)
{
	static const ipa_t bad[] = {
		1,	 0x80000001,	 0x80000fff, BIT(40), BIT(40) + IPA_PAGE,
		BIT(63), ~PAGE_SIZE + 1, ~0ull
	};
	pa_t pa;
	u64 missing;

	make_all_states();
	no_more_moving();
	pa = page_in[HOST_IN_TABLE];
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_refused(host_donate_guest(vm.mem, pa, bad[i], 1, &more, &want),
			       STOCKADE_EINVAL);
		assert_refused(guest_share_host(vm.mem, bad[i]), STOCKADE_EINVAL);
		assert_refused(guest_unshare_host(vm.mem, bad[i]), STOCKADE_EINVAL);
		assert_refused(guest_relinquish(vm.mem, bad[i]), STOCKADE_EINVAL);
		assert_refused(guest_guard_mmio(vm.mem, bad[i], &missing), STOCKADE_EINVAL);
	}
	/* The last one within it. */
	assert_ret(hc_fed(STOCKADE_HC_HOST_DONATE_GUEST, vm.handle, PFN(pa),
			  PFN(BIT(40) - PAGE_SIZE), 1),
		   0);
	assert_guest_has(&vm, BIT(40) - PAGE_SIZE, pa);
}

/* A donation of several pages or of a block is refused for any one page in it that is not the host's. */
static void one_bad_page_spoils_the_range(void)
{
	static const unsigned int at[] = { 0, 1, 255, 511 };
	static const enum page_state states[] = { PAGE_HOST_SHARED, PAGE_HYP, PAGE_GUEST,
						  PAGE_GUEST_SHARED, PAGE_MOVING };
	pa_t block;

	make_all_states();
	no_more_moving();
	block = 0x40200000; /* HOST_IN_BLOCK is in it */
	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		for (size_t s = 0; s < ARRAY_SIZE(states); s++) {
			struct page *page = fake_page(block + at[i] * PAGE_SIZE);

			page->state = states[s];
			assert_refused(host_donate_guest(vm.mem, block, 0xc0000000, NR_BLOCK, &more,
							 &want),
				       STOCKADE_EPERM);
			page->state = PAGE_HOST;
		}
	}
	for (unsigned int i = 0; i < 16; i++) {
		struct page *page = fake_page(block + (100 + i) * PAGE_SIZE);

		page->state = PAGE_GUEST;
		assert_refused(host_donate_hyp(block + 100 * PAGE_SIZE, 16, &want), STOCKADE_EPERM);
		page->state = PAGE_HOST;
	}
}

/* Sixteen pages over the border of two blocks are split, given, mapped and zeroed. */
static void a_range_over_two_blocks_is_given(void)
{
	pa_t pa = 0x40400000 - 8 * PAGE_SIZE;
	u64 nr = page_nr_hyp;

	assert_ret(host_donate_hyp(pa, 16, &want), 0);
	assert_int_equal(page_nr_hyp, nr + 16);
	for (unsigned int i = 0; i < 16; i++) {
		assert_state(pa + i * PAGE_SIZE, PAGE_HYP);
		assert_host_lost(pa + i * PAGE_SIZE);
		assert_page_is(pa + i * PAGE_SIZE, 0);
		assert_int_equal(*(u64 *)hyp_va(pa + i * PAGE_SIZE), 0);
	}
	assert_host_has(pa - PAGE_SIZE);
	assert_host_has(pa + 16 * PAGE_SIZE);
	fake_check();
	for (unsigned int i = 0; i < 16; i++)
		hyp_donate_host(pa + i * PAGE_SIZE);
	assert_int_equal(fake_walk(&host_map, pa).level, 2);
	assert_int_equal(fake_walk(&host_map, pa + 8 * PAGE_SIZE).level, 2);
	assert_int_equal(page_nr_hyp, nr);
}

/* Giving the host what is not the hypervisor's, or unsharing what is not shared, is our own mistake. */
static void our_own_mistakes_panic(void)
{
	pa_t pa = host_page();

	assert_panics(host_unshare_hyp(pa));
	mem_lock = (struct mem_lock){ 0 };
	assert_ret(host_share_hyp(pa, &want), 0);
	assert_panics(hyp_donate_host(pa));
	mem_lock = (struct mem_lock){ 0 };
	host_unshare_hyp(pa);
	assert_panics(host_unshare_hyp(pa));
	mem_lock = (struct mem_lock){ 0 };
	/* Shared, says its state, and nobody has a share. */
	fake_page(pa)->state = PAGE_HOST_SHARED;
	assert_panics(host_unshare_hyp(pa));
	mem_lock = (struct mem_lock){ 0 };
	fake_page(pa)->state = PAGE_HOST;
}

/* A page can be shared 255 times; then it is busy, and the count has not wrapped. */
static void shares_are_counted(void)
{
	pa_t pa = host_page();

	for (unsigned int i = 0; i < PAGE_MAX_REFS; i++)
		assert_ret(host_share_hyp(pa, &want), 0);
	assert_refused(host_share_hyp(pa, &want), STOCKADE_EBUSY);
	for (unsigned int i = 0; i < PAGE_MAX_REFS; i++) {
		assert_state(pa, PAGE_HOST_SHARED);
		assert_refused(host_donate_hyp(pa, 1, &want), STOCKADE_EPERM);
		host_unshare_hyp(pa);
	}
	assert_state(pa, PAGE_HOST);
}

/* --- what the guest's side says --- */

enum ipa_kind {
	EMPTY,
	NO_TABLE,
	PRIVATE,
	IN_BLOCK,
	SHARED,
	POISONED,
	GUARDED,
	NR_KINDS,
};

static const ipa_t ipa_of[NR_KINDS] = {
	[EMPTY] = IPA_EMPTY,
	[NO_TABLE] = IPA_NONE,
	[PRIVATE] = IPA_PAGE,
	[IN_BLOCK] = IPA_BLOCK + 5 * PAGE_SIZE,
	[SHARED] = IPA_SHARED,
	[POISONED] = IPA_SHARED + 5 * PAGE_SIZE,
	[GUARDED] = IPA_SHARED + 6 * PAGE_SIZE,
};

static void make_all_ipas(void)
{
	u64 missing;

	make_all_states();
	no_more_moving();
	guest_force_reclaim(vm.mem, donated_page(&vm, ipa_of[POISONED]));
	assert_ret(guest_guard_mmio(vm.mem, ipa_of[GUARDED], &missing), 0);
	fake_check();
}

/* Each call on each kind of IPA: the code that transition.h promises; a refused one changes nothing. */
static void guest_calls_on_every_kind_of_ipa(void)
{
	static const struct {
		int share, unshare, relinquish, guard, donate;
	} expected[NR_KINDS] = {
		[EMPTY] = { STOCKADE_ENOENT, STOCKADE_EPERM, STOCKADE_ENOENT, 0, 0 },
		[NO_TABLE] = { STOCKADE_ENOENT, STOCKADE_EPERM, STOCKADE_ENOENT, 0, 0 },
		[PRIVATE] = { 0, STOCKADE_EPERM, 0, STOCKADE_EPERM, STOCKADE_EEXIST },
		[IN_BLOCK] = { 0, STOCKADE_EPERM, 0, STOCKADE_EPERM, STOCKADE_EEXIST },
		[SHARED] = { STOCKADE_EPERM, 0, 0, STOCKADE_EPERM, STOCKADE_EEXIST },
		[POISONED] = { STOCKADE_EPERM, STOCKADE_EPERM, STOCKADE_ENOENT, STOCKADE_EPERM,
			       STOCKADE_EFAULT },
		[GUARDED] = { STOCKADE_EPERM, STOCKADE_EPERM, STOCKADE_ENOENT, 0, STOCKADE_EFAULT },
	};

	for (unsigned int call = 0; call < 5; call++) {
		fake_boot(NULL);
		for (enum ipa_kind k = 0; k < NR_KINDS; k++) {
			const int code[5] = { expected[k].share, expected[k].unshare,
					      expected[k].relinquish, expected[k].guard,
					      expected[k].donate };
			u64 missing;
			pa_t pa;

			/* A new machine for each call that succeeds. */
			boot_again();
			make_all_ipas();
			pa = page_in[HOST_IN_TABLE];
			switch (call) {
			case 0:
				TRY(guest_share_host(vm.mem, ipa_of[k]), code[call]);
				break;
			case 1:
				TRY(guest_unshare_host(vm.mem, ipa_of[k]), code[call]);
				break;
			case 2:
				TRY(guest_relinquish(vm.mem, ipa_of[k]), code[call]);
				break;
			case 3:
				TRY(guest_guard_mmio(vm.mem, ipa_of[k], &missing), code[call]);
				break;
			default:
				TRY(host_donate_guest(vm.mem, pa, ipa_of[k], 1, &more, &want),
				    code[call]);
				break;
			}
			fake_check();
		}
	}
}

/* A block is donated only where nothing is: not over a page, a poisoned one, guarded MMIO or a block. */
static void blocks_go_to_empty_places_only(void)
{
	pa_t block = 0x40200000;

	make_all_ipas();
	assert_refused(host_donate_guest(vm.mem, block, ALIGN_DOWN(IPA_PAGE, BLOCK), NR_BLOCK,
					 &more, &want),
		       STOCKADE_EAGAIN);
	assert_refused(host_donate_guest(vm.mem, block, IPA_BLOCK, NR_BLOCK, &more, &want),
		       STOCKADE_EEXIST);
	/* Empty, but with a table that had a page. */
	donate(&vm, 0x41402000, IPA_NONE, 1);
	assert_ret(guest_relinquish(vm.mem, IPA_NONE), 0);
	assert_refused(host_donate_guest(vm.mem, block, IPA_NONE, NR_BLOCK, &more, &want),
		       STOCKADE_EAGAIN);
}

/* A block that is whole for the host too, or it takes pages: its memory may be split there. */
static void a_split_block_of_the_hosts_is_not_given_whole(void)
{
	struct test_vm own = make_vm(0);
	pa_t block = host_block();

	assert_ret(host_donate_hyp(block + PAGE_SIZE, 1, &want), 0);
	assert_refused(host_donate_guest(own.mem, block, 0, NR_BLOCK, &more, &want),
		       STOCKADE_EPERM);
	hyp_donate_host(block + PAGE_SIZE);
	donate(&own, block, 0, NR_BLOCK);
}

/* A block that the host has as pages, for whatever reason, is given as pages: no table may be left below it. */
static void a_table_of_the_hosts_is_not_given_whole(void)
{
	struct test_vm own = make_vm(0);
	pa_t block = host_block();

	/* A page that the guest shares keeps its table for as long as it is shared. */
	donate(&own, block, 0, NR_BLOCK);
	assert_ret(guest_share_host(own.mem, 0), 0);
	for (u64 i = 1; i < NR_BLOCK; i++)
		assert_ret(guest_relinquish(own.mem, i * PAGE_SIZE), 0);
	assert_int_equal(fake_walk(&host_map, block).level, 3);
	assert_refused(host_donate_guest(own.mem, block, BLOCK, NR_BLOCK, &more, &want),
		       STOCKADE_EPERM);
	assert_ret(guest_relinquish(own.mem, 0), 0);
	assert_int_equal(fake_walk(&host_map, block).level, 2);

	spin_lock(&mem_lock);
	pgtable_make(&host_map, block, 3);
	spin_unlock(&mem_lock);
	assert_refused(host_donate_guest(own.mem, block, BLOCK, NR_BLOCK, &more, &want),
		       STOCKADE_EAGAIN);
	donate(&own, block, BLOCK, 1);
}

/* What is not this guest's private page is left alone. */
static void force_reclaim_takes_nothing_else(void)
{
	make_all_states();
	for (enum which w = 0; w < NR_WHICH; w++) {
		struct fake_copy *copy;
		const char *differs;

		if (w == GUEST_PAGE || w == GUEST_IN_BLOCK)
			continue;
		copy = fake_copy();
		guest_force_reclaim(vm.mem, page_in[w]);
		differs = fake_differs(copy);
		if (differs)
			fail_msg("page %d: changed %s", w, differs);
	}
	no_more_moving();
}

/* Donated contents are kept; the host loses the page, the guest gets it at one place. */
static void donation_keeps_contents(void)
{
	pa_t pa = host_page(), block = host_block();

	vm = make_vm(0);
	fill_page(pa, 0x77);
	fill_page(block + 3 * PAGE_SIZE, 0x88);
	donate(&vm, pa, 0x5000, 1);
	donate(&vm, block, BLOCK, NR_BLOCK);
	assert_page_is(pa, 0x77);
	assert_page_is(block + 3 * PAGE_SIZE, 0x88);
	assert_host_lost(pa);
	assert_guest_has(&vm, 0x5000, pa);
	assert_guest_has_not(&vm, 0x4000);
	assert_int_equal(fake_walk(&vm.mem->map, BLOCK).level, 2);
	for (u64 i = 0; i < NR_BLOCK; i++) {
		assert_host_lost(block + i * PAGE_SIZE);
		assert_state(block + i * PAGE_SIZE, PAGE_GUEST);
		assert_guest_has(&vm, BLOCK + i * PAGE_SIZE, block + i * PAGE_SIZE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(the_host_gives_only_its_own),
		hyp_test(the_host_gives_its_own),
		hyp_test(nonsense_addresses_are_refused),
		bare_boot_test(the_page_at_0_stays_the_hosts),
		hyp_test(nonsense_ipas_are_refused),
		hyp_test(one_bad_page_spoils_the_range),
		hyp_test(a_range_over_two_blocks_is_given),
		hyp_test(our_own_mistakes_panic),
		hyp_test(shares_are_counted),
		hyp_test(guest_calls_on_every_kind_of_ipa),
		hyp_test(blocks_go_to_empty_places_only),
		hyp_test(a_split_block_of_the_hosts_is_not_given_whole),
		hyp_test(a_table_of_the_hosts_is_not_given_whole),
		hyp_test(donation_keeps_contents),
		hyp_test(force_reclaim_takes_nothing_else),
	};

	return RUN("hyp-mem-transition", tests);
}
