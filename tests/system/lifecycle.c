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

#include "../../include/stockade/guestcall.h"
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

/*
 * The VMM dies, and with it the VM, but its memory is a memfd that somebody else has too. Guards
 * take_from_guest() and guest_reclaim_some().
 */
static void test_killed_memory(void)
{
	uint8_t *mem, junk;
	unsigned int i, lost = 0, left = 0;
	int fd = memfd_create("killed", MFD_CLOEXEC), ready[2], status;
	size_t size = 2 * KT_2M, free_at = GUEST_FREE - GUEST_RAM;
	pid_t pid;

	if (fd < 0 || ftruncate(fd, (off_t)size) || pipe(ready))
		bail("memfd: %s", strerror(errno));
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	pid = fork();
	if (!pid) {
		struct kt_vm vm;

		kt_create(&vm, &(struct kt_config){ .size = size, .mem = mem });
		kt_do(&vm.vcpu[0], CMD_FILL, GUEST_FREE, TOUCH, 1, 0);
		kt_hvc(&vm.vcpu[0], GUESTCALL_MEM_SHARE, GUEST_FREE + 3 * KT_PAGE, 0, 0);
		mem[free_at + TOUCH] = 0x77;
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	if (read(ready[0], &junk, 1) != 1)
		bail("a VMM has died");
	is(kt_try_load(mem + free_at, NULL), SIGSEGV,
	   "another process cannot load from the VM's memfd");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	wait_for_vms(0);
	for (i = 0; i < TOUCH / KT_PAGE; i++) {
		const uint64_t *page = (uint64_t *)(mem + free_at + i * KT_PAGE);
		unsigned int j;

		if (kt_try_load(page, NULL)) {
			lost++;
			continue;
		}
		for (j = 0; j < KT_PAGE / 8 && i != 3; j++)
			left += page[j] != 0;
	}
	is(lost, 0, "when the VMM has been killed all pages are the host's");
	is(left, 0, "what was private is zero");
	ok(*(uint64_t *)(mem + free_at + 3 * KT_PAGE) == (1ull ^ (GUEST_FREE + 3 * KT_PAGE)),
	   "what was shared is kept");
	is(mem[free_at + TOUCH], 0x77, "and so is what never was the guest's");
	munmap(mem, size);
	close(fd);
	close(ready[0]);
	close(ready[1]);
}

/* Pages that somebody keeps the kernel from moving; what each CPU has counted is added up first. */
static int64_t pinned(void)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1", 1) != 1)
		bail("stat_refresh: %s", strerror(errno));
	close(fd);
	return kt_proc_kb("/proc/vmstat", "nr_foll_pin_acquired ") -
	       kt_proc_kb("/proc/vmstat", "nr_foll_pin_released ");
}

static int64_t pinned_before;

static void check_nothing_left(int64_t used, int64_t avail, const char *after)
{
	int64_t now;

	if (used < 0) {
		skip("no /sys/kernel/stockade", "what is left after %s", after);
	} else {
		ok(wait_for_vms(0), "after %s no VM is left", after);
		is(pages_used(), used, "and the hypervisor uses as many pages as before");
	}
	is(pinned(), pinned_before, "no page is pinned");
	is(kt_proc_kb("/proc/self/status", "VmLck:"), 0, "nor counted as locked");
	now = host_kb();
	if (!ok(avail - now < 8 << 10, "and the host has its memory"))
		diag("%lld kB less", (long long)(avail - now));
}

int main(void)
{
	int64_t used, avail;

	tap_begin(240);
	pinned_before = pinned();
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
	test_killed_memory();
	test_kill(SIGTERM);
	check_nothing_left(used, avail, "SIGTERM");
	return tap_end();
}
