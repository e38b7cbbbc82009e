// SPDX-License-Identifier: GPL-2.0-only
/* Values that CMD_PLANT has made (tests/guests/protocol.h): told by their inverse, kept nowhere. */
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "attack.h"
#include "protocol.h"

/* 1 / PLANT_MUL modulo 2^64: each step of Newton's doubles the bits that are right. */
static u64 inverse(void)
{
	u64 x = PLANT_MUL; /* 3 bits */
	unsigned int i;

	for (i = 0; i < 5; i++)
		x *= 2 - PLANT_MUL * x;
	return x;
}

/*
 * Of one seed, anywhere in a few bytes: also the lower half of a value, and what is left of it in MAIR_EL1.
 */
unsigned int count_planted(const void *data, size_t size, u64 seed)
{
	u64 mair = PLANT(seed, PLANT_MAIR);
	unsigned int found = 0;
	size_t i;

	for (i = 0; i + 4 <= size; i += 4) {
		const u32 *half = (const u32 *)data + i / sizeof(*half);
		u64 word = 0;

		found += *half * (u32)inverse() - (u32)seed < PLANT_COUNT;
		if (i + 8 > size)
			continue;
		memcpy(&word, half, 8);
		/* The lower half has matched already; MAIR's has not. */
		found += (word ^ mair) >> 16 == 0;
	}
	return found;
}

/*
 * Values of this and the following seeds, PLANT_COUNT from one to the next, in all of RAM that the kernel can
 * read. Guests' pages are lost to them thereby. Number "expected" is counted by itself.
 */
int find_planted(u64 seed, u64 count, u64 expected, struct seq_buf *out)
{
	u64 mul = inverse(), pfn, pages = 0, lost = 0, found = 0, nr_expected = 0, word;
	unsigned int i;

	for (pfn = 0; pfn < ram_end_pfn; pfn++) {
		const u64 *page = pfn_to_kaddr(pfn);

		if (!pfn_valid(pfn) || !page_is_ram(pfn))
			continue;
		if (copy_from_kernel_nofault(&word, page, sizeof(word))) {
			lost++;
			continue;
		}
		pages++;
		for (i = 0; i < PAGE_SIZE / sizeof(*page); i++) {
			u64 n = READ_ONCE(page[i]) * mul - seed;

			if (likely(n >= count))
				continue;
			if (n == expected)
				nr_expected++;
			else if (found++ < 8)
				seq_buf_printf(out, "vm_%llu_number_%llu 0x%llx\n", n / PLANT_COUNT,
					       n % PLANT_COUNT,
					       (pfn << PAGE_SHIFT) + i * sizeof(*page));
		}
		cond_resched();
	}
	seq_buf_printf(out, "pages %llu\nlost %llu\nfound %llu\nexpected %llu\n", pages, lost,
		       found, nr_expected);
	return 0;
}
