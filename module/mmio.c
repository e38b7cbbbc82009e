// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest touched an address that nothing is mapped at: memory that it has not touched before,
 * the vGIC, a device of user space, or nothing at all. Memslots win, as in KVM.
 *
 * What a store was going to store is asked of the hypervisor only when it is certain that it is
 * MMIO: a first store to memory is the guest's private matter.
 */
#include "kvm.h"

#include <linux/mm.h>
#include <linux/string.h>

#include "hostcall.h"
#include "vgic.h"

/* Can the access be emulated at all? Else the guest gets an external abort. */
static bool emulable(const struct stockade_run *run)
{
	return run->abort_flags & STOCKADE_ABORT_SYNDROME &&
	       !(run->abort_flags & STOCKADE_ABORT_FETCH) && run->abort_size <= sizeof(u64);
}

/* The vGIC's part; 1: done, 0: not the vGIC's, then data is a store's value. Does not sleep. */
static int try_vgic(struct stockade_vcpu *vcpu, bool write, u64 *data)
{
	struct stockade_run *run = vcpu->run;
	int err;

	*data = 0;
	if (write) {
		err = stockade_hc_vcpu_mmio_value(data);
		if (err)
			return err;
	}
	if (!vgic_mmio(vcpu, run->abort_ipa, write, run->abort_size, data))
		return 0;
	run->mmio_data = *data;
	run->entry_flags |= STOCKADE_ENTRY_MMIO;
	return 1;
}

bool stockade_abort_fast(struct stockade_vcpu *vcpu)
{
	struct stockade_run *run = vcpu->run;
	u64 data;

	/* Private memory that was not touched yet looks the same: slots first. */
	if (!READ_ONCE(vcpu->vm->vgic) || !emulable(run) ||
	    stockade_memslot_find(vcpu->vm, run->abort_ipa >> PAGE_SHIFT))
		return false;
	return try_vgic(vcpu, run->abort_flags & STOCKADE_ABORT_WRITE, &data) == 1;
}

static int ask_user(struct stockade_vcpu *vcpu, bool write, u64 data)
{
	struct stockade_run *run = vcpu->run;
	struct kvm_run *user = vcpu->kvm_run;

	user->mmio.phys_addr = run->abort_ipa;
	user->mmio.len = run->abort_size;
	user->mmio.is_write = write;
	memset(user->mmio.data, 0, sizeof(user->mmio.data));
	if (write)
		memcpy(user->mmio.data, &data, run->abort_size);
	user->exit_reason = KVM_EXIT_MMIO;
	vcpu->mmio_pending = true;
	return 0;
}

int stockade_abort(struct stockade_vcpu *vcpu)
{
	struct stockade_run *run = vcpu->run;
	bool write = run->abort_flags & STOCKADE_ABORT_WRITE;
	gfn_t gfn = run->abort_ipa >> PAGE_SHIFT;
	struct stockade_memslot *slot = stockade_memslot_find(vcpu->vm, gfn);
	u64 data;
	int ret;

	if (slot)
		return stockade_guest_fault(vcpu->vm, slot, gfn);
	if (!emulable(run)) {
		run->entry_flags |= STOCKADE_ENTRY_SEA;
		return 1;
	}
	ret = try_vgic(vcpu, write, &data);
	return ret ? ret : ask_user(vcpu, write, data);
}

void stockade_mmio_complete(struct stockade_vcpu *vcpu)
{
	struct stockade_run *run = vcpu->run;
	u64 data = 0;

	if (!vcpu->mmio_pending)
		return;
	vcpu->mmio_pending = false;
	if (!(run->abort_flags & STOCKADE_ABORT_WRITE))
		memcpy(&data, vcpu->kvm_run->mmio.data, run->abort_size);
	run->mmio_data = data;
	run->entry_flags |= STOCKADE_ENTRY_MMIO;
}
