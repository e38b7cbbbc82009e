/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System registers: accessors, and the fields that the hypervisor uses (Arm ARM DDI 0487, chapter D24;
 * GIC: IHI 0069, chapter 12).
 */
#ifndef HYP_ARCH_SYSREG_H
#define HYP_ARCH_SYSREG_H

#include "arch/esr.h"
#include "lib/types.h"

#define read_sysreg(reg)                                          \
	({                                                        \
		u64 value_;                                       \
		__asm__ volatile("mrs %0, " #reg : "=r"(value_)); \
		value_;                                           \
	})
#define write_sysreg(value, reg) __asm__ volatile("msr " #reg ", %x0" ::"rZ"((u64)(value)))
/* For names that are macros of encodings. */
#define read_sysreg_s(reg)	   read_sysreg_s_(reg)
#define write_sysreg_s(value, reg) write_sysreg_s_(value, reg)
#define read_sysreg_s_(reg)	   read_sysreg(reg)
#define write_sysreg_s_(v, reg)	   write_sysreg(v, reg)

#define isb() __asm__ volatile("isb" ::: "memory")

/* Names that an Armv8.0 assembler does not know. */
#define SYS_HCRX_EL2	     S3_4_C1_C2_2
#define SYS_HFGRTR_EL2	     S3_4_C1_C1_4
#define SYS_HFGWTR_EL2	     S3_4_C1_C1_5
#define SYS_HFGITR_EL2	     S3_4_C1_C1_6
#define SYS_HDFGRTR_EL2	     S3_4_C3_C1_4
#define SYS_HDFGWTR_EL2	     S3_4_C3_C1_5
#define SYS_HAFGRTR_EL2	     S3_4_C3_C1_6
#define SYS_HDFGRTR2_EL2     S3_4_C3_C1_0
#define SYS_HDFGWTR2_EL2     S3_4_C3_C1_1
#define SYS_HFGRTR2_EL2	     S3_4_C3_C1_2
#define SYS_HFGWTR2_EL2	     S3_4_C3_C1_3
#define SYS_HFGITR2_EL2	     S3_4_C3_C1_7
#define SYS_ZCR_EL2	     S3_4_C1_C2_0
#define SYS_SMCR_EL2	     S3_4_C1_C2_6
#define SYS_SVCR	     S3_3_C4_C2_2
#define SYS_PMSCR_EL1	     S3_0_C9_C9_0
#define SYS_PMBIDR_EL1	     S3_0_C9_C10_7
#define SYS_PMSCR_EL2	     S3_4_C9_C9_0
#define SYS_TRFCR_EL2	     S3_4_C1_C2_1
#define SYS_BRBCR_EL2	     S2_4_C9_C0_0
#define SYS_MPAM2_EL2	     S3_4_C10_C5_0
#define SYS_VDISR_EL2	     S3_4_C12_C1_1
#define SYS_TRFCR_EL1	     S3_0_C1_C2_1
#define SYS_BRBCR_EL1	     S2_1_C9_C0_0
#define SYS_ID_AA64ISAR2_EL1 S3_0_C0_C6_2
#define SYS_ID_AA64MMFR2_EL1 S3_0_C0_C7_2
#define SYS_ICC_SRE_EL2	     S3_4_C12_C9_5
#define SYS_ICC_SRE_EL1	     S3_0_C12_C12_5
#define SYS_ICH_HCR_EL2	     S3_4_C12_C11_0
#define SYS_ICH_VTR_EL2	     S3_4_C12_C11_1
#define SYS_ICH_VMCR_EL2     S3_4_C12_C11_7
#define SYS_ICH_AP0R0_EL2    S3_4_C12_C8_0
#define SYS_ICH_AP0R1_EL2    S3_4_C12_C8_1
#define SYS_ICH_AP0R2_EL2    S3_4_C12_C8_2
#define SYS_ICH_AP0R3_EL2    S3_4_C12_C8_3
#define SYS_ICH_AP1R0_EL2    S3_4_C12_C9_0
#define SYS_ICH_AP1R1_EL2    S3_4_C12_C9_1
#define SYS_ICH_AP1R2_EL2    S3_4_C12_C9_2
#define SYS_ICH_AP1R3_EL2    S3_4_C12_C9_3

#define SCTLR_EL1_SPAN	BIT(23)
#define SCTLR_EL1_DSSBS BIT(44)
/* Bits that are RES1 in Armv8.0 (D24.2.168), everything else off. */
#define SCTLR_EL1_RESET 0x30d00800ull

/* HCR_EL2 */
#define HCR_VM	   BIT(0)
#define HCR_SWIO   BIT(1)
#define HCR_FMO	   BIT(3)
#define HCR_IMO	   BIT(4)
#define HCR_AMO	   BIT(5)
#define HCR_FB	   BIT(9)
#define HCR_BSU_IS BIT(10)
#define HCR_TWI	   BIT(13)
#define HCR_TID1   BIT(16)
#define HCR_TID2   BIT(17)
#define HCR_TID3   BIT(18)
#define HCR_TSC	   BIT(19)
#define HCR_TIDCP  BIT(20)
#define HCR_TACR   BIT(21)
#define HCR_TSW	   BIT(22)
#define HCR_RW	   BIT(31)
#define HCR_E2H	   BIT(34)
#define HCR_TLOR   BIT(35)
#define HCR_TERR   BIT(36)
#define HCR_APK	   BIT(40)
#define HCR_API	   BIT(41)
#define HCR_FWB	   BIT(46)
#define HCR_TID5   BIT(58)

/* CPTR_EL2, E2H = 0 */
#define CPTR_TZ	  BIT(8)
#define CPTR_TFP  BIT(10)
#define CPTR_TSM  BIT(12)
#define CPTR_TTA  BIT(20)
#define CPTR_TAM  BIT(30)
#define CPTR_RES1 0x22ffull

/* MDCR_EL2 */
#define MDCR_HPMN  GENMASK(4, 0)
#define MDCR_TPMCR BIT(5)
#define MDCR_TPM   BIT(6)
#define MDCR_TDE   BIT(8)
#define MDCR_TDA   BIT(9)
#define MDCR_TDOSA BIT(10)
#define MDCR_TDRA  BIT(11)
#define MDCR_TPMS  BIT(14)
#define MDCR_TTRF  BIT(19)
#define MDCR_TDCC  BIT(27)
#define MDSCR_SS   BIT(0)

/* CNTHCTL_EL2, E2H = 0 */
#define CNTHCTL_EL1PCTEN BIT(0)
#define CNTV_ENABLE	 BIT(0)
#define CNTV_IMASK	 BIT(1)
#define CNTV_ISTATUS	 BIT(2)

#define ICC_SRE_EL2_ENABLE BIT(3)
#define ICH_HCR_EN	   BIT(0)
#define ICH_HCR_UIE	   BIT(1)
#define ICH_VTR_LISTREGS   GENMASK(4, 0)
#define ICH_VTR_PREBITS	   GENMASK(28, 26)

#define ID_MMFR0_PARANGE  GENMASK(3, 0)
#define ID_MMFR0_TGRAN4	  GENMASK(31, 28)
#define ID_MMFR0_TGRAN4_2 GENMASK(43, 40)
#define ID_MMFR0_FGT	  GENMASK(59, 56)
#define ID_MMFR1_HCX	  GENMASK(43, 40)
#define ID_MMFR2_FWB	  GENMASK(43, 40)
#define ID_PFR0_GIC	  GENMASK(27, 24)
#define ID_PFR0_SVE	  GENMASK(35, 32)
#define ID_PFR0_RAS	  GENMASK(31, 28)
#define ID_PFR0_AMU	  GENMASK(47, 44)
#define ID_PFR1_MTE	  GENMASK(11, 8)
#define ID_PFR1_SME	  GENMASK(27, 24)
#define ID_ISAR0_RNDR	  GENMASK(63, 60)
#define ID_DFR0_PMU	  GENMASK(11, 8)
#define ID_DFR0_SPE	  GENMASK(35, 32)
#define ID_DFR0_TRF	  GENMASK(43, 40)
#define ID_DFR0_BRBE	  GENMASK(55, 52)

#define SCTLR_EL1_M BIT(0)
#define TCR_EPD0    BIT(7)
#define TCR_EPD1    BIT(23)
#define PMCR_E	    BIT(0)
#define PMBIDR_P    BIT(4)
/* MPAM2_EL2: EL1's and EL0's partition registers trap. */
#define MPAM2_TRAPS  (BIT(48) | BIT(49))
#define ID_PFR0_MPAM GENMASK(43, 40)

/* MIDR_EL1: implementer and part; Arm's cores with errata that concern us. */
#define MIDR_PART_MASK	0xff00fff0ull
#define MIDR_CORTEX_A55 0x4100d050ull
#define MIDR_CORTEX_A57 0x4100d070ull
#define MIDR_CORTEX_A72 0x4100d080ull
#define MIDR_CORTEX_A76 0x4100d0b0ull
#define ID_ISAR1_APA	GENMASK(7, 4)
#define ID_ISAR1_API	GENMASK(11, 8)
#define ID_ISAR2_APA3	GENMASK(15, 12)

#endif
