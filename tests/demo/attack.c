// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <unistd.h>

#include "attack.h"
#include "peek/peek.h"
#include "report.h"

#define LOOT	  "/tmp/loot"
#define MAX_VCPUS 8

#define CORE_X(n)                                              \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
	 (KVM_REG_ARM_CORE_REG(regs.regs[0]) + (n) * sizeof(uint64_t) / 4))
#define CORE_V(n)                                               \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U128 | KVM_REG_ARM_CORE | \
	 (KVM_REG_ARM_CORE_REG(fp_regs.vregs[0]) + (n)*16ul / 4))

static bool has_secret(const void *data, size_t len)
{
	static struct secret_words words;
	uint64_t word;
	size_t i;

	if (!words.first[secret_scrambled[0][0]])
		secret_words_init(&words);
	for (i = 0; i + 8 <= len; i++) {
		memcpy(&word, (const uint8_t *)data + i, 8);
		if (secret_of(&words, word) != SECRET_NONE)
			return true;
	}
	return false;
}

static bool all_zero(const void *data, size_t len)
{
	const uint8_t *p = data;

	return !len || (!p[0] && !memcmp(p, p + 1, len - 1));
}

static const char *error_name(int err)
{
	const char *name = strerrorname_np(err);

	return name ? name : "an error";
}

static struct outcome failed_with(int err)
{
	struct outcome o = { .refused = true };

	snprintf(o.text, sizeof(o.text), "%s", error_name(err));
	return o;
}

static struct outcome signalled(const struct target_result *r, uint64_t address)
{
	struct outcome o = { .refused = r->signal == SIGSEGV && r->address == address };

	snprintf(o.text, sizeof(o.text), "%s at %#llx",
		 r->signal == SIGSEGV ? "SIGSEGV" : strsignal(r->signal),
		 (unsigned long long)r->address);
	return o;
}

/* len: as a system call returns it; err: its errno */
static struct outcome got(const void *data, ssize_t len, int err)
{
	struct outcome o = { 0 };

	if (len < 0)
		return failed_with(err);
	o.got_it = has_secret(data, (size_t)len);
	o.refused = all_zero(data, (size_t)len);
	snprintf(o.text, sizeof(o.text), o.refused ? "%zd zeroes" : "%zd bytes, no secret", len);
	if (o.got_it)
		snprintf(o.text, sizeof(o.text), "the secret");
	return o;
}

struct outcome attack_load(struct target *t, uint64_t address)
{
	struct target_result r = target_load(t, address);

	return r.signal ? signalled(&r, address) : got(&r.x[0], sizeof(r.x[0]), 0);
}

struct outcome attack_store(struct target *t, uint64_t address)
{
	const uint64_t ours = 0x6b6361747461;
	struct target_result before = target_load(t, address);
	struct target_result r = target_store(t, address, ours), after;
	struct outcome o = { 0 };

	if (r.signal)
		return signalled(&r, address);
	after = target_load(t, address);
	o.got_it = !after.signal && after.x[0] == ours;
	snprintf(o.text, sizeof(o.text), o.got_it ? "overwritten" : "not refused");
	if (o.got_it && !before.signal)
		target_store(t, address, before.x[0]);
	return o;
}

/* The target opens a file for us, by its own system calls. */
static int open_loot(struct target *t)
{
	uint64_t path = target_scratch(t);
	int64_t fd;

	target_poke(t, path, LOOT, sizeof(LOOT));
	fd = target_syscall(t, SYS_openat, (uint64_t)AT_FDCWD, path, O_RDWR | O_CREAT | O_TRUNC,
			    0600, 0, 0);
	if (fd < 0)
		give_up(LOOT ": %s", strerror((int)-fd));
	return (int)fd;
}

static void close_loot(struct target *t, int fd)
{
	target_syscall(t, SYS_close, (uint64_t)fd, 0, 0, 0, 0, 0);
	unlink(LOOT);
}

