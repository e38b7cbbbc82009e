// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory slots: nonsense is refused, before the first run slots come and go, afterwards a protected
 * VM's slots can only be added to; and changing the mapping below a slot does not reach the guest.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvmtest.h"
#include "tap.h"

#define PAGE  GUEST_FREE
#define NEW   0x48000000ull
#define ALIAS 0x4c000000ull

static void test_nonsense(struct kt_vm *vm)
{
	uint8_t *mem = kt_alloc(KT_2M);
	const struct {
		uint32_t slot, flags;
		uint64_t gpa, size;
		void *mem;
		int err;
		const char *what;
	} bad[] = {
		{ 1, 0, NEW + 8, KT_2M, mem, EINVAL, "an unaligned guest address" },
		{ 1, 0, NEW, KT_2M + 8, mem, EINVAL, "an unaligned size" },
		{ 1, 0, NEW, KT_2M - KT_PAGE, mem + 8, EINVAL, "an unaligned host address" },
		{ 1, 0, NEW, 0, mem, EINVAL, "deleting a slot that is not there" },
		{ 1, 0, GUEST_RAM + KT_2M, KT_2M, mem, EEXIST, "guest addresses of another slot" },
		{ 1, 0, GUEST_RAM - KT_PAGE, KT_2M, mem, EEXIST, "an overlap from below" },
		{ 1, 0, 0x0ull - KT_2M, 2 * KT_2M, mem, EINVAL, "addresses that wrap" },
		{ 1, 0, 0x0ull - KT_2M, KT_2M, mem, EFAULT, "addresses beyond the guest's" },
		{ 1, 0, NEW, KT_2M, (void *)(0x0ul - KT_2M), EINVAL, "a kernel address" },
		{ 1, 1u << 30, NEW, KT_2M, mem, EINVAL, "an unknown flag" },
		{ 40000, 0, NEW, KT_2M, mem, EINVAL, "slot number 40000" },
		{ 0xffffffff, 0, NEW, KT_2M, mem, EINVAL, "slot number 2^32-1" },
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int err = kt_add_slot(vm, bad[i].slot, bad[i].flags, bad[i].gpa, bad[i].size,
				      bad[i].mem);

		/* KVM of all kernels agrees that it is wrong, not on which of the two it is. */
		if (bad[i].err == EFAULT && err == EINVAL)
			err = EFAULT;
		is_errno(err, bad[i].err, "refused: %s", bad[i].what);
	}
	munmap(mem, KT_2M);
}

static void test_before_run(struct kt_vm *vm, uint8_t *mem)
{
	is_errno(kt_add_slot(vm, 1, 0, NEW, KT_2M, mem), 0, "a new slot before the first run");
	is_errno(kt_add_slot(vm, 1, 0, ALIAS, KT_2M, mem), 0, "moving it before the first run");
	is_errno(kt_add_slot(vm, 1, 0, ALIAS, 0, mem), 0, "deleting it before the first run");
	if (!kt_protected())
		return;
	is_errno(kt_add_slot(vm, 1, KVM_MEM_READONLY, NEW, KT_2M, mem), EPERM,
		 "a read-only slot is refused");
	is_errno(kt_add_slot(vm, 1, KVM_MEM_LOG_DIRTY_PAGES, NEW, KT_2M, mem), EPERM,
		 "a slot with dirty logging is refused");
	is_errno(kt_add_slot(vm, 0, KVM_MEM_LOG_DIRTY_PAGES, GUEST_RAM, vm->size, vm->mem), EPERM,
		 "dirty logging of a slot that is there is refused");
}

