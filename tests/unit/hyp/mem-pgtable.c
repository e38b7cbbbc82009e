// SPDX-License-Identifier: GPL-2.0-only
#include "hyptest.h"
#include "mem/pgtable.h"

#define TABLES 0x40200000ull /* where this file's tables come from */
#define ATTRS  HOST_RAM
#define VMID   7ull

static struct pgtable pt;
static struct pool pool;

/* A stage 2 of its own, with nr tables beside the root. */
static void make(unsigned int ipa_bits, u64 nr)
{
	fake_power_on(NULL);
	pool = (struct pool){ 0 };
	memset(fake_ram(TABLES), 0, (16 + nr) * PAGE_SIZE);
	pool_add_range(&pool, TABLES + 16 * PAGE_SIZE, nr * PAGE_SIZE);
	pgtable_init_s2(&pt, TABLES, ipa_bits, VMID, &pool);
	fake_watch(&pt);
}

static void done(void)
{
	maint_check();
	fake_unwatch(&pt);
}

static void assert_maps(u64 ia, pa_t pa, unsigned int level)
{
	struct fake_leaf leaf = fake_walk(&pt, ia);

	if (!leaf.valid)
		fail_msg("0x%lx is not mapped", ia);
	assert_int_equal(leaf.pa, pa);
	assert_int_equal(leaf.level, level);
	assert_int_equal(leaf.pte, pte_leaf(pa & ~(level_size(level) - 1), level, ATTRS));
}

