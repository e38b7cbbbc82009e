// SPDX-License-Identifier: GPL-2.0-only
/* The smallest guest for `stockade run`: says hello on the serial port and turns itself off. */
#include "guest.h"

void guest_main(struct cpu *cpu)
{
	puts("hello from CPU ");
	put_hex(cpu->index);
	puts("\n");
}
