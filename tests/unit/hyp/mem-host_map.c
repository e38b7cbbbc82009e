// SPDX-License-Identifier: GPL-2.0-only
#include "hyptest.h"

static unsigned int level_at(u64 ia)
{
	struct fake_leaf leaf = fake_walk(&host_map, ia);

	assert_true(leaf.valid);
	assert_int_equal(leaf.pa, ia);
	return leaf.level;
}

/* 1 GiB to 4 GiB is RAM; the hypervisor is at its start. */
static const struct fake_config big = {
	.ram = { { 0x40000000, 0xc0000000 } },
	.nr_ram = 1,
	.no_junk = true,
};

/* After launch the host has all of its RAM, by the largest blocks, and nothing of the hypervisor's. */
static void ram_is_mapped_eagerly(void)
{
	pa_t end = fake.launch.pool[1].base + fake.launch.pool[1].size;

	assert_int_equal(host_map.vttbr, host_map.root); /* VMID 0, which no guest has */
	assert_host_lost(fake.launch.image);
	assert_host_lost(fake.launch.pool[0].base);
	assert_host_lost(fake.launch.cpu[0].pages);
	assert_host_lost(fake.launch.array[0].base);
	assert_host_lost(end - PAGE_SIZE);
	assert_int_equal(level_at(fake.launch.log), 3);
	assert_int_equal(level_at(end), 3);
	assert_int_equal(level_at(0x40200000), 2);
	assert_int_equal(level_at(0x407fffff), 2);
	assert_int_equal(level_at(0x41200000), 2);
	assert_int_equal(level_at(0x41402000), 3);
	assert_int_equal(level_at(0x4140d000), 3);
	/* Holes. */
	assert_host_lost(0x40800000);
	assert_host_lost(0x41403000);
	assert_host_lost(0);
	assert_host_lost(0x80000000);
}

static void whole_gigabytes_are_blocks(void)
{
	fake_boot(&big);
	assert_int_equal(level_at(0x7fe00000), 2);
	assert_int_equal(level_at(0x80000000), 1);
	assert_int_equal(level_at(0xffffffff), 1);
	fake_check();
}

/* The same for every size of the host's address space; the root is aligned as the walk wants it. */
static void every_geometry_works(void)
{
	static const unsigned int bits[] = { 32, 36, 39, 40, 42, 43, 44, 48 };

	for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
		struct fake_config config = { .ipa_bits = bits[i] };

		fake_boot(&config);
		assert_int_equal(host_map.root % (stockade_s2_root_pages(bits[i]) * PAGE_SIZE), 0);
		ram_is_mapped_eagerly();
		fake_check();
	}
}

/*
 * A pool that is too small for the tables is refused at whatever step it runs dry. With a root of 8 tables it is
 * the root for which there is no room, with one of 1 table the tables below. The second piece, the log and the
 * windows are where each takes tables of its own.
 */
static void too_small_a_pool_is_refused(void)
{
	static const struct {
		unsigned int bits, host;
	} sizes[] = { { 42, 12 }, { 39, 5 } };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned int early = 0, late = 0;
		u64 pages;

		for (pages = 0; pages < 64; pages++) {
			struct fake_config config = { .ipa_bits = sizes[i].bits,
						      .pool1 = 0x41000000 };
			int ret;

			fake_power_on(&config);
			fake_plan_launch(pages, 0x41000000);
			fake.launch.log = 0x41400000;
			ret = fake_launch();
			if (!ret)
				break;
			assert_ret(ret, STOCKADE_ENOMEM);
			if (hyp_linear_base == HYP_LINEAR_BASE)
				late++;
			else
				early++;
		}
		/* EL2's own tables, and then the host's. */
		assert_int_equal(early, 17);
		assert_int_equal(late, sizes[i].host);
		/* Just enough is enough. */
		fake_check();
	}
}

/* The end of a hold, and the begin of the next. */
static void settle(void) REQUIRES(mem)
{
	host_map_unlock();
	spin_lock(&mem_lock);
}

static u64 remap(pa_t pa, unsigned int level) REQUIRES(mem)
{
	u64 looked = host_remap(pa, level);

	settle();
	return looked;
}

