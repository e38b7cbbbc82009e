// SPDX-License-Identifier: GPL-2.0-only
#include "host/ffa.h"

#include <stockade/guestcall.h>
#include <stockade/hostcall.h>

#include "arch/launch.h"
#include "arch/lock.h"
#include "arch/smc.h"
#include "host/ffa_abi.h"
#include "host/ffa_mem.h"
#include "host/smc.h"
#include "lib/log.h"
#include "mem/hyp_map.h"
#include "mem/secure.h"

/* What the SPMC reads and writes instead of the host's buffers. */
static struct {
	_Alignas(PAGE_SIZE) u8 tx[FFA_PAGE_SIZE];
	_Alignas(PAGE_SIZE) u8 rx[FFA_PAGE_SIZE];
} buffers GUARDED_BY(ffa);

/* Held while the SPMC works. */
static struct ffa_lock ffa_lock;
static bool negotiated GUARDED_BY(ffa); /* the host has asked for its version */
static bool mapped GUARDED_BY(ffa); /* the SPMC has our buffers, as the host has mapped its own */
static pa_t host_tx GUARDED_BY(ffa), host_rx GUARDED_BY(ffa);
/* Written with ffa_lock, or at launch. Read at any time, by calls for which there is no lock. */
static u32 version; /* spoken with the SPMC; 0: there is none that we understand */
static bool left;   /* ffa_leave() was there */

bool ffa_is_function(u32 function)
{
	u32 n = function & ~FFA_64;

	return n >= FFA_ERROR && n <= 0x840000ff;
}

static u64 call(u32 function, u64 a1, u64 a2, u64 a3, u64 *x)
{
	x[0] = function;
	x[1] = a1;
	x[2] = a2;
	x[3] = a3;
	for (u32 i = 4; i < 18; i++)
		x[i] = 0;
	smc_forward(x);
	return (u32)x[0] & ~FFA_64;
}

static bool map_at_spmc(pa_t tx, pa_t rx, s32 *error)
{
	u64 x[18];

	if (call(FFA_RXTX_MAP | FFA_64, tx, rx, 1, x) == FFA_SUCCESS)
		return true;
	*error = (u32)x[0] == FFA_ERROR ? (s32)x[2] : FFA_NOT_SUPPORTED;
	return false;
}

static void unmap_at_spmc(void)
{
	u64 x[18];

	call(FFA_RXTX_UNMAP, FFA_HOST_ID << 16, 0, 0, x);
}

static bool map_ours(s32 *error)
{
	return map_at_spmc(image_pa(buffers.tx), image_pa(buffers.rx), error);
}

/* 0: none that we understand. */
static u32 find_version(void)
{
	u64 x[18];

	/* Some firmware takes only versions up to its own, or the one that the kernel's driver settled on. */
	for (u32 wanted = FFA_VERSION_1_2; wanted >= FFA_VERSION_1_0; wanted--) {
		call(FFA_VERSION, wanted, 0, 0, x);
		if ((s32)x[0] >= 0)
			return FFA_MAJOR((u32)x[0]) == 1 ? (u32)min_u64((u32)x[0], wanted) : 0;
	}
	return 0;
}

int ffa_init(void)
{
	u64 x[18];
	s32 error;

	version = find_version();
	if (!version)
		return STOCKADE_OK;
	if (!map_ours(&error)) {
		version = 0;
		/* Ours were never there, so it is the kernel's driver that has buffers mapped. */
		if (error == FFA_DENIED)
			return STOCKADE_EAGAIN;
		log_line("FF-A is off: firmware refuses buffers");
		return STOCKADE_OK;
	}
	unmap_at_spmc();
	if (call(FFA_FEATURES, FFA_RXTX_MAP | FFA_64, 0, 0, x) != FFA_SUCCESS ||
	    (x[2] & FFA_RXTX_MIN_SIZE)) {
		log_line("FF-A is off: firmware takes no buffers of 4 KiB");
		version = 0;
	}
	return STOCKADE_OK;
}

void ffa_leave(bool kernel_lives)
{
	s32 error;

	spin_lock(&ffa_lock);
	WRITE_ONCE(left, true);
	/* The next kernel's hypervisor could not know of them. */
	if (!kernel_lives)
		ffa_mem_reclaim_all();
	if (mapped) {
		unmap_at_spmc();
		if (kernel_lives && !map_at_spmc(host_tx, host_rx, &error))
			log_line("FF-A: the kernel's buffers could not be mapped again");
		mapped = false;
	}
	spin_unlock(&ffa_lock);
}

