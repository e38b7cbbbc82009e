// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver: cases that were kept, then random sequences, in TAP. Environment: STEPS, SEED; SPEC_SHRINK=0 leaves a
 * sequence that fails as it is, SPEC_CASES=0 the cases out, SPEC_ONE=N runs sequence N alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "machine.h"
#include "run.h"

/* Steps of one sequence: then a new machine. */
#define SEQUENCE 2000
/* With fewer, a call that never had success is chance. */
#define ENOUGH 50000

static struct spec_case *cases;
static u32 nr_cases;

void add_case(struct spec_case *c)
{
	c->next = cases;
	cases = c;
	nr_cases++;
}

static u64 option(const char *name, u64 otherwise)
{
	const char *value = getenv(name);

	return value && *value ? strtoull(value, NULL, 0) : otherwise;
}

static void explain(const struct run *run)
{
	const char *line = run->why;

	while (*line) {
		int length = (int)strcspn(line, "\n");

		printf("#   %.*s\n", length, line);
		line += length + (line[length] == '\n');
	}
}

static bool run_case(struct run *run, const struct spec_case *c)
{
	memset(run, 0, sizeof(*run));
	run->kind = c->kind;
	run->nr_steps = c->nr_steps;
	memcpy(run->step, c->step, c->nr_steps * sizeof(*c->step));
	return run_steps(run);
}

static u32 run_cases(struct run *run)
{
	u32 n = 0, failed = 0;

	for (const struct spec_case *c = cases; c; c = c->next) {
		bool ok = run_case(run, c);

		printf("%sok %u - case %s\n", ok ? "" : "not ", ++n, c->name);
		if (!ok)
			explain(run);
		failed += !ok;
	}
	return failed;
}

static bool run_random(struct run *run, u64 seed, u64 n)
{
	run->seed = seed << 32 | (n + 1);
	run->kind = n % MACHINE_KINDS;
	run->nr_steps = SEQUENCE;
	return run_steps(run);
}

/* The sequence that failed, made short, as a case. */
static void report(struct run *run, u64 n)
{
	printf("# sequence %lu, step %u (%s):\n", n, run->done, call_name(&run->step[run->done]));
	explain(run);
	run->nr_steps = run->done + 1;
	while (run->step[run->nr_steps - 1].with_next)
		run->nr_steps++;
	if (!option("SPEC_SHRINK", 1))
		return;
	shrink(run);
	print_case(run, "found");
}

int main(void)
{
	u64 steps = option("STEPS", 100000), seed = option("SEED", 1),
	    first = option("SPEC_ONE", 0);
	u32 n = option("SPEC_CASES", 1) ? nr_cases : 0, failed = 0, never;
	struct run *run = new_run();
	time_t start = time(NULL);
	u64 done = 0;
	bool ok = true;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("# SEED=%lu STEPS=%lu\n1..%u\n", seed, steps, n + 2);
	if (n)
		failed = run_cases(run);
	for (u64 i = first; done < steps && ok; i++) {
		ok = run_random(run, seed, i);
		done += run->done;
		if (!ok)
			report(run, i);
		if (getenv("SPEC_ONE"))
			break;
	}
	printf("%sok %u - %lu random steps in %lu s, the hypervisor does as the model says\n",
	       ok ? "" : "not ", n + 1, done, time(NULL) - start);
	tally_print();
	never = tally_gaps();
	if (done < ENOUGH)
		printf("ok %u - every call had success # SKIP too few steps to tell\n", n + 2);
	else
		printf("%sok %u - every call had success\n", never ? "not " : "", n + 2);
	return failed || !ok || (never && done >= ENOUGH);
}
