/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables of two entries: all that walks, splits and rebuilds do happens in eight pages. */
#ifndef HYP_ARCH_GRANULE_H
#define HYP_ARCH_GRANULE_H

#ifndef TABLE_SHIFT
#define TABLE_SHIFT 1
#endif
#define TABLE_ENTRIES (1u << TABLE_SHIFT)

#endif
