// SPDX-License-Identifier: GPL-2.0-only
#include "mem/transition.h"

#include <stockade/hostcall.h>

#include "arch/cache.h"
#include "arch/layout.h"
#include "arch/tlb.h"
#include "lib/panic.h"
#include "mem/host_map.h"
#include "mem/hyp_map.h"
#include "mem/page.h"

#define BLOCK_PAGES    TABLE_ENTRIES
#define MAX_DONATE_HYP 16
/* Of a block, in one call. */
#define MAX_CLEAN (BLOCK_PAGES > 8 ? BLOCK_PAGES / 8 : 1)
/* Pages of MMIO that a guest may name: each may cost the host tables. */
#define MAX_GUARDED 1024

static void set_want(struct want *want, enum stockade_pool pool, u64 pages)
{
	want->pool = pool;
	want->pages = pages;
}

/* Cleaned with FWB too: the host may map the page uncached, and look past the zeroes that are still in the cache. */
void scrub_page(pa_t pa)
{
	clear_and_clean_page(window_open(pa));
	window_close();
}

static void clean_page(pa_t pa) PAGE_WORK
{
	dcache_clean_inval_poc(window_open(pa), PAGE_SIZE);
	window_close();
}

/*
 * Tables for taking [pa, pa + nr pages) from the host and mapping them at EL2. nr is small: the range
 * meets two tables of each kind at the most, those of its ends.
 */
static u64 tables_for_hyp(pa_t pa, u64 nr) REQUIRES(mem)
{
	pa_t last = pa + (nr - 1) * PAGE_SIZE;
	u64 tables = host_map_missing(pa, 3) + hyp_map_missing(pa);

	if (ALIGN_DOWN(pa, level_size(2)) != ALIGN_DOWN(last, level_size(2)))
		tables += host_map_missing(last, 3) + hyp_map_missing(last);
	return tables;
}

/* Not the page at address 0, if that is RAM: 0 ends a pool's list, and says that a guest has no page. */
static bool may_donate_hyp(pa_t pa, u64 nr)
{
	return pa && nr && nr <= MAX_DONATE_HYP && IS_ALIGNED(pa, PAGE_SIZE) &&
	       page_is_ram(pa, nr * PAGE_SIZE);
}

/* Are all of them the host's alone? */
static bool host_owns(pa_t pa, u64 nr) REQUIRES(mem)
{
	for (u64 i = 0; i < nr; i++)
		if (page_of(pa)[i].state != PAGE_HOST)
			return false;
	return true;
}

static int donate_hyp(pa_t pa, u64 nr, u64 reserve, struct want *want)
{
	u64 tables;

	if (!may_donate_hyp(pa, nr))
		return STOCKADE_EINVAL;

	spin_lock(&mem_lock);
	if (!host_owns(pa, nr)) {
		spin_unlock(&mem_lock);
		return STOCKADE_EPERM;
	}
	tables = tables_for_hyp(pa, nr);
	if (hyp_pool.free < tables + reserve) {
		set_want(want, STOCKADE_POOL_HYP, tables + reserve - hyp_pool.free);
		spin_unlock(&mem_lock);
		return STOCKADE_ENOMEM;
	}
	for (u64 i = 0; i < nr; i++) {
		host_unmap(pa + i * PAGE_SIZE, 3);
		*page_of(pa + i * PAGE_SIZE) = (struct page){ .state = PAGE_HYP };
		hyp_map_page(pa + i * PAGE_SIZE);
	}
	page_nr_hyp += nr;
	spin_unlock(&mem_lock);

	/* Nobody else knows of them yet. */
	hyp_clear(pa, nr * PAGE_SIZE);
	return STOCKADE_OK;
}

int host_can_donate_both(pa_t page, pa_t pages, u64 nr, struct want *want)
{
	int ret = STOCKADE_OK;
	u64 need;

	if (!may_donate_hyp(page, 1) || !may_donate_hyp(pages, nr))
		return STOCKADE_EINVAL;
	spin_lock(&mem_lock);
	need = tables_for_hyp(page, 1) + tables_for_hyp(pages, nr) + HYP_POOL_RESERVE;
	/* One of the others already: the first would be zeroed in vain. */
	if (!host_owns(page, 1) || !host_owns(pages, nr) ||
	    (page >= pages && page < pages + nr * PAGE_SIZE)) {
		ret = STOCKADE_EPERM;
	} else if (hyp_pool.free < need) {
		set_want(want, STOCKADE_POOL_HYP, need - hyp_pool.free);
		ret = STOCKADE_ENOMEM;
	}
	spin_unlock(&mem_lock);
	return ret;
}

int host_donate_hyp(pa_t pa, u64 nr, struct want *want)
{
	return donate_hyp(pa, nr, HYP_POOL_RESERVE, want);
}

int host_donate_pool(pa_t pa, u64 nr, struct want *want)
{
	int ret = donate_hyp(pa, nr, 0, want);

	if (ret)
		return ret;
	spin_lock(&mem_lock);
	for (u64 i = 0; i < nr; i++)
		pool_put(&hyp_pool, pa + i * PAGE_SIZE);
	spin_unlock(&mem_lock);
	return STOCKADE_OK;
}

void hyp_donate_host(pa_t pa)
{
	clear_and_clean_page(hyp_va(pa));
	spin_lock(&mem_lock);
	hyp_assert(page_of(pa)->state == PAGE_HYP);
	hyp_unmap_page(pa);
	*page_of(pa) = (struct page){ .state = PAGE_HOST };
	page_nr_hyp--;
	host_remap(pa, 3);
	host_map_unlock();
}

int host_share_hyp(pa_t pa, struct want *want)
{
	struct page *page;
	int ret = STOCKADE_OK;

	if (!IS_ALIGNED(pa, PAGE_SIZE) || !page_is_ram(pa, PAGE_SIZE))
		return STOCKADE_EINVAL;
	spin_lock(&mem_lock);
	page = page_of(pa);
	if (page->state == PAGE_HOST) {
		u64 need = hyp_map_missing(pa) + HYP_POOL_RESERVE;

		if (hyp_pool.free < need) {
			set_want(want, STOCKADE_POOL_HYP, need - hyp_pool.free);
			ret = STOCKADE_ENOMEM;
		} else {
			page->state = PAGE_HOST_SHARED;
			page->refs = 1;
			hyp_map_page(pa);
		}
	} else if (page->state != PAGE_HOST_SHARED) {
		ret = STOCKADE_EPERM;
	} else if (page->refs == PAGE_MAX_REFS) {
		ret = STOCKADE_EBUSY;
	} else {
		page->refs++;
	}
	spin_unlock(&mem_lock);
	return ret;
}

void host_unshare_hyp(pa_t pa)
{
	struct page *page;

	spin_lock(&mem_lock);
	page = page_of(pa);
	hyp_assert(page->state == PAGE_HOST_SHARED && page->refs);
	if (!--page->refs) {
		page->state = PAGE_HOST;
		hyp_unmap_page(pa);
	}
	spin_unlock(&mem_lock);
}

static u64 guest_attrs(void)
{
	return GUEST_RAM | (arch_has_fwb() ? S2_MEMATTR_FORCE_WB : S2_MEMATTR_AS_S1);
}

void guest_mem_init(struct guest_mem *mem, pa_t root, unsigned int ipa_bits, u16 owner)
{
	/* VMID 0 is the host's. */
	pgtable_init_s2(&mem->map, root, ipa_bits, owner + 1u, &mem->pool);
	mem->owner = owner;
}

static bool ipa_is_valid(const struct guest_mem *mem, ipa_t ipa)
{
	return ipa < BIT(mem->map.ia_bits) && IS_ALIGNED(ipa, PAGE_SIZE);
}

/*
 * Without FWB a guest with its caches off reads memory itself: what the host left in caches must be
 * there first, and must not be written back later over what the guest wrote.
 */
static void clean_for_guest(pa_t pa) PAGE_WORK
{
	if (!arch_has_fwb())
		clean_page(pa);
	/* The contents are code, perhaps, and the host's I-cache lines may be older than they. */
	icache_inval_all();
}

