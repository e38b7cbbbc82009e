// SPDX-License-Identifier: GPL-2.0-only
/*
 * A TCG plugin that counts instructions by block of code, while a row is measured, the longest stretch of
 * instructions that EL2 executes without leaving it, and for how long its locks are held (locks.c).
 *
 *   -plugin libcount.so,out=FILE,el2=LOW-HIGH                  EL2 by its own addresses
 *   -plugin libcount.so,out=FILE,kernel=BASE,el2=LOW-HIGH      ... by the kernel's, where it lies in
 *
 * With ",locks=on" its locks too. The second is for a hypervisor that is a part of the kernel's image: where EL2 maps it depends on
 * the boot, but a page of it lies where the kernel's map has it.
 *
 * What is measured is marked by hints, which are no-operations to everybody else (mark.h). FILE has, for
 * each row in the order in which rows were printed, "row", "longest COUNT ADDRESS" and "code ADDRESS
 * INSTRUCTIONS TIMES", with locks=on a line for each (locks.c); at the end "longest" of the whole run.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../mark.h"
#include "locks.h"
#include "plugin-abi.h"

#define MAX_CPUS    8
#define KERNEL_SIZE (64ul << 20)
#define HINT(n)	    (0xd503201fu | (uint32_t)(n) << 5)
#define ERET	    0xd69f03e0u

PLUGIN_EXPORT int qemu_plugin_version = PLUGIN_ABI;
PLUGIN_EXPORT int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc,
				      char **argv);

/* A block of code, as often as QEMU has translated it. */
struct block {
	struct block *next;
	uint64_t pc;
	uint32_t insns;
	bool el2, eret;
	uint64_t times[MARK_SLOTS];
};

struct stretch {
	uint64_t insns, pc; /* pc: the first block's */
};

static struct block *blocks;
static uint64_t el2_low, el2_high, kernel_base, kernel_host;
static bool active[MARK_SLOTS], want_locks;
static struct stretch current[MAX_CPUS], longest[MARK_SLOTS], longest_of_all;
static FILE *out;

static void longer(struct stretch *max, const struct stretch *s)
{
	if (s->insns > max->insns)
		*max = *s;
}

static void end_stretch(struct stretch *s)
{
	int i;

	for (i = 0; i < MARK_SLOTS; i++)
		if (active[i])
			longer(&longest[i], s);
	longer(&longest_of_all, s);
	s->insns = 0;
}

static void executed(unsigned int cpu, void *data)
{
	struct block *b = data;
	struct stretch *s = &current[cpu % MAX_CPUS];
	int i;

	for (i = 0; i < MARK_SLOTS; i++)
		b->times[i] += active[i];
	if (!b->el2) {
		if (s->insns)
			end_stretch(s);
		return;
	}
	if (!s->insns)
		s->pc = b->pc;
	s->insns += b->insns;
	locks_count(b->insns);
	if (b->eret)
		end_stretch(s);
}

static void begin(unsigned int cpu, void *data)
{
	uintptr_t slot = (uintptr_t)data;
	struct block *b;

	(void)cpu;
	for (b = blocks; b; b = b->next)
		b->times[slot] = 0;
	longest[slot] = (struct stretch){ 0 };
	locks_begin(slot);
	active[slot] = true;
}

static void end(unsigned int cpu, void *data)
{
	(void)cpu;
	locks_end((uintptr_t)data);
	active[(uintptr_t)data] = false;
}

static void print_row(unsigned int cpu, void *data)
{
	uintptr_t slot = (uintptr_t)data;
	struct block *b;

	(void)cpu;
	fprintf(out, "row\nlongest %" PRIu64 " %#" PRIx64 "\n", longest[slot].insns,
		longest[slot].pc);
	for (b = blocks; b; b = b->next)
		if (b->times[slot])
			fprintf(out, "code %#" PRIx64 " %u %" PRIu64 "\n", b->pc, b->insns,
				b->times[slot]);
	locks_print(out, slot);
	fflush(out);
}

static void look_for_marks(struct qemu_plugin_insn *insn, uint32_t word)
{
	uintptr_t slot;

	for (slot = 0; slot < MARK_SLOTS; slot++) {
		plugin_exec_cb *cb = word == HINT(MARK_BEGIN(slot)) ? begin :
				     word == HINT(MARK_END(slot))   ? end :
				     word == HINT(MARK_ROW(slot))   ? print_row :
								      NULL;

		if (cb)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, cb, PLUGIN_NO_REGS,
							       (void *)slot);
	}
}

/* The address by which the block is known, and whether it is EL2's. */
static void place(struct block *b, uint64_t host)
{
	uint64_t at = b->pc;

	if (kernel_base) {
		if (at - kernel_base < KERNEL_SIZE)
			kernel_host = host - (at - kernel_base);
		if (at >> 48 || !kernel_host || host - kernel_host >= KERNEL_SIZE)
			return;
		at = kernel_base + (host - kernel_host);
	}
	b->el2 = at >= el2_low && at < el2_high;
	if (b->el2)
		b->pc = at;
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);
	struct block *b = calloc(1, sizeof(*b));
	uint32_t word = 0;

	(void)id;
	b->pc = qemu_plugin_tb_vaddr(tb);
	b->insns = (uint32_t)n;
	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		if (!i)
			place(b, (uint64_t)(uintptr_t)qemu_plugin_insn_haddr(insn));
		if (qemu_plugin_insn_data(insn, &word, sizeof(word)) == sizeof(word))
			look_for_marks(insn, word);
		if (b->el2 && want_locks)
			locks_look(insn, word, b->pc + 4 * i, (uint32_t)(n - i));
	}
	b->eret = word == ERET;
	b->next = blocks;
	blocks = b;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, PLUGIN_NO_REGS, b);
}

static void finish(plugin_id id, void *data)
{
	(void)id;
	(void)data;
	fprintf(out, "end\nlongest %" PRIu64 " %#" PRIx64 "\n", longest_of_all.insns,
		longest_of_all.pc);
	fclose(out);
}

int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv)
{
	char *high;
	int i;

	(void)info;
	for (i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4)) {
			out = fopen(argv[i] + 4, "w");
		} else if (!strncmp(argv[i], "kernel=", 7)) {
			kernel_base = strtoull(argv[i] + 7, NULL, 0);
		} else if (!strncmp(argv[i], "el2=", 4)) {
			el2_low = strtoull(argv[i] + 4, &high, 0);
			el2_high = *high == '-' ? strtoull(high + 1, NULL, 0) : 0;
		} else if (!strcmp(argv[i], "locks=on")) {
			want_locks = true;
		} else {
			return -1;
		}
	}
	if (!out || el2_high <= el2_low)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, finish, NULL);
	return 0;
}
