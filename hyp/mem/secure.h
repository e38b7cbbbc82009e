/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages of the host's that the secure world may reach: until it has let go of them they can't be given to a
 * guest or to the hypervisor. So is a buffer of the host's while the hypervisor copies from or to it.
 */
#ifndef HYP_MEM_SECURE_H
#define HYP_MEM_SECURE_H

#include "arch/lock.h"
#include "lib/types.h"

/* The pages of one transaction: frame number of the last one shared; the page array links it to the others. */
struct secure_list {
	u64 head;
};

#define SECURE_LIST_EMPTY GENMASK(35, 0)
#define ALL_SHARED	  (~0ull)

/*
 * Share nr contiguous pages. EINVAL: misaligned, no page, or not RAM. EPERM: a page is not the host's alone,
 * or is shared with the secure world. Refused, it has changed nothing. The caller guards the list.
 */
int host_share_secure(struct secure_list *list, pa_t pa, u64 nr) TAKES(mem);
/* Take back the nr pages that were shared last, or ALL_SHARED. */
void host_unshare_secure(struct secure_list *list, u64 nr) TAKES(mem);

#endif