/* The same for the next pages of a block; after the last the guest has it. */
static void clean_some(struct guest_mem *mem, u64 *entry, ipa_t ipa) REQUIRES_LOCK(mem->lock)
	REQUIRES(guest_mem) PAGE_WORK
{
	u64 cleaned = FIELD_GET(PTE_CLEANED, *entry);
	pa_t pa = *entry & PTE_ADDR;

	for (u64 i = 0; i < MAX_CLEAN; i++)
		clean_page(pa + cleaned++ * PAGE_SIZE);
	if (cleaned < BLOCK_PAGES) {
		pgtable_set(&mem->map, entry, ipa,
			    pa | PTE_UNCLEAN | FIELD_PUT(PTE_CLEANED, cleaned));
		return;
	}
	icache_inval_all();
	pgtable_set(&mem->map, entry, ipa, pte_leaf(pa, 2, guest_attrs()));
}

int host_donate_guest(struct guest_mem *mem, pa_t pa, ipa_t ipa, u64 nr, bool *more,
		      struct want *want)
{
	unsigned int level = nr == 1 ? 3 : 2, guest_found, host_found;
	/* A block that is split later, by an abort or a guest's call, takes one table on each side. */
	u64 split = level == 2 ? 1 : 0;
	u64 *entry, *host_entry;
	u64 need;
	int ret = STOCKADE_OK;

	if (!pa || (nr != 1 && nr != BLOCK_PAGES) || !ipa_is_valid(mem, ipa) ||
	    !IS_ALIGNED(pa | ipa, level_size(level)) || !page_is_ram(pa, level_size(level)))
		return STOCKADE_EINVAL;

	spin_lock(&mem->lock);
	spin_lock(&mem_lock);
	entry = pgtable_find(&mem->map, ipa, &guest_found);
	if (mem->dying) {
		ret = STOCKADE_EPERM;
		goto refuse;
	}
	if (guest_found > level) {
		ret = STOCKADE_EAGAIN;
		goto refuse;
	}
	*more = false;
	if (level == 2 && pte_is_unclean(*entry) && (*entry & PTE_ADDR) == pa) {
		spin_unlock(&mem_lock);
		clean_some(mem, entry, ipa);
		*more = pte_is_unclean(*entry);
		spin_unlock(&mem->lock);
		return STOCKADE_OK;
	}
	if (*entry) {
		ret = pte_has_page(*entry) ? STOCKADE_EEXIST : STOCKADE_EFAULT;
		goto refuse;
	}
	if (!host_owns(pa, nr)) {
		ret = STOCKADE_EPERM;
		goto refuse;
	}
	host_entry = pgtable_find(&host_map, pa, &host_found);
	if (host_found > level) {
		ret = STOCKADE_EAGAIN;
		goto refuse;
	}
	/* The walks have said which tables there are. */
	need = level - host_found + split + HYP_POOL_RESERVE;
	if (hyp_pool.free < need) {
		set_want(want, STOCKADE_POOL_HYP, need - hyp_pool.free);
		ret = STOCKADE_ENOMEM;
		goto refuse;
	}
	need = level - guest_found + split;
	if (mem->pool.free < need) {
		set_want(want, STOCKADE_POOL_VM, need - mem->pool.free);
		ret = STOCKADE_ENOMEM;
		goto refuse;
	}

	if (host_found < level)
		host_unmap(pa, level);
	else
		pgtable_set(&host_map, host_entry, pa, 0);
	for (u64 i = 0; i < nr; i++)
		page_of(pa)[i] = (struct page){
			.state = PAGE_GUEST,
			.owner = mem->owner,
			.gfn = (ipa >> PAGE_SHIFT) + i,
		};
	pool_reserve(&hyp_pool, split);
	pool_reserve(&mem->pool, split);
	spin_unlock(&mem_lock);

	if (guest_found < level)
		entry = pgtable_make(&mem->map, ipa, level);
	/* The page is the guest's and not yet mapped there: only who holds mem->lock can move it. */
	if (level == 2 && !arch_has_fwb()) {
		pgtable_set(&mem->map, entry, ipa, pa | PTE_UNCLEAN);
		*more = true;
	} else {
		clean_for_guest(pa);
		pgtable_set(&mem->map, entry, ipa, pte_leaf(pa, level, guest_attrs()));
	}
	spin_unlock(&mem->lock);
	return STOCKADE_OK;

refuse:
	spin_unlock(&mem_lock);
	spin_unlock(&mem->lock);
	return ret;
}

