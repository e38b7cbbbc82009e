/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM's memory: its stage 2 and the pool that feeds it. Guarded by lock, which comes before mem_lock.
 */
#ifndef HYP_MEM_GUEST_MEM_H
#define HYP_MEM_GUEST_MEM_H

#include "arch/lock.h"
#include "mem/pgtable.h"

struct guest_mem {
	struct spinlock lock;
	struct pgtable map;
	struct pool pool;
	u16 owner; /* the VM's index, as in struct page */
	bool dying;
	bool unmapped; /* by guest_unmap_all(): the tables say nothing any more, the page array does */
	u32 nr_guarded; /* pages of MMIO that the guest has named; 0: it may be anywhere */
	/*
	 * Reclaim of a dying VM goes on here: an IPA, and pages already zeroed of the block at it; if unmapped, a
	 * physical address.
	 */
	ipa_t reclaim_next;
	u64 reclaim_zeroed;
};

/* root: stockade_s2_root_pages(ipa_bits) zeroed pages that the hypervisor owns. */
void guest_mem_init(struct guest_mem *mem, pa_t root, unsigned int ipa_bits, u16 owner);

#endif
