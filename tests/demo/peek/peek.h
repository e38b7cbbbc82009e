/* SPDX-License-Identifier: GPL-2.0-only */
/* /dev/peek: what a kernel can read by its mapping of all memory. */
#ifndef DEMO_PEEK_H
#define DEMO_PEEK_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Copy a page frame to buf. EFAULT: it cannot be read. */
struct peek_read {
	__u64 pfn;
	__u64 buf;
};

/* Look for the secrets in the frames [from, to), but for those whose bit is set in skip. */
struct peek_search {
	__u64 from;
	__u64 to;
	__u64 skip; /* address of 64-bit words, the bit of frame 0 being the first one's lowest */
	__u64 read; /* out: frames read */
	__u64 refused; /* out: frames that cannot be read */
	__u64 skipped;
	__u64 found[2]; /* out: frames that hold some of enum secret's */
};

#define PEEK_READ   _IOW('p', 1, struct peek_read)
#define PEEK_SEARCH _IOWR('p', 2, struct peek_search)

#endif
