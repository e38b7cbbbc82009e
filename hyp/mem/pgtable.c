// SPDX-License-Identifier: GPL-2.0-only
#include "mem/pgtable.h"

#include "arch/layout.h"
#include "arch/table.h"
#include "arch/tlb.h"
#include "lib/panic.h"

#define VTTBR_VMID_SHIFT 48

void pgtable_init_s2(struct pgtable *pt, pa_t root, unsigned int ipa_bits, u64 vmid,
		     struct pool *pool)
{
	pt->root = root;
	pt->pool = pool;
	pt->vttbr = root | vmid << VTTBR_VMID_SHIFT;
	pt->ia_bits = (u8)ipa_bits;
	pt->start_level = ipa_bits > 43 ? 0 : 1;
}

void pgtable_init_hyp(struct pgtable *pt, pa_t root, struct pool *pool)
{
	pt->root = root;
	pt->pool = pool;
	pt->vttbr = 0;
	pt->ia_bits = HYP_VA_BITS;
	pt->start_level = 0;
}

static u64 *next_entry(u64 pte, u64 ia, unsigned int level)
{
	return (u64 *)hyp_va(pte & PTE_ADDR) + ((ia >> level_shift(level)) % TABLE_ENTRIES);
}

static void flush(const struct pgtable *pt, u64 ia)
{
	if (pt->vttbr)
		tlb_flush_s2(pt->vttbr, ia);
	else
		tlb_flush_hyp(ia);
}

u64 *pgtable_find_above(const struct pgtable *pt, u64 ia, unsigned int deepest, unsigned int *level)
{
	unsigned int l = pt->start_level, shift = level_shift(l);
	/* Not masked with the table's size: concatenated root tables are one long one. */
	u64 *entry = (u64 *)hyp_va(pt->root) + (ia >> shift);
	u64 pte;

	for (; l < deepest && pte_is_table(pte = READ_ONCE(*entry), l); l++) {
		shift -= TABLE_SHIFT;
		entry = (u64 *)hyp_va(pte & PTE_ADDR) + (ia >> shift) % TABLE_ENTRIES;
	}
	*level = l;
	return entry;
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
	if (*entry & PTE_VALID) {
		table_write(entry, 0);
		flush(pt, ia);
	}
	/* What is invalid may say something too. */
	if (*entry != value) {
		table_write(entry, value);
		if (pt->vttbr)
			table_write_barrier();
		else
			hyp_table_write_barrier();
	}
}

u64 *pgtable_make(struct pgtable *pt, u64 ia, unsigned int level)
{
	unsigned int l;
	u64 *entry = pgtable_find(pt, ia, &l);

	for (; l < level; entry = next_entry(*entry, ia, ++l)) {
		u64 old = *entry;
		pa_t table = pool_get(pt->pool);

		hyp_assert(table);
		if (old & PTE_VALID) {
			u64 attrs = old & ~(PTE_ADDR | PTE_VALID | PTE_TABLE);
			u64 leaf = pte_leaf(old & PTE_ADDR, l + 1, attrs);
			u64 *sub = hyp_va(table), size = level_size(l + 1);

			for (unsigned int i = 0; i < TABLE_ENTRIES; i++, leaf += size)
				table_write(&sub[i], leaf);
		}
		/* The walker must not find the table before its contents. */
		table_write_barrier();
		pgtable_set(pt, entry, ia, table | PTE_VALID | PTE_TABLE);
	}
	hyp_assert(l == level);
	return entry;
}

static bool table_is_empty(const u64 *table)
{
	for (unsigned int i = 0; i < TABLE_ENTRIES; i++)
		if (table[i])
			return false;
	return true;
}

void pgtable_prune(struct pgtable *pt, u64 ia)
{
	unsigned int level;

	pgtable_find(pt, ia, &level);
	for (; level > pt->start_level; level--) {
		unsigned int above;
		u64 *entry = pgtable_find_above(pt, ia, level - 1, &above);
		pa_t table = *entry & PTE_ADDR;

		if (!table_is_empty(hyp_va(table)))
			return;
		/* Walks may be cached that end in the table. */
		pgtable_set(pt, entry, ia, 0);
		pool_put(pt->pool, table);
	}
}

/* The lowest level, largest block, that can map size bytes at both addresses. */
static unsigned int block_level(const struct pgtable *pt, u64 ia, pa_t pa, u64 size)
{
	unsigned int level = pt->start_level ? pt->start_level : 1;

	while (level < 3 && (!IS_ALIGNED(ia | pa, level_size(level)) || size < level_size(level)))
		level++;
	return level;
}

bool pgtable_map(struct pgtable *pt, u64 ia, pa_t pa, u64 size, u64 attrs)
{
	while (size) {
		unsigned int level = block_level(pt, ia, pa, size);
		unsigned int found;
		u64 step;

		pgtable_find(pt, ia, &found);
		if (found > level)
			level = found; /* a table is there already: map inside it */
		step = level_size(level);
		if (pgtable_missing(pt, ia, level) > pt->pool->free)
			return false;
		pgtable_set(pt, pgtable_make(pt, ia, level), ia, pte_leaf(pa, level, attrs));
		ia += step;
		pa += step;
		size -= step;
	}
	return true;
}
