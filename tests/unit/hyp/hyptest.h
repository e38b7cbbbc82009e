/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of the hypervisor have in common: a machine, a host that calls, VMs. */
#ifndef TESTS_UNIT_HYPTEST_H
#define TESTS_UNIT_HYPTEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <stockade/guestcall.h>
#include <stockade/hostcall.h>
#include <stockade/log.h>
#include <stockade/vcpu_run.h>

#include "arch/esr.h"
#include "arch/layout.h"
#include "debug/debug.h"
#include "fake.h"
#include "lib/panic.h"
#include "maint.h"
#include "mem/host_map.h"
#include "mem/hyp_map.h"
#include "mem/page.h"
#include "mem/transition.h"
#include "vm/vcpu.h"
#include "vm/vm.h"

/*
 * A test on the standard machine, booted; afterwards all must be consistent (fake_check(), and by what the
 * hypervisor built for tests says of itself). Setup and
 * teardown are of the test itself: cmocka puts its fault handlers in before each of its functions.
 */
#define hyp_test(f)                                                  \
	{                                                            \
#f, on_machine, NULL, NULL, (void *)(hyp_test_fn *)f \
	}
/* A test that makes its own machine, or needs none. */
#define bare_test(f)                                                      \
	{                                                                 \
#f, without_machine, NULL, NULL, (void *)(hyp_test_fn *)f \
	}
/* On the standard machine, and what it leaves behind need not be consistent: no VM is there any more. */
#define bare_boot_test(f)                                                 \
	{                                                                 \
#f, on_lost_machine, NULL, NULL, (void *)(hyp_test_fn *)f \
	}
typedef void hyp_test_fn(void);
/* What the hypervisor's own check (hyp/debug) says of the machine; its page in selfcheck_where. */
enum stockade_broken selfcheck(bool quiet);
extern pa_t selfcheck_where;
void on_lost_machine(void **state);
void on_machine(void **state);
void without_machine(void **state);
/* Within a test: a new machine. */
void boot_again(void);
void boot_again_as(const struct fake_config *config);

#define RUN(name, tests) cmocka_run_group_tests_name(name, tests, NULL, NULL)

#define KIB		       1024ull
#define MIB		       (1024 * KIB)
#define GIB		       (1024 * MIB)
#define BLOCK		       (2 * MIB)
#define NR_BLOCK	       512
#define assert_ret(call, code) assert_int_equal((s64)(call), (s64)(code))

/* The call leaves RAM and the hypervisor's data as they were, and returns that code. */
#define assert_refused(call, code)                                     \
	do {                                                           \
		struct fake_copy *copy_ = fake_copy();                 \
		s64 ret_ = (s64)(call);                                \
		const char *differs_ = fake_differs(copy_);            \
		assert_ret(ret_, code);                                \
		if (differs_)                                          \
			fail_msg("refused, but changed %s", differs_); \
	} while (0)

/* One or the other, by the code. */
#define TRY(call, code)                             \
	do {                                        \
		if (code)                           \
			assert_refused(call, code); \
		else                                \
			assert_ret(call, 0);        \
	} while (0)

