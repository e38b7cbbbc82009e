// SPDX-License-Identifier: GPL-2.0-only
/* Hostcalls with nonsense in them: error codes, nothing changes, no panic. */
#include "hyptest.h"

static struct test_vm vm;

/* Numbers outside of the range, and those that only look like it. */
static void unknown_functions_are_refused(void)
{
	static const u64 bad[] = {
		5,
		100,
		STOCKADE_HC_BASE - 1,
		STOCKADE_HC_END,
		(u64)STOCKADE_HC_END + 1,
		STOCKADE_HC_BASE | BIT(32),
		STOCKADE_HC_BASE | BIT(63),
		0x84000000,
		0xffffffff,
		BIT(63),
		~0ull,
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_refused(hc(bad[i], 1, 2, 3, 4, 5), STOCKADE_ENOSYS);
		assert_int_equal(hc_result.x1, 0);
	}
}

/* After a panic EL2 does nothing more. */
static void nothing_after_a_panic(void)
{
	vm = make_vm(1);
	load(&vm, 0);
	hyp_panicked = true;
	for (u64 f = STOCKADE_HC_BASE; f < STOCKADE_HC_END; f++)
		assert_refused(hc(f, vm.handle, PFN(host_page()), 1, 0, 1), STOCKADE_ENOSYS);
	hyp_panicked = false;
}

/* A VM that does not exist, for each of the calls on one. */
static void no_vm(void)
{
	static const u64 calls[] = {
		STOCKADE_HC_VM_TOPUP,	STOCKADE_HC_VCPU_CREATE,       STOCKADE_HC_VCPU_SET_REG,
		STOCKADE_HC_VCPU_LOAD,	STOCKADE_HC_HOST_DONATE_GUEST, STOCKADE_HC_VM_TEARDOWN,
		STOCKADE_HC_VM_RECLAIM, STOCKADE_HC_VM_RECLAIM_TABLE,  STOCKADE_HC_VCPU_DESTROY,
		STOCKADE_HC_VM_DESTROY,
	};

	vm = make_vm(1);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		assert_refused(hc(calls[i], 0, 0, 1, 0, 0), STOCKADE_ENOENT);
		assert_refused(hc(calls[i], vm.handle + 1, 0, 1, 0, 0), STOCKADE_ENOENT);
		assert_int_equal(hc_result.x1 | hc_result.x2 | hc_result.x3, 0);
	}
}

/* Every call with every combination of these, on a machine with two VMs: no panic, all stays consistent. */
static void no_nonsense_panics(void)
{
	struct test_vm other;
	u64 values[14];
	u64 ok = 0;

	vm = make_vm(2);
	other = make_vm(1);
	donated_page(&vm, 0x1000);
	donate(&vm, host_block(), BLOCK, NR_BLOCK);
	(void)other;
	values[0] = 0;
	values[1] = 1;
	values[2] = 2;
	values[3] = 16;
	values[4] = NR_BLOCK;
	values[5] = vm.handle;
	values[6] = PFN(vm.page);
	values[7] = PFN(0x40600000);
	values[8] = PFN(0x41402000);
	values[9] = ~0ull;
	values[10] = BIT(52);
	values[11] = BIT(52) | PFN(0x40600000);
	values[12] = PFN(fake.launch.image);
	values[13] = BIT(51);
	for (u64 f = STOCKADE_HC_BASE; f < STOCKADE_HC_END; f++) {
		if (f == STOCKADE_HC_UNLAUNCH_CPU || f == STOCKADE_HC_UNLAUNCH)
			continue;
		for (size_t a = 0; a < ARRAY_SIZE(values); a++)
			for (size_t b = 0; b < ARRAY_SIZE(values); b++)
				for (size_t c = 0; c < ARRAY_SIZE(values); c++) {
					s64 ret = hc(f, values[a], values[b], values[c], 1, 1);

					assert_in_range(-ret, 0, 38);
					ok += !ret;
				}
		fake_check();
	}
	assert_true(ok > 10);
}

/* Frame numbers that overflow an address are beyond all RAM, not at its start. */
static void frame_numbers_do_not_wrap(void)
{
	u64 pfn = PFN(host_page());
	static const u64 high[] = { BIT(52), BIT(53), BIT(63), GENMASK(63, 52) };

	vm = make_vm(0);
	for (size_t i = 0; i < ARRAY_SIZE(high); i++) {
		u64 bad = pfn | high[i];

		assert_refused(hc(STOCKADE_HC_POOL_TOPUP, bad, 1), STOCKADE_EINVAL);
		assert_refused(hc(STOCKADE_HC_VM_TOPUP, vm.handle, bad, 1), STOCKADE_EINVAL);
		assert_refused(hc(STOCKADE_HC_VM_CREATE, bad, pfn, 39 | 1 << 8), STOCKADE_EINVAL);
		assert_refused(hc(STOCKADE_HC_VCPU_CREATE, vm.handle, 0, bad, pfn),
			       STOCKADE_EINVAL);
		/* From bit 52 on it is something else there. */
		assert_refused(hc(STOCKADE_HC_VCPU_CREATE, vm.handle, 0, PFN(host_page()),
				  pfn | BIT(51)),
			       STOCKADE_EINVAL);
		assert_refused(hc(STOCKADE_HC_HOST_DONATE_GUEST, vm.handle, bad, 0, 1),
			       STOCKADE_EINVAL);
		assert_refused(hc(STOCKADE_HC_HOST_DONATE_GUEST, vm.handle, pfn, high[i], 1),
			       STOCKADE_EINVAL);
		assert_refused(hc(STOCKADE_HC_HOST_DONATE_GUEST, vm.handle, pfn, high[i] | 5, 1),
			       STOCKADE_EINVAL);
	}
}

/* VERSION and STATUS. */
static void version_and_status(void)
{
	assert_ret(hc(STOCKADE_HC_VERSION), 0);
	assert_int_equal(hc_result.x1, STOCKADE_ABI_VERSION);
	assert_ret(hc(STOCKADE_HC_STATUS), 0);
	assert_int_equal(hc_result.x1, page_nr_hyp);
	assert_int_equal(hc_result.x2, hyp_pool.free);
	assert_int_equal(hc_result.x3, 0);
	vm = make_vm(0);
	assert_ret(hc(STOCKADE_HC_STATUS), 0);
	assert_int_equal(hc_result.x3, 1);
}

/* The steps of launch can't be made twice. */
static void launch_is_over(void)
{
	assert_refused(hc(STOCKADE_HC_SEAL), STOCKADE_EBUSY);
	assert_ret(hc(STOCKADE_HC_PROTECT_CPU), 0);
	/* A CPU that can't be protected. */
	fake.protect_error = STOCKADE_EINVAL;
	assert_refused(hc(STOCKADE_HC_PROTECT_CPU), STOCKADE_EINVAL);
	/* It was none of the calls that end. */
	vm = make_vm(1);
}

/* Results of an error are zero, but what ENOMEM wants. */
static void errors_say_nothing_else(void)
{
	vm = make_vm(0);
	assert_ret(hc(STOCKADE_HC_VM_RECLAIM_TABLE, vm.handle), STOCKADE_EINVAL);
	assert_int_equal(hc_result.x1 | hc_result.x2 | hc_result.x3, 0);
	assert_ret(hc(STOCKADE_HC_VM_RECLAIM, vm.handle), STOCKADE_EINVAL);
	assert_int_equal(hc_result.x1 | hc_result.x2 | hc_result.x3, 0);
	assert_ret(run_ret(), STOCKADE_ENOENT);
	assert_int_equal(hc_result.x1 | hc_result.x2 | hc_result.x3, 0);
	assert_ret(hc(STOCKADE_HC_HOST_DONATE_GUEST, vm.handle, PFN(host_page()), 0, 1),
		   STOCKADE_ENOMEM);
	assert_int_equal(hc_result.x1, 2);
	assert_int_equal(hc_result.x2, STOCKADE_POOL_VM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(unknown_functions_are_refused),
		hyp_test(nothing_after_a_panic),
		hyp_test(no_vm),
		hyp_test(no_nonsense_panics),
		hyp_test(frame_numbers_do_not_wrap),
		hyp_test(version_and_status),
		hyp_test(launch_is_over),
		hyp_test(errors_say_nothing_else),
	};

	return RUN("hyp-host-hostcall", tests);
}