/* The root is level 1 with 1 to 16 tables side by side up to 43 bits, level 0 above. */
static void geometry_follows_the_address_size(void)
{
	static const struct {
		unsigned int bits, level, pages;
	} sizes[] = {
		{ 32, 1, 1 }, { 36, 1, 1 },  { 39, 1, 1 }, { 40, 1, 2 }, { 41, 1, 4 },
		{ 42, 1, 8 }, { 43, 1, 16 }, { 44, 0, 1 }, { 48, 0, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		make(sizes[i].bits, 8);
		assert_int_equal(pt.start_level, sizes[i].level);
		assert_int_equal(stockade_s2_root_pages(sizes[i].bits), sizes[i].pages);
		assert_int_equal(pt.vttbr, TABLES | VMID << 48);
		done();
	}
}

/* Each end of the address space can be mapped, in every geometry, and maps nothing else. */
static void both_ends_are_mapped(void)
{
	static const unsigned int sizes[] = { 32, 36, 39, 40, 42, 43, 44, 48 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		u64 last = BIT(sizes[i]) - PAGE_SIZE, half = BIT(sizes[i] - 1);

		make(sizes[i], 12);
		assert_true(pgtable_map(&pt, 0, 0x1000, PAGE_SIZE, ATTRS));
		assert_true(pgtable_map(&pt, last, 0x2000, PAGE_SIZE, ATTRS));
		assert_true(pgtable_map(&pt, half, 0x3000, PAGE_SIZE, ATTRS));
		assert_maps(0, 0x1000, 3);
		assert_maps(last, 0x2000, 3);
		assert_maps(half, 0x3000, 3);
		assert_false(fake_walk(&pt, PAGE_SIZE).valid);
		assert_false(fake_walk(&pt, last - PAGE_SIZE).valid);
		assert_false(fake_walk(&pt, half - PAGE_SIZE).valid);
		done();
	}
}

/* Ranges are mapped by the largest blocks that fit both addresses, and by no level that cannot block. */
static void the_largest_blocks_are_used(void)
{
	static const unsigned int sizes[] = { 40, 44 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		/* 1 page, 1 block, 1 GiB, 1 block, 2 pages. */
		u64 start = GIB - BLOCK - PAGE_SIZE, end = 2 * GIB + BLOCK + 2 * PAGE_SIZE;

		make(sizes[i], 16);
		assert_true(pgtable_map(&pt, start, start, end - start, ATTRS));
		assert_maps(start, start, 3);
		assert_maps(GIB - BLOCK, GIB - BLOCK, 2);
		assert_maps(GIB, GIB, 1);
		assert_maps(2 * GIB - 1, 2 * GIB - 1, 1);
		assert_maps(2 * GIB, 2 * GIB, 2);
		assert_maps(2 * GIB + BLOCK, 2 * GIB + BLOCK, 3);
		assert_maps(end - PAGE_SIZE, end - PAGE_SIZE, 3);
		assert_false(fake_walk(&pt, start - 1).valid);
		assert_false(fake_walk(&pt, end).valid);
		done();
	}
	/* 512 GiB and more are 1 GiB blocks: level 0 has none. */
	make(44, 16);
	assert_true(pgtable_map(&pt, 0, 0, BIT(40), ATTRS));
	assert_maps(BIT(39), BIT(39), 1);
	done();
}

/* Where the two addresses don't agree, smaller ones are. */
static void misaligned_addresses_take_smaller_blocks(void)
{
	make(40, 16);
	assert_true(pgtable_map(&pt, GIB, 3 * GIB + BLOCK, 2 * BLOCK, ATTRS));
	assert_maps(GIB, 3 * GIB + BLOCK, 2);
	assert_true(pgtable_map(&pt, 4 * GIB, 5 * GIB + PAGE_SIZE, BLOCK, ATTRS));
	assert_maps(4 * GIB, 5 * GIB + PAGE_SIZE, 3);
	assert_maps(4 * GIB + BLOCK - PAGE_SIZE, 5 * GIB + BLOCK, 3);
	assert_true(pgtable_map(&pt, 6 * GIB + PAGE_SIZE, 7 * GIB, BLOCK, ATTRS));
	assert_maps(6 * GIB + PAGE_SIZE, 7 * GIB, 3);
	assert_maps(6 * GIB + BLOCK, 7 * GIB + BLOCK - PAGE_SIZE, 3);
	assert_false(fake_walk(&pt, 6 * GIB).valid);
	done();
}

/* Where a table is there already, a block's worth is mapped by its pages; so is the block that follows it. */
static void mapping_goes_into_tables(void)
{
	make(40, 8);
	pgtable_make(&pt, GIB + BLOCK, 3);
	assert_true(pgtable_map(&pt, GIB, 5 * GIB, 3 * BLOCK, ATTRS));
	assert_maps(GIB, 5 * GIB, 2);
	assert_maps(GIB + BLOCK, 5 * GIB + BLOCK, 3);
	assert_maps(GIB + 2 * BLOCK - PAGE_SIZE, 5 * GIB + 2 * BLOCK - PAGE_SIZE, 3);
	assert_maps(GIB + 2 * BLOCK, 5 * GIB + 2 * BLOCK, 2);
	assert_false(fake_walk(&pt, GIB + 3 * BLOCK).valid);
	done();
}

/* A pool that runs dry is an answer, not a panic; pgtable_missing() said so. */
static void a_dry_pool_is_refused(void)
{
	for (u64 nr = 0; nr < 2; nr++) {
		make(40, nr);
		assert_int_equal(pgtable_missing(&pt, 0, 3), 2);
		assert_false(pgtable_map(&pt, 0, 0, PAGE_SIZE, ATTRS));
		assert_int_equal(pool.free, nr);
		assert_false(fake_walk(&pt, 0).valid);
		done();
	}
	/* Just enough is enough; and where nothing is missing nothing is needed. */
	make(40, 2);
	assert_true(pgtable_map(&pt, 0, 0, PAGE_SIZE, ATTRS));
	assert_int_equal(pool.free, 0);
	assert_true(pgtable_map(&pt, PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, ATTRS));
	done();
	make(48, 2);
	assert_int_equal(pgtable_missing(&pt, 0, 3), 3);
	assert_int_equal(pgtable_missing(&pt, 0, 1), 1);
	assert_false(pgtable_map(&pt, 0, 0, PAGE_SIZE, ATTRS));
	done();
}

/* What is missing is what making takes, at every level and from every state. */
static void missing_is_what_making_takes(void)
{
	static const unsigned int sizes[] = { 40, 48 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (unsigned int level = 1; level <= 3; level++) {
			for (unsigned int block = 0; block <= 2; block++) {
				u64 before, missing;
				u64 *entry;

				make(sizes[i], 16);
				if (block)
					assert_true(pgtable_map(&pt, GIB, GIB, level_size(block),
								ATTRS));
				if (block > level)
					continue;
				before = pool.free;
				missing = pgtable_missing(&pt, GIB, level);
				entry = pgtable_make(&pt, GIB, level);
				assert_int_equal(before - pool.free, missing);
				assert_int_equal(pgtable_missing(&pt, GIB, level), 0);
				assert_ptr_equal(entry, pgtable_make(&pt, GIB, level));
				done();
			}
		}
	}
}

/* A split changes no translation, and is made break, flush, make. */
static void a_split_keeps_every_translation(void)
{
	int at = -1;

	make(40, 8);
	assert_true(pgtable_map(&pt, GIB, 5 * GIB, GIB, ATTRS));
	fake.nr_ops = 0;
	pgtable_make(&pt, GIB + 3 * BLOCK + 5 * PAGE_SIZE, 3);
	for (u64 off = 0; off < GIB; off += BLOCK) {
		if (off != 3 * BLOCK)
			assert_maps(GIB + off, 5 * GIB + off, 2);
	}
	for (u64 off = 3 * BLOCK; off < 4 * BLOCK; off += PAGE_SIZE)
		assert_maps(GIB + off, 5 * GIB + off, 3);
	/* 1 GiB to blocks, a block to pages: each time contents, barrier, break and flush, make, barrier. */
	for (unsigned int i = 0; i < 2; i++) {
		at = op_after(FAKE_DSB, FAKE_DSB_ishst, 0, at);
		at = op_after(FAKE_TLBI_IPAS2E1IS, pt.vttbr, GIB + 3 * BLOCK + 5 * PAGE_SIZE, at);
		at = op_after(FAKE_TLBI_VMALLE1IS, pt.vttbr, 0, at);
		at = op_after(FAKE_DSB, FAKE_DSB_ishst, 0, at);
	}
	assert_int_equal(count_ops(FAKE_TLBI_IPAS2E1IS), 2);
	done();
}

/* An invalid entry needs no flush to become valid; a valid one is flushed whatever it becomes. */
static void set_flushes_what_was_valid(void)
{
	u64 *entry;

	make(40, 8);
	entry = pgtable_make(&pt, 0x5000, 3);
	fake.nr_ops = 0;
	pgtable_set(&pt, entry, 0x5000, PTE_POISON);
	assert_int_equal(*entry, PTE_POISON);
	pgtable_set(&pt, entry, 0x5000, 0);
	assert_int_equal(*entry, 0);
	pgtable_set(&pt, entry, 0x5000, pte_leaf(0x1000, 3, ATTRS));
	for (unsigned int i = 0; i < fake.nr_ops; i++)
		assert_int_equal(fake.ops[i].kind, FAKE_DSB);
	fake.nr_ops = 0;
	pgtable_set(&pt, entry, 0x5000, pte_leaf(0x2000, 3, ATTRS));
	op_after(FAKE_DSB, FAKE_DSB_ishst, 0, op_after(FAKE_TLBI_IPAS2E1IS, pt.vttbr, 0x5000, -1));
	assert_maps(0x5000, 0x2000, 3);
	fake.nr_ops = 0;
	pgtable_set(&pt, entry, 0x5000, 0);
	op_after(FAKE_TLBI_IPAS2E1IS, pt.vttbr, 0x5000, -1);
	/* What is so already takes nothing. */
	fake.nr_ops = 0;
	pgtable_set(&pt, entry, 0x5000, 0);
	assert_int_equal(fake.nr_ops, 0);
	done();
}

/* Finding stops at what is there: an invalid entry, a block, a poisoned page; or where it is told to. */
static void find_stops_where_it_should(void)
{
	unsigned int level;

	make(40, 8);
	pgtable_find(&pt, 0, &level);
	assert_int_equal(level, 1);
	assert_true(pgtable_map(&pt, 0, 0, BLOCK, ATTRS));
	pgtable_find(&pt, PAGE_SIZE, &level);
	assert_int_equal(level, 2);
	pgtable_find(&pt, BLOCK, &level);
	assert_int_equal(level, 2);
	pgtable_set(&pt, pgtable_make(&pt, 2 * BLOCK, 3), 2 * BLOCK, PTE_POISON);
	assert_int_equal(*pgtable_find(&pt, 2 * BLOCK, &level), PTE_POISON);
	assert_int_equal(level, 3);
	pgtable_find_above(&pt, 2 * BLOCK, 2, &level);
	assert_int_equal(level, 2);
	pgtable_find_above(&pt, 2 * BLOCK, 1, &level);
	assert_int_equal(level, 1);
	done();
}

/* Making at a level above an existing table, or with an empty pool, is our own mistake: panic. */
static void wrong_makes_panic(void)
{
	make(40, 3);
	pgtable_make(&pt, 0, 3);
	assert_panics(pgtable_make(&pt, 0, 2));
	assert_panics(pgtable_make(&pt, GIB, 3)); /* one page is left, it takes two */
	fake_unwatch(&pt);
}

/* Empty tables go back to the pool, zeroed, up to the first that still maps something. */
static void prune_frees_what_is_empty(void)
{
	make(48, 8);
	pgtable_set(&pt, pgtable_make(&pt, 0, 3), 0, pte_leaf(0x1000, 3, ATTRS));
	pgtable_set(&pt, pgtable_make(&pt, GIB, 3), GIB, pte_leaf(0x2000, 3, ATTRS));
	assert_int_equal(pool.free, 8 - 5);

	pgtable_prune(&pt, 0);
	assert_int_equal(pool.free, 8 - 5);
	pgtable_set(&pt, pgtable_make(&pt, 0, 3), 0, 0);
	fake.nr_ops = 0;
	pgtable_prune(&pt, 0);
	assert_int_equal(pool.free, 8 - 3);
	/* Walks may be cached that end in the tables: each is flushed. */
	assert_int_equal(count_ops(FAKE_TLBI_IPAS2E1IS), 2);
	assert_maps(GIB, 0x2000, 3);

	pgtable_set(&pt, pgtable_make(&pt, GIB, 3), GIB, 0);
	pgtable_prune(&pt, GIB);
	assert_int_equal(pool.free, 8);
	for (u64 i = 0; i < 8; i++)
		assert_page_is(pool_get(&pool), 0);
	assert_page_is(pt.root, 0);
	done();
}

/* One entry keeps its table, wherever it is. */
static void prune_keeps_what_is_used(void)
{
	static const u64 used[] = { 0, 1, 510, 511 };

	for (size_t i = 0; i < ARRAY_SIZE(used); i++) {
		u64 ia = GIB + used[i] * PAGE_SIZE;

		make(40, 8);
		assert_true(pgtable_map(&pt, ia, 0x1000, PAGE_SIZE, ATTRS));
		pgtable_prune(&pt, GIB + 5 * PAGE_SIZE);
		assert_maps(ia, 0x1000, 3);
		done();
	}
}

/* A poisoned page keeps its table. */
static void prune_keeps_poison(void)
{
	make(40, 8);
	pgtable_set(&pt, pgtable_make(&pt, 0, 3), 0, PTE_POISON);
	pgtable_prune(&pt, 0);
	assert_int_equal(fake_walk(&pt, 0).pte, PTE_POISON);
	done();
}

/* EL2's own table flushes stage 1, not stage 2. */
static void el2_flushes_its_own_stage(void)
{
	u64 *entry;

	fake_power_on(NULL);
	pool = (struct pool){ 0 };
	memset(fake_ram(TABLES), 0, 9 * PAGE_SIZE);
	pool_add_range(&pool, TABLES + PAGE_SIZE, 8 * PAGE_SIZE);
	/* Whatever it was before. */
	memset(&pt, 0x11, sizeof(pt));
	pgtable_init_hyp(&pt, TABLES, &pool);
	assert_true(pgtable_map(&pt, HYP_LINEAR_BASE, 0, PAGE_SIZE, HYP_RW));
	entry = pgtable_make(&pt, HYP_LINEAR_BASE, 3);
	fake.nr_ops = 0;
	pgtable_set(&pt, entry, HYP_LINEAR_BASE, 0);
	op_after(FAKE_TLBI_VAE2IS, HYP_LINEAR_BASE, 0, -1);
	assert_int_equal(count_ops(FAKE_TLBI_IPAS2E1IS), 0);
}

/* Where a table is already, what could be a block is mapped by that table's entries. */
static void a_block_where_a_table_is(void)
{
	make(40, 8);
	pgtable_make(&pt, 0x40000000, 3);
	assert_true(pgtable_map(&pt, 0x40000000, 0x80000000, BLOCK, ATTRS));
	assert_maps(0x40000000, 0x80000000, 3);
	assert_maps(0x401ff000, 0x801ff000, 3);
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bare_test(geometry_follows_the_address_size),
		bare_test(both_ends_are_mapped),
		bare_test(the_largest_blocks_are_used),
		bare_test(misaligned_addresses_take_smaller_blocks),
		bare_test(mapping_goes_into_tables),
		bare_test(a_dry_pool_is_refused),
		bare_test(missing_is_what_making_takes),
		bare_test(a_split_keeps_every_translation),
		bare_test(set_flushes_what_was_valid),
		bare_test(find_stops_where_it_should),
		bare_test(wrong_makes_panic),
		bare_test(prune_frees_what_is_empty),
		bare_test(prune_keeps_what_is_used),
		bare_test(prune_keeps_poison),
		bare_test(el2_flushes_its_own_stage),
		bare_test(a_block_where_a_table_is),
	};

	return RUN("hyp-mem-pgtable", tests);
}
