// SPDX-License-Identifier: GPL-2.0-only
/*
 * The judge's model of translation tables and TLBs. A TLB may have read any valid entry at any time (Arm ARM
 * DDI 0487, D8.16): so an entry that is changed stays behind, as *stale*, until the instructions that end it
 * have come, in their order. Of a table that is unlinked all that it said is stale.
 */
#include "maint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/layout.h"
#include "arch/spec_at.h"
#include "mem/host_map.h"
#include "mem/hyp_map.h"
#include "mem/page.h"
#include "vm/vcpu.h"

#define NR_FRAMES   ((FAKE_RAM_END - FAKE_RAM_BASE) >> PAGE_SHIFT)
#define MAX_WATCHED (STOCKADE_MAX_VMS + 8)
#define NR_ENTRIES  512
#define VMID_SHIFT  48

/*
 * What may change without break: permissions, access flag, dirty state, software's bits (D8.16.1). At stage 1
 * and stage 2 they have the same places.
 */
#define PERMISSIONS (GENMASK(54, 53) | GENMASK(7, 6))
#define UNBROKEN    (PERMISSIONS | GENMASK(58, 55) | BIT(51) | BIT(10))

u64 maint_now;

static struct watch watches[MAX_WATCHED];
static struct watch *host, *guests[256]; /* of them; by VMID */

/* A page that walks meet, and what it said. */
static struct table {
	const struct watch *watch;
	pa_t pa;
	u64 ia;
	unsigned int level;
	u64 entry[NR_ENTRIES];
	struct table *next, **link;
} * tables, *table_at[NR_FRAMES];

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

/* The last store to a page that is no table yet, and each CPU's last barrier for stores. */
static struct {
	u64 at;
	unsigned int cpu;
} stored[NR_FRAMES];
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
static unsigned int nr_vms;
static bool following; /* has called the hypervisor itself */

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

/* --- names --- */

u64 maint_vmid(const struct watch *w)
{
	return w->map.vttbr >> VMID_SHIFT;
}

static const char *whose(const struct watch *w)
{
	static char name[32];

	if (w->is_host || w->is_hyp)
		return w->is_host ? "the host" : "EL2";
	snprintf(name, sizeof(name), "VMID %lu", maint_vmid(w));
	return name;
}

static u64 span(unsigned int level)
{
	return 1ull << (39 - 9 * level);
}

static bool is_valid(u64 entry)
{
	return entry & 1;
}

static bool is_table(u64 entry, unsigned int level)
{
	return level < 3 && (entry & 3) == 3;
}

static pa_t output(u64 entry)
{
	return entry & GENMASK(47, 12);
}

/* --- what is stale --- */

static void add_stale(const struct watch *w, u64 ia, unsigned int level, u64 old)
{
	if (w->quiet)
		return;
	stale = grow(stale, nr_stale, &max_stale, sizeof(*stale));
	stale[nr_stale++] = (struct stale){
		w, ia, span(level), old, is_table(old, level), fake_cpu_index(), STALE_WRITTEN
	};
}

static void demand_gone(const struct watch *w, u64 ia, u64 size)
{
	for (size_t i = 0; i < nr_stale; i++) {
		const struct stale *s = &stale[i];

		if (s->watch == w && s->stage < STALE_SYNC && ia < s->ia + s->size &&
		    s->ia < ia + size)
			fake_fail(
				"break-before-make: 0x%lx of %s is made, and TLBs may hold the old entry of 0x%lx: %s",
				ia, whose(w), s->ia, lacks[s->stage]);
	}
}

bool maint_may_be_cached(const struct watch *w, pa_t pa, u64 size)
{
	for (size_t i = 0; i < nr_stale; i++) {
		const struct stale *s = &stale[i];

		if (s->watch == w && !s->is_table && s->stage < STALE_SYNC &&
		    pa < output(s->old) + s->size && output(s->old) < pa + size)
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
				page_gone(s->watch, output(s->old), s->size);
	}
}

/* --- tables --- */

static struct table **table_slot(pa_t pa)
{
	return &table_at[(pa - FAKE_RAM_BASE) >> PAGE_SHIFT];
}

static struct table *find_table(pa_t pa)
{
	return pa >= FAKE_RAM_BASE && pa < FAKE_RAM_END ? *table_slot(pa) : NULL;
}

