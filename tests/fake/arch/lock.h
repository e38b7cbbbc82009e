/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Locks that know who holds them, and in which order they may be taken. A lock is known by how the code
 * calls it: fake/lock.c has the list, and a lock that is not in it fails the test that meets it.
 */
#ifndef HYP_ARCH_LOCK_H
#define HYP_ARCH_LOCK_H

#include "lib/types.h"

struct spinlock {
	u32 holder; /* a CPU's index + 1; 0: free, as in zeroed memory */
	u32 unused;
};

void fake_spin_lock(struct spinlock *lock, const char *name);
void fake_spin_unlock(struct spinlock *lock, const char *name);

#define spin_lock(lock)	  fake_spin_lock(lock, #lock)
#define spin_unlock(lock) fake_spin_unlock(lock, #lock)

#endif
