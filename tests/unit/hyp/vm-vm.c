// SPDX-License-Identifier: GPL-2.0-only
/* VMs and vCPUs from their making on: what the host may do with them when, by hostcalls. */
#include "hyptest.h"

#define CONFIG(bits) ((bits) | STOCKADE_VM_PROTECTED << 8)

static struct test_vm vm;

static s64 create(pa_t page, pa_t root, u64 config)
{
	return hc_fed(STOCKADE_HC_VM_CREATE, PFN(page), PFN(root), config);
}

/* Sizes, flags and alignment that are not offered; pages that are not the host's. */
static void bad_creations_are_refused(void)
{
	pa_t page = host_page(), root = 0x41100000;

	assert_refused(create(page, root, 0), STOCKADE_EINVAL);
	assert_refused(create(page, root, 40), STOCKADE_EINVAL); /* not protected */
	assert_refused(create(page, root, CONFIG(31)), STOCKADE_EINVAL);
	assert_refused(create(page, root, CONFIG(41)), STOCKADE_EINVAL); /* the host has 40 */
	assert_refused(create(page, root, CONFIG(255)), STOCKADE_EINVAL);
	assert_refused(create(page, root, 40 | 3 << 8), STOCKADE_EINVAL);
	assert_refused(create(page, root, 40 | 2 << 8), STOCKADE_EINVAL);
	assert_refused(create(page, root, CONFIG(40) | 1ull << 63), STOCKADE_EINVAL);
	assert_refused(create(page, root + PAGE_SIZE, CONFIG(40)), STOCKADE_EINVAL); /* 2 pages */
	assert_refused(create(fake.launch.log, root, CONFIG(40)), STOCKADE_EPERM);
	assert_refused(create(fake.launch.image, root, CONFIG(40)), STOCKADE_EPERM);
	assert_refused(create(0, root, CONFIG(40)), STOCKADE_EINVAL);
	assert_refused(create(~0ull, root, CONFIG(40)), STOCKADE_EINVAL);
	assert_int_equal(vm_count(), 0);
}

/* A root that is not the host's, or is the VM's page itself: the page comes back. */
static void a_bad_root_gives_the_page_back(void)
{
	pa_t page = host_page();

	assert_ret(create(page, fake.launch.image, CONFIG(39)), STOCKADE_EPERM);
	assert_state(page, PAGE_HOST);
	assert_ret(create(page, page, CONFIG(39)), STOCKADE_EPERM);
	assert_state(page, PAGE_HOST);
	assert_ret(create(0x41000000, 0x41000000, CONFIG(40)), STOCKADE_EPERM);
	assert_ret(create(page, 0x40800000, CONFIG(39)), STOCKADE_EINVAL);
	assert_state(page, PAGE_HOST);
	assert_host_has(page);
	assert_int_equal(vm_count(), 0);
}

/* A VM starts with its own VMID, an empty space, and a clock at 0. */
static void a_new_vm(void)
{
	vm = make_vm(0);
	assert_int_equal(vm.vm->world.vttbr, vm.root | 1ull << 48);
	assert_int_equal(vm.vm->world.vtcr, guest_vtcr(40));
	assert_int_equal(vm.vm->world.cntvoff, fake.counter);
	assert_int_equal(vm.vm->state, VM_NEW);
	assert_int_equal(vm_count(), 1);
	assert_state(vm.page, PAGE_HYP);
	assert_state(vm.root, PAGE_HYP);
	assert_state(vm.root + PAGE_SIZE, PAGE_HYP);
	assert_page_is(vm.root, 0);
	end_vm(&vm);
	assert_int_equal(vm_count(), 0);
}

/* Handles of nobody, in every call that takes one. */
static void bad_handles_are_refused(void)
{
	static const u64 calls[] = {
		STOCKADE_HC_VM_TOPUP,	  STOCKADE_HC_VCPU_CREATE,
		STOCKADE_HC_VCPU_SET_REG, STOCKADE_HC_HOST_DONATE_GUEST,
		STOCKADE_HC_VCPU_LOAD,	  STOCKADE_HC_VM_TEARDOWN,
		STOCKADE_HC_VM_RECLAIM,	  STOCKADE_HC_VM_RECLAIM_TABLE,
		STOCKADE_HC_VCPU_DESTROY, STOCKADE_HC_VM_DESTROY,
	};
	u64 bad[] = { 0,
		      1,
		      0xfff,
		      0x1001,
		      0x10fe,
		      0x10ff,
		      0x1100,
		      ~0ull,
		      1ull << 32 | 0x1000,
		      0x1000 - (1ull << 32) };

	vm = make_vm(1);
	assert_int_equal(vm.handle, 0x1000);
	for (size_t c = 0; c < ARRAY_SIZE(calls); c++)
		for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
			assert_refused(hc(calls[c], bad[i], 0, PFN(host_page()), 0, 1),
				       STOCKADE_ENOENT);
}

