// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvmtest.h"
#include "tap.h"

#define KICK SIGUSR1

extern const uint8_t kt_agent[]; /* agent.S */
extern const uint64_t kt_agent_size;

unsigned long kt_vm_type(void)
{
	const char *type = getenv("STOCKADE_VM_TYPE");
	unsigned long bits = 40;
	int kvm = kt_open();
	int limit = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);

	close(kvm);
	if (limit >= 32 && (unsigned long)limit < bits)
		bits = (unsigned long)limit;
	return (type ? strtoul(type, NULL, 0) : KVM_VM_TYPE_ARM_PROTECTED) | bits;
}

bool kt_protected(void)
{
	return kt_vm_type() & KVM_VM_TYPE_ARM_PROTECTED;
}

bool kt_on_qemu(void)
{
	char buf[64] = { 0 };
	FILE *f = fopen("/sys/firmware/devicetree/base/compatible", "re");

	if (f) {
		buf[fread(buf, 1, sizeof(buf) - 1, f)] = '\0';
		fclose(f);
	}
	return !strcmp(buf, "linux,dummy-virt");
}

int kt_open(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		bail("/dev/kvm: %s", strerror(errno));
	return fd;
}

uint8_t *kt_alloc(size_t size)
{
	uint8_t *map = mmap(NULL, size + KT_2M, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *p;

	if (map == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	p = (uint8_t *)(((uintptr_t)map + KT_2M - 1) & ~(KT_2M - 1));
	if (p > map)
		munmap(map, (size_t)(p - map));
	munmap(p + size, (size_t)(map + KT_2M - p));
	madvise(p, size, MADV_NOHUGEPAGE);
	return p;
}

int kt_add_slot(struct kt_vm *vm, uint32_t slot, uint32_t flags, uint64_t gpa, uint64_t size,
		void *mem)
{
	struct kvm_userspace_memory_region r = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)mem,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &r) ? errno : 0;
}

static int gic_attr(struct kt_vm *vm, uint32_t group, uint64_t attr, void *val)
{
	struct kvm_device_attr a = { .group = group, .attr = attr, .addr = (uintptr_t)val };

	return ioctl(vm->gic, KVM_SET_DEVICE_ATTR, &a) ? errno : 0;
}

int kt_add_gic(struct kt_vm *vm, unsigned int nr_irqs)
{
	struct kvm_create_device dev = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	uint64_t dist = GUEST_GICD, redist = GUEST_GICR;
	uint32_t irqs = nr_irqs;
	int err;

	if (ioctl(vm->fd, KVM_CREATE_DEVICE, &dev))
		return errno;
	vm->gic = (int)dev.fd;
	err = gic_attr(vm, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &dist);
	if (!err)
		err = gic_attr(vm, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST,
			       &redist);
	if (!err)
		err = gic_attr(vm, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &irqs);
	if (!err)
		err = gic_attr(vm, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
	return err;
}

void kt_add_vcpu(struct kt_vm *vm, unsigned int index)
{
	struct kt_vcpu *vcpu = &vm->vcpu[index];
	struct kvm_vcpu_init init = { 0 };
	int kvm = kt_open();

	vcpu->vm = vm;
	vcpu->index = index;
	vcpu->run_size = (size_t)ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	close(kvm);
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)index);
	if (vcpu->fd < 0)
		bail("KVM_CREATE_VCPU %u: %s", index, strerror(errno));
	vcpu->run = mmap(NULL, vcpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED)
		bail("mmap of vCPU %u: %s", index, strerror(errno));
	if (ioctl(vm->fd, KVM_ARM_PREFERRED_TARGET, &init))
		bail("KVM_ARM_PREFERRED_TARGET: %s", strerror(errno));
	init.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
	if (index)
		init.features[0] |= 1u << KVM_ARM_VCPU_POWER_OFF;
	if (ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init))
		bail("KVM_ARM_VCPU_INIT %u: %s", index, strerror(errno));
	if (index >= vm->nr_vcpus)
		vm->nr_vcpus = index + 1;
}

void kt_load_agent(struct kt_vm *vm)
{
	memcpy(vm->mem + (GUEST_ENTRY - vm->gpa), kt_agent, (size_t)kt_agent_size);
	if (kt_set_reg(&vm->vcpu[0], KT_CORE_REG(regs.pc), GUEST_ENTRY))
		bail("cannot set the PC");
}

static void ignore(int sig)
{
	(void)sig;
}

void kt_create(struct kt_vm *vm, const struct kt_config *cfg)
{
	struct sigaction sa = { .sa_handler = ignore };
	unsigned int i, nr = cfg->nr_vcpus ? cfg->nr_vcpus : 1;
	int kvm = kt_open();
	int err;

	sigaction(KICK, &sa, NULL);
	*vm = (struct kt_vm){ .fd = -1, .gic = -1, .gpa = GUEST_RAM };
	vm->size = cfg->size ? cfg->size : 2 * KT_2M;
	vm->fd = ioctl(kvm, KVM_CREATE_VM,
		       cfg->ipa_bits ? (kt_vm_type() & ~0xfful) | cfg->ipa_bits : kt_vm_type());
	if (vm->fd < 0)
		bail("KVM_CREATE_VM: %s", strerror(errno));
	close(kvm);
	vm->mem = cfg->mem ? cfg->mem : kt_alloc(vm->size);
	err = kt_add_slot(vm, 0, 0, vm->gpa, vm->size, vm->mem);
	if (err)
		bail("KVM_SET_USER_MEMORY_REGION: %s", strerror(err));
	for (i = 0; i < nr; i++)
		kt_add_vcpu(vm, i);
	err = cfg->gic ? kt_add_gic(vm, 64) : 0;
	if (err)
		bail("vGICv3: %s", strerror(err));
	kt_load_agent(vm);
}

void kt_close_keep(struct kt_vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		munmap(vm->vcpu[i].run, vm->vcpu[i].run_size);
		close(vm->vcpu[i].fd);
	}
	if (vm->gic >= 0)
		close(vm->gic);
	close(vm->fd);
}

void kt_close(struct kt_vm *vm)
{
	kt_close_keep(vm);
	munmap(vm->mem, vm->size);
}

int kt_set_reg(struct kt_vcpu *vcpu, uint64_t id, uint64_t val)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&val };

	return ioctl(vcpu->fd, KVM_SET_ONE_REG, &reg) ? errno : 0;
}

int kt_get_reg(struct kt_vcpu *vcpu, uint64_t id, uint64_t *val)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)val };

	return ioctl(vcpu->fd, KVM_GET_ONE_REG, &reg) ? errno : 0;
}

/* The agent's side of the conversation is in protocol.h. */
static uint64_t device_load(struct kt_vcpu *vcpu, uint64_t offset)
{
	switch (offset) {
	case DEV_COMMAND:
		vcpu->asked = false;
		return vcpu->command;
	case DEV_ARG ... DEV_ARG + 24:
		return vcpu->arg[(offset - DEV_ARG) / 8];
	default:
		return 0;
	}
}

/* Returns true when the conversation is to pause here. */
static bool device_store(struct kt_vcpu *vcpu, uint64_t offset, uint64_t val)
{
	struct kt_result *res = &vcpu->result;
	struct kt_vm *vm = vcpu->vm;

	switch (offset) {
	case DEV_RESULT:
		res->r[0] = val;
		res->done = true;
		return true;
	case DEV_ARG ... DEV_ARG + 16:
		res->r[1 + (offset - DEV_ARG) / 8] = val;
		return false;
	case DEV_ESR:
		res->esr = val;
		return false;
	case DEV_FAR:
		res->far = val;
		return false;
	case DEV_PROGRESS:
		vcpu->progress = val;
		vcpu->nr_bad += val == ~0ull;
		vcpu->nr_progress++;
		return vcpu->stop_at_progress;
	case DEV_IRQ:
		__atomic_add_fetch(&vm->nr_irqs_taken, 1, __ATOMIC_SEQ_CST);
		if (vm->irq_taken)
			vm->irq_taken(vm, (uint32_t)val);
		return false;
	default:
		return true;
	}
}

static void uart_store(uint8_t c)
{
	static char line[256];
	static size_t len;

	if (c != '\n')
		line[len++] = (char)c;
	if (c == '\n' || len == sizeof(line) - 1) {
		line[len] = '\0';
		diag("guest: %s", line);
		len = 0;
	}
}

/* Returns true when this exit is for the test to look at. */
static bool mmio_exit(struct kt_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint64_t addr = run->mmio.phys_addr, val = 0;

	if (run->mmio.is_write)
		memcpy(&val, run->mmio.data, run->mmio.len <= 8 ? run->mmio.len : 8);
	if (addr == GUEST_UART && run->mmio.is_write) {
		uart_store((uint8_t)val);
		return false;
	}
	if (addr < TEST_DEV || addr >= TEST_DEV + DEV_SIZE)
		return true;
	if (run->mmio.is_write)
		return device_store(vcpu, addr - TEST_DEV, val);
	val = device_load(vcpu, addr - TEST_DEV);
	memcpy(run->mmio.data, &val, 8);
	return false;
}

struct kt_result kt_resume(struct kt_vcpu *vcpu)
{
	struct kt_result *res = &vcpu->result;

	for (;;) {
		res->err = ioctl(vcpu->fd, KVM_RUN, 0) ? errno : 0;
		res->exit = vcpu->run->exit_reason;
		if (res->err || res->exit != KVM_EXIT_MMIO || mmio_exit(vcpu))
			return *res;
	}
}

struct kt_result kt_call(struct kt_vcpu *vcpu, enum guest_command cmd, uint64_t a0, uint64_t a1,
			 uint64_t a2, uint64_t a3)
{
	vcpu->command = cmd;
	vcpu->arg[0] = a0;
	vcpu->arg[1] = a1;
	vcpu->arg[2] = a2;
	vcpu->arg[3] = a3;
	vcpu->asked = true;
	memset(&vcpu->result, 0, sizeof(vcpu->result));
	return kt_resume(vcpu);
}

