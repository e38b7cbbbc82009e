// SPDX-License-Identifier: GPL-2.0-only
/*
 * The judge's model of TLBs. A TLB may have read any valid entry at any time (Arm ARM DDI 0487, D8.17): so an entry
 * that is changed stays behind, as *stale*, until the instructions that end it have come, in their order.
 */
#include <stdlib.h>
#include <string.h>

#include "arch/spec_at.h"
#include "maint.h"
#include "vm/vcpu.h"

#define VMID_SHIFT 48

/* An entry that a TLB may hold and that the table does not. */
enum stage {
	STALE_WRITTEN, /* the change may not have left the CPU that made it */
	STALE_VISIBLE, /* every walker sees it */
	STALE_IPA,     /* TLBI IPAS2E1IS: what was read from stage 2 alone goes */
	STALE_IPA_DONE,
	STALE_TLBI, /* all of it goes, combined entries too */
	STALE_SYNC, /* of EL2's own: this CPU still wants an ISB */
	STALE_DONE,
};

static const char *const lacks[] = {
	[STALE_WRITTEN] = "no DSB orders the store before a TLBI",
	[STALE_VISIBLE] = "no TLBI covers it",
	[STALE_IPA] = "no DSB follows TLBI IPAS2E1IS",
	[STALE_IPA_DONE] = "no TLBI VMALLE1IS ends the entries that combine both stages",
	[STALE_TLBI] = "no DSB follows the TLBI",
	[STALE_SYNC] = "no ISB follows",
};

struct stale {
	const struct watch *watch;
	u64 ia, size, old;
	bool is_table;
	unsigned int cpu; /* who wrote it, then who issued the TLBI */
	enum stage stage;
};

/* A new entry that its CPU has not made visible yet; of EL2's own, that its CPU may not see yet. */
struct fresh {
	const struct watch *watch;
	u64 ia, size;
	unsigned int cpu;
	bool visible;
};

static struct stale *stale;
static struct fresh *fresh;
static size_t nr_stale, max_stale, nr_fresh, max_fresh;

/* Each CPU's last barrier for stores. */
static u64 ordered[FAKE_MAX_CPUS];

static struct {
	bool vttbr_pending; /* written, no ISB since */
	bool el1_pending;   /* likewise SCTLR_EL1 or TCR_EL1 */
	u64 stage1;	    /* VMID + 1 of a local TLBI VMALLE1 that no DSB followed; 0: none */
	bool all;	    /* a TLBI VMALLS12E1IS likewise */
	bool ic;	    /* an IC IALLU likewise */
	u64 ic_done;
} cpus[FAKE_MAX_CPUS];

/* By CPU and VMID: the vCPU whose stage 1 entries may be there. */
static struct {
	const struct guest_regs *regs;
	bool flushed;
	u64 at;
} last_vcpu[FAKE_MAX_CPUS][256];

static u64 all_issued[256]; /* by VMID: the CPU + 1 that issued TLBI VMALLS12E1IS */

static void *grow(void *list, size_t nr, size_t *max, size_t size)
{
	if (nr < *max)
		return list;
	*max = *max ? 2 * *max : 1024;
	list = realloc(list, *max * size);
	if (!list)
		fake_fail("no memory");
	return list;
}

/* --- what is stale, what is new --- */

void tlb_stale(const struct watch *w, u64 ia, unsigned int level, u64 old)
{
	if (w->quiet)
		return;
	stale = grow(stale, nr_stale, &max_stale, sizeof(*stale));
	stale[nr_stale++] = (struct stale){ w,
					    ia,
					    level_size(level),
					    old,
					    pte_is_table(old, level),
					    fake_cpu_index(),
					    STALE_WRITTEN };
}

void tlb_demand_gone(const struct watch *w, u64 ia, u64 size)
{
	for (size_t i = 0; i < nr_stale; i++) {
		const struct stale *s = &stale[i];

		if (s->watch == w && s->stage < STALE_SYNC && ia < s->ia + s->size &&
		    s->ia < ia + size)
			fake_fail(
				"break-before-make: 0x%lx of %s is made, and TLBs may hold the old entry of 0x%lx: %s",
				ia, maint_whose(w), s->ia, lacks[s->stage]);
	}
}

