// SPDX-License-Identifier: GPL-2.0-only
/* VCPU_RUN, and what guests do: call (stockade/guestcall.h) and touch memory. */
#include "model_parts.h"

#include <stddef.h>

#include <stockade/guestcall.h>
#include <stockade/hostcall.h>
#include <stockade/vcpu_run.h>

#define MAX_GUARDED 1024

/* --- guests: what makes a vCPU exit, or is answered without --- */

static struct outcome exits(enum stockade_exit reason)
{
	return (struct outcome){ .x = { (u64)reason } };
}

/* The guest goes on, with that in x0, and is interrupted next. */
static struct outcome returns(s64 x0)
{
	struct outcome o = exits(STOCKADE_EXIT_IRQ);

	o.guest_x0 = (u64)x0;
	return o;
}

static struct outcome mem_share(struct model *m, u32 vm, struct spec_vcpu *vcpu, u64 ipa)
{
	struct frame *f = model_mapped_at(m, vm, ipa / PAGE);
	struct outcome o;

	if (!f && !model_mark(m, vm, ipa / PAGE)) {
		/* The host is asked for a page. The guest calls again. */
		vcpu->aborted = true;
		vcpu->syndrome = false;
		o = exits(STOCKADE_EXIT_ABORT);
		o.abort_ipa = ipa;
		o.abort_flags = STOCKADE_ABORT_WRITE;
		o.guest_x0 = GUESTCALL_MEM_SHARE;
		return o;
	}
	if (!f || f->borrower != NOBODY)
		return returns(SMCCC_RET_INVALID_PARAMETER);
	model_split(m, f);
	f->borrower = HOST;
	return returns(SMCCC_RET_SUCCESS);
}

static struct outcome mem_unshare(struct model *m, u32 vm, u64 ipa)
{
	struct frame *f = model_at(m, vm, ipa / PAGE);

	if (!f || f->borrower != HOST)
		return returns(SMCCC_RET_INVALID_PARAMETER);
	f->borrower = NOBODY;
	return returns(SMCCC_RET_SUCCESS);
}

static struct outcome mem_relinquish(struct model *m, u32 vm, u64 ipa)
{
	struct frame *f = model_mapped_at(m, vm, ipa / PAGE);
	struct outcome o = exits(STOCKADE_EXIT_RELINQUISH);

	if (!f)
		return returns(SMCCC_RET_INVALID_PARAMETER);
	model_split(m, f);
	model_to_host(f);
	o.arg = ipa;
	o.guest_x0 = SMCCC_RET_SUCCESS;
	return o;
}

static struct outcome mmio_guard(struct model *m, u32 vm, u64 ipa, const struct choice *c)
{
	enum mark mark = model_mark(m, vm, ipa / PAGE);
	struct outcome o = exits(STOCKADE_EXIT_TOPUP);

	if (model_at(m, vm, ipa / PAGE) || mark == POISONED)
		return returns(SMCCC_RET_INVALID_PARAMETER);
	if (mark == NO_MARK && model_nr_guarded(&m->vm[vm]) == MAX_GUARDED)
		return returns(SMCCC_RET_INVALID_PARAMETER);
	if (mark == NO_MARK && c->no_tables) {
		o.arg = c->wanted;
		o.guest_x0 = GUESTCALL_MMIO_GUARD;
		return o;
	}
	if (mark == NO_MARK) {
		model_set_mark(m, vm, ipa / PAGE, GUARDED);
		model_use_pages_in(m, vm, ipa / PAGE);
	}
	return returns(SMCCC_RET_SUCCESS);
}

static struct outcome cpu_on(struct spec_vm *v, u64 mpidr)
{
	struct outcome o = exits(STOCKADE_EXIT_CPU_ON);

	if (mpidr >= v->nr_vcpus)
		return returns(PSCI_RET_INVALID_PARAMETERS);
	if (v->vcpu[mpidr].power != OFF)
		return returns(v->vcpu[mpidr].power == ON ? PSCI_RET_ALREADY_ON :
							    PSCI_RET_ON_PENDING);
	v->vcpu[mpidr].power = ON_PENDING;
	o.arg = mpidr;
	o.guest_x0 = PSCI_RET_SUCCESS;
	return o;
}

static struct outcome affinity_info(const struct spec_vm *v, u64 mpidr, u64 level)
{
	if (level || mpidr >= v->nr_vcpus)
		return returns(PSCI_RET_INVALID_PARAMETERS);
	switch (v->vcpu[mpidr].power) {
	case ON:
		return returns(PSCI_AFFINITY_ON);
	case OFF:
		return returns(PSCI_AFFINITY_OFF);
	default:
		return returns(PSCI_AFFINITY_ON_PENDING);
	}
}