/* A page taken splits its block and changes no other page; given back, the block is whole again. */
static void a_page_goes_and_comes(void)
{
	pa_t pa = host_block();
	u64 before = hyp_pool.free;
	int at;

	spin_lock(&mem_lock);
	assert_int_equal(host_map_missing(pa + 7 * PAGE_SIZE, 3), 1);
	host_unmap(pa + 7 * PAGE_SIZE, 3);
	for (u64 i = 0; i < NR_BLOCK; i++) {
		if (i == 7)
			assert_host_lost(pa + i * PAGE_SIZE);
		else
			assert_int_equal(level_at(pa + i * PAGE_SIZE), 3);
	}
	assert_false(host_mapped(pa + 7 * PAGE_SIZE));
	assert_true(host_mapped(pa + 8 * PAGE_SIZE));
	assert_int_equal(hyp_pool.free, before - 1);
	fake.nr_ops = 0;
	remap(pa + 7 * PAGE_SIZE, 3);
	assert_int_equal(level_at(pa), 2);
	assert_int_equal(hyp_pool.free, before);
	/* All that the table mapped is flushed before the block is there. */
	at = op_after(FAKE_TLBI_VMALLS12E1IS, host_map.vttbr, 0, -1);
	at = op_after(FAKE_DSB, FAKE_DSB_ish, 0, at);
	op_after(FAKE_DSB, FAKE_DSB_ishst, 0, at);
	spin_unlock(&mem_lock);
}

/* The same with whole blocks, and up to 1 GiB again. */
static void collapse_goes_up_to_1_gib(void)
{
	pa_t pa = 0x80000000 + 5 * BLOCK;
	u64 before;

	fake_boot(&big);
	before = hyp_pool.free;
	spin_lock(&mem_lock);
	host_unmap(pa, 2);
	assert_int_equal(level_at(pa + BLOCK), 2);
	assert_int_equal(level_at(0xc0000000), 1);
	host_unmap(pa + BLOCK + PAGE_SIZE, 3);
	remap(pa, 2);
	assert_int_equal(level_at(pa), 2);
	assert_int_equal(level_at(pa + BLOCK), 3);
	assert_int_equal(hyp_pool.free, before - 2);
	remap(pa + BLOCK + PAGE_SIZE, 3);
	assert_int_equal(level_at(pa), 1);
	assert_int_equal(hyp_pool.free, before);
	spin_unlock(&mem_lock);
	fake_check();
}

/* The host's table of pages for pa, whose block is split. */
static pa_t table_of(pa_t pa)
{
	unsigned int level;

	return *pgtable_find_above(&host_map, pa, 2, &level) & PTE_ADDR;
}

static u64 free_in_hold;
static unsigned int nr_unlocked;

static void count_meanwhile(const char *name)
{
	assert_string_equal(name, "&mem_lock");
	spin_lock(&mem_lock);
	assert_int_equal(hyp_pool.free, free_in_hold + nr_unlocked);
	spin_unlock(&mem_lock);
	nr_unlocked++;
}

/*
 * Tables whose place blocks have taken are zeroed when mem_lock has been given back, one by one, and can be had then.
 * Guards host_map_unlock().
 */
static void tables_are_zeroed_without_the_lock(void)
{
	pa_t pa = 0x80000000 + 5 * BLOCK, pages, blocks;
	unsigned int level;
	int at;

	fake_boot(&big);
	spin_lock(&mem_lock);
	host_unmap(pa + PAGE_SIZE, 3);
	pages = table_of(pa);
	blocks = *pgtable_find_above(&host_map, pa, 1, &level) & PTE_ADDR;
	free_in_hold = hyp_pool.free;
	fake.nr_ops = 0;
	host_remap(pa + PAGE_SIZE, 3);
	assert_int_equal(level_at(pa), 1);
	assert_int_equal(hyp_pool.free, free_in_hold);
	assert_int_equal(count_ops(FAKE_ZERO), 0);
	nr_unlocked = 0;
	fake.after_unlock = count_meanwhile;
	host_map_unlock();
	fake.after_unlock = NULL;
	assert_int_equal(nr_unlocked, 3);
	at = op_after(FAKE_UNLOCK, fake.ops[fake.nr_ops - 1].a, 0, -1);
	at = op_after(FAKE_ZERO, blocks, PAGE_SIZE, at);
	op_after(FAKE_ZERO, pages, PAGE_SIZE, at);
	assert_int_equal(hyp_pool.free, free_in_hold + 2);
	fake_check();
	/* Nothing is left to do. */
	fake.nr_ops = 0;
	spin_lock(&mem_lock);
	host_map_unlock();
	assert_int_equal(count_ops(FAKE_ZERO), 0);
	assert_int_equal(hyp_pool.free, free_in_hold + 2);
}

