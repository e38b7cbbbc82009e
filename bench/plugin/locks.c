// SPDX-License-Identifier: GPL-2.0-only
/*
 * For how long EL2's locks are held, in instructions that the holder executes, and what of pages it zeroes and
 * cleans meanwhile.
 *
 * hyp/arch/lock.h is inlined, so a lock is found by what it does: LDXR of the next ticket at some address, then
 * LDAR of the owner's, 4 bytes further, until it is the ticket; it is given back by STLR to there. Held is
 * from the last LDAR to the STLR. One lock is printed as
 *
 *   lock ADDRESS TIMES INSTRUCTIONS LONGEST TAKEN-AT WAITS LINES-ZEROED MOST TAKEN-AT LINES-CLEANED MOST TAKEN-AT
 *
 * where WAITS is how often the owner was not the ticket yet, and MOST is in one hold.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

#include "../mark.h"
#include "locks.h"

#define LDXR_W 0x885f7c00u
#define LDAR_W 0x88dffc00u
#define STLR_W 0x889ffc00u
#define DC_ZVA 0xd50b7420u
/* By VA to the point of coherency: clean, clean and invalidate. */
#define DC_CVAC	 0xd50b7a20u
#define DC_CIVAC 0xd50b7e20u

#define MAX_LOCKS 64
#define MAX_HELD  4

struct sum {
	uint64_t all, most, most_pc;
};

struct result {
	uint64_t times, waits;
	struct sum insns, zeroed, cleaned;
};

struct lock {
	uint64_t address;
	struct result result[MARK_SLOTS];
};

struct hold {
	uint64_t owner; /* the address of that word */
	uint64_t pc, start, waits, zeroed, cleaned;
};

static struct {
	uint64_t insns;
	uint64_t wanted; /* the owner's word of the lock of which it has drawn a ticket */
	struct hold held[MAX_HELD];
	unsigned int nr_held;
} cpus[MAX_CPUS];

static struct lock locks[MAX_LOCKS];
static unsigned int nr_locks;
static bool active[MARK_SLOTS];

/* Where an instruction is. */
struct site {
	uint64_t pc;
	uint32_t left;
};

static void fail(const char *what)
{
	fprintf(stderr, "libcount.so: %s\n", what);
	exit(1);
}

static struct lock *find(uint64_t address)
{
	unsigned int i;

	for (i = 0; i < nr_locks; i++)
		if (locks[i].address == address)
			return &locks[i];
	if (nr_locks == MAX_LOCKS)
		fail("too many locks");
	locks[nr_locks].address = address;
	return &locks[nr_locks++];
}

static void add(struct sum *sum, uint64_t n, uint64_t pc)
{
	sum->all += n;
	if (n > sum->most) {
		sum->most = n;
		sum->most_pc = pc;
	}
}

static void ticket(unsigned int cpu, uint32_t what, uint64_t address, void *data)
{
	(void)what;
	(void)data;
	cpus[cpu % MAX_CPUS].wanted = address + 4;
}

static void look_at_owner(unsigned int cpu, uint32_t what, uint64_t address, void *data)
{
	__typeof__(cpus[0]) *c = &cpus[cpu % MAX_CPUS];
	const struct site *site = data;
	struct hold *hold;

	(void)what;
	if (address != c->wanted)
		return;
	if (c->nr_held && c->held[c->nr_held - 1].owner == address) {
		hold = &c->held[c->nr_held - 1];
		hold->waits++;
	} else {
		if (c->nr_held == MAX_HELD)
			fail("too many locks are held at once");
		hold = &c->held[c->nr_held++];
		*hold = (struct hold){ .owner = address, .pc = site->pc };
	}
	hold->start = c->insns - site->left;
}

static void give_back(unsigned int cpu, uint32_t what, uint64_t address, void *data)
{
	__typeof__(cpus[0]) *c = &cpus[cpu % MAX_CPUS];
	const struct site *site = data;
	unsigned int i = c->nr_held;
	struct lock *lock;
	struct hold hold;
	uintptr_t slot;

	(void)what;
	while (i && c->held[i - 1].owner != address)
		i--;
	if (!i)
		return; /* no lock */
	hold = c->held[i - 1];
	for (; i < c->nr_held; i++)
		c->held[i - 1] = c->held[i];
	c->nr_held--;
	c->wanted = 0;
	lock = find(address - 4);
	for (slot = 0; slot < MARK_SLOTS; slot++) {
		struct result *r = &lock->result[slot];

		if (!active[slot])
			continue;
		r->times++;
		r->waits += hold.waits;
		add(&r->insns, c->insns - site->left - hold.start, hold.pc);
		add(&r->zeroed, hold.zeroed, hold.pc);
		add(&r->cleaned, hold.cleaned, hold.pc);
	}
}

static void zero_line(unsigned int cpu, void *data)
{
	unsigned int i;

	(void)data;
	for (i = 0; i < cpus[cpu % MAX_CPUS].nr_held; i++)
		cpus[cpu % MAX_CPUS].held[i].zeroed++;
}

static void clean_line(unsigned int cpu, void *data)
{
	unsigned int i;

	(void)data;
	for (i = 0; i < cpus[cpu % MAX_CPUS].nr_held; i++)
		cpus[cpu % MAX_CPUS].held[i].cleaned++;
}

void locks_look(struct qemu_plugin_insn *insn, uint32_t word, uint64_t pc, uint32_t left)
{
	uint32_t access = word & ~0x3ffu, op = word & ~0x1fu;
	plugin_mem_cb *cb = access == LDXR_W ? ticket :
			    access == LDAR_W ? look_at_owner :
			    access == STLR_W ? give_back :
					       NULL;

	if (cb) {
		struct site *site = malloc(sizeof(*site)); /* for as long as QEMU runs */

		*site = (struct site){ .pc = pc, .left = left };
		qemu_plugin_register_vcpu_mem_cb(insn, cb, PLUGIN_NO_REGS, PLUGIN_MEM_ALL, site);
	} else if (op == DC_ZVA) {
		qemu_plugin_register_vcpu_insn_exec_cb(insn, zero_line, PLUGIN_NO_REGS, NULL);
	} else if (op == DC_CVAC || op == DC_CIVAC) {
		qemu_plugin_register_vcpu_insn_exec_cb(insn, clean_line, PLUGIN_NO_REGS, NULL);
	}
}

void locks_count(unsigned int cpu, uint64_t insns)
{
	cpus[cpu % MAX_CPUS].insns += insns;
}

void locks_begin(uintptr_t slot)
{
	unsigned int i;

	for (i = 0; i < nr_locks; i++)
		locks[i].result[slot] = (struct result){ 0 };
	active[slot] = true;
}

void locks_end(uintptr_t slot)
{
	active[slot] = false;
}

static void print_sum(FILE *out, const struct sum *sum)
{
	fprintf(out, " %" PRIu64 " %" PRIu64 " %#" PRIx64, sum->all, sum->most, sum->most_pc);
}

void locks_print(FILE *out, uintptr_t slot)
{
	unsigned int i;

	for (i = 0; i < nr_locks; i++) {
		const struct result *r = &locks[i].result[slot];

		if (!r->times)
			continue;
		fprintf(out, "lock %#" PRIx64 " %" PRIu64, locks[i].address, r->times);
		print_sum(out, &r->insns);
		fprintf(out, " %" PRIu64, r->waits);
		print_sum(out, &r->zeroed);
		print_sum(out, &r->cleaned);
		fputc('\n', out);
	}
}
