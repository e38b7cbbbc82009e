// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which memory of the host can become a guest's, which errno the other kinds give, and how it
 * counts against RLIMIT_MEMLOCK.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hostile.h"
#include "kvmtest.h"
#include "tap.h"

#define SLOT 0x48000000ull
#define SIZE KT_2M

/* Each returns memory of SIZE bytes, or MAP_FAILED: can't be had on this machine. */
static void *anon_private(void)
{
	return kt_alloc(SIZE);
}

static void *anon_shared(void)
{
	return mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static void *map_fd(int fd, int prot, int flags)
{
	void *p = MAP_FAILED;

	if (fd >= 0 && !ftruncate(fd, SIZE))
		p = mmap(NULL, SIZE, prot, flags, fd, 0);
	if (fd >= 0)
		close(fd);
	return p;
}

static void *memfd(void)
{
	return map_fd(memfd_create("backing", MFD_CLOEXEC), PROT_READ | PROT_WRITE, MAP_SHARED);
}

static void *file_on(const char *fs, int flags)
{
	char dir[64], path[96];
	void *p;

	snprintf(dir, sizeof(dir), "/tmp/backing-%s", fs);
	snprintf(path, sizeof(path), "%s/file", dir);
	mkdir(dir, 0700);
	if (mount(fs, dir, fs, 0, NULL))
		return MAP_FAILED;
	p = map_fd(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), PROT_READ | PROT_WRITE, flags);
	umount2(dir, MNT_DETACH);
	rmdir(dir);
	return p;
}

static void *tmpfs(void)
{
	return file_on("tmpfs", MAP_SHARED);
}

static void *ramfs(void)
{
	return file_on("ramfs", MAP_SHARED);
}

static void *ramfs_private(void)
{
	return file_on("ramfs", MAP_PRIVATE);
}

/* Only where the tests' runner has put a disk with this file system. */
static void *on_disk(int flags)
{
	int fd = open("/mnt/ext4/backing", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	return map_fd(fd, PROT_READ | PROT_WRITE, flags);
}

static void *ext4_private(void)
{
	return on_disk(MAP_PRIVATE);
}

static void *ext4_shared(void)
{
	return on_disk(MAP_SHARED);
}

static void *huge_anon(void)
{
	uint8_t *p = kt_alloc(SIZE);

	if (madvise(p, SIZE, MADV_HUGEPAGE))
		return MAP_FAILED;
	memset(p, 1, SIZE);
	return p;
}

static void *locked(void)
{
	uint8_t *p = kt_alloc(SIZE);

	return mlock(p, SIZE) ? MAP_FAILED : p;
}

static void *hugetlb(void)
{
	FILE *f = fopen("/proc/sys/vm/nr_hugepages", "we");

	if (f) {
		fputs("2\n", f);
		fclose(f);
	}
	return mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB,
		    -1, 0);
}

static void *with_prot(int prot)
{
	uint8_t *p = kt_alloc(SIZE);

	mprotect(p, SIZE, prot);
	return p;
}

static void *read_only(void)
{
	return with_prot(PROT_READ);
}

static void *no_access(void)
{
	return with_prot(PROT_NONE);
}

static void *hole(void)
{
	/* Where the kernel puts nothing by itself, so that it stays a hole. */
	return (void *)0x1000000000ul;
}

