// SPDX-License-Identifier: GPL-2.0-only
#include "host/trap.h"

#include "arch/esr.h"
#include "arch/host_el1.h"
#include "arch/host_el2.h"
#include "host/abort.h"
#include "host/hostcall.h"
#include "host/psci.h"
#include "host/restart.h"
#include "host/smc.h"
#include "lib/panic.h"

/* Linux's EL2 stub ABI (Documentation/virt/kvm/arm/hyp-abi.rst). */
#define HVC_SOFT_RESTART   1
#define HVC_FINALISE_EL2   3
#define HVC_GET_ICH_VTR	   4
#define HVC_STUB_FUNCTIONS 5
#define HVC_STUB_ERR	   0xbadca11

/* The kernel goes on as if its stub were there; who gets EL2 by it finds nothing of a guest left. */
static void stub_call(struct host_regs *regs)
{
	switch (regs->x[0]) {
	case HVC_FINALISE_EL2:
		regs->x[0] = 0;
		break;
	case HVC_GET_ICH_VTR:
		regs->x[0] = 0;
		regs->x[1] = host_ich_vtr();
		break;
	case HVC_SOFT_RESTART:
		host_soft_restart(regs);
		/* fall through */
	default:
		regs->x[0] = HVC_STUB_ERR;
		break;
	}
}

void host_trap(struct host_regs *regs)
{
	switch (FIELD_GET(ESR_EC, host_trap_esr())) {
	case EC_HVC64:
		if (regs->x[0] < HVC_STUB_FUNCTIONS)
			stub_call(regs);
		else
			hostcall(regs);
		break;
	case EC_SMC64:
		host_smc(regs);
		break;
	case EC_IABT_LOWER:
	case EC_DABT_LOWER:
		if (READ_ONCE(hyp_panicked))
			host_inject_fault(HOST_FAULT_EXTERNAL);
		else
			host_abort(regs);
		break;
	case EC_SOFTSTP:
		psci_step(regs);
		break;
	case EC_FP:
	case EC_SVE:
	case EC_SME:
		if (host_use_fp(this_cpu()))
			break;
		/* fall through */
	default:
		host_inject_undef();
		break;
	}
}
