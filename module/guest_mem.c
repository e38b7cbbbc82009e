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

#define BLOCK_PAGES 512UL /* of 2 MiB, as in STOCKADE_HC_HOST_DONATE_GUEST */
#define BLOCK_MASK  (BLOCK_PAGES - 1)

/* Tags of guest_pages' entries: one page, or a block's first page, which fills all 512 indexes. */
#define TAG_PAGE  0
#define TAG_BLOCK 1

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

/*
 * What a mapping is when the kernel is to look at it neither in fork() nor in KSM, whatever
 * madvise() says later: KSM leaves those alone that may not grow.
 */
#define KEEP_OFF (VM_DONTCOPY | VM_DONTEXPAND)

/* ksmd looks at a page for so long at the most, unless it has no CPU to run on. */
#define KSMD_MS 20

/* fork() and KSM copy private pages only; a child may want what the guest shares. */
static bool wants_mark(const struct vm_area_struct *vma)
{
	return !(vma->vm_flags & VM_SHARED) && (vma->vm_flags & KEEP_OFF) != KEEP_OFF;
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
		vm_flags_set(vma, KEEP_OFF);
	return err;
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
	int err = __account_locked_vm(mm, nr, true, current, false);

	if (err && capable(CAP_IPC_LOCK))
		err = __account_locked_vm(mm, nr, true, current, true);
	return err;
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

/* Without mem_lock the answer may be outdated at once. */
static bool recorded(struct stockade_vm *vm, gfn_t gfn, unsigned long nr)
{
	unsigned long first = gfn;

	return xa_find(&vm->guest_pages, &first, gfn + nr - 1, XA_PRESENT);
}

/* With mem_lock. EEXIST: there are records in that range. */
static int record(struct stockade_vm *vm, gfn_t gfn, struct page *page, unsigned long nr)
{
	int err;

	if (nr == 1) {
		err = xa_insert(&vm->guest_pages, gfn, xa_tag_pointer(page, TAG_PAGE),
				GFP_KERNEL_ACCOUNT);
		return err == -EBUSY ? -EEXIST : err;
	}
	if (recorded(vm, gfn, nr))
		return -EEXIST;
#ifdef CONFIG_XARRAY_MULTI
	return xa_err(xa_store_range(&vm->guest_pages, gfn, gfn + nr - 1,
				     xa_tag_pointer(page, TAG_BLOCK), GFP_KERNEL_ACCOUNT));
#else
	return -EAGAIN;
#endif
}

/* Record, donate. On failure nothing is left of it; EEXIST: a sibling vCPU was faster. */
static int give(struct stockade_vm *vm, gfn_t gfn, struct page *page, unsigned long nr)
{
	int err;

	mutex_lock(&vm->mem_lock);
	/* The record first: it may fail, and to take a donation back is not possible. */
	err = record(vm, gfn, page, nr);
	if (!err) {
		err = stockade_hc_host_donate_guest(vm->handle, page_to_pfn(page), gfn, nr);
		if (err)
			xa_erase(&vm->guest_pages, gfn);
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
static bool give_block(struct stockade_vm *vm, const struct stockade_memslot *slot, gfn_t gfn,
		       struct page *page)
{
	gfn_t base = gfn & ~BLOCK_MASK;
	unsigned long hva;
	struct page *first;

	if (!IS_ENABLED(CONFIG_XARRAY_MULTI))
		return false;
	if (folio_nr_pages(page_folio(page)) < BLOCK_PAGES ||
	    (page_to_pfn(page) & BLOCK_MASK) != (gfn & BLOCK_MASK))
		return false;
	if (base < slot->base_gfn || base + BLOCK_PAGES > slot->base_gfn + slot->npages)
		return false;
	/* What could not be given as a block once is given page by page from then on. */
	if (recorded(vm, base, BLOCK_PAGES))
		return false;
	hva = slot->hva + ((base - slot->base_gfn) << PAGE_SHIFT);
	first = pin_block(hva);
	if (!first)
		return false;
	if (claim(vm, hva, BLOCK_PAGES))
		goto unpin;
	if (!give(vm, base, first, BLOCK_PAGES))
		return true;
	unclaim(vm, BLOCK_PAGES);
unpin:
	unpin_user_page_range_dirty_lock(first, BLOCK_PAGES, false);
	return false;
}

int stockade_guest_fault(struct stockade_vm *vm, const struct stockade_memslot *slot, gfn_t gfn)
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
	err = give(vm, gfn, page, 1);
	if (!err)
		return 1;
	unclaim(vm, 1);
unpin:
	unpin_user_page(page);
	return err == -EEXIST ? 1 : err;
}

/* With mem_lock: of a block's record, one for each page, so that one can be dropped. */
static void split_record(struct stockade_vm *vm, gfn_t gfn, void *entry)
{
	struct page *first = xa_untag_pointer(entry);
	gfn_t base = gfn & ~BLOCK_MASK;
	unsigned long i;

	xa_erase(&vm->guest_pages, base);
	for (i = 0; i < BLOCK_PAGES; i++)
		xa_store(&vm->guest_pages, base + i, xa_tag_pointer(first + i, TAG_PAGE),
			 GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);
}

void stockade_guest_page_relinquished(struct stockade_vm *vm, gfn_t gfn)
{
	void *entry;

	mutex_lock(&vm->mem_lock);
	entry = xa_load(&vm->guest_pages, gfn);
	if (entry && xa_pointer_tag(entry) == TAG_BLOCK)
		split_record(vm, gfn, entry);
	entry = xa_erase(&vm->guest_pages, gfn);
	if (entry)
		vm->locked_pages--;
	mutex_unlock(&vm->mem_lock);
	if (!entry)
		return;
	unpin_user_page_range_dirty_lock(xa_untag_pointer(entry), 1, true);
	account_locked_vm(vm->mm, 1, false);
}

/* The next records, up to max of them. To look for each by its index would cost more than to drop it. */
static unsigned int next_entries(struct xa_state *xas, void **entries, unsigned int max)
{
	unsigned int nr = 0;
	void *entry;

	rcu_read_lock();
	xas_for_each(xas, entry, ULONG_MAX)
	{
		entries[nr++] = entry;
		if (nr == max)
			break;
	}
	xas_pause(xas);
	rcu_read_unlock();
	return nr;
}

static void unpin_entries(void **entries, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		unsigned long pages = xa_pointer_tag(entries[i]) == TAG_BLOCK ? BLOCK_PAGES : 1;

		/* Dirty: what was in the VMM's page has gone, also if it has a copy in swap. */
		unpin_user_page_range_dirty_lock(xa_untag_pointer(entries[i]), pages, true);
	}
}

void stockade_guest_pages_release(struct stockade_vm *vm)
{
	void *entries[32];
	unsigned int nr;

	XA_STATE(xas, &vm->guest_pages, 0);

	mutex_lock(&vm->mem_lock);
	do {
		nr = next_entries(&xas, entries, ARRAY_SIZE(entries));
		unpin_entries(entries, nr);
		cond_resched();
	} while (nr == ARRAY_SIZE(entries));
	xa_destroy(&vm->guest_pages);
	account_locked_vm(vm->mm, vm->locked_pages, false);
	vm->locked_pages = 0;
	mutex_unlock(&vm->mem_lock);
}
