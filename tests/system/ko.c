// SPDX-License-Identifier: GPL-2.0-only
/*
 * One system call each, where busybox makes two attempts:
 *
 *   ko load FILE [PARAMETERS]
 *   ko unload NAME
 *
 * Prints the errno's name, or "ok"; status 0 if it is that.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long ret = -1;

	errno = EINVAL;
	if (argc >= 3 && !strcmp(argv[1], "load")) {
		int fd = open(argv[2], O_RDONLY | O_CLOEXEC);

		if (fd >= 0)
			ret = syscall(SYS_finit_module, fd, argc > 3 ? argv[3] : "", 0);
	} else if (argc == 3 && !strcmp(argv[1], "unload")) {
		ret = syscall(SYS_delete_module, argv[2], O_NONBLOCK);
	}
	printf("%s\n", ret ? strerrorname_np(errno) : "ok");
	return ret != 0;
}
