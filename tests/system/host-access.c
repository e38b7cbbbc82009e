// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host touches what it has lost, in all the ways in which a program or its kernel can: each kind
 * of instruction in 64-bit and in 32-bit programs, futexes, the kernel's reads over the end of a page,
 * /proc/kcore. What each is to get is in hyp/host/abort.c.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <setjmp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "access32.h"
#include "hostile.h"
#include "kvmtest.h"
#include "tap.h"

#define SEED   0x5ec4e75ec4e7ull
#define PAGES  40u
#define GPA(n) (GUEST_FREE + (n)*KT_PAGE)
/* What the programs try: neighbours stay the host's. */
#define LOST	     8u
#define HWCAP_LSE    (1ul << 8)
#define HWCAP_DCPOP_ (1ul << 16)

static uint8_t *hva(struct kt_vm *vm, unsigned int page)
{
	return vm->mem + (GPA(page) - GUEST_RAM);
}

/* A VM on a memfd, which has page LOST and those from LOST + 2 on. */
static void create(struct kt_vm *vm, int *fd)
{
	uint8_t *mem;

	*fd = memfd_create("guest", 0);
	if (*fd < 0 || ftruncate(*fd, ACCESS32_SIZE))
		bail("memfd: %s", strerror(errno));
	mem = mmap(NULL, ACCESS32_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED, *fd, 0);
	if (mem == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	kt_create(vm, &(struct kt_config){ .size = ACCESS32_SIZE, .mem = mem });
	kt_do(&vm->vcpu[0], CMD_FILL, GPA(LOST), KT_PAGE, SEED, 0);
	kt_do(&vm->vcpu[0], CMD_FILL, GPA(LOST + 2), (PAGES - LOST - 2) * KT_PAGE, SEED, 0);
}

static bool intact(struct kt_vm *vm, unsigned int page)
{
	struct kt_result r = kt_call(&vm->vcpu[0], CMD_CHECK, GPA(page), KT_PAGE, SEED, 0);

	return r.done && !r.r[0];
}

#define ACCESS(name, insn)                                                                       \
	static void name(uint8_t *p)                                                             \
	{                                                                                        \
		register uint8_t *x0 asm("x0") = p;                                              \
                                                                                                 \
		asm volatile(".arch armv8.2-a+lse\n" insn                                        \
			     : "+r"(x0)                                                          \
			     :                                                                   \
			     : "x2", "x3", "x4", "x5", "x30", "v0", "v1", "v2", "v3", "memory"); \
	}

ACCESS(ldrb, "ldrb w2, [x0]")
ACCESS(ldrh, "ldrh w2, [x0]")
ACCESS(ldrw, "ldr w2, [x0]")
ACCESS(ldrx, "ldr x2, [x0]")
ACCESS(ldrpost, "ldr x2, [x0], #8")
ACCESS(ldp, "ldp x2, x3, [x0]")
ACCESS(ldar, "ldar x2, [x0]")
ACCESS(ldxr, "ldxr x2, [x0]\nclrex")
ACCESS(ldaxp, "ldaxp x2, x3, [x0]\nclrex")
ACCESS(ldrq, "ldr q0, [x0]")
ACCESS(ldpq, "ldp q0, q1, [x0]")
ACCESS(ld1, "ld1 {v0.16b-v3.16b}, [x0]")
ACCESS(strb, "strb w2, [x0]")
ACCESS(strh, "strh w2, [x0]")
ACCESS(strw, "str w2, [x0]")
ACCESS(strx, "str x2, [x0]")
ACCESS(stp, "stp x2, x3, [x0]")
ACCESS(stlr, "stlr x2, [x0]")
ACCESS(strq, "str q0, [x0]")
ACCESS(stpq, "stp q0, q1, [x0]")
ACCESS(st1, "st1 {v0.16b-v3.16b}, [x0]")
ACCESS(ldadd, "ldadd x2, x3, [x0]")
ACCESS(swp, "swpal x2, x3, [x0]")
ACCESS(cas, "cas x2, x3, [x0]")
ACCESS(casp, "casp x2, x3, x4, x5, [x0]")
ACCESS(zva, "dc zva, x0")
ACCESS(cvac, "dc cvac, x0")
ACCESS(cvau, "dc cvau, x0")
ACCESS(civac, "dc civac, x0")
ACCESS(cvap, "dc cvap, x0")
ACCESS(ivau, "ic ivau, x0")
ACCESS(prfm, "prfm pldl1keep, [x0]")
ACCESS(jump, "blr x0")

#define IN    (-4)		 /* begins on the page before */
#define OUT   ((int)KT_PAGE - 4) /* ends on the page behind */
#define MAINT 1			 /* QEMU has no caches, and does nothing */
#define HINT  2

static const struct {
	const char *name;
	void (*access)(uint8_t *p);
	int offset;
	unsigned int kind;
	unsigned long hwcap;
} accesses[] = {
	{ "LDRB", ldrb, 1, 0, 0 },
	{ "LDRH", ldrh, 2, 0, 0 },
	{ "LDR of 4 bytes", ldrw, 4, 0, 0 },
	{ "LDR of 8 bytes", ldrx, 8, 0, 0 },
	{ "LDR with writeback", ldrpost, 16, 0, 0 },
	{ "LDR, unaligned", ldrx, 33, 0, 0 },
	{ "LDR, into the page", ldrx, IN, 0, 0 },
	{ "LDR, out of it", ldrx, OUT, 0, 0 },
	{ "LDP", ldp, 16, 0, 0 },
	{ "LDAR", ldar, 24, 0, 0 },
	{ "LDXR", ldxr, 32, 0, 0 },
	{ "LDAXP", ldaxp, 32, 0, 0 },
	{ "LDR of 16 bytes", ldrq, 48, 0, 0 },
	{ "LDR of 16 bytes, unaligned", ldrq, 49, 0, 0 },
	{ "LDR of 16 bytes, into the page", ldrq, IN, 0, 0 },
	{ "LDP of 32 bytes", ldpq, 64, 0, 0 },
	{ "LD1 of 64 bytes", ld1, 128, 0, 0 },
	{ "STRB", strb, KT_PAGE - 1, 0, 0 },
	{ "STRH", strh, 6, 0, 0 },
	{ "STR of 4 bytes", strw, 12, 0, 0 },
	{ "STR of 8 bytes", strx, 0, 0, 0 },
	{ "STR, unaligned", strx, 41, 0, 0 },
	{ "STR, into the page", strx, IN, 0, 0 },
	{ "STR, out of it", strx, OUT, 0, 0 },
	{ "STP", stp, 16, 0, 0 },
	{ "STLR", stlr, 24, 0, 0 },
	{ "STR of 16 bytes", strq, 16, 0, 0 },
	{ "STR of 16 bytes, unaligned", strq, 17, 0, 0 },
	{ "STP of 32 bytes", stpq, 64, 0, 0 },
	{ "ST1 of 64 bytes", st1, 64, 0, 0 },
	{ "LDADD", ldadd, 8, 0, HWCAP_LSE },
	{ "SWPAL", swp, 16, 0, HWCAP_LSE },
	{ "CAS", cas, 24, 0, HWCAP_LSE },
	{ "CASP", casp, 32, 0, HWCAP_LSE },
	{ "DC ZVA", zva, 256, 0, 0 },
	{ "DC CVAC", cvac, 64, MAINT, 0 },
	{ "DC CVAU", cvau, 64, MAINT, 0 },
	{ "DC CIVAC", civac, 64, MAINT, 0 },
	{ "DC CVAP", cvap, 64, MAINT, HWCAP_DCPOP_ },
	{ "IC IVAU", ivau, 64, MAINT, 0 },
	{ "PRFM", prfm, 64, HINT, 0 },
	{ "a jump there", jump, 0, 0, 0 },
};

static sigjmp_buf back;
static void *volatile fault_addr;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)context;
	fault_addr = info->si_addr;
	siglongjmp(back, sig);
}

