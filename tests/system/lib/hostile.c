// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../include/stockade/guestcall.h"
#include "hostile.h"

#define CONTROL "/sys/kernel/debug/stockade-attack/control"

static char result[4096];

int attack(const char *fmt, ...)
{
	int fd = open(CONTROL, O_RDWR | O_CLOEXEC), err = 0;
	char line[64];
	va_list ap;
	ssize_t n;

	if (fd < 0)
		bail("%s: %s", CONTROL, strerror(errno));
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (write(fd, line, strlen(line)) < 0)
		err = errno;
	n = pread(fd, result, sizeof(result) - 1, 0);
	result[n > 0 ? n : 0] = '\0';
	close(fd);
	return err;
}

int64_t got(const char *name)
{
	size_t len = strlen(name);
	const char *p = result;

	while (p && *p) {
		if (!strncmp(p, name, len) && p[len] == ' ')
			return (int64_t)strtoull(p + len + 1, NULL, 0);
		p = strchr(p, '\n');
		p += !!p;
	}
	diag("no %s in the result", name);
	return INT64_MIN;
}

static int log_fd = -1;

void log_begin(void)
{
	if (log_fd < 0)
		log_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	lseek(log_fd, 0, SEEK_END);
}

unsigned int log_count(const char *text)
{
	char line[2048];
	unsigned int count = 0;
	ssize_t n;

	/* The module looks for the hypervisor's lines twice a second. */
	usleep(800000);
	while ((n = read(log_fd, line, sizeof(line) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		line[n > 0 ? n : 0] = '\0';
		count += strstr(line, text) != NULL;
	}
	return count;
}

bool hyp_alive(void)
{
	return kt_sysfs("abi") > 0 && kt_sysfs("pages_held") > 0;
}

uint64_t frame_of(const void *p)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (pread(fd, &entry, 8, (off_t)((uintptr_t)p / KT_PAGE * 8)) != 8)
		entry = 0;
	close(fd);
	return entry & ~(~(uint64_t)0 << 55);
}

void victim_start(struct victim *v)
{
	unsigned int i;

	kt_create(&v->vm, &(struct kt_config){ .size = 4 * KT_2M, .gic = true });
	kt_do(&v->vm.vcpu[0], CMD_FILL, GUEST_FREE, VICTIM_AREA, VICTIM_SECRET, 0);
	for (i = 0; i < VICTIM_AREA / KT_PAGE; i++) {
		v->frame[i] = frame_of(v->vm.mem + (GUEST_FREE - GUEST_RAM) + i * KT_PAGE);
		attack("victim-page %" PRIx64, v->frame[i]);
	}
	ok(v->frame[0] && v->frame[1], "frames of guest pages are known");
}

bool victim_well(struct victim *v)
{
	return !kt_do(&v->vm.vcpu[0], CMD_CHECK, GUEST_FREE, VICTIM_AREA, VICTIM_SECRET, 0);
}

pid_t worker_start(void)
{
	pid_t pid = fork();

	if (!pid) {
		struct kt_vm vm;
		uint64_t entry;
		unsigned int i;

		alarm(0);
		kt_create(&vm,
			  &(struct kt_config){ .size = 4 * KT_2M, .nr_vcpus = 2, .gic = true });
		entry = kt_do(&vm.vcpu[0], CMD_SECONDARY, 0, 0, 0, 0);
		kt_hvc(&vm.vcpu[0], PSCI_CPU_ON_64, 1, entry, 0);
		for (i = 0; i < 2; i++)
			kt_start(&vm.vcpu[i], CMD_STRESS, GUEST_FREE + i * KT_2M, VICTIM_AREA, 0,
				 0);
		for (;;) {
			for (i = 0; i < 2; i++)
				if (vm.vcpu[i].thread_done || vm.vcpu[i].nr_bad)
					_exit(1);
			usleep(10000);
		}
	}
	return pid;
}

void worker_stop(pid_t pid, const char *what)
{
	int status;

	ok(!waitpid(pid, &status, WNOHANG), "a VM that works meanwhile, %s", what);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

const char *attack_result(void)
{
	return result;
}

static int load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return errno;
	err = syscall(SYS_finit_module, fd, "", 0) ? errno : 0;
	close(fd);
	return err;
}

void hostile_load(void)
{
	int err;

	mount("debug", "/sys/kernel/debug", "debugfs", 0, NULL);
	err = load_module("/t/attack.ko");
	if (err && err != EEXIST)
		bail("attack.ko: %s", strerror(err));
}

void hostile_begin(void)
{
	int err;

	hostile_load();
	err = attack("check");
	if (err == ENOSYS) {
		if (syscall(SYS_delete_module, "stockade", O_NONBLOCK))
			bail("rmmod stockade: %s", strerror(errno));
		err = load_module("/t/debug.ko");
		if (err)
			bail("debug.ko: %s", strerror(err));
	}
	check_invariants("at first");
}

void check_invariants(const char *when)
{
	int err = attack("check");

	if (err)
		is_errno(err, 0, "invariants are checked, %s", when);
	else if (!is(got("broken"), 0, "the hypervisor's invariants hold, %s", when))
		diag("%s", result);
}