static void test_after_run(struct kt_vm *vm, uint8_t *mem)
{
	struct kvm_dirty_log log = { .slot = 0 };
	uint8_t bitmap[4096] = { 0 };
	struct kt_vcpu *cpu = &vm->vcpu[0];
	const struct {
		uint32_t slot, flags;
		uint64_t gpa, size;
		void *mem;
		int err;
		const char *what;
	} table[] = {
		{ 0, 0, GUEST_RAM, 0, vm->mem, EPERM, "deleting a slot after the run" },
		{ 0, 0, NEW, vm->size, vm->mem, EPERM, "moving a slot after the run" },
		{ 0, KVM_MEM_LOG_DIRTY_PAGES, GUEST_RAM, vm->size, vm->mem, EPERM,
		  "dirty logging after the run" },
		{ 0, KVM_MEM_READONLY, GUEST_RAM, vm->size, vm->mem, EINVAL,
		  "making a slot read-only after the run" },
		{ 0, 0, GUEST_RAM, vm->size, mem, EINVAL, "other host memory for a slot" },
		{ 0, 0, GUEST_RAM, vm->size - KT_PAGE, vm->mem, EINVAL, "another size for a slot" },
		{ 1, KVM_MEM_READONLY, NEW, KT_2M, mem, EPERM, "a read-only slot after the run" },
		{ 1, KVM_MEM_LOG_DIRTY_PAGES, NEW, KT_2M, mem, EPERM,
		  "a slot with dirty logging after the run" },
		{ 1, 0, NEW, KT_2M, mem, 0, "a new slot after the run" },
		{ 1, 0, NEW, 0, mem, EPERM, "deleting that slot" },
	};
	size_t i;

	kt_do(cpu, CMD_FILL, PAGE, KT_PAGE, 0x5ec4e7, 0);
	for (i = 0; kt_protected() && i < sizeof(table) / sizeof(table[0]); i++)
		is_errno(kt_add_slot(vm, table[i].slot, table[i].flags, table[i].gpa, table[i].size,
				     table[i].mem),
			 table[i].err, "%s%s", table[i].what, table[i].err ? " is refused" : "");
	if (!kt_protected())
		kt_add_slot(vm, 1, 0, NEW, KT_2M, mem);

	mem[0] = 0x42;
	is_hex(kt_do(cpu, CMD_LOAD, NEW, 1, 0, 0), 0x42,
	       "the guest sees what the host put into a page of the new slot before");
	kt_do(cpu, CMD_FILL, NEW, KT_2M, 1, 0);
	is(kt_do(cpu, CMD_CHECK, NEW, KT_2M, 1, 0), 0, "the guest uses the new slot");
	is(kt_do(cpu, CMD_CHECK, PAGE, KT_PAGE, 0x5ec4e7, 0), 0, "and still has its old memory");

	log.dirty_bitmap = bitmap;
	is_errno(ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log) ? errno : 0, ENOENT,
		 "KVM_GET_DIRTY_LOG: there is none");
}

