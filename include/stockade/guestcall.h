/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest -> hypervisor calls (HVC #0, SMC Calling Convention, Arm DEN0028). Function IDs and result
 * codes are those that Linux's guests know (Linux include/linux/arm-smccc.h and
 * Documentation/virt/kvm/arm/hypercalls.rst); PSCI's are of Arm DEN0022.
 */
#ifndef STOCKADE_GUESTCALL_H
#define STOCKADE_GUESTCALL_H

#define SMCCC_HINT	    0x00010000u /* in any fast call's ID (SMCCC 1.3) */
#define SMCCC_VERSION	    0x80000000u
#define SMCCC_ARCH_FEATURES 0x80000001u

#define SMCCC_ARCH_WORKAROUND_1 0x80008000u
#define SMCCC_ARCH_WORKAROUND_2 0x80007fffu
#define SMCCC_ARCH_WORKAROUND_3 0x80003fffu

/* Newer kernels' headers have these too, spelt differently. */
#ifndef SMCCC_RET_SUCCESS
#define SMCCC_RET_SUCCESS	    0
#define SMCCC_RET_NOT_SUPPORTED	    (-1)
#define SMCCC_RET_INVALID_PARAMETER (-3)
#endif
#define SMCCC_ARCH_WORKAROUND_RET_UNAFFECTED 1 /* of WORKAROUND_*: this CPU does not need it */

/* True random numbers (Arm DEN0098). */
#define TRNG_VERSION  0x84000050u
#define TRNG_FEATURES 0x84000051u
#define TRNG_GET_UUID 0x84000052u
#define TRNG_RND_32   0x84000053u
#define TRNG_RND_64   0xc4000053u

#define TRNG_RET_NO_ENTROPY (-3)

#define PSCI_VERSION		   0x84000000u
#define PSCI_CPU_SUSPEND_32	   0x84000001u
#define PSCI_CPU_SUSPEND_64	   0xc4000001u
#define PSCI_CPU_OFF		   0x84000002u
#define PSCI_CPU_ON_32		   0x84000003u
#define PSCI_CPU_ON_64		   0xc4000003u
#define PSCI_AFFINITY_INFO_32	   0x84000004u
#define PSCI_AFFINITY_INFO_64	   0xc4000004u
#define PSCI_MIGRATE_32		   0x84000005u
#define PSCI_MIGRATE_64		   0xc4000005u
#define PSCI_MIGRATE_INFO_TYPE	   0x84000006u
#define PSCI_MIGRATE_INFO_UP_CPU32 0x84000007u
#define PSCI_MIGRATE_INFO_UP_CPU64 0xc4000007u
#define PSCI_SYSTEM_OFF		   0x84000008u
#define PSCI_SYSTEM_RESET	   0x84000009u
#define PSCI_FEATURES		   0x8400000au
#define PSCI_SYSTEM_SUSPEND_32	   0x8400000eu
#define PSCI_SYSTEM_SUSPEND_64	   0xc400000eu
#define PSCI_SET_SUSPEND_MODE	   0x8400000fu
#define PSCI_SYSTEM_RESET2_32	   0x84000012u
#define PSCI_SYSTEM_RESET2_64	   0xc4000012u
#define PSCI_SYSTEM_OFF2_32	   0x84000015u
#define PSCI_SYSTEM_OFF2_64	   0xc4000015u

#define PSCI_RET_SUCCESS	    0
#define PSCI_RET_NOT_SUPPORTED	    (-1)
#define PSCI_RET_INVALID_PARAMETERS (-2)
#define PSCI_RET_DENIED		    (-3)
#define PSCI_RET_ALREADY_ON	    (-4)
#define PSCI_RET_ON_PENDING	    (-5)
#define PSCI_RET_INTERNAL_FAILURE   (-6)
#define PSCI_RET_INVALID_ADDRESS    (-9)

#define PSCI_AFFINITY_ON	 0
#define PSCI_AFFINITY_OFF	 1
#define PSCI_AFFINITY_ON_PENDING 2

/* The vendor-specific hypervisor service: KVM's UID and the protected-VM calls. */
#define GUESTCALL_VENDOR_UID	 0x8600ff01u
#define GUESTCALL_KVM_FEATURES	 0x86000000u
#define GUESTCALL_HYP_MEMINFO	 0xc6000002u
#define GUESTCALL_MEM_SHARE	 0xc6000003u
#define GUESTCALL_MEM_UNSHARE	 0xc6000004u
#define GUESTCALL_MMIO_GUARD	 0xc6000007u
#define GUESTCALL_MEM_RELINQUISH 0xc6000009u

#define GUESTCALL_UID_0 0xb66fb428u
#define GUESTCALL_UID_1 0xe911c52eu
#define GUESTCALL_UID_2 0x564bcaa9u
#define GUESTCALL_UID_3 0x743a004du

#endif
