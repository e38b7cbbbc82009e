// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hostile guests: two VMs, three vCPUs, two CPUs; each guest traps in any way it likes (guest.c), and the host
 * between its runs does what keeps it going. What a guest does may change its own pages, and how its own are shared:
 * no page of the host's or of the other VM, and nothing that the hypervisor holds for the other VM.
 */
#include <string.h>

#include <stockade/hostcall.h>

#include "arch/layout.h"
#include "guest.h"
#include "shadow.h"
#include "vm/vcpu.h"

#define MAX_RUNS 40
#define MAX_HELD 128
#define IPA_BITS 40 /* of fuzz_make_vm() */
#define NR_VMS	 2
#define NR_VCPUS 2 /* of the first VM; the second has one */

static struct {
	u64 handle;
	struct vm *vm;
	pa_t vcpu[NR_VCPUS], run[NR_VCPUS];
} vms[NR_VMS];

/* What the hypervisor holds for a VM: its page, tables, vCPUs, pool. */
static struct {
	unsigned int nr;
	pa_t pa[MAX_HELD];
	u8 page[MAX_HELD][PAGE_SIZE];
} held;

static void hold(pa_t pa)
{
	if (held.nr == MAX_HELD)
		fake_fail("a VM has too many pages for the fuzzer");
	memcpy(held.page[held.nr], fake_ram(pa), PAGE_SIZE);
	held.pa[held.nr++] = pa;
}

static void hold_table(pa_t pa, unsigned int level, void *arg)
{
	(void)level;
	(void)arg;
	hold(pa);
}

static void hold_all(unsigned int n, unsigned int nr_vcpus)
{
	const struct vm *vm = vms[n].vm;

	held.nr = 0;
	hold(hyp_pa(vm));
	fake_each_table(&vm->mem.map, hold_table, NULL);
	for (unsigned int i = 0; i < nr_vcpus; i++)
		hold(vms[n].vcpu[i]);
	for (pa_t page = vm->mem.pool.head; page; page = *(u64 *)fake_ram(page))
		hold(page);
}

static void check_held(void)
{
	for (unsigned int i = 0; i < held.nr; i++)
		if (memcmp(held.page[i], fake_ram(held.pa[i]), PAGE_SIZE))
			fake_fail("a guest has changed 0x%lx, which is held for another",
				  held.pa[i]);
}

static unsigned int loaded[2]; /* by CPU: the VM that runs there */

static void run(unsigned int cpu)
{
	unsigned int n = loaded[cpu];
	const struct stockade_run *page;
	s64 ret;

	fake_cpu(cpu);
	hold_all(!n, n ? NR_VCPUS : 1);
	ret = fuzz_hc(STOCKADE_HC_VCPU_RUN);
	if (ret && ret != STOCKADE_EINVAL)
		fake_fail("VCPU_RUN: %ld", ret);
	guest_check_exit();
	page = fake_ram(hyp_pa(this_cpu()->vcpu->run));
	if (!ret && fuzz_hc_x1 == STOCKADE_EXIT_ABORT && page->abort_ipa >> IPA_BITS)
		fake_fail("the host is asked for 0x%lx", (u64)page->abort_ipa);
	fake_check();
	shadow_step(SHADOW_RECLAIM | SHADOW_SHARE, vms[n].vm->index);
	check_held();
}

/* --- the host --- */

static struct stockade_run *run_page(unsigned int cpu, unsigned int vcpu)
{
	return fake_ram(vms[loaded[cpu]].run[vcpu]);
}

/* What the last exit asked for, or any page. */
static void give_page(struct fuzz_input *in, unsigned int cpu)
{
	u8 how = (u8)fuzz_take(in, 1);
	u64 gfn = (how & 0x80 ? guest_any_ipa(in) : run_page(cpu, 0)->abort_ipa) >> PAGE_SHIFT;
	pa_t pa = how & 0x40 ? FUZZ_BLOCK : fuzz_page(how);

	u64 handle = vms[loaded[cpu]].handle;
	s64 ret;

	if (how & 0x40)
		gfn &= ~511ull;
	ret = fuzz_hc(STOCKADE_HC_HOST_DONATE_GUEST, handle, pa >> PAGE_SHIFT, gfn,
		      how & 0x40 ? 512 : 1);
	if (ret == STOCKADE_ENOMEM && fuzz_hc_x2 == STOCKADE_POOL_HYP)
		fuzz_hc(STOCKADE_HC_POOL_TOPUP, fuzz_spare_page() >> PAGE_SHIFT, 1);
	else if (ret == STOCKADE_ENOMEM || run_page(cpu, 0)->exit_reason == STOCKADE_EXIT_TOPUP)
		fuzz_hc(STOCKADE_HC_VM_TOPUP, handle, fuzz_spare_page() >> PAGE_SHIFT, 1);
	shadow_step(SHADOW_DONATE, 0);
}

static void answer(struct fuzz_input *in, unsigned int cpu)
{
	u8 how = (u8)fuzz_take(in, 1);

	run_page(cpu, 0)->entry_flags = how & 0xf;
	run_page(cpu, 0)->mmio_data = fuzz_number(in);
	fuzz_hc(STOCKADE_HC_VCPU_MMIO_VALUE);
}

static void load(unsigned int cpu, unsigned int n, unsigned int vcpu)
{
	fake_cpu(cpu);
	if (fuzz_hc(STOCKADE_HC_VCPU_LOAD, vms[n].handle, vcpu))
		fake_fail("VCPU_LOAD");
	loaded[cpu] = n;
}

/* The first CPU has the first VM's vCPUs in turn; the second one the other VM's. */
static void switch_vcpu(unsigned int vcpu)
{
	fake_cpu(0);
	fuzz_hc(STOCKADE_HC_VCPU_PUT);
	load(0, 0, vcpu);
}

static void operate(struct fuzz_input *in)
{
	u8 how = (u8)fuzz_take(in, 1);
	unsigned int cpu = how >> 7;

	fake_cpu(cpu);
	switch (how % 8) {
	case 0:
	case 1:
	case 2:
	case 3:
		run(cpu);
		break;
	case 4:
	case 5:
		give_page(in, cpu);
		break;
	case 6:
		answer(in, cpu);
		break;
	case 7:
		switch_vcpu(how >> 3 & 1);
		break;
	}
}

static void make_vms(bool off)
{
	for (unsigned int n = 0; n < NR_VMS; n++) {
		vms[n].handle = fuzz_make_vm();
		vms[n].vm = fuzz_vm(vms[n].handle);
		for (unsigned int i = 0; i < (n ? 1 : NR_VCPUS); i++) {
			vms[n].vcpu[i] = fuzz_make_vcpu(vms[n].handle, i, &vms[n].run[i]);
			memset(fake_ram(vms[n].run[i]), 0, PAGE_SIZE);
		}
	}
	if (off)
		fuzz_hc(STOCKADE_HC_VCPU_SET_REG, vms[0].handle, 1, STOCKADE_REG_POWER_OFF, 1);
	load(0, 0, 0);
	load(1, 1, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	u8 start = (u8)fuzz_take(&in, 1);

	fuzz_boot_shadowed(64);
	guest_start(&in);
	make_vms(start & 1);
	fake.has_fwb = start & 2;
	shadow_start();
	for (unsigned int i = 0; i < MAX_RUNS && fuzz_more(&in); i++)
		operate(&in);
	shadow_check_all();
	return 0;
}
