/* SPDX-License-Identifier: GPL-2.0-only */
/* Stores to translation tables; every one of them is made by this, so that the build machine can follow. */
#ifndef HYP_ARCH_TABLE_H
#define HYP_ARCH_TABLE_H

#include "lib/types.h"

/* One store: a walker sees the old entry or the new one (Arm ARM DDI 0487, B2.2.1). */
static inline void table_write(u64 *entry, u64 value)
{
	WRITE_ONCE(*entry, value);
}

#endif