/*
 * Splits the block that entry maps at ipa, on both sides, from the tables that were set aside when it was donated.
 * Returns the level 3 entry for ipa.
 */
static u64 *split_block(struct guest_mem *mem, const u64 *entry, ipa_t ipa) REQUIRES_LOCK(mem->lock)
	REQUIRES(guest_mem) REQUIRES(mem)
{
	/* Reclaim may have been half-way through the block: it starts again, with pages. */
	mem->reclaim_zeroed = 0;
	pool_unreserve(&mem->pool, 1);
	pool_unreserve(&hyp_pool, 1);
	pgtable_make(&host_map, *entry & PTE_ADDR, 3);
	return pgtable_make(&mem->map, ipa, 3);
}

/* The guest's level 3 entry for ipa, which is mapped: splits a block. */
static u64 *page_entry(struct guest_mem *mem, ipa_t ipa) REQUIRES_LOCK(mem->lock)
	REQUIRES(guest_mem) REQUIRES(mem)
{
	unsigned int level;
	u64 *entry = pgtable_find(&mem->map, ipa, &level);

	return level == 3 ? entry : split_block(mem, entry, ipa);
}

/* The page that the entry at level maps ipa to, or 0. */
static pa_t page_at(u64 entry, unsigned int level, ipa_t ipa)
{
	if (!(entry & PTE_VALID))
		return 0;
	return (entry & PTE_ADDR) + (ipa & (level_size(level) - 1));
}

/* The page that ipa is mapped to, or 0. */
static pa_t guest_page(const struct guest_mem *mem, ipa_t ipa) REQUIRES_LOCK(mem->lock)
{
	unsigned int level;
	u64 entry = *pgtable_find(&mem->map, ipa, &level);

	return page_at(entry, level, ipa);
}

/*
 * The contents are cleaned first, with FWB too: the host may map the page uncached, and what it finds behind the
 * caches must not be older than what the guest has shown it.
 */
int guest_share_host(struct guest_mem *mem, ipa_t ipa)
{
	unsigned int level;
	int ret = STOCKADE_OK;
	u64 *entry;
	pa_t pa;

	if (!ipa_is_valid(mem, ipa))
		return STOCKADE_EINVAL;
	spin_lock(&mem->lock);
	spin_lock(&mem_lock);
	entry = pgtable_find(&mem->map, ipa, &level);
	pa = page_at(*entry, level, ipa);
	if (!pa) {
		ret = *entry && !pte_is_unclean(*entry) ? STOCKADE_EPERM : STOCKADE_ENOENT;
	} else if (page_of(pa)->state != PAGE_GUEST) {
		ret = STOCKADE_EPERM;
	} else {
		if (level < 3)
			split_block(mem, entry, ipa);
		spin_unlock(&mem_lock);
		/* mem->lock keeps the page where it is. */
		clean_page(pa);
		spin_lock(&mem_lock);
		page_of(pa)->state = PAGE_GUEST_SHARED;
		host_map_shared(pa);
	}
	spin_unlock(&mem_lock);
	spin_unlock(&mem->lock);
	return ret;
}

int guest_unshare_host(struct guest_mem *mem, ipa_t ipa)
{
	int ret = STOCKADE_OK;
	pa_t pa;

	if (!ipa_is_valid(mem, ipa))
		return STOCKADE_EINVAL;
	spin_lock(&mem->lock);
	spin_lock(&mem_lock);
	pa = guest_page(mem, ipa);
	if (!pa || page_of(pa)->state != PAGE_GUEST_SHARED) {
		ret = STOCKADE_EPERM;
	} else {
		/* Sharing has split what there was to split: no table is needed. */
		host_unmap(pa, 3);
		page_of(pa)->state = PAGE_GUEST;
	}
	spin_unlock(&mem_lock);
	if (!ret)
		clean_for_guest(pa);
	spin_unlock(&mem->lock);
	return ret;
}

u64 return_to_host(pa_t pa)
{
	/* Of a block that was not split before; its table was set aside. */
	if (host_map_missing(pa, 3))
		pool_unreserve(&hyp_pool, 1);
	*page_of(pa) = (struct page){ .state = PAGE_HOST };
	return host_remap(pa, 3);
}

