// SPDX-License-Identifier: GPL-2.0-only
/*
 * How user space sets the vGIC up: KVM's device attributes, with KVM's errors (Linux
 * Documentation/virt/kvm/devices/arm-vgic-v3.rst). Groups that read or write guest-visible state
 * are not offered: a VMM that wants to save or migrate a pVM should learn early that it can't.
 */
#include "vgic-internal.h"

#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kvm.h>
#include <linux/lockdep.h>
#include <linux/uaccess.h>

/* The value of KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION */
#define REGION_INDEX	   GENMASK_ULL(11, 0)
#define REGION_FLAGS	   GENMASK_ULL(15, 12)
#define REGION_BASE	   GENMASK_ULL(51, 16)
#define REGION_COUNT_SHIFT 52

#define ADDR_ALIGN 0x10000

/* May a frame be at [base, base + size)? No overflow: size is at most 2^29. */
static int check_range(const struct stockade_vm *vm, u64 base, u64 size)
{
	if (!IS_ALIGNED(base, ADDR_ALIGN) || base + size < base)
		return -EINVAL;
	if (base + size > 1ULL << vm->ipa_bits)
		return -E2BIG;
	return 0;
}

static bool overlap(u64 a, u64 a_size, u64 b, u64 b_size)
{
	return a < b + b_size && b < a + a_size;
}

/* Until the number of vCPUs is final, a region that was given none counts for one. */
static u64 region_size(const struct vgic_dist *dist, const struct vgic_region *region)
{
	return max(vgic_region_count(dist, region), 1U) * (u64)VGIC_REDIST_SIZE;
}

static bool overlaps_redist(const struct vgic_dist *dist, u64 base, u64 size)
{
	u32 i;

	for (i = 0; i < dist->nr_regions; i++)
		if (overlap(base, size, dist->regions[i].base,
			    region_size(dist, &dist->regions[i])))
			return true;
	return false;
}

static int set_dist_base(struct stockade_vm *vm, u64 base)
{
	struct vgic_dist *dist = vm->vgic;
	int err;

	if (dist->base != VGIC_UNSET)
		return -EEXIST;
	err = check_range(vm, base, VGIC_DIST_SIZE);
	if (err)
		return err;
	if (overlaps_redist(dist, base, VGIC_DIST_SIZE))
		return -EINVAL;
	dist->base = base;
	return 0;
}

/* count = 0: the one region of KVM_VGIC_V3_ADDR_TYPE_REDIST. */
static int add_region(struct stockade_vm *vm, u64 base, u32 index, u32 count)
{
	struct vgic_dist *dist = vm->vgic;
	struct vgic_region region = { .base = base, .count = count };
	int err;

	if (dist->nr_regions) {
		/* The two ways to give redistributors an address can't be mixed. */
		if (!count != !dist->regions[0].count)
			return -EINVAL;
		if (!count)
			return -EEXIST;
	}
	if (index != dist->nr_regions)
		return -EINVAL;
	if (dist->ready)
		return -EBUSY;
	if (index >= VGIC_MAX_REGIONS)
		return -ENOMEM;
	err = check_range(vm, base, region_size(dist, &region));
	if (err)
		return err;
	if (overlaps_redist(dist, base, region_size(dist, &region)) ||
	    (dist->base != VGIC_UNSET &&
	     overlap(base, region_size(dist, &region), dist->base, VGIC_DIST_SIZE)))
		return -EINVAL;
	dist->regions[dist->nr_regions++] = region;
	return 0;
}

static int set_addr(struct stockade_vm *vm, u64 type, u64 value)
{
	u32 count;

	switch (type) {
	case KVM_VGIC_V3_ADDR_TYPE_DIST:
		return set_dist_base(vm, value);
	case KVM_VGIC_V3_ADDR_TYPE_REDIST:
		return add_region(vm, value, 0, 0);
	case KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION:
		count = value >> REGION_COUNT_SHIFT;
		if (!count || value & REGION_FLAGS)
			return -EINVAL;
		return add_region(vm, value & REGION_BASE, value & REGION_INDEX, count);
	default:
		return -ENXIO;
	}
}

/* value: for a region, its index is asked with it. */
static int get_addr(const struct vgic_dist *dist, u64 type, u64 *value)
{
	const struct vgic_region *region;
	u64 index;

	switch (type) {
	case KVM_VGIC_V3_ADDR_TYPE_DIST:
		*value = dist->base;
		return 0;
	case KVM_VGIC_V3_ADDR_TYPE_REDIST:
		*value = dist->nr_regions ? dist->regions[0].base : VGIC_UNSET;
		return 0;
	case KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION:
		index = *value & REGION_INDEX;
		if (index >= dist->nr_regions)
			return -ENOENT;
		region = &dist->regions[array_index_nospec(index, VGIC_MAX_REGIONS)];
		*value = (u64)region->count << REGION_COUNT_SHIFT | region->base | index;
		return 0;
	default:
		return -ENXIO;
	}
}

static int set_nr_irqs(struct vgic_dist *dist, u32 nr)
{
	/* All but the special INTIDs; 1024 stands for 1020, as in GICD_TYPER. */
	if (nr < 2 * VGIC_NR_PRIVATE || nr > VGIC_MAX_IRQS || nr % 32)
		return -EINVAL;
	if (dist->nr_irqs || dist->initialised)
		return -EBUSY;
	dist->nr_irqs = nr;
	return 0;
}

