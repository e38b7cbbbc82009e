// SPDX-License-Identifier: GPL-2.0-only
/* What must hold between two calls, whatever they were (hyp/mem/page.h, DESIGN section 5). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/layout.h"
#include "fake.h"
#include "maint.h"
#include "mem/host_map.h"
#include "mem/hyp_map.h"
#include "mem/page.h"
#include "vm/vcpu.h"

#define NR_FRAMES ((FAKE_RAM_END - FAKE_RAM_BASE) >> PAGE_SHIFT)

const char *fake_state_name(unsigned int state)
{
	static const char *const names[] = { "NONE", "HOST",  "HOST_SHARED",  "HOST_SECURE",
					     "HYP",  "GUEST", "GUEST_SHARED", "MOVING" };

	return state < ARRAY_SIZE(names) ? names[state] : "?";
}

struct page *fake_page(pa_t pa)
{
	u64 va = (u64)hyp_array_va(pa);
	struct fake_leaf leaf = fake_walk(&hyp_map, va);

	return leaf.valid ? fake_ram(leaf.pa) : NULL;
}

/* What each frame is used as. */
enum use {
	USE_NONE,
	USE_TABLE,
	USE_POOL,
};

static u8 use[NR_FRAMES];

static u8 *use_of(pa_t pa)
{
	if (pa < FAKE_RAM_BASE || pa >= FAKE_RAM_END || (pa & (PAGE_SIZE - 1)))
		fake_fail("0x%lx is no page", pa);
	return &use[(pa - FAKE_RAM_BASE) >> PAGE_SHIFT];
}

static unsigned int state_of(pa_t pa)
{
	const struct page *page = fake_page(pa);

	return page ? page->state : PAGE_NONE;
}

static void claim(pa_t pa, enum use as, const char *what)
{
	if (*use_of(pa))
		fake_fail("0x%lx is %s and something else too", pa, what);
	if (state_of(pa) != PAGE_HYP)
		fake_fail("0x%lx is %s, and its state is %s", pa, what,
			  fake_state_name(state_of(pa)));
	*use_of(pa) = as;
}

static void claim_table(pa_t pa, unsigned int level, void *arg)
{
	char what[64];

	snprintf(what, sizeof(what), "a table of %s at level %u", (const char *)arg, level);
	claim(pa, USE_TABLE, what);
}

static void check_tables(const struct pgtable *pt, const char *whose)
{
	fake_each_table(pt, claim_table, (void *)whose);
}

/* A pool's page, which is zero from the word first on. */
static void claim_zeroed(pa_t page, size_t first, const char *whose)
{
	const u64 *word = fake_ram(page);

	claim(page, USE_POOL, whose);
	for (size_t i = first; i < PAGE_SIZE / 8; i++)
		if (word[i])
			fake_fail("0x%lx is in the pool of %s and not zero", page, whose);
}

static void check_pool(const struct pool *pool, const char *whose)
{
	u64 nr = 0;

	for (pa_t page = pool->head; page; nr++) {
		claim_zeroed(page, 1, whose);
		page = *(const u64 *)fake_ram(page);
	}
	for (pa_t page = pool->next; page < pool->end; page += PAGE_SIZE, nr++)
		claim_zeroed(page, 0, whose);
	if (nr != pool->free + pool->reserved)
		fake_fail("the pool of %s has %lu pages, and says %lu + %lu", whose, nr, pool->free,
			  pool->reserved);
}

/* --- the host's stage 2 --- */

static u64 host_pages, host_pages_expected;

