/* SPDX-License-Identifier: GPL-2.0-only */
/* The device tree that the guest is given. */
#ifndef VMM_FDT_H
#define VMM_FDT_H

#include <stddef.h>
#include <stdint.h>

#define FDT_SEED_SIZE 64

struct fdt_config {
	uint64_t ram_base;
	uint64_t ram_size;
	unsigned int nr_cpus;
	const char *cmdline;   /* NULL: none */
	uint64_t initrd_start; /* == initrd_end: there is none */
	uint64_t initrd_end;
	uint8_t seed[FDT_SEED_SIZE]; /* for rng-seed */
	uint64_t kaslr_seed;
};

/* The affinity that KVM gives to a vCPU: Aff0 has 16 values, the others 256. */
uint64_t fdt_mpidr(unsigned int cpu);

/* Build it in buf. Returns 0 or a negative libfdt error (say it with fdt_strerror). */
int fdt_build(void *buf, size_t size, const struct fdt_config *cfg);

#endif
