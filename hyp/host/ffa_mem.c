// SPDX-License-Identifier: GPL-2.0-only
/*
 * MEM_SHARE, MEM_LEND, MEM_FRAG_TX, MEM_RECLAIM. The pages of a descriptor become "shared with the secure world"
 * before the SPMC hears of them, and the host's alone again after it has let go.
 *
 * Whether a page was lent or shared makes no difference here: what the SPMC does with it is the SPMC's
 * business, and the host hurts only itself by touching what it lent.
 */
#include "host/ffa_mem.h"

#include "arch/smc.h"
#include "host/ffa_abi.h"
#include "mem/secure.h"

/* What the secure world holds. */
struct transaction {
	u64 handle; /* the SPMC's name for it */
	bool named; /* handle is known */
	struct secure_list pages;
	u32 left; /* bytes of the descriptor that are still to come */
	bool used;
};

#define MAX_TRANSACTIONS 512

static struct transaction transactions[MAX_TRANSACTIONS] GUARDED_BY(ffa);

static struct transaction *find_free(void) REQUIRES(ffa)
{
	for (u32 i = 0; i < MAX_TRANSACTIONS; i++)
		if (!transactions[i].used)
			return &transactions[i];
	return NULL;
}

static struct transaction *find(u64 handle) REQUIRES(ffa)
{
	for (u32 i = 0; i < MAX_TRANSACTIONS; i++)
		if (transactions[i].used && transactions[i].named &&
		    transactions[i].handle == handle)
			return &transactions[i];
	return NULL;
}

void ffa_error(u64 *x, s32 error)
{
	x[0] = FFA_ERROR;
	x[1] = 0;
	x[2] = (u32)error;
	for (u32 i = 3; i < 8; i++)
		x[i] = 0;
}

void ffa_success(u64 *x)
{
	x[0] = FFA_SUCCESS;
	for (u32 i = 1; i < 8; i++)
		x[i] = 0;
}

bool ffa_mem_parse(const void *descriptor, u32 fragment, u32 total, u32 version,
		   struct ffa_layout *layout)
{
	const struct ffa_mem_region *region = descriptor;
	u64 ep_offset = FFA_MEM_REGION_1_0, ep_size = FFA_EP_MEM_1_0, ranges;
	const struct ffa_composite *composite;
	const struct ffa_ep_mem *ep;

	/* 1.0's header is shorter, but a receiver follows that ends where later ones' header does. */
	if (fragment > total || fragment > FFA_PAGE_SIZE || fragment < sizeof(*region))
		return false;
	if (version >= FFA_VERSION_1_1) {
		ep_offset = region->ep_mem_offset;
		ep_size = region->ep_mem_size;
		if (ep_offset < sizeof(*region) || ep_size < FFA_EP_MEM_1_0)
			return false;
	}
	/* One receiver: with more, each could name ranges of its own. */
	if (region->sender != FFA_HOST_ID || region->handle || region->ep_count != 1)
		return false;
	if (!IS_ALIGNED(ep_offset, 8) || ep_offset + ep_size > fragment)
		return false;
	ep = (const void *)((const u8 *)descriptor + ep_offset);
	ranges = (u64)ep->composite_offset + sizeof(*composite);
	if (!IS_ALIGNED(ep->composite_offset, 8) || ep->composite_offset < ep_offset + ep_size ||
	    ranges > fragment)
		return false;
	composite = (const void *)((const u8 *)descriptor + ep->composite_offset);
	/* The ranges are the descriptor's end, and none is cut in two. */
	if (!composite->nr_ranges ||
	    ranges + (u64)composite->nr_ranges * sizeof(struct ffa_range) != total ||
	    !IS_ALIGNED(fragment - ranges, sizeof(struct ffa_range)))
		return false;
	layout->ranges_offset = (u32)ranges;
	layout->nr_ranges = composite->nr_ranges;
	return true;
}

/* All of n ranges, or none. */
static bool share_ranges(struct transaction *t, const struct ffa_range *ranges, u64 n)
{
	u64 nr_pages = 0;

	for (u64 i = 0; i < n; i++) {
		if (host_share_secure(&t->pages, ranges[i].address, ranges[i].nr_pages)) {
			host_unshare_secure(&t->pages, nr_pages);
			return false;
		}
		nr_pages += ranges[i].nr_pages;
	}
	return true;
}

