/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pools of zeroed pages that the hypervisor owns: one of its own, and one per VM for that VM's tables.
 * A pool is guarded by the lock of the tables that it feeds: mem_lock, or the VM's.
 */
#ifndef HYP_MEM_POOL_H
#define HYP_MEM_POOL_H

#include "lib/types.h"

struct pool {
	pa_t head;    /* a list through the pages' first words; 0 ends it */
	u64 free;     /* pages that can be had: those in the list or range, less the reserved */
	u64 reserved; /* set aside, to be had after pool_unreserve() */
	/* Pages that were never handed out: [next, end). */
	pa_t next, end;
};

/* Give the pool a range of zeroed pages. Only one range is kept: what is left of the one before goes to the list. */
void pool_add_range(struct pool *pool, pa_t base, u64 size);
/* Give it one page, zeroed. */
void pool_put(struct pool *pool, pa_t page);
/* A zeroed page; 0 if there is none free. */
pa_t pool_get(struct pool *pool);

/* Set n pages aside for work that has nobody to ask. The caller has checked pool->free. */
void pool_reserve(struct pool *pool, u64 n);
void pool_unreserve(struct pool *pool, u64 n);

#endif
