// SPDX-License-Identifier: GPL-2.0-only
/*
 * What starts the hypervisor: the image's header, as the loader checks it; what the loader hands over, as the
 * hypervisor checks it; and launches with any layout of RAM, page array, pool and CPUs that a loader may choose. A
 * launch succeeds or wants memory, and touches nothing that it was not given.
 */
#include <stdlib.h>
#include <string.h>

#include <stockade/launch_check.h>

#include "arch/esr.h"
#include "arch/launch.h"
#include "arch/layout.h"
#include "fuzz.h"
#include "mem/host_map.h"
#include "mem/hyp_map.h"

#define MAX_RAM	    8 /* of struct fake_config */
#define IMAGE_PAGES 6 /* of tests/fake/launch.c */

static void header(struct fuzz_input *in)
{
	size_t size = in->left;
	struct stockade_image *copy = malloc(size + !size);

	memcpy(copy, in->at, size);
	if (stockade_image_is_good(copy, size)) {
		/* Nothing that the loader does by it goes beyond the file or the memory. */
		if (size < 24 || copy->file_size > size || copy->mem_size < copy->file_size ||
		    copy->mem_size & 4095 || copy->entry >= copy->file_size || copy->entry < 24 ||
		    copy->magic != STOCKADE_IMAGE_MAGIC)
			abort();
	}
	free(copy);
}

static void arguments(struct fuzz_input *in)
{
	static struct stockade_launch launch;

	memset(&launch, 0, sizeof(launch));
	launch.abi_version = STOCKADE_ABI_VERSION + (u32)(fuzz_take(in, 1) == 1);
	launch.nr_cpus = (u32)fuzz_number(in);
	launch.nr_ram = (u32)fuzz_number(in);
	launch.nr_array = (u32)fuzz_number(in);
	launch.nr_pool = (u32)fuzz_number(in);
	launch.vtimer_intid = (u32)fuzz_number(in);
	launch.flags = (u32)fuzz_number(in);
	if (stockade_launch_is_good(&launch) &&
	    (launch.nr_cpus - 1 >= ARRAY_SIZE(launch.cpu) ||
	     launch.nr_ram - 1 >= ARRAY_SIZE(launch.ram) ||
	     launch.nr_array - 1 >= ARRAY_SIZE(launch.array) ||
	     launch.nr_pool - 1 >= ARRAY_SIZE(launch.pool) || launch.vtimer_intid - 16 >= 16 ||
	     launch.flags > 1 || launch.abi_version != STOCKADE_ABI_VERSION))
		abort();
}

/* --- layouts --- */

static u64 junk; /* what a page is full of, less its address */

/* Ranges in order: the first one holds what tests/fake/launch.c lays out, the others are of any size. */
static void lay_out_ram(struct fuzz_input *in, struct fake_config *config)
{
	static const u64 steps[] = { 0, PAGE_SIZE, BIT(21), BIT(30) };
	pa_t at = FAKE_RAM_BASE;
	u8 nr = 1 + (u8)fuzz_take(in, 1) % MAX_RAM;

	for (unsigned int i = 0; i < nr; i++) {
		u8 how = (u8)fuzz_take(in, 1);
		u64 pages = fuzz_take(in, 1), step = steps[how & 3];

		/* Where the last one ended, a little later, at a block of some level, or before it. */
		at = step > PAGE_SIZE ? ALIGN_UP(at, step) + (how >> 6) * PAGE_SIZE : at + step;
		pages += how & 4 ? 512 : 1;
		if (!i)
			pages += 256;
		if (at + pages * PAGE_SIZE > FAKE_RAM_END)
			break;
		config->ram[i] = (struct stockade_range){ at, pages * PAGE_SIZE };
		config->nr_ram = i + 1;
		at += pages * PAGE_SIZE;
	}
}

/* The array in single pages, in another order. */
static void split_array(u8 how)
{
	struct stockade_launch *l = &fake.launch;
	struct stockade_range pieces[64];
	unsigned int nr = 0;

	for (unsigned int i = 0; i < l->nr_array; i++)
		for (u64 o = 0; o < l->array[i].size && nr < ARRAY_SIZE(pieces); o += PAGE_SIZE)
			pieces[nr++] = (struct stockade_range){ l->array[i].base + o, PAGE_SIZE };
	for (unsigned int i = 0; i < nr; i++)
		l->array[i] = pieces[how & 1 ? nr - 1 - i : i];
	l->nr_array = nr;
}

/* The second piece of the pool in pieces of 1, 2, ... pages; some of them are not given at all. */
static void split_pool(u8 how)
{
	struct stockade_launch *l = &fake.launch;
	struct stockade_range rest = l->pool[1];

	l->nr_pool = 1;
	for (u64 n = 1; rest.size && !(how & 4); n++) {
		u64 size = min_u64(n * PAGE_SIZE, rest.size);

		l->pool[l->nr_pool++] = (struct stockade_range){ rest.base, size };
		rest.base += size;
		rest.size -= size;
	}
	/* What is not given is no page of a loader's. */
	fake_fill_with_junk(&rest);
}

