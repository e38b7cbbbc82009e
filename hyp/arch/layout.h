/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * EL2's address space (TTBR0_EL2, 48 bits).
 *
 *   0 .. 2^46                    one page of the image, mapped where it lies: turns the MMU on and off
 *   LINEAR_BASE + physical       pages that the hypervisor owns or shares
 *   ARRAY_BASE + 8 * frame       page array, mapped where there is RAM
 *   STACK_BASE + cpu * slot      stacks, each with an unmapped page on either side
 *   WINDOW_BASE + cpu * page     another's page, for the time of one operation
 *   IMAGE_BASE                   text, read-only data, data
 */
#ifndef HYP_ARCH_LAYOUT_H
#define HYP_ARCH_LAYOUT_H

#define HYP_VA_BITS	48
#define HYP_LINEAR_BASE 0x800000000000
#define HYP_ARRAY_BASE	0xc00000000000
#define HYP_STACK_BASE	0xd00000000000
#define HYP_WINDOW_BASE 0xe00000000000
#define HYP_IMAGE_BASE	0xf00000000000

#define HYP_STACK_SIZE 0x2000 /* two of a CPU's pages; the other one holds struct cpu */
#define HYP_STACK_SLOT 0x4000

#ifndef __ASSEMBLER__
#include "lib/types.h"

/* HYP_LINEAR_BASE; 0 while the first CPU builds EL2's tables with its MMU off. */
extern u64 hyp_linear_base;

static inline void *hyp_va(pa_t pa)
{
	return (void *)(pa + hyp_linear_base);
}

static inline pa_t hyp_pa(const void *va)
{
	return (u64)va - hyp_linear_base;
}

static inline void *hyp_array_va(pa_t pa)
{
	return (void *)(HYP_ARRAY_BASE + (pa >> PAGE_SHIFT) * 8);
}
#endif

#endif