static void unlink_table(struct table *t)
{
	*table_slot(t->pa) = NULL;
	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	free(t);
}

/* A table is linked. What it maps is made, unless the watch has only begun. */
static void adopt(const struct watch *w, pa_t pa, unsigned int level, u64 ia, bool begins)
{
	struct table *t;

	if (find_table(pa))
		fake_fail("0x%lx is linked as a table of %s, and is one already", pa, whose(w));
	t = malloc(sizeof(*t));
	if (!t)
		fake_fail("no memory");
	*t = (struct table){ .watch = w, .pa = pa, .ia = ia, .level = level, .next = tables };
	memcpy(t->entry, fake_ram(pa), sizeof(t->entry));
	t->link = &tables;
	if (tables)
		tables->link = &t->next;
	tables = t;
	*table_slot(pa) = t;
	for (u64 i = 0; i < NR_ENTRIES; i++) {
		u64 at = ia + i * span(level);

		if (is_table(t->entry[i], level))
			adopt(w, output(t->entry[i]), level + 1, at, begins);
		else if (is_valid(t->entry[i]) && !begins)
			page_made(w, at, output(t->entry[i]), span(level));
	}
}

/* A table is unlinked: TLBs may hold all that it mapped, and walks that end in it. */
static void disown(const struct watch *w, pa_t pa)
{
	struct table *t = find_table(pa);

	if (!t || t->watch != w)
		fake_fail("0x%lx is unlinked from %s, and is no table of it", pa, whose(w));
	for (u64 i = 0; i < NR_ENTRIES; i++) {
		u64 at = t->ia + i * span(t->level);

		if (!is_valid(t->entry[i]))
			continue;
		add_stale(w, at, t->level, t->entry[i]);
		if (is_table(t->entry[i], t->level))
			disown(w, output(t->entry[i]));
		else
			page_unmade(w, at, output(t->entry[i]), span(t->level));
	}
	unlink_table(t);
}

static void demand_contents_visible(pa_t table)
{
	size_t n = (table - FAKE_RAM_BASE) >> PAGE_SHIFT;

	if (stored[n].at > ordered[stored[n].cpu])
		fake_fail("a table at 0x%lx is linked before a DSB made its contents visible",
			  table);
}

static void add_fresh(const struct watch *w, u64 ia, u64 size)
{
	fresh = grow(fresh, nr_fresh, &max_fresh, sizeof(*fresh));
	fresh[nr_fresh++] = (struct fresh){ w, ia, size, fake_cpu_index(), false };
}

static void change(struct table *t, unsigned int index, u64 new)
{
	const struct watch *w = t->watch;
	u64 old = t->entry[index], size = span(t->level), ia = t->ia + index * size;

	if (old == new)
		return;
	t->entry[index] = new;
	if (is_valid(old) && is_valid(new)) {
		if (is_table(old, t->level) || is_table(new, t->level) || ((old ^ new) & ~UNBROKEN))
			fake_fail(
				"break-before-make: 0x%lx of %s changes from 0x%lx to 0x%lx without a break",
				ia, whose(w), old, new);
		add_stale(w, ia, t->level, old);
		add_fresh(w, ia, size);
		return;
	}
	if (is_valid(old)) {
		add_stale(w, ia, t->level, old);
		if (is_table(old, t->level))
			disown(w, output(old));
		else
			page_unmade(w, ia, output(old), size);
	}
	if (is_valid(new)) {
		demand_gone(w, ia, size);
		if (is_table(new, t->level)) {
			demand_contents_visible(output(new));
			adopt(w, output(new), t->level + 1, ia, false);
		} else {
			page_made(w, ia, output(new), size);
		}
		add_fresh(w, ia, size);
	}
}

/* A page is written that is no table any more: no walk may end in it. */
static void demand_no_walk(pa_t pa)
{
	for (size_t i = 0; i < nr_stale; i++)
		if (stale[i].is_table && stale[i].stage < STALE_SYNC &&
		    output(stale[i].old) == (pa & PAGE_MASK))
			fake_fail(
				"0x%lx was a table and is written, and walks may still end in it: %s",
				(u64)output(stale[i].old), lacks[stale[i].stage]);
}

static void note_store(pa_t pa)
{
	size_t n = (pa - FAKE_RAM_BASE) >> PAGE_SHIFT;

	demand_no_walk(pa);
	if (n < NR_FRAMES) {
		stored[n].at = maint_now;
		stored[n].cpu = fake_cpu_index();
	}
}

