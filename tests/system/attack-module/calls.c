// SPDX-License-Identifier: GPL-2.0-only
/* Hostcalls with pseudo-random arguments, on all CPUs at once. */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <stockade/debugcall.h>

#include "attack.h"

#define HANDLE_BASE 0x1000
#define NR_OWN_VMS  16u
#define NR_BATCH    32u
#define NR_CALLS    (STOCKADE_HC_END - STOCKADE_HC_BASE)

static DECLARE_BITMAP(victims, STOCKADE_MAX_VMS);
static u64 own_vm[NR_OWN_VMS]; /* handles; 0: none */
static u64 freed[8];	       /* the last that were ended */
static atomic_t nr_freed;

static const s64 known[] = {
	STOCKADE_OK,	 STOCKADE_EPERM,  STOCKADE_ENOENT, STOCKADE_EAGAIN,
	STOCKADE_ENOMEM, STOCKADE_EFAULT, STOCKADE_EBUSY,  STOCKADE_EEXIST,
	STOCKADE_EINVAL, STOCKADE_ENOSPC, STOCKADE_ENOSYS,
};

struct worker {
	const struct calls_config *config;
	struct rnd_state rnd;
	struct task_struct *task;
	struct completion done;
	u64 calls, by_status[ARRAY_SIZE(known)], odd, changed, created, destroyed;
	u64 by_function[NR_CALLS];
	struct run_stats runs;
	bool bad;	 /* an argument was chosen that must be refused */
	u64 last_odd[3]; /* function, handle or page, status */
};

/* A VM exists if a topup by no page is refused for the page, not for the handle. */
static bool vm_exists(u64 handle)
{
	u64 x[6] = { STOCKADE_HC_VM_TOPUP, handle, ~0ull, 1 };

	attack_call(x);
	return x[0] != (u64)STOCKADE_ENOENT;
}

unsigned int mark_victims(void)
{
	unsigned int i;

	bitmap_zero(victims, STOCKADE_MAX_VMS);
	for (i = 0; i < STOCKADE_MAX_VMS; i++)
		if (vm_exists(HANDLE_BASE + i))
			__set_bit(i, victims);
	return bitmap_weight(victims, STOCKADE_MAX_VMS);
}

static u32 pick(struct worker *w, u32 n)
{
	return prandom_u32_state(&w->rnd) % n;
}

static u64 random64(struct worker *w)
{
	return (u64)prandom_u32_state(&w->rnd) << 32 | prandom_u32_state(&w->rnd);
}

static u64 pick_own_handle(struct worker *w)
{
	return READ_ONCE(own_vm[pick(w, NR_OWN_VMS)]);
}

static bool is_own(u64 handle)
{
	unsigned int i;

	for (i = 0; i < NR_OWN_VMS; i++)
		if (handle && READ_ONCE(own_vm[i]) == handle)
			return true;
	return false;
}

/* Nothing may be done to such a VM that the host is free to do: end it, or give it pages. */
static bool is_others(const struct worker *w, u64 handle)
{
	if (handle < HANDLE_BASE || handle >= HANDLE_BASE + STOCKADE_MAX_VMS)
		return false;
	return w->config->gentle ? !is_own(handle) : test_bit(handle - HANDLE_BASE, victims);
}

static u64 pick_handle(struct worker *w)
{
	static const u64 odd[] = { 0,	   1,	  0xfff,     HANDLE_BASE + STOCKADE_MAX_VMS,
				   0x10ff, ~0ull, 1ull << 63 };

	switch (pick(w, 10)) {
	case 0:
		return odd[pick(w, ARRAY_SIZE(odd))];
	case 4:
		return READ_ONCE(freed[pick(w, ARRAY_SIZE(freed))]);
	case 1:
		return HANDLE_BASE + pick(w, STOCKADE_MAX_VMS);
	case 2:
		return HANDLE_BASE + pick(w, 8);
	case 3:
		return pick_own_handle(w) | 1ull << (32 + pick(w, 32));
	default:
		return pick_own_handle(w);
	}
}

/* A page that is not the host's to give. */
static u64 pick_bad_pfn(struct worker *w)
{
	const u64 odd[] = {
		0,
		1,
		0x8000,
		0x8010,
		0x9000,
		0xa000,
		~0ull,
		1ull << 36,
		1ull << 40,
		1ull << 52,
		(1ull << 52) - 1,
		ram_end_pfn,
		ram_end_pfn + 1,
		ram_end_pfn - 1 + (1ull << 52),
		0x4000000000,
		0x3ffff,
	};

	w->bad = true;
	switch (pick(w, 4)) {
	case 0:
		return odd[pick(w, ARRAY_SIZE(odd))];
	case 1:
		return hyp_pfn(&w->rnd);
	case 2:
		return victim_pfn(&w->rnd);
	default:
		/* A page of ours if the shift to an address overflows. */
		return own_pfn(&w->rnd) | 1ull << (52 + pick(w, 12));
	}
}

