// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMs come and go, many at once, in order or killed at any moment, and nothing is left behind:
 * neither pages in the hypervisor nor memory in the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kvmtest.h"
#include "tap.h"

#define MANY	  24
#define KILLS	  30
#define TOUCH	  (64 * KT_PAGE)
#define SETTLE_MS 5000

/* pages_held, less what is only in the pool: that is kept for the next VM. */
static int64_t pages_used(void)
{
	int64_t held = kt_sysfs("pages_held"), avail = kt_sysfs("pages_free");

	return held < 0 || avail < 0 ? -1 : held - avail;
}

/* Memory that the host has, or could have by unloading: the hypervisor's pool may have grown. */
static int64_t host_kb(void)
{
	int64_t held = kt_sysfs("pages_held");
	int caches = open("/proc/sys/vm/drop_caches", O_WRONLY);

	if (caches >= 0) {
		if (write(caches, "3", 1) != 1)
			diag("the kernel keeps its caches");
		close(caches);
	}

	return kt_proc_kb("/proc/meminfo", "MemAvailable:") + (held < 0 ? 0 : held * 4);
}

static bool wait_for_vms(int64_t want)
{
	unsigned int i;

	for (i = 0; i < SETTLE_MS && kt_sysfs("vms") != want; i++)
		usleep(1000);
	return kt_sysfs("vms") == want;
}

static void run_one(struct kt_vm *vm, uint64_t seed)
{
	kt_create(vm, &(struct kt_config){ .gic = true });
	kt_do(&vm->vcpu[0], CMD_FILL, GUEST_FREE, TOUCH, seed, 0);
}

static void test_many(void)
{
	static struct kt_vm vm[MANY];
	unsigned int i, bad = 0;
	int64_t used = pages_used();

	for (i = 0; i < MANY; i++)
		run_one(&vm[i], i);
	for (i = 0; i < MANY; i++)
		bad += kt_do(&vm[i].vcpu[0], CMD_CHECK, GUEST_FREE, TOUCH, i, 0) != 0;
	is(bad, 0, "%u VMs at once: each has its own data", MANY);
	if (used >= 0) {
		is(kt_sysfs("vms"), MANY, "the hypervisor counts them");
		ok(pages_used() > used, "and holds pages for them");
	}
	/* Not in the order of their making. */
	for (i = 0; i < MANY; i += 2)
		kt_close(&vm[i]);
	for (i = 1; i < MANY; i += 2) {
		bad += kt_do(&vm[i].vcpu[0], CMD_CHECK, GUEST_FREE, TOUCH, i, 0) != 0;
		kt_close(&vm[i]);
	}
	is(bad, 0, "closing half of them leaves the others alone");
}

static void test_one_after_another(void)
{
	unsigned int i;

	for (i = 0; i < 100; i++) {
		struct kt_vm vm;

		kt_create(&vm, &(struct kt_config){ 0 });
		if (i % 2)
			kt_do(&vm.vcpu[0], CMD_NOP, 0, 0, 0, 0);
		kt_close(&vm);
	}
	ok(true, "100 VMs one after another, every other one never run");
}

/* The fds are closed below a vCPU that runs. */
static void test_close_running(void)
{
	struct kt_vm vm;
	struct kt_vcpu *cpu = &vm.vcpu[0];

	kt_create(&vm, &(struct kt_config){ 0 });
	kt_start(cpu, CMD_STRESS, GUEST_FREE, TOUCH, 0, 0);
	while (!cpu->nr_progress)
		usleep(1000);
	close(vm.fd);
	ok(!cpu->thread_done, "a vCPU runs on when the VM's fd is closed");
	kt_kick(cpu);
	is_errno(kt_wait(cpu).err, EINTR, "and can be stopped");
	munmap(cpu->run, cpu->run_size);
	close(cpu->fd);
	munmap(vm.mem, vm.size);
}

