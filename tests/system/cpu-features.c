// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a pVM sees of the CPU: a guest tries every AArch64 system register that can be encoded. Those of the
 * tables here (docs/cpu-features.md) can be read, and every other is UNDEFINED; ID registers have the
 * listed fields and no other; and what a guest has not written reads as it is out of reset.
 *
 * Guards hyp/vm/idreg.c, hyp/vm/sysreg.c, and the traps of hyp/arch/guest.c (GUEST_HCR, GUEST_MDCR, GUEST_CPTR,
 * fgt_enter()); el1_load() and fp_load() of guest_regs_reset()'s values.
 */
#include <string.h>

#include "../../include/stockade/guestcall.h"
#include "hostile.h"
#include "kvmtest.h"
#include "tap.h"

#define REG(op0, op1, crn, crm, op2) \
	(((op0)-2) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))
#define OP0(reg) (2 + ((reg) >> 14))
#define OP1(reg) ((reg) >> 11 & 7)
#define CRN(reg) ((reg) >> 7 & 15)
#define CRM(reg) ((reg) >> 3 & 15)
#define OP2(reg) ((reg)&7)

#define EC_UNKNOWN 0
#define EC_SYS64   0x18

/* The host's own ID registers, as the CPU has them. */
enum { PFR0, PFR1, DFR0, ISAR0, ISAR1, ISAR2, MMFR0, MMFR1, MMFR2, NR_ID };
static struct id {
	const char *name;
	unsigned int reg;
	uint64_t host;
} ids[NR_ID] = {
	{ "ID_AA64PFR0_EL1", REG(3, 0, 0, 4, 0), 0 },
	{ "ID_AA64PFR1_EL1", REG(3, 0, 0, 4, 1), 0 },
	{ "ID_AA64DFR0_EL1", REG(3, 0, 0, 5, 0), 0 },
	{ "ID_AA64ISAR0_EL1", REG(3, 0, 0, 6, 0), 0 },
	{ "ID_AA64ISAR1_EL1", REG(3, 0, 0, 6, 1), 0 },
	{ "ID_AA64ISAR2_EL1", REG(3, 0, 0, 6, 2), 0 },
	{ "ID_AA64MMFR0_EL1", REG(3, 0, 0, 7, 0), 0 },
	{ "ID_AA64MMFR1_EL1", REG(3, 0, 0, 7, 1), 0 },
	{ "ID_AA64MMFR2_EL1", REG(3, 0, 0, 7, 2), 0 },
};

static uint64_t field(unsigned int id, unsigned int shift)
{
	return ids[id].host >> shift & 15;
}

/* What some registers go with. */
enum feature { ALWAYS, PAUTH, PAN, UAO, RAS, ECV, RNG, DIT, SSBS, MTE, NMI };

static bool has(enum feature feature)
{
	switch (feature) {
	case PAUTH:
		return field(ISAR1, 4) || field(ISAR1, 8) || field(ISAR2, 12);
	case PAN:
		return field(MMFR1, 20);
	case UAO:
		return field(MMFR2, 4);
	case RAS:
		return field(PFR0, 28);
	case ECV:
		return field(MMFR0, 60);
	case RNG:
		return field(ISAR0, 60);
	case DIT:
		return field(PFR0, 48);
	case SSBS:
		return field(PFR1, 4) >= 2;
	case MTE:
		return field(PFR1, 8);
	case NMI:
		return field(PFR1, 36);
	default:
		return true;
	}
}

enum {
	MUST, /* be readable if the feature is there */
	MAY,
	ZERO, /* MUST, and reads as 0 if the guest has not written it */
};

