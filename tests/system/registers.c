// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest fills all its registers with values that are nowhere else and leaves in every way there is
 * (CMD_PLANT). Nothing of them is found in what KVM's interface gives, in all of memory that the host's kernel
 * can read, in the run page, or in the CPU when the host runs again; and guest and host have their
 * own registers unchanged afterwards.
 *
 * Guards write_exit() and its callers (hyp/vm/run.c), guest_enter(), guest_leave(), fp_evict() (hyp/arch/guest.c),
 * stockade_regs_check() (module/regs.c), refuse() (module/vcpu.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../../include/stockade/guestcall.h"
#include "hostile.h"
#include "kvmtest.h"
#include "tap.h"

#include "../../include/stockade/vcpu_run.h"

#define SEED	   0x3b1d07a9c4e86200ull
#define RAW_SEED   0x71c55ade20f3b400ull
#define DEVICE	   0x0b000000ull
#define LOADED	   0x1122334455667788ull
#define FRESH(n)   (GUEST_FREE + (n)*KT_PAGE)
#define STORED	   5 /* the register that the stores below store */
#define HVC	   0xd4000002
#define EXIT(name) (1u << STOCKADE_EXIT_##name)

enum {
	ENDS = 1,     /* the guest does not come back from it */
	WAITS = 2,    /* KVM_RUN returns by a signal only */
	FOR_EVER = 4, /* not even then does the instruction end: not for a raw VM */
	POISONED = 8, /* the page has been lost before */
	TOUCHED = 16, /* the guest has used the page before */
	NEEDS_GIC = 32,
	GUARDED = 64, /* the guest has said where the test's device is */
};

static const struct kind {
	const char *name;
	uint32_t insn;
	uint64_t x1, function;
	unsigned int size; /* of what is stored (direction: x6 is not) */
	unsigned int flags;
	uint32_t exits; /* that must have been seen by a host of raw hostcalls */
} kinds[] = {
	/* From here on a watchpoint of the host's, at FRESH(0), could trap in the raw VM. */
	{ "MSR DAIFClr, #8", 0xd50348ff, 0, 0, 0, 0, 0 },
	{ "ldrb w6, [x1]", 0x39400026, DEVICE, 0, 1, 0, EXIT(ABORT) },
	{ "ldrh w6, [x1]", 0x79400026, DEVICE, 0, 2, 0, EXIT(ABORT) },
	{ "ldr w6, [x1]", 0xb9400026, DEVICE, 0, 4, 0, EXIT(ABORT) },
	{ "ldr x6, [x1]", 0xf9400026, DEVICE, 0, 8, 0, EXIT(ABORT) },
	{ "strb w5, [x1]", 0x39000025, DEVICE, 0, 1, 0, EXIT(ABORT) },
	{ "strh w5, [x1]", 0x79000025, DEVICE, 0, 2, 0, EXIT(ABORT) },
	{ "str w5, [x1]", 0xb9000025, DEVICE, 0, 4, 0, EXIT(ABORT) },
	{ "str x5, [x1]", 0xf9000025, DEVICE, 0, 8, 0, EXIT(ABORT) },
	{ "load from a new page", 0xf940003f, FRESH(0), 0, 0, 0, EXIT(ABORT) },
	{ "store to a new page", 0xf9000025, FRESH(1), 0, 0, 0, EXIT(ABORT) },
	{ "store of a pair to a new page", 0xa9001424, FRESH(2), 0, 0, 0, EXIT(ABORT) },
	{ "WFI", 0xd503207f, 0, 0, 0, WAITS, EXIT(WFI) | EXIT(IRQ) },
	{ "a loop", 0x14000000, 0, 0, 0, WAITS | FOR_EVER | ENDS, 0 },
	{ "SMC", 0xd4000003, 0, 0xc4001234, 0, 0, 0 },
	{ "an unknown call", HVC, 0, 0xc600007e, 0, 0, 0 },
	{ "PSCI VERSION", HVC, 0, 0x84000000, 0, 0, 0 },
	{ "ICC_SGI1R_EL1", 0xd518cba0, 0, 1 << 24, 0, NEEDS_GIC, EXIT(SGI) },
	{ "MEM_SHARE of a new page", HVC, FRESH(3), GUESTCALL_MEM_SHARE, 0, 0, EXIT(ABORT) },
	{ "MEM_RELINQUISH", HVC, FRESH(1), GUESTCALL_MEM_RELINQUISH, 0, TOUCHED, EXIT(RELINQUISH) },
	{ "MMIO_GUARD", HVC, TEST_DEV, GUESTCALL_MMIO_GUARD, 0, 0, 0 },
	{ "MMIO_GUARD far away", HVC, 1ull << 38, GUESTCALL_MMIO_GUARD, 0, GUARDED, EXIT(TOPUP) },
	{ "CPU_ON", HVC, 1, PSCI_CPU_ON_64, 0, 0, EXIT(CPU_ON) },
	{ "use of a lost page", 0xf9400026, FRESH(5), 0, 0, TOUCHED | POISONED | ENDS,
	  EXIT(POISON) },
	{ "CPU_OFF", HVC, 0, PSCI_CPU_OFF, 0, WAITS | ENDS, EXIT(CPU_OFF) },
	{ "SYSTEM_OFF", HVC, 0, PSCI_SYSTEM_OFF, 0, ENDS, EXIT(SYSTEM_OFF) },
	{ "SYSTEM_RESET", HVC, 0, PSCI_SYSTEM_RESET, 0, ENDS, EXIT(SYSTEM_RESET) },
};
#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* 1 / PLANT_MUL modulo 2^64, by Newton. */
static uint64_t plant_inverse(void)
{
	uint64_t x = PLANT_MUL;
	unsigned int i;

	for (i = 0; i < 5; i++)
		x *= 2 - PLANT_MUL * x;
	return x;
}

/*
 * Values of the guest's in what an interface has given, but for the one that it stores: whole, the lower half,
 * what MAIR_EL1 holds; addresses of its code and its stack; PSTATE.
 */
static unsigned int count_planted(const void *data, size_t size, uint64_t seed, bool stores)
{
	const uint64_t inverse = plant_inverse();
	uint64_t not_mair = ~PLANT(seed, PLANT_MAIR);
	unsigned int found = 0;
	size_t i;

	/* No value stays in a register, for the kernel to save it: it would be found in its memory. */
	asm volatile("" : "+r"(not_mair));

	for (i = 0; i + 8 <= size; i += 4) {
		const uint8_t *p = (const uint8_t *)data + i;
		uint32_t half, n;
		uint64_t word;

		memcpy(&half, p, 4);
		memcpy(&word, p, 8);
		n = half * (uint32_t)inverse - (uint32_t)seed;
		if (n < PLANT_COUNT && !(stores && n == STORED)) {
			diag("number %u is at 0x%zx", n, i);
			found++;
		}
		found += (~word ^ not_mair) >> 16 == 0 || half == PLANT_PSTATE;
		found += word >= GUEST_ENTRY && word < GUEST_FREE;
	}
	return found;
}

/* Everything that reads, by ioctl: refused, and the buffer as it was. */
static unsigned int count_answers(struct kt_vm *vm, struct kt_vcpu *cpu)
{
	static const unsigned long gets[] = {
		KVM_GET_REG_LIST, KVM_GET_VCPU_EVENTS, KVM_GET_MP_STATE,
		KVM_GET_REGS,	  KVM_GET_SREGS,       KVM_GET_FPU,
	};
	static const uint32_t groups[] = {
		KVM_DEV_ARM_VGIC_GRP_DIST_REGS,	  KVM_DEV_ARM_VGIC_GRP_CPU_REGS,
		KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS,
		KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO,  KVM_DEV_ARM_VGIC_GRP_ITS_REGS,
	};
	static uint8_t buf[65536], blank[65536];
	unsigned int answers = 0;
	size_t i, attr;

	memset(blank, 0xee, sizeof(blank));
	memset(buf, 0xee, sizeof(buf));
	for (i = 0; i < sizeof(gets) / sizeof(gets[0]); i++)
		answers += ioctl(cpu->fd, gets[i], buf) >= 0;
	for (i = 0; vm->gic >= 0 && i < sizeof(groups) / sizeof(groups[0]); i++)
		for (attr = 0; attr < 0x10000; attr += 0x40) {
			struct kvm_device_attr a = { .group = groups[i],
						     .attr = attr,
						     .addr = (uintptr_t)buf };

			answers += ioctl(vm->gic, KVM_GET_DEVICE_ATTR, &a) >= 0;
		}
	return answers + (memcmp(buf, blank, sizeof(buf)) != 0);
}

/* KVM_GET_ONE_REG of every core register and system register that there could be. */
static unsigned int count_registers(struct kt_vcpu *cpu)
{
	static const uint64_t sizes[] = { KVM_REG_SIZE_U32, KVM_REG_SIZE_U64, KVM_REG_SIZE_U128 };
	unsigned int answers = 0;
	uint64_t buf[32];
	size_t i, n;

	memset(buf, 0xee, sizeof(buf));
	for (i = 0; i < 3; i++)
		for (n = 0; n < 0x200; n++)
			answers += !kt_get_reg(cpu, KVM_REG_ARM64 | sizes[i] | KVM_REG_ARM_CORE | n,
					       buf);
	/* op0 is 2 or 3. */
	for (n = 0x8000; n < 0x10000; n++)
		answers += !kt_get_reg(
			cpu, KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM64_SYSREG | n, buf);
	for (n = 0; n < 32; n++)
		answers += buf[n] != 0xeeeeeeeeeeeeeeee;
	return answers;
}

static void lose_page(struct kt_vm *vm, uint64_t gpa)
{
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	uint64_t word;

	if (pread(fd, &word, 8, (off_t)(uintptr_t)(vm->mem + (gpa - vm->gpa))) != 8)
		bail("/proc/self/mem: %s", strerror(errno));
	close(fd);
}

/* Has the guest do it, up to where KVM_RUN returns or is made to. */
static struct kt_result leave(struct kt_vm *vm, const struct kind *kind, uint64_t seed)
{
	struct kt_vcpu *cpu = &vm->vcpu[0];
	struct kt_result r;

	if (kind->flags & TOUCHED)
		kt_do(cpu, CMD_STORE, kind->x1, 8, 1, 0);
	if (kind->flags & GUARDED)
		kt_hvc(cpu, GUESTCALL_MMIO_GUARD, TEST_DEV, 0, 0);
	if (kind->flags & POISONED)
		lose_page(vm, kind->x1);
	if (!(kind->flags & WAITS))
		return kt_call(cpu, CMD_PLANT, kind->insn, seed, kind->x1, kind->function);
	kt_start(cpu, CMD_PLANT, kind->insn, seed, kind->x1, kind->function);
	while (cpu->asked)
		usleep(1000);
	usleep(30000);
	ok(!cpu->thread_done, "%s: the vCPU stays in KVM_RUN", kind->name);
	kt_kick(cpu);
	r = kt_wait(cpu);
	cpu->run->immediate_exit = 0;
	return r;
}

/* The lower bytes of what the register held; see count_planted() for why not to have it here. */
static bool is_stored(uint64_t data, unsigned int size, uint64_t seed)
{
	uint32_t half = ((uint32_t)seed + STORED) * (uint32_t)PLANT_MUL;

	if (size == 8)
		return data * plant_inverse() - seed == STORED;
	return data == (size == 4 ? half : half & ((1u << size * 8) - 1));
}

/* Is what KVM_RUN says what this exit needs? */
static void check_exit(const struct kind *kind, struct kt_vcpu *cpu, struct kt_result r,
		       uint64_t seed)
{
	bool store = kind->insn & 1;
	uint64_t data = 0;

	if (kind->flags & WAITS) {
		is_errno(r.err, EINTR, "%s ends by a signal", kind->name);
	} else if (kind->flags & POISONED) {
		is_errno(r.err, EFAULT, "%s is EFAULT", kind->name);
	} else if (kind->flags & ENDS) {
		is(r.exit, KVM_EXIT_SYSTEM_EVENT, "%s is a system event", kind->name);
	} else if (kind->size) {
		memcpy(&data, cpu->run->mmio.data, 8);
		ok(r.exit == KVM_EXIT_MMIO && cpu->run->mmio.len == kind->size &&
			   cpu->run->mmio.is_write == store,
		   "%s is a device access", kind->name);
		ok(store ? is_stored(data, kind->size, seed) : !data,
		   "with the value that is stored, or none");
	} else {
		ok(r.done, "%s does not get to user space", kind->name);
	}
}

static void check_after(const struct kind *kind, struct kt_vcpu *cpu, struct kt_result r)
{
	const uint64_t loaded = LOADED;

	if (kind->size && !(kind->insn & 1))
		memcpy(cpu->run->mmio.data, &loaded, 8);
	if (!r.done)
		r = kt_resume(cpu);
	ok(r.done && !r.esr && !r.r[0], "and the guest finds all registers as they were");
	if (kind->size && !(kind->insn & 1))
		is_hex(r.r[1], kind->size == 8 ? loaded : loaded & ((1ull << kind->size * 8) - 1),
		       "but the one that was loaded");
	else
		is_hex(r.r[1], 0, "each of them");
}

static void test_kvm(struct kt_vm *vm, const struct kind *kind, uint64_t seed)
{
	struct kt_vcpu *cpu = &vm->vcpu[0];
	bool stores = kind->size && kind->insn & 1;
	struct kt_result r;

	kt_create(vm, &(struct kt_config){ .nr_vcpus = 2, .gic = kind->flags & NEEDS_GIC });
	/* The first time the guest goes on, the second time all stays as it is. */
	if (!(kind->flags & ENDS)) {
		r = leave(vm, kind, seed);
		check_exit(kind, cpu, r, seed);
		check_after(kind, cpu, r);
	}
	r = leave(vm, kind, seed);
	check_exit(kind, cpu, r, seed);
	is(count_planted(cpu->run, cpu->run_size, seed, stores), 0,
	   "%s: kvm_run holds none but what is stored", kind->name);
	is(count_answers(vm, cpu), 0, "and no ioctl says more");
}

/* What the kernel can see of all these VMs, wherever it is. Every other one is gone by then. */
static void test_memory(struct kt_vm *vms)
{
	unsigned int i, store8 = 0;

	for (i = 0; i < NR_KINDS; i++)
		if (kinds[i].size == 8 && kinds[i].insn & 1)
			store8 = i;
	for (i = !(store8 & 1); i < NR_KINDS; i += 2)
		kt_close(&vms[i]);
	is_errno(attack("find-planted %llx %zu %u", (unsigned long long)SEED,
			NR_KINDS * PLANT_COUNT, store8 * PLANT_COUNT + STORED),
		 0, "all of RAM is searched");
	diag("%s", attack_result());
	ok(got("expected") > 0, "the value that a guest stored to a device is there");
	is(got("found"), 0, "and none else of any guest's registers");
	for (i = store8 & 1; i < NR_KINDS; i += 2)
		kt_close(&vms[i]);
}

/* By raw hostcalls: each exit by itself. */
static void test_raw(const struct kind *kind)
{
	if (kind->flags & POISONED)
		is_errno(attack("agent-lose %llx", (unsigned long long)kind->x1), 0,
			 "a page is lost");
	is_errno(attack("agent-plant %x %llx %llx", kind->insn, (unsigned long long)kind->x1,
			(unsigned long long)kind->function),
		 0, "%s", kind->name);
	is(got("in_x") + got("in_v"), 0, "leaves nothing in x0-x30, v0-v31");
	is(got("in_sys"), 0, "nor in system registers");
	is(got("in_run"), 0, "nor in the run page");
	is(got("host_changed"), 0, "the host finds its own as they were");
	ok((got("exits") & kind->exits) == kind->exits, "it was such an exit (%#llx)",
	   (unsigned long long)got("exits"));
	if (kind->flags & ENDS)
		is(got("done"), 0, "the guest is not heard of again");
	else
		ok(got("done") == 1 && !got("guest_changed") && !got("esr"),
		   "the guest finds its own too, and has met no exception");
}

static void test_raw_all(void)
{
	bool begun = false;
	unsigned int i;

	for (i = 0; i < NR_KINDS; i++) {
		if (kinds[i].flags & FOR_EVER)
			continue;
		if (!begun)
			is_errno(attack("agent-begin %llx", (unsigned long long)RAW_SEED), 0,
				 "a VM of raw hostcalls");
		begun = !(kinds[i].flags & ENDS);
		test_raw(&kinds[i]);
		if (begun && i < NR_KINDS - 1)
			continue;
		attack("agent-end");
		is(got("destroyed"), 1, "it can be ended");
		begun = false;
	}
}

int main(void)
{
	static struct kt_vm vms[NR_KINDS];
	unsigned int i;

	tap_begin(120);
	if (!kt_protected()) {
		skip("not a protected VM", "registers");
		return tap_end();
	}
	hostile_load();
	for (i = 0; i < NR_KINDS; i++)
		test_kvm(&vms[i], &kinds[i], SEED + i * PLANT_COUNT);
	is(count_registers(&vms[0].vcpu[0]), 0, "no register can be read by any number");
	test_memory(vms);
	test_raw_all();
	return tap_end();
}
