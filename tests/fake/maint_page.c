// SPDX-License-Identifier: GPL-2.0-only
/*
 * The judge's model of pages: who may have what of them in caches. It follows what tables map, and asks the page
 * array only what a page is at the moment when it is mapped.
 */
#include <stdlib.h>
#include <string.h>

#include "arch/layout.h"
#include "maint.h"
#include "mem/host_map.h"
#include "mem/page.h"

#define NR_FRAMES ((FAKE_RAM_END - FAKE_RAM_BASE) >> PAGE_SHIFT)
/* Bytes that one bit stands for: the smallest line, and the smallest store of zeroes. */
#define LINE 16
#define WORD 8

enum had {
	HAD_GUEST = 1, /* a guest has had it since the host had it alone */
	HAD_HYP = 2,   /* so has the hypervisor */
};

struct frame {
	u64 zero[PAGE_SIZE / WORD / 64];
	u64 clean[PAGE_SIZE / LINE / 64];
	u64 cleaned_at; /* all lines, and the DSB; 0: not since what made them dirty */
	u64 gone_at;	/* when the one before lost it, in every TLB */
	u64 vmid, ipa;	/* whose guest has it */
	bool host_lost;
	u8 had;
	bool dc_pending; /* is in the CPU's list */
};

static struct frame frames[NR_FRAMES];
/* Frames that nothing was said of are the host's. */
static u32 epoch_of[NR_FRAMES], epoch = 1;

struct range {
	const struct watch *watch;
	u64 ia, size;
	pa_t pa;
};

struct list {
	struct range *range;
	size_t nr, max;
};

/* Taken from tables since the lock was taken; cleaned since the last DSB; shared pages that the host lost. */
static struct list host_unmade, guest_unmade, cleaned[FAKE_MAX_CPUS], owed;

static u64 section[FAKE_MAX_CPUS];	      /* since when the CPU holds a lock */
static u64 ic_issued[FAKE_MAX_CPUS], ic_done; /* when the last complete IC was issued */

static void add(struct list *list, const struct range *range)
{
	if (list->nr == list->max) {
		list->max = list->max ? 2 * list->max : 1024;
		list->range = realloc(list->range, list->max * sizeof(*range));
		if (!list->range)
			fake_fail("no memory");
	}
	list->range[list->nr++] = *range;
}

static size_t index_of(pa_t pa)
{
	return (pa - FAKE_RAM_BASE) >> PAGE_SHIFT;
}

static bool is_ram(pa_t pa)
{
	return pa >= FAKE_RAM_BASE && pa < FAKE_RAM_END;
}

/* NULL: nothing was said of it yet, or it is no RAM. */
static struct frame *known(pa_t pa)
{
	return is_ram(pa) && epoch_of[index_of(pa)] == epoch ? &frames[index_of(pa)] : NULL;
}

static struct frame *frame(pa_t pa)
{
	struct frame *f = &frames[index_of(pa)];

	if (epoch_of[index_of(pa)] != epoch) {
		*f = (struct frame){ 0 };
		epoch_of[index_of(pa)] = epoch;
	}
	return f;
}

/* A page or block of 2 MiB changes hands; 1 GiB is the host's that gets smaller or larger. */
static struct frame *frame_in(pa_t pa, u64 size)
{
	return is_ram(pa) && size <= level_size(2) ? frame(pa) : known(pa);
}

static unsigned int state_of(pa_t pa)
{
	const struct page *page = fake_page(pa);

	return page ? page->state : PAGE_NONE;
}

static bool host_has(pa_t pa)
{
	return fake_walk(&host_map, pa).valid;
}

static bool guest_has(const struct frame *f, pa_t pa)
{
	const struct watch *w = maint_guest(f->vmid);
	struct fake_leaf leaf;

	if (!f->vmid || !w)
		return false;
	leaf = fake_walk(&w->map, f->ipa);
	return leaf.valid && leaf.pa == pa;
}

static void dirty(struct frame *f)
{
	memset(f->clean, 0, sizeof(f->clean));
	f->cleaned_at = 0;
}

/* --- what is demanded when a page gets a new owner --- */

/* Nobody else can reach the page, not by old TLB entries either. */
static void demand_host_gone(pa_t pa, const char *to)
{
	if (host_has(pa))
		fake_fail("0x%lx goes to %s, and the host still maps it", pa, to);
	if (tlb_may_hold(maint_host(), pa, PAGE_SIZE))
		fake_fail("0x%lx goes to %s, and TLBs may still have it for the host", pa, to);
}

