/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TLB maintenance. All of these order earlier table writes before themselves and are complete, on
 * every CPU, when they return.
 */
#ifndef HYP_ARCH_TLB_H
#define HYP_ARCH_TLB_H

#include "lib/types.h"

/* EL2's own stage 1: the translation of va. */
void tlb_flush_hyp(u64 va);

/*
 * A stage 2: the translation of ipa (a page or a block) under vttbr's VMID, and every combined entry
 * made of it. Stage-2 invalidation by IPA leaves entries that combine both stages (Arm ARM D8.14.5):
 * hence all of the VMID's stage 1 follows.
 */
void tlb_flush_s2(u64 vttbr, ipa_t ipa);
/* All of a VMID. */
void tlb_flush_s2_all(u64 vttbr);

/* Stage 1 of a VMID, and the I-cache, on this CPU alone. */
void tlb_flush_s1_local(u64 vttbr);

/* Table writes are visible to every table walker: for entries that were invalid before. */
void table_write_barrier(void);
/*
 * The same for EL2's own, which this CPU is about to use. A walk is no explicit access: it may come before the
 * barrier's end, and its fault after (Arm ARM B2), unless an ISB keeps the access from starting.
 */
void hyp_table_write_barrier(void);

#endif
