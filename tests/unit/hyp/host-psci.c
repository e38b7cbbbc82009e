// SPDX-License-Identifier: GPL-2.0-only
/* PSCI for the host: every CPU that wakes up, wakes up in the hypervisor. And the other SMCs: an allow-list. */
#include "host/psci.h"

#include <stdio.h>

#include "hyptest.h"

#define ENTRY	0x40212340ull
#define CONTEXT 0x1234ull

static struct host_regs regs;
static s64 answer;

static void firmware(u64 *x)
{
	x[0] = (u64)answer;
}

static s64 smc(u64 x0, u64 x1, u64 x2, u64 x3)
{
	for (unsigned int i = 0; i < 31; i++)
		regs.x[i] = 0x1111 * i;
	regs.x[0] = x0;
	regs.x[1] = x1;
	regs.x[2] = x2;
	regs.x[3] = x3;
	fake.nr_smcs = 0;
	fake.smc = firmware;
	fake.skipped = 0;
	fake.host_esr = ESR(EC_SMC64, 0);
	host_trap(&regs);
	assert_int_equal(fake.skipped, 1);
	return (s64)regs.x[0];
}

static u64 cpu_page(unsigned int cpu)
{
	return fake.launch.cpu[cpu].pages;
}

/* CPU_ON of a CPU that is on, about to be, or unknown: the code, and firmware is not asked. */
static void cpu_on_refusals(void)
{
	static const u64 bad[] = {
		2, 0x200, 0x10000, 1ull << 32, 1ull << 31 | 1, 1ull << 24 | 1, 1ull << 40 | 1, ~0ull
	};

	answer = 0;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(smc(PSCI_CPU_ON_64, bad[i], ENTRY, CONTEXT),
				 PSCI_RET_INVALID_PARAMETERS);
		assert_int_equal(fake.nr_smcs, 0);
	}
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(smc(PSCI_CPU_ON_64, cpu_get(i)->mpidr, ENTRY, CONTEXT),
				 PSCI_RET_ALREADY_ON);
		assert_int_equal(fake.nr_smcs, 0);
	}
	cpu_get(1)->power = CPU_OFF;
	assert_int_equal(smc(PSCI_CPU_ON_64, 1, ENTRY, CONTEXT), 0);
	assert_int_equal(smc(PSCI_CPU_ON_64, 1, 0xbad, 0xbad), PSCI_RET_ON_PENDING);
	assert_int_equal(fake.nr_smcs, 0);
	assert_int_equal(cpu_get(1)->resume_entry, ENTRY);
}

/* CPU_ON starts the CPU in the hypervisor, which then enters the host where it wanted; the mode is hidden. */
static void cpu_on_goes_through_el2(void)
{
	struct host_regs entered;

	answer = 0;
	cpu_get(2)->power = CPU_OFF;
	assert_int_equal(smc(PSCI_CPU_ON_64, 0x100, ENTRY, CONTEXT), 0);
	assert_int_equal(fake.nr_smcs, 1);
	assert_int_equal(fake.smcs[0][0], PSCI_CPU_ON_64);
	assert_int_equal(fake.smcs[0][1], 0x100);
	assert_int_equal(fake.smcs[0][2], FAKE_IMAGE);
	assert_int_equal(fake.smcs[0][3], cpu_page(2));
	for (unsigned int i = 4; i < 18; i++)
		assert_int_equal(fake.smcs[0][i], 0);
	assert_int_equal(cpu_get(2)->power, CPU_ON_PENDING);

	fake_cpu(2);
	memset(&entered, 0x5a, sizeof(entered));
	psci_cpu_is_on(cpu_get(2), &entered);
	assert_int_equal(cpu_get(2)->power, CPU_ON);
	assert_int_equal(fake.host_entry, ENTRY);
	assert_int_equal(entered.x[0], CONTEXT);
	for (unsigned int i = 1; i < 31; i++)
		assert_int_equal(entered.x[i], 0);
	assert_int_equal(fake.steps_started, 1);
}

/* Firmware refuses: the CPU is off as it was, and the code is firmware's. */
static void cpu_on_that_firmware_refuses(void)
{
	answer = PSCI_RET_INTERNAL_FAILURE;
	cpu_get(1)->power = CPU_OFF;
	assert_int_equal(smc(PSCI_CPU_ON_64, 1, ENTRY, CONTEXT), PSCI_RET_INTERNAL_FAILURE);
	assert_int_equal(cpu_get(1)->power, CPU_OFF);
	answer = 0;
	assert_int_equal(smc(PSCI_CPU_ON_64, 1, ENTRY, CONTEXT), 0);
}

