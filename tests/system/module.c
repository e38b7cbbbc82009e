// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module comes and goes, and CPUs do, in every order; nothing is left behind, and no VM suffers.
 * Begins and ends with the module loaded.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../include/stockade/guestcall.h"
#include "kvmtest.h"
#include "tap.h"

#define WARM	 4 /* rounds that bring in what stays */
#define ROUNDS	 10
#define TRIES	 4 /* what leaks, leaks each time; what only varies does not */
#define NOISE_KB 768
#define AREA	 (16 * KT_PAGE)

static int load(void)
{
	int fd = open("/stockade.ko", O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		bail("/stockade.ko: %s", strerror(errno));
	err = syscall(SYS_finit_module, fd, "", 0) ? errno : 0;
	close(fd);
	return err;
}

static int unload(void)
{
	return syscall(SYS_delete_module, "stockade", O_NONBLOCK) ? errno : 0;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		err = errno;
	close(fd);
	return err;
}

static int set_cpu(unsigned int cpu, bool online)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", cpu);
	return write_file(path, online ? "1" : "0");
}

static int off_and_on(unsigned int cpu)
{
	int err = set_cpu(cpu, false);

	return err ? err : set_cpu(cpu, true);
}

/* The kernel's log from now on. */
static int log_fd = -1;

static void log_begin(void)
{
	if (log_fd < 0)
		log_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	lseek(log_fd, 0, SEEK_END);
}

static bool log_has(const char *text)
{
	char line[2048];
	ssize_t n;

	while ((n = read(log_fd, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		if (strstr(line, text))
			return true;
	}
	return false;
}

/* A VM with two vCPUs at work on memory of their own. */
static void start_vm(struct kt_vm *vm)
{
	uint64_t entry;
	unsigned int i;

	kt_create(vm, &(struct kt_config){ .size = 4 * KT_2M, .nr_vcpus = 2, .gic = true });
	entry = kt_do(&vm->vcpu[0], CMD_SECONDARY, 0, 0, 0, 0);
	if (kt_hvc(&vm->vcpu[0], PSCI_CPU_ON_64, 1, entry, 0).r[0])
		bail("CPU_ON");
	for (i = 0; i < 2; i++)
		kt_start(&vm->vcpu[i], CMD_STRESS, GUEST_FREE + i * KT_2M, AREA, 0, 0);
}

/* Both vCPUs get on, and with the right data. */
static bool runs_well(struct kt_vm *vm)
{
	unsigned int i, ms;

	for (i = 0; i < 2; i++) {
		struct kt_vcpu *cpu = &vm->vcpu[i];
		uint64_t before = cpu->nr_progress;

		for (ms = 0; ms < 10000 && cpu->nr_progress < before + 3; ms++)
			usleep(1000);
		if (cpu->nr_progress < before + 3 || cpu->nr_bad || cpu->thread_done) {
			diag("vCPU %u: %d rounds, %d bad%s", i, (int)(cpu->nr_progress - before),
			     (int)cpu->nr_bad, cpu->thread_done ? ", ended" : "");
			return false;
		}
	}
	return true;
}

static void stop_vm(struct kt_vm *vm)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		kt_kick(&vm->vcpu[i]);
		kt_wait(&vm->vcpu[i]);
	}
	kt_close(vm);
}

/* CPUs that have not run a VM are under stage 2 too. */
static bool is_protected(void)
{
	struct kt_vm vm;
	bool safe;

	kt_pin(0);
	kt_create(&vm, &(struct kt_config){ 0 });
	kt_do(&vm.vcpu[0], CMD_FILL, GUEST_FREE, AREA, 0, 0);
	safe = kt_out_of_reach(&vm);
	kt_close(&vm);
	return safe;
}

static bool vm_works(void)
{
	bool well = is_protected();
	struct kt_vm vm;

	start_vm(&vm);
	well &= runs_well(&vm) && kt_out_of_reach(&vm);
	stop_vm(&vm);
	return well;
}

static void test_refused(void)
{
	struct kt_vm vm;
	int kvm, fd;

	is_errno(load(), EEXIST, "the module can't be loaded twice");
	kvm = kt_open();
	is_errno(unload(), EAGAIN, "nor unloaded while /dev/kvm is open");
	fd = ioctl(kvm, KVM_CREATE_VM, kt_vm_type());
	close(kvm);
	ok(fd >= 0, "a VM is made");
	is_errno(unload(), EAGAIN, "nor while there is a VM that has not run");
	close(fd);
	start_vm(&vm);
	ok(runs_well(&vm), "a VM runs");
	is_errno(unload(), EAGAIN, "nor while a VM runs");
	ok(runs_well(&vm), "which has not noticed");
	stop_vm(&vm);
}

struct memory {
	int64_t free, percpu, vmalloc, slab;
};

static struct memory memory(void)
{
	/* What is merely kept at hand goes back: caches, and lists of free pages by CPU. */
	write_file("/proc/sys/vm/drop_caches", "3");
	usleep(200000);
	write_file("/proc/sys/vm/drop_caches", "3");
	write_file("/proc/sys/vm/compact_memory", "1");
	return (struct memory){
		.free = kt_proc_kb("/proc/meminfo", "MemFree:"),
		.percpu = kt_proc_kb("/proc/meminfo", "Percpu:"),
		.vmalloc = kt_proc_kb("/proc/meminfo", "VmallocUsed:"),
		.slab = kt_proc_kb("/proc/meminfo", "SUnreclaim:"),
	};
}

