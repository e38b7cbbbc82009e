// SPDX-License-Identifier: GPL-2.0-only
#include "guest.h"

#include <string.h>

#include <stockade/guestcall.h>

#include "arch/esr.h"
#include "shadow.h"
#include "vm/vcpu.h"

/* In one run; then an interrupt comes. */
#define MAX_EXITS 12
#define UART	  0x09000000ull

#define SYSREG(op0, op1, crn, crm, op2) \
	((op0) << 20 | (op2) << 17 | (op1) << 14 | (crn) << 10 | (crm) << 1)
#define ISS_READ 1u
#define ISS_RT	 GENMASK(9, 5)

static struct fuzz_input *input;
static unsigned int entry, exits; /* which entry it is, and how many exits it has had */

/* The exit that is at EL2: its registers as the guest left them, and where they are. */
static struct guest_regs was;
static const struct guest_regs *at;

u64 guest_any_ipa(struct fuzz_input *in)
{
	u8 n = (u8)fuzz_take(in, 1);

	if (n < 0x80)
		return (n & 0x1f) * PAGE_SIZE + (u64)(n >> 5) * BIT(21);
	switch (n) {
	case 0x80:
		return BIT(40) - PAGE_SIZE;
	case 0x81:
		return BIT(40) - BIT(21);
	case 0x82:
		return BIT(40);
	case 0x83:
		return 0x1008;
	case 0x84:
		return fuzz_take(in, 8);
	case 0x85:
		return fuzz_take(in, 8) & GENMASK(39, 12);
	default:
		return n & 1 ? UART + (n & 0xf) * PAGE_SIZE : BIT(30) + (n & 0xf) * BIT(21);
	}
}

static void trap(struct guest_regs *regs, u64 ec, u64 iss)
{
	regs->esr = FIELD_PUT(ESR_EC, ec) | ESR_IL | (iss & ESR_ISS);
}

static void known_call(struct guest_regs *regs)
{
	static const u32 functions[] = {
		GUESTCALL_MEM_SHARE,
		GUESTCALL_MEM_UNSHARE,
		GUESTCALL_MEM_RELINQUISH,
		GUESTCALL_MMIO_GUARD,
		GUESTCALL_MEM_SHARE,
		GUESTCALL_MEM_RELINQUISH,
		PSCI_CPU_ON_64,
		PSCI_CPU_ON_32,
		PSCI_AFFINITY_INFO_64,
		PSCI_CPU_OFF,
		PSCI_FEATURES,
		TRNG_RND_64,
		TRNG_RND_32,
		TRNG_FEATURES,
		GUESTCALL_KVM_FEATURES,
		GUESTCALL_HYP_MEMINFO,
		GUESTCALL_VENDOR_UID,
		SMCCC_ARCH_FEATURES,
		SMCCC_ARCH_WORKAROUND_1,
		PSCI_CPU_SUSPEND_64,
		PSCI_SYSTEM_OFF,
		PSCI_SYSTEM_RESET,
		SMCCC_VERSION,
		PSCI_VERSION,
		TRNG_VERSION,
		SMCCC_ARCH_WORKAROUND_2,
		PSCI_MIGRATE_INFO_TYPE,
		TRNG_GET_UUID,
		PSCI_AFFINITY_INFO_32,
		SMCCC_ARCH_WORKAROUND_3,
		PSCI_CPU_SUSPEND_32,
		GUESTCALL_MEM_RELINQUISH,
	};
	u8 how = (u8)fuzz_take(input, 1);

	regs->x[0] = functions[how % ARRAY_SIZE(functions)];
	/* The first six speak of memory. */
	regs->x[1] = how % ARRAY_SIZE(functions) < 6 ? guest_any_ipa(input) : fuzz_number(input);
	regs->x[2] = how & 0x40 ? fuzz_number(input) : 0;
	regs->x[3] = how & 0x80 ? fuzz_number(input) : 0;
	fake.has_random = how & 0x20;
	fake.random_left = how & 3;
	trap(regs, EC_HVC64, 0);
}

static void any_call(struct guest_regs *regs)
{
	for (unsigned int i = 0; i < 4; i++)
		regs->x[i] = fuzz_number(input);
	if (regs->x[0] < 0x100)
		regs->x[0] |= 0x84000000 | (regs->x[0] & 0x80) << 23;
	trap(regs, EC_HVC64, fuzz_take(input, 2));
}

