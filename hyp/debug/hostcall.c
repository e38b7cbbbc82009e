// SPDX-License-Identifier: GPL-2.0-only
#include "debug/debug.h"
#include "lib/panic.h"
#include "mem/host_map.h"

static s64 answer(u64 *x)
{
	pa_t where = 0;
	u64 next = 0;

	/* Before SEAL there is nothing to hold yet. */
	if (READ_ONCE(hyp_panicked) || !host_map.root)
		return STOCKADE_EINVAL;
	if (x[0] == STOCKADE_DC_CHECK_PAGES)
		x[1] = check_pages(x[1], x[2], &where, &next);
	else
		x[1] = check_tables(x[1], &where);
	x[2] = x[1] ? where >> PAGE_SHIFT : 0;
	x[3] = next;
	return STOCKADE_OK;
}

bool debug_hostcall(struct host_regs *regs)
{
	if (regs->x[0] < STOCKADE_HC_END || regs->x[0] >= STOCKADE_DC_END)
		return false;
	if (regs->x[0] == STOCKADE_DC_PANIC)
		panic("asked for by a test");
	regs->x[0] = (u64)answer(regs->x);
	return true;
}
