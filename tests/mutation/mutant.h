/* SPDX-License-Identifier: GPL-2.0-only */
/* In every file that mutants.py has put mutants into. */
#ifndef TESTS_MUTATION_MUTANT_H
#define TESTS_MUTATION_MUTANT_H

#define MUTANT_MAX 16384

extern unsigned int mutant_now;
extern unsigned char mutant_met[MUTANT_MAX];

/* Is this the mutant that is tried? */
#define MUTANT(number) (mutant_met[number] = 1, mutant_now == (number))

#endif
