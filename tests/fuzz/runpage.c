// SPDX-License-Identifier: GPL-2.0-only
/*
 * The run page, which the host writes to at any moment: what it holds when a vCPU is entered, and what it holds
 * before each load of EL2's from it (hyp/vm is built to tell of its loads and stores). Each field is read once; a
 * guest's registers change as the entry flags say and the pending exit allows; list registers are clean; what is
 * stored there is what the exit needs, and nothing of the guest's registers.
 */
#include <string.h>

#include <stockade/hostcall.h>

#include "arch/esr.h"
#include "arch/layout.h"
#include "guest.h"
#include "mem/host_map.h"
#include "shadow.h"
#include "vm/vcpu.h"

#define MAX_RUNS    40
#define SECRET	    0x5ec2e75ec2e70000ull
#define SECRET_MASK 0xffffffff00000000ull
#define HOST_TIMER  27 /* the host's, of tests/fake/launch.c; and the guest's */

#define OFFSET(field) offsetof(struct stockade_run, field)
#define RUN_WORDS     (sizeof(struct stockade_run) / 4)

static struct fuzz_input *input;
static u64 handle;
static pa_t vcpu_pa, run_pa;
static bool watching; /* a run is at work */
static u32 nr_entries_before;

/* What EL2 has loaded in this run, by 32-bit word; and what it has stored to. */
static struct {
	bool loaded, stored;
	u32 value;
} words[RUN_WORDS];

/* The guest's registers as the last exit left them, and what is pending. */
static struct guest_regs left;
static bool pending_mmio, pending_abort;
static u64 pending_esr;

/* --- loads and stores of hyp/vm --- */

static size_t offset_of(const void *at)
{
	u64 run = HYP_LINEAR_BASE + run_pa;

	return watching && (u64)at >= run && (u64)at < run + PAGE_SIZE ? (u64)at - run : PAGE_SIZE;
}

/* The host has changed its mind, perhaps. */
static void host_writes(size_t offset, size_t size)
{
	u8 how = (u8)fuzz_take(input, 1);
	u64 value;

	if (!(how & 1))
		return;
	value = fuzz_number(input);
	memcpy((u8 *)fake_ram(run_pa) + offset, &value, size);
}

static void on_load(const void *at, size_t size)
{
	size_t offset = offset_of(at);

	if (offset == PAGE_SIZE)
		return;
	if (offset + size > sizeof(struct stockade_run))
		fake_fail("EL2 reads byte %zu of the run page", offset);
	host_writes(offset, size);
	for (size_t w = offset / 4; w <= (offset + size - 1) / 4; w++) {
		if (words[w].loaded)
			fake_fail("EL2 reads byte %zu of the run page twice", w * 4);
		words[w].loaded = true;
		words[w].value = ((u32 *)fake_ram(run_pa))[w];
	}
}

static void on_store(const void *at, size_t size)
{
	size_t offset = offset_of(at);

	if (offset == PAGE_SIZE)
		return;
	if (offset + size > sizeof(struct stockade_run))
		fake_fail("EL2 writes byte %zu of the run page", offset);
	for (size_t w = offset / 4; w <= (offset + size - 1) / 4; w++)
		words[w].stored = true;
}

/* Of the compiler (-fsanitize-coverage=trace-loads,trace-stores). */
#define TRACE(n, type)                           \
	void __sanitizer_cov_load##n(type *at);  \
	void __sanitizer_cov_store##n(type *at); \
	void __sanitizer_cov_load##n(type *at)   \
	{                                        \
		on_load(at, n);                  \
	}                                        \
	void __sanitizer_cov_store##n(type *at)  \
	{                                        \
		on_store(at, n);                 \
	}

TRACE(1, u8)
TRACE(2, u16)
TRACE(4, u32)
TRACE(8, u64)
TRACE(16, __uint128_t)

static u32 loaded32(size_t offset)
{
	return words[offset / 4].value;
}

static u64 loaded64(size_t offset)
{
	return loaded32(offset) | (u64)loaded32(offset + 4) << 32;
}

/* --- what an entry may do --- */

/* The value of a load of MMIO as the guest's register gets it (Arm ARM D24.2.40, ISS of a data abort). */
static u64 extended(u64 value, u64 esr)
{
	unsigned int bits = 8u << FIELD_GET(ESR_SAS, esr);

	value <<= 64 - bits;
	value = esr & ESR_SSE ? (u64)((s64)value >> (64 - bits)) : value >> (64 - bits);
	return esr & ESR_SF ? value : (u32)value;
}

