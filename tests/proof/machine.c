// SPDX-License-Identifier: GPL-2.0-only
#include "machine.h"

#include <stockade/hostcall.h>

#include "arch/cache.h"

/* The list of RAM is searched in as many as there are here; ram.c has the real length. */
#undef STOCKADE_MAX_RAM
#define STOCKADE_MAX_RAM 2
/* What launch sets is known to these files alone. */
#include "mem/hyp_map.c"
#include "mem/page.c"

/* Its index; all others are others. */
#define THE_VM 5

struct guest_mem vm;
static struct page page_array[NR_PAGES];
static u64 contents[NR_PAGES]; /* a word for the page; tables have theirs in tables.c */
static bool clean[NR_PAGES];   /* what was written last is in memory, not just in a cache */
static u8 linear[NR_PAGES];    /* where EL2 has the pages */
static u64 window_entry;
static struct stockade_range ram[2];
extern bool has_fwb;

/* What there is in the rest of a larger machine; no transition here changes it. */
static struct {
	u64 nr_hyp, reserved, nr_guarded;
} elsewhere;

/* --- memory --- */

static pa_t pa_of(unsigned int nr)
{
	return (pa_t)nr * PAGE_SIZE;
}

static unsigned int nr_of(pa_t pa)
{
	__CPROVER_assert(pa < pa_of(NR_PAGES) && IS_ALIGNED(pa, PAGE_SIZE), "there is a page");
	return (unsigned int)(pa >> PAGE_SHIFT) % NR_PAGES;
}

/* Not by page_is_ram(), which has a proof of its own. */
bool is_ram(pa_t pa)
{
	return is_ram_range(pa, 1);
}

bool is_ram_range(pa_t pa, u64 nr)
{
	for (unsigned int i = 0; i < 2; i++)
		if (pa >= ram[i].base && pa < ram[i].base + ram[i].size &&
		    nr <= (ram[i].base + ram[i].size - pa) / PAGE_SIZE)
			return true;
	return false;
}

void *hyp_array_va(pa_t pa)
{
	__CPROVER_assert(pa < pa_of(NR_PAGES) && is_ram(pa), "only RAM has entries");
	return &page_array[(pa >> PAGE_SHIFT) % NR_PAGES];
}

/*
 * Only cache.h's functions go to a page by its address here, so that a byte will do as a page; to a table others go
 * too. The window is none of these pages'.
 */
void *hyp_va(pa_t pa)
{
	return pa < pa_of(FIRST_TABLE) ? &linear[nr_of(pa)] : (void *)tables_words(pa);
}

static pa_t pa_at(const void *va)
{
	if ((u64)va != HYP_WINDOW_BASE)
		return pa_of(__CPROVER_POINTER_OFFSET(va));
	__CPROVER_assert((window_entry & PTE_VALID) != 0, "the window is open");
	return window_entry & PTE_ADDR;
}

pa_t hyp_pa(const void *va)
{
	return pa_at(va);
}

static void linear_is_mapped(pa_t pa)
{
	struct leaf leaf = tables_leaf(&hyp_tables, 0, nr_of(pa));

	__CPROVER_assert((leaf.pte & PTE_VALID) != 0, "EL2 has the page mapped");
}

void clear_page(void *va)
{
	pa_t pa;

	if ((u64)va != HYP_WINDOW_BASE && tables_clear(va))
		return;
	pa = pa_at(va);
	if ((u64)va != HYP_WINDOW_BASE)
		linear_is_mapped(pa);
	contents[nr_of(pa)] = 0;
	clean[nr_of(pa)] = false;
}

void dcache_clean_inval_poc(const void *va, size_t size)
{
	pa_t pa = pa_at(va);

	if ((u64)va != HYP_WINDOW_BASE)
		linear_is_mapped(pa);
	__CPROVER_assert(size == PAGE_SIZE, "a page is cleaned as a whole");
	clean[nr_of(pa)] = true;
}

void clear_and_clean_page(void *va)
{
	clear_page(va);
	dcache_clean_inval_poc(va, PAGE_SIZE);
}

bool is_free_page(pa_t page)
{
	return page_array[nr_of(page)].state == PAGE_HYP && !contents[nr_of(page)];
}

