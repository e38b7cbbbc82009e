// SPDX-License-Identifier: GPL-2.0-only
#include "pick.h"

#include <string.h>

#include <stockade/guestcall.h>
#include <stockade/hostcall.h>
#include <stockade/vcpu_run.h>

#define PAGE	    4096ull
#define KEEP_MARKS  200 /* a VM with more is ended */
#define WORKING_VMS 4

/* splitmix64 */
static u64 next(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

u64 random_below(u64 *state, u64 n)
{
	return next(state) % n;
}

/* --- steps --- */

#define CALL(s, ...)                               \
	do {                                       \
		const u64 x_[6] = { __VA_ARGS__ }; \
		memcpy((s)->x, x_, sizeof(x_));    \
	} while (0)

static void guest_call(struct generator *g, const struct model *m, struct step *s, long vm)
{
	u64 kind = below(g, 100), gfn, function, x1, junk = percent(g, 2);

	if (kind < 30) {
		function = GUESTCALL_MEM_SHARE;
		x1 = percent(g, 85) ? pick_used_gfn(g, m, vm, percent(g, 10)) : pick_gfn(g, m, vm);
	} else if (kind < 50) {
		function = GUESTCALL_MEM_UNSHARE;
		x1 = percent(g, 85) ? pick_used_gfn(g, m, vm, percent(g, 90)) : pick_gfn(g, m, vm);
	} else if (kind < 66) {
		function = GUESTCALL_MEM_RELINQUISH;
		x1 = percent(g, 85) ? pick_used_gfn(g, m, vm, percent(g, 40)) : pick_gfn(g, m, vm);
	} else if (kind < 76) {
		function = GUESTCALL_MMIO_GUARD;
		x1 = pick_gfn(g, m, vm);
	} else {
		static const u64 functions[] = {
			PSCI_CPU_ON_64,	 PSCI_CPU_ON_64,	PSCI_CPU_ON_64,
			PSCI_CPU_ON_64,	 PSCI_CPU_OFF,		PSCI_AFFINITY_INFO_64,
			PSCI_SYSTEM_OFF, PSCI_SYSTEM_RESET,	PSCI_AFFINITY_INFO_64,
			0x12345,	 GUESTCALL_HYP_MEMINFO,
		};

		function = PICK(g, functions);
		if ((function == PSCI_SYSTEM_OFF || function == PSCI_SYSTEM_RESET) &&
		    percent(g, 70))
			function = PSCI_CPU_OFF;
		CALL(s, 0, GUEST_CALL, function, below(g, MAX_VCPUS), junk, 0);
		/* One that is off, if there is one. */
		for (u32 i = 0; vm >= 0 && i < m->vm[vm].nr_vcpus && percent(g, 80); i++)
			if (m->vm[vm].vcpu[i].power != ON)
				s->x[3] = i;
		if (function == GUESTCALL_HYP_MEMINFO && !junk)
			s->x[3] = 0;
		return;
	}
	gfn = x1;
	x1 = gfn * PAGE;
	if (percent(g, 1))
		x1 += 8;
	CALL(s, 0, GUEST_CALL, function, x1, junk, junk && percent(g, 50));
}

static void guest_access(struct generator *g, const struct model *m, struct step *s, long vm)
{
	u64 gfn = percent(g, 50) ? pick_used_gfn(g, m, vm, percent(g, 30)) : pick_gfn(g, m, vm);
	u64 flags = below(g, 4) << ACCESS_SIZE;

	/* What the hardware can report: 52 bits. */
	gfn &= (1ull << 40) - 1;
	flags |= percent(g, 60) ? ACCESS_WRITE : 0;
	flags |= percent(g, 70) ? ACCESS_SYNDROME : 0;
	flags |= percent(g, 5) ? ACCESS_FETCH : 0;
	flags |= percent(g, 5) ? ACCESS_WALK : 0;
	flags |= percent(g, 2) ? ACCESS_OTHER : 0;
	CALL(s, 0, GUEST_ACCESS, gfn * PAGE + below(g, 64) * 8, flags, next(&g->random));
}

static void vcpu_create(struct generator *g, const struct model *m, struct step *s)
{
	u64 text = m->text, handle = pick_handle(g, m, 1u << NEW), page = pick_host_page(g, m),
	    run = pick_host_page(g, m);
	long vm = model_vm(m, handle);
	const struct spec_vm *v = vm < 0 ? NULL : &m->vm[vm];

	if (v && v->nr_vcpus && percent(g, 30))
		run = v->vcpu[0].run;
	if (percent(g, 2))
		run = page;
	/* A guest that exits would write into the instruction that a fault of the host is about. */
	while (run == text)
		run = pick_host_page(g, m);
	if (percent(g, 50))
		run |= below(g, percent(g, 95) ? RUN_PIECES : 4096) * (RUN_FRAME + 1);
	CALL(s, STOCKADE_HC_VCPU_CREATE, handle, v && percent(g, 95) ? v->nr_vcpus : below(g, 300),
	     page, run);
	if (v && v->nr_vcpus + 1 == MAX_VCPUS && s->x[2] == v->nr_vcpus)
		s->x[2]++;
}

/* Nobody runs: somebody shall. */
static void load_some(struct generator *g, const struct model *m, struct step *s)
{
	long vm = pick_vm(g, m, LIVING);

	if (vm < 0 || !m->vm[vm].nr_vcpus)
		vcpu_create(g, m, s);
	else
		CALL(s, STOCKADE_HC_VCPU_LOAD, HANDLES + (u64)vm, below(g, m->vm[vm].nr_vcpus));
}

static void run(struct generator *g, const struct model *m, struct step *s)
{
	const struct spec_cpu *cpu;
	const struct spec_vcpu *vcpu;
	u64 entry = 0;
	long vm;

	for (u32 i = 0; i < MAX_CPUS && !m->cpu[s->cpu].has_vcpu && percent(g, 97); i++)
		s->cpu = (u8)((s->cpu + 1) % MAX_CPUS);
	cpu = &m->cpu[s->cpu];
	vm = cpu->has_vcpu ? (long)cpu->vm : -1;
	vcpu = cpu->has_vcpu ? &m->vm[cpu->vm].vcpu[cpu->vcpu] : NULL;
	if (!vcpu && pick_vm(g, m, LIVING) >= 0 && percent(g, 90)) {
		load_some(g, m, s);
		return;
	}
	/* Nothing comes of these. */
	if (vcpu && (vcpu->power == OFF || m->vm[vm].life != SEALED) && percent(g, 80)) {
		CALL(s, STOCKADE_HC_VCPU_PUT);
		return;
	}
	if (percent(g, 60))
		guest_call(g, m, s, vm);
	else if (percent(g, 90))
		guest_access(g, m, s, vm);
	else
		CALL(s, 0, GUEST_IDLE);
	if (vcpu && vcpu->aborted && percent(g, 30))
		entry = vcpu->syndrome ? STOCKADE_ENTRY_MMIO : STOCKADE_ENTRY_SEA;
	if (percent(g, 2))
		entry = below(g, 16);
	s->op = OP_RUN;
	s->x[0] = entry;
}

static void host_abort(struct generator *g, const struct model *m, struct step *s)
{
	static const u32 kinds[] = { 0,
				     0,
				     0,
				     ABORT_USER,
				     ABORT_USER_VA,
				     ABORT_USER_VA,
				     ABORT_OVERRUN,
				     ABORT_FETCH,
				     ABORT_WALK,
				     ABORT_USER_VA | ABORT_ATOMIC };
	static const u32 odd[] = { ABORT_PERMISSION,
				   ABORT_UNKNOWN,
				   ABORT_OTHER,
				   ABORT_CONFLICT,
				   ABORT_USER_VA | ABORT_FETCH,
				   ABORT_USER | ABORT_WALK };
	static const u64 devices[] = { 0x9000,	0x9100,	 0x40800,   0x50000,  0x7fc00,
				       0x80203, 0x8020f, 0x80400,   0x100000, 0xfffffff,
				       1 << 28, 0x80204, 0x7ff00000 };
	u64 frame = percent(g, 90) ? pick_lost_frame(g, m, percent(g, 20)) :
				     pick_hostile_frame(g, m);

	if (percent(g, 8))
		frame = PICK(g, devices);
	frame &= (1ull << 36) - 1;
	s->op = OP_HOST_ABORT;
	CALL(s, frame * PAGE + below(g, 512) * 8, percent(g, 92) ? PICK(g, kinds) : PICK(g, odd),
	     below(g, 2));
	if (s->x[1] == ABORT_USER_VA && percent(g, 8)) {
		g->again = *s;
		g->times = 14 + (u32)below(g, 6);
	}
}

static void dying_vm(struct generator *g, const struct model *m, struct step *s)
{
	u64 handle = pick_handle(g, m, 1u << DYING), kind = below(g, 100);
	long vm = model_vm(m, handle);
	const struct spec_vm *v = vm < 0 ? NULL : &m->vm[vm];

	if (v && v->life == DYING && percent(g, 85))
		kind = !v->empty ? 0 : v->nr_vcpus ? 80 : percent(g, 60) ? 60 : 99;
	if (kind < 60)
		CALL(s, STOCKADE_HC_VM_RECLAIM, handle);
	else if (kind < 80)
		CALL(s, STOCKADE_HC_VM_RECLAIM_TABLE, handle);
	else if (kind < 90)
		CALL(s, STOCKADE_HC_VCPU_DESTROY, handle,
		     percent(g, 95) && v && v->nr_vcpus ? v->nr_vcpus - 1 : below(g, 6));
	else
		CALL(s, STOCKADE_HC_VM_DESTROY, handle);
}

static u32 nr_vms(const struct model *m)
{
	u32 nr = 0;

	for (u32 i = 0; i < MAX_VMS; i++)
		nr += m->vm[i].life != NONE;
	return nr;
}

static void vm_create(struct generator *g, const struct model *m, struct step *s)
{
	static const u8 bits[] = { 32, 32, 33, 36, 39, 40, 40 };
	u64 config = PICK(g, bits), root;

	root = stockade_s2_root_pages((unsigned int)config) == 1 ? pick_host_page(g, m) :
								   pick_host_pages(g, m, 2) & ~1ull;
	config |= STOCKADE_VM_PROTECTED << 8;
	if (percent(g, 4))
		config = below(g, 0x400);
	CALL(s, STOCKADE_HC_VM_CREATE, percent(g, 97) ? pick_host_page(g, m) : root, root, config);
	/* More than the model has room for is nothing to ask for. */
	if (nr_vms(m) == MAX_VMS)
		CALL(s, STOCKADE_HC_STATUS);
}

static u64 few_pages(struct generator *g)
{
	static const u64 bad[] = { 0, 17, 512, ~0ull, 1ull << 52 };

	return percent(g, 3) ? PICK(g, bad) : 1 + below(g, percent(g, 80) ? 4 : 16);
}

static void hostcall(struct generator *g, const struct model *m, struct step *s)
{
	u64 kind = below(g, 100), handle, frame, gfn, nr;
	long vm;

	if (!nr_vms(m) && percent(g, 2)) {
		CALL(s, STOCKADE_HC_UNLAUNCH);
	} else if (pick_vm(g, m, 1u << DYING) >= 0 && percent(g, 25)) {
		dying_vm(g, m, s);
	} else if (kind < 40) {
		handle = pick_handle(g, m, LIVING);
		vm = model_vm(m, handle);
		gfn = pick_gfn(g, m, vm);
		if (percent(g, 40) && pick_unclean(g, m, &handle, &frame, &gfn))
			CALL(s, STOCKADE_HC_HOST_DONATE_GUEST, handle, frame, gfn, BLOCK);
		else if (percent(g, 85))
			CALL(s, STOCKADE_HC_HOST_DONATE_GUEST, handle, pick_host_page(g, m), gfn,
			     1);
		else
			CALL(s, STOCKADE_HC_HOST_DONATE_GUEST, handle, pick_host_block(g, m),
			     percent(g, 90) ? pick_block_gfn(g) : gfn, BLOCK);
		if (percent(g, 1))
			s->x[4] = below(g, 600);
	} else if (kind < 52) {
		handle = pick_handle(g, m, LIVING);
		vm = model_vm(m, handle);
		CALL(s, STOCKADE_HC_VCPU_LOAD, handle,
		     percent(g, 97) && vm >= 0 && m->vm[vm].nr_vcpus ?
			     below(g, m->vm[vm].nr_vcpus) :
			     below(g, 300));
	} else if (kind < 58) {
		CALL(s, STOCKADE_HC_VCPU_PUT);
	} else if (kind < 64) {
		if (nr_vms(m) >= WORKING_VMS && percent(g, 90))
			CALL(s, STOCKADE_HC_VM_TEARDOWN,
			     pick_handle(g, m, 1u << ENDED | 1u << SEALED));
		else
			vm_create(g, m, s);
	} else if (kind < 74) {
		vcpu_create(g, m, s);
	} else if (kind < 77) {
		CALL(s, STOCKADE_HC_VCPU_SET_REG, pick_handle(g, m, 1u << NEW), below(g, MAX_VCPUS),
		     percent(g, 50) ? STOCKADE_REG_POWER_OFF : below(g, 40), below(g, 2));
	} else if (kind < 87) {
		nr = few_pages(g);
		CALL(s, STOCKADE_HC_VM_TOPUP, pick_handle(g, m, LIVING), pick_host_pages(g, m, nr),
		     nr);
	} else if (kind < 88) {
		nr = percent(g, 90) ? 1 : few_pages(g);
		CALL(s, STOCKADE_HC_POOL_TOPUP, pick_host_pages(g, m, nr), nr);
	} else if (kind < 92) {
		CALL(s, STOCKADE_HC_VCPU_MMIO_VALUE);
		/* Where there is a value to be had. */
		for (u32 cpu = 0; cpu < MAX_CPUS; cpu++)
			if (m->cpu[cpu].has_vcpu && percent(g, 80) &&
			    m->vm[m->cpu[cpu].vm].vcpu[m->cpu[cpu].vcpu].syndrome)
				s->cpu = (u8)cpu;
	} else if (kind < 95) {
		CALL(s, STOCKADE_HC_VM_TEARDOWN, pick_handle(g, m, 1u << ENDED | 1u << SEALED));
	} else if (kind < 97) {
		dying_vm(g, m, s);
	} else if (kind < 99) {
		CALL(s, percent(g, 50) ? STOCKADE_HC_STATUS : STOCKADE_HC_VERSION);
	} else {
		static const u64 others[] = {
			STOCKADE_HC_SEAL,
			STOCKADE_HC_PROTECT_CPU,
			STOCKADE_HC_UNLAUNCH,
			STOCKADE_HC_END,
			(u64)STOCKADE_HC_END + 200,
			0x86000000,
			~0ull,
		};

		CALL(s, PICK(g, others), below(g, 3));
	}
}

/* Pages for the call that wants some. */
static bool feed(struct generator *g, const struct model *m, struct step *s)
{
	u64 nr = g->wanted_by == STOCKADE_POOL_HYP ? 16 : g->wanted < 8 ? g->wanted : 8, pages = 0;

	if (g->fed >= g->wanted)
		return false;
	for (; nr; nr /= 2) {
		pages = pick_host_pages(g, m, nr);
		if (is_for_the_taking(m, pages, nr))
			break;
	}
	if (!nr)
		return false;
	s->op = OP_HOSTCALL;
	if (g->wanted_by == STOCKADE_POOL_HYP)
		CALL(s, STOCKADE_HC_POOL_TOPUP, pages, nr);
	else
		CALL(s, STOCKADE_HC_VM_TOPUP,
		     g->repeat.op == OP_RUN ? HANDLES + m->cpu[g->repeat.cpu].vm : g->repeat.x[1],
		     pages, nr);
	g->fed += nr;
	return true;
}

static void one_step(struct generator *g, const struct model *m, struct step *s)
{
	u64 kind = below(g, 100);

	memset(s, 0, sizeof(*s));
	s->cpu = (u8)below(g, MAX_CPUS);
	if (g->repeats) {
		if (feed(g, m, s))
			return;
		g->repeats = false;
		*s = g->repeat;
		return;
	}
	for (u32 i = 0; i < MAX_VMS; i++) {
		if (m->vm[i].life != NONE && m->vm[i].life != DYING &&
		    m->vm[i].nr_marks > KEEP_MARKS) {
			for (u32 cpu = 0; cpu < MAX_CPUS; cpu++)
				if (m->cpu[cpu].has_vcpu && m->cpu[cpu].vm == i) {
					s->cpu = (u8)cpu;
					CALL(s, STOCKADE_HC_VCPU_PUT);
					return;
				}
			CALL(s, STOCKADE_HC_VM_TEARDOWN, HANDLES + i);
			return;
		}
	}
	if (pick_vm(g, m, 1u << DYING) >= 0 && percent(g, 15)) {
		dying_vm(g, m, s);
	} else if (kind < 40) {
		hostcall(g, m, s);
	} else if (kind < 70) {
		run(g, m, s);
	} else if (kind < 85) {
		host_abort(g, m, s);
	} else if (kind < 93) {
		s->op = OP_HOST_WRITE;
		CALL(s, percent(g, 30) ? pick_lost_frame(g, m, false) : pick_frame(g, m),
		     next(&g->random));
	} else if (kind < 96) {
		s->op = OP_SHARE_SECURE;
		CALL(s, below(g, MAX_LISTS), pick_host_page(g, m) * PAGE + (percent(g, 2) ? 8 : 0),
		     few_pages(g));
	} else {
		s->op = OP_UNSHARE_SECURE;
		CALL(s, below(g, MAX_LISTS), percent(g, 50) ? few_pages(g) % 1024 : 600);
	}
}

/* --- several at the same time --- */

static const struct spec_vcpu *vcpu_of(const struct model *m, const struct step *s)
{
	const struct spec_cpu *cpu = &m->cpu[s->cpu];

	return s->op == OP_RUN && cpu->has_vcpu ? &m->vm[cpu->vm].vcpu[cpu->vcpu] : NULL;
}

/* Calls that nobody makes at the same time, or whose answers then mean nothing. */
static bool can_go_together(const struct model *m, const struct step *a, const struct step *b)
{
	const struct spec_vcpu *one = vcpu_of(m, a), *other = vcpu_of(m, b);

	if (a->cpu == b->cpu)
		return false;
	/* What two exits write to one place can't be told apart, nor what the host writes there from what an exit does. */
	if (one && other && one->run == other->run && one->piece == other->piece)
		return false;
	if ((one && b->op == OP_HOST_WRITE && b->x[0] == one->run) ||
	    (other && a->op == OP_HOST_WRITE && a->x[0] == other->run))
		return false;
	/* The FF-A proxy's lock guards its lists. */
	if ((a->op == OP_SHARE_SECURE || a->op == OP_UNSHARE_SECURE) &&
	    (b->op == OP_SHARE_SECURE || b->op == OP_UNSHARE_SECURE))
		return a->x[0] != b->x[0];
	if (a->op != OP_HOSTCALL || b->op != OP_HOSTCALL)
		return true;
	/* Who of the two brought back how much? */
	return a->x[0] != b->x[0] ||
	       (a->x[0] != STOCKADE_HC_VM_RECLAIM && a->x[0] != STOCKADE_HC_VM_CREATE);
}

static bool goes_alone(const struct step *s)
{
	/* Numbers that are read without a lock. */
	return s->op == OP_HOSTCALL &&
	       (s->x[0] == STOCKADE_HC_STATUS || s->x[0] == STOCKADE_HC_UNLAUNCH);
}

/* Stores that a stage 2 would stop must not come between its change and our look at it. */
static bool can_be_threads(const struct model *m, const struct step *s, u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		if (s[i].op == OP_HOST_WRITE || (s[i].op == OP_RUN && s[i].x[1] == GUEST_ACCESS))
			return false;
		for (u32 n = 0; n < 6; n++)
			if (s[i].x[n] == m->text || s[i].x[n] / PAGE == m->text)
				return false;
	}
	return true;
}

