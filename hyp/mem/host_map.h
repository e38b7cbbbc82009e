/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's stage 2: the identity, without what the host has lost. RAM is mapped eagerly, by the
 * largest blocks; everything else on first touch. Guarded by mem_lock.
 */
#ifndef HYP_MEM_HOST_MAP_H
#define HYP_MEM_HOST_MAP_H

#include "arch/lock.h"
#include "mem/pgtable.h"

/* Itself constant once it is built: the lock is for the tables. */
extern struct pgtable host_map;

/*
 * Build it from the page array: what is not the host's is left out. Once, before any CPU uses it.
 * ENOMEM: hyp_pool is too small.
 */
int host_map_init(unsigned int ipa_bits) REQUIRES(mem);

/*
 * Tables that changing the mapping of [pa, pa + level_size(level)) by itself would take; pa aligned.
 */
unsigned int host_map_missing(pa_t pa, unsigned int level) REQUIRES(mem);
/* Take a page (level 3) or a 2 MiB block (level 2) of RAM from the host; complete on every CPU. */
void host_unmap(pa_t pa, unsigned int level) REQUIRES(mem);
/*
 * Give it back; tables that then map only RAM of the host, whole, become blocks again. Returns how many pairs of a
 * table's entries were looked at for that. mem_lock is to be given back by host_map_unlock().
 */
u64 host_remap(pa_t pa, unsigned int level) REQUIRES(mem);
/*
 * Let the host see a page that a guest shares, and that was lost by itself. Its table never becomes a block: unsharing
 * must find it still there.
 */
void host_map_shared(pa_t pa) REQUIRES(mem);
/* Such a page is the host's now: perhaps its table becomes a block. Returns, and asks for, what host_remap() does. */
u64 host_keep(pa_t pa) REQUIRES(mem);
/* Give mem_lock back. Then zero the tables that blocks have replaced, and put them into hyp_pool. */
void host_map_unlock(void) RELEASES(LOCK_TOKEN(mem));

/*
 * The host touched what is not RAM and not mapped: map the largest block around it without RAM.
 * False: no table was to be had.
 */
bool host_map_device(pa_t pa) REQUIRES(mem);

/* Is pa mapped for the host now? */
bool host_mapped(pa_t pa) REQUIRES(mem);

#endif
