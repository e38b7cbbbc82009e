// SPDX-License-Identifier: GPL-2.0-only
/*
 * The judge of maintenance itself (tests/fake/maint.h): each rule, kept and broken. A case is a string, each
 * character of which is a step; the judge must complain of the whole or must not.
 */
#include "arch/cache.h"
#include "arch/sysreg.h"
#include "arch/table.h"
#include "arch/tlb.h"
#include "hyptest.h"

static struct want want;
static struct test_vm vm;
static struct guest_mem *mem; /* the VM's */
static const struct pgtable *pt;
static u64 *guest_entry;
static u64 *entry, old, ia;
static pa_t pa;

static void step_insn(char c)
{
	switch (c) {
	case 's':
		dsb(ishst);
		break;
	case 'd':
		dsb(ish);
		break;
	case 'S':
		dsb(sy);
		break;
	case 'n':
		dsb(nsh);
		break;
	case 't':
		dsb(nshst);
		break;
	case 'b':
		isb();
		break;
	case 'i':
		tlbi_ipas2e1is(ia + PAGE_SIZE); /* anywhere in it */
		break;
	case 'o':
		tlbi_ipas2e1is(ia + BLOCK);
		break;
	case 'v':
		tlbi_vmalle1is();
		break;
	case 'l':
		tlbi_vmalle1();
		break;
	case 'a':
		tlbi_vmalls12e1is();
		break;
	case 'x':
		tlbi_vae2is(ia);
		break;
	case 'y':
		tlbi_vae2is(ia + PAGE_SIZE);
		break;
	case 'W': /* another VMID, with no ISB yet */
		write_sysreg(BIT(48) * 9, vttbr_el2);
		break;
	case 'H':
		write_sysreg(host_map.vttbr, vttbr_el2);
		break;
	case '1': /* from here on on this CPU */
		fake_cpu(1);
		break;
	default:
		fail_msg("step %c", c);
	}
}

static void step_entry(char c)
{
	switch (c) {
	case '0':
		table_write(entry, 0);
		break;
	case 'm': /* another address */
		table_write(entry, old ^ BLOCK);
		break;
	case 'e':
		table_write(entry, old);
		break;
	case 'p': /* a permission less, and one more */
		table_write(entry, old & ~S2_WRITE);
		break;
	case 'k': /* software's bits, and no others */
		table_write(entry, old | BIT(58) | BIT(55));
		break;
	case 'K': /* and the one below them */
		table_write(entry, old | BIT(54));
		break;
	case 'r': /* without the judge being told */
		*entry = 0;
		break;
	case 'u':
		(void)*(volatile u64 *)ia;
		break;
	default:
		step_insn(c);
	}
}

static void play(const char *steps, void (*step)(char c))
{
	while (*steps)
		step(*steps++);
	maint_check();
	fake_cpu(0);
}

struct wrong {
	const char *steps;
	const char *says; /* part of the complaint */
};

static void complains(const struct wrong *wrong, void (*step)(char c))
{
	complaint_expected = true;
	if (!setjmp(complaint_jump)) {
		play(wrong->steps, step);
		complaint_expected = false;
		fail_msg("nobody noticed \"%s\"", wrong->steps);
	}
	if (!strstr(complaint, wrong->says))
		fail_msg("\"%s\" is noticed as: %s", wrong->steps, complaint);
}

static void judge_all(const char *const *right, const struct wrong *wrong, void (*setup)(void),
		      void (*step)(char c))
{
	for (; *right; right++) {
		setup();
		play(*right, step);
	}
	for (; wrong->steps; wrong++) {
		setup();
		complains(wrong, step);
	}
	fake_unwatch(NULL);
}

#define CASES (const char *const[])
#define WRONG (const struct wrong[])

