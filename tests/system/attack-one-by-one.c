// SPDX-License-Identifier: GPL-2.0-only
/* Attacks of a hostile kernel that have a name: each by itself, and then the hypervisor's invariants. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../include/stockade/guestcall.h"
#include "hostile.h"

static bool two_cpus(const char *what)
{
	if (sysconf(_SC_NPROCESSORS_ONLN) >= 2)
		return true;
	skip("one CPU", "%s", what);
	return false;
}

/*
 * The host's TTBR0 leads to a page that a guest has, and to the hypervisor's own: the walk itself must
 * fail, whatever is there. It is the unmapping from the host's stage 2, host_unmap() in
 * host_donate_guest() and donate_hyp(), that stops it; host_abort() then lets it end in an external abort.
 */
static void test_walks(void)
{
	log_begin();
	is_errno(attack("walk"), 0, "TTBR0 and pages that the host has lost");
	is(got("own_table"), 1, "a table of the host's own works");
	is(got("guest_donate"), 0, "a guest has it");
	is(got("guest_at"), 1, "then AT takes an external abort");
	is(got("guest_load"), 1, "a load too");
	is(got("guest_data"), 0, "and gives no data");
	ok(got("hyp_tried") > 3, "pages of the hypervisor: %" PRId64, got("hyp_tried"));
	is(got("hyp_at"), got("hyp_tried"), "AT takes an external abort on each");
	is(got("hyp_load"), got("hyp_tried"), "a load too");
	is(got("destroyed"), 1, "the VM can be ended");
	check_invariants("after walks");
	diag("%s", attack_result());
}

static void refused_as_metadata(uint64_t frame, const char *what)
{
	static const char *const uses[] = { "as_vm",	    "as_root",	  "as_vcpu",
					    "as_run_page",  "as_vm_pool", "as_hyp_pool",
					    "as_guest_page" };
	unsigned int i;

	is_errno(attack("metadata %" PRIx64, frame), 0, "%s page of a guest's", what);
	for (i = 0; i < sizeof(uses) / sizeof(uses[0]); i++)
		is(got(uses[i]), -EPERM, "is refused %s", uses[i]);
	is(got("destroyed"), 1, "the other VM can be ended");
	check_invariants("after that");
}

/*
 * A guest's pages given to the hypervisor for its own use, which zeroes what it is given. host_owns() in
 * donate_hyp(), host_can_donate_both() and host_donate_guest(), and host_share_hyp()'s look at the state.
 */
static void test_metadata(void)
{
	struct victim v;

	victim_start(&v);
	is((int64_t)kt_hvc(&v.vm.vcpu[0], GUESTCALL_MEM_SHARE, GUEST_FREE + 2 * KT_PAGE, 0, 0).r[0],
	   SMCCC_RET_SUCCESS, "the guest shares a page");
	refused_as_metadata(v.frame[1], "a private");
	refused_as_metadata(v.frame[2], "a shared");
	ok(victim_well(&v), "the guest has kept its memory");
	kt_close(&v.vm);
}

/* vm_teardown() refuses while vm->loaded; all that follows teardown refuses without it (is_dying()). */
static void test_teardown_while_running(void)
{
	if (!two_cpus("a VM is ended while its vCPU runs elsewhere"))
		return;
	is_errno(attack("teardown-while-running"), 0,
		 "a VM is ended while its vCPU runs elsewhere");
	ok(got("rounds") > 100, "%" PRId64 " times, by each call that could", got("rounds"));
	is(got("odd"), 0, "each is refused");
	ok(got("runs") >= 20, "it runs on, %" PRId64 " entries", got("runs"));
	is(got("dead"), 0, "and is not dead");
	is(got("none"), 0, "its vCPU was loaded");
	is(got("destroyed"), 1, "afterwards it can be ended");
	diag("%s", attack_result());
	check_invariants("after that");

	is_errno(attack("race-teardown"), 0, "teardown and load at the same moment");
	is(got("both"), 0, "never are both granted");
	is(got("none"), 0, "nor none");
	is(got("odd"), 0, "who is refused gets EBUSY, or ENOENT");
	is(got("dead"), 0, "what was loaded runs");
	diag("%s", attack_result());
	check_invariants("after that");
}

/* host_owns() under mem_lock, together with the change of state. */
static void test_donations(unsigned int seed)
{
	if (!two_cpus("two CPUs give the same page"))
		return;
	is_errno(attack("race-donations %u", seed), 0, "two CPUs give the same page, seed %u",
		 seed);
	is(got("both"), 0, "never do both succeed");
	is(got("none"), 0, "nor none");
	is(got("odd"), 0, "who comes second gets EPERM");
	is(got("destroyed"), 1, "the VMs can be ended");
	is(got("lost"), 0, "and all pages come back");
	diag("%s", attack_result());
	check_invariants("after that");
}

/* vcpu->bound in vcpu_load(). */
static void test_loads(void)
{
	if (!two_cpus("two CPUs load the same vCPU"))
		return;
	is_errno(attack("race-loads"), 0, "two CPUs load the same vCPU");
	is(got("both"), 0, "never do both have it");
	is(got("none"), 0, "nor none");
	is(got("odd"), 0, "who comes second gets EBUSY");
	is(got("runs"), got("rounds"), "who has it runs it");
	is(got("destroyed"), 1, "the VM can be ended");
	diag("%s", attack_result());
	check_invariants("after that");
}

/* Whoever names a VM keeps it from being destroyed for a moment: destroy_vm() in module/vm.c tries again. */
static void test_named(void)
{
	unsigned int i;

	if (!two_cpus("VMs end while another CPU names them"))
		return;
	log_begin();
	kt_pin(0);
	is_errno(attack("name-vm"), 0, "a CPU names the first VM, all the time");
	for (i = 0; i < 30; i++) {
		struct kt_vm vm;

		kt_create(&vm, &(struct kt_config){ 0 });
		kt_do(&vm.vcpu[0], CMD_NOP, 0, 0, 0, 0);
		kt_close(&vm);
	}
	is_errno(attack("name-vm-end"), 0, "%u VMs ended meanwhile", i);
	kt_pin(-1);
	is(kt_sysfs("vms"), 0, "all of them");
	is(log_count("could not be ended"), 0, "and the module does not complain");
	check_invariants("after that");
}

int main(void)
{
	const char *seed = getenv("ATTACK_SEED");

	tap_begin(120);
	hostile_begin();
	/* So that it knows pages of the hypervisor's. */
	is_errno(attack("scan"), 0, "all of RAM is read");
	test_metadata();
	test_teardown_while_running();
	test_donations(seed ? (unsigned int)atoi(seed) : (unsigned int)getpid());
	test_loads();
	test_named();
	test_walks();
	return tap_end();
}
