// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hostile kernel: attack-module does to the hypervisor what a kernel can, while VMs run, which must
 * not notice. The hypervisor answers with error codes and nothing else happens; ATTACK_SEED=N and
 * ATTACK_CALLS=N (for each CPU) in the environment change what is called, and how often.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../include/stockade/guestcall.h"
#include "hostile.h"

/* For each CPU, twice; with both CPU models they are the 200000 of `make test`. */
#define CALLS 16000
/* Calls of all CPUs between two checks of the hypervisor's invariants; and if there are more of them. */
#define CHECK_EVERY	 5000
#define CHECK_MANY_EVERY 20000

static void test_hyp_pages(void)
{
	is_errno(attack("scan"), 0, "all of RAM is read and written by the kernel");
	is(got("faults"), kt_sysfs("pages_held"), "what the hypervisor holds faults, nothing else");
	is(got("written"), 0, "and can't be written");
	is(got("data"), 0, "and gives no data");
	diag("%s", attack_result());
	check_invariants("after a scan");
}

static void test_smc(void)
{
	static const unsigned int denied[] = { 0xc2000001, 0x83000002, 0x8400ff01, 0xc4000084,
					       0xc4000021, 0xb2000003, 0xf2000004, 0x5 };
	char name[64];
	unsigned int i;

	for (i = 0; i < sizeof(denied) / sizeof(denied[0]); i++) {
		log_begin();
		is_errno(attack("smc"), 0, "SMCs");
		snprintf(name, sizeof(name), "smc_%x", denied[i]);
		is(got(name), SMCCC_RET_NOT_SUPPORTED, "0x%x is not supported", denied[i]);
		snprintf(name, sizeof(name), "function 0x%x", denied[i]);
		if (!i)
			is(log_count(name), 1, "and logged");
	}
	log_begin();
	attack("smc");
	is(log_count("denied the host an SMC"), 0, "once");
	is(got("cpu_on_nobody"), PSCI_RET_INVALID_PARAMETERS, "CPU_ON of no CPU");
	is(got("cpu_on_wide"), PSCI_RET_INVALID_PARAMETERS, "CPU_ON, MPIDR with bit 31");
	is(got("cpu_on_wider"), PSCI_RET_INVALID_PARAMETERS, "CPU_ON, MPIDR with bit 63");
	is(got("cpu_on_self"), PSCI_RET_ALREADY_ON, "CPU_ON of one that is on");
	/* host_psci(): PSCI_AFFINITY_INFO_64 and PSCI_CPU_SUSPEND_64, which give firmware's answers. */
	is(got("affinity_self"), 0, "AFFINITY_INFO of one that is on");
	is(got("affinity_nobody"), PSCI_RET_INVALID_PARAMETERS, "AFFINITY_INFO of no CPU");
	is(got("suspend_standby"), 0, "CPU_SUSPEND that keeps state comes back behind the call");
	is(got("suspend_odd"), PSCI_RET_INVALID_PARAMETERS, "CPU_SUSPEND to no state");
	/* Firmware without them would say -1, and the long way hand that on: guards `workaround` in vectors.S. */
	is(got("workaround_1"), 0, "WORKAROUND_1 goes the short way");
	is(got("workaround_3"), 0, "WORKAROUND_3 too");
	ok(got("migrate_type") == 2 || got("migrate_type") == -1,
	   "MIGRATE_INFO_TYPE is firmware's");
	is(got("features_cpu_on"), 0, "FEATURES knows CPU_ON");
	is(got("features_mem_protect"), PSCI_RET_NOT_SUPPORTED, "and not what the proxy has not");
	is(got("psci_unknown"), PSCI_RET_NOT_SUPPORTED, "an unknown PSCI function");
	ok(got("psci_version") >= 0x10000, "what names no memory goes through");
}

static void test_stub(void)
{
	is_errno(attack("stub"), 0, "the stub's calls");
	is(got("stub_set_vectors"), 0xbadca11, "HVC_SET_VECTORS is refused");
	is(got("stub_reset_vectors"), 0xbadca11, "HVC_RESET_VECTORS too");
	is(got("stub_finalise_el2"), 0, "HVC_FINALISE_EL2 is answered");
	is(got("stub_get_ich_vtr"), 0, "HVC_GET_ICH_VTR_EL2 too");
	is(got("no_function"), -38, "function 5 is none");
	is(got("minus_one"), -38, "nor is -1");
	is(got("seal"), -EBUSY, "SEAL is over");
	is(got("unlaunch"), -EBUSY, "no UNLAUNCH while there is a VM");
	is(got("unlaunch_cpu"), -EINVAL, "nor UNLAUNCH_CPU");
	is(got("version"), 0, "the hypervisor is still there");
}

