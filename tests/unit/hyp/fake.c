// SPDX-License-Identifier: GPL-2.0-only
/* The build machine's arch itself: does it notice what it is there to notice? */
#include "arch/tlb.h"
#include "hyptest.h"

/* The launched machine is consistent: every page, table and pool. */
static void launch_leaves_a_consistent_machine(void)
{
	fake_check();
	assert_state(fake.launch.pool[0].base, PAGE_HYP);
	assert_state(fake.launch.log, PAGE_HOST_SHARED);
	assert_host_lost(fake.launch.image);
	assert_host_has(fake.launch.log);
}

static void touch(pa_t pa)
{
	*(volatile u64 *)hyp_va(pa);
}

/* EL2 can't touch what its own tables don't map. */
static void unmapped_access_is_noticed(void)
{
	touch(fake.launch.pool[0].base);
	assert_complains(touch(host_page()));
}

static void write_to(const void *va)
{
	*(volatile u64 *)va = 1;
}

/* EL2 can't write where its tables say read-only. */
static void read_only_is_read_only(void)
{
	pa_t pa = host_page();
	struct want want;
	unsigned int level;
	u64 *entry;

	assert_ret(host_donate_hyp(pa, 1, &want), 0);
	entry = pgtable_find(&hyp_map, HYP_LINEAR_BASE + pa, &level);
	pgtable_set(&hyp_map, entry, HYP_LINEAR_BASE + pa, pte_leaf(pa, 3, HYP_RO));
	touch(pa);
	assert_complains(write_to(hyp_va(pa)));
	pgtable_set(&hyp_map, entry, HYP_LINEAR_BASE + pa, pte_leaf(pa, 3, HYP_RW));
	hyp_donate_host(pa);
}

/* A forgotten flush at EL2 shows. */
static void stale_hyp_tlb_is_noticed(void)
{
	pa_t pa = host_page();
	struct want want;
	unsigned int level;
	u64 *entry, old;

	assert_ret(host_donate_hyp(pa, 1, &want), 0);
	touch(pa);
	entry = pgtable_find(&hyp_map, HYP_LINEAR_BASE + pa, &level);
	old = *entry;
	*entry = 0;
	touch(pa); /* still there */
	assert_complains(fake_tlb_check());
	tlb_flush_hyp(HYP_LINEAR_BASE + pa);
	assert_complains(touch(pa));
	*entry = old;
	hyp_donate_host(pa);
}

/* An unmapped page that no flush followed shows. */
static void stale_s2_tlb_is_noticed(void)
{
	pa_t pa = host_block();
	unsigned int level;
	u64 *entry = pgtable_find(&host_map, pa, &level), old = *entry;

	*entry = 0;
	assert_complains(fake_watch_check());
	/* A flush elsewhere does not help. */
	tlb_flush_s2(host_map.vttbr, pa + BLOCK);
	assert_complains(fake_watch_check());
	tlb_flush_s2(host_map.vttbr, pa + PAGE_SIZE);
	fake_watch_check();
	*entry = old;
	table_write_barrier();
}

/* So does an entry that is changed with no break, also if the flush comes later. */
static void missing_break_is_noticed(void)
{
	pa_t pa = host_block();
	unsigned int level;
	u64 *entry = pgtable_find(&host_map, pa, &level), old = *entry;

	*entry = old | S2_XN;
	assert_complains(tlb_flush_s2(host_map.vttbr, pa));
	*entry = old;
	fake_watch_check();
}

static void take_twice(void)
{
	spin_lock(&mem_lock);
	spin_lock(&mem_lock);
}

static void take_out_of_order(void)
{
	struct guest_mem guest = { 0 }, *mem = &guest;

	spin_lock(&mem_lock);
	spin_lock(&mem->lock);
}

/* Locks are taken once, and in order. */
static void lock_misuse_is_noticed(void)
{
	assert_complains(take_twice());
	assert_complains(fake_check());
	fake_lock_reset();
	mem_lock = (struct spinlock){ 0 };
	assert_complains(take_out_of_order());
	fake_lock_reset();
	mem_lock = (struct spinlock){ 0 };
}

/* A page that two claim, or that is mapped for whom it does not belong to, shows. */
static void inconsistency_is_noticed(void)
{
	pa_t pa = host_page();

	fake_page(pa)->state = PAGE_HYP;
	assert_complains(fake_check());
	fake_page(pa)->state = PAGE_HOST;
	fake_page(pa)->gfn = 1;
	assert_complains(fake_check());
	fake_page(pa)->gfn = 0;
	hyp_pool.free++;
	assert_complains(fake_check());
	hyp_pool.free--;
	page_nr_hyp--;
	assert_complains(fake_check());
	page_nr_hyp++;
}

/* A copy sees a change of one byte, in RAM or in the hypervisor's own variables. */
static void copies_notice_changes(void)
{
	struct fake_copy *copy = fake_copy();

	assert_null(fake_differs(copy));
	copy = fake_copy();
	*(u8 *)fake_ram(0x41403fff - 0x1000) ^= 1;
	assert_non_null(fake_differs(copy));
#ifndef FAKE_COVERAGE
	copy = fake_copy();
	page_nr_hyp ^= 1;
	assert_non_null(fake_differs(copy));
	page_nr_hyp ^= 1;
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(launch_leaves_a_consistent_machine),
		hyp_test(unmapped_access_is_noticed),
		hyp_test(read_only_is_read_only),
		hyp_test(stale_hyp_tlb_is_noticed),
		hyp_test(stale_s2_tlb_is_noticed),
		hyp_test(missing_break_is_noticed),
		hyp_test(lock_misuse_is_noticed),
		hyp_test(inconsistency_is_noticed),
		hyp_test(copies_notice_changes),
	};

	return RUN("hyp-fake", tests);
}
