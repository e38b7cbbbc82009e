// SPDX-License-Identifier: GPL-2.0-only
/*
 * Power-on, and launch as hyp/arch/launch.c does it, with what the loader hands over laid out at the
 * start of RAM: image, CPUs, log, page array in odd pieces, pool.
 */
#include <string.h>

#include "arch/launch.h"
#include "arch/layout.h"
#include "fake.h"
#include "host/seal.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "mem/host_map.h"
#include "mem/hyp_map.h"
#include "mem/page.h"
#include "vm/gic.h"

#define IMAGE_PAGES 6
#define JUNK	    0x5afe5afe00000000ull

#define MAX_SECTION (256 * 1024)

/* The hypervisor's objects have their data in sections of these names (tests/unit/hyp/Makefile). */
extern char __start_hyp_bss[], __stop_hyp_bss[];
/* Without sanitizers there may be none that is initialised. */
__attribute__((weak)) extern char __start_hyp_data[], __stop_hyp_data[];

struct stockade_launch *launch_args;

static char at_first[FAKE_SECTIONS][MAX_SECTION];
static bool have_first;
static unsigned int ipa_bits;
static pa_t args; /* where what is handed over lies */

#ifdef FAKE_COVERAGE
void __gcov_dump(void);
void __gcov_reset(void);
#endif

struct fake_section fake_section(unsigned int n)
{
	struct fake_section s = { n ? __start_hyp_data : __start_hyp_bss, 0 };

	s.size = (u64)(n ? __stop_hyp_data : __stop_hyp_bss) - (u64)s.base;
	return s;
}

__attribute__((no_sanitize_address)) void fake_copy_raw(char *to, const char *from, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((volatile char *)to)[i] = from[i];
}

static void data_reset(void)
{
#ifdef FAKE_COVERAGE
	/* The counters are among them. */
	if (have_first) {
		__gcov_dump();
		__gcov_reset();
	}
#endif
	for (unsigned int n = 0; n < FAKE_SECTIONS; n++) {
		struct fake_section s = fake_section(n);

		if (s.size > MAX_SECTION)
			fake_fail("the hypervisor has grown: %zu bytes", s.size);
		if (have_first)
			fake_copy_raw(s.base, at_first[n], s.size);
		else
			fake_copy_raw(at_first[n], s.base, s.size);
	}
	have_first = true;
}

static const struct fake_config standard = {
	/*
	 * The first begins with the hypervisor's pages and has three whole blocks then; the second ends
	 * three pages after a block; the third is small and odd, and its array entries share a page.
	 */
	.ram = { { 0x40000000, 0x800000 }, { 0x41000000, 0x403000 }, { 0x41405000, 0x9000 } },
	.nr_ram = 3,
};

void fake_fill_with_junk(const struct stockade_range *ram)
{
	for (pa_t pa = ram->base; pa < ram->base + ram->size; pa += PAGE_SIZE) {
		u64 *word = fake_ram(pa);

		for (size_t i = 0; i < PAGE_SIZE / 8; i++)
			word[i] = JUNK + pa;
	}
}

void fake_power_on(const struct fake_config *config)
{
	struct stockade_launch *launch = &fake.launch;

	if (!config)
		config = &standard;
	fake_unwatch(NULL);
	fake_arch_reset();
	fake_lock_reset();
	fake_tlb_reset(config->no_junk);
	data_reset();
	launch->abi_version = STOCKADE_ABI_VERSION;
	launch->nr_ram = config->nr_ram ? config->nr_ram : standard.nr_ram;
	memcpy(launch->ram, config->nr_ram ? config->ram : standard.ram,
	       launch->nr_ram * sizeof(launch->ram[0]));
	launch->nr_cpus = config->nr_cpus ? config->nr_cpus : 4;
	launch->vtimer_intid = 27;
	launch->flags = config->flags;
	fake.smc = config->smc;
	ipa_bits = config->ipa_bits ? config->ipa_bits : 40;
	for (unsigned int i = 0; i < launch->nr_ram && !config->no_junk; i++)
		fake_fill_with_junk(&launch->ram[i]);
	fake_plan_launch(config->pool_pages ? config->pool_pages : 64, config->pool1);
}

static struct stockade_range take(pa_t *next, u64 pages)
{
	struct stockade_range range = { *next, pages * PAGE_SIZE };

