/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What bench.c tells the guest to do. The guest loads a command and its arguments from the device at
 * TEST_DEV (tests/guests/protocol.h has the addresses), does it, and stores what it measured: each
 * of these accesses goes to user space, and none lies between two readings of the counter.
 */
#ifndef BENCH_COMMAND_H
#define BENCH_COMMAND_H

#include "../../tests/guests/protocol.h"

#define BENCH_DEV_ECHO \
	(TEST_DEV + 0x100) /* for GUEST_LOAD, GUEST_STORE: user space answers at once */

/* Times are ticks of CNTVCT_EL0. */
enum bench_command {
	GUEST_READY = 1, /* () -> CNTFRQ_EL0 */
	GUEST_CALL, /* (function, x1, step of x1, calls) -> time of all, last x0, calls that failed */
	GUEST_LOAD,	 /* (address, loads) -> time */
	GUEST_STORE,	 /* (address, stores) -> time */
	GUEST_TOUCH,	 /* (address, stride, stores) -> time */
	GUEST_GIC,	 /* (): turn the GIC and interrupts on */
	GUEST_TIMER_WFI, /* (ticks, times) -> time from the timer's deadline to the handler, of all */
	GUEST_TIMER_RUN, /* the same by a guest that does not wait, but computes */
	GUEST_CPU_ON, /* (vCPU, helps?) -> x0 of CPU_ON; it takes interrupts, or helps, from then on */
	GUEST_IPI, /* (vCPU, times) -> time from the SGI to the handler, of all; of the SGIs alone */
	/*
	 * (address, pages, vCPUs, function) -> time of all, -, calls that failed: each vCPU calls the function
	 * for so many pages of its own, or stores to them if that is 0. No pages: those that help end.
	 */
	GUEST_TOGETHER,
};

#endif
