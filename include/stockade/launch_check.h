/* SPDX-License-Identifier: GPL-2.0-only */
/* What a loader asks of an image, and an image of what its loader hands over, before either is believed. */
#ifndef STOCKADE_LAUNCH_CHECK_H
#define STOCKADE_LAUNCH_CHECK_H

#ifndef __KERNEL__
#include <stdbool.h>
#include <stddef.h>
#endif

#include <stockade/hostcall.h>
#include <stockade/launch.h>

#define STOCKADE_IMAGE_PAGE 4096u

/* Are `size` bytes at `header` an image of this ABI? Nothing behind them is read. */
static inline bool stockade_image_is_good(const struct stockade_image *header, size_t size)
{
	return size >= sizeof(*header) && header->magic == STOCKADE_IMAGE_MAGIC &&
	       header->abi_version == STOCKADE_ABI_VERSION && header->file_size <= size &&
	       header->entry >= sizeof(*header) && header->entry < header->file_size &&
	       header->mem_size >= header->file_size && !(header->mem_size % STOCKADE_IMAGE_PAGE);
}

/* Do all counts fit their arrays, and are the numbers ones that this ABI knows? Where RAM is, is believed. */
static inline bool stockade_launch_is_good(const struct stockade_launch *launch)
{
	return launch->abi_version == STOCKADE_ABI_VERSION && launch->nr_cpus &&
	       launch->nr_cpus <= STOCKADE_MAX_CPUS && launch->nr_ram &&
	       launch->nr_ram <= STOCKADE_MAX_RAM && launch->nr_array &&
	       launch->nr_array <= STOCKADE_MAX_PIECES && launch->nr_pool &&
	       launch->nr_pool <= STOCKADE_MAX_PIECES && launch->vtimer_intid >= 16 &&
	       launch->vtimer_intid < 32 && !(launch->flags & ~STOCKADE_LAUNCH_FLAGS);
}

#endif