static int init_vgic(struct stockade_vm *vm)
{
	struct vgic_dist *dist = vm->vgic;
	unsigned int i;

	if (dist->initialised)
		return 0;
	if (!vm->nr_vcpus)
		return -ENODEV;
	/* From here on no vCPU can be added, so one that is missing would be missing for ever. */
	for (i = 0; i < vm->nr_vcpus; i++)
		if (!vm->vcpus[i])
			return -ENXIO;
	if (!dist->nr_irqs)
		dist->nr_irqs = VGIC_DEFAULT_IRQS;
	return vgic_init(vm);
}

int vgic_set_attr(struct stockade_vm *vm, const struct kvm_device_attr *attr)
{
	void __user *user = u64_to_user_ptr(attr->addr);
	u64 value = 0;
	u32 nr = 0;
	int err;

	err = vgic_has_attr(vm, attr);
	if (err)
		return err;
	if (attr->group == KVM_DEV_ARM_VGIC_GRP_ADDR && copy_from_user(&value, user, sizeof(value)))
		return -EFAULT;
	if (attr->group == KVM_DEV_ARM_VGIC_GRP_NR_IRQS && copy_from_user(&nr, user, sizeof(nr)))
		return -EFAULT;

	mutex_lock(&vm->lock);
	if (!vm->vgic)
		err = -ENXIO;
	else if (attr->group == KVM_DEV_ARM_VGIC_GRP_ADDR)
		err = set_addr(vm, attr->attr, value);
	else if (attr->group == KVM_DEV_ARM_VGIC_GRP_NR_IRQS)
		err = set_nr_irqs(vm->vgic, nr);
	else
		err = init_vgic(vm);
	mutex_unlock(&vm->lock);
	return err;
}

int vgic_get_attr(struct stockade_vm *vm, const struct kvm_device_attr *attr)
{
	void __user *user = u64_to_user_ptr(attr->addr);
	u64 value = 0;
	u32 nr = 0;
	int err;

	err = vgic_has_attr(vm, attr);
	if (err)
		return err;
	/* There is no getting of an action. */
	if (attr->group == KVM_DEV_ARM_VGIC_GRP_CTRL)
		return -ENXIO;
	if (attr->group == KVM_DEV_ARM_VGIC_GRP_ADDR && copy_from_user(&value, user, sizeof(value)))
		return -EFAULT;

	mutex_lock(&vm->lock);
	if (!vm->vgic)
		err = -ENXIO;
	else if (attr->group == KVM_DEV_ARM_VGIC_GRP_ADDR)
		err = get_addr(vm->vgic, attr->attr, &value);
	else
		nr = max_t(u32, vm->vgic->nr_irqs, VGIC_NR_PRIVATE);
	mutex_unlock(&vm->lock);
	if (err)
		return err;

	if (attr->group == KVM_DEV_ARM_VGIC_GRP_ADDR)
		return copy_to_user(user, &value, sizeof(value)) ? -EFAULT : 0;
	return copy_to_user(user, &nr, sizeof(nr)) ? -EFAULT : 0;
}

int vgic_has_attr(struct stockade_vm *vm, const struct kvm_device_attr *attr)
{
	switch (attr->group) {
	case KVM_DEV_ARM_VGIC_GRP_ADDR:
		switch (attr->attr) {
		case KVM_VGIC_V3_ADDR_TYPE_DIST:
		case KVM_VGIC_V3_ADDR_TYPE_REDIST:
		case KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION:
			return 0;
		}
		return -ENXIO;
	case KVM_DEV_ARM_VGIC_GRP_NR_IRQS:
		return 0;
	case KVM_DEV_ARM_VGIC_GRP_CTRL:
		return attr->attr == KVM_DEV_ARM_VGIC_CTRL_INIT ? 0 : -ENXIO;
	default:
		return -ENXIO;
	}
}

int vgic_ready(struct stockade_vm *vm)
{
	struct vgic_dist *dist = vm->vgic;
	u64 redists = 0, size;
	u32 i, j;
	int err;

	lockdep_assert_held(&vm->lock);
	if (!dist || dist->ready)
		return 0;
	if (dist->base == VGIC_UNSET || !dist->nr_regions)
		return -ENXIO;
	/* KVM wants a GICv3 to be initialised by hand. */
	if (!dist->initialised)
		return -EBUSY;

	/* Again, since a region without a count has its size only now. */
	for (i = 0; i < dist->nr_regions; i++) {
		redists += vgic_region_count(dist, &dist->regions[i]);
		size = region_size(dist, &dist->regions[i]);
		err = check_range(vm, dist->regions[i].base, size);
		if (err)
			return -EINVAL;
		if (overlap(dist->regions[i].base, size, dist->base, VGIC_DIST_SIZE))
			return -EINVAL;
		for (j = 0; j < i; j++)
			if (overlap(dist->regions[i].base, size, dist->regions[j].base,
				    region_size(dist, &dist->regions[j])))
				return -EINVAL;
	}
	if (redists < dist->nr_vcpus)
		return -ENXIO;
	smp_store_release(&dist->ready, true);
	return 0;
}