/* The 32-bit call has 32-bit arguments, and firmware gets the 64-bit one, for the hypervisor's entry. */
static void cpu_on_32(void)
{
	answer = 0;
	cpu_get(1)->power = CPU_OFF;
	assert_int_equal(smc(PSCI_CPU_ON_32, 0xff00000001, 0xff00000000 | ENTRY, 0xff00001234), 0);
	assert_int_equal(fake.smcs[0][0], PSCI_CPU_ON_64);
	assert_int_equal(cpu_get(1)->resume_entry, ENTRY);
	assert_int_equal(cpu_get(1)->resume_context, 0x1234);
}

static unsigned int power_at_firmware;

static void firmware_denies(u64 *x)
{
	power_at_firmware = this_cpu()->power;
	x[0] = (u64)PSCI_RET_DENIED;
}

/* CPU_OFF takes the guest out of the CPU first; it is off for who starts it then. If firmware denies it, it is on. */
static void cpu_off(void)
{
	struct test_vm vm = make_vm(1);

	load(&vm, 0);
	answer = PSCI_RET_DENIED;
	assert_int_equal(smc(PSCI_CPU_OFF, 0, 0, 0), PSCI_RET_DENIED);
	assert_int_equal(regs.x[1], 0);
	assert_int_equal(fake.smcs[0][0], PSCI_CPU_OFF);
	assert_null(this_cpu()->vcpu);
	assert_null(fake.loaded[0]);
	assert_int_equal(this_cpu()->power, CPU_ON);
	fake.smc = firmware_denies;
	regs.x[0] = PSCI_CPU_OFF;
	host_trap(&regs);
	assert_int_equal(regs.x[0], PSCI_RET_DENIED);
	assert_int_equal(power_at_firmware, CPU_OFF);
	assert_int_equal(this_cpu()->power, CPU_ON);
}

/* Suspend: firmware gets the hypervisor's entry, never the host's; a guest is taken out of the CPU. */
static void suspends_come_back_through_el2(void)
{
	static const struct {
		u32 function;
		unsigned int entry;
		bool narrow;
	} calls[] = { { PSCI_CPU_SUSPEND_64, 2, false },
		      { PSCI_CPU_SUSPEND_32, 2, true },
		      { PSCI_SYSTEM_SUSPEND_64, 1, false },
		      { PSCI_SYSTEM_SUSPEND_32, 1, true } };
	const u64 entry = 0xabc40212341, context = 0xabc00005679;

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		u64 mask = calls[i].narrow ? 0xffffffff : ~0ull;
		unsigned int n = calls[i].entry;
		u64 x[4] = { calls[i].function, 0x10001, 0, 0 };
		struct test_vm vm = make_vm(1);

		load(&vm, 0);
		x[n] = entry;
		x[n + 1] = context;
		/* Firmware's answer is the host's. */
		answer = i % 2 ? PSCI_RET_DENIED : 0;
		assert_int_equal(smc(x[0], x[1], x[2], x[3]), answer);
		assert_null(this_cpu()->vcpu);
		assert_int_equal(fake.nr_smcs, 1);
		assert_int_equal(fake.smcs[0][0], calls[i].function | 0x40000000);
		if (n == 2)
			assert_int_equal(fake.smcs[0][1], 0x10001);
		assert_int_equal(fake.smcs[0][n], FAKE_IMAGE);
		assert_int_equal(fake.smcs[0][n + 1], cpu_page(0));
		assert_int_equal(this_cpu()->resume_entry, entry & mask);
		assert_int_equal(this_cpu()->resume_context, context & mask);
		end_vm(&vm);
	}
}

/* Every function of PSCI's range: no address of the host's reaches firmware, what is unknown does not at all. */
static void no_entry_of_the_hosts_reaches_firmware(void)
{
	static const u32 as_they_are[] = {
		PSCI_VERSION,
		PSCI_AFFINITY_INFO_32,
		PSCI_AFFINITY_INFO_64,
		PSCI_MIGRATE_32,
		PSCI_MIGRATE_64,
		PSCI_MIGRATE_INFO_TYPE,
		PSCI_MIGRATE_INFO_UP_CPU32,
		PSCI_MIGRATE_INFO_UP_CPU64,
		PSCI_FEATURES,
		PSCI_SET_SUSPEND_MODE,
		PSCI_SYSTEM_OFF,
		PSCI_SYSTEM_RESET,
		PSCI_SYSTEM_RESET2_32,
		PSCI_SYSTEM_RESET2_64,
		PSCI_SYSTEM_OFF2_32,
		PSCI_SYSTEM_OFF2_64,
		PSCI_CPU_OFF,
	};

	answer = 0;
	cpu_get(3)->power = CPU_OFF;
	for (u32 f = 0; f < 0x20; f++) {
		for (u32 wide = 0; wide < 2; wide++) {
			u32 function = 0x84000000 | f | wide << 30;
			bool as_it_is = false;

			for (size_t i = 0; i < ARRAY_SIZE(as_they_are); i++)
				as_it_is |= as_they_are[i] == function;
			smc(function, 0xbad001, 0xbad002, 0xbad003);
			for (unsigned int s = 0; s < fake.nr_smcs && !as_it_is; s++)
				for (unsigned int x = 0; x < 18; x++)
					if (fake.smcs[s][x] == 0xbad001 + x - 1 && x != 1)
						fail_msg("0x%x hands on x%u", function, x);
			if (as_it_is)
				assert_int_equal(fake.nr_smcs, 1);
		}
	}
}

