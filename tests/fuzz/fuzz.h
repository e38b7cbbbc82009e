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
/* A small number, one at an edge, or any. */
u64 fuzz_number(struct fuzz_input *in);

/* A launched machine: 4 MiB of RAM at FAKE_RAM_BASE, the hypervisor at its start. */
void fuzz_boot(void (*firmware)(u64 *x));
/*
 * The same with 6 MiB full of junk, FUZZ_BLOCK being a whole block of the host's; pool_pages: of the
 * hypervisor's first pool, 0: as many as usual. For shadow.h.
 */
void fuzz_boot_shadowed(u64 pool_pages);
#define FUZZ_BLOCK (FAKE_RAM_BASE + 0x400000)

/* Calls of the host, by host_trap(). x: x0 to x17, in and out. */
void fuzz_smc(u64 *x);
s64 fuzz_hc_call(const u64 *x);
#define fuzz_hc(...) fuzz_hc_call((u64[6]){ __VA_ARGS__ })
extern u64 fuzz_hc_x1, fuzz_hc_x2;

/* A VM with no vCPU, and pages in its pool; its handle. */
u64 fuzz_make_vm(void);
/* A vCPU for it. Its page is the return value, its run page *run. */
pa_t fuzz_make_vcpu(u64 handle, u64 index, pa_t *run);
/* A page for the hypervisor. */
pa_t fuzz_spare_page(void);
/* Its page of the VM table. */
struct vm *fuzz_vm(u64 handle);
/* Pages that nothing else uses, in turn: they are the host's at first. */
#define FUZZ_NR_PAGES 64
pa_t fuzz_page(unsigned int n);

#endif
