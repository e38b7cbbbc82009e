// SPDX-License-Identifier: GPL-2.0-only
/*
 * All unit tests of the hypervisor in one program, to be run on one mutant of it (run.py).
 *
 *   tests list             every test, "GROUP/TEST" a line
 *   tests record           runs all; of each "GROUP/TEST MILLISECONDS NUMBER...": the mutants that it came by
 *   tests serve            for each line "MUTANT N:LIMIT...": with this mutant (0: none) runs these tests by their
 *                          place in the list, LIMIT: milliseconds of CPU time, to the first that fails. Answers
 *                          "passed", "noticed GROUP/TEST" or "timeout GROUP/TEST".
 *
 * Each line is run by a child, which finds the machine's RAM there already: most of what a boot costs.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* The tests' main() comes to add_group() instead; here cmocka's own is meant. */
#undef _cmocka_run_group_tests
#include <cmocka.h>

#include "fake.h"
#include "mutant.h"

#define MAX_TESTS    1024
#define MAX_LINE     65536
#define OUT_OF_TIME  124
#define WALL_SECONDS 300

#define TEST_MAIN(name) int name(void);
#include "mains.h"
#undef TEST_MAIN

static int (*const mains[])(void) = {
#define TEST_MAIN(name) name,
#include "mains.h"
};

unsigned int mutant_now;
unsigned char mutant_met[MUTANT_MAX];

static struct {
	const char *group;
	struct CMUnitTest test;
} tests[MAX_TESTS];
static unsigned int nr_tests;
static unsigned int *now; /* shared with children: the test that runs */
static int out;

int add_group(const char *name, const struct CMUnitTest *const group, const size_t nr,
	      CMFixtureFunction setup, CMFixtureFunction teardown)
{
	if (nr_tests + nr > MAX_TESTS || setup || teardown)
		abort();
	for (size_t i = 0; i < nr; i++, nr_tests++) {
		tests[nr_tests].group = name;
		tests[nr_tests].test = group[i];
	}
	return 0;
}

static void on_limit(int sig)
{
	(void)sig;
	_exit(OUT_OF_TIME);
}

static long milliseconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

static int run(unsigned int n, unsigned int limit)
{
	const struct itimerval timer = { .it_value = { limit / 1000, limit % 1000 * 1000 } };

	*now = n;
	setitimer(ITIMER_PROF, &timer, NULL);
	return _cmocka_run_group_tests(tests[n].group, &tests[n].test, 1, NULL, NULL);
}

static int record(void)
{
	for (unsigned int n = 0; n < nr_tests; n++) {
		long start = milliseconds();

		memset(mutant_met, 0, sizeof(mutant_met));
		if (run(n, 0)) {
			dprintf(out, "%s/%s fails\n", tests[n].group, tests[n].test.name);
			return 1;
		}
		dprintf(out, "%s/%s %ld", tests[n].group, tests[n].test.name,
			milliseconds() - start);
		for (unsigned int m = 0; m < MUTANT_MAX; m++)
			if (mutant_met[m])
				dprintf(out, " %u", m);
		dprintf(out, "\n");
	}
	return 0;
}

static __attribute__((noreturn)) void run_all(char *line)
{
	char *end, *word = strtok_r(line, " \n", &end);

	mutant_now = (unsigned int)atoi(word ? word : "");
	alarm(WALL_SECONDS);
	while ((word = strtok_r(NULL, " \n", &end))) {
		unsigned int n, limit;

		if (sscanf(word, "%u:%u", &n, &limit) != 2 || n >= nr_tests)
			abort();
		if (run(n, limit))
			_exit(1);
	}
	_exit(0);
}

static int serve(void)
{
	static char line[MAX_LINE];

	now = mmap(NULL, sizeof(*now), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fake_power_on(NULL);
	while (fgets(line, sizeof(line), stdin)) {
		pid_t child = fork();
		int status;

		if (!child)
			run_all(line);
		if (child < 0 || waitpid(child, &status, 0) != child)
			return 1;
		if (WIFEXITED(status) && !WEXITSTATUS(status))
			dprintf(out, "passed\n");
		else
			dprintf(out, "%s %s/%s\n",
				(WIFEXITED(status) && WEXITSTATUS(status) == OUT_OF_TIME) ||
						(WIFSIGNALED(status) &&
						 WTERMSIG(status) == SIGALRM) ?
					"timeout" :
					"noticed",
				tests[*now].group, tests[*now].test.name);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static unsigned int first;

	now = &first;
	if (argc != 2)
		return 2;
	out = dup(1);
	if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
		return 2;
	signal(SIGPROF, on_limit);
	for (size_t i = 0; i < sizeof(mains) / sizeof(mains[0]); i++)
		mains[i]();
	if (!strcmp(argv[1], "list")) {
		for (unsigned int n = 0; n < nr_tests; n++)
			dprintf(out, "%s/%s\n", tests[n].group, tests[n].test.name);
		return 0;
	}
	if (!strcmp(argv[1], "record"))
		return record();
	return serve();
}
