/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What root does to get at a secret, each way written so that it works on any process: a frozen
 * target, and an address in it where the secret is.
 */
#ifndef DEMO_ATTACK_H
#define DEMO_ATTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "secret.h"
#include "target.h"

#define PAGE 4096ul

struct outcome {
	bool got_it;   /* the secret, or what was stored */
	bool refused;  /* an error, a signal, or nothing but zeroes */
	char text[48]; /* what came back */
};

/* By an instruction or a system call of the target itself. */
struct outcome attack_load(struct target *t, uint64_t address);
struct outcome attack_store(struct target *t, uint64_t address);
struct outcome attack_write(struct target *t, uint64_t address);

struct outcome attack_registers_ptrace(struct target *t);
/* By KVM_GET_ONE_REG on each vCPU that the target has. */
struct outcome attack_registers_kvm(struct target *t);

/* By the kernel's own mapping of memory. */
struct outcome attack_proc_mem(struct target *t, uint64_t address);
struct outcome attack_process_vm(struct target *t, uint64_t address);
struct outcome attack_module(struct target *t, uint64_t address);

/* Page frame numbers of a mapping's pages, 0 where there is none. */
void frames_of(pid_t pid, uint64_t address, size_t nr, uint64_t *pfns);

/*
 * Sets those of pfns[nr] to 0 that the target's kernel can read for it: what stays is the guest's.
 * Returns how many that are.
 */
size_t keep_lost_frames(struct target *t, uint64_t address, size_t nr, uint64_t *pfns);

struct search_result {
	uint64_t read, refused, skipped, found[NR_SECRETS];
};

/* Search all memory by the kernel module, but for the frames pfns[nr]. */
struct search_result search_memory(const uint64_t *pfns, size_t nr);

/* How many of pfns[nr] (0: none) are full of zeroes? */
size_t count_zero_frames(const uint64_t *pfns, size_t nr);

#endif
