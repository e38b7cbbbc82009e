// SPDX-License-Identifier: GPL-2.0-only
/* Trapped system registers of a guest. What is not here is UNDEF to it. */
#include "arch/idreg.h"
#include "arch/esr.h"
#include "vm/exit.h"
#include "vm/idreg.h"

/* Encodings as in the ISS of a trapped MSR, MRS or system instruction (Arm ARM D24.2.40). */
#define ISS_READ BIT(0)
#define ISS_RT	 GENMASK(9, 5)
#define REG(op0, op1, crn, crm, op2) \
	((op0) << 20 | (op2) << 17 | (op1) << 14 | (crn) << 10 | (crm) << 1)
#define REG_MASK     REG(3, 7, 15, 15, 7)
#define REG_CRM(reg) (((reg) >> 1) & 15)
#define REG_OP2(reg) (((reg) >> 17) & 7)

#define X_ZERO 31

#define ICC_SRE_FIXED 7 /* SRE, DFB, DIB */

/* CCSIDR_EL1 of a cache that is not there is UNKNOWN, or UNDEFINED: not for us to read. */
static u64 cache_size_id(u64 csselr)
{
	u64 level = csselr >> 1;
	u64 type = level < 7 ? (arch_clidr() >> (3 * level)) & 7 : 0;
	bool instruction = csselr & 1;

	/* CLIDR_EL1.Ctype: 1 instruction, 2 data, 3 both, 4 unified. */
	if (instruction ? type != 1 && type != 3 : type < 2 || type > 4)
		return 0;
	return arch_ccsidr(csselr);
}

/* True: the register reads as *value, which is 0 if nothing is put there, and ignores writes. */
static bool fixed_value(struct vcpu *vcpu, u32 reg, u64 *value)
{
	switch (reg) {
	case REG(3, 0, 0, 0, 6): /* REVIDR_EL1 */
	case REG(3, 1, 0, 0, 7): /* AIDR_EL1 */
	case REG(2, 0, 0, 0, 4): /* DBGBVR0_EL1 */
	case REG(2, 0, 0, 0, 5): /* DBGBCR0_EL1 */
	case REG(2, 0, 0, 0, 6): /* DBGWVR0_EL1 */
	case REG(2, 0, 0, 0, 7): /* DBGWCR0_EL1 */
	case REG(2, 0, 0, 2, 2): /* MDSCR_EL1 */
	case REG(2, 0, 1, 0, 4): /* OSLAR_EL1 */
	case REG(2, 0, 1, 1, 4): /* OSLSR_EL1 */
	case REG(2, 0, 1, 3, 4): /* OSDLR_EL1 */
	case REG(3, 0, 5, 3, 0): /* ERRIDR_EL1 */
	case REG(3, 0, 5, 3, 1): /* ERRSELR_EL1 */
		return true;
	case REG(3, 3, 0, 0, 1): /* CTR_EL0 */
		*value = arch_ctr();
		return true;
	case REG(3, 1, 0, 0, 1): /* CLIDR_EL1 */
		*value = arch_clidr();
		return true;
	case REG(3, 1, 0, 0, 0): /* CCSIDR_EL1 */
		*value = cache_size_id(vcpu->csselr);
		return true;
	case REG(3, 0, 12, 12, 5): /* ICC_SRE_EL1 */
		*value = ICC_SRE_FIXED;
		return true;
	default:
		break;
	}
	if ((reg & REG(3, 7, 15, 8, 0)) == REG(3, 0, 0, 0, 0) && REG_CRM(reg)) {
		*value = idreg_guest_value(REG_CRM(reg), REG_OP2(reg), vcpu->vm->mem.map.ia_bits);
		return true;
	}
	return false;
}

/* AP[ID][AB]Key and APGAKey, (3, 0, 2, 1 to 3, 0 to 3): they trap until the guest first uses them. */
static bool is_pauth_key(u32 reg)
{
	return (reg & REG(3, 7, 15, 12, 4)) == REG(3, 0, 2, 0, 0) && REG_CRM(reg);
}

enum stockade_exit exit_sysreg(struct vcpu *vcpu, struct exit_info *info)
{
	u64 iss = vcpu->regs.esr;
	u32 reg = (u32)(iss & REG_MASK);
	bool read = iss & ISS_READ;
	u64 rt = FIELD_GET(ISS_RT, iss), value = 0;
	u64 written = rt == X_ZERO ? 0 : vcpu->regs.x[rt];

	if (is_pauth_key(reg) && arch_has_pauth()) {
		guest_use_pauth(&vcpu->regs);
		return STOCKADE_EXIT_NONE;
	}
	switch (reg) {
	case REG(3, 0, 12, 11, 5): /* ICC_SGI1R_EL1 */
		if (read)
			break;
		info->arg = written;
		vcpu_skip(vcpu);
		return STOCKADE_EXIT_SGI;
	case REG(3, 0, 12, 11, 6): /* ICC_ASGI1R_EL1: nobody is in the other group */
	case REG(3, 0, 12, 11, 7): /* ICC_SGI0R_EL1 */
	case REG(1, 0, 7, 6, 2):   /* DC ISW: caches are coherent, set and way name nothing */
	case REG(1, 0, 7, 10, 2):  /* DC CSW */
	case REG(1, 0, 7, 14, 2):  /* DC CISW */
		if (read)
			break;
		vcpu_skip(vcpu);
		return STOCKADE_EXIT_NONE;
	case REG(3, 2, 0, 0, 0): /* CSSELR_EL1 */
		if (!read)
			vcpu->csselr = written & 0xf;
		else if (rt != X_ZERO)
			vcpu->regs.x[rt] = vcpu->csselr;
		vcpu_skip(vcpu);
		return STOCKADE_EXIT_NONE;
	default:
		if (!fixed_value(vcpu, reg, &value))
			break;
		if (read && rt != X_ZERO)
			vcpu->regs.x[rt] = value;
		vcpu_skip(vcpu);
		return STOCKADE_EXIT_NONE;
	}
	vcpu_inject_undef(vcpu);
	return STOCKADE_EXIT_NONE;
}
