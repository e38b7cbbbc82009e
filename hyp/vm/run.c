// SPDX-License-Identifier: GPL-2.0-only
/*
 * The run loop. What the host says comes from the run page, which it can change at any moment: each field
 * is read once. What it gets to see is written there field by field, and nothing else.
 */
#include "arch/cpu.h"
#include "arch/esr.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "vm/exit.h"
#include "vm/gic.h"

/* What the host says about the ABORT that it was given. */
static int settle_abort(struct vcpu *vcpu, u32 flags, u64 mmio_data)
{
	if (!(flags & (STOCKADE_ENTRY_MMIO | STOCKADE_ENTRY_SEA)))
		return STOCKADE_OK; /* a page is there now, it says: try again */
	if (!vcpu->abort_pending)
		return STOCKADE_EINVAL;
	if (!(flags & STOCKADE_ENTRY_MMIO))
		return STOCKADE_OK; /* injected once the guest's registers are in */
	if (!vcpu->abort_has_syndrome || (flags & STOCKADE_ENTRY_SEA))
		return STOCKADE_EINVAL;
	if (vcpu->abort_is_load)
		vcpu_finish_load(vcpu, mmio_data);
	vcpu_skip(vcpu);
	return STOCKADE_OK;
}

/* Is the vCPU to run at all? */
static enum stockade_exit power_check(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	enum stockade_exit reason = STOCKADE_EXIT_NONE;

	spin_lock(&vm->lock);
	if (vm->state != VM_SEALED) {
		reason = STOCKADE_EXIT_DEAD;
	} else if (vcpu->power == VCPU_OFF) {
		reason = STOCKADE_EXIT_CPU_OFF;
	} else if (vcpu->power == VCPU_ON_PENDING) {
		/* guest_load() has put the virtual GIC's state in the CPU already. */
		struct gic_regs gic = vcpu->regs.gic;

		guest_regs_reset(&vcpu->regs, vcpu->index);
		vcpu->regs.gic = gic;
		vcpu->regs.pc = vcpu->on_entry;
		vcpu->regs.x[0] = vcpu->on_context;
		vcpu->power = VCPU_ON;
	}
	spin_unlock(&vm->lock);
	return reason;
}

static void read_entry(struct guest_entry *entry, const struct stockade_run *run, u32 flags)
{
	entry->gic = !(flags & STOCKADE_ENTRY_NO_GIC);
	entry->gic_more = flags & STOCKADE_ENTRY_MORE;
	entry->nr_lrs = entry->gic ? (u32)min_u64(READ_ONCE(run->nr_lrs), arch_nr_lrs()) : 0;
	for (u32 i = 0; i < entry->nr_lrs; i++)
		entry->lr[i] = vm_gic_lr(READ_ONCE(run->lr[i]));
}

static void write_exit(struct vcpu *vcpu, enum stockade_exit reason, const struct exit_info *info)
{
	struct stockade_run *run = vcpu->run;

	WRITE_ONCE(run->exit_reason, reason);
	switch (reason) {
	case STOCKADE_EXIT_ABORT:
		WRITE_ONCE(run->abort_flags, info->abort_flags);
		WRITE_ONCE(run->abort_size, info->abort_size);
		/* fall through */
	case STOCKADE_EXIT_POISON:
		WRITE_ONCE(run->abort_ipa, info->abort_ipa);
		break;
	case STOCKADE_EXIT_WFI:
		WRITE_ONCE(run->timer_deadline,
			   guest_timer_deadline(&vcpu->regs, &vcpu->vm->world));
		break;
	case STOCKADE_EXIT_SGI:
	case STOCKADE_EXIT_CPU_ON:
	case STOCKADE_EXIT_RELINQUISH:
	case STOCKADE_EXIT_TOPUP:
		WRITE_ONCE(run->arg[0], info->arg);
		break;
	default:
		break;
	}
}

static enum stockade_exit run_once(struct vcpu *vcpu, struct exit_info *info)
{
	enum guest_exit_kind kind = guest_run(&vcpu->regs);

	if (kind == GUEST_EXIT_SERROR) {
		/* Whosever write it was: what it hit is not known, so what is right is not known. */
		log_line("a system error (SError) ended VM %u", vcpu->vm->index);
		vm_end(vcpu->vm);
		return STOCKADE_EXIT_DEAD;
	}
	if (vcpu->regs.pstate & PSR_AARCH32) {
		/* Nobody told it that there is AArch32 at EL0; a guest that finds it has ended itself. */
		vm_end(vcpu->vm);
		return STOCKADE_EXIT_DEAD;
	}
	if (kind == GUEST_EXIT_IRQ)
		return STOCKADE_EXIT_IRQ;
	return exit_sync(vcpu, info);
}

static enum stockade_exit run_guest(struct vcpu *vcpu, struct guest_entry *entry,
				    bool external_abort, struct exit_info *info)
{
	enum stockade_exit reason = STOCKADE_EXIT_NONE;
	struct stockade_run *run = vcpu->run;
	bool timer_level;

	/* Either vcpu_wait_for_exits() sees us in, or we see vcpu_stop_all(). */
	__atomic_store_n(&this_cpu()->in_guest, true, __ATOMIC_SEQ_CST);
	if (vcpu_stopped()) {
		__atomic_store_n(&this_cpu()->in_guest, false, __ATOMIC_RELEASE);
		return STOCKADE_EXIT_DEAD;
	}
	guest_enter(&vcpu->regs, &vcpu->vm->world, entry);
	if (external_abort)
		vcpu_inject_external_abort(vcpu);
	while (reason == STOCKADE_EXIT_NONE)
		reason = run_once(vcpu, info);
	timer_level = guest_leave(&vcpu->regs, entry);
	__atomic_store_n(&this_cpu()->in_guest, false, __ATOMIC_RELEASE);

	for (u32 i = 0; i < entry->nr_lrs; i++)
		WRITE_ONCE(run->lr[i], entry->lr[i]);
	WRITE_ONCE(run->timer_level, timer_level);
	return reason;
}

int vcpu_run(u64 *exit_reason)
{
	struct vcpu *vcpu = this_cpu()->vcpu;
	struct exit_info info = { 0 };
	struct guest_entry entry;
	enum stockade_exit reason;
	bool external_abort;
	u32 flags;
	int ret;

	if (!vcpu)
		return STOCKADE_ENOENT;
	if (READ_ONCE(hyp_panicked) || !guest_may_enter())
		return STOCKADE_EBUSY;
	flags = READ_ONCE(vcpu->run->entry_flags);
	ret = settle_abort(vcpu, flags, READ_ONCE(vcpu->run->mmio_data));
	if (ret)
		return ret;
	external_abort = flags & STOCKADE_ENTRY_SEA;
	vcpu->abort_pending = false;
	WRITE_ONCE(vcpu->run->entry_flags, 0);

	read_entry(&entry, vcpu->run, flags);
	reason = power_check(vcpu);
	if (reason == STOCKADE_EXIT_NONE)
		reason = run_guest(vcpu, &entry, external_abort, &info);
	write_exit(vcpu, reason, &info);
	*exit_reason = reason;
	return STOCKADE_OK;
}

int vcpu_mmio_value(u64 *value)
{
	const struct vcpu *vcpu = this_cpu()->vcpu;

	if (!vcpu || !vcpu->abort_pending || !vcpu->abort_has_syndrome || vcpu->abort_is_load)
		return STOCKADE_EINVAL;
	*value = vcpu_store_value(vcpu);
	return STOCKADE_OK;
}
