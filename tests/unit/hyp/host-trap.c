// SPDX-License-Identifier: GPL-2.0-only
/* Traps of the host: the stub's calls, what else there is, and the end of all guests. */
#include "host/restart.h"

#include "hyptest.h"

static struct host_regs regs;

static void trap(u64 ec, u64 x0)
{
	regs.x[0] = x0;
	fake.host_esr = ESR(ec, 0);
	host_trap(&regs);
}

/* The stub's ABI goes on being answered; nobody gets EL2 by SET_VECTORS or RESET_VECTORS. */
static void the_stubs_calls(void)
{
	trap(EC_HVC64, 0);
	assert_int_equal(regs.x[0], 0xbadca11);
	trap(EC_HVC64, 2);
	assert_int_equal(regs.x[0], 0xbadca11);
	regs.x[1] = 0x77;
	trap(EC_HVC64, 3);
	assert_int_equal(regs.x[0], 0);
	assert_int_equal(regs.x[1], 0x77);
	regs.x[1] = 0;
	trap(EC_HVC64, 4);
	assert_int_equal(regs.x[0], 0);
	assert_int_equal(regs.x[1], 0x90180003);
	/* The next number is no call of the stub's. */
	trap(EC_HVC64, 5);
	assert_int_equal(regs.x[0], (u64)STOCKADE_ENOSYS);
}

/* FP traps while a guest's registers are in the CPU; else, and whatever else traps, it is UNDEFINED. */
static void other_traps(void)
{
	static const u8 fp[] = { EC_FP, EC_SVE, EC_SME };
	unsigned int undefs = 0;

	for (size_t i = 0; i < ARRAY_SIZE(fp); i++) {
		fake.host_fp = true;
		trap(fp[i], 0);
		assert_int_equal(fake.undefs, undefs);
		fake.host_fp = false;
		trap(fp[i], 0);
		assert_int_equal(fake.undefs, ++undefs);
	}
	for (u64 ec = 0; ec < 64; ec++) {
		switch (ec) {
		case EC_HVC64:
		case EC_SMC64:
		case EC_IABT_LOWER:
		case EC_DABT_LOWER:
		case EC_SOFTSTP:
		case EC_FP:
		case EC_SVE:
		case EC_SME:
			continue;
		default:
			break;
		}
		trap(ec, STOCKADE_HC_VERSION);
		assert_int_equal(fake.undefs, ++undefs);
		assert_int_equal(regs.x[0], STOCKADE_HC_VERSION);
	}
}

/* --- HVC_SOFT_RESTART: a crashed kernel starts another one --- */

static struct test_vm vm;
static pa_t page;

static void start(void)
{
	vm = make_vm(2);
	page = donated_page(&vm, 0x5000);
	fill_page(page, 0x5ec2e7);
	load(&vm, 0);
	memset(regs_of(&vm, 0)->x, 0x5e, sizeof(regs.x));
	memset(regs_of(&vm, 1)->x, 0x5e, sizeof(regs.x));
}

static void restart(void)
{
	regs = (struct host_regs){ .x = { 0, 0x40080000, 11, 12, 13 } };
	trap(EC_HVC64, 1);
}

/* Whoever gets EL2 finds no guest's memory or registers. */
static void a_restart_leaves_nothing(void)
{
	start();
	assert_panics(restart());
	assert_string_equal(fake_panic_text, "launch_restart()");
	assert_int_equal(fake.restart_entry, 0x40080000);
	assert_int_equal(fake.restart_args[0], 11);
	assert_int_equal(fake.restart_args[1], 12);
	assert_int_equal(fake.restart_args[2], 13);
	assert_page_is(page, 0);
	assert_int_equal(regs_of(&vm, 0)->x[5], 0);
	assert_int_equal(regs_of(&vm, 1)->x[5], 0);
	assert_null(fake.loaded[0]);
	assert_false(this_cpu()->launched);
	fake_unwatch(&vm.mem->map);
}

static unsigned int looks, patience;

/* CPU 0 leaves its guest. */
static void exit_late(unsigned int index)
{
	unsigned int cpu = fake_cpu_index();

	if (index || ++looks != patience)
		return;
	fake_cpu(0);
	__atomic_store_n(&this_cpu()->in_guest, false, __ATOMIC_SEQ_CST);
	fake_cpu(cpu);
}

/*
 * Another CPU stays in its guest for longer than a CPU may hold on to a vCPU, and then holds on to it: no restart,
 * but no guest either, from now on.
 */
static void no_restart_over_a_loaded_guest(void)
{
	start();
	this_cpu()->in_guest = true;
	looks = 0;
	patience = (1 << 24) + 10;
	fake.meanwhile = exit_late;
	fake_cpu(1);
	restart();
	fake.meanwhile = NULL;
	assert_int_equal(regs.x[0], 0xbadca11);
	assert_true(looks > patience);
	assert_true(logged("no restart"));
	assert_page_is(page, 0);
	assert_int_equal(regs_of(&vm, 0)->x[5], 0);
	/* Nothing runs any more. */
	fake_cpu(0);
	run_ret();
	assert_int_equal(fake.nr_entries, 0);
	assert_ret(hc(STOCKADE_HC_VCPU_PUT), 0);
	assert_ret(hc(STOCKADE_HC_VCPU_LOAD, vm.handle, 1), STOCKADE_EBUSY);
	assert_ret(hc(STOCKADE_HC_VM_CREATE, PFN(host_page()), PFN(host_page()), 39 | 1 << 8),
		   STOCKADE_ENOSPC);
}

/* CPU 0 lets go of its guest, whose FP registers go to memory only now. */
static void let_go_late(unsigned int index)
{
	if (index || ++looks != 100)
		return;
	fake_cpu(0);
	memset(&regs_of(&vm, 0)->fp, 0x5e, sizeof(struct fp_regs));
	assert_ret(hc(STOCKADE_HC_VCPU_PUT), 0);
	fake_cpu(1);
}

/* end_all_guests() scrubs registers only when no CPU can write any more. */
static void a_late_put_leaves_nothing(void)
{
	static const struct fp_regs zero;

	start();
	looks = 0;
	fake.meanwhile = let_go_late;
	fake_cpu(1);
	assert_panics(restart());
	fake.meanwhile = NULL;
	assert_true(looks >= 100);
	assert_string_equal(fake_panic_text, "launch_restart()");
	assert_memory_equal(&regs_of(&vm, 0)->fp, &zero, sizeof(zero));
	fake_unwatch(&vm.mem->map);
}

/* Nothing is scrubbed while a CPU may still be in a guest. */
static void a_guest_that_runs_is_waited_for(void)
{
	looks = 0;
	patience = 100;
	this_cpu()->in_guest = true;
	fake.meanwhile = exit_late;
	vcpu_wait_for_exits();
	fake.meanwhile = NULL;
	assert_true(looks >= 100);
}

/* After a panic, who reboots does not wait for locks that nobody gives back; memory is zeroed even so. */
static void a_reset_after_a_panic(void)
{
	struct guest_mem *mem;

	start();
	mem = vm.mem;
	spin_lock(&mem->lock);
	spin_lock(&mem_lock);
	hyp_panicked = true;
	trap(EC_SMC64, PSCI_SYSTEM_RESET);
	assert_int_equal(fake.smcs[fake.nr_smcs - 1][0], PSCI_SYSTEM_RESET);
	assert_page_is(page, 0);
	/* Nobody gets EL2: what else there was of guests may still be there. */
	restart();
	assert_int_equal(regs.x[0], 0xbadca11);
	assert_true(logged("no restart"));
	hyp_panicked = false;
	spin_unlock(&mem_lock);
	spin_unlock(&mem->lock);
	fake_unwatch(&vm.mem->map);
}

static const u8 *destroyed;
static unsigned int unlocks;

static void look_at_destroyed(const char *name)
{
	static const struct guest_regs zero;

	if (!strstr(name, "vm->lock"))
		return;
	unlocks++;
	assert_memory_equal(destroyed, &zero, sizeof(zero));
}

/* A vCPU that vm_scrub_registers() on another CPU does not find any more has been scrubbed (vcpu_destroy()). */
static void no_vcpu_escapes_the_scrubbing(void)
{
	start();
	assert_ret(hc(STOCKADE_HC_VCPU_PUT), 0);
	assert_ret(hc(STOCKADE_HC_VM_TEARDOWN, vm.handle), 0);
	destroyed = (const u8 *)regs_of(&vm, 1);
	unlocks = 0;
	fake.after_unlock = look_at_destroyed;
	assert_ret(hc(STOCKADE_HC_VCPU_DESTROY, vm.handle, 1), 0);
	fake.after_unlock = NULL;
	assert_int_equal(unlocks, 1);
}

static void touch(pa_t pa)
{
	regs = (struct host_regs){ 0 };
	fake.abort = (struct host_abort){ .ipa = pa, .ipa_known = true, .far = 0xffff000000001000 };
	trap(EC_DABT_LOWER, 0);
}

/*
 * The host lives on after a restart that failed, and touches what was a guest's: whatever it is shown, it
 * can't make EL2 panic, nor destroy the VM and leave its pages behind for another.
 */
static void the_host_lives_on(void)
{
	pa_t block = host_block();

	start();
	donate(&vm, block, BLOCK, NR_BLOCK);
	fake_cpu(1);
	restart();
	touch(page);
	touch(block + 5 * PAGE_SIZE);
	fake_cpu(0);
	assert_ret(hc(STOCKADE_HC_VCPU_PUT), 0);
	assert_ret(hc(STOCKADE_HC_VM_TEARDOWN, vm.handle), 0);
	do
		assert_ret(hc(STOCKADE_HC_VM_RECLAIM, vm.handle), 0);
	while (hc_result.x1);
	touch(page);
	touch(block + 6 * PAGE_SIZE);
	assert_page_is(page, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(the_stubs_calls),
		hyp_test(other_traps),
		bare_boot_test(a_restart_leaves_nothing),
		bare_boot_test(no_restart_over_a_loaded_guest),
		bare_boot_test(the_host_lives_on),
		bare_boot_test(a_reset_after_a_panic),
		bare_boot_test(a_late_put_leaves_nothing),
		hyp_test(a_guest_that_runs_is_waited_for),
		bare_boot_test(no_vcpu_escapes_the_scrubbing),
	};

	return RUN("hyp-host-trap", tests);
}
