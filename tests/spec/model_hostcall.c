// SPDX-License-Identifier: GPL-2.0-only
/* What the host asks for (stockade/hostcall.h): all preconditions, in the order in which they are looked at. */
#include "model_parts.h"

#include <stddef.h>

#include <stockade/hostcall.h>

#define NO_ADDRESS (1ull << 52) /* frames from here on have no address */
#define HANDLES	   0x1000
#define HOST_BITS  40
#define MAX_SHARES 255

static void to_hyp(struct model *m, u64 first, u64 nr, enum use use, u32 vm, u64 which)
{
	for (u64 i = 0; i < nr; i++)
		model_frame(m, first)[i] = (struct frame){ .owner = HYP,
							   .use = (u8)use,
							   .vm = (u16)vm,
							   .gfn = which,
							   .content = CONTENT_ANY };
}

static struct outcome wants(const struct choice *c)
{
	return (struct outcome){ .ret = STOCKADE_ENOMEM, .x = { c->wanted, c->wanted_by } };
}

long model_vm(const struct model *m, u64 handle)
{
	if (handle < HANDLES || handle - HANDLES >= MAX_VMS || m->vm[handle - HANDLES].life == NONE)
		return -1;
	return (long)(handle - HANDLES);
}

/* May the host give these to the hypervisor? */
static s64 may_donate(struct model *m, u64 first, u64 nr)
{
	if (!nr || nr > 16 || first >= NO_ADDRESS || !model_is_ram(m, first, nr))
		return STOCKADE_EINVAL;
	return model_is_hosts_alone(m, first, nr) ? STOCKADE_OK : STOCKADE_EPERM;
}

static struct outcome donate_hyp(struct model *m, u64 first, u64 nr, enum use use, u32 vm,
				 const struct choice *c)
{
	s64 ret = may_donate(m, first, nr);

	if (ret)
		return answer(ret);
	if (c->no_tables)
		return wants(c);
	to_hyp(m, first, nr, use, vm, 0);
	return answer(STOCKADE_OK);
}

static struct outcome status(const struct model *m, const struct choice *c)
{
	struct outcome o = { .x = { 0, c->free, 0 } };

	for (u64 i = 0; i < m->nr_frames; i++)
		o.x[0] += m->frame[i].owner == HYP;
	for (u32 i = 0; i < MAX_VMS; i++)
		o.x[2] += m->vm[i].life != NONE;
	return o;
}

/* Once no VM is there: none can be made any more. */
static struct outcome unlaunch(struct model *m)
{
	for (u32 i = 0; i < MAX_VMS; i++)
		if (m->vm[i].life != NONE)
			return answer(STOCKADE_EBUSY);
	m->closed = true;
	return answer(STOCKADE_OK);
}

static struct outcome vm_create(struct model *m, u64 page, u64 root, u64 config,
				const struct choice *c)
{
	u64 bits = config & 0xff, nr_root;
	u32 n = 0;
	s64 ret;

	if (bits < 32 || bits > HOST_BITS || config >> 8 != STOCKADE_VM_PROTECTED)
		return answer(STOCKADE_EINVAL);
	nr_root = stockade_s2_root_pages((unsigned int)bits);
	/* What has no address is as the last frame that has one: not aligned, if there is more than one page. */
	if ((root < NO_ADDRESS ? root : NO_ADDRESS - 1) % nr_root)
		return answer(STOCKADE_EINVAL);
	if (m->closed)
		return answer(STOCKADE_ENOSPC);
	while (m->vm[n].life != NONE)
		n++;
	ret = may_donate(m, page, 1);
	if (ret != STOCKADE_EINVAL && may_donate(m, root, nr_root))
		ret = may_donate(m, root, nr_root);
	if (ret)
		return answer(ret);
	if (page >= root && page < root + nr_root)
		return answer(STOCKADE_EPERM);
	if (c->no_tables)
		return wants(c);
	to_hyp(m, page, 1, USE_VM, n, 0);
	to_hyp(m, root, nr_root, USE_ROOT, n, 0);
	m->vm[n] =
		(struct spec_vm){ .life = NEW, .ipa_bits = (u8)bits, .page = page, .root = root };
	return (struct outcome){ .x = { HANDLES + n } };
}

