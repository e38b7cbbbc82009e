// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attackctl.h"
#include "kvmtest.h"
#include "tap.h"

#define CONTROL "/sys/kernel/debug/stockade-attack/control"

void attack_load(void)
{
	int fd = open("/t/attack.ko", O_RDONLY | O_CLOEXEC);

	mount("debug", "/sys/kernel/debug", "debugfs", 0, NULL);
	if (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST)
		bail("attack.ko: %s", strerror(errno));
	close(fd);
}

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
			return strtoll(p + len + 1, NULL, 10);
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

uint64_t frame_of(const void *p)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (pread(fd, &entry, 8, (off_t)((uintptr_t)p / KT_PAGE * 8)) != 8)
		entry = 0;
	close(fd);
	return entry & ~(~(uint64_t)0 << 55);
}

const char *attack_result(void)
{
	return result;
}
