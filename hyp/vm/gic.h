/* SPDX-License-Identifier: GPL-2.0-only */
/* What the host may ask of a guest's virtual GIC interface. */
#ifndef HYP_VM_GIC_H
#define HYP_VM_GIC_H

#include "lib/types.h"

/* Once, at launch. vtimer_intid: the host's INTID of the virtual timer. */
void vm_gic_init(u32 vtimer_intid);

/* A list register's value (IHI 0069, ICH_LR<n>_EL2) as the host asks for it, less what it may not have. */
u64 vm_gic_lr(u64 lr);

#endif
