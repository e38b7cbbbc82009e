/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Code for a CPU with its MMU off, each at the beginning of a page of its own, which is also where it says
 * what it has seen; and a guest. See power.c.
 */
#include <linux/linkage.h>

#define SAW 0x400

	.section .rodata, "a"

	/* CPU_OFF */
	.macro	cpu_off
	movz	x0, #0x8400, lsl #16
	movk	x0, #2
	smc	#0
	b	.
	.endm

/*
 * At EL1, as the first instructions that a CPU executes. x0: address. The very first loads from there; the
 * value is stored, and the CPU goes off.
 */
	.balign	8
	.global	attack_cpu, attack_cpu_end
attack_cpu:
	ldr	x1, [x0]
	adr	x2, attack_cpu + SAW
	str	x1, [x2, #8]
	ldr	x3, [x2]
	add	x3, x3, #1
	str	x3, [x2]
	dsb	sy
	cpu_off

	/* The same, with vectors of its own. */
	.org	attack_cpu + 0x100
	adr	x2, attack_cpu + 0x800
	msr	vbar_el1, x2
	isb
	b	attack_cpu

	/* With them, goes to x0. */
	.org	attack_cpu + 0x180
	adr	x2, attack_cpu + 0x800
	msr	vbar_el1, x2
	isb
	br	x0

	/* Counts in [x0] how often it was turned on, and goes off. */
	.org	attack_cpu + 0x200
	adr	x2, attack_cpu + SAW
	add	x2, x2, x0
	ldr	x3, [x2]
	add	x3, x3, #1
	str	x3, [x2]
	dsb	sy
	cpu_off

	.org	attack_cpu + 0x800
	.rept	16
	.balign	0x80
	adr	x2, attack_cpu + SAW
	mrs	x3, esr_el1
	str	x3, [x2, #16]
	mrs	x3, far_el1
	str	x3, [x2, #24]
	dsb	sy
	cpu_off
	.endr
attack_cpu_end:

/*
 * By HVC_SOFT_RESTART, at EL2. x0: address. Says at which level it is and what it loads, and gives the CPU back
 * to who called.
 */
	.balign	8
	.global	attack_el2, attack_el2_end
attack_el2:
	adr	x2, attack_el2 + SAW
	mrs	x3, CurrentEL
	str	x3, [x2]
	ldr	x3, [x0]
	str	x3, [x2, #8]
	dsb	sy
	mov	x0, xzr
	mov	x1, xzr
	mov	x2, xzr
	mov	x3, xzr
	eret
attack_el2_end:

/* A guest with a secret in its FP registers, SECRET_FP + 1 and so on; it stores to a device, for ever. */
	.arch_extension simd
	.balign	8
	.global	attack_fp_guest, attack_fp_guest_end
attack_fp_guest:
	mov	x0, #(3 << 20)
	msr	cpacr_el1, x0
	isb
	movz	x1, #0x71d8, lsl #48
	movk	x1, #0xb346, lsl #32
	movk	x1, #0x0fe5, lsl #16
	movk	x1, #0xc000
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	add	x1, x1, #1
	dup	v\n\().2d, x1
	.endr
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	add	x1, x1, #1
	dup	v\n\().2d, x1
	.endr
	mov	x1, xzr
	mov	x0, #0x0a000000
1:	str	xzr, [x0]
	b	1b
attack_fp_guest_end:
