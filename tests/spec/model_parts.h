/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the model have in common: model.c, model_hostcall.c, model_guest.c. */
#ifndef TESTS_SPEC_MODEL_PARTS_H
#define TESTS_SPEC_MODEL_PARTS_H

#include "model.h"

#define PAGE 4096ull

/* Of RAM. */
struct frame *model_frame(struct model *m, u64 frame);
/* Of RAM: may these be given away? */
bool model_is_hosts_alone(struct model *m, u64 first, u64 nr);
/* What comes back to the host was zeroed, unless the host sees it anyhow. */
void model_to_host(struct frame *f);
/* The next piece of the block of f is cleaned. */
void model_clean_piece(struct model *m, struct frame *f);
/* One page of a block is to change: from now on it is 512 pages. */
void model_split(struct model *m, struct frame *f);

/* From now on the 2 MiB around gfn are used by single pages. */
void model_use_pages_in(struct model *m, u32 vm, u64 gfn);
void model_set_mark(struct model *m, u32 vm, u64 gfn, enum mark mark);
u32 model_nr_guarded(const struct spec_vm *vm);

/* The vCPU that the CPU has, or NULL. */
struct spec_vcpu *model_bound_vcpu(struct model *m, u32 cpu);

struct outcome model_hostcall(struct model *m, u32 cpu, const u64 *x, const struct choice *c);

static inline struct outcome answer(s64 ret)
{
	return (struct outcome){ .ret = ret };
}

#endif
