/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every page of RAM was and had in it at the last step, and so what may not have become of it.
 *
 * Every page that is not the hypervisor's is full of one word, which is another for each page; who stores to a page
 * fills it with a new one. Pages with something else in them (run pages, the log) are not looked at.
 */
#ifndef TESTS_FUZZ_SHADOW_H
#define TESTS_FUZZ_SHADOW_H

#include "lib/types.h"

/* What a step may do. */
#define SHADOW_DONATE \
	(1u << 0) /* the host gives pages to the hypervisor or a guest, or shares them with EL2 */
#define SHADOW_RETURN  (1u << 1) /* the hypervisor gives pages back, or unshares them */
#define SHADOW_RECLAIM (1u << 2) /* the owner's pages become the host's */
#define SHADOW_SHARE   (1u << 3) /* the owner shares pages with the host, or takes them back */
#define SHADOW_ANY     (~0u)	 /* several calls in one step, of whoever */

/* From what there is now: after the launch, of a machine with junk in its RAM (struct fake_config). */
void shadow_start(void);
/* A step has been taken that may do what `allowed` says. Of RECLAIM and SHARE: to the pages of VM `owner` alone. */
void shadow_step(unsigned int allowed, unsigned int owner);
/* Every word of every page. */
void shadow_check_all(void);

/* Who may has filled the page anew. */
void shadow_store(pa_t pa);

/* Before a call, and after one that was refused: nothing of the hypervisor's has changed. */
void shadow_before_call(void);
void shadow_check_refused(const char *what);

/* Every page that was the guest's at the last step is zero now. */
void shadow_check_scrubbed(void);

#endif
