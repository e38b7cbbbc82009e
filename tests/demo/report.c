// SPDX-License-Identifier: GPL-2.0-only
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "report.h"

#define FIRST_STEP 2 /* the first one is init's */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int steps = FIRST_STEP, passed, failed;

static void vsay(const char *before, const char *fmt, va_list args, const char *after)
{
	pthread_mutex_lock(&lock);
	fputs(before, stdout);
	vprintf(fmt, args);
	fputs(after, stdout);
	fflush(stdout);
	pthread_mutex_unlock(&lock);
}

void say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsay("  ", fmt, args, "\n");
	va_end(args);
}

void step(const char *fmt, ...)
{
	char number[32];
	va_list args;

	snprintf(number, sizeof(number), "\n%u. ", steps++);
	va_start(args, fmt);
	vsay(number, fmt, args, "\n");
	va_end(args);
}

static const char *count(bool ok)
{
	if (ok)
		passed++;
	else
		failed++;
	return ok ? "ok    " : "FAILED";
}

bool expect(bool ok, const char *fmt, ...)
{
	char before[16];
	va_list args;

	snprintf(before, sizeof(before), "  %s ", count(ok));
	va_start(args, fmt);
	vsay(before, fmt, args, "\n");
	va_end(args);
	return ok;
}

bool expect_attack(bool ok, const char *attack, const char *process, const char *vm)
{
	say("%s %-34s %-16s %s", count(ok), attack, process, vm);
	return ok;
}

unsigned int report_failed(void)
{
	return failed;
}

unsigned int report_passed(void)
{
	return passed;
}

void give_up(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsay("demo: ", fmt, args, "\n");
	va_end(args);
	exit(2);
}