static void check_host_leaf(const struct fake_leaf *leaf, void *arg)
{
	u64 size = level_size(leaf->level);

	(void)arg;
	if (leaf->pa != leaf->ia)
		fake_fail("the host's 0x%lx is mapped to 0x%lx", leaf->ia, leaf->pa);
	if (leaf->pte == pte_leaf(leaf->pa, leaf->level, HOST_DEVICE)) {
		for (unsigned int i = 0; i < fake.launch.nr_ram; i++) {
			const struct stockade_range *ram = &fake.launch.ram[i];

			if (leaf->ia < ram->base + ram->size && ram->base < leaf->ia + size)
				fake_fail("0x%lx maps RAM as a device", leaf->ia);
		}
		return;
	}
	if ((leaf->pte & ~PTE_GUESTS) != pte_leaf(leaf->pa, leaf->level, HOST_RAM))
		fake_fail("the host's 0x%lx has descriptor 0x%lx", leaf->ia, leaf->pte);
	for (u64 pa = leaf->pa; pa < leaf->pa + size; pa += PAGE_SIZE) {
		unsigned int state = state_of(pa);

		if (state != PAGE_HOST && state != PAGE_HOST_SHARED && state != PAGE_HOST_SECURE &&
		    state != PAGE_GUEST_SHARED)
			fake_fail("the host sees 0x%lx, which is %s", pa, fake_state_name(state));
		/* Else a block might take the page in. */
		if (!(leaf->pte & PTE_GUESTS) != (state != PAGE_GUEST_SHARED))
			fake_fail("0x%lx is %s and its descriptor 0x%lx", pa,
				  fake_state_name(state), leaf->pte);
	}
	host_pages += size / PAGE_SIZE;
}

/* --- EL2's stage 1 --- */

static void check_hyp_leaf(const struct fake_leaf *leaf, void *arg)
{
	u64 size = level_size(leaf->level), at = leaf->ia;

	(void)arg;
	if (!(leaf->pte & S1_XN) && !(leaf->pte & S1_READONLY))
		fake_fail("EL2's 0x%lx can be written and executed", at);
	if (at >= HYP_WINDOW_BASE && at < HYP_WINDOW_BASE + 512 * PAGE_SIZE)
		fake_fail("a window is open at 0x%lx", at);
	for (u64 pa = leaf->pa; pa < leaf->pa + size; pa += PAGE_SIZE) {
		unsigned int state = state_of(pa);

		if (state != PAGE_HYP && state != PAGE_HOST_SHARED)
			fake_fail("EL2 has mapped 0x%lx, which is %s", pa, fake_state_name(state));
	}
}

/* --- guests --- */

struct guest_check {
	const struct vm *vm;
	u64 blocks, pages, host_splits;
};

static void check_guest_leaf(const struct fake_leaf *leaf, void *arg)
{
	struct guest_check *check = arg;
	u64 memattr = fake.has_fwb ? S2_MEMATTR_FORCE_WB : S2_MEMATTR_AS_S1;
	u64 unclean = leaf->pa | PTE_UNCLEAN | (leaf->pte & PTE_CLEANED);

	if (leaf->valid ? leaf->pte != pte_leaf(leaf->pa, leaf->level, GUEST_RAM | memattr) :
			  leaf->pte != unclean || leaf->level != 2 || fake.has_fwb)
		fake_fail("a guest's 0x%lx has descriptor 0x%lx", leaf->ia, leaf->pte);
	if (leaf->level == 1)
		fake_fail("a guest has 1 GiB at 0x%lx", leaf->ia);
	if (leaf->level == 2)
		check->blocks++;
	for (u64 i = 0; i < level_size(leaf->level) / PAGE_SIZE; i++) {
		pa_t pa = leaf->pa + i * PAGE_SIZE;
		const struct page *page = fake_page(pa);

		if (!page || (page->state != PAGE_GUEST && page->state != PAGE_GUEST_SHARED))
			fake_fail("a guest sees 0x%lx, which is %s", pa,
				  fake_state_name(page ? page->state : 0));
		if (page->owner != check->vm->index)
			fake_fail("VM %u sees 0x%lx, which is VM %u's", check->vm->index, pa,
				  page->owner);
		if (page->gfn != (leaf->ia >> PAGE_SHIFT) + i)
			fake_fail("0x%lx is at 0x%lx, and its entry says gfn 0x%lx", pa, leaf->ia,
				  (u64)page->gfn);
		check->pages++;
	}
}

