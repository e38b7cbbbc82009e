/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bare EL2: what the architecture itself costs. Nothing here checks, decides or accounts; each case
 * takes the exceptions that have to be taken and moves the registers that have to move.
 */
#define LOOPS 1000

/* struct context: at sp while a case runs, the guest's first, then the host's. */
#define X	0
#define SYS	(31 * 8 + 8)
#define EL2REGS (SYS + 28 * 8)
#define RETURN	(EL2REGS + 8 * 8)
#define CONTEXT (RETURN + 2 * 8)
#define G	0
#define H	CONTEXT

	.section .text.start, "ax"
	.global _start
_start:
	b	boot
	.long	0
	.quad	0x80000			/* text_offset */
	.quad	_end - _start
	.quad	0xa			/* little endian, 4K pages, anywhere */
	.quad	0, 0, 0
	.ascii	"ARMd"
	.long	0

boot:
	mrs	x0, CurrentEL
	cmp	x0, #8
	b.ne	.
	ldr	x0, =stack_top
	mov	sp, x0
	mov	x0, #0x33ff		/* CPTR_EL2: RES1, nothing is trapped */
	msr	cptr_el2, x0
	mov	x0, #3			/* CNTHCTL_EL2: EL1 may read the counter */
	msr	cnthctl_el2, x0
	msr	cntvoff_el2, xzr
	mov	x0, #0xf		/* ICC_SRE_EL2 */
	msr	S3_4_C12_C9_5, x0
	isb
	bl	floor_main
	ldr	x0, =0x84000008		/* PSCI SYSTEM_OFF */
	smc	#0
	b	.

	/* x0 = function at EL1, x1 = vectors of EL2. Returns what EL1 gives to HVC #1. */
	.global enter
