// SPDX-License-Identifier: GPL-2.0-only
#include <sched.h>
#include <string.h>

#include "arch/lock.h"
#include "fake.h"

/*
 * The order of hyp/arch/lock.h. Who holds a lock may take those of higher rank; "alone" ones are taken
 * with none held, and none but the log's is taken under them.
 */
enum {
	RANK_VM = 1,
	RANK_GUEST_MEM,
	RANK_MEM,
	RANK_ALONE,
	RANK_LOG,
};

static const struct {
	const char *name;
	int rank;
} ranks[] = {
	{ "&vm->lock", RANK_VM },
	{ "&vcpu->vm->lock", RANK_VM },
	{ "&vm->mem.lock", RANK_GUEST_MEM },
	{ "&mem->lock", RANK_GUEST_MEM },
	{ "&mem_lock", RANK_MEM },
	{ "&ffa_lock", RANK_GUEST_MEM },
	{ "&table_lock", RANK_ALONE },
	{ "&psci_lock", RANK_ALONE },
	{ "&lock", RANK_ALONE }, /* of host/smc.c */
	{ "&log_lock", RANK_LOG },
};

#define MAX_HELD 8

static struct {
	struct spinlock *lock;
	int rank;
} held[FAKE_MAX_CPUS][MAX_HELD];
static unsigned int nr_held[FAKE_MAX_CPUS];
static bool in_hook;

static int rank_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(ranks); i++)
		if (!strcmp(ranks[i].name, name))
			return ranks[i].rank;
	fake_fail("lock %s has no rank: give it one in tests/fake/lock.c", name);
}

static void call_hook(void (*hook)(const char *name), const char *name)
{
	unsigned int cpu = fake_cpu_index();

	if (!hook || in_hook)
		return;
	in_hook = true;
	hook(name);
	in_hook = false;
	fake_cpu(cpu);
}

void fake_spin_lock(struct spinlock *lock, const char *name)
{
	unsigned int cpu = fake_cpu_index(), n = nr_held[cpu];
	int rank = rank_of(name);
	u32 free = 0;

	call_hook(fake.before_lock, name);
	for (unsigned int i = 0; i < n; i++) {
		if (held[cpu][i].lock == lock)
			fake_fail("CPU %u takes %s twice", cpu, name);
		if (held[cpu][i].rank >= rank || (rank == RANK_ALONE))
			fake_fail("CPU %u takes %s out of order", cpu, name);
	}
	if (n == MAX_HELD)
		fake_fail("CPU %u holds too many locks", cpu);
	while (!__atomic_compare_exchange_n(&lock->holder, &free, cpu + 1, false, __ATOMIC_ACQUIRE,
					    __ATOMIC_RELAXED)) {
		if (!fake.threads)
			fake_fail("CPU %u waits for %s, which CPU %u holds", cpu, name, free - 1);
		free = 0;
		sched_yield();
	}
	held[cpu][n].lock = lock;
	held[cpu][n].rank = rank;
	nr_held[cpu]++;
}

void fake_spin_unlock(struct spinlock *lock, const char *name)
{
	unsigned int cpu = fake_cpu_index(), n = nr_held[cpu];

	if (!n || held[cpu][n - 1].lock != lock)
		fake_fail("CPU %u gives back %s, which is not the last it took", cpu, name);
	nr_held[cpu]--;
	fake_record(FAKE_UNLOCK, (u64)name, 0);
	__atomic_store_n(&lock->holder, 0, __ATOMIC_RELEASE);
	call_hook(fake.after_unlock, name);
}

void fake_lock_reset(void)
{
	memset(nr_held, 0, sizeof(nr_held));
	in_hook = false;
}

void fake_lock_check(void)
{
	for (unsigned int cpu = 0; cpu < FAKE_MAX_CPUS; cpu++)
		if (nr_held[cpu] && !in_hook)
			fake_fail("CPU %u still holds a lock", cpu);
}