/* Beside ID_*_EL1, (3, 0, 0, 1 to 7, 0 to 7), which all can be read. */
static const struct {
	unsigned int reg, how;
	enum feature feature;
	const char *name;
} readable[] = {
	{ REG(2, 0, 0, 0, 4), ZERO, ALWAYS, "DBGBVR0_EL1" },
	{ REG(2, 0, 0, 0, 5), ZERO, ALWAYS, "DBGBCR0_EL1" },
	{ REG(2, 0, 0, 0, 6), ZERO, ALWAYS, "DBGWVR0_EL1" },
	{ REG(2, 0, 0, 0, 7), ZERO, ALWAYS, "DBGWCR0_EL1" },
	{ REG(2, 0, 0, 2, 2), ZERO, ALWAYS, "MDSCR_EL1" },
	{ REG(2, 0, 1, 1, 4), ZERO, ALWAYS, "OSLSR_EL1" },
	{ REG(2, 0, 1, 3, 4), ZERO, ALWAYS, "OSDLR_EL1" },
	{ REG(3, 0, 0, 0, 0), MUST, ALWAYS, "MIDR_EL1" },
	{ REG(3, 0, 0, 0, 5), MUST, ALWAYS, "MPIDR_EL1" },
	{ REG(3, 0, 0, 0, 6), ZERO, ALWAYS, "REVIDR_EL1" },
	{ REG(3, 0, 1, 0, 0), MUST, ALWAYS, "SCTLR_EL1" },
	{ REG(3, 0, 1, 0, 2), MUST, ALWAYS, "CPACR_EL1" },
	{ REG(3, 0, 2, 0, 0), MUST, ALWAYS, "TTBR0_EL1" },
	{ REG(3, 0, 2, 0, 1), ZERO, ALWAYS, "TTBR1_EL1" },
	{ REG(3, 0, 2, 0, 2), MUST, ALWAYS, "TCR_EL1" },
	{ REG(3, 0, 2, 1, 0), ZERO, PAUTH, "APIAKeyLo_EL1" },
	{ REG(3, 0, 2, 1, 1), ZERO, PAUTH, "APIAKeyHi_EL1" },
	{ REG(3, 0, 2, 1, 2), ZERO, PAUTH, "APIBKeyLo_EL1" },
	{ REG(3, 0, 2, 1, 3), ZERO, PAUTH, "APIBKeyHi_EL1" },
	{ REG(3, 0, 2, 2, 0), ZERO, PAUTH, "APDAKeyLo_EL1" },
	{ REG(3, 0, 2, 2, 1), ZERO, PAUTH, "APDAKeyHi_EL1" },
	{ REG(3, 0, 2, 2, 2), ZERO, PAUTH, "APDBKeyLo_EL1" },
	{ REG(3, 0, 2, 2, 3), ZERO, PAUTH, "APDBKeyHi_EL1" },
	{ REG(3, 0, 2, 3, 0), ZERO, PAUTH, "APGAKeyLo_EL1" },
	{ REG(3, 0, 2, 3, 1), ZERO, PAUTH, "APGAKeyHi_EL1" },
	{ REG(3, 0, 4, 0, 0), MUST, ALWAYS, "SPSR_EL1" },
	{ REG(3, 0, 4, 0, 1), MUST, ALWAYS, "ELR_EL1" },
	{ REG(3, 0, 4, 1, 0), ZERO, ALWAYS, "SP_EL0" },
	{ REG(3, 0, 4, 2, 0), MUST, ALWAYS, "SPSel" },
	{ REG(3, 0, 4, 2, 2), MUST, ALWAYS, "CurrentEL" },
	{ REG(3, 0, 4, 2, 3), MUST, PAN, "PAN" },
	{ REG(3, 0, 4, 2, 4), MUST, UAO, "UAO" },
	{ REG(3, 0, 4, 3, 0), MAY, NMI, "ALLINT" },
	{ REG(3, 0, 4, 6, 0), MUST, ALWAYS, "ICC_PMR_EL1" },
	{ REG(3, 0, 5, 1, 0), ZERO, ALWAYS, "AFSR0_EL1" },
	{ REG(3, 0, 5, 1, 1), ZERO, ALWAYS, "AFSR1_EL1" },
	{ REG(3, 0, 5, 2, 0), MUST, ALWAYS, "ESR_EL1" },
	{ REG(3, 0, 5, 3, 0), ZERO, RAS, "ERRIDR_EL1" },
	{ REG(3, 0, 5, 3, 1), MAY, RAS, "ERRSELR_EL1" }, /* if the CPU has error records */
	{ REG(3, 0, 6, 0, 0), ZERO, ALWAYS, "FAR_EL1" },
	{ REG(3, 0, 7, 4, 0), ZERO, ALWAYS, "PAR_EL1" },
	{ REG(3, 0, 10, 2, 0), MUST, ALWAYS, "MAIR_EL1" },
	{ REG(3, 0, 10, 3, 0), ZERO, ALWAYS, "AMAIR_EL1" },
	{ REG(3, 0, 12, 0, 0), MUST, ALWAYS, "VBAR_EL1" },
	{ REG(3, 0, 12, 1, 0), ZERO, ALWAYS, "ISR_EL1" },
	{ REG(3, 0, 12, 1, 1), ZERO, RAS, "DISR_EL1" },
	{ REG(3, 0, 12, 8, 0), MUST, ALWAYS, "ICC_IAR0_EL1" },
	{ REG(3, 0, 12, 8, 2), MUST, ALWAYS, "ICC_HPPIR0_EL1" },
	{ REG(3, 0, 12, 8, 3), MUST, ALWAYS, "ICC_BPR0_EL1" },
	{ REG(3, 0, 12, 8, 4), ZERO, ALWAYS, "ICC_AP0R0_EL1" },
	{ REG(3, 0, 12, 8, 5), MAY, ALWAYS, "ICC_AP0R1_EL1" }, /* these by bits of preemption */
	{ REG(3, 0, 12, 8, 6), MAY, ALWAYS, "ICC_AP0R2_EL1" },
	{ REG(3, 0, 12, 8, 7), MAY, ALWAYS, "ICC_AP0R3_EL1" },
	{ REG(3, 0, 12, 9, 0), ZERO, ALWAYS, "ICC_AP1R0_EL1" },
	{ REG(3, 0, 12, 9, 1), MAY, ALWAYS, "ICC_AP1R1_EL1" },
	{ REG(3, 0, 12, 9, 2), MAY, ALWAYS, "ICC_AP1R2_EL1" },
	{ REG(3, 0, 12, 9, 3), MAY, ALWAYS, "ICC_AP1R3_EL1" },
	{ REG(3, 0, 12, 9, 5), MAY, NMI, "ICC_NMIAR1_EL1" },
	{ REG(3, 0, 12, 11, 3), MUST, ALWAYS, "ICC_RPR_EL1" },
	{ REG(3, 0, 12, 12, 0), MUST, ALWAYS, "ICC_IAR1_EL1" },
	{ REG(3, 0, 12, 12, 2), MUST, ALWAYS, "ICC_HPPIR1_EL1" },
	{ REG(3, 0, 12, 12, 3), MUST, ALWAYS, "ICC_BPR1_EL1" },
	{ REG(3, 0, 12, 12, 4), MUST, ALWAYS, "ICC_CTLR_EL1" },
	{ REG(3, 0, 12, 12, 5), MUST, ALWAYS, "ICC_SRE_EL1" },
	{ REG(3, 0, 12, 12, 6), ZERO, ALWAYS, "ICC_IGRPEN0_EL1" },
	{ REG(3, 0, 12, 12, 7), ZERO, ALWAYS, "ICC_IGRPEN1_EL1" },
	{ REG(3, 0, 13, 0, 1), ZERO, ALWAYS, "CONTEXTIDR_EL1" },
	{ REG(3, 0, 13, 0, 4), MUST, ALWAYS, "TPIDR_EL1" },
	{ REG(3, 0, 14, 1, 0), ZERO, ALWAYS, "CNTKCTL_EL1" },
	{ REG(3, 1, 0, 0, 0), MUST, ALWAYS, "CCSIDR_EL1" },
	{ REG(3, 1, 0, 0, 1), MUST, ALWAYS, "CLIDR_EL1" },
	{ REG(3, 1, 0, 0, 7), ZERO, ALWAYS, "AIDR_EL1" },
	{ REG(3, 2, 0, 0, 0), ZERO, ALWAYS, "CSSELR_EL1" },
	{ REG(3, 3, 0, 0, 1), MUST, ALWAYS, "CTR_EL0" },
	{ REG(3, 3, 0, 0, 7), MUST, ALWAYS, "DCZID_EL0" },
	{ REG(3, 3, 2, 4, 0), MUST, RNG, "RNDR" },
	{ REG(3, 3, 2, 4, 1), MUST, RNG, "RNDRRS" },
	{ REG(3, 3, 4, 2, 0), MUST, ALWAYS, "NZCV" },
	{ REG(3, 3, 4, 2, 1), MUST, ALWAYS, "DAIF" },
	{ REG(3, 3, 4, 2, 5), MUST, DIT, "DIT" },
	{ REG(3, 3, 4, 2, 6), MUST, SSBS, "SSBS" },
	{ REG(3, 3, 4, 2, 7), MAY, MTE, "TCO" },
	{ REG(3, 3, 4, 4, 0), ZERO, ALWAYS, "FPCR" },
	{ REG(3, 3, 4, 4, 1), ZERO, ALWAYS, "FPSR" },
	{ REG(3, 3, 13, 0, 2), ZERO, ALWAYS, "TPIDR_EL0" },
	{ REG(3, 3, 13, 0, 3), ZERO, ALWAYS, "TPIDRRO_EL0" },
	{ REG(3, 3, 14, 0, 0), MUST, ALWAYS, "CNTFRQ_EL0" },
	{ REG(3, 3, 14, 0, 1), MUST, ALWAYS, "CNTPCT_EL0" },
	{ REG(3, 3, 14, 0, 2), MUST, ALWAYS, "CNTVCT_EL0" },
	{ REG(3, 3, 14, 0, 5), MAY, ECV, "CNTPCTSS_EL0" },
	{ REG(3, 3, 14, 0, 6), MAY, ECV, "CNTVCTSS_EL0" },
	{ REG(3, 3, 14, 3, 0), MUST, ALWAYS, "CNTV_TVAL_EL0" },
	{ REG(3, 3, 14, 3, 1), ZERO, ALWAYS, "CNTV_CTL_EL0" },
	{ REG(3, 3, 14, 3, 2), ZERO, ALWAYS, "CNTV_CVAL_EL0" },
};
#define NR_READABLE (sizeof(readable) / sizeof(readable[0]))