uint64_t kt_do(struct kt_vcpu *vcpu, enum guest_command cmd, uint64_t a0, uint64_t a1, uint64_t a2,
	       uint64_t a3)
{
	struct kt_result res = kt_call(vcpu, cmd, a0, a1, a2, a3);

	if (!res.done)
		bail("vCPU %u, command %d: KVM_RUN gave %s, exit reason %u", vcpu->index, cmd,
		     res.err ? strerror(res.err) : "success", res.exit);
	if (res.esr)
		bail("vCPU %u, command %d: exception in the guest, ESR %#llx FAR %#llx",
		     vcpu->index, cmd, (unsigned long long)res.esr, (unsigned long long)res.far);
	return res.r[0];
}

struct kt_result kt_hvc(struct kt_vcpu *vcpu, uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3)
{
	return kt_call(vcpu, CMD_HVC, x0, x1, x2, x3);
}

static void *run_thread(void *arg)
{
	struct kt_vcpu *vcpu = arg;

	kt_resume(vcpu);
	vcpu->thread_done = true;
	return NULL;
}

void kt_start(struct kt_vcpu *vcpu, enum guest_command cmd, uint64_t a0, uint64_t a1, uint64_t a2,
	      uint64_t a3)
{
	vcpu->command = cmd;
	vcpu->arg[0] = a0;
	vcpu->arg[1] = a1;
	vcpu->arg[2] = a2;
	vcpu->arg[3] = a3;
	vcpu->asked = true;
	vcpu->thread_done = false;
	memset(&vcpu->result, 0, sizeof(vcpu->result));
	if (pthread_create(&vcpu->thread, NULL, run_thread, vcpu))
		bail("pthread_create: %s", strerror(errno));
}

struct kt_result kt_wait(struct kt_vcpu *vcpu)
{
	pthread_join(vcpu->thread, NULL);
	return vcpu->result;
}

bool kt_wait_for(volatile bool *what, unsigned int ms)
{
	unsigned int i;

	for (i = 0; i < ms && !*what; i++)
		usleep(1000);
	return *what;
}

void kt_kick(struct kt_vcpu *vcpu)
{
	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	pthread_kill(vcpu->thread, KICK);
}

int kt_irq_line(struct kt_vm *vm, uint32_t intid, bool level)
{
	struct kvm_irq_level irq = {
		.irq = KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | intid,
		.level = level,
	};

	return ioctl(vm->fd, KVM_IRQ_LINE, &irq) ? errno : 0;
}

static sigjmp_buf fault_jump;
static void *volatile fault_addr;

static void fault(int sig, siginfo_t *info, void *ctx)
{
	(void)ctx;
	fault_addr = info->si_addr;
	siglongjmp(fault_jump, sig);
}

static int try_access(volatile uint8_t *p, bool write, uint8_t val, void **addr)
{
	struct sigaction sa = { .sa_sigaction = fault, .sa_flags = SA_SIGINFO }, segv, bus;
	int sig;

	sigaction(SIGSEGV, &sa, &segv);
	sigaction(SIGBUS, &sa, &bus);
	sig = sigsetjmp(fault_jump, 1);
	if (!sig) {
		fault_addr = NULL;
		if (write)
			*p = val;
		else
			(void)*p;
	}
	sigaction(SIGSEGV, &segv, NULL);
	sigaction(SIGBUS, &bus, NULL);
	if (addr)
		*addr = fault_addr;
	return sig;
}

int kt_try_load(const volatile void *p, void **addr)
{
	return try_access((volatile uint8_t *)(uintptr_t)p, false, 0, addr);
}

int kt_try_store(volatile void *p, uint8_t val, void **addr)
{
	return try_access(p, true, val, addr);
}

int kt_pin(int cpu)
{
	cpu_set_t set;
	int i;

	CPU_ZERO(&set);
	for (i = 0; i < CPU_SETSIZE; i++)
		if (cpu < 0 || i == cpu)
			CPU_SET(i, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? errno : 0;
}

bool kt_out_of_reach(struct kt_vm *vm)
{
	bool safe = true;
	int cpu;

	for (cpu = 0; cpu < sysconf(_SC_NPROCESSORS_CONF); cpu++) {
		void *addr;

		if (kt_pin(cpu))
			continue; /* it is offline */
		if (kt_try_load(vm->mem + (GUEST_FREE - vm->gpa), &addr) != SIGSEGV) {
			diag("CPU %d reads the VM's memory", cpu);
			safe = false;
		}
	}
	kt_pin(-1);
	return safe;
}

int64_t kt_sysfs(const char *name)
{
	char path[128];
	long long val = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/stockade/%s", name);
	f = fopen(path, "re");
	if (!f)
		return -1;
	if (fscanf(f, "%lld", &val) != 1)
		val = -1;
	fclose(f);
	return val;
}

int64_t kt_proc_kb(const char *file, const char *key)
{
	char line[256];
	long long val = -1;
	FILE *f = fopen(file, "re");

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)) &&
		    sscanf(line + strlen(key), "%lld", &val) == 1)
			break;
	fclose(f);
	return val;
}
