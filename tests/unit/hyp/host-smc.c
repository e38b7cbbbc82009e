// SPDX-License-Identifier: GPL-2.0-only
/* SMCs of the host that are neither PSCI nor FF-A, with allow_tos and without; SDEI. */
#include "host/smc.h"

#include "hyptest.h"

static void firmware(u64 *x)
{
	x[0] = 0x600d;
}

static bool passes(u64 function)
{
	struct host_regs regs;
	unsigned int smcs = fake.nr_smcs;
	bool passed;

	for (unsigned int i = 0; i < 31; i++)
		regs.x[i] = 0x1111 * i;
	regs.x[0] = function;
	fake.host_esr = ESR(EC_SMC64, 0);
	fake.abort.other = true;
	host_trap(&regs);
	/* It was no abort. */
	assert_int_equal(fake.faults[HOST_FAULT_EXTERNAL], 0);
	passed = fake.nr_smcs != smcs;
	assert_int_equal(regs.x[0], passed ? 0x600d : ~0ull);
	if (passed && smcs < FAKE_MAX_SMCS) {
		assert_int_equal(fake.smcs[smcs][0], function);
		for (unsigned int i = 1; i < 18; i++)
			assert_int_equal(fake.smcs[smcs][i], 0x1111 * i);
	}
	return passed;
}

static void boot(u32 flags)
{
	const struct fake_config config = { .flags = flags };

	boot_again_as(&config);
	fake.smc = firmware;
}

/*
 * Every owner, fast and yielding, 32 and 64 bits, first and last function. With allow_tos: SiP, OEM, trusted
 * applications and OSes; the others never. Guards host_smc(): tos_allowed && is_of_trusted_os().
 */
static void owners(void)
{
	for (u32 allowed = 0; allowed < 2; allowed++) {
		/* No other flag allows it. */
		boot(allowed ? STOCKADE_LAUNCH_ALLOW_TOS : ~(u32)STOCKADE_LAUNCH_ALLOW_TOS);
		for (u32 kind = 0; kind < 4; kind++) {
			for (u32 owner = 0; owner < 64; owner++) {
				u32 base = kind << 30 | owner << 24;
				bool tos = owner == 2 || owner == 3 || owner >= 48;

				assert_int_equal(passes(base | 0xff00), allowed && tos);
				assert_int_equal(passes(base | 0xffff), allowed && tos);
				assert_int_equal(passes(base | 0x1ff00), allowed && tos);
				if (tos)
					assert_int_equal(passes(base), allowed);
				/* Only the low half is the number. */
				assert_int_equal(passes(0xabcd00000000 | base | 0xff00),
						 allowed && tos);
			}
		}
	}
}

/* allow_tos opens neither SDEI nor what PSCI and FF-A refuse. */
static void standard_services_stay_closed(void)
{
	boot(STOCKADE_LAUNCH_ALLOW_TOS);
	for (u32 n = 0x20; n < 0x50; n++) {
		assert_false(passes(0x84000000 | n));
		assert_false(passes(0xc4000000 | n));
	}
	for (u32 n = 0x100; n < 0x200; n++) {
		assert_false(passes(0x84000000 | n));
		assert_false(passes(0xc4000000 | n));
	}
	assert_false(passes(0x84000074)); /* FFA_MEM_RETRIEVE_REQ */
}

static s64 sdei_version;

static void firmware_with_sdei(u64 *x)
{
	x[0] = x[0] == 0xc4000020 ? (u64)sdei_version : 0;
}

/* DEN0054: masked first, then the CPU's own events are reset, then those of all. Guards smc_stop_sdei(). */
static void sdei_is_stopped(void)
{
	static const u32 calls[] = { 0xc4000020, 0xc400002b, 0xc4000031, 0xc4000032 };

	fake.smc = firmware_with_sdei;
	/* Any version: 0.0 too. */
	for (u64 version = 0; version < 2; version++) {
		sdei_version = (s64)version << 48;
		fake.nr_smcs = 0;
		smc_stop_sdei();
		assert_int_equal(fake.nr_smcs, 4);
		for (u32 i = 0; i < 4; i++)
			assert_smc(i, calls[i]);
	}
	/* Not there: not called. */
	fake.nr_smcs = 0;
	sdei_version = -1;
	smc_stop_sdei();
	assert_int_equal(fake.nr_smcs, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(owners),
		hyp_test(standard_services_stay_closed),
		hyp_test(sdei_is_stopped),
	};

	return RUN("hyp-host-smc", tests);
}
