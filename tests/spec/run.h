/* SPDX-License-Identifier: GPL-2.0-only */
/* A machine, a model, and steps done to both. */
#ifndef TESTS_SPEC_RUN_H
#define TESTS_SPEC_RUN_H

#include "model.h"

#define MAX_STEPS 20000
#define MAX_NAMES 128 /* of calls */
#define MAX_CODES 32  /* answers of one call */

/* Shared with the process that runs it: a run may end in any way. */
struct run {
	u64 kind; /* of machine */
	u64 seed; /* of the generator; 0: the steps are given */
	u32 nr_steps;
	struct step step[MAX_STEPS];

	/* What came of it. */
	u32 done; /* the step that failed; or all */
	bool failed;
	char why[1024];
};

/* How often each call gave each answer. */
struct tally {
	u64 together;	/* steps at the same time as others */
	u64 threads;	/* of those, by real threads */
	u64 exceptions; /* of batches, explained only by an exception */
	u32 nr;
	struct {
		char name[32];
		u32 nr;
		struct {
			char name[24];
			u64 count;
		} answer[MAX_CODES];
	} call[MAX_NAMES];
};

/* In a process of its own. False: run->why says why. */
bool run_steps(struct run *run);
extern struct tally *tally;

struct run *new_run(void);
/* The fewest and simplest steps that fail, in place. */
void shrink(struct run *run);

/* As C, for a file of cases/. */
void print_case(const struct run *run, const char *name);
const char *call_name(const struct step *s);
const char *answer_name(const struct step *s, const struct outcome *o);

void tally_add(const char *call, const char *answer);
void tally_print(void);
/* Prints what the model can answer and never did. Returns how many calls never had success. */
u32 tally_gaps(void);

/* --- cases/ --- */

struct spec_case {
	const char *name;
	u64 kind;
	const struct step *step;
	u32 nr_steps;
	struct spec_case *next;
};

void add_case(struct spec_case *c);

#define SPEC_CASE(case_name, case_kind, ...)                                          \
	static const struct step steps_##case_name[] = { __VA_ARGS__ };               \
	static struct spec_case case_##case_name = {                                  \
		.name = #case_name,                                                   \
		.kind = case_kind,                                                    \
		.step = steps_##case_name,                                            \
		.nr_steps = sizeof(steps_##case_name) / sizeof(steps_##case_name[0]), \
	};                                                                            \
	__attribute__((constructor)) static void add_##case_name(void)                \
	{                                                                             \
		add_case(&case_##case_name);                                          \
	}                                                                             \
	_Static_assert(sizeof(steps_##case_name), "a case has steps")

#endif
