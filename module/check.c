// SPDX-License-Identifier: GPL-2.0-only
/*
 * May we launch? Looks before it calls: an HVC on a kernel that was entered at EL1 is UNDEF, and no
 * fix-up would catch it.
 */
#include "stockade.h"

#include <linux/arm-smccc.h>
#include <linux/cpu.h>
#include <linux/of.h>
#include <linux/psci.h>
#include <uapi/linux/psci.h>

#include <asm/cputype.h>
#include <asm/sysreg.h>

#include <stockade/launch.h>

#include "launch.h"

#define STUB_UNKNOWN	     0xbadca11ull /* the stub's answer to what it does not know */
#define HVC_NO_STUB_FUNCTION 5

#define CNT_CTL_ENABLE 1

/* A 4-bit field of an ID register. */
#define ID_FIELD(value, shift) (((value) >> (shift)) & 0xf)

static bool conduit_is_hvc(void)
{
	struct device_node *psci;
	const char *method = "";

	if (arm_smccc_1_1_get_conduit() == SMCCC_CONDUIT_HVC)
		return true;
	psci = of_find_node_by_path("/psci");
	if (psci)
		of_property_read_string(psci, "method", &method);
	of_node_put(psci);
	return !strcmp(method, "hvc");
}

/* A kernel that was entered at EL1 ticks with the virtual timer, one entered at EL2 with the physical. */
static bool ticks_with_virtual_timer(void)
{
	bool virtual;

	preempt_disable();
	virtual = (read_sysreg(cntv_ctl_el0) & CNT_CTL_ENABLE) &&
		  !(read_sysreg(cntp_ctl_el0) & CNT_CTL_ENABLE);
	preempt_enable();
	return virtual;
}

static u64 probe_el2(void)
{
	register u64 x0 asm("x0") = HVC_NO_STUB_FUNCTION;

	asm volatile("hvc #0" : "+r"(x0) : : "x1", "x2", "x3", "memory");
	return x0;
}

static int check_el2(void)
{
	u64 answer;

	if (read_sysreg(CurrentEL) == CurrentEL_EL2) {
		pr_err("the kernel runs at EL2 (VHE); boot with kvm-arm.mode=none id_aa64mmfr1.vh=0\n");
		return -EBUSY;
	}
	if (conduit_is_hvc() || ticks_with_virtual_timer()) {
		pr_err("the kernel was entered at EL1; firmware, or the hypervisor below, must start it at EL2\n");
		return -ENODEV;
	}
	answer = probe_el2();
	if (answer != STUB_UNKNOWN) {
		pr_err("EL2 is taken by KVM; boot with kvm-arm.mode=none\n");
		return -EBUSY;
	}
	return 0;
}

static int check_cpu_features(void)
{
	u64 mmfr0 = read_sysreg_s(SYS_ID_AA64MMFR0_EL1);
	u64 pfr0 = read_sysreg_s(SYS_ID_AA64PFR0_EL1);
	u64 tgran4 = ID_FIELD(mmfr0, 28), tgran4_2 = ID_FIELD(mmfr0, 40);

	/* TGran4_2: 0 means as TGran4, 1 not at all; TGran4: 0xf is not at all. */
	if (PAGE_SIZE != SZ_4K || tgran4_2 == 1 || (!tgran4_2 && tgran4 == 0xf)) {
		pr_err("no 4 KiB granule: a kernel with 4 KiB pages is needed, and a CPU with 4 KiB stage-2 pages\n");
		return -ENODEV;
	}
	if (!ID_FIELD(pfr0, 24)) {
		pr_err("no GICv3: the CPU has no GIC system registers (QEMU: -M gic-version=3)\n");
		return -ENODEV;
	}
	return 0;
}

/* The affinity of a possible CPU, from the device tree. */
int stockade_cpu_mpidr(unsigned int cpu, u64 *mpidr)
{
	struct device_node *node = of_get_cpu_node(cpu, NULL);
	u32 low;
	int err;

	if (!node) {
		pr_err("CPU %u is not in the device tree; ACPI machines are not supported yet\n",
		       cpu);
		return -ENODEV;
	}
	/* "reg" has one cell or two, as /cpus says. */
	err = of_property_read_u64(node, "reg", mpidr);
	if (err) {
		err = of_property_read_u32(node, "reg", &low);
		*mpidr = low;
	}
	if (err)
		pr_err("CPU %u has no \"reg\" in the device tree\n", cpu);
	of_node_put(node);
	return err;
}

/* A CPU that is neither online nor off runs something, and would run it without stage 2. */
static int check_cpus(void)
{
	unsigned int cpu;

	if (nr_cpu_ids > STOCKADE_MAX_CPUS) {
		pr_err("%u CPUs are more than the %u that are supported\n", nr_cpu_ids,
		       STOCKADE_MAX_CPUS);
		return -ENODEV;
	}
	for_each_possible_cpu(cpu) {
		struct arm_smccc_res res;
		u64 mpidr;
		int err = stockade_cpu_mpidr(cpu, &mpidr);

		if (err)
			return err;
		if (cpu_online(cpu))
			continue;
		arm_smccc_smc(PSCI_0_2_FN64_AFFINITY_INFO, mpidr, 0, 0, 0, 0, 0, 0, &res);
		if (res.a0 != PSCI_0_2_AFFINITY_LEVEL_OFF) {
			pr_err("CPU %u (MPIDR 0x%llx) is neither online nor off (PSCI says %ld): it would run without stage 2\n",
			       cpu, mpidr, (long)res.a0);
			return -EBUSY;
		}
	}
	return 0;
}

int stockade_check(void)
{
	int err = check_el2();

	if (!err)
		err = check_cpu_features();
	if (!err)
		err = check_cpus();
	return err;
}
