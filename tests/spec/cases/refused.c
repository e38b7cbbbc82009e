// SPDX-License-Identifier: GPL-2.0-only
/* Calls that were refused, and had changed something all the same. */
#include <stockade/hostcall.h>

#include "run.h"

/* A VM's page that is its root too: the page came back zeroed. */
SPEC_CASE(vm_create_page_is_root, 0,
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_CREATE, 0x400c8, 0x400c8, 0x120 } });

/* A good page, and a run page that is EL2's: likewise. */
SPEC_CASE(vcpu_create_bad_run_page, 0,
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_CREATE, 0x400c8, 0x400c9, 0x120 } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VCPU_CREATE, 0x1000, 0, 0x400ca, 0x400c8 } });

/* Of what is wrong with it, the same comes first in both: the root, or that no VM is created any more. */
SPEC_CASE(create_without_address_after_unlaunch, 6,
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_UNLAUNCH } },
	  { OP_HOSTCALL, .cpu = 0, .x = { STOCKADE_HC_VM_CREATE, 0, 0xfffffffffffffffe, 0x128 } });
