// SPDX-License-Identifier: GPL-2.0-only
/* A guest's calls. */
#include "arch/random.h"
#include "hyptest.h"

#define INVALID	 ((u64)SMCCC_RET_INVALID_PARAMETER)
#define NOT_HERE ((u64)SMCCC_RET_NOT_SUPPORTED)

static struct test_vm vm;
static unsigned int reason;

static void start(void)
{
	vm = make_vm(1);
	load(&vm, 0);
	regs_of(&vm, 0)->pc = 0x1004;
	regs_of(&vm, 0)->el1.vbar = 0x80000;
}

static u64 call(u64 function, u64 x1, u64 x2, u64 x3)
{
	guest_calls(function, x1, x2, x3);
	reason = run();
	return regs_of(&vm, 0)->x[0];
}

/* Functions that nobody has. */
static void unknown_calls_are_not_supported(void)
{
	static const u64 unknown[] = {
		0,	    1,		0x80000003, 0x84000020, 0x84000054, 0xc4000054, 0x86000001,
		0x86000002, 0xc6000000, 0xc6000001, 0xc6000005, 0xc6000006, 0xc6000008, 0xc600000a,
		0xc600003f, 0xc6005300, 0xc600530b, 0xbf00ff01, 0xc5000020, 0xffffffff, ~0ull,
	};

	start();
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		assert_int_equal(call(unknown[i], 1, 2, 3), NOT_HERE);
		assert_int_equal(reason, STOCKADE_EXIT_IRQ);
	}
	assert_int_equal(fake.nr_smcs, 0);
}

/* Who we are: SMCCC 1.1, KVM's vendor service with its UID and features. */
static void identification(void)
{
	const struct guest_regs *regs;

	start();
	regs = regs_of(&vm, 0);
	assert_int_equal(call(SMCCC_VERSION, 0, 0, 0), 0x10001);
	assert_int_equal(reason, STOCKADE_EXIT_IRQ);
	assert_int_equal(call(GUESTCALL_VENDOR_UID, 0, 0, 0), 0xb66fb428);
	assert_int_equal(regs->x[1], 0xe911c52e);
	assert_int_equal(regs->x[2], 0x564bcaa9);
	assert_int_equal(regs->x[3], 0x743a004d);
	assert_int_equal(reason, STOCKADE_EXIT_IRQ);
	/* FEATURES, MEMINFO, SHARE, UNSHARE, MMIO_GUARD, RELINQUISH. */
	assert_int_equal(call(GUESTCALL_KVM_FEATURES, 7, 7, 7),
			 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 7 | 1 << 9);
	assert_int_equal(reason, STOCKADE_EXIT_IRQ);
	assert_int_equal(regs->x[1], 0);
	assert_int_equal(regs->x[2], 0);
	assert_int_equal(regs->x[3], 0);
	assert_int_equal(call(GUESTCALL_HYP_MEMINFO, 0, 0, 0), PAGE_SIZE);
	assert_int_equal(reason, STOCKADE_EXIT_IRQ);
	assert_int_equal(call(GUESTCALL_HYP_MEMINFO, 1, 0, 0), INVALID);
	assert_int_equal(call(GUESTCALL_HYP_MEMINFO, 0, 1, 0), INVALID);
	assert_int_equal(call(GUESTCALL_HYP_MEMINFO, 0, 0, 1), INVALID);
}