/* CPUs' pages at the end of the last range, the log before them, if there is room for both. */
static void move_cpus(void)
{
	struct stockade_launch *l = &fake.launch;
	const struct stockade_range *ram = &l->ram[l->nr_ram - 1];
	pa_t end = ram->base + ram->size;
	u64 need = (l->nr_cpus * STOCKADE_CPU_PAGES + 1) * PAGE_SIZE;

	if (l->nr_ram == 1 || ram->size < need)
		return;
	for (unsigned int i = 0; i < l->nr_cpus; i++) {
		end -= STOCKADE_CPU_PAGES * PAGE_SIZE;
		l->cpu[i].pages = end;
	}
	l->log = end - PAGE_SIZE;
}

static bool within(pa_t pa, pa_t base, u64 size)
{
	return pa >= base && pa - base < size;
}

static bool was_given(pa_t pa)
{
	const struct stockade_launch *l = &fake.launch;
	bool given = within(pa, l->image, IMAGE_PAGES * PAGE_SIZE) || pa == l->log ||
		     within(pa, hyp_pa(launch_args), sizeof(*l));

	for (unsigned int i = 0; i < l->nr_cpus; i++)
		given |= within(pa, l->cpu[i].pages, STOCKADE_CPU_PAGES * PAGE_SIZE);
	for (unsigned int i = 0; i < l->nr_array; i++)
		given |= within(pa, l->array[i].base, l->array[i].size);
	for (unsigned int i = 0; i < l->nr_pool; i++)
		given |= within(pa, l->pool[i].base, l->pool[i].size);
	return given;
}

static void check_rest(void)
{
	for (unsigned int i = 0; i < fake.launch.nr_ram; i++) {
		const struct stockade_range *ram = &fake.launch.ram[i];

		for (pa_t pa = ram->base; pa < ram->base + ram->size; pa += PAGE_SIZE) {
			const u64 *word = fake_ram(pa);

			if ((word[0] != junk + pa || word[511] != junk + pa) && !was_given(pa))
				fake_fail("the launch wrote to 0x%lx", pa);
		}
	}
}

/* What is beside RAM is mapped when it is touched, and no RAM with it; the ends of RAM can be given. */
static void use_edges(void)
{
	struct host_regs regs = { 0 };

	for (unsigned int i = 0; i < fake.launch.nr_ram; i++) {
		const struct stockade_range *ram = &fake.launch.ram[i];
		pa_t last = ram->base + ram->size - PAGE_SIZE;
		const pa_t beside[] = { ram->base - PAGE_SIZE, last + PAGE_SIZE };

		for (unsigned int b = 0; b < ARRAY_SIZE(beside); b++) {
			fake.abort = (struct host_abort){ .ipa = beside[b], .ipa_known = true };
			fake.host_esr = FIELD_PUT(ESR_EC, EC_DABT_LOWER);
			host_trap(&regs);
		}
		fuzz_hc(STOCKADE_HC_POOL_TOPUP, ram->base >> PAGE_SHIFT, 1);
		fuzz_hc(STOCKADE_HC_POOL_TOPUP, last >> PAGE_SHIFT, 1);
		fake_check();
	}
}

static void layout(struct fuzz_input *in)
{
	struct fake_config config = { 0 };
	u8 how = (u8)fuzz_take(in, 1);
	int ret;

	config.ipa_bits = 33 + how % 16;
	config.nr_cpus = 1 + (how >> 4) % FAKE_MAX_CPUS;
	config.pool_pages = 1 + fuzz_take(in, 1) % 100;
	how = (u8)fuzz_take(in, 1);
	lay_out_ram(in, &config);
	/* Aligned as host_map_init() wants it, or not. */
	fake_power_on(&config);
	junk = *(u64 *)fake_ram(config.ram[0].base + config.ram[0].size - PAGE_SIZE) -
	       (config.ram[0].base + config.ram[0].size - PAGE_SIZE);
	if (how & 2)
		split_array(how);
	if (how & 8)
		split_pool(how);
	if (how & 16)
		move_cpus();
	ret = fake_launch();
	check_rest();
	if (ret && ret != STOCKADE_ENOMEM)
		fake_fail("launch: %d", ret);
	if (ret)
		return;
	fake_check();
	use_edges();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };

	switch (fuzz_take(&in, 1) % 8) {
	case 0:
		header(&in);
		break;
	case 1:
		arguments(&in);
		break;
	default:
		layout(&in);
	}
	return 0;
}
