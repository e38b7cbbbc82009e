// SPDX-License-Identifier: GPL-2.0-only
/* Calls of guests to the hypervisor (docs/hypercalls.md), beyond sharing, which isolation.c has. */
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "../../include/stockade/guestcall.h"
#include "kvmtest.h"
#include "tap.h"

#define GPA(n)	       (GUEST_FREE + (n)*KT_PAGE)
#define NOTHING	       0x0b000000ull /* neither memory nor device */
#define BLOCK	       0x40400000ull /* 2 MiB of guest memory of its own */
#define SIZE	       (6ul << 20)
#define EC(esr)	       ((esr) >> 26)
#define EC_DABT	       0x25
#define SEA	       0x10
#define HWCAP2_RNG_BIT (1ul << 16)

static int64_t call(struct kt_vcpu *cpu, uint64_t function, uint64_t a1, uint64_t a2)
{
	return (int64_t)kt_hvc(cpu, function, a1, a2, 0).r[0];
}

static bool all_zero(const uint8_t *p, size_t n)
{
	while (n--)
		if (*p++)
			return false;
	return true;
}

static void test_features(struct kt_vcpu *cpu)
{
	is_hex(call(cpu, GUESTCALL_KVM_FEATURES, 0, 0), 0x29d,
	       "FEATURES: itself, MEMINFO, SHARE, UNSHARE, MMIO_GUARD, RELINQUISH");
	is(kt_hvc(cpu, GUESTCALL_VENDOR_UID, 0, 0, 0).r[1], GUESTCALL_UID_1, "KVM's UID");
	is_hex(call(cpu, SMCCC_VERSION, 0, 0), 0x10001, "SMCCC 1.1");
	is(call(cpu, SMCCC_ARCH_FEATURES, SMCCC_ARCH_FEATURES, 0), 0, "ARCH_FEATURES of itself");
	is(call(cpu, SMCCC_ARCH_FEATURES, 0x80000002, 0), -1,
	   "ARCH_FEATURES of SOC_ID: not for guests");
	/* QEMU's firmware has none of them, and a guest must not hear otherwise. */
	is(call(cpu, SMCCC_ARCH_FEATURES, SMCCC_ARCH_WORKAROUND_1, 0), -1,
	   "WORKAROUND_1: firmware has none");
	is(call(cpu, 0xc6000005, 0, 0), -1, "a reserved call of KVM's");
	is(call(cpu, 0x84000060, 0, 0), -1, "FFA is not for guests");
}

static void test_relinquish(struct kt_vm *vm)
{
	struct kt_vcpu *cpu = &vm->vcpu[0];
	uint8_t *page = vm->mem + (GPA(1) - GUEST_RAM);
	int64_t locked;

	kt_do(cpu, CMD_FILL, GPA(0), 3 * KT_PAGE, 7, 0);
	locked = kt_proc_kb("/proc/self/status", "VmLck:");
	is(kt_try_load(page, NULL), SIGSEGV, "a page of the guest is out of reach");
	is(call(cpu, GUESTCALL_MEM_RELINQUISH, GPA(1) + 8, 0), -3, "RELINQUISH, unaligned");
	is(call(cpu, GUESTCALL_MEM_RELINQUISH, GPA(1), 1), -3, "RELINQUISH with more arguments");
	is(call(cpu, GUESTCALL_MEM_RELINQUISH, NOTHING, 0), -3, "RELINQUISH of nothing");
	is(call(cpu, GUESTCALL_MEM_RELINQUISH, GPA(1), 0), 0, "RELINQUISH");
	is(kt_try_load(page, NULL), 0, "gives the page to the host while the VM runs");
	ok(all_zero(page, KT_PAGE), "zeroed");
	is(kt_proc_kb("/proc/self/status", "VmLck:"), locked - 4,
	   "and no longer counted as locked");
	is(call(cpu, GUESTCALL_MEM_RELINQUISH, GPA(1), 0), -3, "RELINQUISH once more");
	is(kt_do(cpu, CMD_CHECK, GPA(0), KT_PAGE, 7, 0) +
		   kt_do(cpu, CMD_CHECK, GPA(2), KT_PAGE, 7, 0),
	   0, "the guest's other pages are as they were");
	page[5] = 0x5a;
	is_hex(kt_do(cpu, CMD_LOAD, GPA(1) + 5, 1, 0, 0), 0x5a,
	       "touched again, the host's page is donated as at first");
	is(kt_try_load(page, NULL), SIGSEGV, "and out of the host's reach again");

	is(call(cpu, GUESTCALL_MEM_SHARE, GPA(2), 0), 0, "of a shared page");
	is(call(cpu, GUESTCALL_MEM_RELINQUISH, GPA(2), 0), 0, "RELINQUISH works too");
	is(call(cpu, GUESTCALL_MEM_UNSHARE, GPA(2), 0), -3, "and it cannot be unshared");
}

