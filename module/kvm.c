// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/kvm: the system's, the VM's and the vGIC device's ioctls, as in Linux's
 * Documentation/virt/kvm/api.rst. A VM lives as long as any fd of it, and each fd holds the module.
 */
#include "kvm.h"

#include <linux/anon_inodes.h>
#include <linux/cpufeature.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <asm/sysreg.h>

#include "timer.h"
#include "vgic.h"

/*
 * Upstream's bit of KVM_CREATE_VM's type for a protected VM; headers before 7.x don't have it.
 */
#ifndef KVM_VM_TYPE_ARM_PROTECTED
#define KVM_VM_TYPE_ARM_PROTECTED (1UL << 31)
#endif

#define IPA_BITS_MIN	 32
#define IPA_BITS_DEFAULT 40
#define IPA_BITS_MAX	 48 /* four-level tables of 4 KiB; 52 bits would want LPA2 */

static DEFINE_MUTEX(vms_lock);
static LIST_HEAD(vms);	    /* guarded by vms_lock */
static unsigned int nr_vms; /* guarded by vms_lock */
static bool stopping;	    /* guarded by vms_lock; never goes back */

/* What we offer */

u32 stockade_ipa_limit(void)
{
	static const u8 bits[] = { 32, 36, 40, 42, 44, 48, 52, 56 };
	u64 mmfr0 = read_sanitised_ftr_reg(SYS_ID_AA64MMFR0_EL1);
	u32 range = mmfr0 & 0xf; /* PARange */

	if (range >= ARRAY_SIZE(bits))
		return IPA_BITS_MAX;
	return min_t(u32, bits[range], IPA_BITS_MAX);
}

/*
 * As upstream answers for a protected VM where it is the same here; 0 for what is not offered. For
 * ONE_REG, IMMEDIATE_EXIT and ARM_IRQ_LINE_LAYOUT_2 upstream says 0 although they work: VMMs look
 * for them at /dev/kvm, where it says 1. SYNC_MMU is upstream's answer too: VMMs take it as leave
 * to use file-backed guest memory, which is so.
 */
static int check_extension(unsigned long extension)
{
	switch (extension) {
	case KVM_CAP_IRQCHIP:
	case KVM_CAP_USER_MEMORY:
	case KVM_CAP_SYNC_MMU:
	case KVM_CAP_DESTROY_MEMORY_REGION_WORKS:
	case KVM_CAP_JOIN_MEMORY_REGIONS_WORKS:
	case KVM_CAP_ONE_REG:
	case KVM_CAP_ARM_PSCI:
	case KVM_CAP_ARM_PSCI_0_2:
	case KVM_CAP_DEVICE_CTRL:
	case KVM_CAP_ENABLE_CAP_VM:
	case KVM_CAP_CHECK_EXTENSION_VM:
	case KVM_CAP_IMMEDIATE_EXIT:
	case KVM_CAP_ARM_IRQ_LINE_LAYOUT_2:
	case KVM_CAP_SYSTEM_EVENT_DATA:
		return 1;
	case KVM_CAP_NR_VCPUS:
		return min_t(unsigned int, num_online_cpus(), STOCKADE_MAX_VCPUS);
	case KVM_CAP_MAX_VCPUS:
	case KVM_CAP_MAX_VCPU_ID:
		return STOCKADE_MAX_VCPUS;
	case KVM_CAP_NR_MEMSLOTS:
		return STOCKADE_MAX_SLOTS;
	case KVM_CAP_ARM_VM_IPA_SIZE:
		return stockade_ipa_limit();
	case KVM_CAP_ARM_PTRAUTH_ADDRESS:
		return system_supports_address_auth();
	case KVM_CAP_ARM_PTRAUTH_GENERIC:
		return system_supports_generic_auth();
	default:
		return 0;
	}
}

/* A VM's life */

static void vm_free(struct stockade_vm *vm)
{
	unsigned int i;

	for (i = 0; i < STOCKADE_MAX_VCPUS; i++)
		if (vm->vcpus[i])
			stockade_vcpu_free(vm->vcpus[i]);
	kfree(vm->vcpus);
	vgic_destroy(vm);
	stockade_memslot_free_all(vm);
	mmdrop(vm->mm);
	kfree(vm);
}

