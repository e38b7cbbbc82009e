// SPDX-License-Identifier: GPL-2.0-only
/*
 * What belongs to a protected VM is out of the host's reach: every way for root to get at memory or
 * registers is tried, and what came back is checked, as is that the guest has kept its data.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../include/stockade/guestcall.h"
#include "kvmtest.h"
#include "tap.h"

#define SECRET 0x5ec4e75ec4e75ec4ull
#define PAGES  16u
#define SIZE   (2 * KT_2M)
#define GPA(n) (GUEST_FREE + (n)*KT_PAGE)

static uint8_t *hva(struct kt_vm *vm, uint64_t gpa)
{
	return vm->mem + (gpa - GUEST_RAM);
}

/* A VM with two CPUs that run, and a secret in PAGES pages of that memory. */
static void create_secret_in(struct kt_vm *vm, uint8_t *mem)
{
	struct kt_vcpu *cpu = &vm->vcpu[0];
	uint64_t entry;

	kt_create(vm, &(struct kt_config){ .nr_vcpus = 2, .size = SIZE, .mem = mem });
	entry = kt_do(cpu, CMD_SECONDARY, 0, 0, 0, 0);
	if (kt_hvc(cpu, PSCI_CPU_ON_64, 1, entry, 0).r[0])
		bail("CPU_ON failed");
	kt_do(&vm->vcpu[1], CMD_NOP, 0, 0, 0, 0);
	kt_do(cpu, CMD_FILL, GPA(0), PAGES * KT_PAGE, SECRET, 0);
}

static void create_secret(struct kt_vm *vm)
{
	create_secret_in(vm, NULL);
}

static bool intact(struct kt_vm *vm)
{
	return !kt_do(&vm->vcpu[0], CMD_CHECK, GPA(0), PAGES * KT_PAGE, SECRET, 0);
}

/* Words of the secret in what the host has read. */
static unsigned int leaked(const void *buf, size_t len, uint64_t gpa)
{
	unsigned int n = 0;
	size_t i;

	for (i = 0; i + 8 <= len; i += 8) {
		uint64_t v;

		memcpy(&v, (const uint8_t *)buf + i, 8);
		n += v == (SECRET ^ (gpa + i));
	}
	return n;
}

static bool all_zero(const void *buf, size_t len)
{
	const uint8_t *p = buf;
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i])
			return false;
	return true;
}

static void test_user_access(struct kt_vm *vm)
{
	static const uint64_t offset[] = { 0, 1, 8, 2048, KT_PAGE - 1, 3 * KT_PAGE + 24 };
	void *addr;
	size_t i;

	for (i = 0; i < sizeof(offset) / sizeof(offset[0]); i++) {
		uint8_t *p = hva(vm, GPA(0)) + offset[i];

		is(kt_try_load(p, &addr), SIGSEGV, "a load at offset %#llx is SIGSEGV",
		   (unsigned long long)offset[i]);
		ok(addr == p, "and si_addr is right");
		is(kt_try_store(p, 0xff, &addr), SIGSEGV, "a store is SIGSEGV");
		ok(addr == p, "and si_addr is right");
	}
	is(kt_try_load(hva(vm, GUEST_ENTRY), NULL), SIGSEGV,
	   "a load of the guest's code is SIGSEGV");
	is(kt_try_load(hva(vm, GPA(PAGES)), NULL), 0,
	   "a page that the guest has not touched is still the host's");
	ok(intact(vm), "the guest has its data");
}

static int pipe_with(const void *data, size_t len, int *writer)
{
	int fd[2];

	if (pipe2(fd, O_NONBLOCK))
		bail("pipe: %s", strerror(errno));
	if (len && write(fd[1], data, len) != (ssize_t)len)
		bail("pipe: %s", strerror(errno));
	*writer = fd[1];
	return fd[0];
}

/* System calls that copy from or to user memory. Each gets the page and returns 0 or an errno. */
static int sys_write(void *p)
{
	int w, r = pipe_with(NULL, 0, &w);
	ssize_t n = write(w, p, 64);
	int err = n < 0 ? errno : 0;
	char buf[64];

	if (n > 0 && read(r, buf, sizeof(buf)) > 0)
		diag("write(2) gave %zd bytes away", n);
	close(r);
	close(w);
	return err;
}

