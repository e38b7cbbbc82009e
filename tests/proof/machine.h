/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine small enough for CBMC to try all of its states: eight pages that may be RAM, page tables of two entries,
 * one CPU, and one VM that calls are about. Others are there by what they own.
 */
#ifndef PROOF_MACHINE_H
#define PROOF_MACHINE_H

#include <stockade/hostcall.h>

#include "arch/layout.h"
#include "mem/host_map.h"
#include "mem/hyp_map.h"
#include "mem/page.h"
#include "mem/transition.h"
#include "proof.h"
#include "tables.h"

extern struct guest_mem vm;

/*
 * Begin with any consistent state. What a proof is not about may be left out: then EL2's tables are all there, and the
 * VM has nothing.
 */
#define WITH_HYP 1
#define WITH_VM	 2
/* Its tables are lost (guest_unmap_all()), its pages are not. */
#define WITH_LOST_VM 4
void machine_any(unsigned int parts);
/* Nothing has changed since, to the last bit. */
bool machine_unchanged(void);
/*
 * Asserts that the state is a consistent one, no lock is held and no window is open. given: pages that hyp_pool got
 * meanwhile; taken: pages that the VM's pool gave back.
 */
void machine_check(u64 given, u64 taken);

bool is_ram(pa_t pa);
/* RAM from pa on, nr pages of it in one range. */
bool is_ram_range(pa_t pa, u64 nr);
/* The page array's entry as it was in the beginning, and as it is. */
struct page page_before(pa_t pa);
struct page page_now(pa_t pa);
bool same_page(struct page a, struct page b);
/* The VM's private page, or one that it shares. */
bool is_vms(struct page page);
/* What the tables of the host and of the VM said in the beginning, and say. */
struct leaf host_before(pa_t pa);
struct leaf hyp_before(pa_t pa);
struct leaf guest_before(ipa_t ipa);
struct leaf host_now(pa_t pa);
struct leaf guest_now(ipa_t ipa);
/* Is the page zero, and was that written back? */
bool is_scrubbed(pa_t pa);
bool is_written_back(pa_t pa);

/* A page of the hypervisor's that is zero; any one of the pages that a pool may have. */
bool is_free_page(pa_t page);
pa_t any_free_page(void);

#endif