/* Where a table covers a hole, or what the hypervisor keeps, nothing collapses. */
static void collapse_leaves_holes_alone(void)
{
	spin_lock(&mem_lock);
	host_unmap(0x41402000, 3);
	remap(0x41402000, 3);
	assert_int_equal(level_at(0x41402000), 3);
	assert_host_lost(0x41403000);
	host_unmap(0x40100000, 3);
	remap(0x40100000, 3);
	assert_int_equal(level_at(0x40100000), 3);
	assert_host_lost(fake.launch.image);
	spin_unlock(&mem_lock);
}

/* One page that is lost keeps the table, wherever it is. */
static void one_lost_page_prevents_collapse(void)
{
	static const u64 lost[] = { 0, 2, 255, 510, 511 };
	pa_t pa = host_block();

	spin_lock(&mem_lock);
	for (size_t i = 0; i < ARRAY_SIZE(lost); i++) {
		host_unmap(pa + lost[i] * PAGE_SIZE, 3);
		host_unmap(pa + PAGE_SIZE, 3);
		remap(pa + PAGE_SIZE, 3);
		assert_host_lost(pa + lost[i] * PAGE_SIZE);
		assert_int_equal(level_at(pa + PAGE_SIZE), 3);
		remap(pa + lost[i] * PAGE_SIZE, 3);
		assert_int_equal(level_at(pa), 2);
	}
	spin_unlock(&mem_lock);
}

/* Nor does 1 GiB become one block over it, wherever its table is, also if it is not beside what comes back. */
static void one_lost_page_prevents_1_gib(void)
{
	static const u64 lost[] = { 0, 3, 255, 511 };
	pa_t gib = 0x80000000, pa = gib + 5 * BLOCK;

	fake_boot(&big);
	spin_lock(&mem_lock);
	for (size_t i = 0; i < ARRAY_SIZE(lost); i++) {
		pa_t page = gib + lost[i] * BLOCK + 511 * PAGE_SIZE;

		host_unmap(page, 3);
		host_unmap(pa, 2);
		remap(pa, 2);
		assert_int_equal(level_at(pa), 2);
		assert_host_lost(page);
		/* A page, whose own block is whole again. */
		host_unmap(pa + PAGE_SIZE, 3);
		remap(pa + PAGE_SIZE, 3);
		assert_int_equal(level_at(pa), 2);
		assert_host_lost(page);
		remap(page, 3);
		assert_int_equal(level_at(pa), 1);
	}
	spin_unlock(&mem_lock);
	fake_check();
}

/* As the guest's share and its end have it. */
static void share(pa_t pa) REQUIRES(mem)
{
	fake_page(pa)->state = PAGE_GUEST_SHARED;
	host_unmap(pa, 3);
	host_map_shared(pa);
}

static void end_share(pa_t pa) REQUIRES(mem)
{
	fake_page(pa)->state = PAGE_HOST;
	host_keep(pa);
	settle();
}

/* Pages that a guest shares keep their table, since unsharing has no memory to make one. */
static void shared_pages_prevent_collapse(void)
{
	static const u64 at[] = { 0, 1, 2, 300, 511 };
	pa_t pa = host_block();

	spin_lock(&mem_lock);
	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		share(pa + at[i] * PAGE_SIZE);
		host_unmap(pa + 400 * PAGE_SIZE, 3);
		assert_true(remap(pa + 400 * PAGE_SIZE, 3) <= NR_BLOCK / 2);
		assert_int_equal(level_at(pa), 3);
		/* Another one, and after it the first. */
		share(pa + 100 * PAGE_SIZE);
		end_share(pa + 100 * PAGE_SIZE);
		assert_int_equal(level_at(pa), 3);
		end_share(pa + at[i] * PAGE_SIZE);
		assert_int_equal(level_at(pa), 2);
	}
	spin_unlock(&mem_lock);
	fake_check();
}

