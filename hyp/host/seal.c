// SPDX-License-Identifier: GPL-2.0-only
#include "host/seal.h"

#include "arch/launch.h"
#include "arch/layout.h"
#include "host/ffa.h"
#include "host/smc.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "mem/host_map.h"
#include "mem/hyp_map.h"
#include "mem/page.h"

static void own(pa_t base, u64 size) REQUIRES(mem)
{
	for (pa_t pa = base; pa < base + size; pa += PAGE_SIZE) {
		hyp_assert(page_is_ram(pa, PAGE_SIZE));
		*page_of(pa) = (struct page){ .state = PAGE_HYP };
		page_nr_hyp++;
	}
}

static void own_all(const struct stockade_launch *launch) REQUIRES(mem)
{
	struct stockade_range image = launch_image();

	own(image.base, image.size);
	for (unsigned int i = 0; i < launch->nr_cpus; i++)
		own(launch->cpu[i].pages, STOCKADE_CPU_PAGES * PAGE_SIZE);
	for (unsigned int i = 0; i < launch->nr_array; i++)
		own(launch->array[i].base, launch->array[i].size);
	for (unsigned int i = 0; i < launch->nr_pool; i++)
		own(launch->pool[i].base, launch->pool[i].size);
	*page_of(launch->log) = (struct page){ .state = PAGE_HOST_SHARED, .refs = 1 };
}

int host_seal(void)
{
	const struct stockade_launch *launch = launch_args;
	pa_t args = hyp_pa(launch);
	int ret;

	if (host_map.root)
		return STOCKADE_EBUSY;
	ret = ffa_init();
	if (ret)
		return ret;
	smc_init(launch->flags & STOCKADE_LAUNCH_ALLOW_TOS);
	spin_lock(&mem_lock);
	own_all(launch);
	ret = host_map_init(launch_phys_bits());
	if (ret)
		host_map.root = 0; /* not sealed */
	if (!ret) {
		for (unsigned int i = 1; i < launch->nr_pool; i++)
			pool_add_range(&hyp_pool, launch->pool[i].base, launch->pool[i].size);
		for (u64 i = 0; i < sizeof(*launch); i += PAGE_SIZE)
			hyp_unmap_page(args + i);
		log_line("hypervisor of %lu KiB, %u CPUs, host's stage 2 of %u bits",
			 page_nr_hyp * 4, cpu_count, launch_phys_bits());
	}
	spin_unlock(&mem_lock);
	return ret;
}
