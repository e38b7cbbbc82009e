// SPDX-License-Identifier: GPL-2.0-only
/*
 * That page tables and pools keep the contract which tables.c is in other proofs: on any tree of small tables, with real
 * links between them and a real list of free pages.
 */
#include "arch/layout.h"
#include "arch/tlb.h"
#include "mem/pgtable.c"
#include "mem/pool.c"
#include "proof.h"

#define NR_PAGES (1u << 3 * TABLE_SHIFT)
#define IA_BITS	 (PAGE_SHIFT + 3 * TABLE_SHIFT)

/* Frame 0 is no page: its address says that there is none. */
enum frame {
	ROOT = 1,
	L2 = ROOT + 1,
	L3 = L2 + TABLE_ENTRIES,
	FREE = L3 + TABLE_ENTRIES * TABLE_ENTRIES,
	NR_FRAMES = FREE + 4,
};

#define MAX_LIST 2

static u64 memory[NR_FRAMES * TABLE_ENTRIES];
static struct pool pool;
static struct pgtable map;
static unsigned int flushes;

static unsigned int frame_of(pa_t pa)
{
	__CPROVER_assert(pa && pa >> PAGE_SHIFT < NR_FRAMES && IS_ALIGNED(pa, PAGE_SIZE),
			 "there is memory");
	return (unsigned int)(pa >> PAGE_SHIFT) % NR_FRAMES;
}

static pa_t pa_of(unsigned int frame)
{
	return (pa_t)frame << PAGE_SHIFT;
}

void *hyp_va(pa_t pa)
{
	return &memory[frame_of(pa) * TABLE_ENTRIES];
}

void tlb_flush_hyp(u64 va)
{
	(void)va;
	__CPROVER_assert(false, "it is no table of EL2's");
}

void tlb_flush_s2(u64 vttbr, ipa_t ipa)
{
	(void)ipa;
	__CPROVER_assert(vttbr == map.vttbr, "the flush is for this table");
	flushes++;
}

void table_write_barrier(void)
{
}

void hyp_table_write_barrier(void)
{
}

void hyp_panic(const char *file, unsigned int line, const char *what)
{
	(void)file, (void)line, (void)what;
	__CPROVER_assert(false, "no panic");
	__CPROVER_assume(false);
}

/* --- what the tables say --- */

struct leaf {
	u64 pte;
	unsigned int level;
};

static struct leaf walk(unsigned int nr)
{
	unsigned int frame = ROOT;

	for (unsigned int level = 1;; level++) {
		unsigned int index = (nr >> TABLE_SHIFT * (3 - level)) % TABLE_ENTRIES;
		u64 pte = memory[frame * TABLE_ENTRIES + index];

		if (level == 3 || (pte & 3) != 3)
			return (struct leaf){ pte, level };
		frame = frame_of(pte & PTE_ADDR);
	}
}

/* Where the leaf takes the page, and how; 0: nowhere. What an invalid entry says, it says of all of its range. */
static u64 translation(struct leaf leaf, unsigned int nr)
{
	unsigned int within = nr & ((1u << TABLE_SHIFT * (3 - leaf.level)) - 1);

	if (!(leaf.pte & PTE_VALID))
		return leaf.pte;
	return (leaf.pte | PTE_TABLE) + pa_of(within);
}

static u64 nr_free(void)
{
	u64 nr = (pool.end - pool.next) / PAGE_SIZE;
	pa_t page = pool.head;

	for (unsigned int i = 0; i < MAX_LIST + 2 && page; i++, nr++)
		page = memory[frame_of(page) * TABLE_ENTRIES];
	__CPROVER_assert(!page, "the list ends");
	return nr;
}

/* --- any tree, any pool --- */

static struct leaf before[NR_PAGES];
static struct pool pool_before;

