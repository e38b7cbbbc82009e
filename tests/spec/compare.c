// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is all as the model says? One walk of each page table there is, by the Arm ARM's words (DDI 0487, D8.3), one pass
 * over the page array and the frames.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "arch/layout.h"
#include "machine.h"
#include "mem/host_map.h"
#include "mem/hyp_map.h"
#include "real.h"
#include "vm/vcpu.h"

/* Descriptors: valid; table or page; AF, SH inner. */
#define DESC_VALID  1ull
#define DESC_TABLE  2ull
#define DESC_OUTPUT 0x0000fffffffff000ull
#define DESC_SHARED (1ull << 10 | 3ull << 8)
/* Stage 2: S2AP read and write; MemAttr normal write-back, or with FWB forced so; XN. */
#define S2_RW	      (3ull << 6)
#define S2_NORMAL     (0xfull << 2)
#define S2_NORMAL_FWB (6ull << 2)
#define S2_NEVER_X    (2ull << 53)
/* Stage 1 at EL2: MAIR index 0, AP[1] (RES1), XN. */
#define S1_RW (1ull << 6 | 1ull << 54)
/* Software's, in invalid descriptors. */
#define IS_POISON 2ull
#define IS_GUARD  4ull
/* With an address: a block that is to be cleaned, and how much of it is. */
#define IS_UNCLEAN(pieces) (8ull | (u64)(pieces) * (BLOCK / PIECES) << 48)
/* And in the host's of a page that a VM shares. */
#define IS_VMS (1ull << 55)

static char why[512];

__attribute__((format(printf, 1, 2))) static bool differs(const char *format, ...)
{
	va_list args;

	if (why[0])
		return false;
	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	return false;
}

/* What a page of the hypervisor's was found to be in use for: an enum use + 1, and the VM. */
struct claim {
	u8 use, vm;
};

static struct claim claims[MAX_FRAMES];
static u8 host_sees[MAX_FRAMES], hyp_sees[MAX_FRAMES]; /* and by a leaf of which level */
static u16 guest_sees[MAX_FRAMES];		       /* VM + 1 */
static struct page *entries[MAX_FRAMES];
static struct frame last[MAX_FRAMES];
static u64 frame_number[MAX_FRAMES];
static u32 tick;

static const u64 *table_at(u64 pa)
{
	return fake_ram(pa);
}

static void claim(const struct model *m, u64 pa, enum use use, u32 vm)
{
	long i = model_index(m, pa / PAGE_SIZE);

	if (i < 0) {
		differs("0x%lx is in use for %u, and is no RAM", pa, use);
		return;
	}
	if (claims[i].use)
		differs("0x%lx is in use for %u of VM %u and for %u of VM %u", pa,
			claims[i].use - 1, claims[i].vm, use, vm);
	claims[i] = (struct claim){ (u8)(use + 1), (u8)vm };
}

/* --- walks --- */

struct walk {
	const struct model *m;
	u32 vm;	      /* a guest's */
	enum use use; /* what its tables are */
	void (*leaf)(struct walk *w, u64 ia, unsigned int level, u64 desc);
	void (*table)(struct walk *w, u64 ia, unsigned int level);
	u64 pages, blocks, marks, tables, devices;
};

static unsigned int shift_at(unsigned int level)
{
	return 39 - 9 * level;
}

static void walk(struct walk *w, const u64 *table, unsigned int level, u64 nr, u64 ia)
{
	for (u64 i = 0; i < nr; i++, ia += 1ull << shift_at(level)) {
		u64 desc = __atomic_load_n(&table[i], __ATOMIC_RELAXED);

		if (!desc)
			continue;
		if (level < 3 && (desc & (DESC_VALID | DESC_TABLE)) == (DESC_VALID | DESC_TABLE)) {
			claim(w->m, desc & DESC_OUTPUT, w->use, w->vm);
			if (w->table)
				w->table(w, ia, level + 1);
			if (!why[0])
				walk(w, table_at(desc & DESC_OUTPUT), level + 1, 512, ia);
		} else {
			w->leaf(w, ia, level, desc);
		}
	}
}