/*
 * Whoever gives pages back bounds by it how long that takes: what is looked at is told. A gap beside the page is found
 * for nothing, one further on is as far as it is, and a whole block is its table, and the one around it. No more than
 * the table, whatever lies behind it.
 */
static void what_is_looked_at_is_told(void)
{
	pa_t gib = 0x80000000, pa = gib + 5 * BLOCK, beside = gib + 6 * BLOCK;

	fake_boot(&big);
	spin_lock(&mem_lock);
	host_unmap(pa, 3);
	assert_int_equal(remap(pa, 3), NR_BLOCK / 2 + TABLE_ENTRIES / 2);
	host_unmap(gib, 3);
	host_unmap(pa, 3);
	assert_int_equal(remap(pa, 3), NR_BLOCK / 2);
	host_unmap(pa + 300 * PAGE_SIZE, 3);
	host_unmap(pa + 9 * PAGE_SIZE, 3);
	assert_int_equal(remap(pa + 9 * PAGE_SIZE, 3), 150);
	host_unmap(pa + 301 * PAGE_SIZE, 3);
	assert_int_equal(remap(pa + 301 * PAGE_SIZE, 3), 0);
	assert_int_equal(remap(pa + 300 * PAGE_SIZE, 3), NR_BLOCK / 2);
	assert_int_equal(remap(gib, 3), NR_BLOCK / 2 + TABLE_ENTRIES / 2);

	spin_unlock(&mem_lock);

	/* One table behind the other, and the block beside is split too. */
	fake_boot(&big);
	spin_lock(&mem_lock);
	host_unmap(beside + 99 * PAGE_SIZE, 3);
	host_unmap(pa, 3);
	assert_int_equal(table_of(beside), table_of(pa) + PAGE_SIZE);
	assert_int_equal(remap(pa, 3), NR_BLOCK / 2);
	remap(beside + 99 * PAGE_SIZE, 3);
	spin_unlock(&mem_lock);
	fake_check();
}

/* A page shared with the hypervisor is the host's all the same. */
static void pages_shared_with_el2_collapse(void)
{
	pa_t pa = host_block();
	struct want want;

	assert_ret(host_share_hyp(pa, &want), 0);
	spin_lock(&mem_lock);
	host_unmap(pa + PAGE_SIZE, 3);
	remap(pa + PAGE_SIZE, 3);
	spin_unlock(&mem_lock);
	assert_int_equal(level_at(pa), 2);
	host_unshare_hyp(pa);
}

static bool touch_device(u64 pa)
{
	bool mapped;

	spin_lock(&mem_lock);
	mapped = host_map_device(pa);
	spin_unlock(&mem_lock);
	return mapped;
}

/* What is not RAM is mapped on touch, by the largest block without RAM, never executable. */
static void devices_are_mapped_around_ram(void)
{
	assert_true(touch_device(0x9000000));
	assert_int_equal(level_at(0x9000000), 1);
	assert_int_equal(fake_walk(&host_map, 0).pte, pte_leaf(0, 1, HOST_DEVICE));
	/* In the hole of the first GiB of RAM: 2 MiB blocks. */
	assert_true(touch_device(0x40a01000));
	assert_int_equal(level_at(0x40a01000), 2);
	assert_host_lost(0x40800000);
	/* Between two ranges in the same 2 MiB: pages. */
	assert_true(touch_device(0x41404000));
	assert_int_equal(level_at(0x41404000), 3);
	assert_host_lost(0x41403000);
	assert_int_equal(fake_walk(&host_map, 0x41404000).pte,
			 pte_leaf(0x41404000, 3, HOST_DEVICE));
	/* The last byte of the address space. */
	assert_true(touch_device(BIT(40) - PAGE_SIZE));
	assert_int_equal(level_at(BIT(40) - 1), 1);
}

