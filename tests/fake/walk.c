// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks of page tables, by the Arm ARM's words (D8.2, D8.3) and with none of hyp/mem/pgtable.c; and a
 * model of what TLBs may hold of a stage 2.
 */
#include <stdlib.h>
#include <string.h>

#include "arch/layout.h"
#include "arch/tlb.h"
#include "fake.h"
#include "mem/host_map.h"
#include "mem/hyp_map.h"

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

		if (!(pte & DESC_VALID))
			continue;
		if (level < 3 && (pte & DESC_TYPE) == DESC_TYPE) {
			if (sub)
				sub(pte & DESC_OUTPUT, level + 1, arg);
			each(pte & DESC_OUTPUT, level + 1, 512, ia, leaf, sub, arg);
		} else if (leaf) {
			struct fake_leaf l = { true, ia, pte & DESC_OUTPUT, pte, level };

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

/* Leaves, sorted by ia. */
struct leaves {
	struct fake_leaf *leaf;
	size_t nr, max;
};

#define MAX_WATCHED 16

/* What TLBs may hold: all that was ever seen in the tables, less what was flushed. */
static struct watch {
	const struct pgtable *pt;
	struct leaves cached;
} watches[MAX_WATCHED];

static struct leaves live, merged;

static void add(struct leaves *list, const struct fake_leaf *leaf)
{
	if (list->nr == list->max) {
		struct fake_leaf *more;

		list->max = list->max ? 2 * list->max : 1024;
		more = realloc(list->leaf, list->max * sizeof(*leaf));
		if (!more)
			fake_fail("no memory");
		list->leaf = more;
	}
	list->leaf[list->nr++] = *leaf;
}

static void add_leaf(const struct fake_leaf *leaf, void *arg)
{
	add(arg, leaf);
}

static u64 end_of(const struct fake_leaf *leaf)
{
	return leaf->ia + (1ull << shift_at(leaf->level));
}

static bool same(const struct fake_leaf *a, const struct fake_leaf *b)
{
	return a->ia == b->ia && a->level == b->level && a->pte == b->pte;
}

/* New leaves may be cached from now on. One that overlaps another which may still be is a conflict. */
static void sync_one(struct watch *w)
{
	size_t i = 0, j = 0;
	struct leaves swap;

	live.nr = merged.nr = 0;
	fake_each_leaf(w->pt, add_leaf, &live);
	while (i < w->cached.nr && j < live.nr) {
		const struct fake_leaf *c = &w->cached.leaf[i], *l = &live.leaf[j];

		if (same(c, l)) {
			add(&merged, c);
			i++;
			j++;
		} else if (end_of(c) <= l->ia) {
			add(&merged, c);
			i++;
		} else if (end_of(l) <= c->ia) {
			add(&merged, l);
			j++;
		} else {
			fake_fail(
				"0x%lx (level %u) was made 0x%lx (level %u) without break and flush",
				c->ia, c->level, l->ia, l->level);
		}
	}
	while (i < w->cached.nr)
		add(&merged, &w->cached.leaf[i++]);
	while (j < live.nr)
		add(&merged, &live.leaf[j++]);
	swap = w->cached;
	w->cached = merged;
	merged = swap;
}

void fake_watch_sync(void)
{
	if (fake.threads)
		return;
	for (unsigned int i = 0; i < MAX_WATCHED; i++)
		if (watches[i].pt)
			sync_one(&watches[i]);
}

static void flush_one(struct watch *w, u64 ipa, bool all)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->cached.nr; i++) {
		const struct fake_leaf *c = &w->cached.leaf[i];
		struct fake_leaf now;

		if (all || (ipa >= c->ia && ipa < end_of(c))) {
			now = fake_walk(w->pt, c->ia);
			if (!now.valid)
				continue; /* gone for good */
		}
		w->cached.leaf[kept++] = *c;
	}
	w->cached.nr = kept;
}

void fake_watch_flush(u64 vttbr, u64 ipa, bool all)
{
	if (fake.threads)
		return;
	fake_watch_sync();
	for (unsigned int i = 0; i < MAX_WATCHED; i++)
		if (watches[i].pt && watches[i].pt->vttbr == vttbr)
			flush_one(&watches[i], ipa, all);
}

void fake_watch(const struct pgtable *pt)
{
	for (unsigned int i = 0; i < MAX_WATCHED; i++) {
		if (!watches[i].pt) {
			watches[i].pt = pt;
			watches[i].cached.nr = 0;
			sync_one(&watches[i]);
			return;
		}
	}
	fake_fail("too many tables to watch");
}

void fake_unwatch(const struct pgtable *pt)
{
	for (unsigned int i = 0; i < MAX_WATCHED; i++)
		if (watches[i].pt == pt || !pt)
			watches[i].pt = NULL;
}

/* Entries that may be in a TLB and no longer in the tables. */
void fake_watch_check(void)
{
	fake_watch_sync();
	for (unsigned int i = 0; i < MAX_WATCHED; i++) {
		struct watch *w = &watches[i];

		for (size_t j = 0; w->pt && j < w->cached.nr; j++)
			if (!fake_walk(w->pt, w->cached.leaf[j].ia).valid)
				fake_fail("a stage-2 TLB may still have 0x%lx, which is gone",
					  w->cached.leaf[j].ia);
	}
}

void tlb_flush_s2(u64 vttbr, ipa_t ipa)
{
	fake_record(FAKE_TLB_S2, vttbr, ipa);
	fake_watch_flush(vttbr, ipa, false);
}

void tlb_flush_s2_all(u64 vttbr)
{
	fake_record(FAKE_TLB_S2_ALL, vttbr, 0);
	fake_watch_flush(vttbr, 0, true);
	/* A guest's: it is dying, and no CPU will walk its tables again. */
	for (unsigned int i = 0; i < MAX_WATCHED; i++)
		if (watches[i].pt && watches[i].pt != &host_map && watches[i].pt->vttbr == vttbr)
			watches[i].pt = NULL;
}

void tlb_flush_s1_local(u64 vttbr)
{
	fake_record(FAKE_TLB_S1_LOCAL, vttbr, 0);
}

void hyp_table_write_barrier(void)
{
	table_write_barrier();
}

void table_write_barrier(void)
{
	u64 window = HYP_WINDOW_BASE + (u64)fake_cpu_index() * PAGE_SIZE;

	fake_record(FAKE_TABLE_BARRIER, 0, 0);
	/* A window has been opened: no other table has changed. */
	if (hyp_map.root && hyp_linear_base == HYP_LINEAR_BASE && fake_walk(&hyp_map, window).valid)
		return;
	fake_watch_sync();
}
