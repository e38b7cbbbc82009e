/* SPDX-License-Identifier: GPL-2.0-only */
/* Several CPUs at the same time. */
#ifndef TESTS_SPEC_BATCH_H
#define TESTS_SPEC_BATCH_H

#include "model.h"

/* How many of the steps at s, of nr, are one batch: all on different CPUs, all but the last with_next. */
u32 batch_size(const struct step *s, u32 nr);
/*
 * Do them, interleaved at lock boundaries as the first one's schedule says. The results and all state must be those
 * of some order. NULL, and m is the state after it; else what is wrong.
 */
const char *batch_run(struct model *m, const struct step *s, u32 nr, struct outcome *outcomes);

/* Orders that were found only by one of the exceptions (docs/verification.md). */
extern u64 batch_exceptions;

#endif
