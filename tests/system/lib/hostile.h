/* SPDX-License-Identifier: GPL-2.0-only */
/* For tests that have the hostile module (attack-module) do something. */
#ifndef TESTS_HOSTILE_H
#define TESTS_HOSTILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "kvmtest.h"
#include "tap.h"

/* /t/attack.ko, once; bails out if it can't be loaded. */
void hostile_load(void);

/*
 * With it, and in place of the module that is for use the one that checks its invariants (debug.ko), both
 * beside the program. No VM is there.
 */
void hostile_begin(void);

/* Has the module do it; errno, and what it says is kept for got(). */
int attack(const char *fmt, ...) TAP_PRINTF(1);
/* The number that the result gives by this name. */
int64_t got(const char *name);
const char *attack_result(void);

/* The hypervisor finds nothing wrong with itself: with all CPUs stopped, and while they go on. */
void check_invariants(const char *when);

/* Lines of the kernel's log that have this, since log_begin() or the last log_count(). */
void log_begin(void);
unsigned int log_count(const char *text);

bool hyp_alive(void);
uint64_t frame_of(const void *p);

#define VICTIM_AREA   (16 * KT_PAGE)
#define VICTIM_SECRET 0x5ec4e7ull

/* A VM with a secret, and its frame numbers, which the module is told. */
struct victim {
	struct kt_vm vm;
	uint64_t frame[VICTIM_AREA / KT_PAGE];
};
void victim_start(struct victim *v);
bool victim_well(struct victim *v);

/* Another process's VM that works all the time. */
pid_t worker_start(void);
void worker_stop(pid_t pid, const char *what);

#endif
