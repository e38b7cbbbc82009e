/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The contract of mem/pgtable.h and mem/pool.h, in place of both, for proofs of what calls them; that they keep it is
 * proved in walker.c.
 *
 * A table has a fixed place, in use or not, and a pool is a count. What calls them sees addresses of tables but never
 * looks at them otherwise than to go there: that is what allows it.
 */
#ifndef PROOF_TABLES_H
#define PROOF_TABLES_H

#include "mem/pgtable.h"

/* Pages that each of the maps has room for, and the addresses of the host and the guest. */
#define NR_PAGES      (1u << 3 * TABLE_SHIFT)
#define PROOF_IA_BITS (PAGE_SHIFT + 3 * TABLE_SHIFT)

#define NR_L1 (NR_PAGES >> 2 * TABLE_SHIFT)
#define NR_L2 (NR_PAGES >> TABLE_SHIFT)

/*
 * Entries of all tables of a level, side by side: whether a table is there, the entry above says. Each level is an
 * object of its own: CBMC then knows which entries a pointer may be to, and does not look for it in all of them.
 */
struct tables {
	u64 *l0;		  /* one: EL2's linear region */
	u64 *l1;		  /* NR_L1 */
	u64 *l2;		  /* NR_L2 */
	u64 *l3;		  /* NR_PAGES */
	unsigned int first_frame; /* tables are the frames from here on: l1's, l2's, l3's */
};

extern const struct tables host_tables, hyp_tables, vm_tables;

/* Any of the entries lead to the tables that may be below them; all of them do. */
void tables_any_links(const struct tables *tables, unsigned int start_level);
void tables_all_links(const struct tables *tables);

/* For all that follows: nr has an entry of that level, at level 1 an empty one. */
void tables_assume_level(const struct tables *tables, unsigned int nr, unsigned int level);
/* Before nr nothing is mapped, and of tables only those are there that nr is in. */
void tables_assume_empty(const struct tables *tables, unsigned int nr);

/* nr, which has an entry of level 3, is mapped, or that entry is empty. */
void tables_assume_page(const struct tables *tables, unsigned int nr, bool mapped);

struct leaf {
	u64 pte;
	unsigned int level;
};
/* What the tables say of a page. */
struct leaf tables_leaf(const struct tables *tables, unsigned int start_level, unsigned int nr);
/* How many tables are in use. */
unsigned int tables_count(const struct tables *tables, unsigned int start_level);

/* Frames of tables, all of them. */
#define NR_TABLES    (3 * (1 + NR_L1 + NR_L2))
#define FIRST_TABLE  NR_PAGES
#define TABLES_OF(n) (FIRST_TABLE + (n)*NR_TABLES / 3)

/* A table as a page. */
u64 *tables_words(pa_t table);
bool tables_is_clear(pa_t table);
/* False: there is no table. */
bool tables_clear(const void *va);

#endif
