// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device tree that the command makes: any command line, numbers and room. It is a tree that a reader of
 * trees finds no fault with, and says what was asked; or there was no room for it.
 */
#include <libfdt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../vmm/fdt.h"
#include "../../vmm/image.h"
#include "../../vmm/layout.h"

static uint64_t take(const uint8_t **at, size_t *left, unsigned int bytes)
{
	uint64_t value = 0;

	for (; bytes && *left; bytes--, (*at)++, (*left)--)
		value = value << 8 | **at;
	return value;
}

static void must(int ok)
{
	if (!ok)
		abort();
}

static uint64_t cells(const void *fdt, const char *path, const char *name, int at)
{
	int len = 0;
	const fdt32_t *p = fdt_getprop(fdt, fdt_path_offset(fdt, path), name, &len);

	must(p && len >= at * 4 + 8);
	return (uint64_t)fdt32_to_cpu(p[at]) << 32 | fdt32_to_cpu(p[at + 1]);
}

static void check(const void *fdt, size_t size, const struct fdt_config *cfg)
{
	int chosen = fdt_path_offset(fdt, "/chosen"), cpus = fdt_path_offset(fdt, "/cpus");
	int len = 0, node, nr = 0;
	const void *seed;
	char memory[40];

	must(!fdt_check_full(fdt, size));
	if (cfg->cmdline)
		must(!strcmp(fdt_getprop(fdt, chosen, "bootargs", &len), cfg->cmdline) &&
		     len == (int)strlen(cfg->cmdline) + 1);
	snprintf(memory, sizeof(memory), "/memory@%llx", (unsigned long long)cfg->ram_base);
	must(cells(fdt, memory, "reg", 0) == cfg->ram_base &&
	     cells(fdt, memory, "reg", 2) == cfg->ram_size);
	if (cfg->initrd_end > cfg->initrd_start)
		must(cells(fdt, "/chosen", "linux,initrd-start", 0) == cfg->initrd_start &&
		     cells(fdt, "/chosen", "linux,initrd-end", 0) == cfg->initrd_end);
	else
		must(!fdt_getprop(fdt, chosen, "linux,initrd-start", NULL));
	seed = fdt_getprop(fdt, chosen, "rng-seed", &len);
	must(seed && len == FDT_SEED_SIZE && !memcmp(seed, cfg->seed, FDT_SEED_SIZE));
	fdt_for_each_subnode(node, fdt, cpus)
	{
		const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &len);

		must(reg && fdt32_to_cpu(*reg) == fdt_mpidr((unsigned int)nr++));
	}
	must(nr == (int)cfg->nr_cpus);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fdt_config cfg = { 0 };
	uint8_t how = (uint8_t)take(&data, &size, 1);
	size_t room = how & 1 ? take(&data, &size, 2) : DTB_SPACE;
	char *cmdline;
	void *fdt;
	int err;

	cfg.ram_base = how & 2 ? take(&data, &size, 8) : RAM_BASE;
	cfg.ram_size = take(&data, &size, 8);
	cfg.nr_cpus = (unsigned int)take(&data, &size, 1) % (MAX_CPUS + 1);
	cfg.initrd_start = take(&data, &size, 8);
	cfg.initrd_end = cfg.initrd_start + take(&data, &size, 8);
	for (unsigned int i = 0; i < FDT_SEED_SIZE; i++)
		cfg.seed[i] = (uint8_t)(how + i);
	/* The rest is the command line, up to 64 times. */
	cmdline = malloc(size * 64 + 1);
	for (unsigned int i = 0; i < 64; i++)
		memcpy(cmdline + i * size, data, size);
	cmdline[how & 4 ? size * 64 : size] = 0;
	cfg.cmdline = how & 8 ? NULL : cmdline;
	/* In memory of just this size. */
	fdt = malloc(room + !room);
	err = fdt_build(fdt, room, &cfg);
	if (err != -FDT_ERR_NOSPACE) {
		must(!err);
		check(fdt, room, &cfg);
	}
	free(fdt);
	free(cmdline);
	return 0;
}
