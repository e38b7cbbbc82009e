/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * EL2's own stage 1: only what the hypervisor owns or shares is mapped, for as long as it does.
 */
#ifndef HYP_MEM_HYP_MAP_H
#define HYP_MEM_HYP_MAP_H

#include <stockade/launch.h>

#include "arch/lock.h"
#include "mem/pgtable.h"

extern struct pool hyp_pool GUARDED_BY(mem);
/* Itself constant: mem_lock is for the tables, but each CPU's window, which is its own. */
extern struct pgtable hyp_map;

/*
 * Pages of hyp_pool that no hostcall may touch: an abort of the host that needs a table has nobody to
 * ask for one, and topping the pool up itself takes tables.
 */
#define HYP_POOL_RESERVE 16

/* The image as it lies in memory; offsets are page-aligned. */
struct hyp_image {
	pa_t pa;
	u64 text_end, rodata_end, end;
};

/* Zero whole pages that EL2 has in its linear region; size in bytes. */
void hyp_clear(pa_t pa, u64 size) PAGE_WORK;

/*
 * Build the tables; the first CPU, alone, MMU off. Takes the pool's pages from launch's first piece.
 * ENOMEM: the pool is too small.
 */
int hyp_map_init(const struct stockade_launch *launch, const struct hyp_image *image);

/* The MMU is on: pointers into the image are other ones now. Once. */
void hyp_map_mmu_is_on(void);

/* How many tables mapping the page would take. */
unsigned int hyp_map_missing(pa_t pa) REQUIRES(mem);
/* Map a page at its place in the linear region; unmap it on every CPU. */
void hyp_map_page(pa_t pa) REQUIRES(mem);
void hyp_unmap_page(pa_t pa) REQUIRES(mem);

/*
 * Map any page of RAM for this CPU, until window_close(). One at a time, and seldom: closing is heard by all CPUs. What keeps the page from
 * changing hands meanwhile is the caller's business.
 */
void *window_open(pa_t pa);
void window_close(void);

#endif
