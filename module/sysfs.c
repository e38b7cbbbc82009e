// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/stockade, for `stockade status` and for scripts: one value a file, readable by all,
 * there only while the hypervisor is.
 *
 *   version     of the module, a.b.c
 *   abi         of the hostcalls, a decimal number
 *   pages_held  4 KiB pages that the hypervisor holds for itself, decimal
 *   pages_free  ... of which in its pool and not used
 *   vms         VMs that exist at EL2, decimal
 *   protects    what of a VM the host cannot read, words separated by blanks
 *   relies_on   what memory's isolation leans on beside the hypervisor: nothing, or secure-world (allow_tos=1)
 */
#include "kvm.h"

#include <linux/kobject.h>
#include <linux/sysfs.h>

#include "hostcall.h"
#include "launch.h"

static struct kobject *kobj;

struct status {
	u64 held;
	u64 free;
	u64 vms;
};

static int get_status(struct status *status)
{
	return stockade_hc_status(&status->held, &status->free, &status->vms);
}

static ssize_t version_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", STOCKADE_VERSION);
}

static ssize_t abi_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	u64 abi;
	int err = stockade_hc_version(&abi);

	return err ? err : sysfs_emit(buf, "%llu\n", abi);
}

static ssize_t pages_held_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct status status;
	int err = get_status(&status);

	return err ? err : sysfs_emit(buf, "%llu\n", status.held);
}

static ssize_t pages_free_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct status status;
	int err = get_status(&status);

	return err ? err : sysfs_emit(buf, "%llu\n", status.free);
}

static ssize_t vms_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct status status;
	int err = get_status(&status);

	return err ? err : sysfs_emit(buf, "%llu\n", status.vms);
}

static ssize_t protects_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "memory registers\n");
}

static ssize_t relies_on_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", stockade_allows_tos() ? "secure-world" : "nothing");
}

static struct kobj_attribute version_attr = __ATTR_RO(version);
static struct kobj_attribute abi_attr = __ATTR_RO(abi);
static struct kobj_attribute pages_held_attr = __ATTR_RO(pages_held);
static struct kobj_attribute pages_free_attr = __ATTR_RO(pages_free);
static struct kobj_attribute vms_attr = __ATTR_RO(vms);
static struct kobj_attribute protects_attr = __ATTR_RO(protects);
static struct kobj_attribute relies_on_attr = __ATTR_RO(relies_on);

static struct attribute *attrs[] = {
	&version_attr.attr, &abi_attr.attr,	 &pages_held_attr.attr, &pages_free_attr.attr,
	&vms_attr.attr,	    &protects_attr.attr, &relies_on_attr.attr,	NULL,
};

static const struct attribute_group group = {
	.attrs = attrs,
};

int stockade_sysfs_init(void)
{
	int err;

	kobj = kobject_create_and_add("stockade", kernel_kobj);
	if (!kobj)
		return -ENOMEM;
	err = sysfs_create_group(kobj, &group);
	if (err)
		kobject_put(kobj);
	return err;
}

void stockade_sysfs_exit(void)
{
	/* Waits for readers, so no call is made after this. */
	sysfs_remove_group(kobj, &group);
	kobject_put(kobj);
}
