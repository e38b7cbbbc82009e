/* SPDX-License-Identifier: GPL-2.0-only */
/* Only in images that are built for tests (make TEST=1): never in one that is to protect anything. */
#ifndef HYP_DEBUG_DEBUG_H
#define HYP_DEBUG_DEBUG_H

#include "lib/types.h"

/*
 * Hostcalls behind the last real one (stockade/hostcall.h).
 * STOCKADE_HC_END + 0: panic.
 * STOCKADE_HC_END + 1: check the invariants -> *x1 = 0, or enum broken with the page in *x2.
 */
int debug_hostcall(u64 function, u64 *x1, u64 *x2);

enum broken {
	BROKEN_NOTHING,
	BROKEN_HOST_MAPS_LOST_PAGE,
	BROKEN_HOST_LACKS_PAGE,
	BROKEN_HOST_MAP_NO_IDENTITY,
	BROKEN_GUEST_LACKS_PAGE,
	BROKEN_GUEST_MAPS_FOREIGN_PAGE,
	BROKEN_OWNER_IS_DEAD,
	BROKEN_HYP_COUNT,
	BROKEN_HYP_MAPS_FOREIGN_PAGE,
};

#endif
