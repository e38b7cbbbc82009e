// SPDX-License-Identifier: GPL-2.0-only
/*
 * All tables and pools. If quiet, what each page of the hypervisor's is used as is noted in the page array,
 * in fields that its state does not use, and all notes are wiped again: a page of its own has refs = 1
 * once it is claimed, and one that is shared counts its users in gfn.
 */
#include "arch/cache.h"
#include "arch/cpu.h"
#include "arch/layout.h"
#include "debug/debug.h"
#include "mem/host_map.h"
#include "mem/hyp_map.h"
#include "mem/page.h"
#include "vm/vcpu.h"

struct check {
	struct table_visitor visitor; /* first: it is found by this */
	bool quiet;
	struct vm *vm;		/* whose table is visited */
	u64 blocks, nr_guarded; /* of its entries */
	u64 all_blocks;
	u64 array_pages; /* of the page array that are mapped */
	bool unmapped;	 /* guest_unmap_all() was here: tables are lost */
};

static bool is_hyp(pa_t pa) REQUIRES(mem)
{
	return IS_ALIGNED(pa, PAGE_SIZE) && page_is_ram(pa, PAGE_SIZE) &&
	       page_of(pa)->state == PAGE_HYP;
}

/* The hypervisor's page pa is in use, for one thing only. */
static enum stockade_broken claim(struct check *check, pa_t pa, enum stockade_broken otherwise)
	REQUIRES(mem)
{
	check->visitor.where = pa;
	if (!is_hyp(pa))
		return otherwise;
	if (!check->quiet)
		return STOCKADE_BROKEN_NOTHING;
	if (page_of(pa)->refs)
		return STOCKADE_BROKEN_CLAIMED_TWICE;
	page_of(pa)->refs = 1;
	return STOCKADE_BROKEN_NOTHING;
}

static enum stockade_broken claim_table(struct table_visitor *visitor, pa_t table) REQUIRES(mem)
{
	return claim((struct check *)visitor, table, STOCKADE_BROKEN_TABLE);
}

/* A pool's page, which is zero from the word first on. */
static enum stockade_broken claim_zeroed(struct check *check, pa_t page, unsigned int first)
	REQUIRES(mem)
{
	enum stockade_broken broken = claim(check, page, STOCKADE_BROKEN_POOL_PAGE);
	const u64 *word = hyp_va(page);

	for (unsigned int i = first; !broken && i < PAGE_SIZE / 8; i++)
		if (word[i])
			broken = STOCKADE_BROKEN_POOL_PAGE;
	return broken;
}

/* With the pool's lock too. */
static enum stockade_broken check_pool(struct check *check, const struct pool *pool) REQUIRES(mem)
{
	u64 nr = 0, limit = pool->free + pool->reserved;
	enum stockade_broken broken = STOCKADE_BROKEN_NOTHING;

	for (pa_t page = pool->head; !broken && page && nr <= limit; nr++) {
		broken = claim_zeroed(check, page, 1);
		if (!broken)
			page = *(const u64 *)hyp_va(page);
	}
	for (pa_t page = pool->next; !broken && page < pool->end; page += PAGE_SIZE, nr++)
		broken = claim_zeroed(check, page, 0);
	if (!broken && nr != limit)
		broken = STOCKADE_BROKEN_POOL_COUNT;
	return broken;
}

/* --- EL2's stage 1 --- */