struct outcome attack_write(struct target *t, uint64_t address)
{
	static uint8_t buf[PAGE];
	int there = open_loot(t), here = open(LOOT, O_RDONLY | O_CLOEXEC);
	int64_t ret = target_syscall(t, SYS_write, (uint64_t)there, address, PAGE, 0, 0, 0);
	ssize_t len = read(here, buf, sizeof(buf));

	close(here);
	close_loot(t, there);
	if (ret < 0 && len == 0)
		return failed_with((int)-ret);
	return got(buf, len, errno);
}

struct outcome attack_registers_ptrace(struct target *t)
{
	uint8_t all[TARGET_MAX_THREADS]
		   [sizeof(struct user_regs_struct) + sizeof(struct user_fpsimd_struct)] = { 0 };
	unsigned int i;

	for (i = 0; i < t->nr_tids; i++) {
		struct iovec x = { all[i], sizeof(struct user_regs_struct) };
		struct iovec v = { all[i] + sizeof(struct user_regs_struct),
				   sizeof(struct user_fpsimd_struct) };

		if (ptrace(PTRACE_GETREGSET, t->tid[i], NT_PRSTATUS, &x) ||
		    ptrace(PTRACE_GETREGSET, t->tid[i], NT_PRFPREG, &v))
			return failed_with(errno);
	}
	return got(all, sizeof(all), 0);
}

static unsigned int find_vcpus(pid_t pid, int *fds)
{
	char path[64], link[64];
	unsigned int nr = 0;
	int fd;

	for (fd = 0; fd < 256 && nr < MAX_VCPUS; fd++) {
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
		len = readlink(path, link, sizeof(link) - 1);
		if (len < 0)
			continue;
		link[len] = '\0';
		if (strstr(link, "kvm-vcpu"))
			fds[nr++] = fd;
	}
	return nr;
}

static int64_t get_one_reg(struct target *t, int fd, uint64_t id, uint8_t val[16])
{
	uint64_t at = target_scratch(t);
	struct {
		struct kvm_one_reg reg;
		uint8_t val[16];
	} mem = { .reg = { .id = id, .addr = at + sizeof(mem.reg) } };
	int64_t ret;

	target_poke(t, at, &mem, sizeof(mem));
	ret = target_syscall(t, SYS_ioctl, (uint64_t)fd, KVM_GET_ONE_REG, at, 0, 0, 0);
	target_peek(t, at, &mem, sizeof(mem));
	memcpy(val, mem.val, 16);
	return ret;
}

struct outcome attack_registers_kvm(struct target *t)
{
	static uint8_t vals[MAX_VCPUS * 63][16];
	unsigned int nr, i, reg, asked = 0, refused = 0;
	struct outcome o = { 0 };
	int fds[MAX_VCPUS];
	int64_t ret = 0;

	nr = find_vcpus(t->pid, fds);
	for (i = 0; i < nr; i++) {
		for (reg = 0; reg < 63; reg++) {
			int64_t r = get_one_reg(t, fds[i],
						reg < 31 ? CORE_X(reg) : CORE_V(reg - 31),
						vals[asked++]);

			ret = r < 0 ? r : ret;
			refused += r < 0;
		}
	}
	o.got_it = has_secret(vals, sizeof(vals));
	o.refused = asked && refused == asked && all_zero(vals, sizeof(vals));
	snprintf(o.text, sizeof(o.text), "%s%s for %u of %u", o.got_it ? "the secret, " : "",
		 ret ? error_name((int)-ret) : "no error", refused, asked);
	return o;
}

struct outcome attack_proc_mem(struct target *t, uint64_t address)
{
	static uint8_t buf[PAGE];
	char path[64];
	ssize_t len;
	int fd, err;

	snprintf(path, sizeof(path), "/proc/%d/mem", t->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return failed_with(errno);
	len = pread(fd, buf, sizeof(buf), (off_t)address);
	err = errno;
	close(fd);
	return got(buf, len, err);
}

struct outcome attack_process_vm(struct target *t, uint64_t address)
{
	static uint8_t buf[PAGE];
	struct iovec local = { buf, PAGE }, remote = { (void *)(uintptr_t)address, PAGE };
	ssize_t len = process_vm_readv(t->pid, &local, 1, &remote, 1, 0);