/* What it says. */
#define ORDER	    "no DSB orders"
#define COVER	    "no TLBI covers"
#define COMBINED    "no TLBI VMALLE1IS"
#define IPA_DSB	    "no DSB follows TLBI IPAS2E1IS"
#define TLBI_DSB    "no DSB follows the TLBI"
#define VTTBR	    "a TLBI before the ISB"
#define RAW	    "written otherwise"
#define BREAK	    "without a break"
#define VISIBLE	    "no DSB makes"
#define EL2_ISB	    "no ISB follows"
#define CONTENTS    "before a DSB made"
#define USE_DSB	    "before a DSB"
#define USE_ISB	    "before an ISB"
#define STAGE1	    "with the first one's stage 1"
#define ICACHE_VMID "with the first one's I-cache"
#define RETURN	    "has VTTBR_EL2"
#define HOST_MAPS   "the host still maps it"
#define CLEAN	    "was not cleaned to the PoC since"
#define ICACHE	    "I-caches may"
#define DC_DSB	    "no DSB SY"
#define ZERO	    "was not zeroed"
#define GUEST_MAPS  "still maps it"
#define ZERO_CLEAN  "zeroes were not cleaned"
#define CONTENT	    "is not zero"
#define SHARE	    "not cleaned to the PoC before"
#define WALKS_ON    "VTTBR_EL2 changes while"
#define WALKS_BACK  "stage 1 walks come on"

/* --- TLBs --- */

static void host_block_entry(void)
{
	unsigned int level;

	boot_again();
	pt = &host_map;
	ia = pa = host_block();
	entry = pgtable_find(pt, ia, &level);
	old = *entry;
	assert_int_equal(level, 2);
}

/* Unmapped at stage 2: DSB, by IPA, DSB, combined entries, DSB; or all at once. To every CPU, of its VMID. */
static void unmapping_stage_2(void)
{
	judge_all(CASES{ "0sidvd", "0didvd", "0SiSvS", "0sad", "0saS", "0siidvd", "0sidlvd",
			 "0siodvd", "0s1idvd", NULL },
		  WRONG{ { "0", ORDER },
			 { "0s", COVER },
			 { "0idvd", COVER },
			 { "0ad", COVER },
			 { "0tidvd", COVER },
			 { "0nidvd", COVER },
			 { "0sodvd", COVER },
			 { "0sid", COMBINED },
			 { "0sidv", TLBI_DSB },
			 { "0sivd", COMBINED },
			 { "0sisvd", COMBINED },
			 { "0sinvd", COMBINED },
			 { "0sidvs", TLBI_DSB },
			 { "0sidvn", TLBI_DSB },
			 { "0svdid", COMBINED },
			 { "0sidld", COMBINED },
			 { "0sa", TLBI_DSB },
			 { "0sas", TLBI_DSB },
			 { "0san", TLBI_DSB },
			 { "idvd0s", COVER },
			 { "ad0s", COVER },
			 { "0sWbidvdHb", COVER },
			 { "0sWidvdHb", VTTBR },
			 { "0sHidvd", VTTBR },
			 { "0si1dvd", IPA_DSB },
			 { "01sidvd", ORDER },
			 { "0sxd", COVER },
			 { "r", RAW },
			 {} },
		  host_block_entry, step_entry);
}

/* Made another: only when nothing of the old entry is left; and seen by all walkers. */
static void break_before_make(void)
{
	judge_all(CASES{ "0sidvdms", "0sadms", "0sidvdes", "0sadmd", NULL },
		  WRONG{ { "m", BREAK },
			 { "msidvd", BREAK },
			 { "0m", ORDER },
			 { "0msidvd", ORDER },
			 { "0ssms", COVER },
			 { "0sidms", COMBINED },
			 { "0sidvms", TLBI_DSB },
			 { "0sams", TLBI_DSB },
			 { "0sidvdm", VISIBLE },
			 { "0sidvdmt", VISIBLE },
			 {} },
		  host_block_entry, step_entry);
}

/* A permission may be taken without break, but not without a flush; software's bits without either. */
static void permissions(void)
{
	judge_all(CASES{ "psidvd", "psad", "k", "ke", "kpsad", NULL },
		  WRONG{ { "p", ORDER },
			 { "ps", COVER },
			 { "pidvd", COVER },
			 { "psid", COMBINED },
			 { "psidv", TLBI_DSB },
			 { "psidld", COMBINED },
			 { "K", ORDER },
			 { "kp", ORDER },
			 { "km", BREAK },
			 {} },
		  host_block_entry, step_entry);
}

static void a_page_and_a_guest(void)
{
	boot_again();
	vm = make_vm(0);
	mem = vm.mem;
	donated_page(&vm, 0x1000);
	guest_entry = pgtable_make(&mem->map, 0x2000, 3);
	pa = host_page();
}

