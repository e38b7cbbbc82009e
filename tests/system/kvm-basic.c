// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/kvm looks like KVM: version, capabilities, VMs and vCPUs come and go, and what is wrong is
 * refused with KVM's own errno.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kvmtest.h"
#include "tap.h"

#define BAD_POINTER ((void *)8)

static int do_ioctl(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? errno : 0;
}

/* Values on a protected VM's fd; at least, or exactly. */
static void test_capabilities(int kvm, int vm)
{
	static const struct {
		int cap, want;
		bool at_least;
		const char *name;
	} caps[] = {
		{ KVM_CAP_IRQCHIP, 1, false, "IRQCHIP" },
		{ KVM_CAP_USER_MEMORY, 1, false, "USER_MEMORY" },
		{ KVM_CAP_NR_VCPUS, 1, true, "NR_VCPUS" },
		{ KVM_CAP_MAX_VCPUS, 8, true, "MAX_VCPUS" },
		{ KVM_CAP_MAX_VCPU_ID, 8, true, "MAX_VCPU_ID" },
		{ KVM_CAP_NR_MEMSLOTS, 32, true, "NR_MEMSLOTS" },
		{ KVM_CAP_DESTROY_MEMORY_REGION_WORKS, 1, false, "DESTROY_MEMORY_REGION_WORKS" },
		{ KVM_CAP_JOIN_MEMORY_REGIONS_WORKS, 1, false, "JOIN_MEMORY_REGIONS_WORKS" },
		{ KVM_CAP_DEVICE_CTRL, 1, false, "DEVICE_CTRL" },
		{ KVM_CAP_CHECK_EXTENSION_VM, 1, false, "CHECK_EXTENSION_VM" },
		{ KVM_CAP_ARM_PSCI, 1, false, "ARM_PSCI" },
		{ KVM_CAP_ARM_PSCI_0_2, 1, false, "ARM_PSCI_0_2" },
		{ KVM_CAP_ARM_VM_IPA_SIZE, 32, true, "ARM_VM_IPA_SIZE" },
		{ 9999, 0, false, "number 9999" },
	};
	static const struct {
		int cap;
		const char *name;
	} refused[] = {
		{ KVM_CAP_SET_GUEST_DEBUG, "SET_GUEST_DEBUG" },
		{ KVM_CAP_READONLY_MEM, "READONLY_MEM" },
		{ KVM_CAP_VCPU_EVENTS, "VCPU_EVENTS" },
		{ KVM_CAP_ARM_EL1_32BIT, "ARM_EL1_32BIT" },
		{ KVM_CAP_ARM_PMU_V3, "ARM_PMU_V3" },
		{ KVM_CAP_ARM_SVE, "ARM_SVE" },
		{ KVM_CAP_ARM_NISV_TO_USER, "ARM_NISV_TO_USER" },
		{ KVM_CAP_GUEST_DEBUG_HW_BPS, "GUEST_DEBUG_HW_BPS" },
		{ KVM_CAP_ARM_MTE, "ARM_MTE" },
	};
	size_t i;
	int v;

	for (i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		v = ioctl(vm, KVM_CHECK_EXTENSION, caps[i].cap);
		if (!ok(caps[i].at_least ? v >= caps[i].want : v == caps[i].want,
			"capability %s is %s%d", caps[i].name, caps[i].at_least ? ">= " : "",
			caps[i].want))
			diag("it is %d", v);
	}
	v = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_IMMEDIATE_EXIT);
	is(v, 1, "capability IMMEDIATE_EXIT is offered on /dev/kvm");
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (kt_protected())
			is(ioctl(vm, KVM_CHECK_EXTENSION, refused[i].cap), 0,
			   "a protected VM has no %s", refused[i].name);
		else
			skip("not a protected VM", "no %s", refused[i].name);
	}
}

static void test_create_vm(int kvm)
{
	static const struct {
		unsigned long type;
		const char *what;
	} bad[] = {
		{ KVM_VM_TYPE_ARM_PROTECTED | 31, "31 bits of guest address space" },
		{ KVM_VM_TYPE_ARM_PROTECTED | 60, "60 bits of guest address space" },
		{ KVM_VM_TYPE_ARM_PROTECTED | 1ul << 20 | 40, "an unknown type bit" },
		{ 1ul << 63 | 40, "the top type bit" },
		{ 40, "an unprotected VM (not offered yet)" },
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int fd, err;

		if (!kt_protected() && bad[i].type == 40)
			continue;
		fd = ioctl(kvm, KVM_CREATE_VM, bad[i].type);
		err = fd < 0 ? errno : 0;
		is_errno(err, EINVAL, "KVM_CREATE_VM refuses %s", bad[i].what);
		if (fd >= 0)
			close(fd);
	}
}

static void test_pointers(int kvm, int vm, int vcpu)
{
	const struct {
		int fd;
		unsigned long cmd;
		const char *name;
	} ioctls[] = {
		{ vm, KVM_SET_USER_MEMORY_REGION, "KVM_SET_USER_MEMORY_REGION" },
		{ vm, KVM_CREATE_DEVICE, "KVM_CREATE_DEVICE" },
		{ vm, KVM_ARM_PREFERRED_TARGET, "KVM_ARM_PREFERRED_TARGET" },
		{ vm, KVM_IRQ_LINE, "KVM_IRQ_LINE" },
		{ vcpu, KVM_ARM_VCPU_INIT, "KVM_ARM_VCPU_INIT" },
		{ vcpu, KVM_SET_ONE_REG, "KVM_SET_ONE_REG" },
		{ vcpu, KVM_GET_ONE_REG, "KVM_GET_ONE_REG" },
	};
	size_t i;
	int err;

	for (i = 0; i < sizeof(ioctls) / sizeof(ioctls[0]); i++) {
		err = do_ioctl(ioctls[i].fd, ioctls[i].cmd, BAD_POINTER);
		is_errno(err, EFAULT, "%s with a bad pointer", ioctls[i].name);
	}
	for (i = 0; i < 3; i++) {
		static const char *const name[] = { "/dev/kvm", "a VM", "a vCPU" };
		int fd = i == 0 ? kvm : i == 1 ? vm : vcpu;

		err = do_ioctl(fd, _IO(KVMIO, 0xff), NULL);
		ok(err == EINVAL || err == ENOTTY, "an unknown ioctl of %s is refused", name[i]);
	}
}

