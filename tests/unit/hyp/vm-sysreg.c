// SPDX-License-Identifier: GPL-2.0-only
/* What a guest learns of the CPU, and its trapped system registers. */
#include "hyptest.h"
#include "vm/idreg.h"

static struct test_vm vm;

static void start(void)
{
	vm = make_vm(1);
	load(&vm, 0);
	regs_of(&vm, 0)->el1.vbar = 0x80000;
}

/* MRS or MSR of a register with x7; true: it was not UNDEFINED. */
static bool access_rt(u64 op0, u64 op1, u64 crn, u64 crm, u64 op2, bool read, u64 rt)
{
	struct guest_regs *regs = regs_of(&vm, 0);

	regs->pc = 0x1000;
	regs->pstate = PSR_EL1H;
	guest_traps(ESR(EC_SYS64,
			op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | rt << 5 | crm << 1 | read),
		    0, 0);
	run();
	if (regs->pc == 0x1004)
		return true;
	assert_int_equal(regs->pc, 0x80200);
	assert_int_equal(regs->el1.esr, ESR_IL);
	return false;
}

static bool mrs(u64 op0, u64 op1, u64 crn, u64 crm, u64 op2, u64 *value)
{
	bool ok;

	regs_of(&vm, 0)->x[7] = 0x5a5a;
	ok = access_rt(op0, op1, crn, crm, op2, true, 7);
	*value = regs_of(&vm, 0)->x[7];
	if (!ok)
		assert_int_equal(*value, 0x5a5a);
	return ok;
}

static bool msr(u64 op0, u64 op1, u64 crn, u64 crm, u64 op2, u64 value)
{
	bool ok;

	regs_of(&vm, 0)->x[7] = value;
	ok = access_rt(op0, op1, crn, crm, op2, false, 7);
	assert_int_equal(regs_of(&vm, 0)->x[7], value);
	return ok;
}

/* --- ID registers --- */

static const struct {
	const char *name;
	unsigned int crm, op2;
	u64 cpu, guest;
} max_cpu[] = {
	/* What QEMU's max shows a non-protected guest of KVM, and what upstream's pKVM shows a protected one. */
	{ "PFR1", 4, 1, 0x21, 0x21 },
	{ "DFR0", 5, 0, 0x1030500a, 0xf00f000000000 },
	{ "MMFR0", 7, 0, 0x2100022200101126, 0x101122 },
	{ "MMFR2", 7, 2, 0x1221011110011011, 0x1021001100001011 },
	{ "ISAR0", 6, 0, 0x1221111110212120, 0x1221111110212120 },
	{ "ISAR1", 6, 1, 0x0111211110211002, 0x11211110211002 },
	{ "ISAR2", 6, 2, 0x110012, 0 },
	/* Upstream says that there is EL2, and ETS 1 of 2. */
	{ "PFR0", 4, 0, 0x1101001021110222, 0x1101000011110011 },
	{ "MMFR1", 7, 1, 0x10112010312122, 0x2000302022 },
};

static void policy_is_upstreams_on_max(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(max_cpu); i++)
		fake.idreg[max_cpu[i].crm][max_cpu[i].op2] = max_cpu[i].cpu;
	for (size_t i = 0; i < ARRAY_SIZE(max_cpu); i++) {
		u64 value = idreg_guest_value(max_cpu[i].crm, max_cpu[i].op2, 40);

		if (value != max_cpu[i].guest)
			fail_msg("%s is 0x%lx, not 0x%lx", max_cpu[i].name, value,
				 max_cpu[i].guest);
	}
}

