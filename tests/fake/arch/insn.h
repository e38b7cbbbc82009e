/* SPDX-License-Identifier: GPL-2.0-only */
/* The instructions of TLB and cache maintenance, recorded (fake.ops) and judged (maint.h). */
#ifndef HYP_ARCH_INSN_H
#define HYP_ARCH_INSN_H

#include "lib/types.h"

enum fake_dsb {
	FAKE_DSB_nshst,
	FAKE_DSB_nsh,
	FAKE_DSB_ishst,
	FAKE_DSB_ish,
	FAKE_DSB_sy,
};

void fake_dsb(enum fake_dsb option);
#define dsb(option) fake_dsb(FAKE_DSB_##option)

void tlbi_vae2is(u64 va);
void tlbi_ipas2e1is(ipa_t ipa);
void tlbi_vmalle1is(void);
void tlbi_vmalle1(void);
void tlbi_vmalls12e1is(void);
void dc_civac(u64 va);
void dc_zva(u64 va);
void store_zero(u64 *word);
void ic_ialluis(void);
void ic_iallu(void);

#endif