static u64 pick_pfn(struct worker *w)
{
	return pick(w, 4) ? own_pfn(&w->rnd) : pick_bad_pfn(w);
}

static u64 pick_gfn(struct worker *w)
{
	static const u64 odd[] = { 0,	       1,	   511,
				   512,	       0x40080,	   0x3ffff,
				   ~0ull,      1ull << 28, (1ull << 28) - 1,
				   1ull << 36, 1ull << 52 };

	return pick(w, 3) ? 0x40000 + pick(w, 2048) : odd[pick(w, ARRAY_SIZE(odd))];
}

static u64 pick_nr(struct worker *w)
{
	static const u64 odd[] = {
		0, 2, 15, 17, 511, 513, ~0ull, 1ull << 32, 1ull << 52, 1ull << 63
	};

	return odd[pick(w, ARRAY_SIZE(odd))];
}

static u64 pick_index(struct worker *w)
{
	static const u64 odd[] = { 255, 256, ~0ull, 1ull << 32, 0xffffffff };

	return pick(w, 4) ? pick(w, 4) : odd[pick(w, ARRAY_SIZE(odd))];
}

static u64 pick_function(struct worker *w)
{
	u64 n = pick(w, NR_CALLS);

	switch (pick(w, 16)) {
	case 0: /* near by, behind those that a hypervisor for tests has */
		return STOCKADE_DC_END + pick(w, 8);
	case 1:
		return STOCKADE_HC_BASE - 1 - pick(w, 8);
	case 2: /* right but for one bit */
		return (STOCKADE_HC_BASE + n) ^ 1ull << (10 + pick(w, 54));
	case 3: /* as a 32-bit call */
		return (STOCKADE_HC_BASE + n) ^ 1ull << 30;
	case 4:
		n = 5 + (random64(w) >> pick(w, 60));
		return n < STOCKADE_HC_BASE || n >= STOCKADE_DC_END ? n : 5;
	default:
		return STOCKADE_HC_BASE + n;
	}
}

/* Arguments that make some sense to the function. Pages and ranges are ours, or can't be taken. */
static bool pick_arguments(struct worker *w, u64 x[6])
{
	bool others, bad;
	unsigned int i;

	w->bad = false;
	for (i = 1; i < 6; i++)
		x[i] = pick(w, 2) ? random64(w) : pick(w, 600);
	x[1] = pick_handle(w);
	others = is_others(w, x[1]);
	switch (x[0]) {
	case STOCKADE_HC_UNLAUNCH:
	case STOCKADE_HC_UNLAUNCH_CPU:
		/* Without a VM they are granted. */
		w->bad = true;
		return !bitmap_empty(victims, STOCKADE_MAX_VMS);
	case STOCKADE_HC_POOL_TOPUP:
		x[1] = pick_bad_pfn(w);
		x[2] = pick(w, 2) ? 1 + pick(w, 16) : pick_nr(w);
		if (!pick(w, 16)) { /* begins in RAM */
			x[1] = ram_end_pfn - 1;
			x[2] = 2 + pick(w, 15);
		}
		if (!pick(w, 64)) {
			x[1] = own_pool_pfn();
			x[2] = 16;
			w->bad = false;
		}
		return true;
	case STOCKADE_HC_VM_CREATE:
		x[1] = pick_pfn(w);
		/* Up to 16 pages: the first of 16 of ours, or one that is not aligned. */
		x[2] = pick(w, 2) ? own_pfn(&w->rnd) & ~15ull : pick_bad_pfn(w);
		x[3] = (pick(w, 4) ? 40 : pick(w, 70)) |
		       (pick(w, 4) ? STOCKADE_VM_PROTECTED << 8 : random64(w));
		return !w->config->gentle;
	case STOCKADE_HC_VM_TOPUP:
		x[3] = pick(w, 2) ? 1 : pick_nr(w);
		if (others)
			x[2] = pick_bad_pfn(w);
		else if (x[3] == 2 || x[3] == 15)
			/* From just any page of ours on, they would run on into somebody else's. */
			x[2] = own_pfn(&w->rnd) & ~15ull;
		else
			x[2] = pick_pfn(w);
		w->bad |= !x[3] || x[3] > 16;
		return true;
	case STOCKADE_HC_VCPU_CREATE:
		x[2] = pick_index(w);
		x[3] = others ? pick_bad_pfn(w) : pick_pfn(w);
		bad = w->bad;
		x[4] = pick(w, 16) ? pick_pfn(w) : log_pfn();
		/* From bit 52 on it is a place in the page, and that may be a good one. */
		if (x[4] >> STOCKADE_RUN_SHIFT)
			w->bad = bad;
		x[4] |= (u64)pick(w, pick(w, 16) ? 16 : 4096) << STOCKADE_RUN_SHIFT;
		return true;
	case STOCKADE_HC_VCPU_SET_REG:
		x[2] = pick_index(w);
		x[3] = others ? 33 + random64(w) % 1000 : pick(w, 40);
		return true;
	case STOCKADE_HC_HOST_DONATE_GUEST:
		x[2] = others ? pick_bad_pfn(w) : pick_pfn(w);
		x[3] = pick_gfn(w);
		x[4] = pick(w, 4) ? 1 : pick_nr(w);
		if (!others && !pick(w, 16)) {
			x[2] = own_block_pfn();
			x[3] &= ~511ull;
			x[4] = 512;
			w->bad = false;
			if (!pick(w, 4)) { /* misaligned */
				x[2 + pick(w, 2)] += 1 + pick(w, 511);
				w->bad = true;
			}
		}
		return true;
	case STOCKADE_HC_VCPU_LOAD:
		x[2] = others ? 256 + pick(w, 100) : pick_index(w);
		return true;
	case STOCKADE_HC_VCPU_DESTROY:
		x[2] = pick_index(w);
		return !others;
	case STOCKADE_HC_VM_RECLAIM:
	case STOCKADE_HC_VM_RECLAIM_TABLE:
		return !others;
	case STOCKADE_HC_VM_TEARDOWN:
	case STOCKADE_HC_VM_DESTROY:
		/* A handle that gets free may be somebody else's at once. */
		return !others && !w->config->gentle;
	default:
		return true;
	}
}