/* What the proxy does not know, it does not offer either, whatever firmware says. */
static void features_are_the_proxys(void)
{
	u32 offered = 0;

	for (u32 f = 0; f < 0x20; f++) {
		for (u32 wide = 0; wide < 2; wide++) {
			u32 function = 0x84000000 | f | wide << 30;
			bool known, known_to_features;

			answer = 0;
			known_to_features = !smc(PSCI_FEATURES, function, 0, 0);
			if (!known_to_features)
				assert_int_equal(regs.x[0], PSCI_RET_NOT_SUPPORTED);
			assert_int_equal(regs.x[1], function);
			assert_int_equal(fake.nr_smcs, known_to_features);
			/* An answer that none of them gives by itself. */
			answer = 0x77;
			cpu_get(3)->power = CPU_OFF;
			known = (s64)smc(function, 0, 0, 0) != PSCI_RET_NOT_SUPPORTED;
			if (known != known_to_features)
				fail_msg("0x%x is %soffered", function, known ? "not " : "");
			offered += known;
		}
	}
	assert_int_equal(offered, 23);
	/* No PSCI function: firmware's business. */
	answer = 5;
	assert_int_equal(smc(PSCI_FEATURES, SMCCC_VERSION, 0, 0), 5);
}

/* --- hiding the mode: 0xe11 becomes 0xe12, within 64 instructions --- */

static void step(u64 x0)
{
	regs.x[0] = x0;
	fake.host_esr = ESR(EC_SOFTSTP, 0);
	host_trap(&regs);
	assert_int_equal(fake.undefs, 0);
}

static void the_boot_mode_is_changed(void)
{
	psci_cpu_is_on(this_cpu(), &regs);
	for (unsigned int i = 0; i < 20; i++)
		step(i);
	assert_int_equal(fake.steps_stopped, 0);
	assert_int_equal(fake.steps, 20);
	step(0xffffffff00000e11);
	assert_int_equal((u32)regs.x[0], 0xe12);
	assert_int_equal(fake.steps_stopped, 1);
	/* Only once. A step that nobody wanted is the last. */
	step(0xe11);
	assert_int_equal(regs.x[0], 0xe11);
	assert_int_equal(fake.steps_stopped, 2);
	step(0);
	assert_int_equal(fake.steps_stopped, 3);
	assert_int_equal(fake.steps, 20);
}

static void stepping_ends(void)
{
	/* Anew each time that the CPU comes up. */
	for (unsigned int times = 0; times < 2; times++) {
		psci_cpu_is_on(this_cpu(), &regs);
		for (unsigned int i = 0; i < 63; i++)
			step(0x77);
		assert_int_equal(fake.steps_stopped, times);
		step(0x77);
		assert_int_equal(regs.x[0], 0x77);
		assert_int_equal(fake.steps_stopped, times + 1);
		assert_false(this_cpu()->stepping);
	}
}

/* --- other SMCs --- */

static bool is_allowed(u32 function)
{
	static const u32 allowed[] = { 0x80000000, 0x80000001, 0x80000002, 0x80008000,
				       0x80007fff, 0x80003fff, 0x84000050, 0x84000051,
				       0x84000052, 0x84000053, 0xc4000053 };

	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		if (allowed[i] == function)
			return true;
	return false;
}

