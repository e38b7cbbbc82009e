// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image.h"
#include "layout.h"
#include "msg.h"

#define IMAGE_HEADER_SIZE 64
#define IMAGE_MAGIC_AT	  56
#define IMAGE_FLAG_BE	  1u

/* Sizes above this are not believed; sums of a few of them cannot overflow. */
#define SANE_SIZE (1ull << 48)

static uint64_t le64_at(const uint8_t *p, size_t at)
{
	uint64_t v;

	memcpy(&v, p + at, sizeof(v));
	return le64toh(v);
}

const char *image_check(const void *data, size_t len, uint64_t file_size, struct image_header *hdr)
{
	const uint8_t *p = data;

	if (len >= 2 && p[0] == 0x1f && p[1] == 0x8b)
		return "is compressed by gzip: unpack it first (zcat FILE > Image)";
	if (len >= 4 && !memcmp(p, "\x28\xb5\x2f\xfd", 4))
		return "is compressed by zstd: unpack it first (zstd -dc FILE > Image)";
	if (len >= 8 && !memcmp(p, "MZ", 2) && !memcmp(p + 4, "zimg", 4))
		return "is a compressed EFI program (zboot): unpack the kernel in it first";
	if (len >= 4 && !memcmp(p,
				"\x7f"
				"ELF",
				4))
		return "is an ELF file: want the arm64 'Image' (arch/arm64/boot/Image), not vmlinux";
	if (len < IMAGE_HEADER_SIZE || memcmp(p + IMAGE_MAGIC_AT, "ARMd", 4))
		return "is no arm64 Linux kernel: want an uncompressed arm64 'Image'";

	hdr->text_offset = le64_at(p, 8);
	hdr->image_size = le64_at(p, 16);
	if (le64_at(p, 24) & IMAGE_FLAG_BE)
		return "is a big-endian kernel, which is not supported";
	if (!hdr->image_size)
		return "is a kernel older than Linux 3.17, which is not supported";
	if (hdr->text_offset >= SANE_SIZE || hdr->image_size >= SANE_SIZE ||
	    file_size >= SANE_SIZE || hdr->text_offset % 4096)
		return "has a damaged header (text_offset or image_size)";
	return NULL;
}

static uint64_t align_2m(uint64_t v)
{
	return (v + SZ_2M - 1) & ~(SZ_2M - 1);
}

/*
 * Kernel at the start of RAM, then the DTB, then the initrd, each in 2 MiB pieces of its own. The
 * boot protocol wants the kernel 2 MiB aligned (plus text_offset), the DTB not across a 2 MiB
 * boundary, and the initrd within 32 GiB of the kernel.
 */
const char *image_place(const struct image_header *hdr, uint64_t file_size, uint64_t initrd_size,
			uint64_t ram_base, uint64_t ram_size, struct image_layout *out)
{
	uint64_t size = hdr->image_size > file_size ? hdr->image_size : file_size;
	uint64_t dtb, initrd;

	if (hdr->text_offset >= SANE_SIZE || size >= SANE_SIZE || initrd_size >= SANE_SIZE)
		return "a file's size cannot be right";
	dtb = align_2m(hdr->text_offset + size);
	initrd = dtb + SZ_2M;
	if (initrd > ram_size)
		return "the kernel does not fit into the guest's memory: give it more (--memory)";
	if (initrd_size > ram_size - initrd)
		return "the initrd does not fit into the guest's memory: give it more (--memory)";

	out->entry = ram_base + hdr->text_offset;
	out->dtb = ram_base + dtb;
	out->initrd_start = ram_base + initrd;
	out->initrd_end = out->initrd_start + initrd_size;
	return NULL;
}

/* Returns an open regular file and its size, or -1 after having said why. */
static int open_file(const char *path, uint64_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return msg_error("cannot open %s: %s", path, strerror(errno));
	if (fstat(fd, &st)) {
		msg_error("cannot read %s: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		msg_error("%s is not a regular file", path);
	} else if (!st.st_size) {
		msg_error("%s is empty", path);
	} else {
		*size = (uint64_t)st.st_size;
		return fd;
	}
	close(fd);
	return -1;
}

static int read_all(int fd, const char *path, void *buf, uint64_t size)
{
	uint8_t *p = buf;
	uint64_t done = 0;

	while (done < size) {
		ssize_t n = pread(fd, p + done, size - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return msg_error("cannot read %s: %s", path, strerror(errno));
		if (!n)
			return msg_error("%s became shorter while it was read", path);
		done += (uint64_t)n;
	}
	return 0;
}

static void *ram_at(const struct guest_ram *ram, uint64_t gpa)
{
	return (uint8_t *)ram->hva + (gpa - ram->gpa);
}

static int load_files(int kfd, const char *kernel, uint64_t ksize, int ifd, const char *initrd,
		      uint64_t isize, const struct guest_ram *ram, struct image_layout *out)
{
	uint8_t head[IMAGE_HEADER_SIZE];
	size_t head_len = ksize < sizeof(head) ? (size_t)ksize : sizeof(head);
	struct image_header hdr;
	const char *wrong;

	if (read_all(kfd, kernel, head, head_len))
		return -1;
	wrong = image_check(head, head_len, ksize, &hdr);
	if (wrong)
		return msg_error("%s %s", kernel, wrong);
	wrong = image_place(&hdr, ksize, isize, ram->gpa, ram->size, out);
	if (wrong)
		return msg_error("%s", wrong);
	if (read_all(kfd, kernel, ram_at(ram, out->entry), ksize))
		return -1;
	if (isize && read_all(ifd, initrd, ram_at(ram, out->initrd_start), isize))
		return -1;
	return 0;
}

int image_load(const char *kernel, const char *initrd, const struct guest_ram *ram,
	       struct image_layout *out)
{
	uint64_t ksize = 0, isize = 0;
	int kfd, ifd = -1, ret = -1;

	kfd = open_file(kernel, &ksize);
	if (kfd < 0)
		return -1;
	if (initrd)
		ifd = open_file(initrd, &isize);
	if (!initrd || ifd >= 0)
		ret = load_files(kfd, kernel, ksize, ifd, initrd, isize, ram, out);
	if (ifd >= 0)
		close(ifd);
	close(kfd);
	return ret;
}
