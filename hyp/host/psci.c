// SPDX-License-Identifier: GPL-2.0-only
#include "host/psci.h"

#include <stockade/guestcall.h>

#include "arch/host_el1.h"
#include "arch/launch.h"
#include "arch/layout.h"
#include "arch/lock.h"
#include "arch/smc.h"
#include "host/restart.h"
#include "lib/log.h"
#include "vm/vcpu.h"

/* Linux's boot modes (arch/arm64/include/asm/virt.h): what its entry code hands on in w0. */
#define BOOT_CPU_MODE_EL1 0xe11
#define BOOT_CPU_MODE_EL2 0xe12
#define MAX_STEPS	  64

static struct psci_lock psci_lock;

bool psci_is_function(u32 function)
{
	return (function & ~0x4000001fu) == 0x84000000;
}

static struct cpu *find_cpu(u64 mpidr)
{
	for (unsigned int i = 0; i < cpu_count; i++)
		if (cpu_get(i)->mpidr == mpidr)
			return cpu_get(i);
	return NULL;
}

static u64 cpu_pa(const struct cpu *cpu)
{
	return hyp_pa(cpu);
}

static u64 cpu_on(u64 mpidr, u64 entry, u64 context)
{
	struct cpu *cpu = find_cpu(mpidr);
	s64 ret;

	if (!cpu)
		return (u64)PSCI_RET_INVALID_PARAMETERS;

	spin_lock(&psci_lock);
	if (cpu->power != CPU_OFF) {
		ret = cpu->power == CPU_ON ? PSCI_RET_ALREADY_ON : PSCI_RET_ON_PENDING;
		spin_unlock(&psci_lock);
		return (u64)ret;
	}
	cpu->power = CPU_ON_PENDING;
	cpu->resume_entry = entry;
	cpu->resume_context = context;
	spin_unlock(&psci_lock);

	ret = (s64)smc_call(PSCI_CPU_ON_64, mpidr, image_pa(launch_cpu_on_entry), cpu_pa(cpu));
	if (ret) {
		spin_lock(&psci_lock);
		cpu->power = CPU_OFF;
		spin_unlock(&psci_lock);
	}
	return (u64)ret;
}

static u64 cpu_off(struct host_regs *regs)
{
	struct cpu *cpu = this_cpu();

	vcpu_put_bound();
	spin_lock(&psci_lock);
	cpu->power = CPU_OFF;
	spin_unlock(&psci_lock);
	smc_forward(regs->x);
	/* Denied. */
	spin_lock(&psci_lock);
	cpu->power = CPU_ON;
	spin_unlock(&psci_lock);
	return regs->x[0];
}

/*
 * CPU_SUSPEND(state, entry, context) and SYSTEM_SUSPEND(entry, context): if the CPU loses its state it
 * comes back by way of the hypervisor.
 */
static u64 suspend(struct host_regs *regs, unsigned int entry_arg, u64 mask)
{
	struct cpu *cpu = this_cpu();
	u64 x[18] = { regs->x[0], regs->x[1] };

	vcpu_put_bound();
	spin_lock(&psci_lock);
	cpu->resume_entry = regs->x[entry_arg] & mask;
	cpu->resume_context = regs->x[entry_arg + 1] & mask;
	spin_unlock(&psci_lock);
	x[0] |= 0x40000000; /* the entry is a 64-bit address, whatever the host's was */
	x[entry_arg] = image_pa(launch_cpu_on_entry);
	x[entry_arg + 1] = cpu_pa(cpu);
	smc_forward(x);
	return x[0];
}

void psci_cpu_is_on(struct cpu *cpu, struct host_regs *regs)
{
	u64 context;

	spin_lock(&psci_lock);
	cpu->power = CPU_ON;
	host_set_entry(cpu->resume_entry);
	context = cpu->resume_context;
	spin_unlock(&psci_lock);

	*regs = (struct host_regs){ .x[0] = context };
	/*
	 * The kernel booted at EL2 and comes in at EL1 now: its entry code would note a mixed boot mode,
	 * and 7.x kernels then kill the CPU. It must not notice.
	 */
	cpu->stepping = true;
	cpu->steps = 0;
	host_step_start();
}

