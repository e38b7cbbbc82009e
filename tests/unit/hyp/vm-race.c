// SPDX-License-Identifier: GPL-2.0-only
/* VMs and vCPUs, two CPUs: what another CPU does between two locks of a hostcall. */
#include "hyptest.h"

#define CONFIG(bits) ((bits) | STOCKADE_VM_PROTECTED << 8)

static struct test_vm vm;

static s64 create(pa_t page, pa_t root, u64 config)
{
	return hc_fed(STOCKADE_HC_VM_CREATE, PFN(page), PFN(root), config);
}

static unsigned int race_calls;

static void reclaim_and_donate_meanwhile(const char *name)
{
	/* Teardown has made the VM "dying" and is on its way to its memory's lock. */
	if (strcmp(name, "&mem->lock") || race_calls++)
		return;
	if (vm.vm->lock.spin.holder)
		return; /* another CPU waits: good */
	fake_cpu(1);
	do {
		if (hc(STOCKADE_HC_VM_RECLAIM, vm.handle))
			return; /* not allowed yet: good */
	} while (hc_result.x1);
	hc(STOCKADE_HC_HOST_DONATE_GUEST, vm.handle, PFN(0x41200000), PFN(0x1000), 1);
}

/*
 * A reclaim that overtakes the teardown, on another CPU, and a donation behind it: the page must not be
 * forgotten in a VM that is destroyed.
 */
static void nothing_is_donated_behind_reclaim(void)
{
	vm = make_vm(0);
	for (unsigned int i = 0; i < 2; i++)
		assert_ret(hc_fed(STOCKADE_HC_VM_TOPUP, vm.handle, PFN(spare_page()), 1), 0);
	race_calls = 0;
	fake.before_lock = reclaim_and_donate_meanwhile;
	assert_ret(hc(STOCKADE_HC_VM_TEARDOWN, vm.handle), 0);
	fake.before_lock = NULL;
	do
		assert_ret(hc(STOCKADE_HC_VM_RECLAIM, vm.handle), 0);
	while (hc_result.x1);
	while (!hc(STOCKADE_HC_VM_RECLAIM_TABLE, vm.handle))
		;
	assert_ret(hc(STOCKADE_HC_VM_DESTROY, vm.handle), 0);
	assert_state(0x41200000, PAGE_HOST);
}

static void top_up_meanwhile(const char *name)
{
	/* VM_DESTROY has seen that nothing is left, and is on its way to the table. */
	if (strcmp(name, "&table_lock") || race_calls++ != 1)
		return;
	fake_cpu(1);
	hc_fed(STOCKADE_HC_VM_TOPUP, vm.handle, PFN(0x41200000), 1);
}

/* A top-up that comes between the last look and the end: its page must not be forgotten. */
static void nothing_is_topped_up_behind_destroy(void)
{
	vm = make_vm(0);
	assert_ret(hc(STOCKADE_HC_VM_TEARDOWN, vm.handle), 0);
	do
		assert_ret(hc(STOCKADE_HC_VM_RECLAIM, vm.handle), 0);
	while (hc_result.x1);
	race_calls = 0;
	fake.before_lock = top_up_meanwhile;
	hc(STOCKADE_HC_VM_DESTROY, vm.handle);
	fake.before_lock = NULL;
	assert_true(race_calls >= 2);
	if (!hc(STOCKADE_HC_VM_RECLAIM_TABLE, vm.handle))
		assert_ret(hc(STOCKADE_HC_VM_DESTROY, vm.handle), 0);
	assert_state(0x41200000, PAGE_HOST);
}

static void load_meanwhile(const char *name)
{
	if (strcmp(name, "&vm->lock") || race_calls++)
		return;
	fake_cpu(1);
	load(&vm, 0);
}

/* A load that comes before teardown's look makes it busy. */
static void a_load_stops_teardown(void)
{
	vm = make_vm(1);
	race_calls = 0;
	fake.before_lock = load_meanwhile;
	assert_ret(hc(STOCKADE_HC_VM_TEARDOWN, vm.handle), STOCKADE_EBUSY);
	fake.before_lock = NULL;
	assert_int_equal(vm.vm->state, VM_SEALED);
}

static pa_t race_page, race_root;
static const char *race_lock;
static void (*race_action)(void);

