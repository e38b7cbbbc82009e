/* SPDX-License-Identifier: GPL-2.0-only */
/* EL2's address space, of as many bits as small tables have; what lies where is machine.c's. */
#ifndef HYP_ARCH_LAYOUT_H
#define HYP_ARCH_LAYOUT_H

#include "arch/granule.h"
#include "lib/types.h"

#define HYP_VA_BITS	(PAGE_SHIFT + 4 * TABLE_SHIFT)
#define HYP_LINEAR_BASE BIT(HYP_VA_BITS - 1)
#define HYP_WINDOW_BASE 0x100000ull
/* Of the regions that only launch maps. */
#define HYP_IMAGE_BASE 0x200000ull
#define HYP_STACK_BASE 0x300000ull
#define HYP_STACK_SIZE 0x2000
#define HYP_STACK_SLOT 0x4000

/* Both fail the proof if there is nothing. */
void *hyp_va(pa_t pa);
void *hyp_array_va(pa_t pa);

pa_t hyp_pa(const void *va);

#endif
