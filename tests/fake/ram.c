// SPDX-License-Identifier: GPL-2.0-only
/* RAM, and EL2's stage 1: a page is there when a walk of hyp_map has found it, until it is flushed. */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "arch/layout.h"
#include "fake.h"
#include "maint.h"
#include "mem/hyp_map.h"

#define SPAN	    (FAKE_RAM_END - FAKE_RAM_BASE)
#define ARRAY_SPAN  ALIGN_UP((FAKE_RAM_END >> PAGE_SHIFT) * 8, PAGE_SIZE)
#define WINDOW_SPAN (512 * PAGE_SIZE)
#define MAX_FILLS   (1ul << 24)

u64 hyp_linear_base;

/* What EL2 may touch, and the leaf that each page of it was filled from. */
struct filled {
	u64 pte;
	unsigned int level;
};

static struct region {
	u64 base, size;
	struct filled *page;
} regions[] = {
	{ HYP_LINEAR_BASE, FAKE_RAM_END, NULL },
	{ HYP_ARRAY_BASE, ARRAY_SPAN, NULL },
	{ HYP_WINDOW_BASE, WINDOW_SPAN, NULL },
};

static int ram_fd = -1;
static struct sigaction other_faults;

/* Pages that were filled since the last reset; a page may be in it twice. */
static u64 *fills;
static size_t nr_fills;

/*
 * CPUs that are threads miss in the TLB at the same time. Nobody touches EL2's address space while holding it, so it
 * may be taken in a signal handler.
 */
static char tlb_lock;

static void lock_tlb(void)
{
	while (__atomic_test_and_set(&tlb_lock, __ATOMIC_ACQUIRE))
		;
}

static void unlock_tlb(void)
{
	__atomic_clear(&tlb_lock, __ATOMIC_RELEASE);
}

static void *map(u64 va, u64 size, int prot, int fd, u64 offset, int flags)
{
	void *p = mmap((void *)va, size, prot, flags | MAP_NORESERVE, fd, (off_t)offset);

	if (p != (void *)va)
		fake_fail("the build machine's 0x%lx is not to be had", va);
	return p;
}

/* A page of EL2's. Past the C library, where sanitizers would forget what they know of the page. */
static void remap(u64 va, int prot, int fd, u64 offset, int flags)
{
	if (syscall(SYS_mmap, va, PAGE_SIZE, prot, flags | MAP_FIXED | MAP_NORESERVE, fd, offset) !=
	    (long)va)
		fake_fail("the build machine's 0x%lx is not to be had", va);
}

static struct region *region_of(u64 va)
{
	for (size_t i = 0; i < ARRAY_SIZE(regions); i++)
		if (va >= regions[i].base && va - regions[i].base < regions[i].size)
			return &regions[i];
	return NULL;
}

static struct filled *filled_at(u64 va)
{
	const struct region *region = region_of(va);

	return region ? &region->page[(va - region->base) >> PAGE_SHIFT] : NULL;
}

static void unfill(u64 va)
{
	struct filled *f = filled_at(va);

	if (!f || !f->pte)
		return;
	remap(va, PROT_NONE, -1, 0, MAP_PRIVATE | MAP_ANONYMOUS);
	f->pte = 0;
}

/* NULL, or what EL2 did wrong. */
static const char *fill(u64 va, bool write)
{
	struct filled *f = filled_at(va);
	struct fake_leaf leaf = fake_walk(&hyp_map, va);
	u64 attrs = leaf.pte & ~(PTE_ADDR | PTE_VALID | PTE_TABLE);

	if (write && f->pte & S1_READONLY)
		return "writes to what it may only read";
	if (f->pte)
		return NULL; /* another CPU's fault came first */
	if (!leaf.valid)
		return "touches what it has not mapped";
	if (leaf.pa < FAKE_RAM_BASE || leaf.pa >= FAKE_RAM_END)
		return "has mapped, and touches, what is no RAM";
	if (attrs != HYP_RW && attrs != HYP_RO && attrs != HYP_RX)
		return "touches what it has mapped with odd attributes";
	remap(va, leaf.pte & S1_READONLY ? PROT_READ : PROT_READ | PROT_WRITE, ram_fd,
	      leaf.pa - FAKE_RAM_BASE, MAP_SHARED);
	f->pte = leaf.pte;
	f->level = leaf.level;
	if (nr_fills == MAX_FILLS)
		return "has had too many TLB misses without a check";
	fills[nr_fills++] = va;
	return NULL;
}

