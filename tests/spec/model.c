// SPDX-License-Identifier: GPL-2.0-only
/* Frames, what the host does to memory, and how steps are told apart. */
#include "model_parts.h"

#include <stddef.h>

#include <stockade/hostcall.h>

#define HOST_BITS   40
#define MAX_REPEATS 16

/* --- frames --- */

bool model_maps(const struct frame *f, enum party by)
{
	switch (by) {
	case HOST:
		return f->owner == HOST || (f->owner == VM && f->borrower == HOST);
	case HYP:
		return (f->owner == HYP && f->use != USE_LAUNCH) || f->borrower == HYP;
	case VM:
		return f->owner == VM && !f->unclean;
	default:
		return false;
	}
}

long model_index(const struct model *m, u64 frame)
{
	long before = 0;

	for (u32 i = 0; i < m->nr_ranges; i++) {
		if (frame >= m->range[i].first && frame - m->range[i].first < m->range[i].nr)
			return before + (long)(frame - m->range[i].first);
		before += (long)m->range[i].nr;
	}
	return -1;
}

bool model_is_ram(const struct model *m, u64 first, u64 nr)
{
	for (u32 i = 0; i < m->nr_ranges; i++)
		if (first >= m->range[i].first && first - m->range[i].first < m->range[i].nr)
			return nr <= m->range[i].nr - (first - m->range[i].first);
	return false;
}

struct frame *model_frame(struct model *m, u64 frame)
{
	return &m->frame[model_index(m, frame)];
}

/* Of RAM: may these be given away? */
bool model_is_hosts_alone(struct model *m, u64 first, u64 nr)
{
	for (u64 i = 0; i < nr; i++)
		if (model_frame(m, first)[i].owner != HOST ||
		    model_frame(m, first)[i].borrower != NOBODY)
			return false;
	return true;
}

/* What comes back to the host was zeroed, unless the host sees it anyhow. */
void model_to_host(struct frame *f)
{
	*f = (struct frame){
		.owner = HOST,
		.content = f->owner == VM && f->borrower == HOST ? f->content : CONTENT_ZERO,
	};
}

/* --- what a VM has at a gfn --- */

struct frame *model_at(struct model *m, u32 vm, u64 gfn)
{
	for (u64 i = 0; i < m->nr_frames; i++)
		if (m->frame[i].owner == VM && m->frame[i].vm == vm && m->frame[i].gfn == gfn)
			return &m->frame[i];
	return NULL;
}

struct frame *model_mapped_at(struct model *m, u32 vm, u64 gfn)
{
	struct frame *f = model_at(m, vm, gfn);

	return f && model_maps(f, VM) ? f : NULL;
}

enum mark model_mark(const struct model *m, u32 vm, u64 gfn)
{
	for (u32 i = 0; i < m->vm[vm].nr_marks; i++)
		if (m->vm[vm].marks[i].gfn == gfn)
			return m->vm[vm].marks[i].mark;
	return NO_MARK;
}

u32 model_nr_guarded(const struct spec_vm *vm)
{
	u32 nr = 0;

	for (u32 i = 0; i < vm->nr_marks; i++)
		nr += vm->marks[i].mark == GUARDED;
	return nr;
}

void model_set_mark(struct model *m, u32 vm, u64 gfn, enum mark mark)
{
	struct spec_vm *v = &m->vm[vm];

	v->marks[v->nr_marks].gfn = gfn;
	v->marks[v->nr_marks++].mark = (u8)mark;
	m->full |= v->nr_marks == MAX_MARKS;
}

bool model_has_pages_in(const struct model *m, u32 vm, u64 gfn)
{
	for (u32 i = 0; i < m->vm[vm].nr_pages_in; i++)
		if (m->vm[vm].pages_in[i] == gfn / BLOCK)
			return true;
	return false;
}