static int try_access(void (*access)(uint8_t *p), uint8_t *p)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO }, segv, bus, ill;
	int sig;

	sigaction(SIGSEGV, &sa, &segv);
	sigaction(SIGBUS, &sa, &bus);
	sigaction(SIGILL, &sa, &ill);
	fault_addr = NULL;
	sig = sigsetjmp(back, 1);
	if (!sig)
		access(p);
	sigaction(SIGSEGV, &segv, NULL);
	sigaction(SIGBUS, &bus, NULL);
	sigaction(SIGILL, &ill, NULL);
	return sig;
}

/* Guards touched_lost_page() for EL0, and host_inject_fault(). */
static void test_program(struct kt_vm *vm)
{
	uint8_t *page = hva(vm, LOST);
	size_t i;

	for (i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++) {
		uint8_t *p = page + accesses[i].offset;
		int sig;

		if (accesses[i].hwcap && !(getauxval(AT_HWCAP) & accesses[i].hwcap)) {
			skip("the CPU does not have it", "%s", accesses[i].name);
			continue;
		}
		sig = try_access(accesses[i].access, p);
		if (accesses[i].kind == HINT) {
			is(sig, 0, "%s is a hint", accesses[i].name);
		} else if (accesses[i].kind == MAINT && !sig && kt_on_qemu()) {
			skip("does nothing in QEMU", "%s", accesses[i].name);
		} else {
			is(sig, SIGSEGV, "%s is SIGSEGV", accesses[i].name);
			is((uint8_t *)fault_addr - page, p < page ? 0 : p - page,
			   "and si_addr is right");
		}
	}
	ok(intact(vm, LOST), "the guest has its data");
}

