// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define CORE_REG(reg) \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | KVM_REG_ARM_CORE_REG(reg))

extern const uint8_t guest_image[], guest_image_end[]; /* image.S */

uint8_t *alloc_memory(size_t size, bool huge)
{
	uint8_t *map = mmap(NULL, size + SZ_2M, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *p;
	size_t i;

	if (map == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	p = (uint8_t *)(((uintptr_t)map + SZ_2M - 1) & ~(SZ_2M - 1));
	if (p > map)
		munmap(map, (size_t)(p - map));
	munmap(p + size, (size_t)(map + SZ_2M - p));
	if (madvise(p, size, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) ||
	    madvise(p, size, MADV_DONTFORK))
		die("madvise: %s", strerror(errno));
	for (i = 0; i < size; i += PAGE)
		p[i] = 1;
	return p;
}

int open_kvm(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die("/dev/kvm: %s", strerror(errno));
	return fd;
}

int create_vm(int kvm)
{
	int bits = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);
	int fd;

	if (bits < 32 || bits > 40)
		bits = 40;
	fd = ioctl(kvm, KVM_CREATE_VM,
		   (protected_vms ? KVM_VM_TYPE_ARM_PROTECTED : 0) | (unsigned long)bits);
	if (fd < 0)
		die("KVM_CREATE_VM: %s", strerror(errno));
	return fd;
}

static void gic_attr(struct vm *vm, uint32_t group, uint64_t attr, void *val)
{
	struct kvm_device_attr a = { .group = group, .attr = attr, .addr = (uintptr_t)val };

	if (ioctl(vm->gic, KVM_SET_DEVICE_ATTR, &a))
		die("vGICv3, group %u attribute %d: %s", group, (int)attr, strerror(errno));
}

static void create_gic(struct vm *vm)
{
	struct kvm_create_device dev = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	uint64_t dist = GUEST_GICD, redist = GUEST_GICR;
	uint32_t irqs = 64;

	if (ioctl(vm->fd, KVM_CREATE_DEVICE, &dev))
		die("KVM_CREATE_DEVICE: %s", strerror(errno));
	vm->gic = (int)dev.fd;
	gic_attr(vm, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &dist);
	gic_attr(vm, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST, &redist);
	gic_attr(vm, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &irqs);
	gic_attr(vm, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
}

static void create_vcpu(struct vm *vm, unsigned int i, size_t run_size)
{
	struct kvm_vcpu_init init = { 0 };
	struct vcpu *vcpu = &vm->vcpu[i];

	vcpu->vm = vm;
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)i);
	if (vcpu->fd < 0)
		die("KVM_CREATE_VCPU: %s", strerror(errno));
	vcpu->run_size = run_size;
	vcpu->run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED)
		die("mmap of a vCPU: %s", strerror(errno));
	if (ioctl(vm->fd, KVM_ARM_PREFERRED_TARGET, &init))
		die("KVM_ARM_PREFERRED_TARGET: %s", strerror(errno));
	init.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
	if (i)
		init.features[0] |= 1u << KVM_ARM_VCPU_POWER_OFF;
	if (ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init))
		die("KVM_ARM_VCPU_INIT: %s", strerror(errno));
}

void vm_create(struct vm *vm, int kvm, uint8_t *mem, size_t size, unsigned int nr_vcpus)
{
	struct kvm_userspace_memory_region slot = {
		.guest_phys_addr = GUEST_RAM,
		.memory_size = size,
		.userspace_addr = (uintptr_t)mem,
	};
	size_t run_size = (size_t)ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	uint64_t pc = GUEST_ENTRY;
	struct kvm_one_reg reg = { .id = CORE_REG(regs.pc), .addr = (uintptr_t)&pc };
	unsigned int i;

	*vm = (struct vm){ .mem = mem, .size = size, .nr_vcpus = nr_vcpus };
	vm->fd = create_vm(kvm);
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &slot))
		die("KVM_SET_USER_MEMORY_REGION: %s", strerror(errno));
	for (i = 0; i < nr_vcpus; i++)
		create_vcpu(vm, i, run_size);
	create_gic(vm);
	memcpy(mem + (GUEST_ENTRY - GUEST_RAM), guest_image,
	       (size_t)(guest_image_end - guest_image));
	if (ioctl(vm->vcpu[0].fd, KVM_SET_ONE_REG, &reg))
		die("cannot set the PC: %s", strerror(errno));
}

void vm_close(struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		munmap(vm->vcpu[i].run, vm->vcpu[i].run_size);
		close(vm->vcpu[i].fd);
	}
	close(vm->gic);
	close(vm->fd);
}

static uint64_t store_value(const struct kvm_run *run)
{
	uint64_t val = 0;

	memcpy(&val, run->mmio.data, run->mmio.len <= 8 ? run->mmio.len : 8);
	return val;
}

void vcpu_run(struct vcpu *vcpu, struct answer *answer)
{
	struct kvm_run *run = vcpu->run;
	uint64_t offset, val;

	for (;;) {
		if (ioctl(vcpu->fd, KVM_RUN, 0)) {
			if (errno == EINTR)
				continue;
			die("KVM_RUN: %s", strerror(errno));
		}
		if (run->exit_reason != KVM_EXIT_MMIO)
			die("KVM_RUN ended with exit reason %u", run->exit_reason);
		offset = run->mmio.phys_addr - TEST_DEV;
		if (offset == BENCH_DEV_ECHO - TEST_DEV) /* the one that is measured */
			continue;
		if (!run->mmio.is_write) {
			val = 0;
			if (offset == DEV_COMMAND)
				val = vcpu->command[0];
			else if (offset >= DEV_ARG && offset < DEV_ARG + 32)
				val = vcpu->command[1 + (offset - DEV_ARG) / 8];
			memcpy(run->mmio.data, &val, sizeof(val));
			continue;
		}
		val = store_value(run);
		switch (offset) {
		case DEV_ESR:
			die("an exception in the guest, ESR %#llx", (unsigned long long)val);
		case DEV_ARG:
		case DEV_ARG + 8:
			answer->r[1 + (offset - DEV_ARG) / 8] = val;
			break;
		case DEV_PROGRESS:
			return;
		case DEV_RESULT:
			answer->r[0] = val;
			return;
		default:
			die("the guest stored to %#llx", (unsigned long long)run->mmio.phys_addr);
		}
	}
}

struct answer vm_do(struct vm *vm, enum bench_command cmd, uint64_t a0, uint64_t a1, uint64_t a2,
		    uint64_t a3)
{
	struct vcpu *vcpu = &vm->vcpu[0];
	struct answer answer = { { 0 } };

	memcpy(vcpu->command, (uint64_t[]){ cmd, a0, a1, a2, a3 }, sizeof(vcpu->command));
	vcpu_run(vcpu, &answer);
	return answer;
}

void vm_run_secondary(struct vm *vm, unsigned int i)
{
	struct answer answer;

	if (vm_do(vm, GUEST_CPU_ON, i, 0, 0, 0).r[0])
		die("CPU_ON failed");
	vcpu_run(&vm->vcpu[i], &answer);
}

void *vcpu_thread(void *arg)
{
	struct vcpu *vcpu = arg;
	struct answer answer;

	pin((int)(vcpu - vcpu->vm->vcpu));
	for (;;)
		vcpu_run(vcpu, &answer);
}

void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("CPU %d: %s", cpu, strerror(errno));
}
