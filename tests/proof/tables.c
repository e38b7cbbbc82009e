// SPDX-License-Identifier: GPL-2.0-only
#include "tables.h"

#include "arch/layout.h"
#include "machine.h"

static u64 host_l1[NR_L1], host_l2[NR_L2], host_l3[NR_PAGES];
static u64 hyp_l0[1], hyp_l1[NR_L1], hyp_l2[NR_L2], hyp_l3[NR_PAGES];
static u64 vm_l1[NR_L1], vm_l2[NR_L2], vm_l3[NR_PAGES];

const struct tables host_tables = { NULL, host_l1, host_l2, host_l3, TABLES_OF(0) };
const struct tables hyp_tables = { hyp_l0, hyp_l1, hyp_l2, hyp_l3, TABLES_OF(1) };
const struct tables vm_tables = { NULL, vm_l1, vm_l2, vm_l3, TABLES_OF(2) };

static u64 table_entry(unsigned int frame)
{
	return (u64)frame << PAGE_SHIFT | PTE_VALID | PTE_TABLE;
}

/* The table below an entry: l1's is the first, then l2's, then l3's. */
static unsigned int frame_below(const struct tables *tables, unsigned int level, unsigned int index)
{
	return tables->first_frame + (level == 0 ? 0 : level == 1 ? 1 + index : 1 + NR_L1 + index);
}

static const struct tables *tables_of(const struct pgtable *pt)
{
	if (pt == &host_map)
		return &host_tables;
	if (pt == &hyp_map)
		return &hyp_tables;
	__CPROVER_assert(pt == &vm.map, "there are three maps");
	return &vm_tables;
}

static unsigned int page_nr(const struct pgtable *pt, u64 ia)
{
	if (pt == &hyp_map) {
		__CPROVER_assert(ia >= HYP_LINEAR_BASE, "of EL2's space only the linear region");
		ia -= HYP_LINEAR_BASE;
	}
	__CPROVER_assert(ia >> PROOF_IA_BITS == 0, "a walk is for an address within the map");
	return (unsigned int)(ia >> PAGE_SHIFT) % NR_PAGES;
}

void pgtable_init_s2(struct pgtable *pt, pa_t root, unsigned int ipa_bits, u64 vmid,
		     struct pool *pool)
{
	*pt = (struct pgtable){ root, pool, root | (vmid + 1) << 48, (u8)ipa_bits, 1 };
}

void pgtable_init_hyp(struct pgtable *pt, pa_t root, struct pool *pool)
{
	*pt = (struct pgtable){ root, pool, 0, HYP_VA_BITS, 0 };
}

bool pgtable_map(struct pgtable *pt, u64 ia, pa_t pa, u64 size, u64 attrs)
{
	(void)pt, (void)ia, (void)pa, (void)size, (void)attrs;
	__CPROVER_assert(false, "only launch maps ranges");
	return false;
}

u64 *pgtable_find_above(const struct pgtable *pt, u64 ia, unsigned int deepest, unsigned int *level)
{
	const struct tables *tables = tables_of(pt);
	unsigned int nr = page_nr(pt, ia);

	*level = pt->start_level;
	if (*level == 0) {
		if (deepest == 0 || !pte_is_table(tables->l0[0], 0))
			return &tables->l0[0];
		*level = 1;
	}
	if (deepest == 1 || !pte_is_table(tables->l1[nr >> 2 * TABLE_SHIFT], 1))
		return &tables->l1[nr >> 2 * TABLE_SHIFT];
	*level = 2;
	if (deepest == 2 || !pte_is_table(tables->l2[nr >> TABLE_SHIFT], 2))
		return &tables->l2[nr >> TABLE_SHIFT];
	*level = 3;
	return &tables->l3[nr];
}

u64 *pgtable_find(const struct pgtable *pt, u64 ia, unsigned int *level)
{
	return pgtable_find_above(pt, ia, 3, level);
}

unsigned int pgtable_missing(const struct pgtable *pt, u64 ia, unsigned int level)
{
	unsigned int found;

	pgtable_find(pt, ia, &found);
	return found < level ? level - found : 0;
}

void pgtable_set(const struct pgtable *pt, u64 *entry, u64 ia, u64 value)
{
	(void)pt;
	(void)ia;
	*entry = value;
}

/* One table for the index-th entry of a level: what is mapped stays mapped. */
static void split(const struct tables *tables, struct pool *pool, u64 *entry, unsigned int level,
		  unsigned int index, u64 *below)
{
	u64 old = *entry;
	u64 attrs = old & ~(PTE_ADDR | PTE_VALID | PTE_TABLE);

	__CPROVER_assert(pool->free > 0, "there is a page for the table");
	pool->free--;
	for (unsigned int i = 0; i < TABLE_ENTRIES; i++)
		below[index * TABLE_ENTRIES + i] =
			old & PTE_VALID ? pte_leaf((old & PTE_ADDR) + i * level_size(level + 1),
						   level + 1, attrs) :
					  0;
	*entry = table_entry(frame_below(tables, level, index));
}

