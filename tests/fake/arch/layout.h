/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * EL2's address space on the build machine: the same regions as the target's, at addresses that the
 * build machine's address and thread sanitizers leave alone. What is mapped there is what EL2's own
 * tables say (fake.h).
 */
#ifndef HYP_ARCH_LAYOUT_H
#define HYP_ARCH_LAYOUT_H

#include "lib/types.h"

#define HYP_VA_BITS	48
#define HYP_LINEAR_BASE 0x7e9000000000
#define HYP_ARRAY_BASE	0x7ea000000000
#define HYP_STACK_BASE	0x7eb000000000
#define HYP_WINDOW_BASE 0x7ec000000000
#define HYP_IMAGE_BASE	0x7ed000000000

#define HYP_STACK_SIZE 0x2000
#define HYP_STACK_SLOT 0x4000

/* All RAM, always: what the first CPU sees with its MMU off, and what tests look through. */
#define FAKE_PHYS_BASE 0x7ee000000000

/* FAKE_PHYS_BASE while "the MMU is off", then HYP_LINEAR_BASE. */
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