static void walk_table(struct walk *w, const struct pgtable *pt, enum use root_use)
{
	u64 nr = 1ull << (pt->ia_bits - shift_at(pt->start_level));

	for (u64 i = 0; i < (nr + 511) / 512; i++)
		claim(w->m, pt->root + i * PAGE_SIZE, root_use, w->vm);
	if (!why[0])
		walk(w, table_at(pt->root), pt->start_level, nr, 0);
}

static u64 leaf_of(u64 pa, unsigned int level, u64 attrs)
{
	return pa | attrs | DESC_SHARED | DESC_VALID | (level == 3 ? DESC_TABLE : 0);
}

static u64 frames_at(unsigned int level)
{
	return 1ull << 9 * (3 - level);
}

/* --- the host's stage 2: the identity --- */

static void host_leaf(struct walk *w, u64 ia, unsigned int level, u64 desc)
{
	long i = model_index(w->m, ia / PAGE_SIZE);

	if (i >= 0) {
		u64 vms = w->m->frame[i].owner == VM ? IS_VMS : 0;

		if (level < 1 || desc != (leaf_of(ia, level, S2_RW | S2_NORMAL) | vms) ||
		    !model_is_ram(w->m, ia / PAGE_SIZE, frames_at(level))) {
			differs("the host's 0x%lx has descriptor 0x%lx at level %u", ia, desc,
				level);
			return;
		}
		memset(&host_sees[i], (int)level, frames_at(level));
		return;
	}
	if (desc != leaf_of(ia, level, S2_RW | S2_NORMAL | S2_NEVER_X))
		differs("the host's 0x%lx, no RAM, has descriptor 0x%lx at level %u", ia, desc,
			level);
	for (u32 d = 0; d < w->m->nr_devices; d++)
		if (w->m->device[d].first == ia / PAGE_SIZE &&
		    w->m->device[d].nr == frames_at(level))
			w->devices++;
}

/* --- EL2's stage 1 --- */

static struct {
	u64 va, desc;
} fixed[256];
static u32 nr_fixed;
static bool booting;

static void hyp_leaf(struct walk *w, u64 va, unsigned int level, u64 desc)
{
	u64 pa = va - HYP_LINEAR_BASE;
	long i;

	if (va < HYP_LINEAR_BASE || va >= HYP_ARRAY_BASE) {
		if (booting && nr_fixed < 256) {
			fixed[nr_fixed].va = va;
			fixed[nr_fixed].desc = desc;
		} else if (w->pages >= nr_fixed || fixed[w->pages].va != va ||
			   fixed[w->pages].desc != desc) {
			differs("EL2's 0x%lx has descriptor 0x%lx since", va, desc);
		}
		nr_fixed += booting;
		w->pages++;
		return;
	}
	i = model_index(w->m, pa / PAGE_SIZE);
	if (i < 0 || level != 3 || desc != leaf_of(pa, level, S1_RW)) {
		differs("EL2's 0x%lx has descriptor 0x%lx at level %u", va, desc, level);
		return;
	}
	hyp_sees[i] = (u8)level;
}

/* --- a guest's stage 2 --- */

