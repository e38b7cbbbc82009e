// SPDX-License-Identifier: GPL-2.0-only
/*
 * Huge pages: a guest is given 2 MiB by one fault, and the block is split when one page of it goes
 * another way. And the host's own blocks: what was split for a guest is put together again.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../include/stockade/guestcall.h"
#include "hostile.h"
#include "kvmtest.h"
#include "tap.h"

#define BLOCK	  0x48000000ull
#define SEED	  0x5ec4e7ull
#define NR_HUGE	  48u
#define NR_ROUNDS 24u
#define PAGE(n)	  ((n)*KT_PAGE)
#define BLOCK_KB  2048

static int64_t locked_kb(void)
{
	return kt_proc_kb("/proc/self/status", "VmLck:");
}

/* Memory that is one huge page; NULL: not to be had. */
static uint8_t *huge(void)
{
	uint8_t *p = kt_alloc(KT_2M);
	uint64_t first;

	madvise(p, KT_2M, MADV_HUGEPAGE);
	memset(p, 1, KT_2M);
	first = frame_of(p);
	if (first && !(first & 511) && frame_of(p + PAGE(511)) == first + 511)
		return p;
	munmap(p, KT_2M);
	return NULL;
}

/* A VM that runs, with that memory in a slot it has not touched. */
static void new_vm(struct kt_vm *vm, uint64_t gpa, uint8_t *mem)
{
	kt_create(vm, &(struct kt_config){ 0 });
	if (kt_add_slot(vm, 1, 0, gpa, KT_2M, mem))
		bail("a slot is refused");
	kt_do(&vm->vcpu[0], CMD_NOP, 0, 0, 0, 0);
}

/* A store somewhere: how much memory goes to the guest by that? */
static int64_t touch(struct kt_vm *vm, uint64_t gpa)
{
	int64_t before = locked_kb();

	kt_do(&vm->vcpu[0], CMD_STORE, gpa, 8, 1, 0);
	return locked_kb() - before;
}

static uint64_t check(struct kt_vm *vm, unsigned int first, unsigned int end)
{
	return kt_do(&vm->vcpu[0], CMD_CHECK, BLOCK + PAGE(first), PAGE(end - first), SEED, 0);
}

static bool is_lost(uint8_t *p)
{
	return kt_try_load(p, NULL) == SIGSEGV;
}

/* Guards give_block() in module/guest_mem.c, and page_entry() in hyp/mem/transition.c. */
static void test_block(void)
{
	uint8_t *mem = huge(), *end;
	size_t nonzero = 0;
	int64_t before = locked_kb();
	struct kt_vm vm;
	uint64_t v = 0;
	int fd;

	if (!mem) {
		skip("no huge page was to be had", "blocks");
		return;
	}
	new_vm(&vm, BLOCK, mem);
	mem[PAGE(200)] = 0x42;
	is(touch(&vm, BLOCK + PAGE(7)), BLOCK_KB,
	   "a store to a huge page: the guest is given it all");
	is(touch(&vm, BLOCK + PAGE(300)), 0, "and no more by the next one");
	ok(is_lost(mem) && is_lost(mem + PAGE(200)) && is_lost(mem + KT_2M - 1),
	   "the host has lost it all");
	is_hex(kt_do(&vm.vcpu[0], CMD_LOAD, BLOCK + PAGE(200), 1, 0, 0), 0x42,
	       "what the host wrote to another page of it before went with it");
	kt_do(&vm.vcpu[0], CMD_FILL, BLOCK, KT_2M, SEED, 0);

	is((int64_t)kt_hvc(&vm.vcpu[0], GUESTCALL_MEM_SHARE, BLOCK + PAGE(77), 0, 0).r[0], 0,
	   "MEM_SHARE of a page out of a block");
	is(kt_try_load(mem + PAGE(77), NULL), 0, "the host can load from it");
	memcpy(&v, mem + PAGE(77), 8);
	is_hex(v, SEED ^ (BLOCK + PAGE(77)), "and sees what the guest wrote");
	ok(is_lost(mem + PAGE(77) - 1) && is_lost(mem + PAGE(78)), "but not the pages beside it");
	is((int64_t)kt_hvc(&vm.vcpu[0], GUESTCALL_MEM_UNSHARE, BLOCK + PAGE(77), 0, 0).r[0], 0,
	   "MEM_UNSHARE");
	ok(is_lost(mem + PAGE(77)), "takes it back");
	is((int64_t)check(&vm, 0, 512), 0, "the guest has its data");

	fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	is(pread(fd, &v, 8, (off_t)(uintptr_t)(mem + PAGE(100))), 8, "the kernel reads a page");
	close(fd);
	is_hex(v, 0, "zeroes");
	is(kt_try_load(mem + PAGE(100), NULL), 0, "the host has that page");
	ok(is_lost(mem + PAGE(99)) && is_lost(mem + PAGE(101)), "but not those beside it");
	is((int64_t)(check(&vm, 0, 100) + check(&vm, 101, 512)), 0, "where the guest has its data");
	is_errno(kt_call(&vm.vcpu[0], CMD_LOAD, BLOCK + PAGE(100), 8, 0, 0).err, EFAULT,
		 "the guest's use of the page makes KVM_RUN say EFAULT");
	kt_close(&vm);
	for (end = mem + KT_2M; --end > mem;)
		nonzero += *end != 0;
	is((int64_t)nonzero, 0, "afterwards the block is zero");
	is(locked_kb(), before, "and VmLck what it was");
	munmap(mem, KT_2M);
}

