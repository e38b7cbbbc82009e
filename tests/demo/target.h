/* SPDX-License-Identifier: GPL-2.0-only */
/* A process under ptrace(2), made to execute what the attacker likes. */
#ifndef DEMO_TARGET_H
#define DEMO_TARGET_H

#include <linux/ptrace.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define TARGET_MAX_THREADS 16

struct target {
	pid_t pid;
	pid_t tid[TARGET_MAX_THREADS]; /* the first is the process's own; 0: it has ended */
	unsigned int nr_tids;
	pid_t held;    /* target_trace stopped this one */
	uint64_t code; /* where code can be put: the program's entry, of no more use to it */
};

/* Stops all threads. */
void target_freeze(struct target *t, pid_t pid);
/* Lets them go on as if nothing had happened. */
void target_thaw(struct target *t);

/* What an injected instruction did; x[] are the registers before and after. */
struct target_result {
	int signal;	  /* 0: it went well */
	uint64_t address; /* that the signal is about */
	uint64_t x[8];
};

/* In the first thread of a frozen target. */
struct target_result target_load(struct target *t, uint64_t address);
struct target_result target_store(struct target *t, uint64_t address, uint64_t val);
/* Returns a negated errno on errors. */
int64_t target_syscall(struct target *t, long nr, uint64_t a0, uint64_t a1, uint64_t a2,
		       uint64_t a3, uint64_t a4, uint64_t a5);
/* write(2) of 1 byte at each address in inout[nr], which then holds what it returned. */
void target_write_each(struct target *t, int fd, uint64_t *inout, size_t nr);
/* Memory below the first thread's stack pointer that may be overwritten. */
uint64_t target_scratch(struct target *t);

void target_poke(struct target *t, uint64_t address, const void *data, size_t len);
void target_peek(struct target *t, uint64_t address, void *data, size_t len);

/* What may be at a system call's start or end. */
typedef bool target_stop_fn(pid_t tid, const struct ptrace_syscall_info *info, void *ctx);

/*
 * Lets a frozen target run until stop() says true to a thread, which is then held there. Returns
 * false if that does not come in time, or the process ends before.
 */
bool target_trace(struct target *t, target_stop_fn *stop, void *ctx, unsigned int seconds);

#endif
