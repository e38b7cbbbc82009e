/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEMO_SPIN_H
#define DEMO_SPIN_H

#define SPIN_RUNNING 1
#define SPIN_ASKED   2

#define SPIN_X 16
#define SPIN_V 240

#ifndef __ASSEMBLER__
#include <stdint.h>

struct spin {
	uint32_t state;
	uint8_t unused[SPIN_X - 4];
	uint64_t x[28];	   /* x2 to x29 */
	uint8_t v[32][16]; /* v0 to v31 */
};

/*
 * Loads the registers from s, says SPIN_RUNNING and never returns. Asked by SPIN_ASKED, stores them
 * to s and says SPIN_RUNNING again.
 */
_Noreturn void spin(struct spin *s);
#endif

#endif