static void check_lr(unsigned int i)
{
	u64 lr = fake.entry.lr[i], said = loaded64(OFFSET(lr) + i * 8ul);
	u64 intid = (u32)said, allowed = 0xc0ff0000ffffffffull; /* state, priority, vINTID */

	if (intid >= 1020) {
		if (lr)
			fake_fail("list register 0x%lx of INTID %lu", lr, intid);
		return;
	}
	if ((said & BIT(61)) && intid == 27 && (said >> 32 & 0x1fff) == HOST_TIMER)
		allowed |= BIT(61) | 0x1fffull << 32;
	else if (!(said & BIT(61)))
		allowed |= BIT(41);
	if (lr != ((said & allowed) | BIT(60)))
		fake_fail("list register 0x%lx became 0x%lx", said, lr);
}

static void check_list_registers(u32 flags)
{
	u32 nr = flags & STOCKADE_ENTRY_NO_GIC ? 0 : loaded32(OFFSET(nr_lrs));

	if (nr > fake.nr_lrs)
		nr = fake.nr_lrs;
	if (fake.entry.nr_lrs != nr || fake.entry.gic != !(flags & STOCKADE_ENTRY_NO_GIC) ||
	    fake.entry.gic_more != !!(flags & STOCKADE_ENTRY_MORE))
		fake_fail("an entry with %u list registers and flags 0x%x", fake.entry.nr_lrs,
			  flags);
	for (unsigned int i = 0; i < nr; i++)
		check_lr(i);
}

/* At the first instruction of the guest's. */
static void check_entry(const struct guest_regs *is)
{
	u32 flags = loaded32(OFFSET(entry_flags));
	struct guest_regs should;
	u64 rt = FIELD_GET(ESR_SRT, pending_esr);

	memcpy(&should, &left, sizeof(should));
	if (flags & STOCKADE_ENTRY_MMIO) {
		if (!pending_mmio || (flags & STOCKADE_ENTRY_SEA))
			fake_fail("an answer of 0x%x to no question", flags);
		if (!(pending_esr & ESR_WNR) && rt != 31)
			should.x[rt] = extended(loaded64(OFFSET(mmio_data)), pending_esr);
		should.pc += 4;
	} else if (flags & STOCKADE_ENTRY_SEA) {
		if (!pending_abort)
			fake_fail("an external abort of nothing");
		if (is->el1.elr != left.pc || is->el1.spsr != left.pstate ||
		    (is->el1.esr & 0x3f) != 0x10)
			fake_fail("a wrong external abort");
		should.pc = is->pc;
		should.pstate = is->pstate;
		should.el1.elr = is->el1.elr;
		should.el1.spsr = is->el1.spsr;
		should.el1.esr = is->el1.esr;
		should.el1.far = is->el1.far;
	}
	for (size_t i = 0; i < sizeof(should) / 8; i++)
		if (((const u64 *)&should)[i] != ((const u64 *)is)[i])
			fake_fail(
				"an entry with flags 0x%x changed word %zu of the guest's registers",
				flags, i);
	check_list_registers(flags);
}

/* --- the guest --- */

static enum guest_exit_kind (*rest_of_guest)(struct guest_regs *regs);

static enum guest_exit_kind guest(struct guest_regs *regs)
{
	u64 word;

	if (fake.nr_entries != nr_entries_before) {
		nr_entries_before = fake.nr_entries;
		check_entry(regs);
		/* All registers that can be seen at all. */
		word = SECRET;
		for (unsigned int i = 0; i < 31; i++)
			regs->x[i] = word++;
		regs->el1.tpidr_el0 = word++;
		regs->el1.ttbr0 = word++;
		regs->el1.sp_el1 = word++;
		regs->cntv_cval = word++;
		regs->far = word++;
		for (unsigned int i = 0; i < 4; i++)
			fake.lr_out[i] = fuzz_take(input, 1);
		fake.timer_level = fuzz_take(input, 1) & 1;
		fake.timer_deadline = fuzz_take(input, 2);
	}
	return rest_of_guest(regs);
}

/* --- what an exit may tell --- */

static bool may_store(u64 reason, size_t offset)
{
	if (offset == OFFSET(entry_flags) || offset == OFFSET(exit_reason) ||
	    offset == OFFSET(timer_level))
		return true;
	if (offset >= OFFSET(lr) && offset < OFFSET(lr) + fake.entry.nr_lrs * 8ul)
		return true;
	switch (reason) {
	case STOCKADE_EXIT_ABORT:
		return offset == OFFSET(abort_flags) || offset == OFFSET(abort_size) ||
		       (offset & ~4ul) == OFFSET(abort_ipa);
	case STOCKADE_EXIT_POISON:
		return (offset & ~4ul) == OFFSET(abort_ipa);
	case STOCKADE_EXIT_WFI:
		return (offset & ~4ul) == OFFSET(timer_deadline);
	case STOCKADE_EXIT_SGI:
	case STOCKADE_EXIT_CPU_ON:
	case STOCKADE_EXIT_RELINQUISH:
	case STOCKADE_EXIT_TOPUP:
		return (offset & ~4ul) == OFFSET(arg);
	default:
		return false;
	}
}

