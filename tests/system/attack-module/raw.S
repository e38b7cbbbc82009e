/* SPDX-License-Identifier: GPL-2.0-only */
#include <linux/linkage.h>

	.macro	each, op
	.irp	n, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28
	\op	\n
	.endr
	.endm

	.macro	mark, n
	mov	x\n, #(0x5a00 + \n)
	.endm

	.macro	count_if_changed, n
	mov	x1, #(0x5a00 + \n)
	cmp	x\n, x1
	cinc	x0, x0, ne
	.endm

	.macro	enter
	stp	x29, x30, [sp, #-128]!
	mov	x29, sp
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	stp	x18, x0, [sp, #96]
	.endm

	.macro	leave
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldr	x18, [sp, #96]
	ldp	x29, x30, [sp], #128
	ret
	.endm

/* unsigned long attack_call_uncounted(u64 x[6]) */
SYM_FUNC_START(attack_call_uncounted)
	enter
	ldp	x4, x5, [x0, #32]
	ldp	x2, x3, [x0, #16]
	ldp	x0, x1, [x0]
	each	mark
	hvc	#0
	ldr	x30, [sp, #104]
	stp	x0, x1, [x30]
	stp	x2, x3, [x30, #16]
	stp	x4, x5, [x30, #32]
	mov	x0, xzr
	each	count_if_changed
	leave
SYM_FUNC_END(attack_call_uncounted)

	.macro	bare, name, insn
SYM_FUNC_START(\name)
	enter
	ldp	x2, x3, [x0, #16]
	ldp	x0, x1, [x0]
	\insn	#0
	ldr	x30, [sp, #104]
	stp	x0, x1, [x30]
	stp	x2, x3, [x30, #16]
	leave
SYM_FUNC_END(\name)
	.endm

	bare	attack_hvc, hvc
	bare	attack_smc, smc

/*
 * u64 attack_at(u64 va): PAR_EL1. u64 attack_load(u64 va): a load as EL0 would do it. What faults is
 * skipped by walk.c, and gives ~0.
 */
	.global	attack_at_insn, attack_load_insn
SYM_FUNC_START(attack_at)
	mov	x1, x0
	mov	x0, #-1
attack_at_insn:
	at	s1e0r, x1
	cbz	x1, 1f				/* skipped */
	isb
	mrs	x0, par_el1
1:	ret
SYM_FUNC_END(attack_at)

SYM_FUNC_START(attack_load)
	mov	x1, x0
	mov	x0, #-1
attack_load_insn:
	ldtr	x0, [x1]
	ret
SYM_FUNC_END(attack_load)
	.arch_extension fp
	.macro	each_v, op
	\op	q0, q1, [x1]
	\op	q2, q3, [x1, #32]
	\op	q4, q5, [x1, #64]
	\op	q6, q7, [x1, #96]
	\op	q8, q9, [x1, #128]
	\op	q10, q11, [x1, #160]
	\op	q12, q13, [x1, #192]
	\op	q14, q15, [x1, #224]
	\op	q16, q17, [x1, #256]
	\op	q18, q19, [x1, #288]
	\op	q20, q21, [x1, #320]
	\op	q22, q23, [x1, #352]
	\op	q24, q25, [x1, #384]
	\op	q26, q27, [x1, #416]
	\op	q28, q29, [x1, #448]
	\op	q30, q31, [x1, #480]
	.endm

/* void attack_capture(struct capture *): with v0-v31 from there; all x and v to there. */
SYM_FUNC_START(attack_capture)
	enter
	add	x1, x0, #(31 * 8 + 8)
	each_v	ldp
	ldp	x4, x5, [x0, #32]
	ldp	x2, x3, [x0, #16]
	ldp	x0, x1, [x0]
	each	mark
	hvc	#0
	stp	x0, x1, [sp, #-16]!
	ldr	x0, [sp, #(16 + 104)]
	.irp	n, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23
	str	x\n, [x0, #(8 * \n)]
	.endr
	.irp	n, 24, 25, 26, 27, 28, 29, 30
	str	x\n, [x0, #(8 * \n)]
	.endr
	ldp	x2, x3, [sp], #16
	stp	x2, x3, [x0]
	add	x1, x0, #(31 * 8 + 8)
	each_v	stp
	mrs	x2, fpsr
	mrs	x3, fpcr
	add	x1, x1, #512
	stp	x2, x3, [x1]
	leave
SYM_FUNC_END(attack_capture)

/* A guest that does a bit of everything, for ever; its MMU is off. Starts at a page. */
	.section .rodata, "a"
	.balign	8
	.global	attack_guest, attack_guest_end
attack_guest:
	adr	x0, attack_guest + 0x800
	msr	vbar_el1, x0
	isb
	mov	x19, #0x0a000000
	mov	x20, xzr
1:	str	x20, [x19]			/* MMIO of either kind */
	ldr	x21, [x19, #8]
	ldrb	w22, [x19, #1]
	ldp	x23, x24, [x19]			/* one that has no syndrome */
	mov	x0, #(1 << 20)
	msr	S3_0_C12_C11_5, x0		/* ICC_SGI1R_EL1 */
	movz	x0, #0xc400, lsl #16		/* PSCI CPU_ON of vCPU 1, here */
	movk	x0, #3
	mov	x1, #1
	adr	x2, attack_guest
	mov	x3, x20
	hvc	#0
	movz	x0, #0xc600, lsl #16		/* MEM_SHARE of this very page */
	movk	x0, #3
	adr	x1, attack_guest
	mov	x2, xzr
	mov	x3, xzr
	hvc	#0
	movz	x0, #0xc600, lsl #16		/* MEM_UNSHARE */
	movk	x0, #4
	adr	x1, attack_guest
	mov	x2, xzr
	mov	x3, xzr
	hvc	#0
	mrs	x0, cntvct_el0
	add	x0, x0, #1000
	msr	cntv_cval_el0, x0
	mov	x0, #3				/* masked: no host would let it in */
	msr	cntv_ctl_el0, x0
	mov	x0, #(3 << 20)
	msr	cpacr_el1, x0
	isb
	.inst	0x9e670280			/* fmov d0, x20 */
	smc	#0
	mrs	x0, midr_el1
	mrs	x0, id_aa64pfr0_el1
	add	x20, x20, #1
	tbnz	x20, #0, 1b
	wfi
	b	1b

	/* Its vectors: whatever it was, skip it. */
	.org	attack_guest + 0x800
	.rept	16
	.balign	0x80
	mrs	x0, elr_el1
	add	x0, x0, #4
	msr	elr_el1, x0
	eret
	.endr
attack_guest_end:
