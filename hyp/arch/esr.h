/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the architecture describes an exception: ESR_ELx (Arm ARM D24.2.40) and the PSTATE that SPSR_ELx
 * holds (C5.2.19). Numbers alone: plain C may include this.
 */
#ifndef HYP_ARCH_ESR_H
#define HYP_ARCH_ESR_H

#include "lib/types.h"

/* ESR_ELx */
#define ESR_EC		GENMASK(31, 26)
#define ESR_IL		BIT(25)
#define ESR_ISS		GENMASK(24, 0)
#define ESR_FSC		GENMASK(5, 0)
#define ESR_WNR		BIT(6)
#define ESR_S1PTW	BIT(7)
#define ESR_CM		BIT(8)
#define ESR_FNV		BIT(10)
#define ESR_SRT		GENMASK(20, 16)
#define ESR_SSE		BIT(21)
#define ESR_SAS		GENMASK(23, 22)
#define ESR_SF		BIT(15)
#define ESR_ISV		BIT(24)
#define EC_UNKNOWN	0x00
#define EC_WFX		0x01
#define EC_FP		0x07
#define EC_PAUTH	0x09
#define EC_SVC64	0x15
#define EC_HVC64	0x16
#define EC_SMC64	0x17
#define EC_SYS64	0x18
#define EC_SVE		0x19
#define EC_ERET		0x1a
#define EC_SME		0x1d
#define EC_IABT_LOWER	0x20
#define EC_IABT_CURRENT 0x21
#define EC_DABT_LOWER	0x24
#define EC_DABT_CURRENT 0x25
#define EC_SOFTSTP	0x32

#define FSC_TYPE	 0x3c /* less the level */
#define FSC_TRANSLATION	 0x04
#define FSC_ACCESS	 0x08
#define FSC_PERMISSION	 0x0c
#define FSC_SEA		 0x10
#define FSC_SEA_WALK	 0x14 /* + level */
#define FSC_TAG_CHECK	 0x11
#define FSC_TLB_CONFLICT 0x30
#define FSC_ALIGNMENT	 0x21

/* PSTATE as in SPSR_ELx */
#define PSR_MODE    GENMASK(3, 0)
#define PSR_EL0T    0x0
#define PSR_EL1T    0x4
#define PSR_EL1H    0x5
#define PSR_AARCH32 BIT(4)
#define PSR_F	    BIT(6)
#define PSR_I	    BIT(7)
#define PSR_A	    BIT(8)
#define PSR_D	    BIT(9)
#define PSR_BTYPE   GENMASK(11, 10)
#define PSR_SSBS    BIT(12)
#define PSR_SS	    BIT(21)
#define PSR_PAN	    BIT(22)
#define PSR_UAO	    BIT(23)
#define PSR_DIT	    BIT(24)
#define PSR_TCO	    BIT(25)
#define PSR_NZCV    GENMASK(31, 28)
#define PSR_DAIF    (PSR_D | PSR_A | PSR_I | PSR_F)

#endif