static void vm_release(struct kref *ref)
{
	struct stockade_vm *vm = container_of(ref, struct stockade_vm, ref);

	list_del(&vm->node);
	mutex_unlock(&vms_lock);

	mutex_lock(&vm->lock);
	stockade_vm_destroy_el2(vm);
	mutex_unlock(&vm->lock);
	vm_free(vm);

	mutex_lock(&vms_lock);
	nr_vms--;
	mutex_unlock(&vms_lock);
}

void stockade_vm_put(struct stockade_vm *vm)
{
	kref_put_mutex(&vm->ref, vm_release, &vms_lock);
}

static struct stockade_vm *vm_alloc(u32 ipa_bits)
{
	struct stockade_vm *vm;
	int err = 0;

	vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm)
		return ERR_PTR(-ENOMEM);
	vm->vcpus = kcalloc(STOCKADE_MAX_VCPUS, sizeof(*vm->vcpus), GFP_KERNEL_ACCOUNT);
	if (!vm->vcpus) {
		kfree(vm);
		return ERR_PTR(-ENOMEM);
	}
	kref_init(&vm->ref);
	vm->ipa_bits = ipa_bits;
	mutex_init(&vm->lock);
	INIT_LIST_HEAD(&vm->slots);
	mutex_init(&vm->mem_lock);
	vm->mm = current->mm;
	mmgrab(vm->mm);

	mutex_lock(&vms_lock);
	if (stopping) {
		err = -ENODEV;
	} else if (nr_vms >= STOCKADE_MAX_VMS) {
		err = -ENOMEM;
	} else {
		nr_vms++;
		list_add_tail(&vm->node, &vms);
	}
	mutex_unlock(&vms_lock);
	if (err) {
		vm_free(vm);
		return ERR_PTR(err);
	}
	return vm;
}

/* VM fd */

static int irq_line(struct stockade_vm *vm, const struct kvm_irq_level *irq)
{
	unsigned int type = irq->irq >> KVM_ARM_IRQ_TYPE_SHIFT & KVM_ARM_IRQ_TYPE_MASK;
	unsigned int index = irq->irq >> KVM_ARM_IRQ_VCPU_SHIFT & KVM_ARM_IRQ_VCPU_MASK;
	unsigned int intid = irq->irq >> KVM_ARM_IRQ_NUM_SHIFT & KVM_ARM_IRQ_NUM_MASK;
	struct stockade_vcpu *vcpu;

	index += (irq->irq >> KVM_ARM_IRQ_VCPU2_SHIFT & KVM_ARM_IRQ_VCPU2_MASK) *
		 (KVM_ARM_IRQ_VCPU_MASK + 1);

	switch (type) {
	case KVM_ARM_IRQ_TYPE_CPU:
		/* A vCPU's bare IRQ input, for an interrupt controller in user space: none here. */
		return READ_ONCE(vm->vgic) ? -ENXIO : -EINVAL;
	case KVM_ARM_IRQ_TYPE_SPI:
		if (!READ_ONCE(vm->vgic))
			return -ENXIO;
		if (intid < 32)
			return -EINVAL;
		return vgic_set_line(vm, NULL, intid, irq->level);
	case KVM_ARM_IRQ_TYPE_PPI:
		if (!READ_ONCE(vm->vgic))
			return -ENXIO;
		vcpu = stockade_vcpu_get(vm, index);
		if (!vcpu || intid < 16 || intid > 31)
			return -EINVAL;
		/* The timer's own: an LR of it is tied to the physical interrupt. */
		if (intid == STOCKADE_GUEST_VTIMER)
			return -EINVAL;
		return vgic_set_line(vm, vcpu, intid, irq->level);
	default:
		return -EINVAL;
	}
}

