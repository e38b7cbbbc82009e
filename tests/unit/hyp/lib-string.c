// SPDX-License-Identifier: GPL-2.0-only
#include "hyptest.h"

/* hyp/lib/string.c's, under names of their own (Makefile). */
void *hyp_memset(void *dst, int c, size_t n);
void *hyp_memcpy(void *dst, const void *src, size_t n);

/* Exactly n bytes are set, or copied; the destination is returned. */
static void sizes(void)
{
	u8 from[80], to[80];

	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = (u8)(i + 1);
	for (size_t n = 0; n < 64; n++) {
		memset(to, 0xee, sizeof(to));
		assert_ptr_equal(hyp_memcpy(to + 3, from + 1, n), to + 3);
		for (size_t i = 0; i < sizeof(to); i++)
			assert_int_equal(to[i], i < 3 || i >= 3 + n ? 0xee : from[1 + i - 3]);
		assert_ptr_equal(hyp_memset(to + 3, 0x1ab, n), to + 3);
		for (size_t i = 0; i < sizeof(to); i++)
			assert_int_equal(to[i], i < 3 || i >= 3 + n ? 0xee : 0xab);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bare_test(sizes),
	};

	return RUN("hyp-lib-string", tests);
}
