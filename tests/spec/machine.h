/* SPDX-License-Identifier: GPL-2.0-only */
/* The real thing: the hypervisor's objects on the fake machine, driven by steps. */
#ifndef TESTS_SPEC_MACHINE_H
#define TESTS_SPEC_MACHINE_H

#include "model.h"

/*
 * What a machine is like is derived from one number below MACHINE_KINDS, so that a test case can name it: how large
 * EL2's pool is, whether there is FWB, and whether CPUs may be threads.
 */
#define MACHINE_KINDS	16
#define MACHINE_THREADS 8
void machine_boot(u64 kind, struct model *m);

/* What the step will need of tables, by a count of our own: sets the choice's no_tables and wanted*. */
void machine_predict(const struct model *m, const struct step *s, struct choice *c);
/* Do it. Sets what else is the implementation's choice. */
void machine_step(const struct model *m, const struct step *s, struct outcome *o, struct choice *c);

/*
 * NULL: page array, all page tables, pools and contents are as the model says. Else what differs first. Of contents
 * it looks at the pages that have changed and at an eighth of the others; if thorough, at all of them.
 */
const char *machine_compare(const struct model *m, bool thorough);

#endif
