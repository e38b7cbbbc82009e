// SPDX-License-Identifier: GPL-2.0-only
/* What the host does with its pages towards the hypervisor and the secure world. */
#include "machine.h"
#include "mem/secure.h"

static struct want want;

void share_hyp(void)
{
	pa_t pa = nondet_u64();
	int ret;

	machine_any(WITH_HYP);
	ret = host_share_hyp(pa, &want);
	machine_check(0, 0);
	reachable(ret == STOCKADE_EINVAL);
	reachable(ret == STOCKADE_EPERM);
	reachable(ret == STOCKADE_EBUSY);
	reachable(ret == STOCKADE_ENOMEM);
	reachable(ret == STOCKADE_OK && page_before(pa).state == PAGE_HOST);
	reachable(ret == STOCKADE_OK && page_before(pa).state == PAGE_HOST_SHARED);
	if (ret) {
		__CPROVER_assert(machine_unchanged(), "refused, it has changed nothing");
		return;
	}
	__CPROVER_assert(IS_ALIGNED(pa, PAGE_SIZE) && is_ram(pa), "it is a page of RAM");
	__CPROVER_assert(page_before(pa).state == PAGE_HOST ||
				 page_before(pa).state == PAGE_HOST_SHARED,
			 "it was the host's");
	__CPROVER_assert(page_now(pa).state == PAGE_HOST_SHARED, "it is shared");
	__CPROVER_assert(page_now(pa).refs == page_before(pa).refs + 1, "the count does not wrap");
}

/* Its caller has shared the page. */
void unshare_hyp(void)
{
	pa_t pa = (nondet_u64() % NR_PAGES) * PAGE_SIZE;

	machine_any(WITH_HYP);
	__CPROVER_assume(is_ram(pa) && page_before(pa).state == PAGE_HOST_SHARED);
	host_unshare_hyp(pa);
	machine_check(0, 0);
	reachable(page_now(pa).state == PAGE_HOST);
	reachable(page_now(pa).state == PAGE_HOST_SHARED);
	__CPROVER_assert(page_now(pa).refs == page_before(pa).refs - 1, "the count does not wrap");
}

/* Is the page one that host_donate_hyp() takes? */
static bool will_do(pa_t page)
{
	return page && IS_ALIGNED(page, PAGE_SIZE) && is_ram(page) &&
	       page_now(page).state == PAGE_HOST &&
	       hyp_pool.free >=
		       host_map_missing(page, 3) + hyp_map_missing(page) + HYP_POOL_RESERVE;
}

static void donate(bool to_pool, u64 nr)
{
	pa_t pa = nondet_u64();
	bool must;
	int ret;

	machine_any(WITH_HYP);
	must = nr == 1 && will_do(pa);
	ret = to_pool ? host_donate_pool(pa, nr, &want) : host_donate_hyp(pa, nr, &want);
	machine_check(to_pool && !ret ? nr : 0, 0);
	reachable(ret == STOCKADE_EINVAL);
	reachable(ret == STOCKADE_EPERM);
	reachable(ret == STOCKADE_ENOMEM);
	reachable(ret == STOCKADE_OK);
	__CPROVER_assert(!must || !ret, "a page that will do is taken");
	if (ret) {
		__CPROVER_assert(machine_unchanged(), "refused, it has changed nothing");
		return;
	}
	__CPROVER_assert(IS_ALIGNED(pa, PAGE_SIZE) && is_ram_range(pa, nr), "it is RAM");
	__CPROVER_assert(pa != 0, "it is not the page at address 0");
	for (unsigned int i = 0; i < nr; i++) {
		__CPROVER_assert(page_before(pa + i * PAGE_SIZE).state == PAGE_HOST,
				 "they were the host's alone");
		__CPROVER_assert(page_now(pa + i * PAGE_SIZE).state == PAGE_HYP,
				 "they are the hypervisor's");
	}
}

void donate_hyp_page(void)
{
	donate(false, 1);
}

/* They may lie in two tables. */
void donate_hyp_pages(void)
{
	donate(false, 2);
}

void donate_pool_page(void)
{
	donate(true, 1);
}

