// SPDX-License-Identifier: GPL-2.0-only
/* Attempts one by one. */
#include <linux/mm.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <asm/cputype.h>
#include <asm/sysreg.h>

#include <stockade/guestcall.h>
#include <stockade/hostcall.h>

#include "attack.h"

/* The kernel reads a page of a VM's: what it sees must not be the VM's data. */
int touch_guest(u64 pfn, struct seq_buf *out)
{
	unsigned long word[8];
	long err = copy_from_kernel_nofault(word, pfn_to_kaddr(pfn), sizeof(word));

	seq_buf_printf(out, "err %ld\nnot_zero %d\n", err,
		       memchr_inv(word, 0, sizeof(word)) != NULL);
	return 0;
}

static s64 smc(u64 function, u64 a1, u64 a2, u64 a3)
{
	u64 x[4] = { function, a1, a2, a3 };

	attack_smc(x);
	return (s64)x[0];
}

int try_smcs(struct seq_buf *out)
{
	/* SiP, OEM, standard secure service, FF-A, SDEI, trusted OS, and what is none. */
	static const u32 denied[] = { 0xc2000001, 0x83000002, 0x8400ff01, 0xc4000084,
				      0xc4000021, 0xb2000003, 0xf2000004, 0x5 };
	u64 mpidr = read_cpuid_mpidr() & 0xff00ffffffull;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(denied); i++) {
		s64 first = smc(denied[i], 1, 2, 3);

		seq_buf_printf(out, "smc_%x %lld %lld\n", denied[i], first,
			       smc(denied[i], own_pool_pfn() << PAGE_SHIFT, 4096, 0));
	}
	seq_buf_printf(out, "cpu_on_nobody %lld\n",
		       smc(PSCI_CPU_ON_64, 0xff00ffffff, 0x40000000, 0));
	seq_buf_printf(out, "cpu_on_wide %lld\n",
		       smc(PSCI_CPU_ON_64, mpidr | 1ull << 31, 0x40000000, 0));
	seq_buf_printf(out, "cpu_on_wider %lld\n",
		       smc(PSCI_CPU_ON_64, mpidr | 1ull << 63, 0x40000000, 0));
	seq_buf_printf(out, "cpu_on_self %lld\n", smc(PSCI_CPU_ON_64, mpidr, 0x40000000, 0));
	seq_buf_printf(out, "affinity_self %lld\n", smc(PSCI_AFFINITY_INFO_64, mpidr, 0, 0));
	seq_buf_printf(out, "affinity_nobody %lld\n",
		       smc(PSCI_AFFINITY_INFO_64, 0xff00ffffff, 0, 0));
	/* A standby state, for TF-A's "qemu" platform and for QEMU: the next interrupt ends it. */
	seq_buf_printf(out, "suspend_standby %lld\n", smc(PSCI_CPU_SUSPEND_64, 1, 0x40000000, 0));
	seq_buf_printf(out, "suspend_odd %lld\n", smc(PSCI_CPU_SUSPEND_64, ~0u, 0x40000000, 0));
	seq_buf_printf(out, "workaround_1 %lld\nworkaround_3 %lld\n",
		       smc(SMCCC_ARCH_WORKAROUND_1, 0, 0, 0),
		       smc(SMCCC_ARCH_WORKAROUND_3, 0, 0, 0));
	seq_buf_printf(out, "migrate_type %lld\n", smc(PSCI_MIGRATE_INFO_TYPE, 0, 0, 0));
	seq_buf_printf(out, "features_cpu_on %lld\n", smc(PSCI_FEATURES, PSCI_CPU_ON_64, 0, 0));
	seq_buf_printf(out, "features_mem_protect %lld\n", smc(PSCI_FEATURES, 0x84000013, 0, 0));
	seq_buf_printf(out, "psci_unknown %lld\n", smc(0x8400001f, 0, 0, 0));
	seq_buf_printf(out, "psci_version %lld\n", smc(PSCI_VERSION, 0, 0, 0));
	return 0;
}

static void hvc(struct seq_buf *out, const char *name, u64 function, u64 a1)
{
	u64 x[4] = { function, a1, 0x1000, 0 };

	attack_hvc(x);
	seq_buf_printf(out, "%s %lld\n", name, (s64)x[0]);
}

