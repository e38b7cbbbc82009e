// SPDX-License-Identifier: GPL-2.0-only
/*
 * The demonstration, to be run by root on a host with stockade.ko and peek.ko: starts a protected VM
 * that hides a secret, attacks it, and destroys it. Exit status: 0 if all went as it had to.
 */
#include <elf.h>
#include <errno.h>
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
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"
#include "child.h"
#include "report.h"
#include "secret.h"
#include "target.h"

#define MEMORY_INFO "/tmp/memory-info"
#define PROMPT	    "guest# "
#define CPUS	    "2"
#define MEMORY	    "256" /* MiB */

/* Where a secret is, in the attacked process's own addresses. */
struct victim {
	struct child child;
	struct target target;
	uint64_t page[SECRET_PAGES];
};

static struct victim process, vm;

/* The VM's memory in its VMM, and the frames behind it that the guest has taken. */
static struct {
	uint64_t hva, size, gpa;
	size_t nr;
	uint64_t *pfns;
} ram;

static void start_vm(void)
{
	char *const argv[] = { "stockade",  "run",
			       "--kernel",  "/guest/Image",
			       "--initrd",  "/guest/initrd",
			       "--memory",  MEMORY,
			       "--cpus",    CPUS,
			       "--cmdline", "console=ttyAMA0 quiet",
			       "--quiet",   "--memory-info",
			       MEMORY_INFO, NULL };

	child_start(&vm.child, argv, "  guest | ", "  ");
	if (!child_expect(&vm.child, PROMPT, 90))
		give_up("the guest does not come up");
}

static const char *command(const char *line)
{
	const char *answer;

	child_say(&vm.child, line);
	answer = child_expect(&vm.child, PROMPT, 30);
	return answer ? answer : "";
}

static void use_shell(void)
{
	bool root = strstr(command("whoami\n"), "\nroot");
	bool kernel = strstr(command("uname -srm\n"), "\nLinux ");
	bool cpus = strstr(command("nproc\n"), "\n" CPUS);

	command("grep MemTotal /proc/meminfo\n");
	expect(root && kernel && cpus,
	       "a stock Linux guest is up with " CPUS " CPUs and answers in its shell");
}

static void parse_addresses(struct victim *v)
{
	const char *p = child_expect(&v->child, "ready", 30);
	unsigned int i;

	for (i = 0; i < SECRET_PAGES; i++) {
		p = p ? strstr(p, "0x") : NULL;
		if (!p)
			give_up("the program 'secret' does not say where it is");
		v->page[i] = strtoull(p, (char **)&p, 16);
	}
	child_expect(&v->child, "\n", 1); /* so that its line is shown before ours */
}

static void read_memory_info(void)
{
	unsigned long long hva, size, gpa;
	FILE *f = fopen(MEMORY_INFO, "re");

	if (!f || fscanf(f, "%*d %llx %llx %llx", &hva, &size, &gpa) != 3)
		give_up(MEMORY_INFO ": no such numbers");
	fclose(f);
	ram.hva = hva;
	ram.size = size;
	ram.gpa = gpa;
	ram.nr = size / PAGE;
	ram.pfns = calloc(ram.nr, sizeof(*ram.pfns));
	if (!ram.pfns)
		give_up("no memory");
}

static void hide_secrets(void)
{
	char *const argv[] = { "secret", "process", NULL };
	unsigned int i;

	child_say(&vm.child, "secret vm\n");
	parse_addresses(&vm);
	read_memory_info();
	for (i = 0; i < SECRET_PAGES; i++) {
		if (vm.page[i] < ram.gpa || vm.page[i] >= ram.gpa + ram.size)
			give_up("the secret is not in the guest's memory");
		vm.page[i] = vm.page[i] - ram.gpa + ram.hva;
	}
	child_start(&process.child, argv, NULL, "  ");
	parse_addresses(&process);
	target_freeze(&process.target, process.child.pid);
}

static uint64_t *frame(uint64_t address)
{
	return &ram.pfns[(address - ram.hva) / PAGE];
}

typedef struct outcome attack_fn(struct target *t, uint64_t address);

static void attack(const char *name, attack_fn *fn, unsigned int page)
{
	struct outcome p = fn(&process.target, process.page[page]);
	struct outcome v = fn(&vm.target, vm.page[page]);

	expect_attack(p.got_it && !v.got_it && v.refused, name, p.text, v.text);
}

static void attack_registers(void)
{
	struct outcome p = attack_registers_ptrace(&process.target);
	struct outcome v = attack_registers_kvm(&vm.target);

	v.got_it |= attack_registers_ptrace(&vm.target).got_it;
	expect_attack(p.got_it && !v.got_it && v.refused, "registers: ptrace, KVM_GET_ONE_REG",
		      p.text, v.text);
}

/* write(2) of every page: finds out which ones are the guest's, too. */
static void attack_everywhere(void)
{
	size_t lost, i;
	bool all = true;
	char text[48];

	frames_of(vm.target.pid, ram.hva, ram.nr, ram.pfns);
	lost = keep_lost_frames(&vm.target, ram.hva, ram.nr, ram.pfns);
	for (i = 0; i < SECRET_PAGES; i++)
		all &= *frame(vm.page[i]) != 0;
	snprintf(text, sizeof(text), "EFAULT %zu times", lost);
	expect_attack(all, "write(2) of each page of the VM", "-", text);
}

/* As stockade.ko says it in sysfs. */
static long long read_value(const char *name)
{
	long long val = -1;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/stockade/%s", name);
	f = fopen(path, "re");
	if (!f || fscanf(f, "%lld", &val) != 1)
		give_up("%s: %s", path, strerror(errno));
	fclose(f);
	return val;
}