static void guest_leaf(struct walk *w, u64 ia, unsigned int level, u64 desc)
{
	u64 attrs = S2_RW | (fake.has_fwb ? S2_NORMAL_FWB : S2_NORMAL), pa = desc & DESC_OUTPUT;
	bool dying = w->m->vm[w->vm].life == DYING;
	long i = model_index(w->m, pa / PAGE_SIZE);

	if (!(desc & DESC_VALID) && !pa) {
		enum mark mark = model_mark(w->m, w->vm, ia / PAGE_SIZE);

		/* Reclaim wipes them out, in its time. */
		if (level != 3 || (desc != IS_POISON && desc != IS_GUARD) ||
		    mark != (desc == IS_POISON ? POISONED : GUARDED))
			differs("VM %u's 0x%lx says 0x%lx at level %u", w->vm, ia, desc, level);
		w->marks++;
		return;
	}
	if (level < 2 || i < 0 ||
	    (desc & DESC_VALID ?
		     desc != leaf_of(pa, level, attrs) :
		     desc != (pa | IS_UNCLEAN(PIECES - w->m->frame[i].unclean)) || level != 2) ||
	    !model_is_ram(w->m, pa / PAGE_SIZE, frames_at(level))) {
		differs("VM %u's 0x%lx has descriptor 0x%lx at level %u", w->vm, ia, desc, level);
		return;
	}
	w->blocks += level == 2;
	for (u64 n = 0; n < frames_at(level); n++, i++) {
		const struct frame *f = &w->m->frame[i];

		guest_sees[i] = desc & DESC_VALID ? (u16)(w->vm + 1) : 0;
		if (f->owner != VM || f->vm != w->vm || f->gfn != ia / PAGE_SIZE + n ||
		    f->block != (level == 2))
			differs("VM %u has 0x%lx mapped at 0x%lx, level %u%s", w->vm,
				pa + (n << PAGE_SHIFT), ia + (n << PAGE_SHIFT), level,
				dying ? " (dying)" : "");
	}
}

static void guest_table(struct walk *w, u64 ia, unsigned int level)
{
	if (level != 3)
		return;
	w->tables++;
	if (!model_has_pages_in(w->m, w->vm, ia / PAGE_SIZE))
		differs("VM %u has a table of pages for 0x%lx", w->vm, ia);
}

/* --- pools --- */

static u64 compare_pool(const struct model *m, const struct pool *pool, enum use use, u32 vm,
			u64 reserved)
{
	u64 nr = 0;

	for (pa_t page = pool->head; page && !why[0]; nr++) {
		const u64 *word = table_at(page);

		claim(m, page, use, vm);
		if (word[1 + (tick * 37 + nr) % 511])
			differs("0x%lx is in a pool, and not zero", page);
		page = word[0];
	}
	for (pa_t page = pool->next; page < pool->end && !why[0]; page += PAGE_SIZE, nr++) {
		claim(m, page, use, vm);
		if (((const u64 *)table_at(page))[(tick * 37 + nr) % 512])
			differs("0x%lx was never used, and is not zero", page);
	}
	if (nr != pool->free + pool->reserved || pool->reserved != reserved)
		differs("a pool of %lu pages says %lu + %lu, and %lu are to be reserved", nr,
			pool->free, pool->reserved, reserved);
	return nr;
}

/* --- VMs --- */

const struct vm *real_vm(u32 index)
{
	struct vm *vm = vm_get_index(index);

	if (!vm)
		return NULL;
	vm_put(vm);
	return fake_ram(hyp_pa(vm));
}

static void compare_vcpus(const struct model *m, const struct vm *real, u32 vm)
{
	static const u8 powers[] = {
		[VCPU_OFF] = OFF,
		[VCPU_ON_PENDING] = ON_PENDING,
		[VCPU_ON] = ON,
	};
	u32 bound = 0;

	for (u32 i = 0; i < real->nr_vcpus; i++) {
		const struct vcpu *r = fake_ram(hyp_pa(real->vcpus[i]));
		const struct spec_vcpu *v = &m->vm[vm].vcpu[i];

		if (hyp_pa(real->vcpus[i]) != v->page * PAGE_SIZE ||
		    hyp_pa(r->run) != v->run * PAGE_SIZE + v->piece * 256 ||
		    powers[r->power] != v->power || r->bound != v->bound ||
		    r->abort_pending != v->aborted || r->index != i)
			differs("VM %u's vCPU %u is not as it should be", vm, i);
		bound += v->bound;
	}
	if (real->loaded != bound || real->users != bound)
		differs("VM %u has %u vCPUs loaded and %u users, should have %u", vm, real->loaded,
			real->users, bound);
}

