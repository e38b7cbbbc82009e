// SPDX-License-Identifier: GPL-2.0-only
/* PSCI for guests. */
#include "hyptest.h"

static struct test_vm vm;

/* Three vCPUs, 0 loaded and on, 1 and 2 off. */
static void start(void)
{
	vm = make_vm(3);
	assert_ret(hc(STOCKADE_HC_VCPU_SET_REG, vm.handle, 1, STOCKADE_REG_POWER_OFF, 1), 0);
	assert_ret(hc(STOCKADE_HC_VCPU_SET_REG, vm.handle, 2, STOCKADE_REG_POWER_OFF, 1), 0);
	load(&vm, 0);
}

static unsigned int reason;

/* By the vCPU that is loaded. */
static s64 call_of(unsigned int vcpu, u64 function, u64 x1, u64 x2, u64 x3)
{
	guest_calls(function, x1, x2, x3);
	reason = run();
	return (s64)regs_of(&vm, vcpu)->x[0];
}

static s64 call(u64 function, u64 x1, u64 x2, u64 x3)
{
	return call_of(0, function, x1, x2, x3);
}

/* CPU_ON of what is not there, is on, or is about to be: the code, and no word to the host. */
static void cpu_on_refusals(void)
{
	static const u64 bad[] = { 3,	     0x10,    0x100,   0x10000, 1ull << 32, 1ull << 31 | 1,
				   0xff0001, BIT(40), BIT(63), ~0ull };

	start();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(call(PSCI_CPU_ON_64, bad[i], 0x1000, 0),
				 PSCI_RET_INVALID_PARAMETERS);
		assert_int_equal(reason, STOCKADE_EXIT_IRQ);
	}
	assert_int_equal(call(PSCI_CPU_ON_64, 0, 0x1000, 0), PSCI_RET_ALREADY_ON);
	assert_int_equal(reason, STOCKADE_EXIT_IRQ);
	assert_int_equal(call(PSCI_CPU_ON_64, 1, 0x1000, 0), 0);
	assert_int_equal(reason, STOCKADE_EXIT_CPU_ON);
	assert_int_equal(call(PSCI_CPU_ON_64, 1, 0x2000, 0), PSCI_RET_ON_PENDING);
	assert_int_equal(reason, STOCKADE_EXIT_IRQ);
	/* It starts where the first call said. */
	assert_ret(hc(STOCKADE_HC_VCPU_PUT), 0);
	load(&vm, 1);
	run();
	assert_int_equal(regs_of(&vm, 1)->pc, 0x1000);
}

/* A CPU that was turned on starts out of reset, with its entry and context alone, and keeps its vGIC. */
static void cpu_on_starts_from_reset(void)
{
	struct guest_regs *regs;

	start();
	regs = regs_of(&vm, 2);
	memset(regs->x, 0x5a, sizeof(regs->x));
	regs->el1.ttbr0 = regs->el1.sctlr = regs->pauth.key[3] = 0x5a5a;
	regs->gic.vmcr = 0x77;
	assert_int_equal(call(PSCI_CPU_ON_64, 2, 0xffff000080001000, 0x1234567890abcdef), 0);
	assert_int_equal(run_page(&vm, 0)->arg[0], 2);
	/* Not before it runs. */
	assert_int_equal(regs->x[5], 0x5a5a5a5a5a5a5a5a);
	assert_ret(hc(STOCKADE_HC_VCPU_PUT), 0);
	load(&vm, 2);
	assert_int_equal(run(), STOCKADE_EXIT_IRQ);
	assert_int_equal(regs->pc, 0xffff000080001000);
	assert_int_equal(regs->x[0], 0x1234567890abcdef);
	for (unsigned int i = 1; i < 31; i++)
		assert_int_equal(regs->x[i], 0);
	assert_int_equal(regs->el1.ttbr0, 0);
	assert_int_equal(regs->el1.sctlr, 0x30d00800);
	assert_int_equal(regs->pauth.key[3], 0);
	assert_int_equal(regs->gic.vmcr, 0x77);
	assert_int_equal(regs->pstate, PSR_EL1H | PSR_DAIF);
	assert_int_equal(regs->mpidr & 0xffffff, 2);
	/* Once: it is on now. */
	regs->x[5] = 0x5a5a;
	assert_int_equal(call_of(2, PSCI_AFFINITY_INFO_64, 2, 0, 0), PSCI_AFFINITY_ON);
	assert_int_equal(regs->x[5], 0x5a5a);
	assert_int_equal(((struct vcpu *)regs)->power, VCPU_ON);
}

