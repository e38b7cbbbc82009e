// SPDX-License-Identifier: GPL-2.0-only
/*
 * PSCI of a guest with four vCPUs: versions, turning CPUs on and off, every error, and what the
 * host sees of SYSTEM_OFF and SYSTEM_RESET.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../../include/stockade/guestcall.h"
#include "kvmtest.h"
#include "tap.h"

#define FN_VERSION 0x84000000u /* <linux/psci.h> has a PSCI_VERSION of another meaning */
#define SETTLE_MS  5000

static int64_t psci(struct kt_vcpu *cpu, uint64_t fn, uint64_t a1, uint64_t a2, uint64_t a3)
{
	struct kt_result r = kt_hvc(cpu, fn, a1, a2, a3);

	if (!r.done)
		bail("PSCI %#llx: KVM_RUN gave %s, exit reason %u", (unsigned long long)fn,
		     strerror(r.err), r.exit);
	if (r.esr)
		bail("PSCI %#llx is undefined (ESR %#llx)", (unsigned long long)fn,
		     (unsigned long long)r.esr);
	return (int32_t)r.r[0]; /* 32-bit error codes come sign-extended or not */
}

static void test_versions(struct kt_vcpu *cpu)
{
	static const struct {
		uint32_t fn;
		int32_t want;
		const char *name;
	} features[] = {
		{ FN_VERSION, 0, "VERSION" },
		{ PSCI_FEATURES, 0, "FEATURES" },
		{ PSCI_CPU_ON_64, 0, "CPU_ON" },
		{ PSCI_CPU_OFF, 0, "CPU_OFF" },
		{ PSCI_AFFINITY_INFO_64, 0, "AFFINITY_INFO" },
		{ PSCI_SYSTEM_OFF, 0, "SYSTEM_OFF" },
		{ PSCI_SYSTEM_RESET, 0, "SYSTEM_RESET" },
		{ SMCCC_VERSION, 0, "SMCCC_VERSION" },
		{ PSCI_SYSTEM_SUSPEND_64, PSCI_RET_NOT_SUPPORTED, "no SYSTEM_SUSPEND" },
		{ 0x8400001f, PSCI_RET_NOT_SUPPORTED, "no function 0x1f" },
	};
	size_t i;

	ok(psci(cpu, FN_VERSION, 0, 0, 0) >= 0x10000, "PSCI is version 1.0 or later");
	for (i = 0; i < sizeof(features) / sizeof(features[0]); i++)
		is(psci(cpu, PSCI_FEATURES, features[i].fn, 0, 0), features[i].want,
		   "PSCI_FEATURES: %s", features[i].name);
	ok(psci(cpu, SMCCC_VERSION, 0, 0, 0) >= 0x10001, "SMCCC is version 1.1 or later");
	is(psci(cpu, PSCI_MIGRATE_INFO_TYPE, 0, 0, 0), 2, "no trusted OS to migrate");
	is(psci(cpu, 0x8400001f, 0, 0, 0), PSCI_RET_NOT_SUPPORTED, "an unknown PSCI function");
	is(psci(cpu, 0xc5001234, 0, 0, 0), SMCCC_RET_NOT_SUPPORTED, "an unknown guest call");
}

