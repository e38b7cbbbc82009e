// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of mem/page.h, looked up in the real tables. Each page is looked at under the locks that keep
 * it as it is, and these are given back before the next.
 */
#include "arch/layout.h"
#include "debug/debug.h"
#include "mem/host_map.h"
#include "mem/hyp_map.h"
#include "mem/page.h"
#include "vm/vm.h"

/* What ia is mapped to, or will be when it is clean; ~0: nothing. */
#define NOWHERE (~0ull)

static pa_t lookup(const struct pgtable *pt, u64 ia)
{
	unsigned int level;
	u64 entry = *pgtable_find(pt, ia, &level);

	if (!pte_has_page(entry))
		return NOWHERE;
	return (entry & PTE_ADDR) + (ia & (level_size(level) - 1));
}

static bool is_guests(const struct page *page)
{
	return page->state == PAGE_GUEST || page->state == PAGE_GUEST_SHARED ||
	       page->state == PAGE_MOVING;
}

/* Has an entry nothing but what goes with its state? */
static bool is_legal(const struct page *page)
{
	switch (page->state) {
	case PAGE_HOST:
	case PAGE_HYP:
		return !page->refs && !page->owner && !page->gfn;
	case PAGE_HOST_SHARED:
		return page->refs && !page->owner && !page->gfn;
	case PAGE_HOST_SECURE:
		return !page->refs && !page->owner;
	case PAGE_GUEST:
	case PAGE_GUEST_SHARED:
	case PAGE_MOVING:
		return !page->refs && page->owner < STOCKADE_MAX_VMS;
	default:
		return false;
	}
}

/* Does the host's entry say that a guest shares the page? */
static bool is_marked(pa_t pa) REQUIRES(mem)
{
	unsigned int level;

	return *pgtable_find(&host_map, pa, &level) & PTE_GUESTS;
}

/* What the host and EL2 map. */
static enum stockade_broken check_page(pa_t pa, const struct page *page) REQUIRES(mem)
{
	bool host_should = page->state == PAGE_HOST || page->state == PAGE_HOST_SHARED ||
			   page->state == PAGE_HOST_SECURE || page->state == PAGE_GUEST_SHARED;
	pa_t host = lookup(&host_map, pa), hyp = lookup(&hyp_map, HYP_LINEAR_BASE + pa);

	if (!is_legal(page))
		return STOCKADE_BROKEN_STATE;
	if (host != NOWHERE && host != pa)
		return STOCKADE_BROKEN_IDENTITY;
	if (host != NOWHERE && !host_should)
		return STOCKADE_BROKEN_HOST_HAS;
	if (host == NOWHERE && host_should)
		return STOCKADE_BROKEN_HOST_LACKS;
	if (is_marked(pa) != (page->state == PAGE_GUEST_SHARED))
		return STOCKADE_BROKEN_HOST_ENTRY;
	/* Not all that is EL2's own is mapped there: image, stacks and array have places of their own. */
	if (hyp != NOWHERE &&
	    (hyp != pa || (page->state != PAGE_HYP && page->state != PAGE_HOST_SHARED)))
		return STOCKADE_BROKEN_HYP_HAS;
	if (hyp == NOWHERE && page->state == PAGE_HOST_SHARED)
		return STOCKADE_BROKEN_HYP_LACKS;
	return STOCKADE_BROKEN_NOTHING;
}

static bool is_same(const struct page *a, const struct page *b)
{
	return a->state == b->state && a->owner == b->owner && a->gfn == b->gfn;
}

/* A page that was a guest's a moment ago: while the guest's lock is held it either is, or is not. */
static enum stockade_broken check_guest_page(pa_t pa, const struct page *was) TAKES(table)
{
	struct vm *vm = vm_get_index((u32)was->owner);
	enum stockade_broken broken = STOCKADE_BROKEN_NOTHING;
	bool same;

	if (!vm) {
		spin_lock(&mem_lock);
		same = is_same(page_of(pa), was);
		spin_unlock(&mem_lock);
		return same ? STOCKADE_BROKEN_OWNER : STOCKADE_BROKEN_NOTHING;
	}
	spin_lock(&vm->mem.lock);
	spin_lock(&mem_lock);
	if (is_same(page_of(pa), was)) {
		if (was->state == PAGE_MOVING)
			broken = STOCKADE_BROKEN_MOVING;
		else if (!vm->mem.unmapped &&
			 ((u64)was->gfn >= BIT(vm->mem.map.ia_bits - PAGE_SHIFT) ||
			  lookup(&vm->mem.map, (u64)was->gfn << PAGE_SHIFT) != pa))
			broken = STOCKADE_BROKEN_GUEST_LACKS;
	}
	spin_unlock(&mem_lock);
	spin_unlock(&vm->mem.lock);
	vm_put(vm);
	return broken;
}

enum stockade_broken check_pages(u64 pfn, u64 nr, pa_t *where, u64 *next)
{
	pa_t pa = pfn < STOCKADE_MAX_PHYS >> PAGE_SHIFT ? pfn << PAGE_SHIFT : STOCKADE_MAX_PHYS;
	enum stockade_broken broken = STOCKADE_BROKEN_NOTHING;
	const struct stockade_range *ram = NULL;

	for (; !broken && nr; nr--, pa += PAGE_SIZE) {
		struct page page;

		if (!ram || pa >= ram->base + ram->size) {
			ram = page_ram_range_above(pa);
			if (!ram)
				break;
			pa = max_u64(pa, ram->base);
		}
		*where = pa;
		spin_lock(&mem_lock);
		page = *page_of(pa);
		broken = check_page(pa, &page);
		spin_unlock(&mem_lock);
		if (!broken && is_guests(&page))
			broken = check_guest_page(pa, &page);
	}
	*next = page_ram_range_above(pa) ? pa >> PAGE_SHIFT : 0;
	return broken;
}
