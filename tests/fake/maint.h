/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The judge of TLB and cache maintenance. QEMU has no caches and forgets TLB entries soon, so nothing there fails
 * if an instruction is missing. Here every instruction, every store to a translation table and every use of a page
 * is told to a model of what TLBs and caches may still hold, and the model complains (fake_fail()):
 *
 *   at once         when an order is wrong: an entry made before the old one is gone from every TLB, a page handed
 *                   on before it was cleaned, a TLBI under a VTTBR_EL2 that is not in yet
 *   at an unlock    when the lock's tables have changed and TLBs may still hold what they said
 *   maint_check()   when anything is left undone
 *
 * It judges what must have happened before which event, and not by which sequence: any number of pages may share
 * one flush. The rules and their sources are in docs/verification.md.
 *
 * It knows one thread and CPUs by turns; with fake.threads it is off.
 */
#ifndef TESTS_FAKE_MAINT_H
#define TESTS_FAKE_MAINT_H

#include "arch/insn.h"
#include "fake.h"

/* --- what happens; from insn.c, lock.c, arch.c, ram.c --- */

void maint_store(pa_t pa, u64 value);
void maint_zero(pa_t pa, u64 size);
void maint_dsb(enum fake_dsb option);
void maint_isb(void);
void maint_vttbr(void);
void maint_el1_walks(void);
/* TLBIs; of the current VMID, but for the first. */
void maint_tlbi_va(u64 va);
void maint_tlbi_ipa(ipa_t ipa);
void maint_tlbi_stage1(bool broadcast);
void maint_tlbi_all(void);
void maint_dc(pa_t pa, u64 size);
void maint_ic(bool broadcast);
void maint_lock(unsigned int nr_held);
void maint_unlock(const struct spinlock *lock);
void maint_after_unlock(void);
/* EL2 uses a translation for the first time. */
void maint_el2_uses(u64 va);
/* A vCPU is bound to this CPU. */
void maint_load(const struct guest_regs *regs);

/* --- by whom it is used --- */

/* All that is owed has been done. */
void maint_check(void);
void maint_reset(void);

/* --- between the judge's files --- */

/* A table whose entries may be in TLBs. */
struct watch {
	const struct pgtable *pt;    /* who it is */
	struct pgtable map;	     /* a copy */
	const struct guest_mem *mem; /* a VM's, seen by fake_ram() */
	bool is_host, is_hyp;
	bool quiet; /* flushed as a whole, and no CPU walks it any more */
};

static inline pa_t pte_output(u64 entry)
{
	return entry & PTE_ADDR;
}

/* maint.c. The number of events so far. */
extern u64 maint_now;
/* NULL: it is not watched. */
const struct watch *maint_host(void);
const struct watch *maint_guest(u64 vmid);
u64 maint_vmid(const struct watch *w);
const char *maint_whose(const struct watch *w);
/* All of a VMID is gone from all TLBs. If no CPU will walk its tables again, nothing of them comes back. */
void maint_flushed(u64 vmid);

/* maint_table.c */
void table_begin(const struct watch *w, pa_t pa, u64 ia);
void table_forget(const struct watch *w);
void table_each_leaf(const struct watch *w,
		     void (*leaf)(const struct watch *w, u64 ia, pa_t pa, u64 size));
void table_check(void);

/* maint_tlb.c. An entry has gone, and TLBs may hold it; a new one is there, and walkers may not see it. */
void tlb_stale(const struct watch *w, u64 ia, unsigned int level, u64 old);
void tlb_fresh(const struct watch *w, u64 ia, u64 size);
void tlb_demand_gone(const struct watch *w, u64 ia, u64 size);
void tlb_demand_no_walk(pa_t pa);
/* Was the store that the CPU made then followed by a barrier? */
bool tlb_ordered(u64 at, unsigned int cpu);
/* May a TLB hold an old translation to these bytes? */
bool tlb_may_hold(const struct watch *w, pa_t pa, u64 size);
void tlb_check(const struct watch *w);
void tlb_check_cpu(unsigned int cpu);
void tlb_forget(const struct watch *w);
void tlb_reset(void);

/* maint_page.c. A leaf has become valid; has become invalid; and is in no TLB any more. */
void page_made(const struct watch *w, u64 ia, pa_t pa, u64 size);
void page_unmade(const struct watch *w, u64 ia, pa_t pa, u64 size);
void page_gone(const struct watch *w, pa_t pa, u64 size);
void page_zeroed(pa_t pa, u64 size);
void page_dsb(enum fake_dsb option);
void page_ic(void);
void page_lock(void);
/* guest: whose lock it was, or NULL. */
void page_unlock(bool mem_lock, const struct watch *guest);
void page_check(void);
void page_reset(void);

#endif
