/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef STOCKADE_MODULE_LAUNCH_H
#define STOCKADE_MODULE_LAUNCH_H

#include <linux/types.h>

struct page;

/* check.c: 0, or an errno and one line in the log that says what is missing and what to do. */
int stockade_check(void);
/* The MPIDR affinity of a possible CPU; ENODEV and a line in the log if the device tree has none. */
int stockade_cpu_mpidr(unsigned int cpu, u64 *mpidr);

/*
 * Take EL2 on every online CPU and put the host under stage 2. On failure all is as before, and one line
 * in the log says why. May sleep.
 */
int stockade_launch(void);
/* Give EL2 back to the kernel's stub. EBUSY: a VM exists. May sleep. */
int stockade_unload(void);
bool stockade_launched(void);
/* Was it launched with allow_tos=1 (stockade/launch.h)? */
bool stockade_allows_tos(void);

/* Pages that were given to the hypervisor's pool (1 << order contiguous): freed at unload. */
void stockade_pool_page_given(struct page *page, unsigned int order);

/* log.c */
int stockade_log_init(void);
void stockade_log_exit(void);
phys_addr_t stockade_log_page(void);
/* Turn what the hypervisor has said so far into kernel log lines. Any context that may printk. */
void stockade_log_flush(void);
/* The hypervisor enters the host here when it has panicked. */
void stockade_el2_panic(void);

/* power.c: unload before reboot and kexec, refuse hibernation and memory hotplug. */
int stockade_power_init(void);
void stockade_power_exit(void);

/* el2_call.S: the stub's HVC_SOFT_RESTART; all registers but x0 survive. */
s64 stockade_soft_restart(phys_addr_t entry, phys_addr_t args, u64 index);

#endif
