// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the costs of a guest's memory grow: with how much it is, with other VMs, on a host whose blocks are split,
 * with vCPUs that fault at once. 4 KiB host pages; rows are of one page.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "bench.h"

#define MIB	    (1ul << 20)
#define BLOCK_PAGES (SZ_2M / PAGE)

/* print: row or guest_row. */
static void grow_row(void (*print)(const char *, double), const char *what, const char *by,
		     unsigned int n, double value)
{
	char name[48];

	snprintf(name, sizeof(name), "%s_%s%u", what, by, n);
	print(name, value);
}

static void start(struct vm *vm, int kvm, uint8_t *mem, size_t size, unsigned int nr_vcpus)
{
	vm_create(vm, kvm, mem, size, nr_vcpus);
	vm_do(vm, GUEST_READY, 0, 0, 0, 0);
}

static double nr_pages(size_t size)
{
	size_t nr = size / PAGE;

	return (double)nr;
}

static double touch(struct vm *vm, size_t touched)
{
	uint64_t t = vm_do(vm, GUEST_TOUCH, GUEST_FREE, PAGE, touched / PAGE, 0).r[0];

	return (double)t;
}

/* ns, without those in which the host waits. */
static double close_time(struct vm *vm)
{
	uint64_t idle = idle_time(), t = begin_measure();

	vm_close(vm);
	t = end_measure(t);
	return (double)(int64_t)(t - (idle_time() - idle));
}

static double close_untouched(int kvm, uint8_t *mem, size_t size)
{
	struct vm vm;

	start(&vm, kvm, mem, size, 1);
	return close_time(&vm);
}

/* A VM touches so much, and ends. */
static void memory_rows(int kvm, uint8_t *mem, size_t touched, bool print)
{
	size_t size = SZ_2M + touched;
	unsigned int mib = (unsigned int)(touched / MIB);
	double pages = nr_pages(touched);
	double none = close_untouched(kvm, mem, size), t;
	struct vm vm;

	start(&vm, kvm, mem, size, 1);
	t = touch(&vm, touched);
	if (print)
		grow_row(guest_row, "touch", "mib", mib, t / pages);
	t = close_time(&vm);
	if (print)
		grow_row(row, "destroy", "mib", mib, (t - none) / pages);
}

/* The first measurement would be too high. */
static void warm_up(int kvm)
{
	size_t touched = 16 * MIB;
	uint8_t *mem = alloc_memory(SZ_2M + touched, false);

	memory_rows(kvm, mem, touched, false);
	munmap(mem, SZ_2M + touched);
}

static size_t free_memory(void)
{
	struct sysinfo info;

	if (sysinfo(&info))
		die("sysinfo: %s", strerror(errno));
	return info.freeram;
}

/* Up to what the host has. */
void rows_grow_memory(void)
{
	size_t largest = 2048, mib;
	int kvm = open_kvm();
	uint8_t *mem;

	warm_up(kvm);
	while ((largest + 512) * MIB > free_memory())
		largest /= 2;
	mem = alloc_memory(SZ_2M + largest * MIB, false);
	for (mib = 256; mib <= largest; mib *= 2)
		memory_rows(kvm, mem, mib * MIB, true);
	munmap(mem, SZ_2M + largest * MIB);
	close(kvm);
}

#define MAX_VMS	  16
#define VM_MEMORY (16 * MIB)

static bool is_step(unsigned int n)
{
	return !(n & (n - 1));
}

/* The whole life of a VM that only starts. */
static double life_untouched(int kvm, uint8_t *mem, size_t size)
{
	uint64_t idle = idle_time(), t = begin_measure();
	struct vm vm;

	start(&vm, kvm, mem, size, 1);
	vm_close(&vm);
	t = end_measure(t);
	return (double)(int64_t)(t - (idle_time() - idle));
}

