// SPDX-License-Identifier: GPL-2.0-only
/* Walks of page tables, by the Arm ARM's words (D8.2, D8.3) and with none of hyp/mem/pgtable.c. */
#include "fake.h"

#define DESC_VALID  1ull
#define DESC_TYPE   3ull /* table above level 3, page at it */
#define DESC_OUTPUT 0x0000fffffffff000ull

static unsigned int shift_at(unsigned int level)
{
	return 39 - 9 * level;
}

static u64 descriptor(pa_t table, u64 index)
{
	return __atomic_load_n((u64 *)fake_ram(table) + index, __ATOMIC_RELAXED);
}

struct fake_leaf fake_walk(const struct pgtable *pt, u64 ia)
{
	struct fake_leaf leaf = { .level = pt->start_level };
	u64 index = ia >> shift_at(leaf.level);
	pa_t table = pt->root;

	if (ia >> pt->ia_bits)
		fake_fail("a walk for 0x%lx in a table of %u bits", ia, pt->ia_bits);
	for (;;) {
		u64 mask = (1ull << shift_at(leaf.level)) - 1;

		leaf.pte = descriptor(table, index);
		leaf.ia = ia & ~mask;
		if (!(leaf.pte & DESC_VALID))
			return leaf;
		if (leaf.level == 3 || (leaf.pte & DESC_TYPE) == DESC_VALID) {
			if (leaf.level == 0 ||
			    (leaf.level == 3 && (leaf.pte & DESC_TYPE) != DESC_TYPE))
				fake_fail("descriptor 0x%lx is reserved at level %u", leaf.pte,
					  leaf.level);
			if (leaf.pte & DESC_OUTPUT & mask)
				fake_fail("block 0x%lx at level %u is misaligned", leaf.pte,
					  leaf.level);
			leaf.valid = true;
			leaf.pa = (leaf.pte & DESC_OUTPUT) | (ia & mask);
			return leaf;
		}
		table = leaf.pte & DESC_OUTPUT;
		leaf.level++;
		index = (ia >> shift_at(leaf.level)) & 511;
	}
}

typedef void (*leaf_fn)(const struct fake_leaf *leaf, void *arg);
typedef void (*table_fn)(pa_t pa, unsigned int level, void *arg);

static void each(pa_t table, unsigned int level, u64 entries, u64 ia, leaf_fn leaf, table_fn sub,
		 void *arg)
{
	for (u64 i = 0; i < entries; i++, ia += 1ull << shift_at(level)) {
		u64 pte = descriptor(table, i);

		/* What has an address, and is not valid yet, is a leaf too. */
		if (!(pte & (DESC_VALID | DESC_OUTPUT)))
			continue;
		if (pte & DESC_VALID && level < 3 && (pte & DESC_TYPE) == DESC_TYPE) {
			if (sub)
				sub(pte & DESC_OUTPUT, level + 1, arg);
			each(pte & DESC_OUTPUT, level + 1, 512, ia, leaf, sub, arg);
		} else if (leaf) {
			struct fake_leaf l = { pte & DESC_VALID, ia, pte & DESC_OUTPUT, pte,
					       level };

			leaf(&l, arg);
		}
	}
}

static u64 root_entries(const struct pgtable *pt)
{
	return max_u64(1ull << (pt->ia_bits - shift_at(pt->start_level)), 1);
}

void fake_each_leaf(const struct pgtable *pt, leaf_fn leaf, void *arg)
{
	each(pt->root, pt->start_level, root_entries(pt), 0, leaf, NULL, arg);
}

void fake_each_table(const struct pgtable *pt, table_fn table, void *arg)
{
	u64 pages = (root_entries(pt) + 511) / 512;

	for (u64 i = 0; i < pages; i++)
		table(pt->root + i * PAGE_SIZE, pt->start_level, arg);
	each(pt->root, pt->start_level, root_entries(pt), 0, NULL, table, arg);
}
