// SPDX-License-Identifier: GPL-2.0-only
#include "pick.h"

/* --- frames --- */

u64 frame_number(const struct model *m, u64 index)
{
	u32 r = 0;

	while (index >= m->range[r].nr)
		index -= m->range[r++].nr;
	return m->range[r].first + index;
}

u64 pick_frame(struct generator *g, const struct model *m)
{
	return frame_number(m, below(g, m->nr_frames));
}

/* Bad by itself, or by whose it is. */
u64 pick_hostile_frame(struct generator *g, const struct model *m)
{
	u32 r = (u32)below(g, m->nr_ranges);
	const u64 frames[] = {
		0,
		0x9000,
		m->range[r].first - 1,
		m->range[r].first,
		m->range[r].first + m->range[r].nr - 1,
		m->range[r].first + m->range[r].nr,
		(1ull << 28) - 1,
		1ull << 28,
		1ull << 34,
		(1ull << 52) - 1,
		1ull << 52,
		~0ull,
		m->text,
		pick_frame(g, m),
		pick_frame(g, m),
		pick_frame(g, m),
	};

	return PICK(g, frames);
}

bool is_for_the_taking(const struct model *m, u64 first, u64 nr)
{
	if (!model_is_ram(m, first, nr))
		return false;
	for (u64 i = 0; i < nr; i++) {
		const struct frame *f = &m->frame[model_index(m, first) + (long)i];

		if (f->owner != HOST || f->borrower != NOBODY || first + i == m->text)
			return false;
	}
	return true;
}

/* Single pages come from few places, so that whole blocks are left, mostly. */
u64 pick_host_pages(struct generator *g, const struct model *m, u64 nr)
{
	u64 frame = 0;

	if (percent(g, 2))
		return pick_hostile_frame(g, m);
	if (g->about_frame && percent(g, 40))
		return g->about_frame;
	/* The first page of a block to go: when it comes back the block must too. */
	if (percent(g, 4))
		frame = pick_host_block(g, m) + (nr < BLOCK ? below(g, BLOCK - nr) : 0);
	if (is_for_the_taking(m, frame, nr))
		return frame;
	for (u32 tries = 0; tries < 200; tries++) {
		frame = pick_frame(g, m);
		if (tries < 100 && percent(g, 90))
			frame = m->range[0].first + 0x80 + below(g, BLOCK - 0x80);
		if (is_for_the_taking(m, frame, nr))
			return frame;
	}
	return frame;
}

u64 pick_host_page(struct generator *g, const struct model *m)
{
	return pick_host_pages(g, m, 1);
}

u64 pick_host_block(struct generator *g, const struct model *m)
{
	u64 frame = 0;

	if (percent(g, 2))
		return pick_hostile_frame(g, m);
	for (u32 tries = 0; tries < 20; tries++) {
		frame = pick_frame(g, m) / BLOCK * BLOCK;
		if (is_for_the_taking(m, frame, BLOCK))
			break;
	}
	return frame;
}

/* A block that is to be gone on with; false: there is none. */
bool pick_unclean(struct generator *g, const struct model *m, u64 *handle, u64 *frame, u64 *gfn)
{
	u64 from = below(g, m->nr_frames);

	for (u64 n = 0; n < m->nr_frames; n++) {
		u64 i = (from + n) % m->nr_frames;
		const struct frame *f = &m->frame[i];

		if (!f->unclean || f->gfn % BLOCK)
			continue;
		*handle = HANDLES + f->vm;
		*frame = frame_number(m, i);
		*gfn = f->gfn;
		return true;
	}
	return false;
}

/* --- VMs --- */

/* One that is in that stage of its life, if there is one; -1. */
long pick_vm(struct generator *g, const struct model *m, u32 lives)
{
	u32 first = (u32)below(g, MAX_VMS);

	if (g->about_vm && m->vm[g->about_vm - 1].life != NONE && percent(g, 60))
		return g->about_vm - 1;

	for (u32 i = 0; i < MAX_VMS; i++) {
		u32 vm = (first + i) % MAX_VMS;

		if (m->vm[vm].life != NONE && lives & 1u << m->vm[vm].life)
			return vm;
	}
	return -1;
}

u64 pick_handle(struct generator *g, const struct model *m, u32 lives)
{
	const u64 bad[] = { 0,	  HANDLES - 1, HANDLES + MAX_VMS - 1, HANDLES + 254, HANDLES + 255,
			    ~0ull };
	long vm = pick_vm(g, m, percent(g, 90) ? lives : ANY_VM);

	if (percent(g, 1) || vm < 0)
		return PICK(g, bad);
	return HANDLES + (u64)vm;
}

/* Where there are few single pages. */
u64 pick_block_gfn(struct generator *g)
{
	const u64 blocks[] = { 8 * BLOCK,	9 * BLOCK, 10 * BLOCK, GIB + BLOCK,
			       GIB - 2 * BLOCK, 0,	   GIB };

	return PICK(g, blocks);
}

u64 pick_gfn(struct generator *g, const struct model *m, long vm)
{
	u64 top = vm < 0 ? 1ull << 28 : 1ull << (m->vm[vm].ipa_bits - 12);
	const u64 blocks[] = { 0, BLOCK, 2 * BLOCK, 3 * BLOCK, GIB - BLOCK, GIB, top - BLOCK };
	const u64 bad[] = { top, top - 1, 1ull << 52, (1ull << 52) + 1, ~0ull, 1ull << 40 };

	if (percent(g, 1))
		return PICK(g, bad);
	if (percent(g, 4))
		return pick_block_gfn(g) + below(g, BLOCK);
	return PICK(g, blocks) + (percent(g, 80) ? below(g, 12) : below(g, BLOCK));
}

/* A gfn where the VM has a page, of that kind. */
u64 pick_used_gfn(struct generator *g, const struct model *m, long vm, bool shared)
{
	u64 start = below(g, m->nr_frames);
	bool blocks = percent(g, 25);

	for (u64 i = 0; i < m->nr_frames && vm >= 0; i++) {
		const struct frame *f = &m->frame[(start + i) % m->nr_frames];

		if (f->owner == VM && f->vm == vm && (f->borrower == HOST) == shared &&
		    (blocks || !f->block))
			return f->gfn;
	}
	return pick_gfn(g, m, vm);
}

u64 pick_lost_frame(struct generator *g, const struct model *m, bool hyp)
{
	u64 start = below(g, m->nr_frames), any = 0;
	/* Else blocks would not live long. */
	bool blocks = percent(g, 15);

	if (g->about_frame && percent(g, 40))
		return g->about_frame;
	for (u64 i = 0; i < m->nr_frames; i++) {
		u64 n = (start + i) % m->nr_frames;

		if (m->frame[n].owner != (hyp ? HYP : VM))
			continue;
		any = frame_number(m, n);
		if (blocks || !m->frame[n].block)
			return any;
	}
	return blocks && any ? any : pick_frame(g, m);
}
