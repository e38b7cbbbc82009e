// SPDX-License-Identifier: GPL-2.0-only
#include "arch/layout.h"
#include "debug/debug.h"

static enum stockade_broken visit(struct table_visitor *visitor, pa_t table, u64 ia,
				  unsigned int level, u64 nr)
{
	const u64 *entries = hyp_va(table);
	enum stockade_broken broken;

	broken = visitor->table(visitor, table);
	for (u64 i = 0; !broken && i < nr; i++, ia += level_size(level)) {
		u64 entry = READ_ONCE(entries[i]);

		if (pte_is_table(entry, level))
			broken = visit(visitor, entry & PTE_ADDR, ia, level + 1, TABLE_ENTRIES);
		else if (entry)
			broken = visitor->entry(visitor, ia, level, entry);
		else
			continue;
	}
	return broken;
}

/* Concatenated root tables are visited one by one. */
enum stockade_broken visit_tables(const struct pgtable *pt, struct table_visitor *visitor)
{
	u64 nr = max_u64(BIT(pt->ia_bits) >> level_shift(pt->start_level), 1), ia = 0;
	enum stockade_broken broken = STOCKADE_BROKEN_NOTHING;

	for (pa_t table = pt->root; !broken && nr; table += PAGE_SIZE) {
		u64 here = min_u64(nr, TABLE_ENTRIES);

		broken = visit(visitor, table, ia, pt->start_level, here);
		ia += here * level_size(pt->start_level);
		nr -= here;
	}
	return broken;
}