/* No field of any register is more than the CPU has, whatever it has (signed ones: 0xf is none). */
static void no_field_exceeds_the_cpus(void)
{
	static const u64 cpus[] = { 0,
				    ~0ull,
				    0x1111111111111111,
				    0x2222222222222222,
				    0x8888888888888888,
				    0x123456789abcdef0 };

	for (size_t c = 0; c < ARRAY_SIZE(cpus); c++) {
		for (unsigned int crm = 1; crm < 8; crm++) {
			for (unsigned int op2 = 0; op2 < 8; op2++) {
				u64 value;

				fake.idreg[crm][op2] = cpus[c];
				value = idreg_guest_value(crm, op2, 40);
				for (unsigned int s = 0; s < 64; s += 4) {
					u64 mine = value >> s & 15, cpu = cpus[c] >> s & 15;

					/* Fixed ones: EL0 and EL1, "none" of debug, PARange. */
					if ((crm == 4 && op2 == 0 && s < 8) ||
					    (crm == 5 && op2 == 0 && mine == 15) ||
					    (crm == 7 && op2 == 0 && s == 0))
						continue;
					if (mine > cpu)
						fail_msg("(%u, %u) bit %u: 0x%lx of 0x%lx", crm,
							 op2, s, mine, cpu);
				}
			}
		}
	}
}

/* Of a CPU that has more of everything than there is, a guest sees this (docs/cpu-features.md). */
static void every_field_is_limited(void)
{
	static const struct {
		unsigned int crm, op2;
		u64 guest, none; /* none: signed fields */
	} regs[] = {
		{ 4, 0, 0x1101000011110011, 0xff0000 },	  /* PFR0 */
		{ 4, 1, 0x0000000000000021, 0 },	  /* PFR1 */
		{ 5, 0, 0x000f00f000000000, 0 },	  /* DFR0 */
		{ 6, 0, 0x1221111110212120, 0 },	  /* ISAR0 */
		{ 6, 1, 0x0011211111311552, 0 },	  /* ISAR1 */
		{ 6, 2, 0x1000000000005100, 0 },	  /* ISAR2 */
		{ 7, 0, 0x0000100000111122, 0xff000000 }, /* MMFR0 */
		{ 7, 1, 0x0100002001302022, 0 },	  /* MMFR1 */
		{ 7, 2, 0x1021001100001011, 0 },	  /* MMFR2 */
	};

	for (unsigned int crm = 0; crm < 8; crm++) {
		for (unsigned int op2 = 0; op2 < 8; op2++) {
			u64 guest = 0, none = 0;

			fake.idreg[crm][op2] = 0xeeeeeeeeeeeeeeee;
			for (size_t i = 0; i < ARRAY_SIZE(regs); i++)
				if (regs[i].crm == crm && regs[i].op2 == op2) {
					guest = regs[i].guest;
					none = regs[i].none;
				}
			assert_int_equal(idreg_guest_value(crm, op2, 40), guest);
			fake.idreg[crm][op2] = ~0ull;
			assert_int_equal(idreg_guest_value(crm, op2, 40), guest | none);
		}
	}
}

/* What is hidden stays hidden on a CPU that has everything. */
static void hidden_features_are_hidden(void)
{
	static const struct {
		const char *name;
		unsigned int crm, op2, shift;
	} hidden[] = {
		{ "EL3", 4, 0, 12 },  { "SVE", 4, 0, 32 },	{ "SEL2", 4, 0, 36 },
		{ "MPAM", 4, 0, 40 }, { "AMU", 4, 0, 44 },	{ "RME", 4, 0, 52 },
		{ "MTE", 4, 1, 8 },   { "RAS_frac", 4, 1, 12 }, { "SME", 4, 1, 24 },
		{ "ZFR0", 4, 4, 0 },  { "SMFR0", 4, 5, 0 },	{ "PMU", 5, 0, 8 },
		{ "BRPs", 5, 0, 12 }, { "WRPs", 5, 0, 20 },	{ "SPE", 5, 0, 32 },
		{ "TRF", 5, 0, 40 },  { "TRBE", 5, 0, 44 },	{ "BRBE", 5, 0, 52 },
		{ "DFR1", 5, 1, 0 },  { "TME", 6, 0, 24 },	{ "LS64", 6, 1, 60 },
		{ "WFxT", 6, 2, 0 },  { "MOPS", 6, 2, 16 },	{ "FGT", 7, 0, 56 },
		{ "ECV", 7, 0, 60 },  { "VH", 7, 1, 8 },	{ "LO", 7, 1, 16 },
		{ "HCX", 7, 1, 40 },  { "NV", 7, 2, 24 },	{ "FWB", 7, 2, 40 },
		{ "MMFR3", 7, 3, 0 }, { "MMFR4", 7, 4, 0 },
	};

	/* Every signed field of these is at 7, and every other as well. */
	for (unsigned int crm = 0; crm < 8; crm++)
		for (unsigned int op2 = 0; op2 < 8; op2++)
			fake.idreg[crm][op2] = 0x7777777777777777;
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++) {
		u64 value = idreg_guest_value(hidden[i].crm, hidden[i].op2, 40) >> hidden[i].shift;

		if (value & 15)
			fail_msg("%s shows: 0x%lx", hidden[i].name, value & 15);
	}
	assert_int_equal(idreg_guest_value(4, 0, 40) & 0xffff, 0x0011);
}

