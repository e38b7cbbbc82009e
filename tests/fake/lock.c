// SPDX-License-Identifier: GPL-2.0-only
#include <sched.h>
#include <string.h>
#include <time.h>

#include "arch/lock.h"
#include "fake.h"
#include "lib/panic.h"
#include "maint.h"

#define MAX_HELD 8
/* With threads: who waits so long waits for ever. */
#define PATIENCE_S 60

static const char *const class_names[] = {
#define CLASS_NAME(class) [LOCK_ID(class)] = #class,
	LOCK_CLASSES(CLASS_NAME)
};

/* By class, the classes that may not be held when one of it is taken: as lib/lock_order.h has them for Clang. */
static const struct {
	unsigned int nr;
	unsigned char class[NR_LOCK_CLASSES];
} not_under[] = {
#define CLASS_NOT_UNDER(class)                                           \
	[LOCK_ID(class)] = {                                             \
		sizeof((unsigned char[]){ NOT_UNDER_##class(LOCK_ID) }), \
		{ NOT_UNDER_##class(LOCK_ID) },                          \
	},
	LOCK_CLASSES(CLASS_NOT_UNDER)
};

static struct {
	struct spinlock *lock;
	unsigned int class;
} held[FAKE_MAX_CPUS][MAX_HELD];
static unsigned int nr_held[FAKE_MAX_CPUS];
static bool in_hook;

bool fake_lock_may(unsigned int class, unsigned int under)
{
	for (unsigned int i = 0; i < not_under[class].nr; i++)
		if (not_under[class].class[i] == under)
			return false;
	return true;
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

/* The fake's own use of the hypervisor: no hooks. */
static void call_quietly(void (*fn)(void))
{
	bool was = in_hook;

	in_hook = true;
	fn();
	in_hook = was;
}

/* Another CPU may go on; but not while the fake looks at all that there is. */
static void reschedule(void)
{
	if (fake.reschedule && !in_hook)
		fake.reschedule(NULL);
}

static void take(struct spinlock *lock, const char *name)
{
	unsigned int cpu = fake_cpu_index();
	struct timespec start = { 0 }, now;
	u32 holder = 0;

	if (fake.threads)
		clock_gettime(CLOCK_MONOTONIC, &start);
	while (!__atomic_compare_exchange_n(&lock->holder, &holder, cpu + 1, false,
					    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
		if (fake.reschedule) {
			fake.reschedule(lock);
			holder = 0;
			continue;
		}
		if (!fake.threads)
			fake_fail("CPU %u waits for %s, which CPU %u holds", cpu, name, holder - 1);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec - start.tv_sec > PATIENCE_S)
			fake_fail("CPU %u waits for ever for %s, which CPU %u holds", cpu, name,
				  holder - 1);
		holder = 0;
		sched_yield();
	}
}

void arch_spin_lock(struct spinlock *lock, unsigned int class, const char *name)
{
	unsigned int cpu = fake_cpu_index(), n = nr_held[cpu];

	call_hook(fake.before_lock, name);
	reschedule();
	for (unsigned int i = 0; i < n; i++) {
		if (held[cpu][i].lock == lock)
			fake_fail("CPU %u takes %s twice", cpu, name);
		if (!fake_lock_may(class, held[cpu][i].class))
			fake_fail("CPU %u takes %s out of order: under one of class %s", cpu, name,
				  class_names[held[cpu][i].class]);
	}
	if (n == MAX_HELD)
		fake_fail("CPU %u holds too many locks", cpu);
	take(lock, name);
	maint_lock(n);
	held[cpu][n].lock = lock;
	held[cpu][n].class = class;
	nr_held[cpu]++;
}

void arch_spin_unlock(struct spinlock *lock, unsigned int class, const char *name)
{
	unsigned int cpu = fake_cpu_index(), n = nr_held[cpu];

	if (!n || held[cpu][n - 1].lock != lock)
		fake_fail("CPU %u gives back %s, which is not the last it took", cpu, name);
	if (__atomic_load_n(&lock->holder, __ATOMIC_RELAXED) != cpu + 1)
		fake_fail("%s was overwritten while CPU %u held it", name, cpu);
	maint_unlock(lock);
	nr_held[cpu]--;
	fake_record(FAKE_UNLOCK, (u64)name, 0);
	__atomic_store_n(&lock->holder, 0, __ATOMIC_RELEASE);
	if (class == LOCK_table && !fake.threads)
		call_quietly(maint_after_unlock);
	call_hook(fake.after_unlock, name);
	reschedule();
}

void fake_page_work(void)
{
	unsigned int cpu = fake_cpu_index();

	/* Whoever panicked may hold anything. */
	for (unsigned int i = 0; i < nr_held[cpu] && !hyp_panicked; i++)
		if (!fake_lock_may(LOCK_mem, held[cpu][i].class))
			fake_fail("CPU %u zeroes or cleans a page under a lock of class %s", cpu,
				  class_names[held[cpu][i].class]);
}

unsigned int fake_locks_held(void)
{
	return nr_held[fake_cpu_index()];
}

void fake_lock_reset(void)
{
	memset(nr_held, 0, sizeof(nr_held));
	in_hook = false;
}

void fake_lock_check_cpu(void)
{
	unsigned int cpu = fake_cpu_index();

	if (nr_held[cpu] && !in_hook)
		fake_fail("CPU %u still holds a lock of class %s", cpu,
			  class_names[held[cpu][nr_held[cpu] - 1].class]);
}

void fake_lock_check(void)
{
	unsigned int cpu = fake_cpu_index();

	for (unsigned int i = 0; i < FAKE_MAX_CPUS; i++) {
		fake_cpu(i);
		fake_lock_check_cpu();
	}
	fake_cpu(cpu);
}
