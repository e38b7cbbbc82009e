// SPDX-License-Identifier: GPL-2.0-only
/* Two CPUs that ask for things at the same moment of which the hypervisor must grant one. */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include <stockade/hostcall.h>
#include <stockade/vcpu_run.h>

#include "attack.h"
#include "compat.h"

#define IPA_BITS     39 /* its root is one page */
#define LOADS	     200
#define TEARDOWNS    20
#define ATTEMPTS     200
#define RACE_ORDER   9
#define GUEST_GFN    0x50000
#define MAX_VCPUS    200
#define FIRST_HANDLE 0x1000
#define CREATE_WORD  (IPA_BITS | STOCKADE_VM_PROTECTED << 8)

struct duo {
	void (*part)(struct duo *duo, unsigned int who);
	struct completion done[2];
	unsigned int met[2];
	atomic_t arrived;
	struct raw_vm vm[2];
	struct rnd_state rnd;
	s64 status[2];

	/* What came of it. */
	u64 rounds, none, both, odd, runs, dead;
	bool stop;
};

struct member {
	struct duo *duo;
	unsigned int who;
};

/* Neither goes on before both are here. */
static void meet(struct duo *duo, unsigned int who)
{
	unsigned int want = 2 * ++duo->met[who];

	atomic_inc(&duo->arrived);
	while ((unsigned int)atomic_read(&duo->arrived) < want) {
		cpu_relax();
		if (!in_atomic() && !irqs_disabled())
			cond_resched();
	}
}

static int member_thread(void *data)
{
	struct member *member = data;

	member->duo->part(member->duo, member->who);
	complete(&member->duo->done[member->who]);
	return 0;
}

/* Runs both parts, each on a CPU of its own. */
static int run_duo(struct duo *duo, void (*part)(struct duo *duo, unsigned int who))
{
	struct member member[2] = { { duo, 0 }, { duo, 1 } };
	struct task_struct *task[2];
	unsigned int cpu = -1, i;

	duo->part = part;
	for (i = 0; i < 2; i++) {
		init_completion(&duo->done[i]);
		cpu = cpumask_next(cpu, cpu_online_mask);
		task[i] = cpu < nr_cpu_ids ? kthread_create_on_cpu(member_thread, &member[i], cpu,
								   "attack/%u") :
					     ERR_PTR(-ENODEV);
		if (IS_ERR(task[i])) {
			if (i)
				kthread_stop(task[0]);
			return PTR_ERR(task[i]);
		}
	}
	for (i = 0; i < 2; i++)
		wake_up_process(task[i]);
	for (i = 0; i < 2; i++)
		wait_for_completion(&duo->done[i]);
	return 0;
}

/* With FP registers saved and preemption off: one entry of the vCPU that is bound here. */
static void enter(struct duo *duo, u64 run_pfn)
{
	struct stockade_run *run = pfn_to_kaddr(run_pfn);
	u64 x[6] = { STOCKADE_HC_VCPU_RUN };
	unsigned long flags;

	local_irq_save(flags);
	attack_call(x);
	local_irq_restore(flags);
	WRITE_ONCE(duo->runs, duo->runs + !x[0]);
	duo->odd += !!x[0];
	duo->dead += !x[0] && x[1] == STOCKADE_EXIT_DEAD;
	if (x[1] == STOCKADE_EXIT_ABORT)
		WRITE_ONCE(run->entry_flags, READ_ONCE(run->abort_flags) & STOCKADE_ABORT_SYNDROME ?
						     STOCKADE_ENTRY_MMIO :
						     STOCKADE_ENTRY_SEA);
}

static s64 call(u64 id, u64 a1, u64 a2, u64 a3, u64 a4)
{
	return raw_call(id, a1, a2, a3, a4, NULL);
}

/* --- one vCPU for two CPUs --- */

static void load_part(struct duo *duo, unsigned int who)
{
	struct user_fpsimd_state fp;
	unsigned int i;

	for (i = 0; i < LOADS; i++) {
		meet(duo, who);
		stockade_fp_begin(&fp);
		preempt_disable();
		duo->status[who] = call(STOCKADE_HC_VCPU_LOAD, duo->vm[0].handle, 0, 0, 0);
		meet(duo, who);
		if (!duo->status[who]) {
			enter(duo, duo->vm[0].run[0]);
			call(STOCKADE_HC_VCPU_PUT, 0, 0, 0, 0);
		}
		preempt_enable();
		stockade_fp_end(&fp);
		if (!who) {
			s64 a = duo->status[0], b = duo->status[1];

			duo->rounds++;
			duo->both += !a && !b;
			duo->none += a && b;
			duo->odd += (a && a != STOCKADE_EBUSY) || (b && b != STOCKADE_EBUSY);
		}
	}
	meet(duo, who);
}

