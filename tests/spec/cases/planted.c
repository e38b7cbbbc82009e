// SPDX-License-Identifier: GPL-2.0-only
/* The shortest sequences that showed a fault which had been planted in the hypervisor. */
#include <stockade/guestcall.h>
#include <stockade/hostcall.h>

#include "run.h"

/* MEM_UNSHARE did not unmap the page from the host; within a block, a run page shared twice beside it. */
SPEC_CASE(unshare_in_a_block, 1,
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_CREATE, 0x4010a, 0x400ae, 0x120 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VCPU_CREATE, 0x1000, 0, 0x4013e, 0x403fc } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VCPU_CREATE, 0x1000, 1, 0x40139, 0x403fc } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_TOPUP, 0x1000, 0x4011b, 4 } },
	  { OP_HOSTCALL, .cpu = 0,
	    .x = { STOCKADE_HC_HOST_DONATE_GUEST, 0x1000, 0x40400, 0, 0x200 } },
	  { OP_HOSTCALL, .cpu = 3, .x = { STOCKADE_HC_VCPU_LOAD, 0x1000, 0 } },
	  { OP_RUN, .cpu = 3, .x = { 0, GUEST_CALL, GUESTCALL_MEM_SHARE, 0x1000 } },
	  { OP_RUN, .cpu = 3, .x = { 0, GUEST_CALL, GUESTCALL_MEM_UNSHARE, 0x1000 } });

/* Forced reclaim did not zero the page, or did not poison the guest's entry. */
SPEC_CASE(force_reclaim, 1,
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_CREATE, 0x400a4, 0x40604, 0x124 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_TOPUP, 0x1000, 0x80003, 2 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_HOST_DONATE_GUEST, 0x1000, 0x401c5, 0, 1 } },
	  { OP_HOST_ABORT, .cpu = 0, .x = { 0x401c5580 } });

/* Two CPUs of the host touch one page: the second did not look whether it was too late. */
SPEC_CASE(force_reclaim_twice, 7,
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_POOL_TOPUP, 0x400b1, 0x10 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_CREATE, 0x401ab, 0x40400, 0x128 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_CREATE, 0x40129, 0x400f8, 0x124 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_CREATE, 0x7fe07, 0x400e4, 0x128 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_TOPUP, 0x1002, 0x40168, 3 } },
	  { OP_HOSTCALL, .cpu = 0,
	    .x = { STOCKADE_HC_HOST_DONATE_GUEST, 0x1002, 0x40200, 0, 0x200 } },
	  { OP_HOST_ABORT, .cpu = 0, .with_next = true, .schedule = 666635340,
	    .x = { 0x403356a8 } },
	  { OP_HOST_ABORT, .cpu = 1, .x = { 0x403356a8 } });

/* A shared page that the guest gave back: the host's block was not rebuilt. */
SPEC_CASE(relinquish_shared, 5,
	  { OP_HOSTCALL, .cpu = 3, .x = { STOCKADE_HC_VM_CREATE, 0x40127, 0x80020, 0x121 } },
	  { OP_HOSTCALL, .cpu = 2, .x = { STOCKADE_HC_VCPU_CREATE, 0x1000, 0, 0x4017a, 0x401ec } },
	  { OP_HOSTCALL, .cpu = 3, .x = { STOCKADE_HC_VM_TOPUP, 0x1000, 0x401fb, 2 } },
	  { OP_HOSTCALL, .cpu = 3,
	    .x = { STOCKADE_HC_HOST_DONATE_GUEST, 0x1000, 0x40601, 0x1ffe04, 1 } },
	  { OP_HOSTCALL, .cpu = 2, .x = { STOCKADE_HC_VCPU_LOAD, 0x1000, 0 } },
	  { OP_RUN, .cpu = 2, .x = { 0, GUEST_CALL, GUESTCALL_MEM_SHARE, 0x1ffe04000 } },
	  { OP_RUN, .cpu = 2, .x = { 0, GUEST_CALL, GUESTCALL_MEM_RELINQUISH, 0x1ffe04000 } });

/* Reclaim forgot a table, or left a page as it was. */
SPEC_CASE(reclaim, 1,
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_CREATE, 0x400a4, 0x40604, 0x124 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_TOPUP, 0x1000, 0x80003, 2 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_HOST_DONATE_GUEST, 0x1000, 0x401c5, 0, 1 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_TEARDOWN, 0x1000 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_RECLAIM, 0x1000 } });