void rows_grow_vms(void)
{
	const size_t size = SZ_2M + VM_MEMORY;
	const double pages = nr_pages(VM_MEMORY);
	double none[MAX_VMS + 1], t;
	struct vm vms[MAX_VMS];
	uint8_t *mem[MAX_VMS];
	int kvm = open_kvm();
	unsigned int n;

	warm_up(kvm);
	for (n = 1; n <= MAX_VMS; n++) {
		mem[n - 1] = alloc_memory(size, false);
		none[n] = close_untouched(kvm, mem[n - 1], size);
		if (is_step(n)) {
			t = life_untouched(kvm, mem[n - 1], size);
			grow_row(row, "life", "vms", n, t);
		}
		start(&vms[n - 1], kvm, mem[n - 1], size, 1);
		t = touch(&vms[n - 1], VM_MEMORY);
		if (is_step(n))
			grow_row(guest_row, "touch", "vms", n, t / pages);
	}
	for (n = MAX_VMS; n; n--) {
		t = close_time(&vms[n - 1]);
		if (is_step(n))
			grow_row(row, "destroy", "vms", n, (t - none[n]) / pages);
		munmap(mem[n - 1], size);
	}
	close(kvm);
}

/* Linux's Documentation/admin-guide/mm/pagemap.rst: bits 0-54 are the frame, 63 says that there is one. */
static uint64_t frame_of(const uint8_t *p)
{
	static int fd = -1;
	uint64_t entry;

	if (fd < 0)
		fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (pread(fd, &entry, sizeof(entry), (off_t)((uintptr_t)p / PAGE * sizeof(entry))) !=
	    sizeof(entry))
		die("pagemap: %s", strerror(errno));
	if (!(entry >> 63))
		die("a page that was touched is not there");
	return entry & ((1ull << 55) - 1);
}

/* 2 MiB of physical memory, by number, of which a VM has one page. */
#define MAX_BLOCKS (8ul << 30 >> 21)
static bool block_is_split[MAX_BLOCKS];

/*
 * From now on a VM has one page of each 2 MiB of so much memory, and the host has the rest for itself. It is the
 * one in the middle, so that no more than half of the 2 MiB can be free in one piece.
 */
static void split_blocks(int kvm, size_t size)
{
	uint8_t *mem = alloc_memory(size, false);
	size_t i, end = SZ_2M;
	unsigned int nr = 0;
	struct vm vm;

	start(&vm, kvm, mem, size, 1);
	for (i = SZ_2M; i < size; i += PAGE) {
		uint64_t frame = frame_of(mem + i);

		if (frame % BLOCK_PAGES != BLOCK_PAGES / 2)
			continue;
		vm_do(&vm, GUEST_TOUCH, GUEST_RAM + i, 0, 1, 0);
		block_is_split[frame / BLOCK_PAGES % MAX_BLOCKS] = true;
		nr++;
		if (i > end && madvise(mem + end, i - end, MADV_DONTNEED))
			die("madvise: %s", strerror(errno));
		end = i + PAGE;
	}
	derived_row("blocks_split", nr);
}

static void split_rows(int kvm, const char *which)
{
	const uint64_t n = 1024;
	const size_t touched = 64 * MIB, size = SZ_2M + touched;
	const double pages = nr_pages(touched);
	uint8_t *mem = alloc_memory(size, false);
	double none = close_untouched(kvm, mem, size), t;
	unsigned int in_split = 0;
	struct answer a;
	char name[32];
	struct vm vm;
	size_t i;

	for (i = 0; i < size; i += PAGE)
		in_split += block_is_split[frame_of(mem + i) / BLOCK_PAGES % MAX_BLOCKS];
	snprintf(name, sizeof(name), "in_split_%s", which);
	derived_row(name, (double)in_split / nr_pages(size));
	start(&vm, kvm, mem, size, 1);
	t = touch(&vm, touched);
	snprintf(name, sizeof(name), "touch_%s", which);
	guest_row(name, t / pages);
	vm_do(&vm, GUEST_CALL, MEM_SHARE, GUEST_FREE + n * PAGE, PAGE, 64);
	vm_do(&vm, GUEST_CALL, MEM_UNSHARE, GUEST_FREE + n * PAGE, PAGE, 64);
	a = vm_do(&vm, GUEST_CALL, MEM_SHARE, GUEST_FREE, PAGE, n);
	snprintf(name, sizeof(name), "share_%s", which);
	if (!a.r[2] && !a.r[1])
		guest_row(name, (double)a.r[0] / (double)n);
	a = vm_do(&vm, GUEST_CALL, MEM_UNSHARE, GUEST_FREE, PAGE, n);
	snprintf(name, sizeof(name), "unshare_%s", which);
	if (!a.r[2] && !a.r[1])
		guest_row(name, (double)a.r[0] / (double)n);
	t = close_time(&vm);
	snprintf(name, sizeof(name), "destroy_%s", which);
	row(name, (t - none) / pages);
	munmap(mem, size);
}

void rows_grow_split(void)
{
	int kvm = open_kvm();

	warm_up(kvm);
	split_rows(kvm, "whole");
	/* What the host gets back of it, in pieces, it uses before what is still in one. */
	split_blocks(kvm, 384 * MIB);
	split_rows(kvm, "split");
}

static void *helper(void *arg)
{
	struct vcpu *vcpu = arg;
	struct answer answer;

	pin((int)(vcpu - vcpu->vm->vcpu));
	vcpu_run(vcpu, &answer); /* it is on */
	vcpu_run(vcpu, &answer); /* it has ended */
	return NULL;
}

static void together_row(struct vm *vm, const char *what, unsigned int n, size_t pages,
			 uint32_t function)
{
	struct answer a = vm_do(vm, GUEST_TOGETHER, GUEST_FREE, pages / n, n, function);

	if (a.r[2])
		die("%s: %llu calls failed", what, (unsigned long long)a.r[2]);
	grow_row(guest_row, what, "vcpus", n, (double)a.r[0] / (double)pages);
}

struct closing {
	struct vm vm;
	pthread_barrier_t *start;
	int cpu;
};

static void *closer(void *arg)
{
	struct closing *c = arg;

	pin(c->cpu);
	pthread_barrier_wait(c->start);
	vm_close(&c->vm);
	return NULL;
}

/* So many VMs, which have the memory between them, end at once, each on a CPU. */
static void close_together(int kvm, uint8_t *mem, size_t touched, unsigned int n)
{
	struct closing closing[MAX_VCPUS];
	pthread_t threads[MAX_VCPUS];
	pthread_barrier_t barrier;
	size_t each = touched / n;
	unsigned int i;
	uint64_t t;

	if (pthread_barrier_init(&barrier, NULL, n + 1))
		die("no barrier");
	for (i = 0; i < n; i++) {
		closing[i].cpu = (int)i;
		closing[i].start = &barrier;
		start(&closing[i].vm, kvm, mem + i * each, each, 1);
		touch(&closing[i].vm, each - SZ_2M);
		if (pthread_create(&threads[i], NULL, closer, &closing[i]))
			die("no thread");
	}
	usleep(100000); /* until all of them wait */
	t = begin_measure();
	pthread_barrier_wait(&barrier);
	for (i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	t = end_measure(t);
	grow_row(row, "destroy", "vcpus", n, (double)t / nr_pages(touched - n * SZ_2M));
	pthread_barrier_destroy(&barrier);
}

static void vcpu_rows(int kvm, unsigned int n, bool print)
{
	const size_t touched = 64 * MIB, size = SZ_2M + touched + SZ_2M, pages = touched / PAGE;
	uint8_t *mem = alloc_memory(size, false);
	pthread_t threads[MAX_VCPUS];
	struct vm vm;
	unsigned int i;

	start(&vm, kvm, mem, size, n);
	for (i = 1; i < n; i++) {
		if (vm_do(&vm, GUEST_CPU_ON, i, 1, 0, 0).r[0])
			die("CPU_ON failed");
		if (pthread_create(&threads[i], NULL, helper, &vm.vcpu[i]))
			die("no thread");
	}
	/* All are there when this is done. */
	vm_do(&vm, GUEST_TOGETHER, GUEST_FREE + touched, 16, n, 0);
	if (print) {
		together_row(&vm, "touch", n, pages, 0);
		together_row(&vm, "share", n, 4096, MEM_SHARE);
		together_row(&vm, "unshare", n, 4096, MEM_UNSHARE);
	}
	vm_do(&vm, GUEST_TOGETHER, 0, 0, n, 0);
	for (i = 1; i < n; i++)
		pthread_join(threads[i], NULL);
	vm_close(&vm);
	if (print)
		close_together(kvm, mem, touched, n);
	munmap(mem, size);
}

void rows_grow_vcpus(void)
{
	int kvm = open_kvm();
	unsigned int n;

	pin(0);
	vcpu_rows(kvm, 4, false);
	for (n = 1; n <= 4; n *= 2)
		vcpu_rows(kvm, n, true);
	close(kvm);
}
