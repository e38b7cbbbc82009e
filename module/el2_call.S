/* SPDX-License-Identifier: GPL-2.0-only */
#include <linux/linkage.h>

#define HVC_SOFT_RESTART 1

/*
 * s64 stockade_soft_restart(entry, args, index): run what is at the physical address `entry` at EL2, MMU
 * off, with x0 = args, x1 = index. It may use every register; this function's caller keeps its own.
 */
SYM_FUNC_START(stockade_soft_restart)
	stp	x29, x30, [sp, #-112]!
	mov	x29, sp
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	str	x18, [sp, #96]
	mov	x3, x2
	mov	x2, x1
	mov	x1, x0
	mov	x0, #HVC_SOFT_RESTART
	hvc	#0
	ldr	x18, [sp, #96]
	ldp	x27, x28, [sp, #80]
	ldp	x25, x26, [sp, #64]
	ldp	x23, x24, [sp, #48]
	ldp	x21, x22, [sp, #32]
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #112
	ret
SYM_FUNC_END(stockade_soft_restart)
