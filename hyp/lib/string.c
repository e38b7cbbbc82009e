// SPDX-License-Identifier: GPL-2.0-only
#include "lib/string.h"

#include "lib/types.h"

void *memset(void *dst, int c, size_t n)
{
	u8 *p = dst;

	while (n--)
		*p++ = (u8)c;
	return dst;
}

void *memcpy(void *dst, const void *src, size_t n)
{
	const u8 *s = src;
	u8 *d = dst;

	while (n--)
		*d++ = *s++;
	return dst;
}
