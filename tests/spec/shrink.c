// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "batch.h"
#include "run.h"

#define PATIENCE 120 /* seconds */

static struct run *attempt;
static time_t deadline;

static bool fails(void)
{
	return time(NULL) < deadline && !run_steps(attempt);
}

/* What comes after the step, or the steps, that failed is of no use. */
static void cut(struct run *run)
{
	u32 nr = batch_size(&run->step[run->done], run->nr_steps - run->done);

	run->nr_steps = run->done + nr;
}

/* Without steps [from, from + nr). */
static bool fails_without(struct run *run, u32 from, u32 nr)
{
	*attempt = (struct run){ .kind = run->kind, .nr_steps = run->nr_steps - nr };
	memcpy(attempt->step, run->step, from * sizeof(run->step[0]));
	memcpy(&attempt->step[from], &run->step[from + nr],
	       (run->nr_steps - from - nr) * sizeof(run->step[0]));
	if (!fails())
		return false;
	cut(attempt);
	memcpy(run, attempt, sizeof(*run));
	return true;
}

/* Simpler ways to say a step. */
static bool fails_with(struct run *run, u32 n, const struct step *s)
{
	/* Padding that differs costs an attempt, no more. NOLINTNEXTLINE */
	if (!memcmp(&run->step[n], s, sizeof(*s)))
		return false;
	memcpy(attempt, run, sizeof(*run));
	attempt->step[n] = *s;
	if (!fails())
		return false;
	cut(attempt);
	memcpy(run, attempt, sizeof(*run));
	return true;
}

static void simplify(struct run *run, u32 n)
{
	struct step s = run->step[n];

	s.with_next = false;
	s.schedule = 0;
	fails_with(run, n, &s);
	for (u32 i = 0; i < 4 && n < run->nr_steps; i++) {
		s = run->step[n];
		if (s.cpu <= i)
			break;
		s.cpu = (u8)i;
		if (fails_with(run, n, &s))
			break;
	}
	for (u32 i = 1; i < 6 && n < run->nr_steps; i++) {
		s = run->step[n];
		if (s.x[i] < 2)
			continue;
		s.x[i] = 0;
		if (!fails_with(run, n, &s) && n < run->nr_steps) {
			s.x[i] = 1;
			fails_with(run, n, &s);
		}
	}
}

void shrink(struct run *run)
{
	bool better = true;

	if (!attempt)
		attempt = new_run();
	run->seed = 0;
	deadline = time(NULL) + PATIENCE;
	while (better) {
		better = false;
		for (u32 chunk = run->nr_steps / 2; chunk; chunk /= 2)
			for (u32 at = 0; at + chunk <= run->nr_steps;)
				if (fails_without(run, at, chunk))
					better = true;
				else
					at += chunk;
	}
	for (u32 n = 0; n < run->nr_steps; n++)
		simplify(run, n);
}