void model_use_pages_in(struct model *m, u32 vm, u64 gfn)
{
	struct spec_vm *v = &m->vm[vm];

	if (model_has_pages_in(m, vm, gfn))
		return;
	v->pages_in[v->nr_pages_in++] = gfn / BLOCK;
	m->full |= v->nr_pages_in == MAX_REGIONS;
}

void model_clean_piece(struct model *m, struct frame *f)
{
	u64 first = (u64)(f - m->frame) - f->gfn % BLOCK;

	for (u64 i = first; i < first + BLOCK; i++)
		m->frame[i].unclean--;
}

/* One page of a block is to change: from now on it is 512 pages. */
void model_split(struct model *m, struct frame *f)
{
	u32 vm = f->vm;
	u64 gfn = f->gfn / BLOCK * BLOCK;

	if (!f->block)
		return;
	for (f -= f->gfn - gfn;
	     f->owner == VM && f->block && f->vm == vm && f->gfn / BLOCK == gfn / BLOCK; f++)
		f->block = false;
	model_use_pages_in(m, vm, gfn);
}

struct spec_vcpu *model_bound_vcpu(struct model *m, u32 cpu)
{
	return m->cpu[cpu].has_vcpu ? &m->vm[m->cpu[cpu].vm].vcpu[m->cpu[cpu].vcpu] : NULL;
}

/* --- the host touches memory --- */

static struct outcome faults(enum fault fault)
{
	return (struct outcome){ .fault = fault };
}

static bool meets_ram(const struct model *m, u64 first, u64 nr)
{
	for (u32 i = 0; i < m->nr_ranges; i++)
		if (first < m->range[i].first + m->range[i].nr && m->range[i].first < first + nr)
			return true;
	return false;
}

/* No RAM: the largest block around it without RAM is mapped. */
static struct outcome map_device(struct model *m, u64 frame, const struct choice *c)
{
	u64 nr = GIB;

	for (u32 i = 0; i < m->nr_devices; i++)
		if (frame >= m->device[i].first && frame - m->device[i].first < m->device[i].nr)
			return faults(FAULT_NONE);
	if (c->no_tables)
		return faults(FAULT_EXTERNAL);
	while (nr > 1 && meets_ram(m, frame / nr * nr, nr))
		nr /= BLOCK;
	m->device[m->nr_devices].first = frame / nr * nr;
	m->device[m->nr_devices++].nr = nr;
	m->full |= m->nr_devices == MAX_DEVICES;
	return faults(FAULT_NONE);
}

static bool is_mapped_for_host(const struct model *m, u64 frame)
{
	long i = model_index(m, frame);

	if (i >= 0)
		return model_maps(&m->frame[i], HOST);
	for (u32 d = 0; d < m->nr_devices; d++)
		if (frame >= m->device[d].first && frame - m->device[d].first < m->device[d].nr)
			return true;
	return false;
}

/* Can only the page itself help the host's kernel? */
static bool must_have_it(struct model *m, u32 cpu, u64 flags, u64 pc, u64 far)
{
	struct spec_cpu *p = &m->cpu[cpu];
	bool user_va = flags & ABORT_USER_VA;

	/* The instruction can't be read. */
	if ((flags & ABORT_FETCH) || !is_mapped_for_host(m, m->text))
		return !user_va;
	if (!user_va)
		return !(flags & ABORT_OVERRUN);
	if (flags & ABORT_ATOMIC)
		return true;
	/* Or it comes again and again. */
	p->repeats = p->abort_pc == pc && p->abort_far == far ? p->repeats + 1 : 1;
	p->abort_pc = pc;
	p->abort_far = far;
	return p->repeats > MAX_REPEATS;
}