static const struct {
	unsigned int reg;
	const char *name;
} write_only[] = {
	{ REG(2, 0, 1, 0, 4), "OSLAR_EL1" },	    { REG(3, 0, 12, 8, 1), "ICC_EOIR0_EL1" },
	{ REG(3, 0, 12, 11, 1), "ICC_DIR_EL1" },    { REG(3, 0, 12, 11, 5), "ICC_SGI1R_EL1" },
	{ REG(3, 0, 12, 11, 6), "ICC_ASGI1R_EL1" }, { REG(3, 0, 12, 11, 7), "ICC_SGI0R_EL1" },
	{ REG(3, 0, 12, 12, 1), "ICC_EOIR1_EL1" },
};
#define NR_WRITE_ONLY (sizeof(write_only) / sizeof(write_only[0]))

/* Fields that a guest sees, and the most of each; a signed one may be 15, "none". By docs/cpu-features.md. */
static const struct {
	unsigned int id, shift, max;
	bool is_signed;
} fields[] = {
	{ PFR0, 16, 1, true },	 { PFR0, 20, 1, true },	  { PFR0, 24, 1, false },
	{ PFR0, 28, 1, false },	 { PFR0, 48, 1, false },  { PFR0, 56, 1, false },
	{ PFR0, 60, 1, false },	 { PFR1, 0, 1, false },	  { PFR1, 4, 2, false },
	{ ISAR0, 4, 2, false },	 { ISAR0, 8, 1, false },  { ISAR0, 12, 2, false },
	{ ISAR0, 16, 1, false }, { ISAR0, 20, 2, false }, { ISAR0, 28, 1, false },
	{ ISAR0, 32, 1, false }, { ISAR0, 36, 1, false }, { ISAR0, 40, 1, false },
	{ ISAR0, 44, 1, false }, { ISAR0, 48, 1, false }, { ISAR0, 52, 2, false },
	{ ISAR0, 56, 2, false }, { ISAR0, 60, 1, false }, { ISAR1, 0, 2, false },
	{ ISAR1, 4, 5, false },	 { ISAR1, 8, 5, false },  { ISAR1, 12, 1, false },
	{ ISAR1, 16, 1, false }, { ISAR1, 20, 3, false }, { ISAR1, 24, 1, false },
	{ ISAR1, 28, 1, false }, { ISAR1, 32, 1, false }, { ISAR1, 36, 1, false },
	{ ISAR1, 40, 1, false }, { ISAR1, 44, 2, false }, { ISAR1, 48, 1, false },
	{ ISAR1, 52, 1, false }, { ISAR2, 8, 1, false },  { ISAR2, 12, 5, false },
	{ ISAR2, 60, 1, false }, { MMFR0, 4, 2, false },  { MMFR0, 8, 1, false },
	{ MMFR0, 12, 1, false }, { MMFR0, 16, 1, false }, { MMFR0, 20, 1, false },
	{ MMFR0, 24, 0, true },	 { MMFR0, 28, 0, true },  { MMFR0, 44, 1, false },
	{ MMFR1, 0, 2, false },	 { MMFR1, 4, 2, false },  { MMFR1, 12, 2, false },
	{ MMFR1, 20, 3, false }, { MMFR1, 24, 1, false }, { MMFR1, 36, 2, false },
	{ MMFR1, 56, 1, false }, { MMFR2, 0, 1, false },  { MMFR2, 4, 1, false },
	{ MMFR2, 12, 1, false }, { MMFR2, 32, 1, false }, { MMFR2, 36, 1, false },
	{ MMFR2, 48, 1, false }, { MMFR2, 52, 2, false }, { MMFR2, 60, 1, false },
};