static void search(const char *name, size_t nr)
{
	struct search_result res = search_memory(ram.pfns, nr);
	char p[48], v[48];

	snprintf(p, sizeof(p), "in %llu pages", (unsigned long long)res.found[SECRET_PROCESS]);
	snprintf(v, sizeof(v), "in %llu of %llu pages", (unsigned long long)res.found[SECRET_VM],
		 (unsigned long long)res.read);
	expect_attack(res.found[SECRET_PROCESS] >= SECRET_PAGES && !res.found[SECRET_VM], name, p,
		      v);
	say("       (%llu pages of the VM left out; %llu cannot be read, the hypervisor holds %lld)",
	    (unsigned long long)res.skipped, (unsigned long long)res.refused,
	    read_value("pages_held"));
}

static void heading(void)
{
	say("       %-34s %-16s %s", "attack", "a process", "the protected VM");
}

static void attack_politely(void)
{
	heading();
	target_freeze(&vm.target, vm.child.pid);
	attack("load, executed in the process", attack_load, 0);
	attack("store, executed in the process", attack_store, 0);
	attack("write(2) of a page to a file", attack_write, 1);
	attack_everywhere();
	attack_registers();
	search("kernel module searches other RAM", ram.nr);
	target_thaw(&vm.target);
}

static void check_guest(void)
{
	child_say(&vm.child, "check\n");
	expect(child_expect(&vm.child, "6 of 6 pages intact, registers intact\r\n", 30),
	       "the guest still has its secret, in all pages and registers");
}

static void attack_by_kernel(void)
{
	unsigned int i;

	heading();
	target_freeze(&vm.target, vm.child.pid);
	attack("/proc/PID/mem", attack_proc_mem, 3);
	attack("process_vm_readv(2)", attack_process_vm, 4);
	attack("kernel module reads the page frame", attack_module, 5);
	for (i = 3; i < 6; i++)
		*frame(vm.page[i]) = 0;
}

static bool is_lost_run(pid_t tid, const struct ptrace_syscall_info *info, void *ctx)
{
	struct user_regs_struct regs;
	struct iovec iov = { &regs, sizeof(regs) };

	(void)ctx;
	return info->op == PTRACE_SYSCALL_INFO_EXIT && info->exit.rval == -EFAULT &&
	       !ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &iov) && regs.regs[8] == SYS_ioctl &&
	       regs.regs[1] == KVM_RUN;
}

static void touch_lost_page(void)
{
	child_say(&vm.child, "touch 3\n");
	expect(target_trace(&vm.target, is_lost_run, NULL, 30),
	       "KVM_RUN says EFAULT: the guest is stopped before it sees a page it has lost");
	expect(!child_expect(&vm.child, "page 3 is", 1), "it did not go on with zeroes");
}

static bool is_unmapping(pid_t tid, const struct ptrace_syscall_info *info, void *ctx)
{
	(void)tid;
	(void)ctx;
	return info->op == PTRACE_SYSCALL_INFO_ENTRY && info->entry.nr == SYS_munmap &&
	       info->entry.args[0] == ram.hva;
}

static void check_frames(void)
{
	uint64_t *now = calloc(ram.nr, sizeof(*now));
	size_t i, same = 0, all = 0, zero;

	if (!now)
		give_up("no memory");
	frames_of(vm.target.pid, ram.hva, ram.nr, now);
	for (i = 0; i < ram.nr; i++) {
		all += ram.pfns[i] != 0;
		same += ram.pfns[i] && now[i] == ram.pfns[i];
	}
	free(now);
	zero = count_zero_frames(ram.pfns, ram.nr);
	expect(all && same == all && zero == all,
	       "of %zu pages that were the guest's and never attacked, %zu read zero", all, zero);
}

static void destroy(void)
{
	int status = 0;

	/* Held where it has closed the VM, but has not given its memory back to the kernel yet. */
	if (!expect(target_trace(&vm.target, is_unmapping, NULL, 30) && !read_value("vms"),
		    "the VM is destroyed; its memory is the VMM's again"))
		return;
	check_frames();
	heading();
	search("kernel module searches all RAM", 0);
	target_thaw(&vm.target);
	waitpid(vm.child.pid, &status, 0);
	child_join(&vm.child);
	expect(WIFEXITED(status) && WEXITSTATUS(status) == 1,
	       "stockade has ended with an error (status %d)", WEXITSTATUS(status));
}

static void summarise(void)
{
	unsigned int failed = report_failed(), all = failed + report_passed();

	step("Summary");
	if (failed) {
		say("FAILED: %u of %u things were not as they had to be.", failed, all);
		return;
	}
	say("All %u things were as they had to be: a stock Linux guest ran, and root on the host",
	    all);
	say("got nothing of its secret from memory or registers, while it ran or afterwards.");
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	step("A protected VM: the same stock kernel, busybox, " CPUS " CPUs, " MEMORY " MiB");
	start_vm();
	use_shell();
	step("The guest hides a secret in its memory and registers");
	hide_secrets();
	step("Root attacks: first an ordinary process, to show that it works, then the VM");
	attack_politely();
	check_guest();
	step("Root attacks by the kernel's own mapping: the hypervisor wipes the page first");
	attack_by_kernel();
	step("The guest uses a page that was wiped");
	touch_lost_page();
	step("The end of the VM");
	destroy();
	summarise();
	kill(process.child.pid, SIGKILL);
	return report_failed() ? 1 : 0;
}
