// SPDX-License-Identifier: GPL-2.0-only
/* The last pages of a dying VM go back to the host. */
#include "machine.h"

static pa_t page_had(unsigned int nr)
{
	return guest_before(nr * PAGE_SIZE).pte & PTE_ADDR;
}

static bool had(unsigned int nr)
{
	return guest_before(nr * PAGE_SIZE).pte & (PTE_VALID | PTE_UNCLEAN);
}

static bool half_zeroed;

/*
 * Reclaim has come to page `from`, whose entry is of that level: nothing is left before it, and tables that are
 * behind it are gone. Of a block the first page may have been zeroed.
 */
static void begin(unsigned int from, unsigned int level)
{
	machine_any(WITH_VM);
	vm.dying = true;
	vm.reclaim_next = from * PAGE_SIZE;
	tables_assume_empty(&vm_tables, from);
	tables_assume_level(&vm_tables, from, level);
	half_zeroed = level == 2 && had(from) && nondet_bool();
	if (half_zeroed) {
		__CPROVER_assume(is_scrubbed(page_had(from)));
		vm.reclaim_zeroed = 1;
	}
}

/* What it finds from there on goes back, and then it has come to its end. */
static void end(void)
{
	bool more = guest_reclaim_some(&vm);

	machine_check(0, 0);
	__CPROVER_assert(!more && !guest_reclaim_pending(&vm), "it comes to an end");
	__CPROVER_assert(tables_count(&vm_tables, 1) == 0, "all tables are in the pool");
	for (unsigned int nr = 0; nr < NR_PAGES; nr++) {
		__CPROVER_assert(!guest_now(nr * PAGE_SIZE).pte, "the VM has nothing");
		__CPROVER_assert(!is_vms(page_now(nr * PAGE_SIZE)), "and owns nothing");
	}
}

static void reclaim(unsigned int from, unsigned int level)
{
	begin(from, level);
	end();
}

/* The last page there is. */
void reclaim_page(void)
{
	unsigned int last = NR_PAGES - 1;

	reclaim(last, 3);
	reachable(had(last) && page_before(page_had(last)).state == PAGE_GUEST_SHARED);
	reachable(had(last) && host_now(page_had(last)).level == 1);
	reachable(guest_before(last * PAGE_SIZE).pte == PTE_POISON);
	reachable(!guest_before(last * PAGE_SIZE).pte);
}

/*
 * Both that the last table maps, in one call, which goes from one to the other without a new walk. Whether each is
 * there is a proof of its own; what pages can be is in reclaim_page().
 */
static void reclaim_two(bool first, bool second)
{
	unsigned int from = NR_PAGES - TABLE_ENTRIES;

	begin(from, 3);
	tables_assume_page(&vm_tables, from, first);
	tables_assume_page(&vm_tables, from + 1, second);
	end();
	reachable(true);
}

void reclaim_page_and_page(void)
{
	reclaim_two(true, true);
}

void reclaim_page_and_none(void)
{
	reclaim_two(true, false);
}

void reclaim_none_and_page(void)
{
	reclaim_two(false, true);
}

void reclaim_block(void)
{
	unsigned int first = NR_PAGES - TABLE_ENTRIES;

	reclaim(first, 2);
	reachable(had(first) && host_now(page_had(first)).level == 1);
	reachable(had(first) && half_zeroed);
	reachable(pte_is_unclean(guest_before(first * PAGE_SIZE).pte));
	reachable(!had(first));
}

/* Half of the VM's space, where there is no table. */
void reclaim_empty(void)
{
	reclaim(NR_PAGES / 2, 1);
	reachable(vm.pool.free);
}

/* The end of all VMs: tables are lost with all that is in them, the first is empty. */
void unmap_all(void)
{
	u64 nr_tables;

	machine_any(WITH_VM);
	nr_tables = tables_count(&vm_tables, 1);
	guest_unmap_all(&vm);
	machine_check(0, nr_tables);
	reachable(nr_tables == 0);
	reachable(nr_tables == NR_L1 + NR_L2);
	__CPROVER_assert(vm.dying && vm.unmapped && vm.reclaim_next == 0,
			 "reclaim begins with the first page");
	for (unsigned int nr = 0; nr < NR_PAGES; nr++) {
		__CPROVER_assert(!guest_now(nr * PAGE_SIZE).pte, "the VM has nothing mapped");
		__CPROVER_assert(same_page(page_now(nr * PAGE_SIZE), page_before(nr * PAGE_SIZE)),
				 "and owns what it owned");
	}
}

/* Then: the last page of RAM, wherever it is. Each turn is as this one: the loop keeps nothing but where it has come to. */
void reclaim_lost(void)
{
	pa_t last = (nondet_u64() % NR_PAGES) * PAGE_SIZE;
	bool more;

	machine_any(WITH_LOST_VM);
	for (unsigned int nr = 0; nr < NR_PAGES; nr++)
		__CPROVER_assume(nr * PAGE_SIZE <= last || !is_ram(nr * PAGE_SIZE));
	vm.reclaim_next = last;
	more = guest_reclaim_some(&vm);
	machine_check(0, 0);
	reachable(is_vms(page_before(last)) && host_before(last).level == 2);
	reachable(is_vms(page_before(last)) && host_now(last).level == 1);
	reachable(is_vms(page_before(last)) && page_before(last).state == PAGE_GUEST_SHARED);
	reachable(!is_vms(page_before(last)) && is_ram(last));
	reachable(!is_ram(last));
	__CPROVER_assert(!is_vms(page_now(last)), "the VM does not own it");
	__CPROVER_assert(!more && !guest_reclaim_pending(&vm), "it comes to an end");
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