/*
 * A private page leaves the guest: `mark` is what its entry says from now on. mem_lock is not held while the page
 * is zeroed.
 */
static void take_from_guest(struct guest_mem *mem, pa_t pa, ipa_t ipa, u64 mark)
	REQUIRES_LOCK(mem->lock) REQUIRES(guest_mem) REQUIRES(mem)
{
	if (!mem->unmapped)
		pgtable_set(&mem->map, page_entry(mem, ipa), ipa, mark);
	page_of(pa)->state = PAGE_MOVING;
	spin_unlock(&mem_lock);

	scrub_page(pa);
	/* The host could run the guest's code where it can't read it. */
	icache_inval_all();

	spin_lock(&mem_lock);
	return_to_host(pa);
}

int guest_relinquish(struct guest_mem *mem, ipa_t ipa)
{
	int ret = STOCKADE_OK;
	pa_t pa;

	if (!ipa_is_valid(mem, ipa))
		return STOCKADE_EINVAL;
	spin_lock(&mem->lock);
	spin_lock(&mem_lock);
	pa = guest_page(mem, ipa);
	if (!pa) {
		ret = STOCKADE_ENOENT;
	} else if (page_of(pa)->state == PAGE_GUEST_SHARED) {
		pgtable_set(&mem->map, page_entry(mem, ipa), ipa, 0);
		*page_of(pa) = (struct page){ .state = PAGE_HOST };
		host_keep(pa);
	} else {
		take_from_guest(mem, pa, ipa, 0);
	}
	host_map_unlock();
	spin_unlock(&mem->lock);
	return ret;
}

int guest_guard_mmio(struct guest_mem *mem, ipa_t ipa, u64 *missing)
{
	unsigned int level;
	int ret = STOCKADE_OK;
	u64 entry, need;

	if (!ipa_is_valid(mem, ipa))
		return STOCKADE_EINVAL;
	spin_lock(&mem->lock);
	entry = *pgtable_find(&mem->map, ipa, &level);
	need = pgtable_missing(&mem->map, ipa, 3);
	if ((entry && entry != PTE_GUARD) || (!entry && mem->nr_guarded == MAX_GUARDED)) {
		ret = STOCKADE_EPERM;
	} else if (need > mem->pool.free) {
		*missing = need - mem->pool.free;
		ret = STOCKADE_ENOMEM;
	} else {
		pgtable_set(&mem->map, pgtable_make(&mem->map, ipa, 3), ipa, PTE_GUARD);
		mem->nr_guarded += !entry;
	}
	spin_unlock(&mem->lock);
	return ret;
}

bool guest_is_mmio(struct guest_mem *mem, ipa_t ipa)
{
	unsigned int level;
	bool is_mmio;

	spin_lock(&mem->lock);
	is_mmio = !mem->nr_guarded || *pgtable_find(&mem->map, ipa, &level) == PTE_GUARD;
	spin_unlock(&mem->lock);
	return is_mmio;
}

void guest_force_reclaim(struct guest_mem *mem, pa_t pa)
{
	const struct page *page;
	unsigned int level;
	ipa_t ipa;
	u64 *entry;

	spin_lock(&mem->lock);
	spin_lock(&mem_lock);
	page = page_of(pa);
	/* Else another CPU came first. */
	if (page->state == PAGE_GUEST && page->owner == mem->owner) {
		ipa = (ipa_t)page->gfn << PAGE_SHIFT;
		entry = pgtable_find(&mem->map, ipa, &level);
		if (pte_is_unclean(*entry)) {
			/* It can't be split before it is mapped. The host comes again. */
			spin_unlock(&mem_lock);
			clean_some(mem, entry, ipa);
			spin_lock(&mem_lock);
		} else {
			take_from_guest(mem, pa, ipa, PTE_POISON);
		}
	}
	host_map_unlock();
	spin_unlock(&mem->lock);
}

bool guest_is_poisoned(struct guest_mem *mem, ipa_t ipa)
{
	unsigned int level;
	bool poisoned;

	if (ipa >= BIT(mem->map.ia_bits))
		return false;
	spin_lock(&mem->lock);
	poisoned = *pgtable_find(&mem->map, ipa, &level) == PTE_POISON;
	spin_unlock(&mem->lock);
	return poisoned;
}
