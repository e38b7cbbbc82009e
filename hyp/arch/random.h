/* SPDX-License-Identifier: GPL-2.0-only */
/* The CPU's own random numbers (FEAT_RNG, Arm ARM D24.2.149). */
#ifndef HYP_ARCH_RANDOM_H
#define HYP_ARCH_RANDOM_H

#include "lib/types.h"

bool arch_has_random(void);
/* False: there was no entropy in time. */
bool arch_random(u64 *value);

#endif
