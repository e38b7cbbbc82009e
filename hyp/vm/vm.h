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
	u16 index;		  /* constant */

	struct vm_lock lock;
	enum vm_state state GUARDED_BY(vm);
	u32 nr_vcpus GUARDED_BY(vm);
	u32 loaded GUARDED_BY(vm); /* vCPUs that are bound to a CPU */
	struct vcpu *vcpus[STOCKADE_MAX_VCPUS] GUARDED_BY(vm);

	/*
	 * For each CPU, the vCPU that it had last, + 1. Written by that CPU. A VMID's stage 1 entries are one
	 * vCPU's, and must not be met by another that the host puts there.
	 */
	u16 last_vcpu[STOCKADE_MAX_CPUS];

	u32 users GUARDED_BY(table);
};

_Static_assert(sizeof(struct vm) <= PAGE_SIZE, "a VM is one page");

/* The VM with this handle, or index, with a reference; NULL if there is none. */
struct vm *vm_get(u64 handle) TAKES(table);
struct vm *vm_get_index(u64 index) TAKES(table);
void vm_put(struct vm *vm) TAKES(table);

unsigned int vm_count(void) TAKES(table);

/* Hostcalls; see stockade/hostcall.h. */
int vm_create(pa_t page, pa_t root, u64 config, u64 *handle, struct want *want) TAKES(table);
int vm_topup(struct vm *vm, pa_t pages, u64 nr, struct want *want) TAKES(guest_mem);
int vm_teardown(struct vm *vm) TAKES(vm);
int vm_reclaim(struct vm *vm, bool *more) TAKES(vm);
int vm_reclaim_table(struct vm *vm, pa_t *page) TAKES(vm);
/* Takes the caller's reference if it succeeds. */
int vm_destroy(struct vm *vm) TAKES(vm);
/* The VM will run no more. */
void vm_end(struct vm *vm) TAKES(vm);
/* The end of all VMs, and no new ones: all that they have mapped; then every guest's registers, and memory. Not bounded. */
void vm_unmap_all(void) TAKES(table);
void vm_scrub_registers(void) TAKES(table);
void vm_scrub_memory(void) TAKES(table);
/* No VM can be made any more. EBUSY: there is one. */
int vm_close_table(void) TAKES(table);
bool vm_table_is_closed(void) TAKES(table);

#endif