/* There must be a VM, or the hypervisor may rightly be asked to go. */
int try_stub(struct seq_buf *out)
{
	u64 x[4] = { 4, ~0ull, 0, 0 };

	hvc(out, "stub_set_vectors", 0, own_pool_pfn() << PAGE_SHIFT);
	hvc(out, "stub_reset_vectors", 2, 0);
	hvc(out, "stub_finalise_el2", 3, 0);
	attack_hvc(x);
	seq_buf_printf(out, "stub_get_ich_vtr %lld\nich_vtr %llx\n", (s64)x[0], x[1]);
	hvc(out, "no_function", 5, 0);
	hvc(out, "minus_one", ~0ull, 0);
	hvc(out, "seal", STOCKADE_HC_SEAL, 0);
	hvc(out, "unlaunch", STOCKADE_HC_UNLAUNCH, 0);
	hvc(out, "unlaunch_cpu", STOCKADE_HC_UNLAUNCH_CPU, 0);
	hvc(out, "version", STOCKADE_HC_VERSION, 0);
	return 0;
}

/* What a VM's page holds when the VM is gone: nothing. Nor can the kernel see it before. */
int reclaim_zeroes(struct seq_buf *out)
{
	struct raw_vm vm;
	u64 pfn = take_pfn(0);
	unsigned long word;
	bool destroyed;

	if (!pfn || !raw_create(&vm, NULL))
		return -EIO;
	memset(pfn_to_kaddr(pfn), 0xa5, PAGE_SIZE);
	seq_buf_printf(out, "donate %lld\n",
		       raw_call(STOCKADE_HC_HOST_DONATE_GUEST, vm.handle, pfn, 0x50000, 1, NULL));
	seq_buf_printf(out, "donate_again %lld\n",
		       raw_call(STOCKADE_HC_HOST_DONATE_GUEST, vm.handle, pfn, 0x50001, 1, NULL));
	seq_buf_printf(out, "donate_vm_page %lld\n",
		       raw_call(STOCKADE_HC_HOST_DONATE_GUEST, vm.handle, vm.vm, 0x50001, 1, NULL));
	seq_buf_printf(out, "donate_run_page %lld\n",
		       raw_call(STOCKADE_HC_HOST_DONATE_GUEST, vm.handle, vm.run[0], 0x50001, 1,
				NULL));
	seq_buf_printf(out, "read_vcpu_page %ld\n",
		       copy_from_kernel_nofault(&word, pfn_to_kaddr(vm.vcpu[0]), sizeof(word)));
	seq_buf_printf(out, "read_root_page %ld\n",
		       copy_from_kernel_nofault(&word, pfn_to_kaddr(vm.root), sizeof(word)));
	destroyed = raw_destroy(vm.handle);
	seq_buf_printf(out, "destroyed %d\n", destroyed);
	if (!destroyed)
		return 0;
	seq_buf_printf(out, "not_zero %d\n",
		       memchr_inv(pfn_to_kaddr(pfn), 0, PAGE_SIZE) ||
			       memchr_inv(pfn_to_kaddr(vm.code), 0, PAGE_SIZE) ||
			       memchr_inv(pfn_to_kaddr(vm.vcpu[0]), 0, PAGE_SIZE) ||
			       memchr_inv(pfn_to_kaddr(vm.root), 0, PAGE_SIZE));
	return 0;
}

/* A call with the block at pfn; counted. */
static s64 give_block(u64 handle, u64 pfn, u64 *more, unsigned int *calls)
{
	++*calls;
	return raw_call(STOCKADE_HC_HOST_DONATE_GUEST, handle, pfn, 0x50000, 512, more);
}

/* The block is full of something, and there is a VM to give it to. */
static bool fill_for_vm(struct raw_vm *vm, void *block)
{
	memset(block, 0xa5, SZ_2M);
	return raw_create(vm, NULL);
}