static int sys_writev(void *p)
{
	struct iovec iov = { p, 64 };
	int w, r = pipe_with(NULL, 0, &w);
	int err = writev(w, &iov, 1) < 0 ? errno : 0;

	close(r);
	close(w);
	return err;
}

static int sys_read(void *p)
{
	char junk[64];
	int w, r, err;

	memset(junk, 0xee, sizeof(junk));
	r = pipe_with(junk, sizeof(junk), &w);
	err = read(r, p, 64) < 0 ? errno : 0;
	close(r);
	close(w);
	return err;
}

static int sys_write_file(void *p)
{
	int fd = open("/tmp/isolation", O_RDWR | O_CREAT | O_TRUNC, 0600);
	ssize_t n = write(fd, p, KT_PAGE);
	int err = n < 0 ? errno : 0;

	close(fd);
	unlink("/tmp/isolation");
	return err;
}

static int sys_read_file(void *p)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	int err = read(fd, p, KT_PAGE) < 0 ? errno : 0;

	close(fd);
	return err;
}

static int sys_clock_gettime(void *p)
{
	return syscall(SYS_clock_gettime, CLOCK_MONOTONIC, p) ? errno : 0;
}

static int sys_open(void *p)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, p, O_RDONLY);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? errno : 0;
}

static int sys_getrandom(void *p)
{
	return syscall(SYS_getrandom, p, 64, 0) < 0 ? errno : 0;
}

static int sys_getcwd(void *p)
{
	return syscall(SYS_getcwd, p, KT_PAGE) < 0 ? errno : 0;
}

static int sys_ioctl(void *p)
{
	struct kvm_one_reg *reg = p;
	int kvm = kt_open(), err;

	err = ioctl(kvm, KVM_CREATE_VM, kt_vm_type());
	close(kvm);
	kvm = err;
	err = ioctl(kvm, KVM_SET_USER_MEMORY_REGION, reg) ? errno : 0;
	close(kvm);
	return err;
}

static int sys_futex_wait(void *p)
{
	struct timespec t = { .tv_nsec = 1000000 };

	return syscall(SYS_futex, p, FUTEX_WAIT, 0, &t, NULL, 0) ? errno : 0;
}

static void test_system_calls(struct kt_vm *vm)
{
	static const struct {
		int (*call)(void *page);
		const char *name;
	} calls[] = {
		{ sys_write, "write(2) to a pipe" },
		{ sys_writev, "writev(2) to a pipe" },
		{ sys_write_file, "write(2) to a file" },
		{ sys_read, "read(2) from a pipe" },
		{ sys_read_file, "read(2) from a file" },
		{ sys_clock_gettime, "clock_gettime(2)" },
		{ sys_open, "open(2) with a name in it" },
		{ sys_getrandom, "getrandom(2)" },
		{ sys_getcwd, "getcwd(2)" },
		{ sys_ioctl, "ioctl(2) with an argument in it" },
		{ sys_futex_wait, "futex(2) FUTEX_WAIT" },
	};
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		is_errno(calls[i].call(hva(vm, GPA(i))), EFAULT, "%s", calls[i].name);
		ok(intact(vm), "and the guest has its data");
	}
}

static void test_fork(struct kt_vm *vm)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid)
		_exit(kt_try_load(hva(vm, GPA(0)), NULL) == SIGSEGV ? 0 : 1);
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && !WEXITSTATUS(status), "a child does not inherit guest memory");
	ok(intact(vm), "fork(2) does the guest no harm");
}

static ssize_t wipe_proc_mem(void *page, void *buf)
{
	int fd = open("/proc/self/mem", O_RDONLY);
	ssize_t n = pread(fd, buf, KT_PAGE, (off_t)(uintptr_t)page);

	close(fd);
	return n;
}

static ssize_t wipe_process_vm(void *page, void *buf)
{
	struct iovec local = { buf, KT_PAGE }, remote = { page, KT_PAGE };

	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
}

static ssize_t wipe_vmsplice(void *page, void *buf)
{
	struct iovec iov = { page, KT_PAGE };
	int w, r = pipe_with(NULL, 0, &w);
	ssize_t n = vmsplice(w, &iov, 1, 0);

	if (n > 0)
		n = read(r, buf, KT_PAGE);
	close(r);
	close(w);
	return n;
}

