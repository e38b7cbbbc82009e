// SPDX-License-Identifier: GPL-2.0-only
/* Cache and TLB maintenance. */
#include "arch/cache.h"
#include "arch/insn.h"
#include "arch/spec_at.h"
#include "arch/sysreg.h"
#include "arch/tlb.h"

/* Bytes: the smallest data cache line (CTR_EL0.DminLine). */
static u64 line_size(void)
{
	return 4ull << FIELD_GET(GENMASK(19, 16), read_sysreg(ctr_el0));
}

/* Bytes that DC ZVA zeroes; 0: it must not be used. It wants the MMU on (else the access is to Device memory). */
static u64 zva_block(void)
{
	u64 dczid = read_sysreg(dczid_el0);

	return (dczid & BIT(4)) || !(read_sysreg(sctlr_el2) & 1) ? 0 : 4ull << (dczid & 0xf);
}

static inline __attribute__((always_inline)) u64 four_lines(void (*function)(u64 va), u64 p,
							    u64 size)
{
	function(p);
	function(p += size);
	function(p += size);
	function(p += size);
	return p + size;
}

/*
 * Do it to each line from p to end; sixteen to a turn, else half of what a page costs would be the loop. Inline, so that
 * there is no call for a line.
 */
static inline __attribute__((always_inline)) void each_line(void (*function)(u64 va), u64 p,
							    u64 end, u64 size)
{
	while (p + 15 * size < end) {
		p = four_lines(function, p, size);
		p = four_lines(function, p, size);
		p = four_lines(function, p, size);
		p = four_lines(function, p, size);
	}
	for (; p < end; p += size)
		function(p);
}

void dcache_clean_inval_poc(const void *va, size_t size)
{
	u64 line = line_size();

	each_line(dc_civac, ALIGN_DOWN((u64)va, line), (u64)va + size, line);
	dsb(sy);
}

void icache_inval_all(void)
{
	dsb(ish);
	ic_ialluis();
	dsb(ish);
	isb();
}

void clear_page(void *va)
{
	u64 block = zva_block();

	if (!block) {
		for (u64 *word = va; word < (u64 *)va + PAGE_SIZE / 8; word++)
			store_zero(word);
		return;
	}
	each_line(dc_zva, (u64)va, (u64)va + PAGE_SIZE, block);
}

/* To one address, stores and cleaning are in program order (Arm ARM, "Ordering of cache maintenance"). */
static void zero_and_clean(u64 p)
{
	dc_zva(p);
	dc_civac(p);
}

void clear_and_clean_page(void *va)
{
	u64 line = line_size();

	if (zva_block() != line) {
		clear_page(va);
		dcache_clean_inval_poc(va, PAGE_SIZE);
		return;
	}
	each_line(zero_and_clean, (u64)va, (u64)va + PAGE_SIZE, line);
	dsb(sy);
}

bool arch_has_fwb(void)
{
	return FIELD_GET(ID_MMFR2_FWB, read_sysreg_s(SYS_ID_AA64MMFR2_EL1));
}

void table_write_barrier(void)
{
	dsb(ishst);
}

void hyp_table_write_barrier(void)
{
	dsb(ishst);
	isb();
}

void tlb_flush_hyp(u64 va)
{
	dsb(ishst);
	tlbi_vae2is(va);
	dsb(ish);
	isb();
}

/* TLBIs of stage 2 and of EL1 act on the VMID that is current. */
struct vmid_before {
	u64 vttbr, sctlr, tcr;
};

static struct vmid_before vmid_enter(u64 vttbr)
{
	struct vmid_before before = { .vttbr = read_sysreg(vttbr_el2) };

	dsb(ishst);
	if (before.vttbr != vttbr) {
		before.sctlr = read_sysreg(sctlr_el1);
		before.tcr = read_sysreg(tcr_el1);
		spec_at_disable(before.sctlr, before.tcr);
		write_sysreg(vttbr, vttbr_el2);
		isb();
	}
	return before;
}

static void vmid_leave(u64 vttbr, const struct vmid_before *before)
{
	dsb(ish);
	isb();
	if (before->vttbr != vttbr) {
		write_sysreg(before->vttbr, vttbr_el2);
		spec_at_enable(before->sctlr, before->tcr);
		isb();
	}
}

void tlb_flush_s2(u64 vttbr, ipa_t ipa)
{
	struct vmid_before before = vmid_enter(vttbr);

	tlbi_ipas2e1is(ipa);
	dsb(ish);
	tlbi_vmalle1is();
	vmid_leave(vttbr, &before);
}

void tlb_flush_s1_local(u64 vttbr)
{
	struct vmid_before before = vmid_enter(vttbr);

	tlbi_vmalle1();
	ic_iallu();
	vmid_leave(vttbr, &before);
}

void tlb_flush_s2_all(u64 vttbr)
{
	struct vmid_before before = vmid_enter(vttbr);

	tlbi_vmalls12e1is();
	vmid_leave(vttbr, &before);
}