bool tlb_may_hold(const struct watch *w, pa_t pa, u64 size)
{
	for (size_t i = 0; i < nr_stale; i++) {
		const struct stale *s = &stale[i];

		if (s->watch == w && !s->is_table && s->stage < STALE_SYNC &&
		    pa < pte_output(s->old) + s->size && pte_output(s->old) < pa + size)
			return true;
	}
	return false;
}

/* The CPU has come to the next stage with those that were at one. */
static void advance(unsigned int cpu, enum stage from, enum stage to)
{
	for (size_t i = 0; i < nr_stale; i++)
		if (stale[i].stage == from && stale[i].cpu == cpu)
			stale[i].stage = to;
}

/* Those that are done go; pages are told. */
static void forget_done(void)
{
	size_t kept = 0, nr = nr_stale;

	for (size_t i = 0; i < nr; i++) {
		struct stale s = stale[i];

		if (s.stage != STALE_DONE)
			stale[kept++] = s;
	}
	nr_stale = kept;
}

static void tell_pages(void)
{
	for (size_t i = 0; i < nr_stale; i++) {
		const struct stale *s = &stale[i];

		if (s->stage == STALE_DONE || s->stage == STALE_SYNC)
			if (!s->is_table)
				page_gone(s->watch, pte_output(s->old), s->size);
	}
}

void tlb_fresh(const struct watch *w, u64 ia, u64 size)
{
	fresh = grow(fresh, nr_fresh, &max_fresh, sizeof(*fresh));
	fresh[nr_fresh++] = (struct fresh){ w, ia, size, fake_cpu_index(), false };
}

/* A page is written that is no table any more: no walk may end in it. */
void tlb_demand_no_walk(pa_t pa)
{
	for (size_t i = 0; i < nr_stale; i++)
		if (stale[i].is_table && stale[i].stage < STALE_SYNC &&
		    pte_output(stale[i].old) == (pa & PAGE_MASK))
			fake_fail(
				"0x%lx was a table and is written, and walks may still end in it: %s",
				(u64)pte_output(stale[i].old), lacks[stale[i].stage]);
}

bool tlb_ordered(u64 at, unsigned int cpu)
{
	return at <= ordered[cpu];
}

void tlb_forget(const struct watch *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < nr_stale; i++)
		if (stale[i].watch != w)
			stale[kept++] = stale[i];
	nr_stale = kept;
	kept = 0;
	for (size_t i = 0; i < nr_fresh; i++)
		if (fresh[i].watch != w)
			fresh[kept++] = fresh[i];
	nr_fresh = kept;
}

void tlb_check(const struct watch *w)
{
	for (size_t i = 0; i < nr_stale; i++)
		if (stale[i].watch == w)
			fake_fail("TLBs may still have 0x%lx of %s: %s", stale[i].ia,
				  maint_whose(w), lacks[stale[i].stage]);
	for (size_t i = 0; i < nr_fresh; i++)
		if (fresh[i].watch == w && !fresh[i].visible)
			fake_fail("no DSB makes the new entry for 0x%lx of %s visible", fresh[i].ia,
				  maint_whose(w));
}

/* --- barriers --- */

static void fresh_seen(unsigned int cpu, bool isb)
{
	size_t kept = 0;

	for (size_t i = 0; i < nr_fresh; i++) {
		struct fresh f = fresh[i];
		bool seen = f.cpu == cpu && (!isb || f.visible);

		if (seen && !isb)
			f.visible = true;
		if (!seen || (!isb && f.watch->is_hyp))
			fresh[kept++] = f;
	}
	nr_fresh = kept;
}

/* All of a VMID is gone. If no CPU will walk the tables again, nothing of them comes back. */
static void flushed_all(u64 vmid)
{
	for (unsigned int i = 0; i < FAKE_MAX_CPUS; i++)
		last_vcpu[i][vmid].flushed = true;
	maint_flushed(vmid);
}