/* Returns its blocks. */
static u64 compare_vm(const struct model *m, u32 vm)
{
	static const u8 lives[] = {
		[VM_NEW] = NEW,
		[VM_SEALED] = SEALED,
		[VM_ENDED] = ENDED,
		[VM_DYING] = DYING,
	};
	struct walk w = {
		.m = m, .vm = vm, .use = USE_VM_POOL, .leaf = guest_leaf, .table = guest_table
	};
	const struct spec_vm *v = &m->vm[vm];
	const struct vm *real = real_vm(vm);

	if (!real != (v->life == NONE))
		differs("VM %u %s", vm, real ? "is there" : "is not there");
	if (!real || why[0])
		return 0;
	if (real != fake_ram(v->page * PAGE_SIZE) || real->mem.map.root != v->root * PAGE_SIZE ||
	    real->mem.map.ia_bits != v->ipa_bits || lives[real->state] != v->life ||
	    real->mem.dying != (v->life == DYING) || real->nr_vcpus != v->nr_vcpus ||
	    real->index != vm)
		differs("VM %u is not as it should be", vm);
	claim(m, v->page * PAGE_SIZE, USE_VM, vm);
	for (u32 i = 0; i < v->nr_vcpus; i++)
		claim(m, v->vcpu[i].page * PAGE_SIZE, USE_VCPU, vm);
	if (!why[0])
		compare_vcpus(m, real, vm);
	if (!why[0])
		walk_table(&w, &real->mem.map, USE_ROOT);
	/* Reclaim wipes marks, and frees tables, as it goes. */
	if (v->life != DYING && (w.marks != v->nr_marks || w.tables != v->nr_pages_in))
		differs("VM %u has %lu marks and %lu tables of pages, should have %u and %u", vm,
			w.marks, w.tables, v->nr_marks, v->nr_pages_in);
	compare_pool(m, &real->mem.pool, USE_VM_POOL, vm, w.blocks);
	return w.blocks;
}

/* --- frames --- */

static void compare_entry(u64 i, const struct frame *f)
{
	static const u8 states[][5] = {
		[HOST] = { [NOBODY] = PAGE_HOST, [HYP] = PAGE_HOST_SHARED, [SECURE] = PAGE_HOST_SECURE },
		[HYP] = { [NOBODY] = PAGE_HYP },
		[VM] = { [NOBODY] = PAGE_GUEST, [HOST] = PAGE_GUEST_SHARED },
	};
	struct page should = { .state = states[f->owner][f->borrower], .refs = f->shares };
	const struct page *is = entries[i];

	if (f->owner == VM) {
		should.owner = f->vm;
		should.gfn = f->gfn;
	} else if (f->borrower == SECURE) {
		should.gfn = is->gfn; /* a link of its own */
	}
	if (memcmp(is, &should, sizeof(should)))
		differs("frame 0x%lx: %s of %u at 0x%lx, %u shares; should be %s of %u at 0x%lx, %u",
			frame_number[i], fake_state_name(is->state), is->owner, (u64)is->gfn,
			is->refs, fake_state_name(should.state), should.owner, (u64)should.gfn,
			should.refs);
}

static void compare_contents(u64 i, const struct frame *f, bool all)
{
	const u64 *word;

	if (f->owner == HYP || f->content == CONTENT_ANY)
		return;
	word = table_at(frame_number[i] * PAGE_SIZE);
	for (u64 n = 0; n < (all ? 512 : 1); n++) {
		u64 at = (tick * 67 + i * 5 + n) % 512;

		if (word[at] != f->content) {
			differs("frame 0x%lx: word %lu is 0x%lx, should be 0x%lx", frame_number[i],
				at, word[at], f->content);
			return;
		}
	}
}