/* EL1 and EL0 in AArch64; no DoubleLock, no MTPMU; 40 bits of address. */
static const uint64_t fixed[NR_ID] = {
	[PFR0] = 0x11,
	[DFR0] = 0xfull << 36 | 0xfull << 48,
	[MMFR0] = 2,
};

static const uint8_t *outcome;
static const struct sweep_value *values;
static unsigned int nr_values;

static bool value_of(unsigned int reg, uint64_t *value)
{
	unsigned int i;

	for (i = 0; i < nr_values; i++) {
		if (values[i].encoding != reg)
			continue;
		*value = values[i].value;
		return true;
	}
	return false;
}

static bool is_id(unsigned int reg)
{
	return OP0(reg) == 3 && !OP1(reg) && !CRN(reg) && CRM(reg) >= 1 && CRM(reg) <= 7;
}

/* How a register that is not there answers: with FEAT_IDST, in the ID space, by a class of its own. */
static bool undefined(unsigned int reg)
{
	bool id_space = OP0(reg) == 3 && (OP1(reg) < 4) && !CRN(reg) && CRM(reg) < 8;

	return outcome[reg] == EC_UNKNOWN ||
	       (outcome[reg] == EC_SYS64 && id_space && field(MMFR2, 36));
}

static void test_readable(void)
{
	unsigned int i, bad = 0;

	for (i = 0; i < NR_READABLE; i++) {
		bool there = outcome[readable[i].reg] == SWEEP_READ;
		uint64_t v = 0;

		if (readable[i].how == MAY && there && !has(readable[i].feature)) {
			ok(false, "%s is there without its feature", readable[i].name);
			continue;
		}
		if (readable[i].how == MAY)
			continue;
		if (!has(readable[i].feature)) {
			ok(undefined(readable[i].reg), "the CPU has no %s", readable[i].name);
			continue;
		}
		ok(there, "%s can be read", readable[i].name);
		if (readable[i].how == ZERO && value_of(readable[i].reg, &v))
			is_hex(v, 0, "%s is 0 out of reset", readable[i].name);
	}
	for (i = 0; i < SWEEP_COUNT; i++)
		bad += is_id(i) && outcome[i] != SWEEP_READ;
	is(bad, 0, "ID_*_EL1 can all be read");
	for (i = 0; i < NR_WRITE_ONLY; i++)
		ok(outcome[write_only[i].reg] == SWEEP_WRITE, "%s can be written only",
		   write_only[i].name);
}