static enum stockade_broken check_hyp_entry(struct table_visitor *visitor, u64 va,
					    unsigned int level, u64 entry) REQUIRES(mem)
{
	struct check *check = (struct check *)visitor;
	enum stockade_broken broken = STOCKADE_BROKEN_NOTHING;
	pa_t pa = entry & PTE_ADDR;

	/* Other CPUs open and close their windows under nobody's eyes. */
	if (va >= HYP_WINDOW_BASE && va < HYP_IMAGE_BASE && !check->quiet)
		return STOCKADE_BROKEN_NOTHING;
	visitor->where = pa;
	if (entry != pte_leaf(pa, level, HYP_RW) && entry != pte_leaf(pa, level, HYP_RO) &&
	    entry != pte_leaf(pa, level, HYP_RX))
		return STOCKADE_BROKEN_HYP_ENTRY;
	if (va >= HYP_WINDOW_BASE && va < HYP_IMAGE_BASE)
		return STOCKADE_BROKEN_HYP_ENTRY;
	if (va >= HYP_LINEAR_BASE && va < HYP_ARRAY_BASE) {
		if (entry != pte_leaf(va - HYP_LINEAR_BASE, level, HYP_RW))
			return STOCKADE_BROKEN_HYP_ENTRY;
		return STOCKADE_BROKEN_NOTHING;
	}
	if (va >= HYP_ARRAY_BASE && va < HYP_STACK_BASE)
		check->array_pages += level_size(level) / PAGE_SIZE;
	for (u64 i = 0; !broken && i < level_size(level); i += PAGE_SIZE) {
		/* The page that turns the MMU on is the image's, once more. */
		if (va < HYP_LINEAR_BASE)
			broken = is_hyp(pa + i) ? STOCKADE_BROKEN_NOTHING :
						  STOCKADE_BROKEN_HYP_ENTRY;
		else
			broken = claim(check, pa + i, STOCKADE_BROKEN_HYP_ENTRY);
	}
	return broken;
}

/* --- the host's stage 2 --- */

static enum stockade_broken check_host_entry(struct table_visitor *visitor, u64 ipa,
					     unsigned int level, u64 entry)
{
	pa_t pa = entry & PTE_ADDR;

	visitor->where = ipa;
	if (pa != ipa)
		return STOCKADE_BROKEN_HOST_ENTRY;
	/* What pages a block of RAM may have, and which are shared, is CHECK_PAGES' matter. */
	if ((entry & ~PTE_GUESTS) == pte_leaf(pa, level, HOST_RAM) &&
	    page_is_ram(pa, level_size(level)))
		return STOCKADE_BROKEN_NOTHING;
	if (entry == pte_leaf(pa, level, HOST_DEVICE) && !page_meets_ram(pa, level_size(level)))
		return STOCKADE_BROKEN_NOTHING;
	return STOCKADE_BROKEN_HOST_ENTRY;
}

/* --- guests --- */

static enum stockade_broken check_guest_entry(struct table_visitor *visitor, u64 ipa,
					      unsigned int level, u64 entry) REQUIRES(mem)
{
	u64 attrs = GUEST_RAM | (arch_has_fwb() ? S2_MEMATTR_FORCE_WB : S2_MEMATTR_AS_S1);
	struct check *check = (struct check *)visitor;
	pa_t pa = entry & PTE_ADDR;
	bool unclean = level == 2 && !arch_has_fwb() &&
		       entry == (pa | PTE_UNCLEAN | (entry & PTE_CLEANED));

	visitor->where = pa;
	if (!(entry & PTE_VALID) && !unclean) {
		check->nr_guarded += entry == PTE_GUARD;
		return level == 3 && (entry == PTE_GUARD || entry == PTE_POISON) ?
			       STOCKADE_BROKEN_NOTHING :
			       STOCKADE_BROKEN_GUEST_ENTRY;
	}
	if (level < 2 || (!unclean && entry != pte_leaf(pa, level, attrs)) ||
	    !page_is_ram(pa, level_size(level)))
		return STOCKADE_BROKEN_GUEST_ENTRY;
	check->blocks += level == 2;
	for (u64 i = 0; i < level_size(level) / PAGE_SIZE; i++) {
		const struct page *page = page_of(pa) + i;

		visitor->where = pa + i * PAGE_SIZE;
		/* Sharing splits blocks. */
		if ((page->state != PAGE_GUEST &&
		     (page->state != PAGE_GUEST_SHARED || level == 2)) ||
		    page->owner != check->vm->index || page->gfn != (ipa >> PAGE_SHIFT) + i)
			return STOCKADE_BROKEN_GUEST_HAS;
	}
	return STOCKADE_BROKEN_NOTHING;
}