static void test_errors(struct kt_vcpu *cpu, uint64_t entry)
{
	static const struct {
		uint64_t fn, a1, a2, a3;
		int32_t want;
		const char *what;
	} table[] = {
		{ PSCI_CPU_ON_64, 4, 0, 0, PSCI_RET_INVALID_PARAMETERS, "CPU_ON of no CPU" },
		{ PSCI_CPU_ON_64, 0x100, 0, 0, PSCI_RET_INVALID_PARAMETERS, "CPU_ON of Aff1 1" },
		{ PSCI_CPU_ON_64, 1ull << 32 | 1, 0, 0, PSCI_RET_INVALID_PARAMETERS,
		  "CPU_ON of Aff3 1" },
		{ PSCI_CPU_ON_64, 0, 0, 0, PSCI_RET_ALREADY_ON, "CPU_ON of oneself" },
		{ PSCI_AFFINITY_INFO_64, 4, 0, 0, PSCI_RET_INVALID_PARAMETERS,
		  "AFFINITY_INFO of no CPU" },
		{ PSCI_AFFINITY_INFO_64, 0, 4, 0, PSCI_RET_INVALID_PARAMETERS,
		  "AFFINITY_INFO of level 4" },
		{ PSCI_AFFINITY_INFO_64, 0, 0, 0, PSCI_AFFINITY_ON, "AFFINITY_INFO of oneself" },
		{ PSCI_AFFINITY_INFO_64, 1, 0, 0, PSCI_AFFINITY_OFF,
		  "AFFINITY_INFO of a CPU that is off" },
		{ PSCI_AFFINITY_INFO_32, 3, 0, 0, PSCI_AFFINITY_OFF,
		  "32-bit AFFINITY_INFO of a CPU that is off" },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		is(psci(cpu, table[i].fn, table[i].a1,
			table[i].a2		      ? table[i].a2 :
			table[i].fn == PSCI_CPU_ON_64 ? entry :
							0,
			table[i].a3),
		   table[i].want, "%s", table[i].what);
}

static bool wait_affinity(struct kt_vcpu *cpu, uint64_t target, int want)
{
	unsigned int i;

	for (i = 0; i < SETTLE_MS; i++) {
		if (psci(cpu, PSCI_AFFINITY_INFO_64, target, 0, 0) == want)
			return true;
		usleep(1000);
	}
	return false;
}

/* A CPU turned on starts as PSCI says, at the address and with the x0 that were given. */
static void test_cpu_on(struct kt_vm *vm, unsigned int n, uint64_t entry, uint64_t ctx)
{
	struct kt_vcpu *boot = &vm->vcpu[0], *cpu = &vm->vcpu[n];
	struct kt_result r;
	int64_t again;

	kt_start(cpu, CMD_BOOT_INFO, 0, 0, 0, 0);
	usleep(20000);
	ok(cpu->asked && !cpu->thread_done, "CPU %u waits", n);
	is(psci(boot, PSCI_CPU_ON_64, n, entry, ctx), PSCI_RET_SUCCESS, "CPU_ON of CPU %u", n);
	again = psci(boot, PSCI_CPU_ON_64, n, entry, ctx + 1);
	ok(again == PSCI_RET_ALREADY_ON || again == PSCI_RET_ON_PENDING,
	   "a second CPU_ON is refused");
	r = kt_wait(cpu);
	ok(r.done, "CPU %u runs", n);
	is_hex(r.r[0], ctx, "its x0 is the context id");
	is_hex(r.r[1] & 0x1005, 0, "MMU and caches are off");
	is_hex(r.r[2], 4, "it is at EL1");
	is_hex(r.r[3] & 0xff00ffffff, n, "its MPIDR_EL1 is the one asked for");
	is(psci(boot, PSCI_AFFINITY_INFO_64, n, 0, 0), PSCI_AFFINITY_ON, "AFFINITY_INFO: on");
}

static void test_cpu_off(struct kt_vm *vm, uint64_t entry)
{
	struct kt_vcpu *boot = &vm->vcpu[0], *cpu = &vm->vcpu[1];

	kt_start(cpu, CMD_CPU_OFF, 0, 0, 0, 0);
	ok(wait_affinity(boot, 1, PSCI_AFFINITY_OFF), "CPU 1 turns itself off");
	usleep(20000);
	ok(!cpu->thread_done, "and its KVM_RUN waits");
	kt_kick(cpu);
	is_errno(kt_wait(cpu).err, EINTR, "until a signal");
	cpu->run->immediate_exit = 0;
	test_cpu_on(vm, 1, entry, 0x1234567890abcdef);
}

static void test_system_event(uint32_t fn, uint32_t type, const char *name)
{
	struct kvm_vcpu_init init = { 0 };
	struct kt_vm vm;
	struct kt_result r;
	struct kt_vcpu *cpu = &vm.vcpu[0], *other = &vm.vcpu[1];

	kt_create(&vm, &(struct kt_config){ .nr_vcpus = 2 });
	r = kt_hvc(cpu, fn, 0, 0, 0);
	ok(!r.done && !r.err && r.exit == KVM_EXIT_SYSTEM_EVENT, "%s leaves KVM_RUN", name);
	is(cpu->run->system_event.type, type, "as the right event");
	if (kt_protected()) {
		r = kt_resume(cpu);
		is_errno(r.err, EPERM, "after %s, KVM_RUN says EPERM", name);
		/* The other vCPU was not in KVM_RUN, and has not been told. */
		kt_start(other, CMD_NOP, 0, 0, 0, 0);
		usleep(50000);
		ok(!other->thread_done, "the other vCPU's first waits");
		kt_kick(other);
		r = kt_wait(other);
		is_errno(r.err, EINTR, "until a signal");
		is(r.exit, KVM_EXIT_INTR, "and says that it was one");
		is_errno(kt_resume(other).err, EPERM, "and then it says EPERM too");
		ioctl(vm.fd, KVM_ARM_PREFERRED_TARGET, &init);
		init.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
		is_errno(ioctl(cpu->fd, KVM_ARM_VCPU_INIT, &init) ? errno : 0, EPERM,
			 "and it cannot be started anew");
	}
	kt_close(&vm);
}

int main(void)
{
	static const uint32_t uid[4] = { GUESTCALL_UID_0, GUESTCALL_UID_1, GUESTCALL_UID_2,
					 GUESTCALL_UID_3 };
	struct kt_vm vm;
	struct kt_vcpu *cpu = &vm.vcpu[0];
	struct kt_result r;
	uint64_t entry;
	unsigned int i;

	tap_begin(120);
	kt_create(&vm, &(struct kt_config){ .nr_vcpus = 4 });
	entry = kt_do(cpu, CMD_SECONDARY, 0, 0, 0, 0);
	test_versions(cpu);
	r = kt_hvc(cpu, GUESTCALL_VENDOR_UID, 0, 0, 0);
	for (i = 0; i < 4; i++)
		is_hex((uint32_t)r.r[i], uid[i], "KVM's UID, word %u", i);
	test_errors(cpu, entry);
	for (i = 1; i < 4; i++)
		test_cpu_on(&vm, i, entry, 0xc0de000000000000 + i);
	test_cpu_off(&vm, entry);
	kt_close(&vm);
	test_system_event(PSCI_SYSTEM_OFF, KVM_SYSTEM_EVENT_SHUTDOWN, "SYSTEM_OFF");
	test_system_event(PSCI_SYSTEM_RESET, KVM_SYSTEM_EVENT_RESET, "SYSTEM_RESET");
	return tap_end();
}