/* The lock that guards a table is not given back before. */
static void flushes_come_before_the_unlock(void)
{
	host_block_entry();
	spin_lock(&mem_lock);
	table_write(entry, 0);
	assert_complains(spin_unlock(&mem_lock));
	a_page_and_a_guest();
	spin_lock(&mem->lock);
	table_write(pgtable_find(&mem->map, 0x1000, &(unsigned int){ 0 }), 0);
	assert_complains(spin_unlock(&mem->lock));
}

static void el2_entry(void)
{
	unsigned int level;

	boot_again();
	pa = host_page();
	assert_ret(host_donate_hyp(pa, 1, &want), 0);
	assert_ret(host_donate_hyp(pa ^ BLOCK, 1, &want), 0);
	pt = &hyp_map;
	ia = HYP_LINEAR_BASE + pa;
	entry = pgtable_find(pt, ia, &level);
	old = *entry;
}

/* EL2's own: by VA on every CPU, DSB, ISB. What is new: DSB and ISB before this CPU uses it. */
static void el2_stage_1(void)
{
	judge_all(CASES{ "0sxdb", "0dxSb", "0sxdbesbu", "0sxdbes", "0sxdbes1b", NULL },
		  WRONG{ { "0", ORDER },
			 { "0xdb", COVER },
			 { "0txdb", COVER },
			 { "0sydb", COVER },
			 { "0sx", TLBI_DSB },
			 { "0sxd", EL2_ISB },
			 { "0sxsb", TLBI_DSB },
			 { "0sxnb", TLBI_DSB },
			 { "0sad", COVER },
			 { "0sidvd", COVER },
			 { "0sxdbe", VISIBLE },
			 { "0sxdbeu", USE_DSB },
			 { "0sxdbesu", USE_ISB },
			 { "0sxdbebsu", USE_ISB },
			 { "0sxm", TLBI_DSB },
			 { "m", BREAK },
			 { "0sxd1b", EL2_ISB },
			 {} },
		  el2_entry, step_entry);
}

static pa_t table;

static void new_table(void)
{
	boot_again();
	host_block_entry();
	table = pool_get(&hyp_pool);
	dsb(ishst);
	table_write(entry, 0);
	tlb_flush_s2(pt->vttbr, ia);
}

static void step_table(char c)
{
	u64 *sub = hyp_va(table);

	switch (c) {
	case 'f': /* fill it, and then some more */
		for (u64 i = 0; i < NR_BLOCK; i++)
			table_write(&sub[i], pte_leaf(pa + i * PAGE_SIZE, 3, HOST_RAM));
		break;
	case 'L':
		table_write(entry, table | PTE_VALID | PTE_TABLE);
		break;
	case 'B':
		table_write(entry, old);
		break;
	case 'c':
		clear_page(sub);
		break;
	case 'z':
		table_write(&sub[7], 0);
		break;
	default:
		step_entry(c);
	}
}

/* A table: contents before link; all that it mapped is flushed when it goes, and before it is used otherwise. */
static void tables_come_and_go(void)
{
	judge_all(CASES{ "fsLs", "fsLs0sad", "fsLs0sadBs", "fsLs0sadcz", "fsLs0sadBsc", NULL },
		  WRONG{ { "fLs", CONTENTS },
			 { "ftLs", CONTENTS },
			 { "fsLzs", COVER },
			 { "fsL", VISIBLE },
			 { "fsLs0sidvd", COVER },
			 { "fsLs0sidvdBs", COVER },
			 { "fsLsB", BREAK },
			 { "fsLs0saBs", TLBI_DSB },
			 { "fsLs0c", ORDER },
			 { "fsLs0sac", TLBI_DSB },
			 { "fsLs0zsad", ORDER },
			 { "fsLsc", ORDER },
			 { "fsLsz", ORDER },
			 {} },
		  new_table, step_table);
}

/* --- VMIDs --- */

static void vm_with_a_page(void)
{
	boot_again();
	vm = make_vm(2);
	mem = vm.mem;
	pa = donated_page(&vm, 0x1000);
}