/* Not implemented in a signed field stays so: FP, AdvSIMD, TGran4. */
static void none_stays_none(void)
{
	fake.idreg[4][0] = 0xff0011;
	assert_int_equal(idreg_guest_value(4, 0, 40), 0xff0011);
	fake.idreg[7][0] = 0xff000000;
	assert_int_equal(idreg_guest_value(7, 0, 40), 0xff000002);
}

/* PARange is the guest's, rounded down to what the architecture can say. */
static void parange_is_the_guests(void)
{
	static const u8 range[][2] = { { 32, 0 }, { 33, 0 }, { 36, 1 }, { 39, 1 }, { 40, 2 },
				       { 41, 2 }, { 42, 3 }, { 44, 4 }, { 47, 4 }, { 48, 5 } };

	fake.idreg[7][0] = 6;
	for (size_t i = 0; i < ARRAY_SIZE(range); i++)
		assert_int_equal(idreg_guest_value(7, 0, range[i][0]) & 15, range[i][1]);
}

/* --- trapped registers --- */

/* The ID space reads as the policy says: reserved ones zero, writes ignored by nobody (they don't trap). */
static void id_registers_are_read(void)
{
	u64 value;

	start();
	for (unsigned int crm = 0; crm < 8; crm++)
		for (unsigned int op2 = 0; op2 < 8; op2++)
			fake.idreg[crm][op2] = 0x1111111111111111;
	for (u64 crm = 1; crm < 8; crm++) {
		for (u64 op2 = 0; op2 < 8; op2++) {
			assert_true(mrs(3, 0, 0, crm, op2, &value));
			assert_int_equal(value, idreg_guest_value(crm, op2, 40));
			if (crm < 4)
				assert_int_equal(value, 0);
		}
	}
	assert_false(mrs(3, 0, 0, 8, 0, &value));
}

static const struct {
	u64 op0, op1, crn, crm, op2, value;
} fixed[] = {
	{ 3, 0, 0, 0, 6, 0 },	       /* REVIDR_EL1 */
	{ 3, 1, 0, 0, 7, 0 },	       /* AIDR_EL1 */
	{ 3, 1, 0, 0, 1, 0x0a200023 }, /* CLIDR_EL1 */
	{ 3, 3, 0, 0, 1, 0xb444c004 }, /* CTR_EL0 */
	{ 2, 0, 0, 0, 4, 0 },	       /* DBGBVR0_EL1 */
	{ 2, 0, 0, 0, 5, 0 },	       /* DBGBCR0_EL1 */
	{ 2, 0, 0, 0, 6, 0 },	       /* DBGWVR0_EL1 */
	{ 2, 0, 0, 0, 7, 0 },	       /* DBGWCR0_EL1 */
	{ 2, 0, 0, 2, 2, 0 },	       /* MDSCR_EL1 */
	{ 2, 0, 1, 1, 4, 0 },	       /* OSLSR_EL1 */
	{ 2, 0, 1, 3, 4, 0 },	       /* OSDLR_EL1 */
	{ 3, 0, 5, 3, 0, 0 },	       /* ERRIDR_EL1 */
	{ 3, 0, 5, 3, 1, 0 },	       /* ERRSELR_EL1 */
	{ 3, 0, 12, 12, 5, 7 },	       /* ICC_SRE_EL1 */
};

/* Registers with a fixed value read as it, before and after a write. */
static void fixed_registers(void)
{
	u64 value;

	start();
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++) {
		for (int round = 0; round < 2; round++) {
			assert_true(mrs(fixed[i].op0, fixed[i].op1, fixed[i].crn, fixed[i].crm,
					fixed[i].op2, &value));
			assert_int_equal(value, fixed[i].value);
			assert_true(msr(fixed[i].op0, fixed[i].op1, fixed[i].crn, fixed[i].crm,
					fixed[i].op2, ~0ull));
		}
	}
}

