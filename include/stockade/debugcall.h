/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hostcalls behind the last real one. Only a hypervisor that was built for tests answers them (`make -C
 * hyp TEST=1`); to any other they are numbers like all that are none.
 */
#ifndef STOCKADE_DEBUGCALL_H
#define STOCKADE_DEBUGCALL_H

#include <stockade/hostcall.h>

enum stockade_debugcall {
	/* () Panic. */
	STOCKADE_DC_PANIC = STOCKADE_HC_END,
	/*
	 * (pfn, nr) Look at the nr pages of RAM from pfn on: does the page array say what the tables of
	 * the host, of EL2 and of the guests do? Other CPUs may go on with whatever they do.
	 * -> x1 = enum stockade_broken, x2 = the page's pfn; x3 = where to go on, 0: there is no more.
	 */
	STOCKADE_DC_CHECK_PAGES,
	/*
	 * (quiet) Look at all tables and pools: does each entry say what it may, and the page array that
	 * it may? With quiet, the caller sees to it that no other CPU is at EL2, and all that the
	 * hypervisor holds is accounted for too, page by page.
	 * -> x1 = enum stockade_broken, x2 = a pfn.
	 */
	STOCKADE_DC_CHECK_TABLES,
	STOCKADE_DC_END,
};

/* An invariant that does not hold. */
enum stockade_broken {
	STOCKADE_BROKEN_NOTHING,
	/* CHECK_PAGES, of a page: */
	STOCKADE_BROKEN_STATE,	     /* no state for RAM, or with another state's data */
	STOCKADE_BROKEN_HOST_HAS,    /* mapped for the host, and not the host's to see */
	STOCKADE_BROKEN_HOST_LACKS,  /* the host's to see, and not mapped */
	STOCKADE_BROKEN_IDENTITY,    /* mapped for the host at another address */
	STOCKADE_BROKEN_HYP_HAS,     /* mapped at EL2, and neither its own nor shared with it */
	STOCKADE_BROKEN_HYP_LACKS,   /* shared with EL2, and not mapped */
	STOCKADE_BROKEN_OWNER,	     /* a guest's, and there is no such VM */
	STOCKADE_BROKEN_GUEST_LACKS, /* a guest's, and not mapped where the guest has it */
	STOCKADE_BROKEN_MOVING,	     /* on its way to the host, and nobody carries it */
	/* CHECK_TABLES: */
	STOCKADE_BROKEN_TABLE,	     /* a table that is not the hypervisor's page */
	STOCKADE_BROKEN_HOST_ENTRY,  /* an entry of the host's that none can be */
	STOCKADE_BROKEN_HYP_ENTRY,   /* of EL2's */
	STOCKADE_BROKEN_GUEST_ENTRY, /* of a guest's */
	STOCKADE_BROKEN_GUEST_HAS,   /* a guest maps a page that is not its own, or is not there */
	STOCKADE_BROKEN_POOL_PAGE,   /* in a pool, and not the hypervisor's, or not zeroed */
	STOCKADE_BROKEN_POOL_COUNT,  /* a pool has more or fewer pages than it says */
	STOCKADE_BROKEN_RESERVE,     /* not as many tables set aside as there are blocks to split */
	STOCKADE_BROKEN_GUARDED,     /* a guest has more or fewer pages of MMIO than it says */
	STOCKADE_BROKEN_VM,	     /* a VM or vCPU that does not know itself */
	/* And if quiet: */
	STOCKADE_BROKEN_CLAIMED_TWICE, /* a page of the hypervisor's that is two things */
	STOCKADE_BROKEN_LOST,	       /* one that is nothing */
	STOCKADE_BROKEN_HYP_COUNT,     /* the hypervisor has more or fewer pages than it says */
	STOCKADE_BROKEN_SHARES, /* a page is shared more or less often than there are users */
	STOCKADE_BROKEN_RUNS,	/* a vCPU is bound that should not be, or the other way round */
};

#endif
