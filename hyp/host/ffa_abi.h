/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers and structures of FF-A (Arm DEN0077A 1.2; chapters 7 to 18, and 10 for memory). */
#ifndef HYP_HOST_FFA_ABI_H
#define HYP_HOST_FFA_ABI_H

#include "lib/types.h"

#define FFA_64 0x40000000u /* in a function's ID: arguments of 64 bits */

#define FFA_ERROR		    0x84000060u
#define FFA_SUCCESS		    0x84000061u
#define FFA_VERSION		    0x84000063u
#define FFA_FEATURES		    0x84000064u
#define FFA_RX_RELEASE		    0x84000065u
#define FFA_RXTX_MAP		    0x84000066u
#define FFA_RXTX_UNMAP		    0x84000067u
#define FFA_PARTITION_INFO_GET	    0x84000068u
#define FFA_ID_GET		    0x84000069u
#define FFA_RUN			    0x8400006du
#define FFA_MSG_SEND_DIRECT_REQ	    0x8400006fu
#define FFA_MEM_LEND		    0x84000072u
#define FFA_MEM_SHARE		    0x84000073u
#define FFA_MEM_RECLAIM		    0x84000077u
#define FFA_MEM_FRAG_RX		    0x8400007au
#define FFA_MEM_FRAG_TX		    0x8400007bu
#define FFA_SPM_ID_GET		    0x84000085u
#define FFA_PARTITION_INFO_GET_REGS 0x8400008bu
#define FFA_MSG_SEND_DIRECT_REQ2    0x8400008du

#define FFA_NOT_SUPPORTED      (-1)
#define FFA_INVALID_PARAMETERS (-2)
#define FFA_NO_MEMORY	       (-3)
#define FFA_DENIED	       (-6)

#define FFA_VERSION_1_0 0x10000u
#define FFA_VERSION_1_1 0x10001u
#define FFA_VERSION_1_2 0x10002u
#define FFA_MAJOR(v)	((v) >> 16)

#define FFA_PAGE_SIZE 4096u
/* The host: partition 0 is the one that the SPMC takes the normal world's hypervisor for. */
#define FFA_HOST_ID 0

/* FEATURES of RXTX_MAP, w2[1:0]: least size and alignment of the buffers; 0: 4 KiB. */
#define FFA_RXTX_MIN_SIZE 3u
/* PARTITION_INFO_GET, w5[0]: only the number is asked for, nothing is put into RX. */
#define FFA_INFO_COUNT_ONLY 1u
#define FFA_INFO_SIZE_1_0   8u

/* Memory transaction descriptor. */
struct ffa_mem_region {
	u16 sender;
	u16 attributes;
	u32 flags;
	u64 handle;
	u64 tag;
	u32 ep_mem_size; /* 1.0: reserved */
	u32 ep_count;
	/* 1.0 ends here, and endpoints follow */
	u32 ep_mem_offset;
	u32 reserved[3];
};

#define FFA_MEM_REGION_1_0 32u
#define FFA_EP_MEM_1_0	   16u

/* Endpoint memory access descriptor; 1.2 has 16 bytes more behind these. */
struct ffa_ep_mem {
	u16 receiver;
	u8 permissions;
	u8 flags;
	u32 composite_offset;
	u64 reserved;
};

/* Composite memory region descriptor; ranges follow. */
struct ffa_composite {
	u32 nr_pages;
	u32 nr_ranges;
	u64 reserved;
};

struct ffa_range {
	u64 address;
	u32 nr_pages;
	u32 reserved;
};

#endif
