/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page tables: EL2's stage 1, the host's stage 2, the guests' stage 2. Levels are numbered as in the Arm
 * ARM: 3 maps pages, 2 blocks of 2 MiB, 1 blocks of 1 GiB.
 *
 * Nothing here takes a lock: the caller holds the one that guards the table and its pool.
 */
#ifndef HYP_MEM_PGTABLE_H
#define HYP_MEM_PGTABLE_H

#include "mem/pool.h"
#include "mem/pte.h"

struct pgtable {
	pa_t root;
	struct pool *pool; /* where tables come from and go to */
	u64 vttbr;	   /* a stage 2's VTTBR_EL2; 0: EL2's stage 1 */
	u8 ia_bits;
	u8 start_level;
};

/*
 * A stage 2's geometry for ipa_bits: where the walk starts (level 0, or 1 with concatenated tables;
 * stockade_s2_root_pages() has the size). root is zeroed. vmid: 8 bits.
 */
void pgtable_init_s2(struct pgtable *pt, pa_t root, unsigned int ipa_bits, u64 vmid,
		     struct pool *pool);
void pgtable_init_hyp(struct pgtable *pt, pa_t root, struct pool *pool);

/* The deepest entry for ia, its level in *level. ia is within ia_bits. */
u64 *pgtable_find(const struct pgtable *pt, u64 ia, unsigned int *level);
/* The same, but not deeper than `deepest`. */
u64 *pgtable_find_above(const struct pgtable *pt, u64 ia, unsigned int deepest,
			unsigned int *level);

/* How many tables pgtable_make() would take from the pool. */
unsigned int pgtable_missing(const struct pgtable *pt, u64 ia, unsigned int level);
/*
 * The entry for ia at `level`: tables are added, blocks split (break-before-make) on the way. If the
 * walk already goes deeper, a panic: the caller has looked. The pool has pgtable_missing() pages.
 */
u64 *pgtable_make(struct pgtable *pt, u64 ia, unsigned int level);

/* Replace an entry: break-before-make if the old one was valid. */
void pgtable_set(const struct pgtable *pt, u64 *entry, u64 ia, u64 value);

/* Give tables around ia that map nothing any more back to the pool. */
void pgtable_prune(struct pgtable *pt, u64 ia);

/*
 * Map [ia, ia + size) to pa by the largest blocks that fit; nothing is mapped there. The range and pa
 * are page-aligned. False: the pool ran dry; part of it may be mapped.
 */
bool pgtable_map(struct pgtable *pt, u64 ia, pa_t pa, u64 size, u64 attrs);

#endif
