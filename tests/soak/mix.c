// SPDX-License-Identifier: GPL-2.0-only
/*
 * All that a host does to VMs, at once, for SOAK_MINUTES: they start and are killed, memory runs short and
 * is swapped out, CPUs come and go, VMMs fork, root reads guests' memory. In the end not a page is missing,
 * and the kernel had nothing to complain about.
 *
 * Runs with /dev/zram0 for swap, on a machine with little memory and some CPUs.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../include/stockade/guestcall.h"
#include "hostile.h"

#define NR_STARTERS 3
#define CHECK_S	    30
#define NOISE_KB    (16 << 10)
#define SETTLE_S    30
#define MIB	    (1ul << 20)

/* What the parts have done; all processes see it. */
static struct counts {
	volatile uint64_t killed, ended_early, pressure, wrong_pages, hotplugs, refused_hotplugs,
		forks, harmed_by_fork, reads, leaks, reclaimed, resident;
} * counts;

static unsigned int seed;

static unsigned int pick(unsigned int n)
{
	return (unsigned int)rand_r(&seed) % n;
}

static void add(volatile uint64_t *count)
{
	__atomic_add_fetch(count, 1, __ATOMIC_RELAXED);
}

static void write_file(const char *path, const char *text, volatile uint64_t *failed)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		bail("%s: %s", path, strerror(errno));
	if (write(fd, text, strlen(text)) < 0) {
		if (!failed)
			diag("%s: %s", path, strerror(errno));
		else
			add(failed);
	}
	close(fd);
}

/* --- the parts: each for ever --- */

/* A VMM at work, until it is killed. */
static void vmm(struct kt_vm *vm)
{
	uint64_t entry;

	kt_create(vm, &(struct kt_config){ .size = 8 * KT_2M, .nr_vcpus = 2, .gic = true });
	entry = kt_do(&vm->vcpu[0], CMD_SECONDARY, 0, 0, 0, 0);
	kt_start(&vm->vcpu[1], CMD_STRESS, GUEST_FREE + 2 * KT_2M, KT_2M, 0, 0);
	kt_hvc(&vm->vcpu[0], PSCI_CPU_ON_64, 1, entry, 0);
	kt_start(&vm->vcpu[0], CMD_STRESS, GUEST_FREE, KT_2M, 0, 0);
}

static bool has_ended(const struct kt_vm *vm)
{
	return vm->vcpu[0].thread_done || vm->vcpu[1].thread_done || vm->vcpu[0].nr_bad ||
	       vm->vcpu[1].nr_bad;
}

static void start_and_kill(void)
{
	for (;;) {
		pid_t pid = fork();
		int status;

		if (!pid) {
			struct kt_vm vm;

			vmm(&vm);
			while (!has_ended(&vm))
				usleep(20000);
			diag("a VM has ended: %s, %s", strerror(vm.vcpu[0].result.err),
			     strerror(vm.vcpu[1].result.err));
			_exit(1);
		}
		usleep(pick(3) ? pick(2000000) : pick(100000));
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		add(WIFSIGNALED(status) ? &counts->killed : &counts->ended_early);
	}
}

/* More memory than is free, so that some is swapped out; it must come back as it was. */
static void press(void)
{
	for (;;) {
		size_t avail = (size_t)kt_proc_kb("/proc/meminfo", "MemAvailable:") * 1024;
		size_t swap = (size_t)kt_proc_kb("/proc/meminfo", "SwapFree:") * 1024;
		size_t size = (avail + (swap > 128 * MIB ? pick(64) * MIB : 0)) & ~(MIB - 1);
		uint64_t key = (uint64_t)pick(1 << 30) << 12, *p;

		p = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (p == MAP_FAILED)
			bail("mmap of %zu: %s", size, strerror(errno));
		for (int round = 0; round < 2; round++)
			for (size_t i = 0; i < size / 8; i += KT_PAGE / 8) {
				if (round && p[i] != (key ^ i))
					add(&counts->wrong_pages);
				p[i] = key ^ i;
				if (i % (16 * MIB / 8) == 0)
					add(&counts->pressure);
			}
		munmap(p, size);
		usleep(pick(1000000));
	}
}

static void plug(void)
{
	unsigned int nr = (unsigned int)sysconf(_SC_NPROCESSORS_CONF);
	char path[64];

	for (;;) {
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online",
			 1 + pick(nr - 1));
		write_file(path, pick(2) ? "1" : "0", &counts->refused_hotplugs);
		add(&counts->hotplugs);
		usleep(100000 + pick(700000));
	}
}