static void adopt(u64 handle)
{
	unsigned int i;

	for (i = 0; i < NR_OWN_VMS; i++)
		if (!cmpxchg(&own_vm[i], 0, handle))
			return;
}

static void disown(u64 handle)
{
	unsigned int i;

	WRITE_ONCE(freed[(u32)atomic_inc_return(&nr_freed) % ARRAY_SIZE(freed)], handle);

	for (i = 0; i < NR_OWN_VMS; i++)
		cmpxchg(&own_vm[i], handle, 0);
}

static void one_call(struct worker *w)
{
	u64 x[6], was[6];
	unsigned int i;

	x[0] = pick_function(w);
	if (!pick_arguments(w, x))
		return;
	/* Some of what is made is then used, rather than lost. */
	if (x[0] == STOCKADE_HC_VM_DESTROY)
		disown(x[1]);
	memcpy(was, x, sizeof(x));
	w->changed += attack_call(x) + (x[4] != was[4]) + (x[5] != was[5]);
	w->calls++;
	if (was[0] >= STOCKADE_HC_BASE && was[0] < STOCKADE_HC_END)
		w->by_function[was[0] - STOCKADE_HC_BASE]++;
	for (i = 0; i < ARRAY_SIZE(known) && (u64)known[i] != x[0]; i++)
		;
	if (i < ARRAY_SIZE(known))
		w->by_status[i]++;
	if (i == ARRAY_SIZE(known) || (w->bad && !x[0]) ||
	    (x[0] == (u64)STOCKADE_ENOSYS) !=
		    (was[0] < STOCKADE_HC_BASE || was[0] >= STOCKADE_HC_END)) {
		w->odd++;
		w->last_odd[0] = was[0];
		w->last_odd[1] = was[1];
		w->last_odd[2] = x[0];
	}
	if (was[0] == STOCKADE_HC_VM_DESTROY) {
		if (!x[0])
			w->destroyed++;
		else if (x[0] != (u64)STOCKADE_ENOENT && was[1] && !is_others(w, was[1]))
			adopt(was[1]);
	}
	if (was[0] == STOCKADE_HC_VM_CREATE && !x[0]) {
		w->created++;
		adopt(x[1]);
	}
	if (x[0] == (u64)STOCKADE_ENOMEM && x[2] == STOCKADE_POOL_HYP && !pick(w, 4))
		raw_topup(STOCKADE_POOL_HYP, 0);
}

/* A proper VM takes the place of another. */
static void come_and_go(struct worker *w)
{
	u64 handle = pick_own_handle(w);
	struct raw_vm vm;

	if (handle && raw_destroy(handle)) {
		disown(handle);
		w->destroyed++;
	}
	vm.handle = 0;
	raw_create(&vm, &w->rnd);
	if (vm.handle) {
		adopt(vm.handle);
		w->created++;
	}
}