static void print_duo(const struct duo *duo, struct seq_buf *out)
{
	seq_buf_printf(out, "rounds %llu\nboth %llu\nnone %llu\nodd %llu\nruns %llu\ndead %llu\n",
		       duo->rounds, duo->both, duo->none, duo->odd, duo->runs, duo->dead);
}

int race_loads(struct seq_buf *out)
{
	struct duo duo = { 0 };
	int err;

	if (!raw_create(&duo.vm[0], NULL))
		return -EIO;
	err = run_duo(&duo, load_part);
	print_duo(&duo, out);
	seq_buf_printf(out, "destroyed %d\n", raw_destroy(duo.vm[0].handle));
	return err;
}

/* --- a VM that is ended while it runs --- */

/* Up to the first that is not refused: who goes on from there harms itself. */
static void attempts(struct duo *duo)
{
	u64 handle = duo->vm[0].handle, page = duo->vm[1].vm, run = duo->vm[1].run[0];
	const struct {
		u64 id, a2, a3, a4;
		s64 status;
	} calls[] = {
		{ STOCKADE_HC_VM_TEARDOWN, 0, 0, 0, STOCKADE_EBUSY },
		{ STOCKADE_HC_VM_RECLAIM, 0, 0, 0, STOCKADE_EINVAL },
		{ STOCKADE_HC_VM_RECLAIM_TABLE, 0, 0, 0, STOCKADE_EINVAL },
		{ STOCKADE_HC_VCPU_DESTROY, RAW_VCPUS - 1, 0, 0, STOCKADE_EINVAL },
		{ STOCKADE_HC_VCPU_DESTROY, 0, 0, 0, STOCKADE_EINVAL },
		{ STOCKADE_HC_VM_DESTROY, 0, 0, 0, STOCKADE_EINVAL },
		{ STOCKADE_HC_VCPU_LOAD, 0, 0, 0, STOCKADE_EBUSY },
		{ STOCKADE_HC_VCPU_CREATE, RAW_VCPUS, page, run, STOCKADE_EBUSY },
		{ STOCKADE_HC_VCPU_SET_REG, 0, STOCKADE_REG_PC, 0, STOCKADE_EPERM },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		s64 status = call(calls[i].id, handle, calls[i].a2, calls[i].a3, calls[i].a4);

		if (status == calls[i].status)
			continue;
		duo->odd++;
		duo->status[0] = calls[i].id - STOCKADE_HC_BASE;
		duo->status[1] = status;
		call(STOCKADE_HC_VCPU_PUT, 0, 0, 0, 0);
		return;
	}
}

static void wait_for_runs(struct duo *duo, u64 nr)
{
	u64 enough = READ_ONCE(duo->runs) + nr;

	while (READ_ONCE(duo->runs) < enough)
		cond_resched();
}

static void running_part(struct duo *duo, unsigned int who)
{
	struct user_fpsimd_state fp;
	s64 err;

	if (who) {
		meet(duo, who);
		wait_for_runs(duo, 10);
		for (duo->rounds = 0; duo->rounds < ATTEMPTS && !duo->odd; duo->rounds++)
			attempts(duo);
		wait_for_runs(duo, 10);
		WRITE_ONCE(duo->stop, true);
		return;
	}
	stockade_fp_begin(&fp);
	preempt_disable();
	err = call(STOCKADE_HC_VCPU_LOAD, duo->vm[0].handle, 0, 0, 0);
	meet(duo, who);
	while (!err && !READ_ONCE(duo->stop))
		enter(duo, duo->vm[0].run[0]);
	call(STOCKADE_HC_VCPU_PUT, 0, 0, 0, 0);
	preempt_enable();
	stockade_fp_end(&fp);
	duo->none += !!err;
}

int teardown_while_running(struct seq_buf *out)
{
	struct duo duo = { 0 };
	int err;

	duo.vm[1].vm = take_pfn(0);
	duo.vm[1].run[0] = take_pfn(0);
	if (!duo.vm[1].run[0] || !raw_create(&duo.vm[0], NULL))
		return -EIO;
	err = run_duo(&duo, running_part);
	print_duo(&duo, out);
	if (duo.odd)
		seq_buf_printf(out, "odd_function %lld\nodd_status %lld\n", duo.status[0],
			       duo.status[1]);
	seq_buf_printf(out, "destroyed %d\n", raw_destroy(duo.vm[0].handle));
	return err;
}

/* --- a VM that is ended when it begins to run --- */