/* The host may look past the caches: what it sees is in memory. */
static void to_host(pa_t pa, struct frame *f)
{
	const struct watch *w = maint_guest(f->vmid);
	const u64 *word = fake_ram(pa);

	if (state_of(pa) == PAGE_GUEST_SHARED) {
		if (f->cleaned_at <= section[fake_cpu_index()])
			fake_fail(
				"0x%lx is shared with the host, and not cleaned to the PoC before",
				pa);
		return;
	}
	if (guest_has(f, pa))
		fake_fail("0x%lx goes to the host, and VMID %lu still maps it", pa, f->vmid);
	if (w && tlb_may_hold(w, pa, PAGE_SIZE))
		fake_fail("0x%lx goes to the host, and TLBs may still have it for VMID %lu", pa,
			  f->vmid);
	for (size_t i = 0; i < ARRAY_SIZE(f->zero); i++)
		if (~f->zero[i])
			fake_fail(
				"0x%lx goes to the host, and was not zeroed since its owner lost it",
				pa);
	for (size_t i = 0; i < PAGE_SIZE / 8; i++)
		if (word[i])
			fake_fail("0x%lx goes to the host, and is not zero", pa);
	if (!f->cleaned_at)
		fake_fail("0x%lx goes to the host, and its zeroes were not cleaned to the PoC", pa);
	if (f->had & HAD_GUEST && ic_done <= f->gone_at)
		fake_fail("0x%lx goes to the host, and I-caches may have the guest's lines of it",
			  pa);
}

static void clean_for_guest(pa_t pa, const struct frame *f)
{
	/* With FWB the guest can't look past the caches. */
	if (!fake.has_fwb && !f->cleaned_at)
		fake_fail(
			"0x%lx goes to a guest, and was not cleaned to the PoC since the host lost it",
			pa);
}

static void to_guest(pa_t pa, const struct frame *f)
{
	if (state_of(pa) != PAGE_GUEST_SHARED)
		demand_host_gone(pa, "a guest");
	clean_for_guest(pa, f);
	if (ic_done <= max_u64(fake.has_fwb ? 0 : f->cleaned_at, f->gone_at))
		fake_fail("0x%lx goes to a guest, and I-caches may have older lines of it", pa);
}

/* --- tables --- */

static void host_made(pa_t pa, u64 size)
{
	for (pa_t p = pa; p < pa + size; p += PAGE_SIZE) {
		struct frame *f = known(p);

		if (!f || !f->host_lost)
			continue;
		if (f->had)
			to_host(p, f);
		f->host_lost = false;
		if (!f->vmid)
			f->had = 0;
	}
}

static void guest_made(const struct watch *w, u64 ia, pa_t pa, u64 size)
{
	for (u64 off = 0; off < size && is_ram(pa); off += PAGE_SIZE) {
		struct frame *f = frame(pa + off);

		if (f->vmid != maint_vmid(w) || f->ipa != ia + off)
			to_guest(pa + off, f);
		f->vmid = maint_vmid(w);
		f->ipa = ia + off;
		f->had |= HAD_GUEST;
	}
}

static void hyp_made(pa_t pa)
{
	if (!maint_host() || !is_ram(pa) || state_of(pa) != PAGE_HYP)
		return;
	demand_host_gone(pa, "the hypervisor");
	frame(pa)->had |= HAD_HYP;
	frame(pa)->host_lost = true;
}

void page_made(const struct watch *w, u64 ia, pa_t pa, u64 size)
{
	if (w->is_host)
		host_made(pa, size);
	else if (w->mem)
		guest_made(w, ia, pa, size);
	else if (w->is_hyp && ia >= HYP_LINEAR_BASE && ia < HYP_LINEAR_BASE + FAKE_RAM_END)
		hyp_made(pa);
}

void page_unmade(const struct watch *w, u64 ia, pa_t pa, u64 size)
{
	const struct range range = { w, ia, size, pa };

	if (w->is_host)
		add(&host_unmade, &range);
	else if (w->mem)
		add(&guest_unmade, &range);
}

void page_gone(const struct watch *w, pa_t pa, u64 size)
{
	for (pa_t p = pa; p < pa + size && (w->is_host || w->mem); p += PAGE_SIZE) {
		struct frame *f = frame_in(p, size);

		if (!f)
			continue;
		/* Until now it could be written. */
		f->gone_at = maint_now;
		memset(f->zero, 0, sizeof(f->zero));
		dirty(f);
	}
}

/* --- caches --- */

static void set_bits(u64 *bits, u64 first, u64 nr)
{
	for (u64 i = first; i < first + nr; i++)
		bits[i / 64] |= BIT(i % 64);
}

static void clear_bits(u64 *bits, u64 first, u64 nr)
{
	for (u64 i = first; i < first + nr; i++)
		bits[i / 64] &= ~BIT(i % 64);
}

