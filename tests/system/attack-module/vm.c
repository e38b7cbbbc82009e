// SPDX-License-Identifier: GPL-2.0-only
/* VMs of raw hostcalls, and run pages full of nonsense. */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/uaccess.h>

#include <stockade/hostcall.h>
#include <stockade/vcpu_run.h>

#include "attack.h"
#include "compat.h"

#define IPA_BITS  40
#define CODE_GFN  0x40080
#define MAX_TOPUP 64
#define MAX_TRIES 1000

s64 raw_topup(u64 pool, u64 handle)
{
	u64 x[6] = { STOCKADE_HC_VM_TOPUP, handle, 0, 1 };

	if (pool == STOCKADE_POOL_HYP) {
		x[0] = STOCKADE_HC_POOL_TOPUP;
		x[1] = own_pool_pfn();
		x[2] = 16;
	} else {
		x[2] = own_next_pfn();
	}
	attack_call(x);
	return (s64)x[0];
}

s64 raw_call(u64 id, u64 a1, u64 a2, u64 a3, u64 a4, u64 *x1)
{
	unsigned int i;

	for (i = 0;; i++) {
		u64 x[6] = { id, a1, a2, a3, a4 };

		attack_call(x);
		if (x1)
			*x1 = x[1];
		if ((s64)x[0] != STOCKADE_ENOMEM || i == MAX_TOPUP)
			return (s64)x[0];
		raw_topup(x[2], a1);
	}
}

static s64 set_reg(const struct raw_vm *vm, u32 vcpu, u64 reg, u64 value)
{
	return raw_call(STOCKADE_HC_VCPU_SET_REG, vm->handle, vcpu, reg, value, NULL);
}

/* With rnd: any page of ours, which may be in use. */
static u64 some_pfn(struct rnd_state *rnd, unsigned int order)
{
	return rnd ? own_pfn(rnd) & ~((1ull << order) - 1) : take_pfn(order);
}

bool raw_create_bare(struct raw_vm *vm, struct rnd_state *rnd)
{
	s64 err;
	u32 i;

	vm->vm = some_pfn(rnd, 0);
	vm->root = some_pfn(rnd, 1);
	if (!vm->vm || !vm->root)
		return false;
	err = raw_call(STOCKADE_HC_VM_CREATE, vm->vm, vm->root,
		       IPA_BITS | STOCKADE_VM_PROTECTED << 8, 0, &vm->handle);
	if (err)
		return false;
	for (i = 0; !err && i < RAW_VCPUS; i++) {
		vm->vcpu[i] = some_pfn(rnd, 0);
		vm->run[i] = some_pfn(rnd, 0);
		if (!vm->vcpu[i] || !vm->run[i])
			return false;
		err = raw_call(STOCKADE_HC_VCPU_CREATE, vm->handle, i, vm->vcpu[i], vm->run[i],
			       NULL);
		if (!err)
			err = set_reg(vm, i, STOCKADE_REG_PC, (u64)CODE_GFN << PAGE_SHIFT);
		if (!err && i)
			err = set_reg(vm, i, STOCKADE_REG_POWER_OFF, 1);
	}
	return !err;
}

bool raw_create(struct raw_vm *vm, struct rnd_state *rnd)
{
	vm->code = some_pfn(rnd, 0);
	if (!vm->code || !raw_create_bare(vm, rnd))
		return false;
	write_nofault(pfn_to_kaddr(vm->code), attack_guest, attack_guest_end - attack_guest);
	return !raw_call(STOCKADE_HC_HOST_DONATE_GUEST, vm->handle, vm->code, CODE_GFN, 1, NULL);
}

bool raw_destroy(u64 handle)
{
	unsigned int tries = 0;
	u64 more = 1;
	s64 err = raw_call(STOCKADE_HC_VM_TEARDOWN, handle, 0, 0, 0, NULL);
	u32 i;

	while (!err && more) {
		err = raw_call(STOCKADE_HC_VM_RECLAIM, handle, 0, 0, 0, &more);
		cond_resched();
	}
	while (!err)
		err = raw_call(STOCKADE_HC_VM_RECLAIM_TABLE, handle, 0, 0, 0, NULL);
	if (err != STOCKADE_ENOENT)
		return false;
	for (i = STOCKADE_MAX_VCPUS; i-- > 0;)
		raw_call(STOCKADE_HC_VCPU_DESTROY, handle, i, 0, 0, NULL);
	/* Another CPU may be using the handle at this moment. */
	do {
		err = raw_call(STOCKADE_HC_VM_DESTROY, handle, 0, 0, 0, NULL);
		cond_resched();
	} while (err == STOCKADE_EBUSY && ++tries < MAX_TRIES);
	return !err;
}

