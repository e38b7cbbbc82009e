/* SPDX-License-Identifier: GPL-2.0-only */
/* Random steps: mostly what a host and its guests would do next, sometimes what only a hostile one would. */
#ifndef TESTS_SPEC_GENERATE_H
#define TESTS_SPEC_GENERATE_H

#include "model.h"

struct generator {
	u64 random;
	bool threads; /* CPUs may be */
	/* A call that wants memory, and is repeated when it has got it. */
	struct step repeat;
	bool repeats;
	u32 feeds;
	u64 wanted, wanted_by, fed;
	/* An access that the host's kernel repeats. */
	struct step again;
	u32 times;
	/* What steps at the same time are about, mostly: a VM + 1, a frame. */
	u32 about_vm;
	u64 about_frame;
};

/* One step, or several at the same time; returns how many: max at the most. */
u32 generate(struct generator *g, const struct model *m, struct step *s, u32 max);
/* What came of it. NULL, or why this is never going to end. */
const char *generator_saw(struct generator *g, const struct step *s, const struct outcome *o,
			  const struct choice *c);
u64 random_below(u64 *state, u64 n);

#endif
