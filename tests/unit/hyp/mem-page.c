// SPDX-License-Identifier: GPL-2.0-only
#include "hyptest.h"

/* The standard machine's RAM: 0x40000000 + 8 MiB, 0x41000000 + 4 MiB + 3 pages, 0x41405000 + 9 pages. */

/* Nothing outside RAM is RAM: below, in a hole, above, partly, or by wrap-around. */
static void what_is_not_ram_is_refused(void)
{
	assert_false(page_is_ram(0, PAGE_SIZE));
	assert_false(page_is_ram(0x3ffff000, PAGE_SIZE));
	assert_false(page_is_ram(0x3ffff000, 2 * PAGE_SIZE));
	assert_false(page_is_ram(0x407ff000, 2 * PAGE_SIZE));
	assert_false(page_is_ram(0x40800000, PAGE_SIZE));
	assert_false(page_is_ram(0x40fff000, PAGE_SIZE));
	assert_false(page_is_ram(0x41403000, PAGE_SIZE));
	assert_false(page_is_ram(0x41404000, PAGE_SIZE));
	assert_false(page_is_ram(0x4140e000, PAGE_SIZE));
	assert_false(page_is_ram(0x41400000, 0x20000));
	assert_false(page_is_ram(0x40000000, 0x1404000));
	assert_false(page_is_ram(0x40000000, ~0ull));
	assert_false(page_is_ram(0x41000000, 0ull - 0x41000000));
	assert_false(page_is_ram(~0ull, 1));
	assert_false(page_is_ram(~PAGE_SIZE + 1, PAGE_SIZE));
	assert_false(page_is_ram(~PAGE_SIZE + 1, 2 * PAGE_SIZE));
	assert_false(page_is_ram(1ull << 63, PAGE_SIZE));
}

/* Every page of every range is RAM, from the first to the last, and so is a whole range. */
static void all_ram_is_ram(void)
{
	for (unsigned int i = 0; i < fake.launch.nr_ram; i++) {
		const struct stockade_range *ram = &fake.launch.ram[i];

		assert_true(page_is_ram(ram->base, ram->size));
		assert_false(page_is_ram(ram->base, ram->size + 1));
		assert_false(page_is_ram(ram->base, ram->size + PAGE_SIZE));
		for (pa_t pa = ram->base; pa < ram->base + ram->size; pa += PAGE_SIZE) {
			assert_true(page_is_ram(pa, PAGE_SIZE));
			assert_true(page_is_ram(pa, ram->base + ram->size - pa));
			assert_false(page_is_ram(pa, ram->base + ram->size - pa + 1));
		}
	}
}

/* A region meets RAM if one byte of it is RAM, also when it covers a range, or wraps. */
static void meeting_ram_is_seen(void)
{
	assert_true(page_meets_ram(0x40000000, 1));
	assert_true(page_meets_ram(0x3ffff000, PAGE_SIZE + 1));
	assert_false(page_meets_ram(0x3ffff000, PAGE_SIZE));
	assert_true(page_meets_ram(0, GIB + 1));
	assert_false(page_meets_ram(0, GIB));
	assert_true(page_meets_ram(0x407ff000, GIB));
	assert_false(page_meets_ram(0x40800000, 0x800000));
	assert_true(page_meets_ram(0x40800000, 0x800001));
	assert_false(page_meets_ram(0x41403000, 2 * PAGE_SIZE));
	assert_true(page_meets_ram(0x41403000, 2 * PAGE_SIZE + 1));
	assert_true(page_meets_ram(0x4140d000, PAGE_SIZE));
	assert_false(page_meets_ram(0x4140e000, PAGE_SIZE));
	assert_false(page_meets_ram(0x4140e000, ~0ull - 0x4140e000));
	assert_true(page_meets_ram(0, ~0ull));
	assert_false(page_meets_ram(~PAGE_SIZE + 1, PAGE_SIZE));
}

/* The ranges can be asked for by number; there is none beyond the last. */
static void ranges_are_numbered(void)
{
	assert_int_equal(page_ram_range(0)->base, 0x40000000);
	assert_int_equal(page_ram_range(2)->size, 0x9000);
	assert_null(page_ram_range(3));
	assert_null(page_ram_range(~0u));
}

/* Every page is somebody's after launch; two ranges whose entries share a page don't disturb each other. */
static void every_page_has_an_entry(void)
{
	assert_ptr_equal((char *)page_of(0x41405000) - (char *)page_of(0x41402000), (void *)24);
	assert_state(0x41402000, PAGE_HOST);
	assert_state(0x41405000, PAGE_HOST);
	assert_state(0x4140d000, PAGE_HOST);
	/* Between them: no RAM. */
	assert_state(0x41403000, PAGE_NONE);
	assert_state(0x41404000, PAGE_NONE);
}

/* Search among many ranges, with the answer of a plain loop. */
static void many_ranges_are_searched(void)
{
	struct stockade_range ram[STOCKADE_MAX_RAM];

	/* Pages 0x40000 + 4 * i and the next i % 3; the entries lie in the standard machine's array. */
	for (unsigned int i = 0; i < STOCKADE_MAX_RAM; i++)
		ram[i] = (struct stockade_range){ 0x40000000 + i * 4 * PAGE_SIZE,
						  (1 + i % 3) * PAGE_SIZE };
	page_init(ram, STOCKADE_MAX_RAM);
	for (u64 pa = 0x3fff0000; pa < 0x40110000; pa += PAGE_SIZE) {
		for (u64 n = 1; n < 10; n++) {
			bool in = false, meets = false;

			for (unsigned int i = 0; i < STOCKADE_MAX_RAM; i++) {
				u64 end = ram[i].base + ram[i].size;

				in |= pa >= ram[i].base && pa + n * PAGE_SIZE <= end;
				meets |= pa < end && pa + n * PAGE_SIZE > ram[i].base;
			}
			assert_int_equal(page_is_ram(pa, n * PAGE_SIZE), in);
			assert_int_equal(page_meets_ram(pa, n * PAGE_SIZE), meets);
		}
	}
}

/* Without RAM nothing is RAM. */
static void no_range_is_no_ram(void)
{
	page_init(NULL, 0);
	assert_false(page_is_ram(0x40000000, PAGE_SIZE));
	assert_false(page_meets_ram(0, ~0ull));
	assert_null(page_ram_range(0));
}

static void boot_then_many_ranges(void)
{
	fake_boot(NULL);
	many_ranges_are_searched();
	no_range_is_no_ram();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(what_is_not_ram_is_refused), hyp_test(all_ram_is_ram),
		hyp_test(meeting_ram_is_seen),	      hyp_test(ranges_are_numbered),
		hyp_test(every_page_has_an_entry),    bare_test(boot_then_many_ranges),
	};

	return RUN("hyp-mem-page", tests);
}
