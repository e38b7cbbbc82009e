/* SPDX-License-Identifier: GPL-2.0-only */
/* Locks of a machine with one CPU: one that is taken twice, or out of order, or not held when it is let go, fails the proof. */
#ifndef HYP_ARCH_LOCK_H
#define HYP_ARCH_LOCK_H

#include "lib/types.h"

struct spinlock {
	bool held;
};

void arch_spin_lock(struct spinlock *lock, unsigned int class, const char *name);
void arch_spin_unlock(struct spinlock *lock, unsigned int class, const char *name);

#include "lib/lock_order.h"

#endif