/* A page out of the middle of what was donated as 2 MiB. */
static void test_relinquish_block(struct kt_vm *vm)
{
	struct kt_vcpu *cpu = &vm->vcpu[0];
	uint64_t ipa = BLOCK + 77 * KT_PAGE;
	uint8_t *page = vm->mem + (ipa - GUEST_RAM);
	int64_t locked = kt_proc_kb("/proc/self/status", "VmLck:");

	kt_do(cpu, CMD_STORE, BLOCK, 8, 1, 0);
	if (kt_proc_kb("/proc/self/status", "VmLck:") - locked != 2048) {
		skip("no huge page was to be had", "RELINQUISH out of a block");
		return;
	}
	ok(true, "one store donates 2 MiB of a huge page at once");
	kt_do(cpu, CMD_FILL, BLOCK, KT_2M, 9, 0);
	is(call(cpu, GUESTCALL_MEM_RELINQUISH, ipa, 0), 0, "RELINQUISH out of a block");
	ok(kt_try_load(page, NULL) == 0 && all_zero(page, KT_PAGE),
	   "the page is the host's, zeroed");
	is(kt_try_load(page - 1, NULL), SIGSEGV, "not the one before");
	is(kt_try_load(page + KT_PAGE, NULL), SIGSEGV, "nor the one behind");
	is(kt_proc_kb("/proc/self/status", "VmLck:"), locked + 2044, "one page less is locked");
	is(kt_do(cpu, CMD_CHECK, BLOCK, 77 * KT_PAGE, 9, 0) +
		   kt_do(cpu, CMD_CHECK, ipa + KT_PAGE, KT_2M - 78 * KT_PAGE, 9, 0),
	   0, "the guest has the rest of its data");
	kt_do(cpu, CMD_FILL, ipa, KT_PAGE, 9, 0);
	is(kt_do(cpu, CMD_CHECK, BLOCK, KT_2M, 9, 0), 0,
	   "and a page there again when it wants one");
}

static void test_mmio_guard(struct kt_vm *vm)
{
	struct kt_vcpu *cpu = &vm->vcpu[0];
	struct kt_result r = kt_call(cpu, CMD_LOAD, NOTHING, 4, 0, 0);

	ok(!r.done && !r.err && r.exit == KVM_EXIT_MMIO, "without MMIO_GUARD any hole is MMIO");
	kt_resume(cpu);
	is(call(cpu, GUESTCALL_MMIO_GUARD, TEST_DEV + 8, 0), -3, "MMIO_GUARD, unaligned");
	is(call(cpu, GUESTCALL_MMIO_GUARD, TEST_DEV, 1), -3, "MMIO_GUARD with more arguments");
	kt_do(cpu, CMD_STORE, GPA(3), 8, 1, 0);
	is(call(cpu, GUESTCALL_MMIO_GUARD, GPA(3), 0), -3, "MMIO_GUARD where there is memory");
	is(call(cpu, GUESTCALL_MMIO_GUARD, TEST_DEV, 0), 0, "MMIO_GUARD of the device");
	is(call(cpu, GUESTCALL_MMIO_GUARD, TEST_DEV, 0), 0, "twice does no harm");
	is(kt_do(cpu, CMD_NOP, 3, 0, 0, 0), 3, "the device works");
	r = kt_call(cpu, CMD_LOAD, NOTHING, 4, 0, 0);
	ok(r.done && EC(r.esr) == EC_DABT && (r.esr & 0x3f) == SEA && r.far == NOTHING,
	   "a load elsewhere is the guest's abort, not the host's exit");
	r = kt_call(cpu, CMD_STORE, NOTHING, 8, 0x5ec4e7, 0);
	ok(r.done && EC(r.esr) == EC_DABT && r.far == NOTHING, "and a store");
	is(kt_do(cpu, CMD_LOAD, GPA(4), 8, 0, 0), 0, "memory comes as before");
}

static void test_trng(struct kt_vcpu *cpu)
{
	struct kt_result a, b;

	if (!(getauxval(AT_HWCAP2) & HWCAP2_RNG_BIT)) {
		is(call(cpu, TRNG_VERSION, 0, 0), -1,
		   "no TRNG where neither CPU nor firmware has one");
		is(call(cpu, TRNG_RND_64, 64, 0), -1, "and no number");
		return;
	}
	is_hex(call(cpu, TRNG_VERSION, 0, 0), 0x10000, "TRNG 1.0");
	is(call(cpu, TRNG_FEATURES, TRNG_RND_64, 0), 0, "TRNG_FEATURES of RND64");
	is(call(cpu, TRNG_FEATURES, PSCI_SYSTEM_OFF, 0), -1, "TRNG_FEATURES of something else");
	is(call(cpu, TRNG_RND_64, 0, 0), -2, "no bits are refused");
	is(call(cpu, TRNG_RND_64, 193, 0), -2, "so are 193");
	is(call(cpu, TRNG_RND_32, 97, 0), -2, "and 97 by the 32-bit call");
	a = kt_hvc(cpu, TRNG_RND_64, 192, 0, 0);
	b = kt_hvc(cpu, TRNG_RND_64, 192, 0, 0);
	is(a.r[0] | b.r[0], 0, "192 bits");
	ok(memcmp(a.r, b.r, sizeof(a.r)) && a.r[1] && a.r[2] && a.r[3], "that are never the same");
	a = kt_hvc(cpu, TRNG_RND_64, 8, 0, 0);
	ok(!a.r[1] && !a.r[2] && a.r[3] < 256, "8 bits are 8 bits");
	a = kt_hvc(cpu, TRNG_RND_32, 96, 0, 0);
	ok(!((a.r[1] | a.r[2] | a.r[3]) >> 32), "32-bit words have 32 bits");
}

int main(void)
{
	struct kt_vm vm;
	uint8_t *mem;

	tap_begin(60);
	if (!kt_protected()) {
		skip("needs a protected VM", "guest calls");
		return tap_end();
	}
	mem = kt_alloc(SIZE);
	/* The last 2 MiB: huge. */
	madvise(mem + (BLOCK - GUEST_RAM), KT_2M, MADV_HUGEPAGE);
	kt_create(&vm, &(struct kt_config){ .size = SIZE, .mem = mem });
	test_features(&vm.vcpu[0]);
	test_relinquish(&vm);
	test_relinquish_block(&vm);
	test_trng(&vm.vcpu[0]);
	test_mmio_guard(&vm);
	kt_close(&vm);
	return tap_end();
}
