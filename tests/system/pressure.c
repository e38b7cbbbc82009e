// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's own interest in a VM's pages: KSM, swap, compaction, huge pages. The VM keeps its data,
 * and nothing of it gets to the disk: what does is looked at when the machine is down, by swapped.py.
 * Guards the pins and claim() in module/guest_mem.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "hostile.h"
#include "kvmtest.h"
#include "tap.h"

/* Words that swapped.py knows by their upper halves. */
#define SECRET	(0x734d5670ull << 32) /* "pVMs": seed of what a guest writes */
#define CONTROL (0x54734f68ull << 32) /* "hOsT": the host's own */

#define SLOT	0x48000000ull
#define SIZE	KT_2M
#define KSM	"/sys/kernel/mm/ksm/"
#define CGROUP	"/tmp/cgroup"
#define SECONDS 30u

static bool tell(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return good;
}

static int64_t ask(const char *path)
{
	return kt_proc_kb(path, "");
}

static void new_vm(struct kt_vm *vm, uint8_t *mem)
{
	kt_create(vm, &(struct kt_config){ 0 });
	if (kt_add_slot(vm, 1, 0, SLOT, SIZE, mem))
		bail("a slot is refused");
}

static void fill(struct kt_vm *vm)
{
	kt_do(&vm->vcpu[0], CMD_FILL, SLOT, SIZE, SECRET, 0);
}

static void check(struct kt_vm *vm, const char *what)
{
	struct kt_result r = kt_call(&vm->vcpu[0], CMD_CHECK, SLOT, SIZE, SECRET, 0);

	is_errno(r.done ? 0 : r.err, 0, "%s: the VM goes on", what);
	ok(r.done && !r.r[0], "and has its data");
}

/* ksmd goes over all of it, so often, from now on. */
static bool wait_scans(int64_t nr)
{
	int64_t end = ask(KSM "full_scans") + nr;
	unsigned int i;

	for (i = 0; i < SECONDS * 100 && ask(KSM "full_scans") < end; i++)
		usleep(10000);
	return ask(KSM "full_scans") >= end;
}

static bool merged(const uint8_t *p)
{
	return frame_of(p) && frame_of(p) == frame_of(p + KT_PAGE);
}

static bool kernel_before(unsigned int major, unsigned int minor)
{
	struct utsname name;
	unsigned int a = 0, b = 0;

	if (uname(&name) || sscanf(name.release, "%u.%u", &a, &b) != 2)
		bail("which kernel is this?");
	return a < major || (a == major && b < minor);
}

static void ignore(int sig)
{
	(void)sig;
}

/*
 * Signals all the time while the kernel is told to let go of mergeable memory, each page of which is a mapping of its own:
 * KVM_RUN fails by EINTR alone. Guards mark_vma() in module/guest_mem.c.
 */
