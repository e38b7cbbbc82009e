/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PROOF_PROOF_H
#define PROOF_PROOF_H

#include "lib/types.h"

u64 nondet_u64(void);
bool nondet_bool(void);

/* Can this be? "run" wants this assertion to fail: so each proof shows that it is about something. */
#define reachable(what) __CPROVER_assert(!(what), "reachable: " #what)

#endif
