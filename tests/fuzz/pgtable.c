// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables of any geometry: what hyp/mem/pgtable.c makes of any order of mapping, splitting, unmapping and pruning
 * against a list of ranges, by walks that share nothing with it (tests/fake/walk.c), under a watch for entries that
 * change without break and flush. And the host's stage 2: what is taken and given back, and which blocks come of it.
 */
#include <string.h>

#include <stockade/hostcall.h>

#include "fuzz.h"
#include "maint.h"
#include "mem/host_map.h"
#include "mem/hyp_map.h"
#include "mem/page.h"

#define MAX_OPERATIONS 60
#define MAX_RANGES     128
#define TABLES	       (FAKE_RAM_BASE + 0x200000)
#define ROOT_PAGES     16
#define VMID	       7ull

/* --- the model --- */

/* What is mapped: ranges that don't overlap. */
static struct range {
	u64 ia, size, attrs;
	pa_t pa;
} ranges[MAX_RANGES];
static unsigned int nr_ranges;

static bool overlaps(const struct range *r, u64 ia, u64 size)
{
	return ia < r->ia + r->size && r->ia < ia + size;
}

static bool is_free(u64 ia, u64 size)
{
	for (unsigned int i = 0; i < nr_ranges; i++)
		if (overlaps(&ranges[i], ia, size))
			return false;
	return true;
}

static void model_map(u64 ia, pa_t pa, u64 size, u64 attrs)
{
	if (size)
		ranges[nr_ranges++] = (struct range){ ia, size, attrs, pa };
}

static void model_unmap(u64 ia, u64 size)
{
	for (unsigned int i = 0; i < nr_ranges; i++) {
		struct range r = ranges[i];

		if (!overlaps(&r, ia, size))
			continue;
		ranges[i--] = ranges[--nr_ranges];
		if (r.ia < ia)
			model_map(r.ia, r.pa, ia - r.ia, r.attrs);
		if (r.ia + r.size > ia + size)
			model_map(ia + size, r.pa + (ia + size - r.ia), r.ia + r.size - (ia + size),
				  r.attrs);
	}
}

/* --- the tables --- */

static struct pgtable pt;
static struct pool pool;
static u64 nr_pages, mapped, nr_leaves, nr_tables;

static void check_leaf(const struct fake_leaf *leaf, void *arg)
{
	u64 size = 1ull << (39 - 9 * leaf->level);

	(void)arg;
	mapped += size;
	nr_leaves++;
	for (unsigned int i = 0; i < nr_ranges; i++) {
		const struct range *r = &ranges[i];

		if (leaf->ia < r->ia || leaf->ia + size > r->ia + r->size)
			continue;
		if (leaf->pte !=
		    ((r->pa + (leaf->ia - r->ia)) | r->attrs | (leaf->level == 3 ? 3 : 1)))
			fake_fail("0x%lx has descriptor 0x%lx", leaf->ia, leaf->pte);
		return;
	}
	fake_fail("0x%lx, level %u, maps what should not be mapped", leaf->ia, leaf->level);
}

static void count_table(pa_t pa, unsigned int level, void *arg)
{
	(void)pa;
	(void)level;
	(void)arg;
	nr_tables++;
}

/* All leaves are in ranges, and as large as these together; no page of the pool has been lost. */
static void check(void)
{
	u64 expected = 0;

	mapped = nr_leaves = nr_tables = 0;
	for (unsigned int i = 0; i < nr_ranges; i++)
		expected += ranges[i].size;
	fake_each_leaf(&pt, check_leaf, NULL);
	if (mapped != expected)
		fake_fail("0x%lx bytes are mapped, not 0x%lx", mapped, expected);
	fake_each_table(&pt, count_table, NULL);
	nr_tables -= stockade_s2_root_pages(pt.ia_bits);
	if (nr_tables + pool.free != nr_pages)
		fake_fail("%lu tables and %lu free pages of %lu", nr_tables, pool.free, nr_pages);
	maint_check();
}

