// SPDX-License-Identifier: GPL-2.0-only
/* The judge of maintenance: which tables it follows, and when it judges. */
#include "maint.h"

#include <stdio.h>

#include "arch/layout.h"
#include "mem/host_map.h"
#include "mem/hyp_map.h"
#include "mem/page.h"
#include "vm/vcpu.h"

#define MAX_WATCHED (STOCKADE_MAX_VMS + 8)
#define NR_ENTRIES  512
#define VMID_SHIFT  48

u64 maint_now;

static struct watch watches[MAX_WATCHED];
static struct watch *host, *guests[256]; /* of them; by VMID */
static unsigned int nr_vms;
static bool following; /* has called the hypervisor itself */

/* --- watches --- */

u64 maint_vmid(const struct watch *w)
{
	return w->map.vttbr >> VMID_SHIFT;
}

const char *maint_whose(const struct watch *w)
{
	static char name[32];

	if (w->is_host || w->is_hyp)
		return w->is_host ? "the host" : "EL2";
	snprintf(name, sizeof(name), "VMID %lu", maint_vmid(w));
	return name;
}

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
	u64 entries = max_u64(1ull << (pt->ia_bits - level_shift(pt->start_level)), 1);

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
		table_begin(w, pt->root + i * PAGE_SIZE,
			    i * NR_ENTRIES * level_size(pt->start_level));
	return w;
}

static void end(struct watch *w)
{
	table_forget(w);
	tlb_forget(w);
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
	nr_vms = 0;
	following = false;
	tlb_reset();
	page_reset();
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

static void gone(const struct watch *w, u64 ia, pa_t pa, u64 size)
{
	(void)ia;
	page_gone(w, pa, size);
}

void maint_flushed(u64 vmid)
{
	struct watch *w = guests[vmid];

	if (!w || !w->mem || !w->mem->dying || is_loaded(w) || w->quiet)
		return;
	w->quiet = true;
	table_each_leaf(w, gone);
}

/* --- judgement --- */

static void refuse(const struct watch *w, u64 ia, pa_t pa, u64 size)
{
	fake_fail("%s may be another VM's now, and TLBs may have 0x%lx of it (0x%lx, %lu bytes)",
		  maint_whose(w), ia, pa, size);
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
		tlb_check(w);
		if (!w->quiet)
			table_each_leaf(w, refuse);
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
	bool is_mem = (const void *)lock == &mem_lock;
	const struct watch *guest = NULL;

	if (fake.threads || !maint_host())
		return;
	for (size_t i = 0; i < MAX_WATCHED; i++) {
		const struct watch *w = &watches[i];

		if (!w->pt)
			continue;
		if (is_mem && (w->is_host || w->is_hyp))
			tlb_check(w);
		if (w->mem && lock == lock_of(w)) {
			tlb_check(w);
			guest = w;
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
			tlb_check(&watches[i]);
	table_check();
	if (!maint_host())
		return;
	for (unsigned int i = 0; i < cpu_count; i++) {
		const struct vcpu *vcpu = (const struct vcpu *)fake.entered[i];
		u64 right = vcpu ? vcpu->vm->world.vttbr : host_map.vttbr;

		tlb_check_cpu(i);
		if (fake_vttbr(i) != right)
			fake_fail("CPU %u has VTTBR_EL2 0x%lx, not 0x%lx", i, fake_vttbr(i), right);
	}
	page_check();
}
