/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HYP_ARCH_CPU_H
#define HYP_ARCH_CPU_H

#include "lib/types.h"

struct cpu {
	u32 index;
};

struct cpu *this_cpu(void);

#endif