/* Near one end of something: of the space, of what a table of some level maps. */
static u64 any_ia(struct fuzz_input *in)
{
	u8 how = (u8)fuzz_take(in, 1), n = (u8)fuzz_take(in, 1);
	u64 space = BIT(pt.ia_bits), ia;

	switch (how & 7) {
	case 0:
		ia = n * PAGE_SIZE;
		break;
	case 1:
		ia = space - (n + 1) * PAGE_SIZE;
		break;
	case 2:
		ia = n * BIT(21);
		break;
	case 3:
		ia = space - (n + 1) * BIT(21);
		break;
	case 4:
		ia = n * BIT(30) + (how >> 3) * BIT(21);
		break;
	case 5:
		ia = BIT(39) + n * BIT(30) - (how >> 3) * PAGE_SIZE;
		break;
	case 6:
		ia = BIT(30) + (how >> 3) * BIT(21) - n * PAGE_SIZE;
		break;
	default:
		ia = fuzz_take(in, 6);
	}
	return ia & (space - 1) & PAGE_MASK;
}

static u64 any_size(struct fuzz_input *in)
{
	u8 how = (u8)fuzz_take(in, 1);
	static const u64 units[] = { PAGE_SIZE, BIT(21), BIT(30), BIT(21) + PAGE_SIZE };

	return (how & 0x3f) * units[how >> 6];
}

static u64 any_attrs(struct fuzz_input *in)
{
	static const u64 attrs[] = { HOST_RAM, HOST_DEVICE, GUEST_RAM, HYP_RX };

	return attrs[fuzz_take(in, 1) & 3];
}

static void map(struct fuzz_input *in)
{
	u64 ia = any_ia(in), size = any_size(in), attrs = any_attrs(in);
	pa_t pa = any_ia(in), end;
	bool all;

	if (fuzz_take(in, 1) & 1)
		pa = ia ^ (pa & BIT(30));
	size = min_u64(size, BIT(pt.ia_bits) - ia);
	/* The watch looks at all leaves for each new one: not too many. */
	if ((ia ^ pa) & (BIT(21) - 1))
		size = min_u64(size, nr_leaves < 100 ? BIT(21) : 40 * PAGE_SIZE);
	else if ((ia ^ pa) & (BIT(30) - 1))
		size = min_u64(size, 8 * BIT(21));
	if (!is_free(ia, size) || nr_leaves > 1500 || nr_ranges > MAX_RANGES - 8)
		return;
	/* Some want more tables than there are: then a part is mapped, the first one. */
	all = pgtable_map(&pt, ia, pa, size, attrs);
	for (end = ia; end < ia + size;) {
		struct fake_leaf leaf = fake_walk(&pt, end);

		if (!leaf.valid)
			break;
		end = leaf.ia + (1ull << (39 - 9 * leaf.level));
	}
	if (all && end < ia + size)
		fake_fail("0x%lx is not mapped", end);
	if (!all && pool.free >= 3)
		fake_fail("the pool had %lu pages", pool.free);
	model_map(ia, pa, end - ia, attrs);
}

/* The entry at a level, as who changes one page or block finds or makes it. NULL: not to be had. */
static u64 *entry_at(u64 ia, unsigned int level)
{
	unsigned int found, missing, made;
	u64 *entry = pgtable_find(&pt, ia, &found);
	struct fake_leaf leaf = fake_walk(&pt, ia);
	u64 before = pool.free;

	if (found != leaf.level || *entry != leaf.pte)
		fake_fail("0x%lx is found at level %u, 0x%lx", ia, found, *entry);
	if (found > level)
		return NULL;
	missing = pgtable_missing(&pt, ia, level);
	if (missing != level - found)
		fake_fail("%u tables are missing, not %u", missing, level - found);
	if (missing > pool.free)
		return NULL;
	entry = pgtable_make(&pt, ia, level);
	if (before - pool.free != missing)
		fake_fail("making took %lu tables, not %u", before - pool.free, missing);
	if (entry != pgtable_find(&pt, ia, &made) || made != level)
		fake_fail("0x%lx was not made at level %u", ia, level);
	return entry;
}

