// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench [-p] GROUP...: prints "NAME VALUE" for each row; -p: protected VMs.
 * bench -t NAME PROGRAM [ARGUMENT]...: a row that is the time that a program takes; what it prints goes
 * to /tmp/NAME.log.
 */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "mark.h"

bool protected_vms;

static const struct {
	const char *name;
	void (*run)(void);
} groups[] = {
	{ "exits", rows_exits },
	{ "timer", rows_timer },
	{ "ipi", rows_ipi },
	{ "memory", rows_memory },
	{ "share", rows_share },
	{ "create", rows_create },
	{ "bytes", rows_bytes },
	{ "host", rows_host },
	{ "grow_memory", rows_grow_memory },
	{ "grow_vms", rows_grow_vms },
	{ "grow_split", rows_grow_split },
	{ "grow_vcpus", rows_grow_vcpus },
};

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("bench: ", stdout);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
	exit(1);
}

uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t begin_measure(void)
{
	mark(MARK_BEGIN(MARK_HOST));
	return now();
}

uint64_t end_measure(uint64_t start)
{
	uint64_t t = now() - start;

	mark(MARK_END(MARK_HOST));
	return t;
}

static int there[2], back[2];

static void *answer(void *arg)
{
	char c;

	(void)arg;
	while (read(there[0], &c, 1) == 1 && write(back[1], &c, 1) == 1)
		;
	return NULL;
}

/*
 * The scheduler accounts a task's time when it leaves the CPU, so another one is let run first
 * (/proc/schedstat, "cpu" lines, 7th value: Linux's Documentation/scheduler/sched-stats.rst).
 */
uint64_t idle_time(void)
{
	unsigned long long sum = 0;
	pthread_t thread;
	char line[1024];
	uint64_t t;
	FILE *f;

	if (!there[1] && (pipe(there) || pipe(back) || pthread_create(&thread, NULL, answer, NULL)))
		die("no second thread: %s", strerror(errno));
	if (write(there[1], "", 1) != 1 || read(back[0], line, 1) != 1)
		die("pipe: %s", strerror(errno));
	t = now();
	f = fopen("/proc/schedstat", "re");
	while (f && fgets(line, sizeof(line), f)) {
		char *word = line;
		int i;

		if (strncmp(line, "cpu", 3))
			continue;
		for (i = 0; i < 7 && word; i++)
			word = strchr(word + 1, ' ');
		if (word)
			sum += strtoull(word, NULL, 10);
	}
	if (!sum)
		die("/proc/schedstat does not tell for how long CPUs were busy");
	fclose(f);
	return t - sum;
}

static void print_row(const char *name, double value)
{
	printf("%s %.2f\n", name, value);
	fflush(stdout);
}

void row(const char *name, double value)
{
	mark(MARK_ROW(MARK_HOST));
	print_row(name, value);
}

void settle(void)
{
	usleep(300000);
}

void guest_row(const char *name, double value)
{
	mark(MARK_ROW(MARK_GUEST));
	print_row(name, value);
}

void derived_row(const char *name, double value)
{
	printf("%s %.2f derived\n", name, value);
	fflush(stdout);
}

static void run_group(const char *name)
{
	char all[32];
	uint64_t start;
	size_t i;

	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (strcmp(groups[i].name, name))
			continue;
		mark(MARK_BEGIN(MARK_GROUP));
		start = now();
		groups[i].run();
		start = now() - start;
		mark(MARK_END(MARK_GROUP));
		mark(MARK_ROW(MARK_GROUP));
		snprintf(all, sizeof(all), "all_%s", name);
		print_row(all, (double)start);
		return;
	}
	die("no group %s", name);
}

static void time_program(const char *name, char **argv)
{
	uint64_t start = begin_measure();
	pid_t pid = fork();
	char log[64];
	int status;

	if (!pid) {
		snprintf(log, sizeof(log), "/tmp/%s.log", name);
		if (!freopen("/dev/null", "r", stdin) || !freopen(log, "w", stdout) ||
		    dup2(1, 2) < 0)
			_exit(126);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die("fork: %s", strerror(errno));
	start = end_measure(start);
	if (status)
		die("%s ended with status %#x", argv[0], (unsigned int)status);
	row(name, (double)start);
}

int main(int argc, char **argv)
{
	int i = 1;

	if (i < argc && !strcmp(argv[i], "-p")) {
		protected_vms = true;
		i++;
	}
	if (argc > 3 && !strcmp(argv[1], "-t")) {
		time_program(argv[2], argv + 3);
		return 0;
	}
	if (i == argc)
		die("no group of rows is named");
	for (; i < argc; i++)
		run_group(argv[i]);
	return 0;
}
