/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Marks what is measured, for plugin/count.c, by hints that no CPU knows: no-operations. The guest
 * measures by itself, and so does the host: each has a slot; the third is for a whole group of rows. A
 * row comes after its measurement, and is of what was measured last.
 */
#ifndef BENCH_MARK_H
#define BENCH_MARK_H

#define MARK_GUEST 0
#define MARK_HOST  1
#define MARK_GROUP 2
#define MARK_SLOTS 3

#define MARK_BEGIN(slot) (0x50 + 4 * (slot))
#define MARK_END(slot)	 (0x51 + 4 * (slot))
#define MARK_ROW(slot)	 (0x52 + 4 * (slot))

#define mark(hint) asm volatile("hint %0" ::"i"(hint) : "memory")

#endif
