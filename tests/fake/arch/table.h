/* SPDX-License-Identifier: GPL-2.0-only */
/* Stores to translation tables, that the judge of maintenance is told of (maint.h). */
#ifndef HYP_ARCH_TABLE_H
#define HYP_ARCH_TABLE_H

#include "lib/types.h"

void table_write(u64 *entry, u64 value);

#endif
