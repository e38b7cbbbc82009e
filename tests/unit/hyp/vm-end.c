// SPDX-License-Identifier: GPL-2.0-only
/* The end: of a VM and its vCPUs by hostcalls, in order; and of all at once. */
#include "hyptest.h"

#define CONFIG(bits) ((bits) | STOCKADE_VM_PROTECTED << 8)

static struct test_vm vm;

static s64 create(pa_t page, pa_t root, u64 config)
{
	return hc_fed(STOCKADE_HC_VM_CREATE, PFN(page), PFN(root), config);
}

static s64 vcpu(u64 index, pa_t page, pa_t run_page_)
{
	return hc_fed(STOCKADE_HC_VCPU_CREATE, vm.handle, index, PFN(page), PFN(run_page_));
}

/* --- one VM's --- */

/* Nothing of the end happens out of order. */
static void the_end_has_an_order(void)
{
	vm = make_vm(2);
	donated_page(&vm, 0x1000);
	/* Before teardown. */
	assert_refused(hc(STOCKADE_HC_VM_RECLAIM, vm.handle), STOCKADE_EINVAL);
	assert_refused(hc(STOCKADE_HC_VM_RECLAIM_TABLE, vm.handle), STOCKADE_EINVAL);
	assert_refused(hc(STOCKADE_HC_VCPU_DESTROY, vm.handle, 1), STOCKADE_EINVAL);
	assert_refused(hc(STOCKADE_HC_VM_DESTROY, vm.handle), STOCKADE_EINVAL);
	/* While loaded. */
	load(&vm, 1);
	assert_refused(hc(STOCKADE_HC_VM_TEARDOWN, vm.handle), STOCKADE_EBUSY);
	fake_cpu(1);
	assert_refused(hc(STOCKADE_HC_VM_TEARDOWN, vm.handle), STOCKADE_EBUSY);
	fake_cpu(0);
	assert_ret(hc(STOCKADE_HC_VCPU_PUT), 0);

	assert_ret(hc(STOCKADE_HC_VM_TEARDOWN, vm.handle), 0);
	assert_refused(hc(STOCKADE_HC_VCPU_LOAD, vm.handle, 0), STOCKADE_ENOENT);
	assert_refused(hc(STOCKADE_HC_VM_RECLAIM_TABLE, vm.handle), STOCKADE_EBUSY);
	assert_refused(hc(STOCKADE_HC_VM_DESTROY, vm.handle), STOCKADE_EBUSY);
	assert_refused(hc(STOCKADE_HC_VCPU_DESTROY, vm.handle, 0), STOCKADE_ENOENT);
	assert_refused(hc(STOCKADE_HC_VCPU_DESTROY, vm.handle, 2), STOCKADE_ENOENT);
	assert_ret(vcpu(2, host_page(), host_page()), STOCKADE_EBUSY);
	/* Teardown again does no harm. */
	assert_ret(hc(STOCKADE_HC_VM_TEARDOWN, vm.handle), 0);
	do
		assert_ret(hc(STOCKADE_HC_VM_RECLAIM, vm.handle), 0);
	while (hc_result.x1);
	assert_refused(hc(STOCKADE_HC_VM_DESTROY, vm.handle), STOCKADE_EBUSY); /* tables */
	while (!hc(STOCKADE_HC_VM_RECLAIM_TABLE, vm.handle))
		;
	assert_refused(hc(STOCKADE_HC_VM_DESTROY, vm.handle), STOCKADE_EBUSY); /* vCPUs */
	assert_ret(hc(STOCKADE_HC_VCPU_DESTROY, vm.handle, 1), 0);
	assert_refused(hc(STOCKADE_HC_VM_DESTROY, vm.handle), STOCKADE_EBUSY);
	assert_ret(hc(STOCKADE_HC_VCPU_DESTROY, vm.handle, 0), 0);
	assert_refused(hc(STOCKADE_HC_VCPU_DESTROY, vm.handle, 0), STOCKADE_ENOENT);
	assert_refused(hc(STOCKADE_HC_VCPU_DESTROY, vm.handle, ~0ull), STOCKADE_ENOENT);
	assert_refused(hc(STOCKADE_HC_VCPU_DESTROY, vm.handle, ~0u), STOCKADE_ENOENT);
	assert_ret(hc(STOCKADE_HC_VM_DESTROY, vm.handle), 0);
	assert_refused(hc(STOCKADE_HC_VM_DESTROY, vm.handle), STOCKADE_ENOENT);
}

