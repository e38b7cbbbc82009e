/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HYP_LIB_STRING_H
#define HYP_LIB_STRING_H

#include <stddef.h>

/* The compiler calls these by itself; the C library's meaning. */
void *memset(void *dst, int c, size_t n);
void *memcpy(void *dst, const void *src, size_t n);

#endif