/* A relinquished page, and the VM's end with the block whole. */
static void test_whole(void)
{
	uint8_t *mem = huge();
	size_t i, nonzero = 0;
	struct kt_vm vm;

	if (!mem) {
		skip("no huge page was to be had", "a whole block");
		return;
	}
	new_vm(&vm, BLOCK, mem);
	kt_do(&vm.vcpu[0], CMD_FILL, BLOCK, KT_2M, SEED, 0);
	kt_close(&vm);
	for (i = 0; i < KT_2M; i++)
		nonzero += mem[i] != 0;
	is((int64_t)nonzero, 0, "a block that is never split is zero afterwards");
	munmap(mem, KT_2M);
}

static void test_misaligned(void)
{
	uint8_t *mem = huge();
	struct kt_vm vm;

	if (!mem) {
		skip("no huge page was to be had", "a guest address that does not fit");
		return;
	}
	new_vm(&vm, BLOCK + KT_PAGE, mem);
	is(touch(&vm, BLOCK + PAGE(8)), 4,
	   "where the addresses do not fit, a store gives one page");
	ok(!is_lost(mem + PAGE(6)) && !is_lost(mem + PAGE(8)), "not those beside it");
	kt_close(&vm);
	munmap(mem, KT_2M);
}

static volatile bool stop_reading;

/* The kernel reads one page of the block, all the time. */
static void *read_page(void *page)
{
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	uint64_t v;

	while (!stop_reading)
		if (pread(fd, &v, 8, (off_t)(uintptr_t)page) != 8)
			bail("the kernel can't read: %s", strerror(errno));
	close(fd);
	return NULL;
}

/*
 * A block that takes several calls of the module's (a CPU without FWB), and a kernel that touches it meanwhile, which may
 * finish it, and split it: what the guest has stays accounted. Guards stockade_hc_host_donate_guest().
 */
static void test_touched_meanwhile(void)
{
	unsigned int round, i, bad = 0;

	for (round = 0; round < NR_ROUNDS; round++) {
		uint8_t *mem = huge();
		int64_t before, lost = 0;
		pthread_t reader;
		struct kt_vm vm;

		if (!mem) {
			skip("no huge page was to be had", "a block that is touched meanwhile");
			return;
		}
		new_vm(&vm, BLOCK, mem);
		before = locked_kb();
		stop_reading = false;
		if (pthread_create(&reader, NULL, read_page, mem + PAGE(500)))
			bail("no thread");
		usleep(1000);
		kt_do(&vm.vcpu[0], CMD_STORE, BLOCK + PAGE(7), 8, 1, 0);
		stop_reading = true;
		pthread_join(reader, NULL);
		for (i = 0; i < 512; i++)
			lost += is_lost(mem + PAGE(i));
		bad += 4 * lost > locked_kb() - before;
		kt_close(&vm);
		munmap(mem, KT_2M);
	}
	is(bad, 0, "a block is accounted although the kernel touches it on its way, %u times",
	   NR_ROUNDS);
}