static long device_ioctl(struct file *file, unsigned int ioctl, unsigned long arg)
{
	struct stockade_vm *vm = file->private_data;
	struct kvm_device_attr attr;

	if (vm->mm != current->mm)
		return -EIO;
	switch (ioctl) {
	case KVM_SET_DEVICE_ATTR:
	case KVM_GET_DEVICE_ATTR:
	case KVM_HAS_DEVICE_ATTR:
		break;
	default:
		return -ENOTTY;
	}
	if (copy_from_user(&attr, (void __user *)arg, sizeof(attr)))
		return -EFAULT;
	switch (ioctl) {
	case KVM_SET_DEVICE_ATTR:
		return vgic_set_attr(vm, &attr);
	case KVM_GET_DEVICE_ATTR:
		return vgic_get_attr(vm, &attr);
	default:
		return vgic_has_attr(vm, &attr);
	}
}

static int vm_fd_release(struct inode *inode, struct file *file)
{
	stockade_vm_put(file->private_data);
	return 0;
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = device_ioctl,
	.release = vm_fd_release,
	.llseek = noop_llseek,
};

static int create_device(struct stockade_vm *vm, struct kvm_create_device __user *user)
{
	struct kvm_create_device device;
	struct file *file;
	int fd, err;

	if (copy_from_user(&device, user, sizeof(device)))
		return -EFAULT;
	if (device.type != KVM_DEV_TYPE_ARM_VGIC_V3)
		return -ENODEV;
	if (device.flags & KVM_CREATE_DEVICE_TEST)
		return 0;

	/* The device has no undo, so all else that can fail comes before. */
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	kref_get(&vm->ref);
	file = anon_inode_getfile("kvm-vgic", &device_fops, vm, O_RDWR);
	if (IS_ERR(file)) {
		stockade_vm_put(vm);
		err = PTR_ERR(file);
		goto err_fd;
	}
	device.fd = fd;
	if (copy_to_user(user, &device, sizeof(device))) {
		err = -EFAULT;
		goto err_file;
	}
	mutex_lock(&vm->lock);
	err = vgic_create(vm);
	mutex_unlock(&vm->lock);
	if (err)
		goto err_file;
	fd_install(fd, file);
	return 0;

err_file:
	fput(file);
err_fd:
	put_unused_fd(fd);
	return err;
}

static long vm_ioctl(struct file *file, unsigned int ioctl, unsigned long arg)
{
	struct stockade_vm *vm = file->private_data;
	void __user *user = (void __user *)arg;

	/* Addresses in a VM's memslots are its creator's. */
	if (vm->mm != current->mm)
		return -EIO;
	switch (ioctl) {
	case KVM_CREATE_VCPU:
		return stockade_vcpu_create(vm, arg);
	case KVM_CHECK_EXTENSION:
		return check_extension(arg);
	case KVM_SET_USER_MEMORY_REGION: {
		struct kvm_userspace_memory_region region;

		if (copy_from_user(&region, user, sizeof(region)))
			return -EFAULT;
		return stockade_memslot_set(vm, &region);
	}
	case KVM_GET_DIRTY_LOG: {
		struct kvm_dirty_log log;

		if (copy_from_user(&log, user, sizeof(log)))
			return -EFAULT;
		/* No slot logs: the flag is refused. */
		return log.slot < STOCKADE_MAX_SLOTS ? -ENOENT : -EINVAL;
	}
	case KVM_CREATE_DEVICE:
		return create_device(vm, user);
	case KVM_IRQ_LINE: {
		struct kvm_irq_level irq;

		if (copy_from_user(&irq, user, sizeof(irq)))
			return -EFAULT;
		return irq_line(vm, &irq);
	}
	case KVM_ARM_PREFERRED_TARGET: {
		struct kvm_vcpu_init init = { .target = KVM_ARM_TARGET_GENERIC_V8 };

		if (copy_to_user(user, &init, sizeof(init)))
			return -EFAULT;
		return 0;
	}
	case KVM_ENABLE_CAP:
		return -EINVAL;
	case KVM_CREATE_IRQCHIP: /* that is a GICv2 */
		return -ENODEV;
	default:
		return -ENOTTY;
	}
}

static const struct file_operations vm_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vm_ioctl,
	.release = vm_fd_release,
	.llseek = noop_llseek,
};