static void ending_part(struct duo *duo, unsigned int who)
{
	u64 handle = duo->vm[0].handle;
	struct user_fpsimd_state fp;

	stockade_fp_begin(&fp);
	preempt_disable();
	meet(duo, who);
	duo->status[who] =
		call(who ? STOCKADE_HC_VM_TEARDOWN : STOCKADE_HC_VCPU_LOAD, handle, 0, 0, 0);
	meet(duo, who);
	if (!who && !duo->status[0]) {
		enter(duo, duo->vm[0].run[0]);
		call(STOCKADE_HC_VCPU_PUT, 0, 0, 0, 0);
	}
	preempt_enable();
	stockade_fp_end(&fp);
}

int race_teardown(struct seq_buf *out)
{
	struct duo duo = { 0 };
	u64 loaded = 0;
	int err = 0;

	while (!err && duo.rounds < TEARDOWNS) {
		unsigned int mark = take_mark();
		s64 load, teardown;

		if (!raw_create(&duo.vm[0], NULL))
			return -EIO;
		/* It says what the VM before it was answered. */
		clear_page(pfn_to_kaddr(duo.vm[0].run[0]));
		duo.met[0] = duo.met[1] = 0;
		atomic_set(&duo.arrived, 0);
		err = run_duo(&duo, ending_part);
		load = duo.status[0];
		teardown = duo.status[1];
		duo.rounds++;
		loaded += !load;
		duo.both += !load && !teardown;
		duo.none += load && teardown;
		duo.odd += (load && load != STOCKADE_ENOENT) ||
			   (teardown && teardown != STOCKADE_EBUSY);
		if (!raw_destroy(duo.vm[0].handle))
			return -EIO;
		/* All its pages are back. */
		take_back(mark);
	}
	print_duo(&duo, out);
	seq_buf_printf(out, "loaded %llu\n", loaded);
	return err;
}

/* --- one page for two --- */

enum use {
	USE_DONATE,
	USE_VCPU,
	USE_TOPUP,
	USE_VM,
	USE_ROOT,
	USE_RUN,
	NR_USES,
};

static struct {
	u64 base; /* pages to be fought for */
	u64 other[2][1 << RACE_ORDER], vm[2];
	unsigned int nr_vcpus[2];
	u64 won[2][NR_USES];
} field;

/* Uses the page; what can be undone at once is. */
static s64 use_page(struct duo *duo, unsigned int who, enum use use, u64 pfn, unsigned int round)
{
	u64 handle = duo->vm[who].handle, other = field.other[who][round], made = 0;
	s64 err;

	switch (use) {
	case USE_DONATE:
		return call(STOCKADE_HC_HOST_DONATE_GUEST, handle, pfn, GUEST_GFN + round, 1);
	case USE_VCPU:
	case USE_RUN:
		err = call(STOCKADE_HC_VCPU_CREATE, handle, field.nr_vcpus[who],
			   use == USE_VCPU ? pfn : other,
			   use == USE_VCPU ? duo->vm[who].run[0] : pfn);
		field.nr_vcpus[who] += !err;
		return err;
	case USE_TOPUP:
		return call(STOCKADE_HC_VM_TOPUP, handle, pfn, 1, 0);
	default:
		err = raw_call(STOCKADE_HC_VM_CREATE, use == USE_VM ? pfn : other,
			       use == USE_VM ? other : pfn, CREATE_WORD, 0, &made);
		field.vm[who] = err ? 0 : made;
		return err;
	}
}

static void donation_part(struct duo *duo, unsigned int who)
{
	static enum use use[2];
	unsigned int round;

	for (round = 0; round < 1 << RACE_ORDER; round++) {
		if (!who) {
			use[0] = prandom_u32_state(&duo->rnd) % NR_USES;
			/* Run pages may be shared by many: against one, not another. */
			use[1] = prandom_u32_state(&duo->rnd) % (NR_USES - (use[0] == USE_RUN));
		}
		meet(duo, who);
		duo->status[who] = field.nr_vcpus[who] < MAX_VCPUS || use[who] != USE_VCPU ?
					   use_page(duo, who, use[who], field.base + round, round) :
					   STOCKADE_EPERM;
		meet(duo, who);
		if (field.vm[who] && !raw_destroy(field.vm[who]))
			duo->odd++;
		field.vm[who] = 0;
		field.won[who][use[who]] += !duo->status[who];
		if (!who) {
			s64 a = duo->status[0], b = duo->status[1];

			duo->rounds++;
			duo->both += !a && !b;
			duo->none += a && b;
			duo->odd += (a && a != STOCKADE_EPERM) || (b && b != STOCKADE_EPERM);
		}
		meet(duo, who);
	}
}