static void compare_frame(u64 i, const struct frame *f, bool thorough)
{
	/* Padding that differs costs a look, no more. NOLINTNEXTLINE */
	bool guest = model_maps(f, VM), changed = memcmp(f, &last[i], sizeof(*f));
	struct claim none = { 0 }, should = none;

	compare_entry(i, f);
	if (!host_sees[i] != !model_maps(f, HOST))
		differs("frame 0x%lx: the host has it %smapped", frame_number[i],
			host_sees[i] ? "" : "not ");
	if (!hyp_sees[i] != !model_maps(f, HYP))
		differs("frame 0x%lx: EL2 has it %smapped", frame_number[i],
			hyp_sees[i] ? "" : "not ");
	if (guest_sees[i] != (guest ? f->vm + 1 : 0))
		differs("frame 0x%lx: VM %d has it mapped", frame_number[i], guest_sees[i] - 1);
	if (f->owner == HYP && f->use != USE_LAUNCH && f->use != USE_CPU)
		should = (struct claim){ (u8)(f->use + 1), (u8)f->vm };
	if (memcmp(&claims[i], &should, sizeof(should)))
		differs("frame 0x%lx: in use for %d of VM %u, should be for %d of VM %u",
			frame_number[i], claims[i].use - 1, claims[i].vm, should.use - 1,
			should.vm);
	/* Not every page each time: what has changed, and some of the others. */
	if (changed || thorough || (i + tick) % 8 == 0)
		compare_contents(i, f, changed);
	if (changed)
		last[i] = *f;
}

/* 2 MiB of RAM that the host has, whole, are a block. What a guest shares is not the host's to keep. */
static void compare_blocks(const struct model *m)
{
	u64 i = 0;

	for (u32 r = 0; r < m->nr_ranges; i += m->range[r++].nr) {
		u64 first = m->range[r].first, end = first + m->range[r].nr;

		for (u64 b = (first + BLOCK - 1) / BLOCK * BLOCK; b + BLOCK <= end; b += BLOCK) {
			const struct frame *f = &m->frame[i + b - first];
			u64 hosts = 0;

			while (hosts < BLOCK && f[hosts].owner == HOST)
				hosts++;
			if ((hosts == BLOCK) != (host_sees[f - m->frame] == 2))
				differs("the host has 0x%lx mapped at level %u", b << PAGE_SHIFT,
					host_sees[f - m->frame]);
		}
	}
}

static void walk_own(const struct model *m, u64 blocks)
{
	struct walk host = { .m = m, .use = USE_POOL, .leaf = host_leaf };
	struct walk hyp = { .m = m, .use = USE_POOL, .leaf = hyp_leaf };

	walk_table(&host, &host_map, USE_POOL);
	if (!why[0])
		walk_table(&hyp, &hyp_map, USE_POOL);
	if (host.devices != m->nr_devices)
		differs("the host has %lu devices mapped, should have %u", host.devices,
			m->nr_devices);
	if (hyp.pages != nr_fixed)
		differs("EL2 has %lu pages of its own mapped, had %u", hyp.pages, nr_fixed);
	compare_pool(m, &hyp_pool, USE_POOL, 0, blocks);
}

static void clear(const struct model *m)
{
	memset(claims, 0, m->nr_frames * sizeof(claims[0]));
	memset(host_sees, 0, m->nr_frames * sizeof(host_sees[0]));
	memset(hyp_sees, 0, m->nr_frames * sizeof(hyp_sees[0]));
	memset(guest_sees, 0, m->nr_frames * sizeof(guest_sees[0]));
	why[0] = '\0';
	tick++;
}

const char *machine_compare(const struct model *m, bool thorough)
{
	u64 blocks = 0;

	clear(m);
	for (u32 i = 0; i < MAX_VMS && !why[0]; i++)
		blocks += compare_vm(m, i);
	if (!why[0])
		walk_own(m, blocks);
	for (u64 i = 0; i < m->nr_frames && !why[0]; i++)
		compare_frame(i, &m->frame[i], thorough);
	if (!why[0])
		compare_blocks(m);
	return why[0] ? why : NULL;
}

const struct page *real_page(u64 n)
{
	return entries[n];
}

void real_boot(const struct model *m)
{
	u64 i = 0;

	for (u32 r = 0; r < m->nr_ranges; r++)
		for (u64 n = 0; n < m->range[r].nr; n++, i++) {
			frame_number[i] = m->range[r].first + n;
			entries[i] = fake_page(frame_number[i] * PAGE_SIZE);
		}
	memcpy(last, m->frame, sizeof(last));
	nr_fixed = 0;
	tick = 0;
	clear(m);
	booting = true;
	walk_own(m, 0);
	booting = false;
}