/* The VM goes: what has it left in the block? */
static void end_vm(struct seq_buf *out, const char *what, u64 handle, const void *block)
{
	seq_buf_printf(out, "%s_destroyed %d\n", what, raw_destroy(handle));
	seq_buf_printf(out, "%s_not_zero %d\n", what, !!memchr_inv(block, 0, SZ_2M));
}

/*
 * A block, which without FWB is cleaned in pieces: given whole; and, once it is begun, touched by the kernel, or its VM
 * ended.
 */
int block_in_pieces(struct seq_buf *out)
{
	bool fwb = cpuid_feature_extract_unsigned_field(read_sysreg_s(SYS_ID_AA64MMFR2_EL1),
							ID_AA64MMFR2_EL1_FWB_SHIFT);
	unsigned int mark = take_mark(), calls = 0;
	u64 pfn = take_pfn(9), more = 1;
	struct raw_vm vm;
	u64 *word;
	s64 err = 0;

	if (!pfn)
		return -EIO;
	word = pfn_to_kaddr(pfn);
	if (!fill_for_vm(&vm, word))
		return -EIO;
	while (!err && more && calls < 100)
		err = give_block(vm.handle, pfn, &more, &calls);
	seq_buf_printf(out, "given %lld\ncalls %u\nshould %u\n", err, calls, fwb ? 1 : 9);
	seq_buf_printf(out, "again %lld\n", give_block(vm.handle, pfn, &more, &calls));
	end_vm(out, "given", vm.handle, word);

	if (!fill_for_vm(&vm, word))
		return -EIO;
	seq_buf_printf(out, "begun %lld\n", give_block(vm.handle, pfn, &more, &calls));
	seq_buf_printf(out, "touched %llx\n", READ_ONCE(word[SZ_1M / 8]));
	seq_buf_printf(out, "gone_on %lld\n", give_block(vm.handle, pfn, &more, &calls));
	end_vm(out, "touched", vm.handle, word);

	if (!fill_for_vm(&vm, word))
		return -EIO;
	give_block(vm.handle, pfn, &more, &calls);
	end_vm(out, "begun", vm.handle, word);
	take_back(mark);
	return 0;
}

/* The frame of the last-level table that maps va, by the walk that the CPU does. 0: a block. */
static u64 table_pfn(unsigned long va)
{
	u64 t1sz = read_sysreg(tcr_el1) >> 16 & 0x3f;
	unsigned int levels = DIV_ROUND_UP(64 - t1sz - PAGE_SHIFT, 9), bits;
	u64 pa = read_sysreg(ttbr1_el1) & GENMASK(47, 6);

	for (bits = 64 - t1sz; --levels;) {
		unsigned int shift = PAGE_SHIFT + 9 * levels;
		u64 index = (va & GENMASK(bits - 1, 0)) >> shift;
		u64 entry = *((u64 *)phys_to_virt(pa) + index);

		if ((entry & 3) != 3)
			return 0;
		pa = entry & GENMASK(47, 12);
		bits = shift;
	}
	return pa >> PAGE_SHIFT;
}

static struct raw_vm tables_vm;

/*
 * Translation tables of the kernel's, given to a VM: the access that needs them must die, and only it.
 * Whoever calls this is not coming back.
 */
int tables_in_guest(struct seq_buf *out)
{
	static char *area;
	unsigned long va;
	u64 pfn;
	s64 err;

	/* 2 MiB that have a table of their own. */
	area = vzalloc(4 * SZ_1M);
	if (!area || !raw_create(&tables_vm, NULL))
		return -EIO;
	va = ALIGN((unsigned long)area, SZ_2M);
	pfn = table_pfn(va);
	if (!pfn)
		return -EIO;
	pr_info("attack: 0x%lx is mapped by a table at frame 0x%llx\n", va, pfn);
	err = raw_call(STOCKADE_HC_HOST_DONATE_GUEST, tables_vm.handle, pfn, 0x50000, 1, NULL);
	if (err)
		return err;
	WRITE_ONCE(*(char *)va, 1);
	pr_info("attack: lived on\n");
	return 0;
}

/* Afterwards: the table is back, empty; nobody uses that range again. */
int end_tables(struct seq_buf *out)
{
	seq_buf_printf(out, "destroyed %d\n", raw_destroy(tables_vm.handle));
	return 0;
}