pa_t any_free_page(void)
{
	pa_t page = nondet_u64();

	__CPROVER_assume(page < pa_of(NR_PAGES) && IS_ALIGNED(page, PAGE_SIZE) && is_ram(page) &&
			 is_free_page(page) &&
			 tables_leaf(&hyp_tables, 0, nr_of(page)).level == 3 &&
			 tables_leaf(&host_tables, 1, nr_of(page)).level == 3);
	return page;
}

/* --- what the tables say --- */

struct view {
	struct leaf host[NR_PAGES], hyp[NR_PAGES], guest[NR_PAGES];
	u64 nr_tables, nr_vm_tables;
};

static struct view view;

static void look(void)
{
	for (unsigned int nr = 0; nr < NR_PAGES; nr++) {
		view.host[nr] = tables_leaf(&host_tables, 1, nr);
		view.hyp[nr] = tables_leaf(&hyp_tables, 0, nr);
		view.guest[nr] = tables_leaf(&vm_tables, 1, nr);
	}
	view.nr_tables = tables_count(&host_tables, 1) + tables_count(&hyp_tables, 0);
	view.nr_vm_tables = tables_count(&vm_tables, 1);
}

/* --- what is consistent --- */

static bool maps(struct leaf leaf, u64 attrs, pa_t pa)
{
	return leaf.pte == pte_leaf(ALIGN_DOWN(pa, level_size(leaf.level)), leaf.level, attrs);
}

static u64 guest_ram(void)
{
	return GUEST_RAM | (arch_has_fwb() ? S2_MEMATTR_FORCE_WB : S2_MEMATTR_AS_S1);
}

bool is_vms(struct page page)
{
	return (page.state == PAGE_GUEST || page.state == PAGE_GUEST_SHARED) &&
	       page.owner == vm.owner;
}

/* The entry by itself. */
static bool entry_is_sane(unsigned int nr)
{
	struct page page = page_array[nr];

	if (!is_ram(pa_of(nr)))
		return page.state == PAGE_NONE;
	if (page.state == PAGE_NONE || page.state > PAGE_MOVING ||
	    (page.refs != 0) != (page.state == PAGE_HOST_SHARED))
		return false;
	/* So that one that was shared, and is not any more, is as it was. */
	if ((page.state == PAGE_HOST || page.state == PAGE_HOST_SHARED) && (page.owner || page.gfn))
		return false;
	/* The page at address 0 stays with the host: for all others 0 says that there is none. */
	if (nr == 0 && page.state > PAGE_HOST_SECURE)
		return false;
	/* On the way by another CPU: not the VM's, whose lock is ours. */
	if (page.state == PAGE_MOVING)
		return page.owner != vm.owner;
	return !is_vms(page) || page.gfn < NR_PAGES;
}

/* RAM is mapped for the host if and only if the page array says so, and only to itself; else there are zeroes. */
static bool host_agrees(unsigned int nr)
{
	struct leaf leaf = view.host[nr];

	if (!is_ram(pa_of(nr)))
		return !leaf.pte || maps(leaf, HOST_DEVICE, pa_of(nr));
	switch (page_array[nr].state) {
	case PAGE_HOST:
	case PAGE_HOST_SHARED:
	case PAGE_HOST_SECURE:
		return maps(leaf, HOST_RAM, pa_of(nr));
	case PAGE_GUEST_SHARED:
		return maps(leaf, HOST_RAM | PTE_GUESTS, pa_of(nr)) && leaf.level == 3;
	case PAGE_GUEST:
		return !leaf.pte && leaf.level >= 2;
	case PAGE_MOVING:
		return !leaf.pte && leaf.level == 3;
	default:
		return !leaf.pte;
	}
}

static bool hyp_agrees(unsigned int nr)
{
	struct leaf leaf = view.hyp[nr];

	switch (page_array[nr].state) {
	case PAGE_HYP:
		return maps(leaf, HYP_RW, pa_of(nr));
	case PAGE_HOST_SHARED:
		return maps(leaf, HYP_RW, pa_of(nr)) && leaf.level == 3;
	default:
		return !leaf.pte;
	}
}

/* Is the host without all of the block from nr on, by one entry, for a guest? A table was set aside for it then. */
static bool is_guest_block(unsigned int nr)
{
	return page_array[nr].state == PAGE_GUEST && view.host[nr].level == 2;
}

