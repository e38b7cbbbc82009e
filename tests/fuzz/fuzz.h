/* SPDX-License-Identifier: GPL-2.0-only */
/* What the fuzzers have in common: input in pieces, and a hostile host on the fake machine (tests/fake). */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "fake.h"
#include "lib/types.h"

/* What is left of the input. Behind its end all is zero. */
struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

u64 fuzz_take(struct fuzz_input *in, unsigned int bytes);
bool fuzz_more(const struct fuzz_input *in);

/* A launched machine: 4 MiB of RAM at FAKE_RAM_BASE, the hypervisor at its start. */
void fuzz_boot(void (*firmware)(u64 *x));

/* Calls of the host, by host_trap(). x: x0 to x17, in and out. */
void fuzz_smc(u64 *x);
s64 fuzz_hc_call(const u64 *x);
#define fuzz_hc(...) fuzz_hc_call((u64[6]){ __VA_ARGS__ })
extern u64 fuzz_hc_x1;

/* A VM with no vCPU, and pages in its pool; its handle. */
u64 fuzz_make_vm(void);
/* Pages that nothing else uses, in turn: they are the host's at first. */
#define FUZZ_NR_PAGES 64
pa_t fuzz_page(unsigned int n);

#endif
