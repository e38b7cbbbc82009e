// SPDX-License-Identifier: GPL-2.0-only
/* The step of launch from which on memory has owners: hyp/host/seal.c. */
#include "host/seal.h"

#include "arch/launch.h"
#include "hyptest.h"

static bool is_mapped_at_el2(const void *va)
{
	return fake_walk(&hyp_map, (u64)va).valid;
}

/* All pages of what was handed over are out of EL2's address space; the pool's other pieces are in it. */
static void what_was_handed_over(void)
{
	const u8 *args;

	fake_power_on(NULL);
	assert_ret(fake_launch(), 0);
	args = (const u8 *)launch_args;
	for (u64 at = 0; at < sizeof(*launch_args); at += PAGE_SIZE)
		assert_false(is_mapped_at_el2(args + at));
	assert_true(logged("host's stage 2 of 40 bits"));
	assert_refused(host_seal(), STOCKADE_EBUSY);
	fake_unwatch(NULL);
}

/*
 * A pool that is too small for the host's stage 2, whatever it lacks: nothing is sealed. The loader goes on to read
 * what EL2 answers, by another SEAL too.
 */
static void a_pool_that_is_too_small(void)
{
	unsigned int refused = 0;

	for (u64 pages = 1; pages < 64; pages++) {
		int ret;

		fake_power_on(NULL);
		fake_plan_launch(pages, 0);
		launch_args = NULL;
		ret = fake_launch();
		if (!ret)
			break;
		assert_ret(ret, STOCKADE_ENOMEM);
		if (!launch_args || !cpu_count)
			continue;
		refused++;
		assert_int_equal(host_map.root, 0);
		assert_true(is_mapped_at_el2(launch_args));
		assert_true(hyp_pool.free < 8);
		assert_false(logged("host's stage 2"));
		assert_ret(hc(STOCKADE_HC_SEAL), STOCKADE_ENOMEM);
		assert_int_equal(hc_result.x1 | hc_result.x2 | hc_result.x3, 0);
		assert_int_equal(host_map.root, 0);
	}
	assert_true(refused > 2);
	fake_unwatch(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bare_test(what_was_handed_over),
		bare_test(a_pool_that_is_too_small),
	};

	return RUN("hyp-host-seal", tests);
}