/* Another CPU acts when this one has had the pages donated, and is on its way to that lock. */
static void act_meanwhile(const char *name)
{
	if (strcmp(name, race_lock) || page_state(race_page) != PAGE_HYP ||
	    page_state(race_root) != PAGE_HYP || race_calls++)
		return;
	fake_cpu(1);
	race_action();
}

static void race_with(const char *lock, pa_t page, pa_t root, void (*action)(void))
{
	race_calls = 0;
	race_lock = lock;
	race_page = page;
	race_root = root;
	race_action = action;
	fake.before_lock = act_meanwhile;
}

static void race_is_over(void)
{
	fake.before_lock = NULL;
	assert_int_equal(race_calls > 0, true);
}

static void close_table(void)
{
	assert_ret(vm_close_table(), 0);
}

static void create_another(void)
{
	assert_ret(hc(STOCKADE_HC_VM_CREATE, PFN(0x423fc000), PFN(0x423fd000), CONFIG(32)), 0);
}

static void tear_down(void)
{
	assert_ret(hc(STOCKADE_HC_VM_TEARDOWN, vm.handle), 0);
}

/* The table is closed, or all VMs are ended, or the last place in it is taken, while a VM is on its way there. */
static void the_table_closes_before_a_vm(void)
{
	static void (*const actions[])(void) = { close_table, vm_unmap_all };
	static const struct fake_config config = {
		.ram = { { 0x40000000, 0x1000000 }, { 0x42000000, 0x400000 } },
		.nr_ram = 2,
		.pool_pages = 128,
	};
	pa_t page = 0x41000000, root = 0x41002000;

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		boot_again();
		race_with("&table_lock", page, root, actions[i]);
		assert_ret(create(page, root, CONFIG(40)), STOCKADE_ENOSPC);
		race_is_over();
		assert_state(page, PAGE_HOST);
		assert_state(root, PAGE_HOST);
		assert_state(root + PAGE_SIZE, PAGE_HOST);
		assert_int_equal(vm_count(), 0);
		fake_check();
	}

	boot_again_as(&config);
	page = 0x42000000;
	for (unsigned int i = 0; i < STOCKADE_MAX_VMS - 1; i++, page += 2 * PAGE_SIZE)
		assert_ret(create(page, page + PAGE_SIZE, CONFIG(32)), 0);
	race_with("&table_lock", page, page + PAGE_SIZE, create_another);
	assert_ret(create(page, page + PAGE_SIZE, CONFIG(32)), STOCKADE_ENOSPC);
	race_is_over();
	assert_state(page, PAGE_HOST);
	assert_state(page + PAGE_SIZE, PAGE_HOST);
	assert_int_equal(vm_count(), STOCKADE_MAX_VMS);
}

static void top_up_with_it(const char *name)
{
	/* VM_CREATE has seen that it may have the pages, and goes to take the first. */
	if (strcmp(name, "&mem_lock") || race_calls++ != 1)
		return;
	fake_cpu(1);
	assert_ret(hc(STOCKADE_HC_VM_TOPUP, vm.handle, PFN(race_page), 1), 0);
}

/* Another VM gets the page first. */
static void a_vms_page_is_taken_before(void)
{
	race_page = host_page();
	vm = make_vm(0);
	race_calls = 0;
	fake.before_lock = top_up_with_it;
	assert_ret(hc(STOCKADE_HC_VM_CREATE, PFN(race_page), PFN(0x41004000), CONFIG(40)),
		   STOCKADE_EPERM);
	fake.before_lock = NULL;
	assert_state(race_page, PAGE_HYP);
	assert_state(0x41004000, PAGE_HOST);
	assert_int_equal(vm_count(), 1);
	end_vm(&vm);
	assert_state(race_page, PAGE_HOST);
}

/* A VM is torn down while a page is donated to its pool, or a vCPU is on its way to it. */
static void nothing_is_added_to_a_dying_vm(void)
{
	pa_t page = host_page(), run_page_ = host_page();

	vm = make_vm(0);
	race_with("&vm->mem.lock", page, page, tear_down);
	assert_ret(hc_fed(STOCKADE_HC_VM_TOPUP, vm.handle, PFN(page), 1), STOCKADE_EPERM);
	race_is_over();
	assert_state(page, PAGE_HOST);
	end_vm(&vm);

	vm = make_vm(0);
	race_with("&vm->lock", page, page, tear_down);
	assert_ret(hc_fed(STOCKADE_HC_VCPU_CREATE, vm.handle, 0, PFN(page), PFN(run_page_)),
		   STOCKADE_EBUSY);
	race_is_over();
	assert_state(page, PAGE_HOST);
	assert_state(run_page_, PAGE_HOST);
	assert_int_equal(vm.vm->nr_vcpus, 0);
	end_vm(&vm);
}