/* Of a VM without vCPUs: memory alone, or tables alone, keep it from being destroyed. */
static void memory_and_tables_keep_a_vm(void)
{
	vm = make_vm(0);
	donated_page(&vm, 0x1000);
	assert_ret(hc(STOCKADE_HC_VM_TEARDOWN, vm.handle), 0);
	assert_refused(hc(STOCKADE_HC_VM_DESTROY, vm.handle), STOCKADE_EBUSY);
	do
		assert_ret(hc(STOCKADE_HC_VM_RECLAIM, vm.handle), 0);
	while (hc_result.x1);
	assert_refused(hc(STOCKADE_HC_VM_DESTROY, vm.handle), STOCKADE_EBUSY);
	while (!hc(STOCKADE_HC_VM_RECLAIM_TABLE, vm.handle))
		;
	assert_ret(hc(STOCKADE_HC_VM_DESTROY, vm.handle), 0);
}

/* Somebody who still uses the VM keeps it from being destroyed. */
static void a_used_vm_is_not_destroyed(void)
{
	struct vm *user;

	vm = make_vm(0);
	assert_ret(hc(STOCKADE_HC_VM_TEARDOWN, vm.handle), 0);
	assert_ret(hc(STOCKADE_HC_VM_RECLAIM, vm.handle), 0);
	user = vm_get(vm.handle);
	assert_refused(hc(STOCKADE_HC_VM_DESTROY, vm.handle), STOCKADE_EBUSY);
	vm_put(user);
	assert_ret(hc(STOCKADE_HC_VM_DESTROY, vm.handle), 0);
}

/* The page of a dead VM has nothing of it, and nor has that of a dead vCPU. */
static void the_dead_leave_no_trace(void)
{
	vm = make_vm(2);
	for (unsigned int i = 0; i < 31; i++)
		regs_of(&vm, 0)->x[i] = 0x5ec2e7;
	end_vm(&vm); /* which looks at the pages */
	assert_page_is(vm.root + PAGE_SIZE, 0);
	/* A new one begins from nothing. */
	vm = make_vm(1);
	assert_int_equal(regs_of(&vm, 0)->x[7], 0);
	end_vm(&vm);
}

/* Unload: refused while a VM lives; afterwards none can be made. */
static void the_table_closes(void)
{
	pa_t page = host_page(), root = host_page();

	vm = make_vm(0);
	assert_refused(hc(STOCKADE_HC_UNLAUNCH), STOCKADE_EBUSY);
	assert_refused(hc(STOCKADE_HC_UNLAUNCH_CPU), STOCKADE_EINVAL);
	end_vm(&vm);
	assert_ret(hc(STOCKADE_HC_UNLAUNCH), 0);
	assert_refused(create(page, root, CONFIG(39)), STOCKADE_ENOSPC);
	assert_state(page, PAGE_HOST);
	assert_state(root, PAGE_HOST);
	assert_panics(hc(STOCKADE_HC_UNLAUNCH_CPU));
	assert_int_equal(fake.left, 1);
	assert_false(this_cpu()->launched);
}

/* A guest can end what runs, no more. */
static void only_a_sealed_vm_ends(void)
{
	vm = make_vm(1);
	vm_end(vm.vm);
	assert_int_equal(vm.vm->state, VM_NEW);
	load(&vm, 0);
	assert_ret(hc(STOCKADE_HC_VCPU_PUT), 0);
	vm_end(vm.vm);
	assert_int_equal(vm.vm->state, VM_ENDED);
}

/* --- all VMs' --- */