static unsigned int any_level(struct fuzz_input *in)
{
	return 1 + (unsigned int)fuzz_take(in, 1) % 3;
}

static void change(struct fuzz_input *in, bool remap)
{
	unsigned int level = any_level(in);
	u64 size = level_size(level), ia = any_ia(in) & ~(size - 1);
	u64 *entry = entry_at(ia, level);
	pa_t pa = any_ia(in) & ~(size - 1);

	if (!entry || nr_ranges > MAX_RANGES - 8)
		return;
	pgtable_set(&pt, entry, ia, remap ? pte_leaf(pa, level, GUEST_RAM) : 0);
	model_unmap(ia, size);
	if (remap)
		model_map(ia, pa, size, GUEST_RAM);
}

static bool table_of_leaves(pa_t table)
{
	const u64 *entry = fake_ram(table);

	for (unsigned int i = 0; i < 512; i++)
		if (entry[i])
			return true;
	return false;
}

/* Afterwards no table around ia is empty, except those that have one that is not. */
static void prune(struct fuzz_input *in)
{
	u64 ia = any_ia(in);
	unsigned int level, above;

	pgtable_prune(&pt, ia);
	pgtable_find(&pt, ia, &level);
	if (level > pt.start_level &&
	    !table_of_leaves(*pgtable_find_above(&pt, ia, level - 1, &above) & PTE_ADDR))
		fake_fail("an empty table around 0x%lx is left", ia);
}

static void any_tables(struct fuzz_input *in)
{
	static const u8 bits[] = { 32, 33, 36, 39, 40, 41, 42, 43, 44, 45, 47, 48 };
	u8 start = (u8)fuzz_take(in, 1);

	fuzz_boot(NULL);
	fake_unwatch(NULL);
	pool = (struct pool){ 0 };
	nr_pages = 4 + (start >> 4) * 6u;
	spin_lock(&mem_lock);
	for (u64 i = 0; i < ROOT_PAGES + nr_pages; i++)
		hyp_map_page(TABLES + i * PAGE_SIZE);
	spin_unlock(&mem_lock);
	pool_add_range(&pool, TABLES + ROOT_PAGES * PAGE_SIZE, nr_pages * PAGE_SIZE);
	pgtable_init_s2(&pt, TABLES, bits[(start & 15) % ARRAY_SIZE(bits)], VMID, &pool);
	nr_ranges = 0;
	nr_leaves = 0;
	fake_watch(&pt);
	for (unsigned int i = 0; i < MAX_OPERATIONS && fuzz_more(in); i++) {
		switch (fuzz_take(in, 1) % 8) {
		case 0:
		case 1:
		case 2:
			map(in);
			break;
		case 3:
		case 4:
			change(in, false);
			break;
		case 5:
			change(in, true);
			break;
		case 6:
			entry_at(any_ia(in), any_level(in));
			break;
		default:
			prune(in);
		}
		check();
	}
}

/* --- the host's stage 2 --- */

#define FIRST  (FAKE_RAM_BASE + 0x200000) /* behind the hypervisor's block */
#define BLOCKS 2
#define PAGES  (BLOCKS * 512)

static bool lost[PAGES];

/* In range of RAM, whole and the host's: a block again. */
static void check_blocks(void)
{
	for (unsigned int b = 0; b < BLOCKS; b++) {
		bool whole = true;

		for (unsigned int i = 0; i < 512; i++)
			whole &= !lost[b * 512 + i];
		if (whole && fake_walk(&host_map, FIRST + b * BIT(21)).level != 2)
			fake_fail("block %u is whole and not mapped as one", b);
	}
}

