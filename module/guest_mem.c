// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's memory: pages of the VMM's, pinned, accounted and donated one by one, or 2 MiB at
 * once, when the guest first touches them. They stay pinned until the hypervisor has given them
 * back: from donation to reclaim the kernel must neither move nor free nor write to them.
 */
#include "kvm.h"

#include <linux/delay.h>
#include <linux/ksm.h>
#include <linux/mman.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "compat.h"
#include "hostcall.h"
#include "record.h"

#define BLOCK_PAGES STOCKADE_BLOCK_PAGES
#define BLOCK_MASK  (BLOCK_PAGES - 1)

/*
 * Write and long-term even if the guest only reads: so that it is neither the zero page nor one
 * that KSM shares, nor in memory that must stay movable.
 */
#define PIN_FLAGS (FOLL_WRITE | FOLL_LONGTERM | FOLL_HWPOISON)

static int pin_one(unsigned long hva, struct page **page)
{
	struct folio *folio;
	long nr;

	nr = stockade_pin(hva, 1, page, PIN_FLAGS);
	if (nr != 1)
		return nr < 0 ? nr : -EFAULT;

	/*
	 * A file's pages are written back, by DMA or by the kernel's hand, and are not swapped when
	 * memory is short; hugetlb pages are the pool's. Neither can be the guest's alone.
	 */
	folio = page_folio(*page);
	if (!folio_test_swapbacked(folio) || folio_test_hugetlb(folio)) {
		unpin_user_page(*page);
		return -EIO;
	}
	/* On its way to swap? The pin allows no other such journey. */
	folio_wait_writeback(folio);
	return 0;
}

/* ksmd looks at a page for so long at the most, unless it has no CPU to run on. */
#define KSMD_MS 20

/* fork() and KSM copy private pages only; a child may want what the guest shares. */
static bool wants_mark(const struct vm_area_struct *vma)
{
	return !(vma->vm_flags & VM_SHARED) &&
	       ((vma->vm_flags & STOCKADE_KEEP_OFF) != STOCKADE_KEEP_OFF ||
		vma->vm_flags & VM_MERGEABLE);
}

static int mark_vma(struct vm_area_struct *vma)
{
	int err = 0;

	if (IS_ENABLED(CONFIG_KSM) && vma->vm_flags & VM_MERGEABLE) {
		unsigned long flags = vma->vm_flags;

		err = ksm_madvise(vma, vma->vm_start, vma->vm_end, MADV_UNMERGEABLE, &flags);
		if (!err)
			vm_flags_clear(vma, VM_MERGEABLE);
	}
	if (!err)
		vm_flags_set(vma, STOCKADE_KEEP_OFF);
	/* It says so when a signal is pending, and means that KVM_RUN is to be called anew. */
	return err == -ERESTARTSYS ? -EINTR : err;
}

/* With mmap_lock, to write. *mergeable: ksmd may be looking at one of them. */
static int mark_range(struct mm_struct *mm, unsigned long start, unsigned long end, bool *mergeable)
{
	struct vm_area_struct *vma;
	int err = 0;

	for (; start < end && !err; start = vma->vm_end) {
		vma = find_vma(mm, start);
		if (!vma || vma->vm_start >= end)
			break;
		if (!wants_mark(vma))
			continue;
		*mergeable |= !!(vma->vm_flags & VM_MERGEABLE);
		err = mark_vma(vma);
	}
	return err;
}

/* With mmap_lock, to write. Who may exceed the limit is asked only if he does. */
static int account(struct mm_struct *mm, unsigned long nr)
{
	bool above = mm->locked_vm + nr > rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;

	return __account_locked_vm(mm, nr, true, current, above && capable(CAP_IPC_LOCK));
}

static void say_limit(void)
{
	pr_info_ratelimited(
		"%s[%d]: RLIMIT_MEMLOCK (%lu KiB) is too low for the VM: see ulimit -l\n",
		current->comm, task_pid_nr(current), rlimit(RLIMIT_MEMLOCK) >> 10);
}

/*
 * Before the nr pages at hva are donated: account them, and keep the kernel off them. fork() copies
 * pinned pages, and ksmd reads what it might merge. Either would be the host's kernel touching a
 * donated page, and cost the guest that page. So neither is to look at the mappings that have one,
 * nor at what else is in them: a mapping cannot be split from here. unclaim() undoes the account.
 */
static int claim(struct stockade_vm *vm, unsigned long hva, unsigned long nr)
{
	bool mergeable = false;
	int err;

	if (mmap_write_lock_killable(vm->mm))
		return -EINTR;
	err = account(vm->mm, nr);
	if (!err) {
		err = mark_range(vm->mm, hva, hva + (nr << PAGE_SHIFT), &mergeable);
		if (err)
			__account_locked_vm(vm->mm, nr, false, current, true);
	} else if (nr == 1) {
		/* Who has no room for a block may have room for a page. */
		say_limit();
	}
	mmap_write_unlock(vm->mm);
	/* It looks at one page at a time, and without mmap_lock. */
	if (mergeable)
		msleep(KSMD_MS);
	return err;
}

static void unclaim(struct stockade_vm *vm, unsigned long nr)
{
	account_locked_vm(vm->mm, nr, false);
}