/* As many as no call may ask for. */
void donate_hyp_number(void)
{
	u64 nr = nondet_u64();

	machine_any(WITH_HYP);
	__CPROVER_assume(!nr || nr > 16);
	__CPROVER_assert(host_donate_hyp(nondet_u64(), nr, &want) == STOCKADE_EINVAL,
			 "it is refused");
	__CPROVER_assert(machine_unchanged(), "refused, it has changed nothing");
	reachable(!nr);
	reachable(nr >> 52);
}

/* Its caller has had the page from host_donate_hyp(), which maps and unmaps pages by themselves. */
void return_hyp(void)
{
	pa_t pa = (nondet_u64() % NR_PAGES) * PAGE_SIZE;

	machine_any(WITH_HYP);
	__CPROVER_assume(is_ram(pa) && page_before(pa).state == PAGE_HYP &&
			 host_before(pa).level == 3 && hyp_before(pa).level == 3);
	hyp_donate_host(pa);
	machine_check(0, 0);
	reachable(host_now(pa).level == 3);
	reachable(host_now(pa).level == 1);
	__CPROVER_assert(page_now(pa).state == PAGE_HOST, "it is the host's");
}

void share_secure(void)
{
	pa_t pa = nondet_u64();
	u64 nr = nondet_u64();
	struct secure_list list = { SECURE_LIST_EMPTY };
	int ret;

	machine_any(WITH_HYP);
	__CPROVER_assume(nr <= 3 || nr > NR_PAGES);
	ret = host_share_secure(&list, pa, nr);
	machine_check(0, 0);
	reachable(ret == STOCKADE_EINVAL);
	reachable(ret == STOCKADE_EPERM && page_before(pa).state == PAGE_HOST);
	reachable(ret == STOCKADE_OK && nr == 3);
	if (ret) {
		__CPROVER_assert(machine_unchanged(), "refused, it has changed nothing");
		__CPROVER_assert(list.head == SECURE_LIST_EMPTY, "nor the list");
		return;
	}
	__CPROVER_assert(IS_ALIGNED(pa, PAGE_SIZE) && is_ram_range(pa, nr), "it is RAM");
	for (unsigned int i = 0; i < 3 && i < nr; i++) {
		__CPROVER_assert(page_before(pa + i * PAGE_SIZE).state == PAGE_HOST,
				 "they were the host's alone");
		__CPROVER_assert(page_now(pa + i * PAGE_SIZE).state == PAGE_HOST_SECURE,
				 "they may be reached by the secure world");
	}
	host_unshare_secure(&list, nr);
	__CPROVER_assert(machine_unchanged(), "taken back, all is as it was");
}

/* For who wants both or none. That the other one is taken if it will do, donate_hyp_page() shows. */
void donate_both(void)
{
	pa_t page = nondet_u64(), other = nondet_u64();
	int ret;

	machine_any(WITH_HYP);
	ret = host_can_donate_both(page, other, 1, &want);
	__CPROVER_assert(machine_unchanged(), "it is a question");
	reachable(ret == STOCKADE_EINVAL);
	reachable(ret == STOCKADE_EPERM && page == other);
	reachable(ret == STOCKADE_ENOMEM);
	if (ret)
		return;
	__CPROVER_assert(will_do(page), "the first will do");
	__CPROVER_assume(host_donate_hyp(page, 1, &want) == STOCKADE_OK);
	__CPROVER_assert(will_do(other), "and then the other");
	reachable(ret == STOCKADE_OK);
}

/* Its caller has found that it is no RAM, and not mapped. */
void map_device(void)
{
	pa_t pa = (nondet_u64() % NR_PAGES) * PAGE_SIZE;
	bool mapped;

	machine_any(0);
	__CPROVER_assume(!is_ram(pa) && !host_before(pa).pte);
	spin_lock(&mem_lock);
	mapped = host_map_device(pa);
	spin_unlock(&mem_lock);
	machine_check(0, 0);
	reachable(!mapped);
	reachable(mapped && host_now(pa).level == 1);
	reachable(mapped && host_now(pa).level == 3);
	if (!mapped)
		__CPROVER_assert(machine_unchanged(), "it has changed nothing");
	else
		__CPROVER_assert(host_now(pa).pte & PTE_VALID, "the host has it");
}