/* There are 255 VMs at the most, each with another VMID; the next is refused. */
static void vms_are_bounded(void)
{
	static const struct fake_config config = {
		.ram = { { 0x40000000, 0x1000000 }, { 0x42000000, 0x400000 } },
		.nr_ram = 2,
		.pool_pages = 128,
	};
	pa_t page = 0x42000000;

	boot_again_as(&config);
	for (unsigned int i = 0; i < STOCKADE_MAX_VMS; i++, page += 2 * PAGE_SIZE) {
		assert_ret(create(page, page + PAGE_SIZE, CONFIG(32)), 0);
		assert_int_equal(hc_result.x1, 0x1000 + i);
		vm.vm = hyp_va(page);
		assert_int_equal(vm.vm->world.vttbr >> 48, i + 1);
	}
	assert_refused(create(page, page + PAGE_SIZE, CONFIG(32)), STOCKADE_ENOSPC);
	fake_check();
	/* One goes, and its place is used again. */
	assert_ret(hc(STOCKADE_HC_VM_TEARDOWN, 0x1010), 0);
	assert_ret(hc(STOCKADE_HC_VM_RECLAIM, 0x1010), 0);
	assert_ret(hc(STOCKADE_HC_VM_DESTROY, 0x1010), 0);
	assert_ret(create(page, page + PAGE_SIZE, CONFIG(32)), 0);
	assert_int_equal(hc_result.x1, 0x1010);
}

/* Memory runs out in the middle: nothing has happened, and when fed it works. */
static void creation_asks_for_memory(void)
{
	pa_t page = 0x40300000, root = 0x40700000; /* each in a block: each takes tables */

	spin_lock(&mem_lock);
	pool_reserve(&hyp_pool, hyp_pool.free - HYP_POOL_RESERVE);
	spin_unlock(&mem_lock);
	assert_refused(hc(STOCKADE_HC_VM_CREATE, PFN(page), PFN(root), CONFIG(39)),
		       STOCKADE_ENOMEM);
	assert_int_equal(hc_result.x2, STOCKADE_POOL_HYP);
	/* For both at once: a call that is refused has taken nothing. */
	assert_int_equal(hc_result.x1, 4);
	assert_ret(create(page, root, CONFIG(39)), 0);
	spin_lock(&mem_lock);
	pool_unreserve(&hyp_pool, hyp_pool.reserved);
	spin_unlock(&mem_lock);
}

/* Several pages at once go to a VM's pool, all of them, and come out of it when the VM is gone. */
static void a_pool_takes_several_pages(void)
{
	pa_t pages = 0x41100000;

	vm = make_vm(0);
	assert_ret(hc_fed(STOCKADE_HC_VM_TOPUP, vm.handle, PFN(pages), 5), 0);
	assert_int_equal(vm.mem->pool.free, 5);
	fake_check();
	end_vm(&vm);
	for (u64 i = 0; i < 5; i++)
		assert_state(pages + i * PAGE_SIZE, PAGE_HOST);
}

/* --- vCPUs --- */

static s64 vcpu(u64 index, pa_t page, pa_t run_page_)
{
	return hc_fed(STOCKADE_HC_VCPU_CREATE, vm.handle, index, PFN(page), PFN(run_page_));
}

/* Indexes are dense; pages must be the host's; the refused leave nothing behind. */
static void bad_vcpus_are_refused(void)
{
	pa_t page = host_page(), run_ = host_page();

	vm = make_vm(1);
	assert_ret(vcpu(0, page, run_), STOCKADE_EINVAL);
	assert_ret(vcpu(2, page, run_), STOCKADE_EINVAL);
	assert_refused(vcpu(STOCKADE_MAX_VCPUS, page, run_), STOCKADE_EINVAL);
	assert_refused(vcpu(~0ull, page, run_), STOCKADE_EINVAL);
	assert_refused(vcpu(1, vm.vcpu[0], run_), STOCKADE_EPERM);
	assert_refused(vcpu(1, vm.run[0], run_), STOCKADE_EPERM);
	assert_refused(vcpu(1, 0x40800000, run_), STOCKADE_EINVAL);
	assert_ret(vcpu(1, page, vm.vcpu[0]), STOCKADE_EPERM);
	assert_ret(vcpu(1, page, 0x40800000), STOCKADE_EINVAL);
	assert_ret(vcpu(1, page, page), STOCKADE_EPERM);
	assert_state(page, PAGE_HOST);
	assert_state(run_, PAGE_HOST);
	assert_int_equal(vm.vm->nr_vcpus, 1);
}

/* There are as many vCPUs as there is room for, and not one more. */
static void vcpus_are_bounded(void)
{
	pa_t page = 0x41200000, run_ = host_page(), other_run = host_page();

	vm = make_vm(0);
	/* One page can't be shared so often. */
	for (u64 i = 0; i < STOCKADE_MAX_VCPUS; i++)
		assert_ret(vcpu(i, page + i * PAGE_SIZE, i & 1 ? other_run : run_), 0);
	assert_int_equal(vm.vm->nr_vcpus, STOCKADE_MAX_VCPUS);
	assert_refused(vcpu(STOCKADE_MAX_VCPUS, host_page(), run_), STOCKADE_EINVAL);
	load(&vm, STOCKADE_MAX_VCPUS - 1);
	assert_ret(hc(STOCKADE_HC_VCPU_PUT), 0);
}

/* A call that was refused has changed nothing (hostcall.h): the host's page still has what it had. */
static void refused_pages_keep_their_contents(void)
{
	pa_t page = host_page(), run_ = host_page();

	vm = make_vm(1);
	fill_page(page, 0x1234);
	/* Page and root are one. */
	assert_refused(create(page, page, CONFIG(39)), STOCKADE_EPERM);
	assert_refused(create(ALIGN_UP(page, 2 * PAGE_SIZE) + PAGE_SIZE,
			      ALIGN_UP(page, 2 * PAGE_SIZE), CONFIG(40)),
		       STOCKADE_EPERM);
	assert_ret(vcpu(5, page, run_), STOCKADE_EINVAL);
	assert_page_is(page, 0x1234);
	/* The page is good, the run page is not. */
	assert_ret(vcpu(1, page, vm.vcpu[0]), STOCKADE_EPERM);
	assert_ret(vcpu(1, page, 0x40800000), STOCKADE_EINVAL);
	assert_ret(vcpu(1, page, page), STOCKADE_EPERM);
	assert_page_is(page, 0x1234);
	/* And the other way round. */
	assert_ret(vcpu(1, vm.vcpu[0], run_), STOCKADE_EPERM);
	assert_state(run_, PAGE_HOST);
	load(&vm, 0);
	assert_ret(vcpu(1, page, run_), STOCKADE_EBUSY);
	assert_page_is(page, 0x1234);
	assert_ret(hc(STOCKADE_HC_VCPU_PUT), 0);
	assert_ret(hc(STOCKADE_HC_VM_TEARDOWN, vm.handle), 0);
	assert_ret(hc_fed(STOCKADE_HC_VM_TOPUP, vm.handle, PFN(page), 1), STOCKADE_EPERM);
	assert_page_is(page, 0x1234);
}

/* A vCPU starts out of reset, zeroed, whatever its page had. */
static void a_new_vcpu(void)
{
	const struct guest_regs *regs;

	vm = make_vm(2);
	regs = regs_of(&vm, 1);
	for (unsigned int i = 0; i < 31; i++)
		assert_int_equal(regs->x[i], 0);
	assert_int_equal(regs->pstate, PSR_EL1H | PSR_DAIF);
	assert_int_equal(regs->mpidr & 0xffffff, 1);
	assert_state(vm.run[1], PAGE_HOST_SHARED);
	assert_host_has(vm.run[1]);
	assert_host_lost(vm.vcpu[1]);
}

static s64 vcpu_piece(u64 index, pa_t page, pa_t run_page_, u64 piece)
{
	return hc_fed(STOCKADE_HC_VCPU_CREATE, vm.handle, index, PFN(page),
		      PFN(run_page_) | piece << STOCKADE_RUN_SHIFT);
}