static void *beyond_eof(void)
{
	int fd = memfd_create("backing", MFD_CLOEXEC);

	return mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

static const struct backing {
	void *(*map)(void);
	int err; /* of KVM_RUN when the guest stores */
	const char *name;
} backings[] = {
	{ anon_private, 0, "private anonymous memory" },
	{ anon_shared, 0, "shared anonymous memory" },
	{ memfd, 0, "a memfd" },
	{ tmpfs, 0, "a file on tmpfs" },
	{ huge_anon, 0, "transparent huge pages" },
	{ locked, 0, "mlocked memory" },
	{ ramfs_private, 0, "a private mapping of a file on ramfs" },
	{ ext4_private, 0, "a private mapping of a file on ext4" },
	{ ext4_shared, EFAULT, "a shared mapping of a file on ext4" },
	{ ramfs, EFAULT, "a shared mapping of a file on ramfs" },
	{ hugetlb, EIO, "hugetlbfs pages" },
	{ read_only, EFAULT, "memory mapped read-only" },
	{ no_access, EFAULT, "memory mapped without access" },
	{ hole, EFAULT, "nothing mapped" },
	{ beyond_eof, EFAULT, "memory behind the end of its file" },
};

/* The host fills, the guest reads; the guest stores, the host can't read; afterwards zero. */
static void use_good(struct kt_vm *vm, uint8_t *p)
{
	struct kt_vcpu *cpu = &vm->vcpu[0];

	kt_do(cpu, CMD_FILL, SLOT, SIZE, 0x123, 0);
	is((int64_t)kt_do(cpu, CMD_CHECK, SLOT, SIZE, 0x123, 0), 0, "and keeps data there");
	ok(kt_try_load(p, NULL) && kt_try_load(p + SIZE - 1, NULL), "which the host can't load");
}

static void test_backing(const struct backing *b)
{
	struct kt_vm vm;
	struct kt_result r;
	uint8_t *p = b->map();

	if (p == MAP_FAILED) {
		skip("not to be had here", "%s", b->name);
		return;
	}
	kt_create(&vm, &(struct kt_config){ 0 });
	if (kt_add_slot(&vm, 1, 0, SLOT, SIZE, p)) {
		ok(b->err, "%s: refused when the slot is made", b->name);
		kt_close(&vm);
		return;
	}
	r = kt_call(&vm.vcpu[0], CMD_STORE, SLOT, 8, 1, 0);
	is_errno(r.done ? 0 : r.err, b->err, "a guest stores to %s", b->name);
	if (r.done && !b->err)
		use_good(&vm, p);
	kt_close(&vm);
	if (!b->err)
		ok(!kt_try_load(p, NULL) && !p[0] && !p[SIZE - 1], "afterwards it is zero");
	munmap(p, SIZE);
}

static int64_t locked_kb(void)
{
	return kt_proc_kb("/proc/self/status", "VmLck:");
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

static void limit_locked(unsigned long kb)
{
	struct rlimit lim = { kb << 10, RLIM_INFINITY };

	if (setrlimit(RLIMIT_MEMLOCK, &lim))
		bail("setrlimit: %s", strerror(errno));
}

/* How many pages of fresh memory the guest can touch; the last errno in *err. */
static unsigned int touch_pages(struct kt_vm *vm, unsigned int max, int *err)
{
	unsigned int i;

	for (i = 0; i < max; i++) {
		struct kt_result r = kt_call(&vm->vcpu[0], CMD_STORE, SLOT + i * KT_PAGE, 8, 1, 0);

		*err = r.done ? 0 : r.err;
		if (!r.done)
			break;
	}
	return i;
}

/* Who wonders about ENOMEM finds the limit in the kernel's log. Guards say_limit(). */
static void test_log(struct kt_vm *vm)
{
	unsigned int i, n;

	is(log_count("RLIMIT_MEMLOCK (64 KiB)"), 1, "a line of the kernel's log names the limit");
	for (i = 0; i < 200; i++)
		if (kt_resume(&vm->vcpu[0]).err != ENOMEM)
			break;
	is(i, 200, "each attempt to go on gives ENOMEM again");
	n = log_count("RLIMIT_MEMLOCK");
	ok(n < 50, "and a few more lines (%u)", n);
}

static void test_memlock(void)
{
	uint8_t *p = kt_alloc(SIZE);
	struct kt_vm vm;
	unsigned int n;
	int err = 0;
	int64_t before;

	before = locked_kb();
	limit_locked(64);
	log_begin();
	kt_create(&vm, &(struct kt_config){ 0 });
	is_errno(kt_add_slot(&vm, 1, 0, SLOT, SIZE, p), 0, "a slot");
	n = touch_pages(&vm, 64, &err);
	ok(n < 64, "RLIMIT_MEMLOCK stops a guest (after %u pages of data)", n);
	is_errno(err, ENOMEM, "KVM_RUN says ENOMEM");
	is(locked_kb() - before, 64, "VmLck has reached the limit");
	test_log(&vm);
	limit_locked(256);
	ok(kt_resume(&vm.vcpu[0]).done, "with a higher limit the guest goes on");
	kt_close(&vm);
	is(locked_kb(), before, "VmLck is what it was after the VM is closed");

	limit_locked(0);
	kt_create(&vm, &(struct kt_config){ 0 });
	is_errno(kt_call(&vm.vcpu[0], CMD_NOP, 0, 0, 0, 0).err, ENOMEM,
		 "with a limit of 0 the first KVM_RUN says ENOMEM");
	kt_close(&vm);
	munmap(p, SIZE);
}

/*
 * Memory that nobody has touched yet, in a mapping that may have huge pages: the guest's faults get them, and it is given
 * 2 MiB by each, by the second like by the first. Guards STOCKADE_KEEP_OFF in module/compat.h.
 */
static void test_huge_faults(void)
{
	uint8_t *p = kt_alloc(3 * KT_2M);
	int64_t before;
	struct kt_vm vm;
	unsigned int i;

	madvise(p, 3 * KT_2M, MADV_HUGEPAGE);
	kt_create(&vm, &(struct kt_config){ 0 });
	is_errno(kt_add_slot(&vm, 1, 0, SLOT, 3 * KT_2M, p), 0, "a slot of untouched memory");
	kt_do(&vm.vcpu[0], CMD_NOP, 0, 0, 0, 0);
	for (i = 0; i < 3; i++) {
		before = locked_kb();
		kt_do(&vm.vcpu[0], CMD_STORE, SLOT + i * KT_2M + 5 * KT_PAGE, 8, 1, 0);
		is(locked_kb() - before, KT_2M / 1024, "touch %u gets the guest a huge page", i);
	}
	kt_close(&vm);
	munmap(p, 3 * KT_2M);
}

int main(void)
{
	size_t i;

	tap_begin(120);
	if (!kt_protected()) {
		skip("not a protected VM", "backing memory");
		return tap_end();
	}
	for (i = 0; i < sizeof(backings) / sizeof(backings[0]); i++)
		test_backing(&backings[i]);
	test_huge_faults();
	limit_locked(64);
	test_backing(&backings[0]); /* with CAP_IPC_LOCK the limit does not count */
	drop_ipc_lock();
	test_memlock();
	return tap_end();
}
