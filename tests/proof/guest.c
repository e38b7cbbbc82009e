// SPDX-License-Identifier: GPL-2.0-only
/* What the host gives to the VM, and what the VM does with it. */
#include "arch/cache.h"
#include "machine.h"

static struct want want;
static bool more;

/* What a call did that went on with a block: it cleaned the next page. */
static void went_on(pa_t pa, ipa_t ipa, u64 pte)
{
	u64 cleaned = FIELD_GET(PTE_CLEANED, pte) + 1;

	__CPROVER_assert((pte & PTE_ADDR) == pa && !vm.dying, "this block was begun");
	__CPROVER_assert(more == (cleaned < TABLE_ENTRIES), "it says whether there is more");
	__CPROVER_assert(more ? guest_now(ipa).pte == pte + FIELD_PUT(PTE_CLEANED, 1) :
				(guest_now(ipa).pte & PTE_VALID) != 0,
			 "it is one page nearer, or mapped");
	__CPROVER_assert(is_written_back(pa + (cleaned - 1) * PAGE_SIZE),
			 "what the host wrote is in memory");
}

static void donate(u64 nr)
{
	unsigned int level = nr == 1 ? 3 : 2;
	pa_t pa = nondet_u64();
	ipa_t ipa = nondet_u64();
	u64 pte;
	int ret;

	machine_any(WITH_VM);
	pte = guest_before(ipa).pte;
	ret = host_donate_guest(&vm, pa, ipa, nr, &more, &want);
	machine_check(0, 0);
	reachable(ret == STOCKADE_EINVAL);
	reachable(ret == STOCKADE_EPERM && vm.dying);
	reachable(ret == STOCKADE_EPERM && !vm.dying);
	reachable(ret == STOCKADE_EEXIST);
	reachable(ret == STOCKADE_ENOMEM && want.pool == STOCKADE_POOL_HYP);
	reachable(ret == STOCKADE_ENOMEM && want.pool == STOCKADE_POOL_VM);
	reachable(ret == STOCKADE_OK && (level == 3 || (pte_is_unclean(pte) && more)));
	reachable(ret == STOCKADE_OK && (level == 3 || (pte_is_unclean(pte) && !more)));
	reachable(ret == STOCKADE_OK && !pte);
	/* A poisoned entry has a table above it, which is too deep for a block. */
	reachable(ret == (level == 3 ? STOCKADE_EFAULT : STOCKADE_EAGAIN));
	if (ret) {
		__CPROVER_assert(machine_unchanged(), "refused, it has changed nothing");
		__CPROVER_assert(ret != STOCKADE_EEXIST || (pte & (PTE_VALID | PTE_UNCLEAN)),
				 "there is a page");
		__CPROVER_assert(ret != STOCKADE_EFAULT || pte == PTE_POISON || pte == PTE_GUARD,
				 "poisoned, or guarded");
		return;
	}
	if (level == 2 && pte_is_unclean(pte)) {
		went_on(pa, ipa, pte);
		return;
	}
	__CPROVER_assert(!vm.dying && !pte, "there was room for it");
	__CPROVER_assert(more == (level == 2 && !arch_has_fwb()), "it says whether there is more");
	__CPROVER_assert(IS_ALIGNED(pa | ipa, nr * PAGE_SIZE) && is_ram_range(pa, nr) &&
				 ipa >> PROOF_IA_BITS == 0,
			 "it is RAM, and in place");
	__CPROVER_assert(pa != 0, "it is not the page at address 0");
	for (u64 i = 0; i < TABLE_ENTRIES && i < nr; i++) {
		struct page page = page_now(pa + i * PAGE_SIZE);

		__CPROVER_assert(page_before(pa + i * PAGE_SIZE).state == PAGE_HOST,
				 "it was the host's alone");
		__CPROVER_assert(page.state == PAGE_GUEST && page.owner == vm.owner &&
					 page.gfn == (ipa >> PAGE_SHIFT) + i,
				 "it is the VM's, there");
		__CPROVER_assert(more || arch_has_fwb() || is_written_back(pa + i * PAGE_SIZE),
				 "what the host wrote is in memory");
	}
}

void donate_guest_page(void)
{
	donate(1);
}

void donate_guest_block(void)
{
	donate(TABLE_ENTRIES);
}

/* As many as no call may ask for. */
void donate_guest_number(void)
{
	u64 nr = nondet_u64();

	machine_any(WITH_VM);
	__CPROVER_assume(nr != 1 && nr != TABLE_ENTRIES);
	__CPROVER_assert(host_donate_guest(&vm, nondet_u64(), nondet_u64(), nr, &more, &want) ==
				 STOCKADE_EINVAL,
			 "it is refused");
	__CPROVER_assert(machine_unchanged(), "refused, it has changed nothing");
	reachable(nr == 0);
	reachable(nr == TABLE_ENTRIES + 1);
}

/* The page that the VM had at ipa. */
static pa_t page_at(ipa_t ipa)
{
	struct leaf leaf = guest_before(ipa);

	return (leaf.pte & PTE_ADDR) + (ipa & (level_size(leaf.level) - 1));
}

static bool had_page(ipa_t ipa)
{
	return ipa >> PROOF_IA_BITS == 0 && IS_ALIGNED(ipa, PAGE_SIZE) &&
	       (guest_before(ipa).pte & PTE_VALID);
}

