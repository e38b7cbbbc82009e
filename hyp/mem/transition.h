/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every way in which a page changes hands. Each of these checks all preconditions on all sides under
 * the locks, then commits by steps that cannot fail: a refused one has changed nothing. When it
 * returns, no TLB holds and no cache writes back anything of the old owner (of a block that is donated in pieces:
 * when the last has been).
 *
 * Addresses come from a hostile host or guest: any value is allowed, and checked here.
 * They return STOCKADE_OK or a STOCKADE_E* code of stockade/hostcall.h.
 */
#ifndef HYP_MEM_TRANSITION_H
#define HYP_MEM_TRANSITION_H

#include "mem/guest_mem.h"

/* With STOCKADE_ENOMEM: how many pages are wanted, by which pool (enum stockade_pool). */
struct want {
	u64 pages;
	u64 pool;
};

/*
 * The host gives nr (1 to 16) contiguous pages to the hypervisor: they are zeroed and mapped at EL2.
 * EINVAL: no RAM, the page at address 0, or a bad nr. EPERM: one of them is not the host's alone.
 */
int host_donate_hyp(pa_t pa, u64 nr, struct want *want) TAKES(mem);
/* The same for hyp_pool, and put into it: alone may use its reserve. */
int host_donate_pool(pa_t pa, u64 nr, struct want *want) TAKES(mem);
/* Would host_donate_hyp() succeed for one page and then for nr others? For who wants both or none. */
int host_can_donate_both(pa_t page, pa_t pages, u64 nr, struct want *want) TAKES(mem);
/* A page of the hypervisor's goes back, zeroed. The caller has forgotten it. */
void hyp_donate_host(pa_t pa) TAKES(mem);

/* The host shares a page; it keeps it. EPERM: not the host's. EBUSY: shared too often. */
int host_share_hyp(pa_t pa, struct want *want) TAKES(mem);
void host_unshare_hyp(pa_t pa) TAKES(mem);

/*
 * The host gives nr (1 or 512) pages to the guest, contents kept. *more: the block is lost to the host, and the guest has
 * it when all is cleaned: the same call again goes on with that.
 * EINVAL: no RAM, address 0, misaligned, beyond the guest's IPA space. EPERM: a page is not the host's alone, or
 * the VM is dying. EEXIST: the guest has a page there. EFAULT: poisoned, or guarded MMIO. EAGAIN: not possible as a block.
 */
int host_donate_guest(struct guest_mem *mem, pa_t pa, ipa_t ipa, u64 nr, bool *more,
		      struct want *want) TAKES(guest_mem);

/*
 * The guest shares a page of its own with the host, contents kept; and takes it back.
 * EINVAL: misaligned or out of range. ENOENT: there is no page yet (the host is to donate one).
 * EPERM: it is not the guest's, or shared already; not shared.
 */
int guest_share_host(struct guest_mem *mem, ipa_t ipa) TAKES(guest_mem);
int guest_unshare_host(struct guest_mem *mem, ipa_t ipa) TAKES(guest_mem);

/*
 * The guest gives a page of its own back to the host while it runs: zeroed, or as it is if the host sees it
 * anyhow. EINVAL, EPERM as above; ENOENT: it has none there.
 */
int guest_relinquish(struct guest_mem *mem, ipa_t ipa) TAKES(guest_mem);

/*
 * The guest says that the page at ipa is MMIO; from the first such call on, nothing else is.
 * EINVAL as above. EPERM: there is memory, or too much was guarded. ENOMEM: mem->pool lacks *missing pages.
 */
int guest_guard_mmio(struct guest_mem *mem, ipa_t ipa, u64 *missing) TAKES(guest_mem);
/* May the host emulate an access there? */
bool guest_is_mmio(struct guest_mem *mem, ipa_t ipa) TAKES(guest_mem);

/*
 * The host touched a guest's page where only a page can help it: zero the page, give it to the host,
 * poison the guest's entry. Does nothing if the page is not this guest's private one any more; if its block is not yet
 * mapped, brings it nearer to that.
 */
void guest_force_reclaim(struct guest_mem *mem, pa_t pa) TAKES(guest_mem);

/* A scrubbed page that was a guest's is the host's. Returns, and asks for, what host_remap() does. */
u64 return_to_host(pa_t pa) REQUIRES(mem);
/* Zero a page that is on its way to the host, in memory and caches; any page of RAM. */
void scrub_page(pa_t pa) PAGE_WORK;

/* Is ipa's entry poisoned? */
bool guest_is_poisoned(struct guest_mem *mem, ipa_t ipa) TAKES(guest_mem);

/*
 * The end of all VMs. First each loses all that it has mapped, so that a vCPU which still runs traps at once;
 * then every private page is zeroed where it lies (vm_scrub_memory()).
 */
void guest_unmap_all(struct guest_mem *mem) TAKES(guest_mem);
/* The index of the VM that has this page of RAM, which the host may not see, or GUEST_NONE. It may have left since. */
u64 guest_private_owner(pa_t pa) TAKES(mem);
#define GUEST_NONE (~0ull)
/*
 * Zero the page where it lies if it is still private, after guest_unmap_all() for every VM: it can only have gone from
 * this one to the host. If it is on its way there, this waits until whoever zeroes it has.
 */
void guest_scrub(struct guest_mem *mem, pa_t pa) TAKES(guest_mem);
/* The same for all pages when the hypervisor has panicked: no lock can be had, and no other CPU changes anything any more. */
void guest_memory_scrub_in_panic(void);

/* No vCPU of the VM will run again: from now on nothing is donated. */
void guest_start_reclaim(struct guest_mem *mem) TAKES(guest_mem);
bool guest_is_dying(struct guest_mem *mem) TAKES(guest_mem);
/*
 * Of a dying VM: give a bounded number of pages back, private ones zeroed, shared ones as they are, and
 * put emptied tables into mem->pool. True: there is more to do.
 */
bool guest_reclaim_some(struct guest_mem *mem) TAKES(guest_mem);
/* Is there more to do? */
bool guest_reclaim_pending(const struct guest_mem *mem) REQUIRES(guest_mem);
/* One page of a reclaimed VM's pool, given to the host; 0: there is none left. */
pa_t guest_reclaim_table(struct guest_mem *mem) TAKES(guest_mem);

#endif