static bool listed(unsigned int reg)
{
	unsigned int i;

	for (i = 0; i < NR_READABLE; i++)
		if (readable[i].reg == reg)
			return true;
	for (i = 0; i < NR_WRITE_ONLY; i++)
		if (write_only[i].reg == reg)
			return true;
	return is_id(reg);
}

static void test_hidden(void)
{
	unsigned int i, tried = 0, bad = 0;

	for (i = 0; i < SWEEP_COUNT; i++) {
		if (listed(i))
			continue;
		tried++;
		if (undefined(i))
			continue;
		diag("S%u_%u_C%u_C%u_%u: 0x%x", OP0(i), OP1(i), CRN(i), CRM(i), OP2(i), outcome[i]);
		bad++;
	}
	is(bad, 0, "all %u others are undefined, to read and to write", tried);
}

static void test_ids(void)
{
	uint64_t want[NR_ID];
	unsigned int i, bad = 0;

	memcpy(want, fixed, sizeof(want));
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		uint64_t host = field(fields[i].id, fields[i].shift);

		if (host > fields[i].max && !(fields[i].is_signed && host == 15))
			host = fields[i].max;
		want[fields[i].id] |= host << fields[i].shift;
	}
	for (i = 0; i < NR_ID; i++) {
		uint64_t v = ~0ull;

		value_of(ids[i].reg, &v);
		is_hex(v, want[i], "%s has the fields that are listed", ids[i].name);
	}
	for (i = 0; i < SWEEP_COUNT; i++) {
		uint64_t v = 0;
		unsigned int n;

		for (n = 0; n < NR_ID && ids[n].reg != i; n++)
			;
		if (is_id(i) && n == NR_ID && value_of(i, &v))
			bad += v != 0;
	}
	is(bad, 0, "all other ID registers are 0");
}