/* A dying VM's entries may go without a flush each, once all is flushed; and it never runs again. */
static void the_last_flush(void)
{
	vm_with_a_page();
	mem->dying = true;
	vm.vm->state = VM_DYING;
	assert_complains(hc(STOCKADE_HC_VM_RECLAIM, vm.handle));

	vm_with_a_page();
	assert_ret(hc(STOCKADE_HC_VM_TEARDOWN, vm.handle), 0);
	vm.vm->state = VM_SEALED;
	assert_complains(load(&vm, 0));

	/* Not while one is bound. */
	vm_with_a_page();
	load(&vm, 0);
	guest_start_reclaim(mem);
	assert_complains(guest_reclaim_some(mem));
	fake_unwatch(NULL);
}

/* A VMID goes to another VM with nothing of the first in TLBs. */
static void vmids_are_clean(void)
{
	vm_with_a_page();
	vm.vm->state = VM_DYING;
	vm.vm->nr_vcpus = 0;
	mem->reclaim_next = BIT(40);
	while (mem->pool.free)
		hyp_donate_host(pool_get(&mem->pool));
	assert_complains(hc(STOCKADE_HC_VM_DESTROY, vm.handle));
	fake_unwatch(NULL);
}

static void bound_before(void)
{
	boot_again();
	vm = make_vm(2);
	fake_cpu(0);
	load(&vm, 0);
	assert_ret(hc(STOCKADE_HC_VCPU_PUT), 0);
	/* The hypervisor believes that it was vCPU 1, and leaves it to us. */
	vm.vm->last_vcpu[0] = 2;
}

static void bound_before_aivivt(void)
{
	bound_before();
	fake.ctr = (fake.ctr & ~GENMASK(15, 14)) | BIT(14);
}

static void step_vcpu(char c)
{
	switch (c) {
	case 'G':
		fake_set_vttbr(vm.vm->world.vttbr);
		break;
	case 'R':
		fake_set_vttbr(host_map.vttbr);
		break;
	case 'c':
		ic_iallu();
		break;
	case '2':
		load(&vm, 1);
		break;
	case '8': /* the one it had */
		vm.vm->last_vcpu[0] = 1;
		load(&vm, 0);
		break;
	default:
		step_insn(c);
	}
}

/* Another vCPU on a CPU: stage 1 of the first is gone there; lines too where I-caches have VMIDs. */
static void another_vcpu(void)
{
	judge_all(CASES{ "8", "GldR2", "GlnR2", "GvdR2", "GadR2", NULL },
		  WRONG{ { "2", STAGE1 },
			 { "GlR2", STAGE1 },
			 { "GlsR2", STAGE1 },
			 { "ld2", STAGE1 },
			 { "Gld1R2", RETURN },
			 {} },
		  bound_before, step_vcpu);
	judge_all(CASES{ "8", "GlcdR2", NULL },
		  WRONG{ { "GldR2", ICACHE_VMID }, { "GlcR2", STAGE1 }, {} }, bound_before_aivivt,
		  step_vcpu);
}

/* --- pages --- */

static void clean_lines(u64 from, u64 to, u64 step)
{
	void *window = window_open(pa);

	for (u64 off = from; off < to; off += step)
		dc_civac((u64)window + off);
	window_close();
}

