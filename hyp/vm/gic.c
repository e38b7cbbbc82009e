// SPDX-License-Identifier: GPL-2.0-only
#include "vm/gic.h"

/* The guest's virtual timer is PPI 27 to it (as KVM has it), whatever the host's is. */
#define GUEST_VTIMER_INTID 27

/* IHI 0069, ICH_LR<n>_EL2; EOI is a bit of PINTID without HW. */
#define LR_STATE      GENMASK(63, 62)
#define LR_HW	      BIT(61)
#define LR_GROUP      BIT(60)
#define LR_PRIORITY   GENMASK(55, 48)
#define LR_EOI	      BIT(41)
#define LR_PINTID     GENMASK(44, 32)
#define LR_VINTID     GENMASK(31, 0)
#define LR_VINTID_END 1020

static u32 host_vtimer_intid; /* constant after vm_gic_init() */

void vm_gic_init(u32 vtimer_intid)
{
	host_vtimer_intid = vtimer_intid;
}

u64 vm_gic_lr(u64 lr)
{
	u64 vintid = FIELD_GET(LR_VINTID, lr);
	u64 out = LR_GROUP | (lr & (LR_STATE | LR_PRIORITY | LR_VINTID));

	if (vintid >= LR_VINTID_END)
		return 0;
	/*
	 * HW links an interrupt to a physical one, which the guest then deactivates. Only the timer's is the
	 * guest's business.
	 */
	if ((lr & LR_HW) && vintid == GUEST_VTIMER_INTID &&
	    FIELD_GET(LR_PINTID, lr) == host_vtimer_intid)
		return out | LR_HW | FIELD_PUT(LR_PINTID, host_vtimer_intid);
	return lr & LR_HW ? out : out | (lr & LR_EOI);
}
