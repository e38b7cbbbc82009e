/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hypervisor's log: lines in a page that the host reads (stockade/log.h).
 * Never log anything of a protected VM: no register, no address it chose, no data.
 */
#ifndef HYP_LIB_LOG_H
#define HYP_LIB_LOG_H

#include <stockade/log.h>

#include "arch/lock.h"

/* ring: where to write, in this address space. Before it is set, lines are dropped. */
void log_init(struct stockade_log *ring) TAKES(log);

/* printf with %s, %u (unsigned int), %x (unsigned int), %lx and %lu (u64) alone. Any context. */
__attribute__((format(printf, 1, 2))) void log_line(const char *format, ...) TAKES(log);

#endif