	return got(buf, len, errno);
}

/* The kernel module */

static int peek_fd(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/dev/peek", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		give_up("/dev/peek: %s", strerror(errno));
	return fd;
}

static int peek(uint64_t pfn, uint8_t *buf)
{
	struct peek_read r = { .pfn = pfn, .buf = (uintptr_t)buf };

	return ioctl(peek_fd(), PEEK_READ, &r) ? errno : 0;
}

void frames_of(pid_t pid, uint64_t address, size_t nr, uint64_t *pfns)
{
	char path[64];
	size_t i;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, pfns, nr * 8, (off_t)(address / PAGE * 8)) != (ssize_t)(nr * 8))
		give_up("%s: %s", path, strerror(errno));
	close(fd);
	for (i = 0; i < nr; i++)
		pfns[i] = pfns[i] >> 63 ? pfns[i] & ((1ull << 55) - 1) : 0;
}

struct outcome attack_module(struct target *t, uint64_t address)
{
	static uint8_t buf[PAGE];
	uint64_t pfn;
	int err;

	frames_of(t->pid, address, 1, &pfn);
	err = peek(pfn, buf);
	return got(buf, err ? -1 : (ssize_t)PAGE, err);
}

size_t keep_lost_frames(struct target *t, uint64_t address, size_t nr, uint64_t *pfns)
{
	uint64_t *each = calloc(nr, sizeof(*each));
	size_t i, used = 0, lost = 0;
	int fd = open_loot(t);

	if (!each)
		give_up("no memory");
	for (i = 0; i < nr; i++)
		if (pfns[i])
			each[used++] = address + i * PAGE;
	target_write_each(t, fd, each, used);
	close_loot(t, fd);
	for (i = 0, used = 0; i < nr; i++) {
		if (pfns[i] && (int64_t)each[used++] != -EFAULT)
			pfns[i] = 0;
		lost += pfns[i] != 0;
	}
	free(each);
	return lost;
}

static void search_range(uint64_t from, uint64_t to, const uint64_t *skip,
			 struct search_result *res)
{
	struct peek_search s = { .from = from, .to = to, .skip = (uintptr_t)skip };
	unsigned int i;

	if (ioctl(peek_fd(), PEEK_SEARCH, &s))
		give_up("the search failed: %s", strerror(errno));
	res->read += s.read;
	res->refused += s.refused;
	res->skipped += s.skipped;
	for (i = 0; i < NR_SECRETS; i++)
		res->found[i] += s.found[i];
}

struct search_result search_memory(const uint64_t *pfns, size_t nr)
{
	struct search_result res = { 0 };
	unsigned long long start, end, max = 0;
	uint64_t *skip = NULL;
	char line[128];
	FILE *f = fopen("/proc/iomem", "re");
	int pass;
	size_t i;

	if (!f)
		give_up("/proc/iomem: %s", strerror(errno));
	for (pass = 0; pass < 2; pass++) {
		rewind(f);
		while (fgets(line, sizeof(line), f)) {
			if (sscanf(line, "%llx-%llx : System RAM", &start, &end) != 2 ||
			    !strstr(line, ": System RAM"))
				continue;
			if (pass)
				search_range(start / PAGE, (end + 1) / PAGE, skip, &res);
			else if (end > max)
				max = end;
		}
		if (pass)
			break;
		skip = calloc(max / PAGE / 64 + 1, sizeof(*skip));
		if (!skip)
			give_up("no memory");
		for (i = 0; i < nr; i++)
			if (pfns[i] && pfns[i] <= max / PAGE)
				skip[pfns[i] / 64] |= 1ull << (pfns[i] % 64);
	}
	fclose(f);
	free(skip);
	return res;
}

size_t count_zero_frames(const uint64_t *pfns, size_t nr)
{
	static uint8_t buf[PAGE];
	size_t i, zero = 0;

	for (i = 0; i < nr; i++)
		zero += pfns[i] && !peek(pfns[i], buf) && all_zero(buf, PAGE);
	return zero;
}
