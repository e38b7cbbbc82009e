// SPDX-License-Identifier: GPL-2.0-only
/* The last pages of a dying VM go back to the host. */
#include "machine.h"

/* Reclaim has come to page `from`: nothing is left before it, and tables that are behind it are gone. */
static void any_dying(unsigned int from)
{
	struct leaf leaf;

	machine_any(WITH_VM);
	vm.dying = true;
	vm.reclaim_next = from * PAGE_SIZE;
	for (unsigned int nr = 0; nr < from; nr++)
		__CPROVER_assume(!guest_before(nr * PAGE_SIZE).pte);
	leaf = guest_before(vm.reclaim_next);
	__CPROVER_assume(IS_ALIGNED(vm.reclaim_next, level_size(leaf.level)));
}

void reclaim_some(void)
{
	unsigned int from = NR_PAGES - TABLE_ENTRIES;
	bool more;

	any_dying(from);
	more = guest_reclaim_some(&vm);
	machine_check(0, 0);
	reachable(guest_before(from * PAGE_SIZE).level == 2 &&
		  (guest_before(from * PAGE_SIZE).pte & PTE_VALID));
	reachable(guest_before(from * PAGE_SIZE).level == 3);
	reachable(!guest_before(from * PAGE_SIZE).pte);
	__CPROVER_assert(!more && !guest_reclaim_pending(&vm), "it comes to an end");
	for (unsigned int nr = 0; nr < NR_PAGES; nr++) {
		struct page page = page_now(nr * PAGE_SIZE);

		__CPROVER_assert(!guest_now(nr * PAGE_SIZE).pte, "the VM has nothing");
		__CPROVER_assert(page.owner != vm.owner || (page.state != PAGE_GUEST &&
							    page.state != PAGE_GUEST_SHARED),
				 "and owns nothing");
	}
}

/* A page of the pool's, once all is reclaimed. */
void reclaim_table(void)
{
	u64 free;
	pa_t page;

	machine_any(0);
	free = vm.pool.free;
	page = guest_reclaim_table(&vm);
	machine_check(0, page ? 1 : 0);
	reachable(!page);
	reachable(page);
	__CPROVER_assert(!page == !free, "one if there is one");
	__CPROVER_assert(!page || page_now(page).state == PAGE_HOST, "it is the host's");
	if (!page)
		__CPROVER_assert(machine_unchanged(), "it has changed nothing");
}
