/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The image's first page: its header, and what runs with the MMU off. This page alone is also mapped
 * where it lies, so that turning the MMU on and off does not pull the ground away.
 */
#include "arch/layout.h"
#include "asm-offsets.h"

	.section .launch, "ax"
	.global image_start
image_start:
	.quad	IMAGE_MAGIC
	.long	IMAGE_ABI
	.long	launch_entry - image_start
	.long	image_file_size
	.long	image_mem_size

/* x = address of symbol, wherever the image runs. */
	.macro	adr_l, reg, symbol
	adrp	\reg, \symbol
	add	\reg, \reg, #:lo12:\symbol
	.endm

/* Load the tables; go on at the address in x30, in EL2's address space. Clobbers x9 to x14. */
	.macro	mmu_on
	adr_l	x9, boot_params
	ldr	x10, [x9, #BOOT_MAIR]
	ldr	x11, [x9, #BOOT_TCR]
	ldr	x12, [x9, #BOOT_TTBR]
	ldr	x13, [x9, #BOOT_SCTLR]
	msr	mair_el2, x10
	msr	tcr_el2, x11
	msr	ttbr0_el2, x12
	isb
	tlbi	alle2
	dsb	nsh
	isb
	ic	iallu
	dsb	nsh
	isb
	msr	sctlr_el2, x13
	isb
	br	x30
	.endm

/* x0: physical address of struct stockade_launch, x1: this CPU's index (stockade/launch.h). */
launch_entry:
	mov	x19, x0
	mov	x20, x1
	mrs	x21, vbar_el2
	mrs	x22, sctlr_el2
	msr	spsel, #1

	adr_l	x2, boot_params
	ldr	x2, [x2, #BOOT_TTBR]
	cbnz	x2, 1f

	/* The first CPU builds the tables, on its own stack where that lies. */
	mov	x3, #LAUNCH_CPU_SIZE
	madd	x3, x20, x3, x19
	add	x3, x3, #LAUNCH_CPU_PAGES
	ldr	x3, [x3]
	add	x3, x3, #CPU_PAGES_SIZE
	mov	sp, x3
	bl	launch_early
	cbnz	x0, 2f

1:	ldr	x30, =launch_entered
	mmu_on

2:	sxtw	x0, w0
	eret

/* x0: physical address of struct cpu. EL2, MMU off, interrupts masked (PSCI, Arm DEN0022, 6.4). */
	.global launch_cpu_on_entry
launch_cpu_on_entry:
	mov	x19, x0
	msr	spsel, #1
	ldr	x30, =cpu_on_entered
	mmu_on

/* x0: EL2's SCTLR with the MMU off, x1: vectors. Here by an identity address. */
	.macro	mmu_off
	msr	sctlr_el2, x0
	isb
	msr	vbar_el2, x1
	tlbi	alle2
	dsb	nsh
	isb
	.endm

	.global launch_left
launch_left:
	mmu_off
	mov	x0, xzr
	mov	x1, xzr
	mov	x2, xzr
	mov	x3, xzr
	eret

/* x2: where to, x3-x5: its x0-x2 */
	.global launch_restarted
launch_restarted:
	mmu_off
	mov	x9, x2
	mov	x0, x3
	mov	x1, x4
	mov	x2, x5
	br	x9
	.ltorg
	.global launch_page_end
launch_page_end:

	.text
/* x0 = stack of the CPU whose index is in x1 */
	.macro	cpu_stack, index
	mov	x0, #HYP_STACK_SLOT
	mul	x0, x0, \index
	ldr	x2, =(HYP_STACK_BASE + 0x1000 + HYP_STACK_SIZE)
	add	sp, x0, x2
	.endm

launch_entered:
	cpu_stack x20
	mov	x0, x19
	mov	x1, x20
	mov	x2, x21
	mov	x3, x22
	bl	launch_cpu
	sxtw	x0, w0
	mov	x1, xzr
	mov	x2, xzr
	mov	x3, xzr
	eret

cpu_on_entered:
	ldr	x0, =HYP_LINEAR_BASE
	add	x19, x19, x0
	ldr	w1, [x19, #CPU_INDEX]
	cpu_stack x1
	sub	sp, sp, #HOST_REGS_SIZE
	mov	x0, x19
	mov	x1, sp
	bl	launch_cpu_on
	mov	x0, sp
	b	launch_enter_host

	.global launch_enter_host
launch_enter_host:
	mov	sp, x0
	b	host_return

/* x0: registers, x1: vectors, x2: SCTLR, x3: launch_left's physical address */
	.global launch_leave
launch_leave:
	ldr	x30, [x0, #HOST_X + 30 * 8]
	ldp	x28, x29, [x0, #HOST_X + 28 * 8]
	ldp	x26, x27, [x0, #HOST_X + 26 * 8]
	ldp	x24, x25, [x0, #HOST_X + 24 * 8]
	ldp	x22, x23, [x0, #HOST_X + 22 * 8]
	ldp	x20, x21, [x0, #HOST_X + 20 * 8]
	ldp	x18, x19, [x0, #HOST_X + 18 * 8]
	ldp	x16, x17, [x0, #HOST_X + 16 * 8]
	ldp	x14, x15, [x0, #HOST_X + 14 * 8]
	ldp	x12, x13, [x0, #HOST_X + 12 * 8]
	ldp	x10, x11, [x0, #HOST_X + 10 * 8]
	ldp	x8, x9, [x0, #HOST_X + 8 * 8]
	ldp	x6, x7, [x0, #HOST_X + 6 * 8]
	ldp	x4, x5, [x0, #HOST_X + 4 * 8]
	mov	x0, x2
	br	x3

/* x0: SCTLR, x1: vectors, x2: where to, x3: its arguments, x4: launch_restarted's physical address */
	.global launch_restart
launch_restart:
	mov	x9, x4
	mov	x10, x3
	ldp	x3, x4, [x10]
	ldr	x5, [x10, #16]
	br	x9
