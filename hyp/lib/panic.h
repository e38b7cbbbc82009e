/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For invariants of our own. What another party can cause gets an error code instead: a hostile host
 * or guest must never be able to reach a panic.
 */
#ifndef HYP_LIB_PANIC_H
#define HYP_LIB_PANIC_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Says why in the log, sees to it that no vCPU and no host call runs again on any CPU, and enters the
 * host's panic function. Stage 2 stays on. The build machine's aborts the process.
 */
__attribute__((noreturn)) void hyp_panic(const char *file, unsigned int line, const char *what);

/* Where the host's panic function is (stockade/launch.h). */
void panic_init(uint64_t entry);
extern bool hyp_panicked;

#define panic(what)    hyp_panic(__FILE__, __LINE__, what)
#define hyp_assert(ok) ((ok) ? (void)0 : panic("not true: " #ok))

#endif
