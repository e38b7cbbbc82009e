/* SPDX-License-Identifier: GPL-2.0-only */
/* What access32, the 32-bit program, gets from host-access and gives back. */
#ifndef TESTS_ACCESS32_H
#define TESTS_ACCESS32_H

#include "../guests/protocol.h"

#define ACCESS32_FD   3 /* the memfd that is the guest's memory */
#define ACCESS32_SIZE 0x400000u
/* A page of the guest's, between two that it has not touched. */
#define ACCESS32_PAGE ((unsigned int)(GUEST_FREE - GUEST_RAM) + 0x8000u)

/* One for each access, on standard output. Addresses are relative to the page. */
struct access32 {
	char name[24];
	int touched; /* offset of the first byte that is in the page */
	int signal;
	int fault; /* si_addr */
};

#endif