static void test_reclaim(void)
{
	is_errno(attack("reclaim"), 0, "a VM of raw hostcalls");
	is(got("donate"), 0, "is given a page");
	is(got("donate_again"), -EPERM, "only once");
	is(got("donate_vm_page"), -EPERM, "its own page can't be donated");
	is(got("donate_run_page"), -EPERM, "nor a run page");
	is(got("read_vcpu_page"), -EFAULT, "its vCPU's page can't be read");
	is(got("read_root_page"), -EFAULT, "nor its tables");
	is(got("destroyed"), 1, "it goes");
	is(got("not_zero"), 0, "and has left nothing in its pages");
	check_invariants("after a VM of raw hostcalls");
}

static void test_block(void)
{
	is_errno(attack("block"), 0, "VMs of raw hostcalls, and a block");
	is(got("given"), 0, "one gets it");
	is(got("calls"), got("should"), "in as many calls as it takes to clean it");
	is(got("again"), -EEXIST, "and no more");
	is(got("given_destroyed"), 1, "it goes");
	is(got("given_not_zero"), 0, "and has left nothing in the block");
	is(got("begun"), 0, "another begins to get it");
	is(got("touched"), 0, "the kernel touches it: zeroes");
	is(got("gone_on"), -EAGAIN, "it is no block any more");
	is(got("touched_destroyed"), 1, "the VM goes");
	is(got("touched_not_zero"), 0, "and has left nothing in the block");
	is(got("begun_destroyed"), 1, "one that has only begun goes");
	is(got("begun_not_zero"), 0, "and has left nothing in the block");
	check_invariants("after blocks were given");
}

/* VMs that come, work and go. */
static pid_t churn_start(void)
{
	pid_t pid = fork();
	struct kt_vm vm;

	if (pid)
		return pid;
	alarm(0);
	for (;;) {
		kt_create(&vm, &(struct kt_config){ .gic = true });
		kt_do(&vm.vcpu[0], CMD_FILL, GUEST_FREE, VICTIM_AREA, VICTIM_SECRET, 0);
		if (kt_do(&vm.vcpu[0], CMD_CHECK, GUEST_FREE, VICTIM_AREA, VICTIM_SECRET, 0))
			_exit(1);
		kt_close(&vm);
	}
}

static void check_calls(const char *what)
{
	ok(got("calls") > 0, "%s: %" PRId64 " hostcalls, %" PRId64 " entries", what, got("calls"),
	   got("runs"));
	is(got("odd"), 0, "each gives 0 or an error code, and ENOSYS where there is no function");
	is(got("changed"), 0, "and leaves x4 to x28 alone");
	ok(!got("broken") && got("checks") > 0, "the invariants hold meanwhile, %" PRId64 " times",
	   got("checks"));
	is(got("left"), 0, "all VMs made thereby can be ended");
	is(got("lost"), 0, "and their pages come back");
}

static void test_random(unsigned int seed, unsigned int calls)
{
	unsigned int every = calls > CALLS ? CHECK_MANY_EVERY : CHECK_EVERY;
	struct victim v;
	pid_t worker, churn;
	int status;

	victim_start(&v);
	worker = worker_start();
	while (kt_sysfs("vms") < 2)
		usleep(10000);
	usleep(200000);
	is_errno(attack("victims"), 0, "other people's VMs");
	is(got("victims"), 2, "are two");

	is_errno(attack("calls %u %u %u", seed, calls, every), 0, "random hostcalls, seed %u",
		 seed);
	diag("%s", attack_result());
	check_calls("random");
	is(got("never"), 0, "every number was called");
	ok(got("created") > 0 && got("destroyed") > 0, "VMs were made and ended");
	check_invariants("after random hostcalls");
	ok(victim_well(&v), "a VM has kept its memory");
	worker_stop(worker, "too");
	while (kt_sysfs("vms") > 1)
		usleep(10000);

	churn = churn_start();
	is_errno(attack("gentle-calls %u %u %u", seed + 1000, calls, every), 0,
		 "random hostcalls while VMs come and go, seed %u", seed + 1000);
	diag("%s", attack_result());
	check_calls("gentle");
	ok(got("runs") > 0, "its own VMs ran");
	check_invariants("after random hostcalls, VMs coming and going");
	ok(!waitpid(churn, &status, WNOHANG), "VMs come and go meanwhile, unharmed");
	kill(churn, SIGKILL);
	waitpid(churn, &status, 0);
	ok(victim_well(&v), "a VM has kept its memory");
	while (kt_sysfs("vms") > 1)
		usleep(10000);

	worker = worker_start();
	is_errno(attack("run-pages %u %u", seed, calls / 20), 0, "run pages of nonsense, seed %u",
		 seed);
	diag("%s", attack_result());
	ok(got("runs") > 0, "%" PRId64 " entries", got("runs"));
	is(got("odd"), 0, "each refused with an error code, or an exit");
	is(got("destroyed"), 1, "the VM can be ended");
	check_invariants("after run pages of nonsense");
	worker_stop(worker, "unharmed");
	ok(victim_well(&v), "and another");

	attack("touch %" PRIx64, v.frame[3]);
	is(got("err"), 0, "a guest's page, read by the kernel");
	is(got("not_zero"), 0, "is zeroes");
	is_errno(kt_call(&v.vm.vcpu[0], CMD_CHECK, GUEST_FREE, VICTIM_AREA, VICTIM_SECRET, 0).err,
		 EFAULT, "and lost to the guest");
	check_invariants("with a page that was taken from a guest");
	kt_close(&v.vm);
	check_invariants("when the VM is gone");
}

static void test_tables(void)
{
	pid_t pid;
	int status = 0;

	log_begin();
	pid = fork();
	if (!pid) {
		attack("tables");
		_exit(0);
	}
	waitpid(pid, &status, 0);
	ok(WIFSIGNALED(status), "who needs a translation table that a VM has got, dies");
	ok(log_count("Internal error: ") == 1, "with an oops");
	ok(hyp_alive(), "the host and the hypervisor live on");
	attack("tables-end");
	is(got("destroyed"), 1, "the VM can be ended");
	is(kt_sysfs("vms"), 0, "no VM is left");
	check_invariants("at the end");
}

static int setting(const char *name, int fallback)
{
	const char *value = getenv(name);

	return value ? atoi(value) : fallback;
}

static volatile bool waited;
static int wait_errno;

static void *wait_for_tasks(void *unused)
{
	wait_errno = attack("rcu-tasks");
	waited = true;
	return unused;
}

/* A guest that computes and nothing else does not keep the kernel waiting for its vCPU's thread. Guards run_loop(). */
static void test_rcu_tasks(void)
{
	struct kt_vm vm;
	struct kt_vcpu *cpu = &vm.vcpu[0];
	pthread_t thread;
	bool early;

	kt_create(&vm, &(struct kt_config){ 0 });
	kt_start(cpu, CMD_SPIN, 0, 0, 0, 0);
	while (cpu->asked)
		usleep(1000);
	if (pthread_create(&thread, NULL, wait_for_tasks, NULL))
		bail("no thread");
	early = kt_wait_for(&waited, 30000);
	kt_kick(cpu);
	kt_wait(cpu);
	pthread_join(thread, NULL);
	if (wait_errno == EOPNOTSUPP)
		skip("the kernel has none", "RCU for tasks");
	else
		ok(early && !wait_errno, "RCU for tasks goes on while a guest computes");
	kt_close(&vm);
}

int main(void)
{
	int seed = setting("ATTACK_SEED", (int)time(NULL) & 0xffff);
	int calls = setting("ATTACK_CALLS", CALLS);

	tap_begin((unsigned int)(150 + calls / 50));
	hostile_begin();
	test_hyp_pages();
	test_smc();
	test_reclaim();
	test_block();
	{
		struct kt_vm vm;

		kt_create(&vm, &(struct kt_config){ 0 });
		kt_do(&vm.vcpu[0], CMD_NOP, 0, 0, 0, 0);
		test_stub();
		kt_close(&vm);
	}
	test_rcu_tasks();
	test_random((unsigned int)seed, (unsigned int)calls);
	test_tables();
	attack("count");
	ok(got("count") >= 25 * (int64_t)calls / 4, "%" PRId64 " raw hostcalls were made",
	   got("count"));
	return tap_end();
}