enter:
	stp	x29, x30, [sp, #-96]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	mov	x9, sp
	ldr	x10, =saved_sp
	str	x9, [x10]
	msr	vbar_el2, x1
	msr	elr_el2, x0
	mov	x0, #0x3c5		/* EL1h, masked */
	msr	spsr_el2, x0
	ldr	x0, =0x80000000		/* HCR_EL2.RW */
	msr	hcr_el2, x0
	ldr	x0, =0x30d00800		/* SCTLR_EL1: RES1 */
	msr	sctlr_el1, x0
	/* The host's context, for the cases that have one. */
	ldr	x9, =context
	mov	sp, x9
	str	x0, [x9, #H + SYS]	/* SCTLR_EL1 is the first */
	ldr	x0, =0x80000000
	str	x0, [x9, #H + EL2REGS]
	str	x0, [x9, #G + EL2REGS]
	mov	x0, #0x33ff
	str	x0, [x9, #H + EL2REGS + 16]
	str	x0, [x9, #G + EL2REGS + 16]
	mov	x0, #3
	str	x0, [x9, #H + EL2REGS + 48]
	str	x0, [x9, #G + EL2REGS + 48]
	ldr	x0, =host_vectors
	str	x0, [x9, #H + EL2REGS + 56]
	ldr	x0, =guest_vectors
	str	x0, [x9, #G + EL2REGS + 56]
	ldr	x0, =host_loop
	str	x0, [x9, #H + RETURN]
	mov	x0, #0x3c5
	str	x0, [x9, #H + RETURN + 8]
	isb
	eret

	/* HVC #1: the case is over, x0 is its result. */
done:
	ldr	x9, =saved_sp
	ldr	x9, [x9]
	mov	sp, x9
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #96
	ret

	/* 16 entries, of which the one for a lower EL's synchronous exceptions is used. */
	.macro	vectors, name, target
	.balign	0x800
	.global	\name
\name:
	.rept 8
	.balign	0x80
	b	.
	.endr
	.balign	0x80
	b	\target
	.rept 7
	.balign	0x80
	b	.
	.endr
	.endm

	.text
	vectors	call_vectors, call
	vectors	guest_vectors, leave_guest
	vectors	host_vectors, enter_guest
	vectors	user_vectors, from_user

/* A call that EL2 answers: is it a call, which one, four results. */
call:
	stp	x29, x30, [sp, #-16]!
	mrs	x29, esr_el2
	lsr	x30, x29, #26
	cmp	x30, #0x16		/* HVC64 */
	b.ne	.
	tst	x29, #0xffff
	b.ne	done
	mov	w30, #2
	movk	w30, #0xc600, lsl #16
	cmp	w0, w30
	b.ne	.
	mov	x0, #4096
	mov	x1, xzr
	mov	x2, xzr
	mov	x3, xzr
	ldp	x29, x30, [sp], #16
	eret

	.global call_loop
call_loop:
	mov	x10, #LOOPS
	isb
	mrs	x9, cntpct_el0
1:	mov	w0, #2
	movk	w0, #0xc600, lsl #16
	hvc	#0
	subs	x10, x10, #1
	b.ne	1b
	mrs	x0, cntpct_el0
	sub	x0, x0, x9
	hvc	#1
	b	.

/*
 * Out of the guest to the host and back. Both sides' EL1 registers move, all of the guest's general
 * registers, and those of the host that a call preserves. FP stays where it is.
 */
	.macro	general, op, context
	\op	x2, x3, [sp, #\context + X + 16]
	\op	x4, x5, [sp, #\context + X + 32]
	\op	x6, x7, [sp, #\context + X + 48]
	\op	x8, x9, [sp, #\context + X + 64]
	\op	x10, x11, [sp, #\context + X + 80]
	\op	x12, x13, [sp, #\context + X + 96]
	\op	x14, x15, [sp, #\context + X + 112]
	\op	x16, x17, [sp, #\context + X + 128]
	.endm

	.macro	preserved, op, base, x
	\op	x18, x19, [\base, #\x + 144]
	\op	x20, x21, [\base, #\x + 160]
	\op	x22, x23, [\base, #\x + 176]
	\op	x24, x25, [\base, #\x + 192]
	\op	x26, x27, [\base, #\x + 208]
	\op	x28, x29, [\base, #\x + 224]
	.endm

	/* x2: SYS of the context saved to, x3: of that loaded from. Clobbers x0, x1. */
	.macro	swap, a, b, offset
	mrs	x0, \a
	mrs	x1, \b
	stp	x0, x1, [x2, #\offset]
	ldp	x0, x1, [x3, #\offset]
	msr	\a, x0
	msr	\b, x1
	.endm

	.macro	switch
	swap	sctlr_el1, cpacr_el1, 0
	swap	ttbr0_el1, ttbr1_el1, 16
	swap	tcr_el1, esr_el1, 32
	swap	far_el1, afsr0_el1, 48
	swap	afsr1_el1, mair_el1, 64
	swap	amair_el1, vbar_el1, 80
	swap	contextidr_el1, tpidr_el1, 96
	swap	cntkctl_el1, par_el1, 112
	swap	mdscr_el1, csselr_el1, 128
	swap	sp_el1, elr_el1, 144
	swap	spsr_el1, sp_el0, 160
	swap	tpidr_el0, tpidrro_el0, 176
	swap	cntv_ctl_el0, cntv_cval_el0, 192
	swap	S3_4_C12_C11_7, S3_4_C12_C12_0, 208 /* ICH_VMCR_EL2, ICH_LR0_EL2 */
	/* Where it was, and where to go on. */
	mrs	x0, elr_el2
	mrs	x1, spsr_el2
	stp	x0, x1, [x2, #RETURN - SYS]
	ldp	x0, x1, [x3, #RETURN - SYS]
	msr	elr_el2, x0
	msr	spsr_el2, x1
	/* What EL2 holds for each side. */
	ldp	x0, x1, [x3, #EL2REGS - SYS]
	msr	hcr_el2, x0
	msr	vttbr_el2, x1
	ldp	x0, x1, [x3, #EL2REGS - SYS + 16]
	msr	cptr_el2, x0
	msr	mdcr_el2, x1
	ldp	x0, x1, [x3, #EL2REGS - SYS + 32]
	msr	vmpidr_el2, x0
	msr	cntvoff_el2, x1
	ldp	x0, x1, [x3, #EL2REGS - SYS + 48]
	msr	cnthctl_el2, x0
	msr	vbar_el2, x1
	.endm

leave_guest:
	stp	x0, x1, [sp, #G + X]
	mrs	x0, esr_el2
	lsr	x1, x0, #26
	cmp	x1, #0x16
	b.ne	.
	tst	x0, #0xffff
	b.ne	1f
	general	stp, G
	add	x2, sp, #G + SYS
	add	x3, sp, #H + SYS
	preserved stp, x2, X - SYS
	str	x30, [sp, #G + X + 240]
	switch
	preserved ldp, x3, X - SYS
	ldr	x30, [sp, #H + X + 240]
	mov	x0, #1			/* why */
	eret
1:	ldp	x0, x1, [sp, #G + X]
	b	done

enter_guest:
	mrs	x0, esr_el2
	lsr	x1, x0, #26
	cmp	x1, #0x16
	b.ne	.
	add	x2, sp, #H + SYS
	add	x3, sp, #G + SYS
	preserved stp, x2, X - SYS
	str	x30, [sp, #H + X + 240]
	switch
	preserved ldp, x3, X - SYS
	ldr	x30, [sp, #G + X + 240]
	general	ldp, G
	ldp	x0, x1, [sp, #G + X]
	eret

	.global exit_loop
exit_loop:
	mov	x10, #LOOPS
	isb
	mrs	x9, cntpct_el0
1:	hvc	#0
	subs	x10, x10, #1
	b.ne	1b
	mrs	x0, cntpct_el0
	sub	x0, x0, x9
	hvc	#1
	b	.

host_loop:
	hvc	#0
	b	host_loop

/* The host's kernel to its user space and back: its kernel saves all that user space has. */
	.global user_loop
user_loop:
	ldr	x0, =user_vectors
	msr	vbar_el1, x0
	mov	x0, #3			/* CNTKCTL_EL1: EL0 may read the counters */
	msr	cntkctl_el1, x0
	ldr	x0, =el1_stack
	mov	sp, x0
	ldr	x0, =user
	msr	elr_el1, x0
	mov	x0, #0x3c0		/* EL0t, masked */
	msr	spsr_el1, x0
	mov	x10, #LOOPS
	isb
	eret
user:
	mrs	x9, cntvct_el0
1:	svc	#0
	subs	x10, x10, #1
	b.ne	1b
	mrs	x0, cntvct_el0
	sub	x0, x0, x9
	svc	#1
	b	.

from_user:
	sub	sp, sp, #272
	stp	x0, x1, [sp]
	general	stp, 0
	preserved stp, sp, X
	mrs	x0, sp_el0
	stp	x30, x0, [sp, #240]
	mrs	x0, elr_el1
	mrs	x1, spsr_el1
	stp	x0, x1, [sp, #256]
	mrs	x0, esr_el1
	lsr	x1, x0, #26
	cmp	x1, #0x15		/* SVC64 */
	b.ne	.
	tst	x0, #0xffff
	b.ne	1f
	ldp	x0, x1, [sp, #256]
	msr	elr_el1, x0
	msr	spsr_el1, x1
	ldp	x30, x0, [sp, #240]
	msr	sp_el0, x0
	preserved ldp, sp, X
	general	ldp, 0
	ldp	x0, x1, [sp]
	add	sp, sp, #272
	eret
1:	ldr	x0, [sp]
	hvc	#1

/* void donate(u64 *host_entry, u64 *guest_entry, u64 *array_entry, u64 page): a page changes hands. */
	.global donate
donate:
	mov	x4, #0x7ff
	orr	x4, x4, x3
	str	xzr, [x0]
	dsb	ishst
	lsr	x5, x3, #12
	tlbi	ipas2e1is, x5
	dsb	ish
	tlbi	vmalle1is
	dsb	ish
	str	x4, [x1]
	str	x3, [x2]
	dsb	ishst
	isb
	ret

/* void share(u64 *host_entry, u64 *array_entry, u64 page), unshare: the host's entry comes, and goes. */
	.global share
share:
	mov	x4, #0x7ff
	orr	x4, x4, x2
	str	x4, [x0]
	str	x2, [x1]
	dsb	ishst
	ret

	.global unshare
unshare:
	str	xzr, [x0]
	str	x2, [x1]
	dsb	ishst
	lsr	x5, x2, #12
	tlbi	ipas2e1is, x5
	dsb	ish
	tlbi	vmalle1is
	dsb	ish
	isb
	ret

/*
 * void take_back(u64 *host_entry, u64 *array_entry, u64 page, u64 block): a page of a VM that has ended
 * is zeroed by blocks of DC ZVA, and the host's again. Its own entry is never used again.
 */
	.global take_back
take_back:
	mov	x4, x2
	add	x5, x2, #4096
1:	.rept	4
	dc	zva, x4
	add	x4, x4, x3
	.endr
	cmp	x4, x5
	b.ne	1b
	dsb	ish
	mov	x4, #0x7ff
	orr	x4, x4, x2
	str	x4, [x0]
	str	x2, [x1]
	ret

/* void clean(u64 page, u64 line): for guests that run with their caches off, without FEAT_S2FWB. */
	.global clean
clean:
	add	x2, x0, #4096
1:	.rept	4
	dc	civac, x0
	add	x0, x0, x1
	.endr
	cmp	x0, x2
	b.ne	1b
	dsb	ish
	ret

	/* u64 ticks(void) */
	.global ticks
ticks:
	isb
	mrs	x0, cntpct_el0
	ret

	.ltorg

	.bss
	.balign	4096
	.global	context, page
page:	.skip	4096
stack:	.skip	4096
stack_top:
	.skip	4096
el1_stack:
context:
	.skip	2 * CONTEXT
saved_sp:
	.skip	8