static void test_vcpu_errors(int vm, int vcpu)
{
	struct kvm_vcpu_init init = { 0 }, bad;
	struct kvm_one_reg reg = { 0 };
	uint64_t val = 0;

	is_errno(do_ioctl(vcpu, KVM_RUN, NULL), ENOEXEC, "KVM_RUN before KVM_ARM_VCPU_INIT");
	is_errno(do_ioctl(vm, KVM_CREATE_VCPU, (void *)0), EEXIST, "the same vCPU twice");
	is_errno(do_ioctl(vm, KVM_CREATE_VCPU, (void *)100000), EINVAL, "vCPU number 100000");
	is_errno(do_ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init), 0, "KVM_ARM_PREFERRED_TARGET");
	is(init.target, KVM_ARM_TARGET_GENERIC_V8, "the preferred target is generic v8");

	bad = init;
	bad.target = 1000;
	is_errno(do_ioctl(vcpu, KVM_ARM_VCPU_INIT, &bad), EINVAL, "an unknown target");
	bad = init;
	bad.features[0] |= 1u << 31;
	is_errno(do_ioctl(vcpu, KVM_ARM_VCPU_INIT, &bad), ENOENT, "an unknown feature");
	init.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
	is_errno(do_ioctl(vcpu, KVM_ARM_VCPU_INIT, &init), 0, "KVM_ARM_VCPU_INIT");
	reg.addr = (uintptr_t)&val;
	reg.id = ARM64_SYS_REG(3, 7, 15, 15, 7);
	is_errno(do_ioctl(vcpu, KVM_SET_ONE_REG, &reg), ENOENT, "an unknown register");
	reg.id = KT_CORE_REG(regs.pc);
	is_errno(do_ioctl(vcpu, KVM_SET_ONE_REG, &reg), 0, "the PC can be set before the start");
}

static void test_devices(int vm)
{
	struct kvm_create_device dev = { .type = 4711 };

	is_errno(do_ioctl(vm, KVM_CREATE_DEVICE, &dev), ENODEV, "an unknown device type");
	dev.type = KVM_DEV_TYPE_ARM_VGIC_V2;
	is_errno(do_ioctl(vm, KVM_CREATE_DEVICE, &dev), ENODEV, "a GICv2 for the guest");
	dev.type = KVM_DEV_TYPE_ARM_VGIC_V3;
	is_errno(do_ioctl(vm, KVM_CREATE_DEVICE, &dev), 0, "a GICv3 for the guest");
	dev.type = KVM_DEV_TYPE_ARM_VGIC_V3;
	is_errno(do_ioctl(vm, KVM_CREATE_DEVICE, &dev), EEXIST, "a second GICv3");
}

/* A VM is its creator's: the memory slots mean that process's addresses. */
static void test_other_process(int vm)
{
	struct kvm_userspace_memory_region r = { .slot = 3 };
	int status = 0;
	pid_t pid = fork();

	if (!pid)
		_exit(do_ioctl(vm, KVM_SET_USER_MEMORY_REGION, &r) == EIO ? 0 : 1);
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && !WEXITSTATUS(status), "another process gets EIO from a VM's fd");
}

static void test_close_order(void)
{
	struct kt_vm vm;
	struct kt_result r;

	kt_create(&vm, &(struct kt_config){ 0 });
	close(vm.fd);
	vm.fd = open("/dev/null", O_RDWR);
	r = kt_call(&vm.vcpu[0], CMD_NOP, 7, 0, 0, 0);
	ok(r.done && r.r[0] == 7, "a vCPU goes on after the VM's fd was closed");
	kt_close(&vm);
	ok(true, "closing the vCPU ends it");
}

int main(void)
{
	int kvm, vm, vcpu, size;

	tap_begin(60);
	kvm = kt_open();
	is(ioctl(kvm, KVM_GET_API_VERSION, 0), KVM_API_VERSION, "KVM_GET_API_VERSION");
	size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	ok(size >= (int)sizeof(struct kvm_run) && !(size % 4096), "KVM_GET_VCPU_MMAP_SIZE");
	test_create_vm(kvm);
	vm = ioctl(kvm, KVM_CREATE_VM, kt_vm_type());
	if (!ok(vm >= 0, "KVM_CREATE_VM makes a VM"))
		bail("%s", strerror(errno));
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0ul);
	if (!ok(vcpu >= 0, "KVM_CREATE_VCPU makes a vCPU"))
		bail("%s", strerror(errno));
	test_capabilities(kvm, vm);
	test_vcpu_errors(vm, vcpu);
	test_pointers(kvm, vm, vcpu);
	test_devices(vm);
	test_other_process(vm);
	close(vcpu);
	close(vm);
	close(kvm);
	test_close_order();
	return tap_end();
}
