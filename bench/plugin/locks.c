// SPDX-License-Identifier: GPL-2.0-only
/*
 * For how long EL2's locks are held, in instructions that the holder executes, and what of pages it zeroes and
 * cleans meanwhile.
 *
 * hyp/arch/lock.h is inlined, so a lock is found by what it does: LDXR of the next ticket at some address, then
 * LDAR of the owner's, 4 bytes further; it is given back by STLR to there. Held is from LDAR to STLR. One lock is
 * printed as
 *
 *   lock ADDRESS TIMES INSTRUCTIONS LONGEST TAKEN-AT LINES-ZEROED MOST TAKEN-AT LINES-CLEANED MOST TAKEN-AT
 *
 * where MOST is in one hold. This is for hosts of one CPU: in one thread for all CPUs (-icount) QEMU 10 says of a
 * block the CPU for which it was translated, and not the one that executes it.
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
	uint64_t times;
	struct sum insns, zeroed, cleaned;
};

struct lock {
	uint64_t address;
	struct result result[MARK_SLOTS];
};

struct hold {
	uint64_t owner; /* the address of that word */
	uint64_t pc, start, zeroed, cleaned;
};

static uint64_t insns;	/* that EL2 has executed */
static uint64_t wanted; /* the owner's word of the lock of which a ticket was drawn */
static struct hold held[MAX_HELD];
static unsigned int nr_held;
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
	(void)cpu;
	(void)what;
	(void)data;
	wanted = address + 4;
}

static void look_at_owner(unsigned int cpu, uint32_t what, uint64_t address, void *data)
{
	const struct site *site = data;

	(void)cpu;
	(void)what;
	if (address != wanted)
		return;
	wanted = 0;
	if (nr_held == MAX_HELD)
		fail("too many locks are held at once");
	held[nr_held++] = (struct hold){
		.owner = address,
		.pc = site->pc,
		.start = insns - site->left,
	};
}

static void give_back(unsigned int cpu, uint32_t what, uint64_t address, void *data)
{
	const struct site *site = data;
	unsigned int i = nr_held;
	struct lock *lock;
	struct hold hold;
	uintptr_t slot;

	(void)cpu;
	(void)what;
	while (i && held[i - 1].owner != address)
		i--;
	if (!i)
		return; /* no lock */
	hold = held[i - 1];
	for (; i < nr_held; i++)
		held[i - 1] = held[i];
	nr_held--;
	lock = find(address - 4);
	for (slot = 0; slot < MARK_SLOTS; slot++) {
		struct result *r = &lock->result[slot];

		if (!active[slot])
			continue;
		r->times++;
		add(&r->insns, insns - site->left - hold.start, hold.pc);
		add(&r->zeroed, hold.zeroed, hold.pc);
		add(&r->cleaned, hold.cleaned, hold.pc);
	}
}

static void zero_line(unsigned int cpu, void *data)
{
	unsigned int i;

	(void)cpu;
	(void)data;
	for (i = 0; i < nr_held; i++)
		held[i].zeroed++;
}

static void clean_line(unsigned int cpu, void *data)
{
	unsigned int i;

	(void)cpu;
	(void)data;
	for (i = 0; i < nr_held; i++)
		held[i].cleaned++;
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

void locks_count(uint64_t n)
{
	insns += n;
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
		print_sum(out, &r->zeroed);
		print_sum(out, &r->cleaned);
		fputc('\n', out);
	}
}
