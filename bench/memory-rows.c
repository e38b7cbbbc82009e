// SPDX-License-Identifier: GPL-2.0-only
/* Rows of a VM's memory and of its life. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define TOUCHED (64ul << 20)

/* ns, without those in which the host waited; wait: these, from the first to the last. */
struct life {
	uint64_t start; /* until the guest has run */
	uint64_t touch;
	uint64_t end; /* until all is closed */
	uint64_t wait;
};

/* A VM that touches so much of its memory beyond the guest itself, which is in the first 2 MiB. */
static struct life live(int kvm, bool huge, size_t touched)
{
	size_t size = SZ_2M + TOUCHED;
	uint8_t *mem = alloc_memory(size, huge);
	uint64_t t0, t1, t2, idle0, idle1, idle2;
	struct life life;
	struct vm vm;

	idle0 = idle_time();
	t0 = now();
	vm_create(&vm, kvm, mem, size, 1);
	vm_do(&vm, GUEST_READY, 0, 0, 0, 0);
	life.touch = vm_do(&vm, GUEST_TOUCH, GUEST_FREE, PAGE, touched / PAGE, 0).r[0];
	t1 = now();
	idle1 = idle_time();
	t2 = begin_measure();
	vm_close(&vm);
	life.end = end_measure(t2);
	idle2 = idle_time();
	life.start = t1 - t0 - life.touch - (idle1 - idle0);
	life.end -= idle2 - idle1;
	life.wait = idle2 - idle0;
	munmap(mem, size);
	return life;
}

static void life_rows(int kvm, bool huge)
{
	const size_t nr_pages = TOUCHED / PAGE;
	const double pages = (double)nr_pages;
	const char *suffix = huge ? "huge" : "4k";
	struct life none = live(kvm, huge, 0);
	struct life life = live(kvm, huge, TOUCHED);
	char name[32];

	snprintf(name, sizeof(name), "touch_%s", suffix);
	guest_row(name, (double)life.touch / pages);
	snprintf(name, sizeof(name), "close_%s", suffix);
	row(name, (double)life.end);
	snprintf(name, sizeof(name), "destroy_%s", suffix);
	derived_row(name, (double)(int64_t)(life.end - none.end) / pages);
	snprintf(name, sizeof(name), "life_%s", suffix);
	derived_row(name, (double)(life.start + life.touch + life.end));
	snprintf(name, sizeof(name), "life_wait_%s", suffix);
	derived_row(name, (double)(int64_t)life.wait);
}

void rows_memory(void)
{
	int kvm = open_kvm();
	struct life none;

	live(kvm, false, TOUCHED / 8);
	live(kvm, true, TOUCHED / 8);
	none = live(kvm, false, 0);
	derived_row("start", (double)none.start);
	row("close_untouched", (double)none.end);
	life_rows(kvm, false);
	life_rows(kvm, true);
	close(kvm);
}

/* Of pages that the guest has touched, each once. */
static void share_pages(const char *suffix, bool huge)
{
	const uint64_t n = 4096; /* some ticks of the host, not one or none */
	size_t size = SZ_2M + n * PAGE + SZ_2M;
	uint8_t *mem = alloc_memory(size, huge);
	int kvm = open_kvm();
	struct answer a;
	char name[32];
	struct vm vm;

	vm_create(&vm, kvm, mem, size, 1);
	vm_do(&vm, GUEST_TOUCH, GUEST_FREE, PAGE, n + SZ_2M / PAGE, 0);
	/* One more block, to warm up. */
	vm_do(&vm, GUEST_CALL, MEM_SHARE, GUEST_FREE + n * PAGE, PAGE, 64);
	vm_do(&vm, GUEST_CALL, MEM_UNSHARE, GUEST_FREE + n * PAGE, PAGE, 64);
	settle();
	a = vm_do(&vm, GUEST_CALL, MEM_SHARE, GUEST_FREE, PAGE, n);
	snprintf(name, sizeof(name), "share_%s", suffix);
	if (!a.r[2] && !a.r[1])
		guest_row(name, (double)a.r[0] / (double)n);
	a = vm_do(&vm, GUEST_CALL, MEM_UNSHARE, GUEST_FREE, PAGE, n);
	snprintf(name, sizeof(name), "unshare_%s", suffix);
	if (!a.r[2] && !a.r[1])
		guest_row(name, (double)a.r[0] / (double)n);
	vm_close(&vm);
	close(kvm);
	munmap(mem, size);
}

void rows_share(void)
{
	share_pages("4k", false);
	share_pages("huge", true);
}

void rows_create(void)
{
	const unsigned int n = 4;
	int kvm = open_kvm();
	unsigned int i;
	uint64_t start, idle;

	close(create_vm(kvm));
	idle = idle_time();
	start = begin_measure();
	for (i = 0; i < n; i++)
		close(create_vm(kvm));
	start = end_measure(start);
	idle = idle_time() - idle;
	row("create_close", (double)(int64_t)(start - idle) / n);
	derived_row("create_close_wait", (double)(int64_t)idle / n);
	close(kvm);
}

/* Sum of the numbers behind a word that begins a line; each line of the file may have one. */
static unsigned long sum_of(const char *path, const char *word)
{
	unsigned long sum = 0;
	char line[128];
	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f)) {
		const char *found = line + strspn(line, " ");

		if (!strncmp(found, word, strlen(word)))
			sum += strtoul(found + strlen(word), NULL, 10);
	}
	if (!f || !sum)
		die("no %s in %s", word, path);
	fclose(f);
	return sum;
}

/*
 * With the pages that the allocator keeps at hand for each CPU: MemFree is without them, and since Linux 6.7 they may be
 * megabytes.
 */
static double free_bytes(void)
{
	FILE *f;

	sync();
	f = fopen("/proc/sys/vm/drop_caches", "we");
	if (!f || fputs("3", f) < 0 || fclose(f))
		die("cannot drop caches");
	usleep(500000); /* what is freed late */
	return (double)sum_of("/proc/meminfo", "MemFree:") * 1024 +
	       (double)sum_of("/proc/zoneinfo", "count:") * PAGE;
}

/* What one of nr VMs takes, all of whose vCPUs have run; without the guest's memory. They stay. */
static double vm_takes(int kvm, unsigned int nr, unsigned int nr_vcpus)
{
	size_t size = SZ_2M;
	double before, after;
	uint8_t *mem[nr];
	struct vm vm;
	unsigned int i, j;

	for (i = 0; i < nr; i++)
		mem[i] = alloc_memory(size, false);
	before = free_bytes();
	for (i = 0; i < nr; i++) {
		vm_create(&vm, kvm, mem[i], size, nr_vcpus);
		for (j = 1; j < nr_vcpus; j++)
			vm_run_secondary(&vm, j);
		vm_do(&vm, GUEST_READY, 0, 0, 0, 0);
	}
	after = free_bytes();
	return (before - after) / nr;
}

/* Nothing is closed in between: the allocators would keep some of it at hand. */
void rows_bytes(void)
{
	const unsigned int n = 16, vcpus = 8;
	int kvm = open_kvm();
	double one, many;

	vm_takes(kvm, 1, vcpus);
	one = vm_takes(kvm, n, 1);
	many = vm_takes(kvm, n, vcpus);
	derived_row("vcpu_bytes", (many - one) / (vcpus - 1));
	derived_row("vm_bytes", one);
	close(kvm);
}
