/* SPDX-License-Identifier: GPL-2.0-only */
/* The step of launch from which on memory has owners. */
#ifndef HYP_HOST_SEAL_H
#define HYP_HOST_SEAL_H

#include "arch/lock.h"

/*
 * Hostcall SEAL, once: what the loader handed over becomes the hypervisor's, and the host's stage 2 is built
 * without it. STOCKADE_OK; EBUSY: it is sealed; ENOMEM: the pool of launch is too small for the tables; EAGAIN:
 * FF-A is in use (host/ffa.h).
 */
int host_seal(void) TAKES(ffa);

#endif
