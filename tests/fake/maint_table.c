// SPDX-License-Identifier: GPL-2.0-only
/*
 * The judge's copy of translation tables: what each store changes. Of a table that is unlinked all that it mapped is
 * stale.
 */
#include <stdlib.h>
#include <string.h>

#include "maint.h"

#define NR_FRAMES  ((FAKE_RAM_END - FAKE_RAM_BASE) >> PAGE_SHIFT)
#define NR_ENTRIES 512

/*
 * What may change without break: permissions, access flag, dirty state, software's bits (D8.17.1). At stage 1
 * and stage 2 they have the same places.
 */
#define PERMISSIONS (GENMASK(54, 53) | GENMASK(7, 6))
#define SOFTWARE    GENMASK(58, 55)
#define UNBROKEN    (PERMISSIONS | SOFTWARE | BIT(51) | BIT(10))

/* A page that walks meet, and what it said. */
static struct table {
	const struct watch *watch;
	pa_t pa;
	u64 ia;
	unsigned int level;
	u64 entry[NR_ENTRIES];
	struct table *next, **link;
} * tables, *table_at[NR_FRAMES];

/* The last store to a page that is no table yet. */
static struct {
	u64 at;
	unsigned int cpu;
} stored[NR_FRAMES];

static bool is_valid(u64 entry)
{
	return entry & PTE_VALID;
}

static struct table **table_slot(pa_t pa)
{
	return &table_at[(pa - FAKE_RAM_BASE) >> PAGE_SHIFT];
}

static struct table *find_table(pa_t pa)
{
	return pa >= FAKE_RAM_BASE && pa < FAKE_RAM_END ? *table_slot(pa) : NULL;
}

static void unlink_table(struct table *t)
{
	*table_slot(t->pa) = NULL;
	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	free(t);
}

/* A table is linked. What it maps is made, unless the watch has only begun. */
static void adopt(const struct watch *w, pa_t pa, unsigned int level, u64 ia, bool begins)
{
	struct table *t;

	if (find_table(pa))
		fake_fail("0x%lx is linked as a table of %s, and is one already", pa,
			  maint_whose(w));
	t = malloc(sizeof(*t));
	if (!t)
		fake_fail("no memory");
	*t = (struct table){ .watch = w, .pa = pa, .ia = ia, .level = level, .next = tables };
	memcpy(t->entry, fake_ram(pa), sizeof(t->entry));
	t->link = &tables;
	if (tables)
		tables->link = &t->next;
	tables = t;
	*table_slot(pa) = t;
	for (u64 i = 0; i < NR_ENTRIES; i++) {
		u64 at = ia + i * level_size(level);

		if (pte_is_table(t->entry[i], level))
			adopt(w, pte_output(t->entry[i]), level + 1, at, begins);
		else if (is_valid(t->entry[i]) && !begins)
			page_made(w, at, pte_output(t->entry[i]), level_size(level));
	}
}

/* A table is unlinked: TLBs may hold all that it mapped, and walks that end in it. */
static void disown(const struct watch *w, pa_t pa)
{
	struct table *t = find_table(pa);

	if (!t || t->watch != w)
		fake_fail("0x%lx is unlinked from %s, and is no table of it", pa, maint_whose(w));
	for (u64 i = 0; i < NR_ENTRIES; i++) {
		u64 at = t->ia + i * level_size(t->level);

		if (!is_valid(t->entry[i]))
			continue;
		tlb_stale(w, at, t->level, t->entry[i]);
		if (pte_is_table(t->entry[i], t->level))
			disown(w, pte_output(t->entry[i]));
		else
			page_unmade(w, at, pte_output(t->entry[i]), level_size(t->level));
	}
	unlink_table(t);
}

static void demand_contents_visible(pa_t table)
{
	size_t n = (table - FAKE_RAM_BASE) >> PAGE_SHIFT;

	if (!tlb_ordered(stored[n].at, stored[n].cpu))
		fake_fail("a table at 0x%lx is linked before a DSB made its contents visible",
			  table);
}

static void change(struct table *t, unsigned int index, u64 new)
{
	const struct watch *w = t->watch;
	u64 old = t->entry[index], size = level_size(t->level), ia = t->ia + index * size;

	if (old == new)
		return;
	t->entry[index] = new;
	if (is_valid(old) && is_valid(new)) {
		if (pte_is_table(old, t->level) || pte_is_table(new, t->level) ||
		    ((old ^ new) & ~UNBROKEN))
			fake_fail(
				"break-before-make: 0x%lx of %s changes from 0x%lx to 0x%lx without a break",
				ia, maint_whose(w), old, new);
		/* No TLB holds what hardware does not look at. */
		if (!((old ^ new) & ~SOFTWARE))
			return;
		tlb_stale(w, ia, t->level, old);
		tlb_fresh(w, ia, size);
		return;
	}
	if (is_valid(old)) {
		tlb_stale(w, ia, t->level, old);
		if (pte_is_table(old, t->level))
			disown(w, pte_output(old));
		else
			page_unmade(w, ia, pte_output(old), size);
	}
	if (is_valid(new)) {
		tlb_demand_gone(w, ia, size);
		if (pte_is_table(new, t->level)) {
			demand_contents_visible(pte_output(new));
			adopt(w, pte_output(new), t->level + 1, ia, false);
		} else {
			page_made(w, ia, pte_output(new), size);
		}
		tlb_fresh(w, ia, size);
	}
}

static void note_store(pa_t pa)
{
	size_t n = (pa - FAKE_RAM_BASE) >> PAGE_SHIFT;

	tlb_demand_no_walk(pa);
	if (n < NR_FRAMES) {
		stored[n].at = maint_now;
		stored[n].cpu = fake_cpu_index();
	}
}

void maint_store(pa_t pa, u64 value)
{
	struct table *t;

	if (fake.threads)
		return;
	maint_now++;
	t = find_table(pa);
	if (t)
		change(t, (pa % PAGE_SIZE) / 8, value);
	else
		note_store(pa);
}

void maint_zero(pa_t pa, u64 size)
{
	struct table *t;

	if (fake.threads)
		return;
	maint_now++;
	t = find_table(pa);
	for (u64 p = pa; t && p < pa + size; p += 8)
		change(t, (p % PAGE_SIZE) / 8, 0);
	if (!t)
		note_store(pa);
	page_zeroed(pa, size);
}

void table_begin(const struct watch *w, pa_t pa, u64 ia)
{
	adopt(w, pa, w->map.start_level, ia, true);
}

void table_forget(const struct watch *w)
{
	for (struct table *t = tables, *next; t; t = next) {
		next = t->next;
		if (t->watch == w)
			unlink_table(t);
	}
}

void table_each_leaf(const struct watch *w,
		     void (*leaf)(const struct watch *w, u64 ia, pa_t pa, u64 size))
{
	for (const struct table *t = tables; t; t = t->next)
		for (u64 i = 0; t->watch == w && i < NR_ENTRIES; i++)
			if (is_valid(t->entry[i]) && !pte_is_table(t->entry[i], t->level))
				leaf(w, t->ia + i * level_size(t->level), pte_output(t->entry[i]),
				     level_size(t->level));
}

void table_check(void)
{
	for (const struct table *t = tables; t; t = t->next)
		if (memcmp(t->entry, fake_ram(t->pa), sizeof(t->entry)))
			fake_fail(
				"the table of %s at 0x%lx was written otherwise than by table_write()",
				maint_whose(t->watch), t->pa);
}