static u64 check_vm(struct vm *vm, u64 *reserved)
{
	struct guest_check check = { .vm = vm };

	if (vm->mem.owner != vm->index || vm->mem.map.vttbr >> 48 != vm->index + 1u)
		fake_fail("VM %u does not know who it is", vm->index);
	if (vm->mem.map.root & (stockade_s2_root_pages(vm->mem.map.ia_bits) * PAGE_SIZE - 1))
		fake_fail("VM %u's root is misaligned", vm->index);
	if (state_of(hyp_pa(vm)) != PAGE_HYP)
		fake_fail("VM %u is not the hypervisor's", vm->index);
	check_tables(&vm->mem.map, "a guest");
	check_pool(&vm->mem.pool, "a guest");
	fake_each_leaf(&vm->mem.map, check_guest_leaf, &check);
	/* Each block can be split. */
	if (vm->mem.pool.reserved != check.blocks)
		fake_fail("VM %u has %lu blocks and %lu tables reserved", vm->index, check.blocks,
			  vm->mem.pool.reserved);
	*reserved += check.blocks;
	for (u32 i = 0; i < vm->nr_vcpus; i++) {
		const struct vcpu *vcpu = vm->vcpus[i];

		if (state_of(hyp_pa(vcpu)) != PAGE_HYP || vcpu->index != i || vcpu->vm != vm)
			fake_fail("VM %u's vCPU %u is wrong", vm->index, i);
		if (state_of(hyp_pa(vcpu->run)) != PAGE_HOST_SHARED)
			fake_fail("VM %u's run page %u is not shared", vm->index, i);
	}
	return check.pages;
}

static u64 guest_pages, hyp_pages;

static void count_pages(pa_t pa)
{
	const struct page *page = fake_page(pa);
	bool mapped = fake_walk(&host_map, pa).valid;
	bool el2 = fake_walk(&hyp_map, HYP_LINEAR_BASE + pa).valid;

	switch (page ? page->state : PAGE_NONE) {
	case PAGE_HOST_SHARED:
		if (!page->refs || !el2)
			fake_fail("0x%lx is shared %u times, and %smapped", pa, page->refs,
				  el2 ? "" : "not ");
		/* fall through */
	case PAGE_HOST:
		if (page->state == PAGE_HOST && (page->refs || page->owner || page->gfn))
			fake_fail("0x%lx is the host's and has another's data", pa);
		host_pages_expected++;
		break;
	case PAGE_HOST_SECURE:
		if (page->refs || page->owner)
			fake_fail("0x%lx is the secure world's and has another's data", pa);
		host_pages_expected++;
		break;
	case PAGE_HYP:
		hyp_pages++;
		break;
	case PAGE_GUEST_SHARED:
		host_pages_expected++;
		/* fall through */
	case PAGE_GUEST:
		guest_pages++;
		break;
	default:
		fake_fail("0x%lx is %s", pa, fake_state_name(page ? page->state : 0));
	}
	if (!mapped && page->state != PAGE_HYP && page->state != PAGE_GUEST)
		fake_fail("0x%lx is %s and not mapped for the host", pa,
			  fake_state_name(page->state));
}

