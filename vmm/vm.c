// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "msg.h"
#include "status.h"
#include "vm.h"

#ifndef KVM_VM_TYPE_ARM_PROTECTED /* Linux 7.x */
#define KVM_VM_TYPE_ARM_PROTECTED (1ul << 31)
#endif

#define KICK_SIGNAL SIGUSR1

#define CORE_REG(reg) \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | KVM_REG_ARM_CORE_REG(reg))

static unsigned long vm_type(void)
{
#ifdef STOCKADE_TEST /* to try the VMM itself on a stock KVM */
	if (getenv("STOCKADE_VM_TYPE"))
		return strtoul(getenv("STOCKADE_VM_TYPE"), NULL, 0);
#endif
	return KVM_VM_TYPE_ARM_PROTECTED;
}

static int open_kvm(struct vm *vm)
{
	int api;

	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO))
		return status_say_missing();
	if (vm->kvm < 0 && errno == EACCES)
		return msg_error("may not open /dev/kvm: be root, or in the group that owns it");
	if (vm->kvm < 0)
		return msg_error("cannot open /dev/kvm: %s", strerror(errno));
	api = ioctl(vm->kvm, KVM_GET_API_VERSION, 0);
	if (api != KVM_API_VERSION)
		return msg_error("/dev/kvm speaks version %d, not %d", api, KVM_API_VERSION);
	vm->run_size = (size_t)ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (vm->run_size < sizeof(struct kvm_run) || vm->run_size > MIB)
		return msg_error("/dev/kvm does not work: KVM_GET_VCPU_MMAP_SIZE failed");
	return 0;
}

/* Bits of guest address space to ask for: 40 like everybody, more only if the RAM wants it. */
static int choose_ipa_bits(struct vm *vm)
{
	int limit = ioctl(vm->kvm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);
	uint64_t end = RAM_BASE + vm->ram.size;
	int bits = 40;

	if (limit < 32)
		limit = 40;
	if (bits > limit)
		bits = limit;
	while (bits < limit && end > 1ull << bits)
		bits++;
	if (end > 1ull << bits)
		return msg_error("%" PRIu64 " MiB of memory are too many: this machine has "
				 "%d-bit guest addresses",
				 vm->ram.size / MIB, limit);
	return bits;
}

static int create_vm(struct vm *vm)
{
	int bits = choose_ipa_bits(vm);

	if (bits < 0)
		return -1;
	vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, vm_type() | (unsigned long)bits);
	if (vm->fd >= 0)
		return 0;
	if (errno == EINVAL && !status_present())
		return msg_error("the KVM of this kernel has no protected VMs, and stockade.ko is "
				 "not loaded: boot with kvm-arm.mode=none id_aa64mmfr1.vh=0, "
				 "then load it");
	if (errno == ENOMEM || errno == ENOSPC)
		return msg_error("no room for another VM: %s", strerror(errno));
	return msg_error("cannot create a VM: %s", strerror(errno));
}

/*
 * Private anonymous memory, in huge pages if the kernel has some: a huge page goes to the guest in
 * one step. It must not be copied by fork: the host cannot read what the guest owns.
 */
static int create_ram(struct vm *vm)
{
	struct kvm_userspace_memory_region slot;
	size_t size = (size_t)vm->ram.size;
	uint8_t *map, *ram;

	map = mmap(NULL, size + SZ_2M, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return msg_error("cannot map %zu MiB of memory: %s", size / (size_t)MIB,
				 strerror(errno));
	ram = (uint8_t *)(((uintptr_t)map + SZ_2M - 1) & ~(uintptr_t)(SZ_2M - 1));
	if (ram > map)
		munmap(map, (size_t)(ram - map));
	if (map + SZ_2M > ram)
		munmap(ram + size, (size_t)(map + SZ_2M - ram));
	vm->ram.hva = ram;
	vm->ram.gpa = RAM_BASE;
	if (madvise(ram, size, MADV_HUGEPAGE))
		msg_verbose("no huge pages: %s", strerror(errno));
	if (madvise(ram, size, MADV_DONTFORK))
		return msg_error("cannot keep guest memory from fork: %s", strerror(errno));

	slot = (struct kvm_userspace_memory_region){
		.guest_phys_addr = RAM_BASE,
		.memory_size = size,
		.userspace_addr = (uintptr_t)ram,
	};
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &slot))
		return msg_error("KVM refused the guest's memory: %s", strerror(errno));
	return 0;
}

static int create_vcpu(struct vm *vm, unsigned int i, const struct kvm_vcpu_init *preferred)
{
	struct kvm_vcpu_init init = *preferred;
	struct vm_vcpu *cpu = &vm->cpu[i];
	void *run;

	cpu->vm = vm;
	cpu->index = i;
	cpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)i);
	if (cpu->fd < 0)
		return msg_error("cannot create vCPU %u: %s", i, strerror(errno));
	run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu->fd, 0);
	if (run == MAP_FAILED)
		return msg_error("cannot map vCPU %u: %s", i, strerror(errno));
	cpu->run = run;

	init.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
	if (i)
		init.features[0] |= 1u << KVM_ARM_VCPU_POWER_OFF;
	if (ioctl(cpu->fd, KVM_ARM_VCPU_INIT, &init))
		return msg_error("cannot initialise vCPU %u: %s", i, strerror(errno));
	return 0;
}

