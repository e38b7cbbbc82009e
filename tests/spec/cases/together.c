// SPDX-License-Identifier: GPL-2.0-only
/* Calls at the same time that are right, and were taken for wrong. */
#include <stockade/guestcall.h>
#include <stockade/hostcall.h>

#include "run.h"

/*
 * While one VM's page is cleaned, with its lock, another VM's lock is given back: the judge of maintenance is not to
 * demand yet what the first is doing.
 */
SPEC_CASE(unshare_beside_reclaim, 3,
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_CREATE, 0x4011c, 0x40095, 0x127 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_CREATE, 0x400f4, 0x401fe, 0x120 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VCPU_CREATE, 0x1001, 0, 0x400c5, 0x401dd } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_POOL_TOPUP, 0x400b4, 7 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VCPU_CREATE, 0x1001, 1, 0x404d7, 0x400ae } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VCPU_CREATE, 0x1001, 2, 0x401e5, 0x401dd } },
	  { OP_HOSTCALL, .cpu = 1, .x = { STOCKADE_HC_VCPU_LOAD, 0x1001 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_TEARDOWN, 0x1000 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_TOPUP, 0x1001, 0x40120, 3 } },
	  { OP_HOSTCALL, .cpu = 0,
	    .x = { STOCKADE_HC_HOST_DONATE_GUEST, 0x1001, 0x40098, 0x3fe07, 1 } },
	  { OP_RUN, .cpu = 1, .x = { 0, GUEST_CALL, GUESTCALL_MEM_SHARE, 0x3fe07000 } },
	  { OP_RUN, .cpu = 1, .with_next = true, .schedule = 307732397,
	    .x = { 0, GUEST_CALL, GUESTCALL_MEM_UNSHARE, 0x3fe07000 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_RECLAIM, 0x1000 } });

/* A VM_RECLAIM that waits while the VM is given a page and torn down, and then brings the page back. */
SPEC_CASE(donate_before_reclaim, 2,
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_CREATE, 0x4018d, 0x401f2, 0x120 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_TOPUP, 0x1000, 0x401ad, 2 } },
	  { OP_HOSTCALL, .cpu = 1, .with_next = true, .schedule = 779712420,
	    .x = { STOCKADE_HC_HOST_DONATE_GUEST, 0x1000, 0x40093, 0, 1 } },
	  { OP_HOSTCALL, .cpu = 0, .with_next = true, .x = { STOCKADE_HC_VM_TEARDOWN, 0x1000 } },
	  { OP_HOSTCALL, .cpu = 2, .x = { STOCKADE_HC_VM_RECLAIM, 0x1000 } });

/*
 * A VM comes and another one goes while the judge of maintenance looks which there are: it must not be interrupted, or it
 * does not know the one that comes next, and takes its TLBIs for the old one's.
 */
SPEC_CASE(vms_come_and_go, 7,
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_POOL_TOPUP, 0x801e5, 0x10 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_CREATE, 0x7ff63, 0x801a5, 0x124 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_TEARDOWN, 0x1000 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_RECLAIM, 0x1000 } },
	  { OP_HOSTCALL, .cpu = 0, .with_next = true, .schedule = 768162644,
	    .x = { STOCKADE_HC_VM_CREATE, 0x401f2, 0x4017f, 0x127 } },
	  { OP_HOSTCALL, .cpu = 1, .x = { STOCKADE_HC_VM_DESTROY, 0x1000 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_CREATE, 0x4014e, 0x400ab, 0x120 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_TOPUP, 0x1000, 0x40144, 2 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_HOST_DONATE_GUEST, 0x1000, 0x401dd, 0, 1 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_TEARDOWN, 0x1000 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_RECLAIM, 0x1000 } });
