// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of a host without a VM: what it costs to be under a hypervisor. The goal is a percent, so each is
 * measured some times, and the median printed: what the kernel does on the side falls out.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define TIMES 9

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(const char *name, void (*once)(unsigned int n), unsigned int n)
{
	double values[TIMES];
	unsigned int i;

	once(n);
	for (i = 0; i < TIMES; i++) {
		uint64_t start = begin_measure();

		once(n);
		values[i] = (double)end_measure(start) / n;
	}
	qsort(values, TIMES, sizeof(values[0]), compare);
	row(name, values[TIMES / 2]);
}

/*
 * once() does something n times. In a process of its own: one that has had SVE registers, which the C library's string
 * functions use, pays for them at each system call, and whether it still has them is chance.
 */
static void host_row(const char *name, void (*once)(unsigned int n), unsigned int n)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		measure(name, once, n);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		die("%s: not measured", name);
}

static void call_getpid(unsigned int n)
{
	while (n--)
		syscall(SYS_getpid);
}

static void fork_exit(unsigned int n)
{
	pid_t pid;

	while (n--) {
		pid = fork();
		if (!pid)
			_exit(0);
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			die("fork: %s", strerror(errno));
	}
}

/* n pages, at once. */
static void map_touch_unmap(unsigned int n)
{
	size_t size = n * PAGE, i;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || madvise(p, size, MADV_NOHUGEPAGE))
		die("mmap: %s", strerror(errno));
	for (i = 0; i < size; i += PAGE)
		p[i] = 1;
	munmap(p, size);
}

static int there[2], back[2];

static void ping_pong(unsigned int n)
{
	char c = 0;

	while (n--)
		if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
			die("pipe: %s", strerror(errno));
}

static void pipe_row(void)
{
	pid_t pid;
	char c;

	if (pipe(there) || pipe(back))
		die("pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid) {
		close(there[1]);
		while (read(there[0], &c, 1) == 1 && write(back[1], &c, 1) == 1)
			;
		_exit(0);
	}
	host_row("host_pipe_ping_pong", ping_pong, 200);
	close(there[1]);
	waitpid(pid, NULL, 0);
}

#define FILE_SIZE (1ul << 20)

static int file;
static char buf[64 << 10];

static void read_file(unsigned int n)
{
	size_t done;

	while (n--)
		for (done = 0; done < FILE_SIZE; done += sizeof(buf))
			if (pread(file, buf, sizeof(buf), (off_t)done) != sizeof(buf))
				die("pread: %s", strerror(errno));
}

static void read_row(void)
{
	size_t done;

	file = open("/tmp/bench-file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	for (done = 0; done < FILE_SIZE; done += sizeof(buf))
		if (write(file, buf, sizeof(buf)) != sizeof(buf))
			die("/tmp/bench-file: %s", strerror(errno));
	host_row("host_read_1m", read_file, 4);
	close(file);
	unlink("/tmp/bench-file");
}

void rows_host(void)
{
	host_row("host_getpid", call_getpid, 4000);
	host_row("host_fork_exit", fork_exit, 20);
	host_row("host_mmap_touch_munmap", map_touch_unmap, 512);
	pipe_row();
	read_row();
}
