// SPDX-License-Identifier: GPL-2.0-only
/*
 * The invariants of mem/page.h, looked up in the real tables: what the page array says, the page tables do.
 * Not bounded; takes the locks in pieces, so that other CPUs go on meanwhile.
 */
#include <stockade/hostcall.h>

#include "arch/layout.h"
#include "debug/debug.h"
#include "lib/panic.h"
#include "mem/host_map.h"
#include "mem/hyp_map.h"
#include "mem/page.h"
#include "vm/vm.h"

static bool host_must_have(const struct page *page)
{
	return page->state == PAGE_HOST || page->state == PAGE_HOST_SHARED ||
	       page->state == PAGE_GUEST_SHARED;
}

/* What the entry that ends the walk for ia maps it to; 0: nothing. */
static pa_t lookup(const struct pgtable *pt, u64 ia)
{
	unsigned int level;
	u64 entry = *pgtable_find(pt, ia, &level);

	return entry & PTE_VALID ? (entry & PTE_ADDR) + (ia & (level_size(level) - 1)) : 0;
}

/* With mem_lock. */
static enum broken check_host_page(pa_t pa)
{
	const struct page *page = page_of(pa);
	pa_t host = lookup(&host_map, pa);

	if (host && host != pa)
		return BROKEN_HOST_MAP_NO_IDENTITY;
	if (host && !host_must_have(page))
		return BROKEN_HOST_MAPS_LOST_PAGE;
	if (!host && host_must_have(page))
		return BROKEN_HOST_LACKS_PAGE;
	if (lookup(&hyp_map, HYP_LINEAR_BASE + pa) && page->state != PAGE_HYP &&
	    page->state != PAGE_HOST_SHARED)
		return BROKEN_HYP_MAPS_FOREIGN_PAGE;
	return BROKEN_NOTHING;
}

/* A page that is a guest's: does that guest map it where the array says? */
static enum broken check_guest_page(pa_t pa, const struct page *page)
{
	struct vm *vm = vm_get_index(page->owner);
	enum broken broken = BROKEN_NOTHING;

	if (!vm)
		return page_of(pa)->state == page->state ? BROKEN_OWNER_IS_DEAD : BROKEN_NOTHING;
	spin_lock(&vm->mem.lock);
	spin_lock(&mem_lock);
	/* It may have changed hands since. */
	if (page_of(pa)->state == page->state && page_of(pa)->owner == page->owner &&
	    lookup(&vm->mem.map, (ipa_t)page_of(pa)->gfn << PAGE_SHIFT) != pa)
		broken = BROKEN_GUEST_LACKS_PAGE;
	spin_unlock(&mem_lock);
	spin_unlock(&vm->mem.lock);
	vm_put(vm);
	return broken;
}

/* All that a guest maps is its own. */
static enum broken check_guest_map(struct vm *vm, pa_t *where)
{
	enum broken broken = BROKEN_NOTHING;
	ipa_t ipa = 0;

	while (!broken && ipa < BIT(vm->mem.map.ia_bits)) {
		unsigned int level;
		u64 entry;

		spin_lock(&vm->mem.lock);
		spin_lock(&mem_lock);
		entry = *pgtable_find(&vm->mem.map, ipa, &level);
		*where = entry & PTE_ADDR;
		if (entry & PTE_VALID) {
			for (u64 i = 0; i < level_size(level) / PAGE_SIZE; i++) {
				const struct page *page = page_of(*where) + i;

				if ((page->state != PAGE_GUEST &&
				     page->state != PAGE_GUEST_SHARED) ||
				    page->owner != vm->index ||
				    page->gfn != (ipa >> PAGE_SHIFT) + i)
					broken = BROKEN_GUEST_MAPS_FOREIGN_PAGE;
			}
		}
		spin_unlock(&mem_lock);
		spin_unlock(&vm->mem.lock);
		ipa = ALIGN_DOWN(ipa, level_size(level)) + level_size(level);
	}
	return broken;
}

static enum broken check_all(pa_t *where)
{
	const struct stockade_range *ram;
	enum broken broken;
	u64 nr_hyp = 0, before = READ_ONCE(page_nr_hyp);

	for (unsigned int i = 0; (ram = page_ram_range(i)); i++) {
		for (pa_t pa = ram->base; pa < ram->base + ram->size; pa += PAGE_SIZE) {
			struct page page;

			*where = pa;
			spin_lock(&mem_lock);
			page = *page_of(pa);
			broken = check_host_page(pa);
			spin_unlock(&mem_lock);
			nr_hyp += page.state == PAGE_HYP;
			if (!broken &&
			    (page.state == PAGE_GUEST || page.state == PAGE_GUEST_SHARED))
				broken = check_guest_page(pa, &page);
			if (broken)
				return broken;
		}
	}
	for (u32 i = 0; i < STOCKADE_MAX_VMS; i++) {
		struct vm *vm = vm_get_index(i);

		if (!vm)
			continue;
		broken = check_guest_map(vm, where);
		vm_put(vm);
		if (broken)
			return broken;
	}
	/* Only if nothing moved meanwhile can the count be compared. */
	*where = 0;
	if (before == READ_ONCE(page_nr_hyp) && nr_hyp != before)
		return BROKEN_HYP_COUNT;
	return BROKEN_NOTHING;
}

int debug_hostcall(u64 function, u64 *x1, u64 *x2)
{
	switch (function) {
	case STOCKADE_HC_END:
		panic("asked for by a test");
	case STOCKADE_HC_END + 1:
		*x1 = check_all(x2);
		return STOCKADE_OK;
	default:
		return STOCKADE_ENOSYS;
	}
}