static void sysreg(struct guest_regs *regs)
{
	static const u32 known[] = {
		SYSREG(3, 0, 12, 11, 5), SYSREG(3, 0, 12, 11, 6), SYSREG(3, 0, 12, 11, 7),
		SYSREG(1, 0, 7, 6, 2),	 SYSREG(3, 2, 0, 0, 0),	  SYSREG(3, 1, 0, 0, 0),
		SYSREG(3, 1, 0, 0, 1),	 SYSREG(3, 3, 0, 0, 1),	  SYSREG(3, 0, 12, 12, 5),
		SYSREG(3, 0, 0, 4, 0),	 SYSREG(3, 0, 0, 7, 0),	  SYSREG(2, 0, 0, 2, 2),
		SYSREG(3, 0, 2, 1, 0),	 SYSREG(2, 0, 1, 1, 4),	  SYSREG(3, 0, 0, 6, 1),
		SYSREG(3, 0, 5, 3, 1),
	};
	u8 how = (u8)fuzz_take(input, 1);
	u32 iss = known[how & 15];

	if (how & 0x80)
		iss = (u32)fuzz_take(input, 4) & (u32)~ISS_RT;
	else if (how & 0x10)
		iss |= ISS_READ;
	iss |= (u32)fuzz_take(input, 1) << 5 & (u32)ISS_RT;
	trap(regs, EC_SYS64, iss);
}

static void access(struct guest_regs *regs)
{
	u64 iss = fuzz_take(input, 3), ipa = guest_any_ipa(input);

	/* Mostly a translation fault at level 3 with a syndrome. */
	if (!(iss & 0x80))
		iss = (iss & (ESR_SRT | ESR_SSE | ESR_SAS | ESR_SF | ESR_WNR)) | ESR_ISV |
		      FSC_TRANSLATION | 3;
	if (fuzz_take(input, 1) & 1)
		iss &= ~ESR_ISV;
	regs->far = fuzz_number(input);
	regs->hpfar = ipa >> 8 & GENMASK(43, 4);
	trap(regs, iss & 0x100 ? EC_IABT_LOWER : EC_DABT_LOWER, iss);
}

static void any_trap(struct guest_regs *regs)
{
	regs->esr = fuzz_take(input, 4);
	regs->far = fuzz_number(input);
	regs->hpfar = fuzz_number(input) << 4;
	fake.fault_ipa_unknown = fuzz_take(input, 1) == 1;
}

static void small_trap(struct guest_regs *regs)
{
	static const u8 classes[] = { EC_WFX, EC_FP, EC_PAUTH, EC_SMC64, EC_SVE, EC_UNKNOWN };
	u8 how = (u8)fuzz_take(input, 1);

	fake.has_pauth = !(how & 0x80);
	trap(regs, classes[how % ARRAY_SIZE(classes)], fuzz_take(input, 2));
}

static void change_registers(struct guest_regs *regs)
{
	static const u64 modes[] = { PSR_EL1H, PSR_EL1T, PSR_EL0T, PSR_EL1H | PSR_DAIF };
	u8 how = (u8)fuzz_take(input, 1);

	regs->x[how % 31] = fuzz_number(input);
	regs->pstate = modes[how >> 5 & 3] | (fuzz_number(input) & ~0x1full);
	regs->el1.vbar = fuzz_number(input) & ~0x7ffull;
	regs->el1.sctlr = fuzz_number(input);
	regs->pc = fuzz_number(input) & ~3ull;
}

/* Its stores go where its stage 2 leads. */
static void store(const struct guest_regs *regs)
{
	const struct vm *vm = ((const struct vcpu *)regs)->vm;
	u64 ipa = guest_any_ipa(input);
	struct fake_leaf leaf;

	if (ipa >> vm->mem.map.ia_bits)
		return;
	leaf = fake_walk(&vm->mem.map, ipa);
	if (leaf.valid)
		shadow_store(leaf.pa);
}

/* An exception to its EL1: the state before it is kept there. */
static bool was_injected(const struct guest_regs *is)
{
	u64 offset = is->pc - was.el1.vbar;

	return is->el1.elr == was.pc && is->el1.spsr == was.pstate && (offset & ~0x600ull) == 0;
}

