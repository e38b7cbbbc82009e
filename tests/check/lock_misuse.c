// SPDX-License-Identifier: GPL-2.0-only
/*
 * A test of `make check`, not of the hypervisor: tools/check.sh compiles this with MISUSE from 0 to LAST_MISUSE.
 * Clang has to accept 0, and to refuse each of the others.
 */
#include "arch/cache.h"
#include "arch/layout.h"
#include "mem/host_map.h"
#include "mem/hyp_map.h"
#include "mem/page.h"
#include "mem/transition.h"
#include "vm/vcpu.h"

#define LAST_MISUSE 18

static bool is_sealed(struct vm *vm) REQUIRES_LOCK(vm->lock) REQUIRES(vm)
{
	return vm->state == VM_SEALED;
}

/* All of it well, but for what MISUSE says. */
void lock_misuse(struct vm *vm, struct vm *other, struct vcpu *vcpu, pa_t pa);

void lock_misuse(struct vm *vm, struct vm *other, struct vcpu *vcpu, pa_t pa)
{
#if MISUSE != 1 /* fields, with no lock at all */
	spin_lock(&vm->lock);
#endif
	vcpu->bound = false;
	vm->loaded--;
#if MISUSE == 2 /* a lock that is held */
	spin_lock(&vm->lock);
#elif MISUSE == 3 /* another of the same class */
	spin_lock(&other->lock);
#elif MISUSE == 4 /* a lock under which this one is not to be taken */
	vm_put(vm);
#elif MISUSE == 5 /* another VM's lock is held than the one that is needed */
	is_sealed(other);
#else
	is_sealed(vm);
#endif
#if MISUSE == 6 /* a return with a lock */
	if (vm->state == VM_DYING)
		return;
#endif
	spin_unlock(&vm->lock);
#if MISUSE == 7 /* a lock is given back twice */
	spin_unlock(&vm->lock);
#elif MISUSE == 8  /* a field, too late */
	vm->nr_vcpus = 0;
#elif MISUSE == 9  /* reading counts too */
	pa += vm->mem.pool.free;
#elif MISUSE == 10 /* a function that needs a lock */
	host_remap(pa, 3);
#elif MISUSE == 11 /* a page's entry */
	page_of(pa)->refs++;
#elif MISUSE == 12 /* a global variable */
	page_nr_hyp++;
#endif

	spin_lock(&mem_lock);
#if MISUSE == 13 /* wrong order */
	spin_lock(&vm->mem.lock);
	spin_unlock(&vm->mem.lock);
#elif MISUSE == 14 /* a function that takes one in wrong order */
	guest_force_reclaim(&vm->mem, pa);
#elif MISUSE == 15 /* a lock that is not the one that is held */
	spin_unlock(&vm->lock);
#elif MISUSE == 16 /* others wait while a page is zeroed */
	clear_page(hyp_va(pa));
#elif MISUSE == 17 /* or cleaned, further in */
	scrub_page(pa);
#endif
#if MISUSE == 18 /* on one of two paths */
	if (page_of(pa)->state != PAGE_HOST)
#endif
		spin_unlock(&mem_lock);
}
