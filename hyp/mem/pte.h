/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Translation table descriptors, VMSAv8-64, 4 KiB granule (Arm ARM DDI 0487, D8.3).
 */
#ifndef HYP_MEM_PTE_H
#define HYP_MEM_PTE_H

#include "arch/granule.h"
#include "lib/types.h"

#define PTE_VALID BIT(0)
#define PTE_TABLE BIT(1) /* at level 3: page */
#define PTE_ADDR  GENMASK(47, 12)
#define PTE_AF	  BIT(10)
#define PTE_INNER (3ull << 8)

/* Stage 1 at EL2: index into MAIR_EL2, AP[2], XN. AP[1] is RES1 (one privilege level). */
#define S1_NORMAL   (0ull << 2)
#define S1_AP_RES1  BIT(6)
#define S1_READONLY BIT(7)
#define S1_XN	    BIT(54)

#define HYP_RW (S1_NORMAL | S1_AP_RES1 | S1_XN | PTE_INNER | PTE_AF)
#define HYP_RO (HYP_RW | S1_READONLY)
#define HYP_RX (S1_NORMAL | S1_AP_RES1 | S1_READONLY | PTE_INNER | PTE_AF)

/* Stage 2: MemAttr, S2AP, XN[1:0]. */
#define S2_MEMATTR_AS_S1    (0xfull << 2) /* without FWB: normal write-back, stage 1 may weaken */
#define S2_MEMATTR_FORCE_WB (6ull << 2)	  /* with FWB: normal write-back, whatever stage 1 says */
#define S2_READ		    BIT(6)
#define S2_WRITE	    BIT(7)
#define S2_XN		    (2ull << 53)

#define HOST_RAM    (S2_MEMATTR_AS_S1 | S2_READ | S2_WRITE | PTE_INNER | PTE_AF)
#define HOST_DEVICE (HOST_RAM | S2_XN)
/* The memory type is added by guest_attrs(). */
#define GUEST_RAM (S2_READ | S2_WRITE | PTE_INNER | PTE_AF)

/* Of the host's, for software (D8.3.2, bits 58 to 55): a page that a guest shares. No block may take it in. */
#define PTE_GUESTS BIT(55)

/*
 * An invalid entry of a guest's level 3 that says: the host force-reclaimed this page. The guest must
 * not be given another one in its place.
 */
#define PTE_POISON BIT(1)
/* And one that says: MMIO here, the guest has guarded it (MMIO_GUARD). */
#define PTE_GUARD BIT(2)
/*
 * With an address, an invalid entry of a guest's level 2: the block is the guest's, who gets it when all of its pages are
 * cleaned. PTE_CLEANED says how many are.
 */
#define PTE_UNCLEAN BIT(3)
#define PTE_CLEANED GENMASK(57, 48)

static inline unsigned int level_shift(unsigned int level)
{
	return PAGE_SHIFT + TABLE_SHIFT * (3 - level);
}

static inline u64 level_size(unsigned int level)
{
	return 1ull << level_shift(level);
}

static inline bool pte_is_table(u64 pte, unsigned int level)
{
	return level < 3 && (pte & (PTE_VALID | PTE_TABLE)) == (PTE_VALID | PTE_TABLE);
}

/* Does it name a page or block, mapped or (of a guest's) still to be cleaned? */
static inline bool pte_has_page(u64 pte)
{
	return pte & (PTE_VALID | PTE_UNCLEAN);
}

static inline bool pte_is_unclean(u64 pte)
{
	return (pte & (PTE_VALID | PTE_UNCLEAN)) == PTE_UNCLEAN;
}

static inline u64 pte_leaf(pa_t pa, unsigned int level, u64 attrs)
{
	return pa | attrs | PTE_VALID | (level == 3 ? PTE_TABLE : 0);
}

#endif
