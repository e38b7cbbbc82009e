/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMs: each lives in one page that the host donated. The table of VMs holds a reference to each.
 */
#ifndef HYP_VM_VM_H
#define HYP_VM_VM_H

#include <stockade/hostcall.h>
#include <stockade/launch.h>

#include "arch/guest.h"
#include "arch/lock.h"
#include "mem/guest_mem.h"
#include "mem/transition.h"

struct vcpu;

enum vm_state {
	VM_NEW,	   /* vCPUs are added and their registers set */
	VM_SEALED, /* a vCPU was loaded: it is the guest's now */
	VM_ENDED,  /* the guest called SYSTEM_OFF or SYSTEM_RESET: runs no more */
	VM_DYING,  /* the host reclaims it */
};

struct vm {
	struct guest_mem mem;
	struct guest_world world; /* constant */
	u16 index;

	struct spinlock lock; /* guards what follows, and the vCPUs' power */
	enum vm_state state;
	u32 nr_vcpus;
	u32 loaded; /* vCPUs that are bound to a CPU */
	struct vcpu *vcpus[STOCKADE_MAX_VCPUS];

	/*
	 * For each CPU, the vCPU that it had last, + 1. Written by that CPU. A VMID's stage 1 entries are one
	 * vCPU's, and must not be met by another that the host puts there.
	 */
	u16 last_vcpu[STOCKADE_MAX_CPUS];

	u32 users; /* guarded by the VM table's lock */
};

_Static_assert(sizeof(struct vm) <= PAGE_SIZE, "a VM is one page");

/* The VM with this handle, or index, with a reference; NULL if there is none. */
struct vm *vm_get(u64 handle);
struct vm *vm_get_index(u32 index);
void vm_put(struct vm *vm);

unsigned int vm_count(void);

/* Hostcalls; see stockade/hostcall.h. */
int vm_create(pa_t page, pa_t root, u64 config, u64 *handle, struct want *want);
int vm_topup(struct vm *vm, pa_t pages, u64 nr, struct want *want);
int vm_teardown(struct vm *vm);
int vm_reclaim(struct vm *vm, bool *more);
int vm_reclaim_table(struct vm *vm, pa_t *page);
/* Takes the caller's reference if it succeeds. */
int vm_destroy(struct vm *vm);
/* The VM will run no more. */
void vm_end(struct vm *vm);
/* The end of all VMs, and no new ones: all that they have mapped; then every guest's registers. */
void vm_unmap_all(void);
void vm_scrub_all(void);
/* No VM can be made any more. EBUSY: there is one. */
int vm_close_table(void);
bool vm_table_is_closed(void);

#endif