static struct outcome host_abort(struct model *m, u32 cpu, u64 pa, u64 flags, u64 pc,
				 const struct choice *c)
{
	u64 frame = pa / PAGE;
	struct frame *f;

	if (is_mapped_for_host(m, m->text))
		model_frame(m, m->text)->content = CONTENT_ANY;
	if (flags & ABORT_CONFLICT)
		return faults(FAULT_NONE);
	if (flags & ABORT_OTHER)
		return faults(FAULT_EXTERNAL);
	if (flags & ABORT_UNKNOWN)
		return faults(FAULT_NONE);
	if (pa >> HOST_BITS)
		return faults(FAULT_EXTERNAL);
	/* By now it is there; or it is code where there is no RAM. */
	if (is_mapped_for_host(m, frame))
		return faults(flags & ABORT_PERMISSION ? FAULT_EXTERNAL : FAULT_NONE);
	if (model_index(m, frame) < 0)
		return map_device(m, frame, c);

	f = model_frame(m, frame);
	if (flags & ABORT_WALK)
		return faults(FAULT_EXTERNAL);
	if (flags & ABORT_USER)
		return faults(FAULT_TAG);
	if (f->owner == HYP || !must_have_it(m, cpu, flags, pc, pa))
		return faults(FAULT_ALIGNMENT);
	/* It comes again, and when all is clean the page can be had. */
	if (f->unclean) {
		model_clean_piece(m, f);
		return faults(FAULT_NONE);
	}
	/* Force reclaim: the host gets zeroes, the guest never another page there. */
	model_split(m, f);
	model_set_mark(m, f->vm, f->gfn, POISONED);
	model_to_host(f);
	return faults(FAULT_NONE);
}

static struct outcome host_write(struct model *m, u64 frame, u64 content)
{
	long i = model_index(m, frame);

	if (i >= 0 && model_maps(&m->frame[i], HOST))
		/* What EL2 shares it writes to when it likes. */
		m->frame[i].content = m->frame[i].borrower == HYP ? CONTENT_ANY : content;
	return answer(STOCKADE_OK);
}

/* --- the secure world --- */

static struct outcome share_secure(struct model *m, u64 list, u64 pa, u64 nr)
{
	if (!nr || pa % PAGE || !model_is_ram(m, pa / PAGE, nr))
		return answer(STOCKADE_EINVAL);
	if (!model_is_hosts_alone(m, pa / PAGE, nr))
		return answer(STOCKADE_EPERM);
	for (u64 i = 0; i < nr; i++) {
		struct frame *f = model_frame(m, pa / PAGE) + i;

		f->borrower = SECURE;
		f->vm = (u16)list;
		f->gfn = ++m->time;
	}
	return answer(STOCKADE_OK);
}

static struct outcome unshare_secure(struct model *m, u64 list, u64 nr)
{
	while (nr--) {
		struct frame *last = NULL;

		for (u64 i = 0; i < m->nr_frames; i++) {
			struct frame *f = &m->frame[i];

			if (f->borrower == SECURE && f->vm == list && (!last || f->gfn > last->gfn))
				last = f;
		}
		if (!last)
			break;
		*last = (struct frame){ .owner = HOST, .content = last->content };
	}
	return answer(STOCKADE_OK);
}

static struct outcome vcpu_run(struct model *m, const struct step *s, const struct choice *c)
{
	struct outcome o;

	return model_enter(m, s, &o) ? model_act(m, s, c) : o;
}

struct outcome model_step(struct model *m, const struct step *s, const struct choice *choice)
{
	const u64 *x = s->x;

	switch (s->op) {
	case OP_HOSTCALL:
		return model_hostcall(m, s->cpu, x, choice);
	case OP_RUN:
		return vcpu_run(m, s, choice);
	case OP_HOST_ABORT:
		return host_abort(m, s->cpu, x[0], x[1], x[2], choice);
	case OP_HOST_WRITE:
		return host_write(m, x[0], x[1]);
	case OP_SHARE_SECURE:
		return share_secure(m, x[0], x[1], x[2]);
	default: /* OP_UNSHARE_SECURE */
		return unshare_secure(m, x[0], x[1]);
	}
}
