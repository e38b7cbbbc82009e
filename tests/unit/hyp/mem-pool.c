// SPDX-License-Identifier: GPL-2.0-only
#include "hyptest.h"
#include "mem/pool.h"

#define BASE 0x40200000ull

/* An empty pool gives nothing, however often it is asked. */
static void empty_gives_nothing(void)
{
	struct pool pool = { 0 };

	fake_power_on(NULL);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pool_get(&pool), 0);
	assert_int_equal(pool.free, 0);
}

/* A zeroed range of nr pages after page first. */
static void add(struct pool *pool, u64 first, u64 nr)
{
	memset(fake_ram(BASE + first * PAGE_SIZE), 0, nr * PAGE_SIZE);
	pool_add_range(pool, BASE + first * PAGE_SIZE, nr * PAGE_SIZE);
}

/* A range comes out page by page, still zero, and then there is no more. */
static void a_range_comes_out_zeroed(void)
{
	struct pool pool = { 0 };

	fake_power_on(NULL);
	add(&pool, 0, 5);
	assert_int_equal(pool.free, 5);
	for (u64 i = 0; i < 5; i++) {
		pa_t page = pool_get(&pool);

		assert_int_equal(page, BASE + i * PAGE_SIZE);
		assert_page_is(page, 0);
	}
	assert_int_equal(pool_get(&pool), 0);
}

/* What was put back comes out again, zeroed, before what was never used. */
static void what_is_put_back_comes_out_zeroed(void)
{
	struct pool pool = { 0 };
	pa_t a, b;

	fake_power_on(NULL);
	add(&pool, 0, 4);
	a = pool_get(&pool);
	b = pool_get(&pool);
	pool_put(&pool, a);
	pool_put(&pool, b);
	assert_int_equal(pool.free, 4);
	assert_int_equal(pool_get(&pool), b);
	assert_page_is(b, 0);
	assert_int_equal(pool_get(&pool), a);
	assert_page_is(a, 0);
	assert_int_equal(pool_get(&pool), BASE + 2 * PAGE_SIZE);
}

/* A second range keeps what was left of the first. */
static void a_second_range_keeps_the_first(void)
{
	struct pool pool = { 0 };
	bool seen[8] = { false };

	fake_power_on(NULL);
	add(&pool, 0, 4);
	pool_get(&pool);
	add(&pool, 4, 4);
	assert_int_equal(pool.free, 7);
	for (int i = 0; i < 7; i++) {
		pa_t page = pool_get(&pool);
		u64 n = (page - BASE) / PAGE_SIZE;

		assert_in_range(n, 1, 7);
		assert_false(seen[n]);
		seen[n] = true;
		assert_page_is(page, 0);
	}
	assert_int_equal(pool_get(&pool), 0);
}

/* Reserved pages are not given out, until they are released. */
static void reserved_pages_are_kept(void)
{
	struct pool pool = { 0 };

	fake_power_on(NULL);
	add(&pool, 0, 3);
	pool_reserve(&pool, 2);
	assert_int_equal(pool.free, 1);
	assert_int_not_equal(pool_get(&pool), 0);
	assert_int_equal(pool_get(&pool), 0);
	pool_unreserve(&pool, 1);
	assert_int_not_equal(pool_get(&pool), 0);
	assert_int_equal(pool_get(&pool), 0);
	assert_int_equal(pool.reserved, 1);
}

/* A range that is added while pages are reserved loses nobody's pages. */
static void adding_to_a_reserved_pool(void)
{
	struct pool pool = { 0 };

	fake_power_on(NULL);
	add(&pool, 0, 3);
	pool_reserve(&pool, 3);
	add(&pool, 3, 2);
	assert_int_equal(pool.free, 2);
	assert_int_equal(pool.reserved, 3);
	pool_unreserve(&pool, 3);
	for (int i = 0; i < 5; i++)
		assert_int_not_equal(pool_get(&pool), 0);
	assert_int_equal(pool_get(&pool), 0);
}

/* Reserving what is not there, or releasing what was not reserved, is our own mistake: panic. */
static void reservations_are_checked(void)
{
	struct pool pool = { 0 };

	fake_power_on(NULL);
	add(&pool, 0, 1);
	assert_panics(pool_reserve(&pool, 2));
	pool_reserve(&pool, 1);
	assert_panics(pool_reserve(&pool, 1));
	assert_panics(pool_unreserve(&pool, 2));
	pool_unreserve(&pool, 1);
	assert_panics(pool_unreserve(&pool, 1));
	assert_int_equal(pool.free, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bare_test(empty_gives_nothing),
		bare_test(a_range_comes_out_zeroed),
		bare_test(what_is_put_back_comes_out_zeroed),
		bare_test(a_second_range_keeps_the_first),
		bare_test(reserved_pages_are_kept),
		bare_test(adding_to_a_reserved_pool),
		bare_test(reservations_are_checked),
	};

	return RUN("hyp-mem-pool", tests);
}
