/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that the host shares with, or lends to, the secure world by FF-A. */
#ifndef HYP_HOST_FFA_MEM_H
#define HYP_HOST_FFA_MEM_H

#include "arch/lock.h"
#include "lib/types.h"

/* Where the ranges are in a memory transaction descriptor, and how many. */
struct ffa_layout {
	u32 ranges_offset;
	u32 nr_ranges;
};

/*
 * Look through the first `fragment` bytes of a descriptor that is `total` bytes long: a private copy, aligned
 * to 8 bytes. False: it is not one that a host may send.
 */
bool ffa_mem_parse(const void *descriptor, u32 fragment, u32 total, u32 version,
		   struct ffa_layout *layout);

/*
 * The calls: x0-x7 in and out (results as FF-A has them). buffer: the hypervisor's TX, which the SPMC reads, and
 * into which the host's was copied.
 */
void ffa_mem_share(u64 *x, void *buffer, u32 version) REQUIRES(ffa) TAKES(mem);
void ffa_mem_frag(u64 *x, void *buffer) REQUIRES(ffa) TAKES(mem);
void ffa_mem_reclaim(u64 *x) REQUIRES(ffa) TAKES(mem);
/* Take back what the secure world lets go of: the kernel that shared it is no more. */
void ffa_mem_reclaim_all(void) REQUIRES(ffa) TAKES(mem);

/* Result of a call. */
void ffa_error(u64 *x, s32 error);
void ffa_success(u64 *x);

#endif
