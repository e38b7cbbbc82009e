// SPDX-License-Identifier: GPL-2.0-only
#include "mem/secure.h"

#include <stockade/hostcall.h>

#include "mem/page.h"

/* False: the page is not the host's alone. */
static bool share_one(struct secure_list *list, pa_t pa)
{
	struct page *page;
	bool ours;

	spin_lock(&mem_lock);
	page = page_of(pa);
	ours = page->state == PAGE_HOST;
	if (ours) {
		*page = (struct page){ .state = PAGE_HOST_SECURE, .gfn = list->head };
		list->head = pa >> PAGE_SHIFT;
	}
	spin_unlock(&mem_lock);
	return ours;
}

int host_share_secure(struct secure_list *list, pa_t pa, u64 nr)
{
	if (!nr || nr >> (64 - PAGE_SHIFT) || !IS_ALIGNED(pa, PAGE_SIZE) ||
	    !page_is_ram(pa, nr * PAGE_SIZE))
		return STOCKADE_EINVAL;
	for (u64 i = 0; i < nr; i++) {
		if (!share_one(list, pa + i * PAGE_SIZE)) {
			host_unshare_secure(list, i);
			return STOCKADE_EPERM;
		}
	}
	return STOCKADE_OK;
}

void host_unshare_secure(struct secure_list *list, u64 nr)
{
	while (nr-- && list->head != SECURE_LIST_EMPTY) {
		struct page *page;

		spin_lock(&mem_lock);
		page = page_of(list->head << PAGE_SHIFT);
		list->head = page->gfn;
		*page = (struct page){ .state = PAGE_HOST };
		spin_unlock(&mem_lock);
	}
}
