/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Launch: what whoever starts the hypervisor (today the module) hands to it.
 *
 * The image starts with a struct stockade_image. The loader copies the image to page-aligned memory,
 * zeroes what lies between file_size and mem_size, fills a struct stockade_launch, cleans and invalidates both,
 * pool[0] and the CPUs' pages to the point of coherency and then, on each CPU in turn, branches at EL2, MMU off, to image + entry
 * with x0 = physical address of the struct stockade_launch, x1 = index of this CPU in cpu[].
 * ELR_EL2 and SPSR_EL2 say where to return to at EL1, VBAR_EL2 is the vector table to give back at
 * unload. On return x0 is 0 or a negative STOCKADE_E* code and then EL2 is as it was.
 * The first CPU to enter initialises the hypervisor; it must have returned before the next enters.
 */
#ifndef STOCKADE_LAUNCH_H
#define STOCKADE_LAUNCH_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
typedef uint32_t __u32;
typedef uint64_t __u64;
#endif

#define STOCKADE_IMAGE_MAGIC 0x454441434b4f5453ull /* "STOCKADE" */

/* All fields are filled at build time. Offsets and sizes are bytes from the image's start. */
struct stockade_image {
	__u64 magic;
	__u32 abi_version; /* STOCKADE_ABI_VERSION of hostcall.h */
	__u32 entry;
	__u32 file_size;
	__u32 mem_size; /* a multiple of the page size */
};

struct stockade_range {
	__u64 base; /* physical, bytes, page-aligned */
	__u64 size;
};

struct stockade_launch_cpu {
	__u64 mpidr; /* affinity fields only */
	__u64 pages; /* physical address of STOCKADE_CPU_PAGES contiguous pages */
};

#define STOCKADE_CPU_PAGES  3
#define STOCKADE_MAX_CPUS   512
#define STOCKADE_MAX_RAM    64
#define STOCKADE_MAX_PIECES 1024
/* Physical addresses of RAM must lie below this: EL2's own address space is laid out above it. */
#define STOCKADE_MAX_PHYS (1ull << 46)

/*
 * Trusted OS, OEM and SiP calls of the host reach firmware. They hand over addresses that the hypervisor can't
 * see: memory is then isolated as far as the secure world does not read it for the host.
 */
#define STOCKADE_LAUNCH_ALLOW_TOS 1u
#define STOCKADE_LAUNCH_FLAGS	  1u /* all of them */

struct stockade_launch {
	__u32 abi_version;
	__u32 nr_cpus;
	__u32 nr_ram;
	__u32 nr_array;
	__u32 nr_pool;
	__u32 vtimer_intid; /* INTID of the virtual timer's PPI, 16..31 */
	__u32 flags;	    /* STOCKADE_LAUNCH_* */
	__u32 reserved;	    /* 0 */
	__u64 image;	    /* physical address */
	/*
	 * Kernel address of a function of the host that never returns: entered at EL1 with interrupts
	 * masked and x0 = 0 after the hypervisor has panicked, the reason being in the log ring.
	 */
	__u64 panic_entry;
	__u64 log; /* physical address of the log ring (log.h), host's page, shared */
	/* Where RAM is: sorted, not overlapping, every page that an OS may use. */
	struct stockade_range ram[STOCKADE_MAX_RAM];
	struct stockade_launch_cpu cpu[STOCKADE_MAX_CPUS];
	/*
	 * Pages for the page array (8 bytes for each page of RAM, each range of RAM by itself rounded
	 * out to whole pages) and for the first pool, in pieces. All zero.
	 */
	struct stockade_range array[STOCKADE_MAX_PIECES];
	struct stockade_range pool[STOCKADE_MAX_PIECES];
};

/*
 * Pages of page array that one range of RAM takes. The array is virtually sparse: the entry of page
 * frame n lies at 8 * n.
 */
static inline __u64 stockade_array_pages(__u64 base, __u64 size)
{
	__u64 first = (base >> 12) / 512;
	__u64 last = ((base + size - 1) >> 12) / 512;

	return last - first + 1;
}

#endif
