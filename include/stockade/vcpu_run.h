/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The run page: all that passes between host and hypervisor at a vCPU's entry and exit.
 *
 * It is host memory, shared with the hypervisor; one page may have those of several vCPUs. The
 * hypervisor trusts nothing in it: it reads each field once, checks it, then uses it; and it writes
 * only what the exit at hand needs. A guest's other registers never appear here.
 */
#ifndef STOCKADE_VCPU_RUN_H
#define STOCKADE_VCPU_RUN_H

#ifdef __KERNEL__
#include <linux/types.h>
#elif !defined(_LINUX_TYPES_H) /* user space may have the types already */
#include <stdint.h>
typedef uint32_t __u32;
typedef uint64_t __u64;
#endif

enum stockade_exit {
	STOCKADE_EXIT_NONE = 0,
	STOCKADE_EXIT_IRQ,     /* a physical interrupt waits for the host */
	STOCKADE_EXIT_WFI,     /* until an interrupt is pending, or timer_deadline */
	STOCKADE_EXIT_ABORT,   /* nothing is mapped at abort_ipa: donate a page, or MMIO */
	STOCKADE_EXIT_POISON,  /* the page at abort_ipa was force-reclaimed: the guest is stuck */
	STOCKADE_EXIT_SGI,     /* arg[0] = value written to ICC_SGI1R_EL1 */
	STOCKADE_EXIT_CPU_ON,  /* arg[0] = index of the vCPU the guest has just turned on */
	STOCKADE_EXIT_CPU_OFF, /* this vCPU is off (also: it has not been turned on yet) */
	STOCKADE_EXIT_SYSTEM_OFF,   /* the guest called PSCI SYSTEM_OFF; the VM will run no more */
	STOCKADE_EXIT_SYSTEM_RESET, /* the same for SYSTEM_RESET */
	STOCKADE_EXIT_RELINQUISH, /* arg[0] = IPA of a page that the guest gave back: zeroed, the host's */
	STOCKADE_EXIT_TOPUP, /* arg[0] = pages that the VM's pool lacks for what the guest asked */
	STOCKADE_EXIT_DEAD,  /* the VM has ended, or the guest did what no guest can */
};

/* Flags for the next entry, set by the host in entry_flags, cleared by the hypervisor. */
#define STOCKADE_ENTRY_MMIO   (1u << 0) /* the ABORT was MMIO and is done; a load gets mmio_data */
#define STOCKADE_ENTRY_SEA    (1u << 1) /* the ABORT hit nothing: external abort to the guest */
#define STOCKADE_ENTRY_MORE   (1u << 2) /* more is pending than lr[] holds: exit when LRs drain */
#define STOCKADE_ENTRY_NO_GIC (1u << 3) /* the VM has no vGIC: lr[] is not used */

/* abort_flags of an EXIT_ABORT */
#define STOCKADE_ABORT_WRITE (1u << 0)
#define STOCKADE_ABORT_FETCH (1u << 1)
/*
 * abort_size is valid, the access can be emulated. Not set where the guest has said that it has no MMIO
 * (MMIO_GUARD).
 */
#define STOCKADE_ABORT_SYNDROME (1u << 2)

#define STOCKADE_RUN_MAX_LRS 16
/* Bytes of the page that a struct stockade_run has, and how it is aligned. */
#define STOCKADE_RUN_SIZE 256

/*
 * lr[]: virtual interrupts in the format of ICH_LR<n>_EL2 (GIC architecture IHI 0069, 12.4.6). The
 * hypervisor accepts INTID < 1020, group 1, state, priority, and EOI (maintenance on EOI); HW with
 * a pINTID only for the virtual timer's own PPI (any other HW bit is dropped). After an exit,
 * lr[0..nr_lrs) hold the state the guest left them in.
 */
struct stockade_run {
	/* entry */
	__u32 entry_flags;
	__u32 nr_lrs;
	__u64 lr[STOCKADE_RUN_MAX_LRS];
	__u64 mmio_data; /* result of a load; the hypervisor extends and truncates it */

	/* exit */
	__u32 exit_reason; /* enum stockade_exit */
	__u32 abort_flags;
	__u64 abort_ipa;   /* bytes; with SYNDROME the exact address, else page-aligned */
	__u32 abort_size;  /* bytes: 1, 2, 4 or 8 */
	__u32 timer_level; /* 1: the virtual timer's interrupt output is asserted */
	/*
	 * On EXIT_WFI: the value of the host's CNTVCT_EL0 at which the virtual timer will fire; ~0:
	 * it is off or masked.
	 */
	__u64 timer_deadline;
	__u64 arg[1];
};

#endif
