// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command's loader of kernel and initrd: any header, any sizes, any guest memory. What is loaded lies within
 * guest memory, in places of its own, and is the file; memory behind it stays as it was.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../vmm/image.h"
#include "../../vmm/layout.h"
#include "../../vmm/msg.h"

#define MAX_RAM	   (16 * MIB)
#define GUARD	   (2 * MIB)
#define GUARD_BYTE 0xa5

/* What the sizes of files and memory are made of: a byte each. */
static uint64_t any_size(uint8_t n)
{
	static const uint64_t edges[] = { 0, 1, 63, 64, 65, 4096, SZ_2M - 1, SZ_2M, SZ_2M + 1 };

	if (n & 0x80)
		return (uint64_t)1 << (n & 63);
	return edges[n % 9] + (n >> 4) * SZ_2M;
}

static uint64_t le64(const uint8_t *p)
{
	uint64_t v = 0;

	for (unsigned int i = 8; i--;)
		v = v << 8 | p[i];
	return v;
}

/* A copy of just its size: nothing behind it may be read. */
static void check_header(const uint8_t *data, size_t size, uint64_t file_size)
{
	uint8_t *copy = malloc(size + !size);
	struct image_header hdr;

	memcpy(copy, data, size);
	if (!image_check(copy, size, file_size, &hdr) &&
	    (size < 64 || memcmp(data + 56, "ARMd", 4) || hdr.text_offset != le64(data + 8) ||
	     hdr.image_size != le64(data + 16) || !hdr.image_size || hdr.text_offset % 4096 ||
	     (data[24] & 1)))
		abort();
	free(copy);
}

static int kernel_fd = -1, initrd_fd = -1;
static char kernel_path[32], initrd_path[32];
static uint8_t *guest; /* MAX_RAM between two guards */

static int make_file(char *path)
{
	int fd = memfd_create("file", 0);

	snprintf(path, sizeof(kernel_path), "/proc/self/fd/%d", fd);
	return fd;
}

static void set_up(void)
{
	if (guest)
		return;
	msg_level = MSG_QUIET;
	/* What it complains of is not looked at. */
	kernel_fd = make_file(kernel_path);
	initrd_fd = make_file(initrd_path);
	guest = mmap(NULL, MAX_RAM + 2 * GUARD, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (kernel_fd < 0 || initrd_fd < 0 || guest == MAP_FAILED)
		abort();
	guest += GUARD;
	/* Files are read by the kernel, to which what is not there is an error and no fault: this can be written. */
	if (mprotect(guest + MAX_RAM, GUARD, PROT_READ | PROT_WRITE))
		abort();
	memset(guest + MAX_RAM, GUARD_BYTE, GUARD);
}

static bool guard_is_whole(void)
{
	static uint8_t as_it_was[GUARD];

	if (!as_it_was[0])
		memset(as_it_was, GUARD_BYTE, GUARD);
	return !memcmp(guest + MAX_RAM, as_it_was, GUARD);
}

/* Its first bytes, and a last one of 0x5a. */
static bool fill(int fd, const uint8_t *data, size_t len, uint64_t size)
{
	if (ftruncate(fd, 0) || ftruncate(fd, (off_t)size))
		return false;
	if (len > size)
		len = (size_t)size;
	if (size && pwrite(fd, "\x5a", 1, (off_t)size - 1) != 1)
		return false;
	return !len || pwrite(fd, data, len, 0) == (ssize_t)len;
}

static bool holds(const struct guest_ram *ram, uint64_t at, uint64_t size)
{
	return at >= ram->gpa && size <= ram->size && at - ram->gpa <= ram->size - size;
}

static bool same(const struct guest_ram *ram, uint64_t at, int fd, uint64_t size)
{
	const uint8_t *file;
	bool equal;

	if (!size)
		return true;
	file = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (file == MAP_FAILED)
		abort();
	equal = !memcmp(file, (uint8_t *)ram->hva + (at - ram->gpa), size);
	munmap((void *)file, size);
	return equal;
}

static void load(const uint8_t *data, size_t len, uint64_t ksize, uint64_t isize, uint64_t ram_size)
{
	struct guest_ram ram = { guest, RAM_BASE, ram_size };
	struct image_layout at;

	if (!fill(kernel_fd, data, len, ksize) || !fill(initrd_fd, NULL, 0, isize))
		return;
	/* At the end of it begins the guard. */
	ram.hva = guest + MAX_RAM - ram_size;
	if (mmap(guest, MAX_RAM, PROT_NONE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		 -1, 0) == MAP_FAILED ||
	    mprotect(ram.hva, ram_size, PROT_READ | PROT_WRITE))
		abort();
	if (image_load(kernel_path, isize ? initrd_path : NULL, &ram, &at)) {
		if (!guard_is_whole())
			abort();
		return;
	}
	if (!guard_is_whole() || !holds(&ram, at.entry, ksize) || !holds(&ram, at.dtb, DTB_SPACE) ||
	    !holds(&ram, at.initrd_start, isize) || at.initrd_end != at.initrd_start + isize ||
	    at.dtb % SZ_2M || at.entry + ksize > at.dtb || at.dtb + DTB_SPACE > at.initrd_start ||
	    at.entry + le64(data + 16) > at.dtb || !same(&ram, at.entry, kernel_fd, ksize) ||
	    !same(&ram, at.initrd_start, initrd_fd, isize))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t ksize, isize, ram_size;

	if (size < 3)
		return 0;
	set_up();
	ksize = any_size(data[0]);
	isize = any_size(data[1]);
	ram_size = SZ_2M * (1 + data[2] % (MAX_RAM / SZ_2M));
	check_header(data + 3, size - 3, ksize);
	/* Larger than any memory here, and still a file. */
	if (ksize <= (uint64_t)1 << 40 && isize <= (uint64_t)1 << 40)
		load(data + 3, size - 3, ksize, isize, ram_size);
	return 0;
}