static struct outcome vcpu_create(struct model *m, u32 vm, u64 index, u64 page, u64 run,
				  const struct choice *c)
{
	struct spec_vm *v = &m->vm[vm];
	struct frame *f;
	u32 piece;
	s64 ret;

	if (index >= STOCKADE_MAX_VCPUS)
		return answer(STOCKADE_EINVAL);
	if (v->life != NEW)
		return answer(STOCKADE_EBUSY);
	if (index != v->nr_vcpus)
		return answer(STOCKADE_EINVAL);

	/* The run page stays the host's. */
	if (run / (RUN_FRAME + 1) >= RUN_PIECES || !model_is_ram(m, run & RUN_FRAME, 1))
		return answer(STOCKADE_EINVAL);
	piece = (u32)(run / (RUN_FRAME + 1));
	run &= RUN_FRAME;
	f = model_frame(m, run);
	if (f->owner != HOST || f->borrower == SECURE)
		return answer(STOCKADE_EPERM);
	if (f->shares == MAX_SHARES)
		return answer(STOCKADE_EBUSY);
	/* A pool may be short for either page. */
	ret = page == run && !may_donate(m, page, 1) ? STOCKADE_EPERM : may_donate(m, page, 1);
	if (c->no_tables && (!ret || f->borrower == NOBODY))
		return wants(c);
	if (ret)
		return answer(ret);
	f->borrower = HYP;
	f->shares++;
	to_hyp(m, page, 1, USE_VCPU, vm, index);
	v->vcpu[v->nr_vcpus++] =
		(struct spec_vcpu){ .page = page, .run = run, .piece = piece, .power = ON };
	m->full |= v->nr_vcpus == MAX_VCPUS;
	return answer(STOCKADE_OK);
}

static struct outcome vcpu_set_reg(struct spec_vm *v, u64 index, u64 reg, u64 value)
{
	if (index >= v->nr_vcpus)
		return answer(STOCKADE_ENOENT);
	if (v->life != NEW)
		return answer(STOCKADE_EPERM);
	if (reg > STOCKADE_REG_POWER_OFF)
		return answer(STOCKADE_EINVAL);
	if (reg == STOCKADE_REG_POWER_OFF)
		v->vcpu[index].power = value ? OFF : ON;
	return answer(STOCKADE_OK);
}

static struct outcome donate_guest(struct model *m, u32 vm, u64 first, u64 gfn, u64 nr,
				   const struct choice *c)
{
	struct spec_vm *v = &m->vm[vm];
	struct frame *there;

	if ((nr != 1 && nr != BLOCK) || gfn >= 1ull << (v->ipa_bits - 12) || first >= NO_ADDRESS ||
	    (first | gfn) % nr || !model_is_ram(m, first, nr))
		return answer(STOCKADE_EINVAL);
	if (v->life == DYING)
		return answer(STOCKADE_EPERM);
	if (nr == BLOCK && model_has_pages_in(m, vm, gfn))
		return answer(STOCKADE_EAGAIN);
	there = model_at(m, vm, gfn);
	if (there && there->unclean && nr == BLOCK && there == model_frame(m, first)) {
		model_clean_piece(m, there);
		return (struct outcome){ .x = { there->unclean > 0 } };
	}
	if (there)
		return answer(STOCKADE_EEXIST);
	if (model_mark(m, vm, gfn))
		return answer(STOCKADE_EFAULT);
	if (!model_is_hosts_alone(m, first, nr))
		return answer(STOCKADE_EPERM);
	if (c->no_tables)
		return wants(c);
	for (u64 i = 0; i < nr; i++) {
		struct frame *f = model_frame(m, first) + i;

		*f = (struct frame){ .owner = VM,
				     .vm = (u16)vm,
				     .gfn = gfn + i,
				     .block = nr == BLOCK,
				     .unclean = nr == BLOCK && !m->fwb ? PIECES : 0,
				     .content = f->content };
	}
	if (nr == 1)
		model_use_pages_in(m, vm, gfn);
	return (struct outcome){ .x = { model_frame(m, first)->unclean > 0 } };
}

