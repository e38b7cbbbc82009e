/* SPDX-License-Identifier: GPL-2.0-only */
/* What the spectator reads, and the count of what went as it should. */
#ifndef DEMO_REPORT_H
#define DEMO_REPORT_H

#include <stdbool.h>

void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A numbered heading. */
void step(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* One thing that had to be so: said with "ok" or "FAILED" and counted. Returns ok. */
bool expect(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same for an attack, tried on an ordinary process and on the VM. */
bool expect_attack(bool ok, const char *attack, const char *process, const char *vm);

unsigned int report_failed(void);
unsigned int report_passed(void);

/* The demonstration itself is broken: ends the program. */
void give_up(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
