/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * EL2's vectors, one table while the host runs and one while a guest does; entry to both. The
 * registers' places come from asm-offsets.c.
 */
#include "arch/layout.h"
#include "asm-offsets.h"

	.macro	vector, target
	.balign	0x80
	b	\target
	.endm

	.macro	vector_guest, kind
	.balign	0x80
	stp	x0, x1, [sp, #-16]!
	mov	x1, #\kind
	b	guest_exit
	.endm

	.text
	.balign	0x800
	.global host_vectors
host_vectors:
	.rept 4				/* from EL2 itself */
	vector	el2_exception
	.endr
	vector	el2_sync
	.rept 3
	vector	el2_exception
	.endr
	vector	host_sync		/* from AArch64 */
	vector	el2_exception
	vector	el2_exception
	vector	el2_exception
	vector	host_sync		/* from AArch32 */
	vector	el2_exception
	vector	el2_exception
	vector	el2_exception

	.balign	0x800
	.global guest_vectors
guest_vectors:
	.rept 4
	vector	el2_exception
	.endr
	vector	el2_sync
	.rept 3
	vector	el2_exception
	.endr
	.rept 2				/* from AArch64, AArch32 */
	vector	guest_sync
	vector_guest GUEST_IRQ
	vector_guest GUEST_IRQ
	vector_guest GUEST_SERROR
	.endr

/*
 * u64 at_translate(u64 va): AT S1E1R -> PAR_EL1. The walk may meet an external abort, which comes to EL2: then
 * the answer is 1, "failed". ELR_EL2 and the like are then the abort's.
 */
	.global at_translate
at_translate:
at_instruction:
	at	s1e1r, x0
	isb
	mrs	x0, par_el1
	ret
at_failed:
	mov	x0, #1
	ret

/* From EL2 itself: never, but for at_translate. */
el2_sync:
	/* Is there a stack? Bits 13:12 of sp are 1 or 2 on one, 0 on the page below it. No register is free. */
	add	sp, sp, x0
	sub	x0, sp, x0
	tbnz	x0, #13, 1f
	tbz	x0, #12, el2_exception
1:	sub	x0, sp, x0
	sub	sp, sp, x0
	stp	x0, x1, [sp, #-16]!
	mrs	x0, elr_el2
	adr	x1, at_instruction
	cmp	x0, x1
	ldp	x0, x1, [sp], #16
	b.ne	el2_exception
	adr	x0, at_failed
	msr	elr_el2, x0
	eret

/* The stack may be the trouble: use the CPU's page. */
el2_exception:
	mrs	x9, tpidr_el2
	add	sp, x9, #4096
	mrs	x0, esr_el2
	mrs	x1, elr_el2
	mrs	x2, far_el2
	b	el2_unexpected

/*
 * The kernel calls firmware's workarounds at every entry from user space: such a call goes on at once. By the
 * SMC Calling Convention (DEN0028, 2.6) it changes x0 to x3 alone.
 */
host_sync:
	sub	sp, sp, #HOST_REGS_SIZE
	stp	x0, x1, [sp, #HOST_X]
	mrs	x1, esr_el2
	lsr	x1, x1, #TRAP_EC_SHIFT
	cmp	x1, #TRAP_SMC64
	b.ne	1f
	mov	w1, #WORKAROUND_1 & 0xffff
	movk	w1, #WORKAROUND_1 >> 16, lsl #16
	cmp	w0, w1
	mov	w1, #WORKAROUND_3 & 0xffff
	movk	w1, #WORKAROUND_3 >> 16, lsl #16
	ccmp	w0, w1, #4, ne		/* NZCV 4: equal */
	b.ne	1f
	mrs	x1, esr_el2
	tst	x1, #0xffff		/* SMC #0 */
	b.eq	workaround
1:
	stp	x2, x3, [sp, #HOST_X + 2 * 8]
	stp	x4, x5, [sp, #HOST_X + 4 * 8]
	stp	x6, x7, [sp, #HOST_X + 6 * 8]
	stp	x8, x9, [sp, #HOST_X + 8 * 8]
	stp	x10, x11, [sp, #HOST_X + 10 * 8]
	stp	x12, x13, [sp, #HOST_X + 12 * 8]
	stp	x14, x15, [sp, #HOST_X + 14 * 8]
	stp	x16, x17, [sp, #HOST_X + 16 * 8]
	stp	x18, x19, [sp, #HOST_X + 18 * 8]
	stp	x20, x21, [sp, #HOST_X + 20 * 8]
	stp	x22, x23, [sp, #HOST_X + 22 * 8]
	stp	x24, x25, [sp, #HOST_X + 24 * 8]
	stp	x26, x27, [sp, #HOST_X + 26 * 8]
	stp	x28, x29, [sp, #HOST_X + 28 * 8]
	str	x30, [sp, #HOST_X + 30 * 8]
	mov	x0, sp
	bl	host_trap

	.global host_return
host_return:
	ldp	x0, x1, [sp, #HOST_X]
	ldp	x2, x3, [sp, #HOST_X + 2 * 8]
	ldp	x4, x5, [sp, #HOST_X + 4 * 8]
	ldp	x6, x7, [sp, #HOST_X + 6 * 8]
	ldp	x8, x9, [sp, #HOST_X + 8 * 8]
	ldp	x10, x11, [sp, #HOST_X + 10 * 8]
	ldp	x12, x13, [sp, #HOST_X + 12 * 8]
	ldp	x14, x15, [sp, #HOST_X + 14 * 8]
	ldp	x16, x17, [sp, #HOST_X + 16 * 8]
	ldp	x18, x19, [sp, #HOST_X + 18 * 8]
	ldp	x20, x21, [sp, #HOST_X + 20 * 8]
	ldp	x22, x23, [sp, #HOST_X + 22 * 8]
	ldp	x24, x25, [sp, #HOST_X + 24 * 8]
	ldp	x26, x27, [sp, #HOST_X + 26 * 8]
	ldp	x28, x29, [sp, #HOST_X + 28 * 8]
	ldr	x30, [sp, #HOST_X + 30 * 8]
	add	sp, sp, #HOST_REGS_SIZE
	eret
	/* Nothing is to be speculated past the return. */
	dsb	nsh
	isb

workaround:
	ldr	x1, [sp, #HOST_X + 8]
	add	sp, sp, #HOST_REGS_SIZE
	smc	#0
	/* A trapped SMC has not been stepped over. */
	mrs	x0, elr_el2
	add	x0, x0, #4
	msr	elr_el2, x0
	mov	x0, xzr
	eret
	dsb	nsh
	isb

/*
 * void arch_scrub_stack(void): the stack's slots are aligned (arch/layout.h). By blocks of DC ZVA, four at a
 * time, as far as they fit below the stack pointer.
 */
	.global arch_scrub_stack
arch_scrub_stack:
	mov	x0, sp
	and	x1, x0, #~(HYP_STACK_SLOT - 1)
	add	x1, x1, #0x1000		/* the guard page */
	mrs	x2, dczid_el0
	tbnz	x2, #4, 2f		/* DC ZVA is prohibited */
	and	x2, x2, #0xf
	mov	x3, #4
	lsl	x2, x3, x2		/* bytes of a block */
	sub	x3, x0, x2, lsl #2
	b	3f
1:	dc	zva, x1
	add	x1, x1, x2
	dc	zva, x1
	add	x1, x1, x2
	dc	zva, x1
	add	x1, x1, x2
	dc	zva, x1
	add	x1, x1, x2
3:	cmp	x1, x3
	b.ls	1b
	b	4f
2:	stp	xzr, xzr, [x1], #16
4:	cmp	x1, x0
	b.lo	2b
	ret

/* enum guest_exit_kind guest_switch(struct guest_regs *): this CPU's bound guest */
	.global guest_switch
guest_switch:
	stp	x19, x20, [sp, #-96]!
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]

	add	x30, x0, #GUEST_PC
	ldp	x1, x2, [x30]
	msr	elr_el2, x1
	msr	spsr_el2, x2
	add	x30, x0, #GUEST_X
	ldp	x28, x29, [x30, #28 * 8]
	ldp	x26, x27, [x30, #26 * 8]
	ldp	x24, x25, [x30, #24 * 8]
	ldp	x22, x23, [x30, #22 * 8]
	ldp	x20, x21, [x30, #20 * 8]
	ldp	x18, x19, [x30, #18 * 8]
/* x18 to x29 are the guest's; x30 says where the others are. */
guest_return:
	ldp	x16, x17, [x30, #16 * 8]
	ldp	x14, x15, [x30, #14 * 8]
	ldp	x12, x13, [x30, #12 * 8]
	ldp	x10, x11, [x30, #10 * 8]
	ldp	x8, x9, [x30, #8 * 8]
	ldp	x6, x7, [x30, #6 * 8]
	ldp	x4, x5, [x30, #4 * 8]
	ldp	x2, x3, [x30, #2 * 8]
	ldp	x0, x1, [x30]
	ldr	x30, [x30, #30 * 8]
	eret
	dsb	nsh
	isb

/* x0 to x17 and x30 of the guest, x0 and x1 being on the stack, go where x0 then points. */
	.macro	guest_put_away
	mrs	x0, tpidr_el2
	ldr	x0, [x0, #CPU_GUEST]
	add	x0, x0, #GUEST_X
	stp	x2, x3, [x0, #2 * 8]
	stp	x4, x5, [x0, #4 * 8]
	stp	x6, x7, [x0, #6 * 8]
	stp	x8, x9, [x0, #8 * 8]
	stp	x10, x11, [x0, #10 * 8]
	stp	x12, x13, [x0, #12 * 8]
	stp	x14, x15, [x0, #14 * 8]
	stp	x16, x17, [x0, #16 * 8]
	str	x30, [x0, #30 * 8]
	ldp	x2, x3, [sp], #16
	stp	x2, x3, [x0]
	.endm

/*
 * A call that is answered here takes a short way: C keeps x18 to x29, so they are left alone until it is known
 * that the guest does not go on at once.
 */
guest_sync:
	stp	x0, x1, [sp, #-16]!
	guest_put_away
	mrs	x1, esr_el2
	lsr	x1, x1, #TRAP_EC_SHIFT
	cmp	x1, #TRAP_HVC64
	b.ne	1f
	bl	vcpu_fast_call
	mrs	x30, tpidr_el2
	ldr	x30, [x30, #CPU_GUEST]
	add	x30, x30, #GUEST_X
	cbnz	w0, guest_return	/* ELR_EL2 and SPSR_EL2 are what they were */
	mov	x0, x30
1:	mov	x1, #GUEST_SYNC
	b	guest_exit_rest

/* The guest's x0 and x1 are on the stack, x1 is the kind of exit. */
guest_exit:
	guest_put_away
guest_exit_rest:
	stp	x18, x19, [x0, #18 * 8]
	stp	x20, x21, [x0, #20 * 8]
	stp	x22, x23, [x0, #22 * 8]
	stp	x24, x25, [x0, #24 * 8]
	stp	x26, x27, [x0, #26 * 8]
	stp	x28, x29, [x0, #28 * 8]
	mrs	x2, elr_el2
	mrs	x3, spsr_el2
	stp	x2, x3, [x0, #GUEST_PC - GUEST_X]
	mov	x0, x1

	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	ldp	x27, x28, [sp, #64]
	ldp	x29, x30, [sp, #80]
	ldp	x19, x20, [sp], #96
	ret

/* void fp_save(struct fp_regs *), void fp_load(const struct fp_regs *) */
	.arch_extension fp
	.macro	fp_each, op
	\op	q0, q1, [x0]
	\op	q2, q3, [x0, #32]
	\op	q4, q5, [x0, #64]
	\op	q6, q7, [x0, #96]
	\op	q8, q9, [x0, #128]
	\op	q10, q11, [x0, #160]
	\op	q12, q13, [x0, #192]
	\op	q14, q15, [x0, #224]
	\op	q16, q17, [x0, #256]
	\op	q18, q19, [x0, #288]
	\op	q20, q21, [x0, #320]
	\op	q22, q23, [x0, #352]
	\op	q24, q25, [x0, #384]
	\op	q26, q27, [x0, #416]
	\op	q28, q29, [x0, #448]
	\op	q30, q31, [x0, #480]
	.endm

	.global fp_save
fp_save:
	fp_each	stp
	mrs	x1, fpsr
	mrs	x2, fpcr
	add	x0, x0, #512
	stp	x1, x2, [x0]
	ret

	.global fp_load
fp_load:
	fp_each	ldp
	add	x0, x0, #512
	ldp	x1, x2, [x0]
	msr	fpsr, x1
	msr	fpcr, x2
	ret