/* Guards the same, for AArch32. */
static void test_program32(struct kt_vm *vm, int memfd)
{
	struct access32 r;
	unsigned int n = 0;
	int out[2], status;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC))
		bail("pipe: %s", strerror(errno));
	pid = fork();
	if (!pid) {
		dup2(memfd, ACCESS32_FD);
		dup2(out[1], STDOUT_FILENO);
		execl("/t/access32", "access32", NULL);
		_exit(errno == ENOEXEC ? 77 : 1);
	}
	close(out[1]);
	for (; read(out[0], &r, sizeof(r)) == sizeof(r); n++) {
		r.name[sizeof(r.name) - 1] = '\0';
		if (r.signal == SIGILL) {
			skip("the CPU does not have it", "32-bit %s", r.name);
			continue;
		}
		is(r.signal, SIGSEGV, "32-bit %s is SIGSEGV", r.name);
		is(r.fault, r.touched, "and si_addr is right");
	}
	close(out[0]);
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		skip("no AArch32 on this CPU or kernel", "32-bit programs");
		return;
	}
	ok(n > 0 && WIFEXITED(status) && !WEXITSTATUS(status), "a 32-bit program, %u accesses", n);
	ok(intact(vm, LOST), "the guest has its data");
}

static long futex(void *uaddr, int op, uint32_t val, void *timeout, void *uaddr2, uint32_t val3)
{
	return syscall(SYS_futex, uaddr, op, val, timeout, uaddr2, val3);
}

static uint32_t word; /* of the host's own */

static void wake_op(uint8_t *page)
{
	futex(&word, FUTEX_WAKE_OP, 1, NULL, page, FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 0));
}

static void lock_pi(uint8_t *page)
{
	struct timespec t = { .tv_sec = 1 };

	futex(page, FUTEX_LOCK_PI, 0, &t, NULL, 0);
}

static void trylock_pi(uint8_t *page)
{
	futex(page, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0);
}

