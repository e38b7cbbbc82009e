/* SPDX-License-Identifier: GPL-2.0-only */
#include "spin.h"

.macro all_v op
	add	x1, x0, #SPIN_V
	\op	{v0.16b-v3.16b}, [x1], #64
	\op	{v4.16b-v7.16b}, [x1], #64
	\op	{v8.16b-v11.16b}, [x1], #64
	\op	{v12.16b-v15.16b}, [x1], #64
	\op	{v16.16b-v19.16b}, [x1], #64
	\op	{v20.16b-v23.16b}, [x1], #64
	\op	{v24.16b-v27.16b}, [x1], #64
	\op	{v28.16b-v31.16b}, [x1]
.endm

.macro all_x op
	\op	x2, x3, [x0, #SPIN_X]
	\op	x4, x5, [x0, #SPIN_X + 16]
	\op	x6, x7, [x0, #SPIN_X + 32]
	\op	x8, x9, [x0, #SPIN_X + 48]
	\op	x10, x11, [x0, #SPIN_X + 64]
	\op	x12, x13, [x0, #SPIN_X + 80]
	\op	x14, x15, [x0, #SPIN_X + 96]
	\op	x16, x17, [x0, #SPIN_X + 112]
	\op	x18, x19, [x0, #SPIN_X + 128]
	\op	x20, x21, [x0, #SPIN_X + 144]
	\op	x22, x23, [x0, #SPIN_X + 160]
	\op	x24, x25, [x0, #SPIN_X + 176]
	\op	x26, x27, [x0, #SPIN_X + 192]
	\op	x28, x29, [x0, #SPIN_X + 208]
.endm

	.text
	.globl	spin
	.type	spin, %function
spin:
	all_v	ld1
	all_x	ldp
said:
	mov	w1, #SPIN_RUNNING
	stlr	w1, [x0]
again:
	ldar	w1, [x0]
	cmp	w1, #SPIN_ASKED
	b.ne	again
	all_v	st1
	all_x	stp
	b	said
	.size	spin, . - spin
	.section .note.GNU-stack, "", %progbits
