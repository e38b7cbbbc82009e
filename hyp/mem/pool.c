// SPDX-License-Identifier: GPL-2.0-only
#include "mem/pool.h"

#include "arch/layout.h"
#include "arch/table.h"
#include "lib/panic.h"

void pool_add_range(struct pool *pool, pa_t base, u64 size)
{
	/* What is left of the range before goes to the list. */
	while (pool->next < pool->end) {
		pool->free--;
		pool_put(pool, pool->next);
		pool->next += PAGE_SIZE;
	}
	pool->next = base;
	pool->end = base + size;
	pool->free += size / PAGE_SIZE;
}

void pool_put(struct pool *pool, pa_t page)
{
	table_write(hyp_va(page), pool->head);
	pool->head = page;
	pool->free++;
}

pa_t pool_get(struct pool *pool)
{
	pa_t page = pool->head;

	if (!pool->free)
		return 0;
	pool->free--;
	if (page) {
		pool->head = *(pa_t *)hyp_va(page);
		table_write(hyp_va(page), 0);
		return page;
	}
	page = pool->next;
	pool->next += PAGE_SIZE;
	return page;
}

void pool_reserve(struct pool *pool, u64 n)
{
	hyp_assert(pool->free >= n);
	pool->free -= n;
	pool->reserved += n;
}

void pool_unreserve(struct pool *pool, u64 n)
{
	hyp_assert(pool->reserved >= n);
	pool->reserved -= n;
	pool->free += n;
}