/* With reads and writes, of the inner shareable domain at least: maintenance is complete. */
static void dsb_completes(unsigned int cpu)
{
	advance(cpu, STALE_IPA, STALE_IPA_DONE);
	for (size_t i = 0; i < nr_stale; i++)
		if (stale[i].stage == STALE_TLBI && stale[i].cpu == cpu)
			stale[i].stage = stale[i].watch->is_hyp ? STALE_SYNC : STALE_DONE;
	tell_pages();
	forget_done();
	for (u64 vmid = 0; cpus[cpu].all && vmid < ARRAY_SIZE(all_issued); vmid++) {
		if (all_issued[vmid] != cpu + 1)
			continue;
		all_issued[vmid] = 0;
		flushed_all(vmid);
	}
	cpus[cpu].all = false;
}

void maint_dsb(enum fake_dsb option)
{
	unsigned int cpu = fake_cpu_index();
	bool completes = option == FAKE_DSB_ish || option == FAKE_DSB_sy;

	if (fake.threads)
		return;
	maint_now++;
	if (option == FAKE_DSB_nsh || completes) {
		if (cpus[cpu].stage1)
			last_vcpu[cpu][cpus[cpu].stage1 - 1].flushed = true;
		cpus[cpu].stage1 = 0;
		if (cpus[cpu].ic)
			cpus[cpu].ic_done = maint_now;
		cpus[cpu].ic = false;
	}
	if (option == FAKE_DSB_ishst || completes) {
		if (completes)
			dsb_completes(cpu);
		advance(cpu, STALE_WRITTEN, STALE_VISIBLE);
		fresh_seen(cpu, false);
		ordered[cpu] = maint_now;
	}
	page_dsb(option);
}

void maint_isb(void)
{
	unsigned int cpu = fake_cpu_index();

	if (fake.threads)
		return;
	maint_now++;
	cpus[cpu].vttbr_pending = false;
	cpus[cpu].el1_pending = false;
	advance(cpu, STALE_SYNC, STALE_DONE);
	forget_done();
	fresh_seen(cpu, true);
}

/* --- TLBIs --- */

void maint_vttbr(void)
{
	if (fake.threads)
		return;
	maint_now++;
	if (has_spec_at_erratum() && (!fake_walks_are_off() || cpus[fake_cpu_index()].el1_pending))
		fake_fail("VTTBR_EL2 changes while AT may walk stage 1 by speculation");
	cpus[fake_cpu_index()].vttbr_pending = true;
}

/* Errata 1165522, 1319367, 1319537, 1530923: walks stay off until VTTBR_EL2 is in. */
void maint_el1_walks(void)
{
	if (fake.threads)
		return;
	maint_now++;
	if (has_spec_at_erratum() && cpus[fake_cpu_index()].vttbr_pending)
		fake_fail("stage 1 walks come on before the ISB that puts VTTBR_EL2 in");
	cpus[fake_cpu_index()].el1_pending = true;
}

static u64 current_vmid(void)
{
	maint_now++;
	if (cpus[fake_cpu_index()].vttbr_pending)
		fake_fail("a TLBI before the ISB that puts VTTBR_EL2 in");
	return fake_sysreg_read("vttbr_el2") >> VMID_SHIFT;
}

static void tlbi(struct stale *s, enum stage to)
{
	s->stage = to;
	s->cpu = fake_cpu_index();
}

void maint_tlbi_va(u64 va)
{
	if (fake.threads)
		return;
	maint_now++;
	for (size_t i = 0; i < nr_stale; i++) {
		struct stale *s = &stale[i];

		if (s->watch->is_hyp && s->stage == STALE_VISIBLE && va >= s->ia &&
		    va < s->ia + s->size)
			tlbi(s, STALE_TLBI);
	}
}

static bool is_of(const struct stale *s, u64 vmid)
{
	return !s->watch->is_hyp && maint_vmid(s->watch) == vmid;
}

void maint_tlbi_ipa(ipa_t ipa)
{
	u64 vmid;

	if (fake.threads)
		return;
	vmid = current_vmid();
	for (size_t i = 0; i < nr_stale; i++) {
		struct stale *s = &stale[i];

		if (is_of(s, vmid) && s->stage == STALE_VISIBLE && ipa >= s->ia &&
		    ipa < s->ia + s->size)
			tlbi(s, STALE_IPA);
	}
}

