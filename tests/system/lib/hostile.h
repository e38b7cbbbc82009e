/* SPDX-License-Identifier: GPL-2.0-only */
/* The hostile kernel module (attack-module), for root in the host. */
#ifndef TESTS_HOSTILE_H
#define TESTS_HOSTILE_H

#include <stdint.h>

/* /t/attack.ko, once; bails out if it cannot be loaded. */
void hostile_load(void);

/* Has the module do it; 0 or an errno, and what it says is in attack_result. */
int attack(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
extern char attack_result[4096];

/* The number that the result gives by this name. */
int64_t got(const char *name);

#endif