/* All pages of such a block are one guest's, at one place, private. A block has two. */
static bool block_is_whole(unsigned int nr)
{
	struct page page = page_array[nr], other = page_array[nr ^ 1];

	return !is_guest_block(nr) ||
	       (page.gfn % TABLE_ENTRIES == nr % TABLE_ENTRIES && other.state == PAGE_GUEST &&
		other.owner == page.owner && other.gfn == (page.gfn ^ 1));
}

/* Is the page of a block that the VM gets when it is clean? What is said to be, is. */
static bool is_unclean(struct leaf leaf, pa_t pa)
{
	u64 nr = FIELD_GET(PTE_CLEANED, leaf.pte);
	pa_t base = ALIGN_DOWN(pa, level_size(2));

	return !arch_has_fwb() && leaf.level == 2 && nr < TABLE_ENTRIES &&
	       leaf.pte == (base | PTE_UNCLEAN | FIELD_PUT(PTE_CLEANED, nr)) &&
	       (!nr || clean[(base >> PAGE_SHIFT) % NR_PAGES]);
}

/*
 * A page that says that the VM has it: the VM has or will have, and as a block if the host is without it as one; or all
 * of it is lost.
 */
static bool vm_has_what_it_owns(unsigned int nr)
{
	struct page page = page_array[nr];
	struct leaf leaf;

	if (!is_vms(page) || vm.unmapped)
		return true;
	leaf = view.guest[page.gfn % NR_PAGES];
	return (maps(leaf, guest_ram(), pa_of(nr)) || is_unclean(leaf, pa_of(nr))) &&
	       leaf.level == view.host[nr].level;
}

/* The VM has nothing else. */
static bool vm_owns_what_it_has(unsigned int gfn)
{
	struct leaf leaf = view.guest[gfn];
	u64 nr = (leaf.pte & PTE_ADDR) >> PAGE_SHIFT;

	if (!(leaf.pte & PTE_VALID) && (leaf.level != 2 || !pte_is_unclean(leaf.pte)))
		return !leaf.pte ||
		       (leaf.level == 3 && (leaf.pte == PTE_POISON || leaf.pte == PTE_GUARD));
	if (leaf.level == 2)
		nr += gfn % TABLE_ENTRIES;
	return leaf.level >= 2 && nr < NR_PAGES && is_vms(page_array[nr]) &&
	       page_array[nr].gfn == gfn;
}

/* Counts of what is under test. */
struct counts {
	u64 hyp, blocks, vm_blocks, guarded;
};

static struct counts count(void)
{
	struct counts counts = { 0 };

	for (unsigned int nr = 0; nr < NR_PAGES; nr++) {
		counts.hyp += page_array[nr].state == PAGE_HYP;
		counts.guarded += view.guest[nr].pte == PTE_GUARD;
	}
	for (unsigned int nr = 0; nr < NR_PAGES; nr += TABLE_ENTRIES) {
		counts.blocks += is_guest_block(nr);
		counts.vm_blocks += is_guest_block(nr) && is_vms(page_array[nr]);
	}
	return counts;
}

/* All that does not depend on how many free pages the pools have. */
static bool counts_agree(void)
{
	struct counts counts = count();

	return page_nr_hyp == counts.hyp + elsewhere.nr_hyp &&
	       hyp_pool.reserved == counts.blocks + elsewhere.reserved &&
	       (vm.unmapped || vm.pool.reserved == counts.vm_blocks) &&
	       (vm.dying || vm.nr_guarded == counts.guarded + elsewhere.nr_guarded);
}

/* --- any state --- */

/*
 * Values are put together from few bits, not assumed to be among few: then most of their bits are constants, which is
 * what makes the proofs quick.
 */
static unsigned int any_below(unsigned int power_of_2)
{
	return (unsigned int)nondet_u64() & (power_of_2 - 1);
}

/* One or two ranges. */
static void any_ram(void)
{
	u64 first = any_below(2 * NR_PAGES), end = any_below(2 * NR_PAGES);
	u64 second = any_below(2 * NR_PAGES), last = any_below(2 * NR_PAGES);

	__CPROVER_assume(first < end && end <= second && second <= last && last <= NR_PAGES &&
			 (second < last || second == end));
	ram[0] = (struct stockade_range){ first * PAGE_SIZE, (end - first) * PAGE_SIZE };
	ram[1] = (struct stockade_range){ second * PAGE_SIZE, (last - second) * PAGE_SIZE };
	page_nr_ram = second < last ? 2 : 1;
	page_ram[0] = ram[0];
	page_ram[1] = ram[1];
}

