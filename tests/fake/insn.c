// SPDX-License-Identifier: GPL-2.0-only
/* Instructions of maintenance, and the registers that hyp/arch/maint.c reads and writes. */
#include "arch/insn.h"

#include <string.h>

#include "arch/layout.h"
#include "arch/sysreg.h"
#include "arch/table.h"
#include "fake.h"
#include "maint.h"
#include "mem/host_map.h"

/* --- registers --- */

static struct {
	const char *name;
	u64 value[FAKE_MAX_CPUS];
} registers[] = {
	{ .name = "vttbr_el2" },
	{ .name = "sctlr_el1" },
	{ .name = "tcr_el1" },
};

static u64 *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(registers); i++)
		if (!strcmp(registers[i].name, name))
			return &registers[i].value[fake_cpu_index()];
	return NULL;
}

u64 fake_sysreg_read(const char *name)
{
	const u64 *value = find(name);

	if (value)
		return *value;
	if (!strcmp(name, "ctr_el0"))
		return fake.ctr;
	if (!strcmp(name, "dczid_el0"))
		return fake.dczid;
	if (!strcmp(name, "midr_el1"))
		return fake.midr;
	if (!strcmp(name, "sctlr_el2"))
		return hyp_linear_base == HYP_LINEAR_BASE; /* M */
	if (!strcmp(name, "S3_0_C0_C7_2"))
		return FIELD_PUT(ID_MMFR2_FWB, fake.has_fwb);
	fake_fail("register %s is not there", name);
}

bool fake_walks_are_off(void)
{
	u64 off = TCR_EPD0 | TCR_EPD1;

	return (*find("tcr_el1") & off) == off && (*find("sctlr_el1") & SCTLR_EL1_M);
}

void fake_sysreg_write(const char *name, u64 value)
{
	u64 *reg = find(name);

	if (!reg)
		fake_fail("register %s is not there to be written", name);
	*reg = value;
	if (!strcmp(name, "vttbr_el2")) {
		fake_record(FAKE_VTTBR, value, 0);
		maint_vttbr();
	} else {
		fake_record(FAKE_EL1_WALKS, fake_walks_are_off(), 0);
		maint_el1_walks();
	}
}

void fake_registers_reset(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(registers); i++)
		memset(registers[i].value, 0, sizeof(registers[i].value));
}

u64 fake_vttbr(unsigned int cpu)
{
	return registers[0].value[cpu];
}

/* As a whole switch of the world does it, which is not judged. */
void fake_set_vttbr(u64 value)
{
	registers[0].value[fake_cpu_index()] = value;
}

/* --- barriers --- */

void fake_dsb(enum fake_dsb option)
{
	fake_record(FAKE_DSB, option, 0);
	maint_dsb(option);
}

void fake_isb(void)
{
	fake_record(FAKE_ISB, 0, 0);
	maint_isb();
}

/* --- TLBs --- */

static u64 vttbr(void)
{
	return fake_sysreg_read("vttbr_el2");
}

void tlbi_vae2is(u64 va)
{
	fake_record(FAKE_TLBI_VAE2IS, va, 0);
	fake_tlb_flush(va);
	maint_tlbi_va(va);
}

void tlbi_ipas2e1is(ipa_t ipa)
{
	fake_record(FAKE_TLBI_IPAS2E1IS, vttbr(), ipa);
	maint_tlbi_ipa(ipa);
}

void tlbi_vmalle1is(void)
{
	fake_record(FAKE_TLBI_VMALLE1IS, vttbr(), 0);
	maint_tlbi_stage1(true);
}

void tlbi_vmalle1(void)
{
	fake_record(FAKE_TLBI_VMALLE1, vttbr(), 0);
	maint_tlbi_stage1(false);
}

void tlbi_vmalls12e1is(void)
{
	fake_record(FAKE_TLBI_VMALLS12E1IS, vttbr(), 0);
	maint_tlbi_all();
}

/* --- caches and stores --- */

/*
 * Adjacent ones in a page are one record, also if lines are zeroed and cleaned by turns. Where they are in memory.
 */
static pa_t record_bytes(enum fake_op_kind kind, u64 va, u64 size)
{
	static u64 next_va[2];
	u64 *next = &next_va[kind == FAKE_ZERO];
	pa_t pa;

	for (unsigned int i = 1; i <= 2 && i <= fake.nr_ops && fake.nr_ops <= FAKE_MAX_OPS; i++) {
		struct fake_op *op = &fake.ops[fake.nr_ops - i];

		if (op->kind == kind && va == *next && va % PAGE_SIZE) {
			*next += size;
			op->b += size;
			return op->a + op->b - size;
		}
		if (op->kind != FAKE_ZERO && op->kind != FAKE_DC_CIVAC)
			break;
	}
	pa = fake_va_to_pa((void *)va);
	*next = va + size;
	fake_record(kind, pa, size);
	return pa;
}

void dc_civac(u64 va)
{
	u64 line = 4ull << FIELD_GET(GENMASK(19, 16), fake.ctr);

	(void)*(const volatile char *)va; /* faults as the instruction would */
	fake_page_work();
	if (!fake.threads)
		maint_dc(record_bytes(FAKE_DC_CIVAC, ALIGN_DOWN(va, line), line), line);
}

/* ThreadSanitizer goes by address: a page that is written through a window is to it the one in the linear region. */
__attribute__((weak)) void __tsan_write_range(void *va, long size);

static void tell_of_write(u64 va, u64 size)
{
	if (__tsan_write_range && va - HYP_WINDOW_BASE < 512 * PAGE_SIZE)
		__tsan_write_range((void *)(HYP_LINEAR_BASE + fake_va_to_pa((void *)va)),
				   (long)size);
}

static void zero(u64 va, u64 size)
{
	(void)*(const volatile char *)va;
	fake_page_work();
	if (!fake.threads)
		maint_zero(record_bytes(FAKE_ZERO, va, size), size);
	memset((void *)va, 0, size);
	if (fake.threads)
		tell_of_write(va, size);
}

void dc_zva(u64 va)
{
	u64 block = 4ull << (fake.dczid & 0xf);

	if (fake.dczid & BIT(4))
		fake_fail("DC ZVA is prohibited");
	if (hyp_linear_base != HYP_LINEAR_BASE)
		fake_fail("DC ZVA while the MMU is off, to Device memory");
	zero(ALIGN_DOWN(va, block), block);
}

void store_zero(u64 *word)
{
	zero((u64)word, sizeof(*word));
}

void table_write(u64 *entry, u64 value)
{
	(void)*(const volatile u64 *)entry;
	if (!fake.threads)
		maint_store(fake_va_to_pa(entry), value);
	WRITE_ONCE(*entry, value);
}

void ic_ialluis(void)
{
	fake_record(FAKE_IC_IALLUIS, 0, 0);
	maint_ic(true);
}

void ic_iallu(void)
{
	fake_record(FAKE_IC_IALLU, 0, 0);
	maint_ic(false);
}
