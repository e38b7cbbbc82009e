/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instructions of TLB and cache maintenance, one function each; maint.c makes sequences of them. The build
 * machine has another set, that records and judges them (tests/fake). Arm ARM DDI 0487: C5.3 caches, C5.5 TLBs,
 * B2 barriers.
 */
#ifndef HYP_ARCH_INSN_H
#define HYP_ARCH_INSN_H

#include "lib/types.h"

/* ishst, ish or sy. One with "st" orders stores alone: it completes no maintenance. */
#define dsb(option) __asm__ volatile("dsb " #option ::: "memory")

/* EL2's stage 1, every CPU. */
static inline void tlbi_vae2is(u64 va)
{
	__asm__ volatile("tlbi vae2is, %0" ::"r"(va >> PAGE_SHIFT) : "memory");
}

/* Those for EL1 and EL0: of the VMID in VTTBR_EL2. IS: every CPU. */
static inline void tlbi_ipas2e1is(ipa_t ipa)
{
	__asm__ volatile("tlbi ipas2e1is, %0" ::"r"(ipa >> PAGE_SHIFT) : "memory");
}

static inline void tlbi_vmalle1is(void)
{
	__asm__ volatile("tlbi vmalle1is" ::: "memory");
}

static inline void tlbi_vmalle1(void)
{
	__asm__ volatile("tlbi vmalle1" ::: "memory");
}

static inline void tlbi_vmalls12e1is(void)
{
	__asm__ volatile("tlbi vmalls12e1is" ::: "memory");
}

/* The line that va is in. */
static inline void dc_civac(u64 va)
{
	__asm__ volatile("dc civac, %0" ::"r"(va) : "memory");
}

/* The block of DCZID_EL0's size that va is in. */
static inline void dc_zva(u64 va)
{
	__asm__ volatile("dc zva, %0" ::"r"(va) : "memory");
}

static inline void store_zero(u64 *word)
{
	WRITE_ONCE(*word, 0);
}

static inline void ic_ialluis(void)
{
	__asm__ volatile("ic ialluis" ::: "memory");
}

static inline void ic_iallu(void)
{
	__asm__ volatile("ic iallu" ::: "memory");
}

#endif
