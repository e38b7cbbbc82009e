/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where kernels differ, from 6.1 on. Nowhere else in the module is a kernel version looked at.
 */
#ifndef STOCKADE_COMPAT_H
#define STOCKADE_COMPAT_H

#include <linux/hrtimer.h>
#include <linux/kvm.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/version.h>

#include <asm/neon.h>

/*
 * The bracket in which FP registers are the hypervisor's to switch. Newer kernels want room for
 * what a preempted user of the registers had in them.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
#define stockade_fp_begin(state) kernel_neon_begin(state)
#define stockade_fp_end(state)	 kernel_neon_end(state)
#else
#define stockade_fp_begin(state) ((void)(state), kernel_neon_begin())
#define stockade_fp_end(state)	 ((void)(state), kernel_neon_end())
#endif

/* The largest order that the page allocator has. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define MAX_PAGE_ORDER (MAX_ORDER - 1)
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define MAX_PAGE_ORDER MAX_ORDER
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline void stockade_hrtimer_setup(struct hrtimer *timer,
					  enum hrtimer_restart (*function)(struct hrtimer *))
{
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	timer->function = function;
}
#else
static inline void stockade_hrtimer_setup(struct hrtimer *timer,
					  enum hrtimer_restart (*function)(struct hrtimer *))
{
	hrtimer_setup(timer, function, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
}
#endif

/* Newer kernels rename the field, lest it be read twice: only KVM_RUN reads it, once. */
#ifdef HINT_UNSAFE_IN_KVM
#define stockade_immediate_exit(run) READ_ONCE((run)->immediate_exit__unsafe)
#else
#define stockade_immediate_exit(run) READ_ONCE((run)->immediate_exit)
#endif

/*
 * What a task has to do on its way to user space, and before a guest runs: to be scheduled, to take a signal (-EINTR), to sleep
 * since its group has too much memory (memory.high). Older kernels' function for it wants KVM's own vCPU; there KVM_RUN ends
 * for memory.high as if by a signal.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
#include <linux/entry-virt.h>

#define stockade_has_work() __xfer_to_guest_mode_work_pending()
#define stockade_do_work()  xfer_to_guest_mode_handle_work()
#else
static inline bool stockade_must_leave(void)
{
#ifdef CONFIG_MEMCG
	if (READ_ONCE(current->memcg_nr_pages_over_high))
		return true;
#endif
	return signal_pending(current);
}

static inline bool stockade_has_work(void)
{
	return need_resched() || stockade_must_leave();
}

static inline int stockade_do_work(void)
{
	return stockade_must_leave() ? -EINTR : 0;
}
#endif

/*
 * What keeps fork() and KSM off a mapping. KSM leaves those alone that may not grow, whatever madvise() says later. Before
 * 6.7 no page fault gives such a mapping a huge page: there it is left open to a madvise() that comes later.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
#define STOCKADE_KEEP_OFF VM_DONTCOPY
#else
#define STOCKADE_KEEP_OFF (VM_DONTCOPY | VM_DONTEXPAND)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_set(struct vm_area_struct *vma, unsigned long flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, unsigned long flags)
{
	vma->vm_flags &= ~flags;
}
#endif

/*
 * Pin pages of current's for as long as the guest has them. The quick way needs no lock if they are
 * there already, but cannot tell poisoned memory from none. Newer kernels refuse files that are
 * mapped shared, other than shmem, with EFAULT; for older ones that is done here.
 */
static inline long stockade_pin_fast(unsigned long hva, unsigned long nr, struct page **pages,
				     unsigned int flags)
{
	return pin_user_pages_fast(hva, nr, flags & (FOLL_WRITE | FOLL_LONGTERM), pages);
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
static inline bool stockade_pinnable(struct folio *folio)
{
	return folio_test_anon(folio) || folio_test_swapbacked(folio) || folio_test_hugetlb(folio);
}

static inline long stockade_pin(unsigned long hva, unsigned long nr, struct page **pages,
				unsigned int flags)
{
	long got = stockade_pin_fast(hva, nr, pages, flags), i;

	if (got == -EFAULT) {
		mmap_read_lock(current->mm);
		got = pin_user_pages(hva, nr, flags, pages, NULL);
		mmap_read_unlock(current->mm);
	}
	for (i = 0; i < got; i++) {
		if (!stockade_pinnable(page_folio(pages[i]))) {
			unpin_user_pages(pages, got);
			return -EFAULT;
		}
	}
	return got;
}
#else
static inline long stockade_pin(unsigned long hva, unsigned long nr, struct page **pages,
				unsigned int flags)
{
	long got = stockade_pin_fast(hva, nr, pages, flags);

	return got == -EFAULT ? pin_user_pages_unlocked(hva, nr, pages, flags) : got;
}
#endif

#endif