/* What the host maps below the guest's addresses later is not what the guest gets. */
static void test_remap(struct kt_vm *vm)
{
	struct kt_vcpu *cpu = &vm->vcpu[0];
	uint8_t *page = vm->mem + (PAGE - GUEST_RAM);
	void *p;

	if (!kt_protected()) {
		skip("not a protected VM", "remapping");
		return;
	}
	kt_do(cpu, CMD_FILL, PAGE, 4 * KT_PAGE, 0xabc, 0);
	is_errno(madvise(page, KT_PAGE, MADV_DONTNEED) ? errno : 0, 0, "MADV_DONTNEED works");
	is(page[0], 0, "the host then has a new zero page there");
	is(kt_do(cpu, CMD_CHECK, PAGE, KT_PAGE, 0xabc, 0), 0, "the guest has its old one");
	p = mmap(page + KT_PAGE, KT_PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	ok(p == page + KT_PAGE, "MAP_FIXED over guest memory works");
	memset(page + KT_PAGE, 0xee, KT_PAGE);
	is(kt_do(cpu, CMD_CHECK, PAGE + KT_PAGE, KT_PAGE, 0xabc, 0), 0,
	   "the guest has its old page");
	ok(!munmap(page + 2 * KT_PAGE, KT_PAGE), "munmap of guest memory works");
	is(kt_do(cpu, CMD_CHECK, PAGE + 2 * KT_PAGE, KT_PAGE, 0xabc, 0), 0,
	   "the guest has its old page still");
}

/* The file below a slot loses its pages; the guest does not. */
static void test_punch(void)
{
	int fd = memfd_create("memslot", MFD_CLOEXEC);
	struct kt_vm vm;
	uint8_t *mem;

	if (!kt_protected()) {
		skip("not a protected VM", "hole punching");
		return;
	}
	if (fd < 0 || ftruncate(fd, KT_2M))
		bail("memfd: %s", strerror(errno));
	mem = mmap(NULL, KT_2M, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	kt_create(&vm, &(struct kt_config){ 0 });
	is_errno(kt_add_slot(&vm, 1, 0, NEW, KT_2M, mem), 0, "a slot on a memfd");
	kt_do(&vm.vcpu[0], CMD_FILL, NEW, 4 * KT_PAGE, 0xabc, 0);
	is_errno(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, KT_PAGE) ? errno : 0,
		 0, "a hole is punched into the file");
	is(mem[0] | mem[KT_PAGE - 1], 0, "the host then has a new zero page there");
	mem[0] = 0xee;
	is(kt_do(&vm.vcpu[0], CMD_CHECK, NEW, 4 * KT_PAGE, 0xabc, 0), 0,
	   "the guest has its old one");
	is_errno(ftruncate(fd, 2 * KT_PAGE) ? errno : 0, 0, "the file gets shorter");
	is_errno(ftruncate(fd, KT_2M) ? errno : 0, 0, "and longer again");
	is(mem[3 * KT_PAGE], 0, "the host has a new zero page there too");
	is(kt_do(&vm.vcpu[0], CMD_CHECK, NEW, 4 * KT_PAGE, 0xabc, 0), 0,
	   "the guest has its old one still");
	kt_close(&vm);
	is(mem[0], 0xee, "the host's new page stays when the VM has gone");
	munmap(mem, KT_2M);
	close(fd);
}

/* One host page in two places, or in two VMs. */
static void test_alias(void)
{
	uint8_t *shared = kt_alloc(KT_2M);
	struct kt_vm a, b;
	struct kt_result r;

	if (!kt_protected()) {
		skip("not a protected VM", "one page twice");
		return;
	}
	kt_create(&a, &(struct kt_config){ 0 });
	kt_create(&b, &(struct kt_config){ 0 });
	is_errno(kt_add_slot(&a, 1, 0, NEW, KT_2M, shared), 0, "slot with the page");
	is_errno(kt_add_slot(&a, 2, 0, ALIAS, KT_2M, shared), 0, "second slot with the page");
	is_errno(kt_add_slot(&b, 1, 0, NEW, KT_2M, shared), 0, "slot of another VM with the page");
	kt_do(&a.vcpu[0], CMD_FILL, NEW, KT_PAGE, 0x5ec4e7, 0);

	r = kt_call(&b.vcpu[0], CMD_LOAD, NEW, 8, 0, 0);
	ok(!r.done, "another VM cannot load from the page");
	is_errno(r.err, EPERM, "its KVM_RUN says EPERM");
	r = kt_call(&a.vcpu[0], CMD_LOAD, ALIAS, 8, 0, 0);
	ok(!r.done, "the VM itself cannot use it at a second address");
	is_errno(r.err, EPERM, "its KVM_RUN says EPERM");
	kt_close(&b);
	kt_close(&a);
	is(shared[0] | shared[100] | shared[4095], 0, "afterwards the page is zero");
	munmap(shared, KT_2M);
}

int main(void)
{
	uint8_t *mem;
	struct kt_vm vm;

	tap_begin(60);
	mem = kt_alloc(KT_2M);
	kt_create(&vm, &(struct kt_config){ 0 });
	test_nonsense(&vm);
	test_before_run(&vm, mem);
	test_after_run(&vm, mem);
	test_remap(&vm);
	kt_close(&vm);
	test_punch();
	test_alias();
	return tap_end();
}