static int worker_thread(void *data)
{
	struct worker *w = data;
	u64 left = w->config->count;

	while (left) {
		unsigned int i, batch = min_t(u64, left, NR_BATCH);

		/* A vCPU that gets bound stays so to the end of the batch, and no longer. */
		preempt_disable();
		for (i = 0; i < batch; i++)
			one_call(w);
		raw_call(STOCKADE_HC_VCPU_PUT, 0, 0, 0, 0, NULL);
		preempt_enable();
		left -= batch;

		raw_run(pick_own_handle(w), pick(w, 3), own_pfn(&w->rnd), 2, &w->rnd, &w->runs);
		if (!w->config->gentle && !pick(w, 8))
			come_and_go(w);
		cond_resched();
	}
	complete(&w->done);
	return 0;
}

struct checks {
	u64 next; /* due when there were so many calls */
	u64 nr;
	struct broken broken;
	bool stopped; /* the last one */
};

/* By turns while the calls go on and between two of them, wherever that is. */
static void check_now_and_then(const struct calls_config *config, struct checks *checks)
{
	int err;

	if (!config->check || attack_calls() < checks->next || checks->broken.what)
		return;
	checks->stopped = !checks->stopped;
	err = checks->stopped ? check_stopped(&checks->broken) : check_beside(&checks->broken);
	checks->nr += !err;
	/* Those that were missed are not made up for. */
	checks->next = attack_calls() + config->check;
}

int random_calls(const struct calls_config *config, struct seq_buf *out)
{
	struct worker *workers = kvcalloc(nr_cpu_ids, sizeof(*workers), GFP_KERNEL);
	struct worker sum = { .config = config };
	struct checks checks = { .next = attack_calls() + config->check };
	unsigned int cpu, i, left = 0, never = 0, mark = take_mark();

	if (!workers)
		return -ENOMEM;
	if (config->gentle) {
		struct raw_vm vm;

		for (i = 0; i < 3; i++)
			if (raw_create(&vm, NULL))
				adopt(vm.handle);
	}
	/* CPUs may come and go: then workers move, and the calls of one come from two places. */
	cpus_read_lock();
	for_each_online_cpu(cpu) {
		struct worker *w = &workers[cpu];

		w->config = config;
		init_completion(&w->done);
		prandom_seed_state(&w->rnd, config->seed + cpu);
		w->task = kthread_create_on_cpu(worker_thread, w, cpu, "attack/%u");
		if (IS_ERR(w->task))
			w->task = NULL;
	}
	cpus_read_unlock();
	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		if (workers[cpu].task)
			wake_up_process(workers[cpu].task);
	for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
		struct worker *w = &workers[cpu];

		if (!w->task)
			continue;
		while (!wait_for_completion_timeout(&w->done, 1))
			check_now_and_then(config, &checks);
		sum.calls += w->calls;
		sum.odd += w->odd + w->runs.odd;
		sum.changed += w->changed;
		sum.created += w->created;
		sum.destroyed += w->destroyed;
		sum.runs.runs += w->runs.runs;
		for (i = 0; i < ARRAY_SIZE(known); i++)
			sum.by_status[i] += w->by_status[i];
		for (i = 0; i < NR_CALLS; i++)
			sum.by_function[i] += w->by_function[i];
		if (w->odd)
			memcpy(sum.last_odd, w->last_odd, sizeof(sum.last_odd));
	}

	for (i = 0; i < STOCKADE_MAX_VMS; i++) {
		u64 handle = HANDLE_BASE + i;

		if (is_others(&sum, handle) || !vm_exists(handle))
			continue;
		if (!raw_destroy(handle))
			left++;
		disown(handle);
	}
	if (!left)
		take_back(mark);
	seq_buf_printf(out, "calls %llu\nodd %llu\nchanged %llu\nruns %llu\ncreated %llu\n",
		       sum.calls, sum.odd, sum.changed, sum.runs.runs, sum.created);
	for (i = 0; i < NR_CALLS; i++)
		never += !sum.by_function[i];
	seq_buf_printf(out, "destroyed %llu\nleft %u\nlost %lu\n", sum.destroyed, left, own_lost());
	seq_buf_printf(out, "never %u\nchecks %llu\nbroken %llu\nbroken_at 0x%llx\n", never,
		       checks.nr, checks.broken.what, checks.broken.pfn);
	for (i = 0; i < ARRAY_SIZE(known); i++)
		seq_buf_printf(out, "status%lld %llu\n", known[i], sum.by_status[i]);
	if (sum.odd)
		seq_buf_printf(out, "odd_function %llx\nodd_x1 %llx\nodd_status %lld\n",
			       sum.last_odd[0], sum.last_odd[1], (s64)sum.last_odd[2]);
	kvfree(workers);
	return 0;
}
