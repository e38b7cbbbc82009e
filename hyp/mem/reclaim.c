// SPDX-License-Identifier: GPL-2.0-only
/*
 * A dying VM's memory goes back to the host in bounded batches; the host asks again until all is done.
 */
#include <stockade/hostcall.h>

#include "arch/cache.h"
#include "arch/layout.h"
#include "arch/table.h"
#include "arch/tlb.h"
#include "mem/host_map.h"
#include "mem/hyp_map.h"
#include "mem/page.h"
#include "mem/transition.h"

/*
 * What one call may do, in empty entries passed over; one by itself, or the first of a row, counts as STEP, a page zeroed
 * as PAGE_STEP, and each pair of the host's entries that is looked at for whether a block is whole again as one. The root of
 * a VM with 40 bits is one call if it is empty, and so are 16 pages.
 */
#define BATCH	  ((s64)1024)
#define STEP	  8
#define PAGE_STEP 64

void guest_start_reclaim(struct guest_mem *mem)
{
	spin_lock(&mem->lock);
	mem->dying = true;
	/* From here on entries may vanish without a flush each, and pages without one of the I-caches. */
	tlb_flush_s2_all(mem->map.vttbr);
	icache_inval_all();
	spin_unlock(&mem->lock);
}

bool guest_is_dying(struct guest_mem *mem)
{
	bool dying;

	spin_lock(&mem->lock);
	dying = mem->dying;
	spin_unlock(&mem->lock);
	return dying;
}

/* Zero nr pages of the guest's, unless the host sees them anyhow. */
static void zero_pages(pa_t pa, u64 nr) REQUIRES(guest_mem) PAGE_WORK
{
	for (u64 i = 0; i < nr; i++, pa += PAGE_SIZE)
		if (!page_is_guest_shared(pa))
			scrub_page(pa);
}

/* All of a zeroed page or block goes to the host. Returns what that takes of the budget. */
static s64 give_back(struct guest_mem *mem, u64 *entry, unsigned int level) REQUIRES_LOCK(mem->lock)
	REQUIRES(guest_mem)
{
	pa_t pa = *entry & PTE_ADDR;
	u64 nr = level_size(level) / PAGE_SIZE;
	bool shared;
	s64 cost;

	table_write(entry, 0);
	spin_lock(&mem_lock);
	/* Sharing splits blocks: a block is private as a whole. */
	shared = page_of(pa)->state == PAGE_GUEST_SHARED;
	for (u64 i = 0; i < nr; i++)
		page_of(pa)[i] = (struct page){ .state = PAGE_HOST };
	if (level == 2) {
		pool_unreserve(&hyp_pool, 1);
		pool_unreserve(&mem->pool, 1);
	}
	cost = (s64)(shared ? host_keep(pa) : host_remap(pa, level));
	host_map_unlock();
	return cost;
}

/* Entries from reclaim_next on, up to the end of their table, that need no work. */
static u64 skip_empty(const u64 *entry, u64 index)
{
	u64 n = 0;

	while (index + n < TABLE_ENTRIES && !entry[n])
		n++;
	return n;
}

/* The table that ends before reclaim_next is empty now: into the pool with it, and those above. */
static void free_tables(struct guest_mem *mem, unsigned int level) REQUIRES_LOCK(mem->lock)
	REQUIRES(guest_mem)
{
	ipa_t inside = mem->reclaim_next - 1;

	while (level > mem->map.start_level &&
	       IS_ALIGNED(mem->reclaim_next, level_size(level - 1))) {
		unsigned int found;
		u64 *entry = pgtable_find_above(&mem->map, inside, --level, &found);
		pa_t table = *entry & PTE_ADDR;

		table_write(entry, 0);
		pool_put(&mem->pool, table);
	}
}

bool guest_reclaim_pending(const struct guest_mem *mem)
{
	/* RAM may lie above what the guest's space is large. */
	if (mem->unmapped)
		return page_ram_range_above(mem->reclaim_next);
	return mem->reclaim_next < BIT(mem->map.ia_bits);
}