int main(void)
{
	struct kt_vm vm;
	struct kt_vcpu *cpu = &vm.vcpu[0];
	uint8_t *buffer;
	unsigned int i;

	tap_begin(60);
	if (!kt_protected()) {
		skip("not a protected VM", "CPU features");
		return tap_end();
	}
	hostile_load();
	attack("id-registers");
	diag("%s", attack_result());
	for (i = 0; i < NR_ID; i++)
		ids[i].host = (uint64_t)got(ids[i].name);

	kt_create(&vm, &(struct kt_config){ .ipa_bits = 40 });
	buffer = vm.mem + (GUEST_FREE - vm.gpa);
	asm volatile("movi v0.16b, #0xee; movi v9.16b, #0xee; movi v31.16b, #0xee" ::
			     : "v0", "v9", "v31");
	is_hex(kt_do(cpu, CMD_FP_BITS, 0, 0, 0, 0), 0, "v0-v31, FPSR, FPCR are 0 out of reset");
	nr_values = (unsigned int)kt_do(cpu, CMD_SWEEP, GUEST_FREE, 0, 0, 0);
	for (i = SWEEP_OUTCOMES; i < SWEEP_END; i += KT_PAGE)
		if (kt_hvc(cpu, GUESTCALL_MEM_SHARE, GUEST_FREE + i, 0, 0).r[0])
			bail("MEM_SHARE");
	outcome = buffer + SWEEP_OUTCOMES;
	values = (const struct sweep_value *)(buffer + SWEEP_VALUES);
	ok(nr_values < SWEEP_MAX_VALUES, "%u registers can be read", nr_values);
	test_readable();
	test_hidden();
	test_ids();
	kt_close(&vm);
	return tap_end();
}