/* A block that is RAM and devices, all of it mapped, stays pages: devices must not become RAM. */
static void devices_prevent_collapse(void)
{
	for (u64 pa = 0x41400000; pa < 0x41600000; pa += PAGE_SIZE)
		if (!fake_walk(&host_map, pa).valid)
			assert_true(touch_device(pa));
	spin_lock(&mem_lock);
	host_unmap(0x41401000, 3);
	remap(0x41401000, 3);
	spin_unlock(&mem_lock);
	assert_int_equal(level_at(0x41401000), 3);
	assert_int_equal(fake_walk(&host_map, 0x41403000).pte,
			 pte_leaf(0x41403000, 3, HOST_DEVICE));
}

/* Nowhere does a device mapping cover a byte of RAM: every page of the holes, one after the other. */
static void device_mappings_never_cover_ram(void)
{
	for (u64 pa = 0x3fe00000; pa < 0x41800000; pa += PAGE_SIZE) {
		if (page_is_ram(pa, PAGE_SIZE) || fake_walk(&host_map, pa).valid)
			continue;
		assert_true(touch_device(pa));
	}
	/* fake_check() looks at each leaf. */
}

/* Also around RAM that the host never had, where it has no tables: down to pages. */
static void devices_around_el2s_own_ram(void)
{
	const struct fake_config config = {
		.ram = { { 0x40000000, 0x800000 }, { 0x80000000, 8 * PAGE_SIZE } },
		.nr_ram = 2,
		.pool1 = 0x80000000,
	};

	fake_boot(&config);
	assert_int_equal(fake_walk(&host_map, 0x80000000).level, 1);
	assert_true(touch_device(0x80008000));
	assert_int_equal(level_at(0x80008000), 3);
	assert_host_lost(0x80007000);
	assert_host_lost(0x80009000);
	assert_true(touch_device(0x80200000));
	assert_int_equal(level_at(0x80200000), 2);
	fake_check();
}

/* With no memory for a table a device is refused, and nothing has changed. */
static void device_without_memory_is_refused(void)
{
	const struct fake_config config = { .ipa_bits = 48 };
	u64 all;

	fake_boot(&config);
	all = hyp_pool.free;
	spin_lock(&mem_lock);
	pool_reserve(&hyp_pool, all);
	spin_unlock(&mem_lock);
	assert_refused(touch_device(BIT(47)), false);
	spin_lock(&mem_lock);
	pool_unreserve(&hyp_pool, all);
	spin_unlock(&mem_lock);
	/* The one table that it takes is enough. */
	all = hyp_pool.free;
	spin_lock(&mem_lock);
	pool_reserve(&hyp_pool, all - 1);
	spin_unlock(&mem_lock);
	assert_true(touch_device(BIT(47)));
	assert_int_equal(hyp_pool.free, 0);
	spin_lock(&mem_lock);
	pool_unreserve(&hyp_pool, all - 1);
	spin_unlock(&mem_lock);
	fake_check();
}

/* Pages for the hypervisor that are no RAM have no entry in the page array. */
static void a_pool_outside_of_ram_panics(void)
{
	fake_power_on(NULL);
	fake.launch.pool[1].base = 0x40800000;
	assert_panics(fake_launch());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(ram_is_mapped_eagerly),
		bare_test(whole_gigabytes_are_blocks),
		bare_test(every_geometry_works),
		bare_test(too_small_a_pool_is_refused),
		hyp_test(a_page_goes_and_comes),
		bare_test(collapse_goes_up_to_1_gib),
		bare_test(tables_are_zeroed_without_the_lock),
		hyp_test(collapse_leaves_holes_alone),
		hyp_test(one_lost_page_prevents_collapse),
		bare_test(one_lost_page_prevents_1_gib),
		hyp_test(shared_pages_prevent_collapse),
		hyp_test(what_is_looked_at_is_told),
		hyp_test(pages_shared_with_el2_collapse),
		hyp_test(devices_are_mapped_around_ram),
		hyp_test(devices_prevent_collapse),
		hyp_test(device_mappings_never_cover_ram),
		bare_test(devices_around_el2s_own_ram),
		bare_test(device_without_memory_is_refused),
		bare_test(a_pool_outside_of_ram_panics),
	};

	return RUN("hyp-mem-host_map", tests);
}
