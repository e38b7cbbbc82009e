// SPDX-License-Identifier: GPL-2.0-only
/* FF-A when EL2 is taken and when it is given up: ffa_init() and ffa_leave() of hyp/host/ffa.c. */
#include "host/ffa.h"

#include "ffatest.h"

static struct test_vm vm;

/* --- launch: ffa_init() --- */

/* The machine as it is before launch: the kernel's driver may have been there. */
static void power_on(u32 firmware)
{
	const struct fake_config config = { .smc = spmc_smc };

	spmc_power_on(firmware);
	fake_power_on(&config);
	ffa_tx = 0x41000000;
	ffa_rx = 0x41001000;
}

static void driver_maps_its_buffers(u32 version)
{
	u64 x[18] = { SPMC_VERSION, version }, y[18] = { SPMC_RXTX_MAP, ffa_tx, ffa_rx, 1 };

	spmc.direct = true;
	spmc_smc(x);
	spmc_smc(y);
	assert_int_equal(y[0], SPMC_SUCCESS);
	spmc.direct = false;
}

static void driver_unmaps_its_buffers(void)
{
	u64 x[18] = { SPMC_RXTX_UNMAP };

	spmc_smc(x);
	assert_false(spmc.mapped);
}

/* The kernel's driver has its buffers mapped: no launch. Guards ffa_init(): DENIED. */
static void launch_is_refused_while_ff_a_is_in_use(void)
{
	static const u32 versions[] = { V1_0, V1_1, V1_2 };

	for (u32 strict = 0; strict < 2; strict++) {
		for (u32 v = 0; v < 3; v++) {
			power_on(V1_2);
			spmc.strict = strict;
			driver_maps_its_buffers(versions[v]);
			assert_ret(fake_launch(), STOCKADE_EAGAIN);
			/* The driver goes on as before. */
			assert_true(spmc.mapped);
			assert_int_equal(spmc.tx, ffa_tx);
		}
	}
	/* Nor is there FF-A for whoever calls the hypervisor that did not come to be. */
	fake.nr_smcs = 0;
	assert_int_equal(ffa(SPMC_VERSION, V1_0), ~0ull);
	assert_int_equal(fake.nr_smcs, 0);
	/* Also where the hypervisor could not use FF-A. Guards the order in ffa_init(). */
	power_on(V1_1);
	spmc.min_buffers = 1;
	driver_maps_its_buffers(V1_1);
	assert_ret(fake_launch(), STOCKADE_EAGAIN);
	fake_unwatch(NULL);
}

/* It was unloaded: the launch goes on, and speaks what firmware has settled on. */
static void launch_after_the_driver_is_gone(void)
{
	power_on(V1_2);
	spmc.strict = true;
	driver_maps_its_buffers(V1_1);
	driver_unmaps_its_buffers();
	assert_ret(fake_launch(), 0);
	assert_false(spmc.mapped);
	assert_int_equal(ffa(SPMC_VERSION, V1_1), V1_1);
	assert_ffa(0, SPMC_RXTX_MAP | SPMC_64, ffa_tx, ffa_rx, 1);
	assert_true(spmc.mapped);
	fake_unwatch(NULL);
}

/* Firmware without FF-A, with another FF-A, with large buffers, with none: the host is told that there is none. */
static void no_ff_a(void)
{
	struct {
		u32 version, min_buffers, fail;
	} machines[] = { { 0, 0, 0 },
			 { 0x20000, 0, 0 },
			 { 0x8000, 0, 0 },
			 { V1_1, 1, 0 },
			 { V1_1, 2, 0 },
			 { V1_1, 3, 0 },
			 { V1_1, 0, SPMC_FEATURES },
			 { V1_1, 0, SPMC_RXTX_MAP } };

	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		power_on(machines[i].version);
		spmc.min_buffers = machines[i].min_buffers;
		spmc.fail = machines[i].fail;
		spmc.fail_with = SPMC_NO_MEMORY;
		assert_ret(fake_launch(), 0);
		assert_false(spmc.mapped);
		fake.nr_smcs = 0;
		for (u32 f = SPMC_ERROR; f <= 0x840000ff; f++) {
			assert_int_equal(ffa(f, V1_0, 1, 2), ~0ull);
			assert_int_equal(ffa(f | SPMC_64, V1_0, 1, 2), ~0ull);
		}
		assert_int_equal(fake.nr_smcs, 0);
		assert_int_equal(logged("FF-A is off"), machines[i].version == V1_1);
	}
	fake_unwatch(NULL);
}

