/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Test Anything Protocol (testanything.org), version 12: one "ok" or "not ok" line per test, plan
 * at the end. Any thread may call these.
 */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include <stdbool.h>
#include <stdint.h>

#define TAP_PRINTF(n) __attribute__((format(printf, n, (n) + 1)))

/* First of all: whoever hangs longer than this many seconds is killed, and that is a failure. */
void tap_begin(unsigned int seconds);

/* ok(condition, "what that shows", ...): returns the condition. */
bool ok(bool pass, const char *what, ...) TAP_PRINTF(2);

/* Equality of numbers; a failure shows both. */
bool is(int64_t got, int64_t want, const char *what, ...) TAP_PRINTF(3);
bool is_hex(uint64_t got, uint64_t want, const char *what, ...) TAP_PRINTF(3);

/* 0, or the errno that a system call failed with; a failure shows both by name. */
bool is_errno(int got, int want, const char *what, ...) TAP_PRINTF(3);

void skip(const char *why, const char *what, ...) TAP_PRINTF(2);
void diag(const char *fmt, ...) TAP_PRINTF(1);

/* The test itself cannot go on. */
void bail(const char *fmt, ...) TAP_PRINTF(1) __attribute__((noreturn));

/* Last of all: prints the plan; "return tap_end();" from main. 0 only if nothing failed. */
int tap_end(void);

#endif
