/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before everything in a build of the module that is to find itself on a CPU without 4 KiB
 * pages at stage 2, which QEMU can't be: ID_AA64MMFR0_EL1.TGran4_2 reads as 1.
 */
#include <asm/sysreg.h>

#undef read_sysreg_s
#define read_sysreg_s(r)                                                                      \
	({                                                                                    \
		u64 __val;                                                                    \
		asm volatile(__mrs_s("%0", r) : "=r"(__val));                                 \
		(r) == SYS_ID_AA64MMFR0_EL1 ? (__val & ~(0xfull << 40)) | 1ull << 40 : __val; \
	})
