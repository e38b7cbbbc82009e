// SPDX-License-Identifier: GPL-2.0-only
#include "mem/hyp_map.h"

#include <stockade/hostcall.h>

#include "arch/cache.h"
#include "arch/cpu.h"
#include "arch/layout.h"
#include "arch/table.h"
#include "arch/tlb.h"
#include "lib/panic.h"

struct pool hyp_pool;
struct pgtable hyp_map;

/* Level 3 entries of the window region, one for each CPU. */
static u64 *window_entries;

static bool map_image(const struct hyp_image *image)
{
	u64 va = HYP_IMAGE_BASE;

	return pgtable_map(&hyp_map, va, image->pa, image->text_end, HYP_RX) &&
	       pgtable_map(&hyp_map, va + image->text_end, image->pa + image->text_end,
			   image->rodata_end - image->text_end, HYP_RO) &&
	       pgtable_map(&hyp_map, va + image->rodata_end, image->pa + image->rodata_end,
			   image->end - image->rodata_end, HYP_RW) &&
	       /* The page that turns the MMU on is the image's first. */
	       pgtable_map(&hyp_map, image->pa, image->pa, PAGE_SIZE, HYP_RX);
}

static bool map_cpus(const struct stockade_launch *launch)
{
	for (unsigned int i = 0; i < launch->nr_cpus; i++) {
		pa_t pages = launch->cpu[i].pages;
		u64 stack = HYP_STACK_BASE + (u64)i * HYP_STACK_SLOT + PAGE_SIZE;

		if (!pgtable_map(&hyp_map, HYP_LINEAR_BASE + pages, pages, PAGE_SIZE, HYP_RW) ||
		    !pgtable_map(&hyp_map, stack, pages + PAGE_SIZE, HYP_STACK_SIZE, HYP_RW))
			return false;
	}
	return true;
}

/* The array is virtually sparse: stitch the pieces under the entries of each range of RAM. */
static bool map_array(const struct stockade_launch *launch)
{
	unsigned int piece = 0;
	u64 used = 0, mapped_to = 0;

	for (unsigned int i = 0; i < launch->nr_ram; i++) {
		const struct stockade_range *ram = &launch->ram[i];
		u64 va = ALIGN_DOWN((u64)hyp_array_va(ram->base), PAGE_SIZE);
		u64 end = ALIGN_UP((u64)hyp_array_va(ram->base + ram->size), PAGE_SIZE);

		/* Two ranges may have entries in the same page. */
		va = max_u64(va, mapped_to);
		while (va < end) {
			u64 size;

			if (piece == launch->nr_array)
				return false;
			size = min_u64(end - va, launch->array[piece].size - used);
			if (!pgtable_map(&hyp_map, va, launch->array[piece].base + used, size,
					 HYP_RW))
				return false;
			va += size;
			used += size;
			if (used == launch->array[piece].size) {
				piece++;
				used = 0;
			}
		}
		mapped_to = max_u64(mapped_to, end);
	}
	return true;
}

void hyp_clear(pa_t pa, u64 size)
{
	for (u64 at = 0; at < size; at += PAGE_SIZE)
		clear_page(hyp_va(pa + at));
}

/* One CPU, MMU off: there are no locks yet. */
int hyp_map_init(const struct stockade_launch *launch, const struct hyp_image *image) NO_LOCK_CHECK
{
	pa_t root;

	pool_add_range(&hyp_pool, launch->pool[0].base, launch->pool[0].size);
	root = pool_get(&hyp_pool);
	if (!root)
		return STOCKADE_ENOMEM;
	pgtable_init_hyp(&hyp_map, root, &hyp_pool);

	if (!map_image(image) || !map_cpus(launch) || !map_array(launch))
		return STOCKADE_ENOMEM;
	for (unsigned int i = 0; i < launch->nr_pool; i++)
		if (!pgtable_map(&hyp_map, HYP_LINEAR_BASE + launch->pool[i].base,
				 launch->pool[i].base, launch->pool[i].size, HYP_RW))
			return STOCKADE_ENOMEM;
	if (!pgtable_map(&hyp_map, HYP_LINEAR_BASE + launch->log, launch->log, PAGE_SIZE, HYP_RW))
		return STOCKADE_ENOMEM;

	if (pgtable_missing(&hyp_map, HYP_WINDOW_BASE, 3) > hyp_pool.free)
		return STOCKADE_ENOMEM;
	/* 512 CPUs at the most: one table. Kept by its place in the linear region. */
	window_entries =
		(u64 *)(HYP_LINEAR_BASE + hyp_pa(pgtable_make(&hyp_map, HYP_WINDOW_BASE, 3)));
	return 0;
}

void hyp_map_mmu_is_on(void)
{
	hyp_map.pool = &hyp_pool;
}

static u64 linear_va(pa_t pa)
{
	return HYP_LINEAR_BASE + pa;
}

unsigned int hyp_map_missing(pa_t pa)
{
	return pgtable_missing(&hyp_map, linear_va(pa), 3);
}

void hyp_map_page(pa_t pa)
{
	pgtable_set(&hyp_map, pgtable_make(&hyp_map, linear_va(pa), 3), linear_va(pa),
		    pte_leaf(pa, 3, HYP_RW));
}

void hyp_unmap_page(pa_t pa)
{
	pgtable_set(&hyp_map, pgtable_make(&hyp_map, linear_va(pa), 3), linear_va(pa), 0);
	pgtable_prune(&hyp_map, linear_va(pa));
}

void *window_open(pa_t pa)
{
	u32 cpu = this_cpu()->index;

	hyp_assert(!window_entries[cpu]);
	table_write(&window_entries[cpu], pte_leaf(pa, 3, HYP_RW));
	hyp_table_write_barrier();
	return (void *)(HYP_WINDOW_BASE + (u64)cpu * PAGE_SIZE);
}

void window_close(void)
{
	u32 cpu = this_cpu()->index;

	table_write(&window_entries[cpu], 0);
	/*
	 * Everywhere: another CPU may have walked here by speculation, and would keep what it found (Arm ARM D8.17.1:
	 * a broadcast TLBI, if tables are shared).
	 */
	tlb_flush_hyp(HYP_WINDOW_BASE + (u64)cpu * PAGE_SIZE);
}
