// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

#include "../../../vmm/image.h"
#include "../../../vmm/layout.h"
#include "../../../vmm/msg.h"

#define RAM_SIZE (64 * MIB)

static void make_header(uint8_t h[64], uint64_t text_offset, uint64_t image_size, uint64_t flags)
{
	uint64_t v;

	memset(h, 0, 64);
	v = htole64(text_offset);
	memcpy(h + 8, &v, 8);
	v = htole64(image_size);
	memcpy(h + 16, &v, 8);
	v = htole64(flags);
	memcpy(h + 24, &v, 8);
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): a magic number. */
	memcpy(h + 56, "ARMd", 4);
}

static void header_is_read(void **state)
{
	struct image_header hdr;
	uint8_t h[64];

	(void)state;
	make_header(h, 0x80000, 0x123000, 0xa);
	assert_null(image_check(h, sizeof(h), 0x100000, &hdr));
	assert_int_equal(hdr.text_offset, 0x80000);
	assert_int_equal(hdr.image_size, 0x123000);
}

static void other_files_are_named(void **state)
{
	static const struct {
		const char *head, *says;
	} files[] = {
		{ "\x1f\x8b\x08", "gzip" },
		{ "\x28\xb5\x2f\xfd", "zstd" },
		{ "\x7f"
		  "ELF\x02",
		  "ELF" },
		{ "MZ\x40\xfazimg", "zboot" },
		{ "#!/bin/sh", "no arm64" },
		{ "", "no arm64" },
	};
	struct image_header hdr;
	uint8_t h[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const char *wrong;

		memset(h, 0, sizeof(h));
		memcpy(h, files[i].head, strlen(files[i].head));
		wrong = image_check(h, sizeof(h), 4096, &hdr);
		assert_non_null(wrong);
		assert_non_null(strstr(wrong, files[i].says));
	}
}

/* Every length up to the header's: no byte behind the end is looked at (ASan sees). */
static void short_files_are_refused(void **state)
{
	struct image_header hdr;
	uint8_t h[64];
	size_t len;

	(void)state;
	make_header(h, 0, 4096, 0xa);
	for (len = 0; len < 64; len++) {
		uint8_t *copy = malloc(len + !len);

		memcpy(copy, h, len);
		assert_non_null(image_check(copy, len, len, &hdr));
		free(copy);
	}
}

static void hostile_headers_are_refused(void **state)
{
	static const uint64_t v[][3] = {
		{ 0, 0, 0xa },	  /* no image_size */
		{ 0, 4096, 0xb }, /* big endian */
		{ ~0ull, 4096, 0xa },	{ 1ull << 63, 4096, 0xa }, { 0, ~0ull, 0xa },
		{ 0, 1ull << 63, 0xa }, { 8, 4096, 0xa }, /* text_offset that is no multiple of a page */
	};
	struct image_header hdr;
	uint8_t h[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		make_header(h, v[i][0], v[i][1], v[i][2]);
		assert_non_null(image_check(h, sizeof(h), 4096, &hdr));
	}
}

/* Whatever the sizes: either refused, or all three lie in RAM, aligned, and do not overlap. */
static void placement_never_leaves_ram(void **state)
{
	static const uint64_t sizes[] = {
		1,
		4096,
		4097,
		SZ_2M - 1,
		SZ_2M,
		SZ_2M + 1,
		30 * MIB,
		RAM_SIZE - 4 * MIB,
		RAM_SIZE - 2 * MIB,
		RAM_SIZE - 1,
		RAM_SIZE,
		RAM_SIZE + 1,
		1ull << 47,
		1ull << 48,
		1ull << 63,
		~0ull - 4096,
		~0ull,
	};
	const size_t nr = sizeof(sizes) / sizeof(sizes[0]);
	size_t a, b, c, d, good = 0;

	(void)state;
	for (a = 0; a < nr; a++)
		for (b = 0; b < nr; b++)
			for (c = 0; c < nr; c++)
				for (d = 0; d < nr; d++) {
					struct image_header hdr = { .text_offset = sizes[a],
								    .image_size = sizes[b] };
					struct image_layout at;

					if (image_place(&hdr, sizes[c], sizes[d], RAM_BASE,
							RAM_SIZE, &at))
						continue;
					good++;
					assert_int_equal(at.entry, RAM_BASE + sizes[a]);
					assert_true(at.dtb % SZ_2M == 0 &&
						    at.initrd_start % SZ_2M == 0);
					assert_true(at.entry + sizes[b] <= at.dtb);
					assert_true(at.entry + sizes[c] <= at.dtb);
					assert_true(at.dtb + DTB_SPACE <= at.initrd_start);
					assert_int_equal(at.initrd_end - at.initrd_start, sizes[d]);
					assert_true(at.initrd_end <= RAM_BASE + RAM_SIZE);
				}
	assert_true(good > 0);
}

static void files_are_loaded(void **state)
{
	char kernel[] = "/tmp/vmm-image-XXXXXX", initrd[] = "/tmp/vmm-initrd-XXXXXX";
	struct guest_ram ram = { .gpa = RAM_BASE, .size = RAM_SIZE };
	int kfd = mkstemp(kernel), ifd = mkstemp(initrd);
	struct image_layout at;
	uint8_t h[64];

	(void)state;
	msg_level = MSG_QUIET;
	ram.hva = calloc(1, RAM_SIZE);
	make_header(h, 0, 3 * MIB, 0xa);
	assert_int_equal(write(kfd, h, 64), 64);
	assert_int_equal(write(ifd, "initrd", 6), 6);
	assert_int_equal(image_load(kernel, initrd, &ram, &at), 0);
	assert_memory_equal(ram.hva, h, 64);
	assert_memory_equal((uint8_t *)ram.hva + (at.initrd_start - RAM_BASE), "initrd", 6);
	assert_int_equal(at.initrd_end - at.initrd_start, 6);
	assert_int_equal(image_load(kernel, NULL, &ram, &at), 0);
	assert_int_equal(at.initrd_end, at.initrd_start);

	/* What cannot be loaded; stderr says why. */
	assert_int_equal(image_load("/nonexistent", NULL, &ram, &at), -1);
	assert_int_equal(image_load("/tmp", NULL, &ram, &at), -1);
	assert_int_equal(image_load("/dev/zero", NULL, &ram, &at), -1);
	assert_int_equal(image_load(kernel, "/nonexistent", &ram, &at), -1);
	assert_int_equal(image_load(initrd, NULL, &ram, &at), -1);
	assert_int_equal(ftruncate(ifd, (off_t)1 << 40), 0);
	assert_int_equal(image_load(kernel, initrd, &ram, &at), -1);
	assert_int_equal(ftruncate(kfd, 0), 0);
	assert_int_equal(image_load(kernel, NULL, &ram, &at), -1);
	close(kfd);
	close(ifd);
	unlink(kernel);
	unlink(initrd);
	free(ram.hva);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_is_read),
		cmocka_unit_test(other_files_are_named),
		cmocka_unit_test(short_files_are_refused),
		cmocka_unit_test(hostile_headers_are_refused),
		cmocka_unit_test(placement_never_leaves_ram),
		cmocka_unit_test(files_are_loaded),
	};

	return cmocka_run_group_tests_name("vmm-image", tests, NULL, NULL);
}
