// SPDX-License-Identifier: GPL-2.0-only
/* bench [-p] GROUP...: prints "NAME VALUE" for each row; -p: protected VMs. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

bool protected_vms;

static const struct {
	const char *name;
	void (*run)(void);
} groups[] = {
	{ "exits", rows_exits },   { "timer", rows_timer },   { "ipi", rows_ipi },
	{ "memory", rows_memory }, { "share", rows_share },   { "create", rows_create },
	{ "bytes", rows_bytes },   { "host", rows_host },
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

void row(const char *name, double value)
{
	printf("%s %.2f\n", name, value);
	fflush(stdout);
}

static void run_group(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (!strcmp(groups[i].name, name)) {
			groups[i].run();
			return;
		}
	}
	die("no group %s", name);
}

int main(int argc, char **argv)
{
	int i = 1;

	if (i < argc && !strcmp(argv[i], "-p")) {
		protected_vms = true;
		i++;
	}
	if (i == argc)
		die("no group of rows is named");
	for (; i < argc; i++)
		run_group(argv[i]);
	return 0;
}