static int create_vcpus(struct vm *vm)
{
	struct kvm_vcpu_init preferred = { 0 };
	unsigned int i;
	int max = ioctl(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);

	if (max > 0 && vm->nr_cpus > (unsigned int)max)
		return msg_error("%u CPUs are too many: at most %d here", vm->nr_cpus, max);
	if (ioctl(vm->fd, KVM_ARM_PREFERRED_TARGET, &preferred))
		return msg_error("KVM_ARM_PREFERRED_TARGET failed: %s", strerror(errno));
	for (i = 0; i < vm->nr_cpus; i++)
		if (create_vcpu(vm, i, &preferred))
			return -1;
	return 0;
}

static int set_gic_attr(struct vm *vm, uint32_t group, uint64_t attr, void *val)
{
	struct kvm_device_attr a = {
		.group = group,
		.attr = attr,
		.addr = (uintptr_t)val,
	};

	if (ioctl(vm->gic, KVM_SET_DEVICE_ATTR, &a))
		return msg_error("the interrupt controller refused group %u attribute %" PRIu64
				 ": %s",
				 group, attr, strerror(errno));
	return 0;
}

static int create_gic(struct vm *vm)
{
	struct kvm_create_device dev = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	uint64_t dist = GICD_BASE, redist = GICR_BASE;
	uint32_t irqs = NR_IRQS;

	if (ioctl(vm->fd, KVM_CREATE_DEVICE, &dev))
		return msg_error("cannot create a GICv3 for the guest: %s", strerror(errno));
	vm->gic = (int)dev.fd;
	if (set_gic_attr(vm, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &dist) ||
	    set_gic_attr(vm, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST, &redist) ||
	    set_gic_attr(vm, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &irqs))
		return -1;
	return set_gic_attr(vm, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
}

int vm_create(struct vm *vm, uint64_t ram_size, unsigned int nr_cpus)
{
	unsigned int i;

	*vm = (struct vm){ .kvm = -1, .fd = -1, .gic = -1, .end_event = -1 };
	pthread_mutex_init(&vm->lock, NULL);
	vm->ram.size = ram_size;
	vm->nr_cpus = nr_cpus;
	for (i = 0; i < nr_cpus; i++)
		vm->cpu[i].fd = -1;
	vm->end_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vm->end_event < 0)
		return msg_error("eventfd: %s", strerror(errno));
	if (open_kvm(vm) || create_vm(vm) || create_ram(vm) || create_vcpus(vm) || create_gic(vm))
		return -1;
	return 0;
}

static int set_reg(struct vm_vcpu *cpu, uint64_t id, uint64_t val)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&val };

	if (ioctl(cpu->fd, KVM_SET_ONE_REG, &reg))
		return msg_error("cannot set a register of vCPU %u: %s", cpu->index,
				 strerror(errno));
	return 0;
}

int vm_set_boot(struct vm *vm, uint64_t pc, uint64_t x0)
{
	if (set_reg(&vm->cpu[0], CORE_REG(regs.pc), pc))
		return -1;
	return set_reg(&vm->cpu[0], CORE_REG(regs.regs[0]), x0);
}

void vm_set_spi(struct vm *vm, unsigned int spi, bool level)
{
	struct kvm_irq_level irq = {
		.irq = KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | SPI_INTID(spi),
		.level = level,
	};

	if (ioctl(vm->fd, KVM_IRQ_LINE, &irq))
		msg_verbose("KVM_IRQ_LINE of SPI %u: %s", spi, strerror(errno));
}

static void handle_mmio(struct vm *vm, struct kvm_run *run)
{
	unsigned int size = run->mmio.len <= 8 ? run->mmio.len : 8;
	uint64_t val = 0;

	if (run->mmio.is_write)
		memcpy(&val, run->mmio.data, size);
	val = vm->mmio(vm->mmio_ctx, run->mmio.phys_addr, size, run->mmio.is_write, val);
	if (!run->mmio.is_write)
		memcpy(run->mmio.data, &val, size);
}

static enum vm_end system_event(struct kvm_run *run)
{
	switch (run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		return VM_POWERED_OFF;
	case KVM_SYSTEM_EVENT_RESET:
		return VM_RESET;
	default:
		msg_error("the guest asked for system event %u, which means nothing here",
			  run->system_event.type);
		return VM_FAILED;
	}
}

