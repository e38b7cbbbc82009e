// SPDX-License-Identifier: GPL-2.0-only
#include "mem/host_map.h"

#include <stockade/hostcall.h>

#include "arch/cache.h"
#include "arch/layout.h"
#include "arch/table.h"
#include "arch/tlb.h"
#include "lib/panic.h"
#include "mem/hyp_map.h"
#include "mem/page.h"

struct pgtable host_map;

/*
 * Tables that blocks have replaced since mem_lock was taken, linked through their first words. Not zeroed yet, and in no
 * pool.
 */
static pa_t replaced GUARDED_BY(mem);

/* At launch, where there are no others that the host has. */
static bool host_has(const struct page *page)
{
	return page->state == PAGE_HOST || page->state == PAGE_HOST_SHARED;
}

int host_map_init(unsigned int ipa_bits)
{
	unsigned int nr_root = stockade_s2_root_pages(ipa_bits);
	const struct stockade_range *ram;
	pa_t root;

	/* Concatenated tables: the launch's pool begins with a range aligned for them. */
	root = ALIGN_UP(hyp_pool.next, nr_root * PAGE_SIZE);
	if (root + nr_root * PAGE_SIZE > hyp_pool.end)
		return STOCKADE_ENOMEM;
	while (hyp_pool.next < root + nr_root * PAGE_SIZE) {
		pa_t page = hyp_pool.next;

		hyp_pool.next += PAGE_SIZE;
		hyp_pool.free--;
		if (page < root)
			pool_put(&hyp_pool, page);
	}
	pgtable_init_s2(&host_map, root, ipa_bits, 0, &hyp_pool);

	for (unsigned int i = 0; (ram = page_ram_range(i)); i++) {
		pa_t end = ram->base + ram->size;
		pa_t run = ram->base;

		/* Runs of pages that are the host's. */
		while (run < end) {
			pa_t stop = run;

			while (stop < end && host_has(page_of(stop)))
				stop += PAGE_SIZE;
			if (!pgtable_map(&host_map, run, run, stop - run, HOST_RAM))
				return STOCKADE_ENOMEM;
			run = stop;
			while (run < end && !host_has(page_of(run)))
				run += PAGE_SIZE;
		}
	}
	return 0;
}

unsigned int host_map_missing(pa_t pa, unsigned int level)
{
	return pgtable_missing(&host_map, pa, level);
}

void host_unmap(pa_t pa, unsigned int level)
{
	pgtable_set(&host_map, pgtable_make(&host_map, pa, level), pa, 0);
}

/* Of pa's entry in a table at level. */
static u64 index_at(pa_t pa, unsigned int level)
{
	return (pa >> level_shift(level)) % TABLE_ENTRIES;
}

/* A page or block of the host's alone: what a block around it may take the place of. */
static bool is_leaf(u64 pte, unsigned int level)
{
	return (pte & (PTE_VALID | PTE_TABLE | PTE_GUESTS)) ==
	       (level < 3 ? PTE_VALID : PTE_VALID | PTE_TABLE);
}

/*
 * Is one of the neighbours in its table of pa's entry no such leaf? Pages mostly come back one after the other, up or
 * down, and then there is a gap next to the last one. Who looked from the start of the table would look at all that
 * are back each time.
 */
static inline bool has_gap_beside(const u64 *entry, pa_t pa, unsigned int level)
{
	u64 at = index_at(pa, level);
	const u64 *table = entry - at;

	return !is_leaf(table[(at + 1) % TABLE_ENTRIES], level) ||
	       !is_leaf(table[(at - 1) % TABLE_ENTRIES], level);
}

/*
 * How many pairs of entries from the start of the table on are leaves? Mostly not all: the first gap says so. Two are
 * leaves if the bits that say so are right in what both have and in what either has.
 */
