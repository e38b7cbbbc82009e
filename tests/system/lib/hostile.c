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

#include "hostile.h"
#include "tap.h"

#define CONTROL "/sys/kernel/debug/stockade-attack/control"

char attack_result[4096];

void hostile_load(void)
{
	int fd = open("/t/attack.ko", O_RDONLY | O_CLOEXEC);

	mount("debug", "/sys/kernel/debug", "debugfs", 0, NULL);
	if (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST)
		bail("attack.ko: %s", strerror(errno));
	close(fd);
}

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
	n = pread(fd, attack_result, sizeof(attack_result) - 1, 0);
	attack_result[n > 0 ? n : 0] = '\0';
	close(fd);
	return err;
}

int64_t got(const char *name)
{
	size_t len = strlen(name);
	const char *p = attack_result;

	while (p && *p) {
		if (!strncmp(p, name, len) && p[len] == ' ')
			return (int64_t)strtoull(p + len + 1, NULL, 0);
		p = strchr(p, '\n');
		p += !!p;
	}
	diag("no %s in the result", name);
	return INT64_MIN;
}