/* The 32-bit call sees 32 bits of each argument. */
static void cpu_on_32(void)
{
	start();
	assert_int_equal(call(PSCI_CPU_ON_32, 0xdead00000001, 0xdead80001000, 0xdead00001234), 0);
	assert_int_equal(reason, STOCKADE_EXIT_CPU_ON);
	assert_ret(hc(STOCKADE_HC_VCPU_PUT), 0);
	load(&vm, 1);
	run();
	assert_int_equal(regs_of(&vm, 1)->pc, 0x80001000);
	assert_int_equal(regs_of(&vm, 1)->x[0], 0x1234);
}

/* AFFINITY_INFO says off, pending, on; anything else is invalid. */
static void affinity_info(void)
{
	start();
	assert_int_equal(call(PSCI_AFFINITY_INFO_64, 0, 0, 0), PSCI_AFFINITY_ON);
	assert_int_equal(call(PSCI_AFFINITY_INFO_64, 1, 0, 0), PSCI_AFFINITY_OFF);
	call(PSCI_CPU_ON_64, 1, 0, 0);
	assert_int_equal(call(PSCI_AFFINITY_INFO_64, 1, 0, 0), PSCI_AFFINITY_ON_PENDING);
	assert_int_equal(call(PSCI_AFFINITY_INFO_32, 0xff00000001, 0xff00000000, 0),
			 PSCI_AFFINITY_ON_PENDING);
	assert_int_equal(call(PSCI_AFFINITY_INFO_32, 1, 0, 7), PSCI_AFFINITY_ON_PENDING);
	assert_int_equal(call(PSCI_AFFINITY_INFO_32, 1, 7, 0), PSCI_RET_INVALID_PARAMETERS);
	assert_int_equal(call(PSCI_AFFINITY_INFO_64, 3, 0, 0), PSCI_RET_INVALID_PARAMETERS);
	assert_int_equal(call(PSCI_AFFINITY_INFO_64, 0, 1, 0), PSCI_RET_INVALID_PARAMETERS);
	assert_int_equal(call(PSCI_AFFINITY_INFO_64, 0, BIT(32), 0), PSCI_RET_INVALID_PARAMETERS);
	assert_int_equal(call(PSCI_AFFINITY_INFO_64, BIT(31), 0, 0), PSCI_RET_INVALID_PARAMETERS);
}

/* A CPU that turns itself off stays off until it is turned on. */
static void cpu_off(void)
{
	start();
	call(PSCI_CPU_ON_64, 1, 0x1000, 0);
	call(PSCI_CPU_OFF, 0, 0, 0);
	assert_int_equal(reason, STOCKADE_EXIT_CPU_OFF);
	assert_int_equal(run(), STOCKADE_EXIT_CPU_OFF);
	fake_cpu(1);
	load(&vm, 1);
	guest_calls(PSCI_AFFINITY_INFO_64, 0, 0, 0);
	run();
	assert_int_equal(regs_of(&vm, 1)->x[0], PSCI_AFFINITY_OFF);
	guest_calls(PSCI_CPU_ON_64, 0, 0x4000, 0x42);
	assert_int_equal(run(), STOCKADE_EXIT_CPU_ON);
	fake_cpu(0);
	assert_int_equal(run(), STOCKADE_EXIT_IRQ);
	assert_int_equal(regs_of(&vm, 0)->pc, 0x4000);
	assert_int_equal(regs_of(&vm, 0)->x[0], 0x42);
}