static void copy_words(u64 *to, const u64 *from, u64 bytes) PAGE_WORK
{
	for (u64 i = 0; i < (bytes + 7) / 8; i++)
		to[i] = READ_ONCE(from[i]);
}

/*
 * From the host's TX to ours, once; from our RX to the host's. False: the page is not the host's alone any more, or
 * there is none. While it is read or written it is marked like what the secure world has: it can't be given away.
 */
static bool copy_from_host(u64 bytes) REQUIRES(ffa) TAKES(mem)
{
	struct secure_list tx = { SECURE_LIST_EMPTY };

	if (!mapped || bytes > FFA_PAGE_SIZE || host_share_secure(&tx, host_tx, 1))
		return false;
	copy_words((u64 *)buffers.tx, window_open(host_tx), bytes);
	window_close();
	host_unshare_secure(&tx, 1);
	return true;
}

static bool copy_to_host(u64 bytes) REQUIRES(ffa) TAKES(mem)
{
	struct secure_list rx = { SECURE_LIST_EMPTY };

	if (bytes > FFA_PAGE_SIZE || host_share_secure(&rx, host_rx, 1))
		return false;
	copy_words(window_open(host_rx), (const u64 *)buffers.rx, bytes);
	window_close();
	host_unshare_secure(&rx, 1);
	return true;
}

/* Two pages that are the host's alone. */
static bool may_be_buffers(pa_t tx, pa_t rx) TAKES(mem)
{
	struct secure_list both = { SECURE_LIST_EMPTY };
	bool ok = !host_share_secure(&both, tx, 1) && !host_share_secure(&both, rx, 1);

	host_unshare_secure(&both, ALL_SHARED);
	return ok;
}

/* FFA_VERSION: the answer is the version itself, or an error (DEN0077A 13.2). */
static void do_version(u64 *x) REQUIRES(ffa)
{
	u32 wanted = (u32)x[1];
	u64 answer[18];

	/* In all 64 bits: so Linux 6.1 looks for it. */
	x[0] = (u64)FFA_NOT_SUPPORTED;
	if (FFA_MAJOR(wanted) != 1)
		return;
	if (negotiated) {
		/* No way back to another one. */
		if (wanted >= version)
			x[0] = version;
		return;
	}
	if (wanted < version) {
		/* Descriptors will be of the older kind: the SPMC must know. */
		call(FFA_VERSION, wanted, 0, 0, answer);
		if ((s32)answer[0] < 0 || (u32)answer[0] < wanted)
			return;
		WRITE_ONCE(version, wanted);
	}
	negotiated = true;
	x[0] = version;
}

/* 32-bit and 64-bit ones are one call, but for the arguments. */
static void map_buffers(u64 *x) REQUIRES(ffa) TAKES(mem)
{
	s32 error = FFA_INVALID_PARAMETERS;
	pa_t tx = x[1], rx = x[2];

	if (mapped) {
		ffa_error(x, FFA_DENIED);
		return;
	}
	if (!may_be_buffers(tx, rx) || x[3] != 1 || !map_ours(&error)) {
		ffa_error(x, error);
		return;
	}
	host_tx = tx;
	host_rx = rx;
	mapped = true;
	ffa_success(x);
}

static void unmap_buffers(u64 *x) REQUIRES(ffa)
{
	if (!mapped || (u32)x[1] >> 16 != FFA_HOST_ID) {
		ffa_error(x, FFA_INVALID_PARAMETERS);
		return;
	}
	unmap_at_spmc();
	mapped = false;
	ffa_success(x);
}

static void partition_info(u64 *x) REQUIRES(ffa) TAKES(mem)
{
	bool count_only = x[5] & FFA_INFO_COUNT_ONLY && version >= FFA_VERSION_1_1;
	u64 bytes, ignored[18];

	if (!mapped && !count_only) {
		ffa_error(x, FFA_DENIED);
		return;
	}
	smc_forward(x);
	if (((u32)x[0] & ~FFA_64) != FFA_SUCCESS || count_only)
		return;
	bytes = (u64)(u32)x[2] * (version >= FFA_VERSION_1_1 ? (u32)x[3] : FFA_INFO_SIZE_1_0);
	if (!copy_to_host(bytes)) {
		call(FFA_RX_RELEASE, 0, 0, 0, ignored);
		ffa_error(x, FFA_DENIED);
	}
}

