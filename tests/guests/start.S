/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Start of a bare-metal guest: an arm64 Image header (so that `stockade run` starts it too), MMU
 * and caches on before anything is written, a stack for each CPU, vectors.
 */
#include "protocol.h"

#define STACK_SIZE 8192

	.section .text.start, "ax"
	.global _start
_start:
	b	boot
	.long	0
	.quad	0x80000			/* text_offset */
	.quad	_end - _start		/* image_size */
	.quad	0xa			/* little endian, 4K pages, anywhere */
	.quad	0, 0, 0
	.ascii	"ARMd"
	.long	0

	/* x0 is the boot protocol's or CPU_ON's context. */
	.global secondary_start
secondary_start:
boot:
	mov	x19, x0
	mrs	x20, sctlr_el1
	ldr	x1, =0xff00		/* MAIR: 0 device, 1 normal write-back */
	msr	mair_el1, x1
	ldr	x1, =0x100803519	/* TCR: 39 bits, 4K, cacheable, inner shareable, 36-bit PA */
	msr	tcr_el1, x1
	adr	x1, page_table
	msr	ttbr0_el1, x1
	adr	x1, vectors
	msr	vbar_el1, x1
	mov	x1, #(3 << 20)		/* CPACR: FP on */
	msr	cpacr_el1, x1
	dsb	sy
	tlbi	vmalle1
	ic	iallu
	dsb	sy
	isb
	ldr	x1, =0x30d01805		/* SCTLR: RES1, I, C, M */
	msr	sctlr_el1, x1
	isb

	mrs	x3, mpidr_el1
	and	x3, x3, #0xff
	cmp	x3, #GUEST_CPUS
	b.hs	.
	adrp	x1, stacks
	add	x1, x1, :lo12:stacks
	mov	x2, #STACK_SIZE
	add	x4, x3, #1
	madd	x1, x4, x2, x1
	mov	sp, x1
	mov	x0, x3
	mov	x1, x19
	mov	x2, x20
	mrs	x3, CurrentEL
	bl	cpu_main
	b	.

	.macro	vector kind
	.balign	128
	sub	sp, sp, #272
	stp	x0, x1, [sp]
	mov	x1, #\kind
	b	exception_entry
	.endm

	.balign	2048
vectors:
	.irp	kind, 4, 5, 6, 7, 0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15
	vector	\kind
	.endr

exception_entry:
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x29, x30, [sp, #160]
	mrs	x2, elr_el1
	mrs	x3, spsr_el1
	stp	x2, x3, [sp, #176]
	add	x0, sp, #160		/* x29, x30, ELR, SPSR */
	bl	exception
	ldp	x2, x3, [sp, #176]
	msr	elr_el1, x2
	msr	spsr_el1, x3
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x19, [sp, #144]
	ldp	x29, x30, [sp, #160]
	ldp	x0, x1, [sp]
	add	sp, sp, #272
	eret

	.text
	/* void hvc(const u64 args[4], u64 results[4]) */
	.global hvc
hvc:
	str	x1, [sp, #-16]!
	ldp	x2, x3, [x0, #16]
	ldp	x0, x1, [x0]
	hvc	#0
	ldr	x4, [sp], #16
	stp	x0, x1, [x4]
	stp	x2, x3, [x4, #16]
	ret

	/*
	 * u64 regs_roundtrip(u64 seed, u64 addr): x1-x30 and v0-v31 get known values, a store to
	 * addr leaves the guest, then they are compared. Returns how many are not as they were.
	 */
	.global regs_roundtrip
regs_roundtrip:
	stp	x29, x30, [sp, #-96]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	stp	x0, x1, [sp, #-16]!
	add	x2, x0, #64
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	add	x3, x2, #\n
	dup	v\n\().2d, x3
	.endr
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	add	x3, x2, #\n
	dup	v\n\().2d, x3
	.endr
	mov	x30, x0
	.irp	n, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23
	add	x\n, x30, #\n
	.endr
	.irp	n, 24, 25, 26, 27, 28, 29
	add	x\n, x30, #\n
	.endr
	mov	x0, x1
	add	x1, x30, #1
	add	x30, x30, #30
	str	x1, [x0]

	/* Count in x0; only x0 and what has been compared already are used. */
	str	x30, [sp, #-16]!
	ldr	x0, [sp, #16]		/* seed */
	add	x0, x0, #30
	sub	x30, x30, x0
	cmp	x30, #0
	cset	x30, ne			/* x30: the count from here on */
	ldr	x0, [sp, #16]
	.irp	n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22
	sub	x\n, x\n, #\n
	cmp	x\n, x0
	cinc	x30, x30, ne
	.endr
	.irp	n, 23, 24, 25, 26, 27, 28, 29
	sub	x\n, x\n, #\n
	cmp	x\n, x0
	cinc	x30, x30, ne
	.endr
	add	x2, x0, #64
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	add	x3, x2, #\n
	umov	x4, v\n\().d[0]
	umov	x5, v\n\().d[1]
	cmp	x4, x3
	ccmp	x5, x3, #0, eq
	cinc	x30, x30, ne
	.endr
	.irp	n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	add	x3, x2, #\n
	umov	x4, v\n\().d[0]
	umov	x5, v\n\().d[1]
	cmp	x4, x3
	ccmp	x5, x3, #0, eq
	cinc	x30, x30, ne
	.endr
	mov	x0, x30
	add	sp, sp, #32
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #96
	ret

	/* Level 1: 1 GiB of devices, 3 GiB of normal memory. */
	.data
	.balign	4096
page_table:
	.quad	0x0060000000000401
	.quad	0x40000705, 0x80000705, 0xc0000705
	.fill	508, 8, 0

	.bss
	.balign	16
stacks:
	.skip	STACK_SIZE * GUEST_CPUS
