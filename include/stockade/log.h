/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log ring: one page of the host's that the hypervisor writes lines of text to.
 *
 * The hypervisor is the only writer: it puts bytes at text[head % sizeof(text)] and then moves head
 * on; it never reads the page back. The reader keeps its own position; if head has run more than the
 * ring's size ahead, lines were lost. Nothing of a protected VM is ever logged.
 */
#ifndef STOCKADE_LOG_H
#define STOCKADE_LOG_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
typedef uint32_t __u32;
#endif

/* A power of two, so that positions stay right when head wraps. */
#define STOCKADE_LOG_TEXT 2048

struct stockade_log {
	__u32 head; /* bytes written since launch, modulo 2^32; lines end with '\n' */
	char text[STOCKADE_LOG_TEXT];
};

#endif
