// SPDX-License-Identifier: GPL-2.0-only
/* Steps, done by host_trap() and what the fake machine offers. */
#include "machine.h"

#include <string.h>

#include <stockade/hostcall.h>

#include "arch/esr.h"
#include "arch/launch.h"
#include "arch/layout.h"
#include "fake.h"
#include "mem/host_map.h"
#include "mem/hyp_map.h"
#include "mem/page.h"
#include "mem/secure.h"
#include "real.h"
#include "vm/vcpu.h"

#define TEXT_VA	  0xffff800010000000ull
#define LINEAR_VA 0xffff000000000000ull
#define LDR	  0xf9400020u /* ldr x0, [x1] */
#define LDXR	  0xc85f7c20u /* ldxr x0, [x1] */

static struct fake_trap traps[MAX_CPUS];
static struct secure_list lists[MAX_LISTS];
static pa_t text_pa;

/* What the guest on each CPU does next. */
static struct {
	const struct step *step;
	bool done;
} acts[MAX_CPUS];

/* --- the machine --- */

/* Blocks on both sides of a boundary of 1 GiB, odd ends, and a hole within 2 MiB. */
static const struct fake_config standard = {
	.ram = { { 0x40000000, 0x800000 }, { 0x7fe00000, 0x403000 }, { 0x80205000, 0x9000 } },
	.nr_ram = 3,
	.no_junk = true,
};

static enum guest_exit_kind guest(struct guest_regs *regs);

static void fill(pa_t pa, u64 content)
{
	u64 *word = fake_ram(pa);

	for (u32 i = 0; i < PAGE_SIZE / 8; i++)
		word[i] = content;
}

static void own(struct model *m, pa_t pa, u64 nr, enum use use)
{
	for (u64 i = 0; i < nr; i++)
		m->frame[model_index(m, pa / PAGE_SIZE) + (long)i] =
			(struct frame){ .owner = HYP, .use = (u8)use, .content = CONTENT_ANY };
}

/* What the loader handed over is the hypervisor's, all else the host's. */
static void launched(struct model *m)
{
	const struct stockade_launch *l = &fake.launch;
	struct stockade_range image = launch_image();

	memset(m, 0, sizeof(*m));
	for (u32 i = 0; i < l->nr_ram; i++) {
		m->range[i].first = l->ram[i].base / PAGE_SIZE;
		m->range[i].nr = l->ram[i].size / PAGE_SIZE;
		m->nr_frames += m->range[i].nr;
	}
	m->nr_ranges = l->nr_ram;
	for (u64 i = 0; i < m->nr_frames; i++)
		m->frame[i] = (struct frame){ .owner = HOST, .content = CONTENT_ANY };
	own(m, image.base, image.size / PAGE_SIZE, USE_LAUNCH);
	for (u32 i = 0; i < l->nr_cpus; i++) {
		own(m, l->cpu[i].pages, 1, USE_CPU);
		own(m, l->cpu[i].pages + PAGE_SIZE, STOCKADE_CPU_PAGES - 1, USE_LAUNCH);
	}
	for (u32 i = 0; i < l->nr_array; i++)
		own(m, l->array[i].base, l->array[i].size / PAGE_SIZE, USE_LAUNCH);
	for (u32 i = 0; i < l->nr_pool; i++)
		own(m, l->pool[i].base, l->pool[i].size / PAGE_SIZE, USE_POOL);
	m->frame[model_index(m, l->log / PAGE_SIZE)] = (struct frame){
		.owner = HOST, .borrower = HYP, .shares = 1, .content = CONTENT_ANY
	};
	m->text = text_pa / PAGE_SIZE;
	m->fwb = fake.has_fwb;
	/* Each page of the host's has something in it. */
	for (u32 r = 0; r < m->nr_ranges; r++)
		for (u64 n = 0; n < m->range[r].nr; n++) {
			u64 frame = m->range[r].first + n;
			struct frame *f = &m->frame[model_index(m, frame)];

			if (f->owner != HOST || f->borrower != NOBODY || frame == m->text)
				continue;
			f->content = 0xc0de000000000000 | frame;
			fill(frame * PAGE_SIZE, f->content);
		}
}

void machine_boot(u64 kind, struct model *m)
{
	static const u8 pools[] = { 64, 40, 34, 30 };
	struct fake_config config = standard;

	config.pool_pages = pools[kind & 3];
	fake_boot(&config);
	/* The judge of maintenance knows no threads. */
	if (kind & MACHINE_THREADS)
		fake_unwatch(NULL);
	fake.has_fwb = kind & 4;
	fake.guest = guest;
	/* Not in a block that could be given away whole. */
	text_pa = 0x401ff000;
	fake.text_va = TEXT_VA;
	fake.text_pa = text_pa;
	fake.text_size = PAGE_SIZE;
	for (u32 i = 0; i < MAX_LISTS; i++)
		lists[i].head = SECURE_LIST_EMPTY;
	launched(m);
	real_boot(m);
}

/* --- guests --- */

/* By the hypervisor's objects, but not through its eyes: nothing is filled into EL2's TLB by this. */
static struct vcpu *loaded_vcpu(unsigned int cpu)
{
	const struct cpu *c = fake_ram(fake.launch.cpu[cpu].pages);

	return c->vcpu ? fake_ram(hyp_pa(c->vcpu)) : NULL;
}

/* True: it was done, there is memory. */
static bool access_memory(const u64 *x)
{
	const struct vcpu *vcpu = loaded_vcpu(fake_cpu_index());
	const struct vm *vm = fake_ram(hyp_pa(vcpu->vm));
	struct fake_leaf leaf;

	if (x[2] >> vm->mem.map.ia_bits)
		return false;
	leaf = fake_walk(&vm->mem.map, x[2]);
	if (leaf.valid && (x[3] & ACCESS_WRITE) && !(x[3] & (ACCESS_FETCH | ACCESS_WALK)))
		fill(leaf.pa & PAGE_MASK, x[4]);
	return leaf.valid;
}

static enum guest_exit_kind guest(struct guest_regs *regs)
{
	const struct step *s = acts[fake_cpu_index()].step;
	const u64 *x = s->x;
	u64 ec = EC_DABT_LOWER;

	if (acts[fake_cpu_index()].done || x[1] == GUEST_IDLE)
		return GUEST_EXIT_IRQ;
	acts[fake_cpu_index()].done = true;
	if (fake.reschedule)
		fake.reschedule(NULL);
	if (x[1] == GUEST_CALL) {
		memcpy(regs->x, &x[2], 4 * sizeof(u64));
		regs->esr = FIELD_PUT(ESR_EC, EC_HVC64) | ESR_IL;
		return GUEST_EXIT_SYNC;
	}
	if (access_memory(x))
		return GUEST_EXIT_IRQ;
	regs->esr = ESR_IL | FIELD_PUT(ESR_SAS, x[3] >> ACCESS_SIZE & 3) | FIELD_PUT(ESR_SRT, 5) |
		    ESR_SF;
	regs->esr |= x[3] & ACCESS_OTHER ? FSC_PERMISSION : FSC_TRANSLATION;
	regs->esr |= x[3] & ACCESS_WALK ? ESR_S1PTW : 0;
	if (x[3] & ACCESS_FETCH) {
		ec = EC_IABT_LOWER;
	} else {
		regs->esr |= x[3] & ACCESS_SYNDROME ? ESR_ISV : 0;
		regs->esr |= x[3] & ACCESS_WRITE ? ESR_WNR : 0;
	}
	regs->esr |= FIELD_PUT(ESR_EC, ec);
	regs->x[5] = x[4];
	regs->far = LINEAR_VA | (x[2] & (PAGE_SIZE - 1));
	regs->hpfar = x[2] >> 8 & GENMASK(43, 4);
	return GUEST_EXIT_SYNC;
}

/* --- steps --- */

static void trap(u64 esr, struct host_regs *regs)
{
	for (u32 i = 6; i < 31; i++)
		regs->x[i] = 0x1111 * i;
	traps[fake_cpu_index()].esr = esr;
	fake_trap = &traps[fake_cpu_index()];
	host_trap(regs);
	for (u32 i = 6; i < 31; i++)
		if (regs->x[i] != 0x1111 * i)
			fake_fail("x%u has changed", i);
}

static void hostcall(const u64 *x, struct outcome *o)
{
	struct host_regs regs = { 0 };

	memcpy(regs.x, x, 6 * sizeof(u64));
	trap(FIELD_PUT(ESR_EC, EC_HVC64) | ESR_IL, &regs);
	o->ret = (s64)regs.x[0];
	memcpy(o->x, &regs.x[1], sizeof(o->x));
	if (regs.x[4] != x[4] || regs.x[5] != x[5])
		fake_fail("x4 or x5 has changed");
}

/* Of the VM with that handle, by the page array. */
static u64 pages_of(const struct model *m, u64 handle)
{
	u64 nr = 0;

	for (u64 i = 0; i < m->nr_frames; i++) {
		const struct page *p = real_page(i);

		nr += p->owner == handle - 0x1000 &&
		      (p->state == PAGE_GUEST || p->state == PAGE_GUEST_SHARED);
	}
	return nr;
}

static void do_hostcall(const struct model *m, const struct step *s, struct outcome *o,
			struct choice *c)
{
	bool reclaim = s->x[0] == STOCKADE_HC_VM_RECLAIM;
	u64 before = reclaim ? pages_of(m, s->x[1]) : 0;

	hostcall(s->x, o);
	if (reclaim) {
		c->reclaimed = before - pages_of(m, s->x[1]);
		c->more = o->x[0];
	}
	c->table = o->x[0];
	c->free = o->x[1];
}

static void do_run(const struct step *s, struct outcome *o)
{
	const struct vcpu *vcpu = loaded_vcpu(s->cpu);
	const u64 x[6] = { STOCKADE_HC_VCPU_RUN };
	struct stockade_run *run = NULL;

	acts[s->cpu].step = s;
	acts[s->cpu].done = false;
	if (vcpu) {
		run = fake_ram(hyp_pa(vcpu->run));
		memset(run, 0, sizeof(*run));
		run->entry_flags = (u32)s->x[0];
		run->mmio_data = 0x123456789abcdef0;
	}
	hostcall(x, o);
	if (!run || o->ret)
		return;
	if (run->exit_reason != o->x[0])
		fake_fail("exit %lu, and the run page says %u", o->x[0], run->exit_reason);
	o->abort_flags = run->abort_flags;
	o->abort_ipa = run->abort_ipa;
	o->abort_size = run->abort_size;
	o->arg = run->arg[0];
	if (s->x[1] == GUEST_CALL && acts[s->cpu].done)
		o->guest_x0 = vcpu->regs.x[0];
}

static void do_host_abort(const struct step *s, struct outcome *o)
{
	u64 flags = s->x[1],
	    va = flags & ABORT_USER_VA ? s->x[0] & (BIT(48) - 1) : LINEAR_VA | s->x[0];
	const unsigned int *faults = fake.cpu_faults[s->cpu];
	unsigned int before[3];
	struct host_regs regs = { 0 };
	/* Each CPU has instructions of its own. */
	u64 pc = (s->cpu * 4 + s->x[2] % 4) * 4;

	traps[s->cpu].abort = (struct host_abort){
		.far = va,
		.pc = TEXT_VA + pc,
		.ipa = s->x[0] & PAGE_MASK, /* as HPFAR_EL2 has it */
		.ipa_known = !(flags & ABORT_UNKNOWN),
		.user = flags & ABORT_USER,
		.fetch = flags & ABORT_FETCH,
		.walk = flags & ABORT_WALK,
		.permission = flags & ABORT_PERMISSION,
		.tlb_conflict = flags & ABORT_CONFLICT,
		.other = flags & ABORT_OTHER,
	};
	if (fake_walk(&host_map, text_pa).valid)
		*(u32 *)((u8 *)fake_ram(text_pa) + pc) = flags & ABORT_ATOMIC ? LDXR : LDR;
	regs.x[1] = flags & ABORT_OVERRUN ? (va & PAGE_MASK) - 3 : va;
	memcpy(before, faults, sizeof(before));
	trap(FIELD_PUT(ESR_EC, flags & ABORT_FETCH ? EC_IABT_LOWER : EC_DABT_LOWER) | ESR_IL,
	     &regs);
	o->fault = FAULT_NONE;
	for (u32 i = 0; i < 3; i++) {
		static const enum fault kinds[] = {
			[HOST_FAULT_TAG_CHECK] = FAULT_TAG,
			[HOST_FAULT_ALIGNMENT] = FAULT_ALIGNMENT,
			[HOST_FAULT_EXTERNAL] = FAULT_EXTERNAL,
		};

		if (faults[i] == before[i])
			continue;
		if (faults[i] != before[i] + 1 || o->fault)
			fake_fail("more than one fault for the host");
		o->fault = kinds[i];
	}
}

/* The host stores what its stage 2 lets it. */
static void do_host_write(const struct step *s)
{
	if (s->x[0] < STOCKADE_MAX_PHYS / PAGE_SIZE &&
	    page_is_ram(s->x[0] * PAGE_SIZE, PAGE_SIZE) &&
	    fake_walk(&host_map, s->x[0] * PAGE_SIZE).valid)
		fill(s->x[0] * PAGE_SIZE, s->x[1]);
}

void machine_step(const struct model *m, const struct step *s, struct outcome *o, struct choice *c)
{
	memset(o, 0, sizeof(*o));
	fake_cpu(s->cpu);
	switch (s->op) {
	case OP_HOSTCALL:
		do_hostcall(m, s, o, c);
		break;
	case OP_RUN:
		do_run(s, o);
		break;
	case OP_HOST_ABORT:
		do_host_abort(s, o);
		break;
	case OP_HOST_WRITE:
		do_host_write(s);
		break;
	case OP_SHARE_SECURE:
		o->ret = host_share_secure(&lists[s->x[0] % MAX_LISTS], s->x[1], s->x[2]);
		break;
	case OP_UNSHARE_SECURE:
		host_unshare_secure(&lists[s->x[0] % MAX_LISTS], s->x[1]);
		break;
	}
}