/* By the page array, for a VM whose tables are gone; they themselves are lost. */
static void reclaim_by_array(struct guest_mem *mem) REQUIRES_LOCK(mem->lock) REQUIRES(guest_mem)
{
	s64 budget = BATCH;

	while (budget > 0 && guest_reclaim_pending(mem)) {
		pa_t pa = max_u64(mem->reclaim_next, page_ram_range_above(mem->reclaim_next)->base);
		struct page *page;

		mem->reclaim_next = pa + PAGE_SIZE;
		budget -= STEP;
		spin_lock(&mem_lock);
		page = page_of(pa);
		if (page->owner == mem->owner && page->state == PAGE_GUEST) {
			budget -= PAGE_STEP - STEP;
			/* It stays where it is: mem->lock. */
			page->state = PAGE_MOVING;
			spin_unlock(&mem_lock);
			scrub_page(pa);
			spin_lock(&mem_lock);
			budget -= (s64)return_to_host(pa);
		} else if (page->owner == mem->owner && page->state == PAGE_GUEST_SHARED) {
			*page = (struct page){ .state = PAGE_HOST };
			budget -= (s64)host_keep(pa);
		}
		host_map_unlock();
	}
}

bool guest_reclaim_some(struct guest_mem *mem)
{
	u64 *entry = NULL, size = 0, end = BIT(mem->map.ia_bits);
	s64 budget = BATCH;
	unsigned int level = 0;
	bool more;

	spin_lock(&mem->lock);
	if (mem->unmapped) {
		reclaim_by_array(mem);
		more = guest_reclaim_pending(mem);
		spin_unlock(&mem->lock);
		return more;
	}
	while (budget > 0 && mem->reclaim_next < end) {
		u64 index, n;

		/* One walk for what is in one table. */
		if (!entry || pte_is_table(*entry, level)) {
			entry = pgtable_find(&mem->map, mem->reclaim_next, &level);
			size = level_size(level);
		}
		if (pte_has_page(*entry)) {
			n = min_u64(((u64)budget + PAGE_STEP - 1) / PAGE_STEP,
				    size / PAGE_SIZE - mem->reclaim_zeroed);
			zero_pages((*entry & PTE_ADDR) + mem->reclaim_zeroed * PAGE_SIZE, n);
			budget -= (s64)(n * PAGE_STEP);
			mem->reclaim_zeroed += n;
			if (mem->reclaim_zeroed < size / PAGE_SIZE)
				break;
			mem->reclaim_zeroed = 0;
			budget -= give_back(mem, entry, level);
			n = 1;
		} else {
			table_write(entry, 0); /* may have been poisoned */
			index = (mem->reclaim_next >> level_shift(level)) % TABLE_ENTRIES;
			n = skip_empty(entry, index);
			budget -= STEP + (s64)n - 1;
		}
		mem->reclaim_next += n * size;
		entry = IS_ALIGNED(mem->reclaim_next, TABLE_ENTRIES * size) ? NULL : entry + n;
		if (!entry)
			free_tables(mem, level);
	}
	more = guest_reclaim_pending(mem);
	spin_unlock(&mem->lock);
	return more;
}

void guest_unmap_all(struct guest_mem *mem)
{
	spin_lock(&mem->lock);
	mem->dying = true;
	mem->unmapped = true;
	mem->reclaim_next = 0;
	hyp_clear(mem->map.root, stockade_s2_root_pages(mem->map.ia_bits) * PAGE_SIZE);
	tlb_flush_s2_all(mem->map.vttbr);
	icache_inval_all();
	spin_unlock(&mem->lock);
}

static bool is_private(const struct page *page)
{
	return page->state == PAGE_GUEST || page->state == PAGE_MOVING;
}

u64 guest_private_owner(pa_t pa)
{
	struct page page;

	spin_lock(&mem_lock);
	page = *page_of(pa);
	spin_unlock(&mem_lock);
	return is_private(&page) ? page.owner : GUEST_NONE;
}

void guest_scrub(struct guest_mem *mem, pa_t pa)
{
	bool still;

	spin_lock(&mem->lock);
	spin_lock(&mem_lock);
	still = page_of(pa)->state == PAGE_GUEST;
	spin_unlock(&mem_lock);
	/* It stays where it is: mem->lock. */
	if (still)
		scrub_page(pa);
	spin_unlock(&mem->lock);
}

/* Whoever panicked may hold any lock for ever. */
void guest_memory_scrub_in_panic(void) NO_LOCK_CHECK
{
	const struct stockade_range *ram;

	for (unsigned int i = 0; (ram = page_ram_range(i)); i++)
		for (pa_t pa = ram->base; pa < ram->base + ram->size; pa += PAGE_SIZE)
			if (is_private(page_of(pa)))
				scrub_page(pa);
}

pa_t guest_reclaim_table(struct guest_mem *mem)
{
	pa_t table;

	spin_lock(&mem->lock);
	table = pool_get(&mem->pool);
	spin_unlock(&mem->lock);
	if (table)
		hyp_donate_host(table);
	return table;
}