static void lose(unsigned int first, unsigned int level)
{
	unsigned int nr = level == 3 ? 1 : 512;
	pa_t pa = FIRST + first * PAGE_SIZE;
	unsigned int found;

	for (unsigned int i = 0; i < nr; i++)
		if (lost[first + i])
			return;
	/* A block that is pages can't be taken at once. */
	pgtable_find(&host_map, pa, &found);
	if (found > level || host_map_missing(pa, level) > hyp_pool.free)
		return;
	for (unsigned int i = 0; i < nr; i++) {
		lost[first + i] = true;
		*page_of(pa + i * PAGE_SIZE) = (struct page){ .state = PAGE_HYP };
	}
	page_nr_hyp += nr;
	host_unmap(pa, level);
}

static void regain(unsigned int first, unsigned int level)
{
	unsigned int nr = level == 3 ? 1 : 512, found;
	pa_t pa = FIRST + first * PAGE_SIZE;

	pgtable_find(&host_map, pa, &found);
	if (found > level || host_map_missing(pa, level) > hyp_pool.free)
		return;
	for (unsigned int i = 0; i < nr; i++)
		if (!lost[first + i])
			return;
	for (unsigned int i = 0; i < nr; i++) {
		lost[first + i] = false;
		*page_of(pa + i * PAGE_SIZE) = (struct page){ .state = PAGE_HOST };
	}
	page_nr_hyp -= nr;
	host_remap(pa, level);
}

static void device(struct fuzz_input *in)
{
	pa_t pa = fuzz_number(in) << (fuzz_take(in, 1) % 40);

	pa &= BIT(host_map.ia_bits) - 1;
	if (page_is_ram(pa & PAGE_MASK, PAGE_SIZE) || host_mapped(pa))
		return;
	if (host_map_device(pa) != host_mapped(pa))
		fake_fail("0x%lx is not mapped", pa);
}

/* Mostly one of a few at either end of a block: their neighbours shall be met. */
static unsigned int any_page(struct fuzz_input *in)
{
	u8 n = (u8)fuzz_take(in, 1);

	if ((n & 0x38) == 0x38)
		return (unsigned int)fuzz_take(in, 2) % PAGES;
	return (n >> 7) * 512 + (n & 0x40 ? 511 - (n & 7) : n & 7);
}

static void host_operate(struct fuzz_input *in)
{
	u8 how = (u8)fuzz_take(in, 1);
	unsigned int first = any_page(in);

	spin_lock(&mem_lock);
	switch (how % 8) {
	case 0:
	case 1:
		lose(first, 3);
		break;
	case 2:
		lose(first & ~511u, 2);
		break;
	case 3:
	case 4:
		regain(first, 3);
		break;
	case 5:
		regain(first & ~511u, 2);
		break;
	case 6:
		/* All of a block but what is not lost. */
		for (unsigned int i = 0; i < 512; i++)
			if (lost[(first & ~511u) + i])
				regain((first & ~511u) + i, 3);
		break;
	default:
		device(in);
	}
	spin_unlock(&mem_lock);
}

static void host_tables(struct fuzz_input *in)
{
	const struct fake_config config = {
		.ram = { { FAKE_RAM_BASE, 0x200000 + BLOCKS * BIT(21) + 0x3000 } },
		.nr_ram = 1,
		.nr_cpus = 1,
		.no_junk = true,
		.ipa_bits = 33 + (unsigned int)fuzz_take(in, 1) % 16,
	};

	memset(lost, 0, sizeof(lost));
	fake_boot(&config);
	for (unsigned int i = 0; i < MAX_OPERATIONS && fuzz_more(in); i++) {
		host_operate(in);
		check_blocks();
		fake_check();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };

	if (fuzz_take(&in, 1) & 1)
		host_tables(&in);
	else
		any_tables(&in);
	return 0;
}