void share_host(void)
{
	ipa_t ipa = nondet_u64();
	int ret;

	machine_any(WITH_VM);
	ret = guest_share_host(&vm, ipa);
	machine_check(0, 0);
	reachable(ret == STOCKADE_EINVAL);
	reachable(ret == STOCKADE_ENOENT);
	reachable(ret == STOCKADE_EPERM && guest_before(ipa).pte == PTE_POISON);
	reachable(ret == STOCKADE_EPERM && had_page(ipa));
	reachable(ret == STOCKADE_OK && guest_before(ipa).level == 2);
	reachable(ret == STOCKADE_OK && guest_before(ipa).level == 3);
	if (ret) {
		__CPROVER_assert(machine_unchanged(), "refused, it has changed nothing");
		return;
	}
	__CPROVER_assert(had_page(ipa) && page_before(page_at(ipa)).state == PAGE_GUEST,
			 "it was the VM's alone");
	__CPROVER_assert(page_now(page_at(ipa)).state == PAGE_GUEST_SHARED, "it is shared");
}

void unshare_host(void)
{
	ipa_t ipa = nondet_u64();
	int ret;

	machine_any(WITH_VM);
	ret = guest_unshare_host(&vm, ipa);
	machine_check(0, 0);
	reachable(ret == STOCKADE_EINVAL);
	reachable(ret == STOCKADE_EPERM && had_page(ipa));
	reachable(ret == STOCKADE_EPERM && !had_page(ipa));
	reachable(ret == STOCKADE_OK);
	if (ret) {
		__CPROVER_assert(machine_unchanged(), "refused, it has changed nothing");
		return;
	}
	__CPROVER_assert(had_page(ipa) && page_before(page_at(ipa)).state == PAGE_GUEST_SHARED,
			 "it was shared");
	__CPROVER_assert(page_now(page_at(ipa)).state == PAGE_GUEST, "it is the VM's alone");
	__CPROVER_assert(arch_has_fwb() || is_written_back(page_at(ipa)),
			 "what the host wrote is in memory");
}

/* Of one of both kinds, as it takes the solver long enough. */
static void give_back(bool shared)
{
	ipa_t ipa = nondet_u64();
	int ret;

	machine_any(WITH_VM);
	if (had_page(ipa))
		__CPROVER_assume(shared == (page_before(page_at(ipa)).state == PAGE_GUEST_SHARED));
	ret = guest_relinquish(&vm, ipa);
	machine_check(0, 0);
	reachable(ret == STOCKADE_EINVAL);
	reachable(ret == STOCKADE_ENOENT);
	reachable(ret == STOCKADE_OK && host_now(page_at(ipa)).level == 1);
	reachable(ret == STOCKADE_OK && guest_before(ipa).level == (shared ? 3 : 2));
	if (ret) {
		__CPROVER_assert(machine_unchanged(), "refused, it has changed nothing");
		__CPROVER_assert(!had_page(ipa), "there is none");
		return;
	}
	__CPROVER_assert(had_page(ipa), "the VM had a page there");
	__CPROVER_assert(page_now(page_at(ipa)).state == PAGE_HOST, "it is the host's");
	__CPROVER_assert(!guest_now(ipa).pte, "there is none any more");
}

void relinquish_private(void)
{
	give_back(false);
}

void relinquish_shared(void)
{
	give_back(true);
}

/* Its caller has found the page to be RAM. */
void force_reclaim(void)
{
	pa_t pa = (nondet_u64() % NR_PAGES) * PAGE_SIZE;
	ipa_t ipa;
	bool vms;

	machine_any(WITH_VM);
	__CPROVER_assume(is_ram(pa));
	vms = page_before(pa).state == PAGE_GUEST && page_before(pa).owner == vm.owner;
	ipa = (ipa_t)page_before(pa).gfn << PAGE_SHIFT;
	guest_force_reclaim(&vm, pa);
	machine_check(0, 0);
	reachable(vms && pte_is_unclean(guest_before(ipa).pte));
	reachable(vms && host_before(pa).level == 2);
	reachable(vms && host_before(pa).level == 3);
	reachable(!vms);
	if (!vms) {
		__CPROVER_assert(machine_unchanged(), "it has changed nothing");
		return;
	}
	if (pte_is_unclean(guest_before(ipa).pte)) {
		__CPROVER_assert(same_page(page_now(pa), page_before(pa)), "it is the VM's still");
		__CPROVER_assert(guest_now(ipa).pte != guest_before(ipa).pte, "it is nearer");
		return;
	}
	__CPROVER_assert(page_now(pa).state == PAGE_HOST, "it is the host's");
	__CPROVER_assert(guest_now(ipa).pte == PTE_POISON, "the VM gets no other in its place");
}

void guard_mmio(void)
{
	ipa_t ipa = nondet_u64();
	u64 missing = 0, pte;
	int ret;

	machine_any(WITH_VM);
	pte = guest_before(ipa).pte;
	ret = guest_guard_mmio(&vm, ipa, &missing);
	machine_check(0, 0);
	reachable(ret == STOCKADE_EINVAL);
	reachable(ret == STOCKADE_EPERM && (pte & PTE_VALID));
	reachable(ret == STOCKADE_EPERM && pte == PTE_POISON);
	reachable(ret == STOCKADE_EPERM && !pte);
	reachable(ret == STOCKADE_ENOMEM);
	reachable(ret == STOCKADE_OK && !pte);
	reachable(ret == STOCKADE_OK && pte == PTE_GUARD);
	if (ret) {
		__CPROVER_assert(machine_unchanged(), "refused, it has changed nothing");
		__CPROVER_assert((ret == STOCKADE_ENOMEM) == (missing != 0),
				 "it says what it lacks");
		return;
	}
	__CPROVER_assert(!pte || pte == PTE_GUARD, "there was nothing");
	__CPROVER_assert(guest_now(ipa).pte == PTE_GUARD, "it is guarded");
	__CPROVER_assert(guest_is_mmio(&vm, ipa), "it may be emulated");
}