/* Record, donate. On failure nothing is left of it; EEXIST: a sibling vCPU was faster. */
static int give(struct stockade_vm *vm, struct stockade_memslot *slot, gfn_t gfn, struct page *page,
		unsigned long nr)
{
	int err;

	mutex_lock(&vm->mem_lock);
	/* The record first: it may fail, and to take a donation back is not possible. */
	err = stockade_record_add(slot, gfn, page, nr);
	if (!err) {
		err = stockade_hc_host_donate_guest(vm->handle, page_to_pfn(page), gfn, nr);
		if (err)
			stockade_record_undo(slot, gfn, nr);
		else
			vm->locked_pages += nr;
	}
	mutex_unlock(&vm->mem_lock);
	return err;
}

/* Pin the 512 pages at hva, if they are one block of physical memory; returns its first page. */
static struct page *pin_block(unsigned long hva)
{
	struct page **pages, *first = NULL;
	long nr, i;

	pages = kmalloc_array(BLOCK_PAGES, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return NULL;
	nr = stockade_pin(hva, BLOCK_PAGES, pages, PIN_FLAGS);
	if (nr <= 0)
		goto out;
	for (i = 0; i < nr; i++)
		if (page_to_pfn(pages[i]) != page_to_pfn(pages[0]) + i ||
		    !folio_test_swapbacked(page_folio(pages[i])))
			break;
	if (i == BLOCK_PAGES && !(page_to_pfn(pages[0]) & BLOCK_MASK)) {
		first = pages[0];
		for (i = 0; i < BLOCK_PAGES; i++)
			folio_wait_writeback(page_folio(pages[i]));
	} else {
		unpin_user_pages(pages, nr);
	}
out:
	kfree(pages);
	return first;
}

/*
 * Give the whole 2 MiB around gfn, of which page is pinned already, if it is a huge page at a
 * fitting guest address, and if the limits leave room for it. Else false: then nothing has changed.
 */
static bool give_block(struct stockade_vm *vm, struct stockade_memslot *slot, gfn_t gfn,
		       struct page *page)
{
	gfn_t base = gfn & ~BLOCK_MASK;
	unsigned long hva;
	struct page *first;

	if (folio_nr_pages(page_folio(page)) < BLOCK_PAGES ||
	    (page_to_pfn(page) & BLOCK_MASK) != (gfn & BLOCK_MASK))
		return false;
	/* What could not be given as a block once is given page by page from then on. */
	if (!stockade_record_block_fits(slot, base))
		return false;
	hva = slot->hva + ((base - slot->base_gfn) << PAGE_SHIFT);
	first = pin_block(hva);
	if (!first)
		return false;
	if (claim(vm, hva, BLOCK_PAGES))
		goto unpin;
	if (!give(vm, slot, base, first, BLOCK_PAGES))
		return true;
	unclaim(vm, BLOCK_PAGES);
unpin:
	unpin_user_page_range_dirty_lock(first, BLOCK_PAGES, false);
	return false;
}

int stockade_guest_fault(struct stockade_vm *vm, struct stockade_memslot *slot, gfn_t gfn)
{
	unsigned long hva = slot->hva + ((gfn - slot->base_gfn) << PAGE_SHIFT);
	struct page *page;
	int err;

	err = pin_one(hva, &page);
	if (err == -EHWPOISON) {
		/* As if the VMM had touched it; the signal ends KVM_RUN. */
		send_sig_mceerr(BUS_MCEERR_AR, (void __user *)hva, PAGE_SHIFT, current);
		return 1;
	}
	if (err)
		return err;
	if (give_block(vm, slot, gfn, page)) {
		/* The block has its own pins. */
		unpin_user_page(page);
		return 1;
	}
	err = claim(vm, hva, 1);
	if (err)
		goto unpin;
	err = give(vm, slot, gfn, page, 1);
	if (!err)
		return 1;
	unclaim(vm, 1);
unpin:
	unpin_user_page(page);
	return err == -EEXIST ? 1 : err;
}

void stockade_guest_page_relinquished(struct stockade_vm *vm, gfn_t gfn)
{
	struct stockade_memslot *slot = stockade_memslot_find(vm, gfn);
	struct page *page = NULL;

	mutex_lock(&vm->mem_lock);
	if (slot)
		page = stockade_record_take(slot, gfn);
	if (page)
		vm->locked_pages--;
	mutex_unlock(&vm->mem_lock);
	if (!page)
		return;
	/* Dirty: what was in the VMM's page has gone, also if it has a copy in swap. */
	unpin_user_page_range_dirty_lock(page, 1, true);
	account_locked_vm(vm->mm, 1, false);
}

void stockade_guest_pages_release(struct stockade_vm *vm)
{
	struct stockade_memslot *slot;
	unsigned long nr;

	mutex_lock(&vm->mem_lock);
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): the list has no NULL in it. */
	list_for_each_entry(slot, &vm->slots, node)
		stockade_record_release(slot);
	nr = vm->locked_pages;
	vm->locked_pages = 0;
	mutex_unlock(&vm->mem_lock);
	account_locked_vm(vm->mm, nr, false);
}
