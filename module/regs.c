// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU's registers as user space may see them: until the first run only, and only those that it
 * has a say in. x0-x30 and PC are set here and handed to the hypervisor when the VM is created. The
 * other core registers are listed because VMMs write back all they know of; they read as their
 * reset value and take no other.
 */
#include "kvm.h"

#include <linux/cpufeature.h>
#include <linux/ptrace.h>
#include <linux/uaccess.h>

/* KVM_ARM_VCPU_HAS_EL2_E2H0, which older headers do not have. */
#define LAST_FEATURE	8
#define FEATURE_PTRAUTH (BIT(KVM_ARM_VCPU_PTRAUTH_ADDRESS) | BIT(KVM_ARM_VCPU_PTRAUTH_GENERIC))

/* As a vCPU starts: EL1h, everything masked. */
#define BOOT_PSTATE (PSR_MODE_EL1h | PSR_A_BIT | PSR_I_BIT | PSR_F_BIT | PSR_D_BIT)

#define MPIDR_ID ARM64_SYS_REG(3, 0, 0, 0, 5)

/* A field of struct kvm_regs that makes up registers of one size. */
struct core_field {
	u16 offset;
	u16 count;
	u8 size; /* bytes of each */
};

/* clang-format off */
#define CORE_FIELD(field, n) {						\
	.offset = offsetof(struct kvm_regs, field),			\
	.count = (n),							\
	.size = sizeof_field(struct kvm_regs, field) / (n),		\
}

static const struct core_field core_fields[] = {
	CORE_FIELD(regs.regs, 31),
	CORE_FIELD(regs.sp, 1),
	CORE_FIELD(regs.pc, 1),
	CORE_FIELD(regs.pstate, 1),
	CORE_FIELD(sp_el1, 1),
	CORE_FIELD(elr_el1, 1),
	CORE_FIELD(spsr, KVM_NR_SPSR),
	CORE_FIELD(fp_regs.vregs, 32),
	CORE_FIELD(fp_regs.fpsr, 1),
	CORE_FIELD(fp_regs.fpcr, 1),
};
/* clang-format on */

static u64 size_code(unsigned int size)
{
	return (u64)ilog2(size) << KVM_REG_SIZE_SHIFT;
}

static u64 core_id(const struct core_field *field, unsigned int n)
{
	return KVM_REG_ARM64 | KVM_REG_ARM_CORE | size_code(field->size) |
	       (field->offset + n * field->size) / sizeof(u32);
}

/* As EL2 numbers vCPUs, and as the vGIC routes: 16 to a cluster. */
static u64 mpidr(const struct stockade_vcpu *vcpu)
{
	return BIT_ULL(31) | (u64)(vcpu->index >> 4) << 8 | (vcpu->index & 0xf);
}

/*
 * Size in bytes of a register, 0 if there is no such one; *boot: the boot register that it is, or
 * NULL; then it has a value of its own and no other.
 */
static unsigned int find_reg(struct stockade_vcpu *vcpu, u64 id, u64 **boot, u64 *constant)
{
	unsigned int i, n;

	*boot = NULL;
	*constant = 0;
	if (id == MPIDR_ID) {
		*constant = mpidr(vcpu);
		return sizeof(u64);
	}
	for (i = 0; i < ARRAY_SIZE(core_fields); i++) {
		const struct core_field *field = &core_fields[i];

		for (n = 0; n < field->count; n++) {
			if (id != core_id(field, n))
				continue;
			if (field->offset == offsetof(struct kvm_regs, regs.regs))
				*boot = &vcpu->boot_regs[STOCKADE_REG_X0 + n];
			else if (field->offset == offsetof(struct kvm_regs, regs.pc))
				*boot = &vcpu->boot_regs[STOCKADE_REG_PC];
			else if (field->offset == offsetof(struct kvm_regs, regs.pstate))
				*constant = BOOT_PSTATE;
			return field->size;
		}
	}
	return 0;
}

int stockade_regs_check(const struct stockade_vcpu *vcpu)
{
	if (vcpu->vm->created)
		return -EPERM;
	return vcpu->initialised ? 0 : -ENOEXEC;
}

int stockade_regs_access(struct stockade_vcpu *vcpu, const struct kvm_one_reg *reg, bool write)
{
	u64 value[2] = {}, constant, *boot;
	void __user *user = u64_to_user_ptr(reg->addr);
	unsigned int size;
	int err;

	size = find_reg(vcpu, reg->id, &boot, &constant);
	if (write && size && copy_from_user(value, user, size))
		return -EFAULT;

	/* vm->lock: from the sealing on, nothing that is set here would count. */
	mutex_lock(&vcpu->vm->lock);
	err = stockade_regs_check(vcpu);
	if (!err && !size)
		err = -ENOENT;
	if (!err && write) {
		if (boot)
			*boot = value[0];
		else if (value[0] != constant || value[1])
			err = -EINVAL;
	} else if (!err) {
		value[0] = boot ? *boot : constant;
	}
	mutex_unlock(&vcpu->vm->lock);

	if (!err && !write && copy_to_user(user, value, size))
		return -EFAULT;
	return err;
}

int stockade_regs_list(struct stockade_vcpu *vcpu, struct kvm_reg_list __user *user)
{
	u64 __user *ids = user->reg;
	u64 room, nr = 1;
	unsigned int i, n;
	int err;

	mutex_lock(&vcpu->vm->lock);
	err = stockade_regs_check(vcpu);
	mutex_unlock(&vcpu->vm->lock);
	if (err)
		return err;

	for (i = 0; i < ARRAY_SIZE(core_fields); i++)
		nr += core_fields[i].count;
	if (get_user(room, &user->n) || put_user(nr, &user->n))
		return -EFAULT;
	if (room < nr)
		return -E2BIG;

	for (i = 0; i < ARRAY_SIZE(core_fields); i++)
		for (n = 0; n < core_fields[i].count; n++)
			if (put_user(core_id(&core_fields[i], n), ids++))
				return -EFAULT;
	return put_user(MPIDR_ID, ids);
}

int stockade_regs_init(struct stockade_vcpu *vcpu, const struct kvm_vcpu_init *init)
{
	u32 off = init->features[0] & BIT(KVM_ARM_VCPU_POWER_OFF);
	u32 features = init->features[0] & ~off;
	int err = 0;
	int i;

	if (init->target != KVM_ARM_TARGET_GENERIC_V8)
		return -EINVAL;
	for (i = 1; i < ARRAY_SIZE(init->features); i++)
		if (init->features[i])
			return -EINVAL;
	/* As KVM: what it has never heard of is ENOENT, what it can't do EINVAL. */
	if (features & ~GENMASK(LAST_FEATURE, 0))
		return -ENOENT;
	if (features & ~(BIT(KVM_ARM_VCPU_PSCI_0_2) | FEATURE_PTRAUTH))
		return -EINVAL;
	/* The guest has pointer authentication or has not: EL2 decides. */
	if (features & FEATURE_PTRAUTH &&
	    ((features & FEATURE_PTRAUTH) != FEATURE_PTRAUTH || !system_has_full_ptr_auth()))
		return -EINVAL;

	mutex_lock(&vcpu->vm->lock);
	if (vcpu->vm->created) {
		err = -EPERM;
	} else if (vcpu->initialised && features != vcpu->features) {
		/* As KVM: again only with the same features. */
		err = -EINVAL;
	} else {
		vcpu->features = features;
		vcpu->start_off = off;
		memset(vcpu->boot_regs, 0, sizeof(vcpu->boot_regs));
		vcpu->initialised = true;
	}
	mutex_unlock(&vcpu->vm->lock);
	return err;
}
