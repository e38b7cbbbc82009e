/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a CPU comes into the hypervisor, and out of it for good.
 */
#ifndef HYP_ARCH_LAUNCH_H
#define HYP_ARCH_LAUNCH_H

#include <stockade/hostcall.h>
#include <stockade/launch.h>

#include "arch/cpu.h"
#include "host/trap.h"

/*
 * What a CPU with its MMU off needs to turn it on. Written once, cleaned to the point of coherency;
 * ttbr is 0 until then.
 */
struct boot_params {
	u64 ttbr, tcr, mair, sctlr;
};

extern struct boot_params boot_params;

/* Called from launch.S. */
int launch_early(struct stockade_launch *launch);
int launch_cpu(const struct stockade_launch *launch, unsigned int index, u64 stub_vbar,
	       u64 stub_sctlr);
void launch_cpu_on(struct cpu *cpu, struct host_regs *regs);

/* launch.S */
void launch_cpu_on_entry(void); /* where PSCI starts a CPU; in the identity page */
/* Leave EL2 to the stub and enter the host with regs, but x0-x3 zero: MMU off, the stub's vectors. */
__attribute__((noreturn)) void launch_leave(const struct host_regs *regs, u64 stub_vbar,
					    u64 stub_sctlr, pa_t left);
/* Leave EL2 to what is at `entry`, MMU off, with three arguments. */
__attribute__((noreturn)) void launch_restart(u64 stub_sctlr, u64 stub_vbar, pa_t entry,
					      const u64 *args, pa_t restarted);
extern const char launch_left[], launch_restarted[];
/* Enter the host at ELR_EL2 with these registers, which lie at the top of this CPU's stack. */
__attribute__((noreturn)) void launch_enter_host(const struct host_regs *regs);

/* Physical address of something in the image. */
pa_t image_pa(const void *in_image);

/* The image's memory; the CPUs' physical address bits, at the most 48. */
struct stockade_range launch_image(void);
unsigned int launch_phys_bits(void);

/* Last step of launch on each CPU; a hostcall (stockade/hostcall.h). */
int launch_protect_cpu(void);
/* Prepare this CPU's EL2 for launch_leave(). */
void launch_unload_cpu(void);

extern struct stockade_launch *launch_args; /* mapped until host_seal() */

#endif