static unsigned int race_at;
static void (*race)(void);

static void meanwhile(const char *name)
{
	if (strcmp(name, race_lock) || race_calls++ != race_at)
		return;
	fake_cpu(1);
	race();
}

/* Just before CPU 0 takes the lock for the nth time, from 0 on, CPU 1 does that. */
static void race_before(const char *lock, unsigned int nth, void (*what)(void))
{
	race_lock = lock;
	race_at = nth;
	race = what;
	race_calls = 0;
	fake.before_lock = meanwhile;
}

static void assert_raced(void)
{
	fake.before_lock = NULL;
	assert_true(race_calls > race_at);
}

#define RACE_PAGE 0x41100000ull

static void give_race_page_to_el2(void)
{
	assert_ret(hc(STOCKADE_HC_POOL_TOPUP, PFN(RACE_PAGE), 1), 0);
}

/* The root goes elsewhere after the first look: the VM's page comes back. */
static void the_root_goes_meanwhile(void)
{
	pa_t page = host_page();

	/* The look at both, the page, the root. */
	race_before("&mem_lock", 2, give_race_page_to_el2);
	assert_ret(hc(STOCKADE_HC_VM_CREATE, PFN(page), PFN(RACE_PAGE), CONFIG(40)),
		   STOCKADE_EPERM);
	assert_raced();
	assert_state(page, PAGE_HOST);
	assert_host_has(page);
	assert_int_equal(vm_count(), 0);
}

static void make_vcpu(void)
{
	assert_ret(hc(STOCKADE_HC_VCPU_CREATE, vm.handle, 0, PFN(0x41200000), PFN(0x41201000)), 0);
}

/* Two CPUs make the same vCPU: one does, the other's pages come back. */
static void one_vcpu_is_made_once(void)
{
	pa_t page = host_page(), run_ = host_page();

	vm = make_vm(0);
	race_before("&vm->lock", 1, make_vcpu);
	assert_ret(hc(STOCKADE_HC_VCPU_CREATE, vm.handle, 0, PFN(page), PFN(run_)),
		   STOCKADE_EINVAL);
	assert_raced();
	assert_state(page, PAGE_HOST);
	assert_state(run_, PAGE_HOST);
	assert_int_equal(vm.vm->nr_vcpus, 1);
	assert_ptr_equal(vm.vm->vcpus[0], hyp_va(0x41200000));
}

static void destroy_meanwhile(const char *name)
{
	/* VM_CREATE has looked for room, and now entered the VM into the table. */
	if (strcmp(name, "&table_lock") || ++race_calls != 2)
		return;
	fake_cpu(1);
	end_vm(&vm);
	fake_cpu(0);
}

/* A VM that another CPU destroys before who made it has its handle: EL2 no longer has the page, and looks no more. */
static void a_vm_goes_while_it_is_made(void)
{
	make_vm(0);
	vm = (struct test_vm){ .page = host_page(), .root = host_page(), .handle = 0x1001 };
	race_calls = 0;
	fake.after_unlock = destroy_meanwhile;
	assert_ret(create(vm.page, vm.root, CONFIG(32)), 0);
	fake.after_unlock = NULL;
	assert_int_equal(race_calls, 2);
	assert_int_equal(hc_result.x1, vm.handle);
	assert_state(vm.page, PAGE_HOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(nothing_is_donated_behind_reclaim),
		hyp_test(nothing_is_topped_up_behind_destroy),
		hyp_test(a_load_stops_teardown),
		hyp_test(the_table_closes_before_a_vm),
		hyp_test(a_vms_page_is_taken_before),
		hyp_test(nothing_is_added_to_a_dying_vm),
		hyp_test(the_root_goes_meanwhile),
		hyp_test(one_vcpu_is_made_once),
		hyp_test(a_vm_goes_while_it_is_made),
	};

	return RUN("hyp-vm-race", tests);
}