/* Memory calls with nonsense: refused, nothing changes. */
static void bad_memory_calls(void)
{
	static const u64 calls[] = { GUESTCALL_MEM_SHARE, GUESTCALL_MEM_UNSHARE,
				     GUESTCALL_MEM_RELINQUISH, GUESTCALL_MMIO_GUARD };
	pa_t pa;

	start();
	pa = donated_page(&vm, 0x5000);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		assert_int_equal(call(calls[i], 0x5001, 0, 0), INVALID);
		assert_int_equal(call(calls[i], 0x5000, 1, 0), INVALID);
		assert_int_equal(call(calls[i], 0x5000, 0, 1), INVALID);
		assert_int_equal(call(calls[i], BIT(40), 0, 0), INVALID);
		assert_int_equal(call(calls[i], ~0ull, 0, 0), INVALID);
		assert_int_equal(call(calls[i], BIT(40) + 0x5000, 0, 0), INVALID);
		assert_int_equal(reason, STOCKADE_EXIT_IRQ);
		assert_state(pa, PAGE_GUEST);
	}
	/* Where they would work but for an argument that must be 0; and more arguments there are not. */
	regs_of(&vm, 0)->x[4] = 0x5ec2e7;
	donated_page(&vm, 0x7000);
	assert_int_equal(call(GUESTCALL_MEM_SHARE, 0x7000, 0, 0), 0);
	assert_int_equal(call(GUESTCALL_MEM_UNSHARE, 0x7000, 1, 0), INVALID);
	assert_int_equal(call(GUESTCALL_MEM_UNSHARE, 0x7000, 0, 1), INVALID);
	assert_int_equal(call(GUESTCALL_MEM_UNSHARE, 0x7000, 0, 0), 0);
	assert_int_equal(call(GUESTCALL_MMIO_GUARD, 0x8000, 1, 0), INVALID);
	assert_int_equal(call(GUESTCALL_MMIO_GUARD, 0x8000, 0, 1), INVALID);
	assert_int_equal(call(GUESTCALL_MMIO_GUARD, 0x8000, 0, 0), 0);
	assert_int_equal(call(GUESTCALL_MEM_RELINQUISH, 0x7000, 1, 0), INVALID);
	assert_int_equal(call(GUESTCALL_MEM_RELINQUISH, 0x7000, 0, 1), INVALID);
	assert_int_equal(call(GUESTCALL_MEM_UNSHARE, 0x5000, 0, 0), INVALID);
	assert_int_equal(call(GUESTCALL_MEM_RELINQUISH, 0x6000, 0, 0), INVALID);
	assert_int_equal(call(GUESTCALL_MMIO_GUARD, 0x5000, 0, 0), INVALID);
}

/* Sharing, and back. */
static void share_and_unshare(void)
{
	pa_t pa;

	start();
	pa = donated_page(&vm, 0x5000);
	assert_int_equal(call(GUESTCALL_MEM_SHARE, 0x5000, 0, 0), 0);
	assert_int_equal(reason, STOCKADE_EXIT_IRQ);
	assert_state(pa, PAGE_GUEST_SHARED);
	assert_int_equal(call(GUESTCALL_MEM_SHARE, 0x5000, 0, 0), INVALID);
	assert_int_equal(call(GUESTCALL_MEM_UNSHARE, 0x5000, 0, 0), 0);
	assert_state(pa, PAGE_GUEST);
	assert_int_equal(call(GUESTCALL_MEM_UNSHARE, 0x5000, 0, 0), INVALID);
}

static void call_share_7000(struct guest_regs *regs)
{
	regs->x[0] = GUESTCALL_MEM_SHARE;
	regs->x[1] = 0x7000;
	regs->x[2] = regs->x[3] = 0;
}

/* A page that is not there yet is asked for, and the call made again; or it ends in an external abort. */
static void sharing_asks_for_the_page(void)
{
	struct guest_regs *regs;

	start();
	regs = regs_of(&vm, 0);
	/* What an MMIO access before it left behind counts for nothing. */
	guest_traps(ESR(EC_DABT_LOWER, ESR_ISV | ESR_WNR | DABT_FAULT), 0x5ec2e7, 0x9000000);
	assert_int_equal(run(), STOCKADE_EXIT_ABORT);
	assert_ret(hc(STOCKADE_HC_VCPU_MMIO_VALUE), 0);
	guest_does(call_share_7000, ESR(EC_HVC64, 0), 0x5ec2e7, 0);
	reason = run();
	assert_int_equal(reason, STOCKADE_EXIT_ABORT);
	assert_int_equal(run_page(&vm, 0)->abort_ipa, 0x7000);
	assert_int_equal(regs->pc, 0x1000); /* the HVC */
	assert_int_equal(regs->x[0], GUESTCALL_MEM_SHARE);
	/* No emulation of it. */
	run_page(&vm, 0)->entry_flags = STOCKADE_ENTRY_MMIO;
	assert_refused(run_ret(), STOCKADE_EINVAL);
	assert_ret(hc(STOCKADE_HC_VCPU_MMIO_VALUE), STOCKADE_EINVAL);
	run_page(&vm, 0)->entry_flags = STOCKADE_ENTRY_SEA;
	run();
	assert_int_equal(regs->el1.esr, 0x96000010);
	assert_int_equal(regs->el1.far, 0);
	assert_int_equal(regs->el1.elr, 0x1000);
	assert_int_equal(regs->pc, 0x80200);

	regs->pc = 0x1004;
	call(GUESTCALL_MEM_SHARE, 0x8000, 0, 0);
	donated_page(&vm, 0x8000);
	regs->pc += 4;
	assert_int_equal(call(GUESTCALL_MEM_SHARE, 0x8000, 0, 0), 0);
	assert_int_equal(regs->pc, 0x1004);
}

