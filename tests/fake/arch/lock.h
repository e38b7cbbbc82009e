/* SPDX-License-Identifier: GPL-2.0-only */
/* Locks that know who holds them, and under which others they may be taken (hyp/lib/lock_order.h). */
#ifndef HYP_ARCH_LOCK_H
#define HYP_ARCH_LOCK_H

#include "lib/types.h"

struct spinlock {
	u32 holder; /* a CPU's index + 1; 0: free, as in zeroed memory */
	u32 unused;
};

void arch_spin_lock(struct spinlock *lock, unsigned int class, const char *name);
void arch_spin_unlock(struct spinlock *lock, unsigned int class, const char *name);

#include "lib/lock_order.h"

#endif
