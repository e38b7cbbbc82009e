// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM's beginning and end at EL2.
 *
 * Until the first KVM_RUN a VM exists in this module only: user space may set it up in any order.
 * Then all is given to the hypervisor at once. At the end, whichever way it came, the hypervisor
 * gives back first what the guest had, zeroed, then its own tables, then the VM itself; nothing is
 * freed or unpinned here that the hypervisor has not given back.
 */
#include "kvm.h"

#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>

#include "hostcall.h"
#include "vgic.h"

/* Of a call that is refused for a moment only. */
#define MAX_TRIES 10000

static atomic_t nr_at_el2;
static DECLARE_WAIT_QUEUE_HEAD(none_at_el2);

bool stockade_vm_wait_none(unsigned long timeout)
{
	return wait_event_timeout(none_at_el2, !atomic_read(&nr_at_el2), timeout);
}

static int check_vcpus(const struct stockade_vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		if (!vm->vcpus[i]) {
			pr_info_ratelimited(
				"a VM with %u vCPUs has no vCPU %u: ids must be 0 to %u\n",
				vm->nr_vcpus, i, vm->nr_vcpus - 1);
			return -EINVAL;
		}
		if (!vm->vcpus[i]->initialised)
			return -ENOEXEC;
	}
	return 0;
}

static int create_vcpu(struct stockade_vm *vm, struct stockade_vcpu *vcpu)
{
	u32 reg;
	int err;

	err = stockade_hc_vcpu_create(vm->handle, vcpu->index, page_to_pfn(vcpu->vcpu_page),
				      vcpu->run);
	if (err)
		return err;
	vcpu->at_el2 = true;

	for (reg = STOCKADE_REG_X0; !err && reg <= STOCKADE_REG_PC; reg++)
		err = stockade_hc_vcpu_set_reg(vm->handle, vcpu->index, reg, vcpu->boot_regs[reg]);
	if (!err)
		err = stockade_hc_vcpu_set_reg(vm->handle, vcpu->index, STOCKADE_REG_POWER_OFF,
					       vcpu->start_off);
	return err;
}

static int create_vm(struct stockade_vm *vm)
{
	unsigned int root_pages = stockade_s2_root_pages(vm->ipa_bits);
	int err = -ENOMEM;

	vm->root_order = order_base_2(root_pages);
	vm->vm_page = alloc_page(GFP_KERNEL_ACCOUNT);
	/* What the buddy allocator gives is aligned to its size, as the root must be. */
	vm->root = alloc_pages(GFP_KERNEL_ACCOUNT, vm->root_order);
	if (vm->vm_page && vm->root)
		err = stockade_hc_vm_create(page_to_pfn(vm->vm_page), page_to_pfn(vm->root),
					    vm->ipa_bits, STOCKADE_VM_PROTECTED, &vm->handle);
	if (!err) {
		vm->at_el2 = true;
		atomic_inc(&nr_at_el2);
		return 0;
	}
	if (vm->root)
		__free_pages(vm->root, vm->root_order);
	if (vm->vm_page)
		__free_page(vm->vm_page);
	vm->root = NULL;
	vm->vm_page = NULL;
	/* No VMID free: what KVM says when there are too many VMs. */
	return err == -ENOSPC ? -ENOMEM : err;
}

int stockade_vm_create_el2(struct stockade_vm *vm)
{
	unsigned int i;
	int err;

	if (vm->created)
		return 0;
	/* Never again after stockade_kvm_stop: EL2 may be the kernel stub's. */
	if (vm->dead)
		return -EPERM;
	err = check_vcpus(vm);
	if (err)
		return err;
	err = vgic_ready(vm);
	if (err)
		return err;
	err = create_vm(vm);
	if (err)
		return err;
	for (i = 0; i < vm->nr_vcpus; i++) {
		err = create_vcpu(vm, vm->vcpus[i]);
		if (err) {
			stockade_vm_destroy_el2(vm);
			return err;
		}
	}
	smp_store_release(&vm->created, true);
	return 0;
}

static int reclaim_guest(struct stockade_vm *vm)
{
	bool more;
	int err;

	do {
		err = stockade_hc_vm_reclaim(vm->handle, &more);
		cond_resched();
	} while (!err && more);
	if (!err)
		stockade_guest_pages_release(vm);
	return err;
}

static int reclaim_tables(struct stockade_vm *vm)
{
	u64 pfn;
	int err;

	for (;;) {
		err = stockade_hc_vm_reclaim_table(vm->handle, &pfn);
		if (err)
			return err == -ENOENT ? 0 : err;
		__free_page(pfn_to_page(pfn));
		cond_resched();
	}
}

static int destroy_vcpus(struct stockade_vm *vm)
{
	unsigned int i;
	int err;

	/* From the last one down, as the hypervisor wants it. */
	for (i = STOCKADE_MAX_VCPUS; i-- > 0;) {
		struct stockade_vcpu *vcpu = vm->vcpus[i];

		if (!vcpu || !vcpu->at_el2)
			continue;
		err = stockade_hc_vcpu_destroy(vm->handle, i);
		if (err)
			return err;
		vcpu->at_el2 = false;
	}
	return 0;
}

static int destroy_vm(struct stockade_vm *vm)
{
	unsigned int tries = 0;
	int err;

	/* Another CPU may be at EL2 for this VM still: in an abort on a page that it had. That ends soon. */
	do {
		err = stockade_hc_vm_destroy(vm->handle);
		cond_resched();
	} while (err == -EBUSY && ++tries < MAX_TRIES);
	return err;
}

void stockade_vm_destroy_el2(struct stockade_vm *vm)
{
	int err;

	if (!vm->at_el2)
		return;
	err = stockade_hc_vm_teardown(vm->handle);
	if (!err)
		err = reclaim_guest(vm);
	if (!err)
		err = reclaim_tables(vm);
	if (!err)
		err = destroy_vcpus(vm);
	if (!err)
		err = destroy_vm(vm);
	if (err) {
		/*
		 * Cannot be. What EL2 still has must not get back to the kernel's allocator, so it
		 * is lost; nr_at_el2 goes on counting this VM, EL2 will refuse to be given back, and
		 * the module, whose log EL2 writes to, stays.
		 */
		__module_get(THIS_MODULE);
		pr_err("VM %u could not be ended (%d): its memory is lost until reboot\n",
		       vm->handle, err);
		vm->at_el2 = false;
		return;
	}
	__free_pages(vm->root, vm->root_order);
	__free_page(vm->vm_page);
	vm->root = NULL;
	vm->vm_page = NULL;
	vm->at_el2 = false;
	if (atomic_dec_and_test(&nr_at_el2))
		wake_up_all(&none_at_el2);
}
