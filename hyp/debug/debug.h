/* SPDX-License-Identifier: GPL-2.0-only */
/* Only in images that are built for tests (make TEST=1): never in one that is to protect anything. */
#ifndef HYP_DEBUG_DEBUG_H
#define HYP_DEBUG_DEBUG_H

#include <stockade/debugcall.h>

#include "arch/lock.h"
#include "host/trap.h"
#include "mem/pgtable.h"

/* Hostcalls of stockade/debugcall.h; false: it is none. */
bool debug_hostcall(struct host_regs *regs) TAKES(table);

/* See there. The first page that something is wrong with is *where. */
enum stockade_broken check_pages(u64 pfn, u64 nr, pa_t *where, u64 *next) TAKES(table);
enum stockade_broken check_tables(bool quiet, pa_t *where) TAKES(table);

/*
 * Calls entry() for each entry that ends a walk, and table() for each table, root and all, in the order of
 * addresses, until one says that something is broken; *where is then the page that the entry, or the
 * table, is in.
 */
struct table_visitor {
	enum stockade_broken (*entry)(struct table_visitor *visitor, u64 ia, unsigned int level,
				      u64 entry);
	enum stockade_broken (*table)(struct table_visitor *visitor, pa_t table);
	pa_t where;
};
enum stockade_broken visit_tables(const struct pgtable *pt, struct table_visitor *visitor);

#endif
