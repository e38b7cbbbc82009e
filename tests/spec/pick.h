/* SPDX-License-Identifier: GPL-2.0-only */
/* What a random step may be about: frames, VMs, places in them. Mostly good ones. */
#ifndef TESTS_SPEC_PICK_H
#define TESTS_SPEC_PICK_H

#include "generate.h"

#define HANDLES 0x1000

static inline u64 below(struct generator *g, u64 n)
{
	return random_below(&g->random, n);
}

static inline bool percent(struct generator *g, u64 n)
{
	return below(g, 100) < n;
}

#define PICK(g, array) ((array)[below(g, sizeof(array) / sizeof((array)[0]))])

/* The number of the index-th frame of RAM. */
u64 frame_number(const struct model *m, u64 index);
/* May the host give these away? But for the frame that its text is in. */
bool is_for_the_taking(const struct model *m, u64 first, u64 nr);

u64 pick_frame(struct generator *g, const struct model *m);
/* Bad by itself, or by whose it is. */
u64 pick_hostile_frame(struct generator *g, const struct model *m);
/* Pages of the host's alone; a block of 2 MiB. */
u64 pick_host_pages(struct generator *g, const struct model *m, u64 nr);
u64 pick_host_page(struct generator *g, const struct model *m);
u64 pick_host_block(struct generator *g, const struct model *m);
/* A block that is to be gone on with, and where; false: there is none. */
bool pick_unclean(struct generator *g, const struct model *m, u64 *handle, u64 *frame, u64 *gfn);
/* A page that the host has lost, to a VM or to the hypervisor. */
u64 pick_lost_frame(struct generator *g, const struct model *m, bool hyp);

#define LIVING	(1u << NEW | 1u << SEALED)
#define RUNNING (1u << SEALED)
#define ANY_VM	(LIVING | 1u << ENDED | 1u << DYING)

/* One that is in that stage of its life, if there is one; -1. And its handle; or a bad one. */
long pick_vm(struct generator *g, const struct model *m, u32 lives);
u64 pick_handle(struct generator *g, const struct model *m, u32 lives);

/* Any; one where there are few single pages; one where the VM has a page, private or shared. */
u64 pick_gfn(struct generator *g, const struct model *m, long vm);
u64 pick_block_gfn(struct generator *g);
u64 pick_used_gfn(struct generator *g, const struct model *m, long vm, bool shared);

#endif
