// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which tables will a call want, and does the pool have them? The rules are those of docs/architecture.md, "Pools";
 * the tables that there are, are counted by walks of our own. So a call that is refused for want of memory, or is
 * not, or asks for too much, is found.
 */
#include <string.h>

#include <stockade/guestcall.h>
#include <stockade/hostcall.h>

#include "arch/layout.h"
#include "machine.h"
#include "mem/host_map.h"
#include "mem/hyp_map.h"
#include "real.h"
#include "vm/vm.h"

/* What only POOL_TOPUP and faults may take. */
#define RESERVE 16

static u64 deepest(const struct pgtable *pt, u64 ia)
{
	return fake_walk(pt, ia).level;
}

/* Tables that there are not on the way to an entry at that level. */
static u64 missing(const struct pgtable *pt, u64 ia, u64 level)
{
	u64 found = deepest(pt, ia);

	return found < level ? level - found : 0;
}

/* The same, when those for another page have been made. */
static u64 missing_after(const struct pgtable *pt, u64 ia, u64 other)
{
	u64 nr = 0;

	for (u64 level = deepest(pt, ia) + 1; level <= 3; level++)
		nr += (ia ^ other) >> (48 - 9 * level) != 0;
	return nr;
}

static u64 linear(u64 frame)
{
	return HYP_LINEAR_BASE + frame * PAGE_SIZE;
}

/* To take nr frames from the host and map them at EL2. */
static u64 for_hyp(u64 first, u64 nr)
{
	u64 last = first + nr - 1, need = missing(&host_map, first * PAGE_SIZE, 3);

	need += missing(&hyp_map, linear(first), 3);
	if (first / BLOCK != last / BLOCK)
		need += missing(&host_map, last * PAGE_SIZE, 3) +
			missing(&hyp_map, linear(last), 3);
	return need;
}

static void demand(struct choice *c, u64 need, u64 free, enum stockade_pool pool)
{
	if (c->no_tables || need <= free)
		return;
	c->no_tables = true;
	c->wanted = need - free;
	c->wanted_by = pool;
}

static void demand_hyp(struct choice *c, u64 need)
{
	demand(c, need, hyp_pool.free, STOCKADE_POOL_HYP);
}

static bool is_ram(const struct model *m, u64 first, u64 nr)
{
	return nr && nr <= BLOCK && model_is_ram(m, first, nr);
}

static void vcpu_create(const struct model *m, struct choice *c, u64 page, u64 run)
{
	u64 shared = 0, need;

	if (run / (RUN_FRAME + 1) >= RUN_PIECES || !is_ram(m, run & RUN_FRAME, 1))
		return;
	run &= RUN_FRAME;
	if (m->frame[model_index(m, run)].borrower == NOBODY) {
		shared = missing(&hyp_map, linear(run), 3);
		demand_hyp(c, shared + RESERVE);
	}
	if (!is_ram(m, page, 1) || page == run || m->frame[model_index(m, page)].owner != HOST ||
	    m->frame[model_index(m, page)].borrower != NOBODY)
		return;
	need = missing(&host_map, page * PAGE_SIZE, 3);
	need += shared ? missing_after(&hyp_map, linear(page), linear(run)) :
			 missing(&hyp_map, linear(page), 3);
	demand(c, need + RESERVE, hyp_pool.free - shared, STOCKADE_POOL_HYP);
}

static void donate_guest(const struct model *m, struct choice *c, u64 handle, u64 first, u64 gfn,
			 u64 nr)
{
	u64 level = nr == 1 ? 3 : 2, split = nr == 1 ? 0 : 1;
	long i = model_vm(m, handle);
	const struct vm *vm = i < 0 ? NULL : real_vm((u32)i);

	if (!vm || !is_ram(m, first, nr) || gfn >> (vm->mem.map.ia_bits - PAGE_SHIFT))
		return;
	demand_hyp(c, missing(&host_map, first * PAGE_SIZE, level) + split + RESERVE);
	demand(c, missing(&vm->mem.map, gfn * PAGE_SIZE, level) + split, vm->mem.pool.free,
	       STOCKADE_POOL_VM);
}

static void hostcall(const struct model *m, const u64 *x, struct choice *c)
{
	u64 nr_root;

	switch (x[0]) {
	case STOCKADE_HC_POOL_TOPUP:
		if (is_ram(m, x[1], x[2]))
			demand_hyp(c, for_hyp(x[1], x[2]));
		break;
	case STOCKADE_HC_VM_TOPUP:
		if (is_ram(m, x[2], x[3]))
			demand_hyp(c, for_hyp(x[2], x[3]) + RESERVE);
		break;
	case STOCKADE_HC_VM_CREATE:
		nr_root = stockade_s2_root_pages(x[3] & 0xff);
		if (is_ram(m, x[1], 1) && is_ram(m, x[2], nr_root))
			demand_hyp(c, for_hyp(x[1], 1) + for_hyp(x[2], nr_root) + RESERVE);
		break;
	case STOCKADE_HC_VCPU_CREATE:
		vcpu_create(m, c, x[3], x[4]);
		break;
	case STOCKADE_HC_HOST_DONATE_GUEST:
		donate_guest(m, c, x[1], x[2], x[3], x[4]);
		break;
	}
}

static void guest_call(const struct model *m, const struct step *s, struct choice *c)
{
	const struct spec_cpu *cpu = &m->cpu[s->cpu];
	const struct vm *vm = cpu->has_vcpu ? real_vm(cpu->vm) : NULL;

	if (!vm || s->x[1] != GUEST_CALL || s->x[2] != GUESTCALL_MMIO_GUARD ||
	    s->x[3] >> vm->mem.map.ia_bits)
		return;
	demand(c, missing(&vm->mem.map, s->x[3], 3), vm->mem.pool.free, STOCKADE_POOL_VM);
}

static void host_abort(const struct model *m, u64 pa, struct choice *c)
{
	u64 level = 1;

	if (pa >> 40 || model_index(m, pa / PAGE_SIZE) >= 0)
		return;
	for (u32 i = 0; i < m->nr_ranges; i++)
		for (; level < 3; level++) {
			u64 size = 1ull << 9 * (3 - level), at = pa / PAGE_SIZE / size * size;

			if (m->range[i].first >= at + size ||
			    at >= m->range[i].first + m->range[i].nr)
				break;
		}
	demand_hyp(c, missing(&host_map, pa, level));
}

void machine_predict(const struct model *m, const struct step *s, struct choice *c)
{
	memset(c, 0, sizeof(*c));
	switch (s->op) {
	case OP_HOSTCALL:
		hostcall(m, s->x, c);
		break;
	case OP_RUN:
		guest_call(m, s, c);
		break;
	case OP_HOST_ABORT:
		host_abort(m, s->x[0], c);
		break;
	}
}
