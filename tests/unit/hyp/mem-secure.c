// SPDX-License-Identifier: GPL-2.0-only
/* Pages that are shared with the secure world: hyp/mem/secure.c. */
#include "mem/secure.h"

#include "hyptest.h"

static struct secure_list list;

static void assert_states(pa_t pa, u64 nr, enum page_state state)
{
	for (u64 i = 0; i < nr; i++)
		assert_state(pa + i * PAGE_SIZE, state);
}

/* Ranges become shared, and are taken back from the last one on; the host has them all the time. */
static void last_in_first_out(void)
{
	list.head = SECURE_LIST_EMPTY;
	assert_ret(host_share_secure(&list, 0x41100000, 3), 0);
	assert_ret(host_share_secure(&list, 0x41000000, 2), 0);
	assert_ret(host_share_secure(&list, 0x41405000, 9), 0);
	assert_states(0x41405000, 9, PAGE_HOST_SECURE);
	fake_check();
	host_unshare_secure(&list, 9);
	assert_states(0x41405000, 9, PAGE_HOST);
	assert_states(0x41000000, 2, PAGE_HOST_SECURE);
	host_unshare_secure(&list, 1);
	assert_state(0x41000000, PAGE_HOST_SECURE);
	assert_state(0x41001000, PAGE_HOST);
	host_unshare_secure(&list, 0);
	host_unshare_secure(&list, ~0ull);
	assert_states(0x41000000, 2, PAGE_HOST);
	assert_states(0x41100000, 3, PAGE_HOST);
	assert_int_equal(list.head, SECURE_LIST_EMPTY);
	/* Of an empty list: nothing. */
	assert_refused((host_unshare_secure(&list, 5), 0), 0);
}

/* Lists don't mix. */
static void two_lists(void)
{
	struct secure_list other = { SECURE_LIST_EMPTY };

	list.head = SECURE_LIST_EMPTY;
	for (u64 i = 0; i < 10; i++)
		assert_ret(host_share_secure(i & 1 ? &other : &list, 0x41100000 + i * PAGE_SIZE, 1),
			   0);
	host_unshare_secure(&list, ~0ull);
	for (u64 i = 0; i < 10; i++)
		assert_state(0x41100000 + i * PAGE_SIZE, i & 1 ? PAGE_HOST_SECURE : PAGE_HOST);
	host_unshare_secure(&other, ~0ull);
	assert_states(0x41100000, 10, PAGE_HOST);
}

/* Guards host_share_secure(): each part of its first condition. */
static void no_ram(void)
{
	static const struct {
		pa_t pa;
		u64 nr;
	} bad[] = {
		{ 0x41100000, 0 },
		{ 0x41100001, 1 },
		{ 0x41100800, 1 },
		{ 0x407ff000, 2 },
		{ 0x40800000, 1 },
		{ 0x41402000, 2 },
		{ 0x41404000, 2 },
		{ 0, 1 },
		{ ~0ull, 1 },
		{ ~PAGE_SIZE + 1, 1 },
		{ 0x41100000, 1ull << 52 },	  /* in bytes: 0 */
		{ 0x41100000, (1ull << 52) + 1 }, /* 1 page */
		{ 0x41100000, ~0ull },
		{ 0x41100000 | 1ull << 63, 1 },
		{ 0x41100000 | 1ull << 48, 1 },
	};

	list.head = SECURE_LIST_EMPTY;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_refused(host_share_secure(&list, bad[i].pa, bad[i].nr), STOCKADE_EINVAL);
}

/* One page of another's, at every place of a range: none is shared. Guards share_one(). */
static void pages_of_others(void)
{
	static const enum page_state others[] = { PAGE_HOST_SHARED, PAGE_HOST_SECURE,  PAGE_HYP,
						  PAGE_GUEST,	    PAGE_GUEST_SHARED, PAGE_MOVING };
	pa_t base = 0x41100000;

	list.head = SECURE_LIST_EMPTY;
	assert_ret(host_share_secure(&list, 0x41200000, 1), 0);
	for (size_t s = 0; s < ARRAY_SIZE(others); s++) {
		for (u64 i = 0; i < 5; i++) {
			struct page *page = fake_page(base + i * PAGE_SIZE);

			page->state = others[s];
			assert_refused(host_share_secure(&list, base, 5), STOCKADE_EPERM);
			page->state = PAGE_HOST;
		}
	}
	host_unshare_secure(&list, ~0ull);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(last_in_first_out),
		hyp_test(two_lists),
		hyp_test(no_ram),
		hyp_test(pages_of_others),
	};

	return RUN("hyp-mem-secure", tests);
}