static u64 full_pairs(const u64 *table, unsigned int level)
{
	u64 n = 0;

	while (n < TABLE_ENTRIES / 2 && is_leaf(table[2 * n] & table[2 * n + 1], level) &&
	       is_leaf(table[2 * n] | table[2 * n + 1], level))
		n++;
	return n;
}

/*
 * Entry, at level, maps pa. Rebuild the block around pa that its table maps, then the one around that, up to 1 GiB: a
 * table of level 1 has no block that could take its place. Returns how many pairs of entries it has looked at.
 */
static u64 collapse(const u64 *entry, pa_t pa, unsigned int level) REQUIRES(mem)
{
	u64 looked = 0;

	for (; level > 1 && !has_gap_beside(entry, pa, level); level--) {
		pa_t base = ALIGN_DOWN(pa, level_size(level - 1));
		u64 pairs = full_pairs(entry - index_at(pa, level), level);
		unsigned int found;
		u64 *above;
		pa_t old;

		looked += pairs;
		if (pairs < TABLE_ENTRIES / 2 || !page_is_ram(base, level_size(level - 1)))
			break;
		above = pgtable_find_above(&host_map, base, level - 1, &found);
		old = *above & PTE_ADDR;
		/*
		 * Break before make, for all that the table mapped. A CPU of the host that gets in
		 * between takes an abort, waits for mem_lock and finds the block.
		 */
		table_write(above, 0);
		tlb_flush_s2_all(host_map.vttbr);
		table_write(above, pte_leaf(base, level - 1, HOST_RAM));
		table_write_barrier();
		table_write(hyp_va(old), replaced);
		replaced = old;
		entry = above;
	}
	return looked;
}

/* Not inlined: there is seldom one, and each page that comes back would pay for saving the registers. */
__attribute__((noinline)) static void zero_tables(pa_t table) TAKES(mem)
{
	while (table) {
		pa_t next = *(pa_t *)hyp_va(table);

		clear_page(hyp_va(table));
		spin_lock(&mem_lock);
		pool_put(&hyp_pool, table);
		spin_unlock(&mem_lock);
		table = next;
	}
}

void host_map_unlock(void)
{
	pa_t tables = replaced;

	replaced = 0;
	spin_unlock(&mem_lock);
	if (tables)
		zero_tables(tables);
}

u64 host_remap(pa_t pa, unsigned int level)
{
	unsigned int found;
	u64 *entry = pgtable_find(&host_map, pa, &found);

	if (found < level)
		entry = pgtable_make(&host_map, pa, level);
	pgtable_set(&host_map, entry, pa, pte_leaf(pa, level, HOST_RAM));
	return has_gap_beside(entry, pa, level) ? 0 : collapse(entry, pa, level);
}

void host_map_shared(pa_t pa)
{
	unsigned int level;
	u64 *entry = pgtable_find(&host_map, pa, &level);

	pgtable_set(&host_map, entry, pa, pte_leaf(pa, 3, HOST_RAM | PTE_GUESTS));
}

u64 host_keep(pa_t pa)
{
	unsigned int level;
	u64 *entry = pgtable_find(&host_map, pa, &level);

	/* No walker looks at that bit: neither break before make nor an invalidation. */
	table_write(entry, *entry & ~PTE_GUESTS);
	return collapse(entry, pa, level);
}

bool host_map_device(pa_t pa)
{
	unsigned int level;

	pgtable_find(&host_map, pa, &level);
	level = max_u64(level, 1);
	while (page_meets_ram(ALIGN_DOWN(pa, level_size(level)), level_size(level)))
		level++;
	if (pgtable_missing(&host_map, pa, level) > hyp_pool.free)
		return false;
	pa = ALIGN_DOWN(pa, level_size(level));
	pgtable_set(&host_map, pgtable_make(&host_map, pa, level), pa,
		    pte_leaf(pa, level, HOST_DEVICE));
	return true;
}

bool host_mapped(pa_t pa)
{
	unsigned int level;

	return *pgtable_find(&host_map, pa, &level) & PTE_VALID;
}