void fake_check(void)
{
	u64 pages = 0, reserved = 0;
	unsigned int nr_vms = 0;

	fake_lock_check();
	if (hyp_map.root)
		fake_tlb_check();
	if (!host_map.root || !hyp_map.root)
		return;
	maint_check();

	memset(use, 0, sizeof(use));
	host_pages = host_pages_expected = guest_pages = hyp_pages = 0;
	check_tables(&hyp_map, "EL2");
	check_tables(&host_map, "the host");
	check_pool(&hyp_pool, "EL2");
	fake_each_leaf(&hyp_map, check_hyp_leaf, NULL);
	fake_each_leaf(&host_map, check_host_leaf, NULL);
	for (u32 i = 0; i < STOCKADE_MAX_VMS && nr_vms < vm_count(); i++) {
		struct vm *vm = vm_get_index(i);

		if (!vm)
			continue;
		nr_vms++;
		pages += check_vm(vm, &reserved);
		vm_put(vm);
	}
	if (nr_vms != vm_count())
		fake_fail("%u VMs, and it says %u", nr_vms, vm_count());
	if (hyp_pool.reserved != reserved)
		fake_fail("guests have %lu blocks, and %lu tables are reserved", reserved,
			  hyp_pool.reserved);
	for (unsigned int i = 0; i < fake.launch.nr_ram; i++) {
		const struct stockade_range *ram = &fake.launch.ram[i];

		for (pa_t pa = ram->base; pa < ram->base + ram->size; pa += PAGE_SIZE)
			count_pages(pa);
	}
	if (host_pages != host_pages_expected)
		fake_fail("%lu pages are mapped for the host, %lu should be", host_pages,
			  host_pages_expected);
	if (pages != guest_pages)
		fake_fail("%lu pages are mapped for guests, %lu are theirs", pages, guest_pages);
	if (hyp_pages != page_nr_hyp)
		fake_fail("%lu pages are the hypervisor's, it says %lu", hyp_pages, page_nr_hyp);
}

/* --- copies --- */

/* Their memory is kept: most tests make many of them. */
struct fake_copy {
	bool used;
	char *data[FAKE_SECTIONS], *ram;
	size_t ram_size;
};

static struct fake_copy copies[4];

struct fake_copy *fake_copy(void)
{
	struct fake_copy *copy = copies;
	size_t size = 0;

	while (copy->used)
		if (++copy == copies + ARRAY_SIZE(copies))
			fake_fail("too many copies");
	copy->used = true;
	for (unsigned int n = 0; n < FAKE_SECTIONS; n++) {
		struct fake_section s = fake_section(n);

		if (!copy->data[n])
			copy->data[n] = malloc(s.size + 1);
		fake_copy_raw(copy->data[n], s.base, s.size);
	}
	for (unsigned int i = 0; i < fake.launch.nr_ram; i++)
		size += fake.launch.ram[i].size;
	if (size > copy->ram_size) {
		copy->ram = realloc(copy->ram, size);
		copy->ram_size = size;
	}
	size = 0;
	for (unsigned int i = 0; i < fake.launch.nr_ram; i++) {
		const struct stockade_range *ram = &fake.launch.ram[i];

		memcpy(copy->ram + size, fake_ram(ram->base), ram->size);
		size += ram->size;
	}
	return copy;
}

__attribute__((no_sanitize_address)) static long first_difference(const char *a, const char *b,
								  size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (((const volatile char *)a)[i] != b[i])
			return (long)i;
	return -1;
}

const char *fake_differs(struct fake_copy *copy)
{
	static char what[128];
	const char *ret = NULL;
	size_t offset = 0;
	long at;

	for (unsigned int i = 0; i < fake.launch.nr_ram; i++) {
		const struct stockade_range *ram = &fake.launch.ram[i];
		const char *now = fake_ram(ram->base);
		const char *then = copy->ram + offset;

		if (!ret && memcmp(then, now, ram->size)) {
			pa_t pa = ram->base + (u64)first_difference(then, now, ram->size);

			snprintf(what, sizeof(what), "0x%lx in a page that is %s now", pa,
				 fake_state_name(state_of(pa & PAGE_MASK)));
			ret = what;
		}
		offset += ram->size;
	}
	for (unsigned int n = 0; n < FAKE_SECTIONS; n++) {
		struct fake_section section = fake_section(n);

#ifdef FAKE_COVERAGE
		section.size = 0; /* there are counters in it */
#endif
		at = first_difference(copy->data[n], section.base, section.size);
		if (!ret && at >= 0) {
			snprintf(what, sizeof(what), "the hypervisor's data at %s + 0x%lx",
				 n ? "data" : "bss", at);
			ret = what;
		}
	}
	copy->used = false;
	return ret;
}
