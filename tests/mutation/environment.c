// SPDX-License-Identifier: GPL-2.0-only
/* For a program that has a main() of its own (tests/spec): the mutant to try is MUTANT in the environment; 0: none. */
#include <stdlib.h>

#include "mutant.h"

unsigned int mutant_now;
unsigned char mutant_met[MUTANT_MAX];

static __attribute__((constructor)) void choose(void)
{
	const char *number = getenv("MUTANT");

	mutant_now = number ? (unsigned int)strtoul(number, NULL, 10) : 0;
}
