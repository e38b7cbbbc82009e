/* SPDX-License-Identifier: GPL-2.0-only */
/* What really is: page array, page tables, pools, contents, as walks of our own find them. */
#ifndef TESTS_SPEC_REAL_H
#define TESTS_SPEC_REAL_H

#include "fake.h"
#include "mem/page.h"
#include "model.h"

struct vm;

/* After the launch: where all is, and what does not change any more. */
void real_boot(const struct model *m);
/* The page array's entry of the n-th frame of RAM. */
const struct page *real_page(u64 n);
/* A VM's struct, as a debugger sees it; NULL: it is not there. */
const struct vm *real_vm(u32 index);

#endif
