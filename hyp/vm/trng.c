// SPDX-License-Identifier: GPL-2.0-only
/*
 * True random numbers for guests (Arm DEN0098, version 1.0), which the host neither makes nor sees: from
 * the CPU (FEAT_RNG), or else from firmware.
 */
#include <stockade/guestcall.h>

#include "arch/random.h"
#include "arch/smc.h"
#include "vm/exit.h"

#define TRNG_VERSION_1_0 0x10000
#define MAX_WORDS	 3

/* Firmware has the service; its minor version does not matter. */
static bool firmware_has_trng(void)
{
	s64 version = (s32)smc_call(TRNG_VERSION, 0, 0, 0);

	return version >= TRNG_VERSION_1_0;
}

static bool has_trng(void)
{
	return arch_has_random() || firmware_has_trng();
}

/* bits of entropy, the most significant words first, all others 0. */
static void random_from_cpu(u64 *x, u64 bits, unsigned int word_bits)
{
	u64 words[MAX_WORDS] = { 0 };

	for (unsigned int i = 0; bits; i++) {
		u64 n = min_u64(bits, word_bits);

		if (!arch_random(&words[i])) {
			x[0] = (u64)TRNG_RET_NO_ENTROPY;
			return;
		}
		if (n < 64)
			words[i] &= BIT(n) - 1;
		bits -= n;
	}
	x[0] = SMCCC_RET_SUCCESS;
	x[1] = words[2];
	x[2] = words[1];
	x[3] = words[0];
}

static void random(u64 *x, unsigned int word_bits)
{
	/* The 32-bit call has 32-bit arguments. */
	u64 bits = word_bits == 32 ? (u32)x[1] : x[1];

	if (!bits || bits > (u64)MAX_WORDS * word_bits) {
		x[0] = (u64)PSCI_RET_INVALID_PARAMETERS;
	} else if (arch_has_random()) {
		random_from_cpu(x, bits, word_bits);
	} else {
		u64 call[18] = { x[0], bits };

		smc_forward(call);
		for (unsigned int i = 0; i <= MAX_WORDS; i++)
			x[i] = call[i];
	}
}

static bool is_trng_function(u32 function)
{
	return (function >= TRNG_VERSION && function <= TRNG_RND_32) || function == TRNG_RND_64;
}

void vm_trng(struct vcpu *vcpu)
{
	u64 *x = vcpu->regs.x;

	if (!has_trng()) {
		x[0] = (u64)SMCCC_RET_NOT_SUPPORTED;
		return;
	}
	switch ((u32)x[0]) {
	case TRNG_VERSION:
		x[0] = TRNG_VERSION_1_0;
		break;
	case TRNG_FEATURES:
		x[0] = is_trng_function((u32)x[1]) ? SMCCC_RET_SUCCESS :
						     (u64)SMCCC_RET_NOT_SUPPORTED;
		break;
	case TRNG_GET_UUID:
		/* Stockade's own: 7d0b1c52-6f3e-4a8d-9b61-35e2c4f80a97. */
		x[0] = 0x521c0b7d;
		x[1] = 0x8d4a3e6f;
		x[2] = 0xe235619b;
		x[3] = 0x970af8c4;
		break;
	case TRNG_RND_32:
		random(x, 32);
		break;
	default:
		random(x, 64);
		break;
	}
}
