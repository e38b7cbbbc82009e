// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report.h"
#include "target.h"

#define INSN_BRK  0xd4200000u /* brk #0 */
#define INSN_SVC  0xd4000001u /* svc #0 */
#define INSN_LDR  0xf9400020u /* ldr x0, [x1] */
#define INSN_STR  0xf9000020u /* str x0, [x1] */
#define SEIZE_OPT ((void *)(uintptr_t)PTRACE_O_TRACESYSGOOD)

static void ptrace_or_give_up(int request, pid_t tid, void *addr, void *data)
{
	if (ptrace(request, tid, addr, data))
		give_up("ptrace(%#x) of %d: %s", (unsigned int)request, tid, strerror(errno));
}

static void copy_mem(struct target *t, uint64_t address, void *data, size_t len, bool write)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", t->pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		give_up("%s: %s", path, strerror(errno));
	n = write ? pwrite(fd, data, len, (off_t)address) : pread(fd, data, len, (off_t)address);
	if (n != (ssize_t)len)
		give_up("%s at %#llx: %s", path, (unsigned long long)address, strerror(errno));
	close(fd);
}

void target_poke(struct target *t, uint64_t address, const void *data, size_t len)
{
	copy_mem(t, address, (void *)(uintptr_t)data, len, true);
}

void target_peek(struct target *t, uint64_t address, void *data, size_t len)
{
	copy_mem(t, address, data, len, false);
}

static uint64_t program_entry(pid_t pid)
{
	uint64_t pair[2] = { 0 };
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/auxv", pid);
	f = fopen(path, "re");
	if (!f)
		give_up("%s: %s", path, strerror(errno));
	while (fread(pair, sizeof(pair), 1, f) == 1 && pair[0] != AT_ENTRY)
		;
	fclose(f);
	if (pair[0] != AT_ENTRY)
		give_up("process %d has no entry", pid);
	return pair[1];
}

static void list_threads(struct target *t)
{
	struct dirent *e;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", t->pid);
	dir = opendir(path);
	if (!dir)
		give_up("%s: %s", path, strerror(errno));
	t->tid[t->nr_tids++] = t->pid;
	while ((e = readdir(dir))) {
		pid_t tid = atoi(e->d_name);

		if (!tid || tid == t->pid)
			continue;
		if (t->nr_tids == TARGET_MAX_THREADS)
			give_up("process %d has too many threads", t->pid);
		t->tid[t->nr_tids++] = tid;
	}
	closedir(dir);
}

void target_freeze(struct target *t, pid_t pid)
{
	unsigned int i;
	int status;

	*t = (struct target){ .pid = pid, .code = program_entry(pid) };
	list_threads(t);
	for (i = 0; i < t->nr_tids; i++)
		ptrace_or_give_up(PTRACE_SEIZE, t->tid[i], NULL, SEIZE_OPT);
	for (i = 0; i < t->nr_tids; i++)
		ptrace_or_give_up(PTRACE_INTERRUPT, t->tid[i], NULL, NULL);
	for (i = 0; i < t->nr_tids; i++)
		if (waitpid(t->tid[i], &status, __WALL) != t->tid[i] ||
		    status >> 16 != PTRACE_EVENT_STOP)
			give_up("thread %d does not stop", t->tid[i]);
}

void target_thaw(struct target *t)
{
	unsigned int i;

	for (i = 0; i < t->nr_tids; i++)
		if (t->tid[i])
			ptrace(PTRACE_DETACH, t->tid[i], NULL, NULL);
}

static struct user_regs_struct get_regs(struct target *t)
{
	struct user_regs_struct regs;
	struct iovec iov = { &regs, sizeof(regs) };

	ptrace_or_give_up(PTRACE_GETREGSET, t->pid, (void *)NT_PRSTATUS, &iov);
	return regs;
}

static void set_regs(struct target *t, struct user_regs_struct *regs)
{
	struct iovec iov = { regs, sizeof(*regs) };

	ptrace_or_give_up(PTRACE_SETREGSET, t->pid, (void *)NT_PRSTATUS, &iov);
}

uint64_t target_scratch(struct target *t)
{
	return (get_regs(t).sp - 1024) & ~15ull;
}