static void step_page(char c)
{
	struct page *page = fake_page(pa);

	switch (c) {
	case 'h': /* the host loses it */
		spin_lock(&mem_lock);
		host_unmap(pa, 3);
		*page = (struct page){ .state = PAGE_GUEST, .gfn = 2 };
		spin_unlock(&mem_lock);
		break;
	case 'c':
		dcache_clean_inval_poc(window_open(pa), PAGE_SIZE);
		window_close();
		break;
	case 'C': /* no DSB SY */
		clean_lines(0, PAGE_SIZE, 64);
		break;
	case '<': /* a line is left out */
		clean_lines(64, PAGE_SIZE, 64);
		dsb(sy);
		break;
	case '>':
		clean_lines(0, PAGE_SIZE - 64, 64);
		dsb(sy);
		break;
	case '/':
		clean_lines(0, PAGE_SIZE, 128);
		dsb(sy);
		break;
	case 'I':
		icache_inval_all();
		break;
	case 'J': /* no DSB */
		ic_ialluis();
		break;
	case 'j': /* here alone */
		ic_iallu();
		break;
	case 'g': /* the guest gets it */
		spin_lock(&mem->lock);
		pgtable_set(&mem->map, guest_entry, 0x2000, pte_leaf(pa, 3, GUEST_RAM));
		spin_unlock(&mem->lock);
		break;
	case 'k': /* and loses it */
		spin_lock(&mem->lock);
		pgtable_set(&mem->map, guest_entry, 0x2000, 0);
		page->state = PAGE_MOVING;
		spin_unlock(&mem->lock);
		break;
	case 'z':
		scrub_page(pa);
		break;
	case 'Z': /* zeroes only */
		clear_page(window_open(pa));
		window_close();
		break;
	case '9': /* all but the last */
		for (u64 *word = window_open(pa), n = 0; n < NR_BLOCK - 1; n++)
			store_zero(word + n);
		window_close();
		break;
	case 'w': /* EL2 writes it again */
		*(u64 *)window_open(pa) = 1;
		window_close();
		break;
	case 'f':
		fill_page(pa, 3);
		break;
	case 'q': /* the host gets it */
		spin_lock(&mem_lock);
		*page = (struct page){ .state = PAGE_HOST };
		host_remap(pa, 3);
		spin_unlock(&mem_lock);
		break;
	case 'Q': /* sees it */
		spin_lock(&mem->lock);
		spin_lock(&mem_lock);
		page->state = PAGE_GUEST_SHARED;
		host_remap(pa, 3);
		spin_unlock(&mem_lock);
		spin_unlock(&mem->lock);
		break;
	case 'X': /* the same, cleaned under the lock */
		spin_lock(&mem->lock);
		step_page('c');
		step_page('Y');
		spin_unlock(&mem->lock);
		break;
	case 'Y':
		spin_lock(&mem_lock);
		page->state = PAGE_GUEST_SHARED;
		host_remap(pa, 3);
		spin_unlock(&mem_lock);
		break;
	case '(':
		spin_lock(&mem->lock);
		break;
	case ')':
		spin_unlock(&mem->lock);
		break;
	default:
		step_insn(c);
	}
}

static void with_fwb(void)
{
	a_page_and_a_guest();
	fake.has_fwb = true;
}

/* From the host to a guest: unmapped, cleaned whole, DSB, then the I-caches, DSB, then the entry. */
static void host_to_guest(void)
{
	judge_all(CASES{ "hcIg", "hcJdg", "hCSJdg", "hccIg", "hc/Ig", NULL },
		  WRONG{ { "g", HOST_MAPS },
			 { "hg", CLEAN },
			 { "cIg", HOST_MAPS },
			 { "chIg", CLEAN },
			 { "cIhg", CLEAN },
			 { "hIg", CLEAN },
			 { "hcg", ICACHE },
			 { "hIcg", ICACHE },
			 { "hCIg", CLEAN },
			 { "hCdIg", CLEAN },
			 { "hCsIg", CLEAN },
			 { "h<Ig", CLEAN },
			 { "h>Ig", CLEAN },
			 { "h/Ig", CLEAN },
			 { "hcJg", ICACHE },
			 { "hcJsg", ICACHE },
			 { "hcjdg", ICACHE },
			 { "hC", DC_DSB },
			 {} },
		  a_page_and_a_guest, step_page);
	judge_all(CASES{ "hIg", "hcIg", NULL },
		  WRONG{ { "hg", ICACHE },
			 { "Ihg", ICACHE },
			 { "g", HOST_MAPS },
			 { "hjdg", ICACHE },
			 {} },
		  with_fwb, step_page);
}

/*
 * From a guest to the host: unmapped, zeroed whole, cleaned whole, DSB, then the entry; with FWB too. The I-caches at any
 * time since it was unmapped.
 */
static void guest_to_host(void)
{
	void (*const setups[])(void) = { a_page_and_a_guest, with_fwb };

	for (size_t i = 0; i < ARRAY_SIZE(setups); i++)
		judge_all(CASES{ "hcIgkzIq", "hcIgkIzIq", "hcIgkZcIq", "hcIgkZCSIq", "hcIgkzzIq",
				 NULL },
			  WRONG{ { "hcIgkIq", ZERO },
				 { "hcIgzq", GUEST_MAPS },
				 { "hcIgzkIq", ZERO },
				 { "hcIgkZIq", ZERO_CLEAN },
				 { "hcIgkcIq", ZERO },
				 { "hcIgkcZIq", ZERO_CLEAN },
				 { "hcIgkZCIq", ZERO_CLEAN },
				 { "hcIgkZCdIq", ZERO_CLEAN },
				 { "hcIgkZ<Iq", ZERO_CLEAN },
				 { "hcIgkZ>Iq", ZERO_CLEAN },
				 { "hcIgkZ/Iq", ZERO_CLEAN },
				 { "hcIgk9cIq", ZERO },
				 { "hcIgkZwcIq", CONTENT },
				 { "hcIgkzq", ICACHE },
				 { "hcIgIkzq", ICACHE },
				 { "hcIgkzJq", ICACHE },
				 { "hcIgkzjdq", ICACHE },
				 {} },
			  setups[i], step_page);
}

