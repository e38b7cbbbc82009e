// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memslots: which of the VMM's addresses stand behind which guest addresses. What is refused, and
 * with which error, is as in KVM; on top of it come the rules for protected VMs.
 */
#include "kvm.h"

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define MAX_SLOT_PAGES ((1UL << 31) - 1) /* KVM's */

static bool slot_has(const struct stockade_memslot *slot, gfn_t gfn)
{
	return gfn >= slot->base_gfn && gfn - slot->base_gfn < slot->npages;
}

/* With vm->lock. */
static struct stockade_memslot *find_id(struct stockade_vm *vm, u32 id)
{
	struct stockade_memslot *slot;

	list_for_each_entry(slot, &vm->slots, node)
		if (slot->id == id)
			return slot;
	return NULL;
}

/* With vm->lock. */
static bool overlaps(struct stockade_vm *vm, const struct stockade_memslot *except, gfn_t base_gfn,
		     unsigned long npages)
{
	struct stockade_memslot *slot;

	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): the list has no NULL in it. */
	list_for_each_entry(slot, &vm->slots, node)
		if (slot != except && base_gfn < slot->base_gfn + slot->npages &&
		    slot->base_gfn < base_gfn + npages)
			return true;
	return false;
}

/* What can be said against a region without looking at the VM. */
static int check_region(const struct kvm_userspace_memory_region *region)
{
	if (region->flags & ~(KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY))
		return -EINVAL;
	if (!PAGE_ALIGNED(region->memory_size) || !PAGE_ALIGNED(region->guest_phys_addr) ||
	    !PAGE_ALIGNED(region->userspace_addr))
		return -EINVAL;
	/* A tagged address is refused: access_ok would strip the tag. */
	if (region->userspace_addr != untagged_addr(region->userspace_addr) ||
	    !access_ok((void __user *)(unsigned long)region->userspace_addr, region->memory_size))
		return -EINVAL;
	/* The upper half would be the address space: there is one only. */
	if (region->slot >= STOCKADE_MAX_SLOTS)
		return -EINVAL;
	if (region->guest_phys_addr + region->memory_size < region->guest_phys_addr)
		return -EINVAL;
	if (region->memory_size >> PAGE_SHIFT > MAX_SLOT_PAGES)
		return -EINVAL;
	return 0;
}

/* With vm->lock; new is used, and set to NULL, if the region is a new one. */
static int set_locked(struct stockade_vm *vm, const struct kvm_userspace_memory_region *region,
		      struct stockade_memslot **new)
{
	gfn_t base_gfn = region->guest_phys_addr >> PAGE_SHIFT;
	unsigned long npages = region->memory_size >> PAGE_SHIFT;
	struct stockade_memslot *slot = find_id(vm, region->slot);

	if (!npages) {
		if (!slot)
			return -EINVAL;
		if (vm->created)
			return -EPERM;
		list_del(&slot->node);
		kfree(slot);
		return 0;
	}

	if (slot) {
		if (region->userspace_addr != slot->hva || npages != slot->npages ||
		    region->flags & KVM_MEM_READONLY)
			return -EINVAL;
		if (base_gfn == slot->base_gfn && !region->flags)
			return 0;
	}
	if ((!slot || base_gfn != slot->base_gfn) && overlaps(vm, slot, base_gfn, npages))
		return -EEXIST;
	if (base_gfn + npages > 1ULL << (vm->ipa_bits - PAGE_SHIFT))
		return -EFAULT;
	/* EL2 has no way to write-protect a pVM's page, or to tell of a write. */
	if (region->flags)
		return -EPERM;

	if (slot) {
		/* Its pages would stay where the guest has them. */
		if (vm->created)
			return -EPERM;
		slot->base_gfn = base_gfn;
		return 0;
	}
	slot = *new;
	*new = NULL;
	slot->id = region->slot;
	slot->base_gfn = base_gfn;
	slot->npages = npages;
	slot->hva = region->userspace_addr;
	/* vCPUs may be looking. */
	list_add_tail_rcu(&slot->node, &vm->slots);
	return 0;
}

int stockade_memslot_set(struct stockade_vm *vm, const struct kvm_userspace_memory_region *region)
{
	struct stockade_memslot *new;
	int err;

	err = check_region(region);
	if (err)
		return err;
	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;

	/* vm->lock, so that the VM is not sealed between our look at it and the change. */
	mutex_lock(&vm->lock);
	err = set_locked(vm, region, &new);
	mutex_unlock(&vm->lock);
	kfree(new);
	return err;
}

struct stockade_memslot *stockade_memslot_find(struct stockade_vm *vm, gfn_t gfn)
{
	struct stockade_memslot *slot;

	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): the list has no NULL in it. */
	list_for_each_entry_lockless(slot, &vm->slots, node)
		if (slot_has(slot, gfn))
			return slot;
	return NULL;
}

void stockade_memslot_free_all(struct stockade_vm *vm)
{
	struct stockade_memslot *slot, *next;

	list_for_each_entry_safe(slot, next, &vm->slots, node) {
		list_del(&slot->node);
		/* Empty, unless EL2 would not give the pages back. */
		kvfree(slot->records);
		kfree(slot);
	}
}