static void fork_vmm(void)
{
	for (;;) {
		struct kt_vm vm;

		kt_create(&vm, &(struct kt_config){ .gic = true });
		kt_do(&vm.vcpu[0], CMD_FILL, GUEST_FREE, VICTIM_AREA, VICTIM_SECRET, 0);
		for (unsigned int i = 0; i < 5; i++) {
			pid_t pid = fork();
			int status;

			if (!pid) {
				void *addr;

				kt_try_load(vm.mem + (GUEST_FREE - GUEST_RAM), &addr);
				_exit(0);
			}
			waitpid(pid, &status, 0);
			add(&counts->forks);
		}
		if (kt_do(&vm.vcpu[0], CMD_CHECK, GUEST_FREE, VICTIM_AREA, VICTIM_SECRET, 0))
			add(&counts->harmed_by_fork);
		kt_close(&vm);
	}
}

/* Root reads what guests have: their pages come back, zeroed, and they end of it. */
static void read_guests(void)
{
	uint8_t **where =
		mmap(NULL, KT_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (where == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	for (;;) {
		uint64_t page[KT_PAGE / 8];
		pid_t pid;
		int status;

		*(uint8_t *volatile *)where = NULL;
		pid = fork();
		if (!pid) {
			struct kt_vm vm;

			vmm(&vm);
			while (vm.vcpu[0].nr_progress < 2 && !has_ended(&vm))
				usleep(1000);
			*(uint8_t *volatile *)where = vm.mem + (GUEST_FREE - GUEST_RAM);
			while (!has_ended(&vm))
				usleep(1000);
			_exit(vm.vcpu[0].nr_bad || vm.vcpu[1].nr_bad ? 2 : 1);
		}
		for (unsigned int ms = 0; ms < 20000 && !*(uint8_t *volatile *)where; ms++)
			usleep(1000);
		for (unsigned int i = 0, nr = 1 + pick(20); i < nr && *where; i++) {
			struct iovec here = { page, sizeof(page) },
				     there = { *where + pick(2 * KT_2M / KT_PAGE) * KT_PAGE,
					       KT_PAGE };

			if (process_vm_readv(pid, &here, 1, &there, 1, 0) != (ssize_t)KT_PAGE)
				continue;
			add(&counts->reads);
			for (unsigned int w = 0; w < KT_PAGE / 8; w++)
				if (page[w]) {
					add(&counts->leaks);
					break;
				}
		}
		usleep(pick(200000));
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
			add(&counts->reclaimed);
		else if (WIFEXITED(status))
			add(&counts->ended_early);
	}
}

/* A VM that nobody touches. */
static void resident(void)
{
	struct kt_vm vm;
	uint64_t before = 0;

	vmm(&vm);
	while (!has_ended(&vm)) {
		sleep(1);
		if (vm.vcpu[0].nr_progress != before)
			add(&counts->resident);
		before = vm.vcpu[0].nr_progress;
	}
	diag("the VM that nobody touches has ended");
	_exit(1);
}

/* --- the whole --- */

static pid_t start(void (*part)(void))
{
	pid_t pid = fork();

	if (pid)
		return pid;
	alarm(0);
	/* Its children go with it. */
	setpgid(0, 0);
	seed ^= (unsigned int)getpid();
	/* Who takes the memory is to go first if it is too much. */
	write_file("/proc/self/oom_score_adj", part == press ? "1000" : "-1000", NULL);
	part();
	_exit(1);
}

static void stop(pid_t pid)
{
	int status;

	kill(-pid, SIGKILL);
	waitpid(pid, &status, 0);
}

static const char *const complaints[] = {
	"WARNING:", "BUG",  "Oops",	  "Internal error", "Call trace",    "Unable to handle",
	"stall",    "hung", "lost until", "soft lockup",    "Out of memory", "Kernel panic",
};

/* Lines of the log that should not be, since the last time. */
static unsigned int log_complaints(void)
{
	static int fd = -1;
	unsigned int nr = 0;
	char line[2048];
	ssize_t n;

	if (fd < 0)
		fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	while ((n = read(fd, line, sizeof(line) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		line[n > 0 ? n : 0] = '\0';
		for (size_t i = 0; i < sizeof(complaints) / sizeof(complaints[0]); i++)
			if (strstr(line, complaints[i])) {
				diag("log: %s", line);
				nr++;
				break;
			}
	}
	return nr;
}

static int64_t vmstat(const char *key)
{
	FILE *f = fopen("/proc/vmstat", "re");
	char name[64];
	int64_t value;

	while (f && fscanf(f, "%63s %" SCNd64, name, &value) == 2)
		if (!strcmp(name, key)) {
			fclose(f);
			return value;
		}
	bail("no %s in /proc/vmstat", key);
}

static int64_t pinned(void)
{
	return vmstat("nr_foll_pin_acquired") - vmstat("nr_foll_pin_released");
}

/* Memory that the host has, or that the hypervisor has of it. */
static int64_t memory_kb(void)
{
	sync();
	write_file("/proc/sys/vm/drop_caches", "3", NULL);
	return kt_proc_kb("/proc/meminfo", "MemAvailable:") + kt_sysfs("pages_held") * 4;
}

static void all_cpus_online(void)
{
	char path[64];

	for (long cpu = 1; cpu < sysconf(_SC_NPROCESSORS_CONF); cpu++) {
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%ld/online", cpu);
		write_file(path, "1", NULL);
	}
	is(sysconf(_SC_NPROCESSORS_ONLN), sysconf(_SC_NPROCESSORS_CONF), "all CPUs are there");
}

static void warm_up(void)
{
	static struct kt_vm vm[6];

	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < 6; i++) {
			kt_create(&vm[i], &(struct kt_config){ .size = 8 * KT_2M, .gic = true });
			kt_do(&vm[i].vcpu[0], CMD_FILL, GUEST_FREE, 4 * KT_2M, i, 0);
		}
		for (unsigned int i = 0; i < 6; i++)
			kt_close(&vm[i]);
	}
}

int main(void)
{
	static void (*const parts[])(void) = { resident,       start_and_kill, start_and_kill,
					       start_and_kill, press,	       plug,
					       fork_vmm,       read_guests };
	enum { NR_PARTS = sizeof(parts) / sizeof(parts[0]) };
	const char *minutes = getenv("SOAK_MINUTES");
	unsigned int seconds = minutes ? (unsigned int)(atof(minutes) * 60) : 3600;
	unsigned int checks = 0, bad_checks = 0, bad_lines;
	int64_t memory, swapped;
	pid_t pid[NR_PARTS];
	time_t end;

	tap_begin(seconds + 600);
	counts = mmap(NULL, KT_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counts == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	is_errno(swapon("/dev/zram0", 0) ? errno : 0, 0, "there is swap");
	hostile_begin();
	seed = (unsigned int)time(NULL);
	warm_up();
	memory = memory_kb();
	swapped = vmstat("pswpout");
	bad_lines = log_complaints();

	for (unsigned int i = 0; i < NR_PARTS; i++)
		pid[i] = start(parts[i]);
	for (end = time(NULL) + seconds; time(NULL) < end;) {
		sleep(end - time(NULL) < CHECK_S ? 1 : CHECK_S);
		if (attack("check"))
			bail("invariants can't be checked");
		checks++;
		bad_lines += log_complaints();
		if (got("broken")) {
			diag("%s", attack_result());
			bad_checks++;
			break;
		}
	}
	for (unsigned int i = 0; i < NR_PARTS; i++)
		is(waitpid(pid[i], NULL, WNOHANG), 0, "part %u has gone on to the end", i);
	for (unsigned int i = 0; i < NR_PARTS; i++)
		stop(pid[i]);

	diag("%" PRIu64 " VMs killed, %" PRIu64 " times 16 MiB used, %" PRIu64 " hotplugs (%" PRIu64
	     " refused), %" PRIu64 " forks, %" PRIu64 " pages read, %" PRIu64 " VMs ended by it",
	     counts->killed, counts->pressure, counts->hotplugs, counts->refused_hotplugs,
	     counts->forks, counts->reads, counts->reclaimed);
	is(bad_checks, 0, "the hypervisor's invariants held, %u times", checks);
	ok(counts->killed > 0, "VMs were killed");
	is((int64_t)counts->ended_early, 0, "none ended by itself");
	ok(counts->resident > 0, "the VM that nobody touched worked");
	ok(counts->pressure > 0 && vmstat("pswpout") > swapped, "memory was swapped out: %" PRId64,
	   vmstat("pswpout") - swapped);
	is((int64_t)counts->wrong_pages, 0, "and came back as it was");
	ok(counts->hotplugs > 0, "CPUs came and went");
	ok(counts->forks > 0, "VMMs forked");
	is((int64_t)counts->harmed_by_fork, 0, "and did their VMs no harm");
	ok(counts->reads > 0 && counts->reclaimed > 0,
	   "guests' pages were read, and taken from them");
	is((int64_t)counts->leaks, 0, "and held zeroes");

	all_cpus_online();
	for (unsigned int i = 0; i < SETTLE_S * 10 && kt_sysfs("vms"); i++)
		usleep(100000);
	is(kt_sysfs("vms"), 0, "no VM is left");
	check_invariants("at the end");
	is_errno(swapoff("/dev/zram0") ? errno : 0, 0, "all comes back from swap");
	/* Each CPU counts for itself, and adds it up now and then. */
	for (unsigned int i = 0; i < SETTLE_S * 10 && pinned(); i++)
		usleep(100000);
	is(pinned(), 0, "no page is left pinned");
	if (!ok(memory - memory_kb() < NOISE_KB, "the host has its memory"))
		diag("%" PRId64 " kB less", memory - memory_kb());
	attack("scan");
	is(got("faults"), kt_sysfs("pages_held"),
	   "what the hypervisor holds is out of reach, no more");
	is_errno(syscall(SYS_delete_module, "stockade", O_NONBLOCK) ? errno : 0, 0,
		 "the module can be unloaded");
	attack("scan");
	is(got("faults"), 0, "then no page is missing");
	bad_lines += log_complaints();
	is(bad_lines, 0, "the kernel has not complained");
	return tap_end();
}
