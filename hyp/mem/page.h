/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who owns each page of RAM.
 *
 * Every page frame of RAM has one entry here, and the entry alone decides; the page tables follow it.
 * All entries are guarded by mem_lock.
 *
 *   state              owner       host    hypervisor guest   idle contents
 *   PAGE_NONE          nobody      -       -          -       unknown (no RAM: zeroed entry)
 *   PAGE_HOST          host        RWX     -          -       host's
 *   PAGE_HOST_SHARED   host        RWX     RW         -       host's (refs = number of shares)
 *   PAGE_HOST_SECURE   host        RWX     -          -       host's; the secure world may reach it, or EL2 copies from or to it (FF-A)
 *   PAGE_HYP           hypervisor  -       RW         -       hypervisor's; zeroed on the way in and out
 *   PAGE_GUEST         VM `owner`  -       -          RWX     guest's; zeroed on the way out
 *   PAGE_GUEST_SHARED  VM `owner`  RWX     -          RWX     guest's, seen by the host
 *   PAGE_MOVING        see below   -       -          -       on its way, nobody may touch it
 *
 * The guest does not have a PAGE_GUEST yet if it is of a block that is still to be cleaned (PTE_UNCLEAN).
 *
 * PAGE_MOVING marks a page that one CPU is zeroing without holding mem_lock: it has left its old owner
 * and not yet reached the new one.
 */
#ifndef HYP_MEM_PAGE_H
#define HYP_MEM_PAGE_H

#include <stockade/launch.h>

#include "arch/layout.h"
#include "arch/lock.h"
#include "lib/types.h"

enum page_state {
	PAGE_NONE = 0,
	PAGE_HOST,
	PAGE_HOST_SHARED,
	PAGE_HOST_SECURE,
	PAGE_HYP,
	PAGE_GUEST,
	PAGE_GUEST_SHARED,
	PAGE_MOVING,
};

struct page {
	u64 state : 4;
	u64 refs : 8;	/* shares of a PAGE_HOST_SHARED */
	u64 owner : 16; /* index of the VM that owns a PAGE_GUEST* */
	u64 gfn : 36;	/* and where it has it; of a PAGE_HOST_SECURE the next frame (secure.h) */
};

_Static_assert(sizeof(struct page) == 8, "the loader sizes the array");

#define PAGE_MAX_REFS 255

extern struct mem_lock mem_lock;

/* Take over the list of RAM; the page array is mapped and zero. Every page becomes the host's. The first CPU, alone. */
void page_init(const struct stockade_range *ram, unsigned int nr);

/* Is [pa, pa + size) all of one range of RAM? Overflow-safe. No lock needed. */
bool page_is_ram(pa_t pa, u64 size);
/* Does [pa, pa + size) touch RAM anywhere? */
bool page_meets_ram(pa_t pa, u64 size);

/* The first range of RAM that ends above pa, or NULL. */
const struct stockade_range *page_ram_range_above(pa_t pa);

/* The n-th range of RAM, or NULL. */
const struct stockade_range *page_ram_range(unsigned int n);

/* The entry of a page for which page_is_ram() holds. */
static inline struct page *page_of(pa_t pa) REQUIRES(mem)
{
	return hyp_array_va(pa);
}
/*
 * Does the guest share the page, which it has mapped? For who holds that guest's lock: its pages change hands with
 * both locks, so one of them is enough to look.
 */
static inline bool page_is_guest_shared(pa_t pa) REQUIRES(guest_mem)
{
	const struct page *page = hyp_array_va(pa);

	return page->state == PAGE_GUEST_SHARED;
}

/* Pages in state PAGE_HYP. */
extern u64 page_nr_hyp GUARDED_BY(mem);

#endif