static u64 random64(struct rnd_state *rnd)
{
	return (u64)prandom_u32_state(rnd) << 32 | prandom_u32_state(rnd);
}

void scribble(u64 run_pfn, struct rnd_state *rnd)
{
	struct stockade_run now = { 0 }, run;
	u32 how = prandom_u32_state(rnd), i;

	/* The page may be anybody's by now: no access that can't fail. */
	copy_from_kernel_nofault(&now, pfn_to_kaddr(run_pfn), sizeof(now));
	prandom_bytes_state(rnd, &run, sizeof(run));
	if (how & 3) { /* nearly sensible */
		run.entry_flags = how >> 2 & 0xf & (how >> 6);
		run.nr_lrs %= 20;
		for (i = 0; i < STOCKADE_RUN_MAX_LRS; i++)
			run.lr[i] &= random64(rnd) | 3ull << 62 | 0x3ff;
	}
	if ((how & 3) == 1) { /* what a host would do */
		run.nr_lrs = 0;
		run.entry_flags = 0;
		if (now.exit_reason == STOCKADE_EXIT_ABORT)
			run.entry_flags = now.abort_flags & STOCKADE_ABORT_SYNDROME ?
						  STOCKADE_ENTRY_MMIO :
						  STOCKADE_ENTRY_SEA;
	}
	write_nofault(pfn_to_kaddr(run_pfn), &run, sizeof(run));
}

void raw_run(u64 handle, u32 vcpu, u64 run_pfn, unsigned int times, struct rnd_state *rnd,
	     struct run_stats *stats)
{
	struct user_fpsimd_state fp;
	unsigned long flags;

	/*
	 * What FP registers the guest leaves behind are not ours to lose. And no preemption, which newer kernels
	 * allow there: the vCPU would stay bound to a CPU that this thread has left, for good.
	 */
	stockade_fp_begin(&fp);
	preempt_disable();
	if (!raw_call(STOCKADE_HC_VCPU_LOAD, handle, vcpu, 0, 0, NULL)) {
		while (times--) {
			u64 x[6] = { STOCKADE_HC_VCPU_RUN };

			if (run_pfn)
				scribble(run_pfn, rnd);
			local_irq_save(flags);
			stats->odd += attack_call(x);
			local_irq_restore(flags);
			stats->runs++;
			if (!x[0] && x[1] < ARRAY_SIZE(stats->exits))
				stats->exits[x[1]]++;
			else if (x[0] == STOCKADE_EINVAL || x[0] == STOCKADE_EBUSY)
				stats->refused++;
			else
				stats->odd++;
			x[0] = STOCKADE_HC_VCPU_MMIO_VALUE;
			stats->odd += attack_call(x);
			stats->odd += x[0] && x[0] != STOCKADE_EINVAL;
		}
		raw_call(STOCKADE_HC_VCPU_PUT, 0, 0, 0, 0, NULL);
	}
	preempt_enable();
	stockade_fp_end(&fp);
}

struct scribbler {
	const struct raw_vm *vm;
	u32 seed;
};

static int scribble_thread(void *data)
{
	const struct scribbler *s = data;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, s->seed ^ 0xffff);
	while (!kthread_should_stop()) {
		scribble(s->vm->run[prandom_u32_state(&rnd) % RAW_VCPUS], &rnd);
		cond_resched();
	}
	return 0;
}

int run_pages(u32 seed, u32 count, struct seq_buf *out)
{
	struct run_stats stats = { 0 };
	struct scribbler s = { .seed = seed };
	struct task_struct *other;
	struct rnd_state rnd;
	struct raw_vm vm;
	u32 i;

	if (!raw_create(&vm, NULL))
		return -EIO;
	s.vm = &vm;
	other = kthread_run(scribble_thread, &s, "attack-scribble");
	if (IS_ERR(other))
		return PTR_ERR(other);
	prandom_seed_state(&rnd, seed);
	for (i = 0; i < count; i++) {
		u32 vcpu = prandom_u32_state(&rnd) % RAW_VCPUS;

		raw_run(vm.handle, vcpu, vm.run[vcpu], 8, &rnd, &stats);
		cond_resched();
	}
	kthread_stop(other);
	seq_buf_printf(out, "destroyed %d\nruns %llu\nrefused %llu\nodd %llu\n",
		       raw_destroy(vm.handle), stats.runs, stats.refused, stats.odd);
	for (i = 0; i < ARRAY_SIZE(stats.exits); i++)
		if (stats.exits[i])
			seq_buf_printf(out, "exit%u %llu\n", i, stats.exits[i]);
	return 0;
}
