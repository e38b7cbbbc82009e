/* SPDX-License-Identifier: GPL-2.0-only */
/* The hypervisor, as built by hyp/: launch.c copies it out of here. */
	.section .rodata, "a"
	.globl	stockade_hyp_image
	.globl	stockade_hyp_image_end
	.balign	8
stockade_hyp_image:
	.incbin	HYP_BIN
stockade_hyp_image_end:
