// SPDX-License-Identifier: GPL-2.0-only
/* The list of RAM, for any address and size. */
#include "mem/page.c"
#include "proof.h"

#define NR_RANGES 5

void *hyp_array_va(pa_t pa)
{
	(void)pa;
	__CPROVER_assert(false, "nobody asks for an entry");
	return NULL;
}

/* As launch.h wants it: sorted, not overlapping, page-aligned, below STOCKADE_MAX_PHYS. Ranges may touch. */
static void any_ranges(void)
{
	u64 end = 0;

	page_nr_ram = (unsigned int)nondet_u64();
	__CPROVER_assume(page_nr_ram <= NR_RANGES);
	for (unsigned int i = 0; i < NR_RANGES; i++) {
		u64 base = nondet_u64() & GENMASK(46, PAGE_SHIFT);
		u64 size = nondet_u64() & GENMASK(46, PAGE_SHIFT);

		__CPROVER_assume(base >= end && size && base + size <= STOCKADE_MAX_PHYS);
		page_ram[i] = (struct stockade_range){ base, size };
		end = base + size;
	}
}

/* Without arithmetic that could overflow. */
static bool is_in(const struct stockade_range *range, u64 pa)
{
	return pa >= range->base && pa < range->base + range->size;
}

static bool all_in_one(pa_t pa, u64 size)
{
	for (unsigned int i = 0; i < NR_RANGES && i < page_nr_ram; i++)
		if (is_in(&page_ram[i], pa) &&
		    (!size || (pa + (size - 1) >= pa && is_in(&page_ram[i], pa + (size - 1)))))
			return true;
	return false;
}

void ram_is_ram(void)
{
	pa_t pa = nondet_u64();
	u64 size = nondet_u64();
	bool is;

	any_ranges();
	is = page_is_ram(pa, size);
	__CPROVER_assert(is == all_in_one(pa, size), "RAM is what one range has");
	reachable(is && size);
	reachable(!is && page_nr_ram == NR_RANGES);
	if (is)
		__CPROVER_assert(size <= STOCKADE_MAX_PHYS && pa < STOCKADE_MAX_PHYS, "no wrap");
}

void ram_meets_ram(void)
{
	pa_t pa = nondet_u64();
	u64 size = nondet_u64(), inside = nondet_u64();
	bool meets;

	any_ranges();
	__CPROVER_assume(size);
	meets = page_meets_ram(pa, size);
	reachable(meets && !page_is_ram(pa, size));
	reachable(!meets);
	/* Some byte of it lies in RAM. */
	__CPROVER_assume(inside >= pa && inside - pa < size);
	for (unsigned int i = 0; i < NR_RANGES && i < page_nr_ram; i++)
		__CPROVER_assert(meets || !is_in(&page_ram[i], inside), "RAM that is met is found");
}
