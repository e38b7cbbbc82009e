/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pages of a memslot that the guest has. All with stockade_vm.mem_lock; frame numbers are within the slot.
 */
#ifndef STOCKADE_RECORD_H
#define STOCKADE_RECORD_H

#include "stockade.h"

/* Of 2 MiB, as in STOCKADE_HC_HOST_DONATE_GUEST. */
#define STOCKADE_BLOCK_PAGES 512UL

/*
 * Are the 512 frames from base on, which is aligned, all the slot's, and was none of them ever given by itself? Without
 * mem_lock the answer may be outdated at once.
 */
bool stockade_record_block_fits(const struct stockade_memslot *slot, gfn_t base);
/* nr is 1, or 512 for a block. EEXIST: one of the frames has a page; ENOMEM. Else stockade_record_undo() undoes it. */
int stockade_record_add(struct stockade_memslot *slot, gfn_t gfn, struct page *page,
			unsigned long nr);
void stockade_record_undo(struct stockade_memslot *slot, gfn_t gfn, unsigned long nr);
/* Forget one page, of a block too, and return it; NULL: there is none. */
struct page *stockade_record_take(struct stockade_memslot *slot, gfn_t gfn);
/* Unpin all pages and forget them. */
void stockade_record_release(struct stockade_memslot *slot);

#endif