static struct outcome vcpu_load(struct model *m, u32 vm, u64 index, u32 cpu)
{
	struct spec_vm *v = &m->vm[vm];

	if (m->cpu[cpu].has_vcpu)
		return answer(STOCKADE_EBUSY);
	if (index >= v->nr_vcpus || v->life == DYING)
		return answer(STOCKADE_ENOENT);
	if (v->vcpu[index].bound)
		return answer(STOCKADE_EBUSY);
	if (v->life == NEW)
		v->life = SEALED;
	v->vcpu[index].bound = true;
	m->cpu[cpu].has_vcpu = true;
	m->cpu[cpu].vm = vm;
	m->cpu[cpu].vcpu = (u32)index;
	return answer(STOCKADE_OK);
}

static struct outcome vcpu_put(struct model *m, u32 cpu)
{
	if (!m->cpu[cpu].has_vcpu)
		return answer(STOCKADE_ENOENT);
	model_bound_vcpu(m, cpu)->bound = false;
	m->cpu[cpu].has_vcpu = false;
	return answer(STOCKADE_OK);
}

static struct outcome mmio_value(struct model *m, u32 cpu)
{
	const struct spec_vcpu *vcpu = model_bound_vcpu(m, cpu);

	if (!vcpu || !vcpu->aborted || !vcpu->syndrome || vcpu->load)
		return answer(STOCKADE_EINVAL);
	return (struct outcome){ .x = { vcpu->value } };
}

/* --- a VM's end --- */

static struct outcome vm_teardown(struct model *m, u32 vm)
{
	struct spec_vm *v = &m->vm[vm];

	for (u32 i = 0; i < v->nr_vcpus; i++)
		if (v->vcpu[i].bound)
			return answer(STOCKADE_EBUSY);
	v->life = DYING;
	/* Nobody will look any more: pages may be zeroed before they go back. */
	for (u64 i = 0; i < m->nr_frames; i++)
		if (m->frame[i].owner == VM && m->frame[i].vm == vm &&
		    m->frame[i].borrower == NOBODY)
			m->frame[i].content = CONTENT_ANY;
	return answer(STOCKADE_OK);
}

static struct frame *lowest(struct model *m, u32 vm)
{
	struct frame *low = NULL;

	for (u64 i = 0; i < m->nr_frames; i++) {
		struct frame *f = &m->frame[i];

		if (f->owner == VM && f->vm == vm && (!low || f->gfn < low->gfn))
			low = f;
	}
	return low;
}

static struct outcome vm_reclaim(struct model *m, u32 vm, const struct choice *c)
{
	u64 left = c->reclaimed;
	struct frame *f;

	if (m->vm[vm].life != DYING)
		return answer(STOCKADE_EINVAL);
	while (left && (f = lowest(m, vm))) {
		/* A block goes back in one piece. */
		u64 nr = f->block ? BLOCK : 1;

		for (u64 i = 0; i < nr && left; i++, left--)
			model_to_host(f + i);
	}
	/* That it is done it may say when it is, and must go on saying. */
	m->vm[vm].empty |= !c->more && !lowest(m, vm);
	return (struct outcome){ .x = { !m->vm[vm].empty } };
}

/* A page of the VM's pool; NULL: there is none. */
static struct frame *pool_page(struct model *m, u32 vm)
{
	for (u64 i = 0; i < m->nr_frames; i++)
		if (m->frame[i].owner == HYP && m->frame[i].use == USE_VM_POOL &&
		    m->frame[i].vm == vm)
			return &m->frame[i];
	return NULL;
}

static struct outcome vm_reclaim_table(struct model *m, u32 vm, const struct choice *c)
{
	struct frame *f;

	if (m->vm[vm].life != DYING)
		return answer(STOCKADE_EINVAL);
	if (!m->vm[vm].empty)
		return answer(STOCKADE_EBUSY);
	if (!pool_page(m, vm))
		return answer(STOCKADE_ENOENT);
	/* Whichever it is, as long as it is one of them. */
	f = model_index(m, c->table) < 0 ? NULL : model_frame(m, c->table);
	if (!f || f->owner != HYP || f->use != USE_VM_POOL || f->vm != vm)
		return answer(STOCKADE_OK);
	model_to_host(f);
	return (struct outcome){ .x = { c->table } };
}