static enum stockade_broken check_guest_mem(struct check *check, const struct guest_mem *mem)
	REQUIRES_LOCK(mem->lock) REQUIRES(guest_mem) REQUIRES(mem)
{
	enum stockade_broken broken;

	check->visitor.entry = check_guest_entry;
	check->blocks = check->nr_guarded = 0;
	broken = visit_tables(&mem->map, &check->visitor);
	if (!broken)
		broken = check_pool(check, &mem->pool);
	if (broken)
		return broken;
	if (mem->unmapped) {
		check->unmapped = true;
		return STOCKADE_BROKEN_NOTHING;
	}
	check->all_blocks += check->blocks;
	check->visitor.where = mem->map.root;
	if (mem->pool.reserved != check->blocks)
		return STOCKADE_BROKEN_RESERVE;
	/* Reclaim wipes the entries. */
	if (!mem->dying && mem->nr_guarded != check->nr_guarded)
		return STOCKADE_BROKEN_GUARDED;
	return STOCKADE_BROKEN_NOTHING;
}

static enum stockade_broken check_vcpu(struct check *check, struct vm *vm, u32 index)
	REQUIRES_LOCK(vm->lock) REQUIRES(vm) REQUIRES(mem)
{
	const struct vcpu *vcpu = vm->vcpus[index];
	enum stockade_broken broken = claim(check, hyp_pa(vcpu), STOCKADE_BROKEN_VM);
	pa_t run;

	if (broken)
		return broken;
	run = ALIGN_DOWN(hyp_pa(vcpu->run), PAGE_SIZE);
	if (vcpu->vm != vm || vcpu->index != index || !page_is_ram(run, PAGE_SIZE) ||
	    page_of(run)->state != PAGE_HOST_SHARED)
		return STOCKADE_BROKEN_VM;
	if (check->quiet)
		page_of(run)->gfn++;
	return STOCKADE_BROKEN_NOTHING;
}

/* vCPUs of the VM that CPUs say they have. */
static u32 bound_to_cpus(const struct vm *vm) REQUIRES_LOCK(vm->lock) REQUIRES(vm)
{
	u32 nr = 0;

	for (unsigned int i = 0; i < cpu_count; i++)
		nr += cpu_get(i)->vcpu && cpu_get(i)->vcpu->vm == vm && cpu_get(i)->vcpu->bound;
	return nr;
}

/* Not under the table's lock, which is taken alone: all other CPUs have been stopped. */
static u32 users_if_quiet(const struct vm *vm) NO_LOCK_CHECK
{
	return vm->users;
}

static enum stockade_broken check_vm(struct check *check, struct vm *vm, u32 index) TAKES(vm)
{
	enum stockade_broken broken;
	u32 bound = 0;

	check->vm = vm;
	spin_lock(&vm->lock);
	spin_lock(&vm->mem.lock);
	spin_lock(&mem_lock);
	broken = claim(check, hyp_pa(vm), STOCKADE_BROKEN_VM);
	if (!broken && (vm->index != index || vm->mem.owner != index ||
			vm->mem.map.vttbr != (vm->mem.map.root | (u64)(index + 1) << 48) ||
			vm->world.vttbr != vm->mem.map.vttbr))
		broken = STOCKADE_BROKEN_VM;
	if (!broken)
		broken = check_guest_mem(check, &vm->mem);
	for (u32 i = 0; !broken && i < vm->nr_vcpus; i++) {
		broken = check_vcpu(check, vm, i);
		bound += vm->vcpus[i]->bound;
	}
	/* Users: each vCPU that is bound, and we. */
	if (!broken && check->quiet &&
	    (vm->loaded != bound || bound_to_cpus(vm) != bound || users_if_quiet(vm) != bound + 1))
		broken = STOCKADE_BROKEN_RUNS;
	spin_unlock(&mem_lock);
	spin_unlock(&vm->mem.lock);
	spin_unlock(&vm->lock);
	return broken;
}

