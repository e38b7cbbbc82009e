/* SPDX-License-Identifier: GPL-2.0-only */
/* Words that every file of the hypervisor uses. */
#ifndef HYP_LIB_TYPES_H
#define HYP_LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

typedef u64 pa_t;  /* physical address; for the host also its IPA: the map is the identity */
typedef u64 ipa_t; /* a guest's intermediate physical address */

#define PAGE_SHIFT 12
#define PAGE_SIZE  (1ull << PAGE_SHIFT)
#define PAGE_MASK  (~(PAGE_SIZE - 1))

#define BIT(n)		   (1ull << (n))
#define GENMASK(h, l)	   ((~0ull >> (63 - (h))) & (~0ull << (l)))
#define FIELD_GET(mask, v) (((v) & (mask)) >> __builtin_ctzll(mask))
#define FIELD_PUT(mask, v) (((u64)(v) << __builtin_ctzll(mask)) & (mask))
#define ARRAY_SIZE(a)	   (sizeof(a) / sizeof((a)[0]))
#define ALIGN_DOWN(x, a)   ((x) & ~((u64)(a)-1))
#define ALIGN_UP(x, a)	   ALIGN_DOWN((x) + (a)-1, a)
#define IS_ALIGNED(x, a)   (((x) & ((u64)(a)-1)) == 0)

/*
 * One load, one store, whole: of what another CPU, the host or a table walker may read or write at the same time. No
 * order with other accesses.
 */
#define READ_ONCE(x)	 __atomic_load_n((const volatile __typeof__(x) *)&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v) __atomic_store_n((volatile __typeof__(x) *)&(x), v, __ATOMIC_RELAXED)

#define unlikely(x) __builtin_expect(!!(x), 0)

static inline u64 min_u64(u64 a, u64 b)
{
	return a < b ? a : b;
}

static inline u64 max_u64(u64 a, u64 b)
{
	return a > b ? a : b;
}

#endif
