/* SPDX-License-Identifier: GPL-2.0-only */
/* A machine whose firmware has a secure partition manager, and a host that speaks FF-A to it. */
#ifndef TESTS_UNIT_FFATEST_H
#define TESTS_UNIT_FFATEST_H

#include "hyptest.h"
#include "spmc.h"

#define V1_0 0x10000u
#define V1_1 0x10001u
#define V1_2 0x10002u

/*
 * A test on a machine with FF-A 1.1, its version negotiated and the host's buffers mapped; afterwards all must
 * be consistent, and the secure world hold what it may hold.
 */
#define ffa_test(f)                                                      \
	{                                                                \
#f, on_ffa_machine, NULL, NULL, (void *)(hyp_test_fn *)f \
	}
void on_ffa_machine(void **state);

/* A new machine; firmware up to one version. With a spoken one: negotiated, host's buffers mapped. */
void ffa_boot(u32 firmware, u32 spoken);
extern pa_t ffa_tx, ffa_rx; /* the host's */

/* An SMC of the host's, by host_trap(): x8-x17 have something in them. All of x0-x17 afterwards are in ffa_x. */
extern u64 ffa_x[18];
u64 ffa_call(const u64 *x);
#define ffa(...) ffa_call((u64[18]){ __VA_ARGS__ })

/* An error of the interface: w0 and w2; 0 is success. */
s32 ffa_status(const u64 *x);
#define ffa_ret(...)	      ffa_status((u64[18]){ __VA_ARGS__ })
#define assert_ffa(code, ...) assert_int_equal(ffa_ret(__VA_ARGS__), code)
/*
 * The hypervisor refuses, and firmware does not hear of it. Twice: the first puts into the hypervisor's buffer what
 * the second finds there.
 */
#define assert_ffa_refused(code, ...)                       \
	do {                                                \
		unsigned int smcs_ = fake.nr_smcs;          \
		assert_ffa(code, __VA_ARGS__);              \
		assert_refused(ffa_ret(__VA_ARGS__), code); \
		assert_int_equal(fake.nr_smcs, smcs_);      \
		spmc_check();                               \
		fake_check();                               \
	} while (0)
/* The last call's results are none: FFA_SUCCESS alone. */
void assert_ffa_success(void);

/* Put a descriptor into the host's TX that a good host would write; its length. */
struct ffa_test_range {
	u64 pa;
	u32 nr;
};
u32 ffa_write(u32 version, const struct ffa_test_range *ranges, u32 nr);
/* Change one of its fields. */
void ffa_patch(u32 offset, unsigned int bytes, u64 value);
/* Where the fields are, with versions from 1.1; ranges follow one another by 16 bytes. */
u32 ffa_composite_at(u32 version);
#define ffa_ranges_at(version) (ffa_composite_at(version) + 16)

/* Share pages, whole descriptor: the status; the handle is in ffa_handle. */
extern u64 ffa_handle;
s32 ffa_share(const struct ffa_test_range *ranges, u32 nr);
s32 ffa_share_page(pa_t pa);
s32 ffa_reclaim(u64 handle);

/* Run f before the n-th time from now that the lock is taken. */
void before_lock(const char *name, unsigned int n, void (*f)(void));
bool before_lock_came(void);

#endif