/* MMIO_GUARD asks for tables, and is made again; MEM_RELINQUISH tells the host. */
static void guard_and_relinquish(void)
{
	struct guest_regs *regs;
	pa_t pa;

	start();
	regs = regs_of(&vm, 0);
	call(GUESTCALL_MMIO_GUARD, 0x9000000, 0, 0);
	assert_int_equal(reason, STOCKADE_EXIT_TOPUP);
	assert_int_equal(run_page(&vm, 0)->arg[0], 2);
	assert_int_equal(regs->pc, 0x1000);
	assert_int_equal(regs->x[0], GUESTCALL_MMIO_GUARD);
	for (unsigned int i = 0; i < 2; i++)
		assert_ret(hc_fed(STOCKADE_HC_VM_TOPUP, vm.handle, PFN(spare_page()), 1), 0);
	assert_int_equal(call(GUESTCALL_MMIO_GUARD, 0x9000000, 0, 0), 0);
	assert_int_equal(reason, STOCKADE_EXIT_IRQ);
	assert_true(guest_is_mmio(vm.mem, 0x9000000));

	pa = donated_page(&vm, 0x5000);
	assert_int_equal(call(GUESTCALL_MEM_RELINQUISH, 0x5000, 0, 0), 0);
	assert_int_equal(reason, STOCKADE_EXIT_RELINQUISH);
	assert_int_equal(run_page(&vm, 0)->arg[0], 0x5000);
	assert_state(pa, PAGE_HOST);
	assert_page_is(pa, 0);
}

/* --- firmware's workarounds --- */

static u64 answer;

static void firmware_says(u64 *x)
{
	for (int i = 1; i < 4; i++)
		x[i] = 0xf1; /* clobbered, as SMCCC 1.0 allows */
	x[0] = answer;
}

/* A guest hears of workarounds what firmware says, but of one that the host switches; nothing else is forwarded. */
static void workarounds(void)
{
	static const s32 answers[] = { 0, 1, -1 };

	start();
	fake.smc = firmware_says;
	assert_int_equal(call(SMCCC_ARCH_FEATURES, SMCCC_VERSION, 0, 0), 0);
	assert_int_equal(call(SMCCC_ARCH_FEATURES, SMCCC_ARCH_FEATURES, 0, 0), 0);
	assert_int_equal(call(SMCCC_ARCH_FEATURES, 0x80000002, 0, 0), NOT_HERE);
	assert_int_equal(call(SMCCC_ARCH_FEATURES, 0xc6000003, 0, 0), NOT_HERE);
	assert_int_equal(fake.nr_smcs, 0);
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		answer = (u64)(s64)answers[i];
		assert_int_equal(call(SMCCC_ARCH_FEATURES, SMCCC_ARCH_WORKAROUND_1, 0, 0), answer);
		assert_int_equal(call(SMCCC_ARCH_FEATURES, SMCCC_ARCH_WORKAROUND_3, 0, 0), answer);
		assert_int_equal(call(SMCCC_ARCH_FEATURES, SMCCC_ARCH_WORKAROUND_2, 0, 0),
				 answer == 1 ? 1 : NOT_HERE);
	}
	fake.nr_smcs = 0;
	answer = 0;
	assert_int_equal(call(SMCCC_ARCH_WORKAROUND_1, 0x5ec2e7, 0, 0), 0);
	assert_int_equal(call(SMCCC_ARCH_WORKAROUND_3, 0x5ec2e7, 0, 0), 0);
	assert_int_equal(call(SMCCC_ARCH_FEATURES, SMCCC_ARCH_WORKAROUND_1, 0x5ec2e7, 0x5ec2e7), 0);
	assert_int_equal(call(SMCCC_ARCH_FEATURES, SMCCC_ARCH_WORKAROUND_2, 0x5ec2e7, 0x5ec2e7),
			 NOT_HERE);
	assert_int_equal(fake.nr_smcs, 4);
	assert_int_equal(fake.smcs[0][0], SMCCC_ARCH_WORKAROUND_1);
	assert_int_equal(fake.smcs[1][0], SMCCC_ARCH_WORKAROUND_3);
	assert_int_equal(fake.smcs[2][0], SMCCC_ARCH_FEATURES);
	assert_int_equal(fake.smcs[2][1], SMCCC_ARCH_WORKAROUND_1);
	assert_int_equal(fake.smcs[3][1], SMCCC_ARCH_WORKAROUND_2);
	/* Nothing of the guest's registers but the question. */
	for (unsigned int i = 0; i < 4; i++)
		for (unsigned int x = i < 2 ? 1 : 2; x < 4; x++)
			assert_int_equal(fake.smcs[i][x], 0);
	assert_int_equal(call(SMCCC_ARCH_WORKAROUND_2, 1, 0, 0), NOT_HERE);
	assert_int_equal(fake.nr_smcs, 4);
}