/* After SYSTEM_OFF or SYSTEM_RESET no vCPU of the VM runs again. */
static void the_end_of_a_vm(void)
{
	static const u32 calls[] = { PSCI_SYSTEM_OFF, PSCI_SYSTEM_RESET };

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		unsigned int entries;

		boot_again();
		start();
		call(PSCI_CPU_ON_64, 1, 0x1000, 0);
		call(calls[i], 0, 0, 0);
		assert_int_equal(reason, i ? STOCKADE_EXIT_SYSTEM_RESET : STOCKADE_EXIT_SYSTEM_OFF);
		entries = fake.nr_entries;
		assert_int_equal(run(), STOCKADE_EXIT_DEAD);
		assert_ret(hc(STOCKADE_HC_VCPU_PUT), 0);
		for (unsigned int v = 0; v < 3; v++) {
			load(&vm, v);
			assert_int_equal(run(), STOCKADE_EXIT_DEAD);
			assert_ret(hc(STOCKADE_HC_VCPU_PUT), 0);
		}
		assert_int_equal(fake.nr_entries, entries);
		assert_refused(hc(STOCKADE_HC_VCPU_SET_REG, vm.handle, 0, 0, 1), STOCKADE_EPERM);
		end_vm(&vm);
	}
}

/* CPU_SUSPEND is WFI. */
static void cpu_suspend(void)
{
	start();
	assert_int_equal(call(PSCI_CPU_SUSPEND_64, 0x10000, 0x1000, 0), 0);
	assert_int_equal(reason, STOCKADE_EXIT_WFI);
	assert_int_equal(call(PSCI_CPU_SUSPEND_32, 0, 0, 0), 0);
	assert_int_equal(reason, STOCKADE_EXIT_WFI);
}

/* What there is, says FEATURES; what there is not, is not supported, nor is anything else in the range. */
static void functions_and_features(void)
{
	static const u32 there[] = {
		PSCI_VERSION,	       PSCI_CPU_SUSPEND_32,   PSCI_CPU_SUSPEND_64,
		PSCI_CPU_OFF,	       PSCI_CPU_ON_32,	      PSCI_CPU_ON_64,
		PSCI_AFFINITY_INFO_32, PSCI_AFFINITY_INFO_64, PSCI_MIGRATE_INFO_TYPE,
		PSCI_SYSTEM_OFF,       PSCI_SYSTEM_RESET,     PSCI_FEATURES,
	};

	start();
	assert_int_equal(call(PSCI_VERSION, 0, 0, 0), 0x10001);
	assert_int_equal(call(PSCI_MIGRATE_INFO_TYPE, 0, 0, 0), 2);
	assert_int_equal(call(PSCI_FEATURES, SMCCC_VERSION, 0, 0), 0);
	for (u32 f = 0; f < 0x20; f++) {
		for (u32 wide = 0; wide < 2; wide++) {
			u32 function = 0x84000000 | f | wide << 30;
			bool known = false;

			for (size_t i = 0; i < ARRAY_SIZE(there); i++)
				known |= there[i] == function;
			assert_int_equal(call(PSCI_FEATURES, function, 0, 0), known ? 0 : -1);
			if (!known)
				assert_int_equal(call(function, 0, 0, 0), -1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(cpu_on_refusals), hyp_test(cpu_on_starts_from_reset),
		hyp_test(cpu_on_32),	   hyp_test(affinity_info),
		hyp_test(cpu_off),	   hyp_test(the_end_of_a_vm),
		hyp_test(cpu_suspend),	   hyp_test(functions_and_features),
	};

	return RUN("hyp-vm-psci", tests);
}