static void unlock_pi(uint8_t *page)
{
	futex(page, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
}

static void wait_bitset(uint8_t *page)
{
	struct timespec t = { .tv_nsec = 1000000 };

	futex(page, FUTEX_WAIT_BITSET, 0, &t, NULL, FUTEX_BITSET_MATCH_ANY);
}

static void cmp_requeue(uint8_t *page)
{
	futex(page, FUTEX_CMP_REQUEUE, 1, (void *)1, &word, 0);
}

static void requeue_pi(uint8_t *page)
{
	futex(&word, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, page, 0);
}

static void wait_requeue_pi(uint8_t *page)
{
	struct timespec t = { .tv_sec = 1 };

	futex(page, FUTEX_WAIT_REQUEUE_PI, 0, &t, &word, 0);
}

/* The kernel goes through the list at the thread's exit. */
static void robust_entry(uint8_t *page)
{
	static struct robust_list_head head;

	head.list.next = (struct robust_list *)page;
	syscall(SYS_set_robust_list, &head, sizeof(head));
}

static void robust_word(uint8_t *page)
{
	static struct robust_list_head head;
	static struct robust_list entry;

	entry.next = &head.list;
	head.list.next = &entry;
	head.list_op_pending = &entry;
	head.futex_offset = page - (uint8_t *)&entry;
	syscall(SYS_set_robust_list, &head, sizeof(head));
}

static void robust_head(uint8_t *page)
{
	syscall(SYS_set_robust_list, page, sizeof(struct robust_list_head));
}

static void *die_with_tid(void *page)
{
	syscall(SYS_set_tid_address, page);
	syscall(SYS_exit, 0);
	return NULL;
}

/* Written, and woken, when a thread that shares its memory exits. */
static void clear_tid(uint8_t *page)
{
	pthread_t thread;

	pthread_create(&thread, NULL, die_with_tid, page);
	usleep(100000);
}

/* Written at each return to user space after the thread has moved. */
static void restartable(uint8_t *page)
{
	int i;

	if (__rseq_size)
		syscall(SYS_rseq, (char *)__builtin_thread_pointer() + __rseq_offset, 32,
			RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
	syscall(SYS_rseq, page, 32, 0, RSEQ_SIG);
	for (i = 0; i < 10; i++)
		sched_yield();
}

/* Does the child end within so many seconds? */
static bool ends(pid_t pid, int seconds)
{
	int i, status;

	for (i = 0; i < seconds * 100; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return true;
		usleep(10000);
	}
	return false;
}

/*
 * By a child, so that it can be seen to end. Guards is_atomic() and is_repeated() in hyp/host/abort.c:
 * futex code tries again after each EFAULT, for ever.
 */
static void test_futex(struct kt_vm *vm)
{
	static const struct {
		void (*call)(uint8_t *page);
		const char *name;
	} calls[] = {
		{ wake_op, "FUTEX_WAKE_OP" },
		{ lock_pi, "FUTEX_LOCK_PI" },
		{ trylock_pi, "FUTEX_TRYLOCK_PI" },
		{ unlock_pi, "FUTEX_UNLOCK_PI" },
		{ wait_bitset, "FUTEX_WAIT_BITSET" },
		{ cmp_requeue, "FUTEX_CMP_REQUEUE" },
		{ requeue_pi, "FUTEX_CMP_REQUEUE_PI" },
		{ wait_requeue_pi, "FUTEX_WAIT_REQUEUE_PI" },
		{ robust_entry, "an exit, an entry of the robust list" },
		{ robust_word, "an exit, a word named by the robust list" },
		{ robust_head, "an exit, the head of the robust list" },
		{ clear_tid, "a thread's exit, its clear_child_tid" },
		{ restartable, "the rseq area" },
	};
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		unsigned int n = LOST + 2 + 2 * (unsigned int)i;
		uint8_t *page = hva(vm, n);
		pid_t pid = fork();

		if (!pid) {
			calls[i].call(page);
			_exit(0);
		}
		if (!ok(ends(pid, 20), "%s on a guest's page comes to an end", calls[i].name)) {
			kill(pid, SIGKILL);
			if (!ends(pid, 5))
				bail("and SIGKILL cannot end it");
		}
		if (kt_try_load(page, NULL) == SIGSEGV) {
			ok(intact(vm, n), "and the guest has its data");
		} else {
			uint64_t secret;

			memcpy(&secret, page + 2048, 8);
			is_hex(secret, 0, "and the page was wiped before");
		}
		ok(intact(vm, n + 1), "and the page behind it");
	}
}

/*
 * The kernel reads strings by words, over the end of their page, and has a fix-up for when there is
 * nothing behind it. Guards is_overrun() in hyp/host/abort.c.
 */
static void test_zeropad(void)
{
	uint8_t *mem = kt_alloc(KT_2M), *page = mem + 8 * KT_PAGE;
	struct kt_vm vm;
	unsigned int before;
	uint64_t frame;

	/* Physically contiguous; at a guest address where it is not donated as a block. */
	madvise(mem, KT_2M, MADV_HUGEPAGE);
	memset(mem, 0xa5, KT_2M);
	kt_create(&vm, &(struct kt_config){ 0 });
	if (kt_add_slot(&vm, 1, 0, 0x48000000, 16 * KT_PAGE, page))
		bail("a slot is refused");
	kt_do(&vm.vcpu[0], CMD_FILL, 0x48000000, KT_PAGE, SEED, 0);
	frame = frame_of(page);
	if (!frame || frame_of(page - KT_PAGE) != frame - 1) {
		skip("no huge page was to be had", "loads over the end of a page");
		goto out;
	}
	is(kt_try_load(page, NULL), SIGSEGV, "a page that the guest has");
	is(kt_try_load(page - 1, NULL), 0, "behind one that it has not");
	for (before = 1; before < 8; before++) {
		uint64_t want = 0xa5a5a5a5a5a5a5a5ull >> (64 - 8 * before);

		is_errno(attack("zeropad %llx %u", (unsigned long long)frame, before), 0,
			 "the kernel loads 8 bytes, %u of them before the guest's page", before);
		is_hex((uint64_t)got("value"), want, "and gets zeroes for the others");
	}
	is(kt_try_load(page, NULL), SIGSEGV, "the guest still has the page");
	is((int64_t)kt_do(&vm.vcpu[0], CMD_CHECK, 0x48000000, KT_PAGE, SEED, 0), 0, "and its data");
out:
	kt_close(&vm);
	munmap(mem, KT_2M);
}

/*
 * Where /proc/kcore has physical memory, 0: nowhere. The largest segment: what was the kernel's init
 * section is in that of its image too, and not mapped there any more.
 */
static off_t kcore_offset(int fd, uint64_t pa)
{
	uint64_t largest = 0;
	off_t found = 0;
	Elf64_Ehdr head;
	Elf64_Phdr seg;
	int i;

	if (pread(fd, &head, sizeof(head), 0) != sizeof(head))
		return 0;
	for (i = 0; i < head.e_phnum; i++) {
		off_t at = (off_t)(head.e_phoff + (uint64_t)i * sizeof(seg));

		if (pread(fd, &seg, sizeof(seg), at) != sizeof(seg))
			return 0;
		if (seg.p_type == PT_LOAD && pa >= seg.p_paddr && pa - seg.p_paddr < seg.p_memsz &&
		    seg.p_memsz > largest) {
			largest = seg.p_memsz;
			found = (off_t)(seg.p_offset + pa - seg.p_paddr);
		}
	}
	return found;
}

static ssize_t kcore_read(int fd, uint64_t frame, uint8_t *buf)
{
	off_t at = kcore_offset(fd, frame * KT_PAGE);

	memset(buf, 0, KT_PAGE);
	return at ? pread(fd, buf, KT_PAGE, at) : -1;
}

static size_t nonzero(const uint8_t *buf)
{
	size_t i, n = 0;

	for (i = 0; i < KT_PAGE; i++)
		n += buf[i] != 0;
	return n;
}

/* Guards touched_lost_page() for the hypervisor's pages. Before there is any VM. */
static void test_hyp_pages(int kcore)
{
	uint8_t *own = kt_alloc(KT_2M), buf[KT_PAGE];
	uint64_t frame = 0;
	unsigned int i;

	memset(own, 0x3c, KT_PAGE);
	is(kcore_read(kcore, frame_of(own), buf), KT_PAGE, "/proc/kcore has the host's memory");
	ok(!memcmp(buf, own, KT_PAGE), "with its contents");
	is_errno(attack("find-hyp"), 0, "pages of the hypervisor");
	for (i = 0; i < 3; i++) {
		char name[] = { 'f', 'r', 'a', 'm', 'e', (char)('0' + i), '\0' };
		ssize_t n;

		frame = (uint64_t)got(name);
		n = kcore_read(kcore, frame, buf);
		ok(n < 0 || !nonzero(buf), "/proc/kcore: %s",
		   n < 0 ? "an error" : "zeroes for an error");
	}
	ok(kt_sysfs("pages_held") > 0, "the host lives, and the hypervisor");

	log_begin();
	is_errno(attack("peek %llx", (unsigned long long)frame), 0,
		 "a kernel thread loads from such a page");
	is(got("read"), 0, "and gets nothing");
	is(log_count("Internal error: "), 1, "but an oops");
	ok(kt_sysfs("pages_held") > 0, "the host lives, and the hypervisor");
	munmap(own, KT_2M);
}

static void test_kcore_guest(struct kt_vm *vm, int kcore)
{
	uint8_t buf[KT_PAGE];
	uint64_t frame;

	/* The page table entry is there even if the page is not. */
	frame = frame_of(hva(vm, LOST));
	ok(frame != 0, "the frame of a guest's page is known");
	kcore_read(kcore, frame, buf);
	is((int64_t)nonzero(buf), 0, "/proc/kcore shows nothing of it");
	ok(intact(vm, LOST + 3), "the guest's other pages are unharmed");
	is_errno(kt_call(&vm->vcpu[0], CMD_LOAD, GPA(LOST), 8, 0, 0).err, EFAULT,
		 "its use of this one makes KVM_RUN say EFAULT");
}

int main(void)
{
	struct kt_vm vm;
	int memfd, kcore;

	tap_begin(180);
	if (!kt_protected()) {
		skip("not a protected VM", "what the host has lost");
		return tap_end();
	}
	hostile_load();
	kcore = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
	if (kcore < 0)
		skip("the kernel has none", "/proc/kcore");
	else
		test_hyp_pages(kcore);
	create(&vm, &memfd);
	test_program(&vm);
	test_program32(&vm, memfd);
	test_futex(&vm);
	if (kcore >= 0)
		test_kcore_guest(&vm, kcore);
	kt_close(&vm);
	test_zeropad();
	return tap_end();
}
