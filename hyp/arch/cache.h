/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HYP_ARCH_CACHE_H
#define HYP_ARCH_CACHE_H

#include "arch/lock.h"
#include "lib/types.h"

/* Clean and invalidate by VA to the point of coherency; complete on return. */
void dcache_clean_inval_poc(const void *va, size_t size) PAGE_WORK;
/* Invalidate every instruction cache of the inner shareable domain; complete on return. */
void icache_inval_all(void);
/* Zero one page of EL2's address space. */
void clear_page(void *va) PAGE_WORK;
/* Both: zero one page, and clean and invalidate it to the point of coherency. */
void clear_and_clean_page(void *va) PAGE_WORK;

/*
 * Must a page be cleaned to the PoC when its owner changes? Not if stage 2 forces guests' accesses to
 * be cacheable (FEAT_S2FWB): then nobody can look past the caches.
 */
bool arch_has_fwb(void);

#endif