/* Guest memory is unmapped below a vCPU that runs: it keeps its pages. */
static void test_unmap_running(void)
{
	struct kt_vm vm;
	struct kt_vcpu *cpu = &vm.vcpu[0];
	uint64_t progress;

	if (!kt_protected()) {
		skip("not a protected VM", "unmapping guest memory");
		return;
	}
	kt_create(&vm, &(struct kt_config){ 0 });
	kt_start(cpu, CMD_STRESS, GUEST_FREE, TOUCH, 0, 0);
	while (!cpu->nr_progress)
		usleep(1000);
	munmap(vm.mem, vm.size);
	progress = cpu->nr_progress + 2;
	while (cpu->nr_progress < progress && !cpu->thread_done)
		usleep(1000);
	ok(!cpu->thread_done && cpu->progress != ~0ull,
	   "a guest runs on, data right, when its memory is unmapped in the host");
	kt_kick(cpu);
	kt_wait(cpu);
	kt_close_keep(&vm);
}

/* A VMM with two vCPUs at work, one of them turned on by the other. */
static void child_vmm(void)
{
	struct kt_vm vm;
	uint64_t entry;

	kt_create(&vm, &(struct kt_config){ .size = 8 * KT_2M, .nr_vcpus = 2, .gic = true });
	entry = kt_do(&vm.vcpu[0], CMD_SECONDARY, 0, 0, 0, 0);
	kt_start(&vm.vcpu[1], CMD_STRESS, GUEST_FREE + KT_2M, 4 * KT_2M, 0, 0);
	kt_hvc(&vm.vcpu[0], 0xc4000003, 1, entry, 0);
	kt_call(&vm.vcpu[0], CMD_STRESS, GUEST_FREE, KT_2M, 0, 0);
	_exit(1);
}

static void test_kill(int sig)
{
	unsigned int i, seed = 12345, odd = 0;

	for (i = 0; i < KILLS; i++) {
		pid_t pid = fork();
		int status;

		if (!pid) {
			child_vmm();
			_exit(1);
		}
		usleep((unsigned int)rand_r(&seed) % 60000);
		kill(pid, sig);
		waitpid(pid, &status, 0);
		odd += !WIFSIGNALED(status);
	}
	is(odd, 0, "%u VMMs killed by signal %d at some moment", KILLS, sig);
}

static void test_exit(void)
{
	pid_t pid = fork();
	int status = -1;

	if (!pid) {
		struct kt_vm vm;

		run_one(&vm, 1);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && !WEXITSTATUS(status), "a VMM exits without closing its VM");
}

static void check_nothing_left(int64_t used, int64_t avail, const char *after)
{
	int64_t now;

	if (used < 0) {
		skip("no /sys/kernel/stockade", "what is left after %s", after);
	} else {
		ok(wait_for_vms(0), "after %s no VM is left", after);
		is(pages_used(), used, "and the hypervisor uses as many pages as before");
	}
	now = host_kb();
	if (!ok(avail - now < 8 << 10, "and the host has its memory"))
		diag("%lld kB less", (long long)(avail - now));
}

int main(void)
{
	int64_t used, avail;

	tap_begin(240);
	/* The kernel's caches grow with the first VMs, by many MiB; what grows after that is a leak. */
	test_many();
	wait_for_vms(0);
	used = pages_used();
	avail = host_kb();

	test_many();
	check_nothing_left(used, avail, "many VMs at once");
	test_one_after_another();
	check_nothing_left(used, avail, "many VMs in a row");
	test_close_running();
	test_unmap_running();
	check_nothing_left(used, avail, "closing and unmapping below a running VM");
	test_exit();
	check_nothing_left(used, avail, "an exit");
	test_kill(SIGKILL);
	check_nothing_left(used, avail, "kill -9");
	test_kill(SIGTERM);
	check_nothing_left(used, avail, "SIGTERM");
	return tap_end();
}
