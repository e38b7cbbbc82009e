/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Spin locks. EL2 runs with interrupts masked, so that a holder is never interrupted. Which locks there are, and
 * in which order they are taken, is in lib/lock_order.h.
 */
#ifndef HYP_ARCH_LOCK_H
#define HYP_ARCH_LOCK_H

#include "lib/types.h"

struct spinlock {
	u32 next;
	u32 owner;
};

/* Another CPU has the lock. If the hypervisor has panicked it may never give it back: does not return then. */
void spin_wait(void);

/* A ticket lock: CPUs get it in the order in which they asked. */
static inline void ticket_lock(struct spinlock *lock)
{
	u32 ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

	while (__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != ticket)
		spin_wait();
}

static inline void ticket_unlock(struct spinlock *lock)
{
	__atomic_store_n(&lock->owner, lock->owner + 1, __ATOMIC_RELEASE);
}

/* Only the build machine's locks want to know what they are. */
#define arch_spin_lock(lock, class, name)   ((void)(name), ticket_lock(lock))
#define arch_spin_unlock(lock, class, name) ((void)(name), ticket_unlock(lock))

#include "lib/lock_order.h"

#endif