static void set_about(struct generator *g, const struct model *m, const struct step *s)
{
	long vm = s->op == OP_HOSTCALL ? model_vm(m, s->x[1]) : -1;

	if (s->op == OP_RUN && m->cpu[s->cpu].has_vcpu)
		vm = m->cpu[s->cpu].vm;
	g->about_vm = (u32)(vm + 1);
	g->about_frame = 0;
	if (s->op == OP_HOST_ABORT)
		g->about_frame = s->x[0] / PAGE;
	else if (s->op == OP_HOST_WRITE)
		g->about_frame = s->x[0];
	else if (s->op == OP_HOSTCALL && percent(g, 50))
		g->about_frame = s->x[s->x[0] == STOCKADE_HC_VCPU_CREATE ? 3 : 2];
	if (s->op == OP_RUN && s->x[1] != GUEST_IDLE && vm >= 0)
		for (u64 i = 0; i < m->nr_frames; i++)
			if (m->frame[i].owner == VM && m->frame[i].vm == vm &&
			    m->frame[i].gfn == s->x[s->x[1] == GUEST_CALL ? 3 : 2] / PAGE)
				g->about_frame = frame_number(m, i);
}

/* What decides about a VM's life decides it once: another such call for the same VM. False: s is none. */
static bool rival(struct generator *g, const struct model *m, const struct step *s,
		  struct step *other)
{
	long vm = model_vm(m, s->x[1]);