/* x86-64, error code of a page fault. */
#define FAULT_IS_WRITE 2

static void on_fault(int sig, siginfo_t *info, void *context)
{
	u64 va = (u64)info->si_addr & PAGE_MASK;

	if (region_of(va)) {
		const ucontext_t *at = context;
		const char *wrong;

		lock_tlb();
		wrong = fill(va, at->uc_mcontext.gregs[REG_ERR] & FAULT_IS_WRITE);
		unlock_tlb();
		/* A test may go on from here. */
		if (wrong)
			fake_fail("EL2 %s: 0x%lx", wrong, va);
		maint_el2_uses(va);
		return;
	}
	/* Not ours: it comes again, for the sanitizer to tell. */
	sigaction(sig, &other_faults, NULL);
}

/* Whose faults they are otherwise: the sanitizer's. Test frameworks come later, and put in their own. */
__attribute__((constructor)) static void remember_other_faults(void)
{
	sigaction(SIGSEGV, NULL, &other_faults);
}

static void set_up(void)
{
	ram_fd = memfd_create("fake RAM", 0);
	if (ram_fd < 0 || ftruncate(ram_fd, SPAN))
		fake_fail("no memory");
	map(FAKE_PHYS_BASE + FAKE_RAM_BASE, SPAN, PROT_READ | PROT_WRITE, ram_fd, 0,
	    MAP_SHARED | MAP_FIXED_NOREPLACE);
	/* All at once: a signal handler can't ask for more. */
	fills = mmap(NULL, MAX_FILLS * sizeof(*fills), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (fills == MAP_FAILED)
		fake_fail("no memory");
	for (size_t i = 0; i < ARRAY_SIZE(regions); i++) {
		struct region *r = &regions[i];

		map(r->base, r->size, PROT_NONE, -1, 0,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE);
		r->page = mmap(NULL, (r->size >> PAGE_SHIFT) * sizeof(*r->page),
			       PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			       -1, 0);
	}
}

/* Power-on: TLBs are empty, and RAM too if it is to be. */
void fake_tlb_reset(bool empty_ram)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER };

	if (ram_fd < 0)
		set_up();
	/* A test that went on from a complaint may have left it. */
	unlock_tlb();
	sigaction(SIGSEGV, &action, NULL);
	for (size_t i = 0; i < nr_fills; i++)
		unfill(fills[i]);
	nr_fills = 0;
	if (empty_ram && fallocate(ram_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, SPAN))
		fake_fail("no memory");
	hyp_linear_base = FAKE_PHYS_BASE;
}

/* All that came of the leaf that va was filled from. */
void fake_tlb_flush(u64 va)
{
	struct filled *f = filled_at(va & PAGE_MASK);
	u64 base, size;

	lock_tlb();
	if (f && f->pte) {
		size = level_size(f->level);
		base = ALIGN_DOWN(va, size);
		for (u64 p = base; p < base + size; p += PAGE_SIZE)
			unfill(p);
	}
	unlock_tlb();
}

void fake_tlb_check(void)
{
	size_t kept = 0;

	for (size_t i = 0; i < nr_fills; i++) {
		const struct filled *f = filled_at(fills[i]);
		struct fake_leaf leaf = fake_walk(&hyp_map, fills[i]);

		if (!f->pte)
			continue;
		if (!leaf.valid || leaf.pte != f->pte || leaf.level != f->level)
			fake_fail("EL2's TLB still has 0x%lx, which has changed", fills[i]);
		fills[kept++] = fills[i];
	}
	nr_fills = kept;
}

void *fake_ram(pa_t pa)
{
	if (pa < FAKE_RAM_BASE || pa >= FAKE_RAM_END)
		fake_fail("0x%lx is beyond all RAM", pa);
	return (void *)(FAKE_PHYS_BASE + pa);
}

pa_t fake_va_to_pa(const void *va)
{
	u64 address = (u64)va;

	if (address >= FAKE_PHYS_BASE + FAKE_RAM_BASE && address < FAKE_PHYS_BASE + FAKE_RAM_END)
		return address - FAKE_PHYS_BASE;
	return region_of(address) ? fake_walk(&hyp_map, address).pa : 0;
}
