/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest that does as it is told (tests/guests). */
	.section .rodata, "a"
	.balign	4096
	.global	attack_agent, attack_agent_end
attack_agent:
	.incbin	AGENT_BIN
attack_agent_end:
