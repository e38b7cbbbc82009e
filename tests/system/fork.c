// SPDX-License-Identifier: GPL-2.0-only
/*
 * fork() of a VMM that has not asked for MADV_DONTFORK: the VM lives on, and the child cannot get at
 * its memory, however that is mapped. Guards claim() in module/guest_mem.c: without it the
 * kernel copies the pinned pages for the child, and each copy is a forced reclaim.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../include/stockade/guestcall.h"
#include "kvmtest.h"
#include "tap.h"

#define NEW   0x48000000ull
#define OTHER 0x4c000000ull
#define SEED  0x5ec4e7ull
#define FILL  (16 * KT_PAGE)

static int child_signal;
static const uint8_t *child_page;

static int load_in_child(void)
{
	return kt_try_load(child_page, NULL);
}

/* What `look` gives in a child. */
static int in_child(int (*look)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		bail("fork: %s", strerror(errno));
	if (!pid)
		_exit(look());
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void check_child(const uint8_t *page, const char *what)
{
	child_page = page;
	child_signal = in_child(load_in_child);
	is(child_signal, SIGSEGV, "%s: a child gets SIGSEGV", what);
}

static void check_guest(struct kt_vm *vm, uint64_t gpa, uint64_t size, const char *what)
{
	struct kt_result r = kt_call(&vm->vcpu[0], CMD_CHECK, gpa, size, SEED, 0);

	is_errno(r.done ? 0 : r.err, 0, "%s: the VM lives on", what);
	ok(r.done && !r.r[0], "and has its data");
}

static void one_mapping(struct kt_vm *vm, uint8_t *slot, const char *what)
{
	kt_do(&vm->vcpu[0], CMD_FILL, NEW, FILL, SEED, 0);
	check_child(slot + KT_PAGE, what);
	check_guest(vm, NEW, FILL, what);
}

static void new_vm(struct kt_vm *vm, uint8_t *slot, size_t size)
{
	kt_create(vm, &(struct kt_config){ 0 });
	if (kt_add_slot(vm, 1, 0, NEW, size, slot))
		bail("a slot is refused");
}

static void *map(size_t size, int flags, int fd)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (p == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	return p;
}

static void test_whole(void)
{
	uint8_t *mem = kt_alloc(KT_2M);
	struct kt_vm vm;

	new_vm(&vm, mem, KT_2M);
	one_mapping(&vm, mem, "a mapping that is all slot");
	one_mapping(&vm, mem, "once more");
	kt_close(&vm);
	munmap(mem, KT_2M);
}

/* The slot begins and ends in the middle of the mapping. */
static void test_part(void)
{
	uint8_t *mem = kt_alloc(3 * KT_2M);
	struct kt_vm vm;

	memset(mem, 0x77, 3 * KT_2M);
	new_vm(&vm, mem + KT_2M, KT_2M);
	one_mapping(&vm, mem + KT_2M, "a mapping with more in it than the slot");
	is(mem[KT_2M - 1] + mem[2 * KT_2M], 2 * 0x77, "the VMM has what is beside the slot");
	kt_close(&vm);
	munmap(mem, 3 * KT_2M);
}

/* Different flags make two mappings, both in one slot; the guest touches both. */
static void test_several(void)
{
	uint8_t *mem = kt_alloc(KT_2M);
	struct kt_vm vm;

	if (madvise(mem + 4 * KT_PAGE, 4 * KT_PAGE, MADV_DONTDUMP))
		bail("madvise: %s", strerror(errno));
	new_vm(&vm, mem, KT_2M);
	one_mapping(&vm, mem, "a slot of three mappings, the first");
	check_child(mem + 5 * KT_PAGE, "the second");
	check_child(mem + 9 * KT_PAGE, "the third");
	check_guest(&vm, NEW, FILL, "a slot of three mappings");
	kt_close(&vm);
	munmap(mem, KT_2M);
}

/* One huge page in two mappings: the guest touches the first, and is given all of the page. */
static void test_huge(void)
{
	uint8_t *mem = kt_alloc(KT_2M);
	struct kt_vm vm;
	int64_t locked;

	madvise(mem, KT_2M, MADV_HUGEPAGE);
	memset(mem, 1, KT_2M);
	if (madvise(mem + KT_2M / 2, KT_2M / 2, MADV_DONTDUMP))
		bail("madvise: %s", strerror(errno));
	new_vm(&vm, mem, KT_2M);
	kt_do(&vm.vcpu[0], CMD_NOP, 0, 0, 0, 0);
	locked = kt_proc_kb("/proc/self/status", "VmLck:");
	kt_do(&vm.vcpu[0], CMD_FILL, NEW, FILL, SEED, 0);
	if (kt_proc_kb("/proc/self/status", "VmLck:") - locked != 2048) {
		skip("no huge page was to be had", "a huge page in two mappings");
	} else {
		check_child(mem + KT_2M - KT_PAGE, "a huge page in two mappings, the second");
		kt_do(&vm.vcpu[0], CMD_FILL, NEW, KT_2M, SEED, 0);
		check_guest(&vm, NEW, KT_2M, "a huge page in two mappings");
	}
	kt_close(&vm);
	munmap(mem, KT_2M);
}

/* Slots and mappings that come when the VM runs. */
static void test_later(void)
{
	uint8_t *mem = kt_alloc(KT_2M), *other;
	struct kt_vm vm;

	new_vm(&vm, mem, KT_2M);
	one_mapping(&vm, mem, "before the mapping changes");
	other = mmap(mem + KT_2M / 2, KT_2M / 2, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (other != mem + KT_2M / 2)
		bail("mmap: %s", strerror(errno));
	kt_do(&vm.vcpu[0], CMD_FILL, NEW + KT_2M / 2, FILL, SEED, 0);
	check_child(other, "a mapping made below a slot in use");
	check_guest(&vm, NEW + KT_2M / 2, FILL, "a mapping made below a slot in use");
	check_guest(&vm, NEW, FILL, "and what was there before");

	other = kt_alloc(KT_2M);
	if (kt_add_slot(&vm, 2, 0, OTHER, KT_2M, other))
		bail("a slot is refused");
	kt_do(&vm.vcpu[0], CMD_FILL, OTHER, FILL, SEED, 0);
	check_child(other, "a slot that came later");
	check_guest(&vm, OTHER, FILL, "a slot that came later");
	kt_close(&vm);
	munmap(mem, KT_2M);
	munmap(other, KT_2M);
}

static int read_shared_page(void)
{
	return memcmp(child_page, &(uint64_t){ SEED ^ NEW }, 8) != 0;
}

/* Shared with the child already, and never copied: only stage 2 is between. */
static void test_shared(void)
{
	int fd = memfd_create("fork", MFD_CLOEXEC);
	struct kt_vm vm;
	uint8_t *mem;

	if (fd < 0 || ftruncate(fd, KT_2M))
		bail("memfd: %s", strerror(errno));
	mem = map(KT_2M, MAP_SHARED, fd);
	new_vm(&vm, mem, KT_2M);
	one_mapping(&vm, mem, "a shared mapping of a memfd");
	if (kt_hvc(&vm.vcpu[0], GUESTCALL_MEM_SHARE, NEW, 0, 0).r[0])
		bail("MEM_SHARE failed");
	child_page = mem;
	is(in_child(read_shared_page), 0, "a child sees what the guest shares there");
	kt_close(&vm);
	munmap(mem, KT_2M);

	mem = map(KT_2M, MAP_PRIVATE, fd);
	new_vm(&vm, mem, KT_2M);
	one_mapping(&vm, mem, "a private mapping of a memfd");
	kt_close(&vm);
	munmap(mem, KT_2M);
	close(fd);
}

static int nothing(void)
{
	return 0;
}

/* Children come while the guest takes one page after the other. */
static void test_meanwhile(void)
{
	uint8_t *mem = kt_alloc(2 * KT_2M);
	unsigned int i, bad = 0;
	struct kt_result r;
	struct kt_vm vm;

	memset(mem, 1, 2 * KT_2M);
	new_vm(&vm, mem + KT_PAGE, 2 * KT_2M - KT_PAGE);
	kt_do(&vm.vcpu[0], CMD_NOP, 0, 0, 0, 0);
	kt_start(&vm.vcpu[0], CMD_FILL, NEW, 2 * KT_2M - KT_PAGE, SEED, 0);
	for (i = 0; i < 10; i++)
		bad += in_child(nothing) != 0;
	r = kt_wait(&vm.vcpu[0]);
	ok(r.done && !bad, "children come and go while the guest touches its memory");
	check_guest(&vm, NEW, 2 * KT_2M - KT_PAGE, "children meanwhile");
	kt_close(&vm);
	munmap(mem, 2 * KT_2M);
}

int main(void)
{
	tap_begin(120);
	if (!kt_protected()) {
		skip("not a protected VM", "fork");
		return tap_end();
	}
	test_whole();
	test_part();
	test_several();
	test_huge();
	test_later();
	test_shared();
	test_meanwhile();
	return tap_end();
}
