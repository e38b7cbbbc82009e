/* SPDX-License-Identifier: GPL-2.0-only */
/* The hostile module (tests/system/attack-module) as seen by the test that commands it. */
#ifndef TESTS_ATTACKCTL_H
#define TESTS_ATTACKCTL_H

#include <stdint.h>

/* Inserts it, if it is not there yet. */
void attack_load(void);
/* Has the module do it; errno, and what it says is in attack_result(). */
int attack(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
const char *attack_result(void);
/* The number that the result gives by this name. */
int64_t got(const char *name);

/* The kernel's log: lines since log_begin that have this text; starts again. */
void log_begin(void);
unsigned int log_count(const char *text);

/* The page frame behind an address of this process's. */
uint64_t frame_of(const void *p);

#endif