/* A run page has room for 16; an exit writes into its vCPU's piece, and the page is shared for as long as one is. */
static void run_pages_have_pieces(void)
{
	enum { PIECES = PAGE_SIZE / STOCKADE_RUN_SIZE };
	pa_t pages = 0x41200000, shared = 0x41210000;
	struct stockade_run *runs = fake_ram(shared);

	vm = make_vm(0);
	assert_int_equal(PIECES, 16);
	assert_refused(vcpu_piece(0, pages, shared, PIECES), STOCKADE_EINVAL);
	assert_refused(vcpu_piece(0, pages, shared, 0xfff), STOCKADE_EINVAL);
	assert_refused(vcpu_piece(0, pages, pages, PIECES - 1), STOCKADE_EPERM);
	assert_ret(vcpu_piece(0, pages, shared, 0), 0);
	assert_ret(vcpu_piece(1, pages + PAGE_SIZE, shared, PIECES - 1), 0);
	memset(runs, 0xee, PAGE_SIZE);
	runs = (void *)((u8 *)runs + (PIECES - 1) * STOCKADE_RUN_SIZE);
	memset(runs, 0, sizeof(*runs));
	load(&vm, 1);
	assert_int_equal(run(), STOCKADE_EXIT_IRQ);
	assert_int_equal(runs->exit_reason, STOCKADE_EXIT_IRQ);
	for (u8 *byte = fake_ram(shared); byte < (u8 *)runs; byte++)
		assert_int_equal(*byte, 0xee);
	assert_ret(hc(STOCKADE_HC_VCPU_PUT), 0);

	assert_ret(hc(STOCKADE_HC_VM_TEARDOWN, vm.handle), 0);
	assert_int_equal(fake_page(shared)->refs, 2);
	assert_ret(hc(STOCKADE_HC_VCPU_DESTROY, vm.handle, 1), 0);
	/* It is none any more, also while there are others. */
	assert_refused(hc(STOCKADE_HC_VCPU_SET_REG, vm.handle, 1, 0, 1), STOCKADE_ENOENT);
	assert_refused(hc(STOCKADE_HC_VCPU_SET_REG, vm.handle, 0, 0, 1), STOCKADE_EPERM);
	assert_state(shared, PAGE_HOST_SHARED);
	assert_int_equal(fake_page(shared)->refs, 1);
	assert_ret(hc(STOCKADE_HC_VCPU_DESTROY, vm.handle, 0), 0);
	assert_state(shared, PAGE_HOST);
}

/* Registers are set before the first load: x0-x30, PC, power; nothing else, and never after. */
static void registers_are_set_until_sealed(void)
{
	vm = make_vm(1);
	for (u64 i = 0; i <= 30; i++)
		assert_ret(hc(STOCKADE_HC_VCPU_SET_REG, vm.handle, 0, i, 0x100 + i), 0);
	assert_ret(hc(STOCKADE_HC_VCPU_SET_REG, vm.handle, 0, STOCKADE_REG_PC, 0x80000000), 0);
	assert_ret(hc(STOCKADE_HC_VCPU_SET_REG, vm.handle, 0, STOCKADE_REG_POWER_OFF, 1), 0);
	assert_int_equal(((struct vcpu *)regs_of(&vm, 0))->power, VCPU_OFF);
	assert_ret(hc(STOCKADE_HC_VCPU_SET_REG, vm.handle, 0, STOCKADE_REG_POWER_OFF, 0), 0);
	assert_int_equal(((struct vcpu *)regs_of(&vm, 0))->power, VCPU_ON);
	for (u64 i = 0; i <= 30; i++)
		assert_int_equal(regs_of(&vm, 0)->x[i], 0x100 + i);
	assert_int_equal(regs_of(&vm, 0)->pc, 0x80000000);
	assert_refused(hc(STOCKADE_HC_VCPU_SET_REG, vm.handle, 0, 33, 1), STOCKADE_EINVAL);
	assert_refused(hc(STOCKADE_HC_VCPU_SET_REG, vm.handle, 0, ~0ull, 1), STOCKADE_EINVAL);
	assert_refused(hc(STOCKADE_HC_VCPU_SET_REG, vm.handle, 0, 1ull << 32, 1), STOCKADE_EINVAL);
	assert_refused(hc(STOCKADE_HC_VCPU_SET_REG, vm.handle, 1, 0, 1), STOCKADE_ENOENT);
	assert_refused(hc(STOCKADE_HC_VCPU_SET_REG, vm.handle, ~0ull, 0, 1), STOCKADE_ENOENT);

	load(&vm, 0);
	for (u64 i = 0; i <= STOCKADE_REG_POWER_OFF; i++)
		assert_refused(hc(STOCKADE_HC_VCPU_SET_REG, vm.handle, 0, i, 7), STOCKADE_EPERM);
	assert_ret(hc(STOCKADE_HC_VCPU_PUT), 0);
	for (u64 i = 0; i <= STOCKADE_REG_POWER_OFF; i++)
		assert_refused(hc(STOCKADE_HC_VCPU_SET_REG, vm.handle, 0, i, 7), STOCKADE_EPERM);
	assert_ret(vcpu(1, host_page(), host_page()), STOCKADE_EBUSY);
	end_vm(&vm);
}