/* --- all of it --- */

static enum stockade_broken check_own(struct check *check) TAKES(mem)
{
	enum stockade_broken broken;

	spin_lock(&mem_lock);
	check->visitor.entry = check_hyp_entry;
	broken = visit_tables(&hyp_map, &check->visitor);
	check->visitor.entry = check_host_entry;
	if (!broken)
		broken = visit_tables(&host_map, &check->visitor);
	if (!broken)
		broken = check_pool(check, &hyp_pool);
	for (unsigned int i = 0; !broken && i < cpu_count; i++) {
		broken = claim(check, hyp_pa(cpu_get(i)), STOCKADE_BROKEN_TABLE);
		if (!broken && check->quiet && cpu_get(i)->in_guest)
			broken = STOCKADE_BROKEN_RUNS;
	}
	spin_unlock(&mem_lock);
	return broken;
}

/* Where two ranges of RAM have entries in one page of the array, the loader has given one page more. */
static u64 spare_array_pages(const struct check *check)
{
	const struct stockade_range *ram;
	u64 given = 0;

	for (unsigned int i = 0; (ram = page_ram_range(i)); i++)
		given += stockade_array_pages(ram->base, ram->size);
	return given - check->array_pages;
}

/* Wipes the notes. What is not in any use, or in more or less use than it says? */
static enum stockade_broken sweep(struct check *check, pa_t *where) TAKES(mem)
{
	enum stockade_broken broken = STOCKADE_BROKEN_NOTHING;
	u64 nr_hyp = 0, nr_lost = 0, nr_over = 0;
	const struct stockade_range *ram;
	pa_t lost = 0;

	spin_lock(&mem_lock);
	for (unsigned int n = 0; (ram = page_ram_range(n)); n++) {
		struct page *page = page_of(ram->base);

		for (u64 i = 0; i < ram->size / PAGE_SIZE; i++, page++) {
			pa_t pa = ram->base + i * PAGE_SIZE;

			if (page->state == PAGE_HYP) {
				nr_hyp++;
				nr_lost += !page->refs;
				lost = page->refs ? lost : pa;
				page->refs = 0;
			} else if (page->state == PAGE_HOST_SHARED) {
				/* The log is shared too, with no vCPU. */
				nr_over += page->refs - page->gfn;
				if (!broken && (page->gfn > page->refs || nr_over > 1)) {
					broken = STOCKADE_BROKEN_SHARES;
					*where = pa;
				}
				page->gfn = 0;
			}
		}
	}
	if (!broken && nr_over != 1)
		broken = STOCKADE_BROKEN_SHARES;
	if (!broken && nr_hyp != page_nr_hyp)
		broken = STOCKADE_BROKEN_HYP_COUNT;
	/* The tables of a VM that was unmapped are lost until all is. */
	if (!broken && !check->unmapped && nr_lost != spare_array_pages(check)) {
		broken = STOCKADE_BROKEN_LOST;
		*where = lost;
	}
	if (!broken && !check->unmapped && hyp_pool.reserved != check->all_blocks)
		broken = STOCKADE_BROKEN_RESERVE;
	spin_unlock(&mem_lock);
	return broken;
}

enum stockade_broken check_tables(bool quiet, pa_t *where)
{
	struct check check = { .visitor.table = claim_table, .quiet = quiet };
	enum stockade_broken broken = check_own(&check), left;

	for (u32 i = 0; !broken && i < STOCKADE_MAX_VMS; i++) {
		struct vm *vm = vm_get_index(i);

		if (!vm)
			continue;
		broken = check_vm(&check, vm, i);
		vm_put(vm);
	}
	*where = broken ? check.visitor.where : 0;
	if (!quiet)
		return broken;
	left = sweep(&check, broken ? &check.visitor.where : where);
	return broken ? broken : left;
}