static enum vm_end handle_exit(struct vm_vcpu *cpu)
{
	struct kvm_run *run = cpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_MMIO:
		handle_mmio(cpu->vm, run);
		return VM_RUNNING;
	case KVM_EXIT_INTR:
		return VM_RUNNING;
	case KVM_EXIT_SYSTEM_EVENT:
		return system_event(run);
	case KVM_EXIT_ARM_NISV:
		msg_error("the guest used an instruction that cannot be emulated on a device, "
			  "at guest address %#llx",
			  (unsigned long long)run->arm_nisv.fault_ipa);
		return VM_FAILED;
	case KVM_EXIT_FAIL_ENTRY:
		msg_error("vCPU %u cannot be entered (%#llx)", cpu->index,
			  (unsigned long long)run->fail_entry.hardware_entry_failure_reason);
		return VM_FAILED;
	case KVM_EXIT_INTERNAL_ERROR:
		msg_error("internal error %u of KVM on vCPU %u", run->internal.suberror,
			  cpu->index);
		return VM_FAILED;
	default:
		msg_error("KVM stopped vCPU %u for an unknown reason (%u)", cpu->index,
			  run->exit_reason);
		return VM_FAILED;
	}
}

static void explain_run_error(struct vm_vcpu *cpu, int err)
{
	unsigned int i = cpu->index;
	struct rlimit lim;

	switch (err) {
	case EFAULT:
		msg_error("vCPU %u used a page that the guest has lost: the host touched it, so it "
			  "was wiped (or there is no memory behind it). The VM cannot go on",
			  i);
		break;
	case EPERM:
		msg_error("vCPU %u may not run: the VM has ended, or a page of its memory belongs "
			  "to another VM or to a device",
			  i);
		break;
	case ENOMEM:
		if (getrlimit(RLIMIT_MEMLOCK, &lim) || lim.rlim_cur == RLIM_INFINITY) {
			msg_error("the host is out of memory for the guest: give the VM less");
			break;
		}
		msg_error("the guest's memory is locked, and RLIMIT_MEMLOCK allows %llu KiB where "
			  "up to %llu are needed: raise it (ulimit -l unlimited; LimitMEMLOCK= in "
			  "a systemd unit), or be root; else the host is out of memory",
			  (unsigned long long)lim.rlim_cur >> 10,
			  (unsigned long long)cpu->vm->ram.size >> 10);
		break;
	default:
		msg_error("vCPU %u cannot run: %s", i, strerror(err));
	}
}

static bool ended(struct vm *vm)
{
	return __atomic_load_n(&vm->end, __ATOMIC_ACQUIRE) != VM_RUNNING;
}

static void *vcpu_thread(void *arg)
{
	struct vm_vcpu *cpu = arg;
	struct vm *vm = cpu->vm;

	while (!ended(vm)) {
		enum vm_end end;

		if (ioctl(cpu->fd, KVM_RUN, 0)) {
			int err = errno;

			if (err == EINTR || err == EAGAIN)
				continue;
			if (!ended(vm))
				explain_run_error(cpu, err);
			end = VM_FAILED;
		} else {
			end = handle_exit(cpu);
		}
		if (end != VM_RUNNING)
			vm_stop(vm, end);
	}
	return NULL;
}

static void kicked(int sig)
{
	(void)sig; /* only there to interrupt KVM_RUN */
}

/*
 * The lock is held so that a vCPU that ends the VM at once waits for its siblings to exist, or they
 * would miss the kick.
 */
int vm_start(struct vm *vm)
{
	struct sigaction sa = { .sa_handler = kicked };
	unsigned int i;
	int err = 0;

	sigaction(KICK_SIGNAL, &sa, NULL);
	pthread_mutex_lock(&vm->lock);
	for (i = 0; i < vm->nr_cpus && !err; i++) {
		err = pthread_create(&vm->cpu[i].thread, NULL, vcpu_thread, &vm->cpu[i]);
		vm->cpu[i].started = !err;
	}
	pthread_mutex_unlock(&vm->lock);
	if (err)
		return msg_error("cannot start a thread: %s", strerror(err));
	return 0;
}

void vm_stop(struct vm *vm, enum vm_end why)
{
	uint64_t one = 1;
	unsigned int i;

	pthread_mutex_lock(&vm->lock);
	if (vm->end == VM_RUNNING) {
		__atomic_store_n(&vm->end, why, __ATOMIC_RELEASE);
		for (i = 0; i < vm->nr_cpus; i++) {
			if (!vm->cpu[i].started)
				continue;
			/* Either it is in KVM_RUN and the signal gets it out, or it will see this. */
			__atomic_store_n(&vm->cpu[i].run->immediate_exit, 1, __ATOMIC_RELEASE);
			pthread_kill(vm->cpu[i].thread, KICK_SIGNAL);
		}
		if (write(vm->end_event, &one, sizeof(one)) < 0)
			msg_error("eventfd: %s", strerror(errno));
	}
	pthread_mutex_unlock(&vm->lock);
}

enum vm_end vm_join(struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nr_cpus; i++) {
		if (vm->cpu[i].started)
			pthread_join(vm->cpu[i].thread, NULL);
		vm->cpu[i].started = false;
	}
	return vm->end;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void vm_destroy(struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nr_cpus; i++) {
		if (vm->cpu[i].run)
			munmap(vm->cpu[i].run, vm->run_size);
		close_fd(vm->cpu[i].fd);
	}
	close_fd(vm->gic);
	close_fd(vm->fd);
	close_fd(vm->kvm);
	close_fd(vm->end_event);
	if (vm->ram.hva)
		munmap(vm->ram.hva, (size_t)vm->ram.size);
}
