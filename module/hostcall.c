// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hostcalls that run short of memory: the hypervisor allocates nothing by itself.
 */
#include "stockade.h"

#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "hostcall.h"
#include "launch.h"

/*
 * Each round makes the pool larger, so a call that goes on asking is broken; these bounds only keep
 * such a bug from eating the host's memory.
 */
#define MAX_ROUNDS 64
#define MAX_PAGES  1024

/*
 * Contiguous, because each page that leaves the host by itself may cost the pool two tables (one that
 * splits the host's block, one that maps the page at EL2), which is more than it brings.
 */
#define HYP_ORDER 4
#define VM_PAGES  4

static struct page *get_pages(gfp_t gfp, unsigned int *order)
{
	struct page *page = alloc_pages(gfp | __GFP_NOWARN, *order);

	if (page)
		return page;
	*order = 0;
	return alloc_page(gfp);
}

/* Stays until unload, for all VMs: on nobody's account. */
static int give_hyp(void)
{
	unsigned int order = HYP_ORDER;
	struct page *page = get_pages(GFP_KERNEL, &order);
	int err;

	if (!page)
		return -ENOMEM;
	err = stockade_hc_pool_topup(page_to_pfn(page), 1 << order);
	if (err) {
		__free_pages(page, order);
		return err;
	}
	stockade_pool_page_given(page, order);
	return 1 << order;
}

/*
 * Comes back page by page (VM_RECLAIM_TABLE). One table is wanted for the next 2 MiB, and soon for those after it; more
 * by the first page of a VM, of which there may be many that stay small.
 */
static int give_vm(u32 handle, u64 wanted)
{
	unsigned int nr = wanted == 1 ? VM_PAGES : min_t(u64, wanted, VM_PAGES);
	unsigned int order = order_base_2(nr), i;
	struct page *page = get_pages(GFP_KERNEL_ACCOUNT, &order);
	int err;

	if (!page)
		return -ENOMEM;
	split_page(page, order);
	for (i = nr; i < 1 << order; i++)
		__free_page(page + i);
	nr = min_t(unsigned int, nr, 1 << order);
	err = stockade_call_topup(handle, &(struct stockade_result){}, STOCKADE_HC_VM_TOPUP, handle,
				  page_to_pfn(page), nr, 0);
	if (err) {
		for (i = 0; i < nr; i++)
			__free_page(page + i);
		return err;
	}
	return nr;
}

int stockade_vm_give(u32 handle, u64 pages)
{
	s64 wanted = pages;

	if (pages > MAX_PAGES)
		return -ENOMEM;
	while (wanted > 0) {
		int given = give_vm(handle, wanted);

		if (given < 0)
			return given;
		wanted -= given;
	}
	return 0;
}

int stockade_call_topup(u32 handle, struct stockade_result *res, u64 id, u64 a1, u64 a2, u64 a3,
			u64 a4)
{
	unsigned int round;

	for (round = 0; round < MAX_ROUNDS; round++) {
		s64 status, wanted;
		u64 pool;

		status = stockade_hostcall(id, a1, a2, a3, a4, 0, res);
		if (status != STOCKADE_ENOMEM)
			return stockade_errno(status);
		wanted = res->x1;
		pool = res->x2;
		if (wanted <= 0 || wanted > MAX_PAGES)
			return -ENOMEM;
		while (wanted > 0) {
			int given = pool == STOCKADE_POOL_VM ? give_vm(handle, wanted) : give_hyp();

			if (given < 0)
				return given;
			wanted -= given;
		}
		cond_resched();
	}
	return -ENOMEM;
}