/* --- random numbers --- */

/* Without a source there is no service. */
static void no_trng(void)
{
	static const u64 calls[] = { TRNG_VERSION, TRNG_FEATURES, TRNG_GET_UUID, TRNG_RND_32,
				     TRNG_RND_64 };

	start();
	answer = NOT_HERE;
	fake.smc = firmware_says;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		assert_int_equal(call(calls[i], 64, 0, 0), NOT_HERE);
	answer = 0xffffffff; /* a 32-bit -1 */
	assert_int_equal(call(TRNG_VERSION, 0, 0, 0), NOT_HERE);
	answer = 0xffff; /* a version before the first */
	assert_int_equal(call(TRNG_VERSION, 7, 7, 7), NOT_HERE);
	/* Firmware is asked for its version alone. */
	for (unsigned int i = 0; i < fake.nr_smcs; i++) {
		assert_int_equal(fake.smcs[i][0], TRNG_VERSION);
		for (unsigned int x = 1; x < 4; x++)
			assert_int_equal(fake.smcs[i][x], 0);
	}
}

/* From the CPU: version, features, and just as many bits as were asked for. */
static void trng_from_the_cpu(void)
{
	struct guest_regs *regs;

	start();
	regs = regs_of(&vm, 0);
	fake.has_random = true;
	fake.random_left = 100;
	assert_int_equal(call(TRNG_VERSION, 0, 0, 0), 0x10000);
	assert_int_equal(call(TRNG_FEATURES, TRNG_RND_64, 0, 0), 0);
	assert_int_equal(call(TRNG_FEATURES, TRNG_RND_32, 0, 0), 0);
	assert_int_equal(call(TRNG_FEATURES, TRNG_VERSION, 0, 0), 0);
	assert_int_equal(call(TRNG_FEATURES, TRNG_VERSION - 1, 0, 0), NOT_HERE);
	assert_int_equal(call(TRNG_FEATURES, 0, 0, 0), NOT_HERE);
	assert_int_equal(call(TRNG_FEATURES, 0x84000054, 0, 0), NOT_HERE);
	assert_int_equal(call(TRNG_FEATURES, 0x8400004f, 0, 0), NOT_HERE);
	assert_int_equal(call(TRNG_FEATURES, 0xc4000050, 0, 0), NOT_HERE);
	for (unsigned int wide = 0; wide < 2; wide++) {
		u64 function = wide ? TRNG_RND_64 : TRNG_RND_32, bits = wide ? 64 : 32;

		assert_int_equal(call(function, 0, 0, 0), (u64)-2);
		assert_int_equal(call(function, 3 * bits + 1, 0, 0), (u64)-2);
		if (wide)
			assert_int_equal(call(function, ~0ull, 0, 0), (u64)-2);
		for (u64 n = 1; n <= 3 * bits; n++) {
			u64 word[3];

			fake.random_left = 100;
			fake.random_next = ~0ull;
			assert_int_equal(call(function, n, 0, 0), 0);
			word[0] = regs->x[3];
			word[1] = regs->x[2];
			word[2] = regs->x[1];
			for (u64 w = 0; w < 3; w++) {
				u64 left = n > w * bits ? n - w * bits : 0;

				if (left < 64)
					assert_int_equal(word[w] >> min_u64(left, bits), 0);
			}
			assert_int_equal(word[0],
					 n >= 64 && wide ? ~0ull : BIT(min_u64(n, bits) % 64) - 1);
			/* Each is one of the CPU's numbers, in their order. */
			fake.random_next = ~0ull;
			for (u64 w = 0; w * bits < n; w++) {
				u64 left = min_u64(n - w * bits, bits), number;

				assert_true(arch_random(&number));
				assert_int_equal(word[w],
						 left < 64 ? number & (BIT(left) - 1) : number);
			}
		}
	}
}

/* No entropy now: said, and no part of it given. */
static void trng_without_entropy(void)
{
	struct guest_regs *regs;

	start();
	regs = regs_of(&vm, 0);
	fake.has_random = true;
	for (unsigned int left = 0; left < 3; left++) {
		fake.random_left = left;
		fake.random_next = 0x5ec2e7;
		assert_int_equal(call(TRNG_RND_64, 192, 7, 8), (u64)TRNG_RET_NO_ENTROPY);
		assert_int_equal(regs->x[1], 192);
		assert_int_equal(regs->x[2], 7);
		assert_int_equal(regs->x[3], 8);
	}
}

static void firmware_trng(u64 *x)
{
	if ((u32)x[0] == TRNG_VERSION) {
		x[0] = 0x10000;
	} else {
		x[0] = 0;
		x[1] = 0x11;
		x[2] = 0x22;
		x[3] = 0x33;
		x[4] = 0x44;
	}
}

/* From firmware, with the guest's question and nothing else of it. */
static void trng_from_firmware(void)
{
	struct guest_regs *regs;
	const u64 *asked;

	start();
	regs = regs_of(&vm, 0);
	for (unsigned int i = 4; i < 31; i++)
		regs->x[i] = 0x5ec2e7;
	fake.smc = firmware_trng;
	assert_int_equal(call(TRNG_RND_64, 192, 0x5ec2e7, 0x5ec2e7), 0);
	assert_int_equal(regs->x[1], 0x11);
	assert_int_equal(regs->x[2], 0x22);
	assert_int_equal(regs->x[3], 0x33);
	assert_int_equal(regs->x[4], 0x5ec2e7);
	asked = fake.smcs[fake.nr_smcs - 1];
	assert_int_equal(asked[0], TRNG_RND_64);
	assert_int_equal(asked[1], 192);
	for (unsigned int i = 2; i < 18; i++)
		assert_int_equal(asked[i], 0);
	/* The UUID is our own, whoever has the numbers. */
	assert_int_equal(call(TRNG_GET_UUID, 0, 0, 0), 0x521c0b7d);
	assert_int_equal(regs->x[1], 0x8d4a3e6f);
	assert_int_equal(regs->x[2], 0xe235619b);
	assert_int_equal(regs->x[3], 0x970af8c4);
}

/* A 32-bit call has 32-bit arguments. */
static void trng_32_bit_arguments(void)
{
	start();
	fake.has_random = true;
	fake.random_left = 10;
	assert_int_equal(call(TRNG_RND_32, BIT(32) | 32, 0, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(unknown_calls_are_not_supported),
		hyp_test(identification),
		hyp_test(bad_memory_calls),
		hyp_test(share_and_unshare),
		hyp_test(sharing_asks_for_the_page),
		hyp_test(guard_and_relinquish),
		hyp_test(workarounds),
		hyp_test(no_trng),
		hyp_test(trng_from_the_cpu),
		hyp_test(trng_without_entropy),
		hyp_test(trng_from_firmware),
		hyp_test(trng_32_bit_arguments),
	};

	return RUN("hyp-vm-call", tests);
}