#define assert_panics(call)                                \
	do {                                               \
		fake_panic_expected = true;                \
		if (!setjmp(fake_panic_jump)) {            \
			call;                              \
			fake_panic_expected = false;       \
			fail_msg("no panic in %s", #call); \
		}                                          \
		fake_lock_reset();                         \
	} while (0)

/* The fake complains of what the call does. */
extern jmp_buf complaint_jump;
extern bool complaint_expected;
extern const char *complaint; /* the last one that was expected */
#define assert_complains(call)                                \
	do {                                                  \
		complaint_expected = true;                    \
		if (!setjmp(complaint_jump)) {                \
			call;                                 \
			complaint_expected = false;           \
			fail_msg("nobody noticed %s", #call); \
		}                                             \
	} while (0)

/* --- the host --- */

/* A hostcall, through host_trap(); its results besides the code. */
extern struct hc_result {
	u64 x1, x2, x3;
} hc_result;
s64 hc_call(const u64 *x);
#define hc(...) hc_call((u64[6]){ __VA_ARGS__ })
/* The same, and tops pools up as it is asked to; x1 of the call is the VM's handle, if it is a VM's pool. */
s64 hc_fed_call(const u64 *x);
#define hc_fed(...) hc_fed_call((u64[6]){ __VA_ARGS__ })
extern unsigned int fed_pages, hyp_fed_pages; /* how many; of those, to EL2's own pool */

/* A page, or a block, of the host's that no test has had yet. */
pa_t host_page(void);
pa_t host_block(void);
/* Pages to feed the hypervisor with, at another place. */
pa_t spare_page(void);

/* Leave nr pages free in EL2's pool, by reserving the others; release all but those. */
void set_hyp_pool_free(u64 nr);
void release_hyp_pool(u64 reserved);

#define PFN(pa) ((pa) >> PAGE_SHIFT)

/* Variables of the next function that are not initialised are not zero. */
void dirty_stack(void);

unsigned int page_state(pa_t pa);
#define assert_state(pa, s)  assert_string_equal(fake_state_name(page_state(pa)), fake_state_name(s))
#define assert_host_has(pa)  assert_true(fake_walk(&host_map, pa).valid)
#define assert_host_lost(pa) assert_false(fake_walk(&host_map, pa).valid)

void fill_page(pa_t pa, u64 pattern);
void assert_page_is(pa_t pa, u64 pattern);

/* Firmware's n-th call had these registers, and zeros. */
#define assert_smc(n, ...) \
	assert_memory_equal(fake.smcs[n], ((u64[18]){ __VA_ARGS__ }), sizeof(fake.smcs[0]))
/* The log has this in it. */
bool logged(const char *text);

/* The first such operation after that one in fake.ops, -1 for the start; there is one. And how many there are. */
int op_after(enum fake_op_kind kind, u64 a, u64 b, int after);
unsigned int count_ops(enum fake_op_kind kind);

/* --- VMs --- */

struct test_vm {
	u64 handle;
	struct vm *vm;
	struct guest_mem *mem;
	pa_t page, root;
	unsigned int nr_vcpus;
	pa_t vcpu[4], run[4];
};

/* A VM with nr vCPUs and an IPA space of 40 bits. */
struct test_vm make_vm(unsigned int nr_vcpus);
struct test_vm make_vm_bits(unsigned int nr_vcpus, unsigned int ipa_bits);
/* The host donates until it works; asserts that it does. */
void donate(struct test_vm *vm, pa_t pa, ipa_t ipa, u64 nr);
pa_t donated_page(struct test_vm *vm, ipa_t ipa);
/* Teardown to the end, by hostcalls; all pages are the host's again. */
void end_vm(struct test_vm *vm);
void assert_guest_has(struct test_vm *vm, ipa_t ipa, pa_t pa);
void assert_guest_has_not(struct test_vm *vm, ipa_t ipa);
struct stockade_run *run_page(struct test_vm *vm, unsigned int vcpu);
struct guest_regs *regs_of(struct test_vm *vm, unsigned int vcpu);

/* --- guests --- */

/* What the guest does next: an exit by this exception. After the last one it is interrupted. */
void guest_traps(u64 esr, u64 far, ipa_t ipa);
/* The same, preceded by a function that is the guest's code. */
void guest_does(void (*code)(struct guest_regs *regs), u64 esr, u64 far, ipa_t ipa);
void guest_calls(u64 x0, u64 x1, u64 x2, u64 x3);
unsigned int guest_exits_left(void);

#define ESR(ec, iss) (FIELD_PUT(ESR_EC, ec) | ESR_IL | (iss))
#define DABT_FAULT   (FSC_TRANSLATION | 3)

/* VCPU_LOAD, VCPU_RUN: the reason of the exit. */
void load(struct test_vm *vm, unsigned int vcpu);
unsigned int run(void);
s64 run_ret(void);

#endif
