// SPDX-License-Identifier: GPL-2.0-only
/* Rows of a host without a VM: what it costs to be under a hypervisor. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

static void getpid_row(void)
{
	const unsigned int n = 20000;
	unsigned int i;
	uint64_t start = begin_measure();

	for (i = 0; i < n; i++)
		syscall(SYS_getpid);
	row("host_getpid", (double)end_measure(start) / n);
}

static void fork_exit(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		die("fork: %s", strerror(errno));
}

static void fork_row(void)
{
	const unsigned int n = 100;
	unsigned int i;
	uint64_t start;

	for (i = 0; i < n / 10; i++)
		fork_exit();
	start = begin_measure();
	for (i = 0; i < n; i++)
		fork_exit();
	row("host_fork_exit", (double)end_measure(start) / n);
}

static void map_touch_unmap(size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	if (p == MAP_FAILED || madvise(p, size, MADV_NOHUGEPAGE))
		die("mmap: %s", strerror(errno));
	for (i = 0; i < size; i += PAGE)
		p[i] = 1;
	munmap(p, size);
}

/* For each page. */
static void mmap_row(void)
{
	const size_t size = 4ul << 20;
	const unsigned int n = 8;
	unsigned int i;
	uint64_t start;

	map_touch_unmap(size);
	start = begin_measure();
	for (i = 0; i < n; i++)
		map_touch_unmap(size);
	row("host_mmap_touch_munmap", (double)end_measure(start) / n / (double)(size / PAGE));
}

static void pass(int from, int to)
{
	char c;

	if (read(from, &c, 1) != 1 || write(to, &c, 1) != 1)
		_exit(0); /* the other end is closed */
}

static void pipe_row(void)
{
	const unsigned int n = 1000;
	int there[2], back[2];
	uint64_t start = 0;
	unsigned int i;
	pid_t pid;

	if (pipe(there) || pipe(back))
		die("pipe: %s", strerror(errno));
	pid = fork();
	if (!pid) {
		close(there[1]);
		for (;;)
			pass(there[0], back[1]);
	}
	for (i = 0; i < n + n / 10; i++) {
		char c = 0;

		if (i == n / 10)
			start = begin_measure();
		if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
			die("pipe: %s", strerror(errno));
	}
	row("host_pipe_ping_pong", (double)end_measure(start) / n);
	close(there[1]);
	waitpid(pid, NULL, 0);
}

/* 1 MiB out of the page cache. */
static void read_row(void)
{
	static char buf[64 << 10];
	const size_t size = 1ul << 20;
	const unsigned int n = 8;
	uint64_t start = 0;
	unsigned int i;
	size_t done;
	int fd = open("/tmp/bench-file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	for (done = 0; done < size; done += sizeof(buf))
		if (write(fd, buf, sizeof(buf)) != sizeof(buf))
			die("/tmp/bench-file: %s", strerror(errno));
	for (i = 0; i <= n; i++) {
		if (i == 1)
			start = begin_measure();
		for (done = 0; done < size; done += sizeof(buf))
			if (pread(fd, buf, sizeof(buf), (off_t)done) != sizeof(buf))
				die("/tmp/bench-file: %s", strerror(errno));
	}
	row("host_read_1m", (double)end_measure(start) / n);
	close(fd);
	unlink("/tmp/bench-file");
}

void rows_host(void)
{
	getpid_row();
	fork_row();
	mmap_row();
	pipe_row();
	read_row();
}
