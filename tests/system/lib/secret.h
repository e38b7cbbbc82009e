/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Words that vm-secret plants and that whoever looks for them knows: none is in the programs' memory as
 * it is, each is computed where it belongs. Of user space, and of attack-module.
 */
#ifndef TESTS_SECRET_H
#define TESTS_SECRET_H

/* Seeds of CMD_FILL and CMD_REGS, in a protected VM; and for memory of an ordinary process. */
#define SECRET_MEMORY  0x5ec4e7a17d930000ull
#define SECRET_REGS    0x6e3f91c8a25b4000ull
#define SECRET_FP      0x71d8b3460fe5c000ull /* FP registers of a VM that attack-module makes */
#define SECRET_CONTROL 0x2b97d05ce8f10000ull

#define SECRET_START 0x40200000ull /* GUEST_FREE */
#define SECRET_SIZE  0x40000ull

enum secret {
	SECRET_NONE,
	SECRET_IN_MEMORY,
	SECRET_IN_REGS,
	SECRET_IN_FP,
	SECRET_IN_CONTROL,
	NR_SECRETS,
};

static inline enum secret secret_kind(unsigned long long word)
{
	if ((word ^ SECRET_MEMORY) - SECRET_START < SECRET_SIZE)
		return SECRET_IN_MEMORY;
	if ((word ^ SECRET_CONTROL) - SECRET_START < SECRET_SIZE)
		return SECRET_IN_CONTROL;
	/* Its x1 is what CMD_REGS shows to the host. */
	if (word - SECRET_REGS - 2 < 64 + 32 - 2)
		return SECRET_IN_REGS;
	if (word - SECRET_FP - 1 < 32)
		return SECRET_IN_FP;
	return SECRET_NONE;
}

#endif