/* Bits of FEATURES' answer that do not say how large buffers must be are not looked at. */
static void other_bits_of_features(void)
{
	power_on(V1_1);
	spmc.min_buffers = 4;
	assert_ret(fake_launch(), 0);
	assert_int_equal(ffa(SPMC_VERSION, V1_1), V1_1);
	fake_unwatch(NULL);
}

/* What firmware is asked at launch, and no more: versions down to one that it takes, whether it takes buffers. */
static void questions_of_launch(void)
{
	static const u32 versions[] = { V1_2, V1_1, V1_0 };

	for (u32 v = 0; v < 3; v++) {
		u64 tx, rx;

		power_on(versions[v]);
		spmc.strict = true;
		assert_ret(fake_launch(), 0);
		assert_int_equal(fake.nr_smcs, v + 4);
		for (u32 i = 0; i <= v; i++)
			assert_smc(i, SPMC_VERSION, versions[i]);
		tx = fake.smcs[v + 1][1];
		rx = fake.smcs[v + 1][2];
		assert_smc(v + 1, SPMC_RXTX_MAP | SPMC_64, tx, rx, 1);
		assert_smc(v + 2, SPMC_RXTX_UNMAP);
		assert_smc(v + 3, SPMC_FEATURES, SPMC_RXTX_MAP | SPMC_64);
	}
	/* None of them, and then nothing else. */
	power_on(0);
	assert_ret(fake_launch(), 0);
	assert_int_equal(fake.nr_smcs, 3);
	assert_smc(2, SPMC_VERSION, V1_0);
	/* Buffers are refused: one word in the log. */
	power_on(V1_1);
	spmc.fail = SPMC_RXTX_MAP;
	spmc.fail_with = SPMC_NO_MEMORY;
	assert_ret(fake_launch(), 0);
	assert_int_equal(fake.nr_smcs, 2);
	assert_true(logged("FF-A is off: firmware refuses buffers"));
	assert_false(logged("FF-A is off: firmware takes no buffers of 4 KiB"));
	fake_unwatch(NULL);
}

static u64 odd_version;

/* Answers a version that is none of FF-A 1, whatever it is asked, and is else as it should be. */
static void other_major(u64 *x)
{
	if ((u32)x[0] == SPMC_VERSION)
		x[0] = odd_version;
	else
		spmc_smc(x);
}

/* An answer all the same: firmware is not asked for an older one. */
static void another_major_version(void)
{
	static const u64 versions[] = { 0, 0x8000, 0xffff, 0x20000, 0x7fff0001 };

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		power_on(V1_1);
		fake.smc = other_major;
		odd_version = versions[i];
		assert_ret(fake_launch(), 0);
		assert_int_equal(fake.nr_smcs, 1);
		assert_int_equal(ffa(SPMC_VERSION, V1_0), ~0ull);
		assert_int_equal(ffa(SPMC_VERSION, V1_2), ~0ull);
		assert_int_equal(fake.nr_smcs, 1);
	}
	fake_unwatch(NULL);
}

/* --- the end: ffa_leave() --- */

/* Unload: the host's buffers take the place of the hypervisor's, and calls go by as they are. */
static void unlaunch(void)
{
	pa_t page = host_page(), shared = host_page();
	u64 junk[18] = { SPMC_FEATURES, SPMC_RXTX_MAP };

	for (u32 i = 1; i < 18; i++)
		junk[i] |= 0xabcd00000000;
	assert_int_equal(ffa_share_page(shared), 0);
	spmc.direct = true;
	assert_ret(hc(STOCKADE_HC_UNLAUNCH), 0);
	assert_true(spmc.mapped);
	/* What was shared stays so: it is the kernel's to take back. */
	assert_true(spmc_holds(shared));
	assert_int_equal(spmc.tx, ffa_tx);
	assert_int_equal(spmc.rx, ffa_rx);
	/* What was negotiated and mapped goes on. */
	fake.nr_smcs = 0;
	assert_int_equal(ffa_share_page(page), 0);
	assert_int_equal(fake.smcs[0][0], SPMC_MEM_SHARE | SPMC_64);
	assert_true(spmc_holds(page));
	assert_state(page, PAGE_HOST);
	assert_int_equal(ffa_reclaim(ffa_handle), 0);
	fake.nr_smcs = 0;
	assert_ffa(SPMC_NOT_SUPPORTED, SPMC_MEM_RETRIEVE_REQ);
	assert_int_equal(fake.nr_smcs, 1);
	ffa_call(junk);
	assert_memory_equal(fake.smcs[1], junk, sizeof(junk));
	/* Once: the buffers are the kernel's. */
	assert_ret(hc(STOCKADE_HC_UNLAUNCH), 0);
	assert_int_equal(fake.nr_smcs, 2);
	assert_ffa(0, SPMC_RXTX_UNMAP);
	spmc.direct = false;
}

/* The kernel had none mapped; a second time; none but an unloaded hypervisor's calls go by. */
static void unlaunch_without_buffers(void)
{
	assert_ffa(0, SPMC_RXTX_UNMAP);
	assert_ret(hc(STOCKADE_HC_UNLAUNCH), 0);
	assert_false(spmc.mapped);
	assert_ret(hc(STOCKADE_HC_UNLAUNCH), 0);
	assert_false(spmc.mapped);
	assert_int_equal(fake.nr_smcs, 1);
}

/* A VM exists: no unload, and FF-A is as it was. */
static void unlaunch_that_is_refused(void)
{
	vm = make_vm(1);
	assert_ret(hc(STOCKADE_HC_UNLAUNCH), STOCKADE_EBUSY);
	assert_int_equal(fake.nr_smcs, 0);
	assert_int_equal(ffa_share_page(host_page()), 0);
}

/* Firmware does not take the kernel's buffers: said in the log. */
static void unlaunch_that_firmware_spoils(void)
{
	spmc.fail = SPMC_RXTX_MAP;
	spmc.fail_with = SPMC_NO_MEMORY;
	assert_ret(hc(STOCKADE_HC_UNLAUNCH), 0);
	assert_false(spmc.mapped);
	assert_true(logged("could not be mapped again"));
}

/* kexec: buffers are unmapped; the next kernel maps its own. */
static void soft_restart(void)
{
	struct host_regs regs = { .x = { 1, 0x41000000 } };
	pa_t page;

	ffa_boot(V1_1, V1_1);
	page = host_page();
	assert_int_equal(ffa_share_page(page), 0);
	fake.nr_smcs = 0;
	fake.host_esr = ESR(EC_HVC64, 0);
	assert_panics(host_trap(&regs));
	assert_string_equal(fake_panic_text, "launch_restart()");
	assert_false(spmc.mapped);
	/* What was shared comes back: the next kernel's hypervisor could not know of it. */
	assert_false(spmc_holds(page));
	assert_int_equal(fake.nr_smcs, 2);
	assert_int_equal(fake.smcs[1][0], SPMC_RXTX_UNMAP);
	fake_unwatch(NULL);
}

static void another_cpu_unlaunches(void)
{
	assert_ret(hc(STOCKADE_HC_UNLAUNCH), 0);
}

/*
 * One CPU gives EL2 up while another is about to map buffers: firmware must not be left with buffers that are
 * no more the hypervisor's. Guards host_ffa(): left, with the lock.
 */
static void unlaunch_while_a_call_waits(void)
{
	struct fake_section bss = fake_section(0);

	assert_ffa(0, SPMC_RXTX_UNMAP);
	spmc.direct = true;
	before_lock("&ffa_lock", 1, another_cpu_unlaunches);
	assert_ffa(0, SPMC_RXTX_MAP | SPMC_64, ffa_tx, ffa_rx, 1);
	assert_true(before_lock_came());
	if (spmc.tx >= (u64)bss.base && spmc.tx < (u64)bss.base + bss.size)
		fail_msg("the hypervisor's buffers stay at firmware");
	assert_int_equal(spmc.tx, ffa_tx);
	assert_int_equal(spmc.rx, ffa_rx);
	assert_ffa(0, SPMC_RXTX_UNMAP);
	spmc.direct = false;
}

/* No FF-A in firmware: after unload it is not for the hypervisor to say so. */
static void unlaunch_without_ffa(void)
{
	ffa_boot(0, 0);
	fake.nr_smcs = 0;
	ffa(SPMC_VERSION, V1_1);
	assert_int_equal(fake.nr_smcs, 0);
	assert_ret(hc(STOCKADE_HC_UNLAUNCH), 0);
	fake.nr_smcs = 0;
	ffa(SPMC_VERSION, V1_1);
	assert_int_equal(fake.nr_smcs, 1);
}

/* kexec: what firmware gave no handle for, or does not give back, stays with it. */
static void soft_restart_that_firmware_spoils(void)
{
	pa_t unnamed = host_page(), kept = host_page();

	spmc.odd = SPMC_MEM_SHARE;
	spmc.odd_answer = 0;
	ffa_share_page(unnamed);
	assert_int_equal(ffa_share_page(kept), 0);
	spmc.fail = SPMC_MEM_RECLAIM;
	spmc.fail_with = SPMC_DENIED;
	fake.nr_smcs = 0;
	ffa_leave(false);
	/* One reclaim, and the buffers. */
	assert_int_equal(fake.nr_smcs, 2);
	assert_state(unnamed, PAGE_HOST_SECURE);
	assert_state(kept, PAGE_HOST_SECURE);
	assert_true(spmc_holds(kept));
}

/* kexec: all that is shared comes back, and what came back before is not asked for. */
static void soft_restart_with_many_shares(void)
{
	pa_t first = 0x41100000;
	u64 handle;

	spmc.next_handle = 5ull << 32 | 0xfffffff0;
	for (u32 i = 0; i < 512; i++)
		assert_int_equal(ffa_share_page(first + i * PAGE_SIZE), 0);
	handle = ffa_handle;
	assert_int_equal(ffa_reclaim(handle - 1), 0);
	spmc.odd = SPMC_MEM_RECLAIM;
	spmc.odd_answer = SPMC_SUCCESS | SPMC_64;
	fake.nr_smcs = 0;
	ffa_leave(false);
	assert_int_equal(fake.nr_smcs, 511 + 1);
	assert_smc(0, SPMC_MEM_RECLAIM, 0xfffffff0, 5);
	assert_smc(63, SPMC_MEM_RECLAIM, 0x2f, 6);
	assert_int_equal(spmc.nr_held, 0);
	for (u32 i = 0; i < 512; i++)
		assert_state(first + i * PAGE_SIZE, PAGE_HOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bare_test(launch_is_refused_while_ff_a_is_in_use),
		bare_test(launch_after_the_driver_is_gone),
		bare_test(no_ff_a),
		bare_test(other_bits_of_features),
		bare_test(questions_of_launch),
		bare_test(another_major_version),
		ffa_test(unlaunch),
		ffa_test(unlaunch_without_buffers),
		ffa_test(unlaunch_that_is_refused),
		ffa_test(unlaunch_that_firmware_spoils),
		bare_test(soft_restart),
		bare_test(unlaunch_without_ffa),
		ffa_test(soft_restart_that_firmware_spoils),
		ffa_test(soft_restart_with_many_shares),
		ffa_test(unlaunch_while_a_call_waits),
	};

	return RUN("hyp-host-ffa_launch", tests);
}
