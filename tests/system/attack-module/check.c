// SPDX-License-Identifier: GPL-2.0-only
/* Has the hypervisor check its own invariants. */
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/stop_machine.h>

#include <stockade/debugcall.h>

#include "attack.h"

/* A chunk of pages takes some milliseconds. */
#define CHUNK 4096

static DEFINE_PER_CPU(u64, nr_calls);

unsigned long attack_call_uncounted(u64 x[6]);

unsigned long attack_call(u64 x[6])
{
	this_cpu_inc(nr_calls);
	return attack_call_uncounted(x);
}

u64 attack_calls(void)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(nr_calls, cpu));
	return sum;
}

/* Not one of those that are counted: it is no attack. */
static int debug_call(u64 x[6], struct broken *broken)
{
	attack_call_uncounted(x);
	if (x[0])
		return x[0] == (u64)STOCKADE_ENOSYS ? -ENOSYS : -EIO;
	broken->what = x[1];
	broken->pfn = x[2];
	return 0;
}

static int check(struct broken *broken, bool stopped)
{
	u64 next = 0;
	int err;

	err = debug_call((u64[6]){ STOCKADE_DC_CHECK_TABLES, stopped }, broken);
	while (!err && !broken->what) {
		u64 x[6] = { STOCKADE_DC_CHECK_PAGES, next, CHUNK };

		err = debug_call(x, broken);
		next = x[3];
		if (!next)
			break;
		if (!stopped)
			cond_resched();
	}
	return err;
}

static int check_now(void *broken)
{
	return check(broken, true);
}

int check_stopped(struct broken *broken)
{
	return stop_machine(check_now, broken, NULL);
}

int check_beside(struct broken *broken)
{
	return check(broken, false);
}