u64 *pgtable_make(struct pgtable *pt, u64 ia, unsigned int level)
{
	const struct tables *tables = tables_of(pt);
	unsigned int nr = page_nr(pt, ia), l1 = nr >> 2 * TABLE_SHIFT, l2 = nr >> TABLE_SHIFT,
		     found;

	if (pt->start_level == 0 && level > 0 && !pte_is_table(tables->l0[0], 0))
		split(tables, pt->pool, &tables->l0[0], 0, 0, tables->l1);
	if (level > 1 && !pte_is_table(tables->l1[l1], 1))
		split(tables, pt->pool, &tables->l1[l1], 1, l1, tables->l2);
	if (level > 2 && !pte_is_table(tables->l2[l2], 2))
		split(tables, pt->pool, &tables->l2[l2], 2, l2, tables->l3);
	pgtable_find(pt, ia, &found);
	__CPROVER_assert(found == level, "no panic: the walk goes no deeper");
	return pgtable_find_above(pt, ia, level, &found);
}

static bool is_empty(const u64 *entries, unsigned int table)
{
	u64 all = 0;

	for (unsigned int i = 0; i < TABLE_ENTRIES; i++)
		all |= entries[table * TABLE_ENTRIES + i];
	return !all;
}

void pgtable_prune(struct pgtable *pt, u64 ia)
{
	const struct tables *tables = tables_of(pt);
	unsigned int nr = page_nr(pt, ia), l1 = nr >> 2 * TABLE_SHIFT, l2 = nr >> TABLE_SHIFT,
		     level;

	pgtable_find(pt, ia, &level);
	if (level == 3 && is_empty(tables->l3, l2)) {
		tables->l2[l2] = 0;
		pt->pool->free++;
		level = 2;
	}
	if (level == 2 && is_empty(tables->l2, l1)) {
		tables->l1[l1] = 0;
		pt->pool->free++;
		level = 1;
	}
	if (level == 1 && pt->start_level == 0 && is_empty(tables->l1, 0)) {
		tables->l0[0] = 0;
		pt->pool->free++;
	}
}

/* --- pools --- */

void pool_put(struct pool *pool, pa_t page)
{
	__CPROVER_assert(page != 0, "0 is no page: it ends the list");
	__CPROVER_assert(page >> PAGE_SHIFT >= NR_PAGES ? tables_is_clear(page) :
							  is_free_page(page),
			 "what goes into a pool is a zeroed page of the hypervisor's");
	pool->free++;
}

pa_t pool_get(struct pool *pool)
{
	if (!pool->free)
		return 0;
	pool->free--;
	return any_free_page();
}

void pool_reserve(struct pool *pool, u64 n)
{
	__CPROVER_assert(pool->free >= n, "no panic: what is set aside is there");
	pool->free -= n;
	pool->reserved += n;
}

void pool_unreserve(struct pool *pool, u64 n)
{
	__CPROVER_assert(pool->reserved >= n, "no panic: what is released was set aside");
	pool->reserved -= n;
	pool->free += n;
}

void pool_add_range(struct pool *pool, pa_t base, u64 size)
{
	(void)pool, (void)base, (void)size;
	__CPROVER_assert(false, "only launch adds a range");
}

/* --- looks --- */

struct leaf tables_leaf(const struct tables *tables, unsigned int start_level, unsigned int nr)
{
	unsigned int l1 = nr >> 2 * TABLE_SHIFT, l2 = nr >> TABLE_SHIFT;

	if (start_level == 0 && !pte_is_table(tables->l0[0], 0))
		return (struct leaf){ tables->l0[0], 0 };
	if (!pte_is_table(tables->l1[l1], 1))
		return (struct leaf){ tables->l1[l1], 1 };
	if (!pte_is_table(tables->l2[l2], 2))
		return (struct leaf){ tables->l2[l2], 2 };
	return (struct leaf){ tables->l3[nr], 3 };
}

unsigned int tables_count(const struct tables *tables, unsigned int start_level)
{
	unsigned int nr = start_level ? 0 : pte_is_table(tables->l0[0], 0);

	for (unsigned int i = 0; i < NR_L1 && (start_level || nr); i++) {
		if (!pte_is_table(tables->l1[i], 1))
			continue;
		nr++;
		for (unsigned int j = i * TABLE_ENTRIES; j < (i + 1) * TABLE_ENTRIES; j++)
			nr += pte_is_table(tables->l2[j], 2);
	}
	return nr;
}