/* Nothing, or a leaf: page_agrees() says which it must be. */
static u64 any_leaf(pa_t pa, unsigned int level, u64 attrs)
{
	return nondet_bool() ? pte_leaf(pa, level, attrs) : 0;
}

static u64 any_host_leaf(pa_t pa, unsigned int level)
{
	u64 attrs = nondet_bool() ? HOST_RAM : HOST_DEVICE;

	return any_leaf(pa, level, nondet_bool() ? attrs : attrs | PTE_GUESTS);
}

static u64 any_guest_leaf(unsigned int level)
{
	u64 nr = any_below(NR_PAGES);

	if (level == 3 && nondet_bool())
		return nondet_bool() ? PTE_POISON : PTE_GUARD;
	if (level == 2 && nondet_bool())
		return pa_of(nr - nr % TABLE_ENTRIES) | PTE_UNCLEAN |
		       FIELD_PUT(PTE_CLEANED, any_below(TABLE_ENTRIES));
	return any_leaf(pa_of(level == 2 ? nr - nr % TABLE_ENTRIES : nr), level, guest_ram());
}

static void any_tables(unsigned int parts)
{
	for (unsigned int nr = 0; nr < NR_PAGES; nr++)
		host_tables.l3[nr] = any_host_leaf(pa_of(nr), 3);
	for (unsigned int i = 0; i < NR_L2; i++)
		host_tables.l2[i] = any_host_leaf(pa_of(i << TABLE_SHIFT), 2);
	for (unsigned int i = 0; i < NR_L1; i++)
		host_tables.l1[i] = any_host_leaf(pa_of(i << 2 * TABLE_SHIFT), 1);
	tables_any_links(&host_tables, 1);
	if (parts & WITH_HYP) {
		for (unsigned int nr = 0; nr < NR_PAGES; nr++)
			hyp_tables.l3[nr] = any_leaf(pa_of(nr), 3, HYP_RW);
		for (unsigned int i = 0; i < NR_L2; i++)
			hyp_tables.l2[i] = any_leaf(pa_of(i << TABLE_SHIFT), 2, HYP_RW);
		for (unsigned int i = 0; i < NR_L1; i++)
			hyp_tables.l1[i] = any_leaf(pa_of(i << 2 * TABLE_SHIFT), 1, HYP_RW);
		tables_any_links(&hyp_tables, 0);
	}
	if (parts & WITH_VM) {
		for (unsigned int nr = 0; nr < NR_PAGES; nr++)
			vm_tables.l3[nr] = any_guest_leaf(3);
		for (unsigned int i = 0; i < NR_L2; i++)
			vm_tables.l2[i] = any_guest_leaf(2);
		tables_any_links(&vm_tables, 1);
	}
}

struct entries {
	u64 l0, l1[NR_L1], l2[NR_L2], l3[NR_PAGES];
};

static struct {
	struct entries host_tables, hyp_tables, vm_tables;
	struct page page[NR_PAGES];
	u64 contents[NR_PAGES];
	bool clean[NR_PAGES];
	struct pgtable host_map, hyp_map;
	struct pool hyp_pool;
	struct guest_mem vm;
	struct view view;
	u64 page_nr_hyp;
} before;

static void copy_tables(struct entries *copy, const struct tables *tables)
{
	if (tables->l0)
		copy->l0 = tables->l0[0];
	for (unsigned int i = 0; i < NR_L1; i++)
		copy->l1[i] = tables->l1[i];
	for (unsigned int i = 0; i < NR_L2; i++)
		copy->l2[i] = tables->l2[i];
	for (unsigned int i = 0; i < NR_PAGES; i++)
		copy->l3[i] = tables->l3[i];
}

static void remember(void)
{
	copy_tables(&before.host_tables, &host_tables);
	copy_tables(&before.hyp_tables, &hyp_tables);
	copy_tables(&before.vm_tables, &vm_tables);
	for (unsigned int i = 0; i < NR_PAGES; i++) {
		before.page[i] = page_array[i];
		before.contents[i] = contents[i];
		before.clean[i] = clean[i];
	}
	before.host_map = host_map;
	before.hyp_map = hyp_map;
	before.hyp_pool = hyp_pool;
	before.vm = vm;
	before.view = view;
	before.page_nr_hyp = page_nr_hyp;
}

/* With tables that are all there, so that the state of a page says what is in them. */
static void plain_hyp_tables(void)
{
	for (unsigned int nr = 0; nr < NR_PAGES; nr++) {
		unsigned int state = page_array[nr].state;

		hyp_tables.l3[nr] = state == PAGE_HYP || state == PAGE_HOST_SHARED ?
					    pte_leaf(pa_of(nr), 3, HYP_RW) :
					    0;
	}
	tables_all_links(&hyp_tables);
}

void machine_any(unsigned int parts)
{
	struct counts counts;

	has_fwb = nondet_bool();
	any_ram();
	__CPROVER_havoc_object(page_array);
	__CPROVER_havoc_object(contents);
	__CPROVER_havoc_object(clean);
	__CPROVER_havoc_object(&elsewhere);
	any_tables(parts);
	for (unsigned int nr = 0; nr < NR_PAGES; nr++) {
		page_array[nr].state = any_below(8);
		if (!(parts & (WITH_VM | WITH_LOST_VM)))
			__CPROVER_assume(page_array[nr].owner != THE_VM);
	}
	if (!(parts & WITH_HYP))
		plain_hyp_tables();

	/* Where the others' roots are does not matter. */
	window_entries = &window_entry;
	pgtable_init_s2(&host_map, 0, PROOF_IA_BITS, 0, &hyp_pool);
	pgtable_init_hyp(&hyp_map, 0, &hyp_pool);
	guest_mem_init(&vm, pa_of(TABLES_OF(2)), PROOF_IA_BITS, THE_VM);
	vm.unmapped = parts & WITH_LOST_VM;
	vm.dying = vm.unmapped || nondet_bool();

	look();
	counts = count();
	__CPROVER_assume(elsewhere.nr_hyp <= BIT(34) && elsewhere.reserved <= BIT(34) &&
			 elsewhere.nr_guarded <= BIT(16));
	page_nr_hyp = counts.hyp + elsewhere.nr_hyp;
	hyp_pool.free = nondet_u64();
	hyp_pool.reserved = counts.blocks + elsewhere.reserved;
	vm.pool.free = nondet_u64();
	vm.pool.reserved = counts.vm_blocks;
	__CPROVER_assume(hyp_pool.free <= BIT(34) && vm.pool.free <= BIT(34));
	vm.nr_guarded = (u32)(counts.guarded + elsewhere.nr_guarded);
	for (unsigned int nr = 0; nr < NR_PAGES; nr++)
		__CPROVER_assume(entry_is_sane(nr) && host_agrees(nr) && hyp_agrees(nr) &&
				 vm_has_what_it_owns(nr) && vm_owns_what_it_has(nr) &&
				 block_is_whole(nr));
	remember();
}

static bool same_pool(const struct pool *a, const struct pool *b)
{
	return a->head == b->head && a->free == b->free && a->reserved == b->reserved &&
	       a->next == b->next && a->end == b->end;
}

static bool same_map(const struct pgtable *a, const struct pgtable *b)
{
	return a->root == b->root && a->pool == b->pool && a->vttbr == b->vttbr &&
	       a->ia_bits == b->ia_bits && a->start_level == b->start_level;
}

bool same_page(struct page a, struct page b)
{
	return a.state == b.state && a.refs == b.refs && a.owner == b.owner && a.gfn == b.gfn;
}

static bool same_tables(const struct tables *a, const struct entries *b, unsigned int nr)
{
	return (!a->l0 || a->l0[0] == b->l0) &&
	       a->l1[nr >> 2 * TABLE_SHIFT] == b->l1[nr >> 2 * TABLE_SHIFT] &&
	       a->l2[nr >> TABLE_SHIFT] == b->l2[nr >> TABLE_SHIFT] && a->l3[nr] == b->l3[nr];
}