/* Of each owner's range, every low number and the edges: only those that name no memory reach firmware. */
static void smcs_are_an_allow_list(void)
{
	answer = 0;
	for (u32 owner = 0; owner < 0x80; owner++) {
		for (u32 low = 0; low < 0x400; low++) {
			static const u32 tops[] = { 0, 0x80000000, 0x40000000, 0xc0000000 };

			for (size_t t = 0; t < ARRAY_SIZE(tops); t++) {
				/* 0 to 0x1ff, and the last 0x200. */
				u32 number = low < 0x200 ? low : 0xfc00 + low;
				u32 function = tops[t] | owner << 24 | number;

				if (psci_is_function(function))
					continue;
				smc(function, 1, 2, 3);
				if (fake.nr_smcs != is_allowed(function))
					fail_msg("0x%x was %sdenied", function,
						 fake.nr_smcs ? "not " : "");
				if (!fake.nr_smcs)
					assert_int_equal(regs.x[0], ~0ull);
			}
		}
	}
	for (u64 function = 0x80000000; function < 0x80010000; function++) {
		smc(function, 0, 0, 0);
		assert_int_equal(fake.nr_smcs, is_allowed((u32)function));
	}
}

/* An allowed one goes with x0 to x17 and comes back with them. */
static void allowed_smcs_are_forwarded(void)
{
	answer = 0x77;
	assert_int_equal(smc(0x80000001, 0x80008000, 2, 3), 0x77);
	for (unsigned int i = 4; i < 18; i++)
		assert_int_equal(fake.smcs[0][i], 0x1111 * i);
	assert_int_equal(regs.x[20], 0x1111 * 20);
}

/* FEAT_SVE's hint in the function number does not change what is allowed. */
static void the_sve_hint_is_no_part_of_the_number(void)
{
	answer = 0;
	smc(0x80010001, 0, 0, 0);
	assert_int_equal(fake.nr_smcs, 1);
	smc(0xb2010001, 0, 0, 0);
	assert_int_equal(fake.nr_smcs, 0);
	cpu_get(1)->power = CPU_OFF;
	assert_int_equal(smc(PSCI_CPU_ON_64 | 0x10000, 1, ENTRY, CONTEXT), 0);
	assert_int_equal(fake.nr_smcs, 1);
	assert_int_equal(fake.smcs[0][2], FAKE_IMAGE);
	assert_int_equal(smc(PSCI_CPU_SUSPEND_64 | 0x10000, 0, ENTRY, CONTEXT), 0);
	assert_int_equal(fake.smcs[0][2], FAKE_IMAGE);
}

/* SMC with another immediate is nobody's. */
static void smc_with_an_immediate(void)
{
	regs.x[0] = 0x80000000;
	fake.host_esr = ESR(EC_SMC64, 1);
	host_trap(&regs);
	assert_int_equal(fake.nr_smcs, 0);
	assert_int_equal(regs.x[0], ~0ull);
}

/* Each denied function is logged once, sixteen of them: the host can't flood its log. */
static void denials_are_logged_once(void)
{
	const struct stockade_log *ring = fake_ram(fake.launch.log);
	u32 before = ring->head, head;
	char text[64];

	for (int i = 0; i < 10; i++)
		smc(0xb2000001, 0, 0, 0);
	assert_true(logged("denied the host an SMC, function 0xb2000001\n"));
	head = ring->head;
	assert_true(head - before < 100);
	for (u32 i = 0; i < 100; i++) {
		smc(0xb2000100 + i, 0, 0, 0);
		snprintf(text, sizeof(text), "function 0x%x\n", 0xb2000100 + i);
		assert_int_equal(logged(text), i < 15);
	}
	head = ring->head;
	/* The last and the first that were logged. */
	smc(0xb2000001, 0, 0, 0);
	smc(0xb200010e, 0, 0, 0);
	assert_int_equal(ring->head, head);
}

/* Function 0 too. */
static void function_0_is_logged_once(void)
{
	const struct stockade_log *ring = fake_ram(fake.launch.log);
	u32 head;

	smc(0, 0, 0, 0);
	head = ring->head;
	for (int i = 0; i < 10; i++)
		smc(0, 0, 0, 0);
	assert_int_equal(ring->head, head);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(cpu_on_refusals),
		hyp_test(cpu_on_goes_through_el2),
		hyp_test(cpu_on_that_firmware_refuses),
		hyp_test(cpu_on_32),
		hyp_test(cpu_off),
		hyp_test(suspends_come_back_through_el2),
		hyp_test(no_entry_of_the_hosts_reaches_firmware),
		hyp_test(features_are_the_proxys),
		hyp_test(the_boot_mode_is_changed),
		hyp_test(stepping_ends),
		hyp_test(smcs_are_an_allow_list),
		hyp_test(allowed_smcs_are_forwarded),
		hyp_test(the_sve_hint_is_no_part_of_the_number),
		hyp_test(smc_with_an_immediate),
		hyp_test(denials_are_logged_once),
		hyp_test(function_0_is_logged_once),
	};

	return RUN("hyp-host-psci", tests);
}
