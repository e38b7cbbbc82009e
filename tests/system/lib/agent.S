/* SPDX-License-Identifier: GPL-2.0-only */
	.section .rodata
	.global kt_agent, kt_agent_size
	.balign	16
kt_agent:
	.incbin	AGENT_BIN
1:
	.balign	8
kt_agent_size:
	.quad	1b - kt_agent
	.section .note.GNU-stack, "", %progbits