/* Execute code, which ends in INSN_BRK, with x[] in x0-x5 and x8 = nr. */
static struct target_result inject(struct target *t, const uint32_t *code, size_t size,
				   const uint64_t x[6], long nr)
{
	struct user_regs_struct saved = get_regs(t), regs = saved;
	struct target_result r = { 0 };
	siginfo_t info;
	int status;

	target_poke(t, t->code, code, size);
	memcpy(regs.regs, x, 6 * sizeof(x[0]));
	regs.regs[8] = (uint64_t)nr;
	regs.pc = t->code;
	set_regs(t, &regs);
	ptrace_or_give_up(PTRACE_CONT, t->pid, NULL, NULL);
	if (waitpid(t->pid, &status, __WALL) != t->pid || !WIFSTOPPED(status))
		give_up("the process %d has gone (%#x)", t->pid, (unsigned int)status);
	ptrace_or_give_up(PTRACE_GETSIGINFO, t->pid, NULL, &info);
	regs = get_regs(t);
	memcpy(r.x, regs.regs, sizeof(r.x));
	if (WSTOPSIG(status) != SIGTRAP || regs.pc != t->code + size - sizeof(*code)) {
		r.signal = WSTOPSIG(status);
		r.address = (uintptr_t)info.si_addr;
	}
	/* The signal ends here: it is not delivered. */
	set_regs(t, &saved);
	return r;
}

struct target_result target_load(struct target *t, uint64_t address)
{
	static const uint32_t code[] = { INSN_LDR, INSN_BRK };

	return inject(t, code, sizeof(code), (uint64_t[6]){ 0, address }, 0);
}

struct target_result target_store(struct target *t, uint64_t address, uint64_t val)
{
	static const uint32_t code[] = { INSN_STR, INSN_BRK };

	return inject(t, code, sizeof(code), (uint64_t[6]){ val, address }, 0);
}

int64_t target_syscall(struct target *t, long nr, uint64_t a0, uint64_t a1, uint64_t a2,
		       uint64_t a3, uint64_t a4, uint64_t a5)
{
	static const uint32_t code[] = { INSN_SVC, INSN_BRK };
	const uint64_t x[6] = { a0, a1, a2, a3, a4, a5 };
	struct target_result r = inject(t, code, sizeof(code), x, nr);

	if (r.signal)
		give_up("system call %ld ended with signal %d", nr, r.signal);
	return (int64_t)r.x[0];
}

void target_write_each(struct target *t, int fd, uint64_t *inout, size_t nr)
{
	static const uint32_t code[] = {
		0xaa0503e0,		/* next: mov x0, x5 */
		0xf9400061,		/* ldr x1, [x3] */
		0x52800022,		/* mov w2, #1 */
		INSN_SVC,   0xf8008460, /* str x0, [x3], #8 */
		0xf1000484,		/* subs x4, x4, #1 */
		0x54ffff41,		/* b.ne next */
		INSN_BRK,
	};
	size_t size = nr * sizeof(*inout);
	uint64_t table = (uint64_t)target_syscall(t, SYS_mmap, 0, size, PROT_READ | PROT_WRITE,
						  MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0);
	const uint64_t x[6] = { 0, 0, 0, table, nr, (uint64_t)fd };
	struct target_result r;

	target_poke(t, table, inout, size);
	r = inject(t, code, sizeof(code), x, SYS_write);
	if (r.signal)
		give_up("write(2) many times: signal %d", r.signal);
	target_peek(t, table, inout, size);
	target_syscall(t, SYS_munmap, table, size, 0, 0, 0, 0);
}

static void forget(struct target *t, pid_t tid)
{
	unsigned int i;

	for (i = 0; i < t->nr_tids; i++)
		if (t->tid[i] == tid)
			t->tid[i] = 0;
}

static void resume(pid_t tid, int sig)
{
	ptrace(PTRACE_SYSCALL, tid, NULL, (void *)(uintptr_t)sig);
}

/* Returns true if the thread is to stay as it is. */
static bool traced(struct target *t, pid_t tid, int status, target_stop_fn *stop, void *ctx)
{
	struct ptrace_syscall_info info;

	if (!WIFSTOPPED(status)) {
		forget(t, tid);
		return false;
	}
	if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
		if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, (void *)sizeof(info), &info) > 0 &&
		    stop(tid, &info, ctx))
			return true;
		resume(tid, 0);
	} else {
		resume(tid, status >> 16 ? 0 : WSTOPSIG(status));
	}
	return false;
}

static void ring(int sig)
{
	(void)sig; /* only there to interrupt waitpid */
}

bool target_trace(struct target *t, target_stop_fn *stop, void *ctx, unsigned int seconds)
{
	struct sigaction sa = { .sa_handler = ring };
	unsigned int i;
	int status;

	sigaction(SIGALRM, &sa, NULL);
	alarm(seconds);
	for (i = 0; i < t->nr_tids; i++)
		if (t->tid[i] && (!t->held || t->held == t->tid[i]))
			resume(t->tid[i], 0);
	t->held = 0;
	while (t->tid[0]) {
		pid_t tid = waitpid(-1, &status, __WALL);

		if (tid < 0)
			break;
		if (traced(t, tid, status, stop, ctx)) {
			t->held = tid;
			break;
		}
	}
	alarm(0);
	return t->held;
}
