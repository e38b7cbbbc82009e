// SPDX-License-Identifier: GPL-2.0-only
#include "fuzz.h"

#include <string.h>

#include <stockade/hostcall.h>

#include "arch/esr.h"
#include "host/trap.h"
#include "vm/vm.h"

/* Of the 4 MiB: where VMs' pages come from, and those of fuzz_page(). */
#define VM_PAGES (FAKE_RAM_BASE + 0x200000)
#define PAGES	 (FAKE_RAM_BASE + 0x300000)
#define VM_POOL	 8

u64 fuzz_hc_x1, fuzz_hc_x2;

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

u64 fuzz_number(struct fuzz_input *in)
{
	static const u64 edges[] = { BIT(12) - 1, BIT(12),	    BIT(20), BIT(21),  BIT(30),
				     BIT(31),	  BIT(32) - 1,	    BIT(32), BIT(36),  BIT(39),
				     BIT(40) - 1, BIT(40),	    BIT(46), BIT(48),  BIT(52),
				     BIT(63) - 1, BIT(63),	    ~0ull,   ~4095ull, ~511ull,
				     BIT(28),	  BIT(36) - BIT(9), 4095,    511,      512 };
	u8 n = (u8)fuzz_take(in, 1);

	if (n < 0xc0)
		return n;
	return n - 0xc0u < ARRAY_SIZE(edges) ? edges[n - 0xc0] : fuzz_take(in, 8);
}

void fuzz_boot_shadowed(u64 pool_pages)
{
	const struct fake_config config = {
		.ram = { { FAKE_RAM_BASE, 0x600000 } },
		.nr_ram = 1,
		.nr_cpus = 2,
		.pool_pages = pool_pages,
	};

	next_page = VM_PAGES;
	fake_boot(&config);
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
	fuzz_hc_x2 = regs.x[2];
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

struct vm *fuzz_vm(u64 handle)
{
	struct vm *vm = vm_get(handle);

	if (vm)
		vm_put(vm);
	return vm;
}

pa_t fuzz_spare_page(void)
{
	return take_pages(1);
}

pa_t fuzz_make_vcpu(u64 handle, u64 index, pa_t *run)
{
	pa_t page = take_pages(1);

	*run = take_pages(1);
	must(fuzz_hc(STOCKADE_HC_VCPU_CREATE, handle, index, page >> PAGE_SHIFT,
		     *run >> PAGE_SHIFT),
	     "VCPU_CREATE");
	return page;
}

pa_t fuzz_page(unsigned int n)
{
	return PAGES + (n % FUZZ_NR_PAGES) * PAGE_SIZE;
}
