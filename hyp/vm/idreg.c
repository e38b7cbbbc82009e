// SPDX-License-Identifier: GPL-2.0-only
#include "vm/idreg.h"

#include "arch/idreg.h"

/*
 * A field and the most that a guest sees of it. In a signed field 0xf is -1, "not implemented"
 * (Arm ARM D24.1.3). Names and meanings: Arm ARM D24.2, ID_AA64*_EL1.
 */
struct field {
	u8 shift, max;
	bool is_signed;
};

struct reg {
	u8 crm, op2;
	u64 fixed; /* fields that do not depend on the CPU */
	struct field fields[16];
};

#define REG_PFR0  0x4, 0
#define REG_PFR1  0x4, 1
#define REG_DFR0  0x5, 0
#define REG_ISAR0 0x6, 0
#define REG_ISAR1 0x6, 1
#define REG_ISAR2 0x6, 2
#define REG_MMFR0 0x7, 0
#define REG_MMFR1 0x7, 1
#define REG_MMFR2 0x7, 2

#define U(shift, max)             \
	{                         \
		shift, max, false \
	}
#define S(shift, max)            \
	{                        \
		shift, max, true \
	}

static const struct reg regs[] = {
	/* EL0 and EL1 in AArch64 only. FP, AdvSIMD, GIC, RAS, DIT, CSV2, CSV3 */
	{ REG_PFR0, 0x11, { S(16, 1), S(20, 1), U(24, 1), U(28, 1), U(48, 1), U(56, 1), U(60, 1) } },
	/* BT, SSBS */
	{ REG_PFR1, 0, { U(0, 1), U(4, 2) } },
	/* No debug, PMU, SPE, trace; DoubleLock and MTPMU are not implemented */
	{ REG_DFR0, 0xfull << 36 | 0xfull << 48, { U(0, 0) } },
	/* AES, SHA1, SHA2, CRC32, Atomic, RDM, SHA3, SM3, SM4, DP, FHM, TS, TLB, RNDR */
	{ REG_ISAR0,
	  0,
	  { U(4, 2), U(8, 1), U(12, 2), U(16, 1), U(20, 2), U(28, 1), U(32, 1), U(36, 1), U(40, 1),
	    U(44, 1), U(48, 1), U(52, 2), U(56, 2), U(60, 1) } },
	/* DPB, APA, API, JSCVT, FCMA, LRCPC, GPA, GPI, FRINTTS, SB, SPECRES, BF16, DGH, I8MM */
	{ REG_ISAR1,
	  0,
	  { U(0, 2), U(4, 5), U(8, 5), U(12, 1), U(16, 1), U(20, 3), U(24, 1), U(28, 1), U(32, 1),
	    U(36, 1), U(40, 1), U(44, 2), U(48, 1), U(52, 1) } },
	/* GPA3, APA3, ATS1A */
	{ REG_ISAR2, 0, { U(8, 1), U(12, 5), U(60, 1) } },
	/* ASIDBits, BigEnd, SNSMem, BigEndEL0, TGran16, TGran64, TGran4, ExS; PARange: below */
	{ REG_MMFR0,
	  0,
	  { U(4, 2), U(8, 1), U(12, 1), U(16, 1), U(20, 1), S(24, 0), S(28, 0), U(44, 1) } },
	/* HAFDBS, VMIDBits, HPDS, PAN, SpecSEI, ETS, CMOW */
	{ REG_MMFR1, 0, { U(0, 2), U(4, 2), U(12, 2), U(20, 3), U(24, 1), U(36, 2), U(56, 1) } },
	/* CnP, UAO, IESB, AT, IDS, TTL, BBM, E0PD */
	{ REG_MMFR2,
	  0,
	  { U(0, 1), U(4, 1), U(12, 1), U(32, 1), U(36, 1), U(48, 1), U(52, 2), U(60, 1) } },
};

static u64 limit(const struct field *field, u64 value)
{
	u64 v = (value >> field->shift) & 0xf;

	if (field->is_signed && v == 0xf)
		return v << field->shift;
	return min_u64(v, field->max) << field->shift;
}

/* ID_AA64MMFR0_EL1.PARange: the most that lies within the guest's IPA space. */
static u64 parange(unsigned int ipa_bits)
{
	static const u8 bits[] = { 32, 36, 40, 42, 44, 48 };
	u64 range = 0;

	while (range + 1 < ARRAY_SIZE(bits) && bits[range + 1] <= ipa_bits)
		range++;
	return range;
}

u64 idreg_guest_value(unsigned int crm, unsigned int op2, unsigned int ipa_bits)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(regs); i++) {
		const struct reg *reg = &regs[i];
		u64 cpu, value = reg->fixed;

		if (reg->crm != crm || reg->op2 != op2)
			continue;
		cpu = arch_idreg(crm, op2);
		/* Those that are not listed have a limit of 0. */
		for (unsigned int f = 0; f < ARRAY_SIZE(reg->fields); f++)
			value |= limit(&reg->fields[f], cpu);
		if (crm == 7 && op2 == 0)
			value |= parange(ipa_bits);
		return value;
	}
	return 0;
}