/* What the hypervisor has no part in: no call that names memory, or a buffer of the caller's. */
static bool passes(u32 function)
{
	switch (function) {
	case FFA_ID_GET:
	case FFA_SPM_ID_GET:
	case FFA_RX_RELEASE:
	case FFA_RUN:
	case FFA_MSG_SEND_DIRECT_REQ:
	case FFA_MSG_SEND_DIRECT_REQ | FFA_64:
	case FFA_MSG_SEND_DIRECT_REQ2 | FFA_64:
	case FFA_PARTITION_INFO_GET_REGS | FFA_64:
		return true;
	default:
		return false;
	}
}

/* Of these, only calls that name an address have a 64-bit variant. */
static bool takes_over(u32 function)
{
	switch (function) {
	case FFA_VERSION:
	case FFA_FEATURES:
	case FFA_RXTX_MAP:
	case FFA_RXTX_MAP | FFA_64:
	case FFA_RXTX_UNMAP:
	case FFA_PARTITION_INFO_GET:
	case FFA_MEM_LEND:
	case FFA_MEM_LEND | FFA_64:
	case FFA_MEM_SHARE:
	case FFA_MEM_SHARE | FFA_64:
	case FFA_MEM_RECLAIM:
	case FFA_MEM_FRAG_TX:
		return true;
	default:
		return false;
	}
}

static void dispatch(u32 function, u64 *x) REQUIRES(ffa) TAKES(mem)
{
	switch (function & ~FFA_64) {
	case FFA_FEATURES:
		/* Of a function, or of an interrupt that only notifications would use. */
		if (passes((u32)x[1]) || takes_over((u32)x[1]))
			smc_forward(x);
		else
			ffa_error(x, FFA_NOT_SUPPORTED);
		return;
	case FFA_RXTX_MAP:
		map_buffers(x);
		return;
	case FFA_RXTX_UNMAP:
		unmap_buffers(x);
		return;
	case FFA_PARTITION_INFO_GET:
		partition_info(x);
		return;
	case FFA_MEM_LEND:
	case FFA_MEM_SHARE:
		if (copy_from_host((u32)x[2]))
			ffa_mem_share(x, buffers.tx, version);
		else
			ffa_error(x, FFA_INVALID_PARAMETERS);
		return;
	case FFA_MEM_FRAG_TX:
		if (copy_from_host((u32)x[3]))
			ffa_mem_frag(x, buffers.tx);
		else
			ffa_error(x, FFA_INVALID_PARAMETERS);
		return;
	default: /* FFA_MEM_RECLAIM */
		ffa_mem_reclaim(x);
		return;
	}
}

static void handle(u32 function, u64 *x) REQUIRES(ffa) TAKES(mem)
{
	if (function == FFA_VERSION)
		do_version(x);
	else if (!negotiated)
		ffa_error(x, FFA_INVALID_PARAMETERS);
	else
		dispatch(function, x);
}

void host_ffa(struct host_regs *regs)
{
	u64 *x = regs->x;
	u32 function = (u32)x[0];

	if (!READ_ONCE(version) && !READ_ONCE(left)) {
		/* Nobody there, as firmware would say. */
		x[0] = (u64)SMCCC_RET_NOT_SUPPORTED;
		return;
	}
	if (READ_ONCE(left) || passes(function)) {
		/* A direct message may keep the secure world busy for long: no lock. */
		smc_forward(x);
		return;
	}
	if (!(function & FFA_64))
		for (u32 i = 1; i < 8; i++)
			x[i] = (u32)x[i];
	if (!takes_over(function)) {
		smc_log_denied(function);
		ffa_error(x, FFA_NOT_SUPPORTED);
		return;
	}
	spin_lock(&ffa_lock);
	/* EL2 may just have been given up: our buffers must not be mapped again. */
	if (left)
		smc_forward(x);
	else
		handle(function, x);
	spin_unlock(&ffa_lock);
}