static void test_signals_at_ksm(void)
{
	struct itimerval often = { { 0, 400 }, { 0, 400 } }, never = { 0 };
	struct sigaction sa = { .sa_handler = ignore };
	uint8_t *mem = kt_alloc(SIZE);
	struct kt_result r;
	unsigned int interrupted = 0;
	struct kt_vm vm;
	size_t i;

	if (madvise(mem, SIZE, MADV_MERGEABLE)) {
		skip("the kernel has no KSM", "signals while memory is made unmergeable");
		return;
	}
	for (i = 0; i < SIZE; i += 2 * KT_PAGE)
		madvise(mem + i, KT_PAGE, MADV_DONTDUMP);
	memset(mem, 0x33, SIZE);
	new_vm(&vm, mem);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	r = kt_call(&vm.vcpu[0], CMD_FILL, SLOT, SIZE, SECRET, 0);
	while (!r.done && r.err == EINTR && r.exit == KVM_EXIT_INTR) {
		interrupted++;
		r = kt_resume(&vm.vcpu[0]);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	is_errno(r.done ? 0 : r.err, 0, "signals while memory is made unmergeable: the VM goes on");
	ok(interrupted, "and KVM_RUN was interrupted (%u times)", interrupted);
	check(&vm, "interrupted");
	kt_close(&vm);
	munmap(mem, SIZE);
}

static void test_ksm(void)
{
	uint8_t *own = kt_alloc(KT_2M), *mem = kt_alloc(SIZE);
	struct kt_vm vm;
	unsigned int i, bad = 0;

	if (!tell(KSM "sleep_millisecs", "0") || !tell(KSM "pages_to_scan", "5000")) {
		skip("the kernel has none", "KSM");
		return;
	}
	memset(own, 0x11, KT_2M);
	memset(mem, 0x11, SIZE);
	if (madvise(own, KT_2M, MADV_MERGEABLE) || madvise(mem, SIZE, MADV_MERGEABLE))
		bail("MADV_MERGEABLE: %s", strerror(errno));
	tell(KSM "run", "1");
	for (i = 0; i < SECONDS * 100 && !(merged(own) && merged(mem)); i++)
		usleep(10000);
	ok(merged(own), "ksmd merges equal pages of the host's");
	ok(merged(mem), "and those of a guest-to-be");
	new_vm(&vm, mem);
	fill(&vm);
	ok(wait_scans(3), "ksmd goes over memory that was mergeable before it was the guest's");
	check(&vm, "merged before");
	if (kernel_before(6, 7)) {
		skip("this kernel: see STOCKADE_KEEP_OFF",
		     "memory that was to be merged when the guest had it");
	} else {
		madvise(mem, SIZE, MADV_MERGEABLE);
		ok(wait_scans(3), "and over such that was to be merged when the guest had it");
		check(&vm, "mergeable now");
	}
	ok(merged(own), "the host's pages are merged still");
	kt_close(&vm);
	munmap(mem, SIZE);

	/* ksmd may be looking at a page just when it is given. */
	for (i = 0; i < 8 && !bad; i++) {
		struct kt_result r;

		mem = kt_alloc(SIZE);
		memset(mem, 0x11, SIZE);
		madvise(mem, SIZE, MADV_MERGEABLE);
		usleep(20000 * (i % 4));
		new_vm(&vm, mem);
		r = kt_call(&vm.vcpu[0], CMD_FILL, SLOT, SIZE, SECRET, 0);
		if (r.done)
			r = kt_call(&vm.vcpu[0], CMD_CHECK, SLOT, SIZE, SECRET, 0);
		bad += !r.done || r.r[0];
		kt_close(&vm);
		munmap(mem, SIZE);
	}
	is(bad, 0, "VMs that start while ksmd is at their memory");
	tell(KSM "run", "2");
	tell(KSM "run", "0");
	munmap(own, KT_2M);
}

/* A group of its own, for the kernel to take memory from it; false: no such controller. */
static bool enter_cgroup(void)
{
	mkdir(CGROUP, 0700);
	return !mount("cgroup", CGROUP, "cgroup2", 0, NULL) &&
	       tell(CGROUP "/cgroup.subtree_control", "+memory") &&
	       !mkdir(CGROUP "/pressure", 0700) && tell(CGROUP "/pressure/cgroup.procs", "0");
}

static int64_t swapped_out(void)
{
	return kt_proc_kb("/proc/vmstat", "pswpout ");
}

/* Everything that can go, goes: what the guest has is asked for by name, too. */
static void push_out(uint8_t *mem)
{
	if (madvise(mem, SIZE, MADV_PAGEOUT))
		diag("MADV_PAGEOUT: %s", strerror(errno));
	tell(CGROUP "/pressure/memory.reclaim", "64M");
}

static void test_swap_of(uint8_t *mem, bool before, const char *what)
{
	int64_t out = swapped_out();
	struct kt_vm vm;

	memset(mem, 0x22, SIZE);
	new_vm(&vm, mem);
	if (before) {
		push_out(mem);
		ok(swapped_out() - out >= (int64_t)(SIZE / KT_PAGE) / 2,
		   "%s: before the guest has it, it is swapped out", what);
	}
	fill(&vm);
	push_out(mem);
	check(&vm, what);
	kt_start(&vm.vcpu[0], CMD_STRESS, SLOT, SIZE, SECRET, 0);
	while (!vm.vcpu[0].nr_progress && !vm.vcpu[0].thread_done)
		usleep(1000);
	push_out(mem);
	kt_kick(&vm.vcpu[0]);
	is_errno(kt_wait(&vm.vcpu[0]).err, EINTR, "%s: it runs until it is stopped", what);
	is((int64_t)vm.vcpu[0].nr_bad, 0, "and has lost nothing meanwhile");
	kt_close(&vm);
	munmap(mem, SIZE);
}

static uint8_t *shmem(void)
{
	uint8_t *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	return p;
}

static void test_swap(void)
{
	uint64_t *own = (uint64_t *)kt_alloc(SIZE);
	int64_t out = swapped_out();
	size_t i;

	if (kt_proc_kb("/proc/meminfo", "SwapTotal:") <= 0) {
		skip("no swap space", "swapping");
		return;
	}
	if (!enter_cgroup())
		diag("no memory controller: MADV_PAGEOUT alone");
	for (i = 0; i < SIZE / 8; i++)
		own[i] = CONTROL | i;
	push_out((uint8_t *)own);
	ok(swapped_out() - out >= (int64_t)(SIZE / KT_PAGE) / 2,
	   "memory of the host's is swapped out");
	test_swap_of(kt_alloc(SIZE), true, "anonymous memory");
	test_swap_of(shmem(), true, "shared memory");
	test_swap_of(kt_alloc(SIZE), false, "anonymous memory, never swapped");
	for (i = 0; i < SIZE / 8 && own[i] == (CONTROL | i); i++)
		;
	is((int64_t)i, SIZE / 8, "the host's memory comes back");
	munmap(own, SIZE);
}

static void test_moves(void)
{
	size_t i, size = 32 * KT_2M;
	uint8_t *mem = kt_alloc(SIZE), *holes = kt_alloc(size);
	int64_t moved = kt_proc_kb("/proc/vmstat", "pgmigrate_success ");
	struct kt_vm vm;
	uint64_t first;

	/* Half of the memory around is free, in pieces. */
	for (i = 0; i < size / KT_PAGE; i++) {
		holes[i * KT_PAGE] = 1;
		if (i < SIZE / KT_PAGE)
			mem[i * KT_PAGE] = 1;
	}
	new_vm(&vm, mem);
	fill(&vm);
	for (i = 0; i < size / KT_PAGE; i += 2)
		madvise(holes + i * KT_PAGE, KT_PAGE, MADV_DONTNEED);
	first = frame_of(mem);
	for (i = 0; i < 2; i++)
		tell("/proc/sys/vm/compact_memory", "1");
	ok(kt_proc_kb("/proc/vmstat", "pgmigrate_success ") > moved, "compaction moves pages");
	check(&vm, "compaction");
	/* The last of these is MADV_COLLAPSE, whose name old headers do not have. */
	madvise(mem, SIZE, MADV_HUGEPAGE);
	madvise(mem, SIZE, 25);
	check(&vm, "MADV_COLLAPSE");
	is((int64_t)(frame_of(mem) - first), 0, "the guest's first page is where it was");
	kt_close(&vm);
	munmap(mem, SIZE);
	munmap(holes, size);
}

int main(void)
{
	tap_begin(240);
	if (!kt_protected()) {
		skip("not a protected VM", "pressure");
		return tap_end();
	}
	test_ksm();
	test_signals_at_ksm();
	test_moves();
	test_swap();
	return tap_end();
}
