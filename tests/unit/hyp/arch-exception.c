// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions taken in software: vector, PSTATE, EC (Arm ARM, AArch64.TakeException). */
#include "arch/exception.h"

#include "hyptest.h"

#define VBAR	    0xffff800080010800ull
#define SCTLR_SPAN  BIT(23)
#define SCTLR_DSSBS BIT(44)

static struct exception take(u64 pstate, u64 sctlr, u64 esr)
{
	return exception_entry(pstate, sctlr, VBAR, esr);
}

/* The vector by where it comes from. */
static void vectors(void)
{
	u64 esr = ESR(EC_DABT_LOWER, FSC_TAG_CHECK);

	assert_int_equal(take(PSR_EL0T, 0, esr).pc, VBAR + 0x400);
	assert_int_equal(take(PSR_EL1T, 0, esr).pc, VBAR + 0x000);
	assert_int_equal(take(PSR_EL1H, 0, esr).pc, VBAR + 0x200);
	assert_int_equal(take(PSR_AARCH32, 0, esr).pc, VBAR + 0x600);
	assert_int_equal(take(PSR_AARCH32 | PSR_EL0T | 0xf, 0, esr).pc, VBAR + 0x600);
}

/* Aborts from EL1 itself have the other class; from EL0, and for other classes, nothing changes. */
static void classes(void)
{
	static const u64 from_el0[] = { PSR_EL0T, PSR_AARCH32 };
	static const u64 from_el1[] = { PSR_EL1T, PSR_EL1H };

	for (size_t i = 0; i < 2; i++) {
		for (u64 ec = 0; ec < 64; ec++) {
			u64 esr = ESR(ec, 0x155aa);
			u64 same = ec == EC_DABT_LOWER || ec == EC_IABT_LOWER ? ec + 1 : ec;

			assert_int_equal(take(from_el0[i], 0, esr).esr, esr);
			assert_int_equal(take(from_el1[i], 0, esr).esr, ESR(same, 0x155aa));
		}
	}
}

/* Every single bit of PSTATE: kept are NZCV, DIT and PAN, and TCO or not as the architecture has it. */
static void every_bit_of_pstate(void)
{
	u64 always = PSR_EL1H | PSR_DAIF;

	for (unsigned int b = 0; b < 64; b++) {
		u64 bit = BIT(b), out;

		if (b < 5)
			continue; /* the mode */
		out = take(PSR_EL0T | bit, SCTLR_SPAN, ESR(EC_DABT_LOWER, 0)).pstate & ~PSR_TCO;
		assert_int_equal(out, always | (bit & (PSR_NZCV | PSR_DIT | PSR_PAN)));
	}
	/* IL, SS, BTYPE, UAO and the rest are cleared, all set at once. */
	assert_int_equal(take(~0ull & ~(u64)0x1f, SCTLR_SPAN, 0).pstate & ~PSR_TCO,
			 always | PSR_NZCV | PSR_DIT | PSR_PAN);
}

/* SPAN and DSSBS choose PAN and SSBS. */
static void sctlr_chooses(void)
{
	assert_true(take(PSR_EL0T, 0, 0).pstate & PSR_PAN);
	assert_false(take(PSR_EL0T, SCTLR_SPAN, 0).pstate & PSR_PAN);
	assert_true(take(PSR_EL0T | PSR_PAN, SCTLR_SPAN, 0).pstate & PSR_PAN);
	assert_false(take(PSR_EL0T | PSR_SSBS, SCTLR_SPAN, 0).pstate & PSR_SSBS);
	assert_true(take(PSR_EL0T, SCTLR_DSSBS, 0).pstate & PSR_SSBS);
}

/* An AArch32 SPSR has other bits at DIT's and TCO's places: none of them is kept. */
static void from_aarch32(void)
{
	u64 out =
		take(PSR_AARCH32 | BIT(24) | BIT(25) | BIT(26) | BIT(27) | PSR_NZCV, SCTLR_SPAN, 0)
			.pstate;

	assert_int_equal(out & ~PSR_TCO, PSR_EL1H | PSR_DAIF | PSR_NZCV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bare_test(vectors),	  bare_test(classes),	   bare_test(every_bit_of_pstate),
		bare_test(sctlr_chooses), bare_test(from_aarch32),
	};

	return RUN("hyp-arch-exception", tests);
}