/* What is not listed is UNDEFINED, read or written: PMU, debug, SVE, MTE, EL2's and implementation defined. */
static void other_registers_are_undefined(void)
{
	static const u8 regs[][5] = {
		{ 3, 3, 9, 12, 0 },  { 3, 3, 9, 13, 0 },  { 3, 0, 9, 14, 1 }, { 3, 3, 14, 8, 0 },
		{ 2, 0, 0, 1, 4 },   { 2, 0, 0, 15, 5 },  { 3, 0, 1, 2, 0 },  { 3, 0, 5, 6, 0 },
		{ 3, 0, 1, 0, 1 },   { 3, 0, 1, 0, 5 },	  { 3, 0, 1, 0, 6 },  { 3, 0, 5, 4, 0 },
		{ 3, 0, 9, 9, 0 },   { 3, 0, 9, 11, 0 },  { 3, 4, 1, 1, 0 },  { 3, 0, 15, 2, 0 },
		{ 3, 7, 15, 15, 7 }, { 3, 0, 10, 4, 4 },  { 2, 1, 0, 0, 1 },  { 3, 0, 12, 9, 6 },
		{ 3, 0, 4, 6, 0 },   { 3, 0, 12, 11, 1 }, { 1, 0, 7, 8, 0 },  { 0, 0, 0, 0, 0 },
		{ 3, 0, 0, 0, 0 },   { 3, 0, 0, 0, 5 },
	};
	u64 value;

	start();
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		const u8 *r = regs[i];

		assert_false(mrs(r[0], r[1], r[2], r[3], r[4], &value));
		assert_false(msr(r[0], r[1], r[2], r[3], r[4], 1));
	}
}

/* Set/way maintenance and the other groups' SGIs are done by doing nothing, and only as writes. */
static void writes_that_do_nothing(void)
{
	static const u8 regs[][5] = { { 3, 0, 12, 11, 6 },
				      { 3, 0, 12, 11, 7 },
				      { 1, 0, 7, 6, 2 },
				      { 1, 0, 7, 10, 2 },
				      { 1, 0, 7, 14, 2 } };
	u64 value;

	start();
	assert_true(msr(2, 0, 1, 0, 4, 0)); /* OSLAR_EL1 */
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		const u8 *r = regs[i];

		assert_true(msr(r[0], r[1], r[2], r[3], r[4], ~0ull));
		assert_false(mrs(r[0], r[1], r[2], r[3], r[4], &value));
	}
}

/* An SGI goes to the host with its value; XZR is zero; it can't be read. */
static void sgis_go_to_the_host(void)
{
	u64 value;

	start();
	regs_of(&vm, 0)->x[7] = 0x100000000020003;
	guest_traps(ESR(EC_SYS64, 3 << 20 | 5 << 17 | 12 << 10 | 7 << 5 | 11 << 1), 0, 0);
	regs_of(&vm, 0)->pc = 0x1000;
	assert_int_equal(run(), STOCKADE_EXIT_SGI);
	assert_int_equal(run_page(&vm, 0)->arg[0], 0x100000000020003);
	assert_int_equal(regs_of(&vm, 0)->pc, 0x1004);
	guest_traps(ESR(EC_SYS64, 3 << 20 | 5 << 17 | 12 << 10 | 31 << 5 | 11 << 1), 0, 0);
	assert_int_equal(run(), STOCKADE_EXIT_SGI);
	assert_int_equal(run_page(&vm, 0)->arg[0], 0);
	assert_false(mrs(3, 0, 12, 11, 5, &value));
}