/* Once all are to stop no vCPU is bound; one that is bound already is waited for, but not for ever. */
static void no_vcpu_is_bound_any_more(void)
{
	vm = make_vm(2);
	load(&vm, 0);
	vcpu_stop_all();
	fake_cpu(1);
	assert_ret(hc(STOCKADE_HC_VCPU_LOAD, vm.handle, 1), STOCKADE_EBUSY);
	assert_null(this_cpu()->vcpu);
	assert_null(fake.loaded[1]);
	assert_false(((struct vcpu *)hyp_va(vm.vcpu[1]))->bound);
	assert_int_equal(vm.vm->loaded, 1);
	assert_int_equal(vm.vm->users, 1);
	assert_false(vcpu_wait_for_puts());
	fake_cpu(0);
	assert_ret(hc(STOCKADE_HC_VCPU_PUT), 0);
	assert_true(vcpu_wait_for_puts());
}

/* Afterwards no VM is made, and the host's pages keep what they had. */
static void no_vm_is_made_any_more(void)
{
	vm_unmap_all();
	assert_refused(create(host_page(), host_page(), CONFIG(39)), STOCKADE_ENOSPC);
}

/* It comes to every VM, the first and the last of as many as there may be. */
static void the_end_is_everybodys(void)
{
	static const struct fake_config config = {
		.ram = { { 0x40000000, 0x1000000 }, { 0x42000000, 0x400000 } },
		.nr_ram = 2,
		.pool_pages = 128,
	};
	static const unsigned int which[] = { 0, STOCKADE_MAX_VMS - 1 };
	const pa_t vms = 0x42000000;
	pa_t next = 0x42200000;
	struct test_vm ends[2];

	boot_again_as(&config);
	for (unsigned int i = 0; i < STOCKADE_MAX_VMS; i++) {
		pa_t page = vms + i * 2ull * PAGE_SIZE;

		assert_ret(create(page, page + PAGE_SIZE, CONFIG(32)), 0);
	}
	for (unsigned int i = 0; i < 2; i++, next += 3 * PAGE_SIZE) {
		vm.handle = 0x1000 + which[i];
		vm.vm = hyp_va(vms + which[i] * 2ull * PAGE_SIZE);
		vm.mem = &vm.vm->mem;
		vm.vcpu[0] = next;
		assert_ret(vcpu(0, next, next + PAGE_SIZE), 0);
		regs_of(&vm, 0)->x[3] = 7;
		donate(&vm, next + 2 * PAGE_SIZE, 0x1000, 1);
		ends[i] = vm;
	}
	vm_unmap_all();
	for (unsigned int i = 0; i < 2; i++) {
		assert_guest_has_not(&ends[i], 0x1000);
		assert_true(ends[i].mem->dying);
	}
	vm_scrub_registers();
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(regs_of(&ends[i], 0)->x[3], 0);
		assert_int_equal(ends[i].vm->users, 0);
	}
}

/* What the end leaves of vCPUs is zeroed past the caches too: the next kernel may start without them. */
static void scrubbed_vcpus_are_clean(void)
{
	vm = make_vm(2);
	regs_of(&vm, 0)->x[3] = regs_of(&vm, 1)->x[3] = 7;
	for (unsigned int i = 0; i < 2; i++) {
		struct vcpu *v = hyp_va(vm.vcpu[i]);

		v->on_entry = v->on_context = 7;
	}
	fake.nr_ops = 0;
	vm_scrub_registers();
	for (unsigned int i = 0; i < 2; i++) {
		const struct vcpu *v = fake_ram(vm.vcpu[i]);

		assert_int_equal(v->regs.x[3], 0);
		assert_int_equal(v->on_entry, 0);
		assert_int_equal(v->on_context, 0);
		op_after(FAKE_DSB, FAKE_DSB_sy, 0,
			 op_after(FAKE_DC_CIVAC, vm.vcpu[i], ALIGN_UP(sizeof(struct vcpu), 64),
				  -1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(the_end_has_an_order),	       hyp_test(memory_and_tables_keep_a_vm),
		hyp_test(a_used_vm_is_not_destroyed),  hyp_test(the_dead_leave_no_trace),
		hyp_test(only_a_sealed_vm_ends),       hyp_test(the_table_closes),
		hyp_test(no_vcpu_is_bound_any_more),   hyp_test(no_vm_is_made_any_more),
		bare_boot_test(the_end_is_everybodys), hyp_test(scrubbed_vcpus_are_clean),
	};

	return RUN("hyp-vm-end", tests);
}