bool machine_unchanged(void)
{
	for (unsigned int nr = 0; nr < NR_PAGES; nr++)
		if (!same_page(page_array[nr], before.page[nr]) ||
		    contents[nr] != before.contents[nr] ||
		    !same_tables(&host_tables, &before.host_tables, nr) ||
		    !same_tables(&hyp_tables, &before.hyp_tables, nr) ||
		    !same_tables(&vm_tables, &before.vm_tables, nr))
			return false;
	return page_nr_hyp == before.page_nr_hyp && same_map(&host_map, &before.host_map) &&
	       same_map(&hyp_map, &before.hyp_map) && same_pool(&hyp_pool, &before.hyp_pool) &&
	       same_map(&vm.map, &before.vm.map) && same_pool(&vm.pool, &before.vm.pool) &&
	       vm.owner == before.vm.owner && vm.dying == before.vm.dying &&
	       vm.unmapped == before.vm.unmapped && vm.nr_guarded == before.vm.nr_guarded &&
	       vm.reclaim_next == before.vm.reclaim_next &&
	       vm.reclaim_zeroed == before.vm.reclaim_zeroed;
}

/* Nobody gets to see what another had, and nothing else is touched. */
static bool contents_agree(unsigned int nr)
{
	unsigned int was = before.page[nr].state, is = page_array[nr].state;

	if (is == PAGE_HOST && (was == PAGE_GUEST || was == PAGE_HYP))
		return !contents[nr] && clean[nr];
	if (is == PAGE_HYP && was != PAGE_HYP)
		return !contents[nr];
	return contents[nr] == before.contents[nr];
}

/* given: pages that hyp_pool was given, taken: that the VM's pool has given back. */
static bool no_table_lost(u64 given, u64 taken)
{
	return hyp_pool.free + hyp_pool.reserved + view.nr_tables ==
		       before.hyp_pool.free + before.hyp_pool.reserved + before.view.nr_tables +
			       given &&
	       vm.pool.free + vm.pool.reserved + view.nr_vm_tables + taken ==
		       before.vm.pool.free + before.vm.pool.reserved + before.view.nr_vm_tables;
}

void machine_check(u64 given, u64 taken)
{
	look();
	__CPROVER_assert(!mem_lock.spin.held && !vm.lock.spin.held, "no lock is held");
	__CPROVER_assert(!window_entry, "no window is open");
	for (unsigned int nr = 0; nr < NR_PAGES; nr++) {
		__CPROVER_assert(entry_is_sane(nr), "entries of the page array are sane");
		__CPROVER_assert(host_agrees(nr), "the host has what the page array says");
		__CPROVER_assert(hyp_agrees(nr), "EL2 has what the page array says");
		__CPROVER_assert(vm_has_what_it_owns(nr), "the VM has what it owns");
		__CPROVER_assert(vm_owns_what_it_has(nr), "the VM owns what it has");
		__CPROVER_assert(block_is_whole(nr), "a block is one guest's, as a whole");
		__CPROVER_assert(contents_agree(nr),
				 "what leaves its owner is zeroed, all else kept");
	}
	__CPROVER_assert(counts_agree(), "counts are right");
	__CPROVER_assert(no_table_lost(given, taken), "no table is lost or made up");
}

struct page page_before(pa_t pa)
{
	return before.page[(pa >> PAGE_SHIFT) % NR_PAGES];
}

struct page page_now(pa_t pa)
{
	return page_array[(pa >> PAGE_SHIFT) % NR_PAGES];
}

struct leaf host_before(pa_t pa)
{
	return before.view.host[(pa >> PAGE_SHIFT) % NR_PAGES];
}

struct leaf hyp_before(pa_t pa)
{
	return before.view.hyp[(pa >> PAGE_SHIFT) % NR_PAGES];
}

struct leaf guest_before(ipa_t ipa)
{
	return before.view.guest[(ipa >> PAGE_SHIFT) % NR_PAGES];
}

bool is_written_back(pa_t pa)
{
	return clean[(pa >> PAGE_SHIFT) % NR_PAGES];
}

bool is_scrubbed(pa_t pa)
{
	return !contents[(pa >> PAGE_SHIFT) % NR_PAGES] && clean[(pa >> PAGE_SHIFT) % NR_PAGES];
}

struct leaf host_now(pa_t pa)
{
	return view.host[(pa >> PAGE_SHIFT) % NR_PAGES];
}

struct leaf guest_now(ipa_t ipa)
{
	return view.guest[(ipa >> PAGE_SHIFT) % NR_PAGES];
}