static struct outcome guest_call(struct model *m, u32 vm, struct spec_vcpu *vcpu, const u64 *x,
				 const struct choice *c)
{
	struct spec_vm *v = &m->vm[vm];
	struct outcome o;

	switch ((u32)x[0]) {
	case GUESTCALL_MEM_SHARE:
	case GUESTCALL_MEM_UNSHARE:
	case GUESTCALL_MEM_RELINQUISH:
	case GUESTCALL_MMIO_GUARD:
		if (x[1] % PAGE || x[1] >> v->ipa_bits || x[2] || x[3])
			return returns(SMCCC_RET_INVALID_PARAMETER);
		break;
	}
	switch ((u32)x[0]) {
	case GUESTCALL_MEM_SHARE:
		return mem_share(m, vm, vcpu, x[1]);
	case GUESTCALL_MEM_UNSHARE:
		return mem_unshare(m, vm, x[1]);
	case GUESTCALL_MEM_RELINQUISH:
		return mem_relinquish(m, vm, x[1]);
	case GUESTCALL_MMIO_GUARD:
		return mmio_guard(m, vm, x[1], c);
	case GUESTCALL_HYP_MEMINFO:
		return returns(x[1] || x[2] || x[3] ? SMCCC_RET_INVALID_PARAMETER : (s64)PAGE);
	case PSCI_CPU_ON_64:
		return cpu_on(v, x[1]);
	case PSCI_AFFINITY_INFO_64:
		return affinity_info(v, x[1], x[2]);
	case PSCI_CPU_OFF:
		vcpu->power = OFF;
		o = exits(STOCKADE_EXIT_CPU_OFF);
		break;
	case PSCI_SYSTEM_OFF:
	case PSCI_SYSTEM_RESET:
		v->life = ENDED;
		o = exits((u32)x[0] == PSCI_SYSTEM_OFF ? STOCKADE_EXIT_SYSTEM_OFF :
							 STOCKADE_EXIT_SYSTEM_RESET);
		break;
	default:
		return returns(SMCCC_RET_NOT_SUPPORTED);
	}
	o.guest_x0 = x[0];
	return o;
}

static struct outcome guest_access(struct model *m, u32 vm, struct spec_vcpu *vcpu, u64 ipa,
				   u64 flags, u64 value)
{
	struct frame *f = model_mapped_at(m, vm, ipa / PAGE);
	bool write = (flags & ACCESS_WRITE) && !(flags & (ACCESS_FETCH | ACCESS_WALK));
	u64 size = 1ull << (flags >> ACCESS_SIZE & 3);
	struct outcome o;

	if (f) {
		if (write)
			f->content = value;
		return exits(STOCKADE_EXIT_IRQ);
	}
	/* Beyond all memory, or no fault of the tables: the guest gets an external abort. */
	if (ipa >> m->vm[vm].ipa_bits || (flags & ACCESS_OTHER))
		return exits(STOCKADE_EXIT_IRQ);
	if (model_mark(m, vm, ipa / PAGE) == POISONED) {
		o = exits(STOCKADE_EXIT_POISON);
		o.abort_ipa = ipa / PAGE * PAGE;
		return o;
	}
	o = exits(STOCKADE_EXIT_ABORT);
	o.abort_flags = flags & ACCESS_FETCH ? STOCKADE_ABORT_FETCH :
			write		     ? STOCKADE_ABORT_WRITE :
					       0;
	o.abort_ipa = ipa / PAGE * PAGE;
	/* Only what may be MMIO is shown in full: of memory the host sees the page, and whether it is a write. */
	vcpu->aborted = true;
	vcpu->load = !write;
	vcpu->value = size == 8 ? value : value & ((1ull << 8 * size) - 1);
	vcpu->syndrome =
		(flags & ACCESS_SYNDROME) && !(flags & (ACCESS_FETCH | ACCESS_WALK)) &&
		(!model_nr_guarded(&m->vm[vm]) || model_mark(m, vm, ipa / PAGE) == GUARDED);
	if (vcpu->syndrome) {
		o.abort_flags |= STOCKADE_ABORT_SYNDROME;
		o.abort_ipa = ipa;
		o.abort_size = size;
	}
	return o;
}

bool model_enter(struct model *m, const struct step *s, struct outcome *o)
{
	struct spec_vcpu *vcpu = model_bound_vcpu(m, s->cpu);
	u64 flags = s->x[0];

	*o = answer(STOCKADE_ENOENT);
	if (!vcpu)
		return false;
	model_frame(m, vcpu->run)->content = CONTENT_ANY;
	/* What the host says of the last abort must fit it. */
	*o = answer(STOCKADE_EINVAL);
	if ((flags & (STOCKADE_ENTRY_MMIO | STOCKADE_ENTRY_SEA)) && !vcpu->aborted)
		return false;
	if ((flags & STOCKADE_ENTRY_MMIO) && (!vcpu->syndrome || (flags & STOCKADE_ENTRY_SEA)))
		return false;
	vcpu->aborted = false;

	*o = exits(STOCKADE_EXIT_DEAD);
	if (m->vm[m->cpu[s->cpu].vm].life != SEALED)
		return false;
	*o = exits(STOCKADE_EXIT_CPU_OFF);
	if (vcpu->power == OFF)
		return false;
	vcpu->power = ON;
	return true;
}

struct outcome model_act(struct model *m, const struct step *s, const struct choice *c)
{
	struct spec_vcpu *vcpu = model_bound_vcpu(m, s->cpu);
	u32 vm = m->cpu[s->cpu].vm;

	switch (s->x[1]) {
	case GUEST_CALL:
		return guest_call(m, vm, vcpu, &s->x[2], c);
	case GUEST_ACCESS:
		return guest_access(m, vm, vcpu, s->x[2], s->x[3], s->x[4]);
	default:
		return exits(STOCKADE_EXIT_IRQ);
	}
}
