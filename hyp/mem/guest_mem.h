/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM's memory: its stage 2 and the pool that feeds it. Guarded by lock, which comes before mem_lock.
 */
#ifndef HYP_MEM_GUEST_MEM_H
#define HYP_MEM_GUEST_MEM_H

#include "arch/lock.h"
#include "mem/pgtable.h"

struct guest_mem {
	struct guest_mem_lock lock;
	struct pgtable map; /* itself constant: the lock is for the tables */
	struct pool pool GUARDED_BY(guest_mem);
	u16 owner; /* constant: the VM's index, as in struct page */
	bool dying GUARDED_BY(guest_mem);
	/* By guest_unmap_all(): the tables say nothing any more, the page array does. */
	bool unmapped GUARDED_BY(guest_mem);
	/* Pages of MMIO that the guest has named; 0: it may be anywhere. */
	u32 nr_guarded GUARDED_BY(guest_mem);
	/*
	 * Reclaim of a dying VM goes on here: an IPA, and pages already zeroed of the block at it; if unmapped, a
	 * physical address.
	 */
	ipa_t reclaim_next GUARDED_BY(guest_mem);
	u64 reclaim_zeroed GUARDED_BY(guest_mem);
};

/* root: stockade_s2_root_pages(ipa_bits) zeroed pages that the hypervisor owns. */
void guest_mem_init(struct guest_mem *mem, pa_t root, unsigned int ipa_bits, u16 owner);

#endif
