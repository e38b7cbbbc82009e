// SPDX-License-Identifier: GPL-2.0-only
/* The sequences of hyp/arch/maint.c, instruction by instruction. */
#include "arch/cache.h"
#include "arch/sysreg.h"
#include "arch/tlb.h"
#include "hyptest.h"

#define OTHER_VTTBR (BIT(48) * 9 | 0x40200000)

static unsigned int at;

static void next_is(enum fake_op_kind kind, u64 a, u64 b)
{
	if (at >= fake.nr_ops)
		fail_msg("operation %u is missing", at);
	assert_int_equal(fake.ops[at].kind, kind);
	assert_int_equal(fake.ops[at].a, a);
	assert_int_equal(fake.ops[at].b, b);
	at++;
}

static void that_was_all(void)
{
	assert_int_equal(at, fake.nr_ops);
	fake.nr_ops = at = 0;
}

static void to_vmid(u64 vttbr)
{
	next_is(FAKE_DSB, FAKE_DSB_ishst, 0);
	if (vttbr == host_map.vttbr)
		return;
	next_is(FAKE_VTTBR, vttbr, 0);
	next_is(FAKE_ISB, 0, 0);
}

static void back(u64 vttbr)
{
	next_is(FAKE_DSB, FAKE_DSB_ish, 0);
	next_is(FAKE_ISB, 0, 0);
	if (vttbr != host_map.vttbr) {
		next_is(FAKE_VTTBR, host_map.vttbr, 0);
		next_is(FAKE_EL1_WALKS, 0, 0);
		next_is(FAKE_EL1_WALKS, 0, 0);
		next_is(FAKE_ISB, 0, 0);
	}
	that_was_all();
	assert_int_equal(fake_vttbr(0), host_map.vttbr);
}

/* Under the VMID that is current, and under another one. */
static void stage_2_flushes(void)
{
	const u64 vttbrs[] = { host_map.vttbr, OTHER_VTTBR };

	for (size_t i = 0; i < ARRAY_SIZE(vttbrs); i++) {
		u64 vttbr = vttbrs[i];

		tlb_flush_s2(vttbr, 0x123456000);
		to_vmid(vttbr);
		next_is(FAKE_TLBI_IPAS2E1IS, vttbr, 0x123456000);
		next_is(FAKE_DSB, FAKE_DSB_ish, 0);
		next_is(FAKE_TLBI_VMALLE1IS, vttbr, 0);
		back(vttbr);

		tlb_flush_s2_all(vttbr);
		to_vmid(vttbr);
		next_is(FAKE_TLBI_VMALLS12E1IS, vttbr, 0);
		back(vttbr);

		tlb_flush_s1_local(vttbr);
		to_vmid(vttbr);
		next_is(FAKE_TLBI_VMALLE1, vttbr, 0);
		next_is(FAKE_IC_IALLU, 0, 0);
		back(vttbr);
	}
}

static void el2s_own(void)
{
	tlb_flush_hyp(HYP_LINEAR_BASE + 0x5000);
	next_is(FAKE_DSB, FAKE_DSB_ishst, 0);
	next_is(FAKE_TLBI_VAE2IS, HYP_LINEAR_BASE + 0x5000, 0);
	next_is(FAKE_DSB, FAKE_DSB_ish, 0);
	next_is(FAKE_ISB, 0, 0);
	that_was_all();
	table_write_barrier();
	next_is(FAKE_DSB, FAKE_DSB_ishst, 0);
	that_was_all();
	hyp_table_write_barrier();
	next_is(FAKE_DSB, FAKE_DSB_ishst, 0);
	next_is(FAKE_ISB, 0, 0);
	that_was_all();
	icache_inval_all();
	next_is(FAKE_DSB, FAKE_DSB_ish, 0);
	next_is(FAKE_IC_IALLUIS, 0, 0);
	next_is(FAKE_DSB, FAKE_DSB_ish, 0);
	next_is(FAKE_ISB, 0, 0);
	that_was_all();
}

/* Errata 1165522, 1319367, 1319537, 1530923: the judge demands that walks are off while VTTBR_EL2 changes. */
static void cores_that_walk_by_speculation(void)
{
	static const u64 cores[] = { 0x412fd050, 0x411fd070, 0x410fd083, 0x413fd0b1 };

	for (size_t i = 0; i < ARRAY_SIZE(cores); i++) {
		fake.midr = cores[i];
		write_sysreg(0x30d00800, sctlr_el1);
		write_sysreg(0x12345, tcr_el1);
		isb();
		fake.nr_ops = at = 0;
		tlb_flush_s2(OTHER_VTTBR, 0x1000);
		tlb_flush_s2_all(OTHER_VTTBR);
		tlb_flush_s1_local(OTHER_VTTBR);
		assert_int_equal(count_ops(FAKE_VTTBR), 6);
		assert_int_equal(read_sysreg(sctlr_el1), 0x30d00800);
		assert_int_equal(read_sysreg(tcr_el1), 0x12345);
	}
}