/* A vCPU is on one CPU, a CPU has one vCPU. */
static void loads_are_exclusive(void)
{
	vm = make_vm(2);
	assert_refused(hc(STOCKADE_HC_VCPU_LOAD, vm.handle, 2), STOCKADE_ENOENT);
	assert_refused(hc(STOCKADE_HC_VCPU_LOAD, vm.handle, ~0ull), STOCKADE_ENOENT);
	assert_refused(hc(STOCKADE_HC_VCPU_PUT), STOCKADE_ENOENT);
	load(&vm, 0);
	assert_refused(hc(STOCKADE_HC_VCPU_LOAD, vm.handle, 0), STOCKADE_EBUSY);
	assert_refused(hc(STOCKADE_HC_VCPU_LOAD, vm.handle, 1), STOCKADE_EBUSY);
	fake_cpu(1);
	assert_refused(hc(STOCKADE_HC_VCPU_LOAD, vm.handle, 0), STOCKADE_EBUSY);
	assert_refused(hc(STOCKADE_HC_VCPU_PUT), STOCKADE_ENOENT);
	load(&vm, 1);
	assert_int_equal(vm.vm->users, 2);
	assert_ret(hc(STOCKADE_HC_VCPU_PUT), 0);
	fake_cpu(0);
	assert_ret(hc(STOCKADE_HC_VCPU_PUT), 0);
	assert_int_equal(vm.vm->users, 0);
	assert_int_equal(vm.vm->loaded, 0);
	end_vm(&vm);
}

/* A CPU that meets another vCPU of the VM than the last has its stage 1 TLB flushed, for that VMID. */
static void another_vcpu_flushes_stage_1(void)
{
	static const struct {
		unsigned int cpu, vcpu;
		bool flush;
	} steps[] = { { 0, 0, true },  { 0, 0, false }, { 0, 1, true }, { 1, 0, true },
		      { 1, 0, false }, { 0, 1, false }, { 0, 0, true }, { 0, 0, false } };

	vm = make_vm(2);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		fake_cpu(steps[i].cpu);
		fake.nr_ops = 0;
		load(&vm, steps[i].vcpu);
		assert_int_equal(count_ops(FAKE_TLBI_VMALLE1), steps[i].flush);
		if (steps[i].flush)
			op_after(FAKE_TLBI_VMALLE1, vm.vm->world.vttbr, 0, -1);
		assert_ret(hc(STOCKADE_HC_VCPU_PUT), 0);
	}
}

/* After a put nothing of the guest is left on EL2's stack. */
static void a_put_scrubs_the_stack(void)
{
	vm = make_vm(1);
	load(&vm, 0);
	assert_int_equal(fake.stack_scrubs, 0);
	assert_ret(hc(STOCKADE_HC_VCPU_PUT), 0);
	assert_int_equal(fake.stack_scrubs, 1);
}

/* By index, for who finds it in the page array. */
static void indexes_are_bounded(void)
{
	vm = make_vm(0);
	assert_null(vm_get_index(1));
	assert_null(vm_get_index(STOCKADE_MAX_VMS));
	assert_null(vm_get_index(~0u));
	assert_ptr_equal(vm_get_index(0), vm.vm);
	vm_put(vm.vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(bad_creations_are_refused),
		hyp_test(a_bad_root_gives_the_page_back),
		hyp_test(a_new_vm),
		hyp_test(bad_handles_are_refused),
		hyp_test(vms_are_bounded),
		hyp_test(creation_asks_for_memory),
		hyp_test(a_pool_takes_several_pages),
		hyp_test(bad_vcpus_are_refused),
		hyp_test(run_pages_have_pieces),
		hyp_test(vcpus_are_bounded),
		hyp_test(refused_pages_keep_their_contents),
		hyp_test(a_new_vcpu),
		hyp_test(registers_are_set_until_sealed),
		hyp_test(loads_are_exclusive),
		hyp_test(another_vcpu_flushes_stage_1),
		hyp_test(a_put_scrubs_the_stack),
		hyp_test(indexes_are_bounded),
	};

	return RUN("hyp-vm-vm", tests);
}