static struct outcome vcpu_destroy(struct model *m, u32 vm, u64 index)
{
	struct spec_vm *v = &m->vm[vm];
	struct frame *run;

	if (v->life != DYING)
		return answer(STOCKADE_EINVAL);
	if (!v->nr_vcpus || index != v->nr_vcpus - 1)
		return answer(STOCKADE_ENOENT);
	v->nr_vcpus--;
	run = model_frame(m, v->vcpu[index].run);
	if (!--run->shares)
		run->borrower = NOBODY;
	model_to_host(model_frame(m, v->vcpu[index].page));
	return answer(STOCKADE_OK);
}

static struct outcome vm_destroy(struct model *m, u32 vm)
{
	struct spec_vm *v = &m->vm[vm];

	if (v->life != DYING)
		return answer(STOCKADE_EINVAL);
	if (!v->empty || v->nr_vcpus || pool_page(m, vm))
		return answer(STOCKADE_EBUSY);
	for (u32 i = 0; i < stockade_s2_root_pages(v->ipa_bits); i++)
		model_to_host(model_frame(m, v->root + i));
	model_to_host(model_frame(m, v->page));
	v->life = NONE;
	return answer(STOCKADE_OK);
}

struct outcome model_hostcall(struct model *m, u32 cpu, const u64 *x, const struct choice *c)
{
	long found;
	u32 vm;

	switch (x[0]) {
	case STOCKADE_HC_VERSION:
		return (struct outcome){ .x = { STOCKADE_ABI_VERSION } };
	case STOCKADE_HC_STATUS:
		return status(m, c);
	case STOCKADE_HC_SEAL:
		return answer(STOCKADE_EBUSY);
	case STOCKADE_HC_PROTECT_CPU:
		return answer(STOCKADE_OK);
	case STOCKADE_HC_UNLAUNCH:
		return unlaunch(m);
	case STOCKADE_HC_POOL_TOPUP:
		return donate_hyp(m, x[1], x[2], USE_POOL, 0, c);
	case STOCKADE_HC_VM_CREATE:
		return vm_create(m, x[1], x[2], x[3], c);
	case STOCKADE_HC_VCPU_PUT:
		return vcpu_put(m, cpu);
	case STOCKADE_HC_VCPU_MMIO_VALUE:
		return mmio_value(m, cpu);
	}
	if (x[0] < STOCKADE_HC_BASE || x[0] >= STOCKADE_HC_END)
		return answer(STOCKADE_ENOSYS);

	found = model_vm(m, x[1]);
	if (found < 0)
		return answer(STOCKADE_ENOENT);
	vm = (u32)found;
	switch (x[0]) {
	case STOCKADE_HC_VM_TOPUP:
		if (m->vm[vm].life == DYING)
			return answer(STOCKADE_EPERM);
		return donate_hyp(m, x[2], x[3], USE_VM_POOL, vm, c);
	case STOCKADE_HC_VCPU_CREATE:
		return vcpu_create(m, vm, x[2], x[3], x[4], c);
	case STOCKADE_HC_VCPU_SET_REG:
		return vcpu_set_reg(&m->vm[vm], x[2], x[3], x[4]);
	case STOCKADE_HC_HOST_DONATE_GUEST:
		return donate_guest(m, vm, x[2], x[3], x[4], c);
	case STOCKADE_HC_VCPU_LOAD:
		return vcpu_load(m, vm, x[2], cpu);
	case STOCKADE_HC_VM_TEARDOWN:
		return vm_teardown(m, vm);
	case STOCKADE_HC_VM_RECLAIM:
		return vm_reclaim(m, vm, c);
	case STOCKADE_HC_VM_RECLAIM_TABLE:
		return vm_reclaim_table(m, vm, c);
	case STOCKADE_HC_VCPU_DESTROY:
		return vcpu_destroy(m, vm, x[2]);
	default: /* STOCKADE_HC_VM_DESTROY */
		return vm_destroy(m, vm);
	}
}
