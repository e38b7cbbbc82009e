/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Geometry of translation tables: 4 KiB granule (Arm ARM D8.2). Apart from the rest, so that proofs can have smaller
 * tables.
 */
#ifndef HYP_ARCH_GRANULE_H
#define HYP_ARCH_GRANULE_H

/* Bits of an address that one level resolves, and the entries of a table. */
#define TABLE_SHIFT   9
#define TABLE_ENTRIES (1u << TABLE_SHIFT)

#endif