/* What a guest shares is cleaned under the same lock; what it takes back too, without FWB. */
static void shared_pages(void)
{
	judge_all(CASES{ "hcIgX", "hcIgX(hc)", "hcIgX(hc)X", NULL },
		  WRONG{ { "hcIgQ", SHARE },
			 { "hcIgcQ", SHARE },
			 { "hcIgX(h)", CLEAN },
			 { "hcIgXc(h)", CLEAN },
			 { "hcIgX(hc)Q", SHARE },
			 { "hcIgX(h>)", CLEAN },
			 {} },
		  a_page_and_a_guest, step_page);
	judge_all(CASES{ "hcIgX", "hcIgX(h)", NULL }, WRONG{ { "hcIgQ", SHARE }, {} }, with_fwb,
		  step_page);
}

static void step_hyp(char c)
{
	switch (c) {
	case 'h':
		spin_lock(&mem_lock);
		host_unmap(pa, 3);
		spin_unlock(&mem_lock);
		break;
	case 'P':
		*fake_page(pa) = (struct page){ .state = PAGE_HYP };
		break;
	case 'M':
		spin_lock(&mem_lock);
		hyp_map_page(pa);
		spin_unlock(&mem_lock);
		break;
	case 'U':
		spin_lock(&mem_lock);
		hyp_unmap_page(pa);
		spin_unlock(&mem_lock);
		break;
	default:
		step_page(c);
	}
}

/* The hypervisor gets what the host has lost, and gives it back as a guest does. */
static void hyp_and_host(void)
{
	judge_all(CASES{ "M", "hPM", "hPMzUq", "hPMUzq", "hPMZcUq", NULL },
		  WRONG{ { "PM", HOST_MAPS },
			 { "hPMUq", ZERO },
			 { "hPMcUq", ZERO },
			 { "hPMZUq", ZERO_CLEAN },
			 { "hPMcZUq", ZERO_CLEAN },
			 { "hPMzwUq", CONTENT },
			 { "hPM9cUq", ZERO },
			 {} },
		  a_page_and_a_guest, step_hyp);
}

static void step_erratum(char c)
{
	u64 off = TCR_EPD0 | TCR_EPD1;

	switch (c) {
	case 'T':
		write_sysreg(off, tcr_el1);
		break;
	case 'M':
		write_sysreg(SCTLR_EL1_M, sctlr_el1);
		break;
	case 'O':
		write_sysreg(0, tcr_el1);
		break;
	default:
		step_insn(c);
	}
}

static void a_core_with_the_erratum(void)
{
	boot_again();
	fake.midr = 0x411fd050; /* Cortex-A55 */
}

/* Where AT may be speculated, VTTBR_EL2 changes with walks of stage 1 off. */
static void speculative_at(void)
{
	judge_all(CASES{ "TbMbWbHbO", NULL },
		  WRONG{ { "WbHb", WALKS_ON },
			 { "TbMWbHb", WALKS_ON },
			 { "TbWbHb", WALKS_ON },
			 { "MbWbHb", WALKS_ON },
			 { "TbMbWbHO", WALKS_BACK },
			 {} },
		  a_core_with_the_erratum, step_erratum);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bare_boot_test(unmapping_stage_2), bare_boot_test(break_before_make),
		bare_boot_test(permissions),	   bare_boot_test(flushes_come_before_the_unlock),
		bare_boot_test(el2_stage_1),	   bare_boot_test(tables_come_and_go),
		bare_boot_test(the_last_flush),	   bare_boot_test(vmids_are_clean),
		bare_boot_test(another_vcpu),	   bare_boot_test(host_to_guest),
		bare_boot_test(guest_to_host),	   bare_boot_test(shared_pages),
		bare_boot_test(hyp_and_host),	   bare_boot_test(speculative_at),
	};

	return RUN("hyp-fake-maint", tests);
}