static void any_entries(unsigned int frame, unsigned int level, unsigned int below)
{
	for (unsigned int i = 0; i < TABLE_ENTRIES; i++) {
		u64 *entry = &memory[frame * TABLE_ENTRIES + i];
		u64 attrs = nondet_bool() ? HOST_RAM : GUEST_RAM;
		pa_t pa = (nondet_u64() & GENMASK(47, 12)) & ~(level_size(level) - 1);

		*entry = nondet_bool() ? pte_leaf(pa, level, attrs) : 0;
		if (level == 3 && nondet_bool())
			*entry = PTE_POISON;
		if (level < 3 && nondet_bool())
			*entry = pa_of(below + i) | PTE_VALID | PTE_TABLE;
	}
}

static void any_tree(void)
{
	unsigned int list = (unsigned int)nondet_u64(), range = (unsigned int)nondet_u64();

	any_entries(ROOT, 1, L2);
	for (unsigned int i = 0; i < TABLE_ENTRIES; i++)
		any_entries(L2 + i, 2, L3 + i * TABLE_ENTRIES);
	for (unsigned int i = 0; i < TABLE_ENTRIES * TABLE_ENTRIES; i++)
		any_entries(L3 + i, 3, 0);
	pgtable_init_s2(&map, pa_of(ROOT), IA_BITS, 7, &pool);

	__CPROVER_assume(list <= MAX_LIST && range <= 2);
	for (unsigned int i = 0; i < MAX_LIST; i++)
		memory[(FREE + i) * TABLE_ENTRIES] = i + 1 < list ? pa_of(FREE + i + 1) : 0;
	pool.head = list ? pa_of(FREE) : 0;
	pool.next = pa_of(FREE + MAX_LIST);
	pool.end = pool.next + range * PAGE_SIZE;
	pool.reserved = nondet_u64();
	__CPROVER_assume(pool.reserved <= list + range);
	pool.free = list + range - pool.reserved;
	pool_before = pool;
	for (unsigned int nr = 0; nr < NR_PAGES; nr++)
		before[nr] = walk(nr);
}

static void nothing_moved(unsigned int but)
{
	for (unsigned int nr = 0; nr < NR_PAGES; nr++)
		__CPROVER_assert(nr == but ||
					 translation(walk(nr), nr) == translation(before[nr], nr),
				 "what is mapped stays where it is");
	__CPROVER_assert(pool.free + pool.reserved == nr_free(), "the pool has what it says");
}

static unsigned int any_page(void)
{
	return (unsigned int)nondet_u64() % NR_PAGES;
}

void walker_find(void)
{
	unsigned int nr = any_page(), deepest = 1 + (unsigned int)nondet_u64() % 3, level;
	u64 ia, *entry;

	any_tree();
	ia = pa_of(nr) + nondet_u64() % PAGE_SIZE;
	entry = pgtable_find(&map, ia, &level);
	__CPROVER_assert(*entry == before[nr].pte && level == before[nr].level, "it is the leaf");
	reachable(level == 1 && !*entry);
	reachable(level == 3 && (*entry & PTE_VALID));
	entry = pgtable_find_above(&map, ia, deepest, &level);
	__CPROVER_assert(level <= deepest && level <= before[nr].level, "not deeper than asked");
	__CPROVER_assert(level == deepest || level == before[nr].level, "and as deep as can be");
	__CPROVER_assert(level < before[nr].level ? pte_is_table(*entry, level) :
						    *entry == before[nr].pte,
			 "it is the entry on the way");
	__CPROVER_assert(pgtable_missing(&map, ia, deepest) ==
				 (before[nr].level < deepest ? deepest - before[nr].level : 0),
			 "tables that are missing are counted");
}

