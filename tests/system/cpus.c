// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs come and go as fast as they can while VMs run, use their own PSCI, and are made and killed; and the
 * whole machine sleeps (suspend-to-idle). What hyp/host/psci.c and module/vcpu.c have to get right.
 *
 *   cpus [SECONDS]       of storm; 4
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../include/stockade/guestcall.h"
#include "kvmtest.h"
#include "tap.h"

#define AREA	   (16 * KT_PAGE)
#define SEED	   0x570a3ull
#define TOGGLERS   3
#define SETTLE_MS  20000
#define SLEEP_SECS 2

static volatile bool stop;

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

/* The kernel's log from now on. */
static int log_begin(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	lseek(fd, 0, SEEK_END);
	return fd;
}

/* Lines since then that no healthy kernel writes. */
static unsigned int complaints(int log)
{
	static const char *const bad[] = { "WARNING:", "Oops",		 "BUG",	  "Call trace",
					   "stall",    "Internal error", "hung_", "lockup" };
	char line[2048];
	unsigned int count = 0, i;
	ssize_t n;

	while ((n = read(log, line, sizeof(line) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		line[n > 0 ? n : 0] = '\0';
		for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			if (!strstr(line, bad[i]))
				continue;
			diag("log: %s", line);
			count++;
		}
	}
	close(log);
	return count;
}

/* pages_held, less what is only in the pool. */
static int64_t pages_used(void)
{
	return kt_sysfs("pages_held") - kt_sysfs("pages_free");
}

static bool wait_for_vms(int64_t want)
{
	unsigned int ms;

	for (ms = 0; ms < SETTLE_MS && kt_sysfs("vms") != want; ms++)
		usleep(1000);
	return kt_sysfs("vms") == want;
}

/* A vCPU's thread that goes on after a signal, as a VMM does; the kernel's freezer sends one too. */
static void *stress(void *arg)
{
	struct kt_vcpu *vcpu = arg;
	struct kt_result r =
		kt_call(vcpu, CMD_STRESS, GUEST_FREE + vcpu->index * KT_2M, AREA, 0, 0);

	while (!stop && r.err == EINTR && !vcpu->run->immediate_exit)
		r = kt_resume(vcpu);
	vcpu->thread_done = true;
	return NULL;
}

static void stress_start(struct kt_vcpu *vcpu)
{
	vcpu->thread_done = false;
	if (pthread_create(&vcpu->thread, NULL, stress, vcpu))
		bail("pthread_create: %s", strerror(errno));
}

static bool gets_on(struct kt_vcpu *vcpu)
{
	uint64_t before = vcpu->nr_progress;
	unsigned int ms;

	for (ms = 0; ms < SETTLE_MS && vcpu->nr_progress < before + 3 && !vcpu->thread_done; ms++)
		usleep(1000);
	if (vcpu->nr_progress >= before + 3 && !vcpu->nr_bad)
		return true;
	diag("vCPU %u: %d rounds, %d bad%s", vcpu->index, (int)(vcpu->nr_progress - before),
	     (int)vcpu->nr_bad, vcpu->thread_done ? ", ended" : "");
	return false;
}

/* --- the storm --- */

struct toggler {
	unsigned int seed, nr_cpus, changes;
	pthread_t thread;
};

static void *toggle(void *arg)
{
	struct toggler *t = arg;

	while (!stop) {
		unsigned int cpu = (unsigned int)rand_r(&t->seed) % t->nr_cpus;

		/* The last one stays; and some kernels keep their CPU 0. */
		t->changes += !set_cpu(cpu, rand_r(&t->seed) & 1);
		usleep((unsigned int)rand_r(&t->seed) % 4000);
	}
	return NULL;
}

/* VMs that come, work and go; killed now and then. */
static void churn(void)
{
	for (;;) {
		struct kt_vm vm;
		uint64_t entry;

		kt_create(&vm, &(struct kt_config){ .nr_vcpus = 2, .gic = true });
		kt_do(&vm.vcpu[0], CMD_FILL, GUEST_FREE, AREA, SEED, 0);
		entry = kt_do(&vm.vcpu[0], CMD_SECONDARY, 0, 0, 0, 0);
		if (kt_hvc(&vm.vcpu[0], PSCI_CPU_ON_64, 1, entry, 0).r[0] ||
		    kt_do(&vm.vcpu[1], CMD_CHECK, GUEST_FREE, AREA, SEED, 0))
			_exit(1);
		kt_close(&vm);
	}
}

struct churner {
	unsigned int kills, bad;
	pthread_t thread;
};

static void *churn_and_kill(void *arg)
{
	struct churner *c = arg;
	unsigned int seed = 1;

	while (!stop) {
		pid_t pid = fork();
		int status;

		if (!pid) {
			alarm(0);
			churn();
		}
		usleep(50000 + (unsigned int)rand_r(&seed) % 200000);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		c->bad += WIFEXITED(status);
		c->kills++;
	}
	return NULL;
}

static int64_t psci(struct kt_vcpu *cpu, uint64_t function, uint64_t a1, uint64_t a2)
{
	struct kt_result r = kt_hvc(cpu, function, a1, a2, 0);

	return r.done ? (int32_t)r.r[0] : INT64_MIN;
}

/* vCPU 2 turns itself off, vCPU 1 turns it on again. False: something was not as it should. */
static bool off_and_on(struct kt_vm *vm, uint64_t entry)
{
	struct kt_vcpu *boss = &vm->vcpu[1], *cpu = &vm->vcpu[2];
	struct kt_result r;
	unsigned int ms;

	kt_start(cpu, CMD_CPU_OFF, 0, 0, 0, 0);
	for (ms = 0; ms < SETTLE_MS && psci(boss, PSCI_AFFINITY_INFO_64, 2, 0) != PSCI_AFFINITY_OFF;
	     ms++)
		usleep(1000);
	/* What it does when it is on again. */
	cpu->command = CMD_NOP;
	cpu->arg[0] = SEED;
	if (psci(boss, PSCI_CPU_ON_64, 2, entry))
		return false;
	r = kt_wait(cpu);
	return r.done && r.r[0] == SEED;
}

static void test_storm(unsigned int nr_cpus, unsigned int seconds)
{
	struct toggler toggler[TOGGLERS];
	struct churner churner = { 0 };
	unsigned int i, rounds = 0, bad = 0, changes = 0, off = 0;
	int64_t used = pages_used();
	int log = log_begin();
	struct kt_vm vm;
	uint64_t entry;
	time_t end;

	kt_create(&vm, &(struct kt_config){ .size = 4 * KT_2M, .nr_vcpus = 3, .gic = true });
	kt_do(&vm.vcpu[0], CMD_FILL, GUEST_FREE + 2 * KT_2M, AREA, SEED, 0);
	entry = kt_do(&vm.vcpu[0], CMD_SECONDARY, 0, 0, 0, 0);
	for (i = 1; i < 3; i++)
		if (psci(&vm.vcpu[0], PSCI_CPU_ON_64, i, entry))
			bail("CPU_ON");
	stop = false;
	stress_start(&vm.vcpu[0]);
	for (i = 0; i < TOGGLERS; i++) {
		toggler[i] = (struct toggler){ .seed = i + 1, .nr_cpus = nr_cpus };
		pthread_create(&toggler[i].thread, NULL, toggle, &toggler[i]);
	}
	pthread_create(&churner.thread, NULL, churn_and_kill, &churner);

	for (end = time(NULL) + seconds; time(NULL) < end; rounds++) {
		bad += !off_and_on(&vm, entry);
		usleep(1000);
	}
	stop = true;
	for (i = 0; i < TOGGLERS; i++) {
		pthread_join(toggler[i].thread, NULL);
		changes += toggler[i].changes;
	}
	pthread_join(churner.thread, NULL);
	for (i = 0; i < nr_cpus; i++)
		off += set_cpu(i, true) && i;

	diag("%u times a CPU went or came, %u VMs killed, %u times a vCPU off and on", changes,
	     churner.kills, rounds);
	ok(changes > seconds * 2 && churner.kills && rounds, "a storm of %u s", seconds);
	is(off, 0, "all CPUs are there afterwards");
	is(bad, 0, "a guest's vCPU that goes off comes again each time");
	is(churner.bad, 0, "VMs that come and go have the right data");
	ok(gets_on(&vm.vcpu[0]), "a VM at work has lost no data, and gets on");
	ok(kt_out_of_reach(&vm), "and no CPU can read it");
	is((int64_t)kt_do(&vm.vcpu[1], CMD_CHECK, GUEST_FREE + 2 * KT_2M, AREA, SEED, 0), 0,
	   "its other memory is as it was");
	kt_kick(&vm.vcpu[0]);
	pthread_join(vm.vcpu[0].thread, NULL);
	kt_close(&vm);
	ok(wait_for_vms(0), "all VMs go");
	is(pages_used(), used, "and no page stays with the hypervisor");
	is(complaints(log), 0, "nothing in the kernel's log");
}

/* --- suspend-to-idle --- */

static int sleeps(void)
{
	FILE *f = fopen("/sys/power/suspend_stats/success", "re");
	int n = 0;

	if (!f || fscanf(f, "%d", &n) != 1)
		bail("no suspend_stats");
	fclose(f);
	return n;
}

static void test_sleep(void)
{
	static const char *const alarm = "/sys/class/rtc/rtc0/wakealarm";
	struct timespec before, after;
	int log = log_begin(), slept = sleeps(), err;
	struct kt_vm vm;
	char text[16];

	snprintf(text, sizeof(text), "+%d", SLEEP_SECS);
	write_file(alarm, "0");
	err = write_file(alarm, text);
	if (err) {
		skip("no clock that wakes this machine up", "suspend-to-idle");
		return;
	}
	kt_create(&vm, &(struct kt_config){ .size = 4 * KT_2M, .gic = true });
	stop = false;
	stress_start(&vm.vcpu[0]);
	gets_on(&vm.vcpu[0]);
	write_file(alarm, "0");
	write_file(alarm, text);
	clock_gettime(CLOCK_BOOTTIME, &before);
	is_errno(write_file("/sys/power/state", "freeze"), 0, "suspend-to-idle while a VM runs");
	clock_gettime(CLOCK_BOOTTIME, &after);
	is(sleeps(), slept + 1, "the machine has slept");
	ok(after.tv_sec - before.tv_sec >= SLEEP_SECS - 1, "until the clock wakes the machine up");
	ok(gets_on(&vm.vcpu[0]), "the VM goes on, with its data");
	ok(kt_out_of_reach(&vm), "and no CPU can read it");
	stop = true;
	kt_kick(&vm.vcpu[0]);
	pthread_join(vm.vcpu[0].thread, NULL);
	kt_close(&vm);
	is(complaints(log), 0, "nothing in the kernel's log");
}

int main(int argc, char **argv)
{
	unsigned int nr = (unsigned int)sysconf(_SC_NPROCESSORS_CONF);
	unsigned int seconds = argc > 1 ? (unsigned int)atoi(argv[1]) : 4;

	tap_begin(120 + seconds);
	if (nr < 2)
		skip("one CPU", "a storm of CPU hotplug");
	else
		test_storm(nr, seconds);
	test_sleep();
	return tap_end();
}