static ssize_t wipe_proc_mem_write(void *page, void *buf)
{
	int fd = open("/proc/self/mem", O_RDWR);
	ssize_t n = pwrite(fd, "gotcha", 6, (off_t)(uintptr_t)page);

	memset(buf, 0, KT_PAGE);
	close(fd);
	return n;
}

static int backing_fd;

/* By the file, without any mapping. */
static ssize_t wipe_file(void *page, void *buf)
{
	(void)page;
	return pread(backing_fd, buf, KT_PAGE, GPA(5) - GUEST_RAM);
}

static uint8_t *map_backing(void)
{
	uint8_t *mem;

	backing_fd = memfd_create("isolation", MFD_CLOEXEC);
	if (backing_fd < 0 || ftruncate(backing_fd, SIZE))
		bail("memfd: %s", strerror(errno));
	mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, backing_fd, 0);
	if (mem == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	return mem;
}

static int lost_access(struct kt_vcpu *cpu, enum guest_command cmd, uint64_t gpa)
{
	struct kt_result r = kt_call(cpu, cmd, gpa, 8, 0, 0);

	return r.done ? 0 : r.err;
}

/*
 * What the kernel does by its own mapping cannot be refused: the page is wiped first, and whoever
 * in the guest uses it then is stopped, for ever. Each needs a VM of its own: a stopped vCPU is stuck.
 */
static void test_wipe(void)
{
	static const struct {
		ssize_t (*wipe)(void *page, void *buf);
		const char *name;
		enum guest_command cmd;
		ssize_t size;
		bool file;
	} ways[] = {
		{ wipe_proc_mem, "/proc/self/mem", CMD_LOAD, KT_PAGE, false },
		{ wipe_process_vm, "process_vm_readv(2)", CMD_STORE, KT_PAGE, false },
		{ wipe_vmsplice, "vmsplice(2) and read(2)", CMD_LOAD, KT_PAGE, false },
		{ wipe_file, "pread(2) of the memfd", CMD_STORE, KT_PAGE, true },
		{ wipe_proc_mem_write, "a write to /proc/self/mem", CMD_LOAD, 6, false },
	};
	static uint8_t buf[KT_PAGE];
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct kt_vm vm;
		ssize_t n;

		create_secret_in(&vm, ways[i].file ? map_backing() : NULL);
		memset(buf, 0xee, sizeof(buf));
		n = ways[i].wipe(hva(&vm, GPA(5)), buf);
		is(n, ways[i].size, "%s succeeds", ways[i].name);
		is(leaked(buf, sizeof(buf), GPA(5)), 0, "it shows nothing of the secret");
		ok(all_zero(buf, sizeof(buf)), "but zeroes");
		is(kt_do(&vm.vcpu[0], CMD_CHECK, GPA(0), 5 * KT_PAGE, SECRET, 0) +
			   kt_do(&vm.vcpu[0], CMD_CHECK, GPA(6), (PAGES - 6) * KT_PAGE, SECRET, 0),
		   0, "the pages beside it are unharmed");
		is_errno(lost_access(&vm.vcpu[1], ways[i].cmd, GPA(5)), EFAULT,
			 "the guest's use of the page makes KVM_RUN say EFAULT");
		is_errno(kt_resume(&vm.vcpu[1]).err, EFAULT, "and again");
		is(kt_do(&vm.vcpu[0], CMD_CHECK, GPA(6), KT_PAGE, SECRET, 0), 0,
		   "the other vCPU goes on");
		is_errno(lost_access(&vm.vcpu[0], ways[i].cmd, GPA(5)), EFAULT,
			 "until it uses that page too");
		if (ways[i].file)
			close(backing_fd);
		kt_close(&vm);
	}
}

