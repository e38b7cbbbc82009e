/* SPDX-License-Identifier: GPL-2.0-only */
/* The target's struct cpu; which of them we are is the test's choice (fake_cpu()). */
#ifndef FAKE_ARCH_CPU_H
#define FAKE_ARCH_CPU_H

/* Its this_cpu() reads a register. Nobody calls it, so that it is not compiled. */
#define this_cpu target_this_cpu
#include "../../../hyp/arch/cpu.h"
#undef this_cpu

struct cpu *this_cpu(void);

#endif