	if (s->op != OP_HOSTCALL || vm < 0 ||
	    (s->x[0] != STOCKADE_HC_VCPU_CREATE && s->x[0] != STOCKADE_HC_VCPU_LOAD &&
	     s->x[0] != STOCKADE_HC_VM_TEARDOWN && s->x[0] != STOCKADE_HC_VM_TOPUP))
		return false;
	switch (below(g, 4)) {
	case 0:
		CALL(other, STOCKADE_HC_VCPU_CREATE, s->x[1],
		     s->x[0] == STOCKADE_HC_VCPU_CREATE ? s->x[2] : m->vm[vm].nr_vcpus,
		     pick_host_page(g, m), pick_host_page(g, m));
		return m->vm[vm].nr_vcpus + 1 < MAX_VCPUS;
	case 1:
		CALL(other, STOCKADE_HC_VCPU_LOAD, s->x[1], 0);
		return true;
	case 2:
		CALL(other, STOCKADE_HC_VM_TEARDOWN, s->x[1]);
		return true;
	default:
		CALL(other, STOCKADE_HC_VM_TOPUP, s->x[1], pick_host_page(g, m), 1);
		return true;
	}
}

u32 generate(struct generator *g, const struct model *m, struct step *s, u32 max)
{
	u32 nr = 1, wanted = percent(g, 8) ? 2 + percent(g, 30) : 1;

	if (g->times && !g->repeats) {
		g->times--;
		*s = g->again;
		return 1;
	}
	one_step(g, m, s);
	if (g->repeats || goes_alone(s))
		return 1;
	for (u32 tries = 0; tries < 20 && nr < wanted && nr < max; tries++) {
		bool fits = true;

		set_about(g, m, s);
		one_step(g, m, &s[nr]);
		if (percent(g, 15)) {
			u8 cpu = s[nr].cpu;

			s[nr] = s[0];
			s[nr].cpu = cpu;
		} else if (percent(g, 40)) {
			struct step other = { .op = OP_HOSTCALL, .cpu = s[nr].cpu };

			if (rival(g, m, &s[0], &other))
				s[nr] = other;
		}
		for (u32 i = 0; i < nr; i++)
			fits &= can_go_together(m, &s[i], &s[nr]);
		nr += fits && !goes_alone(&s[nr]);
	}
	g->about_vm = 0;
	g->about_frame = 0;
	for (u32 i = 0; i + 1 < nr; i++)
		s[i].with_next = true;
	s->schedule = nr > 1 ? 1 + (u32)below(g, 1u << 30) : 0;
	if (g->threads && nr > 1 && percent(g, 20) && can_be_threads(m, s, nr))
		s->schedule = BY_THREADS;
	return nr;
}

const char *generator_saw(struct generator *g, const struct step *s, const struct outcome *o,
			  const struct choice *c)
{
	bool wants = s->op == OP_HOSTCALL && o->ret == STOCKADE_ENOMEM;

	wants |= s->op == OP_RUN && o->x[0] == STOCKADE_EXIT_TOPUP && !o->ret;
	if (!wants) {
		if (!g->repeats)
			g->feeds = 0;
		return NULL;
	}
	if (g->repeats) {
		/* What was to feed it wants food itself: the call must do without. */
		g->repeats = false;
		return NULL;
	}
	if (++g->feeds > 40)
		return "it wants ever more memory";
	if (percent(g, 85)) {
		g->repeat = *s;
		g->repeats = true;
		g->wanted = c->wanted;
		g->wanted_by = c->wanted_by;
		g->fed = 0;
	}
	return NULL;
}