void page_zeroed(pa_t pa, u64 size)
{
	struct frame *f;

	if (!maint_host() || !is_ram(pa))
		return;
	f = frame(pa);
	set_bits(f->zero, pa % PAGE_SIZE / WORD, max_u64(size / WORD, 1));
	clear_bits(f->clean, pa % PAGE_SIZE / LINE, max_u64(size / LINE, 1));
	f->cleaned_at = 0;
}

void maint_dc(pa_t pa, u64 size)
{
	const struct range range = { .pa = pa & PAGE_MASK };
	struct frame *f;

	maint_now++;
	if (!maint_host() || !is_ram(pa))
		return;
	f = frame(pa);
	set_bits(f->clean, pa % PAGE_SIZE / LINE, size / LINE);
	if (!f->dc_pending)
		add(&cleaned[fake_cpu_index()], &range);
	f->dc_pending = true;
}

static bool all_set(const u64 *bits, size_t nr)
{
	while (nr--)
		if (~bits[nr])
			return false;
	return true;
}

void page_dsb(enum fake_dsb option)
{
	unsigned int cpu = fake_cpu_index();

	if (option == FAKE_DSB_ish || option == FAKE_DSB_sy)
		ic_done = max_u64(ic_done, ic_issued[cpu]);
	/* Who looks past the caches is in no inner shareable domain. */
	if (option != FAKE_DSB_sy)
		return;
	for (size_t i = 0; i < cleaned[cpu].nr; i++) {
		struct frame *f = frame(cleaned[cpu].range[i].pa);

		f->dc_pending = false;
		if (all_set(f->clean, ARRAY_SIZE(f->clean)))
			f->cleaned_at = maint_now;
	}
	cleaned[cpu].nr = 0;
}

void page_ic(void)
{
	ic_issued[fake_cpu_index()] = maint_now;
}

/* --- locks: what is so when they are given back was meant --- */

void page_lock(void)
{
	section[fake_cpu_index()] = ++maint_now;
}

static void settle_host(const struct range *range)
{
	for (u64 off = 0; off < range->size;) {
		struct fake_leaf leaf = fake_walk(&host_map, range->ia + off);
		pa_t pa = range->pa + off;
		const struct range one = { .pa = pa };
		struct frame *f;

		if (leaf.valid) {
			off = leaf.ia + level_size(leaf.level) - range->ia;
			continue;
		}
		off += PAGE_SIZE;
		if (!is_ram(pa))
			continue;
		f = frame(pa);
		f->host_lost = true;
		if (f->vmid)
			add(&owed, &one);
	}
}

static void settle_guest(const struct range *range)
{
	for (u64 off = 0; off < range->size; off += PAGE_SIZE) {
		struct frame *f = known(range->pa + off);

		if (!f || guest_has(f, range->pa + off))
			continue;
		f->vmid = 0;
		if (!f->host_lost)
			f->had = 0;
	}
}

/*
 * A page that a guest shared is its own again: what the host left in caches must not come back over it. For one guest,
 * or for all (NULL).
 */
static void settle_owed(const struct watch *guest)
{
	size_t kept = 0;

	for (size_t i = 0; i < owed.nr; i++) {
		pa_t pa = owed.range[i].pa;
		struct frame *f = frame(pa);

		if (guest && f->vmid && f->vmid != maint_vmid(guest))
			owed.range[kept++] = owed.range[i];
		else if (f->vmid && f->host_lost && guest_has(f, pa))
			clean_for_guest(pa, f);
	}
	owed.nr = kept;
}

static void settle_guests(const struct watch *guest)
{
	size_t kept = 0;

	for (size_t i = 0; i < guest_unmade.nr; i++)
		if (guest_unmade.range[i].watch == guest)
			settle_guest(&guest_unmade.range[i]);
		else
			guest_unmade.range[kept++] = guest_unmade.range[i];
	guest_unmade.nr = kept;
}

void page_unlock(bool mem_lock, const struct watch *guest)
{
	for (size_t i = 0; mem_lock && i < host_unmade.nr; i++)
		settle_host(&host_unmade.range[i]);
	if (mem_lock)
		host_unmade.nr = 0;
	/* Another guest's CPU may be in the middle of it. */
	if (guest) {
		settle_guests(guest);
		settle_owed(guest);
	}
}

void page_check(void)
{
	settle_owed(NULL);
	for (unsigned int i = 0; i < FAKE_MAX_CPUS; i++)
		if (cleaned[i].nr)
			fake_fail("no DSB SY follows a DC CIVAC of 0x%lx", cleaned[i].range[0].pa);
}

void page_reset(void)
{
	epoch++;
	host_unmade.nr = guest_unmade.nr = owed.nr = 0;
	for (unsigned int i = 0; i < FAKE_MAX_CPUS; i++)
		cleaned[i].nr = 0;
	memset(section, 0, sizeof(section));
	memset(ic_issued, 0, sizeof(ic_issued));
	ic_done = 0;
}
