// SPDX-License-Identifier: GPL-2.0-only
#include "fuzz.h"

#include <string.h>

#include <stockade/hostcall.h>

#include "arch/esr.h"
#include "host/trap.h"

/* Of the 4 MiB: where VMs' pages come from, and those of fuzz_page(). */
#define VM_PAGES (FAKE_RAM_BASE + 0x200000)
#define PAGES	 (FAKE_RAM_BASE + 0x300000)
#define VM_POOL	 8

u64 fuzz_hc_x1;

static pa_t next_page;

u64 fuzz_take(struct fuzz_input *in, unsigned int bytes)
{
	u64 value = 0;

	for (unsigned int i = 0; i < bytes && in->left; i++, in->left--)
		value |= (u64)*in->at++ << 8 * i;
	return value;
}

bool fuzz_more(const struct fuzz_input *in)
{
	return in->left;
}

void fuzz_boot(void (*firmware)(u64 *x))
{
	const struct fake_config config = {
		.ram = { { FAKE_RAM_BASE, 0x400000 } },
		.nr_ram = 1,
		.nr_cpus = 2,
		.no_junk = true,
		.smc = firmware,
	};

	next_page = VM_PAGES;
	fake_boot(&config);
}

void fuzz_smc(u64 *x)
{
	struct host_regs regs = { 0 };

	memcpy(regs.x, x, 18 * sizeof(*x));
	fake.host_esr = FIELD_PUT(ESR_EC, EC_SMC64) | ESR_IL;
	host_trap(&regs);
	memcpy(x, regs.x, 18 * sizeof(*x));
}

s64 fuzz_hc_call(const u64 *x)
{
	struct host_regs regs = { 0 };

	memcpy(regs.x, x, 6 * sizeof(*x));
	fake.host_esr = FIELD_PUT(ESR_EC, EC_HVC64) | ESR_IL;
	host_trap(&regs);
	fuzz_hc_x1 = regs.x[1];
	return (s64)regs.x[0];
}

static pa_t take_pages(u64 nr)
{
	pa_t pa = ALIGN_UP(next_page, nr * PAGE_SIZE);

	next_page = pa + nr * PAGE_SIZE;
	if (next_page > PAGES)
		fake_fail("the fuzzer has no more pages for VMs");
	return pa;
}

static void must(s64 ret, const char *what)
{
	if (ret)
		fake_fail("%s: %ld", what, ret);
}

u64 fuzz_make_vm(void)
{
	pa_t page = take_pages(1), root = take_pages(stockade_s2_root_pages(40));
	u64 handle;

	must(fuzz_hc(STOCKADE_HC_VM_CREATE, page >> PAGE_SHIFT, root >> PAGE_SHIFT,
		     40 | STOCKADE_VM_PROTECTED << 8),
	     "VM_CREATE");
	handle = fuzz_hc_x1;
	for (unsigned int i = 0; i < VM_POOL; i++)
		must(fuzz_hc(STOCKADE_HC_VM_TOPUP, handle, take_pages(1) >> PAGE_SHIFT, 1),
		     "VM_TOPUP");
	return handle;
}

pa_t fuzz_page(unsigned int n)
{
	return PAGES + (n % FUZZ_NR_PAGES) * PAGE_SIZE;
}
