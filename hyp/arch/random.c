// SPDX-License-Identifier: GPL-2.0-only
#include "arch/random.h"

#include "arch/sysreg.h"

/* RNDRRS may fail while the generator reseeds. */
#define TRIES 16

bool arch_has_random(void)
{
	return FIELD_GET(ID_ISAR0_RNDR, read_sysreg(id_aa64isar0_el1));
}

bool arch_random(u64 *value)
{
	for (unsigned int i = 0; i < TRIES; i++) {
		u64 v, ok;

		/* S3_3_C2_C4_1 is RNDRRS; Z is set if it had nothing to give. */
		__asm__ volatile("mrs %0, S3_3_C2_C4_1\n\tcset %1, ne"
				 : "=r"(v), "=r"(ok)
				 :
				 : "cc");
		if (ok) {
			*value = v;
			return true;
		}
	}
	return false;
}
