// SPDX-License-Identifier: GPL-2.0-only
#include "host/smc.h"

#include <stockade/guestcall.h>

#include "arch/host_el1.h"
#include "arch/lock.h"
#include "arch/smc.h"
#include "host/ffa.h"
#include "host/psci.h"
#include "lib/log.h"

#define SDEI_VERSION	   0xc4000020u
#define SDEI_PE_MASK	   0xc400002bu
#define SDEI_PRIVATE_RESET 0xc4000031u
#define SDEI_SHARED_RESET  0xc4000032u

/* Owning entity of a function (DEN0028, 6.1): 2 SiP, 3 OEM, 48 and 49 trusted applications, 50 to 63 trusted OS. */
#define OWNER	  GENMASK(29, 24)
#define OWNER_SIP 2
#define OWNER_OEM 3
#define OWNER_TA  48

static bool tos_allowed; /* constant after launch */

void smc_init(bool allow_tos)
{
	tos_allowed = allow_tos;
}

void smc_stop_sdei(void)
{
	if ((s64)smc_call(SDEI_VERSION, 0, 0, 0) < 0)
		return;
	smc_call(SDEI_PE_MASK, 0, 0, 0);
	smc_call(SDEI_PRIVATE_RESET, 0, 0, 0);
	smc_call(SDEI_SHARED_RESET, 0, 0, 0);
}

static bool is_of_trusted_os(u32 function)
{
	u64 owner = FIELD_GET(OWNER, function);

	return owner == OWNER_SIP || owner == OWNER_OEM || owner >= OWNER_TA;
}

/* Function IDs of Arm DEN0028 (architecture calls) and DEN0098 (TRNG) that name no memory. */
static bool names_no_memory(u32 function)
{
	switch (function) {
	case SMCCC_VERSION:
	case SMCCC_ARCH_FEATURES:
	case 0x80000002: /* SMCCC_ARCH_SOC_ID */
	case SMCCC_ARCH_WORKAROUND_1:
	case SMCCC_ARCH_WORKAROUND_2:
	case SMCCC_ARCH_WORKAROUND_3:
	case TRNG_VERSION:
	case TRNG_FEATURES:
	case TRNG_GET_UUID:
	case TRNG_RND_32:
	case TRNG_RND_64:
		return true;
	default:
		return false;
	}
}

void smc_log_denied(u32 function)
{
	static struct smc_lock lock;
	static u32 seen[16] GUARDED_BY(smc), nr_seen GUARDED_BY(smc);
	u32 i;

	spin_lock(&lock);
	for (i = 0; i < nr_seen && seen[i] != function; i++)
		;
	if (i == nr_seen && nr_seen < ARRAY_SIZE(seen)) {
		seen[nr_seen++] = function;
		log_line("denied the host an SMC, function 0x%x", function);
	}
	spin_unlock(&lock);
}

void host_smc(struct host_regs *regs)
{
	/* Bit 16 of a fast call's ID says that no SVE state is live: it is no part of the number. */
	u32 function = (u32)regs->x[0] & ~SMCCC_HINT;

	host_skip_instruction();
	/* Only SMC #0 is the calling convention's (DEN0028, 2.9). */
	if (!(host_trap_esr() & 0xffff)) {
		if (psci_is_function(function)) {
			host_psci(regs);
			return;
		}
		if (ffa_is_function(function)) {
			regs->x[0] = function;
			host_ffa(regs);
			return;
		}
		if (names_no_memory(function) || (tos_allowed && is_of_trusted_os(function))) {
			smc_forward(regs->x);
			return;
		}
	}
	smc_log_denied(function);
	regs->x[0] = (u64)SMCCC_RET_NOT_SUPPORTED;
}
