/* SPDX-License-Identifier: GPL-2.0-only */
/* Loads a kernel and an initrd into guest memory. Files are not trusted: all sizes are checked. */
#ifndef VMM_IMAGE_H
#define VMM_IMAGE_H

#include <stddef.h>
#include <stdint.h>

/* Guest memory as the VMM has it mapped; gpa is 2 MiB aligned. */
struct guest_ram {
	void *hva;
	uint64_t gpa;
	uint64_t size;
};

/* Where things were put; all addresses are the guest's. Ranges are half-open. */
struct image_layout {
	uint64_t entry;
	uint64_t dtb;	       /* 2 MiB aligned, DTB_SPACE bytes */
	uint64_t initrd_start; /* == initrd_end: there is none */
	uint64_t initrd_end;
};

#define DTB_SPACE (64u << 10)

/* The fields of an arm64 Image's header that matter (Documentation/arch/arm64/booting.rst). */
struct image_header {
	uint64_t text_offset;
	uint64_t image_size;
};

/*
 * Check the first bytes of a kernel file of file_size bytes. Returns NULL if it is good, else what
 * is wrong with it, in words.
 */
const char *image_check(const void *data, size_t len, uint64_t file_size, struct image_header *hdr);

/* Decide where kernel, DTB and initrd go. Returns NULL, or what is wrong. */
const char *image_place(const struct image_header *hdr, uint64_t file_size, uint64_t initrd_size,
			uint64_t ram_base, uint64_t ram_size, struct image_layout *out);

/* Load both files (initrd may be NULL). Returns 0, or -1 after having said why. */
int image_load(const char *kernel, const char *initrd, const struct guest_ram *ram,
	       struct image_layout *out);

#endif