/* Stop the guest while its registers are full of secrets, and ask for them. */
static void test_registers(struct kt_vm *vm)
{
	struct kt_vcpu *cpu = &vm->vcpu[0];
	struct kvm_vcpu_init init = { 0 };
	struct kvm_guest_debug debug = { .control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP };
	struct kvm_vcpu_events events = { 0 };
	struct kvm_mp_state mp = { 0 };
	uint8_t quad[16] = { 0 };
	struct kvm_one_reg vreg = {
		.id = KVM_REG_ARM64 | KVM_REG_SIZE_U128 | KVM_REG_ARM_CORE |
		      KVM_REG_ARM_CORE_REG(fp_regs.vregs[3]),
		.addr = (uintptr_t)quad,
	};
	const struct {
		uint64_t id;
		const char *name;
	} regs[] = {
		{ KT_CORE_REG(regs.regs[0]), "x0" },
		{ KT_CORE_REG(regs.regs[7]), "x7" },
		{ KT_CORE_REG(regs.regs[30]), "x30" },
		{ KT_CORE_REG(regs.sp), "SP_EL0" },
		{ KT_CORE_REG(regs.pc), "PC" },
		{ KT_CORE_REG(regs.pstate), "PSTATE" },
		{ KT_CORE_REG(sp_el1), "SP_EL1" },
		{ KT_CORE_REG(elr_el1), "ELR_EL1" },
		{ ARM64_SYS_REG(3, 0, 1, 0, 0), "SCTLR_EL1" },
		{ ARM64_SYS_REG(3, 0, 2, 0, 0), "TTBR0_EL1" },
		{ ARM64_SYS_REG(3, 0, 12, 0, 0), "VBAR_EL1" },
		{ ARM64_SYS_REG(3, 0, 13, 0, 4), "TPIDR_EL1" },
		{ ARM64_SYS_REG(3, 3, 13, 0, 2), "TPIDR_EL0" },
	};
	struct kt_result r;
	uint64_t v;
	size_t i;

	cpu->stop_at_progress = true;
	kt_call(cpu, CMD_REGS, SECRET, 0, 0, 0);
	cpu->stop_at_progress = false;
	for (i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
		v = 0;
		is_errno(kt_get_reg(cpu, regs[i].id, &v), EPERM, "KVM_GET_ONE_REG of %s",
			 regs[i].name);
		ok(v == 0, "and no value");
		is_errno(kt_set_reg(cpu, regs[i].id, 0x666), EPERM, "KVM_SET_ONE_REG of %s",
			 regs[i].name);
	}
	is_errno(ioctl(cpu->fd, KVM_GET_ONE_REG, &vreg) ? errno : 0, EPERM,
		 "KVM_GET_ONE_REG of v3");
	ok(all_zero(quad, 16), "and no value");
	ioctl(vm->fd, KVM_ARM_PREFERRED_TARGET, &init);
	init.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
	is_errno(ioctl(cpu->fd, KVM_ARM_VCPU_INIT, &init) ? errno : 0, EPERM, "KVM_ARM_VCPU_INIT");
	is_errno(ioctl(cpu->fd, KVM_SET_GUEST_DEBUG, &debug) ? errno : 0, EPERM,
		 "KVM_SET_GUEST_DEBUG");
	is_errno(ioctl(cpu->fd, KVM_GET_VCPU_EVENTS, &events) ? errno : 0, EPERM,
		 "KVM_GET_VCPU_EVENTS");
	events.exception.ext_dabt_pending = 1;
	is_errno(ioctl(cpu->fd, KVM_SET_VCPU_EVENTS, &events) ? errno : 0, EPERM,
		 "KVM_SET_VCPU_EVENTS");
	is_errno(ioctl(cpu->fd, KVM_GET_MP_STATE, &mp) ? errno : 0, EPERM, "KVM_GET_MP_STATE");
	is_errno(ioctl(cpu->fd, KVM_SET_MP_STATE, &mp) ? errno : 0, EPERM, "KVM_SET_MP_STATE");
	is_errno(ioctl(vm->fd, KVM_CREATE_VCPU, 2ul) < 0 ? errno : 0, EBUSY,
		 "KVM_CREATE_VCPU after the first run");
	r = kt_resume(cpu);
	ok(r.done && !r.r[0], "and after all of that the guest has its registers");
}

static bool has_share(struct kt_vcpu *cpu)
{
	return (kt_hvc(cpu, GUESTCALL_KVM_FEATURES, 0, 0, 0).r[0] & 0x1c) == 0x1c;
}

static int32_t guest_call(struct kt_vcpu *cpu, uint64_t fn, uint64_t a1, uint64_t a2)
{
	return (int32_t)kt_hvc(cpu, fn, a1, a2, 0).r[0];
}

