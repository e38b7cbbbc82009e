/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * void plant_switch(struct plant_regs *): x0-x30, v0-v31 and the flags are loaded from there, one
 * instruction is executed, and they are stored there. Meanwhile sp points to the struct.
 */
	.equ	REAL_SP, 31 * 8
	.equ	FLAGS, 32 * 8
	.equ	V, 34 * 8

	.macro	fp, op
	\op	q0, q1, [sp, #V]
	\op	q2, q3, [sp, #V + 2 * 16]
	\op	q4, q5, [sp, #V + 4 * 16]
	\op	q6, q7, [sp, #V + 6 * 16]
	\op	q8, q9, [sp, #V + 8 * 16]
	\op	q10, q11, [sp, #V + 10 * 16]
	\op	q12, q13, [sp, #V + 12 * 16]
	\op	q14, q15, [sp, #V + 14 * 16]
	\op	q16, q17, [sp, #V + 16 * 16]
	\op	q18, q19, [sp, #V + 18 * 16]
	\op	q20, q21, [sp, #V + 20 * 16]
	\op	q22, q23, [sp, #V + 22 * 16]
	\op	q24, q25, [sp, #V + 24 * 16]
	\op	q26, q27, [sp, #V + 26 * 16]
	\op	q28, q29, [sp, #V + 28 * 16]
	\op	q30, q31, [sp, #V + 30 * 16]
	.endm

	.macro	general, op
	\op	x2, x3, [sp, #2 * 8]
	\op	x4, x5, [sp, #4 * 8]
	\op	x6, x7, [sp, #6 * 8]
	\op	x8, x9, [sp, #8 * 8]
	\op	x10, x11, [sp, #10 * 8]
	\op	x12, x13, [sp, #12 * 8]
	\op	x14, x15, [sp, #14 * 8]
	\op	x16, x17, [sp, #16 * 8]
	\op	x18, x19, [sp, #18 * 8]
	\op	x20, x21, [sp, #20 * 8]
	\op	x22, x23, [sp, #22 * 8]
	\op	x24, x25, [sp, #24 * 8]
	\op	x26, x27, [sp, #26 * 8]
	\op	x28, x29, [sp, #28 * 8]
	\op	x0, x1, [sp]
	.endm

	.text
	.global plant_switch, plant_insn
plant_switch:
	stp	x29, x30, [sp, #-96]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	mov	x1, sp
	str	x1, [x0, #REAL_SP]
	mov	sp, x0
	ldr	x1, [sp, #FLAGS]
	msr	nzcv, x1
	fp	ldp
	ldr	x30, [sp, #30 * 8]
	general	ldp
plant_insn:
	nop				/* plant() puts the instruction here */
	general	stp
	str	x30, [sp, #30 * 8]
	fp	stp
	mrs	x1, nzcv
	str	x1, [sp, #FLAGS]
	ldr	x1, [sp, #REAL_SP]
	mov	sp, x1
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #96
	ret

	/* u64 fp_bits(void): all of v0-v31, FPSR and FPCR, by OR */
	.global fp_bits
fp_bits:
	mrs	x0, fpsr
	mrs	x1, fpcr
	orr	x0, x0, x1
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	umov	x1, v\n\().d[0]
	umov	x2, v\n\().d[1]
	orr	x0, x0, x1
	orr	x0, x0, x2
	.endr
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	umov	x1, v\n\().d[0]
	umov	x2, v\n\().d[1]
	orr	x0, x0, x1
	orr	x0, x0, x2
	.endr
	ret