void tables_any_links(const struct tables *tables, unsigned int start_level)
{
	if (!start_level && nondet_bool())
		tables->l0[0] = table_entry(tables->first_frame);
	for (unsigned int i = 0; i < NR_L1; i++)
		if (nondet_bool())
			tables->l1[i] = table_entry(frame_below(tables, 1, i));
	for (unsigned int i = 0; i < NR_L2; i++)
		if (nondet_bool())
			tables->l2[i] = table_entry(frame_below(tables, 2, i));
}

void tables_all_links(const struct tables *tables)
{
	tables->l0[0] = table_entry(tables->first_frame);
	for (unsigned int i = 0; i < NR_L1; i++)
		tables->l1[i] = table_entry(frame_below(tables, 1, i));
	for (unsigned int i = 0; i < NR_L2; i++)
		tables->l2[i] = table_entry(frame_below(tables, 2, i));
}

/* Assigned too, as CBMC simplifies what is a constant and not what is assumed to be one. */
static void assume_entry(u64 *entry, u64 value)
{
	__CPROVER_assume(*entry == value);
	*entry = value;
}

void tables_assume_level(const struct tables *tables, unsigned int nr, unsigned int level)
{
	unsigned int l1 = nr >> 2 * TABLE_SHIFT, l2 = nr >> TABLE_SHIFT;

	if (level > 1)
		assume_entry(&tables->l1[l1], table_entry(frame_below(tables, 1, l1)));
	if (level > 2)
		assume_entry(&tables->l2[l2], table_entry(frame_below(tables, 2, l2)));
	if (level == 1)
		assume_entry(&tables->l1[l1], 0);
	__CPROVER_assume(tables_leaf(tables, 1, nr).level == level);
}

void tables_assume_empty(const struct tables *tables, unsigned int nr)
{
	unsigned int l1 = nr >> 2 * TABLE_SHIFT, l2 = nr >> TABLE_SHIFT;

	for (unsigned int i = 0; i < l1; i++)
		assume_entry(&tables->l1[i], 0);
	for (unsigned int i = l1 * TABLE_ENTRIES; i < l2; i++)
		assume_entry(&tables->l2[i], 0);
	for (unsigned int i = l2 * TABLE_ENTRIES; i < nr; i++)
		assume_entry(&tables->l3[i], 0);
}

void tables_assume_page(const struct tables *tables, unsigned int nr, bool mapped)
{
	if (mapped)
		__CPROVER_assume((tables->l3[nr] & PTE_VALID) != 0);
	else
		assume_entry(&tables->l3[nr], 0);
}

/* --- tables as pages --- */

static const struct tables *tables_at(unsigned int frame)
{
	__CPROVER_assert(frame >= FIRST_TABLE && frame < TABLES_OF(3), "it is a table");
	return frame < TABLES_OF(1) ? &host_tables :
	       frame < TABLES_OF(2) ? &hyp_tables :
				      &vm_tables;
}

u64 *tables_words(pa_t table)
{
	const struct tables *tables = tables_at((unsigned int)(table >> PAGE_SHIFT));
	unsigned int nr = (unsigned int)(table >> PAGE_SHIFT) - tables->first_frame;

	if (nr == 0)
		return tables->l1;
	return nr <= NR_L1 ? &tables->l2[(nr - 1) % NR_L1 * TABLE_ENTRIES] :
			     &tables->l3[(nr - 1 - NR_L1) % NR_L2 * TABLE_ENTRIES];
}

/* One by one: a store through va would be one to any byte of them. */
static bool clear_one(u64 *entries, unsigned int nr, const void *va)
{
	for (unsigned int i = 0; i < nr; i += TABLE_ENTRIES) {
		if (va != &entries[i])
			continue;
		for (unsigned int j = i; j < i + TABLE_ENTRIES; j++)
			entries[j] = 0;
		return true;
	}
	return false;
}

static bool clear_one_of(const struct tables *tables, const void *va)
{
	return clear_one(tables->l1, NR_L1, va) || clear_one(tables->l2, NR_L2, va) ||
	       clear_one(tables->l3, NR_PAGES, va);
}

bool tables_clear(const void *va)
{
	return clear_one_of(&host_tables, va) || clear_one_of(&hyp_tables, va) ||
	       clear_one_of(&vm_tables, va);
}

bool tables_is_clear(pa_t table)
{
	const u64 *words = tables_words(table);
	u64 all = 0;

	for (unsigned int i = 0; i < TABLE_ENTRIES; i++)
		all |= words[i];
	return !all;
}
