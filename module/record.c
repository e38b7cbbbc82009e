// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which pages of the host a guest has, by frame number: what was pinned and donated, until it is let go of.
 *
 * A memslot's records are an array with an entry for each 64 frames: 0; the address of a leaf, which has the 64 pages;
 * or, in all eight entries of a block of 2 MiB, the block's first page and RECORD_BLOCK.
 */
#include "record.h"

#include <linux/mm.h>
#include <linux/slab.h>

#define LEAF_SHIFT   6
#define LEAF_PAGES   (1UL << LEAF_SHIFT)
#define BLOCK_LEAVES (STOCKADE_BLOCK_PAGES >> LEAF_SHIFT)
#define RECORD_BLOCK 1UL

struct leaf {
	struct page *page[LEAF_PAGES];
};

static unsigned long nr_entries(const struct stockade_memslot *slot)
{
	return ((slot->base_gfn + slot->npages - 1) >> LEAF_SHIFT) -
	       (slot->base_gfn >> LEAF_SHIFT) + 1;
}

/* The slot's entries exist. */
static unsigned long *entry_of(const struct stockade_memslot *slot, gfn_t gfn)
{
	return &slot->records[(gfn >> LEAF_SHIFT) - (slot->base_gfn >> LEAF_SHIFT)];
}

static struct page *block_of(unsigned long entry)
{
	return (struct page *)(entry & ~RECORD_BLOCK);
}

/* The entry is no block's. */
static struct page **place_of(const unsigned long *entry, gfn_t gfn)
{
	return &((struct leaf *)*entry)->page[gfn & (LEAF_PAGES - 1)];
}

bool stockade_record_block_fits(const struct stockade_memslot *slot, gfn_t base)
{
	const unsigned long *entry;
	unsigned long i;

	if (base < slot->base_gfn || base + STOCKADE_BLOCK_PAGES > slot->base_gfn + slot->npages)
		return false;
	if (!slot->records)
		return true;
	entry = entry_of(slot, base);
	for (i = 0; i < BLOCK_LEAVES; i++)
		if (entry[i])
			return false;
	return true;
}

static void set_block(struct stockade_memslot *slot, gfn_t base, unsigned long value)
{
	unsigned long *entry = entry_of(slot, base), i;

	for (i = 0; i < BLOCK_LEAVES; i++)
		entry[i] = value;
}

int stockade_record_add(struct stockade_memslot *slot, gfn_t gfn, struct page *page,
			unsigned long nr)
{
	struct page **place;
	unsigned long *entry;

	if (!slot->records)
		slot->records = kvcalloc(nr_entries(slot), sizeof(*entry), GFP_KERNEL_ACCOUNT);
	if (!slot->records)
		return -ENOMEM;
	if (nr > 1) {
		if (!stockade_record_block_fits(slot, gfn))
			return -EEXIST;
		set_block(slot, gfn, (unsigned long)page | RECORD_BLOCK);
		return 0;
	}
	entry = entry_of(slot, gfn);
	if (*entry & RECORD_BLOCK)
		return -EEXIST;
	if (!*entry)
		*entry = (unsigned long)kzalloc(sizeof(struct leaf), GFP_KERNEL_ACCOUNT);
	if (!*entry)
		return -ENOMEM;
	place = place_of(entry, gfn);
	if (*place)
		return -EEXIST;
	*place = page;
	return 0;
}

void stockade_record_undo(struct stockade_memslot *slot, gfn_t gfn, unsigned long nr)
{
	if (nr > 1)
		set_block(slot, gfn, 0);
	else
		*place_of(entry_of(slot, gfn), gfn) = NULL;
}

/* Of a block, one for each page, so that one can be dropped. */
static void split(struct stockade_memslot *slot, gfn_t gfn)
{
	unsigned long *entry = entry_of(slot, gfn & ~(STOCKADE_BLOCK_PAGES - 1));
	struct page *page = block_of(*entry);
	unsigned long i, n;

	for (i = 0; i < BLOCK_LEAVES; i++) {
		struct leaf *leaf = kmalloc(sizeof(*leaf), GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);

		for (n = 0; n < LEAF_PAGES; n++)
			leaf->page[n] = page++;
		entry[i] = (unsigned long)leaf;
	}
}

struct page *stockade_record_take(struct stockade_memslot *slot, gfn_t gfn)
{
	unsigned long *entry;
	struct page *page;

	if (!slot->records)
		return NULL;
	entry = entry_of(slot, gfn);
	if (*entry & RECORD_BLOCK)
		split(slot, gfn);
	if (!*entry)
		return NULL;
	page = *place_of(entry, gfn);
	*place_of(entry, gfn) = NULL;
	return page;
}

/* Dirty: what was in the VMM's page has gone, also if it has a copy in swap. */
static void release_leaf(struct leaf *leaf)
{
	unsigned long i, nr = 0;

	for (i = 0; i < LEAF_PAGES; i++)
		if (leaf->page[i])
			leaf->page[nr++] = leaf->page[i];
	unpin_user_pages_dirty_lock(leaf->page, nr, true);
	kfree(leaf);
}

void stockade_record_release(struct stockade_memslot *slot)
{
	unsigned long i, nr = slot->records ? nr_entries(slot) : 0;

	for (i = 0; i < nr; i++) {
		unsigned long entry = slot->records[i];

		if (entry & RECORD_BLOCK) {
			unpin_user_page_range_dirty_lock(block_of(entry), STOCKADE_BLOCK_PAGES,
							 true);
			i += BLOCK_LEAVES - 1;
		} else if (entry) {
			release_leaf((struct leaf *)entry);
		}
		cond_resched();
	}
	kvfree(slot->records);
	slot->records = NULL;
}