static u64 alloc_frames(void)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_ZERO, RACE_ORDER);

	return page ? page_to_pfn(page) : 0;
}

static unsigned int unreadable(u64 pfn)
{
	unsigned int lost = 0, i;
	unsigned long word;

	for (i = 0; i < 1 << RACE_ORDER; i++)
		lost += !!copy_from_kernel_nofault(&word, pfn_to_kaddr(pfn + i), sizeof(word));
	return lost;
}

int race_donations(u32 seed, struct seq_buf *out)
{
	u64 frames[3] = { alloc_frames(), alloc_frames(), alloc_frames() };
	struct duo duo = { 0 };
	unsigned int i, lost = 0;
	bool destroyed;
	int err;

	if (!frames[0] || !frames[1] || !frames[2] || !raw_create(&duo.vm[0], NULL) ||
	    !raw_create(&duo.vm[1], NULL))
		return -EIO;
	memset(&field, 0, sizeof(field));
	field.base = frames[0];
	for (i = 0; i < 2 << RACE_ORDER; i++)
		field.other[i & 1][i >> 1] = frames[1 + (i & 1)] + (i >> 1);
	field.nr_vcpus[0] = field.nr_vcpus[1] = RAW_VCPUS;
	prandom_seed_state(&duo.rnd, seed);
	err = run_duo(&duo, donation_part);
	destroyed = raw_destroy(duo.vm[0].handle);
	destroyed &= raw_destroy(duo.vm[1].handle);
	print_duo(&duo, out);
	seq_buf_printf(out, "destroyed %d\n", destroyed);
	for (i = 0; i < 3; i++)
		lost += unreadable(frames[i]);
	for (i = 0; i < 3 && !lost; i++)
		__free_pages(pfn_to_page(frames[i]), RACE_ORDER);
	seq_buf_printf(out, "lost %u\n", lost);
	for (i = 0; i < 2; i++) {
		unsigned int u;

		seq_buf_printf(out, "CPU %u won by use:", i);
		for (u = 0; u < NR_USES; u++)
			seq_buf_printf(out, " %llu", field.won[i][u]);
		seq_buf_printf(out, "\n");
	}
	return err;
}

/* --- a guest's page for a VM's own --- */

int use_as_metadata(u64 pfn, struct seq_buf *out)
{
	u64 page = take_pfn(0), run = take_pfn(0);
	struct raw_vm vm;

	if (!run || !raw_create(&vm, NULL))
		return -EIO;
	seq_buf_printf(out, "as_vm %lld\n", call(STOCKADE_HC_VM_CREATE, pfn, page, CREATE_WORD, 0));
	seq_buf_printf(out, "as_root %lld\n",
		       call(STOCKADE_HC_VM_CREATE, page, pfn, CREATE_WORD, 0));
	seq_buf_printf(out, "as_vcpu %lld\n",
		       call(STOCKADE_HC_VCPU_CREATE, vm.handle, RAW_VCPUS, pfn, run));
	seq_buf_printf(out, "as_run_page %lld\n",
		       call(STOCKADE_HC_VCPU_CREATE, vm.handle, RAW_VCPUS, page, pfn));
	seq_buf_printf(out, "as_vm_pool %lld\n", call(STOCKADE_HC_VM_TOPUP, vm.handle, pfn, 1, 0));
	seq_buf_printf(out, "as_hyp_pool %lld\n", call(STOCKADE_HC_POOL_TOPUP, pfn, 1, 0, 0));
	seq_buf_printf(out, "as_guest_page %lld\n",
		       call(STOCKADE_HC_HOST_DONATE_GUEST, vm.handle, pfn, GUEST_GFN, 1));
	seq_buf_printf(out, "destroyed %d\n", raw_destroy(vm.handle));
	return 0;
}

/* --- a VM that is ended while somebody names it --- */

static struct task_struct *namer;

/* Calls that take a reference to the first VM for a moment, and are refused then. */
static int namer_thread(void *unused)
{
	unsigned int i;

	while (!kthread_should_stop()) {
		for (i = 0; i < 256; i++)
			call(STOCKADE_HC_HOST_DONATE_GUEST, FIRST_HANDLE, 0, GUEST_GFN, 512);
		cond_resched();
	}
	return 0;
}

int name_vm(bool start)
{
	if (start) {
		unsigned int cpu = cpumask_last(cpu_online_mask);
		struct task_struct *task =
			kthread_create_on_cpu(namer_thread, NULL, cpu, "attack/%u");

		if (IS_ERR(task))
			return PTR_ERR(task);
		namer = task;
		wake_up_process(task);
	} else if (namer) {
		kthread_stop(namer);
		namer = NULL;
	}
	return 0;
}