/* Every line that the bytes touch, none else, by the line size of CTR_EL0; then a DSB. */
static void lines_are_covered(void)
{
	static const struct {
		u64 from, size;
	} bytes[] = { { 0, PAGE_SIZE }, { 0, 1 },      { 0, 64 },   { 0, 65 },	 { 63, 1 },
		      { 63, 2 },	{ 100, 1000 }, { 2047, 2 }, { 8, 4080 }, { 4095, 1 } };
	pa_t pa = host_page();
	struct want want;
	u64 va;

	assert_ret(host_donate_hyp(pa, 1, &want), 0);
	va = (u64)hyp_va(pa);
	/* DminLine: 4 words to 512. */
	for (u64 min = 2; min <= 9; min++) {
		u64 line = 4ull << min;

		/* IminLine differs. */
		fake.ctr = 0x84408000 | min << 16 | (11 - min);
		for (size_t i = 0; i < ARRAY_SIZE(bytes); i++) {
			u64 start = ALIGN_DOWN(bytes[i].from, line);
			u64 end = ALIGN_UP(bytes[i].from + bytes[i].size, line);

			fake.nr_ops = at = 0;
			dcache_clean_inval_poc((void *)(va + bytes[i].from), bytes[i].size);
			next_is(FAKE_DC_CIVAC, pa + start, end - start);
			next_is(FAKE_DSB, FAKE_DSB_sy, 0);
			that_was_all();
		}
	}
	hyp_donate_host(pa);
}

/* A page is cleared, and nothing else, whatever the block; without DC ZVA where it is prohibited. */
static void one_page_is_cleared(void)
{
	pa_t pa = host_page();
	struct want want;

	host_page();
	host_page();
	assert_ret(host_donate_hyp(pa, 3, &want), 0);
	for (u64 block = 0; block <= 9; block++) {
		for (int prohibited = 0; prohibited < 2; prohibited++) {
			/* A block is no smaller than a word here. */
			fake.dczid = max_u64(block, 1) | (prohibited ? BIT(4) : 0);
			for (u64 i = 0; i < 3; i++)
				fill_page(pa + i * PAGE_SIZE, 7 + i);
			fake.nr_ops = at = 0;
			clear_page(hyp_va(pa + PAGE_SIZE));
			next_is(FAKE_ZERO, pa + PAGE_SIZE, PAGE_SIZE);
			that_was_all();
			assert_page_is(pa, 7);
			assert_page_is(pa + PAGE_SIZE, 0);
			assert_page_is(pa + 2 * PAGE_SIZE, 9);
		}
	}
	for (u64 i = 0; i < 3; i++)
		hyp_donate_host(pa + i * PAGE_SIZE);
}

/* Both, whatever the line and the block, also if they differ: the whole page, and nothing else; then a DSB. */
static void one_page_is_cleared_and_cleaned(void)
{
	pa_t pa = host_page();
	struct want want;

	host_page();
	host_page();
	assert_ret(host_donate_hyp(pa, 3, &want), 0);
	for (u64 min = 2; min <= 9; min++) {
		for (u64 block = 1; block <= 10; block++) {
			fake.ctr = 0x84408000 | min << 16;
			/* The last: prohibited. */
			fake.dczid = block == 10 ? min | BIT(4) : block;
			for (u64 i = 0; i < 3; i++)
				fill_page(pa + i * PAGE_SIZE, 7 + i);
			fake.nr_ops = at = 0;
			clear_and_clean_page(hyp_va(pa + PAGE_SIZE));
			next_is(FAKE_ZERO, pa + PAGE_SIZE, PAGE_SIZE);
			next_is(FAKE_DC_CIVAC, pa + PAGE_SIZE, PAGE_SIZE);
			next_is(FAKE_DSB, FAKE_DSB_sy, 0);
			that_was_all();
			assert_page_is(pa, 7);
			assert_page_is(pa + PAGE_SIZE, 0);
			assert_page_is(pa + 2 * PAGE_SIZE, 9);
		}
	}
	for (u64 i = 0; i < 3; i++)
		hyp_donate_host(pa + i * PAGE_SIZE);
}

/* With the MMU off all memory is Device memory, where DC ZVA faults: the fake complains of it. */
static void mmu_off(void)
{
	fake_power_on(NULL);
	assert_int_equal(hyp_linear_base, FAKE_PHYS_BASE);
	clear_page(hyp_va(0x40200000));
	assert_page_is(0x40200000, 0);
}

static void fwb_is_a_register(void)
{
	fake.has_fwb = true;
	assert_true(arch_has_fwb());
	fake.has_fwb = false;
	assert_false(arch_has_fwb());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(stage_2_flushes),
		hyp_test(el2s_own),
		hyp_test(cores_that_walk_by_speculation),
		hyp_test(lines_are_covered),
		hyp_test(one_page_is_cleared),
		hyp_test(one_page_is_cleared_and_cleaned),
		bare_test(mmu_off),
		hyp_test(fwb_is_a_register),
	};

	return RUN("hyp-arch-maint", tests);
}