void walker_make(void)
{
	unsigned int nr = any_page(), level = 1 + (unsigned int)nondet_u64() % 3, missing;
	u64 *entry, ia, value = nondet_u64(), old;

	any_tree();
	ia = pa_of(nr);
	missing = pgtable_missing(&map, ia, level);
	__CPROVER_assume(before[nr].level <= level && missing <= pool.free);
	entry = pgtable_make(&map, ia, level);
	nothing_moved(NR_PAGES);
	__CPROVER_assert(walk(nr).level == level && walk(nr).pte == *entry, "the entry is the one");
	__CPROVER_assert(pool.free == pool_before.free - missing, "it takes what was missing");
	reachable(missing == 2 && (before[nr].pte & PTE_VALID));
	reachable(missing == 1 && !before[nr].pte);
	reachable(missing == 0);

	/* At level 3 it maps that page alone. */
	__CPROVER_assume(level == 3);
	old = *entry;
	flushes = 0;
	pgtable_set(&map, entry, ia, value);
	nothing_moved(nr);
	__CPROVER_assert(walk(nr).pte == value, "it is set");
	__CPROVER_assert(!!flushes == !!(old & PTE_VALID), "what was valid is flushed");
}

void walker_prune(void)
{
	unsigned int nr = any_page();
	u64 tables;

	any_tree();
	pgtable_prune(&map, pa_of(nr));
	nothing_moved(NR_PAGES);
	tables = pool.free - pool_before.free;
	reachable(tables == 0 && before[nr].level == 3);
	reachable(tables == 1 && before[nr].level == 3);
	reachable(tables == 2);
	__CPROVER_assert(tables == before[nr].level - walk(nr).level, "tables go to the pool");
}

static void map_pages(unsigned int pages)
{
	unsigned int nr = any_page();
	pa_t pa = nondet_u64() & GENMASK(46, 12);
	bool mapped;

	any_tree();
	for (unsigned int i = 0; i < NR_PAGES; i++)
		__CPROVER_assume(i < nr || i >= nr + pages || !before[i].pte);
	__CPROVER_assume(nr + pages <= NR_PAGES);
	mapped = pgtable_map(&map, pa_of(nr), pa, pages * PAGE_SIZE, HOST_RAM);
	__CPROVER_assert(pool.free + pool.reserved == nr_free(), "the pool has what it says");
	for (unsigned int i = 0; i < NR_PAGES; i++) {
		u64 now = translation(walk(i), i);

		if (i < nr || i >= nr + pages)
			__CPROVER_assert(now == translation(before[i], i),
					 "nothing else has moved");
		else
			__CPROVER_assert(now == pte_leaf(pa + (i - nr) * PAGE_SIZE, 3, HOST_RAM) ||
						 (!mapped && !now),
					 "the range is mapped, or the pool was dry");
	}
	reachable(mapped && walk(nr).level == (pages == 1 ? 3 : 2));
	reachable(mapped && before[nr].level == 3);
	reachable(!mapped);
}

void walker_map_page(void)
{
	map_pages(1);
}

/* A block, or by one and one. */
void walker_map_two(void)
{
	map_pages(2);
}

/* A pool by itself: pages are handed out zeroed, and none twice. */
void pool_pages(void)
{
	pa_t page, other;
	u64 n = nondet_u64();

	any_tree();
	page = pool_get(&pool);
	__CPROVER_assert(!!page == !!pool_before.free, "there is one if it says so");
	reachable(!page && pool_before.reserved);
	reachable(page && !pool_before.head);
	if (!page)
		return;
	for (unsigned int i = 0; i < TABLE_ENTRIES; i++)
		__CPROVER_assert(!memory[frame_of(page) * TABLE_ENTRIES + i], "it is zero");
	__CPROVER_assert(frame_of(page) >= FREE, "it was free");
	other = pool_get(&pool);
	__CPROVER_assert(other != page, "none is handed out twice");
	nothing_moved(NR_PAGES);
	pool_put(&pool, page);
	nothing_moved(NR_PAGES);
	__CPROVER_assume(n <= pool.free);
	pool_reserve(&pool, n);
	nothing_moved(NR_PAGES);

	reachable(other);
}