void psci_step(struct host_regs *regs)
{
	struct cpu *cpu = this_cpu();

	if (cpu->stepping && (u32)regs->x[0] != BOOT_CPU_MODE_EL1 && ++cpu->steps < MAX_STEPS) {
		host_step_next();
		return;
	}
	if (cpu->stepping && (u32)regs->x[0] == BOOT_CPU_MODE_EL1)
		regs->x[0] = BOOT_CPU_MODE_EL2;
	cpu->stepping = false;
	host_step_stop(cpu->host_el2.mdcr);
}

/* Those of host_psci(); firmware may have more, of which the host must not hear. */
static bool is_offered(u32 function)
{
	switch (function) {
	case PSCI_VERSION:
	case PSCI_CPU_SUSPEND_32:
	case PSCI_CPU_SUSPEND_64:
	case PSCI_CPU_OFF:
	case PSCI_CPU_ON_32:
	case PSCI_CPU_ON_64:
	case PSCI_AFFINITY_INFO_32:
	case PSCI_AFFINITY_INFO_64:
	case PSCI_MIGRATE_32:
	case PSCI_MIGRATE_64:
	case PSCI_MIGRATE_INFO_TYPE:
	case PSCI_MIGRATE_INFO_UP_CPU32:
	case PSCI_MIGRATE_INFO_UP_CPU64:
	case PSCI_SYSTEM_OFF:
	case PSCI_SYSTEM_RESET:
	case PSCI_FEATURES:
	case PSCI_SYSTEM_SUSPEND_32:
	case PSCI_SYSTEM_SUSPEND_64:
	case PSCI_SET_SUSPEND_MODE:
	case PSCI_SYSTEM_RESET2_32:
	case PSCI_SYSTEM_RESET2_64:
	case PSCI_SYSTEM_OFF2_32:
	case PSCI_SYSTEM_OFF2_64:
		return true;
	default:
		return false;
	}
}

/* Of what is no PSCI function the kernel asks too: SMCCC_VERSION. */
static void features(u64 *x)
{
	if (psci_is_function((u32)x[1]) && !is_offered((u32)x[1]))
		x[0] = (u64)PSCI_RET_NOT_SUPPORTED;
	else
		smc_forward(x);
}

void host_psci(struct host_regs *regs)
{
	u64 *x = regs->x;

	switch ((u32)x[0] & ~SMCCC_HINT) {
	case PSCI_CPU_ON_64:
		x[0] = cpu_on(x[1], x[2], x[3]);
		break;
	case PSCI_CPU_ON_32:
		x[0] = cpu_on((u32)x[1], (u32)x[2], (u32)x[3]);
		break;
	case PSCI_CPU_OFF:
		x[0] = cpu_off(regs);
		break;
	case PSCI_CPU_SUSPEND_64:
		x[0] = suspend(regs, 2, ~0ull);
		break;
	case PSCI_CPU_SUSPEND_32:
		x[0] = suspend(regs, 2, 0xffffffff);
		break;
	case PSCI_SYSTEM_SUSPEND_64:
		x[0] = suspend(regs, 1, ~0ull);
		break;
	case PSCI_SYSTEM_SUSPEND_32:
		x[0] = suspend(regs, 1, 0xffffffff);
		break;
	case PSCI_VERSION:
	case PSCI_AFFINITY_INFO_32:
	case PSCI_AFFINITY_INFO_64:
	case PSCI_MIGRATE_32:
	case PSCI_MIGRATE_64:
	case PSCI_MIGRATE_INFO_TYPE:
	case PSCI_MIGRATE_INFO_UP_CPU32:
	case PSCI_MIGRATE_INFO_UP_CPU64:
	case PSCI_SET_SUSPEND_MODE:
		smc_forward(x);
		break;
	case PSCI_SYSTEM_OFF:
	case PSCI_SYSTEM_RESET:
	case PSCI_SYSTEM_RESET2_32:
	case PSCI_SYSTEM_RESET2_64:
	case PSCI_SYSTEM_OFF2_32:
	case PSCI_SYSTEM_OFF2_64:
		/* Memory may outlive a warm reset. */
		end_all_guests();
		smc_forward(x);
		break;
	case PSCI_FEATURES:
		features(x);
		break;
	default:
		x[0] = (u64)PSCI_RET_NOT_SUPPORTED;
		break;
	}
}