static void forget(struct transaction *t)
{
	host_unshare_secure(&t->pages, ALL_SHARED);
	t->used = false;
}

/*
 * The call goes on with what was checked and nothing else: firmware may read more of a register, or more of
 * them, and then refuse a fragment but keep those before it.
 */
static void forward(u64 *x, u64 a1, u64 a2, u64 a3)
{
	x[1] = a1;
	x[2] = a2;
	x[3] = a3;
	for (u32 i = 4; i < 8; i++)
		x[i] = 0;
	smc_forward(x);
}

static void name(struct transaction *t, u64 low, u64 high)
{
	t->handle = (u32)low | high << 32;
	t->named = true;
}

/* The SPMC has been handed a fragment of n bytes; x: its answer. */
static void sent(const u64 *x, struct transaction *t, u32 n)
{
	t->left -= n;
	switch ((u32)x[0]) {
	case FFA_SUCCESS:
	case FFA_SUCCESS | FFA_64:
		name(t, x[2], x[3]);
		t->left = 0;
		break;
	case FFA_MEM_FRAG_RX:
		name(t, x[1], x[2]);
		break;
	case FFA_ERROR:
		forget(t);
		break;
	default:
		/* Not foreseen for these calls: the pages stay shared, for good if it was not to be. */
		break;
	}
}

void ffa_mem_share(u64 *x, void *buffer, u32 version)
{
	u32 total = (u32)x[1], fragment = (u32)x[2];
	struct transaction *t = find_free();
	struct ffa_layout layout;

	/* x3, x4: a buffer other than TX, which nobody has checked. */
	if (x[3] || x[4] || !ffa_mem_parse(buffer, fragment, total, version, &layout)) {
		ffa_error(x, FFA_INVALID_PARAMETERS);
		return;
	}
	if (!t) {
		ffa_error(x, FFA_NO_MEMORY);
		return;
	}
	*t = (struct transaction){ .pages.head = SECURE_LIST_EMPTY, .left = total };
	if (!share_ranges(t, (const void *)((const u8 *)buffer + layout.ranges_offset),
			  (fragment - layout.ranges_offset) / sizeof(struct ffa_range))) {
		ffa_error(x, FFA_DENIED);
		return;
	}
	t->used = true;
	forward(x, total, fragment, 0);
	sent(x, t, fragment);
}

void ffa_mem_frag(u64 *x, void *buffer)
{
	u64 handle = (u32)x[1] | x[2] << 32;
	u32 fragment = (u32)x[3];
	struct transaction *t = find(handle);

	if (!t || !fragment || fragment > t->left ||
	    !IS_ALIGNED(fragment, sizeof(struct ffa_range))) {
		ffa_error(x, FFA_INVALID_PARAMETERS);
		return;
	}
	if (!share_ranges(t, buffer, fragment / sizeof(struct ffa_range))) {
		ffa_error(x, FFA_DENIED);
		return;
	}
	forward(x, (u32)handle, handle >> 32, fragment);
	sent(x, t, fragment);
}

void ffa_mem_reclaim(u64 *x)
{
	u64 handle = (u32)x[1] | x[2] << 32;
	struct transaction *t = find(handle);

	if (!t) {
		ffa_error(x, FFA_INVALID_PARAMETERS);
		return;
	}
	forward(x, (u32)handle, handle >> 32, x[3]);
	if (((u32)x[0] & ~FFA_64) == FFA_SUCCESS)
		forget(t);
}

void ffa_mem_reclaim_all(void)
{
	for (u32 i = 0; i < MAX_TRANSACTIONS; i++) {
		struct transaction *t = &transactions[i];
		u64 x[18] = { FFA_MEM_RECLAIM, (u32)t->handle, t->handle >> 32 };

		if (!t->used || !t->named)
			continue;
		smc_forward(x);
		if (((u32)x[0] & ~FFA_64) == FFA_SUCCESS)
			forget(t);
	}
}
