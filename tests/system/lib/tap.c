// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the counters and the output */
static unsigned int nr_tests, nr_failed;

static void hung(int sig)
{
	static const char text[] = "Bail out! the test hangs\n";

	(void)sig;
	if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0)
		_exit(3);
	_exit(2);
}

void tap_begin(unsigned int seconds)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGALRM, hung);
	alarm(seconds);
}

static bool report(bool pass, const char *note, const char *what, va_list ap)
{
	pthread_mutex_lock(&lock);
	nr_tests++;
	nr_failed += !pass;
	printf("%sok %u - ", pass ? "" : "not ", nr_tests);
	vprintf(what, ap);
	printf("%s\n", note);
	pthread_mutex_unlock(&lock);
	return pass;
}

bool ok(bool pass, const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	report(pass, "", what, ap);
	va_end(ap);
	return pass;
}

bool is(int64_t got, int64_t want, const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	if (!report(got == want, "", what, ap))
		diag("got %" PRId64 ", want %" PRId64, got, want);
	va_end(ap);
	return got == want;
}

bool is_hex(uint64_t got, uint64_t want, const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	if (!report(got == want, "", what, ap))
		diag("got %#" PRIx64 ", want %#" PRIx64, got, want);
	va_end(ap);
	return got == want;
}

static const char *errno_name(int e)
{
	const char *name = e ? strerrorname_np(e) : "success";

	return name ? name : "an unknown error";
}

bool is_errno(int got, int want, const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	if (!report(got == want, "", what, ap))
		diag("got %s, want %s", errno_name(got), errno_name(want));
	va_end(ap);
	return got == want;
}

void skip(const char *why, const char *what, ...)
{
	char note[128];
	va_list ap;

	snprintf(note, sizeof(note), " # SKIP %s", why);
	va_start(ap, what);
	report(true, note, what, ap);
	va_end(ap);
}

void diag(const char *fmt, ...)
{
	va_list ap;

	pthread_mutex_lock(&lock);
	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	pthread_mutex_unlock(&lock);
}

void bail(const char *fmt, ...)
{
	va_list ap;

	pthread_mutex_lock(&lock);
	printf("Bail out! ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	exit(2);
}

int tap_end(void)
{
	printf("1..%u\n", nr_tests);
	if (nr_failed)
		printf("# %u of %u failed\n", nr_failed, nr_tests);
	return nr_failed || !nr_tests;
}
