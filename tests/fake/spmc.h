/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A secure partition manager (FF-A, Arm DEN0077A) as the fake machine's firmware: what fake.smc may point at.
 *
 * It believes what it is told, as far as it can: it holds each page that a descriptor names, once per
 * receiver, whoever owns it. That nobody names what he does not own is the hypervisor's business: a page that
 * comes here in a state other than "shared with the secure world" fails the test.
 *
 * Its reading of descriptors is its own, from the specification. So are the numbers.
 */
#ifndef TESTS_FAKE_SPMC_H
#define TESTS_FAKE_SPMC_H

#include "lib/types.h"

enum spmc_function {
	SPMC_ERROR = 0x84000060,
	SPMC_SUCCESS,
	SPMC_INTERRUPT,
	SPMC_VERSION,
	SPMC_FEATURES,
	SPMC_RX_RELEASE,
	SPMC_RXTX_MAP,
	SPMC_RXTX_UNMAP,
	SPMC_PARTITION_INFO_GET,
	SPMC_ID_GET,
	SPMC_RUN = 0x8400006d,
	SPMC_DIRECT_REQ = 0x8400006f,
	SPMC_MEM_DONATE = 0x84000071,
	SPMC_MEM_LEND,
	SPMC_MEM_SHARE,
	SPMC_MEM_RETRIEVE_REQ,
	SPMC_MEM_RETRIEVE_RESP,
	SPMC_MEM_RELINQUISH,
	SPMC_MEM_RECLAIM,
	SPMC_MEM_FRAG_RX = 0x8400007a,
	SPMC_MEM_FRAG_TX,
	SPMC_SPM_ID_GET = 0x84000085,
	SPMC_PARTITION_INFO_GET_REGS = 0x8400008b,
	SPMC_DIRECT_REQ2 = 0x8400008d,
};

#define SPMC_64 0x40000000u

enum spmc_error {
	SPMC_NOT_SUPPORTED = -1,
	SPMC_INVALID = -2,
	SPMC_NO_MEMORY = -3,
	SPMC_BUSY = -4,
	SPMC_DENIED = -6,
};

struct spmc {
	/* How it is made. */
	u32 version;	 /* the newest that it speaks; 0: it is not there */
	bool strict;	 /* takes no newer version, and no other one after any other call */
	u32 min_buffers; /* FEATURES' answer: 0 is 4 KiB */
	u64 next_handle;
	u32 info_count, info_size; /* PARTITION_INFO_GET's answer */
	/* Firmware is called without the hypervisor in between. */
	bool direct;
	/* Called first; x is what came. */
	void (*on_call)(const u64 *x);
	/* The next call of this function, 32-bit or 64-bit, fails with that error and has no effect... */
	u32 fail;
	s32 fail_with;
	/* ...or has its effect, and x0 is this. */
	u32 odd;
	u64 odd_answer;

	/* How it is now. */
	u32 spoken;
	bool settled;
	bool mapped, rx_full;
	u64 tx, rx;
	unsigned int nr_held; /* pages */
};

extern struct spmc spmc;

/* All is forgotten; it speaks up to this version. */
void spmc_power_on(u32 version);
void spmc_smc(u64 *x);
bool spmc_holds(pa_t pa);
/* It holds what the page array says that it may hold, and its buffers are the hypervisor's. */
void spmc_check(void);

#endif