void maint_store(pa_t pa, u64 value)
{
	struct table *t;

	if (fake.threads)
		return;
	maint_now++;
	t = find_table(pa);
	if (t)
		change(t, (pa % PAGE_SIZE) / 8, value);
	else
		note_store(pa);
}

void maint_zero(pa_t pa, u64 size)
{
	struct table *t;

	if (fake.threads)
		return;
	maint_now++;
	t = find_table(pa);
	for (u64 p = pa; t && p < pa + size; p += 8)
		change(t, (p % PAGE_SIZE) / 8, 0);
	if (!t)
		note_store(pa);
	page_zeroed(pa, size);
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

static bool is_loaded(const struct watch *w)
{
	for (unsigned int i = 0; i < FAKE_MAX_CPUS; i++) {
		const struct vcpu *vcpu = (const struct vcpu *)fake.loaded[i];

		if (vcpu && &vcpu->vm->mem.map == w->pt)
			return true;
	}
	return false;
}

/* All of a VMID is gone. If no CPU will walk the tables again, nothing of them comes back. */
static void flushed_all(u64 vmid)
{
	struct watch *w = guests[vmid];

	for (unsigned int i = 0; i < FAKE_MAX_CPUS; i++)
		last_vcpu[i][vmid].flushed = true;
	if (!w || !w->mem || !w->mem->dying || is_loaded(w) || w->quiet)
		return;
	w->quiet = true;
	for (struct table *t = tables; t; t = t->next)
		for (u64 i = 0; t->watch == w && i < NR_ENTRIES; i++)
			if (is_valid(t->entry[i]) && !is_table(t->entry[i], t->level))
				page_gone(w, output(t->entry[i]), span(t->level));
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

	if (fake.threads)
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

/* --- watches --- */

const struct watch *maint_host(void)
{
	return host;
}

const struct watch *maint_guest(u64 vmid)
{
	return guests[vmid % ARRAY_SIZE(guests)];
}

static struct watch *watch_of(const struct pgtable *pt)
{
	for (size_t i = 0; i < MAX_WATCHED; i++)
		if (watches[i].pt == pt)
			return &watches[i];
	return NULL;
}

static struct watch *begin(const struct pgtable *pt)
{
	struct watch *w = watch_of(NULL);
	u64 entries = max_u64(1ull << (pt->ia_bits - (39 - 9 * pt->start_level)), 1);

	if (!w)
		fake_fail("too many tables to watch");
	*w = (struct watch){ .pt = pt, .map = *pt };
	w->is_host = pt == &host_map;
	w->is_hyp = pt == &hyp_map;
	if (w->is_host)
		host = w;
	else if (!w->is_hyp)
		guests[maint_vmid(w) % ARRAY_SIZE(guests)] = w;
	for (u64 i = 0; i < (entries + NR_ENTRIES - 1) / NR_ENTRIES; i++)
		adopt(w, pt->root + i * PAGE_SIZE, pt->start_level,
		      i * NR_ENTRIES * span(pt->start_level), true);
	return w;
}

static void end(struct watch *w)
{
	size_t kept = 0;

	for (struct table *t = tables, *next; t; t = next) {
		next = t->next;
		if (t->watch == w)
			unlink_table(t);
	}
	for (size_t i = 0; i < nr_stale; i++)
		if (stale[i].watch != w)
			stale[kept++] = stale[i];
	nr_stale = kept;
	kept = 0;
	for (size_t i = 0; i < nr_fresh; i++)
		if (fresh[i].watch != w)
			fresh[kept++] = fresh[i];
	nr_fresh = kept;
	if (w == host)
		host = NULL;
	else if (!w->is_hyp)
		guests[maint_vmid(w) % ARRAY_SIZE(guests)] = NULL;
	*w = (struct watch){ 0 };
}

void fake_watch(const struct pgtable *pt)
{
	if (!watch_of(pt))
		begin(pt);
}

void fake_unwatch(const struct pgtable *pt)
{
	for (size_t i = 0; i < MAX_WATCHED; i++)
		if (watches[i].pt && (watches[i].pt == pt || !pt))
			end(&watches[i]);
	if (!pt)
		maint_reset();
}

void maint_reset(void)
{
	memset(ordered, 0, sizeof(ordered));
	memset(cpus, 0, sizeof(cpus));
	memset(last_vcpu, 0, sizeof(last_vcpu));
	memset(all_issued, 0, sizeof(all_issued));
	/* Stores of before are in order. */
	for (size_t i = 0; i < ARRAY_SIZE(ordered); i++)
		ordered[i] = maint_now;
	nr_vms = 0;
	following = false;
	page_reset();
}

/* --- */

static void check_one(const struct watch *w)
{
	for (size_t i = 0; i < nr_stale; i++)
		if (stale[i].watch == w)
			fake_fail("TLBs may still have 0x%lx of %s: %s", stale[i].ia, whose(w),
				  lacks[stale[i].stage]);
	for (size_t i = 0; i < nr_fresh; i++)
		if (fresh[i].watch == w && !fresh[i].visible)
			fake_fail("no DSB makes the new entry for 0x%lx of %s visible", fresh[i].ia,
				  whose(w));
}

/* VMs come and go with the lock of their table. */
static void follow_vms(void)
{
	bool there[MAX_WATCHED] = { false };

	if (nr_vms == vm_count())
		return;
	nr_vms = vm_count();
	for (u32 i = 0; i < STOCKADE_MAX_VMS; i++) {
		struct vm *vm = vm_get_index(i);
		struct watch *w;

		if (!vm)
			continue;
		w = watch_of(&vm->mem.map);
		if (!w) {
			w = begin(&vm->mem.map);
			w->mem = fake_ram(hyp_pa(&vm->mem));
		}
		there[w - watches] = true;
		vm_put(vm);
	}
	for (size_t i = 0; i < MAX_WATCHED; i++) {
		struct watch *w = &watches[i];

		if (!w->pt || !w->mem || there[i])
			continue;
		check_one(w);
		for (const struct table *t = tables; t && !w->quiet; t = t->next)
			for (u64 n = 0; t->watch == w && n < NR_ENTRIES; n++)
				if (is_valid(t->entry[n]))
					fake_fail(
						"%s may be another VM's now, and TLBs may have 0x%lx of it",
						whose(w), t->ia + n * span(t->level));
		end(w);
	}
}

void maint_lock(unsigned int nr_held)
{
	if (!fake.threads && !nr_held)
		page_lock();
}

static const struct spinlock *lock_of(const struct watch *w)
{
	const char *map = (const char *)w->pt;

	return (const void *)(map - offsetof(struct guest_mem, map) +
			      offsetof(struct guest_mem, lock));
}

void maint_unlock(const struct spinlock *lock)
{
	bool is_mem = (const void *)lock == &mem_lock, guest = false;

	if (fake.threads || !maint_host())
		return;
	for (size_t i = 0; i < MAX_WATCHED; i++) {
		const struct watch *w = &watches[i];

		if (!w->pt)
			continue;
		if (is_mem && (w->is_host || w->is_hyp))
			check_one(w);
		if (w->mem && lock == lock_of(w)) {
			check_one(w);
			guest = true;
		}
	}
	page_unlock(is_mem, guest);
}

void maint_after_unlock(void)
{
	if (fake.threads || following || !maint_host())
		return;
	following = true;
	follow_vms();
	following = false;
}

void maint_check(void)
{
	if (fake.threads)
		return;
	for (size_t i = 0; i < MAX_WATCHED; i++)
		if (watches[i].pt)
			check_one(&watches[i]);
	for (const struct table *t = tables; t; t = t->next)
		if (memcmp(t->entry, fake_ram(t->pa), sizeof(t->entry)))
			fake_fail(
				"the table of %s at 0x%lx was written otherwise than by table_write()",
				whose(t->watch), t->pa);
	if (!maint_host())
		return;
	for (unsigned int i = 0; i < cpu_count; i++) {
		const struct vcpu *vcpu = (const struct vcpu *)fake.entered[i];
		u64 right = vcpu ? vcpu->vm->world.vttbr : host_map.vttbr;

		if (cpus[i].stage1 || cpus[i].ic)
			fake_fail("CPU %u: no DSB follows a TLBI VMALLE1 or IC", i);
		if (fake_vttbr(i) != right)
			fake_fail("CPU %u has VTTBR_EL2 0x%lx, not 0x%lx", i, fake_vttbr(i), right);
	}
	page_check();
}