	*next += range.size;
	return range;
}

void fake_plan_launch(u64 pool_pages, pa_t pool1)
{
	struct stockade_launch *launch = &fake.launch;
	pa_t next = launch->ram[0].base;
	u64 array_pages = 0;

	launch->image = take(&next, IMAGE_PAGES).base;
	for (unsigned int i = 0; i < launch->nr_cpus; i++) {
		/* Affinity 0.0, 0.1, 1.0, 1.1, ... */
		launch->cpu[i].mpidr = (i & 1) | (i >> 1) << 8;
		launch->cpu[i].pages = take(&next, STOCKADE_CPU_PAGES).base;
	}
	launch->log = take(&next, 1).base;
	for (unsigned int i = 0; i < launch->nr_ram; i++)
		array_pages += stockade_array_pages(launch->ram[i].base, launch->ram[i].size);
	/* In three pieces, where there are three pages. */
	launch->nr_array = 0;
	for (u64 piece = array_pages > 2 ? array_pages - 2 : array_pages; array_pages; piece = 1) {
		launch->array[launch->nr_array++] = take(&next, piece);
		array_pages -= piece;
		next += PAGE_SIZE; /* a page of the host's in between */
	}
	launch->pool[0] = take(&next, pool_pages);
	launch->pool[1] = take(pool1 ? &pool1 : &next, 8);
	launch->nr_pool = 2;
	for (unsigned int i = 0; i < launch->nr_array; i++)
		memset(fake_ram(launch->array[i].base), 0, launch->array[i].size);
	for (unsigned int i = 0; i < launch->nr_pool; i++)
		memset(fake_ram(launch->pool[i].base), 0, launch->pool[i].size);
	args = take(&next, ALIGN_UP(sizeof(*launch), PAGE_SIZE) / PAGE_SIZE).base;
}

struct stockade_range launch_image(void)
{
	return (struct stockade_range){ fake.launch.image, IMAGE_PAGES * PAGE_SIZE };
}

unsigned int launch_phys_bits(void)
{
	return ipa_bits;
}

/* What is handed over is read at EL2 until the host is under stage 2. */
static bool map_args(const struct stockade_launch *launch)
{
	memcpy(fake_ram(args), launch, sizeof(*launch));
	launch_args = (struct stockade_launch *)(HYP_LINEAR_BASE + args);
	return pgtable_map(&hyp_map, HYP_LINEAR_BASE + args, args,
			   ALIGN_UP(sizeof(*launch), PAGE_SIZE), HYP_RO);
}

int fake_launch(void)
{
	const struct stockade_launch *launch = &fake.launch;
	struct hyp_image image = {
		.pa = launch->image,
		.text_end = 3 * PAGE_SIZE,
		.rodata_end = 4 * PAGE_SIZE,
		.end = IMAGE_PAGES * PAGE_SIZE,
	};
	int ret = hyp_map_init(launch, &image);

	if (ret)
		return ret;
	if (!map_args(launch))
		return STOCKADE_ENOMEM;
	hyp_linear_base = HYP_LINEAR_BASE;
	hyp_map_mmu_is_on();
	log_init(hyp_va(launch->log));
	page_init(launch->ram, launch->nr_ram);
	cpu_count = launch->nr_cpus;
	for (unsigned int i = 0; i < cpu_count; i++) {
		struct cpu *cpu = hyp_va(launch->cpu[i].pages);

		memset(cpu, 0, PAGE_SIZE);
		cpu->index = i;
		cpu->mpidr = launch->cpu[i].mpidr;
		cpu->power = CPU_ON;
		cpu->launched = true;
		cpu->protected = true;
		fake_add_cpu(cpu);
	}
	panic_init(0);
	guest_arch_init();
	vm_gic_init(launch->vtimer_intid);
	return host_seal();
}

void fake_boot(const struct fake_config *config)
{
	int ret;

	fake_power_on(config);
	ret = fake_launch();
	if (ret)
		fake_fail("launch: %d", ret);
	for (unsigned int i = cpu_count; i--;) {
		fake_cpu(i);
		launch_protect_cpu();
	}
	fake_watch(&hyp_map);
	fake_watch(&host_map);
	fake.nr_ops = 0;
	fake.nr_smcs = 0;
}
