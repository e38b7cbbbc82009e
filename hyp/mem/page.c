// SPDX-License-Identifier: GPL-2.0-only
#include "mem/page.h"

#include "arch/layout.h"

struct mem_lock mem_lock;
u64 page_nr_hyp;

static struct stockade_range page_ram[STOCKADE_MAX_RAM]; /* constant after page_init() */
static unsigned int page_nr_ram;

static struct page *entry(pa_t pa)
{
	return hyp_array_va(pa);
}

void page_init(const struct stockade_range *ram, unsigned int nr)
{
	page_nr_ram = nr;
	for (unsigned int i = 0; i < nr; i++) {
		page_ram[i] = ram[i];
		for (pa_t pa = ram[i].base; pa < ram[i].base + ram[i].size; pa += PAGE_SIZE)
			*entry(pa) = (struct page){ .state = PAGE_HOST };
	}
}

const struct stockade_range *page_ram_range(unsigned int n)
{
	return n < page_nr_ram ? &page_ram[n] : NULL;
}

const struct stockade_range *page_ram_range_above(pa_t pa)
{
	unsigned int low = 0, high = page_nr_ram;

	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (page_ram[mid].base + page_ram[mid].size > pa)
			high = mid;
		else
			low = mid + 1;
	}
	return page_ram_range(low);
}

bool page_is_ram(pa_t pa, u64 size)
{
	const struct stockade_range *range = page_ram_range_above(pa);

	return range && pa >= range->base && size <= range->base + range->size - pa;
}

bool page_meets_ram(pa_t pa, u64 size)
{
	const struct stockade_range *range = page_ram_range_above(pa);

	return range && (pa >= range->base || size > range->base - pa);
}