/* How many of x0, x1, ... the exit may have changed. */
static unsigned int nr_results(void)
{
	switch (FIELD_GET(ESR_EC, was.esr)) {
	case EC_HVC64:
		return 4;
	case EC_SMC64:
		return 1;
	default:
		return 0;
	}
}

static void check_last(void)
{
	const struct guest_regs *is = at;
	u64 ec = FIELD_GET(ESR_EC, was.esr);
	struct guest_regs should;
	u64 rt;

	if (!at)
		return;
	at = NULL;
	memcpy(&should, &was, sizeof(should));
	memcpy(should.x, is->x, nr_results() * sizeof(should.x[0]));
	rt = FIELD_GET(ISS_RT, was.esr);
	if (ec == EC_SYS64 && (was.esr & ISS_READ) && rt < 31 && is->pc == was.pc + 4)
		should.x[rt] = is->x[rt];
	if (ec != EC_HVC64 && was_injected(is)) {
		should.pc = is->pc;
		should.pstate = is->pstate;
		should.el1.elr = is->el1.elr;
		should.el1.spsr = is->el1.spsr;
		should.el1.esr = is->el1.esr;
		should.el1.far = is->el1.far;
	} else if (is->pc == was.pc + 4 && (ec == EC_SYS64 || ec == EC_SMC64 || ec == EC_WFX)) {
		should.pc = is->pc;
	} else if (is->pc == was.pc - 4 && ec == EC_HVC64) {
		/* Once more, when the host has done its part; it may hear of an abort. */
		should.pc = is->pc;
		should.esr = is->esr;
		should.far = is->far;
		memcpy(should.x, was.x, sizeof(should.x));
	}
	if (ec == EC_PAUTH || ec == EC_SYS64)
		should.uses_pauth = is->uses_pauth;
	for (size_t i = 0; i < sizeof(should) / 8; i++)
		if (((const u64 *)&should)[i] != ((const u64 *)is)[i])
			fake_fail("exit 0x%lx changed word %zu of the guest's registers", was.esr,
				  i);
}

/* After each exit: a page that is shared and then given back is another thing than one that is given back. */
static void check_pages(const struct guest_regs *regs)
{
	const struct vm *vm = ((const struct vcpu *)regs)->vm;

	/* Within a race, the first CPU's call has done a part of what it does. */
	shadow_step(fake.before_lock ? SHADOW_ANY : SHADOW_SHARE | SHADOW_RECLAIM, vm->index);
}

static enum guest_exit_kind guest(struct guest_regs *regs)
{
	if (entry != fake.nr_entries) {
		entry = fake.nr_entries;
		exits = 0;
		at = NULL;
	}
	check_last();
	check_pages(regs);
	if (!fuzz_more(input) || exits++ == MAX_EXITS)
		return GUEST_EXIT_IRQ;
	fake.fault_ipa_unknown = false;
	switch (fuzz_take(input, 1) % 16) {
	case 0:
		return GUEST_EXIT_IRQ;
	case 1:
	case 2:
	case 3:
	case 4:
		known_call(regs);
		break;
	case 5:
		any_call(regs);
		break;
	case 6:
	case 7:
		sysreg(regs);
		break;
	case 8:
	case 9:
		access(regs);
		break;
	case 10:
		any_trap(regs);
		break;
	case 11:
		small_trap(regs);
		break;
	case 12:
		change_registers(regs);
		return GUEST_EXIT_IRQ;
	case 13:
	case 14:
		store(regs);
		return GUEST_EXIT_IRQ;
	default:
		switch (fuzz_take(input, 1)) {
		case 0xfe:
			return GUEST_EXIT_SERROR;
		case 0xff:
			regs->pstate |= PSR_AARCH32;
			return GUEST_EXIT_IRQ;
		default:
			known_call(regs);
		}
	}
	memcpy(&was, regs, sizeof(was));
	at = regs;
	return GUEST_EXIT_SYNC;
}

void guest_check_exit(void)
{
	check_last();
}

void guest_start(struct fuzz_input *in)
{
	input = in;
	entry = 0;
	at = NULL;
	fake.guest = guest;
}