static void check_exit(u64 reason)
{
	const struct stockade_run *run = fake_ram(run_pa);
	const u64 *word = (const u64 *)run;

	if (run->exit_reason != reason)
		fake_fail("exit %lu, and the run page says %u", reason, run->exit_reason);
	for (size_t w = 0; w < RUN_WORDS; w++)
		if (words[w].stored && !may_store(reason, w * 4))
			fake_fail("exit %lu wrote byte %zu of the run page", reason, w * 4);
	/* What an SGI is to be is for the host to hear. */
	for (size_t i = 0; i < sizeof(*run) / 8; i++)
		if (words[2 * i].stored && (word[i] & SECRET_MASK) == (SECRET & SECRET_MASK) &&
		    !(reason == STOCKADE_EXIT_SGI && i == OFFSET(arg) / 8))
			fake_fail("exit %lu shows 0x%lx at word %zu", reason, word[i], i);
}

/* The value of a store, and only when it may be MMIO. */
static void check_value(void)
{
	const struct guest_regs *regs = fake_ram(vcpu_pa);
	u64 rt = FIELD_GET(ESR_SRT, pending_esr);
	u64 bits = 8ull << FIELD_GET(ESR_SAS, pending_esr), value;
	bool may = pending_mmio && (pending_esr & ESR_WNR);

	if (fuzz_hc(STOCKADE_HC_VCPU_MMIO_VALUE) != (may ? 0 : STOCKADE_EINVAL))
		fake_fail("VCPU_MMIO_VALUE after ESR 0x%lx", pending_esr);
	value = may && rt != 31 ? regs->x[rt] & (~0ull >> (64 - bits)) : 0;
	if (fuzz_hc_x1 != value || fuzz_hc_x2)
		fake_fail("VCPU_MMIO_VALUE is 0x%lx, not 0x%lx", fuzz_hc_x1, value);
}

static void remember_exit(u64 reason)
{
	const struct stockade_run *run = fake_ram(run_pa);

	memcpy(&left, fake_ram(vcpu_pa), sizeof(left));
	pending_esr = left.esr;
	pending_abort = reason == STOCKADE_EXIT_ABORT;
	pending_mmio = pending_abort && (run->abort_flags & STOCKADE_ABORT_SYNDROME);
}

static void run(void)
{
	s64 ret;

	memset(words, 0, sizeof(words));
	shadow_before_call();
	watching = true;
	ret = fuzz_hc(STOCKADE_HC_VCPU_RUN);
	watching = false;
	if (ret) {
		shadow_check_refused("VCPU_RUN");
		shadow_step(0, 0);
		return;
	}
	guest_check_exit();
	check_exit(fuzz_hc_x1);
	remember_exit(fuzz_hc_x1);
	check_value();
	fake_check();
	shadow_step(SHADOW_RECLAIM | SHADOW_SHARE, 0);
}

/* The host's own stores, at its leisure. */
static void write_page(struct fuzz_input *in)
{
	u8 how = (u8)fuzz_take(in, 1);
	struct stockade_run *run = fake_ram(run_pa);
	u64 value = fuzz_number(in);

	switch (how % 4) {
	case 0:
		run->entry_flags = (u32)value;
		break;
	case 1:
		run->nr_lrs = (u32)value;
		break;
	case 2:
		run->lr[how >> 4] = how & 8 ? (u64)how << 58 | (u64)HOST_TIMER << 32 | value :
					      value;
		break;
	default:
		run->mmio_data = value;
	}
}

static void operate(struct fuzz_input *in)
{
	u8 how = (u8)fuzz_take(in, 1);

	switch (how % 8) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
		run();
		break;
	case 5:
	case 6:
		write_page(in);
		break;
	default:
		fuzz_hc(STOCKADE_HC_HOST_DONATE_GUEST, handle, fuzz_page(how >> 3) >> PAGE_SHIFT,
			guest_any_ipa(in) >> PAGE_SHIFT, 1);
		shadow_step(SHADOW_DONATE, 0);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	u8 start = (u8)fuzz_take(&in, 1);

	input = &in;
	fuzz_boot_shadowed(64);
	handle = fuzz_make_vm();
	vcpu_pa = fuzz_make_vcpu(handle, 0, &run_pa);
	memset(fake_ram(run_pa), 0, PAGE_SIZE);
	if (fuzz_hc(STOCKADE_HC_VCPU_LOAD, handle, 0))
		fake_fail("VCPU_LOAD");
	shadow_start();
	nr_entries_before = 0;
	pending_abort = pending_mmio = false;
	memcpy(&left, fake_ram(vcpu_pa), sizeof(left));
	guest_start(&in);
	rest_of_guest = fake.guest;
	fake.guest = guest;
	fake.nr_lrs = 1u + (start & 15);
	for (unsigned int i = 0; i < MAX_RUNS && fuzz_more(&in); i++)
		operate(&in);
	shadow_check_all();
	return 0;
}