void maint_tlbi_stage1(bool broadcast)
{
	u64 vmid;

	if (fake.threads)
		return;
	vmid = current_vmid();
	cpus[fake_cpu_index()].stage1 = vmid + 1;
	for (size_t i = 0; i < nr_stale && broadcast; i++)
		if (is_of(&stale[i], vmid) && stale[i].stage == STALE_IPA_DONE)
			tlbi(&stale[i], STALE_TLBI);
}

void maint_tlbi_all(void)
{
	u64 vmid;

	if (fake.threads)
		return;
	vmid = current_vmid();
	all_issued[vmid % ARRAY_SIZE(all_issued)] = fake_cpu_index() + 1;
	cpus[fake_cpu_index()].all = true;
	for (size_t i = 0; i < nr_stale; i++) {
		struct stale *s = &stale[i];

		if (is_of(s, vmid) && s->stage >= STALE_VISIBLE && s->stage <= STALE_IPA_DONE)
			tlbi(s, STALE_TLBI);
	}
}

/* --- uses --- */

void maint_el2_uses(u64 va)
{
	if (fake.threads)
		return;
	for (size_t i = 0; i < nr_fresh; i++)
		if (fresh[i].watch->is_hyp && fresh[i].cpu == fake_cpu_index() &&
		    va >= fresh[i].ia && va < fresh[i].ia + fresh[i].size)
			fake_fail("EL2 uses 0x%lx, which it has mapped, before %s", va,
				  fresh[i].visible ? "an ISB" : "a DSB");
}

void maint_ic(bool broadcast)
{
	if (fake.threads)
		return;
	maint_now++;
	cpus[fake_cpu_index()].ic = true;
	if (broadcast)
		page_ic();
}

/* CTR_EL0.L1Ip: lines are tagged with VMID (VPIPT), or VMID and ASID (AIVIVT). */
static bool icache_has_vmids(void)
{
	return FIELD_GET(GENMASK(15, 14), fake.ctr) < 2;
}

void maint_load(const struct guest_regs *regs)
{
	unsigned int cpu = fake_cpu_index();
	const struct vcpu *vcpu = (const struct vcpu *)regs;
	const struct watch *w;
	u64 vmid;

	/* Nothing is watched of a machine that has threads at times. */
	if (fake.threads || !maint_host())
		return;
	maint_now++;
	vmid = vcpu->vm->world.vttbr >> VMID_SHIFT;
	w = maint_guest(vmid);
	if (w && w->quiet)
		fake_fail("VMID %lu runs, and was flushed for the last time", vmid);
	if (last_vcpu[cpu][vmid].regs && last_vcpu[cpu][vmid].regs != regs) {
		if (!last_vcpu[cpu][vmid].flushed)
			fake_fail(
				"CPU %u takes another vCPU of VMID %lu, with the first one's stage 1 in its TLB",
				cpu, vmid);
		if (icache_has_vmids() && cpus[cpu].ic_done < last_vcpu[cpu][vmid].at)
			fake_fail(
				"CPU %u takes another vCPU of VMID %lu, with the first one's I-cache",
				cpu, vmid);
	}
	last_vcpu[cpu][vmid].regs = regs;
	last_vcpu[cpu][vmid].flushed = false;
	last_vcpu[cpu][vmid].at = maint_now;
}

/* --- */

void tlb_check_cpu(unsigned int cpu)
{
	if (cpus[cpu].stage1 || cpus[cpu].ic)
		fake_fail("CPU %u: no DSB follows a TLBI VMALLE1 or IC", cpu);
}

void tlb_reset(void)
{
	memset(cpus, 0, sizeof(cpus));
	memset(last_vcpu, 0, sizeof(last_vcpu));
	memset(all_issued, 0, sizeof(all_issued));
	/* Stores of before are in order. */
	for (size_t i = 0; i < ARRAY_SIZE(ordered); i++)
		ordered[i] = maint_now;
}