static void drop_ipc_lock(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];

	if (syscall(SYS_capget, &h, d))
		bail("capget: %s", strerror(errno));
	d[0].effective &= ~(1u << CAP_IPC_LOCK);
	if (syscall(SYS_capset, &h, d))
		bail("capset: %s", strerror(errno));
}

static void limit_kb(int64_t kb)
{
	struct rlimit lim = { (rlim_t)kb << 10, RLIM_INFINITY };

	if (setrlimit(RLIMIT_MEMLOCK, &lim))
		bail("setrlimit: %s", strerror(errno));
}

static void test_limit(void)
{
	uint8_t *mem = huge();
	struct kt_vm vm;

	if (!mem) {
		skip("no huge page was to be had", "a limit that is too low for a block");
		return;
	}
	new_vm(&vm, BLOCK, mem);
	drop_ipc_lock();
	limit_kb(locked_kb() + 64);
	is(touch(&vm, BLOCK), 4, "where RLIMIT_MEMLOCK has no room for a block, a page is given");
	is(touch(&vm, BLOCK + PAGE(1)), 4, "and another");
	ok(is_lost(mem) && !is_lost(mem + PAGE(2)), "and no more");
	limit_kb(locked_kb() + 2 * BLOCK_KB);
	kt_do(&vm.vcpu[0], CMD_FILL, BLOCK, KT_2M, SEED, 0);
	is((int64_t)check(&vm, 0, 512), 0, "with a higher limit the guest has all of it");
	kt_close(&vm);
	munmap(mem, KT_2M);
}

/* pages_held, less what is only in the pool. */
static int64_t pages_used(void)
{
	return kt_sysfs("pages_held") - kt_sysfs("pages_free");
}

static bool used_is(int64_t want)
{
	unsigned int i;

	/* A VM's last reference may be dropped a little later. */
	for (i = 0; i < 500 && pages_used() != want; i++)
		usleep(10000);
	return pages_used() == want;
}

/*
 * Pages out of many of the host's blocks: each costs the hypervisor a table, which it has back when the
 * block is whole again. Guards collapse(), by way of host_remap(), in hyp/mem/host_map.c.
 */
static void test_recombine(void)
{
	static uint8_t *mem[NR_HUGE];
	int64_t none = pages_used(), before, split;
	unsigned int i, nr, bad = 0;
	struct kt_vm vm;

	for (nr = 0; nr < NR_HUGE; nr++) {
		mem[nr] = huge();
		if (!mem[nr])
			break;
	}
	if (nr < NR_HUGE) {
		skip("not enough huge pages", "the host's blocks");
	} else {
		kt_create(&vm, &(struct kt_config){ 0 });
		kt_do(&vm.vcpu[0], CMD_STORE, GUEST_FREE, 8, 1, 0);
		for (i = 0; i < nr; i++)
			if (kt_add_slot(&vm, 1 + i, 0, BLOCK + PAGE(i), KT_PAGE, mem[i]))
				bail("a slot is refused");
		before = pages_used();
		for (i = 0; i < nr; i++)
			kt_do(&vm.vcpu[0], CMD_STORE, BLOCK + PAGE(i), 8, 1, 0);
		split = pages_used() - before;
		ok(split >= nr, "a page out of each of %u blocks costs %d tables", nr, (int)split);
		for (i = 0; i < nr / 2; i++)
			bad += kt_hvc(&vm.vcpu[0], GUESTCALL_MEM_RELINQUISH, BLOCK + PAGE(i), 0, 0)
				       .r[0] != 0;
		is(bad, 0, "the guest gives half of them back");
		ok(before + split - pages_used() >= (int64_t)nr / 2,
		   "and those blocks are whole again while the VM runs");
		kt_close(&vm);
		if (!ok(used_is(none), "after the VM's end all are, and no table is left"))
			diag("%d pages before, %d after", (int)none, (int)pages_used());
	}
	while (nr--)
		munmap(mem[nr], KT_2M);
}

int main(void)
{
	tap_begin(120);
	if (!kt_protected()) {
		skip("not a protected VM", "blocks");
		return tap_end();
	}
	test_block();
	test_whole();
	test_misaligned();
	test_touched_meanwhile();
	test_recombine();
	test_limit();
	return tap_end();
}
