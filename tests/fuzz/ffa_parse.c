// SPDX-License-Identifier: GPL-2.0-only
/* The parser of FF-A memory descriptors alone: version, lengths, then the descriptor, in memory of its size. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "host/ffa_mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	u32 version = 0x10000 + (u32)fuzz_take(&in, 1) % 3;
	u32 total = (u32)fuzz_take(&in, 4);
	struct ffa_layout layout;
	u32 fragment = (u32)in.left;
	void *copy;

	if (fragment > PAGE_SIZE)
		return 0;
	copy = malloc(fragment + !fragment);
	memcpy(copy, in.at, fragment);
	if (ffa_mem_parse(copy, fragment, total, version, &layout)) {
		/* All ranges are there, to the end; those of this fragment are whole. */
		if (layout.ranges_offset + (u64)layout.nr_ranges * 16 != total ||
		    !layout.nr_ranges || layout.ranges_offset > fragment ||
		    layout.ranges_offset % 8 || (fragment - layout.ranges_offset) % 16)
			abort();
	}
	free(copy);
	return 0;
}
