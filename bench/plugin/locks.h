/* SPDX-License-Identifier: GPL-2.0-only */
/* For how long EL2's locks are held: for count.c. */
#ifndef BENCH_LOCKS_H
#define BENCH_LOCKS_H

#include <stdint.h>
#include <stdio.h>

#include "plugin-abi.h"

/* An instruction of EL2 is translated; from it on, `left` of its block are to be executed. */
void locks_look(struct qemu_plugin_insn *insn, uint32_t word, uint64_t pc, uint32_t left);
/* A block of EL2 begins that has so many instructions. */
void locks_count(uint64_t n);

/* A slot (mark.h) begins and ends to measure; print what it found. */
void locks_begin(uintptr_t slot);
void locks_end(uintptr_t slot);
void locks_print(FILE *out, uintptr_t slot);

#endif