static bool nothing_lost(const struct memory *before, const struct memory *after)
{
	return after->free > before->free - NOISE_KB && after->percpu <= before->percpu &&
	       after->vmalloc <= before->vmalloc + 64 && after->slab <= before->slab + NOISE_KB;
}

static void test_reload(void)
{
	unsigned int i, bad = 0, odd = 0;
	struct memory before = { 0 }, after = { 0 };
	int64_t held = 0;
	bool done = false;
	struct stat st;

	for (i = 0; i < WARM + TRIES * ROUNDS && !done; i++) {
		if (unload())
			break;
		odd += !stat("/dev/kvm", &st) || !stat("/sys/kernel/stockade", &st);
		if (i >= WARM - 1 && (i - (WARM - 1)) % ROUNDS == 0) {
			before = after;
			after = memory();
			done = i >= WARM && nothing_lost(&before, &after);
		}
		if (load())
			break;
		if (!i)
			held = kt_sysfs("pages_held");
		odd += kt_sysfs("pages_held") != held;
		bad += i % 3 == 0 && !vm_works();
	}
	ok(i >= WARM + ROUNDS, "unload and load %u times at least", WARM + ROUNDS);
	if (i < WARM + ROUNDS)
		bail("no module");
	is(bad, 0, "a VM runs each third time");
	is(odd, 0, "/dev/kvm and /sys/kernel/stockade go and come, as many pages are held");
	diag("kB in the last %u rounds: MemFree %+d, Percpu %+d, VmallocUsed %+d, SUnreclaim %+d",
	     ROUNDS, (int)(after.free - before.free), (int)(after.percpu - before.percpu),
	     (int)(after.vmalloc - before.vmalloc), (int)(after.slab - before.slab));
	ok(nothing_lost(&before, &after), "nothing is lost: free, per-CPU, vmalloc, slabs");
}

static void test_hotplug_loaded(unsigned int nr)
{
	unsigned int cpu, round, err = 0;
	struct kt_vm vm;

	for (round = 0; round < 3; round++)
		for (cpu = 1; cpu < nr; cpu++)
			err += off_and_on(cpu) != 0;
	is(err, 0, "CPUs go and come while the hypervisor is there");
	start_vm(&vm);
	for (round = 0; round < 3; round++) {
		for (cpu = 1; cpu < nr; cpu++) {
			err += set_cpu(cpu, false) != 0;
			err += !runs_well(&vm);
			err += set_cpu(cpu, true) != 0;
			err += !kt_out_of_reach(&vm);
		}
	}
	is(err, 0, "and while a VM runs, which has not noticed, nor can be read");
	if (set_cpu(0, false)) {
		skip("this kernel keeps its CPU 0", "CPU 0 too");
	} else {
		err += !runs_well(&vm);
		err += set_cpu(0, true) != 0;
		err += !runs_well(&vm) || !kt_out_of_reach(&vm);
		is(err, 0, "CPU 0 too");
	}
	stop_vm(&vm);
}

static void test_hotplug_around(unsigned int nr)
{
	unsigned int cpu, round, err = 0, vms = 0;

	for (round = 0; round < 2; round++) {
		/* Off at launch, then on. */
		err += unload() != 0;
		for (cpu = 1; cpu < nr; cpu++)
			err += set_cpu(cpu, false) != 0;
		err += load() != 0;
		for (cpu = 1; cpu < nr; cpu++)
			err += set_cpu(cpu, true) != 0;
		vms += vm_works();
		/* Off at unload, then on. */
		for (cpu = 1; cpu < nr; cpu++)
			err += set_cpu(cpu, false) != 0;
		err += unload() != 0;
		for (cpu = 1; cpu < nr; cpu++)
			err += set_cpu(cpu, true) != 0;
		/* All the time without. */
		for (cpu = 1; cpu < nr; cpu++)
			err += off_and_on(cpu) != 0;
		err += load() != 0;
		for (cpu = 1; cpu < nr; cpu++)
			err += off_and_on(cpu) != 0;
		vms += vm_works();
	}
	is(err, 0, "launch and unload with CPUs off that then come");
	is(vms, 4, "each time a VM runs, and no CPU can read it");
}

static void test_hibernation(void)
{
	struct kt_vm vm;
	int fd;

	start_vm(&vm);
	log_begin();
	fd = open("/dev/snapshot", O_RDONLY | O_CLOEXEC);
	is_errno(fd < 0 ? errno : 0, EBUSY, "a snapshot of memory is refused");
	close(fd);
	ok(log_has("hibernation is refused"), "with a message");
	log_begin();
	fd = write_file("/sys/power/disk", "shutdown") ? errno :
							 write_file("/sys/power/state", "disk");
	is_errno(fd, EBUSY, "hibernation is refused");
	ok(log_has("hibernation is refused"), "with a message");
	ok(runs_well(&vm), "a VM has not noticed");
	stop_vm(&vm);
	unload();
	fd = open("/dev/snapshot", O_RDONLY | O_CLOEXEC);
	ok(fd >= 0, "not after unload");
	close(fd);
	load();
}

int main(void)
{
	unsigned int nr = (unsigned int)sysconf(_SC_NPROCESSORS_CONF);

	tap_begin(120);
	test_refused();
	test_reload();
	if (nr < 2) {
		skip("one CPU", "CPU hotplug");
	} else {
		test_hotplug_loaded(nr);
		test_hotplug_around(nr);
	}
	test_hibernation();
	is_errno(load(), EEXIST, "the module is there again");
	return tap_end();
}