static void test_share(struct kt_vm *vm)
{
	struct kt_vcpu *cpu = &vm->vcpu[0];
	uint8_t *page = hva(vm, GPA(2));

	if (!has_share(cpu)) {
		skip("the hypervisor does not offer it", "MEM_SHARE and MEM_UNSHARE");
		return;
	}
	is(guest_call(cpu, GUESTCALL_HYP_MEMINFO, 0, 0), 4096, "HYP_MEMINFO: 4 KiB");
	is(guest_call(cpu, GUESTCALL_HYP_MEMINFO, 1, 0), -3, "HYP_MEMINFO with an argument");
	is(guest_call(cpu, GUESTCALL_MEM_SHARE, GPA(2) + 8, 0), -3, "MEM_SHARE, unaligned");
	is(guest_call(cpu, GUESTCALL_MEM_SHARE, GPA(2), 1), -3, "MEM_SHARE with more arguments");
	is(guest_call(cpu, GUESTCALL_MEM_UNSHARE, GPA(2), 0), -3, "MEM_UNSHARE of a private page");
	is(guest_call(cpu, GUESTCALL_MEM_SHARE, GPA(2), 0), 0, "MEM_SHARE");
	is(guest_call(cpu, GUESTCALL_MEM_SHARE, GPA(2), 0), -3, "MEM_SHARE once more");
	is(kt_try_load(page, NULL), 0, "the host can read a shared page");
	is(leaked(page, KT_PAGE, GPA(2)), KT_PAGE / 8, "and sees what the guest wrote");
	is(kt_try_load(page + KT_PAGE, NULL), SIGSEGV, "but not the page behind it");
	is(kt_try_load(page - 1, NULL), SIGSEGV, "nor the one before");
	page[0] ^= 0xff;
	is_hex(kt_do(cpu, CMD_LOAD, GPA(2), 1, 0, 0), page[0], "the guest sees the host's store");
	page[0] ^= 0xff;
	is(guest_call(cpu, GUESTCALL_MEM_UNSHARE, GPA(2), 0), 0, "MEM_UNSHARE");
	is(kt_try_load(page, NULL), SIGSEGV, "after that the host cannot read it");
	is(guest_call(cpu, GUESTCALL_MEM_UNSHARE, GPA(2), 0), -3, "MEM_UNSHARE once more");
	ok(intact(vm), "the guest has its data");
	is(guest_call(cpu, GUESTCALL_MEM_SHARE, GPA(2), 0), 0, "MEM_SHARE until the end");
}

static void test_destroy(struct kt_vm *vm, bool shared)
{
	unsigned int i, bad = 0;

	memset(hva(vm, GPA(PAGES)), 0x77, KT_PAGE); /* never the guest's */
	kt_close_keep(vm);
	for (i = 0; i < PAGES; i++) {
		if (shared && i == 2)
			continue;
		if (kt_try_load(hva(vm, GPA(i)), NULL) || !all_zero(hva(vm, GPA(i)), KT_PAGE))
			bad++;
	}
	is(bad, 0, "after the VM is gone, all its pages are the host's again and zero");
	is(kt_try_load(hva(vm, GUEST_ENTRY), NULL), 0, "its code too");
	ok(all_zero(hva(vm, GUEST_ENTRY), KT_PAGE), "and zero");
	if (shared)
		is(leaked(hva(vm, GPA(2)), KT_PAGE, GPA(2)), KT_PAGE / 8,
		   "the page that was shared keeps its contents");
	is(hva(vm, GPA(PAGES))[99], 0x77, "a page that never was the guest's keeps its contents");
	is(kt_try_store(hva(vm, GPA(0)), 1, NULL), 0, "the host can use them");
	munmap(vm->mem, vm->size);
}

int main(void)
{
	struct kt_vm vm;
	bool shared;

	tap_begin(120);
	if (!kt_protected()) {
		skip("not a protected VM", "isolation");
		return tap_end();
	}
	create_secret(&vm);
	ok(intact(&vm), "the guest has written a secret");
	test_user_access(&vm);
	test_system_calls(&vm);
	test_fork(&vm);
	test_registers(&vm);
	test_share(&vm);
	shared = has_share(&vm.vcpu[0]);
	test_destroy(&vm, shared);
	test_wipe();
	return tap_end();
}