/* CSSELR chooses the cache that CCSIDR shows; one that is not there shows nothing. */
static void cache_registers(void)
{
	/* CLIDR 0x0a200023: level 1 separate (3), level 2 unified (4), then none. */
	static const bool there[16] = { [0] = true, [1] = true, [2] = true };
	u64 value;

	start();
	for (u64 csselr = 0; csselr < 16; csselr++) {
		assert_true(msr(3, 2, 0, 0, 0, csselr));
		assert_true(mrs(3, 2, 0, 0, 0, &value));
		assert_int_equal(value, csselr);
		assert_true(mrs(3, 1, 0, 0, 0, &value));
		assert_int_equal(value, there[csselr] ? 0xcc51d000 + csselr : 0);
	}
	/* Other bits are not kept. */
	assert_true(msr(3, 2, 0, 0, 0, ~0ull));
	assert_true(mrs(3, 2, 0, 0, 0, &value));
	assert_int_equal(value, 15);
}

/* The first use of a key switches the keys in, and is made again; without the feature it is UNDEFINED. */
static void keys_are_switched_in_on_first_use(void)
{
	struct guest_regs *regs;
	u64 value;

	start();
	regs = regs_of(&vm, 0);
	for (u64 crm = 1; crm < 4; crm++) {
		for (u64 op2 = 0; op2 < 4; op2++) {
			unsigned int before = fake.nr_pauth;

			regs->pc = 0x1000;
			guest_traps(ESR(EC_SYS64, 3 << 20 | op2 << 17 | 2 << 10 | crm << 1), 0, 0);
			assert_int_equal(run(), STOCKADE_EXIT_IRQ);
			assert_int_equal(fake.nr_pauth, before + 1);
			assert_int_equal(regs->pc, 0x1000);
		}
	}
	/* Its neighbours are none. */
	assert_false(mrs(3, 0, 2, 0, 0, &value));
	assert_false(mrs(3, 0, 2, 4, 0, &value));
	assert_false(mrs(3, 0, 2, 1, 4, &value));
	assert_false(mrs(3, 1, 2, 1, 0, &value));
	fake.has_pauth = false;
	assert_false(mrs(3, 0, 2, 1, 0, &value));
	assert_int_equal(fake.nr_pauth, 12);
}

/* Reads into XZR go nowhere. */
static void reads_into_xzr(void)
{
	u64 before[31];

	start();
	memset(regs_of(&vm, 0)->x, 0x5a, sizeof(before));
	memcpy(before, regs_of(&vm, 0)->x, sizeof(before));
	assert_true(access_rt(3, 3, 0, 0, 1, true, 31));
	assert_true(access_rt(3, 2, 0, 0, 0, true, 31));
	assert_true(access_rt(3, 2, 0, 0, 0, false, 31));
	assert_memory_equal(before, regs_of(&vm, 0)->x, sizeof(before));
	assert_int_equal(vm.vm->vcpus[0]->csselr, 0);
}

/* At each level and of each type of cache, CLIDR_EL1.Ctype, also of those that are reserved. */
static void caches_of_all_types(void)
{
	u64 value;

	start();
	for (u64 n = 0; n < 7 * 8; n++) {
		u64 level = n / 8, type = n % 8, csselr = level << 1;
		bool data = type >= 2 && type <= 4, instruction = type == 1 || type == 3;

		fake.clidr = type << (3 * level);
		assert_true(msr(3, 2, 0, 0, 0, csselr));
		assert_true(mrs(3, 1, 0, 0, 0, &value));
		assert_int_equal(value, data ? 0xcc51d000 + csselr : 0);
		assert_true(msr(3, 2, 0, 0, 0, csselr | 1));
		assert_true(mrs(3, 1, 0, 0, 0, &value));
		assert_int_equal(value, instruction ? 0xcc51d001 + csselr : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(policy_is_upstreams_on_max),
		hyp_test(no_field_exceeds_the_cpus),
		hyp_test(every_field_is_limited),
		hyp_test(hidden_features_are_hidden),
		hyp_test(none_stays_none),
		hyp_test(parange_is_the_guests),
		hyp_test(id_registers_are_read),
		hyp_test(fixed_registers),
		hyp_test(other_registers_are_undefined),
		hyp_test(writes_that_do_nothing),
		hyp_test(sgis_go_to_the_host),
		hyp_test(cache_registers),
		hyp_test(caches_of_all_types),
		hyp_test(keys_are_switched_in_on_first_use),
		hyp_test(reads_into_xzr),
	};

	return RUN("hyp-vm-sysreg", tests);
}
