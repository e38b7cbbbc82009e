/* SPDX-License-Identifier: GPL-2.0-only */
/* A hostile guest: what it does next comes from the input, exit after exit. */
#ifndef TESTS_FUZZ_GUEST_H
#define TESTS_FUZZ_GUEST_H

#include "fuzz.h"

/* From now on guests do what the input says. At its end they are only interrupted. */
void guest_start(struct fuzz_input *in);
/* After VCPU_RUN: the last exit has changed no other registers of the guest than it may. */
void guest_check_exit(void);

/* An address in a guest's memory, more often in the first few pages of a few blocks. */
u64 guest_any_ipa(struct fuzz_input *in);

#endif
