// SPDX-License-Identifier: GPL-2.0-only
/* What hyp/arch/ does with instructions, for CBMC: a panic is a failed proof; caches and TLBs are not there. */
#include "arch/cache.h"
#include "arch/cpu.h"
#include "arch/lock.h"
#include "arch/tlb.h"
#include "lib/panic.h"

static struct cpu cpu;

struct cpu *this_cpu(void)
{
	return &cpu;
}

static bool mem_is_held;

void arch_spin_lock(struct spinlock *lock, unsigned int class, const char *name)
{
	(void)name;
	__CPROVER_assert(!lock->held, "a lock is not taken twice");
	__CPROVER_assert(class == LOCK_mem || (class == LOCK_guest_mem && !mem_is_held),
			 "locks are taken in order");
	lock->held = true;
	if (class == LOCK_mem)
		mem_is_held = true;
}

void arch_spin_unlock(struct spinlock *lock, unsigned int class, const char *name)
{
	(void)name;
	__CPROVER_assert(lock->held, "a lock that is let go is held");
	lock->held = false;
	if (class == LOCK_mem)
		mem_is_held = false;
}

void hyp_panic(const char *file, unsigned int line, const char *what)
{
	(void)file;
	(void)line;
	(void)what;
	__CPROVER_assert(false, "no panic");
	__CPROVER_assume(false);
}

bool has_fwb; /* either, but it stays */

bool arch_has_fwb(void)
{
	return has_fwb;
}

void icache_inval_all(void)
{
}

void tlb_flush_hyp(u64 va)
{
	(void)va;
}

void tlb_flush_hyp_local(u64 va)
{
	(void)va;
}

void tlb_flush_s2(u64 vttbr, ipa_t ipa)
{
	__CPROVER_assert(vttbr != 0, "a stage 2 is flushed by its VMID");
	(void)ipa;
}

void tlb_flush_s2_all(u64 vttbr)
{
	__CPROVER_assert(vttbr != 0, "a stage 2 is flushed by its VMID");
}

void table_write_barrier(void)
{
}

void hyp_table_write_barrier(void)
{
}