/* /dev/kvm */

static int create_vm(unsigned long type)
{
	u32 ipa_bits = type & KVM_VM_TYPE_ARM_IPA_SIZE_MASK;
	u32 limit = stockade_ipa_limit();
	struct stockade_vm *vm;
	int fd;

	if (type & ~(KVM_VM_TYPE_ARM_IPA_SIZE_MASK | KVM_VM_TYPE_ARM_PROTECTED))
		return -EINVAL;
	if (!(type & KVM_VM_TYPE_ARM_PROTECTED)) {
		pr_info_ratelimited(
			"non-protected VMs are not offered yet (KVM_VM_TYPE_ARM_PROTECTED)\n");
		return -EINVAL;
	}
	if (!ipa_bits)
		ipa_bits = min_t(u32, IPA_BITS_DEFAULT, limit);
	if (ipa_bits < IPA_BITS_MIN || ipa_bits > limit)
		return -EINVAL;

	vm = vm_alloc(ipa_bits);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	fd = anon_inode_getfd("kvm-vm", &vm_fops, vm, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		stockade_vm_put(vm);
	return fd;
}

static long dev_ioctl(struct file *file, unsigned int ioctl, unsigned long arg)
{
	switch (ioctl) {
	case KVM_GET_API_VERSION:
		return arg ? -EINVAL : KVM_API_VERSION;
	case KVM_CREATE_VM:
		return create_vm(arg);
	case KVM_CHECK_EXTENSION:
		return check_extension(arg);
	case KVM_GET_VCPU_MMAP_SIZE:
		return arg ? -EINVAL : PAGE_SIZE;
	default:
		return -ENOTTY;
	}
}

static const struct file_operations dev_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = dev_ioctl,
	.llseek = noop_llseek,
};

/* As KVM's own, but for the mode: a VM costs its user no more than memory he may lock anyway. */
static struct miscdevice dev = {
	.minor = KVM_MINOR,
	.name = "kvm",
	.fops = &dev_fops,
	.mode = 0666,
};

/* Ends one VM; a vCPU that can't be stopped (it waits for a page, say) is left behind. */
static bool stop_vm(struct stockade_vm *vm, unsigned long until)
{
	struct stockade_vcpu *vcpu;
	unsigned int i;

	/* Not ended: whoever sleeps because of that must leave. */
	WRITE_ONCE(vm->ended, false);
	WRITE_ONCE(vm->dead, true);
	for (i = 0; i < STOCKADE_MAX_VCPUS; i++) {
		vcpu = stockade_vcpu_get(vm, i);
		if (!vcpu)
			continue;
		/* dead is looked at before each entry, so who is out of KVM_RUN once stays out. */
		stockade_vcpu_kick(vcpu);
		while (!mutex_trylock(&vcpu->lock)) {
			if (time_after(jiffies, until))
				return false;
			stockade_vcpu_kick(vcpu);
			msleep(20);
		}
		mutex_unlock(&vcpu->lock);
	}
	mutex_lock(&vm->lock);
	stockade_vm_destroy_el2(vm);
	mutex_unlock(&vm->lock);
	return true;
}

int stockade_kvm_stop(void)
{
	unsigned long until = jiffies + 5ul * HZ;
	struct stockade_vm *vm;
	bool stopped = true;

	mutex_lock(&vms_lock);
	stopping = true;
	list_for_each_entry(vm, &vms, node)
		if (!stop_vm(vm, until))
			stopped = false;
	mutex_unlock(&vms_lock);
	if (!stopped)
		return -EBUSY;
	/* Those whose last fd is being closed right now are no longer in the list. */
	return stockade_vm_wait_none(5ul * HZ) ? 0 : -EBUSY;
}

int stockade_kvm_init(void)
{
	int err;

	preempt_notifier_inc();
	err = misc_register(&dev);
	if (err) {
		pr_err("can't register /dev/kvm (%d): is there another KVM?\n", err);
		preempt_notifier_dec();
	}
	return err;
}

void stockade_kvm_exit(void)
{
	misc_deregister(&dev);
	preempt_notifier_dec();
}
